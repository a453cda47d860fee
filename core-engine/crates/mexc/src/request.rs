//! Parameters of every REST call the core makes, in the documented order: the call's own, then `recvWindow`, then
//! `timestamp`. All of them go into the query string; bodies stay empty. The sender appends the signature.

use std::fmt::Write;

use flashpod_types::{Amount, ClientOrderId, Millis, OrderId, OrderType, Price, Qty, Side, Symbol, Text};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

/// The venue refuses more orders in one batch.
pub const MAX_BATCH: usize = 20;

/// What RFC 3986 calls unreserved stays; everything else is escaped, hex digits in upper case.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// A query string. Those of orders and cancels lie inline.
pub type Params = Text<240>;

/// One REST call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub path: &'static str,
    /// The query string; of a signed call `totalParams`, that is without `signature`.
    pub params: Params,
    pub signed: bool,
}

/// Time stamp of a signed call and how long after it the venue may still accept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Venue time at which the request leaves.
    pub timestamp: Millis,
    /// At most 60000.
    pub recv_window_ms: u32,
}

/// An order as it goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewOrder {
    pub symbol: Symbol,
    pub side: Side,
    pub kind: OrderType,
    pub size: Size,
    /// None for MARKET.
    pub price: Option<Price>,
    pub client_id: ClientOrderId,
}

/// Base quantity, or for a market order the quote amount to spend or receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Base(Qty),
    Quote(Amount),
}

/// Which order a query or cancel means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRef {
    Venue(OrderId),
    Client(ClientOrderId),
}

const ORDER: &str = "/api/v3/order";

/// `POST /order`.
#[must_use]
pub fn new_order(order: &NewOrder, stamp: Stamp) -> Request {
    let mut params = Params::new();
    write_new_order(&mut params, order, stamp);
    signed(Method::Post, ORDER, params)
}

/// Writes the parameters of `POST /order`.
pub fn write_new_order(out: &mut impl Write, order: &NewOrder, stamp: Stamp) {
    put(out, "symbol=", order.symbol.as_str());
    put(out, "&side=", order.side.as_str());
    put(out, "&type=", order.kind.as_str());
    match order.size {
        Size::Base(qty) => put_shown(out, "&quantity=", qty),
        Size::Quote(amount) => put_shown(out, "&quoteOrderQty=", amount),
    }
    if let Some(price) = order.price {
        put_shown(out, "&price=", price);
    }
    if !order.client_id.is_empty() {
        put(out, "&newClientOrderId=", order.client_id.as_str());
    }
    put_shown(out, "&recvWindow=", stamp.recv_window_ms);
    put_shown(out, "&timestamp=", stamp.timestamp.0);
}

/// `POST /batchOrders`: 1 to [`MAX_BATCH`] orders of one symbol; the caller keeps to that, the venue refuses others.
#[must_use]
pub fn batch_orders(orders: &[NewOrder], stamp: Stamp) -> Request {
    let rows: Vec<BatchRow<'_>> = orders.iter().map(BatchRow::new).collect();
    // Texts only: serialising them does not fail.
    let json = serde_json::to_string(&rows).unwrap_or_default();
    let mut params = Params::new();
    push(&mut params, "batchOrders", &json);
    push_stamp(&mut params, stamp);
    signed(Method::Post, "/api/v3/batchOrders", params)
}

/// One element of the batch, its fields in the documented order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchRow<'a> {
    symbol: &'a str,
    side: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_order_qty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    new_client_order_id: &'a str,
}

impl<'a> BatchRow<'a> {
    fn new(order: &'a NewOrder) -> Self {
        let (quantity, quote_order_qty) = match order.size {
            Size::Base(qty) => (Some(qty.to_string()), None),
            Size::Quote(amount) => (None, Some(amount.to_string())),
        };
        Self {
            symbol: order.symbol.as_str(),
            side: order.side.as_str(),
            r#type: order.kind.as_str(),
            quantity,
            quote_order_qty,
            price: order.price.map(|price| price.to_string()),
            new_client_order_id: order.client_id.as_str(),
        }
    }
}

