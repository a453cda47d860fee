//! MEXC push frames of 20 levels: bytes to certified book.

use flashpod_book::{CertifiedBook, Level, Rule, Snapshot, Step, Update};
use flashpod_mexc::decode::{self, Body};
use flashpod_mexc::push::{self, push_data_v3_api_wrapper::Body as Raw};
use flashpod_types::Millis;
use prost::Message;

use super::Section;
use crate::meter::{Figure, Meter};
use crate::tape::{Tape, book_hash};

pub(crate) const SECTION: Section = Section {
    name: "mexc-depth-frame",
    about: "aggre.depth frames of 20 changed levels: bytes to certified book",
    run,
};

const LEVELS: usize = 20;
const WARM_UP: usize = 2;
const PASSES: usize = 10;
/// Frames a sample.
const BATCH: usize = 100;

fn run() -> anyhow::Result<Vec<Figure>> {
    let tape = Tape::read("binance_spot_btc_eth_20240808", &["btcusdt_20240808.gz", "btcusdt_20240809.gz"])?;
    let frames = frames(&tape);
    let snapshot = Snapshot { version: 0, ..tape.snapshot() };
    let mut meter = Meter::with_room((WARM_UP + PASSES) * (frames.len() / BATCH + 1));
    let mut hash = 0;
    for pass in 0..WARM_UP + PASSES {
        if pass == WARM_UP {
            meter.reset();
        }
        let mut book = CertifiedBook::new(Rule::Mexc, 1);
        book.on_snapshot(&snapshot);
        for batch in frames.chunks(BATCH) {
            let applied = meter.sample(batch.len() as u64, || {
                batch.iter().filter(|frame| apply(&mut book, frame) == Some(Step::Applied)).count()
            });
            anyhow::ensure!(applied == batch.len(), "only {applied} of {} frames were applied", batch.len());
        }
        hash = book_hash(book.book());
    }
    let bytes: usize = frames.iter().map(Vec::len).sum();
    let input = format!(
        "{} frames of {LEVELS} levels, mean {} bytes, levels of the spot tape; {PASSES} warm passes",
        frames.len(),
        bytes / frames.len().max(1)
    );
    Ok(vec![
        meter
            .figure("decode, check, apply", input, "frame", hash)
            .named("mexc.frame20.ns", |figure| figure.mean_ns)
            .named("mexc.frame20.allocations", |figure| figure.allocations_per_op),
    ])
}

fn apply(book: &mut CertifiedBook, frame: &[u8]) -> Option<Step> {
    let frame = decode::decode(frame).ok()?;
    let Body::Depth(depth) = frame.body else { return None };
    Some(book.on_update(&Update {
        first: depth.from,
        last: depth.to,
        prev_last: None,
        event: frame.sent.unwrap_or(Millis(0)),
        bids: &depth.bids,
        asks: &depth.asks,
    }))
}

/// The tape cut into frames of exactly 20 levels. Inside an update removals come first: then the book is crossed at
/// no cut.
fn frames(tape: &Tape) -> Vec<Vec<u8>> {
    let mut changes: Vec<(bool, Level)> = Vec::with_capacity(tape.levels());
    for index in 0..tape.updates() {
        let update = tape.update(index);
        let bids = update.bids.iter().map(|level| (true, *level));
        let both: Vec<_> = bids.chain(update.asks.iter().map(|level| (false, *level))).collect();
        let (removed, set): (Vec<_>, Vec<_>) = both.into_iter().partition(|(_, level)| level.1.is_zero());
        changes.extend(removed);
        changes.extend(set);
    }
    changes.chunks_exact(LEVELS).zip(0_u64..).map(|(chunk, number)| encode(chunk, number)).collect()
}

fn encode(chunk: &[(bool, Level)], number: u64) -> Vec<u8> {
    let levels = |bids: bool| {
        let chosen = chunk.iter().filter(move |(bid, _)| *bid == bids);
        chosen
            .map(|(_, (price, qty))| push::Level { price: price.to_string(), quantity: qty.to_string() })
            .collect()
    };
    let (first, last) = (number * LEVELS as u64 + 1, (number + 1) * LEVELS as u64);
    let sent = 1_760_000_000_000 + i64::try_from(number).unwrap_or(0) * 10;
    push::PushDataV3ApiWrapper {
        channel: "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC".into(),
        symbol: Some("BTCUSDC".into()),
        send_time: Some(sent),
        body: Some(Raw::PublicAggreDepths(push::PublicAggreDepths {
            asks: levels(false),
            bids: levels(true),
            event_type: "spot@public.aggre.depth.v3.api.pb@10ms".into(),
            from_version: first.to_string(),
            to_version: last.to_string(),
            last_order_create_time: sent - 1,
        })),
        ..Default::default()
    }
    .encode_to_vec()
}
