//! A small pool of warm connections. A request goes at once on the fastest one that is free, or waits by class.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use flashpod_engine::io::{HttpOutcome, HttpRequest, Input, Method, Params, RequestClass, RequestId};
use flashpod_mexc::Signer;
use flashpod_types::Nanos;
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

use crate::awake::Activity;
use crate::clock::Clock;
use crate::dial::{Dialer, Socket};
use crate::endpoint::Endpoint;
use crate::failpoint::{self, Place};
use crate::http::{self, RequestWriter};
use crate::pause::{self, Pause};
use crate::ring::InboxSender;

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

/// Connections whose measured times are shown.
const SHOWN: usize = 8;

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
    /// 429 and 418: each pauses everything.
    pub pauses: AtomicU64,
    /// Requests that were given to another connection because the chosen one had died.
    pub moved: AtomicU64,
    /// Smoothed time of a request on each connection, ns; 0: none yet.
    pub ways: [AtomicU64; SHOWN],
}

#[derive(Debug)]
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

/// One connection as the pool sees it.
#[derive(Debug, Default)]
struct Slot {
    queries_too: bool,
    free: AtomicBool,
    /// Smoothed time of a request, ns; the greatest: not known.
    way: AtomicU64,
    /// What it shall carry next, put there by the pool while it was free.
    job: Mutex<Option<Job>>,
    given: Notify,
}

impl Slot {
    fn may_carry(&self, class: RequestClass) -> bool {
        self.queries_too || class != RequestClass::Query
    }

    fn take(&self) -> Option<Job> {
        self.free.store(false, Ordering::Relaxed);
        self.job.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn give(&self, job: Job) {
        self.free.store(false, Ordering::Relaxed);
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
        self.given.notify_one();
    }

    fn note_way(&self, way: Nanos) -> u64 {
        let old = self.way.load(Ordering::Relaxed);
        let new = if old == u64::MAX { way.0 } else { old - old / 8 + way.0 / 8 };
        self.way.store(new, Ordering::Relaxed);
        new
    }
}

struct Shared<T> {
    config: RestConfig,
    dialer: Arc<Dialer>,
    writer: RequestWriter,
    queues: Mutex<Queues>,
    slots: Vec<Slot>,
    /// Why the last attempt to connect failed; the reason given to requests that never found a connection.
    trouble: Mutex<Option<String>>,
    /// Something waits in the queues.
    arrived: Notify,
    inputs: InboxSender<T>,
    counters: Arc<RestCounters>,
    activity: Activity,
    limit: Pause,
    ban: Arc<Pause>,
}

/// Handle of the pool; dropping it does not stop the connections, the end of the runtime does.
pub(crate) struct Rest<T> {
    shared: Arc<Shared<T>>,
}

impl<T: From<Input> + Send + 'static> Rest<T> {
    /// Starts the connections on the current runtime.
    pub(crate) fn start(
        config: RestConfig,
        dialer: Arc<Dialer>,
        inputs: InboxSender<T>,
        counters: Arc<RestCounters>,
        activity: Activity,
        ban: Arc<Pause>,
    ) -> Self {
        let writer = RequestWriter::new(&config.endpoint, config.api_key.as_deref(), config.signer.clone());
        let (any, orders) = (config.shared_connections, config.order_connections);
        // Those that are for orders only come first: among equally fast ones they are taken.
        let slot =
            |index| Slot { queries_too: index >= orders, way: AtomicU64::new(u64::MAX), ..Slot::default() };
        let shared = Arc::new(Shared {
            config,
            dialer,
            writer,
            queues: Mutex::default(),
            slots: (0..orders + any).map(slot).collect(),
            trouble: Mutex::default(),
            arrived: Notify::new(),
            inputs,
            counters,
            activity,
            limit: Pause::default(),
            ban,
        });
        for index in 0..shared.slots.len() {
            tokio::spawn(Connection::new(Arc::clone(&shared), index).run());
        }
        tokio::spawn(expire(Arc::clone(&shared)));
        Self { shared }
    }

