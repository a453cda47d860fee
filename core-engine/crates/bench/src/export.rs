//! The recorded markets in a form that any program reads, so that others are measured on the same input.
//!
//! `NAME.events`: a record an event, seven little-endian 64-bit integers: kind (0 level of the snapshot, 1 level change,
//! 2 trade), 1 if it is the last of its update, nanoseconds of receipt, milliseconds of the exchange, side (1 bid, or the
//! taker bought; −1), price and quantity in units of 1e-8. `NAME.book`: the levels at the end, best first, bids first:
//! side, price, quantity. `frames20`: MEXC frames of 20 levels, each behind its length in 32 bits.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use flashpod_backtest::Happening;
use flashpod_book::{Book, Level};
use flashpod_types::{Millis, Nanos, Side};

use crate::market;
use crate::tape::Tape;

pub(crate) fn write(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, tape) in [("spot", Tape::spot()?), ("usdm", Tape::usdm()?)] {
        println!("{name}: {}", tape.source);
        events(&folder.join(format!("{name}.events")), &folder.join(format!("{name}.book")), &tape)?;
        if name == "spot" {
            let mut file = create(&folder.join("frames20"))?;
            for frame in market::depth_frames(&tape) {
                file.write_all(&u32::try_from(frame.bytes.len())?.to_le_bytes())?;
                file.write_all(&frame.bytes)?;
            }
            file.flush()?;
        }
    }
    Ok(())
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).with_context(|| format!("{}", path.display()))?))
}

fn row(file: &mut impl Write, numbers: &[i64]) -> std::io::Result<()> {
    numbers.iter().try_for_each(|number| file.write_all(&number.to_le_bytes()))
}

fn events(path: &Path, book_path: &Path, tape: &Tape) -> anyhow::Result<()> {
    let mut file = create(path)?;
    let tape = tape.for_backtest()?;
    let mut book = Book::new();
    // The snapshot carries no time of the exchange: it is given that of the first update.
    let first = tape.happenings().map(|(_, made, _)| made).find(|made| made.0 > i64::MIN);
    for (received, made, happening) in tape.happenings() {
        let at = Times { received, made: made.max(first.unwrap_or(made)) };
        match happening {
            Happening::Snapshot { bids, asks } => {
                at.levels(&mut file, 0, bids, asks)?;
                book.load(bids, asks);
            }
            Happening::Update { bids, asks } => {
                at.levels(&mut file, 1, bids, asks)?;
                for (side, levels) in Side::BOTH.into_iter().zip([bids, asks]) {
                    for (price, qty) in levels {
                        book.apply(side, *price, *qty);
                    }
                }
            }
            Happening::Trade { level, aggressor } => at.row(&mut file, (2, true), aggressor, level)?,
            Happening::Lost => anyhow::bail!("the recording has a hole: not every program can be told of it"),
        }
    }
    file.flush()?;
    let mut file = create(book_path)?;
    for side in Side::BOTH {
        for (price, qty) in book.levels(side) {
            row(&mut file, &[side.sign(), price.raw(), qty.raw()])?;
        }
    }
    Ok(file.flush()?)
}

struct Times {
    received: Nanos,
    made: Millis,
}

impl Times {
    fn levels(
        &self,
        file: &mut impl Write,
        kind: i64,
        bids: &[Level],
        asks: &[Level],
    ) -> std::io::Result<()> {
        let all = bids.iter().map(|level| (Side::Buy, *level));
        let all = all.chain(asks.iter().map(|level| (Side::Sell, *level)));
        let count = bids.len() + asks.len();
        for (number, (side, level)) in all.enumerate() {
            self.row(file, (kind, number + 1 == count), side, level)?;
        }
        Ok(())
    }

    fn row(
        &self,
        file: &mut impl Write,
        (kind, last): (i64, bool),
        side: Side,
        (price, qty): Level,
    ) -> std::io::Result<()> {
        let received = i64::try_from(self.received.0).unwrap_or(i64::MAX);
        row(file, &[kind, i64::from(last), received, self.made.0, side.sign(), price.raw(), qty.raw()])
    }
}
