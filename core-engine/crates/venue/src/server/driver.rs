//! The one task that owns the exchange: commands and time in, outputs to their sockets.

use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::{Notify, mpsc, oneshot};

use super::cut::Cutter;
use super::websocket::Own;
use crate::clock::Clock;
use crate::exchange::{Exchange, HttpReply, HttpRequest, Output, RequestId, SessionId, Unwelcome};

/// The way to one WebSocket. Dropping it tells the socket that the exchange let go of it, also while the socket
/// is busy writing to a client that does not read.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) outputs: mpsc::Sender<Output>,
    /// Answers to protocol pings go ahead of what waits.
    pub(super) answers: mpsc::Sender<Own>,
    pub(super) cutter: Cutter,
    pub(super) _held: oneshot::Sender<()>,
}

/// What the sockets ask of the exchange.
#[derive(Debug)]
pub(super) enum Command {
    Http(HttpRequest, oneshot::Sender<HttpReply>),
    Open(Option<String>, Socket, oneshot::Sender<Result<SessionId, Unwelcome>>),
    Text(SessionId, String),
    Ping(SessionId, Vec<u8>),
    Closed(SessionId),
}

/// Frames that may wait for one socket. At full speed the tape waits for room; otherwise a reader that is so
/// far behind is cut off.
pub(super) const QUEUE: usize = 8_192;
/// Recorded events played between two looks at the commands, and the room they need: an event makes fewer than
/// a dozen frames for one socket.
const PLAY: usize = 32;
const ROOM: usize = PLAY * 12;

#[derive(Debug)]
pub(super) struct Driver {
    exchange: Exchange,
    clock: Clock,
    commands: mpsc::Receiver<Command>,
    /// A socket drained its queue: there may be room again.
    drained: Rc<Notify>,
    replies: HashMap<RequestId, oneshot::Sender<HttpReply>>,
    sockets: HashMap<SessionId, Socket>,
    next_request: u64,
}

impl Driver {
    pub(super) fn new(
        exchange: Exchange,
        clock: Clock,
        commands: mpsc::Receiver<Command>,
        drained: Rc<Notify>,
    ) -> Self {
        Self {
            exchange,
            clock,
            commands,
            drained,
            replies: HashMap::new(),
            sockets: HashMap::new(),
            next_request: 1,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            self.exchange.advance(self.clock.now());
            self.dispatch();
            let deadline = self.exchange.next_deadline();
            let sleep = tokio::time::sleep_until(self.clock.instant_of(deadline).into());
            let waits = self.exchange.tape_waits();
            let room = waits && self.has_room();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.handle(command),
                    None => return,
                },
                () = sleep => {}
                () = self.drained.notified(), if waits && !room => {}
                () = tokio::task::yield_now(), if room => {
                    self.exchange.play(PLAY);
                    self.dispatch();
                }
            }
        }
    }

    /// Every reader has room for what the next events make, and little is on its way already.
    fn has_room(&self) -> bool {
        if self.exchange.held() >= QUEUE {
            return false;
        }
        self.sockets.values().map(|socket| &socket.outputs).all(|to| to.is_closed() || to.capacity() >= ROOM)
    }

    fn handle(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Http(request, reply) => {
                let id = RequestId(self.next_request);
                self.next_request += 1;
                self.replies.insert(id, reply);
                self.exchange.handle_http(now, id, &request);
            }
            Command::Open(listen_key, socket, reply) => {
                let opened = self.exchange.open_session(now, listen_key.as_deref());
                if let Ok(id) = opened {
                    self.sockets.insert(id, socket);
                }
                if let Err(Ok(id)) = reply.send(opened) {
                    self.closed(id);
                }
            }
            Command::Text(id, text) => self.exchange.on_text(now, id, &text),
            Command::Ping(id, payload) => {
                if self.exchange.on_ping(now, id)
                    && let Some(socket) = self.sockets.get(&id)
                {
                    // Full: the client takes none of the answers that it has.
                    let _ = socket.answers.try_send(Own::Pong(payload));
                }
            }
            Command::Closed(id) => self.closed(id),
        }
        self.dispatch();
    }

    fn closed(&mut self, id: SessionId) {
        self.exchange.close_session(id);
        self.sockets.remove(&id);
    }

    fn dispatch(&mut self) {
        while let Some(output) = self.exchange.poll_output() {
            let id = match &output {
                Output::Reply(id, _) => {
                    if let (Some(to), Output::Reply(_, reply)) = (self.replies.remove(id), output) {
                        // The client may have gone: nothing is owed then.
                        let _ = to.send(reply);
                    }
                    continue;
                }
                Output::Audit(id, _) => {
                    if let (Some(to), Output::Audit(_, picture)) = (self.replies.remove(id), output) {
                        // On a thread of its own: a picture of many orders takes long to write.
                        tokio::task::spawn_blocking(move || to.send(HttpReply::ok(picture.text())));
                    }
                    continue;
                }
                Output::Reset(id) => {
                    if let Some(socket) = self.sockets.remove(id) {
                        socket.cutter.cut();
                    }
                    continue;
                }
                Output::Text(id, _)
                | Output::Unanswered(id)
                | Output::Push(id, _)
                | Output::Ping(id)
                | Output::Close(id, _) => *id,
            };
            let closing = matches!(output, Output::Close(..));
            let Some(socket) = self.sockets.get(&id) else { continue };
            if socket.outputs.try_send(output).is_err() {
                tracing::warn!(session = id.0, "reader too far behind or gone: cut off");
                self.closed(id);
            } else if closing {
                self.sockets.remove(&id);
            }
        }
    }
}
