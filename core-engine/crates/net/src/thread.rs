//! The network thread of one account: a current-thread runtime with the REST pool and the WebSockets.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use flashpod_engine::io::{ConnId, FeedKind, HttpRequest, Input};

use crate::endpoint::Endpoint;
use crate::feed::{FeedCounters, Feeds};
use crate::rest::{Rest, RestConfig, RestCounters};
use crate::ring::{InboxSender, OutboxReceiver};
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
}

/// The running thread. It ends when the sender of its commands is dropped.
#[derive(Debug)]
pub struct NetThread {
    pub rest: Arc<RestCounters>,
    pub feeds: Arc<FeedCounters>,
    thread: JoinHandle<()>,
}

impl NetThread {
    /// Starts the thread; every outcome goes into `inputs`.
    pub fn spawn<T: From<Input> + Send + 'static>(
        config: NetConfig,
        mut commands: OutboxReceiver<NetCommand>,
        inputs: InboxSender<T>,
    ) -> io::Result<Self> {
        let rest = Arc::new(RestCounters::default());
        let feeds = Arc::new(FeedCounters::default());
        let (rest_counters, feed_counters) = (Arc::clone(&rest), Arc::clone(&feeds));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread =
            std::thread::Builder::new().name(format!("net-{}", config.account)).spawn(move || {
                runtime.block_on(async move {
                    let pool = Rest::start(config.rest, config.tls.clone(), inputs.clone(), rest_counters);
                    let mut feeds = Feeds::new(config.websocket, config.tls, inputs, feed_counters);
                    while let Some(command) = commands.recv().await {
                        match command {
                            NetCommand::Http(request) => pool.submit(request),
                            NetCommand::OpenFeed { conn, kind } => feeds.open(conn, kind),
                            NetCommand::FeedText { conn, text } => feeds.text(conn, text),
                            NetCommand::CloseFeed { conn } => feeds.close(conn),
                        }
                    }
                });
            })?;
        Ok(Self { rest, feeds, thread })
    }

    /// Waits for the end of the thread; a panic in it comes back as text.
    pub fn join(self) -> Result<(), String> {
        self.thread.join().map_err(|_| "the network thread panicked".to_owned())
    }
}
