//! Names of the push channels (API reference §9.3). The cadence stands before the symbol on `aggre` channels;
//! the interval and the number of levels stand after it.

use std::fmt;
use std::str::FromStr;

use flashpod_types::Symbol;

/// How often an `aggre` channel pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cadence {
    Ms10,
    Ms100,
}

impl Cadence {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ms10 => "10ms",
            Self::Ms100 => "100ms",
        }
    }
}

/// Bar lengths. Pushes know an eight-hour bar, REST does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KlineInterval {
    Min1,
    Min5,
    Min15,
    Min30,
    Min60,
    Hour4,
    Hour8,
    Day1,
    Week1,
    Month1,
}

impl KlineInterval {
    pub const ALL: [Self; 10] = [
        Self::Min1,
        Self::Min5,
        Self::Min15,
        Self::Min30,
        Self::Min60,
        Self::Hour4,
        Self::Hour8,
        Self::Day1,
        Self::Week1,
        Self::Month1,
    ];

    /// Name in channels and pushes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Min1 => "Min1",
            Self::Min5 => "Min5",
            Self::Min15 => "Min15",
            Self::Min30 => "Min30",
            Self::Min60 => "Min60",
            Self::Hour4 => "Hour4",
            Self::Hour8 => "Hour8",
            Self::Day1 => "Day1",
            Self::Week1 => "Week1",
            Self::Month1 => "Month1",
        }
    }

    /// Name in the `interval` parameter of `/klines`.
    #[must_use]
    pub const fn rest_name(self) -> Option<&'static str> {
        match self {
            Self::Min1 => Some("1m"),
            Self::Min5 => Some("5m"),
            Self::Min15 => Some("15m"),
            Self::Min30 => Some("30m"),
            Self::Min60 => Some("60m"),
            Self::Hour4 => Some("4h"),
            Self::Hour8 => None,
            Self::Day1 => Some("1d"),
            Self::Week1 => Some("1W"),
            Self::Month1 => Some("1M"),
        }
    }

    #[must_use]
    pub fn from_rest_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.rest_name() == Some(name))
    }
}

impl FromStr for KlineInterval {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|interval| interval.as_str() == text).ok_or(())
    }
}

/// One channel of the push interface.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Channel {
    AggreDepth { cadence: Cadence, symbol: Symbol },
    AggreDeals { cadence: Cadence, symbol: Symbol },
    AggreBookTicker { cadence: Cadence, symbol: Symbol },
    BookTickerBatch { symbol: Symbol },
    LimitDepth { symbol: Symbol, levels: u8 },
    Kline { symbol: Symbol, interval: KlineInterval },
    MiniTicker { symbol: Symbol, zone: String },
    MiniTickers { zone: String },
    PrivateOrders,
    PrivateDeals,
    PrivateAccount,
}

const AGGRE_DEPTH: &str = "spot@public.aggre.depth.v3.api.pb";
const AGGRE_DEALS: &str = "spot@public.aggre.deals.v3.api.pb";
const AGGRE_BOOK_TICKER: &str = "spot@public.aggre.bookTicker.v3.api.pb";
const BOOK_TICKER_BATCH: &str = "spot@public.bookTicker.batch.v3.api.pb";
const LIMIT_DEPTH: &str = "spot@public.limit.depth.v3.api.pb";
const KLINE: &str = "spot@public.kline.v3.api.pb";
const MINI_TICKER: &str = "spot@public.miniTicker.v3.api.pb";
const MINI_TICKERS: &str = "spot@public.miniTickers.v3.api.pb";
const PRIVATE_ORDERS: &str = "spot@private.orders.v3.api.pb";
const PRIVATE_DEALS: &str = "spot@private.deals.v3.api.pb";
const PRIVATE_ACCOUNT: &str = "spot@private.account.v3.api.pb";

impl Channel {
    /// The pair it is about; none for account channels and the table of all mini tickers.
    #[must_use]
    pub const fn symbol(&self) -> Option<Symbol> {
        match self {
            Self::AggreDepth { symbol, .. }
            | Self::AggreDeals { symbol, .. }
            | Self::AggreBookTicker { symbol, .. }
            | Self::BookTickerBatch { symbol }
            | Self::LimitDepth { symbol, .. }
            | Self::Kline { symbol, .. }
            | Self::MiniTicker { symbol, .. } => Some(*symbol),
            Self::MiniTickers { .. } | Self::PrivateOrders | Self::PrivateDeals | Self::PrivateAccount => {
                None
            }
        }
    }

