//! The engine thread: one total order of inputs, journal first.
//!
//! Pop, stamp, append the input, handle it, append what came of it, and only then carry the actions out. Nothing in
//! this loop waits for a socket, a disk, a log or another thread.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use flashpod_engine::io::{Action, BookTop, FeedEvent, HttpOutcome, TradeBatch, TradingState};
use flashpod_engine::record::{self, RecordError};
use flashpod_engine::{Engine, Input, Stamp};
use flashpod_gateway::{EngineLink, LedgerQuery, MarketData, SessionOutput};
use flashpod_journal::{JournalError, Writer};
use flashpod_net::ring::{Inbox, OutboxSender};
use flashpod_net::{Clock, NetCommand};
use flashpod_telemetry::Recorder;
use flashpod_types::{Nanos, Symbol};

use super::upkeep::Signals;
use super::{hops, stages};

/// The agent hears of an account at least this often.
const STATUS_EVERY: Nanos = Nanos::from_secs(1);
/// Changes closer together than this are told together: a status costs a copy of everything.
const STATUS_SPACING: Nanos = Nanos::from_millis(10);
/// How long an account may take to stop when its journal can't be kept.
const STOP_LIMIT: Nanos = Nanos::from_secs(15);
/// Longest sleep: within it the thread notices that the journal failed or that it was abandoned.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// What the engine thread takes from its rings.
#[derive(Debug)]
pub(crate) enum Delivery {
    Input(Input),
    Ledger(LedgerQuery),
}

impl From<Input> for Delivery {
    fn from(input: Input) -> Self {
        Self::Input(input)
    }
}

impl From<LedgerQuery> for Delivery {
    fn from(query: LedgerQuery) -> Self {
        Self::Ledger(query)
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DriverError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(
        "the account stopped, and what was open was cancelled if it could be: the journal can't be kept: {0}"
    )]
    JournalThread(String),
    #[error("the stop was abandoned")]
    Abandoned,
}

/// Counted by the engine thread, read by /metrics.
#[derive(Debug, Default)]
pub(crate) struct DriverCounters {
    pub(crate) inputs: AtomicU64,
    pub(crate) journal_bytes: AtomicU64,
    pub(crate) journal_unprepared: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    /// Counted by the journal thread.
    pub(crate) pruned_files: AtomicU64,
    /// Books and trades that the gateway had no room for.
    pub(crate) missed_market: AtomicU64,
    /// Requests that the network thread had no room for.
    pub(crate) refused_commands: AtomicU64,
}

pub(crate) struct Driver {
    pub(crate) engine: Engine,
    pub(crate) journal: Writer,
    pub(crate) inbox: Inbox<Delivery>,
    pub(crate) net: OutboxSender<NetCommand>,
    pub(crate) link: EngineLink,
    pub(crate) recorder: Recorder,
    pub(crate) signals: Arc<Signals>,
    pub(crate) counters: Arc<DriverCounters>,
    pub(crate) abandoned: Arc<AtomicBool>,
    pub(crate) next_seq: u64,
}

/// Market data of one symbol that the gateway had no room for since it last had.
#[derive(Debug, Default)]
struct Missed {
    books: u32,
    trades: u32,
}

/// The loop's own state.
struct Loop {
    driver: Driver,
    clock: Clock,
    actions: Vec<Action>,
    buffer: Vec<u8>,
    /// Answers to commands that could not even be queued.
    own_inputs: VecDeque<Input>,
    missed: HashMap<Symbol, Missed>,
    last_status: Nanos,
    status_wanted: bool,
    stopped: bool,
}

impl Driver {
    /// Writes down and handles the first input of the run. Its actions wait until the other threads are there.
    pub(crate) fn begin(self, start: Input) -> Result<Begun, DriverError> {
        let mut state = Loop {
            driver: self,
            clock: Clock,
            actions: Vec::with_capacity(64),
            buffer: Vec::with_capacity(64 << 10),
            own_inputs: VecDeque::new(),
            missed: HashMap::new(),
            last_status: Nanos::ZERO,
            status_wanted: true,
            stopped: false,
        };
        state.decide(start)?;
        Ok(Begun(state))
    }
}

/// A driver whose start record is in the journal.
pub(crate) struct Begun(Loop);

