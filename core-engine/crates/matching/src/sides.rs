//! Both sides of a book, each in the order in which takers meet its levels.

use std::collections::BTreeMap;

use flashpod_types::{Price, Side};

/// Levels by price. What a level holds is the matcher's business.
#[derive(Debug, Clone)]
pub(crate) struct Sides<L> {
    bids: BTreeMap<Price, L>,
    asks: BTreeMap<Price, L>,
}

impl<L> Default for Sides<L> {
    fn default() -> Self {
        Self { bids: BTreeMap::new(), asks: BTreeMap::new() }
    }
}

impl<L> Sides<L> {
    pub(crate) fn of(&self, side: Side) -> &BTreeMap<Price, L> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    pub(crate) fn of_mut(&mut self, side: Side) -> &mut BTreeMap<Price, L> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Highest bid or lowest ask first.
    pub(crate) fn best_first(&self, side: Side) -> Box<dyn Iterator<Item = (Price, &L)> + '_> {
        let levels = self.of(side).iter().map(|(price, level)| (*price, level));
        match side {
            Side::Buy => Box::new(levels.rev()),
            Side::Sell => Box::new(levels),
        }
    }
}
