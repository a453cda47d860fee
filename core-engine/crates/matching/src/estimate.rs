//! Own orders in front of a displayed book and a trade tape. See the README for the rules in one table.

use flashpod_types::{Price, Qty, Side};

use crate::fifo::LevelChange;
use crate::order::{NewOrder, OrderKey, Placement, Plan, Refusal};
use crate::own::{Display, OwnOrders, PassiveFill};
use crate::queue::{Conservative, QueueModel};
use crate::sides::Sides;

/// The displayed book of one symbol with own orders that the market does not see: [`OwnOrders`] and the book that they
/// are shown.
#[derive(Debug)]
pub struct EstimatedBook {
    shown: Sides<Qty>,
    own: OwnOrders,
}

impl Display for Sides<Qty> {
    fn qty_at(&self, side: Side, price: Price) -> Qty {
        self.of(side).get(&price).copied().unwrap_or_default()
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.best_first(side).map(|(price, qty)| (price, *qty))
    }
}

impl Default for EstimatedBook {
    fn default() -> Self {
        Self::new(Box::new(Conservative))
    }
}

impl EstimatedBook {
    #[must_use]
    pub fn new(model: Box<dyn QueueModel>) -> Self {
        Self { shown: Sides::default(), own: OwnOrders::new(model) }
    }

    /// Displayed levels of `side`, best first; own orders are not in them.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.shown.levels(side)
    }

    #[must_use]
    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        self.levels(side).next()
    }

    /// Estimated quantity before an own order; `None` when it does not rest.
    #[must_use]
    pub fn ahead_of(&self, key: OrderKey) -> Option<Qty> {
        self.own.ahead_of(key)
    }

    /// What [`Self::place`] would execute at once, without doing it.
    pub fn preview(&self, order: &NewOrder) -> Result<Plan, Refusal> {
        self.own.preview(&self.shown, order)
    }

    /// Matches an arriving own order against what is displayed; the rest joins behind it.
    pub fn place(&mut self, order: &NewOrder) -> Placement {
        self.own.place(&self.shown, order)
    }

    /// Takes an own order out; says what it had left.
    pub fn cancel(&mut self, key: OrderKey) -> Option<Qty> {
        self.own.cancel(key)
    }

    /// Applies one depth update, cut as recorded. `exchange_ms` is the venue's own time of it.
    pub fn on_depth(&mut self, exchange_ms: i64, changes: impl IntoIterator<Item = LevelChange>) {
        self.own.begin_update();
        for LevelChange { side, price, qty } in changes {
            let levels = self.shown.of_mut(side);
            let old = if qty.is_zero() { levels.remove(&price) } else { levels.insert(price, qty) };
            self.own.on_change(exchange_ms, (side, price), old.unwrap_or_default(), qty);
        }
        self.own.end_update(exchange_ms);
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
        let mut fills = Vec::new();
        self.own.on_trade((price, qty, aggressor), exchange_ms, |fill| fills.push(fill));
        fills
    }
}
