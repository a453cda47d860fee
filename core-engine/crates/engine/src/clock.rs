//! The venue's time, as far as we can know it.
//!
//! Each `GET /time` says the venue's time at some moment between sending and reply. Of one round of samples the one
//! with the shortest way is believed: half its way is the error. Counted against CLOCK_BOOTTIME, so that a step of
//! the wall clock changes nothing.

use flashpod_types::{Millis, Nanos};

/// The venue truncates to milliseconds.
const HALF_MILLI: u64 = 500_000;

#[derive(Debug, Default)]
pub(crate) struct VenueClock {
    /// Venue time since 1970 minus CLOCK_BOOTTIME, ns.
    offset: Option<u64>,
    /// Error of `offset` when it was measured.
    error: Nanos,
    measured: Nanos,
    drift_ppm: u64,
    /// Best sample of the round under way: its way there and back, and its offset.
    best: Option<(u64, u64)>,
    left: u32,
    next_round: Nanos,
}

impl VenueClock {
    pub(crate) fn new(drift_ppm: u32) -> Self {
        Self { drift_ppm: u64::from(drift_ppm), ..Self::default() }
    }

    pub(crate) const fn is_known(&self) -> bool {
        self.offset.is_some()
    }

    /// Venue time, ns since 1970.
    pub(crate) fn venue(&self, now: Nanos) -> Option<Nanos> {
        Some(Nanos(now.0.wrapping_add(self.offset?)))
    }

    pub(crate) fn venue_millis(&self, now: Nanos) -> Option<Millis> {
        Some(Millis(i64::try_from(self.venue(now)?.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How wrong `venue` may be by now.
    pub(crate) fn error(&self, now: Nanos) -> Nanos {
        let drift = now.since(self.measured).0 / 1_000_000 * self.drift_ppm;
        self.error + Nanos(drift)
    }

    /// When the next round is due.
    pub(crate) const fn next_round(&self) -> Nanos {
        self.next_round
    }

    /// Whether a sample should be asked for now; asks for one at a time.
    pub(crate) fn due(&mut self, now: Nanos, samples: u32, period: Nanos) -> bool {
        if now < self.next_round {
            return false;
        }
        self.left = samples;
        self.next_round = now + period;
        true
    }

    /// The venue's order refused our timestamp: measure again at once.
    pub(crate) fn doubt(&mut self) {
        if self.left == 0 {
            self.next_round = Nanos::ZERO;
        }
    }

    /// Takes a sample; whether another is wanted.
    pub(crate) fn sample(&mut self, sent: Nanos, received: Nanos, venue: Millis) -> bool {
        let way = received.since(sent).0;
        let middle = sent.0 + way / 2;
        let venue_ns = u64::try_from(venue.0).unwrap_or(0) * 1_000_000 + HALF_MILLI;
        let offset = venue_ns.wrapping_sub(middle);
        if self.best.is_none_or(|(shortest, _)| way < shortest) {
            self.best = Some((way, offset));
        }
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return true;
        }
        if let Some((way, offset)) = self.best.take() {
            self.offset = Some(offset);
            self.error = Nanos(way / 2 + HALF_MILLI);
            self.measured = received;
        }
        false
    }

    /// A sample did not come: try again after `wait`.
    pub(crate) fn failed(&mut self, now: Nanos, wait: Nanos) {
        (self.left, self.best) = (0, None);
        self.next_round = now + wait;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_sample_is_believed_and_its_half_way_is_the_error() {
        let mut clock = VenueClock::new(50);
        assert!(clock.due(Nanos::ZERO, 2, Nanos::from_secs(100)));
        // The venue is 1,000,000 s ahead of BOOTTIME; the first reply took 100 ms, the second 2 ms.
        assert!(clock.sample(Nanos::from_secs(1), Nanos::from_millis(1100), Millis(1_000_001_010)));
        assert!(!clock.sample(Nanos::from_secs(2), Nanos::from_millis(2002), Millis(1_000_002_001)));
        let now = Nanos::from_millis(2002);
        let venue = clock.venue(now).unwrap();
        let truth = Nanos::from_millis(1_000_002_002);
        assert!(venue.since(truth).0.max(truth.since(venue).0) <= clock.error(now).0);
        assert_eq!(clock.error(now), Nanos(1_500_000));
        // 50 ppm of 20 s is 1 ms more.
        assert_eq!(clock.error(now + Nanos::from_secs(20)), Nanos(2_500_000));
    }
}
