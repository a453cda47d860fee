//! Strategy instances: what is wanted of them, what they may do now, and why.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flashpod_orders::{InstanceTag, Owner};
use flashpod_risk::Code;
use flashpod_types::{Amount, Asset, Nanos, Symbol};

use crate::engine::Engine;
use crate::fact::Fact;
use crate::io::{
    AccountLimits, Action, Desired, InstanceName, InstancePolicy, RunState, SessionEvent, SidecarLossAction,
    TradingState,
};
use crate::lease::Phase;
use crate::paper::Money;
use crate::quoting::{Denied, WantedSet};
use crate::rules::RuleInForce;
use crate::schedule::WaitingIntent;
use crate::stopping::StopProgress;

const STOPPING: &str = "STOPPING: the core was asked to stop";

/// A sidecar that is connected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    pub(crate) heard: Nanos,
    /// It sends heartbeats: silence then means that it hangs.
    pub(crate) beats: bool,
    /// Not greeted yet: the last order event it knows of. A Welcome before the account is ready would lack the
    /// terms of its pairs.
    pub(crate) greet_after: Option<u64>,
}

/// One instance as this run knows it; what must survive is in `Recovered::instances`.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Its name, as its orders carry it, and what client order ids say of it.
    pub(crate) owner: Owner,
    pub(crate) tag: InstanceTag,
    pub(crate) policy: InstancePolicy,
    /// Whose money it trades with: as its mode says, unless it still owns some of the other kind.
    pub(crate) money: Money,
    pub(crate) session: Option<Session>,
    /// Since when no sidecar is there.
    pub(crate) lost_since: Option<Nanos>,
    /// Why its strategy decides nothing any more, until another session begins.
    pub(crate) failed: Option<String>,
    /// The action for a lost sidecar is in force.
    pub(crate) loss_acted: bool,
    pub(crate) wanted: BTreeMap<Symbol, WantedSet>,
    /// Pairs that the core quotes by itself.
    pub(crate) rules: BTreeMap<Symbol, RuleInForce>,
    pub(crate) denied: BTreeMap<(Symbol, u32), Denied>,
    pub(crate) intents: VecDeque<WaitingIntent>,
    /// When its orders of the last second were sent.
    pub(crate) sent_at: VecDeque<Nanos>,
    pub(crate) state: TradingState,
    pub(crate) reasons: Vec<String>,
    pub(crate) capital_error: String,
    pub(crate) stop: StopProgress,
    /// Quotes replaced before they were sent, in this run.
    pub(crate) superseded: u64,
    pub(crate) flatten_after: BTreeMap<Symbol, Nanos>,
}

impl Instance {
    fn new(policy: InstancePolicy, money: Money, now: Nanos) -> Self {
        Self {
            owner: Owner::from(policy.instance.as_str()),
            tag: InstanceTag::of(&policy.instance),
            policy,
            money,
            session: None,
            lost_since: Some(now),
            failed: None,
            loss_acted: false,
            wanted: BTreeMap::new(),
            rules: BTreeMap::new(),
            denied: BTreeMap::new(),
            intents: VecDeque::new(),
            sent_at: VecDeque::new(),
            state: TradingState::Halted,
            reasons: vec!["STARTING".into()],
            capital_error: String::new(),
            stop: StopProgress::default(),
            superseded: 0,
            flatten_after: BTreeMap::new(),
        }
    }

    /// Nobody stands behind its quotes any more. What it wanted gone still goes: a quote may have been on its way, out
    /// of a cancel's reach, when its sidecar pulled it.
    pub(crate) fn forget_wishes(&mut self) {
        self.wanted.retain(|_, set| set.quotes.is_empty());
        self.rules.clear();
    }

    /// Something that its rules decide upon has changed.
    pub(crate) fn rules_due(&mut self) {
        self.rules.values_mut().for_each(RuleInForce::note_change);
    }

    pub(crate) fn is_greeted(&self) -> bool {
        self.session.is_some_and(|session| session.greet_after.is_none())
    }

    /// Its mode asks for money of another kind than it still owns.
    pub(crate) fn is_of_another_mode(&self) -> bool {
        self.money != Money::of(self.policy.mode)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.policy.state == RunState::Stop
    }
}

