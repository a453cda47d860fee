//! The real engine of one account between a scripted exchange and a scripted strategy, all in this thread: what the
//! driver does with rings and sockets happens here by calls.

mod exchange;
mod touch;

use std::collections::VecDeque;

use anyhow::{Context, ensure};
use bytes::Bytes;
use flashpod_engine::io::{
    AccountLimits, AgentInput, BookTop, ConnId, DeletionPolicy, Desired, FeedEvent, FeedKind, HttpOutcome,
    HttpRequest, InstancePolicy, Mode, RequestClass, RiskLimits, RunState, SessionEvent, SessionMessage,
    SetRule, SidecarLossAction, WantedQuotes,
};
use flashpod_engine::{
    Action, Engine, EngineConfig, Environment, Input, RateConfig, Recovered, Stamp, Start, StopPolicy, record,
};
use flashpod_gateway::{EngineLink, MarketData, SessionOutput};
use flashpod_types::Nanos;

use crate::tape::Tape;
use exchange::Exchange;
pub(crate) use touch::TouchQuotes;

pub(crate) const SYMBOL: &str = "BTCUSDC";
pub(crate) const INSTANCE: &str = "touch";
/// Venue time, and our wall clock, when CLOCK_BOOTTIME is zero.
const EPOCH_MS: u64 = 1_760_000_000_000;
const HOUR: Nanos = Nanos::from_secs(3600);
/// Time that starting up may take by the clock of the engine.
pub(crate) const START_UP: Nanos = Nanos::from_secs(30);

/// What the engine was told and did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub timers: u64,
    /// Wanted quotes of the strategy.
    pub intents: u64,
    pub order_events: u64,
    /// Orders and cancels.
    pub requests: u64,
}

pub(crate) struct World {
    engine: Engine,
    /// Where books and what concerns sessions go, when the strategies are sidecars.
    sidecars: Option<EngineLink>,
    exchange: Exchange,
    pub strategy: TouchQuotes,
    seq: u64,
    now: Nanos,
    /// What is on its way to the engine.
    waiting: VecDeque<Input>,
    actions: Vec<Action>,
    public: Option<ConnId>,
    private: Option<ConnId>,
    ready: bool,
    /// The core quotes by itself: the strategy is not asked.
    ruled: bool,
    pub counted: Counted,
    /// Of the text of every order request.
    pub requests: crc32fast::Hasher,
    /// The journal, when one is kept.
    pub records: Option<Vec<Vec<u8>>>,
}

impl World {
    /// A certified book, a reconciled account and the session of the scripted strategy; `start` is when the engine's clock
    /// begins, and it is ready before `start` + [`START_UP`].
    pub(crate) fn ready(tape: &Tape, start: Nanos, keep_records: bool) -> anyhow::Result<Self> {
        let mut world = Self::begun(tape, start, keep_records, &[INSTANCE])?;
        let message = SessionMessage::Opened { last_sequence: 0 };
        world.waiting.push_back(Input::Session {
            instance: INSTANCE.to_owned(),
            received: world.now,
            message,
        });
        world.settle(world.now)?;
        ensure!(world.ready, "the session was not welcomed");
        (world.counted, world.requests) = (Counted::default(), crc32fast::Hasher::new());
        Ok(world)
    }

    /// The same without a session: those of `instances` come through a gateway.
    pub(crate) fn for_sidecars(
        tape: &Tape,
        start: Nanos,
        instances: &[&str],
        link: EngineLink,
    ) -> anyhow::Result<Self> {
        let mut world = Self::begun(tape, start, false, instances)?;
        world.sidecars = Some(link);
        Ok(world)
    }

    fn begun(tape: &Tape, start: Nanos, keep_records: bool, instances: &[&str]) -> anyhow::Result<Self> {
        let started = Start { config: config(), incarnation: 1, recovered: Recovered::default() };
        let mut world = Self {
            engine: Engine::new(&started),
            sidecars: None,
            exchange: Exchange::new(tape),
            strategy: TouchQuotes::default(),
            seq: 0,
            now: start,
            waiting: VecDeque::new(),
            actions: Vec::new(),
            public: None,
            private: None,
            ready: false,
            ruled: false,
            counted: Counted::default(),
            requests: crc32fast::Hasher::new(),
            records: keep_records.then(Vec::new),
        };
        world.waiting.push_back(Input::Start(Box::new(started)));
        let desired = Desired {
            generation: 1,
            account: AccountLimits::default(),
            instances: instances
                .iter()
                .map(|name| policy(name, instances.len()))
                .collect::<Result<_, _>>()?,
            halts: Vec::new(),
        };
        world.waiting.push_back(Input::Agent(AgentInput::Desired(Box::new(desired))));
        world.waiting.push_back(Input::Agent(AgentInput::LeaseAttempt { attempt: 1 }));
        let day = 24 * 3_600_000;
        let renewed = AgentInput::LeaseRenewed {
            attempt: 1,
            epoch: 1,
            soft_deadline_ms: day,
            hard_deadline_ms: 2 * day,
        };
        world.waiting.push_back(Input::Agent(renewed));
        while !world.is_ready() {
            world.settle(world.now)?;
            if world.is_ready() {
                break;
            }
            let next = world.engine.next_deadline().context("the engine waits for nothing")?;
            world.now = world.now.max(next);
            ensure!(world.now < start + START_UP, "not ready in time: {:?}", world.engine.status(world.now));
            world.timer(world.now)?;
        }
        Ok(world)
    }

