//! Own orders in front of a displayed book and a trade tape. See the README for the rules in one table.

use flashpod_types::{Price, Qty, Side};

use crate::fifo::LevelChange;
use crate::order::{self, Match, NewOrder, Offer, OnMeeting, OrderKey, Placement, Plan, Refusal};
use crate::queue::{Conservative, QueueModel};
use crate::sides::Sides;

/// A resting own order was hit by a recorded trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassiveFill {
    pub key: OrderKey,
    pub price: Price,
    pub qty: Qty,
    pub left: Qty,
}

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    shown: Qty,
    /// What own orders took since the level was last updated.
    consumed: Qty,
}

#[derive(Debug, Clone, Copy)]
struct Resting {
    key: OrderKey,
    side: Side,
    price: Price,
    left: Qty,
    /// Others' quantity before it.
    ahead: Qty,
    /// What the queue model took off `ahead` at the last update: given back when a late print explains it.
    taken: Qty,
    /// Arrived since the last depth update: prints that the update contains are older than this order.
    fresh: bool,
}

/// A trade that no depth update contains yet.
#[derive(Debug, Clone, Copy)]
struct Print {
    price: Price,
    aggressor: Side,
    qty: Qty,
    exchange_ms: i64,
}

/// The displayed book of one symbol with own orders that the market does not see.
#[derive(Debug)]
pub struct EstimatedBook {
    sides: Sides<Level>,
    /// In order of arrival.
    own: Vec<Resting>,
    prints: Vec<Print>,
    last_depth_ms: i64,
    model: Box<dyn QueueModel>,
}

impl Default for EstimatedBook {
    fn default() -> Self {
        Self::new(Box::new(Conservative))
    }
}

impl EstimatedBook {
    #[must_use]
    pub fn new(model: Box<dyn QueueModel>) -> Self {
        Self { sides: Sides::default(), own: Vec::new(), prints: Vec::new(), last_depth_ms: i64::MIN, model }
    }