    /// Whether it needs a listen key.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        matches!(self, Self::PrivateOrders | Self::PrivateDeals | Self::PrivateAccount)
    }

    /// The channel without symbol and what follows it: `eventType` inside a push.
    #[must_use]
    pub fn event_type(&self) -> String {
        match self {
            Self::AggreDepth { cadence, .. } => format!("{AGGRE_DEPTH}@{}", cadence.as_str()),
            Self::AggreDeals { cadence, .. } => format!("{AGGRE_DEALS}@{}", cadence.as_str()),
            Self::AggreBookTicker { cadence, .. } => format!("{AGGRE_BOOK_TICKER}@{}", cadence.as_str()),
            other => {
                let name = other.to_string();
                name.match_indices('@').nth(1).map_or(name.clone(), |(at, _)| name[..at].to_owned())
            }
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AggreDepth { cadence, symbol } => write!(f, "{AGGRE_DEPTH}@{}@{symbol}", cadence.as_str()),
            Self::AggreDeals { cadence, symbol } => write!(f, "{AGGRE_DEALS}@{}@{symbol}", cadence.as_str()),
            Self::AggreBookTicker { cadence, symbol } => {
                write!(f, "{AGGRE_BOOK_TICKER}@{}@{symbol}", cadence.as_str())
            }
            Self::BookTickerBatch { symbol } => write!(f, "{BOOK_TICKER_BATCH}@{symbol}"),
            Self::LimitDepth { symbol, levels } => write!(f, "{LIMIT_DEPTH}@{symbol}@{levels}"),
            Self::Kline { symbol, interval } => write!(f, "{KLINE}@{symbol}@{}", interval.as_str()),
            Self::MiniTicker { symbol, zone } => write!(f, "{MINI_TICKER}@{symbol}@{zone}"),
            Self::MiniTickers { zone } => write!(f, "{MINI_TICKERS}@{zone}"),
            Self::PrivateOrders => f.write_str(PRIVATE_ORDERS),
            Self::PrivateDeals => f.write_str(PRIVATE_DEALS),
            Self::PrivateAccount => f.write_str(PRIVATE_ACCOUNT),
        }
    }
}

/// A text that names no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no channel: {reason}")]
pub struct ChannelError {
    text: String,
    reason: &'static str,
}

impl FromStr for Channel {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, ChannelError> {
        parse(text).map_err(|reason| ChannelError { text: text.chars().take(120).collect(), reason })
    }
}

fn parse(text: &str) -> Result<Channel, &'static str> {
    let mut parts = text.splitn(5, '@');
    // The name itself contains the first '@': `spot@public.…`.
    let (market, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let name_len = market.len() + 1 + name.len();
    let name = text.get(..name_len).ok_or("`spot@public.…` or `spot@private.…` is expected")?;
    let arguments: Vec<&str> = parts.collect();
    let cadence_and_symbol = || match arguments[..] {
        [cadence, symbol] => Ok((cadence_of(cadence)?, symbol_of(symbol)?)),
        _ => Err("`@10ms@SYMBOL` or `@100ms@SYMBOL` is expected after the name"),
    };
    let alone = |channel: Channel| {
        if arguments.is_empty() { Ok(channel) } else { Err("account channels take no arguments") }
    };
    match name {
        AGGRE_DEPTH => cadence_and_symbol().map(|(cadence, symbol)| Channel::AggreDepth { cadence, symbol }),
        AGGRE_DEALS => cadence_and_symbol().map(|(cadence, symbol)| Channel::AggreDeals { cadence, symbol }),
        AGGRE_BOOK_TICKER => {
            cadence_and_symbol().map(|(cadence, symbol)| Channel::AggreBookTicker { cadence, symbol })
        }
        BOOK_TICKER_BATCH => match arguments[..] {
            [symbol] => Ok(Channel::BookTickerBatch { symbol: symbol_of(symbol)? }),
            _ => Err("`@SYMBOL` is expected after the name"),
        },
        LIMIT_DEPTH => match arguments[..] {
            [symbol, levels] => {
                let levels = ["5", "10", "20"]
                    .contains(&levels)
                    .then(|| levels.parse().ok())
                    .flatten()
                    .ok_or("the number of levels is 5, 10 or 20")?;
                Ok(Channel::LimitDepth { symbol: symbol_of(symbol)?, levels })
            }
            _ => Err("`@SYMBOL@5`, `@SYMBOL@10` or `@SYMBOL@20` is expected after the name"),
        },
        KLINE => match arguments[..] {
            [symbol, interval] => Ok(Channel::Kline {
                symbol: symbol_of(symbol)?,
                interval: interval.parse().map_err(|()| {
                    "the interval is Min1, Min5, Min15, Min30, Min60, Hour4, Hour8, Day1, Week1 or Month1"
                })?,
            }),
            _ => Err("`@SYMBOL@INTERVAL` is expected after the name"),
        },
        MINI_TICKER => match arguments[..] {
            [symbol, zone] => Ok(Channel::MiniTicker { symbol: symbol_of(symbol)?, zone: zone.to_owned() }),
            _ => Err("`@SYMBOL@ZONE` is expected after the name"),
        },
        MINI_TICKERS => match arguments[..] {
            [zone] => Ok(Channel::MiniTickers { zone: zone.to_owned() }),
            _ => Err("`@ZONE` is expected after the name"),
        },
        PRIVATE_ORDERS => alone(Channel::PrivateOrders),
        PRIVATE_DEALS => alone(Channel::PrivateDeals),
        PRIVATE_ACCOUNT => alone(Channel::PrivateAccount),
        _ => Err("there is no channel of this name"),
    }
}

