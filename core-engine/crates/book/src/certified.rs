//! Joining snapshots and updates, and proving that nothing is missing.
//!
//! The driver subscribes to updates, and once that is acknowledged fetches a snapshot; it may fetch again whenever
//! [`CertifiedBook::needs_snapshot`] says so. A snapshot asked for before the acknowledgement proves nothing.

use std::collections::VecDeque;

use flashpod_types::{Millis, Price, Side};

use crate::audit::{Audit, AuditOutcome, Range};
use crate::book::Book;
use crate::counters::Counters;
use crate::update::{Rule, Snapshot, Update, Waiting};

/// Whether the book may be relied upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for its first snapshot.
    Syncing,
    Certified,
    /// Was certified, is not any more, waits for a snapshot.
    Lost(Loss),
}

/// Why a certificate was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Updates are missing after version `expected` − 1; the next one continues from `got` − 1.
    Gap { expected: u64, got: u64 },
    /// The best bid reached the best ask after a whole update.
    Crossed { bid: Price, ask: Price },
    /// The best price left the range that the snapshot covered: unknown levels may be better.
    OutOfRange { side: Side },
    /// The connection was lost: updates may be missing.
    Disconnected,
    /// Two audits in a row failed, or a book that does not move is ahead of one snapshot after the other.
    Audit,
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The book changed and is certified.
    Applied,
    /// Nothing new: dropped and counted.
    Duplicate,
    /// Kept until a snapshot comes.
    Buffered,
    /// The certificate is lost; a snapshot is needed.
    Lost(Loss),
}

/// What a snapshot did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotStep {
    /// The book is certified, after replaying this many waiting updates.
    Certified { replayed: usize },
    /// Does not contain everything before version `first`, from which on updates wait or are to come: fetch again.
    TooOld { snapshot: u64, first: u64 },
    /// A waiting update broke the book at once; fetch again.
    Lost(Loss),
    /// The book was certified already; the snapshot was not used.
    NotNeeded,
}

/// A book with its certificate.
#[derive(Debug)]
pub struct CertifiedBook {
    rule: Rule,
    state: State,
    book: Book,
    version: u64,
    /// Version at which this connection's certificate was lost: what is older is of no use any more.
    reached: Option<u64>,
    event: Millis,
    /// No update was applied since the snapshot: the first may straddle it.
    fresh: bool,
    /// What the last snapshot covered.
    range: [Range; 2],
    waiting: VecDeque<Waiting>,
    waiting_limit: usize,
    audit: Audit,
    audit_outcome: Option<AuditOutcome>,
    counters: Counters,
}

impl CertifiedBook {
    /// `waiting_limit`: how many updates are kept while there is no snapshot.
    #[must_use]
    pub fn new(rule: Rule, waiting_limit: usize) -> Self {
        Self {
            rule,
            state: State::Syncing,
            book: Book::new(),
            version: 0,
            reached: None,
            event: Millis(0),
            fresh: false,
            range: [Range::default(); 2],
            waiting: VecDeque::new(),
            waiting_limit: waiting_limit.max(1),
            audit: Audit::default(),
            audit_outcome: None,
            counters: Counters::default(),
        }
    }

    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    #[must_use]
    pub const fn is_certified(&self) -> bool {
        matches!(self.state, State::Certified)
    }

    #[must_use]
    pub const fn needs_snapshot(&self) -> bool {
        !self.is_certified()
    }

    /// The levels; to be used for opening risk only while certified.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// Version of the levels, and when the venue made the update that led to it (0 after a snapshot).
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    #[must_use]
    pub const fn event(&self) -> Millis {
        self.event
    }

    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How many updates wait for a snapshot.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the quantity at this price is known: inside what the last snapshot covered.
    #[must_use]
    pub fn covers(&self, side: Side, price: Price) -> bool {
        self.range[index(side)].covers(side, price)
    }

