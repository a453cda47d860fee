//! What the venue asked for by 429 and 418: until when nothing may be sent.

use std::sync::atomic::{AtomicU64, Ordering};

use flashpod_types::Nanos;

/// Without a Retry-After: a second for a limit, and the shortest ban of an address (API reference §3.3).
const LIMITED: Nanos = Nanos::from_secs(1);
const BANNED: Nanos = Nanos::from_secs(120);

/// The end of a pause, CLOCK_BOOTTIME. Shared by all accounts of a process where it is about their address.
#[derive(Debug, Default)]
pub struct Pause(AtomicU64);

impl Pause {
    pub(crate) fn until(&self) -> Nanos {
        Nanos(self.0.load(Ordering::Relaxed))
    }

    fn extend(&self, until: Nanos) {
        self.0.fetch_max(until.0, Ordering::Relaxed);
    }
}

/// Takes notice of a reply: a limit concerns the account, a ban its address.
pub(crate) fn note(limit: &Pause, ban: &Pause, now: Nanos, status: u16, retry_after_s: Option<u32>) -> bool {
    let (pause, unsaid) = match status {
        429 => (limit, LIMITED),
        418 => (ban, BANNED),
        _ => return false,
    };
    let wait = retry_after_s.map_or(unsaid, |seconds| Nanos::from_secs(u64::from(seconds)));
    pause.extend(now + wait.max(LIMITED));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_pauses_the_account_and_a_ban_the_address_for_as_long_as_the_venue_says() {
        let (limit, ban) = (Pause::default(), Pause::default());
        let now = Nanos::from_secs(100);
        assert!(!note(&limit, &ban, now, 503, Some(9)));
        assert!(note(&limit, &ban, now, 429, None));
        assert_eq!((limit.until(), ban.until()), (Nanos::from_secs(101), Nanos::ZERO));
        note(&limit, &ban, now, 429, Some(7));
        note(&limit, &ban, now, 429, Some(0));
        assert_eq!(limit.until(), Nanos::from_secs(107), "a later one does not shorten it");
        note(&limit, &ban, now, 418, None);
        assert_eq!(ban.until(), Nanos::from_secs(220));
    }
}
