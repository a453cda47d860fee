//! `touch`: one quote a side at the touch, standing back on the side that book imbalance and inventory speak against.
//!
//! With `I` the imbalance of the best levels (−1 all asks, 1 all bids) and `R` the position's share of the largest one
//! (−1 to 1), both quotes are moved by `mid × (imbalanceSkewBps × I − inventorySkewBps × R) / 10,000`, but never nearer
//! to the other side than the touch. The side that `I` speaks against by more than `pullImbalance` is not quoted at all.

use flashpod_types::{Amount, Instrument, Price, Qty};

use crate::parameters::{Parameter, Reader, Refusal};
use crate::rule::{Decide, Quote, Quotes, Seen};

pub(crate) const NAME: &str = "touch";

const ORDER_NOTIONAL: &str = "orderNotional";
const MAX_INVENTORY_NOTIONAL: &str = "maxInventoryNotional";
const IMBALANCE_SKEW_BPS: &str = "imbalanceSkewBps";
const IMBALANCE_LEVELS: &str = "imbalanceLevels";
const PULL_IMBALANCE: &str = "pullImbalance";
const INVENTORY_SKEW_BPS: &str = "inventorySkewBps";
const TOLERANCE_TICKS: &str = "toleranceTicks";
const KNOWN: [&str; 7] = [
    ORDER_NOTIONAL,
    MAX_INVENTORY_NOTIONAL,
    IMBALANCE_SKEW_BPS,
    IMBALANCE_LEVELS,
    PULL_IMBALANCE,
    INVENTORY_SKEW_BPS,
    TOLERANCE_TICKS,
];

/// The most that an amount may be: with it no product below leaves its integer.
const MOST_NOTIONAL: &str = "1000000000000";
const MOST_SKEW_BPS: i64 = 100;
/// Levels that the core shows to a rule.
const MOST_LEVELS: u32 = 10;
const MOST_TICKS: u32 = 1_000_000;

/// Shares are counted in millionths.
const WHOLE: i128 = 1_000_000;
/// Millionths × basis points in 1e-8 → a fraction.
const SKEW_SCALE: i128 = WHOLE * 100_000_000 * 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    order: Amount,
    most: Amount,
    /// In 1e-8 basis points.
    imbalance_skew: i64,
    inventory_skew: i64,
    levels: usize,
    /// Millionths.
    pull_imbalance: i128,
    tolerance_ticks: u32,
}

impl Touch {
    pub fn new(parameters: &[Parameter]) -> Result<Self, Refusal> {
        let read = Reader::new(parameters, &KNOWN)?;
        Ok(Self {
            order: read.amount(ORDER_NOTIONAL, MOST_NOTIONAL)?,
            most: read.amount(MAX_INVENTORY_NOTIONAL, MOST_NOTIONAL)?,
            imbalance_skew: read.bps(IMBALANCE_SKEW_BPS, MOST_SKEW_BPS)?,
            inventory_skew: read.bps(INVENTORY_SKEW_BPS, MOST_SKEW_BPS)?,
            levels: read.count(IMBALANCE_LEVELS, 1, MOST_LEVELS, 5)? as usize,
            pull_imbalance: i128::from(read.share(PULL_IMBALANCE)?),
            tolerance_ticks: read.count(TOLERANCE_TICKS, 0, MOST_TICKS, 0)?,
        })
    }

    /// Imbalance of the best levels, millionths.
    fn imbalance(&self, seen: &Seen<'_>) -> i128 {
        let sum = |levels: &[(Price, Qty)]| -> i128 {
            levels.iter().take(self.levels).map(|level| i128::from(level.1.raw())).sum()
        };
        let (bids, asks) = (sum(seen.bids), sum(seen.asks));
        if bids + asks == 0 { 0 } else { divide((bids - asks) * WHOLE, bids + asks) }
    }

    /// By how much both quotes are moved.
    fn shift(&self, imbalance: i128, mid: Price, value: Amount) -> i64 {
        if self.imbalance_skew == 0 && self.inventory_skew == 0 {
            return 0;
        }
        let (value, most) = (value.raw(), self.most.raw());
        // Clamped first: the product stays within its integer.
        let inventory = divide(value.clamp(-most, most) * WHOLE, most);
        let lean = i128::from(self.imbalance_skew) * imbalance - i128::from(self.inventory_skew) * inventory;
        i64::try_from(i128::from(mid.raw()) * lean / SKEW_SCALE).unwrap_or(0)
    }

    /// A quote of the wanted value, in whole lots; one lot more where it would be too small for the venue.
    fn quote(&self, instrument: &Instrument, price: Price) -> Option<Quote> {
        if !price.is_positive() {
            return None;
        }
        let raw = i64::try_from(divide(self.order.raw(), i128::from(price.raw()))).ok()?;
        let mut qty = Qty::from_raw(raw).floor_to(instrument.step);
        if price.notional(qty) < instrument.min_notional {
            qty += instrument.step;
        }
        (qty.is_positive() && qty >= instrument.min_qty).then_some(Quote { price, qty })
    }
}

/// Towards zero. Mostly both are small, and 64 bits divide in a third of the time.
fn divide(number: i128, by: i128) -> i128 {
    match (i64::try_from(number), i64::try_from(by)) {
        (Ok(number), Ok(by)) if by > 0 => i128::from(number / by),
        _ => number / by,
    }
}

impl Decide for Touch {
    fn decide(&self, seen: &Seen<'_>) -> Quotes {
        let (Some(&(bid, _)), Some(&(ask, _))) = (seen.bids.first(), seen.asks.first()) else {
            return Quotes::NONE;
        };
        let mid = Price::from_raw(i64::midpoint(bid.raw(), ask.raw()));
        let value = mid.notional(seen.position);
        let imbalance = self.imbalance(seen);
        let shift = self.shift(imbalance, mid, value);
        let moved = |price: Price, by: i64| Price::from_raw(price.raw().saturating_add(by));
        let tick = seen.instrument.tick;
        let (low, high) = (moved(bid, shift.min(0)), moved(ask, shift.max(0)));
        let quote = |may: bool, price| if may { self.quote(seen.instrument, price) } else { None };
        Quotes {
            bid: quote(
                value + self.order <= self.most && -imbalance <= self.pull_imbalance,
                low.floor_to(tick),
            ),
            ask: quote(
                value - self.order >= -self.most && imbalance <= self.pull_imbalance,
                high.ceil_to(tick),
            ),
        }
    }

    fn tolerance_ticks(&self) -> u32 {
        self.tolerance_ticks
    }

    fn fits(&self, instrument: &Instrument) -> Result<(), Refusal> {
        let least = instrument.min_notional;
        if self.order < least {
            let accepted =
                format_args!("at least {least}, the venue's smallest order of {}", instrument.symbol);
            return Err(Refusal::new(ORDER_NOTIONAL, self.order, accepted));
        }
        if self.most < self.order {
            let accepted = format_args!("at least {ORDER_NOTIONAL}, {}: less would never quote", self.order);
            return Err(Refusal::new(MAX_INVENTORY_NOTIONAL, self.most, accepted));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "touch_tests.rs"]
mod tests;
