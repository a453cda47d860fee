//! What keeps a decision from leaving: every moment of its wait is put down to one cause.

use flashpod_orders::quotes;
use flashpod_types::{Nanos, Symbol};

use crate::engine::Engine;
use crate::instance::Instance;
use crate::io::TradingState;
use crate::paper::Money;
use crate::quoting::WantedSet;
use crate::schedule::{WaitingIntent, class_of, order_of};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No room in the order bucket.
    Budget,
    /// An own order that is in the way has not ended yet, or is not known to rest: the venue's word on it is awaited.
    Venue,
    /// Something else: risk refuses it for now, a fresh price is being fetched, there is no right to send.
    Held,
}

/// The wait of one decision so far. It begins where a decision is found that did not leave at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waits {
    cause: Cause,
    since: Nanos,
    budget: Nanos,
    venue: Nanos,
    held: Nanos,
}

impl Waits {
    /// Of what leaves at once.
    pub(crate) const fn none(now: Nanos) -> Self {
        Self { cause: Cause::Held, since: now, budget: Nanos::ZERO, venue: Nanos::ZERO, held: Nanos::ZERO }
    }

    /// From now on for this cause.
    fn turn(&mut self, now: Nanos, cause: Cause) {
        *self = Self { cause, ..self.until(now) };
    }

    /// As it stands at `now`.
    pub(crate) fn until(mut self, now: Nanos) -> Self {
        let span = now.since(self.since);
        let sum = match self.cause {
            Cause::Budget => &mut self.budget,
            Cause::Venue => &mut self.venue,
            Cause::Held => &mut self.held,
        };
        *sum = *sum + span;
        self.since = now;
        self
    }

    pub(crate) const fn budget(&self) -> Nanos {
        self.budget
    }

    pub(crate) const fn venue(&self) -> Nanos {
        self.venue
    }

    pub(crate) fn total(&self) -> Nanos {
        self.budget + self.venue + self.held
    }
}

/// Keeps the wait of something that may or may not wait from now on.
pub(crate) fn follow(waits: &mut Option<Waits>, now: Nanos, cause: Option<Cause>) {
    match cause {
        Some(cause) => waits.get_or_insert(Waits::none(now)).turn(now, cause),
        None => *waits = None,
    }
}

impl Engine {
    /// Says of everything that has not left what keeps it from now on. Called once all that could leave has left.
    pub(crate) fn note_waits(&mut self) {
        // Taken out, so that the rest of the engine can be asked about each.
        let mut instances = std::mem::take(&mut self.instances);
        for (name, instance) in &mut instances {
            self.note_waits_of(name, instance);
        }
        self.instances = instances;
    }

    fn note_waits_of(&self, name: &str, instance: &mut Instance) {
        let now = self.now.mono;
        let halted = instance.state == TradingState::Halted;
        for waiting in &mut instance.intents {
            let cause = self.cause_of_intent(waiting, instance.money);
            follow(&mut waiting.waits, now, Some(cause));
        }
        for (&symbol, set) in &mut instance.wanted {
            for at in 0..set.quotes.len() {
                let denied = instance.denied.get(&(symbol, set.quotes[at].slot));
                let held = halted || denied.is_some_and(|denied| now < denied.until);
                let crossing = denied.is_some_and(crate::quoting::Denied::is_in_own_way);
                let cause = match self.former_quote((name, instance.money), symbol, set, at) {
                    Former::Stays => None,
                    Former::Ends => Some(Cause::Venue),
                    Former::MustGo => Some(if halted { Cause::Held } else { Cause::Budget }),
                    Former::None if held && crossing => Some(Cause::Venue),
                    Former::None => Some(if held { Cause::Held } else { Cause::Budget }),
                };
                set.progress[at].note(now, cause);
            }
        }
    }

    fn cause_of_intent(&self, waiting: &WaitingIntent, money: Money) -> Cause {
        let order = order_of(&waiting.intent);
        if !self.own_orders_met(money, order.symbol, order.side, order.price).is_empty() {
            return Cause::Venue;
        }
        let full = self.window(money).room(self.now.mono, class_of(&waiting.intent)) == 0;
        if full { Cause::Budget } else { Cause::Held }
    }

    /// What is there already where a quote is wanted.
    fn former_quote(
        &self,
        (name, money): (&str, Money),
        symbol: Symbol,
        set: &WantedSet,
        at: usize,
    ) -> Former {
        let wanted = &set.quotes[at];
        let Some(terms) = self.instruments.get(&symbol) else { return Former::None };
        let former =
            self.state.orders_in(money).live_of(name).filter(|order| order.terms.symbol == symbol).find_map(
                |order| Some((order, self.resting(order).filter(|quote| quote.slot == wanted.slot)?)),
            );
        let Some((order, resting)) = former else { return Former::None };
        let leaves = order.state() == flashpod_orders::State::PendingCancel;
        if !leaves && quotes::stays(wanted, &resting, terms.instrument.tick, set.tolerance) {
            Former::Stays
        } else if resting.can_cancel {
            Former::MustGo
        } else {
            Former::Ends
        }
    }
}

enum Former {
    None,
    Stays,
    /// Its cancel has not left.
    MustGo,
    /// Its cancel is under way, or it can't be cancelled before the venue has answered.
    Ends,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_of_a_wait_counts_for_one_cause() {
        let ms = Nanos::from_millis;
        let mut waits = None;
        for (at, cause) in [
            (10, Cause::Budget),
            (15, Cause::Budget),
            (30, Cause::Venue),
            (70, Cause::Budget),
            (71, Cause::Held),
        ] {
            follow(&mut waits, ms(at), Some(cause));
        }
        let waits = waits.unwrap().until(ms(80));
        assert_eq!((waits.budget(), waits.venue(), waits.total()), (ms(21), ms(40), ms(70)));
    }
}
