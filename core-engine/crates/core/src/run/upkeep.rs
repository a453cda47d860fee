//! The journal thread: brings appended records to disk, prepares files, drops what a checkpoint makes superfluous.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use flashpod_journal::{JournalError, Upkeep};

use super::driver::DriverCounters;
use super::{retention, stages};

/// A host crash loses at most this much.
const SYNC_EVERY: Duration = Duration::from_millis(40);

/// What journal thread and engine thread say to each other.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    stop: AtomicBool,
    /// Why the thread failed: there will be no further file, and a crash of the machine may lose what comes now. The
    /// account stops.
    failure: OnceLock<String>,
    checkpoint_wanted: AtomicBool,
    checkpoint_written: AtomicBool,
}

impl Signals {
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Whether a checkpoint is due; asked by the engine thread.
    pub(crate) fn checkpoint_wanted(&self) -> bool {
        self.checkpoint_wanted.load(Ordering::Acquire)
    }

    pub(crate) fn checkpoint_written(&self) {
        self.checkpoint_wanted.store(false, Ordering::Relaxed);
        self.checkpoint_written.store(true, Ordering::Release);
    }
}

#[derive(Debug)]
pub(crate) struct JournalThread {
    signals: Arc<Signals>,
    thread: JoinHandle<Result<(), JournalError>>,
}

impl JournalThread {
    pub(crate) fn spawn(account: &str, keeper: Keeper) -> anyhow::Result<Self> {
        let signals = Arc::clone(&keeper.signals);
        let shared = Arc::clone(&signals);
        let thread = std::thread::Builder::new()
            .name(format!("journal-{account}"))
            .spawn(move || {
                let outcome = work(keeper, &shared);
                if let Err(error) = &outcome {
                    let reason = error.to_string();
                    tracing::error!(error = reason, "the journal can't be kept");
                    shared.failure.get_or_init(|| reason);
                }
                outcome
            })
            .context("the journal thread can't be started")?;
        Ok(Self { signals, thread })
    }

    /// Syncs for the last time and ends.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.signals.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        Ok(super::panicked(self.thread.join(), "journal")??)
    }
}

fn work(mut keeper: Keeper, signals: &Signals) -> Result<(), JournalError> {
    loop {
        // Read before the sync, so that the last sync covers everything appended before the stop.
        let last = signals.stop.load(Ordering::Acquire);
        keeper.tick()?;
        if last {
            return Ok(());
        }
        std::thread::park_timeout(SYNC_EVERY);
    }
}

/// What the journal thread does, step by step.
#[derive(Debug)]
pub(crate) struct Keeper {
    upkeep: Upkeep,
    keep_bytes: u64,
    signals: Arc<Signals>,
    counters: Arc<DriverCounters>,
    /// The file in use at the last look: the size changes only with it. 0: not looked yet.
    looked_at: u64,
    /// The file in use when the checkpoint was asked for that is not written yet: the oldest that can hold it.
    asked: Option<u64>,
    /// The same of those written in this run, oldest first.
    checkpoints: Vec<u64>,
}

impl Keeper {
    pub(crate) fn new(
        upkeep: Upkeep,
        keep_bytes: u64,
        signals: Arc<Signals>,
        counters: Arc<DriverCounters>,
    ) -> Self {
        Self { upkeep, keep_bytes, signals, counters, looked_at: 0, asked: None, checkpoints: Vec::new() }
    }

    /// Syncs, prepares, and looks after the size whenever it may have changed.
    pub(crate) fn tick(&mut self) -> Result<(), JournalError> {
        stages::room()?;
        self.upkeep.tick()?;
        let written = self.asked.filter(|_| self.signals.checkpoint_written.swap(false, Ordering::Acquire));
        if let Some(number) = written {
            self.checkpoints.push(number);
            self.asked = None;
        }
        let current = self.upkeep.current_segment();
        if written.is_some() || current != self.looked_at {
            self.looked_at = current;
            self.look()?;
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), JournalError> {
        let files = self.upkeep.files()?;
        let due = retention::due(&files, &self.checkpoints, self.keep_bytes);
        if let Some(number) = due.prune_to {
            self.upkeep.prune(number)?;
            self.checkpoints.retain(|&checkpoint| checkpoint >= number);
            let removed = files.iter().filter(|file| file.number < number).count();
            self.counters.pruned_files.fetch_add(removed as u64, Ordering::Relaxed);
            tracing::info!(first_kept = number, removed, "journal pruned");
        }
        if due.checkpoint && self.asked.is_none() {
            self.asked = Some(self.looked_at);
            self.signals.checkpoint_wanted.store(true, Ordering::Release);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
