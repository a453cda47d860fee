//! The loop: takes an input, changes state by facts, and looks what is due.

use std::collections::BTreeMap;

use flashpod_orders::{Change, RateLimits, RateWindow};
use flashpod_types::{ClientOrderId, Nanos, Symbol};

use crate::audit::Audit;
use crate::clock::VenueClock;
use crate::config::EngineConfig;
use crate::fact::Fact;
use crate::feeds::Feeds;
use crate::hedge::Ways;
use crate::instance::Instance;
use crate::io::{Action, AgentInput, Desired, Hop, Input, InstanceName, InstrumentTerms, Stamp, Start};
use crate::lease::Lease;
use crate::mark_outs::MarkOuts;
use crate::market::Market;
use crate::paper::PaperExchange;
use crate::past::Past;
use crate::recovery::Recovered;
use crate::requests::Requests;
use crate::schedule::{Guards, Scratch};
use crate::startup::Startup;
use crate::status::Counters;
use crate::stopping::Stopping;
use crate::track::Track;

/// The engine of one account.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: EngineConfig,
    /// What survives a restart; changed only by `commit`.
    pub(crate) state: Recovered,
    /// Stamp of the input being handled.
    pub(crate) now: Stamp,
    pub(crate) out: Vec<Action>,
    /// Something happened that may make something due.
    pub(crate) dirty: bool,
    /// A rule wants something else than before.
    pub(crate) requote: bool,
    deadline: Option<Nanos>,

    pub(crate) clock: VenueClock,
    pub(crate) lease: Lease,
    pub(crate) requests: Requests,
    /// How long requests take.
    pub(crate) ways: Ways,
    pub(crate) feeds: Feeds,
    pub(crate) startup: Startup,
    pub(crate) past: Past,
    pub(crate) instruments: BTreeMap<Symbol, InstrumentTerms>,
    pub(crate) markets: BTreeMap<Symbol, Market>,
    pub(crate) desired: Desired,
    pub(crate) instances: BTreeMap<InstanceName, Instance>,
    /// Instances that own something and are wanted by nobody, and since when.
    pub(crate) unwanted: BTreeMap<InstanceName, Nanos>,
    /// What this run knows beyond the journal of every order that is not closed.
    pub(crate) tracks: BTreeMap<ClientOrderId, Track>,
    pub(crate) window: RateWindow,
    pub(crate) guards: Guards,
    pub(crate) paper: PaperExchange,
    pub(crate) scratch: Scratch,
    pub(crate) audit: Audit,
    pub(crate) stopping: Stopping,
    pub(crate) mark_outs: MarkOuts,
    pub(crate) counters: Counters,
}