/// What the loss of a sidecar means for its instance, and in words.
fn loss(instance: &Instance) -> (TradingState, String) {
    let (done, action) = match instance.policy.sidecar_loss {
        SidecarLossAction::Cancel => ("its orders are cancelled", "Cancel"),
        SidecarLossAction::Flatten => ("its orders are cancelled and its position is closed", "Flatten"),
        SidecarLossAction::Keep => ("its orders are kept", "Keep"),
    };
    let done = format!("{done} (onSidecarLoss {action})");
    match (&instance.failed, instance.session) {
        (Some(why), _) => (TradingState::Halted, format!("STRATEGY_FAILED: {why}; {done}")),
        (None, session) => {
            let what = if session.is_some() { "the sidecar is silent" } else { "no sidecar is connected" };
            // What is kept may still be filled; that is trading.
            let keeps = instance.policy.sidecar_loss == SidecarLossAction::Keep;
            let state = if keeps { TradingState::Active } else { TradingState::Halted };
            (state, format!("SIDECAR_LOST: {what}; {done}"))
        }
    }
}

impl Engine {
    pub(crate) fn on_desired(&mut self, desired: Desired) {
        let now = self.now.mono;
        let names: BTreeSet<&InstanceName> =
            desired.instances.iter().map(|policy| &policy.instance).collect();
        let gone: Vec<InstanceName> =
            self.instances.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in gone {
            self.instances.remove(&name);
            self.mark_outs.forget(&name);
            // Forgotten only when proven: what still owns something is kept, and shows in the ledger.
            if self.state.instances.get(&name).is_some_and(|record| record.proof.is_some()) {
                self.commit(Fact::Forgotten { instance: name });
            }
        }
        for policy in &desired.instances {
            let owned = self.state.money_of_owner(&policy.instance);
            let money = owned.unwrap_or(Money::of(policy.mode));
            let mut policy = policy.clone();
            if money == Money::Paper {
                // Its losses are remembered apart: they are not those of the same strategy with real money.
                policy.owner.push_str("/paper");
            }
            match self.instances.get_mut(&policy.instance) {
                Some(instance) => {
                    if policy.state != instance.policy.state {
                        instance.stop = StopProgress::default();
                    }
                    instance.policy = policy;
                    instance.money = money;
                }
                None => {
                    self.instances.insert(policy.instance.clone(), Instance::new(policy, money, now));
                }
            }
        }
        if desired.account.adopt != self.desired.account.adopt {
            self.audit.hurry(now);
        }
        self.desired = desired;
        self.note_unwanted();
        self.note_halts();
        self.dirty = true;
        self.status_changed();
    }

    pub(crate) fn on_lease(&mut self, attempt: u64, epoch: u64, soft_ms: u64, hard_ms: u64) {
        self.dirty = true;
        // An epoch below one that was used before is somebody's mistake: two cores could hold the same.
        if epoch < self.state.highest_epoch {
            self.startup.stale_epoch = Some(epoch);
            return;
        }
        let before = self.lease.epoch();
        if self.lease.renewed(attempt, epoch, soft_ms, hard_ms) && epoch != before {
            self.startup.stale_epoch = None;
            if epoch > self.state.highest_epoch {
                self.commit(Fact::Epoch { epoch });
            }
            self.status_changed();
        }
    }

    /// What holds for every instance that trades on paper: no lease, no reconciliation and no audit concern it.
    fn paper_state(&self) -> (TradingState, Vec<String>) {
        if self.stopping.requested {
            return (TradingState::Halted, vec![STOPPING.into()]);
        }
        if !self.knows_the_rules() {
            return (TradingState::Halted, vec![self.startup.waits()]);
        }
        (TradingState::Active, Vec::new())
    }

    /// Account-wide state: what holds for every instance with real money.
    pub(crate) fn account_state(&self) -> (TradingState, Vec<String>) {
        if !self.config.credentials {
            let reason = "CREDENTIALS: the account has no keys; Paper and Shadow are accepted";
            return (TradingState::Halted, vec![reason.into()]);
        }
        let mut state = TradingState::Active;
        let mut reasons = Vec::new();
        let mut because = |worst: TradingState, reason: String| {
            state = state.max(worst);
            reasons.push(reason);
        };
        if self.stopping.requested {
            because(TradingState::Halted, STOPPING.into());
        }
        if !self.startup.ready {
            because(TradingState::Halted, self.startup.waits());
        } else if !self.startup.reconciled {
            because(
                TradingState::ReduceOnly,
                "PRIVATE_STREAM: lost; fills may be missing until it is back".into(),
            );
        }
        match self.lease.phase(self.now.mono, self.reach()) {
            Phase::Active => {}
            Phase::None => match self.startup.stale_epoch {
                Some(epoch) => because(
                    TradingState::Halted,
                    format!(
                        "LEASE: epoch {epoch} was granted, at least {} is accepted",
                        self.state.highest_epoch
                    ),
                ),
                None => because(TradingState::Halted, "LEASE: none granted yet".into()),
            },
            Phase::Soft => because(TradingState::ReduceOnly, "LEASE: past its soft deadline".into()),
            Phase::Hard => because(TradingState::Halted, "LEASE: past its hard deadline".into()),
        }
        if self.state.take_over.is_some() {
            because(
                TradingState::ReduceOnly,
                "TAKE_OVER: what happened since the checkpoint is not known yet".into(),
            );
        }
        if let Some(difference) = self.audit.verdict() {
            because(TradingState::ReduceOnly, format!("LEDGER_DIFFERS: {difference}"));
        }
        if let Some(stop) = self.account_stop() {
            because(stop.state(), stop.reason());
        }
        (state, reasons)
    }

