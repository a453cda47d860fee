//! `StrategyService`: the stream between one sidecar and the core.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flashpod_engine::Input;
use flashpod_engine::io::SessionMessage;
use flashpod_net::Clock;
use flashpod_net::ring::InboxSender;
use tonic::{Request, Response, Status, Streaming};

use crate::convert::{down, up};
use crate::mailbox::{Mailbox, Outgoing};
use crate::proto;
use crate::proto::session_down::Body as Down;
use crate::proto::session_up::Body as Up;
use crate::proto::strategy_service_server::StrategyService;
use crate::registry::{Refusal, Registry};
use crate::thread::GatewayCounters;

/// Longest token that is hashed.
const MAX_TOKEN: usize = 1024;

/// The service behind one instance's socket.
pub(crate) struct Session<T> {
    pub(crate) instance: String,
    pub(crate) registry: Arc<Registry>,
    pub(crate) engines: Arc<HashMap<String, InboxSender<T>>>,
    pub(crate) counters: Arc<GatewayCounters>,
    /// Time from the opening of the stream to its Hello.
    pub(crate) hello_within: Duration,
}

#[tonic::async_trait]
impl<T: From<Input> + Send + 'static> StrategyService for Session<T> {
    type SessionStream = Outgoing;

    async fn session(
        &self,
        request: Request<Streaming<proto::SessionUp>>,
    ) -> Result<Response<Outgoing>, Status> {
        let opened = self.open(request).await;
        if opened.is_err() {
            self.counters.refused_sessions.add(1);
        }
        opened
    }
}

impl<T: From<Input> + Send + 'static> Session<T> {
    async fn open(
        &self,
        request: Request<Streaming<proto::SessionUp>>,
    ) -> Result<Response<Outgoing>, Status> {
        let mut incoming = request.into_inner();
        let within = self.hello_within;
        let first = tokio::time::timeout(within, incoming.message()).await.map_err(|_| {
            Status::deadline_exceeded(format!("no Hello within {within:?}: a session begins with one"))
        })??;
        let Some(Up::Hello(hello)) = first.and_then(|message| message.body) else {
            return Err(Status::failed_precondition("the first message of a session must be hello"));
        };
        let (account, mailbox) = self.identify(&hello)?;
        let engine = self
            .engines
            .get(&account)
            .cloned()
            .ok_or_else(|| Status::internal(format!("account {account:?} has no engine")))?;
        tracing::info!(instance = self.instance, sdk = hello.sdk_version, "session opened");
        self.counters.sessions.add(1);
        let conversation = Conversation {
            instance: self.instance.clone(),
            registry: Arc::clone(&self.registry),
            mailbox: Arc::clone(&mailbox),
            engine,
            counters: Arc::clone(&self.counters),
        };
        conversation.say(SessionMessage::Opened { last_sequence: hello.last_sequence }).await?;
        tokio::spawn(conversation.listen(incoming));
        Ok(Response::new(Outgoing { mailbox, finished: false }))
    }

    fn identify(&self, hello: &proto::Hello) -> Result<(String, Arc<Mailbox>), Status> {
        // One answer for every wrong Hello: who guesses learns nothing, the log says which it was.
        let refused = |why: &str| {
            tracing::warn!(instance = hello.instance, socket = self.instance, why, "session refused");
            Status::unauthenticated(format!(
                "instance {:?} with this token is not served on this socket",
                hello.instance
            ))
        };
        if hello.instance != self.instance {
            return Err(refused("another instance's socket"));
        }
        if hello.token.is_empty() || hello.token.len() > MAX_TOKEN {
            return Err(refused("token empty or too long"));
        }
        self.registry.open(&self.instance, &hello.token).map_err(|refusal| match refusal {
            Refusal::UnknownInstance => refused("unknown instance"),
            Refusal::WrongToken => refused("wrong token"),
        })
    }
}

/// The up direction of one session.
struct Conversation<T> {
    instance: String,
    registry: Arc<Registry>,
    mailbox: Arc<Mailbox>,
    engine: InboxSender<T>,
    counters: Arc<GatewayCounters>,
}

impl<T: From<Input>> Conversation<T> {
    /// Nothing is read before the Welcome: nothing could be done about it, and who sends all the same waits in front
    /// of a full stream, not in the engine's ring and the journal.
    async fn listen(self, incoming: Streaming<proto::SessionUp>) {
        let end = if self.mailbox.begun().await {
            self.hear(incoming).await
        } else {
            Status::aborted("the session ended before it was welcomed")
        };
        tracing::info!(instance = self.instance, reason = end.message(), "session closed");
        self.mailbox.end(end);
        // When a newer session has taken over, the engine must not take this end for its own.
        if self.registry.close(&self.instance, &self.mailbox) {
            let _ = self.say(SessionMessage::Closed).await;
        }
    }

    /// Passes on what the sidecar says, until the session ends; how it did.
    async fn hear(&self, mut incoming: Streaming<proto::SessionUp>) -> Status {
        loop {
            let message = match incoming.message().await {
                Ok(Some(message)) => message,
                Ok(None) => return Status::ok("the sidecar closed the session"),
                Err(status) => return status,
            };
            if self.mailbox.ended() {
                return Status::aborted("the session has ended");
            }
            match up::session(message) {
                Ok(message) => {
                    if matches!(message, SessionMessage::Heartbeat) {
                        let mono_ns = Clock.mono().0;
                        self.mailbox.courtesy(down::down(Down::Heartbeat(proto::Heartbeat { mono_ns })));
                    }
                    if let Err(status) = self.say(message).await {
                        return status;
                    }
                }
                Err(error) => {
                    self.counters.invalid_messages.add(1);
                    return Status::invalid_argument(error.to_string());
                }
            }
        }
    }

    async fn say(&self, message: SessionMessage) -> Result<(), Status> {
        let input = Input::Session { instance: self.instance.clone(), received: Clock.mono(), message };
        self.engine.push(T::from(input)).await.map_err(|_| Status::unavailable("the core is stopping"))
    }
}