    /// The connection that brought the updates is gone: what waits and what is known continue into nothing.
    pub fn disconnected(&mut self) {
        self.waiting.clear();
        self.audit.stop();
        self.reached = None;
        if self.is_certified() {
            self.state = State::Lost(Loss::Disconnected);
        }
    }

    /// Whether [`Self::on_update`] would apply this update: the book is certified and the update comes next.
    #[must_use]
    pub fn continues(&self, update: &Update<'_>) -> bool {
        self.is_certified() && self.rule.predecessor(update) <= self.version && !self.is_known(update)
    }

    /// Takes the next update of the stream.
    pub fn on_update(&mut self, update: &Update<'_>) -> Step {
        if !self.is_certified() {
            return self.keep(update);
        }
        let before = self.rule.predecessor(update);
        if before > self.version {
            let loss = Loss::Gap { expected: self.version.saturating_add(1), got: before.saturating_add(1) };
            self.counters.gaps += 1;
            self.lose(loss);
            self.keep(update);
            return Step::Lost(loss);
        }
        if self.is_known(update) {
            if self.fresh {
                self.counters.covered += 1;
            } else {
                self.counters.duplicates += 1;
            }
            return Step::Duplicate;
        }
        if before < self.version && !self.fresh {
            self.counters.overlaps += 1;
        }
        self.apply(update);
        if let Some(loss) = self.flaw() {
            self.lose(loss);
            return Step::Lost(loss);
        }
        if let Some(outcome) = self.audit.conclude(&self.book, self.version, &self.range) {
            self.audit_outcome = Some(outcome);
            if self.lose_by_audit() {
                return Step::Lost(Loss::Audit);
            }
        }
        Step::Applied
    }

    /// Takes a snapshot, then replays the updates that waited.
    pub fn on_snapshot(&mut self, snapshot: &Snapshot<'_>) -> SnapshotStep {
        self.on_snapshot_with(snapshot, |_, _| {})
    }

