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

// The first line says what happened, the second what to do: `npm run generate` puts both into docs/errors.md.
codes! {
    /// Halted: by a Halt, a stop, a lost lease, missing capital.
    /// Remedy: read the reasons in the status of the strategy; lift the Halt or correct what they name.
    Halted => "RISK_HALTED",
    /// Only orders that make the position smaller pass.
    /// Remedy: read why in the status of the strategy; a difference between ledger and exchange has to be explained.
    ReduceOnly => "RISK_REDUCE_ONLY",
    /// Marked reduce-only, but would not make the position smaller.
    /// Remedy: check side and quantity against the position.
    NotReducing => "RISK_NOT_REDUCING",
    /// The instance does not trade this symbol.
    /// Remedy: name one of `spec.symbols`.
    UnknownSymbol => "RISK_UNKNOWN_SYMBOL",
    /// The exchange does not take this type of order for the symbol.
    /// Remedy: use one of the types that the text lists.
    OrderType => "RISK_ORDER_TYPE",
    /// The price is not a multiple of the symbol's tick.
    /// Remedy: round to the tick that the text names.
    PriceTick => "RISK_PRICE_TICK",
    /// The quantity is not a multiple of the symbol's step.
    /// Remedy: round to the step that the text names.
    QuantityStep => "RISK_QUANTITY_STEP",
    /// The quantity is below the symbol's smallest.
    /// Remedy: order more.
    MinQuantity => "RISK_MIN_QUANTITY",
    /// The value is below the exchange's smallest.
    /// Remedy: order more.
    MinNotional => "RISK_MIN_NOTIONAL",
    /// The value is above the exchange's largest.
    /// Remedy: order less at a time.
    MaxNotional => "RISK_MAX_NOTIONAL",
    /// The price is outside the band in which the exchange takes orders.
    /// Remedy: price within the bounds that the text names.
    PriceBand => "RISK_PRICE_BAND",
    /// The book is not certified.
    /// Remedy: none is needed; it is synchronised again by itself, and cancels and reducing orders pass meanwhile.
    NotCertified => "RISK_NOT_CERTIFIED",
    /// The book that the decision was made on is older than `maxDataAgeMs`.
    /// Remedy: decide faster, or allow older data.
    StaleData => "RISK_STALE_DATA",
    /// The price is farther from the market than `priceCollarBps`.
    /// Remedy: price nearer, or widen the collar.
    PriceCollar => "RISK_PRICE_COLLAR",
    /// The price is farther from the last trade than `priceCollarBps`.
    /// Remedy: price nearer, or widen the collar.
    LastTradeCollar => "RISK_LAST_TRADE_COLLAR",
    /// The order's value is above `maxOrderNotional`.
    /// Remedy: order less, or raise the limit.
    MaxOrderNotional => "RISK_MAX_ORDER_NOTIONAL",
    /// The order's quantity is above `maxOrderQuantity`.
    /// Remedy: order less at a time, or raise the limit.
    MaxOrderQuantity => "RISK_MAX_ORDER_QUANTITY",
    /// Position and open orders of this side would pass `maxPositionNotional`.
    /// Remedy: reduce the position, or raise the limit.
    MaxPosition => "RISK_MAX_POSITION",
    /// `maxOpenOrders` orders of the instance are open.
    /// Remedy: cancel one, or raise the limit.
    MaxOpenOrders => "RISK_MAX_OPEN_ORDERS",
    /// `maxInFlight` orders wait for the exchange's word: sent, being cancelled, or unknown.
    /// Remedy: none is needed; it passes with the next answer. Raise the limit if that is too slow.
    MaxInFlight => "RISK_MAX_IN_FLIGHT",
    /// More orders a second than `maxOrderRate`.
    /// Remedy: send fewer, or raise the limit.
    OrderRate => "RISK_ORDER_RATE",
    /// It would trade with an order of the same account.
    /// Remedy: price outside the own orders, or cancel them first.
    SelfCross => "RISK_SELF_CROSS",
    /// The sub-account of the instance has not enough of the asset free.
    /// Remedy: order less, or give more `capital`.
    Balance => "RISK_BALANCE",
    /// All positions and orders of the account would pass its `maxExposure`.
    /// Remedy: reduce, or raise the limit of the TradingAccount.
    AccountExposure => "RISK_ACCOUNT_EXPOSURE",
    /// All positions and orders of the account in this pair would pass `maxConcentrationPct` of its `maxExposure`.
    /// Remedy: reduce in this pair, or raise the limit of the TradingAccount.
    AccountConcentration => "RISK_ACCOUNT_CONCENTRATION",
    /// `maxOpenOrders` orders of the account are open.
    /// Remedy: cancel one, or raise the limit of the TradingAccount.
    AccountOpenOrders => "RISK_ACCOUNT_OPEN_ORDERS",
    /// The strategy lost `maxDailyLoss` since 00:00 UTC.
    /// Remedy: find out why; to go on, give it a new annotation `trading.flashpod.dev/reset-risk`. A new day lifts nothing.
    DailyLoss => "RISK_DAILY_LOSS",
    /// The strategy's profit fell by `maxDrawdown` from its peak.
    /// Remedy: find out why; to go on, give it a new annotation `trading.flashpod.dev/reset-risk`.
    Drawdown => "RISK_DRAWDOWN",
    /// All strategies of the account together lost its `maxLoss` since 00:00 UTC.
    /// Remedy: find out why; to go on, give the TradingAccount a new annotation `trading.flashpod.dev/reset-risk`.
    AccountLoss => "RISK_ACCOUNT_LOSS",
    /// The profit of all strategies of the account fell by its `maxDrawdown` from its peak.
    /// Remedy: find out why; to go on, give the TradingAccount a new annotation `trading.flashpod.dev/reset-risk`.
    AccountDrawdown => "RISK_ACCOUNT_DRAWDOWN",
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
