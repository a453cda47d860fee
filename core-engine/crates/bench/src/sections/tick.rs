//! From the bytes of a frame to the bytes of the request it leads to, through the real engine, in this thread: the core
//! decides by a rule of its own.
//!
//! Open loop: frames are due at their recorded times, whether or not the one before is through, and a sample counts from
//! when its frame was due. What the exchange answers is handled between two frames, and so is the journal's way to the
//! disk, which another thread has in a running core.

use anyhow::{Context, ensure};
use flashpod_engine::io::{HttpRequest, RequestClass};
use flashpod_engine::{Action, record};
use flashpod_journal::{Upkeep, Writer};
use flashpod_mexc::Signer;
use flashpod_net::{Clock, cpu};
use flashpod_types::Nanos;

use super::{Options, Section};
use crate::market::{self, MarketFrame};
use crate::meter::{Allocations, Figure, Meter, percentile};
use crate::probe::{self, Probe, Probed};
use crate::tape::Tape;
use crate::world::{START_UP, World, hash_request};

pub(crate) const SECTION: Section = Section {
    name: "tick-to-order",
    about: "frame bytes to request bytes through the engine, the in-core rule quoting the touch, open loop",
    run,
};

/// The rule: skewed by imbalance and inventory, a side pulled where the book speaks against it.
const RULE: &str = "touch";
const PARAMETERS: [(&str, &str); 6] = [
    ("orderNotional", "60"),
    ("maxInventoryNotional", "5000"),
    ("imbalanceSkewBps", "0.2"),
    ("imbalanceLevels", "5"),
    ("inventorySkewBps", "1"),
    ("pullImbalance", "0.5"),
];

/// Frames before the first sample, at full speed.
const WARM_UP: usize = 1_000;
/// Before a frame is due, nothing but the clock is looked at.
const GUARD: Nanos = Nanos(20_000);
/// The journal goes to the disk this often, when the next frame is not due too soon.
const SYNC_EVERY: Nanos = Nanos::from_millis(50);
const SYNC_ROOM: Nanos = Nanos::from_millis(5);
const STAGES: [&str; 4] = [
    "journal append of the frame",
    "decoding, book, rule, risk, scheduling, text of the request",
    "journal append of what came of it",
    "signature",
];

/// Names of the plain numbers of a run: without stalls, raw, of the probe; allocations; samples taken out.
struct Names {
    clean: [&'static str; 3],
    raw: [&'static str; 3],
    probe: [&'static str; 3],
    allocations: &'static str,
    taken_out: &'static str,
}

const RECORDED: Names = Names {
    clean: ["tickToOrder.usP50", "tickToOrder.usP99", "tickToOrder.usP999"],
    raw: ["tickToOrder.raw.usP50", "tickToOrder.raw.usP99", "tickToOrder.raw.usP999"],
    probe: ["tickToOrder.probe.usP50", "tickToOrder.probe.usP99", "tickToOrder.probe.usP999"],
    allocations: "tickToOrder.allocations",
    taken_out: "tickToOrder.takenOut",
};
const TENFOLD: Names = Names {
    clean: ["tickToOrder.x10.usP50", "tickToOrder.x10.usP99", "tickToOrder.x10.usP999"],
    raw: ["tickToOrder.x10.raw.usP50", "tickToOrder.x10.raw.usP99", "tickToOrder.x10.raw.usP999"],
    probe: ["tickToOrder.x10.probe.usP50", "tickToOrder.x10.probe.usP99", "tickToOrder.x10.probe.usP999"],
    allocations: "tickToOrder.x10.allocations",
    taken_out: "tickToOrder.x10.takenOut",
};

fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let tape = Tape::spot()?;
    let frames = market::frames(&tape);
    let mut figures = Vec::new();
    for (name, speed, names) in
        [("at recorded times", 1, &RECORDED), ("at 10 times the recorded rate", 10, &TENFOLD)]
    {
        let directory = std::env::temp_dir().join(format!("flashpod-bench-tick-{}", std::process::id()));
        // Pinned in a thread of its own: what follows this section is not.
        let outcome = std::thread::scope(|scope| {
            let path = Path::new(&tape, &frames, speed, options.seconds, &directory);
            scope.spawn(move || path.measure()).join().map_err(|_| anyhow::anyhow!("the run panicked"))?
        });
        std::fs::remove_dir_all(&directory).context("the journal of the run")?;
        figures.push(outcome?.figure(name, &tape.source, names));
    }
    Ok(figures)
}

/// One sample.
#[derive(Debug, Clone, Copy)]
struct Sample {
    due: Nanos,
    end: Nanos,
    stages: [u64; STAGES.len()],
    cancel: bool,
    allocations: u64,
    switched: bool,
}

struct Outcome {
    samples: Vec<Sample>,
    frames: usize,
    seconds: u32,
    hash: u32,
    probed: Option<Probed>,
}

struct Path<'a> {
    tape: &'a Tape,
    frames: &'a [MarketFrame],
    speed: u64,
    seconds: u32,
    directory: &'a std::path::Path,
}

/// The end of the path: what makes a request's bytes, and the journal that comes before them.
struct Out {
    signer: Signer,
    text: String,
    buffer: Vec<u8>,
    actions: Vec<Action>,
    writer: Writer,
    upkeep: Upkeep,
    synced: Nanos,
    hasher: crc32fast::Hasher,
}

impl<'a> Path<'a> {
    fn new(
        tape: &'a Tape,
        frames: &'a [MarketFrame],
        speed: u64,
        seconds: u32,
        directory: &'a std::path::Path,
    ) -> Self {
        Self { tape, frames, speed, seconds, directory }
    }

