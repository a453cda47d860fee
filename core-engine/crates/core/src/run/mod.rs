//! `flashpod-core run`: composes the threads of a core and ends them in order.
//!
//! Per account: one engine thread (`driver`), one network thread (`flashpod_net`), one journal thread (`upkeep`). For
//! the process: the gateway, the telemetry, and this thread, which waits for a signal or for the end of an engine.

mod account;
mod driver;
mod hops;
mod metrics;
mod retention;
mod stages;
mod state_dir;
mod upkeep;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use flashpod_gateway::{Gateway, GatewayConfig, GatewayCounters, HopFigures, proto};
use flashpod_net::cpu;
use flashpod_net::pause::Pause;
use flashpod_telemetry::{Telemetry, TelemetryConfig, logs};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::config;
use account::{Ended, RunningAccount};

/// How long the engines may take to stop; the pod's grace period is 30 s.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Exit code when the stop took longer: orders may still be open.
const EXIT_NOT_STOPPED: i32 = 1;

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// Configuration file (JSON)
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where journals are kept; one core at a time
    #[arg(long, value_name = "DIR")]
    state_dir: PathBuf,
    /// Where the sockets of the agent and of the sidecars are made
    #[arg(long, value_name = "DIR")]
    socket_dir: PathBuf,
    /// A folder per account with the files apiKey and secretKey
    #[arg(long, value_name = "DIR")]
    credentials_dir: PathBuf,
    /// PEM file of a CA to trust beside the public ones
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Address of /metrics, /healthz and /readyz; port 0 is chosen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    metrics: String,
}

/// Runs until a signal; the exit code of the process.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<i32> {
    let _logs = logs::start();
    let outcome = try_run(args);
    if let Err(error) = &outcome {
        tracing::error!(error = format!("{error:#}"), "the core ends");
    }
    outcome
}

fn try_run(args: &RunArgs) -> anyhow::Result<i32> {
    let (config, venues) = config::load(&args.config)?;
    flashpod_net::signals::file_size_limit_is_an_error();
    #[cfg(feature = "failpoints")]
    flashpod_net::failpoint::listen()?;
    let _lock = state_dir::lock(&args.state_dir)?;
    let tls = flashpod_net::Tls::new(args.ca_file.as_deref())?;
    let poll_mode = config.poll_mode.into();
    let pins = cpu::pins(poll_mode, config.accounts.len())?;
    let ban = Arc::new(Pause::default());
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let names: Vec<String> = config.accounts.iter().map(|account| account.name.clone()).collect();
    let telemetry_config = TelemetryConfig { version: version.clone(), accounts: names };
    let (telemetry, recorders) = Telemetry::start(telemetry_config, &args.metrics)?;
    let address = telemetry.address().to_string();

    // Everything that can fail for want of a file or a right fails before the first connection.
    let (ended, mut ends) = mpsc::unbounded_channel();
    let mut prepared = Vec::new();
    for ((account, venue), (recorder, pins)) in
        config.accounts.iter().zip(venues).zip(recorders.into_iter().zip(pins))
    {
        let options = account::Options {
            config: account.clone(),
            stop_policy: config.stop_policy,
            journal: config.journal,
            timing: config.timing,
            venue,
            tls: tls.clone(),
            poll_mode,
            pins,
            ban: Arc::clone(&ban),
            state_dir: args.state_dir.clone(),
            credentials_dir: args.credentials_dir.clone(),
        };
        let context = || format!("account {:?}", account.name);
        prepared.push(account::prepare(options, recorder).with_context(context)?);
    }
    let counters = Arc::new(GatewayCounters::default());
    let gateway_config = GatewayConfig {
        socket_dir: args.socket_dir.clone(),
        session_uid: config.session_uid,
        version,
        metrics_address: address.clone(),
        hops: Box::new({
            let telemetry = telemetry.handle();
            move || HopFigures {
                hops: telemetry.hops().into_iter().map(hop_stats).collect(),
                tick_to_order: telemetry
                    .tick_to_order()
                    .into_iter()
                    .map(|(instance, summary)| (instance, hop_stats(summary)))
                    .collect(),
            }
        }),
        counters: Arc::clone(&counters),
        hello_within: GatewayConfig::HELLO_WITHIN,
    };
    let links = prepared.iter_mut().filter_map(account::Prepared::take_link).collect();
    let gateway = Gateway::spawn(gateway_config, links)?;
    let mut accounts = Vec::new();
    for account in prepared {
        let context = format!("account {:?}", account.name());
        accounts.push(account.start(ended.clone()).context(context)?);
    }
    drop(ended);
    telemetry.handle().add(metrics::extra(&counters, &accounts));
    tracing::info!(core = config.core, namespace = config.namespace, metrics = address, "the core runs");

    let code = wait(&accounts, &mut ends)?;
    for account in accounts {
        account.finish()?;
    }
    // Last: it tells the agent that nothing leaves any more, upon which another core may write for the accounts.
    gateway.stop().map_err(anyhow::Error::msg)?;
    telemetry.stop().map_err(anyhow::Error::msg)?;
    tracing::info!(code, "the core has stopped");
    Ok(code)
}

/// Waits for a signal, tells the engines, and waits for them; or for an engine that ends by itself.
fn wait(accounts: &[RunningAccount], ends: &mut mpsc::UnboundedReceiver<Ended>) -> anyhow::Result<i32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut failure = None;
        let why = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            end = ends.recv() => {
                // The process ends with it: the other accounts must not leave orders behind.
                failure = Some(unexpected(end));
                "an account ended"
            }
        };
        tracing::info!(why, "stopping: no new risk, cancel, then by policy");
        for account in accounts {
            account.ask_to_stop();
        }
        let all = async {
            for _ in usize::from(failure.is_some())..accounts.len() {
                match ends.recv().await {
                    Some(Ended { account, outcome: Ok(()) }) => tracing::info!(account, "account stopped"),
                    end => failure = failure.take().or(Some(unexpected(end))),
                }
            }
            failure.map_or(Ok(0), Err)
        };
        match tokio::time::timeout(STOP_LIMIT, all).await {
            Ok(outcome) => outcome,
            Err(_) => {
                tracing::error!(limit = ?STOP_LIMIT, "the engines did not stop in time; orders may be open");
                accounts.iter().for_each(RunningAccount::abandon);
                Ok(EXIT_NOT_STOPPED)
            }
        }
    })
}

fn unexpected(end: Option<Ended>) -> anyhow::Error {
    match end {
        Some(Ended { account, outcome: Err(error) }) => error.context(format!("account {account:?}")),
        Some(Ended { account, .. }) => anyhow::anyhow!("account {account:?}: the engine ended by itself"),
        None => anyhow::anyhow!("an engine thread panicked"),
    }
}

fn hop_stats(summary: flashpod_telemetry::HopSummary) -> proto::HopStats {
    proto::HopStats {
        hop: summary.hop.to_owned(),
        count: summary.count,
        p50_us: summary.p50_us,
        p90_us: summary.p90_us,
        p99_us: summary.p99_us,
        p999_us: summary.p999_us,
        max_us: summary.max_us,
    }
}

/// A thread that panicked, as an error.
fn panicked<T>(joined: std::thread::Result<T>, thread: &str) -> anyhow::Result<T> {
    match joined {
        Ok(value) => Ok(value),
        Err(_) => bail!("the {thread} thread panicked"),
    }
}
