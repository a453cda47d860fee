//! Frames of recordings through certified books into batches.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use flashpod_book::{Book, CertifiedBook, Rule, Snapshot as Told, SnapshotStep, Step, Update};
use flashpod_recordings::{Depth, Event, Frame, Recording, Snapshot};
use flashpod_types::{Side, Symbol};

use super::batch::{BOOK, LOST, Rows, SNAPSHOT, Stamp};
use super::track::{Item, Track};
use crate::failure::{Code, Failure, Outcome};
use crate::units;
use crate::window::MAX_LEVELS;

/// Updates kept while no snapshot has come; recordings need a few dozen.
const MAX_WAITING: usize = 100_000;
const MAX_SYMBOLS: usize = 255;

/// The book of one symbol and what is needed to feed it.
#[derive(Debug)]
struct Feed {
    symbol: Symbol,
    /// Made by the first update, which shows the continuity rule.
    book: Option<CertifiedBook>,
    /// A snapshot that came before the first update.
    early: Option<Snapshot>,
}

#[derive(Debug)]
pub(super) struct Source {
    files: Vec<PathBuf>,
    /// Opened by the first read.
    recording: Option<Recording>,
    wanted: Vec<Symbol>,
    feeds: Vec<Feed>,
    levels: usize,
    start_ns: Option<u64>,
    /// Lines of best prices so far: counted as frames, not looked at.
    passed: u64,
    ended: bool,
}

/// A batch in the making: what JavaScript gets, and what a market gets.
#[derive(Debug)]
struct Out {
    rows: Rows,
    track: Track,
}

impl Source {
    pub(super) fn new(files: Vec<String>, symbols: &[String], levels: u32) -> Outcome<Self> {
        if levels > MAX_LEVELS {
            return Err(Failure::argument("levels", levels, format!("is not from 0 to {MAX_LEVELS}")));
        }
        Ok(Self {
            files: files.into_iter().map(PathBuf::from).collect(),
            recording: None,
            wanted: symbols.iter().map(|text| units::symbol(text)).collect::<Outcome<_>>()?,
            feeds: Vec::new(),
            levels: levels as usize,
            start_ns: None,
            passed: 0,
            ended: false,
        })
    }

    /// Up to about `items` events (an update that waited for its snapshot may add more); none at the end.
    pub(super) fn read(&mut self, items: usize, cancelled: &AtomicBool) -> Outcome<Option<(Rows, Track)>> {
        if self.ended {
            return Ok(None);
        }
        // Stands for every way out but the last: after an error there is no next batch.
        self.ended = true;
        let mut recording = match self.recording.take() {
            Some(recording) => recording,
            None => Recording::open_without_tickers(&self.files)?,
        };
        let mut out = Out { rows: Rows::new(self.levels), track: Track::default() };
        let passed = self.passed;
        let mut more = true;
        while more && out.rows.len() < items {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Failure::new(Code::Aborted, "the replay was cancelled"));
            }
            match recording.next() {
                Some(frame) => self.take(frame?, &mut out)?,
                None => more = false,
            }
        }
        self.passed = recording.passed_tickers();
        out.rows.frames += u32::try_from(self.passed - passed).unwrap_or(u32::MAX);
        self.ended = !more;
        self.recording = more.then_some(recording);
        if !more && self.start_ns.is_some() {
            self.refuse_unknown()?;
        }
        out.rows.start_ns = self.start_ns.unwrap_or(0);
        out.rows.symbols = self.feeds.iter().map(|feed| feed.symbol.to_string()).collect();
        Ok((out.rows.frames > 0).then_some((out.rows, out.track)))
    }

    /// A symbol that was asked for and never came is a mistake in the asking.
    fn refuse_unknown(&self) -> Outcome<()> {
        let unknown = self.wanted.iter().find(|wanted| self.feeds.iter().all(|feed| feed.symbol != **wanted));
        match unknown {
            Some(unknown) => Err(Failure::argument("symbols", unknown, "is not in the recording")),
            None => Ok(()),
        }
    }

    fn take(&mut self, frame: Frame, out: &mut Out) -> Outcome<()> {
        let start = *self.start_ns.get_or_insert(frame.local.0);
        out.rows.frames += 1;
        if !self.wanted.is_empty() && !self.wanted.contains(&frame.symbol) {
            return Ok(());
        }
        let symbol = self.index_of(frame.symbol)?;
        let elapsed_ns = frame.local.0.saturating_sub(start);
        let stamp = move |venue_ms, id| Stamp { symbol, elapsed_ns, venue_ms, id };
        match frame.event {
            Event::Trade(trade) => {
                let taker = if trade.buyer_is_maker { Side::Sell } else { Side::Buy };
                let exchange_ms = trade.time.0;
                let (price, qty) = (trade.price, trade.qty);
                out.track.items.push_back(Item::Trade { symbol, exchange_ms, price, qty, taker });
                out.rows.trade(stamp(trade.event.0, trade.id), price, qty, taker, exchange_ms)
            }
            Event::Ticker(_) => Ok(()),
            Event::Snapshot(snapshot) => {
                let feed = &mut self.feeds[usize::from(symbol)];
                match &mut feed.book {
                    None => feed.early = Some(snapshot),
                    Some(book) => on_snapshot(book, snapshot, out, stamp)?,
                }
                Ok(())
            }
            Event::Depth(depth) => {
                let feed = &mut self.feeds[usize::from(symbol)];
                if feed.book.is_none() {
                    let rule =
                        if depth.prev_last.is_some() { Rule::BinanceFutures } else { Rule::BinanceSpot };
                    let book = feed.book.insert(CertifiedBook::new(rule, MAX_WAITING));
                    if let Some(snapshot) = feed.early.take() {
                        on_snapshot(book, snapshot, out, stamp)?;
                    }
                }
                feed.book.as_mut().map_or(Ok(()), |book| on_depth(book, depth, out, stamp))
            }
        }
    }

    fn index_of(&mut self, symbol: Symbol) -> Outcome<u8> {
        let at = self.feeds.iter().position(|feed| feed.symbol == symbol).unwrap_or_else(|| {
            self.feeds.push(Feed { symbol, book: None, early: None });
            self.feeds.len() - 1
        });
        if at >= MAX_SYMBOLS {
            let message =
                format!("the recording holds more than {MAX_SYMBOLS} symbols: name those that you want");
            return Err(Failure::new(Code::BadRecording, message));
        }
        Ok(u8::try_from(at).unwrap_or(u8::MAX))
    }
}

