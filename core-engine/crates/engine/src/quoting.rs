//! Wanted quotes: what they take, placing them, and patience with those that are refused.

use flashpod_orders::quotes::{self, Urgency, Wanted};
use flashpod_orders::{Class, Order, Origin, QuoteStep, Resting};
use flashpod_risk::{Code, Denial, Order as RiskOrder, Purpose};
use flashpod_types::{Nanos, OrderType, Symbol};

use crate::engine::Engine;
use crate::events::Refused;
use crate::io::{Quote, WantedQuotes};
use crate::market::Arrival;
use crate::schedule::Scratch;
use crate::track::Timing;
use crate::waits::{self, Cause, Waits};

/// A quote that was refused is looked at again after this long, or as soon as the strategy says something new.
const DENIED_FOR: Nanos = Nanos::from_millis(100);
/// One event a second for each quote that stays refused.
const TELL_AGAIN: Nanos = Nanos::from_secs(1);

/// The quotes an instance wants in one pair.
#[derive(Debug, Default)]
pub(crate) struct WantedSet {
    pub(crate) quotes: Vec<Wanted>,
    /// Of each quote.
    pub(crate) progress: Vec<Progress>,
    pub(crate) tolerance: u32,
}

/// How far a wanted quote has come.
#[derive(Debug)]
pub(crate) struct Progress {
    waits: Option<Waits>,
    /// The frame that the decision answers; None once the quote rested: what is placed later, after a fill, answers
    /// none.
    cause: Option<Arrival>,
}

impl Progress {
    /// What keeps it from now on; None: nothing, it rests or is on its way.
    pub(crate) fn note(&mut self, now: Nanos, cause: Option<Cause>) {
        waits::follow(&mut self.waits, now, cause);
        if cause.is_none() {
            self.cause = None;
        }
    }
}

impl WantedSet {
    pub(crate) fn new(wanted: WantedQuotes, cause: Option<Arrival>) -> Self {
        let quote = |Quote { slot, side, price, qty }| Wanted { slot, side, price, qty };
        let quotes: Vec<Wanted> = wanted.quotes.into_iter().map(quote).collect();
        let progress = quotes.iter().map(|_| Progress { waits: None, cause }).collect();
        Self { quotes, progress, tolerance: wanted.tolerance_ticks }
    }

    /// Takes over a new set in place: a quote that is the same keeps its progress. None: nothing differs; else how
    /// many of the former had not left and never will.
    pub(crate) fn revise(
        &mut self,
        wanted: &[Option<Wanted>],
        tolerance: u32,
        cause: Option<Arrival>,
    ) -> Option<u64> {
        let mut differs = self.tolerance != tolerance;
        self.tolerance = tolerance;
        let (mut at, mut superseded) = (0, 0);
        while let Some(&former) = self.quotes.get(at) {
            let new = wanted.iter().flatten().find(|new| new.slot == former.slot);
            if new != Some(&former) {
                differs = true;
                superseded += u64::from(self.progress[at].waits.is_some());
                let Some(&new) = new else {
                    self.quotes.remove(at);
                    self.progress.remove(at);
                    continue;
                };
                (self.quotes[at], self.progress[at]) = (new, Progress { waits: None, cause });
            }
            at += 1;
        }
        for &new in wanted.iter().flatten() {
            if !self.quotes.iter().any(|known| known.slot == new.slot) {
                differs = true;
                self.quotes.push(new);
                self.progress.push(Progress { waits: None, cause });
            }
        }
        differs.then_some(superseded)
    }

    /// The times of a quote that leaves now.
    fn timing(&self, slot: u32, now: Nanos) -> Timing {
        let progress = self.quotes.iter().position(|quote| quote.slot == slot).map(|at| &self.progress[at]);
        let waits = progress.and_then(|progress| progress.waits).map(|waits| waits.until(now));
        let cause = progress.and_then(|progress| progress.cause);
        Timing { released: now, waits: waits.unwrap_or(Waits::none(now)), cause }
    }
}

/// A quote that risk or the venue refuses.
#[derive(Debug)]
pub(crate) struct Denied {
    quote: Wanted,
    /// None: the venue did.
    code: Option<Code>,
    /// Not tried again before.
    pub(crate) until: Nanos,
    told: Option<Nanos>,
}

impl Denied {
    /// For an own order that it would meet.
    pub(crate) fn is_in_own_way(&self) -> bool {
        self.code == Some(Code::SelfCross)
    }

    /// Something changed: risk may be asked again at once. The venue's patience is not tried that way.
    pub(crate) fn forgive(&mut self) {
        if self.code.is_some() {
            self.until = Nanos::ZERO;
        }
    }
}