    /// Sends a request on the fastest free connection, or queues it; its outcome comes as `Input::Http`.
    pub(crate) async fn submit(&self, request: HttpRequest) {
        let now = Clock.mono();
        if let Some(reason) = self.shared.paused(now) {
            self.shared.answer_unsent(request.id, reason).await;
            return;
        }
        let give_up = now + request.timeout;
        let give_up = request.not_after.map_or(give_up, |limit| limit.min(give_up));
        self.shared.place(Job { request, give_up });
    }
}

impl<T: From<Input>> Shared<T> {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a job to the free connection that was the fastest so far, or to the queue.
    fn place(&self, job: Job) {
        let class = job.request.class;
        let free = |slot: &&Slot| slot.free.load(Ordering::Relaxed) && slot.may_carry(class);
        match self.slots.iter().filter(free).min_by_key(|slot| slot.way.load(Ordering::Relaxed)) {
            Some(slot) => slot.give(job),
            None => {
                self.queues().by_class[lane(class)].push_back(job);
                self.arrived.notify_one();
            }
        }
    }

    /// What a connection that has become free shall carry; None: it is free from now on.
    fn next(&self, slot: &Slot) -> Option<Job> {
        let job = self.queues().pop(slot.queries_too);
        slot.free.store(job.is_none(), Ordering::Relaxed);
        job
    }

    /// Why nothing may be sent now.
    fn paused(&self, now: Nanos) -> Option<String> {
        let until = self.limit.until().max(self.ban.until());
        let left = until.since(now);
        (left > Nanos::ZERO).then(|| {
            format!("the venue asked for a pause (429 or 418): {} ms of it are left", left.as_millis())
        })
    }

