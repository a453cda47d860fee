//! Both ends: tonic clients on the sockets, and a hand that plays the engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flashpod_engine::Input;
use flashpod_engine::io::{
    AgentInput, BookTop, Mode, OrderEvent, OrderEventKind, Position, SessionEvent, SessionMessage,
    TradingState, Welcome,
};
use flashpod_engine::status::{InstanceStatus, StopProof};
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
use flashpod_types::{ClientOrderId, Nanos, OrderType, Price, Qty, Side};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

#[derive(Debug)]
pub(crate) enum ToEngine {
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
pub(crate) const TOKEN_SHA256: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Core {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) inbox: Inbox<ToEngine>,
    pub(crate) engine: EngineLink,
    pub(crate) counters: Arc<GatewayCounters>,
    pub(crate) gateway: Option<Gateway>,
}

impl Core {
    pub(crate) fn start(session_uid: Option<u32>) -> Self {
        Self::patient(session_uid, GatewayConfig::HELLO_WITHIN)
    }

    pub(crate) fn patient(session_uid: Option<u32>, hello_within: Duration) -> Self {
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
    pub(crate) async fn next(&mut self) -> ToEngine {
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

    pub(crate) async fn next_message(&mut self) -> SessionMessage {
        match self.next().await {
            ToEngine::Input(Input::Session { instance, message, .. }) => {
                assert_eq!(instance, "maker-1");
                message
            }
            other => panic!("a session message was expected, not {other:?}"),
        }
    }

    pub(crate) async fn next_agent(&mut self) -> AgentInput {
        match self.next().await {
            ToEngine::Input(Input::Agent(input)) => input,
            other => panic!("an agent input was expected, not {other:?}"),
        }
    }

    pub(crate) fn say(&mut self, event: SessionEvent) {
        self.engine.event(SessionOutput::Session { instance: "maker-1".to_owned(), event });
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let stopped = self.gateway.take().map_or(Ok(()), Gateway::stop);
        assert!(std::thread::panicking() || stopped == Ok(()));
    }
}

pub(crate) async fn channel(path: &Path) -> Channel {
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

pub(crate) struct Agent {
    pub(crate) up: mpsc::Sender<proto::AgentUp>,
    pub(crate) down: Streaming<proto::CoreStatus>,
}

impl Agent {
    pub(crate) async fn connect(core: &Core) -> Self {
        let channel = channel(&core.directory.path().join("agent/agent.sock")).await;
        let (up, messages) = mpsc::channel(8);
        let down = AgentServiceClient::new(channel).control(ReceiverStream::new(messages)).await.unwrap();
        Self { up, down: down.into_inner() }
    }

    pub(crate) async fn say(&self, body: proto::agent_up::Body) {
        self.up.send(proto::AgentUp { body: Some(body) }).await.unwrap();
    }

    pub(crate) async fn desire(&self, generation: u64, instances: Vec<proto::InstancePolicy>) {
        let desired = proto::DesiredState { generation, instances, ..Default::default() };
        self.say(proto::agent_up::Body::Desired(desired)).await;
    }

    pub(crate) async fn status_where(
        &mut self,
        what: impl Fn(&proto::CoreStatus) -> bool,
    ) -> proto::CoreStatus {
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

pub(crate) fn policy() -> proto::InstancePolicy {
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
        ..Default::default()
    }
}

/// A core with one instance in force.
pub(crate) async fn core_with_instance() -> (Core, Agent) {
    let mut core = Core::start(None);
    let agent = Agent::connect(&core).await;
    agent.desire(1, vec![policy()]).await;
    assert!(matches!(core.next_agent().await, AgentInput::Desired(_)));
    (core, agent)
}

pub(crate) struct Sidecar {
    pub(crate) up: mpsc::Sender<proto::SessionUp>,
    pub(crate) down: Streaming<proto::SessionDown>,
}

pub(crate) async fn open(core: &Core, hello: proto::Hello) -> Result<Sidecar, tonic::Status> {
    let channel = channel(&instance_socket(core.directory.path(), "maker-1")).await;
    let (up, messages) = mpsc::channel(8);
    up.send(proto::SessionUp { body: Some(Up::Hello(hello)) }).await.unwrap();
    let down = StrategyServiceClient::new(channel).session(ReceiverStream::new(messages)).await?;
    Ok(Sidecar { up, down: down.into_inner() })
}

pub(crate) fn hello(token: &str, last_sequence: u64) -> proto::Hello {
    proto::Hello {
        instance: "maker-1".to_owned(),
        token: token.to_owned(),
        last_sequence,
        sdk_version: "test".to_owned(),
    }
}

impl Sidecar {
    pub(crate) async fn say(&self, body: Up) {
        self.up.send(proto::SessionUp { body: Some(body) }).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Result<Down, tonic::Status> {
        let message = tokio::time::timeout(PATIENCE, self.down.next()).await.expect("nothing came down");
        message.expect("the stream ended without a status").map(|message| message.body.unwrap())
    }
}

pub(crate) fn welcome() -> SessionEvent {
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

pub(crate) fn position() -> Position {
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

pub(crate) fn order_event(sequence: u64) -> SessionEvent {
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

pub(crate) fn book(version: u64) -> MarketData {
    let top = BookTop {
        symbol: "BTCUSDC".parse().unwrap(),
        version,
        bids: [("99999.99".parse().unwrap(), "0.5".parse().unwrap())].into(),
        asks: [("100000.01".parse().unwrap(), "0.25".parse().unwrap())].into(),
        certified: true,
        received: Nanos(1),
        venue_ms: 2,
    };
    MarketData::Book { top, missed: 0 }
}

pub(crate) fn instance_status() -> InstanceStatus {
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
        checkpoint: String::new(),
        losses: Vec::new(),
    }
}
