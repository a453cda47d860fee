//! One account: its journal, its threads, and their end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use flashpod_engine::{Engine, EngineConfig, Input, Start, StopPolicy, fold};
use flashpod_gateway::{AccountLink, engine_link};
use flashpod_journal::{Options as JournalOptions, Reader};
use flashpod_net::cpu::{Pins, PollMode};
use flashpod_net::pause::Pause;
use flashpod_net::ring::{Inbox, InboxSender, OutboxReceiver, outbox};
use flashpod_net::{NetCommand, NetConfig, NetOptions, NetThread, RestConfig, Tls};
use flashpod_telemetry::Recorder;
use tokio::sync::mpsc;

use super::driver::{Begun, Delivery, Driver, DriverCounters};
use super::upkeep::{JournalThread, Keeper};
use crate::config::{Account, Journal, Venue};
use crate::credentials;
use crate::timing::Timing;

/// Frames and replies that may wait for the engine; beyond it the sockets are read no further.
const NET_RING: usize = 8192;
/// Messages of sidecars and agent that may wait; beyond it their streams are read no further.
const GATEWAY_RING: usize = 2048;
const CONTROL_RING: usize = 4;
/// Requests that may wait for the network thread.
const COMMAND_RING: usize = 4096;

pub(crate) struct Options {
    pub(crate) config: Account,
    pub(crate) stop_policy: StopPolicy,
    pub(crate) journal: Journal,
    pub(crate) timing: Timing,
    pub(crate) venue: Venue,
    pub(crate) tls: Tls,
    pub(crate) poll_mode: PollMode,
    /// Where the threads are pinned.
    pub(crate) pins: Pins,
    /// A ban of the address, for all accounts.
    pub(crate) ban: Arc<Pause>,
    pub(crate) state_dir: PathBuf,
    pub(crate) credentials_dir: PathBuf,
}

/// The end of an engine thread.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) account: String,
    pub(crate) outcome: anyhow::Result<()>,
}

/// An account whose start is in the journal and which has not spoken to anybody yet.
pub(crate) struct Prepared {
    begun: Begun,
    journal: JournalThread,
    link: Option<AccountLink<Delivery>>,
    net: NetConfig,
    commands: OutboxReceiver<NetCommand>,
    inputs: InboxSender<Delivery>,
    control: InboxSender<Delivery>,
    gateway_inputs: InboxSender<Delivery>,
    counters: Arc<DriverCounters>,
    abandoned: Arc<AtomicBool>,
    cpu: Option<usize>,
}

/// Reads the credentials, recovers the state from the journal, and writes down the start of this run.
pub(crate) fn prepare(options: Options, recorder: Recorder) -> anyhow::Result<Prepared> {
    let Options {
        config,
        stop_policy,
        journal: kept,
        timing,
        venue,
        tls,
        poll_mode,
        pins,
        ban,
        state_dir,
        credentials_dir,
    } = options;
    let account = config.name;
    let credentials = config.credentials.map(|folder| credentials::read(&credentials_dir.join(folder)));
    let credentials = credentials.transpose()?;
    let directory = state_dir.join(&account).join("journal");
    let folded = fold(Reader::open_last_run(&directory)?).context("the journal can't be recovered")?;
    let mut engine = EngineConfig::new(account.clone(), config.environment, stop_policy);
    engine.credentials = credentials.is_some();
    // Checked when the file was read.
    engine.paper = config.paper.to_engine().unwrap_or_default();
    let start = Start {
        config: timing.apply(engine),
        incarnation: folded.recovered.incarnation + 1,
        recovered: folded.recovered,
    };
    tracing::info!(
        account,
        environment = ?config.environment,
        incarnation = start.incarnation,
        inputs = folded.next_seq,
        live_orders = start.recovered.orders.live().count(),
        "state recovered"
    );
    let (journal, mut upkeep) =
        flashpod_journal::open(&directory, JournalOptions { segment_bytes: kept.segment_bytes() })?;
    let (inbox, [inputs, gateway_inputs, control]) =
        Inbox::new(poll_mode, [NET_RING, GATEWAY_RING, CONTROL_RING]);
    let (net_commands, commands) = outbox(COMMAND_RING);
    let (engine_end, link) = engine_link(account.clone(), gateway_inputs.clone());
    // The incarnation must outlive even a crash of the host before the first order carries it; the start record is
    // synced below, before any other thread is there.
    let signals = Arc::default();
    let counters = Arc::new(DriverCounters::default());
    let abandoned = Arc::new(AtomicBool::new(false));
    let driver = Driver {
        engine: Engine::new(&start),
        journal,
        inbox,
        net: net_commands,
        link: engine_end,
        recorder,
        signals: Arc::clone(&signals),
        counters: Arc::clone(&counters),
        abandoned: Arc::clone(&abandoned),
        next_seq: folded.next_seq,
    };
    let begun = driver.begin(Input::Start(Box::new(start)))?;
    upkeep.tick()?;
    let keeper = Keeper::new(upkeep, kept.keep_bytes(), signals, Arc::clone(&counters));
    let journal = JournalThread::spawn(&account, keeper)?;
    let (key, signer) = credentials.map(|keys| (keys.api_key, keys.signer)).unzip();
    let rest = RestConfig::new(venue.rest, key, signer);
    let options = NetOptions { poll_mode, cpu: pins.network, ban, ..NetOptions::default() };
    let net = NetConfig { account, rest, websocket: venue.websocket, tls, options };
    let link = Some(link);
    Ok(Prepared {
        begun,
        journal,
        link,
        net,
        commands,
        inputs,
        control,
        gateway_inputs,
        counters,
        abandoned,
        cpu: pins.engine,
    })
}

