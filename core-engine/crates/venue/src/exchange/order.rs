//! An own order and its life, as the venue books it.

use flashpod_mexc::OrderStatus;
use flashpod_types::{Amount, Asset, Nanos, OrderType, Price, Qty, Side};

/// One execution of an own order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    pub trade_id: String,
    pub price: Price,
    pub qty: Qty,
    pub fee: Amount,
    pub fee_asset: Asset,
    pub maker: bool,
    pub self_trade: bool,
    pub time: Nanos,
    /// Hidden by a fault: in balances, order and audit, but never told.
    pub hidden: bool,
}

#[derive(Debug, Clone)]
pub struct OwnOrder {
    pub id: String,
    pub client_id: String,
    pub account: usize,
    pub market: usize,
    pub side: Side,
    pub kind: OrderType,
    /// Zero for market orders.
    pub price: Price,
    /// Zero when a quote amount was ordered.
    pub qty: Qty,
    /// Quote amount ordered, of market orders by value.
    pub quote_qty: Option<Amount>,
    pub stp_mode: String,
    pub status: OrderStatus,
    pub executed: Qty,
    pub value: Amount,
    /// What it still holds of the account: quote for buys, base for sells.
    pub locked: Amount,
    pub deals: Vec<Deal>,
    pub accepted: Nanos,
    pub updated: Option<Nanos>,
    pub cancel_requested: Option<Nanos>,
    pub closed: Option<Nanos>,
    /// `stp_cancel` when self-trade prevention ended it.
    pub cancel_reason: Option<&'static str>,
}

impl OwnOrder {
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, OrderStatus::New | OrderStatus::PartiallyFilled)
    }

    #[must_use]
    pub fn left(&self) -> Qty {
        (self.qty - self.executed).max(Qty::ZERO)
    }

    /// Average fill price, rounded down to 1e-8; zero before the first fill.
    #[must_use]
    pub fn average(&self) -> Price {
        if !self.executed.is_positive() {
            return Price::ZERO;
        }
        let raw = self.value.raw() / i128::from(self.executed.raw());
        Price::from_raw(i64::try_from(raw).unwrap_or(i64::MAX))
    }
}
