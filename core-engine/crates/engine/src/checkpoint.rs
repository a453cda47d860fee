//! What another core needs to go on with an instance without this one's journal. It travels as text, through the
//! StrategyInstance's status; what happened after it is read from the venue.

use std::collections::BTreeMap;

use flashpod_orders::SubAccount;
use flashpod_orders::order::NewOrder;
use flashpod_types::{Asset, ClientOrderId, Qty, Symbol};
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::paper::Money;
use crate::recovery::{Figures, OwnerRecord};

/// Of the text; another one is not read.
const FORMAT: u8 = 1;
/// The venue may have stamped an order so much before we wrote the checkpoint that lacks it.
const OVERLAP_MS: i64 = 1000;

/// One instance at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    format: u8,
    /// Of the StrategyInstance: another one of the same name begins anew.
    pub uid: String,
    /// Venue time in milliseconds: orders of an earlier timestamp are in it, as far as they matter.
    pub since_ms: i64,
    pub account: SubAccount,
    pub pairs: BTreeMap<Symbol, (Asset, Asset)>,
    /// Number of the newest order event.
    pub sequence: u64,
    pub figures: BTreeMap<Symbol, Figures>,
    /// What loss limits remember of its strategy, by its name, and of the account.
    pub losses: BTreeMap<String, OwnerRecord>,
    /// Orders that are not closed, and how much of each the sub-account has booked.
    pub orders: Vec<(NewOrder, Qty)>,
    /// The same of closed ones that are not older than `since_ms`.
    pub closed: BTreeMap<ClientOrderId, Qty>,
}

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("checkpoint of format {0}; this build reads format {FORMAT}")]
    Format(u8),
    #[error("checkpoint: {0}")]
    Text(#[from] serde_json::Error),
}

impl Checkpoint {
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let checkpoint: Self = serde_json::from_str(text)?;
        if checkpoint.format == FORMAT {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Format(checkpoint.format))
        }
    }
}

impl Engine {
    /// The text for an instance that owns real money; empty: there is nothing to go on with, or the venue's time is not
    /// known yet.
    pub(crate) fn checkpoint_text(&self, name: &str) -> String {
        if let Some(text) = self.state.take_over.as_ref().and_then(|begun| begun.texts.get(name)) {
            // Until it is known what happened since, that is where the next core has to begin, too.
            return text.clone();
        }
        self.checkpoint_now(name)
            .and_then(|checkpoint| serde_json::to_string(&checkpoint).ok())
            .unwrap_or_default()
    }

    fn checkpoint_now(&self, name: &str) -> Option<Checkpoint> {
        let account = self.state.ledger.account(name)?.clone();
        let instance = self.instances.get(name).filter(|instance| instance.money == Money::Real)?;
        let since_ms = self.clock.venue_millis(self.now.mono)?.0 - OVERLAP_MS;
        let record = self.state.instances.get(name).cloned().unwrap_or_default();
        let own = |symbol: &Symbol| {
            instance.policy.symbols.contains(symbol) || account.positions.contains_key(symbol)
        };
        let owners = [instance.policy.owner.as_str(), ""];
        let losses =
            owners.into_iter().filter_map(|owner| Some((owner, self.state.owners.get(owner)?.clone())));
        let closed = self.state.orders.all().into_iter().filter(|order| {
            order.is_closed()
                && order.terms.instance == name
                && order.terms.timestamp_ms >= since_ms
                && order.dealt().is_positive()
        });
        let orders = self.state.orders.live_of(name);
        Some(Checkpoint {
            format: FORMAT,
            uid: instance.policy.uid.clone(),
            since_ms,
            pairs: self.state.pairs.iter().filter(|(symbol, _)| own(symbol)).map(|(&k, &v)| (k, v)).collect(),
            sequence: record.sequence,
            figures: record.figures,
            losses: losses.map(|(owner, record)| (owner.to_owned(), record)).collect(),
            orders: orders.map(|order| (order.terms.clone(), order.dealt())).collect(),
            closed: closed.map(|order| (order.terms.client_id, order.dealt())).collect(),
            account,
        })
    }
}
