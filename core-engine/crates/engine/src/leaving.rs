//! Whose orders must go: halted, stopped, without a sidecar, past the soft deadline, or wanted by nobody.

use flashpod_orders::Order;
use flashpod_types::Nanos;

use crate::engine::Engine;
use crate::instance::Instance;
use crate::io::{DeletionPolicy, HaltAction, InstanceName, SidecarLossAction, TradingState};
use crate::lease::Phase;
use crate::paper::Money;

/// How long orders of an instance that nobody wants any more may rest.
const UNWANTED_FOR: Nanos = Nanos::from_secs(10);

impl Engine {
    /// Who owns something and is wanted by nobody: for a moment that may be somebody's slip, later its orders must not
    /// rest without an owner.
    pub(crate) fn note_unwanted(&mut self) {
        let now = self.now.mono;
        let unwanted = |name: &&str| !self.instances.contains_key(*name);
        let accounts = self.state.ledger.accounts().chain(self.state.paper.ledger.accounts());
        let owners: Vec<String> =
            accounts.map(|(name, _)| name).filter(unwanted).map(str::to_owned).collect();
        self.unwanted.retain(|name, _| owners.contains(name));
        for name in owners {
            self.unwanted.entry(name).or_insert(now);
        }
    }

    /// Wants every order cancelled that must go. When to look again.
    pub(crate) fn cancel_leaving(&mut self, names: &[InstanceName]) -> Option<Nanos> {
        let now = self.now.mono;
        let unwanted =
            |(name, &since): (&InstanceName, &Nanos)| (now >= since + UNWANTED_FOR).then(|| name.clone());
        let abandoned: Vec<InstanceName> = self.unwanted.iter().filter_map(unwanted).collect();
        let must_cancel =
            |name: &&InstanceName| self.instances.get(*name).is_some_and(|i| self.must_cancel(i));
        let leaving: Vec<InstanceName> = names.iter().filter(must_cancel).cloned().chain(abandoned).collect();
        self.cancel_all_of(&leaving);
        self.cancel_in_former_symbols();
        self.unwanted.values().map(|&since| since + UNWANTED_FOR).filter(|&at| at > now).min()
    }

    /// Why every order of an instance must go, if it must.
    fn must_cancel(&self, instance: &Instance) -> bool {
        let real = instance.money == Money::Real;
        let soft = real && self.lease.phase(self.now.mono, self.reach()) == Phase::Soft;
        let halted = self.halts_of(&instance.policy.instance).any(|halt| halt.action >= HaltAction::Cancel);
        let lost = instance.loss_acted && instance.policy.sidecar_loss != SidecarLossAction::Keep;
        // Orders on paper end with the instance: there is nobody to leave them to.
        let kept = real && instance.policy.deletion_policy == DeletionPolicy::Orphan;
        let stopped = instance.is_stopping() && !kept;
        let lost_much =
            self.stop_of(&instance.policy).is_some_and(|stop| stop.state() == TradingState::Halted);
        let leaves = soft || halted || lost || stopped || lost_much || self.stopping.requested;
        leaves || instance.is_of_another_mode()
    }

    pub(crate) fn cancel_all_of(&mut self, names: &[InstanceName]) {
        for name in names {
            let orders: Vec<_> = self
                .orders_of(name)
                .live_of(name)
                .filter(|order| !order.state().is_terminal() && order.terms.kind.can_rest())
                .map(|order| order.terms.client_id)
                .collect();
            for client_id in orders {
                self.want_cancel(&client_id);
            }
            if let Some(instance) = self.instances.get_mut(name) {
                instance.wanted.clear();
            }
        }
    }

    /// Orders in pairs that their instance does not name any more.
    fn cancel_in_former_symbols(&mut self) {
        let former = |order: &&Order| {
            !order.state().is_terminal()
                && self.instances.get(&*order.terms.instance).is_some_and(|instance| {
                    !self.is_proven(instance) && !instance.policy.symbols.contains(&order.terms.symbol)
                })
        };
        let orders: Vec<_> =
            self.state.all_live().filter(former).map(|order| order.terms.client_id).collect();
        for client_id in orders {
            self.want_cancel(&client_id);
        }
        for instance in self.instances.values_mut() {
            let symbols = &instance.policy.symbols;
            instance.wanted.retain(|symbol, _| symbols.contains(symbol));
            instance.rules.retain(|symbol, _| symbols.contains(symbol));
        }
    }
}
