//! WebSocket connections: frames up with their arrival time, text down, pongs by themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use bytes::Bytes;
use fastwebsockets::{
    FragmentCollectorRead, Frame, OpCode, Payload, Role, WebSocket, WebSocketError, WebSocketRead,
    WebSocketWrite,
};
use flashpod_engine::io::{ConnId, FeedEvent, FeedKind, Input};
use flashpod_types::Nanos;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::Upgraded;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::awake::Activity;
use crate::clock::Clock;
use crate::dial::{ConnectError, Connected, Dialer};
use crate::ring::InboxSender;
use crate::socket::Arrival;

/// Time for TCP, TLS and the upgrade together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// No push comes near this.
const MAX_MESSAGE: usize = 4 << 20;
/// Text and pong frames that wait for the socket; more means it takes nothing any more.
const MAX_WAITING_FRAMES: usize = 256;
/// Close code of RFC 6455 for "done".
const NORMAL_CLOSURE: u16 = 1000;
/// How much of an error page is quoted in a reason.
const MAX_QUOTED: usize = 200;

/// What happened on the WebSockets since the start, for /metrics.
#[derive(Debug, Default)]
pub struct FeedCounters {
    pub opened: AtomicU64,
    pub downs: AtomicU64,
    pub frames: AtomicU64,
    pub bytes: AtomicU64,
    /// Texts for which there was no connection, or no room on it.
    pub unsent: AtomicU64,
}

#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{at}: no WebSocket within {CONNECT_TIMEOUT:?}")]
    Timeout { at: String },
    #[error("{at}: the upgrade failed: {source}")]
    Upgrade { at: String, source: hyper::Error },
    #[error("{at}: answered HTTP {status} instead of a WebSocket: {text}")]
    Refused { at: String, status: StatusCode, text: String },
    #[error(
        "{at}: upgraded with Sec-WebSocket-Accept {found:?} instead of {expected:?}: not an answer to this handshake"
    )]
    Accept { at: String, found: String, expected: String },
    #[error("the request can't be written: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("the venue closed the WebSocket: code {code} {reason:?}")]
    Closed { code: u16, reason: String },
    #[error("{0}")]
    Frame(#[from] WebSocketError),
    #[error("closed as asked")]
    Asked,
    #[error("{MAX_WAITING_FRAMES} frames wait to be sent; the socket takes none")]
    Stuck,
}

type Reader = FragmentCollectorRead<ReadHalf<TokioIo<Upgraded>>>;
type Writer = WebSocketWrite<WriteHalf<TokioIo<Upgraded>>>;

struct Feed {
    outgoing: mpsc::Sender<Frame<'static>>,
    /// Set when the engine closed it: nothing more is reported.
    silent: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// The WebSockets of one account.
pub(crate) struct Feeds<T> {
    dialer: Arc<Dialer>,
    inputs: InboxSender<T>,
    counters: Arc<FeedCounters>,
    activity: Activity,
    open: HashMap<ConnId, Feed>,
}

impl<T: From<Input> + Send + 'static> Feeds<T> {
    pub(crate) fn new(
        dialer: Arc<Dialer>,
        inputs: InboxSender<T>,
        counters: Arc<FeedCounters>,
        activity: Activity,
    ) -> Self {
        Self { dialer, inputs, counters, activity, open: HashMap::new() }
    }

    /// Connects in the background: `Up` or `Down` follows. An older connection of the same id ends without a word.
    pub(crate) fn open(&mut self, conn: ConnId, kind: FeedKind) {
        self.close(conn);
        self.open.retain(|_, feed| !feed.task.is_finished());
        let (outgoing, frames) = mpsc::channel(MAX_WAITING_FRAMES);
        let silent = Arc::new(AtomicBool::new(false));
        let session = Session {
            conn,
            silent: Arc::clone(&silent),
            dialer: Arc::clone(&self.dialer),
            inputs: self.inputs.clone(),
            counters: Arc::clone(&self.counters),
            activity: self.activity.clone(),
        };
        let task = tokio::spawn(session.run(kind, outgoing.clone(), frames));
        self.open.insert(conn, Feed { outgoing, silent, task });
    }

