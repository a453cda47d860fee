//! Ways out: flattening, the stop of an instance with its proof, the stop of the core.

use flashpod_orders::{Class, Origin, State};
use flashpod_risk::{Code, Order as RiskOrder, Purpose};
use flashpod_types::{Amount, Asset, Nanos, OrderType, Price, Qty, Side, Symbol};

use crate::config::StopPolicy;
use crate::engine::Engine;
use crate::fact::Fact;
use crate::instance::Instance;
use crate::io::{Action, DeletionPolicy, HaltAction, InstanceName, SidecarLossAction};
use crate::lease::Phase;
use crate::paper::Money;
use crate::requests::Purpose as Request;
use crate::status::StopProof;
use crate::track::Timing;
use crate::waits::Waits;

/// Between two tries to flatten a pair.
const FLATTEN_AGAIN: Nanos = Nanos::from_millis(200);

/// How long the stop of a core waits to hear which of its strategies are being deleted with it.
const SEEN_WITHIN: Nanos = Nanos::from_secs(2);

/// The stop of the whole core.
#[derive(Debug, Default)]
pub(crate) struct Stopping {
    pub(crate) requested: bool,
    since: Nanos,
    /// The agent has told what is being deleted with the core.
    seen: bool,
    done: bool,
}

/// How far the stop of one instance has come in this run.
#[derive(Debug, Default)]
pub(crate) struct StopProgress {
    pub(crate) waiting_for: String,
}

impl Engine {
    pub(crate) fn on_stop(&mut self) {
        if !self.stopping.requested {
            (self.stopping.requested, self.stopping.since) = (true, self.now.mono);
            self.status_changed();
        }
        self.dirty = true;
    }

    pub(crate) fn on_stop_seen(&mut self) {
        self.stopping.seen = true;
        self.dirty = true;
    }

    /// Whether the agent may still tell that an instance is being deleted with the core.
    fn may_be_told_to_stop(&self) -> bool {
        !self.stopping.seen && self.instances.values().any(|instance| !instance.is_stopping())
    }

    fn wants_flat(&self, instance: &Instance) -> bool {
        let name = &instance.policy.instance;
        let halted = self.halts_of(name).any(|halt| halt.action == HaltAction::Flatten);
        let lost = instance.loss_acted && instance.policy.sidecar_loss == SidecarLossAction::Flatten;
        let stopped = instance.is_stopping() && instance.policy.deletion_policy == DeletionPolicy::Flatten;
        let stopping = self.stopping.requested && self.config.stop_policy == StopPolicy::Flatten;
        (halted || lost || stopped || stopping) && !self.is_proven(instance)
    }

    pub(crate) fn is_proven(&self, instance: &Instance) -> bool {
        instance.is_stopping()
            && self.state.instances.get(&instance.policy.instance).is_some_and(|r| r.proof.is_some())
    }

    /// The part of a position that the venue would take, and a price to value it: None when it is dust.
    fn sellable(&self, name: &str, symbol: Symbol) -> Option<Qty> {
        let position = self.ledger_of(name).account(name)?.position(symbol).qty;
        let terms = self.instruments.get(&symbol)?;
        let price = self
            .risk_market(symbol)
            .map(|market| market.bid)
            .or_else(|| self.markets.get(&symbol).and_then(crate::market::Market::mark));
        let size = position.abs().floor_to(terms.instrument.step);
        (size >= terms.instrument.min_sellable(price.unwrap_or_default())).then_some(position)
    }

    /// Whether there is more than dust. Without the pair's rules nobody can say what dust is.
    fn is_held(&self, name: &str, symbol: Symbol) -> bool {
        if self.instruments.contains_key(&symbol) {
            return self.sellable(name, symbol).is_some();
        }
        self.ledger_of(name).account(name).is_some_and(|account| !account.position(symbol).qty.is_zero())
    }

    /// No open order, and nothing that could be sold.
    pub(crate) fn is_flat(&self, name: &str) -> bool {
        let held = self.ledger_of(name).account(name);
        let symbols: Vec<Symbol> = held.map(|a| a.positions.keys().copied().collect()).unwrap_or_default();
        self.orders_of(name).live_of(name).next().is_none()
            && !symbols.into_iter().any(|symbol| self.is_held(name, symbol))
    }

