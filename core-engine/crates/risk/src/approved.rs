//! The proof that an order passed.

use std::fmt;

use flashpod_types::Nanos;

/// Something that passed the pre-trade checks a moment ago. Cannot be made outside of this crate, cannot be copied,
/// and goes stale: what waits is checked again.
#[derive(Debug)]
#[must_use]
pub struct RiskApproved<T> {
    inner: T,
    expires: Nanos,
}

/// The approval was given too long ago; check again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    pub expired: Nanos,
    pub now: Nanos,
}

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = self.now.since(self.expired).as_millis();
        write!(f, "the approval expired {late} ms ago; the order must be checked again")
    }
}

impl std::error::Error for Expired {}

impl<T> RiskApproved<T> {
    pub(crate) const fn new(inner: T, expires: Nanos) -> Self {
        Self { inner, expires }
    }

    #[must_use]
    pub const fn get(&self) -> &T {
        &self.inner
    }

    /// Uses the approval up.
    pub fn take(self, now: Nanos) -> Result<T, Expired> {
        if now < self.expires { Ok(self.inner) } else { Err(Expired { expired: self.expires, now }) }
    }
}
