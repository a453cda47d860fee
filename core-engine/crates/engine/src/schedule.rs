//! Who may send next: cancels before reducing before opening, fair between instances, the worst quote first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use flashpod_orders::quotes::{Urgency, Wanted};
use flashpod_orders::{Class, Origin, Owner, QuoteStep, Resting};
use flashpod_risk::{Code, Denial, Order as RiskOrder, Purpose};
use flashpod_types::{ClientOrderId, Nanos, Price, Side, Symbol};

use crate::engine::Engine;
use crate::events::Refused;
use crate::instance::Instance;
use crate::io::{InstanceName, Intent, TradingState};
use crate::market::Arrival;
use crate::paper::Money;
use crate::requests::Purpose as Request;
use crate::track::Timing;
use crate::waits::Waits;

/// How long others keep out of the way of an order that takes, once their quotes were cancelled for it.
const GUARD: Nanos = Nanos::from_millis(500);

/// An intent that waits for the rate budget.
#[derive(Debug)]
pub(crate) struct WaitingIntent {
    pub(crate) intent: Intent,
    pub(crate) refused: Refused,
    pub(crate) popped: Nanos,
    pub(crate) waits: Option<Waits>,
    /// The frame that it answers.
    pub(crate) cause: Option<Arrival>,
}

/// Where an order that takes is about to come.
pub(crate) type Place = (Money, Symbol, Side);

/// Prices at which an order that takes is about to come: others keep out of its way.
#[derive(Debug, Default)]
pub(crate) struct Guards(BTreeMap<Place, (InstanceName, Price, Nanos)>);

impl Guards {
    pub(crate) fn set(&mut self, name: &str, place: Place, price: Price, until: Nanos) {
        self.0.insert(place, (name.to_owned(), price, until));
    }

    pub(crate) fn price(&self, name: &str, place: Place, now: Nanos) -> Option<Price> {
        self.0.get(&place).filter(|(owner, _, until)| owner != name && now < *until).map(|guard| guard.1)
    }
}

/// Something that wants to be sent.
#[derive(Debug, Clone)]
enum Step {
    Cancel(ClientOrderId),
    Quote(Symbol, Wanted),
    /// By its reference.
    Intent(String),
    Flatten(Symbol),
}

#[derive(Debug, Clone)]
struct Candidate {
    class: Class,
    instance: Owner,
    urgency: Urgency,
    step: Step,
}

/// Memory of the scheduler, used again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    candidates: Vec<Candidate>,
    pub(crate) resting: Vec<Resting>,
    pub(crate) steps: Vec<QuoteStep>,
}

pub(crate) fn order_of(intent: &Intent) -> RiskOrder {
    RiskOrder {
        symbol: intent.symbol,
        side: intent.side,
        kind: intent.kind,
        price: intent.price.unwrap_or_default(),
        qty: intent.qty,
        reduce_only: intent.reduce_only,
        purpose: Purpose::Strategy,
    }
}

pub(crate) const fn class_of(intent: &Intent) -> Class {
    if intent.reduce_only { Class::Reduce } else { Class::Open }
}

impl Engine {
    /// Sends what the budget allows, best first. When to look again.
    pub(crate) fn schedule(&mut self) -> Option<Nanos> {
        let next = self.send_due();
        self.note_waits();
        [next, self.paper.next_due()].into_iter().flatten().min()
    }

    fn send_due(&mut self) -> Option<Nanos> {
        let now = self.now.mono;
        self.window.advance(now);
        self.paper.window.advance(now);
        for instance in self.instances.values_mut() {
            while instance.sent_at.front().is_some_and(|&at| at + Nanos::from_secs(1) <= now) {
                instance.sent_at.pop_front();
            }
        }
        self.expire_intents();
        let real = if self.may_send(Money::Real) { self.send_due_with(Money::Real) } else { None };
        let on_paper = self.paper.is_used() && self.may_send(Money::Paper);
        let paper = if on_paper { self.send_due_with(Money::Paper) } else { None };
        [real, paper, self.next_expiry()].into_iter().flatten().min()
    }

