//! Going on with an account whose journal is on another node: ledger and orders from the checkpoints of its instances,
//! what happened since from the venue (open orders, past orders, the trades of each). The audit then compares balances
//! as ever; what they do not explain stops opening until somebody accepts it.

use std::collections::BTreeMap;

use flashpod_orders::{State, Update};
use flashpod_types::{ClientOrderId, Qty};
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::engine::Engine;
use crate::fact::Fact;
use crate::io::{InstanceName, Mode};

/// What is remembered until everything that happened since the checkpoints is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeOver {
    /// Venue time of the oldest checkpoint, milliseconds.
    pub since_ms: i64,
    /// How much of orders that are closed is booked.
    pub booked: BTreeMap<ClientOrderId, Qty>,
    /// The checkpoints themselves.
    pub texts: BTreeMap<InstanceName, String>,
}

impl Engine {
    /// Begins with the checkpoints that came with the desired state. False: there are none, the ledger begins with the
    /// venue's balances.
    pub(crate) fn take_over(&mut self) -> bool {
        let live = self.desired.instances.iter().filter(|policy| policy.mode == Mode::Live);
        let found: Vec<(InstanceName, String, Checkpoint)> = live
            .filter_map(|policy| {
                let checkpoint = Checkpoint::parse(&policy.checkpoint).ok()?;
                let is_its_own = checkpoint.uid == policy.uid;
                is_its_own.then(|| (policy.instance.clone(), policy.checkpoint.clone(), checkpoint))
            })
            .collect();
        if found.is_empty() {
            return false;
        }
        let now = self.now;
        self.commit(Fact::LedgerStarted { balances: self.desired.account.unassigned.clone() });
        for (instance, checkpoint, of) in found {
            for (symbol, (base, quote)) in of.pairs {
                self.commit(Fact::Pair { symbol, base, quote });
            }
            self.commit(Fact::Restored { instance, checkpoint, at: now.mono, at_unix: now.unix });
            for (order, _) in of.orders {
                // As after a restart: nobody knows what became of it.
                self.tracks.entry(order.client_id).or_default().ask(now.mono);
                self.feed(&order.client_id, Update::Lost);
            }
        }
        self.audit.note_totals(now.mono, &self.state.ledger);
        self.look_back();
        true
    }

    /// How much of an order that is found at the venue was booked before this ledger began.
    pub(crate) fn booked_before(&self, client_id: &ClientOrderId) -> Qty {
        let begun = self.state.take_over.as_ref();
        begun.and_then(|begun| begun.booked.get(client_id)).copied().unwrap_or_default()
    }

    /// Ends it once every past order was read, and no order is in doubt or lacks a deal.
    pub(crate) fn poll_take_over(&mut self) {
        if self.state.take_over.is_none() || !self.startup.reconciled || !self.past.is_read(&self.state.pairs)
        {
            return;
        }
        let in_doubt = self.state.orders.live().any(|order| {
            matches!(order.state(), State::PendingNew | State::Unknown) || order.missing_deals().is_positive()
        });
        if !in_doubt {
            self.commit(Fact::TakenOver);
            self.audit.hurry(self.now.mono);
            self.dirty = true;
            self.status_changed();
        }
    }
}
