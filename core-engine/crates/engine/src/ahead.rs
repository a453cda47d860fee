//! Depth pushes beyond a hole, kept for a moment: where two connections carry a pair, the other may bring what is
//! missing.

use std::collections::VecDeque;

use flashpod_book::Update;
use flashpod_types::{Millis, Nanos, Price, Qty};

use crate::market::Arrived;

/// How long the other connection may be behind: ten pushes.
const PATIENCE: Nanos = Nanos::from_millis(100);

#[derive(Debug)]
pub(crate) struct Held {
    first: u64,
    last: u64,
    event: Millis,
    bids: Vec<(Price, Qty)>,
    asks: Vec<(Price, Qty)>,
    pub(crate) arrived: Arrived,
    /// Right beyond the hole.
    pub(crate) first_beyond: bool,
}

impl Held {
    pub(crate) fn update(&self) -> Update<'_> {
        Update {
            first: self.first,
            last: self.last,
            prev_last: None,
            event: self.event,
            bids: &self.bids,
            asks: &self.asks,
        }
    }
}

/// By their versions.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    held: VecDeque<Held>,
    since: Nanos,
}

impl Ahead {
    pub(crate) fn hold(&mut self, now: Nanos, update: &Update<'_>, arrived: Arrived) {
        if self.held.is_empty() {
            self.since = now;
        }
        let at = self.held.partition_point(|held| held.last < update.last);
        if self.held.get(at).is_some_and(|held| held.last == update.last && held.first <= update.first) {
            return;
        }
        let first_beyond = self.held.is_empty();
        let held = Held {
            first: update.first,
            last: update.last,
            event: update.event,
            bids: update.bids.to_vec(),
            asks: update.asks.to_vec(),
            arrived,
            first_beyond,
        };
        self.held.insert(at, held);
    }

    /// The next that a book of this version can take.
    pub(crate) fn next(&mut self, version: u64) -> Option<Held> {
        let front = self.held.front()?;
        (front.first <= version.saturating_add(1)).then(|| self.held.pop_front()).flatten()
    }

    pub(crate) fn pop(&mut self) -> Option<Held> {
        self.held.pop_front()
    }

    pub(crate) fn clear(&mut self) {
        self.held.clear();
    }

    /// When the hole is given up; None: there is none.
    pub(crate) fn waits_until(&self) -> Option<Nanos> {
        (!self.held.is_empty()).then(|| self.since + PATIENCE)
    }
}
