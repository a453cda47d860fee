//! Updates of recorded tapes into a certified book.

use flashpod_book::{CertifiedBook, Step};
use flashpod_types::Side;

use super::Section;
use crate::meter::{Figure, Meter};
use crate::tape::{Tape, book_hash};

pub(crate) const SPOT: Section = Section {
    name: "book-spot",
    about: "recorded spot updates into a certified book",
    run: || run("binance_spot_btc_eth_20240808", &["btcusdt_20240808.gz", "btcusdt_20240809.gz"]),
};

pub(crate) const USDM: Section = Section {
    name: "book-usdm",
    about: "recorded USD-M futures updates into a certified book",
    run: || run("binance_usdm_btc_eth_20240808", &["btcusdt_20240808.gz"]),
};

const WARM_UP: usize = 3;
const PASSES: usize = 15;
/// A sample is a batch of updates with at least this many levels.
const BATCH: usize = 2_000;

fn run(dir: &str, files: &[&str]) -> anyhow::Result<Vec<Figure>> {
    let tape = Tape::read(dir, files)?;
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
        "{dir} BTCUSDT: {} updates, {} level changes, exact prices in; {PASSES} warm passes",
        tape.updates(),
        tape.levels()
    );
    Ok(vec![meter.figure("update, continuity and crossing check, read of the top", input, "level", hash)])
}