    fn instance_state(
        &self,
        instance: &Instance,
        account: &(TradingState, Vec<String>),
    ) -> (TradingState, Vec<String>) {
        let (mut state, mut reasons) = account.clone();
        let mut because = |worst: TradingState, reason: String| {
            state = state.max(worst);
            reasons.push(reason);
        };
        let policy = &instance.policy;
        if instance.is_of_another_mode() {
            let (mode, money) = (policy.mode, instance.money);
            let text = format!(
                "MODE: {mode:?} can't go on with the {money:?} money that it owns; another instance can"
            );
            because(TradingState::Halted, text);
        }
        if instance.is_stopping() {
            because(TradingState::Halted, "STOP_REQUESTED: deleted or suspended".into());
        }
        if !instance.capital_error.is_empty() {
            because(TradingState::Halted, format!("CAPITAL: {}", instance.capital_error));
        }
        for halt in self.halts_of(&policy.instance) {
            because(TradingState::Halted, format!("HALT {}: {:?}", halt.name, halt.action));
        }
        if let Some(stop) = self.strategy_stop(policy) {
            because(stop.state(), stop.reason());
        }
        if instance.loss_acted {
            let (state, reason) = loss(instance);
            because(state, reason);
        }
        if self.startup.rules_loaded
            && let Some(symbol) = policy.symbols.iter().find(|symbol| !self.instruments.contains_key(symbol))
        {
            because(TradingState::Halted, format!("SYMBOL: the venue does not list {symbol}"));
        }
        if let Some(reason) = policy.symbols.iter().find_map(|symbol| self.too_small(policy, symbol)) {
            because(TradingState::Halted, reason);
        }
        (state, reasons)
    }

    /// Why no order of an instance could ever be as large as the venue's smallest.
    fn too_small(&self, policy: &InstancePolicy, symbol: &Symbol) -> Option<String> {
        let instrument = &self.instruments.get(symbol)?.instrument;
        let least = instrument.min_notional;
        let accepted = format!("at least {least} is accepted, the venue's smallest order of {symbol}");
        if let Some(most) = policy.limits.max_order_notional.filter(|most| *most < least) {
            return Some(format!("LIMITS: maxOrderNotional {most}: {accepted}"));
        }
        let capital =
            |asset: Asset| policy.capital.iter().find(|(of, _)| *of == asset).map(|(_, amount)| *amount);
        let quote = capital(instrument.quote).filter(|amount| *amount < least)?;
        // What is held can be sold.
        let empty = capital(instrument.base).is_none_or(Amount::is_zero)
            && !self.symbols_held(&policy.instance).contains(symbol);
        empty.then(|| format!("CAPITAL: {quote} {}: {accepted}", instrument.quote))
    }

    /// Keeps every instance's capital, state and sidecar up to date. When to look again.
    pub(crate) fn poll_instances(&mut self) -> Option<Nanos> {
        let now = self.now.mono;
        let mut next = self.lease.next_change(now, self.reach());
        self.use_symbols();
        let names: Vec<InstanceName> = self.instances.keys().cloned().collect();
        for name in &names {
            self.fund(name);
            next = next.into_iter().chain(self.watch_sidecar(name)).min();
        }
        let (account, paper) = (self.account_state(), self.paper_state());
        for name in &names {
            let Some(instance) = self.instances.get(name) else { continue };
            let common = if instance.money == Money::Real { &account } else { &paper };
            let (state, reasons) = self.instance_state(instance, common);
            self.set_state(name, state, reasons);
        }
        self.startup.account_state = account;
        next.into_iter().chain(self.cancel_leaving(&names)).min()
    }

