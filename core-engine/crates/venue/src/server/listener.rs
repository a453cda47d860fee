//! Binding, accepting and stopping.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Hold, Shared, within};
use super::cut::{Cutter, Stream};
use super::driver::Driver;
use super::tls;
use crate::cli::Cli;
use crate::clock::Clock;
use crate::exchange::Exchange;

pub struct Server {
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    driver: Driver,
    shared: Shared,
    places: Arc<Semaphore>,
    /// Made for this run only.
    temporary: Option<PathBuf>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// Binds the address; the line that tells where, for stdout.
pub async fn bind(cli: &Cli, clock: Clock, exchange: Exchange) -> anyhow::Result<(Server, Value)> {
    let wanted = cli.address()?;
    let listener = TcpListener::bind(wanted).await.with_context(|| format!("--listen {wanted}"))?;
    let address: SocketAddr = listener.local_addr()?;
    let (commands, receiver) = mpsc::channel(1_024);
    let drained = Rc::new(Notify::new());
    let idle = Duration::from_millis(exchange.settings.http_idle_ms);
    let places = usize::try_from(exchange.settings.max_connections).unwrap_or(usize::MAX);
    let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
    let driver = Driver::new(exchange, clock, receiver, Rc::clone(&drained));
    let mut temporary = None;
    let (acceptor, line) = if cli.tls {
        let host = cli.listen.rsplit_once(':').map_or("localhost", |(host, _)| host);
        let (acceptor, ca) = tls::acceptor(host.trim_matches(['[', ']']), cli.ca_out.as_deref())?;
        temporary = ca.parent().filter(|_| cli.ca_out.is_none()).map(Path::to_owned);
        let line = json!({
            "rest": format!("https://{address}"),
            "ws": format!("wss://{address}/ws"),
            "caFile": ca.display().to_string(),
        });
        (Some(acceptor), line)
    } else {
        (None, json!({ "rest": format!("http://{address}"), "ws": format!("ws://{address}/ws") }))
    };
    let shared = Shared { commands, drained, idle };
    let server = Server { listener, acceptor, driver, shared, places, temporary };
    Ok((server, line))
}

/// Completes on SIGTERM or SIGINT.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

impl Server {
    /// Serves until `stop` completes; open connections are dropped then.
    ///
    /// # Errors
    /// When the exchange itself ended, which it never does by itself: nothing could be answered any more.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { listener, acceptor, driver, shared, places, temporary } = self;
        let tasks = LocalSet::new();
        let driving = tasks.spawn_local(driver.run());
        tasks.spawn_local(async move {
            // One line of log for a flood.
            let mut full = false;
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                        Ok(place) => {
                            full = false;
                            let greeting = greet(stream, peer, acceptor.clone(), shared.clone(), place);
                            tokio::task::spawn_local(greeting);
                        }
                        Err(_) if full => {}
                        Err(_) => {
                            full = true;
                            tracing::warn!(%peer, "maxConnections are open: further ones are dropped");
                        }
                    },
                    Err(error) => {
                        // Out of descriptors, most likely: wait for some to be closed.
                        tracing::warn!(%error, "accept failed");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        });
        let over = async {
            tokio::select! {
                () = stop => Ok(()),
                ended = driving => Err(ended.map_or_else(anyhow::Error::from, |()| anyhow::anyhow!("no reader is left"))),
            }
        };
        let ended = tasks.run_until(over).await.context("the exchange ended");
        if let Some(folder) = temporary
            && let Err(error) = std::fs::remove_dir_all(&folder)
        {
            tracing::warn!(%error, folder = %folder.display(), "left behind");
        }
        ended
    }
}

async fn greet(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    shared: Shared,
    place: OwnedSemaphorePermit,
) {
    // Small frames must leave at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let cutter = Cutter::default();
    let stream = Stream::new(stream, cutter.clone());
    let hold = Hold { _place: Rc::new(place), cutter };
    let Some(acceptor) = acceptor else { return connection::serve(stream, peer.ip(), shared, hold).await };
    match within(shared.idle, acceptor.accept(stream)).await {
        Some(Ok(stream)) => connection::serve(stream, peer.ip(), shared, hold).await,
        Some(Err(error)) => tracing::debug!(%error, %peer, "TLS handshake"),
        None => tracing::debug!(%peer, "TLS handshake did not come"),
    }
}