    fn send_due_with(&mut self, money: Money) -> Option<Nanos> {
        let now = self.now.mono;
        let mut scratch = std::mem::take(&mut self.scratch);
        self.candidates(money, &mut scratch);
        while let Some(at) = self.best(&scratch.candidates, money) {
            let candidate = scratch.candidates.swap_remove(at);
            self.carry_out(&candidate);
        }
        // What is left waits for the window.
        let room = if scratch.candidates.is_empty() { None } else { self.window(money).next_room(now) };
        self.scratch = scratch;
        let own = self.instances.values().filter(|instance| instance.money == money);
        let denied = own.flat_map(|i| i.denied.values()).map(|denied| denied.until);
        let wanted = self.state.orders_in(money).live().filter(|order| order.cancel_wanted());
        let again = wanted
            .filter_map(|order| self.tracks.get(&order.terms.client_id))
            .map(|track| track.cancel_after);
        let later = denied.chain(again).filter(|&at| at > now).min();
        [room, later, self.next_flatten()].into_iter().flatten().min()
    }

    /// The candidate that goes next: by class, then fewest calls of its instance, then worst.
    fn best(&self, candidates: &[Candidate], money: Money) -> Option<usize> {
        let (now, window) = (self.now.mono, self.window(money));
        let allowed = |candidate: &Candidate| {
            let room = window.room(now, candidate.class);
            // A cancel that makes way for another quote is of no use without room for that quote.
            let needed =
                1 + u32::from(candidate.class == Class::Open && matches!(candidate.step, Step::Cancel(_)));
            room >= needed
        };
        candidates
            .iter()
            .enumerate()
            .filter(|(_, candidate)| allowed(candidate))
            .min_by_key(|(at, candidate)| {
                let used = window.used_by(now, &candidate.instance);
                (candidate.class, used, Reverse(candidate.urgency), *at)
            })
            .map(|(at, _)| at)
    }

    fn candidates(&self, money: Money, scratch: &mut Scratch) {
        let mut all = std::mem::take(&mut scratch.candidates);
        all.clear();
        for order in self.state.orders_in(money).live() {
            if order.cancel_wanted() && self.can_cancel(order) {
                all.push(Candidate {
                    class: Class::Cancel,
                    instance: order.terms.instance.clone(),
                    urgency: Urgency::Unwanted,
                    step: Step::Cancel(order.terms.client_id),
                });
            }
        }
        for (name, instance) in self.instances.iter().filter(|(_, instance)| instance.money == money) {
            for symbol in self.flattens(name, instance) {
                all.push(Candidate {
                    class: Class::Reduce,
                    instance: instance.owner.clone(),
                    urgency: Urgency::Missing,
                    step: Step::Flatten(symbol),
                });
            }
            for waiting in &instance.intents {
                let intent = &waiting.intent;
                all.push(Candidate {
                    class: class_of(intent),
                    instance: instance.owner.clone(),
                    urgency: Urgency::Unwanted,
                    step: Step::Intent(intent.reference.clone()),
                });
            }
            for &symbol in instance.wanted.keys() {
                self.quote_steps(name, symbol, scratch);
                let steps = scratch.steps.iter();
                all.extend(steps.filter_map(|step| self.quote_candidate(instance, symbol, *step)));
            }
        }
        scratch.candidates = all;
    }

    fn quote_candidate(&self, instance: &Instance, symbol: Symbol, step: QuoteStep) -> Option<Candidate> {
        let may_place = instance.state != TradingState::Halted;
        let urgency = step.urgency();
        let (class, step) = match step {
            QuoteStep::Cancel { client_id, urgency: Urgency::Unwanted | Urgency::Exposed(_) } => {
                (Class::Requote, Step::Cancel(client_id))
            }
            QuoteStep::Cancel { client_id, .. } if may_place => (Class::Open, Step::Cancel(client_id)),
            QuoteStep::Place { quote, .. } if may_place => {
                let denied = instance.denied.get(&(symbol, quote.slot));
                if denied.is_some_and(|denied| self.now.mono < denied.until) {
                    return None;
                }
                (Class::Open, Step::Quote(symbol, quote))
            }
            _ => return None,
        };
        Some(Candidate { class, instance: instance.owner.clone(), urgency, step })
    }