    /// Displayed levels of `side`, best first; own orders are not in them.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.sides.best_first(side).map(|(price, level)| (price, level.shown))
    }

    #[must_use]
    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        self.levels(side).next()
    }

    /// Estimated quantity before an own order; `None` when it does not rest.
    #[must_use]
    pub fn ahead_of(&self, key: OrderKey) -> Option<Qty> {
        self.own.iter().find(|o| o.key == key).map(|o| o.ahead)
    }

    /// Displayed and not yet taken, best first: neither by own orders nor by trades that the display does not
    /// contain yet.
    fn available(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        let takers = move || self.prints.iter().filter(move |print| print.aggressor != side);
        let prices = takers().map(|print| print.price);
        // A trade reaches a price when everything better is gone.
        let reached = if side.is_buy() { prices.min() } else { prices.max() };
        let is_gone = move |price: Price| {
            reached.is_some_and(|reached| if side.is_buy() { price > reached } else { price < reached })
        };
        self.sides
            .best_first(side)
            .filter(move |(price, _)| !is_gone(*price))
            .map(move |(price, level)| {
                let traded: Qty = takers().filter(|print| print.price == price).map(|print| print.qty).sum();
                (price, level.shown - level.consumed - traded)
            })
            .filter(|(_, qty)| qty.is_positive())
    }

    /// What [`Self::place`] would execute at once, without doing it.
    pub fn preview(&self, order: &NewOrder) -> Result<Plan, Refusal> {
        let offers = self.available(order.side.opposite()).map(|(price, qty)| Offer::free(price, qty));
        order::plan(order, offers, OnMeeting::CancelTaker)
    }

    /// Matches an arriving own order against what is displayed; the rest joins behind it.
    pub fn place(&mut self, order: &NewOrder) -> Placement {
        let plan = self.preview(order);
        let levels = self.sides.of_mut(order.side.opposite());
        let placement = order::execute(order, plan, |price, qty, matches| {
            if let Some(level) = levels.get_mut(&price) {
                level.consumed += qty;
            }
            matches.push(Match { maker: None, price, qty, maker_left: Qty::ZERO });
        });
        if placement.resting.is_positive() {
            let ahead = self.sides.of(order.side).get(&order.price).map_or(Qty::ZERO, |level| level.shown);
            self.own.push(Resting {
                key: order.key,
                side: order.side,
                price: order.price,
                left: placement.resting,
                ahead,
                taken: Qty::ZERO,
                fresh: true,
            });
        }
        placement
    }

    /// Takes an own order out; says what it had left.
    pub fn cancel(&mut self, key: OrderKey) -> Option<Qty> {
        let at = self.own.iter().position(|o| o.key == key)?;
        Some(self.own.remove(at).left)
    }

    /// Applies one depth update, cut as recorded. `exchange_ms` is the venue's own time of it.
    pub fn on_depth(&mut self, exchange_ms: i64, changes: impl IntoIterator<Item = LevelChange>) {
        for own in &mut self.own {
            own.fresh = false;
            own.taken = Qty::ZERO;
        }
        for change in changes {
            self.change_level(exchange_ms, change);
        }
        self.prints.retain(|print| print.exchange_ms > exchange_ms);
        self.last_depth_ms = exchange_ms;
    }

    fn change_level(&mut self, exchange_ms: i64, LevelChange { side, price, qty }: LevelChange) {
        let old = self.sides.of(side).get(&price).map_or(Qty::ZERO, |level| level.shown);
        let traded: Qty = self
            .prints
            .iter()
            .filter(|p| p.price == price && p.aggressor != side && p.exchange_ms <= exchange_ms)
            .map(|p| p.qty)
            .sum();
        let unexplained = (old - qty - traded).max(Qty::ZERO);
        for own in self.own.iter_mut().filter(|o| o.side == side && o.price == price) {
            let behind = (old - traded - own.ahead).max(Qty::ZERO);
            let left = self.model.left_ahead(own.ahead, behind, unexplained);
            own.ahead -= left;
            own.taken = left;
            // The display is the truth about how much can stand before us.
            own.ahead = own.ahead.min(qty);
        }
        if qty.is_zero() {
            self.sides.of_mut(side).remove(&price);
        } else {
            self.sides.of_mut(side).insert(price, Level { shown: qty, consumed: Qty::ZERO });
        }
    }

    /// Applies one recorded trade: own orders at or through its price are reached in price-time order, together
    /// never for more than its volume.
    pub fn on_trade(
        &mut self,
        price: Price,
        qty: Qty,
        aggressor: Side,
        exchange_ms: i64,
    ) -> Vec<PassiveFill> {
        let late = exchange_ms <= self.last_depth_ms;
        if !late {
            self.prints.push(Print { price, aggressor, qty, exchange_ms });
        }
        let mut reached: Vec<usize> = (0..self.own.len())
            .filter(|&i| {
                let own = &self.own[i];
                let through = match own.side {
                    Side::Buy => price < own.price,
                    Side::Sell => price > own.price,
                };
                let at = own.price == price && own.side != aggressor;
                (through || at) && !(late && own.fresh)
            })
            .collect();
        // Better prices first; `sort_by_key` is stable, so the order of arrival stays within a price. A trade
        // can only be through buys or through sells of one account that is not crossed with itself.
        reached.sort_by_key(|&i| match self.own[i].side {
            Side::Buy => -self.own[i].price.raw(),
            Side::Sell => self.own[i].price.raw(),
        });
        let mut volume = qty;
        let mut fills = Vec::new();
        for i in reached {
            let own = &mut self.own[i];
            let mut reaching = volume;
            if own.price == price {
                let given_back = own.taken.min(reaching);
                own.taken -= given_back;
                reaching -= given_back;
                let eaten = own.ahead.min(reaching);
                own.ahead -= eaten;
                reaching -= eaten;
            } else {
                own.ahead = Qty::ZERO;
            }
            let fill = own.left.min(reaching);
            if fill.is_positive() {
                own.left -= fill;
                volume -= fill;
                fills.push(PassiveFill { key: own.key, price: own.price, qty: fill, left: own.left });
            }
        }
        self.own.retain(|own| own.left.is_positive());
        fills
    }
}
