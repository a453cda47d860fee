//! A book that knows whether it equals the venue's.

use flashpod_book::{CertifiedBook, Level, Loss, Rule, Snapshot, SnapshotStep, State, Step, Update};
use flashpod_mexc::decode;
use flashpod_mexc::depth::{DepthPush, DepthReader};
use flashpod_types::{Millis, Symbol};
use napi::Env;
use napi::bindgen_prelude::ArrayBuffer;
use napi_derive::napi;

use crate::arrays::{Bytes, Passed};
use crate::book::{LevelText, top_text};
use crate::failure::{Failure, Held, Outcome};
use crate::units;
use crate::window::{Head, Window};

/// Numbers of what an update did, as the package's TypeScript names them.
const APPLIED: u32 = 0;
const DUPLICATE: u32 = 1;
const BUFFERED: u32 = 2;
const LOST: u32 = 3;
/// A frame of another kind than depth.
const OTHER: u32 = 4;

#[derive(Debug)]
struct Feed {
    symbol: Option<Symbol>,
    book: CertifiedBook,
    window: Window,
    reader: DepthReader,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// Counts of what happened to the updates.
#[napi(object)]
#[derive(Debug)]
pub struct BookCounters {
    pub applied: f64,
    pub duplicates: f64,
    pub overlaps: f64,
    pub gaps: f64,
    pub crossings: f64,
    pub syncs: f64,
    pub discarded: f64,
    pub waiting: u32,
}

/// How many frames did what.
#[napi(object)]
#[derive(Debug, Default)]
pub struct FrameCounts {
    pub applied: u32,
    pub duplicate: u32,
    pub buffered: u32,
    pub lost: u32,
    pub other: u32,
    /// Changed levels in the applied ones.
    pub level_changes: u32,
}

impl Feed {
    fn show(&self) -> Outcome<()> {
        let head = Head {
            version: units::number("version", self.book.version())?,
            event_ms: units::millis(self.book.event().0),
            certified: self.book.is_certified(),
        };
        self.window.show(self.book.book(), head);
        Ok(())
    }

    /// What the frame did, and how many levels it changed.
    fn take_frame(&mut self, bytes: &[u8]) -> Outcome<(u32, usize)> {
        let frame;
        let push = match self.reader.read(bytes) {
            Some(push) => push,
            None => {
                frame = decode::decode(bytes)?;
                let Some(push) = DepthPush::of(&frame) else { return Ok((OTHER, 0)) };
                push
            }
        };
        if let (Some(own), Some(other)) = (self.symbol, push.symbol)
            && own != other
        {
            return Err(Failure::argument("frame's symbol", other, format!("is not {own} of this book")));
        }
        // Before anything is changed: the window could not show it.
        units::number("toVersion", push.to)?;
        let update = Update {
            first: push.from,
            last: push.to,
            prev_last: None,
            event: push.created.or(push.sent).unwrap_or(Millis(0)),
            bids: push.bids,
            asks: push.asks,
        };
        Ok((take(&mut self.book, &update), push.bids.len() + push.asks.len()))
    }

