//! Engine loop and journal keeper stepped by hand in one thread, with small files: what a kill -9 at any moment
//! leaves is a copy of the files at that moment.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flashpod_engine::io::{AgentInput, Desired, HaltAction, HaltPolicy, Input, Start};
use flashpod_engine::record::Record;
use flashpod_engine::replay::{Verified, verify};
use flashpod_engine::{Engine, EngineConfig, Environment, Folded, StopPolicy, fold};
use flashpod_gateway::{AccountLink, engine_link};
use flashpod_journal::{Options, Reader};
use flashpod_net::NetCommand;
use flashpod_net::cpu::PollMode;
use flashpod_net::ring::{Inbox, InboxSender, OutboxReceiver, outbox};
use flashpod_telemetry::{Telemetry, TelemetryConfig};

use super::super::driver::{Begun, Delivery, Driver, DriverCounters};
use super::{Keeper, Signals};

const SEGMENT: usize = 16 << 10;
const KEEP: u64 = 6 * SEGMENT as u64;

struct Stepped {
    begun: Begun,
    keeper: Keeper,
    inputs: InboxSender<Delivery>,
    counters: Arc<DriverCounters>,
    /// Numbers what is handed in.
    handed: u64,
    _telemetry: Telemetry,
    _link: AccountLink<Delivery>,
    _commands: OutboxReceiver<NetCommand>,
}

impl Stepped {
    /// Recovers and begins a run, as `account::prepare` does.
    fn start(directory: &Path) -> Self {
        let folded = recovered(directory);
        let start = Start {
            config: EngineConfig::new("main".to_owned(), Environment::Simulated, StopPolicy::Cancel),
            incarnation: folded.recovered.incarnation + 1,
            recovered: folded.recovered,
        };
        let handed = start.recovered.highest_epoch;
        let (journal, upkeep) =
            flashpod_journal::open(directory, Options { segment_bytes: SEGMENT }).unwrap();
        let (inbox, [inputs]) = Inbox::new(PollMode::Park, [16]);
        let (net, commands) = outbox(16);
        let (link, gateway) = engine_link("main".to_owned(), inputs.clone());
        let config = TelemetryConfig { version: String::new(), accounts: vec!["main".to_owned()] };
        let (telemetry, mut recorders) = Telemetry::start(config, "127.0.0.1:0").unwrap();
        let signals = Arc::new(Signals::default());
        let counters = Arc::new(DriverCounters::default());
        let driver = Driver {
            engine: Engine::new(&start),
            journal,
            inbox,
            net,
            link,
            recorder: recorders.remove(0),
            signals: Arc::clone(&signals),
            counters: Arc::clone(&counters),
            abandoned: Arc::default(),
            next_seq: folded.next_seq,
        };
        let begun = driver.begin(Input::Start(Box::new(start))).unwrap();
        let keeper = Keeper::new(upkeep, KEEP, signals, Arc::clone(&counters));
        let (_telemetry, _link, _commands) = (telemetry, gateway, commands);
        Self { begun, keeper, inputs, counters, handed, _telemetry, _link, _commands }
    }

    /// Every third input is a renewal with an epoch of its own, which is a fact; before it something bulky comes and
    /// its announcement.
    fn load(&mut self) {
        self.handed += 1;
        let number = self.handed / 3;
        let input = match self.handed % 3 {
            0 => AgentInput::LeaseAttempt { attempt: number },
            1 => AgentInput::LeaseRenewed {
                attempt: number,
                epoch: number,
                soft_deadline_ms: 35_000,
                hard_deadline_ms: 55_000,
            },
            _ => AgentInput::Desired(Box::new(Desired {
                generation: number,
                halts: vec![HaltPolicy {
                    name: "h".repeat(1500),
                    uid: format!("uid-{}", number % 5),
                    action: HaltAction::Cancel,
                    instances: Vec::new(),
                    all: true,
                }],
                ..Default::default()
            })),
        };
        self.inputs.try_push(Delivery::Input(Input::Agent(input))).unwrap();
        self.begun.turn().unwrap();
    }

    fn count(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.counters.checkpoints), read(&self.counters.pruned_files))
    }
}

fn recovered(directory: &Path) -> Folded {
    fold(Reader::open_last_run(directory).unwrap()).unwrap()
}

