//! MEXC push frames of 20 levels: bytes to certified book.

use flashpod_book::{CertifiedBook, Level, Rule, Snapshot, Step, Update};
use flashpod_mexc::decode::{self, Body};
use flashpod_mexc::depth::DepthReader;
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
    let bytes: usize = frames.iter().map(Vec::len).sum();
    let input = format!(
        "{} frames of {LEVELS} levels, mean {} bytes, levels of the spot tape; {PASSES} warm passes",
        frames.len(),
        bytes / frames.len().max(1)
    );
    let mut reader = DepthReader::new();
    let (read, hash) = measure(&tape, &frames, |book, frame| read_and_apply(&mut reader, book, frame))?;
    let (decoded, same) = measure(&tape, &frames, decode_and_apply)?;
    anyhow::ensure!(hash == same, "read in place and decoded by prost the frames lead to different books");
    let batches = frames.len().div_ceil(BATCH);
    let (mean, prost) = (read.undisturbed_mean(batches), decoded.undisturbed_mean(batches));
    let remark = format!(
        "mean with each of the {batches} batches at its median over the passes: {mean:.0} ns, by prost {prost:.0} ns, \
         ratio {:.1}",
        prost / mean
    );
    Ok(vec![
        read.figure("read in place, check, apply", input.clone(), "frame", hash)
            .remark(remark)
            .named("mexc.frame20.ns", |_| mean)
            .named("mexc.frame20.allocations", |figure| figure.allocations_per_op),
        decoded.figure("the same decoded by prost", input, "frame", same),
    ])
}

fn measure(
    tape: &Tape,
    frames: &[Vec<u8>],
    mut apply: impl FnMut(&mut CertifiedBook, &[u8]) -> Option<Step>,
) -> anyhow::Result<(Meter, u32)> {
    let snapshot = Snapshot { version: 0, ..tape.snapshot() };
    let mut meter = Meter::with_room((WARM_UP + PASSES) * (frames.len() / BATCH + 1));
    let mut hash = 0;
    // One book for all passes: its memory is what a day's first minutes leave.
    let mut book = CertifiedBook::new(Rule::Mexc, 1);
    for pass in 0..WARM_UP + PASSES {
        if pass == WARM_UP {
            meter.reset();
        }
        book.disconnected();
        book.on_snapshot(&snapshot);
        for batch in frames.chunks(BATCH) {
            let applied = meter.sample(batch.len() as u64, || {
                batch.iter().filter(|frame| apply(&mut book, frame) == Some(Step::Applied)).count()
            });
            anyhow::ensure!(applied == batch.len(), "only {applied} of {} frames were applied", batch.len());
        }
        hash = book_hash(book.book());
    }
    Ok((meter, hash))
}

fn read_and_apply(reader: &mut DepthReader, book: &mut CertifiedBook, frame: &[u8]) -> Option<Step> {
    let push = reader.read(frame)?;
    Some(book.on_update(&Update {
        first: push.from,
        last: push.to,
        prev_last: None,
        event: push.sent.unwrap_or(Millis(0)),
        bids: push.bids,
        asks: push.asks,
    }))
}

fn decode_and_apply(book: &mut CertifiedBook, frame: &[u8]) -> Option<Step> {
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