    /// Lets the core quote by a rule of its own, in place of the strategy.
    pub(crate) fn set_rule(&mut self, rule: &str, parameters: &[(&str, &str)]) -> anyhow::Result<()> {
        self.ruled = true;
        let texts = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let parameters = parameters.iter().map(texts).collect();
        let asked = SetRule { symbol: SYMBOL.parse()?, rule: rule.to_owned(), parameters };
        let (instance, message) = (INSTANCE.to_owned(), SessionMessage::SetRule(asked));
        self.waiting.push_back(Input::Session { instance, received: self.now, message });
        self.settle(self.now)
    }

    fn is_ready(&self) -> bool {
        let status = self.engine.status(self.now);
        let certified = status.books.iter().all(|book| book.state == "CERTIFIED");
        certified && !status.books.is_empty() && status.account.ledger_equals_venue
    }

    pub(crate) const fn now(&self) -> Nanos {
        self.now
    }

    pub(crate) fn next_deadline(&self) -> Option<Nanos> {
        self.engine.next_deadline()
    }

    /// A frame of the market as an input.
    pub(crate) fn frame(&self, bytes: Bytes, received: Nanos) -> Input {
        Input::Feed { conn: self.public.unwrap_or(ConnId(0)), received, event: FeedEvent::Binary(bytes) }
    }

    /// What the strategy says, as an input.
    pub(crate) fn wanted(&self, wanted: WantedQuotes, received: Nanos) -> Input {
        let message = SessionMessage::WantedQuotes(wanted);
        Input::Session { instance: INSTANCE.to_owned(), received, message }
    }

    /// The next place in the order of inputs.
    pub(crate) fn stamp(&mut self, mono: Nanos) -> Stamp {
        self.now = self.now.max(mono);
        let stamp = Stamp { seq: self.seq, mono: self.now, unix: Nanos(EPOCH_MS * 1_000_000 + self.now.0) };
        self.seq += 1;
        stamp
    }

    /// The engine alone: what is on the path that is measured.
    pub(crate) fn handle(&mut self, stamp: Stamp, input: Input, actions: &mut Vec<Action>) {
        self.engine.handle(stamp, input, actions);
    }

    /// Hands an input in, journaled as the driver does it, and carries its actions out. The books it led to.
    pub(crate) fn input(&mut self, mono: Nanos, input: Input) -> anyhow::Result<()> {
        let stamp = self.stamp(mono);
        let mut buffer = Vec::new();
        if let Some(records) = &mut self.records {
            record::encode_input(stamp, &input, &mut buffer)?;
            records.push(std::mem::take(&mut buffer));
        }
        let mut actions = std::mem::take(&mut self.actions);
        self.engine.handle(stamp, input, &mut actions);
        if let Some(records) = &mut self.records {
            record::encode_outcome(stamp.seq, &actions, &mut buffer)?;
            records.push(buffer);
        }
        for action in actions.drain(..) {
            self.carry_out(action)?;
        }
        self.actions = actions;
        Ok(())
    }

    pub(crate) fn timer(&mut self, mono: Nanos) -> anyhow::Result<()> {
        self.counted.timers += 1;
        self.input(mono, Input::Timer)
    }

    /// Lets everything arrive that is on its way, and what comes of that.
    pub(crate) fn settle(&mut self, mono: Nanos) -> anyhow::Result<()> {
        while let Some(input) = self.waiting.pop_front() {
            self.input(mono, input)?;
        }
        Ok(())
    }

