//! The right to send orders, and until when (ARCHITECTURE.md, invariants 1 and 2).

use std::collections::VecDeque;

use flashpod_types::Nanos;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Never granted, or of an epoch that is not ours to use: nothing leaves.
    None,
    Active,
    /// Past the soft deadline: no new risk, cancel.
    Soft,
    /// Past the hard deadline: silence, cancels too.
    Hard,
}

#[derive(Debug, Default)]
pub(crate) struct Lease {
    /// When each renewal was announced, CLOCK_BOOTTIME, newest last: the deadlines count from there, however long the
    /// answer took. The agent renews only once it is told that its announcement was heard, so what a stopped process
    /// finds waiting never counts from the moment it woke up.
    attempts: VecDeque<(u64, Nanos)>,
    heard: u64,
    granted: Option<Grant>,
}

#[derive(Debug, Clone, Copy)]
struct Grant {
    epoch: u64,
    from: Nanos,
    soft: Nanos,
    hard: Nanos,
}

/// Announced renewals that are remembered; the agent has one under way at a time.
const ATTEMPTS_KEPT: usize = 16;

impl Lease {
    pub(crate) fn attempt(&mut self, attempt: u64, now: Nanos) {
        self.heard = attempt;
        // Said again, it is still of the moment when it was said first.
        if !self.attempts.iter().any(|(known, _)| *known == attempt) {
            self.attempts.push_back((attempt, now));
        }
        while self.attempts.len() > ATTEMPTS_KEPT {
            self.attempts.pop_front();
        }
    }

    /// The newest attempt that was heard, for the agent that waits for it. 0: none.
    pub(crate) const fn heard(&self) -> u64 {
        self.heard
    }

    /// A renewal succeeded. False: it was never announced, so nobody can say from when it counts, and it is ignored.
    pub(crate) fn renewed(&mut self, attempt: u64, epoch: u64, soft_ms: u64, hard_ms: u64) -> bool {
        let Some(at) = self.attempts.iter().position(|(known, _)| *known == attempt) else { return false };
        let from = self.attempts[at].1;
        self.attempts.drain(..=at);
        let newer = self.granted.is_none_or(|grant| (epoch, from) >= (grant.epoch, grant.from));
        if newer {
            let (soft, hard) = (from + Nanos::from_millis(soft_ms), from + Nanos::from_millis(hard_ms));
            self.granted = Some(Grant { epoch, from, soft, hard });
        }
        newer
    }

    /// The epoch that orders carry; 0: none.
    pub(crate) fn epoch(&self) -> u64 {
        self.granted.map_or(0, |grant| grant.epoch)
    }

    /// `reach`: how long after now a request may still act (recvWindow and the error of the clock).
    pub(crate) fn phase(&self, now: Nanos, reach: Nanos) -> Phase {
        match self.granted {
            None => Phase::None,
            Some(grant) if now + reach >= grant.hard => Phase::Hard,
            Some(grant) if now >= grant.soft => Phase::Soft,
            Some(_) => Phase::Active,
        }
    }

    /// The last moment at which bytes may leave.
    pub(crate) fn not_after(&self, reach: Nanos) -> Option<Nanos> {
        self.granted.map(|grant| grant.hard - reach)
    }

    /// When the phase next changes by time alone.
    pub(crate) fn next_change(&self, now: Nanos, reach: Nanos) -> Option<Nanos> {
        let grant = self.granted?;
        [grant.soft, grant.hard - reach].into_iter().filter(|&at| at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: Nanos = Nanos::from_millis(1002);

    fn secs(s: u64) -> Nanos {
        Nanos::from_secs(s)
    }

    #[test]
    fn deadlines_count_from_the_attempt_not_from_its_answer() {
        let mut lease = Lease::default();
        assert_eq!(lease.phase(secs(0), REACH), Phase::None);
        lease.attempt(1, secs(10));
        assert!(lease.renewed(1, 7, 35_000, 55_000), "answered at 20 s");
        assert_eq!(lease.epoch(), 7);
        assert_eq!(lease.phase(Nanos::from_millis(44_999), REACH), Phase::Active);
        assert_eq!(lease.phase(secs(45), REACH), Phase::Soft);
        // 65 s − recvWindow − clock error.
        assert_eq!(lease.phase(Nanos::from_millis(63_997), REACH), Phase::Soft);
        assert_eq!(lease.phase(Nanos::from_millis(63_998), REACH), Phase::Hard);
        assert_eq!(lease.next_change(secs(46), REACH), Some(Nanos::from_millis(63_998)));
    }

    #[test]
    fn a_renewal_that_was_not_announced_counts_for_nothing() {
        let mut lease = Lease::default();
        assert!(!lease.renewed(1, 7, 35_000, 55_000));
        assert_eq!(lease.phase(secs(0), REACH), Phase::None);
    }

    #[test]
    fn the_newest_announcements_are_kept_whatever_their_numbers() {
        // An agent whose clock was set back counts from lower numbers than its predecessor did.
        let mut lease = Lease::default();
        for attempt in 1000..1100 {
            lease.attempt(attempt, secs(1));
        }
        lease.attempt(5, secs(10));
        assert_eq!(lease.heard(), 5);
        lease.attempt(5, secs(20));
        assert!(lease.renewed(5, 7, 35_000, 55_000));
        assert_eq!(lease.phase(secs(44), REACH), Phase::Active);
        assert_eq!(lease.phase(secs(45), REACH), Phase::Soft, "counted from when it was said first");
    }

    #[test]
    fn a_former_epoch_does_not_come_back() {
        let mut lease = Lease::default();
        for (attempt, epoch, granted) in [(1, 7, true), (2, 6, false), (3, 8, true)] {
            lease.attempt(attempt, secs(attempt));
            assert_eq!(lease.renewed(attempt, epoch, 35_000, 55_000), granted);
        }
        assert_eq!(lease.epoch(), 8);
    }

    #[test]
    fn answers_out_of_order_do_not_shorten_the_lease() {
        let mut lease = Lease::default();
        lease.attempt(1, secs(10));
        lease.attempt(2, secs(15));
        assert!(lease.renewed(2, 7, 35_000, 55_000));
        assert!(!lease.renewed(1, 7, 35_000, 55_000));
        assert_eq!(lease.phase(secs(49), REACH), Phase::Active);
    }
}
