//! Who owns what: a sub-account per strategy instance and `unassigned`, which together are the account.
//!
//! Ledger = starting balances + deals with fees as reported + transfers the venue told of. It is compared with
//! `/account`, never overwritten from it.

use std::collections::BTreeMap;

use flashpod_types::{Amount, Asset, Price, Qty, Side, Symbol};
use serde::{Deserialize, Serialize};

use crate::order::Deal;
pub use crate::position::PositionBook;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubAccount {
    pub own: BTreeMap<Asset, Amount>,
    /// What it was given from `unassigned`: positions count from there.
    pub allocated: BTreeMap<Asset, Amount>,
    pub positions: BTreeMap<Symbol, PositionBook>,
    /// Fees of each pair in a third asset, e.g. MX.
    other_fees: BTreeMap<(Symbol, Asset), Amount>,
}

impl SubAccount {
    #[must_use]
    pub fn owns(&self, asset: Asset) -> Amount {
        self.own.get(&asset).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn position(&self, symbol: Symbol) -> PositionBook {
        self.positions.get(&symbol).copied().unwrap_or_default()
    }

    /// Fees of a pair that were taken in neither of its assets. What they were worth, the books know at best.
    pub fn other_fees(&self, symbol: Symbol) -> impl Iterator<Item = (Asset, Amount)> {
        let from = (symbol, Asset::EMPTY);
        self.other_fees
            .range(from..)
            .take_while(move |((of, _), _)| *of == symbol)
            .map(|((_, a), f)| (*a, *f))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    #[error("capital {asset}: {missing} more is needed than `unassigned` holds ({available})")]
    NotEnough { asset: Asset, missing: Amount, available: Amount },
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Whether the starting balances were taken.
    started: bool,
    accounts: BTreeMap<String, SubAccount>,
    unassigned: BTreeMap<Asset, Amount>,
}

fn add(balances: &mut BTreeMap<Asset, Amount>, asset: Asset, amount: Amount) {
    if !amount.is_zero() {
        let balance = balances.entry(asset).or_default();
        *balance += amount;
        if balance.is_zero() {
            balances.remove(&asset);
        }
    }
}

impl Ledger {
    /// Takes the starting balances (free + locked), all of them unassigned.
    pub fn start(&mut self, balances: &[(Asset, Amount)]) {
        self.started = true;
        for &(asset, amount) in balances {
            add(&mut self.unassigned, asset, amount);
        }
    }

    #[must_use]
    pub const fn is_started(&self) -> bool {
        self.started
    }

    #[must_use]
    pub fn account(&self, instance: &str) -> Option<&SubAccount> {
        self.accounts.get(instance)
    }

    pub fn accounts(&self) -> impl Iterator<Item = (&str, &SubAccount)> {
        self.accounts.iter().map(|(name, account)| (name.as_str(), account))
    }

    #[must_use]
    pub const fn unassigned(&self) -> &BTreeMap<Asset, Amount> {
        &self.unassigned
    }

    /// Whole account per asset.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<Asset, Amount> {
        let mut totals = self.unassigned.clone();
        for account in self.accounts.values() {
            for (&asset, &amount) in &account.own {
                add(&mut totals, asset, amount);
            }
        }
        totals
    }

    /// Whether `unassigned` holds this capital; the first asset that falls short otherwise.
    pub fn can_allocate(&self, capital: &[(Asset, Amount)]) -> Result<(), LedgerError> {
        for &(asset, amount) in capital {
            let available = self.unassigned.get(&asset).copied().unwrap_or_default();
            if available < amount {
                return Err(LedgerError::NotEnough { asset, missing: amount - available, available });
            }
        }
        Ok(())
    }

    /// Gives an instance capital from `unassigned`. The caller has asked `can_allocate`.
    pub fn allocate(&mut self, instance: &str, capital: &[(Asset, Amount)]) {
        let account = self.accounts.entry(instance.to_owned()).or_default();
        for &(asset, amount) in capital {
            add(&mut self.unassigned, asset, -amount);
            add(&mut account.own, asset, amount);
            add(&mut account.allocated, asset, amount);
        }
    }

    /// Takes a sub-account as another ledger had it: the whole account grows by what it owns.
    pub fn restore(&mut self, instance: &str, account: SubAccount) {
        self.accounts.insert(instance.to_owned(), account);
    }

    /// Moves everything an instance owns to `unassigned` and forgets its sub-account; what its positions were.
    pub fn release(&mut self, instance: &str) -> Option<SubAccount> {
        let account = self.accounts.remove(instance)?;
        for (&asset, &amount) in &account.own {
            add(&mut self.unassigned, asset, amount);
        }
        Some(account)
    }

    /// A deposit, withdrawal or the like, which the venue announced: `unassigned` takes it.
    pub fn transfer(&mut self, asset: Asset, amount: Amount) {
        add(&mut self.unassigned, asset, amount);
    }

    /// Books a deal of an instance; of `unassigned` when it has no sub-account (foreign and left-over orders).
    pub fn book(
        &mut self,
        instance: &str,
        symbol: Symbol,
        base: Asset,
        quote: Asset,
        side: Side,
        deal: &Deal,
    ) {
        let (bought, paid) = match side {
            Side::Buy => (Amount::from(deal.qty), -deal.value),
            Side::Sell => (-Amount::from(deal.qty), deal.value),
        };
        let Some(account) = self.accounts.get_mut(instance) else {
            add(&mut self.unassigned, base, bought);
            add(&mut self.unassigned, quote, paid);
            add(&mut self.unassigned, deal.fee_asset, -deal.fee);
            return;
        };
        add(&mut account.own, base, bought);
        add(&mut account.own, quote, paid);
        let position = account.positions.entry(symbol).or_default();
        position.trade(side, deal.qty, deal.value);
        if deal.fee_asset == base {
            position.base_fee(deal.fee, deal.price);
        } else if deal.fee_asset == quote {
            position.quote_fee(deal.fee);
        } else {
            *account.other_fees.entry((symbol, deal.fee_asset)).or_default() += deal.fee;
        }
        // A fee in a third asset (MX) that the instance was not given is the account's.
        let payer = if deal.fee_asset == base
            || deal.fee_asset == quote
            || account.owns(deal.fee_asset) >= deal.fee
        {
            &mut account.own
        } else {
            &mut self.unassigned
        };
        add(payer, deal.fee_asset, -deal.fee);
    }

    /// The instance's position in a pair, and what it is worth at `mark`: `(quantity, unrealised)`.
    #[must_use]
    pub fn marked(&self, instance: &str, symbol: Symbol, mark: Price) -> (Qty, Amount) {
        let position = self.account(instance).map(|account| account.position(symbol)).unwrap_or_default();
        (position.qty, position.unrealised(mark))
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
