//! How long requests take, what follows for their time-outs, and the second copy of one that takes unusually long.
//!
//! The estimate is TCP's own (RFC 6298): a smoothed mean of the way there and back, and of how far it strays. Only
//! what may be done twice is sent twice: reads, and cancels. Each copy is paid for: a cancel's from the order bucket, a
//! read's from the weight. The network carries it on another connection, for the first one waits for its reply.

use flashpod_orders::Class;
use flashpod_types::Nanos;

use crate::engine::Engine;
use crate::io::{HttpOutcome, RequestId};
use crate::paper::Money;
use crate::requests::{Pending, Purpose};

/// Measured ways without which nothing is concluded.
const FEWEST: u32 = 8;
/// Room that a second cancel leaves to first ones.
const ROOM_LEFT: u32 = 2;

/// What a request is to another for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hedge {
    None,
    /// There is another.
    First(RequestId),
    Second(RequestId),
    /// The other has answered: only its place in the budget matters still.
    Moot,
}

/// A smoothed way there and back, ns.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Way {
    mean: u64,
    strays: u64,
    samples: u32,
    /// Time-outs in a row: each doubles the next.
    doublings: u32,
}

impl Way {
    fn note(&mut self, way: u64) {
        if self.samples == 0 {
            (self.mean, self.strays) = (way, way / 2);
        } else {
            self.strays = self.strays - self.strays / 4 + self.mean.abs_diff(way) / 4;
            self.mean = self.mean - self.mean / 8 + way / 8;
        }
        self.samples = self.samples.saturating_add(1);
        self.doublings = 0;
    }

    fn note_time_out(&mut self) {
        self.doublings = (self.doublings + 1).min(8);
    }

    /// So long that hardly any way takes longer; None: not known yet.
    fn unusual(&self) -> Option<Nanos> {
        (self.samples >= FEWEST).then(|| Nanos(self.mean + 4 * self.strays))
    }

    fn time_out(&self, least: Nanos, most: Nanos) -> Nanos {
        let Some(unusual) = self.unusual() else { return most };
        // Twice that: a reply given up costs the proof of what became of the order.
        Nanos((unusual.0.saturating_mul(2)).max(least.0).saturating_mul(1 << self.doublings)).min(most)
    }
}

/// Requests that take about as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Order,
    Cancel,
    /// A few lines.
    Query,
    /// A book, or a list of everything.
    Bulk,
    /// Megabytes.
    Rules,
}

