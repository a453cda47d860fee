//! Decimal text to fixed point.

use flashpod_types::Price;

use super::{Options, Section};
use crate::meter::{Figure, Meter};

pub(crate) const SECTION: Section =
    Section { name: "decimal", about: "decimal text to fixed point, every byte checked", run };

const TEXTS: usize = 4_096;
const WARM_UP: usize = 20;
const PASSES: usize = 300;

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    Ok(vec![
        measure("8 decimals", "prices like 61837.63000000", |n| {
            format!("{}.{:02}000000", 60_000 + n % 5_000, n % 100)
        })?,
        measure("shortest form", "quantities like 0.00123", |n| format!("0.{:05}", n % 100_000))?,
    ])
}

fn measure(name: &str, shape: &str, text: impl Fn(usize) -> String) -> anyhow::Result<Figure> {
    // A multiplicative walk, so that neighbouring texts differ.
    let texts: Vec<String> = (0..TEXTS).map(|n| text(n * 7_919 + 13)).collect();
    let mut meter = Meter::with_room(WARM_UP + PASSES);
    let mut sum = 0_i64;
    for pass in 0..WARM_UP + PASSES {
        if pass == WARM_UP {
            meter.reset();
        }
        sum = meter.sample(TEXTS as u64, || {
            texts
                .iter()
                .try_fold(0_i64, |sum, text| Price::parse(text.as_bytes()).map(|p| sum.wrapping_add(p.raw())))
        })?;
    }
    let input = format!("{TEXTS} {shape}; {PASSES} warm passes");
    Ok(meter.figure(name, input, "text", crc32fast::hash(&sum.to_le_bytes())))
}