    /// Frames up to the first bad one; `ends[i]` is where frame `i` ends.
    fn take_frames(&mut self, bytes: &[u8], ends: Passed<'_, u32>) -> Outcome<FrameCounts> {
        let mut counts = FrameCounts::default();
        let mut from = 0;
        for (index, end) in ends.iter().enumerate() {
            let frame = bytes.get(from..end as usize).ok_or_else(|| {
                let reason = format!("is not from {from} (the end before) to {} (all bytes)", bytes.len());
                Failure::argument(&format!("ends[{index}]"), end, reason)
            })?;
            from = end as usize;
            let (step, changes) = self.take_frame(frame)?;
            match step {
                APPLIED => {
                    counts.applied += 1;
                    counts.level_changes += u32::try_from(changes).unwrap_or(u32::MAX);
                }
                DUPLICATE => counts.duplicate += 1,
                BUFFERED => counts.buffered += 1,
                LOST => counts.lost += 1,
                _ => counts.other += 1,
            }
        }
        Ok(counts)
    }
}

fn take(book: &mut CertifiedBook, update: &Update<'_>) -> u32 {
    match book.on_update(update) {
        Step::Applied => APPLIED,
        Step::Duplicate => DUPLICATE,
        Step::Buffered => BUFFERED,
        Step::Lost(_) => LOST,
    }
}

pub(crate) fn loss_text(loss: Loss) -> String {
    match loss {
        Loss::Gap { expected, got } => format!("gap: version {expected} was expected, {got} came"),
        Loss::Crossed { bid, ask } => format!("crossed: best bid {bid}, best ask {ask}"),
        Loss::OutOfRange { side } => {
            format!("best {} outside what the snapshot covered", if side.is_buy() { "bid" } else { "ask" })
        }
        Loss::Disconnected => "disconnected".to_owned(),
        Loss::Audit => "two audits in a row failed, or the venue stays behind".to_owned(),
    }
}

fn rule_of(text: &str) -> Outcome<Rule> {
    match text {
        "mexc" => Ok(Rule::Mexc),
        "binance-spot" => Ok(Rule::BinanceSpot),
        "binance-futures" => Ok(Rule::BinanceFutures),
        other => Err(Failure::argument(
            "rule",
            format!("`{other}`"),
            "is none of mexc, binance-spot, binance-futures",
        )),
    }
}

#[napi(js_name = "CertifiedBook")]
#[derive(Debug)]
pub struct NativeCertifiedBook {
    held: Held<Feed>,
}

#[napi]
impl NativeCertifiedBook {
    #[napi(constructor)]
    pub fn new(rule: String, levels: u32, waiting_limit: u32, symbol: Option<String>) -> napi::Result<Self> {
        let symbol = symbol.as_deref().map(units::symbol).transpose()?;
        let book = CertifiedBook::new(rule_of(&rule)?, waiting_limit as usize);
        let (window, reader) = (Window::new(levels)?, DepthReader::new());
        let feed = Feed { symbol, book, window, reader, bids: Vec::new(), asks: Vec::new() };
        Ok(Self { held: Held::new("book", feed) })
    }

