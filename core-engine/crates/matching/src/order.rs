//! What is asked of a matcher and what came of it.

use flashpod_types::{Amount, OrderType, Price, Qty, Side};

/// Identity of an order inside a matcher. The caller chooses it and never uses it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(pub u64);

/// How much is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// This much of the base asset.
    Base(Qty),
    /// As much as this amount of the quote asset pays for or brings, in whole steps; market orders only.
    Quote(Amount),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewOrder {
    pub key: OrderKey,
    pub side: Side,
    pub kind: OrderType,
    /// The limit; ignored for market orders.
    pub price: Price,
    pub volume: Volume,
    /// Lot size: what a quote volume is rounded down to, at each level.
    pub step: Qty,
}

impl NewOrder {
    /// Whether the order may trade at `price`.
    #[must_use]
    pub fn accepts(&self, price: Price) -> bool {
        match (self.kind, self.side) {
            (OrderType::Market, _) => true,
            (_, Side::Buy) => price <= self.price,
            (_, Side::Sell) => price >= self.price,
        }
    }
}

/// One execution on the arrival of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// The resting order; `None` where only displayed quantity is known.
    pub maker: Option<OrderKey>,
    pub price: Price,
    pub qty: Qty,
    /// What the resting order has left.
    pub maker_left: Qty,
}

/// Why an order was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A LIMIT_MAKER would have taken.
    WouldTake,
    /// A FILL_OR_KILL found too little.
    NotFillable,
    /// A MARKET order found an empty side.
    NoOpponent,
}

/// What happens when an arriving order would trade with one that it must not meet (self-trade prevention).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMeeting {
    /// What the arriving order has left is cancelled.
    CancelTaker,
    /// The resting order is cancelled, the arriving one goes on.
    CancelMaker,
    CancelBoth,
}

/// Which resting orders an arriving one must not trade with, and what happens instead.
#[derive(Clone, Copy)]
pub struct Guard<'a> {
    pub on_meeting: OnMeeting,
    pub forbids: &'a dyn Fn(OrderKey) -> bool,
}

impl std::fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("on_meeting", &self.on_meeting).finish_non_exhaustive()
    }
}

/// What came of an arriving order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    pub refusal: Option<Refusal>,
    pub matches: Vec<Match>,
    /// Resting orders that were cancelled instead of met, before anything was matched.
    pub prevented: Vec<OrderKey>,
    /// The rest of the order was cancelled because it would have met one that it must not.
    pub stopped: bool,
    /// What now rests in the book.
    pub resting: Qty,
}

impl Placement {
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), ..Self::default() }
    }

    /// Base quantity executed on arrival.
    #[must_use]
    pub fn taken(&self) -> Qty {
        self.matches.iter().map(|m| m.qty).sum()
    }

    /// Quote amount executed on arrival.
    #[must_use]
    pub fn taken_value(&self) -> Amount {
        self.matches.iter().map(|m| m.price.notional(m.qty)).sum()
    }
}

/// What is left to take while an order walks the levels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Appetite {
    volume: Volume,
    step: Qty,
}

impl Appetite {
    pub(crate) fn of(order: &NewOrder) -> Self {
        Self { volume: order.volume, step: order.step }
    }

    /// The most that may be taken at `price`.
    pub(crate) fn at(&self, price: Price) -> Qty {
        match self.volume {
            Volume::Base(left) => left,
            Volume::Quote(left) => left.qty_at(price).floor_to(self.step),
        }
    }

    pub(crate) fn ate(&mut self, price: Price, qty: Qty) {
        match &mut self.volume {
            Volume::Base(left) => *left -= qty,
            Volume::Quote(left) => *left -= price.notional(qty),
        }
    }

    /// What may rest afterwards: only base volumes can.
    pub(crate) fn rest(&self) -> Qty {
        match self.volume {
            Volume::Base(left) => left,
            Volume::Quote(_) => Qty::ZERO,
        }
    }
}

/// What an arriving order finds on the other side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer {
    pub(crate) price: Price,
    pub(crate) qty: Qty,
    /// The resting order behind it, where it must not be met.
    pub(crate) forbidden: Option<OrderKey>,
}

impl Offer {
    pub(crate) const fn free(price: Price, qty: Qty) -> Self {
        Self { price, qty, forbidden: None }
    }
}

/// What an order would do on its arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// (price, quantity), in the order of taking.
    pub takes: Vec<(Price, Qty)>,
    /// As in [`Placement`].
    pub prevented: Vec<OrderKey>,
    pub stopped: bool,
}

/// The rules of the order types, one for both matchers: `offers` are what the other side has, best first. Says
/// what would be taken, or why the order is refused.
pub(crate) fn plan(
    order: &NewOrder,
    offers: impl Iterator<Item = Offer>,
    on_meeting: OnMeeting,
) -> Result<Plan, Refusal> {
    let mut appetite = Appetite::of(order);
    let mut plan = Plan::default();
    let mut offers = offers.peekable();
    if order.kind == OrderType::Market && offers.peek().is_none() {
        return Err(Refusal::NoOpponent);
    }
    for Offer { price, qty, forbidden } in offers {
        if !order.accepts(price) {
            break;
        }
        if order.kind == OrderType::LimitMaker {
            return Err(Refusal::WouldTake);
        }
        let take = appetite.at(price).min(qty);
        if !take.is_positive() {
            break;
        }
        if let Some(key) = forbidden {
            if on_meeting != OnMeeting::CancelTaker {
                plan.prevented.push(key);
            }
            if on_meeting != OnMeeting::CancelMaker {
                plan.stopped = true;
                break;
            }
            continue;
        }
        appetite.ate(price, take);
        plan.takes.push((price, take));
    }
    if order.kind == OrderType::Fok && appetite.rest().is_positive() {
        return Err(Refusal::NotFillable);
    }
    Ok(plan)
}

/// Carries out a plan, part by part, each by `take`; what is left and may rest is the caller's to put into its book.
pub(crate) fn execute(
    order: &NewOrder,
    plan: Result<Plan, Refusal>,
    mut take: impl FnMut(Price, Qty, &mut Vec<Match>),
) -> Placement {
    let Plan { takes, prevented, stopped } = match plan {
        Ok(plan) => plan,
        Err(refusal) => return Placement::refused(refusal),
    };
    let mut placement = Placement { prevented, stopped, ..Placement::default() };
    for (price, qty) in takes {
        take(price, qty, &mut placement.matches);
    }
    placement.resting = match order.volume {
        Volume::Base(qty) if order.kind.can_rest() && !stopped => qty - placement.taken(),
        _ => Qty::ZERO,
    };
    placement
}
