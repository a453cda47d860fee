//! JSON lines on stderr, written by a thread of their own: a reader that stalls costs log lines, not time.

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// What is logged where `FLASHPOD_LOG` says nothing.
const DEFAULT_FILTER: &str = "info";

/// Starts logging; hold the guard until the end, so that the last lines are written.
pub fn start() -> WorkerGuard {
    let (writer, guard) =
        NonBlockingBuilder::default().lossy(true).thread_name("logs").finish(std::io::stderr());
    let filter = EnvFilter::try_from_env("FLASHPOD_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(true)
        .with_env_filter(filter)
        .with_writer(writer)
        .try_init();
    // Only a second start in one process fails: logging is then on already.
    drop(started);
    guard
}
