//! Two ends under one clock: the engine as a driver would run it, and a small venue, with a network between them
//! that delays, loses, repeats and reorders on demand. Everything is journaled as the driver does it, and every
//! test ends with the same proofs (`Sim::prove`).
#![allow(dead_code, unreachable_pub, unused_imports)] // Each test binary uses its part.

mod network;
mod proof;
mod pushes;
mod stage;
pub mod venue;

use std::collections::BTreeMap;

use bytes::Bytes;
pub use network::{Broken, Fault};
pub use stage::{bidding, equal, late, maker, quoting, with_bid};

use flashpod_engine::io::{
    AccountLimits, AgentInput, ConnId, DeletionPolicy, Desired, Hop, HttpOutcome, HttpRequest,
    InstancePolicy, Intent, Mode, OrderEvent, OrderEventKind, Quote, RequestClass, RiskLimits, RuleAnswer,
    RunState, SessionMessage, SetRule, SidecarLossAction, TradingState, WantedQuotes, Welcome,
};
use flashpod_engine::{
    Engine, EngineConfig, Environment, Input, Recovered, Stamp, Start, Status, StopPolicy, fold, record,
};
use flashpod_types::{Amount, Asset, Nanos, OrderType, Price, Qty, Side, Symbol};
use venue::{EPOCH_MS, Venue};

pub const LATENCY: Nanos = Nanos::from_millis(1);

pub fn ms(ms: u64) -> Nanos {
    Nanos::from_millis(ms)
}

pub fn symbol(text: &str) -> Symbol {
    Symbol::new(text).unwrap()
}

enum Event {
    ToVenue(Box<HttpRequest>, Nanos),
    Input(Box<Input>),
}

pub struct Sim {
    pub engine: Engine,
    pub venue: Venue,
    /// CLOCK_BOOTTIME.
    pub now: Nanos,
    /// By how much our wall clock is ahead of the venue's.
    pub ahead: Nanos,
    seq: u64,
    queue: BTreeMap<(Nanos, u64), Event>,
    queued: u64,
    pub records: Vec<Vec<u8>>,
    pub requests: Vec<HttpRequest>,
    pub events: Vec<(String, OrderEvent)>,
    pub states: Vec<(String, TradingState, String)>,
    pub welcomes: Vec<(String, Welcome)>,
    pub rule_answers: Vec<RuleAnswer>,
    pub stopped: bool,
    pub faults: Vec<Fault>,
    /// Private pushes are kept back.
    pub hold_private: bool,
    held: Vec<Vec<u8>>,
    /// Every private push comes twice, and pushes of one moment in reverse.
    pub repeat_private: bool,
    pub reverse_private: bool,
    pub drop_private: u32,
    /// The venue answers nothing on sockets, not even PING.
    pub mute: bool,
    /// So many subscriptions are not answered.
    pub swallow: u32,
    /// Private connections are closed as soon as they are there.
    pub shut_private: bool,
    pub private_opened: u32,
    pub public: Vec<ConnId>,
    /// The newest of the private ones, and all.
    pub private: Option<ConnId>,
    pub privates: Vec<ConnId>,
    /// Connections that are slower than others by so much, and that lose the next so many public pushes.
    pub lag: BTreeMap<ConnId, Nanos>,
    pub lose: BTreeMap<ConnId, u32>,
    /// Connections on which the venue answers no PING.
    pub deaf: Vec<ConnId>,
    /// Arrival of the newest book told, by pair.
    pub tops: BTreeMap<Symbol, Nanos>,
    /// Of every book told, whether it is certified.
    pub certified: Vec<(Symbol, bool)>,
    /// Every time measured.
    pub hops: Vec<(Hop, Nanos)>,
    pub desired: Desired,
    pub config: EngineConfig,
    pub auto_lease: bool,
    next_renewal: Nanos,
    attempts: u64,
    pub epoch: u64,
    pub expect_429: bool,
}

pub fn config() -> EngineConfig {
    EngineConfig::new("main", Environment::Simulated, StopPolicy::Flatten)
}

