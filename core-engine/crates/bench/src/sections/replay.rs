//! The inputs of a journal through a new engine: records, frames, books, decisions, text of the requests. No signatures,
//! no disk, and no comparison with the outcomes beyond a hash of all requests.

use anyhow::{Context, ensure};
use flashpod_engine::io::RequestClass;
use flashpod_engine::record::Record;
use flashpod_engine::{Action, Engine, Input};
use flashpod_types::Nanos;

use super::{Options, Section};
use crate::market;
use crate::meter::{Figure, Meter};
use crate::tape::Tape;
use crate::world::{START_UP, World, hash_request};

pub(crate) const SECTION: Section =
    Section { name: "replay", about: "a journal through a new engine, as fast as it goes", run };

const WARM_UP: usize = 1;
const RUNS: usize = 3;
/// The engine's clock when the recording begins.
const BEGIN: Nanos = Nanos::from_secs(1_000);

/// A journal and what is in it.
pub(crate) struct Journal {
    /// The records of its inputs.
    pub(crate) inputs: Vec<Vec<u8>>,
    frames: u64,
    levels: u64,
    trades: u64,
    others: u64,
    requests: u64,
    hash: u32,
}

impl Journal {
    /// Plays the tape to an engine with a strategy that quotes the touch, by the tape's own clock.
    pub(crate) fn of(tape: &Tape) -> anyhow::Result<Self> {
        let mut world = World::ready(tape, Nanos(BEGIN.0 - START_UP.0), true)?;
        let (mut frames, mut levels, mut trades) = (0, 0, 0);
        for frame in market::frames(tape) {
            let at = BEGIN + frame.due;
            while let Some(due) = world.next_deadline().filter(|due| *due <= at) {
                world.timer(due)?;
                world.settle(world.now())?;
            }
            let input = world.frame(frame.bytes, at);
            world.input(at, input)?;
            world.settle(at)?;
            frames += 1;
            levels += frame.levels;
            trades += frame.trades;
        }
        let counted = world.counted;
        let mut inputs = world.records.context("the world keeps its records")?;
        let mut failed = None;
        inputs.retain(|record| match Record::decode(record) {
            Ok(record) => matches!(record, Record::Input { .. }),
            Err(error) => failed.replace(error).is_some(),
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        Ok(Self {
            inputs,
            frames,
            levels,
            trades,
            others: counted.timers + counted.intents + counted.order_events,
            requests: counted.requests,
            hash: world.requests.finalize(),
        })
    }

    const fn events(&self) -> u64 {
        self.levels + self.trades + self.others
    }
}

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let tape = Tape::spot()?;
    let journal = Journal::of(&tape)?;
    let mut meter = Meter::with_room(WARM_UP + RUNS);
    for pass in 0..WARM_UP + RUNS {
        if pass == WARM_UP {
            meter.reset();
        }
        let hash = meter.sample(journal.events(), || replay(&journal.inputs))?;
        ensure!(
            hash == journal.hash,
            "replay {pass} led to other requests: {hash:08x}, not {:08x}",
            journal.hash
        );
    }
    let input = format!(
        "{}: journal of {} frames with {} level changes and {} trades, {} timers, intents and order events; {} order \
         requests, the same in {RUNS} runs and when it was written",
        tape.source, journal.frames, journal.levels, journal.trades, journal.others, journal.requests
    );
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    let per_event = journal.frames as f64 / journal.events() as f64;
    Ok(vec![
        meter
            .figure("records to request text", input, "event", journal.hash)
            .named("replay.eventsPerSecond", |figure| 1e9 / figure.median_ns)
            .named("replay.framesPerSecond", |figure| 1e9 / figure.median_ns * per_event),
    ])
}

/// Hash of all order requests.
pub(crate) fn replay(inputs: &[Vec<u8>]) -> anyhow::Result<u32> {
    let mut engine: Option<Engine> = None;
    let mut hasher = crc32fast::Hasher::new();
    let mut actions = Vec::new();
    for record in inputs {
        let Record::Input { stamp, input } = Record::decode(record)? else { continue };
        if let Input::Start(start) = &input {
            engine = Some(Engine::new(start));
        }
        let engine = engine.as_mut().context("the journal does not begin with a start")?;
        engine.handle(stamp, input, &mut actions);
        for action in actions.drain(..) {
            match action {
                Action::Http(request) if request.class != RequestClass::Query => {
                    hash_request(&request, &mut hasher);
                }
                action => drop(std::hint::black_box(action)),
            }
        }
    }
    Ok(hasher.finalize())
}
