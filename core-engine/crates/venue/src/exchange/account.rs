//! An account of the venue: keys, balances, orders.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use flashpod_matching::Account;
use flashpod_mexc::Signer;
use flashpod_types::Nanos;

use crate::accounts::AccountSpec;

pub struct AccountState {
    pub api_key: String,
    pub signer: Signer,
    pub funds: Account,
    /// Indices into the exchange's list of orders.
    pub orders: Vec<usize>,
    pub open: BTreeSet<usize>,
    /// The latest order of each client order id.
    pub client_ids: HashMap<String, usize>,
    /// Valid until.
    pub listen_keys: BTreeMap<String, Nanos>,
    /// (order, deal) in time order.
    pub deals: Vec<(usize, usize)>,
    /// Whether fees are taken in MX while there is enough.
    pub mx_deduct: bool,
}

impl AccountState {
    /// # Panics
    /// When the balances were not checked before; [`crate::accounts::read`] does.
    #[must_use]
    pub fn new(spec: &AccountSpec, mx_deduct: bool) -> Self {
        let mut funds = Account::default();
        for (asset, amount) in spec.amounts().expect("checked when the file was read") {
            funds.credit(asset, amount);
        }
        Self {
            api_key: spec.api_key.clone(),
            signer: Signer::new(&spec.secret_key),
            funds,
            orders: Vec::new(),
            open: BTreeSet::new(),
            client_ids: HashMap::new(),
            listen_keys: BTreeMap::new(),
            deals: Vec::new(),
            mx_deduct,
        }
    }
}

impl fmt::Debug for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountState").field("api_key", &self.api_key).finish_non_exhaustive()
    }
}
