//! The gateway's thread: a current-thread runtime with the agent's socket, one socket per instance, and the pumps
//! that carry the engines' output to the sessions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use flashpod_engine::Input;
use flashpod_net::ring::InboxSender;
use tokio::sync::{mpsc, oneshot, watch};
use tonic::transport::Server;

use crate::accept::{Incoming, MOST_STREAMS};
use crate::agent::{Agent, Facts};
use crate::link::{AccountLink, LedgerQuery};
use crate::proto;
use crate::proto::agent_service_server::AgentServiceServer;
use crate::proto::strategy_service_server::StrategyServiceServer;
use crate::registry::Registry;
use crate::session::Session;
use crate::sockets::{self, Peers, SocketError};

/// Largest message of a sidecar; a full set of quotes is far smaller.
const MAX_SESSION_MESSAGE: usize = 64 << 10;
/// Largest message of the agent: every policy of a core at once.
const MAX_AGENT_MESSAGE: usize = 16 << 20;

/// Time until a socket that could not be opened is tried again.
const SOCKET_RETRY: Duration = Duration::from_secs(1);

/// Counts what was dropped, conflated or refused, for /metrics.
#[derive(Debug, Default)]
pub struct GatewayCounters {
    pub sessions: Counter,
    pub refused_sessions: Counter,
    pub refused_connections: Counter,
    pub overflown_sessions: Counter,
    pub invalid_messages: Counter,
    pub conflated_books: Counter,
    pub dropped_trades: Counter,
}

#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Returns the new count.
    pub(crate) fn add(&self, count: u64) -> u64 {
        self.0.fetch_add(count, Ordering::Relaxed) + count
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Percentiles per hop, and of tick to order per instance.
#[derive(Debug, Default)]
pub struct HopFigures {
    pub hops: Vec<proto::HopStats>,
    pub tick_to_order: BTreeMap<String, proto::HopStats>,
}

/// Read for each CoreStatus.
pub type HopSource = Box<dyn Fn() -> HopFigures + Send + Sync>;

pub struct GatewayConfig {
    pub socket_dir: PathBuf,
    /// User of the sidecars; `None`: the core's own.
    pub session_uid: Option<u32>,
    pub version: String,
    /// host:port of /metrics, as it is told to the agent.
    pub metrics_address: String,
    /// Percentiles so far.
    pub hops: HopSource,
    /// Counted here, read by /metrics.
    pub counters: Arc<GatewayCounters>,
    /// Time in which a sidecar that opened a stream says Hello.
    pub hello_within: Duration,
}

impl GatewayConfig {
    /// Long enough for a sidecar on a busy node.
    pub const HELLO_WITHIN: Duration = Duration::from_secs(10);
}

impl fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayConfig").field("socket_dir", &self.socket_dir).finish_non_exhaustive()
    }
}

pub(crate) enum SocketChange {
    Open(String),
    Close(String),
}

/// How long the agent may take to read the last report; it is on this node.
const LAST_REPORT_WITHIN: Duration = Duration::from_millis(500);

/// The running gateway.
#[derive(Debug)]
pub struct Gateway {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Gateway {
    /// Opens the agent's socket and starts the thread.
    pub fn spawn<T>(config: GatewayConfig, links: Vec<AccountLink<T>>) -> Result<Self, SocketError>
    where
        T: From<Input> + From<LedgerQuery> + Send + 'static,
    {
        let failed = |path: &PathBuf, source: io::Error| SocketError::Io { path: path.clone(), source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| failed(&config.socket_dir, source))?;
        let (stop, stopped) = watch::channel(false);
        let socket_dir = config.socket_dir.clone();
        let (started, outcome) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("gateway".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    match Running::start(config, links, stopped) {
                        Ok(running) => {
                            let _ = started.send(Ok(()));
                            running.run().await;
                        }
                        Err(error) => {
                            let _ = started.send(Err(error));
                        }
                    }
                });
            })
            .map_err(|source| failed(&socket_dir, source))?;
        match outcome.recv() {
            Ok(Ok(())) => Ok(Self { stop, thread }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(failed(&socket_dir, io::Error::other("the gateway thread ended at once"))),
        }
    }

    /// Tells the agent that nothing leaves this core any more, ends every stream and waits for the thread; a panic in
    /// it comes back as text. For the end of a core whose other threads have ended.
    pub fn stop(self) -> Result<(), String> {
        self.stop.send_replace(true);
        self.thread.join().map_err(|_| "the gateway thread panicked".to_owned())
    }
}