    async fn answer(&self, id: RequestId, sent: Option<Nanos>, outcome: HttpOutcome) {
        self.activity.stir();
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
        if shared.queues().is_empty() {
            shared.arrived.notified().await;
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
    index: usize,
    out: Vec<u8>,
    buffer: BytesMut,
    /// State of the jitter.
    jitter: u64,
}

impl<T: From<Input>> Connection<T> {
    fn new(shared: Arc<Shared<T>>, index: usize) -> Self {
        Self {
            shared,
            index,
            out: Vec::with_capacity(1024),
            buffer: BytesMut::with_capacity(16 * 1024),
            jitter: Clock.mono().0 ^ (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        }
    }

    /// 3/4 to 5/4 of a wait, so that many connections do not come back in step (xorshift).
    fn jittered(&mut self, wait: Duration) -> Duration {
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        let part = u32::try_from(self.jitter % 513).unwrap_or_default();
        wait * 3 / 4 + wait / 2 * part / 512
    }

    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let slot = &shared.slots[self.index];
        // The last one is kept on the second fastest address, where there is one.
        let spare = self.index > 0 && self.index + 1 == shared.slots.len();
        let mut delay = BACKOFF.0;
        loop {
            match shared.dialer.connect(shared.config.connect_timeout, spare).await {
                Ok(connected) => {
                    shared.counters.connects.fetch_add(1, Ordering::Relaxed);
                    *shared.trouble() = None;
                    let good = self.serve(slot, connected.socket).await;
                    // Given to it in the moment in which it died: not one byte of it was written.
                    if let Some(job) = slot.take() {
                        shared.counters.moved.fetch_add(1, Ordering::Relaxed);
                        shared.place(job);
                    }
                    // A connection that carried a reply was good: the next attempt is immediate again.
                    if good {
                        delay = BACKOFF.0;
                        continue;
                    }
                }
                Err(error) => {
                    shared.counters.connect_failures.fetch_add(1, Ordering::Relaxed);
                    let text = error.to_string();
                    let mut trouble = shared.trouble();
                    if trouble.as_ref() != Some(&text) {
                        tracing::warn!(error = text, "REST connection failed");
                        *trouble = Some(text);
                    }
                }
            }
            tokio::time::sleep(self.jittered(delay)).await;
            delay = (delay * 2).min(BACKOFF.1);
        }
    }

    /// Carries requests until the connection can't any more; says whether it ever carried a reply.
    async fn serve(&mut self, slot: &Slot, mut socket: Socket) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut proven = false;
        let mut unsolicited = [0_u8; 64];
        loop {
            if let Some(job) = shared.next(slot) {
                if !self.carry(&mut socket, job).await {
                    return proven;
                }
                proven = true;
                continue;
            }
            tokio::select! {
                biased;
                // While idle the venue has nothing to say: a byte or an end of file both mean "reconnect now", before
                // an order is written into a dead connection.
                _ = socket.read(&mut unsolicited) => return proven,
                () = slot.given.notified() => {
                    let Some(job) = slot.take() else { continue };
                    if !self.carry(&mut socket, job).await { return proven; }
                }
                () = tokio::time::sleep(shared.config.ping_every) => {
                    // Given in this very moment: it goes before the ping.
                    let job = slot.take();
                    let kept = match job {
                        Some(job) => self.carry(&mut socket, job).await,
                        None if shared.paused(Clock.mono()).is_some() => continue,
                        None => self.ping(&mut socket).await,
                    };
                    if !kept { return proven; }
                }
            }
            proven = true;
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
        let now = Clock.mono();
        if now >= give_up {
            self.shared.answer_unsent(id, "its time to be sent was over".to_owned()).await;
            return true;
        }
        if let Some(reason) = self.shared.paused(now) {
            self.shared.answer_unsent(id, reason).await;
            return true;
        }
        self.shared.counters.requests.fetch_add(1, Ordering::Relaxed);
        let (sent, outcome, keep) = self.exchange(socket, request.timeout, request.class).await;
        if request.class == RequestClass::Order {
            failpoint::reach(Place::AckReceived);
        }
        self.shared.answer(id, sent, outcome).await;
        keep
    }

    async fn exchange(
        &mut self,
        socket: &mut Socket,
        limit: Nanos,
        class: RequestClass,
    ) -> (Option<Nanos>, HttpOutcome, bool) {
        let mut sent = None;
        let attempt = async {
            let order = class == RequestClass::Order;
            if order && failpoint::is_armed(Place::BytesHalfWritten) {
                http::send_in_halves(socket, &self.out, || failpoint::reach(Place::BytesHalfWritten)).await?;
            } else {
                http::send(socket, &self.out).await?;
            }
            sent = Some(Clock.mono());
            if order {
                failpoint::reach(Place::BytesWritten);
            }
            http::receive(socket, &mut self.buffer).await
        };
        let outcome = match tokio::time::timeout(Duration::from_nanos(limit.0), attempt).await {
            Ok(Ok(reply)) => {
                let http::Reply { status, retry_after_s, body, keep } = reply;
                self.note(sent, status, retry_after_s);
                return (sent, HttpOutcome::Reply { status, retry_after_s, body }, keep);
            }
            // From the first call of write on, nobody can say that no byte arrived.
            Ok(Err(error)) => HttpOutcome::Broken { bytes_sent: true, reason: error.to_string() },
            Err(_) => HttpOutcome::Timeout,
        };
        (sent.or_else(|| Some(Clock.mono())), outcome, false)
    }

    /// How long it took, and whether the venue wants a pause.
    fn note(&self, sent: Option<Nanos>, status: u16, retry_after_s: Option<u32>) {
        let (shared, now) = (&self.shared, Clock.mono());
        if let Some(sent) = sent {
            let way = shared.slots[self.index].note_way(now.since(sent));
            if let Some(shown) = shared.counters.ways.get(self.index) {
                shown.store(way, Ordering::Relaxed);
            }
        }
        let pauses = pause::note(&shared.limit, &shared.ban, now, status, retry_after_s);
        shared.counters.pauses.fetch_add(u64::from(pauses), Ordering::Relaxed);
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
            Ok(()) => self.exchange(socket, PING_TIMEOUT, request.class).await.2,
            Err(_) => false,
        }
    }
}
