//! The telemetry thread: it empties the rings and answers `/metrics`, `/healthz` and `/readyz`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use flashpod_engine::Status;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::exposition;
use crate::hops::{self, HopSummary, Hops, Recorder, Sample, Source};
use crate::readings::{self, Reading};

/// How often the rings are emptied.
const DRAIN_EVERY: Duration = Duration::from_millis(20);
/// An engine thread says something at least every second; after this long it is taken for stuck.
const STUCK_AFTER: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error(
        "metrics address {address:?} can't be listened on: {source}; HOST:PORT is expected, port 0 is chosen"
    )]
    Listen { address: String, source: std::io::Error },
    #[error("the telemetry thread can't be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Values that others count, read at each scrape.
pub type Extra = Box<dyn Fn(&mut Vec<Reading>) + Send + Sync>;

pub struct TelemetryConfig {
    pub version: String,
    pub accounts: Vec<String>,
}

impl fmt::Debug for TelemetryConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryConfig").field("accounts", &self.accounts).finish_non_exhaustive()
    }
}

struct Account {
    source: Source,
    status: Option<Arc<Status>>,
    heard: Instant,
}

struct Shared {
    version: String,
    accounts: Mutex<BTreeMap<String, Account>>,
    hops: Mutex<Hops>,
    extra: Mutex<Vec<Extra>>,
}

/// The running thread.
#[derive(Debug)]
pub struct Telemetry {
    address: SocketAddr,
    shared: Handle,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Reads what was recorded so far, from any thread but the engines'.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    /// Percentiles of every hop seen so far.
    #[must_use]
    pub fn hops(&self) -> Vec<HopSummary> {
        locked(&self.shared.hops).summaries()
    }

    /// Percentiles of tick to order, by instance.
    #[must_use]
    pub fn tick_to_order(&self) -> BTreeMap<String, HopSummary> {
        locked(&self.shared.hops).tick_to_order()
    }

    /// Adds values to every scrape.
    pub fn add(&self, extra: Extra) {
        locked(&self.shared.extra).push(extra);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Telemetry {
    /// Listens and starts the thread; gives one recorder per account, in the order of `config.accounts`.
    pub fn start(config: TelemetryConfig, address: &str) -> Result<(Self, Vec<Recorder>), TelemetryError> {
        let failed = |source| TelemetryError::Listen { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let heard = runtime.block_on(async { Instant::now() });
        let mut recorders = Vec::new();
        let mut accounts = BTreeMap::new();
        for name in config.accounts {
            let (recorder, source) = hops::ring();
            recorders.push(recorder);
            accounts.insert(name, Account { source, status: None, heard });
        }
        let shared = Arc::new(Shared {
            version: config.version,
            accounts: Mutex::new(accounts),
            hops: Mutex::default(),
            extra: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("telemetry".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || runtime.block_on(run(listener, shared, stopped))
        })?;
        Ok((Self { address, shared: Handle { shared }, stop, thread }, recorders))
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    #[must_use]
    pub fn handle(&self) -> Handle {
        self.shared.clone()
    }

    /// Ends the thread and waits for it; a panic in it comes back as text.
    pub fn stop(self) -> Result<(), String> {
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| "the telemetry thread panicked".to_owned())
    }
}

async fn run(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(Arc::clone(&shared));
    let serve = async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router).await
    };
    let drain = async {
        loop {
            shared.drain();
            tokio::time::sleep(DRAIN_EVERY).await;
        }
    };
    tokio::select! {
        served = serve => if let Err(error) = served {
            tracing::error!(error = error.to_string(), "the metrics server failed");
        },
        () = drain => {}
        _ = stopped => {}
    }
}

impl Shared {
    fn drain(&self) {
        let mut accounts = locked(&self.accounts);
        let mut hops = locked(&self.hops);
        for account in accounts.values_mut() {
            while let Ok(sample) = account.source.ring.pop() {
                match sample {
                    Sample::Hop { hop, nanos, instance } => hops.record(hop, nanos, instance),
                    Sample::Status(status) => {
                        account.status = Some(status);
                        account.heard = Instant::now();
                    }
                }
            }
        }
    }

    fn readings(&self) -> Vec<Reading> {
        let labels = [("version", self.version.as_str())];
        let mut out = vec![Reading::gauge("build_info", "Version of the core", &labels, 1.0)];
        for (name, account) in locked(&self.accounts).iter() {
            let dropped = account.source.dropped.load(Ordering::Relaxed);
            let help = "Times and statuses that telemetry had no room for";
            out.push(Reading::counter("dropped_samples", help, &[("account", name)], dropped));
            if let Some(status) = &account.status {
                readings::of_status(status, &mut out);
            }
        }
        for extra in locked(&self.extra).iter() {
            extra(&mut out);
        }
        out
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    shared.drain();
    match exposition::encode(shared.readings(), &locked(&shared.hops)) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text)
        }
        Err(error) => {
            let kind = "text/plain; charset=utf-8";
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, kind)], error.to_string())
        }
    }
}

