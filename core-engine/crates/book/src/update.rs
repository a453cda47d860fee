//! What a book is fed with: updates, snapshots, and the rule by which they join.

use flashpod_types::Millis;

use crate::book::Level;

/// How updates number the versions they cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// MEXC spot (`fromVersion`, `toVersion`): each update starts one after the end of the one before; an update may
    /// straddle the snapshot and is then applied whole.
    Mexc,
    /// Binance spot (`U`, `u`): the same; updates with `u` ≤ `lastUpdateId` are covered by the snapshot.
    BinanceSpot,
    /// Binance futures (`pu`, `u`): each update names the end of the one before. Ids have holes. The update that ends
    /// at the snapshot's id is applied again.
    BinanceFutures,
}

/// Changed levels; quantities are absolute, zero removes.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// First and last version covered.
    pub first: u64,
    pub last: u64,
    /// End of the update before, where the venue names it.
    pub prev_last: Option<u64>,
    /// When the venue made it.
    pub event: Millis,
    pub bids: &'a [Level],
    pub asks: &'a [Level],
}

/// A whole book as fetched.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    pub version: u64,
    pub bids: &'a [Level],
    pub asks: &'a [Level],
    /// How many levels a side were asked for: a side that has as many may go on behind them. None: not cut.
    pub limit: Option<usize>,
}

impl Rule {
    /// The version that an update continues from.
    pub(crate) fn predecessor(self, update: &Update<'_>) -> u64 {
        let counted = update.first.saturating_sub(1);
        match self {
            Self::Mexc | Self::BinanceSpot => counted,
            Self::BinanceFutures => update.prev_last.unwrap_or(counted),
        }
    }

    /// Whether a snapshot of version `snapshot` makes an update that ends at `last` superfluous.
    pub(crate) const fn is_covered(self, last: u64, snapshot: u64) -> bool {
        match self {
            Self::Mexc | Self::BinanceSpot => last <= snapshot,
            Self::BinanceFutures => last < snapshot,
        }
    }
}

/// An update that waits for a snapshot.
#[derive(Debug)]
pub(crate) struct Waiting {
    first: u64,
    pub(crate) last: u64,
    prev_last: Option<u64>,
    event: Millis,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl Waiting {
    pub(crate) fn update(&self) -> Update<'_> {
        Update {
            first: self.first,
            last: self.last,
            prev_last: self.prev_last,
            event: self.event,
            bids: &self.bids,
            asks: &self.asks,
        }
    }
}

impl From<&Update<'_>> for Waiting {
    fn from(update: &Update<'_>) -> Self {
        Self {
            first: update.first,
            last: update.last,
            prev_last: update.prev_last,
            event: update.event,
            bids: update.bids.to_vec(),
            asks: update.asks.to_vec(),
        }
    }
}
