//! The network thread of one account: a current-thread runtime with the REST pool and the WebSockets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use flashpod_engine::io::{ConnId, FeedKind, HttpRequest, Input};
use flashpod_types::Nanos;

use crate::addresses::{AddressCounters, Resolver};
use crate::awake::Activity;
use crate::cpu::{self, PollMode};
use crate::dial::Dialer;
use crate::endpoint::Endpoint;
use crate::feed::{FeedCounters, Feeds};
use crate::pause::Pause;
use crate::rest::{Rest, RestConfig, RestCounters};
use crate::ring::{InboxSender, OutboxReceiver};
use crate::socket::{SocketCounters, SocketOptions};
use crate::tls::Tls;

/// What the engine asks of the network.
// An order lies inline: it is handed over without allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum NetCommand {
    Http(HttpRequest),
    OpenFeed { conn: ConnId, kind: FeedKind },
    FeedText { conn: ConnId, text: String },
    CloseFeed { conn: ConnId },
}

#[derive(Debug)]
pub struct NetConfig {
    /// For the thread's name.
    pub account: String,
    pub rest: RestConfig,
    pub websocket: Endpoint,
    pub tls: Tls,
    pub options: NetOptions,
}

/// What has a sensible value for everybody.
#[derive(Debug, Clone)]
pub struct NetOptions {
    pub sockets: SocketOptions,
    pub resolver: Resolver,
    /// How the thread waits, and where it is pinned.
    pub poll_mode: PollMode,
    pub cpu: Option<usize>,
    /// A ban of the address, which all accounts of a process share.
    pub ban: Arc<Pause>,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            sockets: SocketOptions::default(),
            resolver: Resolver::System,
            poll_mode: PollMode::Park,
            cpu: None,
            ban: Arc::default(),
        }
    }
}

/// The running thread. It ends when the sender of its commands is dropped.
#[derive(Debug)]
pub struct NetThread {
    pub rest: Arc<RestCounters>,
    pub feeds: Arc<FeedCounters>,
    pub sockets: Arc<SocketCounters>,
    pub addresses: Arc<AddressCounters>,
    dialers: Dialers,
    thread: JoinHandle<()>,
}

/// The addresses in use, for /metrics.
#[derive(Debug, Clone)]
pub struct Dialers([(&'static str, Arc<Dialer>); 2]);

impl Dialers {
    /// Service, address, and the time to connect to it where that was measured; of each service the one in use first.
    #[must_use]
    pub fn addresses(&self) -> Vec<(&'static str, SocketAddr, Option<Nanos>)> {
        let of = |(name, dialer): &(&'static str, Arc<Dialer>)| {
            let name = *name;
            dialer.measured().into_iter().map(move |(address, took)| (name, address, took))
        };
        self.0.iter().flat_map(of).collect()
    }
}

impl NetThread {
    /// Starts the thread; every outcome goes into `inputs`.
    pub fn spawn<T: From<Input> + Send + 'static>(
        config: NetConfig,
        mut commands: OutboxReceiver<NetCommand>,
        inputs: InboxSender<T>,
    ) -> io::Result<Self> {
        let NetConfig { account, rest: rest_config, websocket, tls, options } = config;
        let NetOptions { sockets: socket_options, resolver, poll_mode, cpu, ban } = options;
        let rest = Arc::new(RestCounters::default());
        let feeds = Arc::new(FeedCounters::default());
        let sockets = Arc::new(SocketCounters::default());
        let addresses = Arc::new(AddressCounters::default());
        let dialer = |endpoint: Endpoint| {
            let (sockets, addresses) = (Arc::clone(&sockets), Arc::clone(&addresses));
            Arc::new(Dialer::new(endpoint, tls.clone(), resolver.clone(), socket_options, sockets, addresses))
        };
        let dialers = Dialers([("rest", dialer(rest_config.endpoint.clone())), ("ws", dialer(websocket))]);
        let [(_, to_rest), (_, to_feeds)] = dialers.0.clone();
        let (rest_counters, feed_counters) = (Arc::clone(&rest), Arc::clone(&feeds));
        let mut builder = tokio::runtime::Builder::new_current_thread();
        if poll_mode == PollMode::Spin {
            // Sockets are looked at after every task, not after the usual 61.
            builder.event_interval(1);
        }
        let runtime = builder.enable_all().build()?;
        let thread = std::thread::Builder::new().name(format!("net-{account}")).spawn(move || {
            if let Some(Err(error)) = cpu.map(cpu::pin) {
                tracing::error!(account, error = error.to_string(), "the network thread can't be pinned");
            }
            runtime.block_on(async move {
                let activity = Activity::start(poll_mode);
                tokio::spawn(Arc::clone(&to_rest).measure());
                tokio::spawn(Arc::clone(&to_feeds).measure());
                let pool =
                    Rest::start(rest_config, to_rest, inputs.clone(), rest_counters, activity.clone(), ban);
                let mut feeds = Feeds::new(to_feeds, inputs, feed_counters, activity.clone());
                while let Some(command) = commands.recv().await {
                    activity.stir();
                    match command {
                        NetCommand::Http(request) => pool.submit(request).await,
                        NetCommand::OpenFeed { conn, kind } => feeds.open(conn, kind),
                        NetCommand::FeedText { conn, text } => feeds.text(conn, text),
                        NetCommand::CloseFeed { conn } => feeds.close(conn),
                    }
                }
            });
        })?;
        Ok(Self { rest, feeds, sockets, addresses, dialers, thread })
    }

    /// What stays readable for /metrics.
    #[must_use]
    pub fn dialers(&self) -> Dialers {
        self.dialers.clone()
    }

    /// Waits for the end of the thread; a panic in it comes back as text.
    pub fn join(self) -> Result<(), String> {
        self.thread.join().map_err(|_| "the network thread panicked".to_owned())
    }
}