fn on_snapshot(
    book: &mut CertifiedBook,
    snapshot: Snapshot,
    out: &mut Out,
    stamp: impl Fn(i64, u64) -> Stamp,
) -> Outcome<()> {
    let told = Told {
        version: snapshot.last_update_id,
        bids: &snapshot.bids,
        asks: &snapshot.asks,
        // Books are kept beyond what their snapshot reached, as the expected states of recordings are.
        limit: None,
    };
    // Only a snapshot that was installed is an event, and it comes before the updates that waited for it.
    let mut installed = false;
    let mut written = Ok(());
    let step = book.on_snapshot_with(&told, |state, update| {
        if written.is_ok() {
            written = (|| {
                if !std::mem::replace(&mut installed, true) {
                    add_snapshot(&snapshot, out, &stamp)?;
                }
                add_update(state, update, out, &stamp)
            })();
        }
    });
    written?;
    match step {
        SnapshotStep::Certified { .. } if !installed => add_snapshot(&snapshot, out, &stamp),
        SnapshotStep::Lost(_) => {
            if !installed {
                add_snapshot(&snapshot, out, &stamp)?;
            }
            add_loss(book, out, stamp(0, book.version()))
        }
        _ => Ok(()),
    }
}

fn on_depth(
    book: &mut CertifiedBook,
    depth: Depth,
    out: &mut Out,
    stamp: impl Fn(i64, u64) -> Stamp,
) -> Outcome<()> {
    let update = Update {
        first: depth.first,
        last: depth.last,
        prev_last: depth.prev_last,
        event: depth.event,
        bids: &depth.bids,
        asks: &depth.asks,
    };
    match book.on_update(&update) {
        Step::Applied => add_update(book.book(), &update, out, &stamp),
        Step::Lost(_) => add_loss(book, out, stamp(depth.event.0, depth.last)),
        Step::Duplicate | Step::Buffered => Ok(()),
    }
}

fn add_update(
    book: &Book,
    update: &Update<'_>,
    out: &mut Out,
    stamp: &impl Fn(i64, u64) -> Stamp,
) -> Outcome<()> {
    let stamp = stamp(update.event.0, update.last);
    let (bids, asks) = (update.bids.to_vec(), update.asks.to_vec());
    out.track.items.push_back(Item::Depth { symbol: stamp.symbol, exchange_ms: update.event.0, bids, asks });
    out.rows.book(BOOK, stamp, book, update.bids, update.asks)
}

fn add_snapshot(snapshot: &Snapshot, out: &mut Out, stamp: &impl Fn(i64, u64) -> Stamp) -> Outcome<()> {
    let mut book = Book::new();
    book.load(&snapshot.bids, &snapshot.asks);
    let stamp = stamp(0, snapshot.last_update_id);
    let (bids, asks) = (snapshot.bids.clone(), snapshot.asks.clone());
    out.track.items.push_back(Item::Snapshot { symbol: stamp.symbol, bids, asks });
    out.rows.book(SNAPSHOT, stamp, &book, &snapshot.bids, &snapshot.asks)
}

/// Shows what the book holds now; it must not be relied upon.
fn add_loss(book: &CertifiedBook, out: &mut Out, stamp: Stamp) -> Outcome<()> {
    out.track.items.push_back(Item::Lost);
    out.rows.book(LOST, stamp, book.book(), &[], &[])
}