    fn measure(self) -> anyhow::Result<Outcome> {
        let (run_cpu, probe_cpu) = probe::cpus()?;
        cpu::pin(run_cpu)?;
        let (writer, upkeep) = flashpod_journal::open(self.directory, flashpod_journal::Options::default())?;
        let mut out = Out {
            signer: Signer::new("sim-secret-0123456789abcdef"),
            text: String::with_capacity(1_024),
            buffer: Vec::with_capacity(1 << 16),
            actions: Vec::with_capacity(64),
            writer,
            upkeep,
            synced: Nanos::ZERO,
            hasher: crc32fast::Hasher::new(),
        };
        out.upkeep.tick()?;
        // The engine's clock is behind until it is ready, so that it never runs backwards.
        let start =
            Clock.mono().0.checked_sub(START_UP.0).context("the machine is up for too short a time")?;
        let mut world = World::ready(self.tape, Nanos(start), false)?;
        world.set_rule(RULE, &PARAMETERS)?;
        // Bytes are made shareable by their first copy, which allocates; those of a socket are from the start.
        self.frames.iter().for_each(|frame| drop(frame.bytes.clone()));
        let (warm, rest) = self.frames.split_at(WARM_UP.min(self.frames.len() / 2));
        let mut lengths: Vec<u64> = Vec::new();
        for frame in warm {
            let sample = out.path(&mut world, frame, Clock.mono())?;
            lengths.extend(sample.map(|sample| sample.end.0 - sample.due.0));
            world.settle(Clock.mono())?;
        }
        lengths.sort_unstable();
        let usual = lengths.get(lengths.len() / 2).copied().unwrap_or(5_000);
        let probe = probe_cpu.map(|cpu| Probe::start(cpu, usual, self.seconds + 5));
        let outcome = self.open_loop(&mut world, &mut out, rest);
        let probed = probe.map(Probe::stop).transpose()?;
        Ok(Outcome { probed, ..outcome? })
    }

    fn open_loop(&self, world: &mut World, out: &mut Out, frames: &[MarketFrame]) -> anyhow::Result<Outcome> {
        let first = frames.first().context("no frames are left")?.due.0;
        let offset = |frame: &MarketFrame| (frame.due.0 - first) / self.speed;
        let most = u64::from(self.seconds) * 1_000_000_000;
        let chosen = frames.iter().take_while(|frame| offset(frame) < most);
        let mut samples = Vec::with_capacity(frames.len());
        let mut handled = 0;
        let begin = Clock.mono().0 + 1_000_000;
        for frame in chosen {
            let due = Nanos(begin + offset(frame));
            out.between(world, due)?;
            let switches = cpu::involuntary_switches()?;
            while Clock.mono() < due {}
            if let Some(mut sample) = out.path(world, frame, due)? {
                sample.switched = cpu::involuntary_switches()? != switches;
                samples.push(sample);
            }
            world.settle(Clock.mono())?;
            handled += 1;
        }
        ensure!(!samples.is_empty(), "no frame led to a request");
        let hash = out.hasher.clone().finalize();
        Ok(Outcome { samples, frames: handled, seconds: self.seconds, hash, probed: None })
    }
}

impl Out {
    /// Until shortly before a frame: timers fire, and the journal goes to the disk.
    fn between(&mut self, world: &mut World, due: Nanos) -> anyhow::Result<()> {
        loop {
            let now = Clock.mono();
            if now + GUARD >= due {
                return Ok(());
            }
            if world.next_deadline().is_some_and(|at| at <= now) {
                world.timer(now)?;
                world.settle(Clock.mono())?;
            } else if now + SYNC_ROOM < due && now >= self.synced + SYNC_EVERY {
                self.upkeep.tick()?;
                self.synced = now;
            }
        }
    }