    /// As [`Self::on_snapshot`]; `each` sees the book after every replayed update.
    pub fn on_snapshot_with(
        &mut self,
        snapshot: &Snapshot<'_>,
        mut each: impl FnMut(&Book, &Update<'_>),
    ) -> SnapshotStep {
        if self.is_certified() {
            return SnapshotStep::NotNeeded;
        }
        // Checked before anything is thrown away: updates newer than an old snapshot serve the next one.
        let first_new =
            self.waiting.iter().find(|waiting| !self.rule.is_covered(waiting.last, snapshot.version));
        let needed = match first_new {
            Some(first_new) => Some(self.rule.predecessor(&first_new.update())),
            None => self.reached,
        };
        if let Some(needed) = needed.filter(|needed| *needed > snapshot.version) {
            self.counters.old_snapshots += 1;
            return SnapshotStep::TooOld { snapshot: snapshot.version, first: needed.saturating_add(1) };
        }
        self.install(snapshot);
        let mut replayed = 0;
        while let Some(waiting) = self.waiting.pop_front() {
            let update = waiting.update();
            match self.on_update(&update) {
                Step::Applied => {
                    replayed += 1;
                    each(&self.book, &update);
                }
                Step::Lost(loss) => return SnapshotStep::Lost(loss),
                Step::Duplicate | Step::Buffered => {}
            }
        }
        if let Some(loss) = self.flaw() {
            self.lose(loss);
            return SnapshotStep::Lost(loss);
        }
        self.counters.syncs += 1;
        SnapshotStep::Certified { replayed }
    }

    /// Starts an audit; call it when the snapshot for it is asked for.
    pub fn start_audit(&mut self) {
        if self.is_certified() {
            self.audit.start(self.version);
        }
    }

    /// Compares with a snapshot that was asked for after [`Self::start_audit`]; when it is ahead of the book, the
    /// outcome comes later by [`Self::take_audit`]. The second failure in a row loses the certificate.
    pub fn finish_audit(&mut self, snapshot: &Snapshot<'_>) -> AuditOutcome {
        let outcome = self.audit.finish(&self.book, self.version, &self.range, snapshot);
        self.lose_by_audit();
        outcome
    }

    /// The outcome of an audit that was pending; ask after each update.
    pub const fn take_audit(&mut self) -> Option<AuditOutcome> {
        self.audit_outcome.take()
    }

    fn lose_by_audit(&mut self) -> bool {
        let left_behind = self.audit.is_left_behind();
        let lost = (self.audit.failures() >= 2 || left_behind) && self.is_certified();
        if lost {
            self.lose(Loss::Audit);
            // The version itself was wrong.
            self.reached = self.reached.filter(|_| !left_behind);
        }
        lost
    }

    fn install(&mut self, snapshot: &Snapshot<'_>) {
        self.book.load(snapshot.bids, snapshot.asks);
        self.version = snapshot.version;
        self.event = Millis(0);
        self.fresh = true;
        self.range = [
            Range::of(Side::Buy, snapshot.bids, snapshot.limit),
            Range::of(Side::Sell, snapshot.asks, snapshot.limit),
        ];
        self.state = State::Certified;
        self.audit = Audit::default();
    }

    fn apply(&mut self, update: &Update<'_>) {
        for (price, qty) in update.bids {
            self.book.apply(Side::Buy, *price, *qty);
        }
        for (price, qty) in update.asks {
            self.book.apply(Side::Sell, *price, *qty);
        }
        self.audit.touch(update);
        self.version = update.last;
        self.event = update.event;
        self.fresh = false;
        self.counters.applied += 1;
    }

    /// What a whole update must not leave behind.
    fn flaw(&mut self) -> Option<Loss> {
        if let (Some((bid, _)), Some((ask, _))) = (self.book.best(Side::Buy), self.book.best(Side::Sell))
            && bid >= ask
        {
            self.counters.crossings += 1;
            return Some(Loss::Crossed { bid, ask });
        }
        Side::BOTH.into_iter().find_map(|side| {
            let range = self.range[index(side)];
            // A cut side that ran empty is unknown as well.
            let known = self.book.best(side).map_or(range.is_whole(), |(price, _)| range.covers(side, price));
            (!known).then_some(Loss::OutOfRange { side })
        })
    }

    fn lose(&mut self, loss: Loss) {
        self.state = State::Lost(loss);
        self.reached = Some(self.version);
        self.audit.stop();
    }

    /// Keeps an update for the next snapshot; what waits is always without holes.
    fn keep(&mut self, update: &Update<'_>) -> Step {
        let end = self.waiting.back().map(|newest| newest.last);
        // The version that what waits continues from.
        let start = self.waiting.front().map(|oldest| self.rule.predecessor(&oldest.update()));
        let known = match start.zip(end) {
            Some((start, end)) => start < update.last && update.last <= end,
            None => false,
        };
        if known || self.reached.is_some_and(|reached| update.last <= reached) {
            self.counters.duplicates += 1;
            return Step::Duplicate;
        }
        if start == Some(update.last) && self.waiting.len() < self.waiting_limit {
            self.waiting.push_front(Waiting::from(update));
            return Step::Buffered;
        }
        // A hole before or behind it. Before: the versions of what waits had jumped, or it comes very late.
        let hole = |(start, end)| update.last < start || self.rule.predecessor(update) > end;
        if start.zip(end).is_some_and(hole) {
            self.counters.gaps += 1;
            self.discard();
        }
        if self.waiting.len() >= self.waiting_limit {
            self.discard();
        }
        self.waiting.push_back(Waiting::from(update));
        Step::Buffered
    }

    fn discard(&mut self) {
        self.counters.discarded += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// Whether an update brings nothing beyond the current version.
    fn is_known(&self, update: &Update<'_>) -> bool {
        if self.fresh { self.rule.is_covered(update.last, self.version) } else { update.last <= self.version }
    }
}

const fn index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}