struct OpenSocket {
    close: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

struct Running<T> {
    socket_dir: PathBuf,
    registry: Arc<Registry>,
    engines: Arc<HashMap<String, InboxSender<T>>>,
    peers: Peers,
    counters: Arc<GatewayCounters>,
    hello_within: Duration,
    changes: mpsc::UnboundedReceiver<SocketChange>,
    open: HashMap<String, OpenSocket>,
    /// Instances whose socket could not be opened; tried again.
    failed: BTreeSet<String>,
    stopped: watch::Receiver<bool>,
    agent: AgentSocket,
}

/// The agent's server, which ends in order: what was said before is read.
struct AgentSocket {
    end: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl<T: From<Input> + From<LedgerQuery> + Send + 'static> Running<T> {
    fn start(
        config: GatewayConfig,
        links: Vec<AccountLink<T>>,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self, SocketError> {
        let path = sockets::agent_socket(&config.socket_dir);
        let own_uid = sockets::own_uid().map_err(|source| SocketError::Io { path: path.clone(), source })?;
        let ours = Peers { uid: own_uid, own_uid };
        let listener = sockets::listen(&path, ours)?;
        let registry = Arc::new(Registry::new(Arc::clone(&config.counters)));
        let engines: HashMap<_, _> =
            links.iter().map(|link| (link.account.clone(), link.inputs.clone())).collect();
        let engines = Arc::new(engines);
        for link in links {
            tokio::spawn(pump(link, Arc::clone(&registry)));
        }
        let (sockets, changes) = mpsc::unbounded_channel();
        let facts =
            Facts { version: config.version, metrics_address: config.metrics_address, hops: config.hops };
        let agent = Agent {
            registry: Arc::clone(&registry),
            engines: Arc::clone(&engines),
            facts: Arc::new(facts),
            sockets,
            counters: Arc::clone(&config.counters),
        };
        let incoming = Incoming::new(listener, ours, Arc::clone(&config.counters));
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            let service = AgentServiceServer::new(agent).max_decoding_message_size(MAX_AGENT_MESSAGE);
            let asked = async { drop(ended.await) };
            let served = server().add_service(service).serve_with_incoming_shutdown(incoming, asked);
            if let Err(error) = served.await {
                tracing::error!(error = error.to_string(), "the agent's socket failed");
            }
        });
        let peers = Peers { uid: config.session_uid.unwrap_or(own_uid), own_uid };
        let socket_dir = config.socket_dir;
        let (counters, hello_within) = (config.counters, config.hello_within);
        let (open, failed) = (HashMap::new(), BTreeSet::new());
        let agent = AgentSocket { end, task };
        Ok(Self {
            socket_dir,
            registry,
            engines,
            peers,
            counters,
            hello_within,
            changes,
            open,
            failed,
            stopped,
            agent,
        })
    }

    async fn run(mut self) {
        let mut stopped = self.stopped.clone();
        loop {
            tokio::select! {
                change = self.changes.recv() => match change {
                    Some(SocketChange::Open(instance)) => self.open(instance),
                    Some(SocketChange::Close(instance)) => self.close(&instance).await,
                    None => return,
                },
                () = tokio::time::sleep(SOCKET_RETRY), if !self.failed.is_empty() => {
                    for instance in std::mem::take(&mut self.failed) {
                        self.open(instance);
                    }
                }
                // The runtime ends with this function, and every stream with it.
                _ = stopped.wait_for(|stopped| *stopped) => return self.say_the_last().await,
            }
        }
    }

    /// Tells the agent that nothing leaves any more, and waits until it was read.
    async fn say_the_last(self) {
        self.registry.silence();
        let AgentSocket { end, task } = self.agent;
        let _ = end.send(());
        if tokio::time::timeout(LAST_REPORT_WITHIN, task).await.is_err() {
            tracing::warn!(limit = ?LAST_REPORT_WITHIN, "the agent did not read the last report");
        }
    }

    fn open(&mut self, instance: String) {
        let path = sockets::instance_socket(&self.socket_dir, &instance);
        let listener = match sockets::listen(&path, self.peers) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(instance, error = error.to_string(), "the instance's socket can't be opened");
                self.registry.socket_failed(&instance, Some(error.to_string()));
                self.failed.insert(instance);
                return;
            }
        };
        self.registry.socket_failed(&instance, None);
        let (close, closed) = oneshot::channel();
        let session = Session {
            instance: instance.clone(),
            registry: Arc::clone(&self.registry),
            engines: Arc::clone(&self.engines),
            counters: Arc::clone(&self.counters),
            hello_within: self.hello_within,
        };
        let incoming = Incoming::new(listener, self.peers, Arc::clone(&self.counters));
        let name = instance.clone();
        let task = tokio::spawn(async move {
            let service = StrategyServiceServer::new(session).max_decoding_message_size(MAX_SESSION_MESSAGE);
            tokio::select! {
                served = server().add_service(service).serve_with_incoming(incoming) => {
                    if let Err(error) = served {
                        tracing::error!(instance, error = error.to_string(), "the instance's socket failed");
                    }
                }
                _ = closed => {}
            }
            // The listener is closed: a sidecar that comes back finds no socket rather than a silent one. The directory
            // stays, for a pod may have it mounted.
            let _ = std::fs::remove_file(&path);
        });
        self.open.insert(name, OpenSocket { close, task });
    }

    /// Returns when the socket is gone, so that the same instance can be opened again.
    async fn close(&mut self, instance: &str) {
        self.failed.remove(instance);
        self.registry.socket_failed(instance, None);
        if let Some(open) = self.open.remove(instance) {
            let _ = open.close.send(());
            let _ = open.task.await;
        }
    }
}

fn server() -> Server {
    Server::builder().max_concurrent_streams(MOST_STREAMS)
}

/// Carries one engine's output to the sessions until the engine thread ends.
async fn pump<T>(mut link: AccountLink<T>, registry: Arc<Registry>) {
    let mut known_lost = 0;
    loop {
        tokio::select! {
            biased;
            output = link.events.recv() => {
                let Some(output) = output else { return };
                let lost = link.lost.load(Ordering::Acquire);
                if lost != known_lost {
                    known_lost = lost;
                    registry.end_sessions(&link.account);
                }
                registry.output(&link.account, output);
            }
            data = link.market.recv() => {
                let Some(data) = data else { return };
                registry.market(&link.account, &data);
            }
        }
    }
}