    #[napi]
    pub fn window<'env>(&mut self, env: &'env Env) -> napi::Result<ArrayBuffer<'env>> {
        self.held.run(|feed| Ok(feed.window.buffer(env)))?
    }

    /// Decodes one MEXC frame and applies it.
    #[napi]
    pub fn on_frame(&mut self, #[napi(ts_arg_type = "Uint8Array")] bytes: Bytes<'_>) -> napi::Result<u32> {
        self.held.run(|feed| {
            feed.window.refuse_own("bytes", &bytes)?;
            let (step, _) = feed.take_frame(&bytes)?;
            feed.show()?;
            Ok(step)
        })
    }

    /// Many frames in one buffer; `ends[i]` is where frame `i` ends. The window shows the last state.
    #[napi]
    pub fn on_frames(
        &mut self,
        #[napi(ts_arg_type = "Uint8Array")] bytes: Bytes<'_>,
        #[napi(ts_arg_type = "Uint32Array")] ends: Passed<'_, u32>,
    ) -> napi::Result<FrameCounts> {
        self.held.run(|feed| {
            feed.window.refuse_own("bytes", &bytes)?;
            let counts = feed.take_frames(&bytes, ends);
            // Also when a frame is bad: those before it are applied.
            feed.show()?;
            counts
        })
    }

    #[napi]
    #[allow(clippy::too_many_arguments)] // flat arguments: an object would cost more than the update
    pub fn on_update(
        &mut self,
        first: f64,
        last: f64,
        prev_last: Option<f64>,
        event_ms: f64,
        #[napi(ts_arg_type = "Float64Array")] bid_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] bid_quantities: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_quantities: Passed<'_, f64>,
    ) -> napi::Result<u32> {
        self.held.run(|feed| {
            let (mut bids, mut asks) = (std::mem::take(&mut feed.bids), std::mem::take(&mut feed.asks));
            units::levels("bids", bid_prices, bid_quantities, &mut bids)?;
            units::levels("asks", ask_prices, ask_quantities, &mut asks)?;
            let (first, last) = (units::whole("first", first)?, units::whole("last", last)?);
            if first > last {
                return Err(Failure::argument("first", first, format!("is after last {last}")));
            }
            let update = Update {
                first,
                last,
                prev_last: prev_last.map(|value| units::whole("prevLast", value)).transpose()?,
                event: millis_of("eventMs", event_ms)?,
                bids: &bids,
                asks: &asks,
            };
            let step = take(&mut feed.book, &update);
            (feed.bids, feed.asks) = (bids, asks);
            feed.show()?;
            Ok(step)
        })
    }

    /// Takes a snapshot; undefined when the book is certified now, else why not.
    #[napi]
    pub fn on_snapshot(
        &mut self,
        version: f64,
        #[napi(ts_arg_type = "Float64Array")] bid_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] bid_quantities: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_quantities: Passed<'_, f64>,
        limit: Option<u32>,
    ) -> napi::Result<Option<String>> {
        self.held.run(|feed| {
            let (mut bids, mut asks) = (Vec::new(), Vec::new());
            units::levels("bids", bid_prices, bid_quantities, &mut bids)?;
            units::levels("asks", ask_prices, ask_quantities, &mut asks)?;
            let step = feed.book.on_snapshot(&Snapshot {
                version: units::whole("version", version)?,
                bids: &bids,
                asks: &asks,
                limit: limit.map(|limit| limit as usize),
            });
            feed.show()?;
            Ok(match step {
                SnapshotStep::Certified { .. } | SnapshotStep::NotNeeded => None,
                SnapshotStep::TooOld { snapshot, first } => {
                    let needed = first.saturating_sub(1);
                    Some(format!("snapshot {snapshot} is too old, at least version {needed} is needed"))
                }
                SnapshotStep::Lost(loss) => Some(loss_text(loss)),
            })
        })
    }

    #[napi]
    pub fn disconnected(&mut self) -> napi::Result<()> {
        self.held.run(|feed| {
            feed.book.disconnected();
            feed.show()
        })
    }

    /// `syncing`, `certified`, or `lost: ` and why.
    #[napi]
    pub fn state(&mut self) -> napi::Result<String> {
        self.held.run(|feed| {
            Ok(match feed.book.state() {
                State::Syncing => "syncing".to_owned(),
                State::Certified => "certified".to_owned(),
                State::Lost(loss) => format!("lost: {}", loss_text(loss)),
            })
        })
    }

    #[napi]
    pub fn counters(&mut self) -> napi::Result<BookCounters> {
        self.held.run(|feed| {
            let counters = feed.book.counters();
            Ok(BookCounters {
                applied: units::number("applied", counters.applied)?,
                duplicates: units::number("duplicates", counters.duplicates)?,
                overlaps: units::number("overlaps", counters.overlaps)?,
                gaps: units::number("gaps", counters.gaps)?,
                crossings: units::number("crossings", counters.crossings)?,
                syncs: units::number("syncs", counters.syncs)?,
                discarded: units::number("discarded", counters.discarded)?,
                waiting: u32::try_from(feed.book.waiting()).unwrap_or(u32::MAX),
            })
        })
    }

    #[napi]
    pub fn top(&mut self, side: String, count: u32) -> napi::Result<Vec<LevelText>> {
        self.held.run(|feed| Ok(top_text(feed.book.book(), units::side(&side)?, count)))
    }

    #[napi]
    pub fn dispose(&mut self) {
        self.held.dispose();
    }
}

fn millis_of(what: &str, value: f64) -> Outcome<Millis> {
    let whole = units::whole(what, value)?;
    Ok(Millis(i64::try_from(whole).unwrap_or(i64::MAX)))
}
