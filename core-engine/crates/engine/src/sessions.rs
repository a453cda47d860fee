//! What sidecars say.

use flashpod_orders::Origin;
use flashpod_types::{Nanos, Symbol};

use crate::engine::Engine;
use crate::events::Refused;
use crate::instance::Session;
use crate::io::{
    Action, Hop, InstanceName, Intent, OrderEvent, OrderEventKind, SessionEvent, SessionMessage,
    WantedQuotes, Welcome,
};
use crate::market::Arrival;
use crate::paper::Money;
use crate::quoting::WantedSet;
use crate::schedule::WaitingIntent;

impl Engine {
    pub(crate) fn on_session(&mut self, name: &str, received: Nanos, message: SessionMessage) {
        self.dirty = true;
        let now = self.now.mono;
        let Some(instance) = self.instances.get_mut(name) else {
            self.counters.refused_messages += 1;
            return;
        };
        let begins_or_ends = matches!(message, SessionMessage::Opened { .. } | SessionMessage::Closed);
        if let Some(session) = &mut instance.session {
            session.heard = session.heard.max(received);
        } else if !begins_or_ends {
            // It is there: the end of a former session was told after its beginning.
            instance.session = Some(Session { heard: received, beats: false, greet_after: None });
            (instance.lost_since, instance.loss_acted) = (None, false);
            self.status_changed();
        }
        let Some(instance) = self.instances.get_mut(name) else { return };
        match message {
            SessionMessage::Opened { last_sequence } => {
                let greet_after = Some(last_sequence);
                instance.session = Some(Session { heard: received, beats: false, greet_after });
                instance.lost_since = None;
                instance.failed = None;
                instance.loss_acted = false;
                self.status_changed();
            }
            SessionMessage::Closed => {
                instance.session = None;
                instance.lost_since = Some(now);
                // What rests stays until the action for a lost sidecar is due; nothing new is sent for it.
                instance.forget_wishes();
                self.refuse_intents(name, "SESSION_CLOSED", "the session ended before it was sent", |_| true);
                self.status_changed();
            }
            SessionMessage::Heartbeat => {
                if let Some(session) = &mut instance.session {
                    session.beats = true;
                }
            }
            SessionMessage::Failed { reason } => {
                instance.failed = Some(reason);
                instance.forget_wishes();
                self.refuse_intents(
                    name,
                    "STRATEGY_FAILED",
                    "the strategy failed before it was sent",
                    |_| true,
                );
                self.status_changed();
            }
            // Nobody stands behind it any more; cancels still make the risk smaller.
            SessionMessage::WantedQuotes(_) | SessionMessage::SetRule(_) | SessionMessage::Intent(_)
                if instance.failed.is_some() =>
            {
                self.counters.refused_messages += 1;
            }
            SessionMessage::WantedQuotes(wanted) => self.on_wanted(name, wanted),
            SessionMessage::SetRule(asked) => self.on_set_rule(name, asked),
            SessionMessage::Intent(intent) => self.on_intent(name, intent),
            SessionMessage::Cancel { reference, symbol } => {
                self.on_cancel(name, reference.as_deref(), symbol);
            }
        }
    }

    /// Welcomes the sessions that wait for it, once the account is ready.
    pub(crate) fn greet(&mut self) {
        let ready = [Money::Real, Money::Paper].map(|money| self.is_ready_for(money));
        let waiting: Vec<(InstanceName, u64)> = self
            .instances
            .iter_mut()
            .filter(|(_, instance)| ready[instance.money as usize])
            .filter_map(|(name, instance)| {
                Some((name.clone(), instance.session.as_mut()?.greet_after.take()?))
            })
            .collect();
        for (name, last_sequence) in waiting {
            self.welcome(&name, last_sequence);
        }
    }

    fn welcome(&mut self, name: &str, last_sequence: u64) {
        let Some(instance) = self.instances.get(name) else { return };
        let policy = &instance.policy;
        let terms = policy.symbols.iter().filter_map(|symbol| self.instruments.get(symbol)).cloned();
        let open_orders: Vec<OrderEvent> = self
            .orders_of(name)
            .live_of(name)
            .filter(|order| !order.state().is_terminal())
            .map(|order| self.event_of(order, OrderEventKind::Accepted))
            .collect();
        let owned = self.ledger_of(name).account(name);
        let welcome = Welcome {
            epoch: self.lease.epoch(),
            incarnation: self.state.incarnation,
            mode: policy.mode,
            state: instance.state,
            instruments: terms.collect(),
            positions: policy.symbols.iter().map(|&symbol| self.position(name, symbol)).collect(),
            open_orders,
            balances: owned.map(|a| a.own.iter().map(|(&k, &v)| (k, v)).collect()).unwrap_or_default(),
            parameters_json: policy.parameters_json.clone(),
            last_sequence: self.state.instances.get(name).map_or(0, |record| record.sequence),
        };
        let missed: Vec<OrderEvent> = self
            .state
            .instances
            .get(name)
            .map(|record| record.events.iter().filter(|e| e.sequence > last_sequence).cloned().collect())
            .unwrap_or_default();
        let (state, reason) = (instance.state, instance.reasons.join("; "));
        let mut send = |event| self.out.push(Action::Session { instance: name.to_owned(), event });
        send(SessionEvent::Welcome(Box::new(welcome)));
        for event in missed {
            send(SessionEvent::Order(Box::new(event)));
        }
        send(SessionEvent::State { state, reason });
    }

