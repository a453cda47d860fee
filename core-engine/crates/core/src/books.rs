//! `flashpod-core books`: the states of one symbol's book over a recording, one CSV row per applied update.
//!
//! Columns: receive time in ns, the venue's event time, update id, level counts, then the best five levels of both
//! sides. Prices and quantities have as many decimals as the recording writes. Updates that waited for the snapshot
//! carry its receive time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use flashpod_book::{Book, CertifiedBook, Rule, SnapshotStep, State, Step, Update};
use flashpod_recordings::{Depth, Event, Places, Recording, Snapshot};
use flashpod_types::{Nanos, Side, Symbol};

/// Levels a side that a row shows.
const LEVELS: usize = 5;
/// Updates kept while no snapshot has come; the recordings need a few dozen.
const MAX_WAITING: usize = 100_000;

#[derive(Debug, clap::Args)]
pub(crate) struct BooksArgs {
    /// Recorded frame files (plain or gzip); files without a snapshot continue the former ones of their symbol
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    input: Vec<PathBuf>,
    /// The symbol whose book is rebuilt, e.g. BTCUSDT
    #[arg(long)]
    symbol: Symbol,
    /// Write only rows N, 2N, 3N, …
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one)]
    every: u64,
    /// Where the CSV goes; `-` is standard output
    #[arg(long, value_name = "F.csv")]
    out: PathBuf,
}

fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("every 0th row is none: a number of at least 1 is expected".to_owned()),
        Ok(n) => Ok(n),
        Err(_) => Err("a whole number of at least 1 is expected".to_owned()),
    }
}

pub(crate) fn run(args: &BooksArgs) -> anyhow::Result<()> {
    let recording = Recording::open(&args.input)?;
    refuse_to_replace_an_input(args)?;
    let mut output = Output::create(&args.out)?;
    let summary = write_states(recording, args, &mut output.writer)?;
    output.finish()?;
    eprintln!("{summary}");
    Ok(())
}

fn refuse_to_replace_an_input(args: &BooksArgs) -> anyhow::Result<()> {
    let Ok(out) = args.out.canonicalize() else { return Ok(()) };
    if args.input.iter().any(|input| input.canonicalize().is_ok_and(|input| input == out)) {
        bail!("--out {} is one of the input files: name another file", args.out.display());
    }
    Ok(())
}

fn write_states(recording: Recording, args: &BooksArgs, out: &mut dyn Write) -> anyhow::Result<String> {
    let mut states = States { rows: Rows::new(args.every, out)?, book: None, snapshot: None, lost: None };
    let mut seen = BTreeSet::new();
    for frame in recording {
        let frame = frame?;
        seen.insert(frame.symbol);
        if frame.symbol != args.symbol {
            continue;
        }
        match frame.event {
            Event::Snapshot(snapshot) => states.on_snapshot(frame.local, snapshot)?,
            Event::Depth(depth) => states.on_depth(frame.local, &depth)?,
            Event::Trade(_) | Event::Ticker(_) => {}
        }
    }
    if !seen.contains(&args.symbol) {
        let held: Vec<String> = seen.iter().map(ToString::to_string).collect();
        bail!("symbol {} is not in the recording, which holds {}", args.symbol, held.join(", "));
    }
    states.finish(args.symbol)
}

/// The book and what is needed to feed it.
struct States<'a> {
    rows: Rows<'a>,
    /// Made by the first update, which shows the continuity rule.
    book: Option<CertifiedBook>,
    /// A snapshot that came before the first update.
    snapshot: Option<(Nanos, Snapshot)>,
    /// What lost the certificate last.
    lost: Option<String>,
}

impl States<'_> {
    fn on_snapshot(&mut self, local: Nanos, snapshot: Snapshot) -> anyhow::Result<()> {
        self.rows.places = self.rows.places.max(snapshot.places);
        let Some(book) = &mut self.book else {
            self.snapshot = Some((local, snapshot));
            return Ok(());
        };
        feed_snapshot(book, &mut self.rows, local, &snapshot)
    }

    fn on_depth(&mut self, local: Nanos, depth: &Depth) -> anyhow::Result<()> {
        self.rows.places = self.rows.places.max(depth.places);
        if self.book.is_none() {
            let rule = if depth.prev_last.is_some() { Rule::BinanceFutures } else { Rule::BinanceSpot };
            let book = self.book.insert(CertifiedBook::new(rule, MAX_WAITING));
            if let Some((local, snapshot)) = self.snapshot.take() {
                feed_snapshot(book, &mut self.rows, local, &snapshot)?;
            }
        }
        let Some(book) = &mut self.book else { return Ok(()) };
        let update = Update {
            first: depth.first,
            last: depth.last,
            prev_last: depth.prev_last,
            event: depth.event,
            bids: &depth.bids,
            asks: &depth.asks,
        };
        match book.on_update(&update) {
            Step::Applied => self.rows.add(local, book.book(), &update)?,
            Step::Lost(loss) => {
                let event = depth.event.0;
                self.lost =
                    Some(format!("{loss:?} at update {} of {event} ms, received {}", depth.last, local.0));
            }
            Step::Duplicate | Step::Buffered => {}
        }
        Ok(())
    }

    fn finish(self, symbol: Symbol) -> anyhow::Result<String> {
        self.rows.out.flush().context("writing the rows")?;
        let Some(book) = &self.book else { bail!("the recording holds no depth update of {symbol}") };
        let counters = book.counters();
        if counters.syncs == 0 {
            bail!(
                "the recording holds no snapshot of {symbol} that its {} updates continue: name the file that the \
                 recording begins with as well",
                book.waiting() as u64 + counters.discarded + counters.duplicates
            );
        }
        if let State::Lost(loss) = book.state() {
            let detail = self.lost.unwrap_or_else(|| format!("{loss:?}"));
            bail!(
                "the book of {symbol} cannot be continued after row {}: {detail}; no later snapshot",
                self.rows.applied
            );
        }
        Ok(format!(
            "{symbol}: {} updates applied, {} rows written, {} gaps, {} duplicates, {} overlaps, {} covered by snapshots",
            self.rows.applied,
            self.rows.written,
            counters.gaps,
            counters.duplicates,
            counters.overlaps,
            counters.covered
        ))
    }
}

