//! The venue's bucket of order calls, counted so that we can never be the ones who overrun it.
//!
//! The venue counts a call somewhere between its release here and its reply; when exactly, the network decides. So
//! a call counts from its release until one window and a margin after its reply: at any instant the calls that the
//! venue still has in its window are a subset of those that count here.

use std::collections::VecDeque;

use flashpod_types::Nanos;

/// Who goes first. Derived order: the smaller, the sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Somebody wants the order gone: a strategy, a halt, a stop, the lease.
    Cancel,
    /// The cancel of a quote that is to be replaced: part of quoting, so it must not use up what a halt will need.
    Requote,
    Reduce,
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Calls in any `window`.
    pub calls: u32,
    /// Of those, for `Class::Cancel` only. The others may spend half of theirs in half a window, so that cancels
    /// need not wait long for more.
    pub kept_for_cancels: u32,
    pub window: Nanos,
    pub margin: Nanos,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(u64);

#[derive(Debug)]
struct Call {
    id: CallId,
    /// Place of its name.
    instance: usize,
    class: Class,
    released: Nanos,
    /// When it stops counting; unknown while no reply has come.
    free_at: Option<Nanos>,
}

#[derive(Debug)]
pub struct RateWindow {
    limits: RateLimits,
    /// By id, the smallest first.
    calls: VecDeque<Call>,
    /// Instances that ever called.
    names: Vec<String>,
    next: u64,
    paused_until: Nanos,
}

impl RateWindow {
    #[must_use]
    pub const fn new(limits: RateLimits) -> Self {
        Self { limits, calls: VecDeque::new(), names: Vec::new(), next: 0, paused_until: Nanos::ZERO }
    }

    /// Forgets calls that no longer count.
    pub fn advance(&mut self, now: Nanos) {
        self.calls.retain(|call| call.free_at.is_none_or(|at| at > now));
    }

    /// How many calls of this class may be released at once now.
    #[must_use]
    pub fn room(&self, now: Nanos, class: Class) -> u32 {
        if now < self.paused_until {
            return 0;
        }
        let counts = |call: &&Call| call.free_at.is_none_or(|at| at > now);
        let all = u32::try_from(self.calls.iter().filter(counts).count()).unwrap_or(u32::MAX);
        let room = self.limits.calls.saturating_sub(all);
        if class == Class::Cancel {
            return room;
        }
        // What cancels have used of their share does not make it larger for others.
        let others = || self.calls.iter().filter(counts).filter(|call| call.class != Class::Cancel);
        let half = Nanos(self.limits.window.0 / 2);
        let lately = others().filter(|call| call.released + half > now).count();
        let share = self.limits.calls.saturating_sub(self.limits.kept_for_cancels);
        let left = |most: u32, used: usize| most.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        room.min(left(share, others().count())).min(left(share.div_ceil(2), lately))
    }

    /// Counts a call from now on. Only when there is `room`.
    pub fn release(&mut self, now: Nanos, class: Class, instance: &str) -> CallId {
        self.advance(now);
        let id = CallId(self.next);
        self.next += 1;
        let instance = self.names.iter().position(|name| name == instance).unwrap_or_else(|| {
            self.names.push(instance.to_owned());
            self.names.len() - 1
        });
        self.calls.push_back(Call { id, instance, class, released: now, free_at: None });
        id
    }

