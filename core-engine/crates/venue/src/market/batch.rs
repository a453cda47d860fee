//! What changed since the last push of one cadence.

use std::collections::BTreeMap;

use flashpod_matching::LevelChange;
use flashpod_types::{Nanos, Price, Qty, Side};

use super::PublicTrade;

/// Changes gathered for one `aggre` push: the latest quantity of each level, and the versions covered.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    levels: BTreeMap<(Side, Price), Qty>,
    /// First and last version covered.
    versions: Option<(u64, u64)>,
    trades: Vec<PublicTrade>,
    /// When the push is due, if there is anything to push.
    due: Option<Nanos>,
}

/// One depth push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepthCut {
    pub from: u64,
    pub to: u64,
    pub changes: Vec<LevelChange>,
}

impl Batch {
    #[must_use]
    pub fn due(&self) -> Option<Nanos> {
        self.due
    }

    /// Pushes leave on the grid of their cadence.
    fn arm(&mut self, now: Nanos, cadence: Nanos) {
        self.due.get_or_insert(Nanos((now.0 / cadence.0 + 1) * cadence.0));
    }

    pub fn change(&mut self, now: Nanos, cadence: Nanos, version: u64, change: LevelChange) {
        self.arm(now, cadence);
        self.levels.insert((change.side, change.price), change.qty);
        let first = self.versions.map_or(version, |(first, _)| first);
        self.versions = Some((first, version));
    }

    pub fn trade(&mut self, now: Nanos, cadence: Nanos, trade: PublicTrade) {
        self.arm(now, cadence);
        self.trades.push(trade);
    }

    /// Hands out what was gathered and starts anew.
    pub fn take(&mut self) -> (Option<DepthCut>, Vec<PublicTrade>) {
        let taken = std::mem::take(self);
        let changes =
            taken.levels.into_iter().map(|((side, price), qty)| LevelChange { side, price, qty }).collect();
        (taken.versions.map(|(from, to)| DepthCut { from, to, changes }), taken.trades)
    }
}
