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
const RUNS: usize = 9;
/// Records in a sample.
const BATCH: usize = 500;
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
    let batches = journal.inputs.len().div_ceil(BATCH);
    let mut meter = Meter::with_room((WARM_UP + RUNS) * batches);
    for pass in 0..WARM_UP + RUNS {
        if pass == WARM_UP {
            meter.reset();
        }
        let mut replay = Replay::default();
        for batch in journal.inputs.chunks(BATCH) {
            meter.sample(batch.len() as u64, || replay.records(batch))?;
        }
        let hash = replay.hash();
        ensure!(
            hash == journal.hash,
            "replay {pass} led to other requests: {hash:08x}, not {:08x}",
            journal.hash
        );
    }
    let input = format!(
        "{}: journal of {} records: {} frames with {} level changes and {} trades, {} timers, intents and order events; {} \
         order requests, the same in {RUNS} runs and when it was written",
        tape.source,
        journal.inputs.len(),
        journal.frames,
        journal.levels,
        journal.trades,
        journal.others,
        journal.requests
    );
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    let [records, events, frames] =
        [journal.inputs.len() as u64, journal.events(), journal.frames].map(|count| count as f64);
    // What the machine did to some batches of some runs does not show.
    let seconds = meter.undisturbed_mean(batches) * records / 1e9;
    Ok(vec![
        meter
            .figure("records to request text", input, "record", journal.hash)
            .remark(format!(
                "each of the {batches} batches at its median over the runs: {seconds:.4} s in all"
            ))
            .named("replay.eventsPerSecond", |_| events / seconds)
            .named("replay.framesPerSecond", |_| frames / seconds),
    ])
}

/// Hash of all order requests.
pub(crate) fn replay(inputs: &[Vec<u8>]) -> anyhow::Result<u32> {
    let mut replay = Replay::default();
    replay.records(inputs)?;
    Ok(replay.hash())
}

/// A new engine that is fed with records.
#[derive(Default)]
struct Replay {
    engine: Option<Engine>,
    hasher: crc32fast::Hasher,
    actions: Vec<Action>,
}

impl Replay {
    fn records(&mut self, records: &[Vec<u8>]) -> anyhow::Result<()> {
        let Self { engine, hasher, actions } = self;
        for record in records {
            let Record::Input { stamp, input } = Record::decode(record)? else { continue };
            if let Input::Start(start) = &input {
                *engine = Some(Engine::new(start));
            }
            let engine = engine.as_mut().context("the journal does not begin with a start")?;
            engine.handle(stamp, input, actions);
            for action in actions.drain(..) {
                match action {
                    Action::Http(request) if request.class != RequestClass::Query => {
                        hash_request(&request, hasher);
                    }
                    action => drop(std::hint::black_box(action)),
                }
            }
        }
        Ok(())
    }

    fn hash(self) -> u32 {
        self.hasher.finalize()
    }
}
