//! Which connections a socket takes: those of the right user, a few at a time, and for as long as the core runs.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::Stream;
use tonic::transport::server::{Connected, UdsConnectInfo};

use crate::sockets::Peers;
use crate::thread::GatewayCounters;

/// Connections of one socket at a time. A sidecar needs one, and two while it reconnects; whoever opens more must not
/// take the file descriptors that the others and the venue's connections need.
pub(crate) const MOST_CONNECTIONS: usize = 16;
/// Streams of one connection at a time.
pub(crate) const MOST_STREAMS: u32 = 16;
/// Pause after the system refused to accept, for lack of file descriptors: the waiting connection stays first.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections of one listener.
pub(crate) struct Incoming {
    listener: UnixListener,
    peers: Peers,
    places: Arc<Semaphore>,
    counters: Arc<GatewayCounters>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Incoming {
    pub(crate) fn new(listener: UnixListener, peers: Peers, counters: Arc<GatewayCounters>) -> Self {
        Self { listener, peers, places: Arc::new(Semaphore::new(MOST_CONNECTIONS)), counters, pause: None }
    }

    /// A refused connection is closed before a byte of it is read.
    fn admit(&self, stream: UnixStream) -> Option<Connection> {
        let refused = match self.peers.check(stream.peer_cred().ok().as_ref()) {
            Ok(()) => match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) => return Some(Connection { stream, _place: place }),
                Err(_) => {
                    format!(
                        "{MOST_CONNECTIONS} connections of this socket are open, which is the most accepted"
                    )
                }
            },
            Err(refused) => refused,
        };
        // A flood must not become one of log lines: powers of two are told, all are counted.
        let count = self.counters.refused_connections.add(1);
        if count.is_power_of_two() {
            tracing::warn!(reason = refused, count, "connection refused");
        }
        None
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    /// Never ends and never fails: a server that saw an error would close its socket for good.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((stream, _)) => {
                    if let Some(connection) = self.admit(stream) {
                        return Poll::Ready(Some(Ok(connection)));
                    }
                }
                Err(error) => {
                    tracing::warn!(error = error.to_string(), "a connection can't be accepted yet");
                    self.pause = Some(Box::pin(tokio::time::sleep(PAUSE)));
                }
            }
        }
    }
}

/// An accepted connection; its place is free again when it is dropped.
pub(crate) struct Connection {
    stream: UnixStream,
    _place: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = UdsConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
