//! Quantities by price.

use std::fmt;

use flashpod_types::{Price, Qty, Side};

use crate::ladder::Ladder;

/// Price and quantity of one level.
pub type Level = (Price, Qty);

/// Both sides of an order book.
#[derive(Clone)]
pub struct Book {
    bids: Ladder,
    asks: Ladder,
}

impl Book {
    #[must_use]
    pub const fn new() -> Self {
        Self { bids: Ladder::new(Side::Buy), asks: Ladder::new(Side::Sell) }
    }

    /// Replaces everything. Levels may come in any order; of a repeated price the last one counts; zero quantities
    /// are left out.
    pub fn load(&mut self, bids: &[Level], asks: &[Level]) {
        self.bids.load(bids.iter().copied());
        self.asks.load(asks.iter().copied());
    }

    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// Sets the quantity at one price; zero removes the level. Returns the quantity before, zero when there was
    /// none. Removing an unknown level changes nothing.
    #[inline]
    pub fn apply(&mut self, side: Side, price: Price, qty: Qty) -> Qty {
        self.side_mut(side).set(price, qty)
    }

    /// The best level.
    #[must_use]
    #[inline]
    pub fn best(&self, side: Side) -> Option<Level> {
        self.side(side).best()
    }

    /// All levels, best first.
    #[must_use]
    pub fn levels(&self, side: Side) -> impl ExactSizeIterator<Item = Level> + '_ {
        self.side(side).levels(usize::MAX)
    }

    /// The best `n` levels, best first.
    pub fn top(&self, side: Side, n: usize) -> impl ExactSizeIterator<Item = Level> + '_ {
        self.side(side).levels(n)
    }

    /// How many levels a side has.
    #[must_use]
    pub fn len(&self, side: Side) -> usize {
        self.side(side).len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        Side::BOTH.iter().all(|side| self.len(*side) == 0)
    }

    /// Quantity at a price; zero when there is none.
    #[must_use]
    pub fn qty_at(&self, side: Side, price: Price) -> Qty {
        self.side(side).qty_at(price)
    }

    /// Whether the best bid reaches the best ask.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        match (self.bids.best(), self.asks.best()) {
            (Some(bid), Some(ask)) => bid.0 >= ask.0,
            _ => false,
        }
    }

    #[inline]
    const fn side(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline]
    const fn side_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

/// The same levels, wherever they lie.
impl PartialEq for Book {
    fn eq(&self, other: &Self) -> bool {
        Side::BOTH.into_iter().all(|side| self.levels(side).eq(other.levels(side)))
    }
}

impl Eq for Book {}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels = |side| self.levels(side).collect::<Vec<_>>();
        f.debug_struct("Book").field("bids", &levels(Side::Buy)).field("asks", &levels(Side::Sell)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn level(price: i64, qty: i64) -> Level {
        (Price::from_raw(price), Qty::from_raw(qty))
    }

    #[test]
    fn the_best_level_comes_first_on_both_sides() {
        let mut book = Book::new();
        book.load(&[level(99, 1), level(98, 2)], &[level(101, 3), level(102, 4)]);
        assert_eq!(book.best(Side::Buy), Some(level(99, 1)));
        assert_eq!(book.best(Side::Sell), Some(level(101, 3)));
        assert_eq!(book.levels(Side::Sell).collect::<Vec<_>>(), [level(101, 3), level(102, 4)]);
        assert_eq!(book.top(Side::Buy, 1).collect::<Vec<_>>(), [level(99, 1)]);
    }

    #[test]
    fn an_unsorted_snapshot_is_sorted() {
        let mut book = Book::new();
        book.load(&[level(98, 2), level(99, 1), level(97, 0), level(98, 5)], &[]);
        assert_eq!(book.levels(Side::Buy).collect::<Vec<_>>(), [level(99, 1), level(98, 5)]);
    }

    #[test]
    fn removing_an_unknown_level_changes_nothing() {
        let mut book = Book::new();
        assert_eq!(book.apply(Side::Buy, Price::from_raw(1), Qty::ZERO), Qty::ZERO);
        assert!(book.is_empty());
    }

    #[test]
    fn equal_best_prices_are_a_cross() {
        let mut book = Book::new();
        book.load(&[level(100, 1)], &[level(101, 1)]);
        assert!(!book.is_crossed());
        book.apply(Side::Buy, Price::from_raw(101), Qty::from_raw(1));
        assert!(book.is_crossed());
    }

    proptest! {
        #[test]
        fn any_changes_leave_what_a_map_would_hold(
            changes in prop::collection::vec((any::<bool>(), 1_i64..40, 0_i64..5), 0..300)
        ) {
            let mut book = Book::new();
            let mut maps = [BTreeMap::new(), BTreeMap::new()];
            for (buy, price, qty) in changes {
                let side = if buy { Side::Buy } else { Side::Sell };
                let map: &mut BTreeMap<i64, i64> = &mut maps[usize::from(!buy)];
                let before = if qty == 0 { map.remove(&price) } else { map.insert(price, qty) };
                let told = book.apply(side, Price::from_raw(price), Qty::from_raw(qty));
                prop_assert_eq!(told.raw(), before.unwrap_or(0));
                prop_assert_eq!(book.qty_at(side, Price::from_raw(price)).raw(), qty);
            }
            let bids: Vec<Level> = maps[0].iter().rev().map(|(p, q)| level(*p, *q)).collect();
            let asks: Vec<Level> = maps[1].iter().map(|(p, q)| level(*p, *q)).collect();
            prop_assert_eq!(book.levels(Side::Buy).collect::<Vec<_>>(), bids.clone());
            prop_assert_eq!(book.levels(Side::Sell).collect::<Vec<_>>(), asks.clone());
            let mut loaded = Book::new();
            loaded.load(&bids, &asks);
            prop_assert_eq!(loaded, book);
        }
    }
}