pub fn policy(name: &str, symbols: &[&str]) -> InstancePolicy {
    InstancePolicy {
        instance: name.to_owned(),
        uid: format!("uid-{name}"),
        strategy: "imbalance-maker".into(),
        owner: name.to_owned(),
        owner_uid: format!("uid-of-{name}"),
        mode: Mode::Live,
        state: RunState::Run,
        deletion_policy: DeletionPolicy::Flatten,
        symbols: symbols.iter().map(|name| symbol(name)).collect(),
        capital: vec![capital("USDC", "20000"), capital("BTC", "2"), capital("ETH", "20")],
        limits: RiskLimits {
            max_order_notional: Some("1000".parse().unwrap()),
            max_position_notional: Some("5000".parse().unwrap()),
            max_open_orders: Some(20),
            price_collar_bps: Some(500),
            max_data_age: Some(Nanos::from_secs(2)),
            ..RiskLimits::default()
        },
        risk_reset: String::new(),
        checkpoint: String::new(),
        parameters_json: "{}".into(),
        sidecar_loss: SidecarLossAction::Cancel,
        sidecar_loss_after: Nanos::from_secs(3),
    }
}

pub fn capital(asset: &str, amount: &str) -> (Asset, Amount) {
    (Asset::new(asset).unwrap(), amount.parse().unwrap())
}

impl Sim {
    /// A new venue and a new engine, nothing desired yet.
    pub fn new() -> Self {
        Self::with(Venue::new(), config(), Vec::new(), Nanos::from_secs(1000))
    }

    pub fn with(venue: Venue, config: EngineConfig, records: Vec<Vec<u8>>, now: Nanos) -> Self {
        let folded = fold(records.iter().cloned().map(Ok::<_, ()>)).unwrap();
        let start = Start {
            config: config.clone(),
            incarnation: folded.recovered.incarnation + 1,
            recovered: folded.recovered,
        };
        let mut sim = Self {
            engine: Engine::new(&start),
            venue,
            now,
            ahead: Nanos::ZERO,
            seq: folded.next_seq,
            queue: BTreeMap::new(),
            queued: 0,
            records,
            requests: Vec::new(),
            events: Vec::new(),
            states: Vec::new(),
            welcomes: Vec::new(),
            rule_answers: Vec::new(),
            stopped: false,
            faults: Vec::new(),
            hold_private: false,
            held: Vec::new(),
            repeat_private: false,
            reverse_private: false,
            drop_private: 0,
            mute: false,
            swallow: 0,
            shut_private: false,
            private_opened: 0,
            public: Vec::new(),
            private: None,
            privates: Vec::new(),
            lag: BTreeMap::new(),
            lose: BTreeMap::new(),
            deaf: Vec::new(),
            tops: BTreeMap::new(),
            certified: Vec::new(),
            hops: Vec::new(),
            desired: Desired::default(),
            config,
            auto_lease: true,
            next_renewal: now,
            attempts: 0,
            epoch: 1,
            expect_429: false,
        };
        sim.input(Input::Start(Box::new(start)));
        sim
    }

    /// An instance that is connected and may trade.
    pub fn trading(policies: Vec<InstancePolicy>) -> Self {
        let mut sim = Self::new();
        sim.want(policies);
        sim.bring_up();
        sim
    }

    /// Runs until every instance is active and its books are certified, then opens their sessions.
    pub fn bring_up(&mut self) {
        self.until("every instance is active", |sim| {
            let status = sim.engine.status(sim.now);
            let books = status.books.iter().all(|book| book.state == "CERTIFIED");
            let equal =
                status.account.ledger_equals_venue || (!sim.config.credentials && status.account.ready);
            books && !status.books.is_empty() && equal
        });
        let names: Vec<String> =
            self.desired.instances.iter().map(|policy| policy.instance.clone()).collect();
        for name in names {
            self.session(&name, SessionMessage::Opened { last_sequence: 0 });
        }
        self.run(ms(1));
    }

    pub fn want(&mut self, policies: Vec<InstancePolicy>) {
        self.desired.instances = policies;
        self.send_desired();
    }

    pub fn send_desired(&mut self) {
        self.desired.generation += 1;
        self.input(Input::Agent(AgentInput::Desired(Box::new(self.desired.clone()))));
    }

    pub fn limit_account(&mut self, limits: AccountLimits) {
        self.desired.account = limits;
        self.send_desired();
    }

    pub fn policy_mut(&mut self, name: &str) -> &mut InstancePolicy {
        self.desired.instances.iter_mut().find(|policy| policy.instance == name).unwrap()
    }

