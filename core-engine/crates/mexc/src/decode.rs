//! Push frames as exact values: prost reads the bytes, this module checks and converts every text.

use flashpod_types::{
    Amount, Asset, ClientOrderId, DecimalError, Millis, Name, NameError, OrderId, OrderType, Price, Qty,
    Side, Symbol, TradeId,
};
use prost::Message;

use crate::push::{self, push_data_v3_api_wrapper::Body as Raw};
use crate::{KlineInterval, OrderStatus};

/// Price and quantity of one level; quantity zero removes the level.
pub type Level = (Price, Qty);

/// Why a binary frame was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    #[error("push frame is no protobuf: {0}")]
    Protobuf(#[from] prost::DecodeError),
    #[error("push on `{channel}` has no body this schema knows")]
    NoBody { channel: String },
    #[error("push on `{channel}`: {field} is `{value}`, which {reason}")]
    Field { channel: String, field: &'static str, value: String, reason: String },
}

/// One binary frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Name of the channel as subscribed.
    pub channel: String,
    /// None on account pushes.
    pub symbol: Option<Symbol>,
    /// When the venue made and sent the message.
    pub created: Option<Millis>,
    pub sent: Option<Millis>,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Depth(Depth),
    LimitDepth(LimitDepth),
    Deals(Vec<Deal>),
    BookTicker(BookTicker),
    Kline(Kline),
    Order(OrderPush),
    Fill(FillPush),
    Balance(BalancePush),
    /// A public push that the core does not use; its name in the schema.
    Unused(&'static str),
}

/// Changed levels of a book, covering the versions `from..=to`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Depth {
    pub from: u64,
    pub to: u64,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
    pub last_order_created: Option<Millis>,
}

/// The best levels, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitDepth {
    pub version: Option<u64>,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

/// One public trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deal {
    pub price: Price,
    pub qty: Qty,
    /// Side of the aggressor.
    pub taker: Side,
    pub time: Millis,
    /// Empty in frames of the schema before June 2026. Often a range `first_last`.
    pub id: TradeId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookTicker {
    pub bid: Option<Level>,
    pub ask: Option<Level>,
    /// None in frames of the schema before June 2026.
    pub version: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kline {
    pub interval: KlineInterval,
    /// Seconds since 1970.
    pub start_s: i64,
    pub end_s: i64,
    pub open: Price,
    pub close: Price,
    pub high: Price,
    pub low: Price,
    /// Base and quote units traded.
    pub volume: Amount,
    pub turnover: Amount,
}

/// State of an own order. Fills are taken from [`FillPush`], which alone has price, fee and trade id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderPush {
    pub symbol: Option<Symbol>,
    pub order_id: OrderId,
    /// Empty when none, or one of another program that cannot be represented.
    pub client_id: ClientOrderId,
    pub side: Side,
    /// None: a kind that we never send (stop orders, OCO legs).
    pub kind: Option<OrderType>,
    pub price: Price,
    pub qty: Qty,
    pub executed: Qty,
    pub executed_quote: Amount,
    pub status: OrderStatus,
    pub created: Millis,
}

/// One own fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillPush {
    pub symbol: Option<Symbol>,
    pub trade_id: TradeId,
    pub order_id: OrderId,
    pub client_id: ClientOrderId,
    pub side: Side,
    pub price: Price,
    pub qty: Qty,
    pub quote: Amount,
    pub fee: Amount,
    pub fee_asset: Asset,
    pub maker: bool,
    pub self_trade: bool,
    pub time: Millis,
}

/// One balance after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancePush {
    pub asset: Asset,
    pub free: Amount,
    pub free_change: Amount,
    pub locked: Amount,
    pub locked_change: Amount,
    /// `ENTRUST_PLACE`, `ENTRUST`, `ENTRUST_CANCEL`, … : an open set.
    pub cause: String,
    pub time: Millis,
}

