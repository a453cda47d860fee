//! Binding, accepting and stopping.

use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Shared};
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
    let driver = Driver::new(exchange, clock, receiver, Rc::clone(&drained));
    let (acceptor, line) = if cli.tls {
        let host = cli.listen.rsplit_once(':').map_or("localhost", |(host, _)| host);
        let (acceptor, ca) = tls::acceptor(host.trim_matches(['[', ']']), cli.ca_out.as_deref())?;
        let line = json!({
            "rest": format!("https://{address}"),
            "ws": format!("wss://{address}/ws"),
            "caFile": ca.display().to_string(),
        });
        (Some(acceptor), line)
    } else {
        (None, json!({ "rest": format!("http://{address}"), "ws": format!("ws://{address}/ws") }))
    };
    let server = Server { listener, acceptor, driver, shared: Shared { commands, drained } };
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
    pub async fn run_until(self, stop: impl Future<Output = ()>) {
        let Self { listener, acceptor, driver, shared } = self;
        let tasks = LocalSet::new();
        tasks.spawn_local(driver.run());
        tasks.spawn_local(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) => {
                        tokio::task::spawn_local(greet(stream, peer, acceptor.clone(), shared.clone()));
                    }
                    Err(error) => {
                        // Out of descriptors, most likely: wait for some to be closed.
                        tracing::warn!(%error, "accept failed");
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                }
            }
        });
        tasks.run_until(stop).await;
    }
}

async fn greet(stream: TcpStream, peer: SocketAddr, acceptor: Option<TlsAcceptor>, shared: Shared) {
    // Small frames must leave at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    match acceptor {
        None => connection::serve(stream, peer.ip(), shared).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => connection::serve(stream, peer.ip(), shared).await,
            Err(error) => tracing::debug!(%error, %peer, "TLS handshake"),
        },
    }
}
