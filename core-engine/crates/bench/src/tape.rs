//! Recorded books in memory: the snapshot, then the updates that follow it, laid out for fast replay.

mod synthetic;

use std::path::{Path, PathBuf};

use anyhow::Context;
use flashpod_book::{Book, Level, Rule, Snapshot, Update};
use flashpod_recordings::{Depth, Event, Frame, Recording, RecordingError, Snapshot as Fetched, Trade};
use flashpod_types::{Millis, Nanos, Side, Symbol};

/// Updates of one symbol. Their levels lie one after the other.
pub(crate) struct Tape {
    /// Where it comes from, for the report.
    pub source: String,
    pub rule: Rule,
    pub trades: Vec<Trade>,
    /// The recorded files; none of a synthetic market.
    files: Vec<PathBuf>,
    snapshot: (u64, Vec<Level>, Vec<Level>),
    updates: Vec<Entry>,
    levels: Vec<Level>,
}

struct Entry {
    first: u64,
    last: u64,
    prev_last: Option<u64>,
    event: Millis,
    /// Ends of its bids and asks in `levels`; the bids begin where the entry before ends.
    bids_end: usize,
    asks_end: usize,
}

/// The folder of recordings: `FLASHPOD_SHARED`, or `shared` beside the repository.
fn shared() -> PathBuf {
    std::env::var_os("FLASHPOD_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"), PathBuf::from)
}

impl Tape {
    /// BTCUSDT on Binance spot, 650 s.
    pub(crate) fn spot() -> anyhow::Result<Self> {
        Self::read("binance_spot_btc_eth_20240808", &["btcusdt_20240808.gz", "btcusdt_20240809.gz"])
    }

    /// BTCUSDT on Binance USD-M futures, 345 s.
    pub(crate) fn usdm() -> anyhow::Result<Self> {
        Self::read("binance_usdm_btc_eth_20240808", &["btcusdt_20240808.gz"])
    }

    /// The market that stands in where recordings are missing.
    pub(crate) fn synthetic() -> Self {
        synthetic::tape("SYNTHETIC market".to_owned())
    }

    /// Reads the recordings `files` of the data set `dir`, keeping the updates newer than the snapshot; without them it
    /// is a synthetic market, and says so.
    fn read(dir: &str, files: &[&str]) -> anyhow::Result<Self> {
        let folder = shared().join("data").join(dir);
        let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(file)).collect();
        if let Some(missing) = paths.iter().find(|path| !path.exists()) {
            return Ok(synthetic::tape(format!(
                "SYNTHETIC market, as the recording {} is missing (put the shared folder beside the repository or name \
                 it in FLASHPOD_SHARED)",
                missing.display()
            )));
        }
        let (mut snapshot, mut depths, mut trades) = (None, Vec::new(), Vec::new());
        for frame in Recording::open(&paths)? {
            match frame?.event {
                Event::Snapshot(found) => snapshot = snapshot.or(Some(found)),
                Event::Depth(depth) => depths.push(depth),
                Event::Trade(trade) => trades.push(trade),
                Event::Ticker(_) => {}
            }
        }
        let snapshot = snapshot.with_context(|| format!("{dir} holds no snapshot"))?;
        let futures = depths.iter().any(|depth| depth.prev_last.is_some());
        let mut tape = Self {
            source: format!("{dir} BTCUSDT"),
            trades,
            files: paths,
            rule: if futures { Rule::BinanceFutures } else { Rule::BinanceSpot },
            snapshot: (snapshot.last_update_id, snapshot.bids, snapshot.asks),
            updates: Vec::new(),
            levels: Vec::new(),
        };
        for depth in depths.into_iter().filter(|depth| depth.last > snapshot.last_update_id) {
            let (first, last, prev_last, event) = (depth.first, depth.last, depth.prev_last, depth.event);
            let (bids, asks) = (&depth.bids[..], &depth.asks[..]);
            tape.push(&Update { first, last, prev_last, event, bids, asks });
        }
        Ok(tape)
    }

    fn push(&mut self, update: &Update<'_>) {
        self.levels.extend(update.bids);
        let bids_end = self.levels.len();
        self.levels.extend(update.asks);
        let Update { first, last, prev_last, event, .. } = *update;
        self.updates.push(Entry { first, last, prev_last, event, bids_end, asks_end: self.levels.len() });
    }

    /// The same market as a back-test reads it, with the recorder's times; of a synthetic one, with its own.
    pub(crate) fn for_backtest(&self) -> anyhow::Result<flashpod_backtest::Tape> {
        let symbol: Symbol = "BTCUSDT".parse()?;
        if !self.files.is_empty() {
            return Ok(flashpod_backtest::Tape::read(symbol, Recording::open(&self.files)?)?);
        }
        let at = |made: Millis| Nanos::from_millis(u64::try_from(made.0).unwrap_or(0));
        let frame = |made, event| Frame { local: at(made), symbol, event };
        let (last_update_id, bids, asks) = self.snapshot.clone();
        let fetched = Fetched { last_update_id, bids, asks, ..Fetched::default() };
        let mut frames: Vec<Frame> = (0..self.updates())
            .map(|index| self.update(index))
            .map(|update| {
                let Update { first, last, prev_last, event, bids, asks } = update;
                let (bids, asks) = (bids.to_vec(), asks.to_vec());
                let depth = Depth { event, first, last, prev_last, bids, asks, ..Depth::default() };
                frame(event, Event::Depth(depth))
            })
            .collect();
        frames.extend(self.trades.iter().map(|trade| frame(trade.event, Event::Trade(*trade))));
        frames.sort_by_key(|frame| frame.local);
        let first = frames.first().map_or(Millis(0), |_| self.update(0).event);
        frames.insert(0, frame(first, Event::Snapshot(fetched)));
        let read = frames.into_iter().map(Ok::<Frame, RecordingError>);
        Ok(flashpod_backtest::Tape::read(symbol, read)?)
    }

    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { version: self.snapshot.0, bids: &self.snapshot.1, asks: &self.snapshot.2, limit: None }
    }

    pub(crate) fn updates(&self) -> usize {
        self.updates.len()
    }

    pub(crate) fn levels(&self) -> usize {
        self.levels.len()
    }

    /// All updates as single level changes.
    pub(crate) fn changes(&self) -> Vec<(Side, Level)> {
        let mut changes = Vec::with_capacity(self.levels.len());
        for update in (0..self.updates.len()).map(|index| self.update(index)) {
            changes.extend(update.bids.iter().map(|level| (Side::Buy, *level)));
            changes.extend(update.asks.iter().map(|level| (Side::Sell, *level)));
        }
        changes
    }

    pub(crate) fn update(&self, index: usize) -> Update<'_> {
        let start = index.checked_sub(1).map_or(0, |before| self.updates[before].asks_end);
        let Entry { first, last, prev_last, event, bids_end, asks_end } = &self.updates[index];
        Update {
            first: *first,
            last: *last,
            prev_last: *prev_last,
            event: *event,
            bids: &self.levels[start..*bids_end],
            asks: &self.levels[*bids_end..*asks_end],
        }
    }
}

/// Hash of all levels of a book.
pub(crate) fn book_hash(book: &Book) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for side in Side::BOTH {
        for (price, qty) in book.levels(side) {
            hasher.update(&price.raw().to_le_bytes());
            hasher.update(&qty.raw().to_le_bytes());
        }
    }
    hasher.finalize()
}
