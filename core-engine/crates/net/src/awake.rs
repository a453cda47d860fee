//! How the network thread waits: the same modes as the engine's inbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flashpod_types::Nanos;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::cpu::PollMode;

/// How long `PollMode::Adaptive` looks again after the newest frame, reply or command.
const ADAPTIVE: Nanos = Nanos(50_000);

/// Says that something happened on this thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity(Option<Arc<Stirred>>);

#[derive(Debug, Default)]
struct Stirred {
    last: AtomicU64,
    notify: Notify,
}

impl Activity {
    /// Keeps the thread as awake as its mode says, on the current runtime.
    pub(crate) fn start(mode: PollMode) -> Self {
        match mode {
            PollMode::Park => Self(None),
            PollMode::Spin => {
                tokio::spawn(async {
                    // While a task is ready the runtime only looks at the sockets and goes on.
                    loop {
                        tokio::task::yield_now().await;
                    }
                });
                Self(None)
            }
            PollMode::Adaptive => {
                let stirred = Arc::new(Stirred::default());
                tokio::spawn(stay_awake(Arc::clone(&stirred)));
                Self(Some(stirred))
            }
        }
    }

    pub(crate) fn stir(&self) {
        if let Some(stirred) = &self.0 {
            stirred.last.store(Clock.mono().0, Ordering::Relaxed);
            stirred.notify.notify_one();
        }
    }
}

async fn stay_awake(stirred: Arc<Stirred>) {
    loop {
        stirred.notify.notified().await;
        while Clock.mono() < Nanos(stirred.last.load(Ordering::Relaxed)) + ADAPTIVE {
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often the thread gave its CPU up of its own accord so far: it slept.
    fn sleeps() -> i64 {
        // SAFETY: a rusage is plain integers, for which all zeros is a valid value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: `usage` is a valid, exclusively borrowed rusage.
        assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) }, 0);
        usage.ru_nvcsw
    }

    /// Times that the thread sleeps while a task waits a few milliseconds by a timer.
    fn slept(mode: PollMode, stirs: u32) -> i64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let activity = Activity::start(mode);
            let before = sleeps();
            for _ in 0..stirs {
                activity.stir();
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            sleeps() - before
        })
    }

    #[test]
    fn a_thread_that_spins_never_sleeps_and_others_do() {
        assert_eq!(slept(PollMode::Spin, 10), 0);
        assert!(slept(PollMode::Park, 10) >= 10);
        assert!(slept(PollMode::Adaptive, 10) >= 10, "50 µs are shorter than the millisecond");
    }

    #[test]
    fn an_adaptive_thread_looks_again_for_a_while_before_it_sleeps() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let activity = Activity::start(PollMode::Adaptive);
            activity.stir();
            let before = sleeps();
            // Both tasks are ready all the time, so nothing sleeps, until the other has had enough.
            let stirred = Nanos(activity.0.as_ref().unwrap().last.load(Ordering::Relaxed));
            while Clock.mono() < stirred + Nanos(ADAPTIVE.0 / 2) {
                tokio::task::yield_now().await;
            }
            assert_eq!(sleeps(), before);
        });
    }
}