    pub fn session(&mut self, name: &str, message: SessionMessage) {
        let (instance, received) = (name.to_owned(), self.now);
        self.input(Input::Session { instance, received, message });
    }

    pub fn quote(&mut self, name: &str, pair: &str, quotes: &[(u32, Side, &str, &str)]) {
        let quotes = quotes
            .iter()
            .map(|&(slot, side, price, qty)| Quote {
                slot,
                side,
                price: price.parse().unwrap(),
                qty: qty.parse().unwrap(),
            })
            .collect();
        let wanted = WantedQuotes {
            symbol: symbol(pair),
            quotes,
            book_version: self.venue.books[pair].version,
            cause: self.tops.get(&symbol(pair)).copied(),
            decided: self.now,
            tolerance_ticks: 2,
        };
        self.session(name, SessionMessage::WantedQuotes(wanted));
    }

    pub fn set_rule(&mut self, name: &str, pair: &str, rule: &str, parameters: &[(&str, &str)]) {
        let texts = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let (symbol, rule) = (symbol(pair), rule.to_owned());
        let parameters = parameters.iter().map(texts).collect();
        self.session(name, SessionMessage::SetRule(SetRule { symbol, rule, parameters }));
    }

    #[allow(clippy::too_many_arguments)] // Reads in the order in which one says it.
    pub fn intent(
        &mut self,
        name: &str,
        reference: &str,
        pair: &str,
        side: Side,
        kind: OrderType,
        price: &str,
        qty: &str,
    ) {
        let intent = Intent {
            reference: reference.to_owned(),
            symbol: symbol(pair),
            side,
            kind,
            price: Some(price.parse::<Price>().unwrap()),
            qty: qty.parse::<Qty>().unwrap(),
            reduce_only: false,
            book_version: self.venue.books[pair].version,
            cause: self.tops.get(&symbol(pair)).copied(),
            decided: self.now,
        };
        self.session(name, SessionMessage::Intent(intent));
    }

    /// Journals and handles one input now, and carries its actions out.
    pub fn input(&mut self, input: Input) {
        let unix = Nanos(u64::try_from(EPOCH_MS).unwrap() * 1_000_000 + self.now.0) + self.ahead;
        let stamp = Stamp { seq: self.seq, mono: self.now, unix };
        self.seq += 1;
        let mut buffer = Vec::new();
        record::encode_input(stamp, &input, &mut buffer).unwrap();
        self.records.push(buffer.clone());
        let mut actions = Vec::new();
        self.engine.handle(stamp, input, &mut actions);
        record::encode_outcome(stamp.seq, &actions, &mut buffer).unwrap();
        self.records.push(buffer);
        for action in actions {
            self.carry_out(action);
        }
        self.collect_pushes();
    }

    pub fn renew(&mut self) {
        self.attempts += 1;
        let attempt = self.attempts;
        self.input(Input::Agent(AgentInput::LeaseAttempt { attempt }));
        let (epoch, soft_deadline_ms, hard_deadline_ms) = (self.epoch, 35_000, 55_000);
        let renewed = AgentInput::LeaseRenewed { attempt, epoch, soft_deadline_ms, hard_deadline_ms };
        self.input(Input::Agent(renewed));
    }

    /// One step: whatever comes first. False when nothing comes before `limit`.
    fn step(&mut self, limit: Nanos) -> bool {
        let queued = self.queue.first_key_value().map(|(&(at, _), _)| at);
        let timer = self.engine.next_deadline();
        let lease = self.auto_lease.then_some(self.next_renewal);
        let Some(at) = [queued, timer, lease].into_iter().flatten().min().filter(|&at| at <= limit) else {
            return false;
        };
        self.now = self.now.max(at);
        self.venue.now_ms = EPOCH_MS + i64::try_from(self.now.as_millis()).unwrap();
        if lease == Some(at) {
            self.next_renewal = self.now + Nanos::from_secs(5);
            self.renew();
        } else if queued == Some(at) {
            match self.queue.pop_first().unwrap().1 {
                Event::Input(input) => self.input(*input),
                Event::ToVenue(request, sent) => {
                    let (status, body) = self.ask_venue(&request);
                    let received = self.now + LATENCY;
                    let body = Bytes::from(body);
                    let outcome = HttpOutcome::Reply { status, retry_after_s: None, body };
                    let input = Input::Http { id: request.id, sent: Some(sent), received, outcome };
                    self.later(received, Event::Input(Box::new(input)));
                    self.collect_pushes();
                }
            }
        } else {
            self.input(Input::Timer);
        }
        true
    }

