//! A small pool of warm connections. Requests queue by class; each connection takes the most urgent one it may.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use flashpod_engine::io::{HttpOutcome, HttpRequest, Input, Method, Params, RequestClass, RequestId};
use flashpod_mexc::Signer;
use flashpod_types::Nanos;
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::endpoint::{Endpoint, Socket};
use crate::http::{self, RequestWriter};
use crate::ring::InboxSender;
use crate::tls::Tls;

/// How a pool connects.
#[derive(Debug, Clone)]
pub struct RestConfig {
    pub endpoint: Endpoint,
    pub api_key: Option<String>,
    pub signer: Option<Signer>,
    /// Connections for anything, and further ones that never carry a query, so that a slow snapshot can't hold up an
    /// order.
    pub shared_connections: usize,
    pub order_connections: usize,
    pub connect_timeout: Duration,
    /// An idle connection sends a ping this often, so that neither side drops it.
    pub ping_every: Duration,
    pub ping_path: String,
}

impl RestConfig {
    #[must_use]
    pub fn new(endpoint: Endpoint, api_key: Option<String>, signer: Option<Signer>) -> Self {
        Self {
            endpoint,
            api_key,
            signer,
            shared_connections: 2,
            order_connections: 2,
            connect_timeout: Duration::from_secs(5),
            ping_every: Duration::from_secs(15),
            ping_path: "/api/v3/ping".to_owned(),
        }
    }
}

/// Delays between attempts to connect: doubling, from the first to the last.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// How often requests that wait for a connection are checked against their time limits.
const EXPIRY_TICK: Duration = Duration::from_millis(10);
/// A reply to a ping that takes longer means the connection is dead.
const PING_TIMEOUT: Nanos = Nanos::from_secs(5);

/// What happened on the pool's connections since the start, for /metrics.
#[derive(Debug, Default)]
pub struct RestCounters {
    pub connects: AtomicU64,
    pub connect_failures: AtomicU64,
    pub requests: AtomicU64,
    pub timeouts: AtomicU64,
    pub broken: AtomicU64,
    pub expired_unsent: AtomicU64,
    pub pings: AtomicU64,
}

struct Job {
    request: HttpRequest,
    /// CLOCK_BOOTTIME after which it is no use to send any more.
    give_up: Nanos,
}

#[derive(Default)]
struct Queues {
    by_class: [VecDeque<Job>; 3],
}

impl Queues {
    fn pop(&mut self, queries_too: bool) -> Option<Job> {
        let classes = if queries_too { 3 } else { 2 };
        self.by_class[..classes].iter_mut().find_map(VecDeque::pop_front)
    }

    fn take_expired(&mut self, now: Nanos) -> Vec<Job> {
        let mut expired = Vec::new();
        for queue in &mut self.by_class {
            for job in std::mem::take(queue) {
                if job.give_up <= now { expired.push(job) } else { queue.push_back(job) }
            }
        }
        expired
    }

    fn is_empty(&self) -> bool {
        self.by_class.iter().all(VecDeque::is_empty)
    }
}

const fn lane(class: RequestClass) -> usize {
    match class {
        RequestClass::Cancel => 0,
        RequestClass::Order => 1,
        RequestClass::Query => 2,
    }
}

struct Shared<T> {
    config: RestConfig,
    tls: Tls,
    writer: RequestWriter,
    queues: Mutex<Queues>,
    /// Why the last attempt to connect failed; the reason given to requests that never found a connection.
    trouble: Mutex<Option<String>>,
    arrived: Notify,
    inputs: InboxSender<T>,
    counters: Arc<RestCounters>,
}

/// Handle of the pool; dropping it does not stop the connections, the end of the runtime does.
pub(crate) struct Rest<T> {
    shared: Arc<Shared<T>>,
}

impl<T: From<Input> + Send + 'static> Rest<T> {
    /// Starts the connections on the current runtime.
    pub(crate) fn start(
        config: RestConfig,
        tls: Tls,
        inputs: InboxSender<T>,
        counters: Arc<RestCounters>,
    ) -> Self {
        let writer = RequestWriter::new(&config.endpoint, config.api_key.as_deref(), config.signer.clone());
        let (any, orders) = (config.shared_connections, config.order_connections);
        let shared = Arc::new(Shared {
            config,
            tls,
            writer,
            queues: Mutex::default(),
            trouble: Mutex::default(),
            arrived: Notify::new(),
            inputs,
            counters,
        });
        for index in 0..any + orders {
            tokio::spawn(Connection::new(Arc::clone(&shared), index < any).run());
        }
        tokio::spawn(expire(Arc::clone(&shared)));
        Self { shared }
    }

    /// Queues a request; its outcome comes as `Input::Http`.
    pub(crate) fn submit(&self, request: HttpRequest) {
        let give_up = Clock.mono() + request.timeout;
        let give_up = request.not_after.map_or(give_up, |limit| limit.min(give_up));
        self.shared.queues().by_class[lane(request.class)].push_back(Job { request, give_up });
        self.shared.arrived.notify_waiters();
    }
}

impl<T: From<Input>> Shared<T> {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next request this connection may carry. Cancel-safe: a request is taken only as this returns.
    async fn next(&self, queries_too: bool) -> Job {
        loop {
            // Registered before looking, so that an arrival in between is not missed.
            let arrival = self.arrived.notified();
            if let Some(job) = self.queues().pop(queries_too) {
                return job;
            }
            arrival.await;
        }
    }

