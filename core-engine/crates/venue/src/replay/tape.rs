//! From frames to tapes. What came before the snapshot's successor is dropped, what was buffered while the
//! snapshot was fetched is applied with the snapshot's receive time, and the pair's precision is the finest
//! one that the recording uses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use flashpod_matching::LevelChange;
use flashpod_recordings::{Depth, Event, Level, Recording, RecordingError, Snapshot};
use flashpod_types::{Nanos, Price, Qty, Side, Symbol};

/// One recorded event, `offset` after the first one of the recordings that overlap with its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapeEvent {
    pub offset: Nanos,
    pub tick: Tick,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tick {
    /// One diff, cut as recorded. Times are the recorded venue's.
    Depth {
        exchange_ms: i64,
        from: u64,
        to: u64,
        changes: Vec<LevelChange>,
    },
    Trade {
        exchange_ms: i64,
        id: u64,
        price: Price,
        qty: Qty,
        aggressor: Side,
    },
    Ticker {
        version: u64,
        bid: Level,
        ask: Level,
    },
}

/// All of one symbol.
#[derive(Debug, Clone)]
pub struct Tape {
    pub symbol: Symbol,
    /// The snapshot, as changes of an empty book, and its version.
    pub opening: Vec<LevelChange>,
    pub version: u64,
    pub events: Vec<TapeEvent>,
    /// Finest decimal places seen in prices and quantities.
    pub places: (usize, usize),
    /// Recorded update id → version, for futures, whose ids have holes and are renumbered one a diff.
    pub renumbered: Option<Vec<(u64, u64)>>,
    /// Breaks of the recording's own continuity.
    pub gaps: usize,
    /// From one pass to the next, when it is looped: the same for all that were recorded at the same time.
    pub period: Nanos,
}

/// Between the end of a looped recording and its next beginning: as long as between two recorded diffs.
const SEAM: Nanos = Nanos(100_000_000);

#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    #[error("--replay: {0}")]
    Recording(#[from] RecordingError),
    #[error("--replay: {0} has no depth snapshot in the files given; name the file that begins with it too")]
    NoSnapshot(Symbol),
}

/// What is gathered of one symbol while reading.
#[derive(Debug, Default)]
struct Draft {
    snapshot: Option<(Nanos, Snapshot)>,
    /// Diffs that came before the snapshot.
    buffered: Vec<Depth>,
    events: Vec<TapeEvent>,
    places: (usize, usize),
    futures: bool,
    /// Recorded id and version of the book at this point of the tape.
    last: u64,
    version: u64,
    map: Vec<(u64, u64)>,
    gaps: usize,
}

/// Places that a fixed-point number of eight decimals needs.
fn places(raw: i64) -> usize {
    (0..8).find(|n| raw % 10_i64.pow(8 - n) == 0).unwrap_or(8) as usize
}

fn changes(bids: &[Level], asks: &[Level]) -> Vec<LevelChange> {
    let of = |side: Side, levels: &[Level]| -> Vec<LevelChange> {
        levels.iter().map(|&(price, qty)| LevelChange { side, price, qty }).collect()
    };
    [of(Side::Sell, asks), of(Side::Buy, bids)].concat()
}

impl Draft {
    fn measure(&mut self, levels: &[Level]) {
        for (price, qty) in levels {
            self.places.0 = self.places.0.max(places(price.raw()));
            self.places.1 = self.places.1.max(places(qty.raw()));
        }
    }

    fn on_snapshot(&mut self, at: Nanos, snapshot: Snapshot) {
        if self.snapshot.is_some() {
            return;
        }
        self.measure(&snapshot.bids);
        self.measure(&snapshot.asks);
        self.last = snapshot.last_update_id;
        // Spot ids are the versions; a futures tape numbers its own diffs from the snapshot on.
        self.futures = self.buffered.iter().any(|depth| depth.prev_last.is_some());
        self.version = if self.futures { 1 } else { snapshot.last_update_id };
        self.map.push((self.last, self.version));
        self.snapshot = Some((at, snapshot));
        for depth in std::mem::take(&mut self.buffered) {
            self.on_depth(at, depth);
        }
    }