impl Sort {
    pub(crate) const fn of(purpose: &Purpose) -> Self {
        match purpose {
            Purpose::Place(_) => Self::Order,
            Purpose::Cancel(_) => Self::Cancel,
            Purpose::Depth(..)
            | Purpose::DepthAudit(..)
            | Purpose::AllOrders(_)
            | Purpose::Account(_)
            | Purpose::OpenOrders(_)
            | Purpose::SelfSymbols => Self::Bulk,
            Purpose::ExchangeInfo => Self::Rules,
            _ => Self::Query,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Ways([Way; 5]);

impl Ways {
    const fn of(&self, sort: Sort) -> &Way {
        &self.0[sort as usize]
    }
}

/// Cancels, and the reads that somebody waits for: an order's fate and fills, a book, a price.
const fn may_be_sent_twice(purpose: &Purpose) -> bool {
    matches!(
        purpose,
        Purpose::Cancel(_)
            | Purpose::Query(..)
            | Purpose::Trades(_)
            | Purpose::Depth(..)
            | Purpose::Ticker(_)
            | Purpose::OpenOrders(_)
    )
}

impl Engine {
    pub(crate) fn time_out(&self, sort: Sort) -> Nanos {
        let tuning = &self.config.tuning;
        let (least, most) = match sort {
            Sort::Order | Sort::Cancel => (tuning.order_timeout_least, tuning.order_timeout),
            Sort::Query | Sort::Bulk => (tuning.query_timeout_least, tuning.query_timeout),
            Sort::Rules => return tuning.query_timeout,
        };
        self.ways.of(sort).time_out(least, most)
    }

    pub(crate) fn note_way(
        &mut self,
        pending: &Pending,
        sent: Option<Nanos>,
        received: Nanos,
        outcome: &HttpOutcome,
    ) {
        let way = &mut self.ways.0[Sort::of(&pending.purpose) as usize];
        match (outcome, sent) {
            (HttpOutcome::Reply { .. }, Some(sent)) => way.note(received.since(sent).0),
            (HttpOutcome::Timeout, _) => way.note_time_out(),
            _ => {}
        }
    }

    /// Whether a reply tells something: not when the other of two requests has, or may still.
    pub(crate) fn is_news(&mut self, pending: &Pending, outcome: &HttpOutcome) -> bool {
        let (other, is_second) = match pending.hedge {
            Hedge::None => return true,
            Hedge::Moot => {
                self.counters.hedges_late += 1;
                return false;
            }
            Hedge::First(other) => (other, false),
            Hedge::Second(other) => (other, true),
        };
        let Some(other) = self.requests.pending_mut(other) else { return true };
        let answered =
            matches!(outcome, HttpOutcome::Reply { status, .. } if matches!(status, 200..=417 | 419..=428));
        if answered {
            other.hedge = Hedge::Moot;
            self.counters.hedges_won += u64::from(is_second);
        }
        answered
    }

    /// Sends a second copy of what takes unusually long. When to look again.
    pub(crate) fn poll_hedges(&mut self) -> Option<Nanos> {
        let now = self.now.mono;
        if now < self.window.paused_until() {
            return None;
        }
        let (mut due, mut next) = (None, None::<Nanos>);
        for (id, pending) in self.requests.all_pending() {
            if pending.hedge != Hedge::None || !may_be_sent_twice(&pending.purpose) {
                continue;
            }
            let Some(unusual) = self.ways.of(Sort::of(&pending.purpose)).unusual() else { continue };
            let at = pending.released + unusual.max(self.config.tuning.hedge_least);
            if at > now {
                next = Some(next.map_or(at, |next| next.min(at)));
            } else if due.is_none() {
                due = Some(id);
            }
        }
        if let Some(id) = due {
            self.send_again(id);
            // One at a time: sent or not, it is not looked at again.
            return Some(now);
        }
        next
    }

    fn send_again(&mut self, first: RequestId) {
        let now = self.now.mono;
        let Some(pending) = self.requests.pending_mut(first) else { return };
        let purpose = pending.purpose.clone();
        // Without room for it now, it is not worth a wait.
        pending.hedge = Hedge::First(first);
        let second = match &purpose {
            Purpose::Cancel(client_id) => {
                let room = self.may_send(Money::Real) && self.window.room(now, Class::Cancel) > ROOM_LEFT;
                room.then(|| self.send_cancel(client_id, Class::Cancel, Hedge::Second(first))).flatten()
            }
            query => {
                let room =
                    self.requests.weight_spent(now) + query.weight() <= self.config.rate.weight_per_10s / 2;
                room.then(|| {
                    self.requests.spend(now, purpose.weight());
                    self.send_query(purpose.clone(), Hedge::Second(first))
                })
                .flatten()
            }
        };
        let Some(second) = second else { return };
        self.counters.hedges += 1;
        if let Some(pending) = self.requests.pending_mut(first) {
            pending.hedge = Hedge::First(second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Nanos = Nanos::from_millis(1);
    const MOST: Nanos = Nanos::from_secs(2);

    #[test]
    fn a_time_out_follows_what_was_measured_and_doubles_while_nothing_comes() {
        let mut way = Way::default();
        for n in 0..FEWEST {
            assert_eq!(way.time_out(LEAST, MOST), MOST, "{n} samples tell nothing");
            way.note(8_000_000);
        }
        // RFC 6298: R, R/2 at first; then the deviation shrinks by a quarter with each equal sample.
        let strays = (1..FEWEST).fold(4_000_000_u64, |strays, _| strays - strays / 4);
        let expected = Nanos(2 * (8_000_000 + 4 * strays));
        assert_eq!((way.unusual(), way.time_out(LEAST, MOST)), (Some(Nanos(expected.0 / 2)), expected));
        way.note_time_out();
        assert_eq!(way.time_out(LEAST, MOST), Nanos(expected.0 * 2));
        (0..20).for_each(|_| way.note_time_out());
        assert_eq!(way.time_out(LEAST, MOST), MOST);
        way.note(8_000_000);
        assert!(way.time_out(LEAST, MOST) <= expected);
        assert_eq!(way.time_out(Nanos::from_secs(1), MOST), Nanos::from_secs(1));
    }
}
