//! The real gateway with a played engine and a played agent: what sessions of sidecars are measured on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use flashpod_engine::Input;
use flashpod_engine::io::{Mode, SessionEvent, TradingState, Welcome};
use flashpod_gateway::proto;
use flashpod_gateway::proto::agent_service_client::AgentServiceClient;
use flashpod_gateway::{
    EngineLink, Gateway, GatewayConfig, GatewayCounters, HopFigures, LedgerQuery, engine_link,
};
use flashpod_net::cpu::PollMode;
use flashpod_net::ring::Inbox;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

/// The token of every instance, and its SHA-256.
pub(crate) const TOKEN: &str = "bench";
const TOKEN_SHA256: &str = "1b32c28cb38c05480eccc1bd60ff97029b57a05c96718b96dad7e9d84894f549";

#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // The large one is what there is many of.
pub(crate) enum ToEngine {
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

pub(crate) struct Stage {
    pub directory: PathBuf,
    gateway: Gateway,
    /// Dropped, it lets the agent's thread end.
    stop: oneshot::Sender<()>,
    agent: JoinHandle<anyhow::Result<()>>,
}

impl Stage {
    /// The gateway with these instances of BTCUSDC and ETHUSDC; the other two are the engine's ends.
    pub(crate) fn open(instances: &[&str]) -> anyhow::Result<(Self, Inbox<ToEngine>, EngineLink)> {
        let directory = std::env::temp_dir().join(format!("fpb{}", std::process::id()));
        let (inbox, [inputs]) = Inbox::new(PollMode::Park, [1_024]);
        let (engine, link) = engine_link("main".to_owned(), inputs);
        let config = GatewayConfig {
            socket_dir: directory.clone(),
            session_uid: None,
            version: String::new(),
            metrics_address: String::new(),
            hops: Box::new(HopFigures::default),
            counters: Arc::new(GatewayCounters::default()),
            hello_within: GatewayConfig::HELLO_WITHIN,
        };
        let gateway = Gateway::spawn(config, vec![link])?;
        let (stop, stopped) = oneshot::channel();
        let (socket, policies) =
            (directory.join("agent/agent.sock"), instances.iter().map(|name| policy(name)).collect());
        let agent = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(play_agent(&socket, policies, stopped))
        });
        Ok((Self { directory, gateway, stop, agent }, inbox, engine))
    }

    pub(crate) fn close(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.agent.join().map_err(|_| anyhow::anyhow!("the agent's thread panicked"))??;
        self.gateway.stop().map_err(anyhow::Error::msg)?;
        std::fs::remove_dir_all(&self.directory).context("the folder of the sockets")
    }
}

fn policy(instance: &str) -> proto::InstancePolicy {
    proto::InstancePolicy {
        instance: instance.to_owned(),
        account: "main".to_owned(),
        mode: proto::Mode::Live.into(),
        state: proto::instance_policy::State::Run.into(),
        deletion_policy: proto::DeletionPolicy::Flatten.into(),
        symbols: vec!["BTCUSDC".to_owned(), "ETHUSDC".to_owned()],
        token_sha256: TOKEN_SHA256.to_owned(),
        on_sidecar_loss: Some(proto::SidecarLoss {
            action: proto::sidecar_loss::Action::Keep.into(),
            after_ms: 0,
        }),
        ..Default::default()
    }
}

/// Tells the desired state and stays until it is stopped.
async fn play_agent(
    socket: &Path,
    instances: Vec<proto::InstancePolicy>,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let mut agent = AgentServiceClient::new(channel(socket).await?);
    let desired = proto::DesiredState { generation: 1, instances, ..Default::default() };
    let (up, messages) = mpsc::channel(1);
    up.send(proto::AgentUp { body: Some(proto::agent_up::Body::Desired(desired)) }).await?;
    let mut status = agent.control(ReceiverStream::new(messages)).await?.into_inner();
    let read = async { while let Ok(Some(_)) = status.message().await {} };
    tokio::select! {
        () = read => {}
        _ = stopped => {}
    }
    Ok(())
}

pub(crate) fn welcome() -> SessionEvent {
    SessionEvent::Welcome(Box::new(Welcome {
        epoch: 1,
        incarnation: 1,
        mode: Mode::Live,
        state: TradingState::Active,
        instruments: Vec::new(),
        positions: Vec::new(),
        open_orders: Vec::new(),
        balances: Vec::new(),
        parameters_json: "{}".to_owned(),
        last_sequence: 0,
    }))
}

/// Connects once the socket is there.
pub(crate) async fn channel(path: &Path) -> anyhow::Result<Channel> {
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
