//! Push frames as JavaScript sees them. Levels are doubles in typed arrays, everything booked is decimal text, times
//! are milliseconds since 1970 unless their name says otherwise, versions are whole numbers.

use napi_derive::napi;

use crate::arrays::Doubles;

/// One frame: `kind` names the body that is set.
#[napi(object)]
#[derive(Debug, Default)]
pub struct PushFrame {
    pub channel: String,
    pub symbol: Option<String>,
    pub created_ms: Option<f64>,
    pub sent_ms: Option<f64>,
    /// Name of the set body, or `unused`.
    pub kind: String,
    pub depth: Option<Depth>,
    pub limit_depth: Option<LimitDepth>,
    pub deals: Option<Vec<Deal>>,
    pub book_ticker: Option<BookTicker>,
    pub kline: Option<Kline>,
    pub order: Option<OrderPush>,
    pub fill: Option<FillPush>,
    pub balance: Option<BalancePush>,
    /// With kind `unused`: the name of the body in the schema.
    pub unused: Option<String>,
}

/// Parallel arrays.
#[napi(object)]
#[derive(Debug)]
pub struct Levels {
    #[napi(ts_type = "Float64Array")]
    pub prices: Doubles,
    #[napi(ts_type = "Float64Array")]
    pub quantities: Doubles,
}

#[napi(object)]
#[derive(Debug)]
pub struct Depth {
    pub from: f64,
    pub to: f64,
    pub bids: Levels,
    pub asks: Levels,
    pub last_order_created_ms: Option<f64>,
}

#[napi(object)]
#[derive(Debug)]
pub struct LimitDepth {
    pub version: Option<f64>,
    pub bids: Levels,
    pub asks: Levels,
}

#[napi(object)]
#[derive(Debug)]
pub struct Deal {
    pub price: String,
    pub quantity: String,
    /// Side of the aggressor.
    #[napi(ts_type = "'Buy' | 'Sell'")]
    pub taker: String,
    pub time_ms: f64,
    pub id: String,
}

#[napi(object)]
#[derive(Debug)]
pub struct BookTicker {
    pub bid_price: Option<String>,
    pub bid_quantity: Option<String>,
    pub ask_price: Option<String>,
    pub ask_quantity: Option<String>,
    pub version: Option<f64>,
}

#[napi(object)]
#[derive(Debug)]
pub struct Kline {
    pub interval: String,
    pub start_s: f64,
    pub end_s: f64,
    pub open: String,
    pub close: String,
    pub high: String,
    pub low: String,
    pub volume: String,
    pub turnover: String,
}

#[napi(object)]
#[derive(Debug)]
pub struct OrderPush {
    pub order_id: String,
    pub client_id: String,
    #[napi(ts_type = "'Buy' | 'Sell'")]
    pub side: String,
    /// Missing: a kind that Flashpod never sends.
    #[napi(js_name = "type", ts_type = "'Limit' | 'LimitMaker' | 'Ioc' | 'Fok' | 'Market'")]
    pub kind: Option<String>,
    pub price: String,
    pub quantity: String,
    pub executed: String,
    pub executed_quote: String,
    /// 1 new, 2 filled, 3 partially filled, 4 cancelled, 5 partially filled then cancelled.
    pub status: u32,
    pub created_ms: f64,
}

#[napi(object)]
#[derive(Debug)]
pub struct FillPush {
    pub trade_id: String,
    pub order_id: String,
    pub client_id: String,
    #[napi(ts_type = "'Buy' | 'Sell'")]
    pub side: String,
    pub price: String,
    pub quantity: String,
    pub quote: String,
    pub fee: String,
    pub fee_asset: String,
    pub maker: bool,
    pub self_trade: bool,
    pub time_ms: f64,
}

#[napi(object)]
#[derive(Debug)]
pub struct BalancePush {
    pub asset: String,
    pub free: String,
    pub free_change: String,
    pub locked: String,
    pub locked_change: String,
    pub cause: String,
    pub time_ms: f64,
}
