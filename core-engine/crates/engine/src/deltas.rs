//! The newest changes of a book, with their times.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;

use flashpod_book::Update;
use flashpod_types::{Millis, Nanos, Price, Qty};

use crate::market::Arrived;

/// Changes that are kept.
pub const DELTAS_KEPT: usize = 1000;
/// Levels for which there is room at first: so many that changes of usual size never take more.
const LEVELS: usize = 16 << 10;

/// One push that was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// Counts applied pushes of the pair within a run, from 1. A hole: the book was taken from a snapshot in between.
    pub sequence: u64,
    /// Versions of the venue that it covers.
    pub first_version: u64,
    pub last_version: u64,
    /// Arrival at the socket and the engine's pop, CLOCK_BOOTTIME.
    pub received: Nanos,
    pub popped: Nanos,
    /// When the venue sent it, and when the newest order in it was made, venue time; 0: not said.
    pub sent: Millis,
    pub last_order: Millis,
    bids: u32,
    asks: u32,
}

/// Kept in two rings, headers and levels, that need no further memory once they are large enough.
#[derive(Debug, Default)]
pub struct Deltas {
    sequence: u64,
    headers: VecDeque<Delta>,
    /// Bids, then asks of each header in turn.
    levels: VecDeque<(Price, Qty)>,
}

/// A change and its levels: absolute quantities, 0 removes.
#[derive(Debug, Clone)]
pub struct DeltaView<'a> {
    pub delta: Delta,
    pub bids: Iter<'a, (Price, Qty)>,
    pub asks: Iter<'a, (Price, Qty)>,
}

impl Deltas {
    pub(crate) fn push(&mut self, update: &Update<'_>, arrived: Arrived, popped: Nanos) {
        if self.headers.capacity() == 0 {
            self.headers.reserve_exact(DELTAS_KEPT);
            self.levels.reserve(LEVELS);
        }
        if self.headers.len() == DELTAS_KEPT
            && let Some(oldest) = self.headers.pop_front()
        {
            self.levels.drain(..oldest.count());
        }
        self.sequence += 1;
        self.headers.push_back(Delta {
            sequence: self.sequence,
            first_version: update.first,
            last_version: update.last,
            received: arrived.received,
            popped,
            sent: arrived.sent.unwrap_or_default(),
            last_order: arrived.last_order.unwrap_or_default(),
            // A frame has at most 4 MiB.
            bids: update.bids.len() as u32,
            asks: update.asks.len() as u32,
        });
        self.levels.extend(update.bids);
        self.levels.extend(update.asks);
    }

    /// The book was taken from a snapshot: what follows does not continue what is here.
    pub(crate) fn begin_anew(&mut self) {
        self.headers.clear();
        self.levels.clear();
        self.sequence += 1;
    }

    /// What is kept after a sequence, oldest first.
    pub fn since(&self, sequence: u64) -> impl Iterator<Item = DeltaView<'_>> {
        let mut at = 0;
        self.headers.iter().filter_map(move |&delta| {
            let (bids, asks) = (at, at + delta.bids as usize);
            at += delta.count();
            (delta.sequence > sequence).then(|| DeltaView {
                delta,
                bids: self.levels.range(bids..asks),
                asks: self.levels.range(asks..at),
            })
        })
    }
}

impl Delta {
    const fn count(&self) -> usize {
        self.bids as usize + self.asks as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ConnId;

    fn level(n: u64) -> (Price, Qty) {
        (Price::from_raw(i64::try_from(n).unwrap()), Qty::from_raw(1))
    }

    fn push(deltas: &mut Deltas, n: u64) {
        let bids: Vec<_> = (0..n % 4).map(|_| level(n)).collect();
        let asks: Vec<_> = (0..n % 3).map(|_| level(n)).collect();
        let update =
            Update { first: n, last: n, prev_last: None, event: Millis(0), bids: &bids, asks: &asks };
        let arrived =
            Arrived { conn: ConnId(1), received: Nanos(n), sent: Some(Millis(5)), last_order: None };
        deltas.push(&update, arrived, Nanos(n + 1));
    }

    #[test]
    fn the_newest_thousand_are_kept_with_their_own_levels_and_no_more_memory_is_taken() {
        let mut deltas = Deltas::default();
        push(&mut deltas, 1);
        let capacity = (deltas.headers.capacity(), deltas.levels.capacity());
        (2..=2500).for_each(|n| push(&mut deltas, n));
        assert_eq!((deltas.headers.capacity(), deltas.levels.capacity()), capacity);
        let kept: Vec<_> = deltas.since(0).collect();
        assert_eq!(
            kept.iter().map(|view| view.delta.sequence).collect::<Vec<_>>(),
            (1501..=2500).collect::<Vec<_>>()
        );
        for view in kept {
            let n = view.delta.last_version;
            assert_eq!((view.bids.len() as u64, view.asks.len() as u64), (n % 4, n % 3));
            assert!(view.bids.chain(view.asks).all(|found| *found == level(n)));
            assert_eq!(
                (view.delta.received, view.delta.popped, view.delta.sent),
                (Nanos(n), Nanos(n + 1), Millis(5))
            );
        }
        assert_eq!(deltas.since(2498).count(), 2);
    }

    #[test]
    fn after_a_snapshot_the_sequence_has_a_hole() {
        let mut deltas = Deltas::default();
        (1..=3).for_each(|n| push(&mut deltas, n));
        deltas.begin_anew();
        push(&mut deltas, 9);
        let sequences: Vec<u64> = deltas.since(0).map(|view| view.delta.sequence).collect();
        assert_eq!(sequences, [5]);
    }
}
