//! Every reason to refuse an order.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// Stable, machine-readable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// The instance's mode is not built yet.
    ModeNotAvailable => "MODE_NOT_AVAILABLE",
    /// Halted: by a Halt, a stop, a lost lease, missing capital.
    Halted => "RISK_HALTED",
    /// Only orders that make the position smaller pass.
    ReduceOnly => "RISK_REDUCE_ONLY",
    /// Marked reduce-only, but would not make the position smaller.
    NotReducing => "RISK_NOT_REDUCING",
    UnknownSymbol => "RISK_UNKNOWN_SYMBOL",
    OrderType => "RISK_ORDER_TYPE",
    PriceTick => "RISK_PRICE_TICK",
    QuantityStep => "RISK_QUANTITY_STEP",
    MinQuantity => "RISK_MIN_QUANTITY",
    /// The venue's smallest and largest order value.
    MinNotional => "RISK_MIN_NOTIONAL",
    MaxNotional => "RISK_MAX_NOTIONAL",
    PriceBand => "RISK_PRICE_BAND",
    /// The book is not certified.
    NotCertified => "RISK_NOT_CERTIFIED",
    StaleData => "RISK_STALE_DATA",
    PriceCollar => "RISK_PRICE_COLLAR",
    MaxOrderNotional => "RISK_MAX_ORDER_NOTIONAL",
    MaxPosition => "RISK_MAX_POSITION",
    MaxOpenOrders => "RISK_MAX_OPEN_ORDERS",
    OrderRate => "RISK_ORDER_RATE",
    SelfCross => "RISK_SELF_CROSS",
    Balance => "RISK_BALANCE",
    AccountExposure => "RISK_ACCOUNT_EXPOSURE",
    AccountOpenOrders => "RISK_ACCOUNT_OPEN_ORDERS",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A refusal: the code, and a text that names the field, its value and what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    pub code: Code,
    pub text: String,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

impl std::error::Error for Denial {}
