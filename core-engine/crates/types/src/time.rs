//! Points in time and spans. What clock a value belongs to is said where it is kept.

use std::fmt;
use std::ops::{Add, Sub};

/// Nanoseconds, of a monotonic clock or since 1970.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Nanos(pub u64);

impl Nanos {
    pub const ZERO: Self = Self(0);

    /// What is beyond all counting is the longest span.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }

    #[must_use]
    pub const fn from_secs(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000_000))
    }

    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub for Nanos {
    type Output = Self;
    fn sub(self, span: Self) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns", self.0)
    }
}

/// Milliseconds since 1970, as the venue states times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Millis(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_that_anybody_states_overflows() {
        let longest = Nanos(u64::MAX);
        assert_eq!((Nanos::from_millis(u64::MAX), Nanos::from_secs(u64::MAX)), (longest, longest));
        assert_eq!(Nanos::from_secs(1) + longest, longest);
        assert_eq!(Nanos::from_millis(1500).as_millis(), 1500);
    }
}