    /// Sends one text frame; without a live connection it is dropped, and `Down` was or will be reported.
    pub(crate) fn text(&self, conn: ConnId, text: String) {
        let text = Frame::text(Payload::Owned(text.into_bytes()));
        if self.open.get(&conn).is_none_or(|feed| feed.outgoing.try_send(text).is_err()) {
            self.counters.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends a connection, politely where the socket still takes a frame. Nothing more is reported of it.
    pub(crate) fn close(&mut self, conn: ConnId) {
        if let Some(feed) = self.open.remove(&conn) {
            feed.silent.store(true, Ordering::Relaxed);
            if feed.outgoing.try_send(Frame::close(NORMAL_CLOSURE, b"")).is_err() {
                feed.task.abort();
            }
        }
    }
}

struct Session<T> {
    conn: ConnId,
    silent: Arc<AtomicBool>,
    dialer: Arc<Dialer>,
    inputs: InboxSender<T>,
    counters: Arc<FeedCounters>,
    activity: Activity,
}

impl<T: From<Input>> Session<T> {
    async fn run(
        self,
        kind: FeedKind,
        outgoing: mpsc::Sender<Frame<'static>>,
        frames: mpsc::Receiver<Frame<'static>>,
    ) {
        let Err(error) = self.converse(kind, outgoing, frames).await;
        self.counters.downs.fetch_add(1, Ordering::Relaxed);
        self.report(FeedEvent::Down { reason: error.to_string() }).await;
    }

    async fn converse(
        &self,
        kind: FeedKind,
        outgoing: mpsc::Sender<Frame<'static>>,
        mut frames: mpsc::Receiver<Frame<'static>>,
    ) -> Result<std::convert::Infallible, FeedError> {
        let (socket, arrival) = tokio::time::timeout(CONNECT_TIMEOUT, upgrade(&self.dialer, &kind))
            .await
            .map_err(|_| FeedError::Timeout { at: self.dialer.endpoint.to_string() })??;
        let (mut reader, mut writer) = split(socket);
        self.counters.opened.fetch_add(1, Ordering::Relaxed);
        self.report(FeedEvent::Up).await;
        // Reading is never cancelled halfway through a frame: both directions run to their own end.
        tokio::select! {
            ended = self.read(&mut reader, &outgoing, &arrival) => ended,
            ended = write(&mut writer, &mut frames) => ended,
        }
    }

    async fn read(
        &self,
        reader: &mut Reader,
        outgoing: &mpsc::Sender<Frame<'static>>,
        arrival: &Arrival,
    ) -> Result<std::convert::Infallible, FeedError> {
        let mut newest = Nanos::ZERO;
        let mut reply = |frame: Frame<'static>| {
            let queued = outgoing.try_send(frame).map_err(|_| FeedError::Stuck);
            async move { queued }
        };
        loop {
            let frame = reader.read_frame(&mut reply).await?;
            // In the order in which they are told, whoever said when they came.
            newest = arrival.newest().unwrap_or_else(|| Clock.mono()).max(newest);
            let received = newest;
            self.activity.stir();
            let event = match frame.opcode {
                OpCode::Binary => FeedEvent::Binary(take(frame.payload)),
                OpCode::Text => FeedEvent::Text(String::from_utf8_lossy(&frame.payload).into_owned()),
                OpCode::Close => return Err(closed(&frame.payload)),
                _ => continue,
            };
            self.counters.frames.fetch_add(1, Ordering::Relaxed);
            let length = match &event {
                FeedEvent::Binary(bytes) => bytes.len(),
                FeedEvent::Text(text) => text.len(),
                FeedEvent::Up | FeedEvent::Down { .. } => 0,
            };
            self.counters.bytes.fetch_add(length as u64, Ordering::Relaxed);
            self.report_at(received, event).await;
        }
    }

    async fn report(&self, event: FeedEvent) {
        self.report_at(Clock.mono(), event).await;
    }

    async fn report_at(&self, received: Nanos, event: FeedEvent) {
        if self.silent.load(Ordering::Relaxed) {
            return;
        }
        // Nobody is left to tell once the engine thread has ended.
        let _ = self.inputs.push(T::from(Input::Feed { conn: self.conn, received, event })).await;
    }
}

async fn write(
    writer: &mut Writer,
    frames: &mut mpsc::Receiver<Frame<'static>>,
) -> Result<std::convert::Infallible, FeedError> {
    while let Some(frame) = frames.recv().await {
        let last = frame.opcode == OpCode::Close;
        writer.write_frame(frame).await?;
        writer.flush().await?;
        if last {
            break;
        }
    }
    Err(FeedError::Asked)
}

fn take(payload: Payload<'_>) -> Bytes {
    match payload {
        // The frame reader split it off its buffer: no copy.
        Payload::Bytes(bytes) => bytes.freeze(),
        Payload::Owned(bytes) => bytes.into(),
        Payload::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
        Payload::BorrowedMut(bytes) => Bytes::copy_from_slice(bytes),
    }
}

fn closed(payload: &[u8]) -> FeedError {
    let (code, reason) = match payload {
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        // 1005 is the code that RFC 6455 gives to a close frame without one.
        _ => (1005, &[][..]),
    };
    FeedError::Closed { code, reason: quote(reason) }
}

fn quote(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(MAX_QUOTED)]).trim().to_owned()
}

