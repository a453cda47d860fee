//! A strategy that quotes both sides at the touch.

use flashpod_engine::io::{BookTop, Quote, WantedQuotes};
use flashpod_types::{Nanos, Price, Qty, Side};

#[derive(Debug, Default)]
pub(crate) struct TouchQuotes {
    /// The touch that was last quoted.
    quoted: Option<(Price, Price)>,
}

impl TouchQuotes {
    const QTY: Qty = Qty::from_raw(100_000);

    /// New quotes when the touch has moved.
    pub(crate) fn decide(&mut self, top: &BookTop, now: Nanos) -> Option<WantedQuotes> {
        let touch = (top.bids.first()?.0, top.asks.first()?.0);
        if !top.certified || self.quoted == Some(touch) {
            return None;
        }
        self.quoted = Some(touch);
        let quote = |slot, side, price| Quote { slot, side, price, qty: Self::QTY };
        Some(WantedQuotes {
            symbol: top.symbol,
            quotes: vec![quote(0, Side::Buy, touch.0), quote(1, Side::Sell, touch.1)],
            book_version: top.version,
            cause: Some(top.received),
            decided: now,
            tolerance_ticks: 0,
        })
    }
}
