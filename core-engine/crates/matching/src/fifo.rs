//! A price-time priority book in which every order is known.

use std::collections::{HashMap, VecDeque};

use flashpod_types::{Price, Qty, Side};

use crate::order::{self, Guard, Match, NewOrder, Offer, OnMeeting, OrderKey, Placement, Plan, Refusal};
use crate::sides::Sides;

/// A displayed quantity after one change: exactly one step of the book's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelChange {
    pub side: Side,
    pub price: Price,
    /// Absolute; zero means that the level is gone.
    pub qty: Qty,
}

#[derive(Debug, Clone, Default)]
struct Level {
    total: Qty,
    queue: VecDeque<(OrderKey, Qty)>,
}

/// All resting orders, oldest first at each price. Crossed states can't arise.
#[derive(Debug, Clone, Default)]
pub struct FifoBook {
    sides: Sides<Level>,
    places: HashMap<OrderKey, (Side, Price)>,
    changes: Vec<LevelChange>,
}

impl FifoBook {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Price and displayed quantity of the levels of `side`, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.sides.best_first(side).map(|(price, level)| (price, level.total))
    }

    #[must_use]
    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        self.levels(side).next()
    }

    /// How many orders rest.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The orders at one price, oldest first.
    pub fn queue(&self, side: Side, price: Price) -> impl Iterator<Item = (OrderKey, Qty)> + '_ {
        self.sides.of(side).get(&price).into_iter().flat_map(|level| level.queue.iter().copied())
    }

    /// Quantity before `key` at its price; `None` when it does not rest.
    #[must_use]
    pub fn ahead_of(&self, key: OrderKey) -> Option<Qty> {
        let (side, price) = self.places.get(&key)?;
        let level = self.sides.of(*side).get(price)?;
        Some(level.queue.iter().take_while(|(k, _)| *k != key).map(|(_, q)| *q).sum())
    }

    /// What [`Self::place`] would execute at once, without doing it.
    pub fn preview(&self, order: &NewOrder, guard: Option<Guard<'_>>) -> Result<Plan, Refusal> {
        let side = order.side.opposite();
        let Some(Guard { on_meeting, forbids }) = guard else {
            let offers = self.levels(side).map(|(price, qty)| Offer::free(price, qty));
            return order::plan(order, offers, OnMeeting::CancelTaker);
        };
        let offers = self.sides.best_first(side).flat_map(|(price, level)| {
            level.queue.iter().map(move |(key, qty)| Offer {
                price,
                qty: *qty,
                forbidden: forbids(*key).then_some(*key),
            })
        });
        order::plan(order, offers, on_meeting)
    }

    /// Matches an arriving order; what its type allows rests behind all others at its price.
    pub fn place(&mut self, order: &NewOrder) -> Placement {
        self.place_guarded(order, None)
    }

    /// The same, with orders in the book that this one must not meet.
    pub fn place_guarded(&mut self, order: &NewOrder, guard: Option<Guard<'_>>) -> Placement {
        let plan = self.preview(order, guard);
        for key in plan.iter().flat_map(|plan| &plan.prevented) {
            self.cancel(*key);
        }
        let other = order.side.opposite();
        let placement =
            order::execute(order, plan, |price, qty, matches| self.consume(other, price, qty, matches));
        let rest = placement.resting;
        if rest.is_positive() {
            let level = self.sides.of_mut(order.side).entry(order.price).or_default();
            level.total += rest;
            level.queue.push_back((order.key, rest));
            let qty = level.total;
            self.changes.push(LevelChange { side: order.side, price: order.price, qty });
            self.places.insert(order.key, (order.side, order.price));
        }
        placement
    }

    /// Takes `qty` off the front of one level's queue; each order met is one change of the book.
    fn consume(&mut self, side: Side, price: Price, mut qty: Qty, matches: &mut Vec<Match>) {
        let levels = self.sides.of_mut(side);
        let Some(level) = levels.get_mut(&price) else { return };
        while qty.is_positive() {
            let Some((maker, left)) = level.queue.front_mut() else { break };
            let take = qty.min(*left);
            *left -= take;
            level.total -= take;
            qty -= take;
            matches.push(Match { maker: Some(*maker), price, qty: take, maker_left: *left });
            self.changes.push(LevelChange { side, price, qty: level.total });
            if left.is_zero() {
                self.places.remove(maker);
                level.queue.pop_front();
            }
        }
        if level.queue.is_empty() {
            levels.remove(&price);
        }
    }

    /// Takes an order out; says what it had left.
    pub fn cancel(&mut self, key: OrderKey) -> Option<Qty> {
        let (side, price) = self.places.remove(&key)?;
        let levels = self.sides.of_mut(side);
        let level = levels.get_mut(&price)?;
        let at = level.queue.iter().position(|(k, _)| *k == key)?;
        let (_, left) = level.queue.remove(at)?;
        level.total -= left;
        let qty = level.total;
        if level.queue.is_empty() {
            levels.remove(&price);
        }
        self.changes.push(LevelChange { side, price, qty });
        Some(left)
    }

    /// The changes since the last call, in order: one version each.
    pub fn drain_changes(&mut self) -> std::vec::Drain<'_, LevelChange> {
        self.changes.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Volume;
    use flashpod_types::OrderType;

    fn order(key: u64, side: Side, kind: OrderType, price: i64, qty: i64) -> NewOrder {
        NewOrder {
            key: OrderKey(key),
            side,
            kind,
            price: Price::from_raw(price),
            volume: Volume::Base(Qty::from_raw(qty)),
            step: Qty::from_raw(1),
        }
    }

    #[test]
    fn the_oldest_order_at_the_best_price_trades_first() {
        let mut book = FifoBook::new();
        book.place(&order(1, Side::Sell, OrderType::Limit, 101, 5));
        book.place(&order(2, Side::Sell, OrderType::Limit, 100, 5));
        book.place(&order(3, Side::Sell, OrderType::Limit, 100, 5));
        let placed = book.place(&order(4, Side::Buy, OrderType::Limit, 101, 12));
        let makers: Vec<_> = placed.matches.iter().map(|m| (m.maker.unwrap().0, m.qty.raw())).collect();
        assert_eq!(makers, [(2, 5), (3, 5), (1, 2)]);
        assert_eq!(placed.resting, Qty::ZERO);
        assert_eq!(book.best(Side::Sell), Some((Price::from_raw(101), Qty::from_raw(3))));
    }

    #[test]
    fn each_change_of_a_level_is_reported_with_its_absolute_quantity() {
        let mut book = FifoBook::new();
        book.place(&order(1, Side::Sell, OrderType::Limit, 100, 5));
        book.place(&order(2, Side::Sell, OrderType::Limit, 100, 4));
        book.place(&order(3, Side::Buy, OrderType::Limit, 100, 10));
        let seen: Vec<_> = book.drain_changes().map(|c| (c.side, c.qty.raw())).collect();
        let sell = Side::Sell;
        assert_eq!(seen, [(sell, 5), (sell, 9), (sell, 4), (sell, 0), (Side::Buy, 1)]);
    }

    #[test]
    fn order_types_keep_their_promises() {
        let mut book = FifoBook::new();
        let refused = |p: Placement| p.refusal;
        assert_eq!(
            refused(book.place(&order(9, Side::Buy, OrderType::Market, 0, 1))),
            Some(Refusal::NoOpponent)
        );
        book.place(&order(1, Side::Sell, OrderType::Limit, 100, 5));
        assert_eq!(
            refused(book.place(&order(2, Side::Buy, OrderType::LimitMaker, 100, 1))),
            Some(Refusal::WouldTake)
        );
        assert_eq!(
            refused(book.place(&order(3, Side::Buy, OrderType::Fok, 100, 6))),
            Some(Refusal::NotFillable)
        );
        let ioc = book.place(&order(4, Side::Buy, OrderType::Ioc, 100, 6));
        assert_eq!((ioc.taken().raw(), ioc.resting.raw()), (5, 0));
        assert!(book.is_empty());
    }

    /// Sells of others (1, 4) round two of our own (2, 3), one of them best after the first.
    fn book_with_own() -> FifoBook {
        let mut book = FifoBook::new();
        for (key, price, qty) in [(1, 100, 5), (2, 100, 5), (3, 101, 5), (4, 101, 5)] {
            book.place(&order(key, Side::Sell, OrderType::Limit, price, qty));
        }
        book
    }

    /// Keys of the makers met, of those cancelled instead, whether it stopped, and what rests.
    fn guarded(kind: OrderType, qty: i64, on_meeting: OnMeeting) -> (Vec<u64>, Vec<u64>, bool, i64) {
        let mut book = book_with_own();
        let own = |key: OrderKey| [2, 3].contains(&key.0);
        let guard = Guard { on_meeting, forbids: &own };
        let placed = book.place_guarded(&order(9, Side::Buy, kind, 101, qty), Some(guard));
        let met = placed.matches.iter().map(|m| m.maker.unwrap().0).collect();
        let prevented: Vec<u64> = placed.prevented.iter().map(|key| key.0).collect();
        assert!(prevented.iter().all(|key| book.ahead_of(OrderKey(*key)).is_none()), "still in the book");
        (met, prevented, placed.stopped, placed.resting.raw())
    }

    #[test]
    fn orders_that_must_not_meet_are_cancelled_as_the_mode_says() {
        use OnMeeting::{CancelBoth, CancelMaker, CancelTaker};
        let limit = |qty, mode| guarded(OrderType::Limit, qty, mode);
        assert_eq!(limit(12, CancelTaker), (vec![1], vec![], true, 0));
        assert_eq!(limit(12, CancelBoth), (vec![1], vec![2], true, 0));
        assert_eq!(limit(12, CancelMaker), (vec![1, 4], vec![2, 3], false, 2));
        // Nobody is cancelled whom the order does not reach.
        assert_eq!(limit(5, CancelBoth), (vec![1], vec![], false, 0));
        assert_eq!(limit(6, CancelMaker), (vec![1, 4], vec![2, 3], false, 0));
    }

    #[test]
    fn a_fill_or_kill_that_others_can_not_fill_cancels_nobody() {
        let mut book = book_with_own();
        let own = |key: OrderKey| [2, 3].contains(&key.0);
        for on_meeting in [OnMeeting::CancelTaker, OnMeeting::CancelMaker, OnMeeting::CancelBoth] {
            let guard = Guard { on_meeting, forbids: &own };
            let placed = book.place_guarded(&order(9, Side::Buy, OrderType::Fok, 101, 12), Some(guard));
            assert_eq!(placed.refusal, Some(Refusal::NotFillable));
            assert_eq!(book.len(), 4);
        }
        assert_eq!(guarded(OrderType::Fok, 10, OnMeeting::CancelMaker), (vec![1, 4], vec![2, 3], false, 0));
    }

    #[test]
    fn a_market_order_by_value_spends_no_more_than_its_value() {
        let mut book = FifoBook::new();
        book.place(&order(1, Side::Sell, OrderType::Limit, 30, 10));
        let mut buy = order(2, Side::Buy, OrderType::Market, 0, 0);
        buy.volume = Volume::Quote(Price::from_raw(100).notional(Qty::from_raw(1)));
        let placed = book.place(&buy);
        assert_eq!(placed.taken().raw(), 3);
    }
}
