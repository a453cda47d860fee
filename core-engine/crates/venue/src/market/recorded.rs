//! A recorded market with own orders that it does not see.
//!
//! Looped, the tape begins anew after its end, as the same market at a later time: one depth update turns the last
//! book into the first, versions, trade ids and the recorded venue's times go on from where they were, and resting
//! own orders stay.

use std::sync::Arc;

use flashpod_matching::{EstimatedBook, LevelChange};
use flashpod_types::{Nanos, Side};

use crate::replay::{Tape, Tick};

#[derive(Debug)]
pub struct Recorded {
    pub tape: Arc<Tape>,
    /// Next event of the tape.
    pub cursor: usize,
    pub book: EstimatedBook,
    /// When the first depth subscription came.
    pub started: Option<Nanos>,
    loops: bool,
    /// Passes that are over.
    pub passes: u64,
    /// What a pass adds to the recorded venue's times and to trade ids.
    cycle_ms: i64,
    cycle_ids: u64,
    /// The earliest of the recorded venue's times.
    first_ms: i64,
    /// What the running pass adds to the recorded versions.
    version_shift: u64,
}

/// Smallest and largest of some numbers.
fn ends<T: Ord + Copy>(numbers: impl Iterator<Item = T>) -> Option<(T, T)> {
    numbers.fold(None, |ends, n| match ends {
        None => Some((n, n)),
        Some((least, most)) => Some((least.min(n), most.max(n))),
    })
}

impl Recorded {
    #[must_use]
    pub fn new(tape: Arc<Tape>, mut book: EstimatedBook, loops: bool) -> Self {
        book.on_depth(i64::MIN, tape.opening.iter().copied());
        let times = tape.events.iter().filter_map(|event| match event.tick {
            Tick::Depth { exchange_ms, .. } | Tick::Trade { exchange_ms, .. } => Some(exchange_ms),
            Tick::Ticker { .. } => None,
        });
        let ids = tape.events.iter().filter_map(|event| match event.tick {
            Tick::Trade { id, .. } => Some(id),
            _ => None,
        });
        let (first_ms, last_ms) = ends(times).unwrap_or((0, 0));
        let cycle_ids = ends(ids).map_or(0, |(least, most)| most - least + 1);
        let period_ms = i64::try_from(tape.period.as_millis()).unwrap_or(i64::MAX / 2);
        Self {
            cycle_ms: period_ms.max(last_ms - first_ms + 1),
            cycle_ids,
            first_ms,
            version_shift: 0,
            tape,
            cursor: 0,
            book,
            started: None,
            loops,
            passes: 0,
        }
    }

    #[must_use]
    pub fn done(&self) -> bool {
        !self.loops && self.cursor >= self.tape.events.len()
    }

    /// Offset of the next event from the start of the first pass, once the tape runs.
    #[must_use]
    pub fn next_offset(&self) -> Option<Nanos> {
        self.started?;
        let begun = Nanos(self.tape.period.0.saturating_mul(self.passes));
        match self.tape.events.get(self.cursor) {
            Some(event) => Some(begun + event.offset),
            None => self.loops.then_some(begun + self.tape.period),
        }
    }

    /// The next tick, in the numbers of the running pass; the book is at `version`. Between two passes it is the
    /// update that leads from the one to the other.
    pub(super) fn next_tick(&mut self, version: u64) -> Option<Tick> {
        let Some(event) = self.tape.events.get(self.cursor) else {
            return self.loops.then(|| self.rewind(version));
        };
        self.cursor += 1;
        let mut tick = event.tick.clone();
        if self.passes == 0 {
            return Some(tick);
        }
        let passes = i64::try_from(self.passes).unwrap_or(i64::MAX);
        let later = self.cycle_ms.saturating_mul(passes);
        match &mut tick {
            Tick::Depth { exchange_ms, from, to, .. } => {
                *exchange_ms += later;
                // The first diff after the snapshot may begin before it.
                *from = (*from + self.version_shift).max(version + 1);
                *to += self.version_shift;
            }
            Tick::Trade { exchange_ms, id, .. } => {
                *exchange_ms += later;
                *id += self.cycle_ids * self.passes;
            }
            Tick::Ticker { version, .. } => *version += self.version_shift,
        }
        Some(tick)
    }

    fn rewind(&mut self, version: u64) -> Tick {
        self.passes += 1;
        self.cursor = 0;
        let mut changes = Vec::new();
        for side in Side::BOTH {
            let first = || self.tape.opening.iter().filter(move |change| change.side == side);
            let gone = self.book.levels(side).filter(|(price, _)| first().all(|level| level.price != *price));
            changes.extend(gone.map(|(price, _)| LevelChange {
                side,
                price,
                qty: flashpod_types::Qty::ZERO,
            }));
            let shown: std::collections::BTreeMap<_, _> = self.book.levels(side).collect();
            changes.extend(first().filter(|level| shown.get(&level.price) != Some(&level.qty)));
        }
        self.version_shift = version + 1 - self.tape.version;
        let passes = i64::try_from(self.passes).unwrap_or(i64::MAX);
        let exchange_ms = self.first_ms + self.cycle_ms.saturating_mul(passes) - 1;
        Tick::Depth { exchange_ms, from: version + 1, to: version + 1, changes }
    }
}