impl Prepared {
    pub(crate) fn name(&self) -> &str {
        &self.net.account
    }

    /// The gateway's end; there is one.
    pub(crate) fn take_link(&mut self) -> Option<AccountLink<Delivery>> {
        self.link.take()
    }

    /// Starts network and engine; `ended` hears of the engine's end.
    pub(crate) fn start(self, ended: mpsc::UnboundedSender<Ended>) -> anyhow::Result<RunningAccount> {
        let Self {
            begun,
            journal,
            net,
            commands,
            inputs,
            control,
            gateway_inputs,
            counters,
            abandoned,
            cpu,
            ..
        } = self;
        let name = net.account.clone();
        let net_inputs = inputs.clone();
        let net = NetThread::spawn(net, commands, inputs).context("the network thread can't be started")?;
        let engine = std::thread::Builder::new()
            .name(format!("engine-{name}"))
            .spawn({
                let account = name.clone();
                move || {
                    let pinned = cpu.map_or(Ok(()), flashpod_net::cpu::pin);
                    // A panic must be heard of too: with other accounts there is no other sign of it.
                    let run = AssertUnwindSafe(|| begun.run().map_err(anyhow::Error::from));
                    let run = || catch_unwind(run).unwrap_or_else(|_| Err(anyhow!("the engine panicked")));
                    let outcome = pinned.context("the engine thread can't be pinned").and_then(|()| run());
                    // Nobody listens any more once the process is on its way out.
                    let _ = ended.send(Ended { account, outcome });
                }
            })
            .context("the engine thread can't be started")?;
        Ok(RunningAccount {
            name,
            engine,
            net,
            net_inputs,
            gateway_inputs,
            control,
            journal,
            counters,
            abandoned,
        })
    }
}

/// An account that trades.
#[derive(Debug)]
pub(crate) struct RunningAccount {
    pub(crate) name: String,
    engine: JoinHandle<()>,
    pub(crate) net: NetThread,
    pub(crate) net_inputs: InboxSender<Delivery>,
    pub(crate) gateway_inputs: InboxSender<Delivery>,
    control: InboxSender<Delivery>,
    journal: JournalThread,
    pub(crate) counters: Arc<DriverCounters>,
    abandoned: Arc<AtomicBool>,
}

impl RunningAccount {
    pub(crate) fn ask_to_stop(&self) {
        // Its ring is empty: this is the only message that ever goes through it.
        let _ = self.control.try_push(Delivery::Input(Input::Stop));
    }

    /// Gives up on a stop that takes too long.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// Waits for the threads, the journal last: everything that was written down is then on disk.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        super::panicked(self.engine.join(), "engine")?;
        self.net.join().map_err(anyhow::Error::msg)?;
        self.journal.stop()
    }
}
