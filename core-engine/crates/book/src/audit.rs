//! Comparison of a certified book with a snapshot that was fetched while updates went on.
//!
//! The snapshot's version lies after the one at which the audit started; often it is ahead of the book as well, as
//! updates are pushed in batches: then the comparison waits until the book has reached it. Levels that no update
//! touched between start and comparison must be the same in both; touched ones are left out.

use std::collections::HashSet;

use flashpod_types::{Price, Qty, Side};

use crate::book::{Book, Level};
use crate::update::{Snapshot, Update};

/// Levels touched are remembered up to this many; a longer audit is inconclusive.
const MAX_TOUCHED: usize = 100_000;

/// So many snapshots in a row are older than a book that does not move: ten seconds, as the engine asks.
const MOST_BEHIND: u32 = 10;

/// What an audit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditOutcome {
    /// So many untouched levels are the same.
    Passed {
        compared: usize,
    },
    Failed {
        side: Side,
        price: Price,
        kept: Qty,
        told: Qty,
    },
    /// The snapshot is ahead of the book; the outcome follows, see
    /// [`CertifiedBook::take_audit`](crate::CertifiedBook::take_audit).
    Pending,
    /// No audit was running, the snapshot is older than its start, or too much changed meanwhile.
    Inconclusive,
}

/// State of the audits of one book.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// Version at the start of the audit that runs.
    started: Option<u64>,
    touched: HashSet<(Side, Price)>,
    /// A snapshot that the book has not reached.
    ahead: Option<Told>,
    /// Too much changed before the book reached it.
    given_up: bool,
    /// How many snapshots in a row were older than the book at this version.
    behind: (u64, u32),
    failures: u32,
}

/// What a snapshot tells.
#[derive(Debug)]
struct Told {
    version: u64,
    book: Book,
    /// Ends of the sides that were cut: nothing is told beyond.
    ends: [Range; 2],
}

/// The prices of one side that are known: up to the end of a cut list, else all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Range {
    end: Option<Price>,
}

impl Range {
    /// What a list of levels covers that was cut if it has `limit` levels.
    pub(crate) fn of(side: Side, levels: &[Level], limit: Option<usize>) -> Self {
        let cut = limit.is_some_and(|limit| levels.len() >= limit);
        let prices = levels.iter().map(|level| level.0);
        let last = if side.is_buy() { prices.min() } else { prices.max() };
        Self { end: last.filter(|_| cut) }
    }

    pub(crate) const fn is_whole(self) -> bool {
        self.end.is_none()
    }

    pub(crate) fn covers(self, side: Side, price: Price) -> bool {
        match (self.end, side) {
            (None, _) => true,
            (Some(end), Side::Buy) => price >= end,
            (Some(end), Side::Sell) => price <= end,
        }
    }
}

impl Audit {
    /// Failures since the last success.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Snapshots stay behind a book that does not move: its version cannot be the venue's.
    pub(crate) const fn is_left_behind(&self) -> bool {
        self.behind.1 >= MOST_BEHIND
    }

    pub(crate) fn start(&mut self, version: u64) {
        self.stop();
        self.started = Some(version);
    }

    pub(crate) fn stop(&mut self) {
        self.started = None;
        self.ahead = None;
        self.given_up = false;
        self.touched.clear();
    }

    pub(crate) fn touch(&mut self, update: &Update<'_>) {
        if self.started.is_none() {
            return;
        }
        self.touched.extend(update.bids.iter().map(|level| (Side::Buy, level.0)));
        self.touched.extend(update.asks.iter().map(|level| (Side::Sell, level.0)));
        if self.touched.len() > MAX_TOUCHED {
            let promised = self.ahead.is_some();
            self.stop();
            self.given_up = promised;
        }
    }

    /// `known` is what the book itself covers.
    pub(crate) fn finish(
        &mut self,
        book: &Book,
        version: u64,
        known: &[Range; 2],
        snapshot: &Snapshot<'_>,
    ) -> AuditOutcome {
        if self.started.is_none_or(|started| snapshot.version < started) {
            let before = if self.behind.0 == version { self.behind.1 } else { 0 };
            self.behind = (version, before + u32::from(self.started.is_some()));
            self.stop();
            return AuditOutcome::Inconclusive;
        }
        let mut told = Told {
            version: snapshot.version,
            book: Book::new(),
            ends: [
                Range::of(Side::Buy, snapshot.bids, snapshot.limit),
                Range::of(Side::Sell, snapshot.asks, snapshot.limit),
            ],
        };
        told.book.load(snapshot.bids, snapshot.asks);
        self.ahead = Some(told);
        self.conclude(book, version, known).unwrap_or(AuditOutcome::Pending)
    }

    /// The outcome, once the book has reached the snapshot, or too much has changed on the way.
    pub(crate) fn conclude(&mut self, book: &Book, version: u64, known: &[Range; 2]) -> Option<AuditOutcome> {
        if std::mem::take(&mut self.given_up) {
            return Some(AuditOutcome::Inconclusive);
        }
        let told = self.ahead.take_if(|told| told.version <= version)?;
        self.behind = (version, 0);
        let outcome = self.compare(book, known, &told);
        match outcome {
            AuditOutcome::Failed { .. } => self.failures += 1,
            _ => self.failures = 0,
        }
        self.stop();
        Some(outcome)
    }

    fn compare(&self, book: &Book, known: &[Range; 2], told: &Told) -> AuditOutcome {
        let mut compared = 0;
        for (side, (known, end)) in Side::BOTH.into_iter().zip(known.iter().zip(&told.ends)) {
            let in_both = |price: &Price| known.covers(side, *price) && end.covers(side, *price);
            // A level that only one of them has differs as well: its quantity in the other is zero.
            let only_kept = book.levels(side).filter(|level| told.book.qty_at(side, level.0).is_zero());
            let prices = told.book.levels(side).chain(only_kept).map(|level| level.0);
            for price in prices.filter(in_both).filter(|price| !self.touched.contains(&(side, *price))) {
                let (kept, told) = (book.qty_at(side, price), told.book.qty_at(side, price));
                if kept != told {
                    return AuditOutcome::Failed { side, price, kept, told };
                }
                compared += 1;
            }
        }
        AuditOutcome::Passed { compared }
    }
}
