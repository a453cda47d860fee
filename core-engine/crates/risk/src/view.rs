//! What the checks look at. The engine fills it from its books, orders and ledger; nothing here is kept.

use flashpod_types::{Amount, Instrument, Nanos, OrderType, Price, Qty, Side, Symbol};

use crate::denial::Code;

/// Why an order is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A strategy wants it: every limit holds.
    Strategy,
    /// The core itself brings a position to flat: limits that would only slow that down do not hold.
    Flatten,
}

/// An order that wants to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub symbol: Symbol,
    pub side: Side,
    pub kind: OrderType,
    pub price: Price,
    pub qty: Qty,
    /// Refuse it unless it makes the position smaller.
    pub reduce_only: bool,
    pub purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TradingState {
    Active,
    ReduceOnly,
    Halted,
}

/// What the instance may do now, and why.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    pub state: TradingState,
    /// The loss limit that was reached, when that is why it may not do everything.
    pub breach: Option<Code>,
    pub reason: &'a str,
}

/// Limits of one instance; None: not set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub max_order_notional: Option<Amount>,
    /// In base units.
    pub max_order_qty: Option<Qty>,
    pub max_position_notional: Option<Amount>,
    pub max_open_orders: Option<u32>,
    /// Orders whose request, or whose cancel, the venue has not answered.
    pub max_in_flight: Option<u32>,
    /// Orders in any second.
    pub max_order_rate: Option<u32>,
    pub price_collar_bps: Option<u32>,
    pub max_data_age: Option<Nanos>,
}

/// Limits of the whole account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountLimits {
    pub max_exposure: Option<Amount>,
    /// Largest share of `max_exposure` that one pair may take, per cent. Without `max_exposure` there is none.
    pub max_concentration_pct: Option<u32>,
    pub max_open_orders: Option<u32>,
}

/// Best prices, and how far they can be relied upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Market {
    pub bid: Price,
    pub ask: Price,
    /// The book is certified. Without: best prices of a REST ticker, which serve only to reduce.
    pub certified: bool,
    /// Since the connection was last known to live (or the ticker was fetched).
    pub age: Nanos,
}

impl Market {
    /// Between the best prices, rounded down to 1e-8.
    #[must_use]
    pub const fn mid(&self) -> Price {
        Price::from_raw(i64::midpoint(self.bid.raw(), self.ask.raw()))
    }
}

/// The world as an order meets it. Quantities of open, in-flight, unknown and not yet booked orders count in full.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub gate: Gate<'a>,
    /// None: the venue does not list the pair.
    pub instrument: Option<&'a Instrument>,
    pub limits: &'a Limits,
    pub account: &'a AccountLimits,
    /// Own base − allocated base of this instance in this pair.
    pub position: Qty,
    /// What its own orders may still buy and sell.
    pub buys: Qty,
    pub sells: Qty,
    pub open_orders: u32,
    /// Of those, how many wait for the venue's word: sent, being cancelled, or unknown.
    pub in_flight: u32,
    pub account_open_orders: u32,
    /// Worst-case value of everything else in the account: other pairs, other instances.
    pub other_exposure: Amount,
    /// The part of it that is in the same pair.
    pub pair_exposure: Amount,
    /// None: neither a book nor a ticker.
    pub market: Option<Market>,
    /// Price of the last trade, which the venue's price band is measured from.
    pub last_trade: Option<Price>,
    pub orders_last_second: u32,
    /// What its sub-account has left after the locks of its orders.
    pub free_base: Amount,
    pub free_quote: Amount,
    /// Fraction of the value that a fill may cost.
    pub fee: Amount,
    /// Best prices of the account's own orders in this pair, of any instance.
    pub own_bid: Option<Price>,
    pub own_ask: Option<Price>,
}