fn feed_snapshot(
    book: &mut CertifiedBook,
    rows: &mut Rows<'_>,
    local: Nanos,
    snapshot: &Snapshot,
) -> anyhow::Result<()> {
    let mut written = Ok(());
    let taken = flashpod_book::Snapshot {
        version: snapshot.last_update_id,
        bids: &snapshot.bids,
        asks: &snapshot.asks,
        // Recordings are rebuilt beyond what their snapshot reached, as the expected states are.
        limit: None,
    };
    let step = book.on_snapshot_with(&taken, |book, update| {
        if written.is_ok() {
            written = rows.add(local, book, update);
        }
    });
    written?;
    if let SnapshotStep::TooOld { snapshot, first } = step {
        let needed = first.saturating_sub(1);
        eprintln!("snapshot {snapshot} is too old, at least version {needed} is needed: not used");
    }
    Ok(())
}

/// The CSV.
struct Rows<'a> {
    out: &'a mut dyn Write,
    every: u64,
    places: Places,
    applied: u64,
    written: u64,
    line: String,
}

impl<'a> Rows<'a> {
    fn new(every: u64, out: &'a mut dyn Write) -> anyhow::Result<Self> {
        let mut line = "local_ts_ns,E_ms,u,n_bid_levels,n_ask_levels".to_owned();
        for side in ["bid", "ask"] {
            for n in 1..=LEVELS {
                line += &format!(",{side}{n}_px,{side}{n}_qty");
            }
        }
        writeln!(out, "{line}").context("writing the header")?;
        Ok(Self { out, every, places: Places::default(), applied: 0, written: 0, line })
    }

    fn add(&mut self, local: Nanos, book: &Book, update: &Update<'_>) -> anyhow::Result<()> {
        use std::fmt::Write as _;
        self.applied += 1;
        if !self.applied.is_multiple_of(self.every) {
            return Ok(());
        }
        let line = &mut self.line;
        line.clear();
        let (bids, asks) = (book.len(Side::Buy), book.len(Side::Sell));
        // Writing into a String does not fail.
        let _ = write!(line, "{},{},{},{bids},{asks}", local.0, update.event.0, update.last);
        for side in Side::BOTH {
            let mut levels = book.top(side, LEVELS);
            for _ in 0..LEVELS {
                match levels.next() {
                    Some((price, qty)) => {
                        push_decimal(line, price.raw(), self.places.price);
                        push_decimal(line, qty.raw(), self.places.qty);
                    }
                    None => line.push_str(",,"),
                }
            }
        }
        line.push('\n');
        self.out.write_all(line.as_bytes()).context("writing a row")?;
        self.written += 1;
        Ok(())
    }
}

/// A comma and the value with exactly `places` decimals. `raw` is in units of 1e-8 and not negative; a recording
/// whose texts had more decimals had zeros there.
fn push_decimal(line: &mut String, raw: i64, places: u8) {
    use std::fmt::Write as _;
    let scale = 100_000_000;
    let _ = write!(line, ",{}", raw / scale);
    if places > 0 {
        let fraction = format!("{:08}", raw % scale);
        let kept = fraction.get(..usize::from(places)).unwrap_or(&fraction);
        let _ = write!(line, ".{kept:0<width$}", width = usize::from(places));
    }
}

/// The output file under a temporary name until it is complete, so that a failed run leaves nothing that looks whole.
struct Output {
    writer: Box<dyn Write>,
    rename: Option<(PathBuf, PathBuf)>,
}

impl Output {
    fn create(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self { writer: Box::new(BufWriter::new(io::stdout())), rename: None });
        }
        // Devices and pipes are written in place.
        let special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        let target = if special { path.to_owned() } else { partial(path) };
        let file =
            File::create(&target).with_context(|| format!("{}: cannot be written", target.display()))?;
        let rename = (!special).then(|| (target, path.to_owned()));
        Ok(Self { writer: Box::new(BufWriter::with_capacity(1 << 18, file)), rename })
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.writer.flush().context("writing the rows")?;
        if let Some((from, to)) = self.rename.take() {
            std::fs::rename(&from, &to)
                .with_context(|| format!("{}: cannot be put in place", to.display()))?;
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((partial, _)) = &self.rename {
            // Best effort: the run has failed for a reason that is told already.
            let _ = std::fs::remove_file(partial);
        }
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_as_the_recording_writes_them() {
        for (raw, places, text) in [
            (6_183_763_000_000, 8, ",61837.63000000"),
            (6_180_020_000_000, 2, ",61800.20"),
            (290_900_000, 3, ",2.909"),
            (100_100_000_000, 0, ",1001"),
            (1, 8, ",0.00000001"),
            (150_000_000, 10, ",1.5000000000"),
        ] {
            let mut line = String::new();
            push_decimal(&mut line, raw, places);
            assert_eq!(line, text);
        }
    }
}
