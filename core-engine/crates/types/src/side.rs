//! Sides and order types, as the field names them.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Buy, Self::Sell];

    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    #[must_use]
    pub const fn is_buy(self) -> bool {
        matches!(self, Self::Buy)
    }

    /// +1 for a buy, −1 for a sell: what one filled unit does to the position.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// The name used in requests: `BUY` or `SELL`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum OrderType {
    /// Rests until filled or cancelled; takes what crosses on arrival.
    Limit,
    /// Post-only: never takes.
    LimitMaker,
    /// Immediate or cancel.
    Ioc,
    /// Fill or kill.
    Fok,
    Market,
}

impl OrderType {
    /// The name MEXC uses in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "LIMIT",
            Self::LimitMaker => "LIMIT_MAKER",
            Self::Ioc => "IMMEDIATE_OR_CANCEL",
            Self::Fok => "FILL_OR_KILL",
            Self::Market => "MARKET",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Limit, Self::LimitMaker, Self::Ioc, Self::Fok, Self::Market]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// Whether it may stay in the book after its arrival.
    #[must_use]
    pub const fn can_rest(self) -> bool {
        matches!(self, Self::Limit | Self::LimitMaker)
    }
}

impl fmt::Display for OrderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