    fn use_symbols(&mut self) {
        if !self.startup.rules_loaded {
            return;
        }
        let live = |instance: &&Instance| !self.is_proven(instance);
        let wanted: BTreeSet<Symbol> = self
            .instances
            .values()
            .filter(live)
            .flat_map(|instance| instance.policy.symbols.iter().copied())
            // A pair that is not named any more stays until nothing is held or open in it.
            .chain(self.instances.keys().flat_map(|name| self.symbols_held(name)))
            .filter(|symbol| self.instruments.contains_key(symbol))
            .collect();
        for &symbol in &wanted {
            self.use_symbol(symbol);
        }
        self.markets.retain(|symbol, _| wanted.contains(symbol));
        self.follow_paper();
        self.want_symbols(&wanted);
    }

    /// Pairs in which an instance has a position or an order.
    fn symbols_held(&self, name: &str) -> Vec<Symbol> {
        let held =
            self.ledger_of(name).account(name).into_iter().flat_map(|account| account.positions.iter());
        let held = held.filter(|(_, position)| !position.qty.is_zero()).map(|(&symbol, _)| symbol);
        held.chain(self.orders_of(name).live_of(name).map(|order| order.terms.symbol)).collect()
    }

    /// Gives an instance the capital its manifest asks for, as far as it lacks it.
    fn fund(&mut self, name: &str) {
        let Some(instance) = self.instances.get(name) else { return };
        let money = instance.money;
        let begun = money == Money::Paper || self.state.ledger.is_started();
        if !begun || instance.is_stopping() || instance.is_of_another_mode() {
            return;
        }
        let held = self.state.ledger_in(money).account(name);
        let mut lacking: Vec<(Asset, Amount)> = Vec::new();
        let mut surplus: Vec<(Asset, Amount)> = Vec::new();
        for &(asset, wanted) in &instance.policy.capital {
            let given = held.and_then(|account| account.allocated.get(&asset)).copied().unwrap_or_default();
            match wanted - given {
                more if more.is_positive() => lacking.push((asset, more)),
                less if less.is_negative() => surplus.push((asset, less)),
                _ => {}
            }
        }
        // Capital that is taken back leaves what is locked or was lost.
        surplus.retain(|&(asset, less)| self.free(name, asset) + less >= Amount::ZERO);
        let uid = instance.policy.uid.clone();
        let possible = match money {
            Money::Real => self.state.ledger.can_allocate(&lacking),
            Money::Paper => Ok(()),
        };
        let (error, mut change) = match possible {
            Ok(()) => (String::new(), lacking),
            Err(error) => (error.to_string(), Vec::new()),
        };
        change.extend(surplus);
        let is_new = held.is_none() && error.is_empty();
        if is_new || !change.is_empty() {
            self.commit(Fact::Allocated { money, instance: name.to_owned(), uid, capital: change });
            self.status_changed();
        }
        let changed = self.instances.get(name).is_some_and(|instance| instance.capital_error != error);
        if changed {
            self.status_changed();
        }
        if let Some(instance) = self.instances.get_mut(name) {
            instance.capital_error = error;
        }
    }

    /// Acts on a sidecar that is away for too long.
    fn watch_sidecar(&mut self, name: &str) -> Option<Nanos> {
        let now = self.now.mono;
        let instance = self.instances.get_mut(name)?;
        // A strategy that failed does not come back by itself: nothing to wait for.
        let after = if instance.failed.is_some() { Nanos::ZERO } else { instance.policy.sidecar_loss_after };
        let since = match instance.session {
            _ if instance.failed.is_some() => now,
            Some(session) if session.beats => session.heard,
            Some(_) => return None,
            None => instance.lost_since?,
        };
        if now < since + after {
            instance.loss_acted = false;
            return Some(since + after);
        }
        if !instance.loss_acted {
            instance.loss_acted = true;
            if instance.policy.sidecar_loss != SidecarLossAction::Keep {
                instance.wanted.clear();
            }
        }
        None
    }

    fn set_state(&mut self, name: &str, state: TradingState, reasons: Vec<String>) {
        let Some(instance) = self.instances.get_mut(name) else { return };
        if instance.state == state && instance.reasons == reasons {
            return;
        }
        let reason = reasons.join("; ");
        (instance.state, instance.reasons) = (state, reasons);
        instance.rules_due();
        let told = instance.is_greeted();
        if state == TradingState::Halted {
            self.refuse_intents(name, Code::Halted.as_str(), &reason, |_| true);
        }
        self.status_changed();
        if told {
            let event = SessionEvent::State { state, reason };
            self.emit(Action::Session { instance: name.to_owned(), event });
        }
    }

    pub(crate) const fn account_limits(&self) -> &AccountLimits {
        &self.desired.account
    }
}