    /// One frame as the driver handles it: into the journal, into the engine, what came of it into the journal, and the
    /// bytes of the first request. A sample when there is one.
    // Of its own, so that instruction counts of the path can be told from the rest.
    #[inline(never)]
    fn path(&mut self, world: &mut World, frame: &MarketFrame, due: Nanos) -> anyhow::Result<Option<Sample>> {
        let counting = Allocations::begin();
        let received = Clock.mono();
        let input = world.frame(frame.bytes.clone(), received);
        let stamp = world.stamp(received);
        record::encode_input(stamp, &input, &mut self.buffer)?;
        self.writer.append(&self.buffer)?;
        let journaled = Clock.mono();
        world.handle(stamp, input, &mut self.actions);
        let handled = Clock.mono();
        record::encode_outcome(stamp.seq, &self.actions, &mut self.buffer)?;
        self.writer.append(&self.buffer)?;
        let written = Clock.mono();
        let sample = self.actions.iter().find_map(order_request).map(|request| {
            self.text.clear();
            self.text.push_str(&request.params);
            self.signer.append(&mut self.text);
            let end = Clock.mono();
            let times = [received, journaled, handled, written, end];
            hash_request(request, &mut self.hasher);
            Sample {
                due,
                end,
                stages: std::array::from_fn(|at| times[at + 1].0 - times[at].0),
                cancel: request.class == RequestClass::Cancel,
                allocations: counting.so_far(),
                switched: false,
            }
        });
        let mut actions = std::mem::take(&mut self.actions);
        actions.drain(..).try_for_each(|action| world.carry_out(action))?;
        self.actions = actions;
        Ok(sample)
    }
}

fn order_request(action: &Action) -> Option<&HttpRequest> {
    match action {
        Action::Http(request) if request.class != RequestClass::Query => Some(request),
        _ => None,
    }
}

impl Outcome {
    #[allow(clippy::cast_precision_loss)] // nanoseconds and counts far below 2^52
    fn figure(self, name: &str, source: &str, names: &Names) -> Figure {
        let Self { samples, frames, seconds, hash, probed } = self;
        let probed = probed.unwrap_or_default();
        let mut meter = Meter::with_room(samples.len());
        samples.iter().for_each(|sample| meter.record(sample.end.0 - sample.due.0));
        let disturbed = |sample: &&Sample| sample.switched || probed.stalled(sample.due, sample.end);
        let clean = sorted(samples.iter().filter(|s| !disturbed(s)).map(|s| (s.end.0 - s.due.0) as f64));
        let raw = sorted(samples.iter().map(|s| (s.end.0 - s.due.0) as f64));
        let pulses = sorted(probed.pulses.iter().copied());
        let cancels = samples.iter().filter(|sample| sample.cancel).count();
        let taken_out = samples.len() - clean.len();
        let input = format!(
            "{source}: {frames} frames in {seconds} s; {} led to a request: {} to an order, {cancels} to the cancel of one \
             that is replaced or pulled",
            samples.len(),
            samples.len() - cancels
        );
        let mut figure = meter.figure(name, input, "tick", hash);
        let allocations: u64 = samples.iter().map(|sample| sample.allocations).sum();
        figure.allocations_per_op = allocations as f64 / samples.len().max(1) as f64;
        figure =
            figure.remark(line("raw", &raw)).remark(line("spin probe beside it", &pulses)).remark(format!(
                "{}; {taken_out} of {} samples taken out",
                line("without probe stalls and involuntary switches", &clean),
                samples.len()
            ));
        if probed.pulses.is_empty() {
            figure = figure.remark("no probe: it needs a second CPU".to_owned());
        }
        for (at, stage) in STAGES.iter().enumerate() {
            let times = sorted(samples.iter().map(|sample| sample.stages[at] as f64));
            figure = figure.remark(line(&format!("  of which {stage}"), &times));
        }
        let told = [(names.clean, &clean), (names.raw, &raw), (names.probe, &pulses)];
        // Of no sample nothing is said.
        for (names, values) in told.into_iter().filter(|told| !told.1.is_empty()) {
            for (name, rank) in names.into_iter().zip(RANKS) {
                figure = figure.named(name, |_| percentile(values, rank) / 1_000.0);
            }
        }
        figure
            .named(names.allocations, |figure| figure.allocations_per_op)
            .named(names.taken_out, |_| taken_out as f64)
    }
}

/// p50, p99, p99.9.
const RANKS: [usize; 3] = [500, 990, 999];

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn line(name: &str, values: &[f64]) -> String {
    let [p50, p99, p999] = RANKS.map(|rank| percentile(values, rank) / 1_000.0);
    format!("{name}: p50 {p50:.2}, p99 {p99:.2}, p99.9 {p999:.2} µs")
}
