//! Own orders in front of a displayed book that somebody else keeps: where each stands in its queue, and what fills it.

use flashpod_types::{Price, Qty, Side};

use crate::order::{self, Match, NewOrder, Offer, OnMeeting, OrderKey, Placement, Plan, Refusal};
use crate::queue::QueueModel;

/// The book as the market shows it, without own orders.
pub trait Display {
    /// Zero: no level.
    fn qty_at(&self, side: Side, price: Price) -> Qty;

    /// Best first.
    fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_;
}

/// A resting own order was hit by a recorded trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassiveFill {
    pub key: OrderKey,
    pub price: Price,
    pub qty: Qty,
    pub left: Qty,
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

/// What own orders took of a level since it was last updated.
#[derive(Debug, Clone, Copy)]
struct Consumed {
    side: Side,
    price: Price,
    qty: Qty,
}

/// A trade that no depth update contains yet.
#[derive(Debug, Clone, Copy)]
struct Print {
    price: Price,
    aggressor: Side,
    qty: Qty,
    exchange_ms: i64,
}

/// Own orders that the market does not see. Every method that needs the displayed book is shown it; it must be the same
/// one each time, and a depth update is told before the book takes it.
#[derive(Debug)]
pub struct OwnOrders {
    /// In order of arrival.
    own: Vec<Resting>,
    consumed: Vec<Consumed>,
    prints: Vec<Print>,
    last_depth_ms: i64,
    model: Box<dyn QueueModel>,
    /// Prices at which a change of the display matters: of own orders and of consumed levels, each once.
    watched: Vec<(Side, Price)>,
}

impl OwnOrders {
    #[must_use]
    pub fn new(model: Box<dyn QueueModel>) -> Self {
        let (own, consumed, prints, watched) = Default::default();
        Self { own, consumed, prints, last_depth_ms: i64::MIN, model, watched }
    }

