//! One core per state directory.

use std::fs::{File, Permissions, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, bail};

/// Holds the directory until dropped; the kernel lets go of it when the process dies in whatever way.
#[derive(Debug)]
pub(crate) struct StateLock {
    _file: File,
}

pub(crate) fn lock(directory: &Path) -> anyhow::Result<StateLock> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("state directory {directory:?} can't be made"))?;
    close_to_others(directory)?;
    let path = directory.join("lock");
    let file = File::create(&path).with_context(|| format!("lock file {path:?} can't be made"))?;
    match file.try_lock() {
        Ok(()) => Ok(StateLock { _file: file }),
        Err(TryLockError::WouldBlock) => bail!(
            "state directory {directory:?} is in use by another core; stop that one or give this one a directory of \
             its own with --state-dir"
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock file {path:?}")),
    }
}

/// The journals below tell all that an account does, and the keys of its private streams.
fn close_to_others(directory: &Path) -> anyhow::Result<()> {
    let mode = || std::fs::metadata(directory).map(|found| found.permissions().mode() & 0o777);
    let found = mode().with_context(|| format!("state directory {directory:?} can't be read"))?;
    if found & 0o077 != 0 {
        std::fs::set_permissions(directory, Permissions::from_mode(0o700)).with_context(|| {
            format!("state directory {directory:?} is open to others (mode {found:o}); accepted: 700")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_was_open_to_others_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let _lock = lock(directory.path()).unwrap();
        assert_eq!(std::fs::metadata(directory.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_second_core_on_the_same_directory_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let first = lock(directory.path()).unwrap();
        let refusal = lock(directory.path()).unwrap_err().to_string();
        assert!(refusal.contains("another core") && refusal.contains("--state-dir"), "{refusal}");
        drop(first);
        lock(directory.path()).unwrap();
    }
}
