//! What the venue says about a trading pair.

use crate::{Amount, Asset, Price, Qty, Symbol};

/// How far a limit price may lie from the last trade: buys at most `last × bid_up`, sells at least
/// `last × ask_down`. Factors in units of 1e-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PriceBand {
    pub bid_up: i64,
    pub ask_down: i64,
}

/// Trading rules of one pair, read from `exchangeInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Instrument {
    pub symbol: Symbol,
    pub base: Asset,
    pub quote: Asset,
    /// Price step (tick size).
    pub tick: Price,
    /// Quantity step (lot size).
    pub step: Qty,
    /// Smallest quantity of an order; may be coarser than the step.
    pub min_qty: Qty,
    /// Smallest and largest value of a limit order, in quote units.
    pub min_notional: Amount,
    pub max_notional: Amount,
    pub band: Option<PriceBand>,
    /// Whether the pair may be traded through the API now.
    pub trading: bool,
}

impl Instrument {
    /// The smallest quantity that can be sold at `price`: the larger of the minimum quantity and the minimum
    /// value, rounded up to the step.
    #[must_use]
    pub fn min_sellable(&self, price: Price) -> Qty {
        let by_value = if price.is_positive() { self.min_notional.qty_at(price) } else { Qty::ZERO };
        let least = self.min_qty.max(by_value).max(self.step);
        let mut qty = least.floor_to(self.step);
        while qty < least || (price.is_positive() && price.notional(qty) < self.min_notional) {
            if self.step.is_zero() {
                return qty + Qty::from_raw(1);
            }
            qty += self.step;
        }
        qty
    }
}
