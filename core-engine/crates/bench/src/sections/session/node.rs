//! Into the sidecar's own reader in Node: one way at 1 kHz, as many updates as go, and a reader that sleeps.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, bail, ensure};
use flashpod_gateway::instance_socket;
use flashpod_net::cpu;
use serde::Deserialize;
use tokio::sync::oneshot;

use super::bare;
use super::play::{EVENTS, LEVELS, Played, SAMPLES, SLEEP, Stalled, WARM_UP};
use crate::meter::{Figure, Meter};
use crate::node;
use crate::sections::{Options, Section};
use crate::stage::Stage;

pub(crate) const SECTION: Section = Section {
    name: "session",
    about: "books, trades and order events from the engine's ring to the sidecar's reader in Node",
    run,
};

const INSTANCE: &str = "bench";
/// Updates a second that are handed over; what arrives is the figure.
const RATE: u64 = 1_000_000;

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let cpus = cpu::allowed()?;
    let [first, .., last] = cpus[..] else { bail!("two CPUs are needed, this process may use {cpus:?}") };
    let mut figures = Vec::new();
    for (placement, names, bare_names) in [
        (Placement::Free, ["session.usP50", "session.usP99"], ["session.bare.usP50", "session.bare.usP99"]),
        (
            Placement::Apart(first, last),
            ["session.apart.usP50", "session.apart.usP99"],
            ["session.bare.apart.usP50", "session.bare.apart.usP99"],
        ),
        (
            Placement::Together(first),
            ["session.together.usP50", "session.together.usP99"],
            ["session.bare.together.usP50", "session.bare.together.usP99"],
        ),
    ] {
        let told = on(placement.core(), || through_gateway(placement))?;
        let input = format!(
            "{LEVELS} levels a side, 1 a ms, {} conflated; {}; decoded and handed to a strategy's onBook",
            told.read.conflated,
            placement.told()
        );
        let figure = figure("ring to strategy in Node", input, &told.read, names);
        figures.push(if placement == Placement::Free { with_load(figure, &told)? } else { figure });
        let bare = on(placement.core(), || bare_stream(placement))?;
        let input = format!("no levels, no gateway, 1 a ms; {}", placement.told());
        figures.push(self::figure("bare stream to the same reader", input, &bare, bare_names));
    }
    Ok(figures)
}

/// Where the threads of the core and the reader run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    Free,
    /// CPU of the core's threads, and of the reader.
    Apart(usize, usize),
    Together(usize),
}

impl Placement {
    const fn told(self) -> &'static str {
        match self {
            Self::Free => "nothing pinned",
            Self::Apart(..) => "engine and gateway on one CPU, Node on another",
            Self::Together(_) => "engine, gateway and Node on one CPU",
        }
    }

    const fn core(self) -> Option<usize> {
        match self {
            Self::Free => None,
            Self::Apart(core, _) | Self::Together(core) => Some(core),
        }
    }

    const fn reader(self) -> Option<usize> {
        match self {
            Self::Free => None,
            Self::Apart(_, reader) | Self::Together(reader) => Some(reader),
        }
    }
}

/// Runs in a thread on this CPU: what it starts, threads and processes, inherits that.
fn on<T: Send>(cpu: Option<usize>, run: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    std::thread::scope(|scope| {
        let pinned = scope.spawn(|| {
            cpu.map_or(Ok(()), cpu::pin)?;
            run()
        });
        pinned.join().map_err(|_| anyhow::anyhow!("the run panicked"))?
    })
}

/// What the reader tells when it ends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    latencies_ns: Vec<u64>,
    conflated: u64,
    /// Between the marks: updates that arrived, and how long that took.
    updates: u64,
    updates_dropped: u64,
    updates_ns: u64,
    order_events: u64,
    sequence_holes: u64,
    /// Of the books and trades while it slept: left out, as the messages count it.
    slept_conflated: u64,
    slept_dropped: u64,
}

struct Told {
    read: Read,
    handed: u64,
    ring_full: u64,
    stalled: Stalled,
}

