//! From the engine's ring through the gateway and a unix socket into a client: one way, open loop.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use flashpod_engine::Input;
use flashpod_engine::io::{AgentInput, BookTop, Mode, SessionEvent, SessionMessage, TradingState, Welcome};
use flashpod_gateway::proto;
use flashpod_gateway::proto::agent_service_client::AgentServiceClient;
use flashpod_gateway::proto::session_down::Body;
use flashpod_gateway::proto::strategy_service_client::StrategyServiceClient;
use flashpod_gateway::{
    EngineLink, Gateway, GatewayConfig, GatewayCounters, HopFigures, LedgerQuery, MarketData, SessionOutput,
    engine_link, instance_socket,
};
use flashpod_net::Clock;
use flashpod_net::cpu::PollMode;
use flashpod_net::ring::Inbox;
use flashpod_types::{Price, Qty};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

use super::{Options, Section};
use crate::meter::{Allocations, Figure, Meter};

pub(crate) const SECTION: Section = Section {
    name: "grpc-one-way",
    about: "book from the engine's ring to a Rust client over gRPC and a unix socket",
    run,
};

const WARM_UP: u64 = 500;
const SAMPLES: u64 = 4_000;
/// Books are sent at fixed times, whether or not the one before has arrived.
const EVERY: Duration = Duration::from_millis(1);
const LEVELS: i64 = 10;
const INSTANCE: &str = "bench";
/// SHA-256 of "bench".
const TOKEN_SHA256: &str = "1b32c28cb38c05480eccc1bd60ff97029b57a05c96718b96dad7e9d84894f549";

#[derive(Debug)]
enum ToEngine {
    Input(Input),
    Ledger,
}

impl From<Input> for ToEngine {
    fn from(input: Input) -> Self {
        Self::Input(input)
    }
}

impl From<LedgerQuery> for ToEngine {
    fn from(_: LedgerQuery) -> Self {
        Self::Ledger
    }
}

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let directory = std::env::temp_dir().join(format!("fpb{}", std::process::id()));
    let outcome = measure(&directory);
    std::fs::remove_dir_all(&directory)?;
    outcome
}

fn measure(directory: &Path) -> anyhow::Result<Vec<Figure>> {
    let (inbox, [inputs]) = Inbox::new(PollMode::Park, [64]);
    let (engine, link) = engine_link("main".to_owned(), inputs);
    let config = GatewayConfig {
        socket_dir: directory.to_owned(),
        session_uid: None,
        version: String::new(),
        metrics_address: String::new(),
        hops: Box::new(HopFigures::default),
        counters: Arc::new(GatewayCounters::default()),
        hello_within: GatewayConfig::HELLO_WITHIN,
    };
    let gateway = Gateway::spawn(config, vec![link])?;
    let engine = std::thread::spawn(move || play_engine(inbox, engine));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figure = runtime.block_on(receive(directory));
    // Closes the client's connections, which the sending thread waits for.
    drop(runtime);
    if engine.join().is_err() {
        bail!("the sending thread panicked");
    }
    gateway.stop().map_err(anyhow::Error::msg)?;
    Ok(vec![figure?])
}

/// Welcomes the session, then sends books at fixed times.
fn play_engine(mut inbox: Inbox<ToEngine>, mut link: EngineLink) {
    loop {
        match inbox.pop() {
            Some(ToEngine::Input(Input::Session {
                instance,
                message: SessionMessage::Opened { .. },
                ..
            })) => {
                link.event(SessionOutput::Session { instance, event: welcome() });
                break;
            }
            Some(ToEngine::Input(Input::Agent(AgentInput::Desired(_)))) | Some(_) => {}
            None => inbox.wait(Duration::from_millis(10)),
        }
    }
    let start = Clock.mono();
    for version in 1..=WARM_UP + SAMPLES {
        let due = start.0 + version * u64::try_from(EVERY.as_nanos()).unwrap_or(0);
        std::thread::sleep(Duration::from_nanos(due.saturating_sub(Clock.mono().0)));
        // A full ring would show as a hole in the versions that the client counts.
        let _ = link.market(MarketData::Book { top: book(version), missed: 0 });
    }
    // The rings must outlive the last book's way.
    while !matches!(
        inbox.pop(),
        Some(ToEngine::Input(Input::Session { message: SessionMessage::Closed, .. }))
    ) {
        inbox.wait(Duration::from_millis(10));
    }
}

