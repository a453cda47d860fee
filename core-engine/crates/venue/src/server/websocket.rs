//! One WebSocket: frames between its socket and the exchange.

use std::rc::Rc;
use std::time::Duration;

use fastwebsockets::upgrade::UpgradeFut;
use fastwebsockets::{Frame, OpCode, Payload, WebSocketError, WebSocketRead, WebSocketWrite};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{BufWriter, ReadHalf, WriteHalf};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

use super::cut::Cutter;
use super::driver::{Command, QUEUE, Socket};
use crate::exchange::{Output, SessionId};

type Reader = WebSocketRead<ReadHalf<TokioIo<Upgraded>>>;
type Writer = WebSocketWrite<BufWriter<WriteHalf<TokioIo<Upgraded>>>>;

/// Frames a client may send are small.
const MESSAGE_MOST: usize = 64 * 1024;
const PUSHES_PER_FLUSH: usize = 64;
/// Text messages whose answers a client has not taken yet; until it does, no further one is read.
const UNREAD_ANSWERS: usize = 16;
/// How long a socket that is over may take to close.
const PARTING: Duration = Duration::from_secs(5);

/// What is written ahead of all that waits: answers to protocol pings, and to the client's closing.
#[derive(Debug)]
pub(super) enum Own {
    Pong(Vec<u8>),
    Close,
}

/// Who ended a socket.
enum End {
    Client,
    Writer,
    Exchange,
}

/// Serves the socket until either side closes it.
pub(super) async fn serve(
    upgrade: UpgradeFut,
    listen_key: Option<String>,
    commands: mpsc::Sender<Command>,
    drained: Rc<Notify>,
    cutter: Cutter,
) -> Result<(), WebSocketError> {
    let mut socket = upgrade.await?;
    socket.set_max_message_size(MESSAGE_MOST);
    socket.set_auto_close(false);
    socket.set_auto_pong(false);
    let (reader, mut writer) = socket.split(|stream| {
        let (read, write) = tokio::io::split(stream);
        (read, BufWriter::with_capacity(64 * 1024, write))
    });
    let (outputs, queue) = mpsc::channel(QUEUE);
    let (held, let_go) = oneshot::channel();
    let (opened, session) = oneshot::channel();
    let (own, answers) = mpsc::channel(64);
    let socket = Socket { outputs, answers: own.clone(), cutter, _held: held };
    let open = Command::Open(listen_key, socket, opened);
    if commands.send(open).await.is_err() {
        return Ok(());
    }
    let Ok(session) = session.await else { return Ok(()) };
    let session = match session {
        Ok(session) => session,
        Err(unwelcome) => {
            writer.write_frame(Frame::text(Payload::Borrowed(unwelcome.0.as_bytes()))).await?;
            writer.write_frame(Frame::close(1008, unwelcome.0.as_bytes())).await?;
            return writer.flush().await;
        }
    };
    let unread = Rc::new(Semaphore::new(UNREAD_ANSWERS));
    let mut writing = tokio::task::spawn_local(write(writer, queue, answers, drained, Rc::clone(&unread)));
    let mut reading = std::pin::pin!(read(reader, session, &commands, own, &unread));
    let end = tokio::select! {
        () = &mut reading => End::Client,
        _ = &mut writing => End::Writer,
        _ = let_go => End::Exchange,
    };
    let _ = commands.send(Command::Closed(session)).await;
    // What waits is still written and the client's closing read, but nobody is waited for longer: a client that
    // neither reads nor leaves would keep its socket for ever.
    let parting = async {
        if !matches!(end, End::Writer) {
            let _ = (&mut writing).await;
        }
        if !matches!(end, End::Client) {
            reading.await;
        }
    };
    if tokio::time::timeout(PARTING, parting).await.is_err() {
        tracing::debug!(session = session.0, "closed without the client");
    }
    writing.abort();
    Ok(())
}

/// Reads until the client closes or breaks the protocol.
async fn read(
    mut reader: Reader,
    session: SessionId,
    commands: &mpsc::Sender<Command>,
    own: mpsc::Sender<Own>,
    unread: &Semaphore,
) {
    loop {
        // Automatic answers are off: nothing is ever written from here.
        let mut none = |_: Frame<'_>| std::future::ready(Ok::<(), WebSocketError>(()));
        let Ok(frame) = reader.read_frame(&mut none).await else { return };
        let passed = match frame.opcode {
            OpCode::Text => {
                // Closed with the writer: then there is nobody to answer any more.
                let Ok(answer) = unread.acquire().await else { continue };
                answer.forget();
                let text = String::from_utf8_lossy(&frame.payload).into_owned();
                commands.send(Command::Text(session, text)).await.is_ok()
            }
            OpCode::Ping => commands.send(Command::Ping(session, frame.payload.to_vec())).await.is_ok(),
            OpCode::Close => {
                let _ = own.send(Own::Close).await;
                false
            }
            OpCode::Pong | OpCode::Binary | OpCode::Continuation => true,
        };
        if !passed {
            return;
        }
    }
}

/// Writes until the exchange lets go of the session, the client closes, or the socket fails.
async fn write(
    mut writer: Writer,
    mut queue: mpsc::Receiver<Output>,
    mut answers: mpsc::Receiver<Own>,
    drained: Rc<Notify>,
    unread: Rc<Semaphore>,
) {
    loop {
        let result = tokio::select! {
            biased;
            answer = answers.recv() => match answer {
                Some(Own::Pong(payload)) => send(&mut writer, Frame::pong(Payload::Owned(payload))).await,
                Some(Own::Close) | None => {
                    let _ = send(&mut writer, Frame::close(1000, b"")).await;
                    break;
                }
            },
            output = queue.recv() => match output {
                Some(output) => write_some(&mut writer, output, &mut queue, &unread).await,
                None => {
                    let _ = send(&mut writer, Frame::close(1001, b"")).await;
                    break;
                }
            },
        };
        drained.notify_one();
        if !matches!(result, Ok(true)) {
            break;
        }
    }
    unread.close();
}

async fn send(writer: &mut Writer, frame: Frame<'_>) -> Result<bool, WebSocketError> {
    writer.write_frame(frame).await?;
    writer.flush().await?;
    Ok(true)
}

/// Writes what waits, then flushes once. False: the socket is to be closed.
async fn write_some(
    writer: &mut Writer,
    first: Output,
    queue: &mut mpsc::Receiver<Output>,
    unread: &Semaphore,
) -> Result<bool, WebSocketError> {
    let mut next = Some(first);
    let mut written = 0;
    while let Some(output) = next {
        match output {
            Output::Push(_, bytes) => {
                writer.write_frame(Frame::binary(Payload::Borrowed(&bytes))).await?;
            }
            Output::Text(_, text) => {
                writer.write_frame(Frame::text(Payload::Borrowed(text.as_bytes()))).await?;
                unread.add_permits(1);
            }
            Output::Unanswered(_) => unread.add_permits(1),
            Output::Ping(_) => {
                writer.write_frame(Frame::new(true, OpCode::Ping, None, Payload::Borrowed(b""))).await?;
            }
            Output::Close(SessionId(id), reason) => {
                tracing::info!(session = id, reason, "socket closed by the venue");
                writer.write_frame(Frame::close(1000, reason.as_bytes())).await?;
                writer.flush().await?;
                return Ok(false);
            }
            Output::Reply(..) | Output::Audit(..) | Output::Reset(_) => {}
        }
        written += 1;
        // Answers to the client's pings get their turn in between.
        next = if written < PUSHES_PER_FLUSH { queue.try_recv().ok() } else { None };
    }
    writer.flush().await?;
    Ok(true)
}
