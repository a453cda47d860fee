//! What the fills of a pass add up to.

use flashpod_matching::{FeeSchedule, OrderKey};
use flashpod_types::{Amount, Nanos, Price, Qty, Side};

/// One execution of an own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    pub at: Nanos,
    pub key: OrderKey,
    pub side: Side,
    pub price: Price,
    pub qty: Qty,
    pub maker: bool,
}

/// Position and money of the strategy; both begin at zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    pub position: Qty,
    /// Quote asset received less paid, fees included.
    pub cash: Amount,
    /// Fees paid, in the quote asset.
    pub fees: Amount,
    /// Value traded.
    pub volume: Amount,
    pub fills: u64,
}

impl Account {
    pub(crate) fn take(&mut self, fill: &Fill, fees: &FeeSchedule) {
        let value = fill.price.notional(fill.qty);
        let fee = fees.of(value, fill.maker);
        match fill.side {
            Side::Buy => {
                self.position += fill.qty;
                self.cash -= value;
            }
            Side::Sell => {
                self.position -= fill.qty;
                self.cash += value;
            }
        }
        self.cash -= fee;
        self.fees += fee;
        self.volume += value;
        self.fills += 1;
    }

    /// Profit and loss with the position at the middle of a best bid and a best ask.
    #[must_use]
    pub fn pnl(&self, bid: Price, ask: Price) -> Amount {
        // Twice the middle is exact.
        let twice = bid.notional(self.position) + ask.notional(self.position);
        Amount::from_raw(self.cash.raw() + twice.raw() / 2)
    }
}
