//! Reading a list that the venue gives in pages: halving spans of time until each fits one.
//!
//! The venue states neither which rows it leaves out of a full page, the oldest or the newest, nor in which order it
//! gives those that are in it. Halving works for each: a page that is not full has all there is.

use std::collections::VecDeque;

use flashpod_mexc::request::Page;
use flashpod_types::Millis;

/// The widest span that is asked for at once: the default window of allOrders (API reference §6.6).
const WIDEST_MS: i64 = 24 * 3600 * 1000;

/// Venue time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: i64,
    to: i64,
}

/// What is still to be read of a list. Its spans are asked for one after the other.
#[derive(Debug)]
pub(crate) struct Reading {
    spans: VecDeque<Span>,
    limit: u16,
}

impl Reading {
    /// Everything between two moments of venue time, in pages of at most `limit` rows.
    pub(crate) fn new(from: Millis, to: Millis, limit: u16) -> Self {
        let mut spans = VecDeque::new();
        let mut from = from.0.min(to.0);
        while to.0 - from >= WIDEST_MS {
            spans.push_back(Span { from, to: from + WIDEST_MS - 1 });
            from += WIDEST_MS;
        }
        spans.push_back(Span { from, to: to.0 });
        Self { spans, limit }
    }

    /// What to ask for next; None: everything was read.
    pub(crate) fn page(&self) -> Option<Page> {
        let &Span { from, to } = self.spans.front()?;
        Some(Page { start: Some(Millis(from)), end: Some(Millis(to)), limit: Some(self.limit) })
    }

    /// The page asked for came with so many rows. Whether they are all there is of their span, so that nothing of it
    /// is asked for again. A millisecond cannot be halved: what does not fit its page cannot be read at all.
    pub(crate) fn turn(&mut self, rows: usize) -> bool {
        let Some(Span { from, to }) = self.spans.pop_front() else { return false };
        if rows < usize::from(self.limit) || from == to {
            return true;
        }
        let middle = i64::midpoint(from, to);
        self.spans.push_front(Span { from: middle + 1, to });
        self.spans.push_front(Span { from, to: middle });
        false
    }
}

/// The earliest moment to ask for where the venue shows `days`: a minute later, so that no clock makes it too early.
pub(crate) const fn horizon(now: Millis, days: i64) -> Millis {
    Millis(now.0 - days * WIDEST_MS + 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads rows at these times as a venue gives them that leaves out the newest or the oldest.
    fn read(times: &[i64], from: i64, to: i64, limit: u16, newest_first: bool) -> (Vec<i64>, usize) {
        let mut reading = Reading::new(Millis(from), Millis(to), limit);
        let (mut all, mut asked) = (Vec::new(), 0);
        while let Some(page) = reading.page() {
            let (start, end) = (page.start.unwrap().0, page.end.unwrap().0);
            assert!(end - start < WIDEST_MS);
            let mut rows: Vec<i64> =
                times.iter().copied().filter(|time| (start..=end).contains(time)).collect();
            rows.sort_unstable();
            if newest_first {
                rows.reverse();
            }
            rows.truncate(usize::from(limit));
            asked += 1;
            if reading.turn(rows.len()) {
                all.extend(rows);
            }
        }
        all.sort_unstable();
        (all, asked)
    }

    #[test]
    fn every_row_is_read_once_whichever_the_venue_leaves_out() {
        // Crowds and deserts over three and a half days.
        let mut times: Vec<i64> = (0..400_i64).map(|n| n * n * n % 300_000_007).collect();
        times.sort_unstable();
        times.dedup();
        for newest_first in [true, false] {
            assert_eq!(read(&times, 0, 300_000_007, 20, newest_first).0, times);
        }
    }

    #[test]
    fn what_fits_one_page_takes_one_request_and_a_crowd_takes_few() {
        assert_eq!(read(&[5, 6], 0, 60_000, 1000, true), (vec![5, 6], 1));
        // 12 orders a second for five minutes: 3,600, in the last of twenty hours.
        let times: Vec<i64> = (0..3600).map(|n| 72_000_000 - 84 * n).collect();
        let (read, asked) = read(&times, 0, 72_000_000, 1000, false);
        assert_eq!(read.len(), 3600);
        assert!(asked < 40, "{asked} requests");
    }

    #[test]
    fn a_millisecond_that_does_not_fit_its_page_ends_the_reading() {
        let (read, asked) = read(&[7; 50], 0, 1000, 20, true);
        assert_eq!(read.len(), 20);
        assert!(asked < 40);
    }
}
