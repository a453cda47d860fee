//! Wanted quotes against what rests: what to keep, cancel and place, and how urgent each is.

use flashpod_types::{ClientOrderId, Price, Qty, Side};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Identifies the quote across sets.
    pub slot: u32,
    pub side: Side,
    pub price: Price,
    pub qty: Qty,
}

/// A living quote of ours, in whatever state it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    pub client_id: ClientOrderId,
    pub slot: u32,
    pub side: Side,
    pub price: Price,
    /// Not filled yet.
    pub remaining: Qty,
    /// Known to rest, with no cancel on its way: it may be cancelled.
    pub can_cancel: bool,
}

/// How bad it is to leave things as they are. Derived order: the larger, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Rests further from the market than wanted, by this many ticks.
    Passive(u64),
    /// Nothing rests where something is wanted.
    Missing,
    /// Rests closer to the market than wanted, by this many ticks: somebody may take it at a price we no longer
    /// offer.
    Exposed(u64),
    /// Not wanted at all any more.
    Unwanted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteStep {
    Cancel { client_id: ClientOrderId, urgency: Urgency },
    Place { quote: Wanted, urgency: Urgency },
}

impl QuoteStep {
    #[must_use]
    pub const fn urgency(&self) -> Urgency {
        match self {
            Self::Cancel { urgency, .. } | Self::Place { urgency, .. } => *urgency,
        }
    }
}

/// What it takes to get from `resting` to `wanted`, worst first. A quote is replaced by a cancel now and a placement
/// once its end is confirmed: until then it counts, in the book and against the limits. Goes into `steps`, in place of
/// what is there.
pub fn diff(
    wanted: &[Wanted],
    resting: &[Resting],
    tick: Price,
    tolerance_ticks: u32,
    steps: &mut Vec<QuoteStep>,
) {
    steps.clear();
    for quote in resting.iter().filter(|quote| quote.can_cancel) {
        let urgency = match wanted.iter().find(|wanted| wanted.slot == quote.slot) {
            Some(wanted) => match drift(wanted, quote, tick, tolerance_ticks) {
                Some(urgency) => urgency,
                None => continue,
            },
            None => Urgency::Unwanted,
        };
        steps.push(QuoteStep::Cancel { client_id: quote.client_id, urgency });
    }
    for &quote in wanted.iter().filter(|wanted| !resting.iter().any(|resting| resting.slot == wanted.slot)) {
        steps.push(QuoteStep::Place { quote, urgency: Urgency::Missing });
    }
    // Stable, and without memory of its own for the few steps that there are.
    steps.sort_by_key(|step| std::cmp::Reverse(step.urgency()));
}

/// Whether what rests will do.
#[must_use]
pub fn stays(wanted: &Wanted, resting: &Resting, tick: Price, tolerance_ticks: u32) -> bool {
    drift(wanted, resting, tick, tolerance_ticks).is_none()
}

/// None: it may stay.
fn drift(wanted: &Wanted, resting: &Resting, tick: Price, tolerance_ticks: u32) -> Option<Urgency> {
    if wanted.side != resting.side {
        return Some(Urgency::Unwanted);
    }
    // Positive: closer to the market than wanted.
    let closer = (resting.price.raw() - wanted.price.raw()) * wanted.side.sign();
    let ticks = closer.unsigned_abs() / tick.raw().max(1).unsigned_abs();
    if ticks > u64::from(tolerance_ticks) {
        return Some(if closer > 0 { Urgency::Exposed(ticks) } else { Urgency::Passive(ticks) });
    }
    let enough = resting.remaining.raw() >= wanted.qty.raw() / 2;
    if enough { None } else { Some(Urgency::Passive(0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(slot: u32, side: Side, price: i64) -> Wanted {
        Wanted { slot, side, price: Price::from_raw(price), qty: Qty::from_raw(10) }
    }

    fn resting(slot: u32, side: Side, price: i64, remaining: i64) -> Resting {
        Resting {
            client_id: ClientOrderId::new(&format!("o{slot}")).unwrap(),
            slot,
            side,
            price: Price::from_raw(price),
            remaining: Qty::from_raw(remaining),
            can_cancel: true,
        }
    }

    fn steps(wanted: &[Wanted], resting: &[Resting]) -> Vec<QuoteStep> {
        let mut steps = Vec::new();
        diff(wanted, resting, Price::from_raw(1), 2, &mut steps);
        steps
    }

    #[test]
    fn a_quote_within_tolerance_is_left_alone() {
        let wanted = [wanted(0, Side::Buy, 100)];
        for (price, remaining) in [(100, 10), (98, 10), (102, 10), (100, 5)] {
            assert_eq!(steps(&wanted, &[resting(0, Side::Buy, price, remaining)]), [], "{price} {remaining}");
        }
        assert_eq!(steps(&wanted, &[resting(0, Side::Buy, 97, 10)])[0].urgency(), Urgency::Passive(3));
        assert_eq!(steps(&wanted, &[resting(0, Side::Buy, 103, 10)])[0].urgency(), Urgency::Exposed(3));
        assert_eq!(steps(&wanted, &[resting(0, Side::Buy, 100, 4)])[0].urgency(), Urgency::Passive(0));
    }

    #[test]
    fn the_worst_quote_comes_first() {
        let wanted = [wanted(0, Side::Buy, 100), wanted(1, Side::Sell, 110), wanted(2, Side::Buy, 90)];
        let resting =
            [resting(0, Side::Buy, 95, 10), resting(1, Side::Sell, 107, 10), resting(7, Side::Sell, 120, 10)];
        let urgencies: Vec<Urgency> = steps(&wanted, &resting).iter().map(QuoteStep::urgency).collect();
        assert_eq!(
            urgencies,
            [Urgency::Unwanted, Urgency::Exposed(3), Urgency::Missing, Urgency::Passive(5)]
        );
    }

    #[test]
    fn nothing_is_placed_where_a_former_quote_has_not_ended() {
        let mut former = resting(0, Side::Buy, 50, 10);
        former.can_cancel = false;
        assert_eq!(steps(&[wanted(0, Side::Buy, 100)], &[former]), []);
    }
}