fn welcome() -> SessionEvent {
    SessionEvent::Welcome(Box::new(Welcome {
        epoch: 1,
        incarnation: 1,
        mode: Mode::Live,
        state: TradingState::Active,
        instruments: Vec::new(),
        positions: Vec::new(),
        open_orders: Vec::new(),
        balances: Vec::new(),
        parameters_json: String::new(),
        last_sequence: 0,
    }))
}

fn book(version: u64) -> BookTop {
    let level = |n: i64| (Price::from_raw(10_000_000_000_000 + n * 1_000_000), Qty::from_raw(25_000_000 + n));
    BookTop {
        symbol: "BTCUSDC".parse().unwrap_or_default(),
        version,
        bids: (0..LEVELS).map(|n| level(-n)).collect(),
        asks: (1..=LEVELS).map(level).collect(),
        certified: true,
        received: Clock.mono(),
        venue_ms: 0,
    }
}

async fn receive(directory: &Path) -> anyhow::Result<Figure> {
    let mut agent = AgentServiceClient::new(channel(&directory.join("agent/agent.sock")).await?);
    let policy = proto::InstancePolicy {
        instance: INSTANCE.to_owned(),
        account: "main".to_owned(),
        mode: proto::Mode::Live.into(),
        state: proto::instance_policy::State::Run.into(),
        deletion_policy: proto::DeletionPolicy::Flatten.into(),
        symbols: vec!["BTCUSDC".to_owned()],
        token_sha256: TOKEN_SHA256.to_owned(),
        on_sidecar_loss: Some(proto::SidecarLoss {
            action: proto::sidecar_loss::Action::Keep.into(),
            after_ms: 0,
        }),
        ..Default::default()
    };
    let desired = proto::DesiredState { generation: 1, instances: vec![policy], ..Default::default() };
    let (up, messages) = mpsc::channel(1);
    up.send(proto::AgentUp { body: Some(proto::agent_up::Body::Desired(desired)) }).await?;
    let _status = agent.control(ReceiverStream::new(messages)).await?;

    let mut client = StrategyServiceClient::new(channel(&instance_socket(directory, INSTANCE)).await?);
    let (up, messages) = mpsc::channel(1);
    let hello =
        proto::Hello { instance: INSTANCE.to_owned(), token: INSTANCE.to_owned(), ..Default::default() };
    up.send(proto::SessionUp { body: Some(proto::session_up::Body::Hello(hello)) }).await?;
    let mut down = client.session(ReceiverStream::new(messages)).await?.into_inner();

    let mut meter = Meter::with_room(usize::try_from(SAMPLES)?);
    let mut hasher = crc32fast::Hasher::new();
    let mut conflated = 0;
    let mut allocations = Allocations::begin();
    loop {
        let message = down.message().await?.context("the session ended early")?;
        let Some(Body::Book(book)) = message.body else { continue };
        let now = Clock.mono();
        if book.version > WARM_UP {
            meter.record(now.0.saturating_sub(book.received_mono_ns));
            conflated += book.conflated;
        } else {
            allocations = Allocations::begin();
        }
        if book.version == WARM_UP + SAMPLES {
            // Of the last book alone: which others arrive unconflated depends on the machine.
            book.bid_prices.iter().for_each(|price| hasher.update(&price.to_le_bytes()));
            break;
        }
    }
    meter.count(&allocations);
    let input = format!(
        "{LEVELS} levels a side, one each {EVERY:?}, {conflated} conflated; encoded, sent, decoded; allocations of both ends"
    );
    Ok(meter.figure("ring to client", input, "book", hasher.finalize()))
}

/// Connects once the socket is there.
async fn channel(path: &Path) -> anyhow::Result<Channel> {
    let mut last = None;
    for _ in 0..500 {
        let path = path.to_owned();
        let connect = tower::service_fn(move |_| {
            let path = path.clone();
            async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
        });
        match Endpoint::from_static("http://core").connect_with_connector(connect).await {
            Ok(channel) => return Ok(channel),
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(last.map_or_else(|| anyhow::anyhow!("not tried"), anyhow::Error::from))
        .context(format!("{}", path.display()))
}