fn cadence_of(text: &str) -> Result<Cadence, &'static str> {
    match text {
        "10ms" => Ok(Cadence::Ms10),
        "100ms" => Ok(Cadence::Ms100),
        _ => Err("the cadence is 10ms or 100ms"),
    }
}

fn symbol_of(text: &str) -> Result<Symbol, &'static str> {
    match Symbol::new(text) {
        Ok(symbol) if !text.is_empty() && !text.bytes().any(|b| b.is_ascii_lowercase() || b == b' ') => {
            Ok(symbol)
        }
        _ => Err("the symbol is upper case, at most 24 characters, such as BTCUSDC"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_channel_survives_the_round_trip() {
        for (text, event_type) in [
            ("spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDC", "spot@public.aggre.depth.v3.api.pb@100ms"),
            ("spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDC", "spot@public.aggre.deals.v3.api.pb@10ms"),
            (
                "spot@public.aggre.bookTicker.v3.api.pb@10ms@ETHUSDC",
                "spot@public.aggre.bookTicker.v3.api.pb@10ms",
            ),
            ("spot@public.bookTicker.batch.v3.api.pb@BTCUSDC", "spot@public.bookTicker.batch.v3.api.pb"),
            ("spot@public.limit.depth.v3.api.pb@BTCUSDC@20", "spot@public.limit.depth.v3.api.pb"),
            ("spot@public.kline.v3.api.pb@BTCUSDC@Min1", "spot@public.kline.v3.api.pb"),
            ("spot@public.miniTicker.v3.api.pb@BTCUSDC@UTC+8", "spot@public.miniTicker.v3.api.pb"),
            ("spot@public.miniTickers.v3.api.pb@UTC+8", "spot@public.miniTickers.v3.api.pb"),
            ("spot@private.orders.v3.api.pb", "spot@private.orders.v3.api.pb"),
            ("spot@private.deals.v3.api.pb", "spot@private.deals.v3.api.pb"),
            ("spot@private.account.v3.api.pb", "spot@private.account.v3.api.pb"),
        ] {
            let channel: Channel = text.parse().unwrap();
            assert_eq!(channel.to_string(), text);
            assert_eq!(channel.event_type(), event_type);
        }
    }

    #[test]
    fn what_is_no_channel_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "is expected"),
            ("spot", "is expected"),
            ("spot@public.deals.v3.api@BTCUSDC", "no channel of this name"),
            ("spot@public.aggre.depth.v3.api.pb@BTCUSDC@100ms", "the cadence"),
            ("spot@public.aggre.depth.v3.api.pb@20ms@BTCUSDC", "the cadence"),
            ("spot@public.aggre.depth.v3.api.pb@10ms@btcusdc", "upper case"),
            ("spot@public.aggre.depth.v3.api.pb@10ms@", "upper case"),
            ("spot@public.aggre.depth.v3.api.pb@10ms@A@B", "is expected"),
            ("spot@public.limit.depth.v3.api.pb@BTCUSDC@7", "5, 10 or 20"),
            ("spot@public.kline.v3.api.pb@BTCUSDC@1m", "Min60"),
            ("spot@private.orders.v3.api.pb@BTCUSDC", "no arguments"),
        ] {
            let error = text.parse::<Channel>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn bar_lengths_have_their_own_names_over_rest() {
        assert_eq!(KlineInterval::from_rest_name("60m"), Some(KlineInterval::Min60));
        assert_eq!(KlineInterval::from_rest_name("1h"), None);
        assert_eq!(KlineInterval::Hour8.rest_name(), None);
    }
}
