//! `AgentService`: what is wanted comes in, what is goes out, at once and at least every second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flashpod_engine::Input;
use flashpod_engine::io::AgentInput;
use flashpod_net::ring::InboxSender;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::convert::{status, up};
use crate::link::LedgerQuery;
use crate::proto;
use crate::proto::agent_service_server::AgentService;
use crate::proto::agent_up::Body;
use crate::registry::Registry;
use crate::thread::{GatewayCounters, HopFigures, HopSource, SocketChange};

/// The agent hears from the core at least this often.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// Changes closer together than this are told together.
const STATUS_SPACING: Duration = Duration::from_millis(10);
/// How long the engine thread may take to hand out its ledger.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(5);

/// What the gateway does not know by itself.
pub(crate) struct Facts {
    pub(crate) version: String,
    pub(crate) metrics_address: String,
    pub(crate) hops: HopSource,
}

pub(crate) struct Agent<T> {
    pub(crate) registry: Arc<Registry>,
    pub(crate) engines: Arc<HashMap<String, InboxSender<T>>>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) sockets: mpsc::UnboundedSender<SocketChange>,
    pub(crate) counters: Arc<GatewayCounters>,
}

impl<T> Clone for Agent<T> {
    fn clone(&self) -> Self {
        Self {
            registry: Arc::clone(&self.registry),
            engines: Arc::clone(&self.engines),
            facts: Arc::clone(&self.facts),
            sockets: self.sockets.clone(),
            counters: Arc::clone(&self.counters),
        }
    }
}

