//! The gateway from both ends: a tonic client on the sockets, and a hand that plays the engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flashpod_engine::io::{
    AgentInput, BookTop, Mode, OrderEvent, OrderEventKind, Position, SessionEvent, SessionMessage,
    TradingState, Welcome,
};
use flashpod_engine::status::{AccountStatus, InstanceStatus, StopProof};
use flashpod_engine::{Input, LedgerView, Status};
use flashpod_gateway::proto::agent_service_client::AgentServiceClient;
use flashpod_gateway::proto::session_down::Body as Down;
use flashpod_gateway::proto::session_up::Body as Up;
use flashpod_gateway::proto::strategy_service_client::StrategyServiceClient;
use flashpod_gateway::{
    EngineLink, Gateway, GatewayConfig, GatewayCounters, HopFigures, LedgerQuery, MarketData, SessionOutput,
    engine_link, instance_socket, proto,
};
use flashpod_net::cpu::PollMode;
use flashpod_net::ring::Inbox;
use flashpod_orders::Forgotten;
use flashpod_types::{ClientOrderId, Nanos, OrderType, Price, Qty, Side};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Streaming};

#[derive(Debug)]
enum ToEngine {
    Input(Input),
    Ledger(LedgerQuery),
}

impl From<Input> for ToEngine {
    fn from(input: Input) -> Self {
        Self::Input(input)
    }
}

impl From<LedgerQuery> for ToEngine {
    fn from(query: LedgerQuery) -> Self {
        Self::Ledger(query)
    }
}

/// SHA-256 of "secret": printf secret | sha256sum
const TOKEN_SHA256: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
const PATIENCE: Duration = Duration::from_secs(20);

struct Core {
    directory: tempfile::TempDir,
    inbox: Inbox<ToEngine>,
    engine: EngineLink,
    counters: Arc<GatewayCounters>,
    gateway: Option<Gateway>,
}

impl Core {
    fn start(session_uid: Option<u32>) -> Self {
        Self::patient(session_uid, GatewayConfig::HELLO_WITHIN)
    }

    fn patient(session_uid: Option<u32>, hello_within: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (inbox, [inputs]) = Inbox::new(PollMode::Park, [256]);
        let (engine, link) = engine_link("main".to_owned(), inputs);
        let counters = Arc::new(GatewayCounters::default());
        let config = GatewayConfig {
            socket_dir: directory.path().to_owned(),
            session_uid,
            version: "1.2.3".to_owned(),
            metrics_address: "127.0.0.1:9".to_owned(),
            hops: Box::new(HopFigures::default),
            counters: Arc::clone(&counters),
            hello_within,
        };
        let gateway = Some(Gateway::spawn(config, vec![link]).unwrap());
        Self { directory, inbox, engine, counters, gateway }
    }