    /// Pairs of an instance that may be flattened now: nothing of theirs is open any more.
    pub(crate) fn flattens(&self, name: &str, instance: &Instance) -> Vec<Symbol> {
        if !self.wants_flat(instance) {
            return Vec::new();
        }
        let now = self.now.mono;
        let Some(account) = self.ledger_of(name).account(name) else { return Vec::new() };
        let due = |symbol: &Symbol| instance.flatten_after.get(symbol).is_none_or(|&after| now >= after);
        let quiet =
            |symbol: &Symbol| !self.orders_of(name).live_of(name).any(|order| order.terms.symbol == *symbol);
        account
            .positions
            .keys()
            .copied()
            .filter(|symbol| due(symbol) && quiet(symbol) && self.sellable(name, *symbol).is_some())
            .collect()
    }

    pub(crate) fn next_flatten(&self) -> Option<Nanos> {
        let now = self.now.mono;
        let wanting = self.instances.values().filter(|instance| self.wants_flat(instance));
        wanting.flat_map(|instance| instance.flatten_after.values().copied()).filter(|&at| at > now).min()
    }

    /// Sends one collared IOC that takes a position towards flat.
    pub(crate) fn flatten(&mut self, name: &str, symbol: Symbol) {
        let now = self.now.mono;
        if let Some(instance) = self.instances.get_mut(name) {
            instance.flatten_after.insert(symbol, now + FLATTEN_AGAIN);
        }
        let Some(order) = self.flattening_order(name, symbol) else {
            self.ask(Request::Ticker(symbol));
            return;
        };
        if self.clear_the_way(name, &order) {
            return;
        }
        match self.check(name, order) {
            Ok(approved) => {
                let timing = Timing { released: now, waits: Waits::none(now), cause: None };
                // Refused only when nothing may be sent: tried again.
                let _ = self.place(approved, name, Class::Reduce, Origin::Flatten, timing);
            }
            Err(denial) => {
                if matches!(denial.code, Code::NotCertified | Code::StaleData) {
                    self.ask(Request::Ticker(symbol));
                }
                if let Some(instance) = self.instances.get_mut(name) {
                    instance.stop.waiting_for = format!("flattening of {symbol}: {denial}");
                }
            }
        }
    }

    fn flattening_order(&self, name: &str, symbol: Symbol) -> Option<RiskOrder> {
        let position = self.sellable(name, symbol)?;
        let market = self.risk_market(symbol)?;
        let instrument = &self.instruments.get(&symbol)?.instrument;
        let limits = self.instances.get(name)?.policy.limits;
        let side = if position.is_positive() { Side::Sell } else { Side::Buy };
        let away = |price: Price, bps: u32| {
            let part = Price::from_raw(price.raw() / 10_000 * i64::from(bps));
            if side.is_buy() { price + part } else { price - part }
        };
        let top = if side.is_buy() { market.ask } else { market.bid };
        // As far as our own collar allows, and never further than the instance's.
        let worst = away(top, self.config.tuning.flatten_collar_bps);
        let price = match (side, limits.price_collar_bps) {
            (Side::Buy, Some(bps)) => worst.min(away(market.mid(), bps)),
            (Side::Sell, Some(bps)) => worst.max(away(market.mid(), bps)),
            (_, None) => worst,
        };
        let price =
            if side.is_buy() { price.floor_to(instrument.tick) } else { price.ceil_to(instrument.tick) };
        let whole = position.abs().floor_to(instrument.step);
        let most =
            [limits.max_order_notional, Some(instrument.max_notional).filter(|most| most.is_positive())];
        let part = most.into_iter().flatten().map(|most| most.qty_at(price)).min().unwrap_or(whole);
        let part = part.min(whole).floor_to(instrument.step);
        // A limit below what the venue takes would leave the position for ever.
        let qty = if part < instrument.min_sellable(price) { whole } else { part };
        let (kind, purpose) = (OrderType::Ioc, Purpose::Flatten);
        Some(RiskOrder { symbol, side, kind, price, qty, reduce_only: true, purpose })
    }