/// Alive: every engine thread was heard of lately.
async fn healthz(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let stuck: Vec<String> = locked(&shared.accounts)
        .iter()
        .filter(|(_, account)| account.heard.elapsed() > STUCK_AFTER)
        .map(|(name, account)| format!("account {name}: nothing heard for {:?}\n", account.heard.elapsed()))
        .collect();
    answer(stuck)
}

/// Ready: every account is reconciled with its venue.
async fn readyz(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    shared.drain();
    let waiting: Vec<String> = locked(&shared.accounts)
        .iter()
        .filter(|(_, account)| !account.status.as_ref().is_some_and(|status| status.account.ready))
        .map(|(name, account)| {
            let reasons = account.status.as_ref().map(|status| status.account.reasons.join(", "));
            format!("account {name}: not reconciled yet; {}\n", reasons.unwrap_or_default())
        })
        .collect();
    answer(waiting)
}

fn answer(problems: Vec<String>) -> (StatusCode, String) {
    if problems.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems.concat())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use flashpod_engine::io::Hop;
    use flashpod_engine::status::AccountStatus;

    use super::*;

    fn get(address: SocketAddr, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    #[test]
    fn a_core_is_healthy_from_the_start_and_ready_once_its_account_is_reconciled() {
        let config = TelemetryConfig { version: "1.2.3".to_owned(), accounts: vec!["main".to_owned()] };
        let (telemetry, mut recorders) = Telemetry::start(config, "127.0.0.1:0").unwrap();
        let address = telemetry.address();
        assert_eq!(get(address, "/healthz"), (200, "ok\n".to_owned()));
        let (code, text) = get(address, "/readyz");
        assert!(code == 503 && text.contains("main"), "{code} {text}");

        telemetry.handle().add(Box::new(|out| out.push(Reading::counter("sessions", "Sessions", &[], 9))));
        recorders[0].hop(Hop::Send, 42_000, None);
        let account = AccountStatus { account: "main".to_owned(), ready: true, ..AccountStatus::default() };
        recorders[0].status(Arc::new(Status { account, ..Status::default() }));
        assert_eq!(get(address, "/readyz").0, 200);
        let (code, text) = get(address, "/metrics");
        assert_eq!(code, 200);
        for line in [
            "flashpod_core_build_info{version=\"1.2.3\"} 1.0",
            "flashpod_core_account_ready{account=\"main\"} 1.0",
            "flashpod_core_http_429_total{account=\"main\"} 0.0",
            "flashpod_core_sessions_total 9.0",
            "flashpod_core_hop_seconds_count{hop=\"SEND\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert_eq!(telemetry.handle().hops()[0].count, 1);
        assert_eq!(get(address, "/other").0, 404);
        telemetry.stop().unwrap();
    }

    #[test]
    fn an_address_that_can_not_be_listened_on_is_named() {
        let config = TelemetryConfig { version: String::new(), accounts: Vec::new() };
        let error = Telemetry::start(config, "127.0.0.1:notaport").unwrap_err().to_string();
        assert!(error.contains("notaport") && error.contains("HOST:PORT"), "{error}");
    }
}
