//! Halts: blocked the moment they are heard of, cancels sent, flat.

use std::collections::BTreeSet;

use flashpod_orders::State;
use flashpod_types::Nanos;

use crate::engine::Engine;
use crate::fact::Fact;
use crate::io::{HaltAction, HaltPolicy, InstanceName};
use crate::status::HaltStatus;

impl Engine {
    /// The halts that cover an instance.
    pub(crate) fn halts_of(&self, name: &str) -> impl Iterator<Item = &HaltPolicy> {
        self.desired.halts.iter().filter(move |halt| covers(halt, name))
    }

    /// Halts that are new are in force from now on; those that are gone are lifted.
    pub(crate) fn note_halts(&mut self) {
        let wanted: BTreeSet<String> = self.desired.halts.iter().map(|halt| halt.uid.clone()).collect();
        let lifted: Vec<String> =
            self.state.halts.keys().filter(|uid| !wanted.contains(*uid)).cloned().collect();
        for uid in lifted {
            self.commit(Fact::HaltLifted { uid });
        }
        for uid in wanted {
            if !self.state.halts.contains_key(&uid) {
                self.commit(Fact::HaltBlocked { uid, at_unix: self.now.unix });
            }
        }
    }

    /// Notes when the last cancel that a halt caused has left.
    pub(crate) fn poll_halts(&mut self) {
        let mut sent = Vec::new();
        for halt in self.desired.halts.iter().filter(|halt| halt.action >= HaltAction::Cancel) {
            let record = self.state.halts.get(&halt.uid).copied().unwrap_or_default();
            let waiting = self.state.all_live().any(|order| {
                let sent = order.state().is_terminal() || order.state() == State::PendingCancel;
                // Orders that an instance left behind by policy Orphan are no longer ours to cancel.
                let ours = self.instances.contains_key(&*order.terms.instance);
                ours && covers(halt, &order.terms.instance) && order.terms.kind.can_rest() && !sent
            });
            if record.cancels_sent_unix == Nanos::ZERO && !waiting && self.is_ready() {
                sent.push(halt.uid.clone());
            }
        }
        for uid in sent {
            self.commit(Fact::HaltCancelsSent { uid, at_unix: self.now.unix });
            self.status_changed();
        }
    }

    pub(crate) fn halt_status(&self, halt: &HaltPolicy) -> HaltStatus {
        let record = self.state.halts.get(&halt.uid).copied().unwrap_or_default();
        let covered: Vec<&InstanceName> = self.instances.keys().filter(|name| covers(halt, name)).collect();
        HaltStatus {
            uid: halt.uid.clone(),
            blocked_unix: record.blocked_unix,
            cancels_sent_unix: record.cancels_sent_unix,
            flat: covered.iter().all(|name| self.is_flat(name)),
            instances: u32::try_from(covered.len()).unwrap_or(u32::MAX),
        }
    }
}

fn covers(halt: &HaltPolicy, name: &str) -> bool {
    halt.all || halt.instances.iter().any(|covered| covered == name)
}
