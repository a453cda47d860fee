//! Appending to the journal, as the engine thread does before each order.

use flashpod_journal::open;

use super::{Options, Section};
use crate::meter::{Figure, Meter};

pub(crate) const SECTION: Section = Section {
    name: "journal-append",
    about: "one record into the mapped journal, synced by another thread",
    run,
};

const WARM_UP: usize = 50;
const SAMPLES: usize = 2_000;
const BATCH: usize = 50;
/// An order's input and outcome take about this much.
const RECORD: usize = 512;

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let directory = std::env::temp_dir().join(format!("flashpod-bench-journal-{}", std::process::id()));
    let outcome = measure(&directory);
    std::fs::remove_dir_all(&directory)?;
    outcome
}

fn measure(directory: &std::path::Path) -> anyhow::Result<Vec<Figure>> {
    let (mut writer, mut upkeep) = open(directory, flashpod_journal::Options::default())?;
    upkeep.tick()?;
    let mut record = vec![0_u8; RECORD];
    let mut meter = Meter::with_room(WARM_UP + SAMPLES);
    let mut hasher = crc32fast::Hasher::new();
    for sample in 0..WARM_UP + SAMPLES {
        if sample == WARM_UP {
            meter.reset();
        }
        record[..8].copy_from_slice(&(sample as u64).to_le_bytes());
        meter.sample(BATCH as u64, || (0..BATCH).try_for_each(|_| writer.append(&record)))?;
        hasher.update(&record);
        // Files are made ahead outside the timing, as the journal thread does.
        if sample.is_multiple_of(100) {
            upkeep.tick()?;
        }
    }
    let input = format!("records of {RECORD} bytes in {}; batches of {BATCH}", directory.display());
    Ok(vec![meter.figure("append", input, "record", hasher.finalize())])
}
