//! A recording in memory: entries in the order of their receipt, their levels one after the other.
//!
//! Continuity is proven while the tape is made, by [`CertifiedBook`]: what it would not apply (updates before the
//! snapshot, repeated ones, all after a hole until the next snapshot) is not on the tape, so that a pass applies
//! everything it reads.

use std::fmt::Display;

use flashpod_book::{CertifiedBook, Level, Rule, Snapshot, Step, Update};
use flashpod_recordings::{Depth, Event, Frame, Snapshot as Fetched, Trade};
use flashpod_types::{Millis, Nanos, Side, Symbol};

/// Updates that are kept while the recording has brought no snapshot.
const WAITING: usize = 100_000;

#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// What the recording says about itself: file, line and reason.
    #[error("{0}")]
    Recording(String),
    #[error("the recording has no frame of {wanted}; it has: {found}")]
    Symbol { wanted: Symbol, found: String },
    #[error("the recording of {0} holds no snapshot that its updates continue")]
    NoBook(Symbol),
    #[error("the recording has more than {} levels", u32::MAX)]
    TooLong,
}

/// One symbol's market.
#[derive(Debug, Clone)]
pub struct Tape {
    symbol: Symbol,
    entries: Vec<Entry>,
    levels: Vec<Level>,
    changes: u64,
    trades: u64,
    snapshot_levels: u64,
    lost: u64,
}

/// What an entry's levels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The whole book.
    Snapshot,
    Update,
    /// One level: price and quantity; who took.
    Trade(Side),
    /// The book is unknown until the next snapshot.
    Lost,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    received: Nanos,
    made: Millis,
    /// Ends of its bids and asks in `levels`; the bids begin where the entry before ends.
    bids_end: u32,
    asks_end: u32,
    kind: Kind,
}

/// One thing that happened.
#[derive(Debug, Clone, Copy)]
pub enum Happening<'a> {
    /// The whole book.
    Snapshot {
        bids: &'a [Level],
        asks: &'a [Level],
    },
    Update {
        bids: &'a [Level],
        asks: &'a [Level],
    },
    /// Price and quantity, and the side that took.
    Trade {
        level: Level,
        aggressor: Side,
    },
    /// The book is unknown until the next snapshot.
    Lost,
}

impl Tape {
    /// Reads the frames of one symbol.
    pub fn read<E: Display>(
        symbol: Symbol,
        frames: impl IntoIterator<Item = Result<Frame, E>>,
    ) -> Result<Self, TapeError> {
        let (mut own, mut found) = (Vec::new(), Vec::new());
        for frame in frames {
            let frame = frame.map_err(|error| TapeError::Recording(error.to_string()))?;
            if frame.symbol == symbol {
                own.push(frame);
            } else if !found.contains(&frame.symbol) {
                found.push(frame.symbol);
            }
        }
        if own.is_empty() {
            let names: Vec<_> = found.iter().map(Symbol::as_str).collect();
            return Err(TapeError::Symbol { wanted: symbol, found: names.join(", ") });
        }
        let named = |frame: &Frame| matches!(&frame.event, Event::Depth(depth) if depth.prev_last.is_some());
        let rule = if own.iter().any(named) { Rule::BinanceFutures } else { Rule::BinanceSpot };
        let mut draft = Draft {
            book: CertifiedBook::new(rule, WAITING),
            tape: Self {
                symbol,
                entries: Vec::with_capacity(own.len()),
                levels: Vec::new(),
                changes: 0,
                trades: 0,
                snapshot_levels: 0,
                lost: 0,
            },
        };
        for frame in own {
            match frame.event {
                Event::Snapshot(snapshot) => draft.snapshot(frame.local, &snapshot),
                Event::Depth(depth) => draft.update(frame.local, &depth),
                Event::Trade(trade) => draft.trade(frame.local, &trade),
                Event::Ticker(_) => {}
            }
        }
        let tape = draft.tape;
        if tape.snapshot_levels == 0 {
            return Err(TapeError::NoBook(symbol));
        }
        // `push` stops counting at the largest end.
        if tape.levels.len() >= u32::MAX as usize {
            return Err(TapeError::TooLong);
        }
        Ok(tape)
    }