impl Engine {
    /// What it takes to fulfil what an instance wants in a pair, into `scratch.steps`.
    pub(crate) fn quote_steps(&self, name: &str, symbol: Symbol, scratch: &mut Scratch) {
        let Scratch { resting, steps, .. } = scratch;
        steps.clear();
        let Some(instance) = self.instances.get(name) else { return };
        let (Some(set), Some(terms)) = (instance.wanted.get(&symbol), self.instruments.get(&symbol)) else {
            return;
        };
        resting.clear();
        let living = self.orders_of(name).live_of(name).filter(|order| order.terms.symbol == symbol);
        resting.extend(living.filter_map(|order| self.resting(order)));
        quotes::diff(&set.quotes, resting, terms.instrument.tick, set.tolerance, steps);
    }

    /// An order as a quote that has not ended; None: it is none.
    pub(crate) fn resting(&self, order: &Order) -> Option<Resting> {
        let Origin::Quote { slot } = order.terms.origin else { return None };
        (!order.state().is_terminal()).then(|| Resting {
            client_id: order.terms.client_id,
            slot,
            side: order.terms.side,
            price: order.terms.price,
            remaining: order.exposure(),
            can_cancel: self.can_cancel(order),
        })
    }

    pub(crate) fn place_quote(&mut self, name: &str, symbol: Symbol, quote: Wanted) {
        let now = self.now.mono;
        let order = RiskOrder {
            symbol,
            side: quote.side,
            kind: OrderType::LimitMaker,
            price: quote.price,
            qty: quote.qty,
            reduce_only: false,
            purpose: Purpose::Strategy,
        };
        let key = (symbol, quote.slot);
        match self.check(name, order) {
            Ok(approved) => {
                let Some(instance) = self.instances.get_mut(name) else { return };
                instance.denied.remove(&key);
                let Some(set) = instance.wanted.get(&symbol) else { return };
                let timing = set.timing(quote.slot, now);
                let origin = Origin::Quote { slot: quote.slot };
                // Not now: the next look tries again, nothing is lost.
                let _ = self.place(approved, name, Class::Open, origin, timing);
            }
            Err(denial) => self.deny_quote(name, key, quote, denial),
        }
    }

    fn deny_quote(&mut self, name: &str, key: (Symbol, u32), quote: Wanted, denial: Denial) {
        let now = self.now.mono;
        let Some(instance) = self.instances.get_mut(name) else { return };
        let former = instance.denied.get(&key);
        let same = former.filter(|former| former.code == Some(denial.code));
        let again = same.is_some_and(|former| former.quote == quote);
        let told = same.and_then(|former| former.told);
        // These pass by themselves, as orders end and seconds go by.
        let passing = matches!(denial.code, Code::SelfCross | Code::OrderRate | Code::MaxInFlight);
        let tell = !passing && told.is_none_or(|told| now >= told + TELL_AGAIN);
        let told = if tell { Some(now) } else { told };
        instance.denied.insert(key, Denied { quote, code: Some(denial.code), until: now + DENIED_FOR, told });
        self.counters.risk_rejects += u64::from(!again);
        if tell {
            let refused = Refused {
                symbol: key.0,
                reference: None,
                slot: Some(key.1),
                side: quote.side,
                kind: OrderType::LimitMaker,
                price: quote.price,
                qty: quote.qty,
            };
            self.tell_refused(name, refused, denial.code.as_str(), &denial.text);
        }
    }

    /// Quotes of the set in force that have not been realised: what a new set supersedes.
    pub(crate) fn quotes_waiting(&mut self, name: &str, symbol: Symbol) -> u64 {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.quote_steps(name, symbol, &mut scratch);
        let waits = |step: &&QuoteStep| !matches!(step.urgency(), Urgency::Unwanted);
        let waiting = scratch.steps.iter().filter(waits).count() as u64;
        self.scratch = scratch;
        waiting
    }

    /// The venue ended a quote that nobody wanted ended: not again at once.
    pub(crate) fn hold_slot(&mut self, order: &Order) {
        let Origin::Quote { slot } = order.terms.origin else { return };
        let until = self.now.mono + DENIED_FOR;
        let quote = Wanted { slot, side: order.terms.side, price: order.terms.price, qty: order.terms.qty };
        if let Some(instance) = self.instances.get_mut(&*order.terms.instance) {
            instance
                .denied
                .insert((order.terms.symbol, slot), Denied { quote, code: None, until, told: None });
        }
    }

    /// An order ended: quotes that it stood in the way of are tried again at once, those of others too when they would
    /// have met it.
    pub(crate) fn unblock(&mut self, name: &str, symbol: Symbol) {
        for (owner, instance) in &mut self.instances {
            for (_, denied) in instance.denied.iter_mut().filter(|((pair, _), _)| *pair == symbol) {
                if owner == name || denied.is_in_own_way() {
                    denied.forgive();
                }
            }
        }
    }
}
