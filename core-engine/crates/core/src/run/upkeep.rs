//! The journal thread: brings appended records to disk, prepares files, drops what a checkpoint makes superfluous.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use flashpod_journal::{JournalError, Upkeep};

/// A host crash loses at most this much.
const SYNC_EVERY: Duration = Duration::from_millis(40);
/// Size of a journal that makes it worth a checkpoint.
const KEPT_BYTES: u64 = 16 << 30;
/// Ticks between looks at the size.
const TICKS_PER_LOOK: u32 = 250;

/// What journal thread and engine thread say to each other.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    stop: AtomicBool,
    /// The thread failed: nothing may be sent any more, for it would not be remembered.
    failed: AtomicBool,
    checkpoint_wanted: AtomicBool,
    checkpoint_written: AtomicBool,
}

impl Signals {
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
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
    pub(crate) fn spawn(
        account: &str,
        directory: PathBuf,
        upkeep: Upkeep,
        signals: Arc<Signals>,
    ) -> anyhow::Result<Self> {
        let shared = Arc::clone(&signals);
        let thread = std::thread::Builder::new()
            .name(format!("journal-{account}"))
            .spawn(move || {
                let outcome = work(&directory, upkeep, &shared);
                if let Err(error) = &outcome {
                    tracing::error!(error = error.to_string(), "the journal can't be kept");
                    shared.failed.store(true, Ordering::Relaxed);
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

fn work(directory: &Path, mut upkeep: Upkeep, signals: &Signals) -> Result<(), JournalError> {
    let mut ticks = 0_u32;
    let mut keep_from = None;
    loop {
        // Read before the sync, so that the last sync covers everything appended before the stop.
        let last = signals.stop.load(Ordering::Acquire);
        upkeep.tick()?;
        if last {
            return Ok(());
        }
        if let Some(number) = keep_from
            && signals.checkpoint_written.swap(false, Ordering::Acquire)
        {
            upkeep.prune(number)?;
            tracing::info!(first_kept = number, "journal pruned behind a checkpoint");
            keep_from = None;
        }
        ticks = ticks.wrapping_add(1);
        if keep_from.is_none() && ticks.is_multiple_of(TICKS_PER_LOOK) && size_of(directory) > KEPT_BYTES {
            // The file in use before the checkpoint is written is the oldest that can hold it.
            keep_from = Some(upkeep.current_segment());
            signals.checkpoint_wanted.store(true, Ordering::Release);
        }
        std::thread::park_timeout(SYNC_EVERY);
    }
}

fn size_of(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