    /// The reply was read, or the wait for it given up, at `at`. `late`: how much longer the venue may still take
    /// the call up (a lost request: its `recvWindow`).
    pub fn settle(&mut self, id: CallId, at: Nanos, late: Nanos) {
        if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
            call.free_at = Some(at + self.limits.window + self.limits.margin + late);
        }
    }

    /// The call never left.
    pub fn withdraw(&mut self, id: CallId) {
        self.calls.retain(|call| call.id != id);
    }

    /// Nothing leaves before `until` (429 or 418 with Retry-After).
    pub fn pause(&mut self, until: Nanos) {
        self.paused_until = self.paused_until.max(until);
    }

    #[must_use]
    pub const fn paused_until(&self) -> Nanos {
        self.paused_until
    }

    /// Calls of this instance that count now: who has the fewest goes first among equals.
    #[must_use]
    pub fn used_by(&self, now: Nanos, instance: &str) -> u32 {
        let Some(place) = self.names.iter().position(|name| name == instance) else { return 0 };
        let counts = |call: &&Call| call.free_at.is_none_or(|at| at > now) && call.instance == place;
        u32::try_from(self.calls.iter().filter(counts).count()).unwrap_or(u32::MAX)
    }

    /// When the next call stops counting by time alone, or a pause ends; replies may make room sooner.
    #[must_use]
    pub fn next_room(&self, now: Nanos) -> Option<Nanos> {
        if now < self.paused_until {
            return Some(self.paused_until);
        }
        let half = Nanos(self.limits.window.0 / 2);
        let freed = self.calls.iter().filter_map(|call| call.free_at);
        let halves = self.calls.iter().map(|call| call.released + half);
        freed.chain(halves).filter(|&at| at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: RateLimits = RateLimits {
        calls: 12,
        kept_for_cancels: 3,
        window: Nanos::from_secs(1),
        margin: Nanos::from_millis(20),
    };

    fn ms(ms: u64) -> Nanos {
        Nanos::from_millis(ms)
    }

    #[test]
    fn three_of_twelve_calls_are_for_cancels_only() {
        let mut window = RateWindow::new(LIMITS);
        for at in [0, 0, 0, 0, 0, 500, 500, 500, 500] {
            assert!(window.room(ms(at), Class::Open) > 0);
            window.release(ms(at), Class::Open, "a");
        }
        for class in [Class::Open, Class::Reduce, Class::Requote] {
            assert_eq!(window.room(ms(500), class), 0);
        }
        assert_eq!(window.room(ms(500), Class::Cancel), 3);
    }

    #[test]
    fn half_of_the_share_is_for_half_of_the_window() {
        let mut window = RateWindow::new(LIMITS);
        assert_eq!(window.room(ms(0), Class::Open), 5);
        for _ in 0..5 {
            window.release(ms(0), Class::Open, "a");
        }
        assert_eq!(window.room(ms(499), Class::Requote), 0);
        assert_eq!(window.room(ms(499), Class::Cancel), 7);
        assert_eq!(window.next_room(ms(0)), Some(ms(500)));
        assert_eq!(window.room(ms(500), Class::Requote), 4);
    }

    #[test]
    fn a_call_counts_until_its_reply_and_a_window_later() {
        let mut window = RateWindow::new(RateLimits { calls: 1, kept_for_cancels: 0, ..LIMITS });
        let call = window.release(ms(0), Class::Open, "a");
        assert_eq!(window.room(ms(60_000), Class::Open), 0, "no reply: the venue may count it any time");
        window.settle(call, ms(60_000), Nanos::ZERO);
        assert_eq!(window.room(ms(61_019), Class::Open), 0);
        assert_eq!(window.next_room(ms(60_001)), Some(ms(61_020)));
        assert_eq!(window.room(ms(61_020), Class::Open), 1);
    }

    #[test]
    fn a_pause_holds_everything() {
        let mut window = RateWindow::new(LIMITS);
        window.pause(ms(2000));
        window.pause(ms(1000));
        assert_eq!(window.room(ms(1999), Class::Cancel), 0);
        assert_eq!(window.next_room(ms(0)), Some(ms(2000)));
        assert_eq!(window.room(ms(2000), Class::Cancel), 12);
    }

    proptest! {
        /// However long each call travels there and back, the venue never sees more than its limit in any second.
        #[test]
        fn no_jitter_overruns_the_venue(
            steps in prop::collection::vec((0_u64..120, 0_u64..400, 0_u64..400, 0_u8..4), 1..300)
        ) {
            let mut window = RateWindow::new(LIMITS);
            let mut now = 0;
            let mut replies: Vec<(u64, CallId)> = Vec::new();
            let mut seen_at_venue: Vec<u64> = Vec::new();
            for (wait, there, back, class) in steps {
                now += wait;
                replies.retain(|&(at, call)| {
                    if at <= now {
                        window.settle(call, ms(at), Nanos::ZERO);
                    }
                    at > now
                });
                let class = [Class::Cancel, Class::Requote, Class::Reduce, Class::Open][usize::from(class)];
                while window.room(ms(now), class) > 0 {
                    let call = window.release(ms(now), class, "a");
                    seen_at_venue.push(now + there);
                    replies.push((now + there + back, call));
                }
            }
            seen_at_venue.sort_unstable();
            for pair in seen_at_venue.windows(13) {
                prop_assert!(pair[12] - pair[0] > 1000, "13 calls within {} ms", pair[12] - pair[0]);
            }
        }
    }
}
