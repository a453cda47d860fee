//! The venue's clock: the only place of this crate that asks what time it is.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use flashpod_types::Nanos;

/// Unix time that never steps back: read once, then advanced by the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    unix: Nanos,
}

impl Clock {
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the venue's clock seam")]
    pub fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), unix: Nanos(u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX)) }
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub fn now(&self) -> Nanos {
        let passed = self.started.elapsed();
        self.unix + Nanos(u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The instant at which [`Self::now`] will say `at`.
    #[must_use]
    pub fn instant_of(&self, at: Nanos) -> Instant {
        self.started + std::time::Duration::from_nanos(at.since(self.unix).0)
    }
}