/// Decodes one binary frame. Any bytes give a frame or an error, never a panic.
pub fn decode(bytes: &[u8]) -> Result<Frame, DecodeError> {
    convert(push::PushDataV3ApiWrapper::decode(bytes)?)
}

/// Checks and converts a frame that prost has read.
pub fn convert(wrapper: push::PushDataV3ApiWrapper) -> Result<Frame, DecodeError> {
    let reader = Reader { channel: &wrapper.channel };
    let symbol = match wrapper.symbol.as_deref() {
        None | Some("") => None,
        Some(text) => Some(reader.name("symbol", text)?),
    };
    let Some(raw) = wrapper.body else {
        return Err(DecodeError::NoBody { channel: cut(&wrapper.channel) });
    };
    let body = match raw {
        Raw::PublicAggreDepths(raw) => Body::Depth(reader.depth(&raw)?),
        Raw::PublicLimitDepths(raw) => Body::LimitDepth(reader.limit_depth(&raw)?),
        Raw::PublicAggreDeals(raw) => {
            Body::Deals(raw.deals.iter().map(|deal| reader.deal(deal)).collect::<Result<_, _>>()?)
        }
        Raw::PublicAggreBookTicker(raw) => Body::BookTicker(reader.book_ticker(&raw)?),
        Raw::PublicSpotKline(raw) => Body::Kline(reader.kline(&raw)?),
        Raw::PrivateOrders(raw) => Body::Order(reader.order(&raw, symbol)?),
        Raw::PrivateDeals(raw) => Body::Fill(reader.fill(&raw, symbol)?),
        Raw::PrivateAccount(raw) => Body::Balance(reader.balance(&raw)?),
        Raw::PublicDeals(_) => Body::Unused("publicDeals"),
        Raw::PublicIncreaseDepths(_) => Body::Unused("publicIncreaseDepths"),
        Raw::PublicIncreaseDepthsBatch(_) => Body::Unused("publicIncreaseDepthsBatch"),
        Raw::PublicBookTicker(_) => Body::Unused("publicBookTicker"),
        Raw::PublicBookTickerBatch(_) => Body::Unused("publicBookTickerBatch"),
        Raw::PublicMiniTicker(_) => Body::Unused("publicMiniTicker"),
        Raw::PublicMiniTickers(_) => Body::Unused("publicMiniTickers"),
    };
    let (created, sent) = (wrapper.create_time.map(Millis), wrapper.send_time.map(Millis));
    Ok(Frame { symbol, created, sent, body, channel: wrapper.channel })
}

/// Converts fields; knows the channel for the error text.
struct Reader<'a> {
    channel: &'a str,
}

