//! An exchange's frame over a loopback connection into the core, and the core's request back: plain and TLS, beside a
//! raw TCP round trip of the same sizes in the same run.
//!
//! Both ends spin, each on a CPU of its own, so this is a driver of its own: the core refuses to spin on CPUs that others
//! may use, and these are shared. What runs is the engine, the journal, the codecs and the signer of the core; the
//! exchange's end is a thread that writes recorded frames and waits for what comes. WebSocket frames are read and
//! requests written here in a few lines: one connection down, one up, as the core has them.

mod core;
mod exchange;
mod wire;

use flashpod_net::cpu;
use flashpod_types::Nanos;

use super::{Options, Section};
use crate::market::{self, MarketFrame};
use crate::meter::{Figure, Meter};
use crate::probe;
use crate::tape::Tape;
use wire::Wires;

pub(crate) const SECTION: Section = Section {
    name: "loopback",
    about: "exchange to core to exchange over loopback, both ends spinning, beside a raw round trip",
    run,
};

/// Frames before the first sample, and of the run.
const WARM_UP: usize = 500;
const FRAMES: usize = 6_000;
/// Between the end of one frame's handling and the next frame.
const PAUSE_NS: u64 = 100_000;
/// Raw round trips, with messages as long as a frame and a request are.
const RAW: usize = 10_000;
const REQUEST_BYTES: usize = 430;

/// The longest that each run takes, on a machine that has no time for it.
const MOST: Nanos = Nanos::from_secs(30);

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let tape = Tape::spot()?;
    let frames = market::frames(&tape);
    let frames = &frames[..frames.len().min(WARM_UP + FRAMES)];
    let raw = round_trips(raw_trips)?;
    let plain = round_trips(|wires, core_cpu| through(&tape, frames, wires, core_cpu))?;
    let tls = tls(&tape, frames)?;
    let input = format!(
        "{}: up to {} frames one after the other, {} µs between; the strategy quotes the touch at each change of it",
        tape.source,
        frames.len() - WARM_UP,
        PAUSE_NS / 1_000
    );
    let bytes = frames.iter().map(|frame| frame.bytes.len()).sum::<usize>() / frames.len().max(1);
    Ok(vec![
        figure("raw TCP", format!("{bytes} bytes there, {REQUEST_BYTES} back, busy-polled"), &raw, RAW_NAMES),
        figure("plain", input.clone(), &plain, PLAIN_NAMES),
        figure("TLS", input, &tls, TLS_NAMES),
    ])
}

const RAW_NAMES: [&str; 3] = ["loopback.raw.usP50", "loopback.raw.usP99", "loopback.raw.usP999"];
const PLAIN_NAMES: [&str; 3] = ["loopback.usP50", "loopback.usP99", "loopback.usP999"];
const TLS_NAMES: [&str; 3] = ["loopback.tls.usP50", "loopback.tls.usP99", "loopback.tls.usP999"];

fn figure(name: &str, input: String, times: &[u64], [p50, p99, p999]: [&'static str; 3]) -> Figure {
    let mut meter = Meter::with_room(times.len());
    times.iter().for_each(|nanos| meter.record(*nanos));
    meter
        .figure(name, input, "round trip", 0)
        .named(p50, |figure| figure.median_ns / 1_000.0)
        .named(p99, |figure| figure.p99_ns / 1_000.0)
        .named(p999, |figure| figure.p999_ns / 1_000.0)
}

/// Runs the exchange's end in a thread on one CPU; `run` is told its wires and the CPU of the core's end.
fn round_trips(
    run: impl FnOnce(Wires, Option<usize>) -> anyhow::Result<Vec<u64>> + Send,
) -> anyhow::Result<Vec<u64>> {
    let wires = Wires::plain()?;
    on_its_cpu(|core_cpu| run(wires, core_cpu))
}

fn tls(tape: &Tape, frames: &[MarketFrame]) -> anyhow::Result<Vec<u64>> {
    let wires = Wires::tls()?;
    on_its_cpu(|core_cpu| through(tape, frames, wires, core_cpu))
}

fn on_its_cpu(
    run: impl FnOnce(Option<usize>) -> anyhow::Result<Vec<u64>> + Send,
) -> anyhow::Result<Vec<u64>> {
    let (exchange_cpu, core_cpu) = probe::cpus()?;
    anyhow::ensure!(core_cpu.is_some(), "two CPUs are needed, this process may use one");
    std::thread::scope(|scope| {
        let pinned = scope.spawn(|| {
            cpu::pin(exchange_cpu)?;
            run(core_cpu)
        });
        pinned.join().map_err(|_| anyhow::anyhow!("the exchange's end panicked"))?
    })
}

fn through(
    tape: &Tape,
    frames: &[MarketFrame],
    wires: Wires,
    core_cpu: Option<usize>,
) -> anyhow::Result<Vec<u64>> {
    let Wires { exchange, core } = wires;
    std::thread::scope(|scope| {
        let core = scope.spawn(move || {
            core_cpu.map_or(Ok(()), cpu::pin)?;
            core::run(tape, core)
        });
        let times = exchange::run(exchange, frames, WARM_UP, PAUSE_NS, MOST);
        core.join().map_err(|_| anyhow::anyhow!("the core's end panicked"))??;
        times
    })
}

fn raw_trips(wires: Wires, core_cpu: Option<usize>) -> anyhow::Result<Vec<u64>> {
    let Wires { exchange, core } = wires;
    std::thread::scope(|scope| {
        let echo = scope.spawn(move || {
            core_cpu.map_or(Ok(()), cpu::pin)?;
            exchange::echo(core, REQUEST_BYTES)
        });
        let times = exchange::ping(exchange, WARM_UP, RAW, REQUEST_BYTES, MOST);
        echo.join().map_err(|_| anyhow::anyhow!("the other end panicked"))??;
        times
    })
}
