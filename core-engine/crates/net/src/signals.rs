//! What the kernel says by a signal and is better said by an error.

/// A write beyond the limit on the size of files (RLIMIT_FSIZE) becomes an error like that of a full disk, upon which
/// an account stops in order. By default it ends the process, with orders open.
pub fn file_size_limit_is_an_error() {
    // SAFETY: SIG_IGN installs no handler, so nothing of ours runs in a signal's context; the call can't fail with
    // these arguments, and if it did, the default would stay.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}
