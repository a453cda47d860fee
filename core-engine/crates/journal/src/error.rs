//! What can go wrong with a journal.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("journal {path}: {action}: {source}")]
    Io { path: PathBuf, action: &'static str, source: io::Error },
    #[error("journal {path}: another process writes here; one writer at a time")]
    Locked { path: PathBuf },
    #[error("journal {path}: no journal file of this version: {reason}")]
    NotAJournal { path: PathBuf, reason: &'static str },
    #[error("journal {path}: damaged at byte {offset}: {reason}")]
    Damaged { path: PathBuf, offset: usize, reason: &'static str },
    #[error("journal {path}: {missing} is missing: files must be consecutive")]
    Missing { path: PathBuf, missing: String },
    #[error("journal record of {len} bytes: at least 1 and less than 1 GiB is expected")]
    RecordSize { len: usize },
}

impl JournalError {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }
}