impl Reader<'_> {
    fn depth(&self, raw: &push::PublicAggreDepths) -> Result<Depth, DecodeError> {
        let depth = Depth {
            from: self.version("fromVersion", &raw.from_version)?,
            to: self.version("toVersion", &raw.to_version)?,
            bids: self.levels("bid", &raw.bids)?,
            asks: self.levels("ask", &raw.asks)?,
            last_order_created: (raw.last_order_create_time != 0)
                .then_some(Millis(raw.last_order_create_time)),
        };
        if depth.from > depth.to {
            let reason = format!("is after toVersion {}", depth.to);
            return Err(self.refuse("fromVersion", &raw.from_version, reason));
        }
        Ok(depth)
    }

    fn limit_depth(&self, raw: &push::PublicLimitDepths) -> Result<LimitDepth, DecodeError> {
        Ok(LimitDepth {
            version: self.optional_version(&raw.version)?,
            bids: self.levels("bid", &raw.bids)?,
            asks: self.levels("ask", &raw.asks)?,
        })
    }

    fn levels(&self, field: &'static str, raw: &[push::Level]) -> Result<Vec<Level>, DecodeError> {
        raw.iter()
            .map(|level| Ok((self.price(field, &level.price)?, self.qty(field, &level.quantity)?)))
            .collect()
    }

    fn deal(&self, raw: &push::PublicAggreDeal) -> Result<Deal, DecodeError> {
        Ok(Deal {
            price: self.price("deal price", &raw.price)?,
            qty: self.qty("deal quantity", &raw.quantity)?,
            taker: self.side(raw.trade_type)?,
            time: Millis(raw.time),
            // Not used to count anything, so an odd one is no reason to lose the trade.
            id: foreign(&raw.trade_id),
        })
    }

    fn book_ticker(&self, raw: &push::PublicAggreBookTicker) -> Result<BookTicker, DecodeError> {
        let side = |price: &str, qty: &str| -> Result<Option<Level>, DecodeError> {
            if price.is_empty() || qty.is_empty() {
                return Ok(None);
            }
            let price: Price = self.decimal("ticker price", price)?;
            let level = (price, self.qty("ticker quantity", qty)?);
            Ok(Some(level).filter(|(price, qty)| price.is_positive() && qty.is_positive()))
        };
        Ok(BookTicker {
            bid: side(&raw.bid_price, &raw.bid_quantity)?,
            ask: side(&raw.ask_price, &raw.ask_quantity)?,
            version: self.optional_version(&raw.version)?,
        })
    }

    fn kline(&self, raw: &push::PublicSpotKline) -> Result<Kline, DecodeError> {
        let interval = raw.interval.parse().map_err(|()| {
            let accepted: Vec<&str> = KlineInterval::ALL.iter().map(|interval| interval.as_str()).collect();
            self.refuse("interval", &raw.interval, format!("is none of {}", accepted.join(", ")))
        })?;
        Ok(Kline {
            interval,
            start_s: raw.window_start,
            end_s: raw.window_end,
            open: self.price("openingPrice", &raw.opening_price)?,
            close: self.price("closingPrice", &raw.closing_price)?,
            high: self.price("highestPrice", &raw.highest_price)?,
            low: self.price("lowestPrice", &raw.lowest_price)?,
            volume: self.decimal("volume", &raw.volume)?,
            turnover: self.decimal("amount", &raw.amount)?,
        })
    }

    fn order(&self, raw: &push::PrivateOrders, symbol: Option<Symbol>) -> Result<OrderPush, DecodeError> {
        Ok(OrderPush {
            symbol,
            order_id: self.name("id", &raw.id)?,
            client_id: foreign(&raw.client_id),
            side: self.side(raw.trade_type)?,
            kind: match raw.order_type {
                1 => Some(OrderType::Limit),
                2 => Some(OrderType::LimitMaker),
                3 => Some(OrderType::Ioc),
                4 => Some(OrderType::Fok),
                5 => Some(OrderType::Market),
                _ => None,
            },
            price: self.or_zero("price", &raw.price)?.unwrap_or(Price::ZERO),
            qty: self.or_zero("quantity", &raw.quantity)?.unwrap_or(Qty::ZERO),
            executed: self.or_zero("cumulativeQuantity", &raw.cumulative_quantity)?.unwrap_or(Qty::ZERO),
            executed_quote: self.or_zero("cumulativeAmount", &raw.cumulative_amount)?.unwrap_or(Amount::ZERO),
            status: OrderStatus::from_number(raw.status)
                .ok_or_else(|| self.refuse("status", &raw.status.to_string(), "is not 1 to 5"))?,
            created: Millis(raw.create_time),
        })
    }

    fn fill(&self, raw: &push::PrivateDeals, symbol: Option<Symbol>) -> Result<FillPush, DecodeError> {
        let (price, qty) = (self.price("price", &raw.price)?, self.qty("quantity", &raw.quantity)?);
        let quote: Option<Amount> = self.or_zero("amount", &raw.amount)?;
        if raw.trade_id.is_empty() {
            return Err(self.refuse("tradeId", "", "is needed to count the fill once"));
        }
        Ok(FillPush {
            symbol,
            trade_id: self.name("tradeId", &raw.trade_id)?,
            order_id: self.name("orderId", &raw.order_id)?,
            client_id: foreign(&raw.client_order_id),
            side: self.side(raw.trade_type)?,
            price,
            qty,
            quote: quote.unwrap_or_else(|| price.notional(qty)),
            fee: self.or_zero("feeAmount", &raw.fee_amount)?.unwrap_or(Amount::ZERO),
            fee_asset: self.name("feeCurrency", &raw.fee_currency)?,
            maker: raw.is_maker,
            self_trade: raw.is_self_trade,
            time: Millis(raw.time),
        })
    }

    fn balance(&self, raw: &push::PrivateAccount) -> Result<BalancePush, DecodeError> {
        Ok(BalancePush {
            asset: self.name("vcoinName", &raw.vcoin_name)?,
            free: self.decimal("balanceAmount", &raw.balance_amount)?,
            free_change: self.or_zero("balanceAmountChange", &raw.balance_amount_change)?.unwrap_or_default(),
            locked: self.or_zero("frozenAmount", &raw.frozen_amount)?.unwrap_or_default(),
            locked_change: self.or_zero("frozenAmountChange", &raw.frozen_amount_change)?.unwrap_or_default(),
            cause: cut(&raw.r#type),
            time: Millis(raw.time),
        })
    }

    fn version(&self, field: &'static str, text: &str) -> Result<u64, DecodeError> {
        text.parse().map_err(|_| self.refuse(field, text, "is no version number"))
    }

    fn optional_version(&self, text: &str) -> Result<Option<u64>, DecodeError> {
        if text.is_empty() { Ok(None) } else { self.version("version", text).map(Some) }
    }

    fn price(&self, field: &'static str, text: &str) -> Result<Price, DecodeError> {
        let price: Price = self.decimal(field, text)?;
        if price.is_positive() { Ok(price) } else { Err(self.refuse(field, text, "is no positive price")) }
    }

    fn qty(&self, field: &'static str, text: &str) -> Result<Qty, DecodeError> {
        let qty: Qty = self.decimal(field, text)?;
        if qty.is_negative() { Err(self.refuse(field, text, "is negative")) } else { Ok(qty) }
    }

    /// Empty text (an absent proto3 field) is none.
    fn or_zero<T: std::str::FromStr<Err = DecimalError>>(
        &self,
        field: &'static str,
        text: &str,
    ) -> Result<Option<T>, DecodeError> {
        if text.is_empty() { Ok(None) } else { self.decimal(field, text).map(Some) }
    }

    fn decimal<T: std::str::FromStr<Err = DecimalError>>(
        &self,
        field: &'static str,
        text: &str,
    ) -> Result<T, DecodeError> {
        text.parse().map_err(|error: DecimalError| self.refuse(field, text, error))
    }

    fn name<const N: usize>(&self, field: &'static str, text: &str) -> Result<Name<N>, DecodeError> {
        if text.is_empty() {
            return Err(self.refuse(field, text, "is empty"));
        }
        Name::new(text).map_err(|error: NameError| self.refuse(field, text, error))
    }

    fn side(&self, trade_type: i32) -> Result<Side, DecodeError> {
        match trade_type {
            1 => Ok(Side::Buy),
            2 => Ok(Side::Sell),
            other => Err(self.refuse("tradeType", &other.to_string(), "is neither 1 (buy) nor 2 (sell)")),
        }
    }

    fn refuse(&self, field: &'static str, value: &str, reason: impl ToString) -> DecodeError {
        DecodeError::Field {
            channel: cut(self.channel),
            field,
            value: cut(value),
            reason: reason.to_string(),
        }
    }
}

fn foreign<const N: usize>(text: &str) -> Name<N> {
    Name::new(text).unwrap_or_default()
}

/// What goes into messages and labels stays short whatever the wire brings.
fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