fn split(socket: TokioIo<Upgraded>) -> (Reader, Writer) {
    let mut socket = WebSocket::after_handshake(socket, Role::Client);
    socket.set_max_message_size(MAX_MESSAGE);
    let (reader, writer): (WebSocketRead<_>, WebSocketWrite<_>) = socket.split(tokio::io::split);
    (FragmentCollectorRead::new(reader), writer)
}

/// What RFC 6455 §4.2.2 makes of a handshake's key: shows that the peer speaks WebSocket and answers this request.
fn accept_key(key: &str) -> String {
    let mut digest = Sha1::new();
    digest.update(key);
    digest.update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64::engine::general_purpose::STANDARD.encode(digest.finalize())
}

async fn upgrade(dialer: &Dialer, kind: &FeedKind) -> Result<(TokioIo<Upgraded>, Arrival), FeedError> {
    let endpoint = &dialer.endpoint;
    let at = endpoint.to_string();
    let failed = |source| FeedError::Upgrade { at: at.clone(), source };
    let Connected { socket, arrival } = dialer.connect(CONNECT_TIMEOUT, false).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.map_err(failed)?;
    // Ends by itself when the upgrade hands the socket over or the request fails.
    tokio::spawn(connection.with_upgrades());
    let path = if endpoint.path.is_empty() { "/" } else { &endpoint.path };
    let target = match kind {
        FeedKind::Public => path.to_owned(),
        FeedKind::Private { listen_key } => format!("{path}?listenKey={listen_key}"),
    };
    let key = fastwebsockets::handshake::generate_key();
    let expected = accept_key(&key);
    let request = Request::get(target)
        .header(HOST, endpoint.authority())
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "Upgrade")
        .header(SEC_WEBSOCKET_KEY, key)
        .header(SEC_WEBSOCKET_VERSION, "13")
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await.map_err(failed)?;
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let body = Limited::new(response.into_body(), MAX_QUOTED * 8).collect().await;
        let text = body.map(|body| quote(&body.to_bytes())).unwrap_or_default();
        return Err(FeedError::Refused { at, status, text });
    }
    let found = response.headers().get(SEC_WEBSOCKET_ACCEPT).map_or(&b""[..], |value| value.as_bytes());
    if found != expected.as_bytes() {
        return Err(FeedError::Accept { at, found: quote(found), expected });
    }
    Ok((TokioIo::new(hyper::upgrade::on(response).await.map_err(failed)?), arrival))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_accept_key_is_the_one_of_the_standards_example() {
        // RFC 6455 §1.3.
        assert_eq!(super::accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