    /// Estimated quantity before an own order; `None` when it does not rest.
    #[must_use]
    pub fn ahead_of(&self, key: OrderKey) -> Option<Qty> {
        self.own.iter().find(|own| own.key == key).map(|own| own.ahead)
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Displayed and not yet taken, best first: neither by own orders nor by trades that the display does not
    /// contain yet.
    fn available<'a>(
        &'a self,
        shown: &'a impl Display,
        side: Side,
    ) -> impl Iterator<Item = (Price, Qty)> + 'a {
        let takers = move || self.prints.iter().filter(move |print| print.aggressor != side);
        let prices = takers().map(|print| print.price);
        // A trade reaches a price when everything better is gone.
        let reached = if side.is_buy() { prices.min() } else { prices.max() };
        let is_gone = move |price: Price| {
            reached.is_some_and(|reached| if side.is_buy() { price > reached } else { price < reached })
        };
        shown
            .levels(side)
            .filter(move |(price, _)| !is_gone(*price))
            .map(move |(price, qty)| {
                let traded: Qty = takers().filter(|print| print.price == price).map(|print| print.qty).sum();
                (price, qty - self.consumed_at(side, price) - traded)
            })
            .filter(|(_, qty)| qty.is_positive())
    }

    fn consumed_at(&self, side: Side, price: Price) -> Qty {
        let here = self.consumed.iter().find(|level| level.side == side && level.price == price);
        here.map_or(Qty::ZERO, |level| level.qty)
    }

    /// What [`Self::place`] would execute at once, without doing it.
    pub fn preview(&self, shown: &impl Display, order: &NewOrder) -> Result<Plan, Refusal> {
        let offers = self.available(shown, order.side.opposite()).map(|(price, qty)| Offer::free(price, qty));
        order::plan(order, offers, OnMeeting::CancelTaker)
    }

    /// Matches an arriving own order against what is displayed; the rest joins behind it.
    pub fn place(&mut self, shown: &impl Display, order: &NewOrder) -> Placement {
        let plan = self.preview(shown, order);
        let other = order.side.opposite();
        let placement = order::execute(order, plan, |price, qty, matches| {
            self.consume(other, price, qty);
            matches.push(Match { maker: None, price, qty, maker_left: Qty::ZERO });
        });
        if placement.resting.is_positive() {
            self.join(shown, order.key, order.side, order.price, placement.resting);
        }
        placement
    }

    /// Lets an order rest behind the whole displayed quantity of its price, without taking: one that rested before the
    /// market was lost from sight.
    pub fn join(&mut self, shown: &impl Display, key: OrderKey, side: Side, price: Price, left: Qty) {
        let ahead = shown.qty_at(side, price);
        self.own.push(Resting { key, side, price, left, ahead, taken: Qty::ZERO, fresh: true });
        self.watch(side, price);
    }

    fn consume(&mut self, side: Side, price: Price, qty: Qty) {
        match self.consumed.iter_mut().find(|level| level.side == side && level.price == price) {
            Some(level) => level.qty += qty,
            None => self.consumed.push(Consumed { side, price, qty }),
        }
        self.watch(side, price);
    }

    fn watch(&mut self, side: Side, price: Price) {
        if !self.watched.contains(&(side, price)) {
            self.watched.push((side, price));
        }
    }

    /// Forgets watched prices where nothing is left to watch.
    fn unwatch(&mut self) {
        let Self { own, consumed, watched, .. } = self;
        watched.retain(|&(side, price)| {
            own.iter().any(|own| own.side == side && own.price == price)
                || consumed.iter().any(|level| level.side == side && level.price == price)
        });
    }

    /// Takes an own order out; says what it had left.
    pub fn cancel(&mut self, key: OrderKey) -> Option<Qty> {
        let at = self.own.iter().position(|own| own.key == key)?;
        let left = self.own.remove(at).left;
        self.unwatch();
        Some(left)
    }

    /// Sees a depth update, given as both sides' levels with their absolute quantities, before `shown` takes it.
    /// `exchange_ms` is the venue's own time of it.
    #[inline]
    pub fn on_update(
        &mut self,
        shown: &impl Display,
        exchange_ms: i64,
        bids: &[(Price, Qty)],
        asks: &[(Price, Qty)],
    ) {
        if !self.watched.is_empty() {
            self.begin_update();
            for at in 0..self.watched.len() {
                let (side, price) = self.watched[at];
                let levels = if side.is_buy() { bids } else { asks };
                let mut before = None;
                for (_, qty) in levels.iter().filter(|level| level.0 == price) {
                    let old = before.unwrap_or_else(|| shown.qty_at(side, price));
                    self.on_change(exchange_ms, (side, price), old, *qty);
                    before = Some(*qty);
                }
            }
        }
        self.end_update(exchange_ms);
    }

    /// Updates are missing, and `shown` was read anew: no more stands before an own order than it shows, and nobody
    /// knows what of it was taken since.
    pub fn on_gap(&mut self, shown: &impl Display) {
        self.begin_update();
        for own in &mut self.own {
            own.ahead = own.ahead.min(shown.qty_at(own.side, own.price));
        }
        self.consumed.clear();
        self.prints.clear();
        self.unwatch();
    }

    pub(crate) fn begin_update(&mut self) {
        for own in &mut self.own {
            own.fresh = false;
            own.taken = Qty::ZERO;
        }
    }

    pub(crate) fn end_update(&mut self, exchange_ms: i64) {
        if !self.prints.is_empty() {
            self.prints.retain(|print| print.exchange_ms > exchange_ms);
        }
        self.last_depth_ms = exchange_ms;
        if self.watched.len() > self.own.len() {
            self.unwatch();
        }
    }

    /// One level of an update goes from `old` to `new`.
    pub(crate) fn on_change(&mut self, exchange_ms: i64, (side, price): (Side, Price), old: Qty, new: Qty) {
        let Self { own, consumed, prints, model, .. } = self;
        consumed.retain(|level| level.side != side || level.price != price);
        let mut traded = None;
        for own in own.iter_mut().filter(|own| own.side == side && own.price == price) {
            let traded = *traded.get_or_insert_with(|| {
                let explains = |print: &&Print| {
                    print.price == price && print.aggressor != side && print.exchange_ms <= exchange_ms
                };
                prints.iter().filter(explains).map(|print| print.qty).sum()
            });
            let unexplained = (old - new - traded).max(Qty::ZERO);
            let behind = (old - traded - own.ahead).max(Qty::ZERO);
            let left = model.left_ahead(own.ahead, behind, unexplained);
            own.ahead -= left;
            own.taken = left;
            // The display is the truth about how much can stand before us.
            own.ahead = own.ahead.min(new);
        }
    }

    /// Sees one recorded trade: own orders at or through its price are reached in price-time order, together never
    /// for more than its volume. `filled` is told of each fill.
    #[inline]
    pub fn on_trade(
        &mut self,
        (price, qty, aggressor): (Price, Qty, Side),
        exchange_ms: i64,
        filled: impl FnMut(PassiveFill),
    ) {
        let late = exchange_ms <= self.last_depth_ms;
        if !late {
            self.prints.push(Print { price, aggressor, qty, exchange_ms });
        }
        let is_reached = |own: &Resting| reaches(own, price, aggressor) && !(late && own.fresh);
        if self.own.iter().any(is_reached) {
            let mut reached: Vec<usize> =
                (0..self.own.len()).filter(|at| is_reached(&self.own[*at])).collect();
            self.fill(&mut reached, price, qty, filled);
        }
    }

    fn fill(
        &mut self,
        reached: &mut [usize],
        price: Price,
        mut volume: Qty,
        mut filled: impl FnMut(PassiveFill),
    ) {
        // Better prices first; `sort_by_key` is stable, so the order of arrival stays within a price. A trade
        // can only be through buys or through sells of one account that is not crossed with itself.
        reached.sort_by_key(|&at| match self.own[at].side {
            Side::Buy => -self.own[at].price.raw(),
            Side::Sell => self.own[at].price.raw(),
        });
        for &mut at in reached {
            let own = &mut self.own[at];
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
                filled(PassiveFill { key: own.key, price: own.price, qty: fill, left: own.left });
            }
        }
        self.own.retain(|own| own.left.is_positive());
        self.unwatch();
    }
}

/// Whether a trade is at or through the price of an own order.
fn reaches(own: &Resting, price: Price, aggressor: Side) -> bool {
    let through = match own.side {
        Side::Buy => price < own.price,
        Side::Sell => price > own.price,
    };
    through || (own.price == price && own.side != aggressor)
}