    pub(crate) fn carry_out(&mut self, action: Action) -> anyhow::Result<()> {
        match action {
            Action::Http(request) => self.ask(&request)?,
            Action::OpenFeed { conn, kind } => {
                match kind {
                    FeedKind::Public => self.public = Some(conn),
                    FeedKind::Private { .. } => self.private = Some(conn),
                }
                self.feed(conn, FeedEvent::Up);
            }
            Action::FeedText { conn, text } => self.feed(conn, FeedEvent::Text(exchange::reply_to(&text)?)),
            Action::Book(top) => match &mut self.sidecars {
                // A full ring is the sidecar's loss, as in the core.
                Some(link) => drop(link.market(MarketData::Book { top, missed: 0 })),
                None => self.show(&top),
            },
            Action::Trades(batch) => {
                if let Some(link) = &mut self.sidecars {
                    drop(link.market(MarketData::Trades { batch, missed: 0 }));
                }
            }
            Action::Session { instance, event } if self.sidecars.is_some() => {
                self.counted.order_events += u64::from(matches!(event, SessionEvent::Order(_)));
                if let Some(link) = &mut self.sidecars {
                    link.event(SessionOutput::Session { instance, event });
                }
            }
            Action::Session { event: SessionEvent::Welcome(_), .. } => self.ready = true,
            Action::Session { event: SessionEvent::Order(_), .. } => self.counted.order_events += 1,
            Action::Session { event: SessionEvent::Rule(answer), .. } => {
                ensure!(answer.refused.is_none(), "the rule was refused: {answer:?}");
            }
            _ => {}
        }
        Ok(())
    }

    /// The strategy sees a book.
    fn show(&mut self, top: &BookTop) {
        if !self.ready || self.ruled {
            return;
        }
        if let Some(wanted) = self.strategy.decide(top, self.now) {
            self.counted.intents += 1;
            let input = self.wanted(wanted, self.now);
            self.waiting.push_back(input);
        }
    }

    fn ask(&mut self, request: &HttpRequest) -> anyhow::Result<()> {
        if request.class != RequestClass::Query {
            self.counted.requests += 1;
            hash_request(request, &mut self.requests);
        }
        let now = self.now;
        let body = self.exchange.answer(request, EPOCH_MS + now.as_millis())?;
        let outcome = HttpOutcome::Reply { status: 200, retry_after_s: None, body: Bytes::from(body) };
        self.waiting.push_back(Input::Http { id: request.id, sent: Some(now), received: now, outcome });
        if let Some(conn) = self.private {
            for push in self.exchange.take_pushes() {
                self.feed(conn, FeedEvent::Binary(push));
            }
        }
        Ok(())
    }

    fn feed(&mut self, conn: ConnId, event: FeedEvent) {
        self.waiting.push_back(Input::Feed { conn, received: self.now, event });
    }
}

/// What leaves, but for its signature.
pub(crate) fn hash_request(request: &HttpRequest, hasher: &mut crc32fast::Hasher) {
    hasher.update(request.path.as_bytes());
    hasher.update(request.params.as_bytes());
}

/// The budget raised far beyond the venue's, and nothing periodic within a run.
fn config() -> EngineConfig {
    let mut config = EngineConfig::new("main", Environment::Simulated, StopPolicy::Cancel);
    config.rate = RateConfig {
        calls: 10_000,
        kept_for_cancels: 0,
        window: Nanos::from_millis(1),
        margin: Nanos::ZERO,
        weight_per_10s: 1_000_000,
    };
    let tuning = &mut config.tuning;
    for period in [
        &mut tuning.book_audit_period,
        &mut tuning.time_sync_period,
        &mut tuning.listen_key_period,
        &mut tuning.ping_period,
        &mut tuning.dead_after,
    ] {
        *period = HOUR;
    }
    tuning.finished_kept = 1_000;
    config
}

/// One of `count` instances that share the account's balances.
fn policy(instance: &str, count: usize) -> anyhow::Result<InstancePolicy> {
    let share = |amount: usize| (amount / count).to_string().parse();
    Ok(InstancePolicy {
        instance: instance.to_owned(),
        uid: "bench".to_owned(),
        strategy: "touch".to_owned(),
        owner: instance.to_owned(),
        owner_uid: "bench".to_owned(),
        mode: Mode::Live,
        state: RunState::Run,
        deletion_policy: DeletionPolicy::CancelOnly,
        symbols: vec![SYMBOL.parse()?],
        capital: vec![("USDC".parse()?, share(100_000)?), ("BTC".parse()?, share(10)?)],
        limits: RiskLimits {
            max_order_notional: Some("1000".parse()?),
            max_position_notional: Some("5000".parse()?),
            max_open_orders: Some(20),
            price_collar_bps: Some(500),
            ..RiskLimits::default()
        },
        risk_reset: String::new(),
        checkpoint: String::new(),
        parameters_json: "{}".to_owned(),
        sidecar_loss: SidecarLossAction::Keep,
        sidecar_loss_after: HOUR,
    })
}