    #[must_use]
    pub const fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// Level changes and trades, and the levels of the snapshots.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.changes + self.trades + self.snapshot_levels
    }

    /// Level changes of updates.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    #[must_use]
    pub const fn trades(&self) -> u64 {
        self.trades
    }

    /// Times that updates were missing.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// When its first and last entries were received.
    #[must_use]
    pub fn span(&self) -> (Nanos, Nanos) {
        let time = |entry: Option<&Entry>| entry.map_or(Nanos::ZERO, |entry| entry.received);
        (time(self.entries.first()), time(self.entries.last()))
    }

    /// What happened: when it was received, when the venue made it, and what it is.
    #[inline]
    pub fn happenings(&self) -> impl Iterator<Item = (Nanos, Millis, Happening<'_>)> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let (bids_end, asks_end) = (entry.bids_end as usize, entry.asks_end as usize);
            let (bids, asks) = (&self.levels[start..bids_end], &self.levels[bids_end..asks_end]);
            start = asks_end;
            let happening = match entry.kind {
                Kind::Update => Happening::Update { bids, asks },
                Kind::Trade(aggressor) => {
                    Happening::Trade { level: bids.first().copied().unwrap_or_default(), aggressor }
                }
                Kind::Snapshot => Happening::Snapshot { bids, asks },
                Kind::Lost => Happening::Lost,
            };
            (entry.received, entry.made, happening)
        })
    }

    fn push(&mut self, received: Nanos, made: Millis, kind: Kind, bids: &[Level], asks: &[Level]) {
        let end = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        self.levels.extend(bids);
        let bids_end = end(self.levels.len());
        self.levels.extend(asks);
        self.entries.push(Entry { received, made, bids_end, asks_end: end(self.levels.len()), kind });
        let count = (bids.len() + asks.len()) as u64;
        match kind {
            Kind::Snapshot => self.snapshot_levels += count,
            Kind::Update => self.changes += count,
            Kind::Trade(_) => self.trades += 1,
            Kind::Lost => self.lost += 1,
        }
    }
}

/// A tape that is being made, with the book that proves it.
struct Draft {
    book: CertifiedBook,
    tape: Tape,
}

impl Draft {
    fn snapshot(&mut self, received: Nanos, fetched: &Fetched) {
        if !self.book.needs_snapshot() {
            return;
        }
        let Fetched { last_update_id, bids, asks, .. } = fetched;
        let snapshot = Snapshot { version: *last_update_id, bids, asks, limit: None };
        let mut replayed = Vec::new();
        let step = self.book.on_snapshot_with(&snapshot, |_, update| {
            replayed.push((update.event, update.bids.to_vec(), update.asks.to_vec()));
        });
        if !matches!(step, flashpod_book::SnapshotStep::Certified { .. }) {
            return;
        }
        self.tape.push(received, Millis(i64::MIN), Kind::Snapshot, bids, asks);
        for (made, bids, asks) in replayed {
            self.tape.push(received, made, Kind::Update, &bids, &asks);
        }
    }

    fn update(&mut self, received: Nanos, depth: &Depth) {
        let Depth { first, last, prev_last, event, bids, asks, .. } = depth;
        let update = Update { first: *first, last: *last, prev_last: *prev_last, event: *event, bids, asks };
        match self.book.on_update(&update) {
            Step::Applied => self.tape.push(received, *event, Kind::Update, bids, asks),
            Step::Lost(_) => self.tape.push(received, *event, Kind::Lost, &[], &[]),
            Step::Duplicate | Step::Buffered => {}
        }
    }

    fn trade(&mut self, received: Nanos, trade: &Trade) {
        let aggressor = if trade.buyer_is_maker { Side::Sell } else { Side::Buy };
        self.tape.push(received, trade.event, Kind::Trade(aggressor), &[(trade.price, trade.qty)], &[]);
    }
}