impl Engine {
    /// A new engine for the run that `start` begins; the first input it handles is that `Input::Start`.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        let config = start.config.clone();
        let rate = config.rate;
        let limits = RateLimits {
            calls: rate.calls,
            kept_for_cancels: rate.kept_for_cancels,
            window: rate.window,
            margin: rate.margin,
        };
        let mut state = start.recovered.clone();
        state.incarnation = start.incarnation;
        Self {
            clock: VenueClock::new(config.tuning.clock_drift_ppm),
            feeds: Feeds::new(config.seed),
            window: RateWindow::new(limits),
            paper: PaperExchange::new(&config.paper, RateWindow::new(limits), start.incarnation),
            config,
            state,
            now: Stamp { seq: 0, mono: Nanos::ZERO, unix: Nanos::ZERO },
            out: Vec::new(),
            dirty: true,
            requote: false,
            deadline: None,
            lease: Lease::default(),
            requests: Requests::default(),
            ways: Ways::default(),
            startup: Startup::new(start.recovered.last_unix),
            past: Past::default(),
            instruments: BTreeMap::new(),
            markets: BTreeMap::new(),
            desired: Desired::default(),
            instances: BTreeMap::new(),
            unwanted: BTreeMap::new(),
            tracks: BTreeMap::new(),
            guards: Guards::default(),
            scratch: Scratch::default(),
            audit: Audit::default(),
            stopping: Stopping::default(),
            mark_outs: MarkOuts::default(),
            counters: Counters::default(),
        }
    }

    /// Handles one input at its stamp and appends what is to be done to `actions`.
    pub fn handle(&mut self, stamp: Stamp, input: Input, actions: &mut Vec<Action>) {
        self.out = std::mem::take(actions);
        self.now = stamp;
        self.state.last_unix = stamp.unix;
        if let Some(due) = self.deadline {
            self.note_stop(due);
        }
        if self.paper.next_due().is_some_and(|due| stamp.mono >= due) {
            self.answer_paper();
        }
        match input {
            Input::Start(_) => self.start(),
            Input::Feed { conn, received, event } => self.on_feed(conn, received, event),
            Input::Http { id, sent, received, outcome } => self.on_http(id, sent, received, &outcome),
            Input::Session { instance, received, message } => self.on_session(&instance, received, message),
            Input::Agent(AgentInput::Desired(desired)) => self.on_desired(*desired),
            Input::Agent(AgentInput::StopSeen) => self.on_stop_seen(),
            Input::Agent(AgentInput::LeaseAttempt { attempt }) => {
                self.lease.attempt(attempt, stamp.mono);
                // The agent waits for the echo.
                self.status_changed();
            }
            Input::Agent(AgentInput::LeaseRenewed { attempt, epoch, soft_deadline_ms, hard_deadline_ms }) => {
                self.on_lease(attempt, epoch, soft_deadline_ms, hard_deadline_ms);
            }
            Input::Timer => self.dirty = true,
            Input::Stop => self.on_stop(),
        }
        if self.dirty || self.deadline.is_some_and(|at| stamp.mono >= at) {
            self.poll();
        } else if self.requote {
            self.send_quotes();
        }
        *actions = std::mem::take(&mut self.out);
    }

    /// Nothing has changed but what rules want: only the scheduler is asked.
    fn send_quotes(&mut self) {
        self.requote = false;
        let next = [self.deadline, self.schedule(), self.release_queries(), self.poll_hedges()];
        let soonest = next.into_iter().flatten().min();
        self.deadline = if self.dirty { Some(self.now.mono) } else { soonest };
    }

    /// Does everything that is due. Each part says when it wants to be asked again.
    fn poll(&mut self) {
        (self.dirty, self.requote) = (false, false);
        let next = [
            self.poll_startup(),
            self.poll_past(),
            self.poll_listen_key(),
            self.poll_feeds(),
            self.poll_markets(),
            self.poll_tracks(),
            self.poll_audit(),
            self.poll_losses(),
            self.poll_mark_outs(),
            self.poll_instances(),
            self.poll_stopping(),
        ];
        self.poll_take_over();
        self.ask_due_rules();
        self.requote = false;
        let sent = self.schedule();
        self.greet();
        // What was done may have asked for more: queries go last.
        let queries = self.release_queries();
        let hedges = self.poll_hedges();
        let soonest = next.into_iter().chain([sent, queries, hedges]).flatten().min();
        self.deadline = if self.dirty { Some(self.now.mono) } else { soonest };
    }

    /// When to hand in `Input::Timer` at the latest, CLOCK_BOOTTIME; ask again after every input.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Nanos> {
        self.deadline
    }

    /// The state that a journal folds to after the last handled input, for `record::encode_checkpoint`.
    #[must_use]
    pub const fn checkpoint(&self) -> &Recovered {
        &self.state
    }

    #[must_use]
    pub const fn config(&self) -> &EngineConfig {
        &self.config
    }

    pub(crate) fn emit(&mut self, action: Action) {
        self.out.push(action);
    }

    pub(crate) fn hop(&mut self, hop: Hop, nanos: u64) {
        self.out.push(Action::Hop { hop, nanos, instance: None });
    }

    /// The one way to change what is remembered.
    pub(crate) fn commit(&mut self, fact: Fact) -> Option<Change> {
        let change = self.state.apply(&fact, &self.config.tuning);
        self.out.push(Action::Fact(fact));
        change
    }

    /// Tells the agent without waiting for its next second.
    pub(crate) fn status_changed(&mut self) {
        if !self.out.contains(&Action::StatusChanged) {
            self.out.push(Action::StatusChanged);
        }
    }
}
