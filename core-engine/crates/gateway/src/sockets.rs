//! Unix sockets: where they are, who may open them.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingUnixStream;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::net::UnixListener;
use tokio::net::unix::UCred;

/// Longest path of a unix socket on Linux, without its final zero.
const MAX_PATH: usize = 107;

#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error(
        "socket path {path:?} has {length} bytes; Linux takes at most {MAX_PATH}: use a shorter socket directory"
    )]
    TooLong { path: PathBuf, length: usize },
    #[error("socket {path:?} is in use by another process")]
    InUse { path: PathBuf },
    #[error("socket {path:?} can't be made: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// Where an instance's sidecar finds the core: `<socket dir>/i/<first 10 hex of SHA-256 of its name>/core.sock`.
#[must_use]
pub fn instance_socket(directory: &Path, instance: &str) -> PathBuf {
    let hash = hex::encode(Sha256::digest(instance.as_bytes()));
    directory.join("i").join(&hash[..10]).join("core.sock")
}

/// Where the agent finds the core.
#[must_use]
pub(crate) fn agent_socket(directory: &Path) -> PathBuf {
    directory.join("agent").join("agent.sock")
}

/// Who may speak to a socket: processes of one user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peers {
    pub(crate) uid: u32,
    /// The core's own user.
    pub(crate) own_uid: u32,
}

impl Peers {
    /// Whether the kernel says that this peer may speak; else why not.
    pub(crate) fn check(self, credentials: Option<&UCred>) -> Result<(), String> {
        match credentials.map(UCred::uid) {
            Some(uid) if uid == self.uid || uid == self.own_uid => Ok(()),
            Some(uid) => Err(format!("user {uid} may not open this socket; accepted: user {}", self.uid)),
            None => Err("the peer's user is not known".to_owned()),
        }
    }

    /// Whether another user than the core's must reach the socket.
    const fn foreign(self) -> bool {
        self.uid != self.own_uid
    }
}

/// The core's own user.
pub(crate) fn own_uid() -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    // What the kernel shows as the owner of our own process directory is our effective user.
    Ok(std::fs::metadata("/proc/self")?.uid())
}

/// Makes the directory and the socket, open only to those whom `peers` will let in.
pub(crate) fn listen(path: &Path, peers: Peers) -> Result<UnixListener, SocketError> {
    let length = path.as_os_str().len();
    if length > MAX_PATH {
        return Err(SocketError::TooLong { path: path.to_owned(), length });
    }
    let failed = |source| SocketError::Io { path: path.to_owned(), source };
    let (directory_mode, socket_mode) = if peers.foreign() { (0o711, 0o666) } else { (0o700, 0o600) };
    if let Some(directory) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(directory_mode).create(directory).map_err(failed)?;
        // Who mounts it may have made it first, open to all.
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(directory_mode))
            .map_err(failed)?;
    }
    // A socket left by a killed core has nobody behind it.
    if path.exists() {
        if BlockingUnixStream::connect(path).is_ok() {
            return Err(SocketError::InUse { path: path.to_owned() });
        }
        std::fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    // Whoever connects before this line meets the check of peer credentials all the same.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(socket_mode)).map_err(failed)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Peers = Peers { uid: 0, own_uid: 0 };

    #[test]
    fn an_instance_has_a_short_directory_of_its_own() {
        // printf maker-1 | sha256sum | cut -c1-10
        let path = instance_socket(Path::new("/run/x"), "maker-1");
        assert_eq!(path, Path::new("/run/x/i/e383a8c934/core.sock"));
    }

    #[tokio::test]
    async fn a_socket_is_private_replaces_a_dead_one_and_never_a_living_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a").join("core.sock");
        let first = listen(&path, OURS).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(matches!(listen(&path, OURS), Err(SocketError::InUse { .. })));
        drop(first);
        listen(&path, OURS).unwrap();
    }

    #[tokio::test]
    async fn a_directory_that_was_open_to_all_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a").join("core.sock");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path.parent().unwrap(), mode(0o777)).unwrap();
        listen(&path, OURS).unwrap();
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[tokio::test]
    async fn only_the_named_user_and_our_own_get_in() {
        let (stream, _other_end) = tokio::net::UnixStream::pair().unwrap();
        let credentials = stream.peer_cred().unwrap();
        assert!(OURS.check(None).is_err(), "a peer whose user is unknown");
        let uid = own_uid().unwrap();
        let others = uid + 1;
        Peers { uid, own_uid: others }.check(Some(&credentials)).unwrap();
        Peers { uid: others, own_uid: uid }.check(Some(&credentials)).unwrap();
        let refused = Peers { uid: others, own_uid: others }.check(Some(&credentials)).unwrap_err();
        assert_eq!(refused, format!("user {uid} may not open this socket; accepted: user {others}"));
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_refused_with_the_limit() {
        let error = listen(&Path::new("/tmp").join("x".repeat(120)), OURS).unwrap_err();
        assert!(error.to_string().contains("at most 107"), "{error}");
    }
}