/// `DELETE /order`.
#[must_use]
pub fn cancel_order(symbol: Symbol, order: OrderRef, stamp: Stamp) -> Request {
    signed(Method::Delete, ORDER, order_params(symbol, order, stamp))
}

/// `DELETE /openOrders`: every open order of one symbol, also those of others.
#[must_use]
pub fn cancel_all(symbol: Symbol, stamp: Stamp) -> Request {
    signed(Method::Delete, "/api/v3/openOrders", symbol_params(symbol, stamp))
}

/// `GET /order`.
#[must_use]
pub fn query_order(symbol: Symbol, order: OrderRef, stamp: Stamp) -> Request {
    signed(Method::Get, ORDER, order_params(symbol, order, stamp))
}

/// `GET /openOrders`, of one symbol or of all.
#[must_use]
pub fn open_orders(symbol: Option<Symbol>, stamp: Stamp) -> Request {
    let mut params = Params::new();
    if let Some(symbol) = symbol {
        push(&mut params, "symbol", symbol.as_str());
    }
    push_stamp(&mut params, stamp);
    signed(Method::Get, "/api/v3/openOrders", params)
}

/// Rows wanted from a list that reaches back in time; the ends are inclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    pub start: Option<Millis>,
    pub end: Option<Millis>,
    pub limit: Option<u16>,
}

/// `GET /allOrders`: at most seven days back, 24 hours when no start is given; limit ≤ 1000.
#[must_use]
pub fn all_orders(symbol: Symbol, page: Page, stamp: Stamp) -> Request {
    let mut params = Params::new();
    push(&mut params, "symbol", symbol.as_str());
    push_page(&mut params, page);
    push_stamp(&mut params, stamp);
    signed(Method::Get, "/api/v3/allOrders", params)
}

/// `GET /myTrades`: at most a month back; limit ≤ 100, which is also the default.
#[must_use]
pub fn my_trades(symbol: Symbol, order: Option<OrderId>, page: Page, stamp: Stamp) -> Request {
    let mut params = Params::new();
    push(&mut params, "symbol", symbol.as_str());
    if let Some(order) = order {
        push(&mut params, "orderId", order.as_str());
    }
    push_page(&mut params, page);
    push_stamp(&mut params, stamp);
    signed(Method::Get, "/api/v3/myTrades", params)
}

/// `GET /account`.
#[must_use]
pub fn account(stamp: Stamp) -> Request {
    signed(Method::Get, "/api/v3/account", stamp_params(stamp))
}

/// `GET /tradeFee`.
#[must_use]
pub fn trade_fee(symbol: Symbol, stamp: Stamp) -> Request {
    signed(Method::Get, "/api/v3/tradeFee", symbol_params(symbol, stamp))
}

/// `GET /selfSymbols`: the pairs that this key may trade.
#[must_use]
pub fn self_symbols(stamp: Stamp) -> Request {
    signed(Method::Get, "/api/v3/selfSymbols", stamp_params(stamp))
}

/// `GET /uid`.
#[must_use]
pub fn uid(stamp: Stamp) -> Request {
    signed(Method::Get, "/api/v3/uid", stamp_params(stamp))
}

const LISTEN_KEY: &str = "/api/v3/userDataStream";

/// `POST /userDataStream`.
#[must_use]
pub fn create_listen_key(stamp: Stamp) -> Request {
    signed(Method::Post, LISTEN_KEY, stamp_params(stamp))
}

/// `GET /userDataStream`: all valid keys.
#[must_use]
pub fn list_listen_keys(stamp: Stamp) -> Request {
    signed(Method::Get, LISTEN_KEY, stamp_params(stamp))
}

/// `PUT /userDataStream`: valid for 60 minutes from now.
#[must_use]
pub fn extend_listen_key(key: &str, stamp: Stamp) -> Request {
    signed(Method::Put, LISTEN_KEY, listen_key_params(key, stamp))
}

