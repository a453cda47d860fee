//! Recorded tapes into a book: whole updates with their certification, and level change by level change beside the
//! same with two `BTreeMap`s.

use std::collections::BTreeMap;

use flashpod_book::{Book, CertifiedBook, Level, Step};
use flashpod_types::{Price, Qty, Side};

use super::Section;
use crate::meter::{Figure, Meter};
use crate::tape::{Tape, book_hash};

pub(crate) const SPOT: Section = Section {
    name: "book-spot",
    about: "recorded spot updates into a certified book",
    run: |_| run(&Tape::spot()?, ["book.levelChange.ns", "book.levelChange.nsCold"]),
};

pub(crate) const USDM: Section = Section {
    name: "book-usdm",
    about: "recorded USD-M futures updates into a certified book",
    run: |_| run(&Tape::usdm()?, ["book.levelChange.nsUsdm", "book.levelChange.nsColdUsdm"]),
};

const WARM_UP: usize = 3;
const PASSES: usize = 15;
/// A sample is a batch of updates with at least this many levels.
const BATCH: usize = 2_000;

fn run(tape: &Tape, [warm, cold]: [&'static str; 2]) -> anyhow::Result<Vec<Figure>> {
    let mut figures = vec![certified(tape)?];
    let changes = tape.changes();
    let input = format!("{}: {} level changes, exact prices in and out", tape.source, changes.len());
    let ours = changed(tape, &changes, || ByTick(Book::new()));
    let map = changed(tape, &changes, BySorting::default);
    anyhow::ensure!(ours.hash == map.hash, "the book differs from two BTreeMaps");
    let batches = changes.len().div_ceil(CHANGES);
    let (mean, map_mean) = (ours.warm.undisturbed_mean(batches), map.warm.undisturbed_mean(batches));
    let (ours_cold, map) = (
        ours.cold.figure(
            "level change, read of the top: first pass of a new book",
            input.clone(),
            "level",
            ours.hash,
        ),
        map.warm.figure("the same with two BTreeMaps", format!("{input}; warm"), "level", map.hash),
    );
    let ours =
        ours.warm.figure("level change, read of the top", format!("{input}; warm"), "level", ours.hash);
    let remark = format!(
        "mean with each of the {batches} batches at its median over the passes: {mean:.2} ns, two BTreeMaps \
         {map_mean:.2} ns, ratio {:.1}",
        map_mean / mean
    );
    figures.push(ours.remark(remark).named(warm, |_| mean));
    figures.push(ours_cold.named(cold, |f| f.mean_ns));
    figures.push(map);
    Ok(figures)
}

/// A book as both sides of the comparison see it.
trait Sides {
    fn apply(&mut self, side: Side, price: Price, qty: Qty);
    fn best(&self) -> [Option<Level>; 2];
    fn levels(&self) -> Vec<Level>;
}

struct ByTick(Book);

impl Sides for ByTick {
    fn apply(&mut self, side: Side, price: Price, qty: Qty) {
        self.0.apply(side, price, qty);
    }

    fn best(&self) -> [Option<Level>; 2] {
        Side::BOTH.map(|side| self.0.best(side))
    }

    fn levels(&self) -> Vec<Level> {
        Side::BOTH.into_iter().flat_map(|side| self.0.levels(side)).collect()
    }
}

#[derive(Default)]
struct BySorting {
    bids: BTreeMap<Price, Qty>,
    asks: BTreeMap<Price, Qty>,
}

impl Sides for BySorting {
    fn apply(&mut self, side: Side, price: Price, qty: Qty) {
        let map = if side.is_buy() { &mut self.bids } else { &mut self.asks };
        if qty.is_zero() {
            map.remove(&price);
        } else {
            map.insert(price, qty);
        }
    }

    fn best(&self) -> [Option<Level>; 2] {
        let level = |(price, qty): (&Price, &Qty)| (*price, *qty);
        [self.bids.last_key_value().map(level), self.asks.first_key_value().map(level)]
    }

    fn levels(&self) -> Vec<Level> {
        let (bids, asks) = (self.bids.iter().rev(), self.asks.iter());
        bids.chain(asks).map(|(price, qty)| (*price, *qty)).collect()
    }
}

struct Changed {
    warm: Meter,
    cold: Meter,
    hash: u32,
}

/// Level changes in a batch, and passes over the tape.
const CHANGES: usize = 10_000;

fn changed<B: Sides>(tape: &Tape, changes: &[(Side, Level)], new: impl Fn() -> B) -> Changed {
    let room = changes.len() / CHANGES + 1;
    let (mut warm, mut cold) = (Meter::with_room((WARM_UP + PASSES) * room), Meter::with_room(room));
    let mut hash = 0;
    let mut book = new();
    for pass in 0..=WARM_UP + PASSES {
        if pass == WARM_UP {
            warm.reset();
        }
        // Back to the snapshot, in the memory of the pass before.
        for (price, _) in book.levels() {
            Side::BOTH.into_iter().for_each(|side| book.apply(side, price, Qty::ZERO));
        }
        let snapshot = tape.snapshot();
        for (side, levels) in Side::BOTH.into_iter().zip([snapshot.bids, snapshot.asks]) {
            levels.iter().for_each(|(price, qty)| book.apply(side, *price, *qty));
        }
        let meter = if pass == 0 { &mut cold } else { &mut warm };
        let mut seen = 0_i64;
        for batch in changes.chunks(CHANGES) {
            seen ^= meter.sample(batch.len() as u64, || {
                batch.iter().fold(0_i64, |seen, (side, (price, qty))| {
                    book.apply(*side, *price, *qty);
                    let [bid, ask] = book.best().map(Option::unwrap_or_default);
                    seen.rotate_left(1) ^ bid.0.raw() ^ ask.0.raw() ^ bid.1.raw() ^ ask.1.raw()
                })
            });
        }
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&seen.to_le_bytes());
        for (price, qty) in book.levels() {
            hasher.update(&price.raw().to_le_bytes());
            hasher.update(&qty.raw().to_le_bytes());
        }
        hash = hasher.finalize();
    }
    Changed { warm, cold, hash }
}

fn certified(tape: &Tape) -> anyhow::Result<Figure> {
    let mut meter = Meter::with_room((WARM_UP + PASSES) * (tape.levels() / BATCH + 1));
    let mut hash = 0;
    for pass in 0..WARM_UP + PASSES {
        if pass == WARM_UP {
            meter.reset();
        }
        let mut book = CertifiedBook::new(tape.rule, 1);
        book.on_snapshot(&tape.snapshot());
        let mut next = 0;
        while next < tape.updates() {
            let start = next;
            let mut levels = 0;
            while next < tape.updates() && levels < BATCH {
                let update = tape.update(next);
                levels += update.bids.len() + update.asks.len();
                next += 1;
            }
            let applied = meter.sample(levels as u64, || {
                let mut applied = 0;
                for index in start..next {
                    applied += usize::from(book.on_update(&tape.update(index)) == Step::Applied);
                    // A reader looks at the top after each update.
                    std::hint::black_box((book.book().best(Side::Buy), book.book().best(Side::Sell)));
                }
                applied
            });
            anyhow::ensure!(
                applied == next - start,
                "only {applied} of {} updates were applied",
                next - start
            );
        }
        hash = book_hash(book.book());
    }
    let input = format!(
        "{}: {} updates, {} level changes, exact prices in; {PASSES} warm passes",
        tape.source,
        tape.updates(),
        tape.levels()
    );
    Ok(meter.figure("update, continuity and crossing check, read of the top", input, "level", hash))
}