    /// Moves stops on. When to look again.
    pub(crate) fn poll_stopping(&mut self) -> Option<Nanos> {
        self.poll_halts();
        let names: Vec<InstanceName> = self
            .instances
            .iter()
            .filter(|(_, instance)| instance.is_stopping() && !self.is_proven(instance))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            match self.missing_for_proof(&name) {
                None => self.prove(&name),
                Some(waiting_for) => {
                    if let Some(instance) = self.instances.get_mut(&name)
                        && instance.stop.waiting_for != waiting_for
                    {
                        instance.stop.waiting_for = waiting_for;
                        self.status_changed();
                    }
                }
            }
        }
        self.finish_stop()
    }

    /// What the stop of an instance still waits for.
    fn missing_for_proof(&self, name: &str) -> Option<String> {
        let instance = self.instances.get(name)?;
        if !self.is_ready_for(instance.money) {
            return Some("the account's reconciliation with the venue".into());
        }
        let orders = self.orders_of(name);
        let open = orders.live_of(name).filter(|order| !order.state().is_terminal()).count();
        let policy = instance.policy.deletion_policy;
        if policy == DeletionPolicy::Orphan && instance.money == Money::Real {
            let unclear = |state| matches!(state, State::PendingNew | State::Unknown);
            let unclear = orders.live_of(name).filter(|order| unclear(order.state())).count();
            return (unclear > 0).then(|| format!("the venue's word on {unclear} orders"));
        }
        if open > 0 {
            return Some(format!("the end of {open} open orders"));
        }
        if let Some(order) = orders.live_of(name).next() {
            let (id, missing) = (order.terms.client_id, order.missing_deals());
            return Some(format!("fills of order {id}: {missing} is not explained by deals"));
        }
        if policy != DeletionPolicy::Flatten {
            return None;
        }
        let positions =
            self.ledger_of(name).account(name).map(|a| a.positions.keys().copied().collect::<Vec<_>>());
        let symbol = positions.unwrap_or_default().into_iter().find(|symbol| self.is_held(name, *symbol))?;
        let position = self.position(name, symbol).qty;
        if !self.instruments.contains_key(&symbol) {
            return Some(format!(
                "a flat position: {symbol} is at {position}, and the venue does not list the pair"
            ));
        }
        let why = Some(&instance.stop.waiting_for).filter(|text| text.starts_with("flattening"));
        Some(why.cloned().unwrap_or_else(|| format!("a flat position: {symbol} is at {position}")))
    }

    fn prove(&mut self, name: &str) {
        let Some(instance) = self.instances.get(name) else { return };
        let policy = instance.policy.deletion_policy;
        let open: Vec<String> =
            self.orders_of(name).live_of(name).map(|order| order.terms.client_id.to_string()).collect();
        let mut moved: Vec<(Asset, Amount)> = Vec::new();
        // Paper money goes nowhere.
        let account = self.state.ledger.account(name).filter(|_| instance.money == Money::Real);
        if let Some(account) = account {
            for (symbol, held) in account.positions.iter().filter(|(_, held)| !held.qty.is_zero()) {
                if let Some(&(base, _)) = self.state.pairs.get(symbol) {
                    moved.push((base, Amount::from(held.qty)));
                }
            }
        }
        let flat = self.is_flat(name);
        let proof = StopProof {
            policy,
            no_open_orders: open.is_empty(),
            flat,
            proven_unix: self.now.unix,
            moved_to_unassigned: moved,
            orphaned_orders: open,
            waiting_for: String::new(),
        };
        self.carry_profit(name);
        self.commit(Fact::Released { instance: name.to_owned(), proof: Box::new(proof) });
        if let Some(instance) = self.instances.get_mut(name) {
            instance.stop.waiting_for.clear();
        }
        self.dirty = true;
        self.status_changed();
    }

    /// Whether the stop of the core still waits for orders, positions or proofs.
    fn is_unfinished(&self, money: Money) -> bool {
        let orphaned = |name: &str| !self.instances.contains_key(name);
        let open = self.state.orders_in(money).live().any(|order| !orphaned(&order.terms.instance));
        // Proven before the core is gone: nobody could prove it afterwards.
        let unproven = |instance: &Instance| instance.is_stopping() && !self.is_proven(instance);
        let held = |name: &str, instance: &Instance| self.wants_flat(instance) && !self.is_flat(name);
        let mut own = self.instances.iter().filter(|(_, instance)| instance.money == money);
        open || own.any(|(name, instance)| unproven(instance) || held(name, instance))
    }

    /// Says when everything that the stop of the core asks for is done, or can no longer be.
    fn finish_stop(&mut self) -> Option<Nanos> {
        if !self.stopping.requested || self.stopping.done {
            return None;
        }
        let now = self.now.mono;
        let limit = self.stopping.since + self.config.tuning.stop_timeout;
        // Without the right to send there is nothing that could still be done with real money.
        let silent = matches!(self.lease.phase(now, self.reach()), Phase::None | Phase::Hard);
        let unfinished = (!silent && self.is_unfinished(Money::Real)) || self.is_unfinished(Money::Paper);
        if unfinished && now < limit {
            return Some(limit);
        }
        let seen_by = self.stopping.since + SEEN_WITHIN;
        if !silent && now < seen_by && self.may_be_told_to_stop() {
            return Some(seen_by);
        }
        self.stopping.done = true;
        self.emit(Action::Stopped);
        None
    }
}
