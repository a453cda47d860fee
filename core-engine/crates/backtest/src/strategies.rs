//! Strategies to measure with.

use flashpod_matching::OrderKey;
use flashpod_types::{OrderType, Price, Qty, Side};

use crate::desk::{Desk, Report};
use crate::strategy::{Strategy, View};

/// Does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOp;

impl Strategy for NoOp {}

/// Quotes both sides post-only, each so many ticks behind its best price, and looks again at each timer: a quote that is
/// not where it should be is cancelled and replaced at once.
#[derive(Debug, Clone)]
pub struct TwoSided {
    tick: Price,
    /// Ticks behind the best price; negative: before it.
    behind: i64,
    qty: Qty,
    quotes: [Option<(OrderKey, Price)>; 2],
}

impl TwoSided {
    #[must_use]
    pub const fn new(tick: Price, behind: i64, qty: Qty) -> Self {
        Self { tick, behind, qty, quotes: [None; 2] }
    }

    fn quote(&mut self, at: usize, side: Side, price: Price, desk: &mut Desk) {
        if let Some((key, quoted)) = self.quotes[at] {
            if quoted == price {
                return;
            }
            desk.cancel(key);
        }
        self.quotes[at] = Some((desk.submit(side, OrderType::LimitMaker, price, self.qty), price));
    }

    fn ended(&mut self, key: OrderKey) {
        for quote in &mut self.quotes {
            if quote.is_some_and(|quote| quote.0 == key) {
                *quote = None;
            }
        }
    }
}

impl Strategy for TwoSided {
    fn on_timer(&mut self, view: View<'_>, desk: &mut Desk) {
        let (Some(bid), Some(ask), true) =
            (view.book.best(Side::Buy), view.book.best(Side::Sell), view.certified)
        else {
            return;
        };
        let away = self.behind * self.tick.raw();
        self.quote(0, Side::Buy, Price::from_raw(bid.0.raw() - away), desk);
        self.quote(1, Side::Sell, Price::from_raw(ask.0.raw() + away), desk);
    }

    fn on_report(&mut self, report: &Report, _: View<'_>, _: &mut Desk) {
        match *report {
            Report::Filled { fill, left } if left.is_zero() => self.ended(fill.key),
            Report::Refused { key, .. } | Report::Cancelled { key, .. } => self.ended(key),
            _ => {}
        }
    }
}