#[tonic::async_trait]
impl<T: From<Input> + From<LedgerQuery> + Send + 'static> AgentService for Agent<T> {
    type ControlStream = ReceiverStream<Result<proto::CoreStatus, Status>>;

    async fn control(
        &self,
        request: Request<Streaming<proto::AgentUp>>,
    ) -> Result<Response<Self::ControlStream>, Status> {
        tracing::info!("agent connected");
        let (down, stream) = mpsc::channel(1);
        let agent = self.clone();
        tokio::spawn(async move {
            let end = tokio::select! {
                end = agent.listen(request.into_inner()) => end,
                () = agent.report(&down) => Status::ok("its reader is gone, or the core has stopped"),
            };
            tracing::info!(reason = end.message(), "agent disconnected");
            if end.code() != tonic::Code::Ok {
                let _ = down.send(Err(end)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn ledger(
        &self,
        request: Request<proto::LedgerRequest>,
    ) -> Result<Response<proto::LedgerReply>, Status> {
        let account = request.into_inner().account;
        let (reply, answer) = oneshot::channel();
        self.engine(&account)?
            .push(T::from(LedgerQuery { reply }))
            .await
            .map_err(|_| Status::unavailable("the core is stopping"))?;
        match tokio::time::timeout(LEDGER_TIMEOUT, answer).await {
            Ok(Ok(view)) => Ok(Response::new(status::ledger(account, &view))),
            Ok(Err(_)) => Err(Status::unavailable("the core is stopping")),
            Err(_) => Err(Status::deadline_exceeded(format!("no ledger within {LEDGER_TIMEOUT:?}"))),
        }
    }
}

impl<T: From<Input> + From<LedgerQuery> + Send + 'static> Agent<T> {
    fn engine(&self, account: &str) -> Result<&InboxSender<T>, Status> {
        self.engines.get(account).ok_or_else(|| {
            let mut known: Vec<_> = self.engines.keys().collect();
            known.sort();
            Status::not_found(format!("account {account:?} is not carried by this core; accepted: {known:?}"))
        })
    }

    async fn listen(&self, mut incoming: Streaming<proto::AgentUp>) -> Status {
        loop {
            let body = match incoming.message().await {
                Ok(Some(message)) => message.body,
                Ok(None) => return Status::ok("the agent closed the stream"),
                Err(status) => return status,
            };
            if let Err(status) = self.take(body).await {
                self.counters.invalid_messages.add(u64::from(status.code() == tonic::Code::InvalidArgument));
                return status;
            }
        }
    }

    async fn take(&self, body: Option<Body>) -> Result<(), Status> {
        match body {
            Some(Body::Desired(message)) => self.desire(message).await,
            Some(Body::LeaseAttempt(message)) => {
                self.tell(&message.account, AgentInput::LeaseAttempt { attempt: message.attempt }).await
            }
            Some(Body::LeaseRenewed(message)) => {
                let proto::LeaseRenewed { account, attempt, epoch, soft_deadline_ms, hard_deadline_ms } =
                    message;
                if epoch == 0 {
                    return Err(Status::invalid_argument(
                        "lease_renewed.epoch: 0 is not an epoch; they count from 1",
                    ));
                }
                if soft_deadline_ms == 0 || soft_deadline_ms > hard_deadline_ms {
                    return Err(Status::invalid_argument(format!(
                        "lease_renewed.soft_deadline_ms: {soft_deadline_ms} must be above 0 and at most \
                         hard_deadline_ms, which is {hard_deadline_ms}"
                    )));
                }
                self.tell(
                    &account,
                    AgentInput::LeaseRenewed { attempt, epoch, soft_deadline_ms, hard_deadline_ms },
                )
                .await
            }
            Some(Body::StopSeen(proto::StopSeen {})) => {
                for account in self.engines.keys() {
                    self.tell(account, AgentInput::StopSeen).await?;
                }
                Ok(())
            }
            None => Err(Status::invalid_argument(
                "body: nothing this core knows was sent; accepted: desired, lease_attempt, lease_renewed, stop_seen",
            )),
        }
    }

    async fn desire(&self, message: proto::DesiredState) -> Result<(), Status> {
        let mut accounts: Vec<String> = self.engines.keys().cloned().collect();
        accounts.sort();
        let desired = up::desired(message, &accounts, &self.registry.in_force())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        for refused in &desired.refused {
            tracing::warn!(instance = refused.instance, reason = refused.reason, "policy refused");
        }
        // The engine hears of an instance before its socket exists, so a session never comes before its policy.
        // All at once: an account that is slow to take it must not keep a halt from the others.
        let mut told = JoinSet::new();
        for (account, state) in &desired.accounts {
            let (engine, state) = (self.engine(account)?.clone(), state.clone());
            told.spawn(async move {
                engine.push(T::from(Input::Agent(AgentInput::Desired(Box::new(state))))).await.is_ok()
            });
        }
        if !told.join_all().await.into_iter().all(|taken| taken) {
            return Err(Status::unavailable("the core is stopping"));
        }
        let (new, gone) = self.registry.apply(&desired);
        let closed = gone.into_iter().map(SocketChange::Close);
        for change in closed.chain(new.into_iter().map(SocketChange::Open)) {
            // Fails only when the gateway is going down.
            let _ = self.sockets.send(change);
        }
        Ok(())
    }

    async fn tell(&self, account: &str, input: AgentInput) -> Result<(), Status> {
        self.engine(account)?
            .push(T::from(Input::Agent(input)))
            .await
            .map_err(|_| Status::unavailable("the core is stopping"))
    }

    /// Returns when the agent's reader is gone, or everything was said.
    async fn report(&self, down: &mpsc::Sender<Result<proto::CoreStatus, Status>>) {
        let mut changes = self.registry.changes();
        loop {
            changes.mark_unchanged();
            let status = self.status();
            let last = status.stopped;
            if down.send(Ok(status)).await.is_err() || last {
                return;
            }
            tokio::time::sleep(STATUS_SPACING).await;
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(STATUS_EVERY - STATUS_SPACING) => {}
                () = down.closed() => return,
            }
        }
    }

    fn status(&self) -> proto::CoreStatus {
        let snapshot = self.registry.snapshot();
        let HopFigures { hops, mut tick_to_order } = (self.facts.hops)();
        let mut status = proto::CoreStatus {
            version: self.facts.version.clone(),
            // In force once every account's engine says so.
            generation: if snapshot.statuses.len() == self.engines.len() { u64::MAX } else { 0 },
            metrics_address: self.facts.metrics_address.clone(),
            stopped: snapshot.silent,
            hops,
            ..proto::CoreStatus::default()
        };
        for account in &snapshot.statuses {
            status.generation = status.generation.min(account.generation);
            status.stopping |= account.stopping;
            status.accounts.push(status::account(account));
            status.books.extend(account.books.iter().map(status::book));
            for instance in &account.instances {
                let conflated = snapshot.conflated_books.get(&instance.instance).copied().unwrap_or_default();
                status.instances.push(status::instance(
                    instance,
                    conflated,
                    tick_to_order.remove(&instance.instance),
                ));
            }
        }
        status.halts = status::halts(&self.registry.in_force(), &snapshot.statuses);
        // A core without accounts has nothing to apply.
        status.generation = if status.generation == u64::MAX { 0 } else { status.generation };
        for (name, reason) in snapshot.troubles {
            match status.instances.iter_mut().find(|instance| instance.instance == name) {
                Some(instance) => instance.reasons.push(reason),
                None => status.instances.push(proto::InstanceStatus {
                    instance: name,
                    state: proto::TradingState::Halted.into(),
                    reasons: vec![reason],
                    ..proto::InstanceStatus::default()
                }),
            }
        }
        status
    }
}