    async fn answer(&self, id: RequestId, sent: Option<Nanos>, outcome: HttpOutcome) {
        let counter = match outcome {
            HttpOutcome::Reply { .. } => None,
            HttpOutcome::Timeout => Some(&self.counters.timeouts),
            HttpOutcome::Broken { bytes_sent: false, .. } => Some(&self.counters.expired_unsent),
            HttpOutcome::Broken { .. } => Some(&self.counters.broken),
        };
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        // The engine thread may be gone at the very end; then nobody waits for the answer.
        let _ = self.inputs.push(T::from(Input::Http { id, sent, received: Clock.mono(), outcome })).await;
    }

    async fn answer_unsent(&self, id: RequestId, reason: String) {
        self.answer(id, None, HttpOutcome::Broken { bytes_sent: false, reason }).await;
    }

    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers requests that found no connection in time.
async fn expire<T: From<Input>>(shared: Arc<Shared<T>>) {
    loop {
        let arrival = shared.arrived.notified();
        if shared.queues().is_empty() {
            arrival.await;
        }
        tokio::time::sleep(EXPIRY_TICK).await;
        let expired = shared.queues().take_expired(Clock.mono());
        for job in expired {
            let trouble = shared.trouble().clone();
            let reason = trouble.unwrap_or_else(|| "every connection was busy".to_owned());
            shared.answer_unsent(job.request.id, format!("not sent in time: {reason}")).await;
        }
    }
}

struct Connection<T> {
    shared: Arc<Shared<T>>,
    queries_too: bool,
    out: Vec<u8>,
    buffer: BytesMut,
}

impl<T: From<Input>> Connection<T> {
    fn new(shared: Arc<Shared<T>>, queries_too: bool) -> Self {
        Self {
            shared,
            queries_too,
            out: Vec::with_capacity(1024),
            buffer: BytesMut::with_capacity(16 * 1024),
        }
    }

    async fn run(mut self) {
        let mut delay = BACKOFF.0;
        loop {
            let config = &self.shared.config;
            match config.endpoint.connect(&self.shared.tls, config.connect_timeout).await {
                Ok(socket) => {
                    self.shared.counters.connects.fetch_add(1, Ordering::Relaxed);
                    *self.shared.trouble() = None;
                    // A connection that carried a reply was good: the next attempt is immediate again.
                    if self.serve(socket).await {
                        delay = BACKOFF.0;
                        continue;
                    }
                }
                Err(error) => {
                    self.shared.counters.connect_failures.fetch_add(1, Ordering::Relaxed);
                    let text = error.to_string();
                    let mut trouble = self.shared.trouble();
                    if trouble.as_ref() != Some(&text) {
                        tracing::warn!(error = text, "REST connection failed");
                        *trouble = Some(text);
                    }
                }
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(BACKOFF.1);
        }
    }

    /// Carries requests until the connection can't any more; says whether it ever carried a reply.
    async fn serve(&mut self, mut socket: Socket) -> bool {
        let mut proven = false;
        let mut unsolicited = [0_u8; 64];
        loop {
            let idle = self.shared.config.ping_every;
            tokio::select! {
                biased;
                // While idle the venue has nothing to say: a byte or an end of file both mean "reconnect now", before
                // an order is written into a dead connection.
                _ = socket.read(&mut unsolicited) => return proven,
                job = self.shared.next(self.queries_too) => {
                    if !self.carry(&mut socket, job).await { return proven; }
                    proven = true;
                }
                () = tokio::time::sleep(idle) => {
                    if !self.ping(&mut socket).await { return proven; }
                    proven = true;
                }
            }
        }
    }

    /// Sends one request and answers it; says whether the connection may be used again.
    async fn carry(&mut self, socket: &mut Socket, job: Job) -> bool {
        let Job { request, give_up } = job;
        let id = request.id;
        if let Err(reason) = self.shared.writer.write(&request, &mut self.out) {
            self.shared.answer_unsent(id, reason.to_owned()).await;
            return true;
        }
        // The last look at the clock before the write: past the hard deadline nothing leaves, cancels included.
        if Clock.mono() >= give_up {
            self.shared.answer_unsent(id, "its time to be sent was over".to_owned()).await;
            return true;
        }
        self.shared.counters.requests.fetch_add(1, Ordering::Relaxed);
        let (sent, outcome, keep) = self.exchange(socket, request.timeout).await;
        self.shared.answer(id, sent, outcome).await;
        keep
    }

    async fn exchange(&mut self, socket: &mut Socket, limit: Nanos) -> (Option<Nanos>, HttpOutcome, bool) {
        let mut sent = None;
        let attempt = async {
            http::send(socket, &self.out).await?;
            sent = Some(Clock.mono());
            http::receive(socket, &mut self.buffer).await
        };
        let outcome = match tokio::time::timeout(Duration::from_nanos(limit.0), attempt).await {
            Ok(Ok(reply)) => {
                let keep = reply.keep;
                let http::Reply { status, retry_after_s, body, .. } = reply;
                return (sent, HttpOutcome::Reply { status, retry_after_s, body }, keep);
            }
            // From the first call of write on, nobody can say that no byte arrived.
            Ok(Err(error)) => HttpOutcome::Broken { bytes_sent: true, reason: error.to_string() },
            Err(_) => HttpOutcome::Timeout,
        };
        (sent.or_else(|| Some(Clock.mono())), outcome, false)
    }

    async fn ping(&mut self, socket: &mut Socket) -> bool {
        let request = HttpRequest {
            id: RequestId(0),
            class: RequestClass::Query,
            method: Method::Get,
            path: self.shared.config.ping_path.clone().into(),
            params: Params::new(),
            signed: false,
            timeout: PING_TIMEOUT,
            not_after: None,
        };
        self.shared.counters.pings.fetch_add(1, Ordering::Relaxed);
        match self.shared.writer.write(&request, &mut self.out) {
            Ok(()) => self.exchange(socket, PING_TIMEOUT).await.2,
            Err(_) => false,
        }
    }
}
