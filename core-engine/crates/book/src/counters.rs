//! What happened to the updates of one book; for metrics.

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Updates that changed the book, replayed ones included.
    pub applied: u64,
    /// Updates that a snapshot already contained: normal at each sync.
    pub covered: u64,
    /// Updates that repeated known versions, dropped.
    pub duplicates: u64,
    /// Updates that repeated some versions and brought new ones, applied.
    pub overlaps: u64,
    /// Holes in the versions, also those found while waiting for a snapshot.
    pub gaps: u64,
    /// Times that the best bid reached the best ask after a whole update.
    pub crossings: u64,
    /// Updates thrown away because too many waited for a snapshot, or because a hole made them useless.
    pub discarded: u64,
    /// Snapshots that were too old to join what waited or was known.
    pub old_snapshots: u64,
    /// Times that the book became certified.
    pub syncs: u64,
}
