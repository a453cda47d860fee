//! MEXC push frames of 20 levels: bytes to certified book.

use flashpod_book::{CertifiedBook, Rule, Snapshot, Step, Update};
use flashpod_mexc::decode::{self, Body};
use flashpod_mexc::depth::DepthReader;
use flashpod_types::Millis;

use super::{Options, Section};
use crate::market::{LEVELS, MarketFrame, depth_frames};
use crate::meter::{Figure, Meter};
use crate::tape::{Tape, book_hash};

pub(crate) const SECTION: Section = Section {
    name: "mexc-depth-frame",
    about: "aggre.depth frames of 20 changed levels: bytes to certified book",
    run,
};

const WARM_UP: usize = 2;
const PASSES: usize = 10;
/// Frames a sample.
const BATCH: usize = 100;

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let tape = Tape::spot()?;
    let frames = depth_frames(&tape);
    let bytes: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
    let input = format!(
        "{}: {} frames of {LEVELS} levels, mean {} bytes; {PASSES} warm passes",
        tape.source,
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
    frames: &[MarketFrame],
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
                batch.iter().filter(|frame| apply(&mut book, &frame.bytes) == Some(Step::Applied)).count()
            });
            anyhow::ensure!(applied == batch.len(), "only {applied} of {} frames were applied", batch.len());
        }
        hash = book_hash(book.book());
    }
    Ok((meter, hash))
}

pub(crate) fn read_and_apply(
    reader: &mut DepthReader,
    book: &mut CertifiedBook,
    frame: &[u8],
) -> Option<Step> {
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