fn through_gateway(placement: Placement) -> anyhow::Result<Told> {
    let (stage, inbox, link) = Stage::open(&[INSTANCE])?;
    let engine = std::thread::spawn(move || {
        let mut engine = Played::new(inbox, link);
        engine.open(1);
        engine.books();
        engine.mark(1);
        let handed = engine.flood(RATE);
        engine.mark(2);
        engine.mark(3);
        let stalled = engine.stall(INSTANCE);
        engine.until_closed();
        (handed, engine.full, stalled)
    });
    let read = read(placement, &instance_socket(&stage.directory, INSTANCE), "all");
    if read.is_err() {
        // The played engine waits for a session that will not end: the process is about to.
        return Err(read.err().context("no error")?);
    }
    let (handed, ring_full, stalled) =
        engine.join().map_err(|_| anyhow::anyhow!("the sending thread panicked"))?;
    stage.close()?;
    Ok(Told { read: read?, handed, ring_full, stalled })
}

fn bare_stream(placement: Placement) -> anyhow::Result<Read> {
    let socket = std::env::temp_dir().join(format!("fpbare{}.sock", std::process::id()));
    let (stop, stopped) = oneshot::channel();
    let server = std::thread::spawn({
        let socket = socket.clone();
        move || bare::serve(socket, stopped)
    });
    let read = read(placement, &socket, "books");
    drop(stop);
    server.join().map_err(|_| anyhow::anyhow!("the server panicked"))??;
    std::fs::remove_file(&socket)?;
    read
}

/// Starts the reader and waits for what it tells.
fn read(placement: Placement, socket: &Path, parts: &str) -> anyhow::Result<Read> {
    let mut command = node::script("reader.ts", socket, INSTANCE)?;
    command
        .args(["--parts", parts])
        .args(["--last", &(WARM_UP + SAMPLES).to_string(), "--warm", &WARM_UP.to_string()])
        .args(["--events", &EVENTS.to_string(), "--sleep-ms", &(SLEEP.as_millis()).to_string()])
        .stderr(Stdio::inherit());
    let output = on(placement.reader(), || Ok(command.output()?)).context("the reader cannot be started")?;
    ensure!(output.status.success(), "the reader ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("what the reader told")
}

fn figure(name: &str, input: String, read: &Read, names: [&'static str; 2]) -> Figure {
    let mut meter = Meter::with_room(read.latencies_ns.len());
    read.latencies_ns.iter().for_each(|nanos| meter.record(*nanos));
    // Which books arrive unconflated depends on the machine: there is no result to compare.
    let [p50, p99] = names;
    meter
        .figure(name, input, "book", 0)
        .named(p50, |figure| figure.median_ns / 1_000.0)
        .named(p99, |figure| figure.p99_ns / 1_000.0)
}

/// The parts under load, told with the figure.
#[allow(clippy::cast_precision_loss)] // counts far below 2^52
fn with_load(figure: Figure, told: &Told) -> anyhow::Result<Figure> {
    let Told { read, handed, ring_full, stalled } = told;
    ensure!(
        read.order_events == EVENTS && read.sequence_holes == 0,
        "{} of {EVENTS} order events arrived, with {} holes",
        read.order_events,
        read.sequence_holes
    );
    let per_second = read.updates as f64 * 1e9 / read.updates_ns.max(1) as f64;
    let grown = stalled.most_kb.saturating_sub(stalled.before_kb);
    let figure = figure
        .remark(format!(
            "handed over {RATE} updates/s in books and batches of trades: {handed} updates, {} arrived ({per_second:.0}/s), \
             {} left out and counted, the engine's ring full {ring_full} times",
            read.updates, read.updates_dropped
        ))
        .remark(format!(
            "reader asleep for {} s: all {EVENTS} order events arrived in order; {} books and {} trades were handed \
             over meanwhile, {} and {} of them left out and counted; memory of the sending process grew by {grown} kB",
            SLEEP.0 / 1_000_000_000,
            stalled.books,
            stalled.trades,
            read.slept_conflated,
            read.slept_dropped
        ));
    Ok(figure
        .named("session.updatesPerSecond", |_| per_second)
        .named("session.stalledReader.grownKb", |_| grown as f64))
}