    /// The next thing the engine is told.
    async fn next(&mut self) -> ToEngine {
        let poll = async {
            loop {
                if let Some(value) = self.inbox.pop() {
                    return value;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, poll).await.expect("the engine was told nothing")
    }

    async fn next_message(&mut self) -> SessionMessage {
        match self.next().await {
            ToEngine::Input(Input::Session { instance, message, .. }) => {
                assert_eq!(instance, "maker-1");
                message
            }
            other => panic!("a session message was expected, not {other:?}"),
        }
    }

    async fn next_agent(&mut self) -> AgentInput {
        match self.next().await {
            ToEngine::Input(Input::Agent(input)) => input,
            other => panic!("an agent input was expected, not {other:?}"),
        }
    }

    fn say(&mut self, event: SessionEvent) {
        self.engine.event(SessionOutput::Session { instance: "maker-1".to_owned(), event });
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let stopped = self.gateway.take().map_or(Ok(()), Gateway::stop);
        assert!(std::thread::panicking() || stopped == Ok(()));
    }
}

async fn channel(path: &Path) -> Channel {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !path.exists() {
        assert!(tokio::time::Instant::now() < deadline, "{path:?} never appeared");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let path = path.to_owned();
    let connect = tower::service_fn(move |_| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
    });
    Endpoint::from_static("http://core").connect_with_connector(connect).await.unwrap()
}

struct Agent {
    up: mpsc::Sender<proto::AgentUp>,
    down: Streaming<proto::CoreStatus>,
}

impl Agent {
    async fn connect(core: &Core) -> Self {
        let channel = channel(&core.directory.path().join("agent/agent.sock")).await;
        let (up, messages) = mpsc::channel(8);
        let down = AgentServiceClient::new(channel).control(ReceiverStream::new(messages)).await.unwrap();
        Self { up, down: down.into_inner() }
    }

    async fn say(&self, body: proto::agent_up::Body) {
        self.up.send(proto::AgentUp { body: Some(body) }).await.unwrap();
    }

    async fn desire(&self, generation: u64, instances: Vec<proto::InstancePolicy>) {
        let desired = proto::DesiredState { generation, instances, ..Default::default() };
        self.say(proto::agent_up::Body::Desired(desired)).await;
    }

    async fn status_where(&mut self, what: impl Fn(&proto::CoreStatus) -> bool) -> proto::CoreStatus {
        let search = async {
            loop {
                let status = self.down.message().await.unwrap().expect("the status stream ended");
                if what(&status) {
                    return status;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("no such status came")
    }
}

fn policy() -> proto::InstancePolicy {
    proto::InstancePolicy {
        instance: "maker-1".to_owned(),
        uid: "u-1".to_owned(),
        account: "main".to_owned(),
        strategy: "imbalance-maker".to_owned(),
        mode: proto::Mode::Live.into(),
        state: proto::instance_policy::State::Run.into(),
        deletion_policy: proto::DeletionPolicy::Flatten.into(),
        symbols: vec!["BTCUSDC".to_owned()],
        capital: vec![proto::AssetAmount { asset: "USDC".to_owned(), amount: "1000.5".to_owned() }],
        limits: Some(proto::RiskLimits { max_order_notional: "100".to_owned(), ..Default::default() }),
        token_sha256: TOKEN_SHA256.to_owned(),
        parameters_json: "{}".to_owned(),
        on_sidecar_loss: Some(proto::SidecarLoss {
            action: proto::sidecar_loss::Action::Cancel.into(),
            after_ms: 3000,
        }),
    }
}

/// A core with one instance in force.
async fn core_with_instance() -> (Core, Agent) {
    let mut core = Core::start(None);
    let agent = Agent::connect(&core).await;
    agent.desire(1, vec![policy()]).await;
    assert!(matches!(core.next_agent().await, AgentInput::Desired(_)));
    (core, agent)
}

#[tokio::test]
async fn the_last_report_says_that_nothing_leaves_any_more_and_ends_the_stream() {
    let (mut core, mut agent) = core_with_instance().await;
    assert!(!agent.status_where(|_| true).await.stopped);
    let gateway = core.gateway.take().unwrap();
    let stop = tokio::task::spawn_blocking(move || gateway.stop());
    agent.status_where(|status| status.stopped).await;
    assert_eq!(agent.down.message().await.unwrap(), None);
    stop.await.unwrap().unwrap();
}

struct Sidecar {
    up: mpsc::Sender<proto::SessionUp>,
    down: Streaming<proto::SessionDown>,
}

async fn open(core: &Core, hello: proto::Hello) -> Result<Sidecar, tonic::Status> {
    let channel = channel(&instance_socket(core.directory.path(), "maker-1")).await;
    let (up, messages) = mpsc::channel(8);
    up.send(proto::SessionUp { body: Some(Up::Hello(hello)) }).await.unwrap();
    let down = StrategyServiceClient::new(channel).session(ReceiverStream::new(messages)).await?;
    Ok(Sidecar { up, down: down.into_inner() })
}

fn hello(token: &str, last_sequence: u64) -> proto::Hello {
    proto::Hello {
        instance: "maker-1".to_owned(),
        token: token.to_owned(),
        last_sequence,
        sdk_version: "test".to_owned(),
    }
}

impl Sidecar {
    async fn say(&self, body: Up) {
        self.up.send(proto::SessionUp { body: Some(body) }).await.unwrap();
    }

    async fn next(&mut self) -> Result<Down, tonic::Status> {
        let message = tokio::time::timeout(PATIENCE, self.down.next()).await.expect("nothing came down");
        message.expect("the stream ended without a status").map(|message| message.body.unwrap())
    }
}

fn welcome() -> SessionEvent {
    SessionEvent::Welcome(Box::new(Welcome {
        epoch: 7,
        incarnation: 2,
        mode: Mode::Live,
        state: TradingState::Active,
        instruments: Vec::new(),
        positions: Vec::new(),
        open_orders: Vec::new(),
        balances: vec![("USDC".parse().unwrap(), "1000.5".parse().unwrap())],
        parameters_json: "{}".to_owned(),
        last_sequence: 0,
    }))
}

fn position() -> Position {
    Position {
        symbol: "BTCUSDC".parse().unwrap(),
        qty: "-0.001".parse().unwrap(),
        average_cost: Price::ZERO,
        realised: "1.25".parse().unwrap(),
        unrealised: "-0.5".parse().unwrap(),
        fees: "0.05".parse().unwrap(),
        open_orders: 1,
        mark: Price::ZERO,
    }
}

fn order_event(sequence: u64) -> SessionEvent {
    SessionEvent::Order(Box::new(OrderEvent {
        sequence,
        kind: OrderEventKind::Accepted,
        symbol: "BTCUSDC".parse().unwrap(),
        client_id: ClientOrderId::new("fpabcdefgh-1-1-1").unwrap(),
        reference: None,
        slot: Some(1),
        side: Side::Sell,
        order_type: OrderType::LimitMaker,
        price: "100000.01".parse().unwrap(),
        qty: "0.001".parse().unwrap(),
        filled: Qty::ZERO,
        fill: None,
        code: String::new(),
        text: String::new(),
        time: Nanos(5),
        position: position(),
    }))
}

fn book(version: u64) -> MarketData {
    let top = BookTop {
        symbol: "BTCUSDC".parse().unwrap(),
        version,
        bids: vec![("99999.99".parse().unwrap(), "0.5".parse().unwrap())],
        asks: vec![("100000.01".parse().unwrap(), "0.25".parse().unwrap())],
        certified: true,
        received: Nanos(1),
        venue_ms: 2,
    };
    MarketData::Book { top, missed: 0 }
}

#[tokio::test]
async fn a_session_is_welcomed_and_speaks_in_both_directions() {
    let (mut core, _agent) = core_with_instance().await;
    let mut sidecar = open(&core, hello("secret", 41)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { last_sequence: 41 }));
    core.say(welcome());
    let Down::Welcome(first) = sidecar.next().await.unwrap() else { panic!("no welcome") };
    assert_eq!((first.epoch, first.incarnation, first.balances[0].amount.as_str()), (7, 2, "1000.5"));

    core.say(order_event(42));
    let Down::Order(event) = sidecar.next().await.unwrap() else { panic!("no order event") };
    assert_eq!((event.sequence, event.slot, event.price.as_str()), (42, Some(1), "100000.01"));
    assert_eq!(event.position.unwrap().quantity, "-0.001");

    core.engine.market(book(9)).unwrap();
    let Down::Book(top) = sidecar.next().await.unwrap() else { panic!("no book") };
    assert_eq!((top.version, top.bid_prices, top.ask_quantities), (9, vec![99999.99], vec![0.25]));

    sidecar
        .say(Up::WantedQuotes(proto::WantedQuotes {
            symbol: "BTCUSDC".to_owned(),
            quotes: vec![proto::Quote {
                slot: 1,
                side: proto::Side::Sell.into(),
                price: "100000.01".to_owned(),
                quantity: "0.001".to_owned(),
            }],
            book_version: 9,
            decided_mono_ns: 3,
            tolerance_ticks: 2,
            cause_mono_ns: 0,
        }))
        .await;
    match core.next_message().await {
        SessionMessage::WantedQuotes(wanted) => {
            assert_eq!(wanted.quotes[0].price, "100000.01".parse().unwrap());
            assert_eq!((wanted.book_version, wanted.tolerance_ticks, wanted.cause), (9, 2, None));
        }
        other => panic!("{other:?}"),
    }
    drop(sidecar);
    assert!(matches!(core.next_message().await, SessionMessage::Closed));
}

#[tokio::test]
async fn a_wrong_token_an_unknown_instance_and_a_missing_hello_get_a_precise_status() {
    let (core, _agent) = core_with_instance().await;
    for hello in
        [hello("wrong", 0), hello("", 0), proto::Hello { instance: "other".to_owned(), ..hello("secret", 0) }]
    {
        let status = open(&core, hello).await.err().unwrap();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(!status.message().contains("secret"), "{}", status.message());
    }
    let channel = channel(&instance_socket(core.directory.path(), "maker-1")).await;
    let heartbeat = proto::SessionUp { body: Some(Up::Heartbeat(proto::Heartbeat { mono_ns: 1 })) };
    let status =
        StrategyServiceClient::new(channel).session(tokio_stream::iter([heartbeat])).await.err().unwrap();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(core.counters.refused_sessions.get(), 4);
    assert_eq!(core.counters.sessions.get(), 0);
}

#[tokio::test]
async fn who_opens_a_stream_and_says_nothing_is_sent_away() {
    let core = Core::patient(None, Duration::from_millis(20));
    let mut agent = Agent::connect(&core).await;
    agent.desire(1, vec![policy()]).await;
    agent.status_where(|_| true).await;
    let channel = channel(&instance_socket(core.directory.path(), "maker-1")).await;
    let (_silent, messages) = mpsc::channel(1);
    let mut client = StrategyServiceClient::new(channel);
    let asked = client.session(ReceiverStream::new(messages));
    let status = tokio::time::timeout(PATIENCE, asked).await.expect("an answer").err().unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.message(), "no Hello within 20ms: a session begins with one");
    assert_eq!(core.counters.refused_sessions.get(), 1);
}

#[tokio::test]
async fn nothing_that_is_said_before_the_welcome_reaches_the_engine_until_then() {
    let (mut core, _agent) = core_with_instance().await;
    let sidecar = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
    for _ in 0..500 {
        sidecar.say(Up::Heartbeat(proto::Heartbeat { mono_ns: 1 })).await;
    }
    drop(sidecar);
    assert!(matches!(core.next_message().await, SessionMessage::Closed), "nothing of the flood was heard");

    let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
    sidecar.say(Up::Cancel(proto::CancelIntent::default())).await;
    core.say(welcome());
    assert!(matches!(sidecar.next().await.unwrap(), Down::Welcome(_)));
    assert!(matches!(core.next_message().await, SessionMessage::Cancel { .. }), "said early, heard in time");
}

#[tokio::test]
async fn a_message_that_makes_no_sense_ends_the_session_and_names_the_field() {
    let quote = |price: &str, side: proto::Side| proto::Quote {
        slot: 0,
        side: side.into(),
        price: price.to_owned(),
        quantity: "1".to_owned(),
    };
    let quotes = |symbol: &str, quotes| {
        Up::WantedQuotes(proto::WantedQuotes { symbol: symbol.to_owned(), quotes, ..Default::default() })
    };
    let intent = |intent: proto::Intent| Up::Intent(intent);
    let cases = [
        (quotes("BTCUSDC", vec![quote("1e5", proto::Side::Buy)]), "wanted_quotes.quotes[0].price"),
        (quotes("BTCUSDC", vec![quote("0", proto::Side::Buy)]), "wanted_quotes.quotes[0].price"),
        (quotes("BTCUSDC", vec![quote("1", proto::Side::Unspecified)]), "wanted_quotes.quotes[0].side"),
        (
            quotes("BTCUSDC", vec![quote("1", proto::Side::Buy), quote("2", proto::Side::Sell)]),
            "wanted_quotes.quotes[1].slot",
        ),
        (quotes("btc/usdc", Vec::new()), "wanted_quotes.symbol"),
        (intent(proto::Intent::default()), "intent.type"),
        (
            intent(proto::Intent {
                r#type: proto::OrderType::Market.into(),
                price: "1".to_owned(),
                ..Default::default()
            }),
            "intent.price",
        ),
        (Up::Hello(proto::Hello::default()), "hello"),
    ];
    let (mut core, _agent) = core_with_instance().await;
    let count = cases.len() as u64;
    for (body, field) in cases {
        let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
        assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
        core.say(welcome());
        assert!(matches!(sidecar.next().await.unwrap(), Down::Welcome(_)));
        sidecar.say(body).await;
        let status = sidecar.next().await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(field), "{}", status.message());
        assert!(matches!(core.next_message().await, SessionMessage::Closed));
    }
    assert_eq!(core.counters.invalid_messages.get(), count);
}

#[tokio::test]
async fn the_newer_session_of_an_instance_wins_and_the_engine_never_sees_it_closed() {
    let (mut core, _agent) = core_with_instance().await;
    let mut older = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
    let mut newer = open(&core, hello("secret", 3)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { last_sequence: 3 }));
    assert_eq!(older.next().await.unwrap_err().code(), Code::Aborted);
    drop(older);
    core.say(welcome());
    assert!(matches!(newer.next().await.unwrap(), Down::Welcome(_)));
    newer.say(Up::Heartbeat(proto::Heartbeat { mono_ns: 1 })).await;
    assert!(matches!(core.next_message().await, SessionMessage::Heartbeat));
    assert!(matches!(newer.next().await.unwrap(), Down::Heartbeat(_)));
}

#[tokio::test]
async fn a_stalled_reader_gets_conflated_books_every_order_event_and_costs_bounded_memory() {
    let (mut core, mut agent) = core_with_instance().await;
    let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
    core.next_message().await;
    core.say(welcome());
    // Far more than the stream's flow-control window and the ring hold.
    let (books, events) = (50_000_u64, 1_000_u64);
    let mut missed = 0;
    for version in 1..=books {
        if version % (books / events) == 0 {
            core.say(order_event(version / (books / events)));
        }
        let MarketData::Book { top, .. } = book(version) else { unreachable!() };
        match core.engine.market(MarketData::Book { top, missed }) {
            Ok(()) => missed = 0,
            Err(_) => {
                missed += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    let (mut seen_books, mut conflated, mut last_version, mut next_event) = (0, 0, 0, 1);
    while next_event <= events || last_version + u64::from(missed) < books {
        match sidecar.next().await.unwrap() {
            Down::Book(top) => {
                assert!(top.version > last_version);
                assert_eq!(top.version, last_version + 1 + u64::from(top.conflated), "every miss is counted");
                last_version = top.version;
                seen_books += 1;
                conflated += u64::from(top.conflated);
            }
            Down::Order(event) => {
                assert_eq!(event.sequence, next_event, "no order event is lost or reordered");
                next_event += 1;
            }
            Down::Welcome(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(
        seen_books < books / 2,
        "{seen_books} of {books} books were queued for a reader that did not read"
    );
    assert_eq!(core.counters.conflated_books.get(), conflated);
    let instances = vec![instance_status()];
    core.engine.event(SessionOutput::Status(Arc::new(Status {
        generation: 1,
        instances,
        ..Status::default()
    })));
    let status = agent.status_where(|status| !status.instances.is_empty()).await;
    assert_eq!(status.instances[0].conflated_books, conflated);
}

fn instance_status() -> InstanceStatus {
    InstanceStatus {
        instance: "maker-1".to_owned(),
        state: TradingState::ReduceOnly,
        reasons: vec!["Lease".to_owned()],
        sidecar_connected: true,
        positions: vec![position()],
        accepted_orders: 1,
        fills: 2,
        venue_rejects: 3,
        risk_rejects: 4,
        superseded_quotes: 5,
        figures: Vec::new(),
        proof: StopProof::default(),
        balances: Vec::new(),
        capital_error: String::new(),
        last_reject: String::new(),
    }
}

#[tokio::test]
async fn the_agent_hears_of_a_change_at_once_and_of_no_change_every_second() {
    let (mut core, mut agent) = core_with_instance().await;
    let account = AccountStatus {
        account: "main".to_owned(),
        ready: true,
        epoch: 3,
        lease_attempt: 9,
        ..AccountStatus::default()
    };
    let status = Status { generation: 1, account, instances: vec![instance_status()], ..Status::default() };
    core.engine.event(SessionOutput::Status(Arc::new(status)));
    let status = agent.status_where(|status| status.generation == 1).await;
    assert_eq!((status.version.as_str(), status.metrics_address.as_str()), ("1.2.3", "127.0.0.1:9"));
    assert_eq!((status.accounts[0].account.as_str(), status.accounts[0].epoch), ("main", 3));
    assert_eq!(status.accounts[0].lease_attempt, 9, "the agent waits for this echo");
    assert_eq!(status.accounts[0].generation, 1);
    assert_eq!(status.instances[0].positions[0].realised_pnl, "1.25");
    assert!(status.instances[0].proof.is_none(), "no stop was asked for");
    // Nothing changes any more; it is told all the same.
    agent.status_where(|_| true).await;
}

#[tokio::test]
async fn lease_messages_reach_the_engine_of_their_account_and_senseless_ones_are_refused() {
    let (mut core, mut agent) = core_with_instance().await;
    let attempt = proto::LeaseAttempt { account: "main".to_owned(), attempt: 5 };
    agent.say(proto::agent_up::Body::LeaseAttempt(attempt)).await;
    assert!(matches!(core.next_agent().await, AgentInput::LeaseAttempt { attempt: 5 }));
    let renewed = proto::LeaseRenewed {
        account: "main".to_owned(),
        attempt: 5,
        epoch: 2,
        soft_deadline_ms: 35_000,
        hard_deadline_ms: 55_000,
    };
    agent.say(proto::agent_up::Body::LeaseRenewed(renewed.clone())).await;
    assert!(matches!(core.next_agent().await, AgentInput::LeaseRenewed { epoch: 2, .. }));
    agent
        .say(proto::agent_up::Body::LeaseRenewed(proto::LeaseRenewed { soft_deadline_ms: 60_000, ..renewed }))
        .await;
    let status = loop {
        match agent.down.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended without a status"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("soft_deadline_ms"), "{}", status.message());
}

#[tokio::test]
async fn a_policy_that_can_not_be_used_stands_in_nobodys_way() {
    let (mut core, mut agent) = core_with_instance().await;
    let tighter = proto::InstancePolicy {
        limits: Some(proto::RiskLimits { max_order_notional: "1e3".to_owned(), ..Default::default() }),
        ..policy()
    };
    let stranger =
        proto::InstancePolicy { instance: "taker-1".to_owned(), account: "other".to_owned(), ..policy() };
    let desired = proto::DesiredState {
        generation: 2,
        instances: vec![tighter, stranger],
        halts: vec![proto::HaltPolicy {
            uid: "h".to_owned(),
            action: proto::halt_policy::Action::Cancel.into(),
            all: true,
            ..Default::default()
        }],
        ..Default::default()
    };
    agent.say(proto::agent_up::Body::Desired(desired)).await;
    let AgentInput::Desired(desired) = core.next_agent().await else { panic!("no desired state") };
    assert_eq!(desired.halts.len(), 1, "the halt is in force");
    assert_eq!(desired.instances.len(), 1);
    assert_eq!(
        desired.instances[0].limits.max_order_notional,
        Some("100".parse().unwrap()),
        "the former policy stays"
    );
    let status = agent.status_where(|status| status.instances.len() == 2).await;
    let reason = |name: &str| {
        let instance = status.instances.iter().find(|instance| instance.instance == name).unwrap();
        instance.reasons[0].clone()
    };
    assert!(reason("maker-1").contains("limits.max_order_notional") && reason("maker-1").contains("1e3"));
    assert!(reason("taker-1").contains("account") && reason("taker-1").contains("main"));
}

#[tokio::test]
async fn a_removed_instance_loses_its_session_and_its_socket_and_may_come_back() {
    let (mut core, agent) = core_with_instance().await;
    let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
    core.next_message().await;
    agent.desire(2, Vec::new()).await;
    assert_eq!(sidecar.next().await.unwrap_err().code(), Code::FailedPrecondition);
    drop(sidecar);
    agent.desire(3, vec![policy()]).await;
    let mut asked = 0;
    while asked < 2 {
        if let ToEngine::Input(Input::Agent(AgentInput::Desired(_))) = core.next().await {
            asked += 1;
        }
    }
    let path = instance_socket(core.directory.path(), "maker-1");
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::net::UnixStream::connect(&path).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    open(&core, hello("secret", 0)).await.unwrap();
}

#[tokio::test]
async fn a_socket_that_can_not_be_opened_is_told_and_tried_again() {
    let mut core = Core::start(None);
    let path = instance_socket(core.directory.path(), "maker-1");
    // A file where the directory should be.
    std::fs::create_dir_all(path.parent().unwrap().parent().unwrap()).unwrap();
    std::fs::write(path.parent().unwrap(), "").unwrap();
    let mut agent = Agent::connect(&core).await;
    agent.desire(1, vec![policy()]).await;
    assert!(matches!(core.next_agent().await, AgentInput::Desired(_)));
    let status = agent.status_where(|status| !status.instances.is_empty()).await;
    let reason = &status.instances[0].reasons[0];
    assert!(reason.starts_with("SocketFailed") && reason.contains("core.sock"), "{reason}");
    std::fs::remove_file(path.parent().unwrap()).unwrap();
    open(&core, hello("secret", 0)).await.unwrap();
    agent.status_where(|status| status.instances.is_empty()).await;
}

#[tokio::test]
async fn the_ledger_is_answered_by_the_engine_and_an_unknown_account_is_named() {
    let mut core = Core::start(None);
    let channel = channel(&core.directory.path().join("agent/agent.sock")).await;
    let mut client = AgentServiceClient::new(channel);
    let request = proto::LedgerRequest { account: "nobody".to_owned() };
    let status = client.ledger(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("main"), "{}", status.message());
    let asked = tokio::spawn(async move {
        client.ledger(proto::LedgerRequest { account: "main".to_owned() }).await.unwrap().into_inner()
    });
    let ToEngine::Ledger(query) = core.next().await else { panic!("no ledger query") };
    let (orders, balances, forgotten) = (Vec::new(), Vec::new(), Forgotten::default());
    let view = LedgerView { quiescent: true, orders, balances, forgotten };
    query.reply.send(view).unwrap();
    assert!(asked.await.unwrap().quiescent);
}

#[tokio::test]
async fn bytes_that_are_not_grpc_do_no_harm() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut core, _agent) = core_with_instance().await;
    let path = instance_socket(core.directory.path(), "maker-1");
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4096], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\xff\xff"]
    {
        drop(channel(&path).await);
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        let _ = stream.write_all(garbage).await;
        let _ = stream.shutdown().await;
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.unwrap();
    }
    let _sidecar = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
}

#[tokio::test]
async fn a_flood_of_connections_leaves_the_agent_and_the_sessions_alone() {
    let (mut core, mut agent) = core_with_instance().await;
    let path = instance_socket(core.directory.path(), "maker-1");
    let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
    // Half-open ones, which say nothing: they take the places that are left, and the core closes the rest.
    let mut flood = Vec::new();
    for _ in 0..200 {
        flood.push(tokio::net::UnixStream::connect(&path).await.unwrap());
    }
    tokio::time::timeout(PATIENCE, async {
        while core.counters.refused_connections.get() < 200 - 15 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("all but fifteen connections of the flood are closed");
    core.say(welcome());
    assert!(matches!(sidecar.next().await.unwrap(), Down::Welcome(_)));
    agent.status_where(|_| true).await;
    drop(sidecar);
    assert!(matches!(core.next_message().await, SessionMessage::Closed));
    drop(flood);
    let reconnected = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Ok(sidecar) = open(&core, hello("secret", 0)).await {
                return sidecar;
            }
        }
    });
    assert!(reconnected.await.is_ok(), "places are free again when their connections end");
}
