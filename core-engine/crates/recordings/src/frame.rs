//! What one line of a recording says.

use flashpod_types::{Millis, Nanos, Price, Qty, Symbol};

/// Price and quantity of one level; in a depth update, quantity zero removes the level.
pub type Level = (Price, Qty);

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When the recorder received it, nanoseconds since 1970 by the recorder's clock.
    pub local: Nanos,
    pub symbol: Symbol,
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Snapshot(Snapshot),
    Depth(Depth),
    Trade(Trade),
    Ticker(Ticker),
}

/// A whole book as fetched over REST, best price first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub last_update_id: u64,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
    pub places: Places,
}

/// Changed levels, covering the update ids `first..=last`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Depth {
    /// When the venue made it.
    pub event: Millis,
    pub first: u64,
    pub last: u64,
    /// `last` of the previous update; futures only.
    pub prev_last: Option<u64>,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
    pub places: Places,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    pub event: Millis,
    pub time: Millis,
    pub id: u64,
    pub price: Price,
    pub qty: Qty,
    /// True: the taker sold.
    pub buyer_is_maker: bool,
}

/// Best prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticker {
    pub update_id: u64,
    pub bid: Level,
    pub ask: Level,
}

/// The most decimals that texts of prices and quantities had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places {
    pub price: u8,
    pub qty: u8,
}

impl Places {
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { price: self.price.max(other.price), qty: self.qty.max(other.qty) }
    }
}

/// Which continuity rule the depth updates follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Market {
    Spot,
    /// Updates name the last id of the one before (`pu`).
    Futures,
}