impl Begun {
    /// Runs until the engine has stopped.
    pub(crate) fn run(self) -> Result<(), DriverError> {
        let mut state = self.0;
        state.carry_out();
        let mut stop_by: Option<Nanos> = None;
        while !state.stopped {
            if state.driver.signals.failure().is_some() {
                let now = state.clock.mono();
                match stop_by {
                    // Orders must not stay behind with nobody watching. What a stop says fits into the file in use,
                    // where it survives the end of this process.
                    None => {
                        stop_by = Some(now + STOP_LIMIT);
                        state.step(Input::Stop)?;
                    }
                    Some(limit) if now >= limit => return Err(state.journal_failure()),
                    Some(_) => {}
                }
            }
            if state.driver.abandoned.load(Ordering::Relaxed) {
                return Err(DriverError::Abandoned);
            }
            state.turn()?;
        }
        state.publish(state.clock.mono());
        match stop_by {
            Some(_) => Err(state.journal_failure()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
impl Begun {
    pub(crate) fn turn(&mut self) -> Result<(), DriverError> {
        self.0.turn()
    }

    /// What its journal should fold to now.
    pub(crate) fn known(&self) -> flashpod_engine::Folded {
        let driver = &self.0.driver;
        flashpod_engine::Folded { recovered: driver.engine.checkpoint().clone(), next_seq: driver.next_seq }
    }
}

impl Loop {
    /// At most one timer and one delivery, then the status if it is due; sleeps when there is nothing.
    fn turn(&mut self) -> Result<(), DriverError> {
        let now = self.clock.mono();
        let deadline = self.driver.engine.next_deadline();
        let timer = deadline.is_some_and(|deadline| deadline <= now);
        if timer {
            self.step(Input::Timer)?;
        }
        let delivery = match self.own_inputs.pop_front() {
            Some(input) => Some(Delivery::Input(input)),
            None => self.driver.inbox.pop(),
        };
        let idle = delivery.is_none() && !timer;
        match delivery {
            Some(Delivery::Input(input)) => self.step(input)?,
            Some(Delivery::Ledger(query)) => {
                // Whoever asked may have given up.
                let _ = query.reply.send(self.driver.engine.ledger());
            }
            None => {}
        }
        if self.driver.signals.checkpoint_wanted() {
            self.checkpoint()?;
        }
        let spacing = if self.status_wanted { STATUS_SPACING } else { STATUS_EVERY };
        let status_at = self.last_status + spacing;
        if status_at <= now {
            self.publish(now);
        } else if idle {
            let until = deadline.map_or(status_at, |deadline| deadline.min(status_at));
            self.driver.inbox.wait(Duration::from_nanos(until.since(now).0).min(LONGEST_WAIT));
        }
        Ok(())
    }

    fn step(&mut self, input: Input) -> Result<(), DriverError> {
        self.decide(input)?;
        self.carry_out();
        Ok(())
    }

    /// Stamps, writes down, handles, writes down again.
    fn decide(&mut self, input: Input) -> Result<(), DriverError> {
        stages::popped(&input);
        let driver = &mut self.driver;
        let stamp = Stamp { seq: driver.next_seq, mono: self.clock.mono(), unix: self.clock.unix() };
        driver.next_seq += 1;
        record::encode_input(stamp, &input, &mut self.buffer)?;
        driver.journal.append(&self.buffer)?;
        let mut bytes = self.buffer.len();
        self.actions.clear();
        let timed = hops::timed(&input);
        let began = timed.map(|_| self.clock.mono());
        driver.engine.handle(stamp, input, &mut self.actions);
        // Beside the actions, not among them: these are journaled, and a replay has other times.
        if let (Some(hop), Some(began)) = (timed, began)
            && hops::led_to(hop, &self.actions)
        {
            driver.recorder.hop(hop, self.clock.mono().since(began).0, None);
        }
        stages::decided(&self.actions);
        record::encode_outcome(stamp.seq, &self.actions, &mut self.buffer)?;
        driver.journal.append(&self.buffer)?;
        stages::journaled(&self.actions);
        bytes += self.buffer.len();
        driver.counters.inputs.fetch_add(1, Ordering::Relaxed);
        driver.counters.journal_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        driver.counters.journal_unprepared.store(driver.journal.unprepared(), Ordering::Relaxed);
        Ok(())
    }

    fn carry_out(&mut self) {
        let mut actions = std::mem::take(&mut self.actions);
        for action in actions.drain(..) {
            self.dispatch(action);
        }
        // Its allocation serves the next input.
        self.actions = actions;
    }

    fn dispatch(&mut self, action: Action) {
        match action {
            Action::Http(request) => {
                let id = request.id;
                if !self.command(NetCommand::Http(request)) {
                    let outcome = HttpOutcome::Broken {
                        bytes_sent: false,
                        reason: "the network thread is behind".to_owned(),
                    };
                    let received = self.clock.mono();
                    self.own_inputs.push_back(Input::Http { id, sent: None, received, outcome });
                }
            }
            Action::OpenFeed { conn, kind } => {
                if !self.command(NetCommand::OpenFeed { conn, kind }) {
                    let event = FeedEvent::Down { reason: "the network thread is behind".to_owned() };
                    self.own_inputs.push_back(Input::Feed { conn, received: self.clock.mono(), event });
                }
            }
            Action::FeedText { conn, text } => {
                self.command(NetCommand::FeedText { conn, text });
            }
            Action::CloseFeed { conn } => {
                self.command(NetCommand::CloseFeed { conn });
            }
            Action::Book(top) => self.book(top),
            Action::Trades(batch) => self.trades(batch),
            Action::Session { instance, event } => {
                self.driver.link.event(SessionOutput::Session { instance, event });
            }
            Action::Hop { hop, nanos, instance } => self.driver.recorder.hop(hop, nanos, instance),
            Action::StatusChanged => self.status_wanted = true,
            Action::Stopped => self.stopped = true,
            // Written down with the outcome; nothing is to be done.
            Action::Fact(_) => {}
        }
    }

    /// Whether the network thread had room.
    fn command(&mut self, command: NetCommand) -> bool {
        let taken = self.driver.net.try_push(command).is_ok();
        if !taken {
            self.driver.counters.refused_commands.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Hands on a book with the count of those missed before it; where there is no room it is missed itself.
    fn book(&mut self, top: BookTop) {
        let missed = &mut self.missed.entry(top.symbol).or_default().books;
        let refused = self.driver.link.market(MarketData::Book { top, missed: *missed }).is_err();
        *missed = if refused { missed.saturating_add(1) } else { 0 };
        self.driver.counters.missed_market.fetch_add(u64::from(refused), Ordering::Relaxed);
    }

    /// The same for trades, counted one by one.
    fn trades(&mut self, batch: TradeBatch) {
        let count = u32::try_from(batch.trades.len()).unwrap_or(u32::MAX);
        let missed = &mut self.missed.entry(batch.symbol).or_default().trades;
        let refused = self.driver.link.market(MarketData::Trades { batch, missed: *missed }).is_err();
        *missed = if refused { missed.saturating_add(count) } else { 0 };
        self.driver.counters.missed_market.fetch_add(u64::from(refused), Ordering::Relaxed);
    }

    fn journal_failure(&self) -> DriverError {
        DriverError::JournalThread(self.driver.signals.failure().unwrap_or_default().to_owned())
    }

    fn publish(&mut self, now: Nanos) {
        let mut status = self.driver.engine.status(now);
        if let Some(reason) = self.driver.signals.failure() {
            status.account.state = TradingState::Halted;
            status.account.reasons = vec![format!("the journal can't be kept: {reason}")];
        }
        let status = Arc::new(status);
        self.driver.recorder.status(Arc::clone(&status));
        self.driver.link.event(SessionOutput::Status(status));
        self.last_status = now;
        self.status_wanted = false;
    }

    fn checkpoint(&mut self) -> Result<(), DriverError> {
        let driver = &mut self.driver;
        let tuning = driver.engine.config().tuning;
        record::encode_checkpoint(driver.next_seq, tuning, driver.engine.checkpoint(), &mut self.buffer)?;
        driver.journal.append(&self.buffer)?;
        driver.counters.checkpoints.fetch_add(1, Ordering::Relaxed);
        driver.counters.journal_bytes.fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
        driver.signals.checkpoint_written();
        Ok(())
    }
}