    fn carry_out(&mut self, candidate: &Candidate) {
        let Candidate { class, instance, step, .. } = candidate;
        match step {
            Step::Cancel(client_id) => self.cancel(client_id, *class),
            Step::Quote(symbol, quote) => self.place_quote(instance, *symbol, *quote),
            Step::Intent(reference) => self.place_intent(instance, reference, *class),
            Step::Flatten(symbol) => self.flatten(instance, *symbol),
        }
    }

    /// Whether a refused intent may wait: a reducing one for the ticker that lets it pass, one that takes for the
    /// account's own quotes to make way.
    pub(crate) fn may_wait(&mut self, name: &str, order: &RiskOrder, denial: &Denial) -> bool {
        if order.kind.can_rest() {
            return false;
        }
        match denial.code {
            Code::SelfCross => {
                self.clear_the_way(name, order);
                true
            }
            Code::NotCertified | Code::StaleData => {
                let held = self.position(name, order.symbol).qty;
                let reduces = if order.side.is_buy() { held.is_negative() } else { held.is_positive() };
                if reduces {
                    self.ask(Request::Ticker(order.symbol));
                }
                reduces
            }
            _ => false,
        }
    }

    /// Cancels the account's own quotes that an order would meet, and keeps others from quoting there meanwhile.
    /// Whether there are any.
    pub(crate) fn clear_the_way(&mut self, name: &str, order: &RiskOrder) -> bool {
        let money = self.money_of(name);
        let met = self.own_orders_met(money, order.symbol, order.side, order.price);
        if met.is_empty() {
            return false;
        }
        let place = (money, order.symbol, order.side);
        self.guards.set(name, place, order.price, self.now.mono + GUARD);
        for client_id in met {
            self.want_cancel(&client_id);
        }
        true
    }

    fn place_intent(&mut self, name: &str, reference: &str, class: Class) {
        let Some(instance) = self.instances.get_mut(name) else { return };
        let Some(at) = instance.intents.iter().position(|waiting| waiting.intent.reference == reference)
        else {
            return;
        };
        let Some(waiting) = instance.intents.remove(at) else { return };
        let order = order_of(&waiting.intent);
        match self.check(name, order) {
            Ok(approved) => {
                let now = self.now.mono;
                let waits = waiting.waits.map_or(Waits::none(now), |waits| waits.until(now));
                let timing = Timing { released: now, waits, cause: waiting.cause };
                let origin = Origin::Intent { reference: reference.to_owned() };
                if self.place(approved, name, class, origin, timing).is_err() {
                    self.refuse_intent(name, waiting, "NOT_SENT", "the core may not send orders now");
                }
            }
            Err(denial) if self.may_wait(name, &order, &denial) => {
                if let Some(instance) = self.instances.get_mut(name) {
                    instance.intents.insert(at, waiting);
                }
            }
            Err(denial) => self.refuse_intent(name, waiting, denial.code.as_str(), &denial.text),
        }
    }

    fn refuse_intent(&mut self, name: &str, waiting: WaitingIntent, code: &str, text: &str) {
        self.counters.risk_rejects += 1;
        self.tell_refused(name, waiting.refused, code, text);
    }

    /// Refuses waiting intents that match.
    pub(crate) fn refuse_intents(
        &mut self,
        name: &str,
        code: &str,
        text: &str,
        matches: impl Fn(&WaitingIntent) -> bool,
    ) {
        let Some(instance) = self.instances.get_mut(name) else { return };
        let (out, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut instance.intents).into_iter().partition(|waiting| matches(waiting));
        instance.intents.extend(kept);
        for waiting in out {
            self.refuse_intent(name, waiting, code, text);
        }
    }

    fn expire_intents(&mut self) {
        if self.instances.values().all(|instance| instance.intents.is_empty()) {
            return;
        }
        let (now, expiry) = (self.now.mono, self.config.tuning.intent_expiry);
        let names: Vec<InstanceName> = self.instances.keys().cloned().collect();
        for name in names {
            let text = format!("waited {} ms for the rate budget", expiry.as_millis());
            self.refuse_intents(&name, "RISK_EXPIRED", &text, |waiting| now >= waiting.popped + expiry);
        }
    }

    fn next_expiry(&self) -> Option<Nanos> {
        let expiry = self.config.tuning.intent_expiry;
        self.instances.values().flat_map(|i| i.intents.iter()).map(|waiting| waiting.popped + expiry).min()
    }
}
