//! Orders and trades.

use flashpod_types::{
    Amount, Asset, ClientOrderId, Millis, OrderId, OrderType, Price, Qty, Side, Symbol, TradeId,
};

use super::object::{Object, RestError};
use crate::OrderStatus;
use crate::reply::ApiError;

/// Reply to `POST /order`: accepted. It tells neither the state nor the client id; those come from the private
/// stream or a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderAck {
    pub order_id: OrderId,
    pub transact_time: Option<Millis>,
}

pub fn order_ack(body: &[u8]) -> Result<OrderAck, RestError> {
    let reply = Object::parse("order reply", body)?;
    Ok(OrderAck { order_id: reply.name("orderId")?, transact_time: reply.optional_millis("transactTime")? })
}

/// One row of the reply to `POST /batchOrders`, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchItem {
    Placed { order_id: OrderId, client_id: ClientOrderId },
    Refused { client_id: ClientOrderId, error: ApiError },
}

pub fn batch_reply(body: &[u8]) -> Result<Vec<BatchItem>, RestError> {
    Object::list("batch reply", body)?
        .iter()
        .map(|row| {
            let client_id = row.foreign_name("newClientOrderId");
            match row.optional_integer("code")? {
                None | Some(0 | 200) => Ok(BatchItem::Placed { order_id: row.name("orderId")?, client_id }),
                Some(code) => {
                    let msg = row.text("msg").unwrap_or_default().chars().take(200).collect();
                    Ok(BatchItem::Refused { client_id, error: ApiError { code, msg } })
                }
            }
        })
        .collect()
}

/// Reply to a cancel: the cancel was accepted. Production may leave out the state or say NEW, so the final state is
/// taken from the private stream or a query, never from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelReport {
    pub order_id: OrderId,
    /// Of the cancelled order; empty when the reply does not say.
    pub client_id: ClientOrderId,
    pub status: Option<OrderStatus>,
    pub executed: Option<Qty>,
}

pub fn cancel_reply(body: &[u8]) -> Result<CancelReport, RestError> {
    cancel_report(&Object::parse("cancel reply", body)?)
}

/// Reply to `DELETE /openOrders`: one row an order.
pub fn cancel_all_reply(body: &[u8]) -> Result<Vec<CancelReport>, RestError> {
    Object::list("cancel-all reply", body)?.iter().map(cancel_report).collect()
}

fn cancel_report(reply: &Object<'_>) -> Result<CancelReport, RestError> {
    // `origClientOrderId` names the order; `clientOrderId` may be an id of the cancel itself.
    let original: ClientOrderId = reply.foreign_name("origClientOrderId");
    Ok(CancelReport {
        order_id: reply.name("orderId")?,
        client_id: if original.is_empty() { reply.foreign_name("clientOrderId") } else { original },
        status: reply.optional_status()?,
        executed: reply.optional_qty("executedQty")?,
    })
}

/// One order as told by `GET /order`, `/openOrders`, `/allOrders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderReport {
    pub symbol: Symbol,
    pub order_id: OrderId,
    /// Empty when the order has none, or one of another program that is no printable ASCII of ≤ 40 characters.
    pub client_id: ClientOrderId,
    pub side: Side,
    /// None: a kind that we never send (stop orders).
    pub kind: Option<OrderType>,
    /// Zero for a market order.
    pub price: Price,
    /// Zero for a market order stated in quote units.
    pub qty: Qty,
    pub executed: Qty,
    /// Quote units paid or received so far.
    pub executed_quote: Amount,
    pub status: OrderStatus,
    pub time: Option<Millis>,
    /// None on an order that nothing happened to.
    pub update_time: Option<Millis>,
}

/// Reply to `GET /order`.
pub fn order(body: &[u8]) -> Result<OrderReport, RestError> {
    order_report(&Object::parse("order", body)?)
}

/// Reply to `GET /openOrders` and `GET /allOrders`.
pub fn orders(body: &[u8]) -> Result<Vec<OrderReport>, RestError> {
    Object::list("orders", body)?.iter().map(order_report).collect()
}

fn order_report(row: &Object<'_>) -> Result<OrderReport, RestError> {
    let qty = match row.optional_qty("origQty")? {
        Some(qty) => qty,
        // Documented under this name for GET /order, never seen so.
        None => row.optional_qty("Qty")?.unwrap_or(Qty::ZERO),
    };
    Ok(OrderReport {
        symbol: row.symbol()?,
        order_id: row.name("orderId")?,
        client_id: row.foreign_name("clientOrderId"),
        side: row.side()?,
        kind: row.order_type(),
        price: row.optional_price("price")?.unwrap_or(Price::ZERO),
        qty,
        executed: row.optional_qty("executedQty")?.unwrap_or(Qty::ZERO),
        executed_quote: row.optional_amount("cummulativeQuoteQty")?.unwrap_or(Amount::ZERO),
        status: row.optional_status()?.ok_or_else(|| row.missing("status"))?,
        time: row.optional_millis("time")?,
        update_time: row.optional_millis("updateTime")?,
    })
}

/// One fill as told by `GET /myTrades`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeReport {
    pub symbol: Symbol,
    pub trade_id: TradeId,
    pub order_id: OrderId,
    /// Usually empty: production sends null.
    pub client_id: ClientOrderId,
    pub price: Price,
    pub qty: Qty,
    pub quote: Amount,
    pub commission: Amount,
    pub commission_asset: Asset,
    /// Captured times are whole seconds.
    pub time: Millis,
    pub side: Side,
    pub maker: bool,
    pub self_trade: bool,
}

pub fn my_trades(body: &[u8]) -> Result<Vec<TradeReport>, RestError> {
    Object::list("myTrades", body)?.iter().map(trade_report).collect()
}

fn trade_report(row: &Object<'_>) -> Result<TradeReport, RestError> {
    let (price, qty) = (row.price("price")?, row.qty("qty")?);
    let is_buyer = row.flag("isBuyer").ok_or_else(|| row.missing("isBuyer"))?;
    Ok(TradeReport {
        symbol: row.symbol()?,
        trade_id: row.name("id")?,
        order_id: row.name("orderId")?,
        client_id: row.foreign_name("clientOrderId"),
        price,
        qty,
        quote: row.optional_amount("quoteQty")?.unwrap_or_else(|| price.notional(qty)),
        commission: row.optional_amount("commission")?.unwrap_or(Amount::ZERO),
        commission_asset: row.foreign_name("commissionAsset"),
        time: row.millis("time")?,
        side: if is_buyer { Side::Buy } else { Side::Sell },
        maker: row.flag("isMaker").unwrap_or(false),
        self_trade: row.flag("isSelfTrade").unwrap_or(false),
    })
}