    fn on_depth(&mut self, at: Nanos, depth: Depth) {
        if self.snapshot.is_none() {
            self.buffered.push(depth);
            return;
        }
        if self.map.len() == 1 && depth.prev_last.is_some() && !self.futures {
            self.futures = true;
            self.version = 1;
            self.map[0].1 = 1;
        }
        let first_diff = self.map.len() == 1;
        // Spot keeps u > lastUpdateId, futures u >= lastUpdateId.
        let stale = if first_diff && self.futures { depth.last < self.last } else { depth.last <= self.last };
        if stale {
            return;
        }
        self.measure(&depth.bids);
        self.measure(&depth.asks);
        let follows = match depth.prev_last {
            Some(previous) => previous == self.last || (first_diff && depth.first <= self.last + 1),
            None => depth.first <= self.last + 1,
        };
        self.gaps += usize::from(!follows);
        let (from, to) =
            if self.futures { (self.version + 1, self.version + 1) } else { (depth.first, depth.last) };
        self.last = depth.last;
        self.version = to;
        self.map.push((depth.last, to));
        let changes = changes(&depth.bids, &depth.asks);
        self.push(at, Tick::Depth { exchange_ms: depth.event.0, from, to, changes });
    }

    fn push(&mut self, at: Nanos, tick: Tick) {
        if let Some((start, _)) = &self.snapshot {
            self.events.push(TapeEvent { offset: at.since(*start), tick });
        }
    }

    /// Tickers of futures in the numbering of the book: the first version that contains them.
    fn renumber_tickers(&mut self) {
        let (Some(&(_, opening)), map) = (self.map.first(), &self.map) else { return };
        for event in &mut self.events {
            if let Tick::Ticker { version, .. } = &mut event.tick {
                let before = map.partition_point(|(recorded, _)| recorded < version);
                *version = opening + before as u64;
            }
        }
    }

    /// The tape and when it begins.
    fn finish(mut self, symbol: Symbol) -> Result<(Nanos, Tape), TapeError> {
        if self.futures {
            self.renumber_tickers();
        }
        let Some((start, snapshot)) = self.snapshot else { return Err(TapeError::NoSnapshot(symbol)) };
        let tape = Tape {
            symbol,
            version: self.map.first().map_or(snapshot.last_update_id, |(_, version)| *version),
            opening: changes(&snapshot.bids, &snapshot.asks),
            events: self.events,
            places: self.places,
            renumbered: self.futures.then_some(self.map),
            gaps: self.gaps,
            period: Nanos::ZERO,
        };
        Ok((start, tape))
    }
}

/// Gives the tapes that were recorded at the same time one origin, so that their events keep their order; a tape of
/// another day begins at once.
fn align(tapes: &mut [(Nanos, Tape)]) {
    let mut by_start: Vec<&mut (Nanos, Tape)> = tapes.iter_mut().collect();
    by_start.sort_by_key(|(start, _)| *start);
    let (mut origin, mut end) = (Nanos::ZERO, Nanos::ZERO);
    let mut together: Vec<&mut Tape> = Vec::new();
    for (start, tape) in by_start {
        if *start > end {
            origin = *start;
            set_period(&mut together);
        }
        end = end.max(*start + tape.events.last().map_or(Nanos::ZERO, |event| event.offset));
        let shift = start.since(origin);
        for event in &mut tape.events {
            event.offset = event.offset + shift;
        }
        together.push(tape);
    }
    set_period(&mut together);
}

/// Tapes that were recorded together begin anew together.
fn set_period(together: &mut Vec<&mut Tape>) {
    let last = together.iter().filter_map(|tape| tape.events.last()).map(|event| event.offset).max();
    for tape in together.drain(..) {
        tape.period = last.unwrap_or(Nanos::ZERO) + SEAM;
    }
}

/// Reads all files, one tape per symbol, in the order of the symbols' names.
pub fn load(files: &[PathBuf]) -> Result<Vec<Tape>, TapeError> {
    let mut drafts: BTreeMap<Symbol, Draft> = BTreeMap::new();
    for frame in Recording::open(files)? {
        let frame = frame?;
        let draft = drafts.entry(frame.symbol).or_default();
        match frame.event {
            Event::Snapshot(snapshot) => draft.on_snapshot(frame.local, snapshot),
            Event::Depth(depth) => draft.on_depth(frame.local, depth),
            Event::Trade(trade) => {
                draft.measure(&[(trade.price, trade.qty)]);
                let aggressor = if trade.buyer_is_maker { Side::Sell } else { Side::Buy };
                let exchange_ms = trade.time.0;
                let (id, price, qty) = (trade.id, trade.price, trade.qty);
                draft.push(frame.local, Tick::Trade { exchange_ms, id, price, qty, aggressor });
            }
            Event::Ticker(ticker) => {
                let version = ticker.update_id;
                draft.push(frame.local, Tick::Ticker { version, bid: ticker.bid, ask: ticker.ask });
            }
        }
    }
    let finished = drafts.into_iter().map(|(symbol, draft)| draft.finish(symbol));
    let mut tapes = finished.collect::<Result<Vec<_>, _>>()?;
    align(&mut tapes);
    Ok(tapes.into_iter().map(|(_, tape)| tape).collect())
}
