//! Comparison of a certified book with a snapshot that was fetched while updates went on.
//!
//! The snapshot's version lies somewhere between the version at which the audit started and the current one. Levels
//! that no update touched since the start must be the same in both; touched ones are left out.

use std::collections::HashSet;

use flashpod_types::{Price, Qty, Side};

use crate::book::Book;
use crate::update::{Snapshot, Update};

/// Levels touched are remembered up to this many; a longer audit is inconclusive.
const MAX_TOUCHED: usize = 100_000;

/// State of the audits of one book.
#[derive(Debug, Default)]
pub struct Audit {
    /// Version at the start of the audit that runs.
    started: Option<u64>,
    touched: HashSet<(Side, Price)>,
    failures: u32,
}

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
    /// None was running, or the snapshot's version is not between start and now.
    Inconclusive,
}

impl Audit {
    /// Failures since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn start(&mut self, version: u64) {
        self.started = Some(version);
        self.touched.clear();
    }

    pub(crate) fn stop(&mut self) {
        self.started = None;
        self.touched.clear();
    }

    pub(crate) fn touch(&mut self, update: &Update<'_>) {
        if self.started.is_none() {
            return;
        }
        self.touched.extend(update.bids.iter().map(|level| (Side::Buy, level.0)));
        self.touched.extend(update.asks.iter().map(|level| (Side::Sell, level.0)));
        if self.touched.len() > MAX_TOUCHED {
            self.stop();
        }
    }

    /// `known` tells whether the book knows the quantity at a price.
    pub(crate) fn finish(
        &mut self,
        book: &Book,
        version: u64,
        snapshot: &Snapshot<'_>,
        known: impl Fn(Side, Price) -> bool,
    ) -> AuditOutcome {
        let Some(started) = self.started.take() else { return AuditOutcome::Inconclusive };
        if !(started..=version).contains(&snapshot.version) {
            return AuditOutcome::Inconclusive;
        }
        let mut told = Book::new();
        told.load(snapshot.bids, snapshot.asks);
        let mut compared = 0;
        for side in Side::BOTH {
            let levels = if side.is_buy() { snapshot.bids } else { snapshot.asks };
            let cut = snapshot.limit.is_some_and(|limit| levels.len() >= limit);
            let worst = told.levels(side).last().map(|level| level.0);
            // Beyond the end of a cut snapshot nothing is told.
            let in_snapshot = |price: Price| {
                !cut || worst.is_some_and(|worst| if side.is_buy() { price >= worst } else { price <= worst })
            };
            let prices = told.levels(side).chain(book.levels(side)).map(|level| level.0);
            for price in prices.filter(|price| known(side, *price) && in_snapshot(*price)) {
                if self.touched.contains(&(side, price)) {
                    continue;
                }
                let (kept, said) = (book.qty_at(side, price), told.qty_at(side, price));
                if kept != said {
                    self.failures += 1;
                    return AuditOutcome::Failed { side, price, kept, told: said };
                }
                compared += 1;
            }
        }
        self.failures = 0;
        // Each level of both books was met twice.
        AuditOutcome::Passed { compared: compared / 2 }
    }
}
