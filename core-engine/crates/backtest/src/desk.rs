//! The way between a strategy and the exchange: requests and reports, each with its delay.

use std::collections::VecDeque;

use flashpod_matching::{Latency, NewOrder, OrderKey, Refusal};
use flashpod_types::{Nanos, OrderType, Price, Qty, Side};

use crate::account::Fill;

/// What the exchange says of an own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// It rests, with so much left.
    Resting {
        key: OrderKey,
        left: Qty,
    },
    Refused {
        key: OrderKey,
        refusal: Refusal,
    },
    /// `left` is zero when it has ended.
    Filled {
        fill: Fill,
        left: Qty,
    },
    /// It ended with so much unfilled: a cancel, or what an order that may not rest could not take.
    Cancelled {
        key: OrderKey,
        left: Qty,
    },
    /// A cancel came too late.
    NotFound {
        key: OrderKey,
    },
}

/// What was asked for and what came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub submitted: u64,
    pub cancels: u64,
    pub refused: u64,
    /// Cancels of orders that had ended.
    pub too_late: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Request {
    New(NewOrder),
    Cancel(OrderKey),
}

/// Where a strategy asks. First asked is first there, and first told: a delay never lets one overtake another.
#[derive(Debug)]
pub struct Desk {
    now: Nanos,
    step: Qty,
    next_key: u64,
    there: Line<Request>,
    back: Line<Report>,
    pub(crate) counts: Counts,
}

impl Desk {
    pub(crate) fn new(step: Qty, there: Latency, back: Latency, seed: u64) -> Self {
        Self {
            now: Nanos::ZERO,
            step,
            next_key: 1,
            there: Line::new(there, seed),
            back: Line::new(back, !seed),
            counts: Counts::default(),
        }
    }

    /// Asks for a limit order of this kind; its key for cancels and reports.
    pub fn submit(&mut self, side: Side, kind: OrderType, price: Price, qty: Qty) -> OrderKey {
        let key = OrderKey(self.next_key);
        self.next_key += 1;
        self.counts.submitted += 1;
        let volume = flashpod_matching::Volume::Base(qty);
        self.there.send(self.now, Request::New(NewOrder { key, side, kind, price, volume, step: self.step }));
        key
    }

    pub fn cancel(&mut self, key: OrderKey) {
        self.counts.cancels += 1;
        self.there.send(self.now, Request::Cancel(key));
    }

    pub(crate) const fn at(&mut self, now: Nanos) {
        self.now = now;
    }

    /// When the next request or report arrives.
    pub(crate) fn next(&self) -> Nanos {
        self.there.next().min(self.back.next())
    }

    pub(crate) fn arrived(&mut self, now: Nanos) -> Option<(Nanos, Request)> {
        self.there.arrived(now)
    }

    pub(crate) fn tell(&mut self, at: Nanos, report: Report) {
        self.back.send(at, report);
    }

    pub(crate) fn told(&mut self, now: Nanos) -> Option<(Nanos, Report)> {
        self.back.arrived(now)
    }
}

/// Things on their way in one direction.
#[derive(Debug)]
struct Line<T> {
    latency: Latency,
    random: u64,
    last: Nanos,
    waiting: VecDeque<(Nanos, T)>,
}

impl<T> Line<T> {
    const fn new(latency: Latency, seed: u64) -> Self {
        Self { latency, random: seed, last: Nanos::ZERO, waiting: VecDeque::new() }
    }

    fn send(&mut self, now: Nanos, thing: T) {
        let p = if self.latency.is_random() { self.draw() } else { 0.5 };
        self.last = self.last.max(now + self.latency.quantile(p));
        self.waiting.push_back((self.last, thing));
    }

    /// Uniform in (0, 1): splitmix64.
    fn draw(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        #[allow(clippy::cast_precision_loss)] // 53 bits
        let share = (mixed >> 11) as f64;
        (share + 0.5) / 9_007_199_254_740_992.0
    }

    fn next(&self) -> Nanos {
        self.waiting.front().map_or(Nanos(u64::MAX), |waiting| waiting.0)
    }

    fn arrived(&mut self, now: Nanos) -> Option<(Nanos, T)> {
        if self.next() <= now { self.waiting.pop_front() } else { None }
    }
}