/// `DELETE /userDataStream`: closes the stream.
#[must_use]
pub fn delete_listen_key(key: &str, stamp: Stamp) -> Request {
    signed(Method::Delete, LISTEN_KEY, listen_key_params(key, stamp))
}

/// `GET /time`.
#[must_use]
pub fn time() -> Request {
    public("/api/v3/time", Params::new())
}

/// `GET /exchangeInfo` of some symbols; of all when none is named.
#[must_use]
pub fn exchange_info(symbols: &[Symbol]) -> Request {
    let mut params = Params::new();
    if !symbols.is_empty() {
        let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
        push(&mut params, if symbols.len() == 1 { "symbol" } else { "symbols" }, &names.join(","));
    }
    public("/api/v3/exchangeInfo", params)
}

/// `GET /depth`; limit ≤ 5000.
#[must_use]
pub fn depth(symbol: Symbol, limit: u16) -> Request {
    let mut params = Params::new();
    push(&mut params, "symbol", symbol.as_str());
    push_shown(&mut params, "limit", limit);
    public("/api/v3/depth", params)
}

/// `GET /ticker/bookTicker` of one symbol.
#[must_use]
pub fn book_ticker(symbol: Symbol) -> Request {
    let mut params = Params::new();
    push(&mut params, "symbol", symbol.as_str());
    public("/api/v3/ticker/bookTicker", params)
}

fn signed(method: Method, path: &'static str, params: Params) -> Request {
    Request { method, path, params, signed: true }
}

fn public(path: &'static str, params: Params) -> Request {
    Request { method: Method::Get, path, params, signed: false }
}

fn stamp_params(stamp: Stamp) -> Params {
    let mut params = Params::new();
    push_stamp(&mut params, stamp);
    params
}

fn symbol_params(symbol: Symbol, stamp: Stamp) -> Params {
    let mut params = Params::new();
    push(&mut params, "symbol", symbol.as_str());
    push_stamp(&mut params, stamp);
    params
}

fn order_params(symbol: Symbol, order: OrderRef, stamp: Stamp) -> Params {
    let mut params = Params::new();
    push(&mut params, "symbol", symbol.as_str());
    match order {
        OrderRef::Venue(id) => push(&mut params, "orderId", id.as_str()),
        OrderRef::Client(id) => push(&mut params, "origClientOrderId", id.as_str()),
    }
    push_stamp(&mut params, stamp);
    params
}

fn listen_key_params(key: &str, stamp: Stamp) -> Params {
    let mut params = Params::new();
    push(&mut params, "listenKey", key);
    push_stamp(&mut params, stamp);
    params
}

fn push_page(params: &mut Params, page: Page) {
    if let Some(start) = page.start {
        push_shown(params, "startTime", start.0);
    }
    if let Some(end) = page.end {
        push_shown(params, "endTime", end.0);
    }
    if let Some(limit) = page.limit {
        push_shown(params, "limit", limit);
    }
}

fn push_stamp(params: &mut Params, stamp: Stamp) {
    push_shown(params, "recvWindow", stamp.recv_window_ms);
    push_shown(params, "timestamp", stamp.timestamp.0);
}

// Writing into a text does not fail.
fn put(out: &mut impl Write, name: &str, value: &str) {
    let _ = out.write_str(name);
    let _ = utf8_percent_encode(value, ESCAPED).try_for_each(|part| out.write_str(part));
}

fn put_shown(out: &mut impl Write, name: &str, value: impl std::fmt::Display) {
    let _ = write!(out, "{name}{value}");
}

fn push_name(params: &mut Params, name: &str) {
    if !params.is_empty() {
        params.push_str("&");
    }
    params.push_str(name);
    params.push_str("=");
}

fn push(params: &mut Params, name: &str, value: &str) {
    push_name(params, name);
    params.extend(utf8_percent_encode(value, ESCAPED));
}

/// For numbers, whose text needs no escapes.
fn push_shown(params: &mut Params, name: &str, value: impl std::fmt::Display) {
    push_name(params, name);
    // Writing into a text does not fail.
    let _ = write!(params, "{value}");
}