    /// Lets time pass.
    pub fn run(&mut self, span: Nanos) {
        self.collect_pushes();
        let limit = self.now + span;
        let mut steps = 0;
        while self.step(limit) {
            steps += 1;
            assert!(steps < 200_000, "the engine turns in circles at {:?}", self.now);
        }
        self.now = limit;
    }

    /// Runs until something is so; fails after two minutes of simulated time.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        self.collect_pushes();
        let limit = self.now + Nanos::from_secs(120);
        let mut steps = 0;
        while !is_so(self) {
            steps += 1;
            assert!(steps < 200_000, "the engine turns in circles waiting: {what}");
            if !self.step(limit) {
                let status = self.engine.status(self.now);
                panic!("not so in two minutes: {what}\n{:#?}\n{:#?}", status.account, status.instances);
            }
        }
    }

    /// The process dies; a new one starts from the journal, `away` later. What was under way is lost.
    pub fn crash(self, away: Nanos) -> Self {
        self.crash_losing(away, 0)
    }

    /// As `crash`, with the newest `lost` records gone, as when the host dies.
    pub fn crash_losing(mut self, away: Nanos, lost: usize) -> Self {
        // What had left already still reaches the venue.
        let events = std::mem::take(&mut self.queue);
        for ((at, _), event) in events {
            if let Event::ToVenue(request, _) = event {
                self.now = self.now.max(at);
                self.ask_venue(&request);
            }
        }
        self.venue.pushes.clear();
        self.records.truncate(self.records.len() - lost);
        let (desired, epoch, attempts, ahead) = (self.desired, self.epoch, self.attempts, self.ahead);
        let mut sim = Self::with(self.venue, self.config, self.records, self.now + away);
        (sim.epoch, sim.attempts, sim.ahead) = (epoch, attempts, ahead);
        sim.desired = desired;
        sim.send_desired();
        sim
    }

    /// The node is lost with its journal. A core elsewhere has what the API kept of this one, and the next epoch.
    pub fn moved(mut self, away: Nanos, kept: &Status) -> Self {
        let events = std::mem::take(&mut self.queue);
        for ((at, _), event) in events {
            if let Event::ToVenue(request, _) = event {
                self.now = self.now.max(at);
                self.ask_venue(&request);
            }
        }
        self.venue.pushes.clear();
        let mut desired = self.desired;
        desired.account.unassigned.clone_from(&kept.account.unassigned);
        for policy in &mut desired.instances {
            let of = kept.instances.iter().find(|instance| instance.instance == policy.instance);
            policy.checkpoint = of.map(|instance| instance.checkpoint.clone()).unwrap_or_default();
        }
        let (epoch, ahead) = (self.epoch + 1, self.ahead);
        let mut sim = Self::with(self.venue, self.config, Vec::new(), self.now + away);
        (sim.epoch, sim.ahead) = (epoch, ahead);
        sim.desired = desired;
        sim.send_desired();
        sim
    }

    pub fn orders_open(&self) -> Vec<&venue::VenueOrder> {
        self.venue.orders.iter().filter(|order| order.is_open()).collect()
    }

    pub fn open_client_ids(&self) -> Vec<String> {
        self.orders_open().iter().map(|order| order.client_id.clone()).collect()
    }

    pub fn kinds(&self, name: &str) -> Vec<OrderEventKind> {
        self.events.iter().filter(|(instance, _)| instance == name).map(|(_, event)| event.kind).collect()
    }

    pub fn last_event(&self) -> &OrderEvent {
        &self.events.last().expect("an order event").1
    }

    pub fn order_requests(&self) -> Vec<&HttpRequest> {
        self.requests.iter().filter(|request| request.class != RequestClass::Query).collect()
    }

    pub fn position(&self, name: &str, pair: &str) -> String {
        let status = self.engine.status(self.now);
        let instance = status.instances.iter().find(|i| i.instance == name).expect("an instance");
        let held = instance.positions.iter().find(|held| held.symbol == symbol(pair)).expect("a position");
        held.qty.to_string()
    }
}

pub fn recovered(sim: &Sim) -> Recovered {
    fold(sim.records.iter().cloned().map(Ok::<_, ()>)).unwrap().recovered
}
