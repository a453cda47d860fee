//! What several connections tell each, taken once.

use std::collections::VecDeque;

use flashpod_types::Nanos;

use crate::io::ConnId;

/// Connections that may tell the same at a time: two, and one more beside each while it is replaced.
const MOST_CONNS: usize = 4;
/// One connection is never so far behind another that is alive.
const REMEMBERED: Nanos = Nanos::from_secs(10);

#[derive(Debug)]
struct Told<K> {
    key: K,
    at: Nanos,
    by: [Option<ConnId>; MOST_CONNS],
}

/// Remembers what was told by whom. Two equal things of one connection are two things.
#[derive(Debug)]
pub(crate) struct Once<K> {
    told: VecDeque<Told<K>>,
    most: usize,
}

impl<K: PartialEq> Once<K> {
    pub(crate) const fn new(most: usize) -> Self {
        Self { told: VecDeque::new(), most }
    }

    /// Whether this is told for the first time. `several`: others may tell it too from now on.
    pub(crate) fn is_first(&mut self, now: Nanos, conn: ConnId, key: K, several: bool) -> bool {
        while self.told.front().is_some_and(|told| told.at + REMEMBERED <= now) {
            self.told.pop_front();
        }
        let told_by_others =
            self.told.iter_mut().find(|told| told.key == key && !told.by.contains(&Some(conn)));
        if let Some(told) = told_by_others {
            if let Some(free) = told.by.iter_mut().find(|by| by.is_none()) {
                *free = Some(conn);
            }
            return false;
        }
        if several {
            if self.told.len() >= self.most {
                self.told.pop_front();
            }
            let mut by = [None; MOST_CONNS];
            by[0] = Some(conn);
            self.told.push_back(Told { key, at: now, by });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ConnId = ConnId(1);
    const B: ConnId = ConnId(2);
    const C: ConnId = ConnId(3);

    #[test]
    fn what_each_connection_tells_counts_once_and_equal_things_of_one_count_each() {
        let mut once = Once::new(8);
        let mut first = |conn, key| once.is_first(Nanos::ZERO, conn, key, true);
        assert!(first(A, "x"));
        assert!(first(A, "x"), "the same connection means another");
        assert!(!first(B, "x") && !first(B, "x"));
        assert!(first(B, "x"), "a third one");
        assert!(!first(A, "x") && !first(C, "x") && !first(C, "x") && !first(C, "x"));
        assert!(first(C, "x"));
    }

    #[test]
    fn what_was_told_before_a_change_is_known_after_it_for_a_while() {
        let mut once = Once::new(8);
        assert!(once.is_first(Nanos::ZERO, A, "x", true));
        assert!(!once.is_first(Nanos::from_secs(9), B, "x", false));
        assert!(once.is_first(Nanos::from_secs(10), C, "x", false), "forgotten");
        assert!(once.is_first(Nanos::from_secs(10), A, "x", false), "not remembered while there is one");
    }
}