    pub(crate) fn trades(&self, name: &str, symbol: Symbol) -> bool {
        self.instances.get(name).is_some_and(|instance| instance.policy.symbols.contains(&symbol))
    }

    /// The times of a decision: what it answers, how long it took, how long it was on its way.
    fn note_decision(&mut self, symbol: Symbol, cause: Option<Nanos>, decided: Nanos) -> Option<Arrival> {
        let now = self.now.mono;
        let cause = self.markets.get(&symbol)?.arrival(cause?)?;
        if decided >= cause.popped && decided <= now {
            self.hop(Hop::Decision, decided.since(cause.popped).0);
            self.hop(Hop::Return, now.since(decided).0);
        }
        Some(cause)
    }

    fn on_wanted(&mut self, name: &str, wanted: WantedQuotes) {
        let symbol = wanted.symbol;
        if !self.trades(name, symbol) {
            self.counters.refused_messages += 1;
            return;
        }
        let cause = self.note_decision(symbol, wanted.cause, wanted.decided);
        let waiting = self.quotes_waiting(name, symbol);
        let Some(instance) = self.instances.get_mut(name) else { return };
        instance.superseded += waiting;
        self.counters.superseded_quotes += waiting;
        for (_, denied) in instance.denied.iter_mut().filter(|((pair, _), _)| *pair == symbol) {
            denied.forgive();
        }
        instance.denied.retain(|&(pair, slot), _| {
            pair != symbol || wanted.quotes.iter().any(|quote| quote.slot == slot)
        });
        // Said last, it holds.
        instance.rules.remove(&symbol);
        instance.wanted.insert(symbol, WantedSet::new(wanted, cause));
    }

    fn on_intent(&mut self, name: &str, intent: Intent) {
        let now = self.now.mono;
        let symbol = intent.symbol;
        let cause = self.note_decision(symbol, intent.cause, intent.decided);
        let refused = Refused {
            symbol,
            reference: Some(intent.reference.clone()),
            slot: None,
            side: intent.side,
            kind: intent.kind,
            price: intent.price.unwrap_or_default(),
            qty: intent.qty,
        };
        let Some(instance) = self.instances.get(name) else { return };
        let most = self.config.tuning.intents_waiting as usize;
        let refusal = if !self.trades(name, symbol) {
            let symbols: Vec<&str> = instance.policy.symbols.iter().map(Symbol::as_str).collect();
            Some(("RISK_UNKNOWN_SYMBOL", format!("symbol {symbol}: {} are accepted", symbols.join(", "))))
        } else if self.knows_reference(name, &intent.reference) {
            let text = format!("ref {}: used before; a new one is accepted", intent.reference);
            Some(("RISK_DUPLICATE_REF", text))
        } else if instance.intents.len() >= most {
            Some(("RISK_BACKLOG", format!("{most} intents wait already: at most {most} are accepted")))
        } else {
            let order = crate::schedule::order_of(&intent);
            match self.check(name, order) {
                Err(denial) if !self.may_wait(name, &order, &denial) => {
                    Some((denial.code.as_str(), denial.text))
                }
                _ => None,
            }
        };
        if let Some((code, text)) = refusal {
            self.counters.risk_rejects += 1;
            self.tell_refused(name, refused, code, &text);
            return;
        }
        if let Some(instance) = self.instances.get_mut(name) {
            instance.intents.push_back(WaitingIntent { intent, refused, popped: now, waits: None, cause });
        }
    }

    /// A reference is the strategy's own name of an order: twice the same would be the same order twice.
    fn knows_reference(&self, name: &str, reference: &str) -> bool {
        let waits = self.instances.get(name).is_some_and(|instance| {
            instance.intents.iter().any(|waiting| waiting.intent.reference == reference)
        });
        let told = self.state.instances.get(name).is_some_and(|record| {
            record.events.iter().any(|event| event.reference.as_deref() == Some(reference))
        });
        // No event tells of one that is on its way.
        let leaves = self.orders_of(name).live_of(name).any(
            |order| matches!(&order.terms.origin, Origin::Intent { reference: known } if known == reference),
        );
        waits || told || leaves
    }

    fn on_cancel(&mut self, name: &str, reference: Option<&str>, symbol: Option<Symbol>) {
        let orders: Vec<_> = self
            .orders_of(name)
            .live_of(name)
            .filter(|order| !order.state().is_terminal())
            .filter(|order| symbol.is_none_or(|symbol| order.terms.symbol == symbol))
            .filter(|order| match (reference, &order.terms.origin) {
                (None, _) => true,
                (Some(wanted), Origin::Intent { reference }) => wanted == reference,
                _ => false,
            })
            .map(|order| order.terms.client_id)
            .collect();
        for client_id in orders {
            self.want_cancel(&client_id);
        }
        self.refuse_intents(name, "CANCELLED", "cancelled before it was sent", |waiting| {
            reference.is_none_or(|wanted| waiting.intent.reference == wanted)
                && symbol.is_none_or(|symbol| waiting.intent.symbol == symbol)
        });
        let Some(instance) = self.instances.get_mut(name) else { return };
        if reference.is_none() {
            match symbol {
                Some(symbol) => {
                    instance.wanted.remove(&symbol);
                    instance.rules.remove(&symbol);
                }
                None => {
                    instance.wanted.clear();
                    instance.rules.clear();
                }
            }
        }
    }
}