fn verified(directory: &Path) -> Verified {
    verify(Reader::open(directory).unwrap()).unwrap()
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".journal"))
        .collect();
    names.sort();
    names
}

/// What a kill leaves now.
fn killed(directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in files(directory) {
        std::fs::copy(directory.join(&name), copy.path().join(&name)).unwrap();
    }
    copy
}

/// The state comes back as it was, and everything but the run with the pruned beginning is verified.
fn assert_recovers(left: &Path, known: &Folded, what: &str) {
    assert_eq!(recovered(left), *known, "{what}");
    let verified = verified(left);
    let pruned = verified.pruned_inputs;
    assert_eq!(pruned > 0, verified.runs == 0, "{what}: {pruned} inputs not verified");
    assert!(verified.inputs + pruned <= known.next_seq, "{what}");
}

#[test]
fn an_account_whose_journal_can_not_be_kept_stops_in_order_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let mut run = Stepped::start(directory.path());
    run.load();
    run.keeper.signals.failure.get_or_init(|| "no room".to_owned());
    let error = run.begun.run().unwrap_err().to_string();
    assert!(error.contains("the journal can't be kept"), "{error}");
    let stopped = Reader::open(directory.path())
        .unwrap()
        .map(Result::unwrap)
        .any(|bytes| matches!(Record::decode(&bytes), Ok(Record::Input { input: Input::Stop, .. })));
    assert!(stopped, "the stop is in the journal, as every input is");
}

#[test]
fn whenever_a_process_dies_while_its_journal_is_pruned_its_state_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path();
    let mut core = Stepped::start(directory);
    let (mut between, mut midway) = (0, 0);
    for step in 0..1500 {
        let (checkpoints, _) = core.count();
        core.load();
        if core.count().0 > checkpoints {
            // Written, and the keeper has not heard of it.
            assert_recovers(killed(directory).path(), &core.begun.known(), "between checkpoint and prune");
            between += 1;
        }
        if step % 5 != 0 {
            continue;
        }
        let left = killed(directory);
        let (before, (_, pruned)) = (files(directory), core.count());
        core.keeper.tick().unwrap();
        for name in &before[..usize::try_from(core.count().1 - pruned).unwrap()] {
            // The prune died after each of the files it removed.
            std::fs::remove_file(left.path().join(name)).unwrap();
            assert_recovers(left.path(), &core.begun.known(), "in the midst of a prune");
            midway += 1;
        }
        let bytes = SEGMENT as u64 * files(directory).len() as u64;
        assert!(bytes <= KEEP + SEGMENT as u64, "{bytes} bytes at step {step}");
        if step % 100 == 0 {
            assert_recovers(killed(directory).path(), &core.begun.known(), "at any time");
        }
    }
    assert!(between >= 5 && midway >= 20, "{between} checkpoints, {midway} files");
    assert!(core.begun.known().recovered.highest_epoch > 400);

    // The next run begins with it, and from there on everything is verified again.
    let (known, last) = (core.begun.known(), verified(directory));
    assert_eq!(last.runs, 0);
    drop(core);
    let mut core = Stepped::start(directory);
    for _ in 0..30 {
        core.load();
    }
    let again = verified(directory);
    assert_eq!((again.runs, again.pruned_inputs, again.cut_off), (1, last.pruned_inputs, 0));
    assert_eq!(again.states, last.states + 1, "the second start equals what the first run left");
    assert!(again.inputs > 30, "{again:?}");
    let now = core.begun.known();
    assert_eq!(now.recovered.incarnation, known.recovered.incarnation + 1);
    assert_eq!(recovered(directory), now);
}

#[test]
fn of_many_short_runs_the_oldest_go_whole_and_the_rest_is_verified_whole() {
    let home = tempfile::tempdir().unwrap();
    for run in 1..=20 {
        let mut core = Stepped::start(home.path());
        core.keeper.tick().unwrap();
        for _ in 0..20 {
            core.load();
            core.keeper.tick().unwrap();
        }
        assert_eq!(core.count().0, 0, "a start is checkpoint enough");
        let left = verified(home.path());
        assert_eq!((left.pruned_inputs, left.cut_off), (0, 0));
        assert!((run.min(3)..=run).contains(&left.runs), "{} runs after {run}", left.runs);
        assert!(SEGMENT as u64 * files(home.path()).len() as u64 <= KEEP);
        assert_eq!(recovered(home.path()), core.begun.known());
    }
}
