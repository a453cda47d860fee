//! The exchange's end of the script: it answers at once, takes every order and cancel, and fills nothing.

use std::collections::VecDeque;

use anyhow::{Context, bail};
use bytes::Bytes;
use flashpod_engine::io::{HttpRequest, Method};
use flashpod_mexc::push::{self, push_data_v3_api_wrapper::Body};
use prost::Message;
use serde_json::{Value, json};

use super::SYMBOL;
use crate::tape::Tape;

/// An order is asked about within seconds of its end, if at all.
const CANCELLED_KEPT: usize = 1_000;

pub(super) struct Exchange {
    /// The book before the first frame, as its snapshot is served.
    depth: String,
    orders: u64,
    /// Open orders: the query they were placed with, and their id.
    open: Vec<(String, String)>,
    /// Lately cancelled ones, newest last.
    cancelled: VecDeque<(String, String)>,
    pushes: Vec<Bytes>,
    listen_key: Option<&'static str>,
}

impl Exchange {
    pub(super) fn new(tape: &Tape) -> Self {
        let snapshot = tape.snapshot();
        let rows = |levels: &[flashpod_book::Level]| -> Vec<[String; 2]> {
            levels.iter().map(|(price, qty)| [price.to_string(), qty.to_string()]).collect()
        };
        // Version 0: the frames count from 1.
        let depth = json!({ "lastUpdateId": 0, "bids": rows(snapshot.bids), "asks": rows(snapshot.asks) });
        Self {
            depth: depth.to_string(),
            orders: 0,
            open: Vec::new(),
            cancelled: VecDeque::new(),
            pushes: Vec::new(),
            listen_key: None,
        }
    }

    pub(super) fn take_pushes(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.pushes)
    }

    /// The body of the reply.
    pub(super) fn answer(&mut self, request: &HttpRequest, now_ms: u64) -> anyhow::Result<String> {
        let body = match (request.method, &*request.path) {
            (Method::Get, "/api/v3/depth") => return Ok(self.depth.clone()),
            (Method::Post, "/api/v3/order") => self.place(request, now_ms),
            (Method::Delete, "/api/v3/order") => self.cancel(request, now_ms)?,
            (Method::Get, "/api/v3/time") => json!({ "serverTime": now_ms }),
            (Method::Get, "/api/v3/exchangeInfo") => exchange_info(now_ms),
            (Method::Get, "/api/v3/selfSymbols") => json!({ "code": 200, "data": [SYMBOL] }),
            (Method::Get, "/api/v3/uid") => json!({ "uid": "1" }),
            (Method::Get, "/api/v3/tradeFee") => {
                json!({ "code": 0, "data": { "makerCommission": 0.0, "takerCommission": 0.0005 } })
            }
            (Method::Get, "/api/v3/account") => {
                let row = |asset, free| json!({ "asset": asset, "free": free, "locked": "0" });
                json!({ "canTrade": true, "balances": [row("USDC", "100000"), row("BTC", "10")] })
            }
            (Method::Get, "/api/v3/openOrders") => {
                let rows = self.open.iter().map(|(query, id)| row(query, id, "NEW", now_ms));
                rows.collect()
            }
            (Method::Get, "/api/v3/order") => self.query(request, now_ms)?,
            (Method::Get, "/api/v3/userDataStream") => json!({ "listenKey": [] }),
            (Method::Post | Method::Put, "/api/v3/userDataStream") => {
                json!({ "listenKey": *self.listen_key.get_or_insert("key") })
            }
            (method, path) => bail!("the scripted exchange has no answer to {method:?} {path}"),
        };
        Ok(body.to_string())
    }

    fn place(&mut self, request: &HttpRequest, now_ms: u64) -> Value {
        self.orders += 1;
        let (query, id) = (request.params.to_string(), format!("C02__{}", self.orders));
        let reply = row(&query, &id, "NEW", now_ms);
        self.tell(&query, &id, 1, now_ms);
        self.open.push((query, id));
        reply
    }

    fn cancel(&mut self, request: &HttpRequest, now_ms: u64) -> anyhow::Result<Value> {
        let named = |order: &(String, String)| is_named(request, order);
        let at = self.open.iter().position(named).context("a cancel of no open order")?;
        let (query, id) = self.open.swap_remove(at);
        self.tell(&query, &id, 4, now_ms);
        let reply = row(&query, &id, "CANCELED", now_ms);
        self.cancelled.push_back((query, id));
        if self.cancelled.len() > CANCELLED_KEPT {
            self.cancelled.pop_front();
        }
        Ok(reply)
    }

    fn query(&self, request: &HttpRequest, now_ms: u64) -> anyhow::Result<Value> {
        let open = self.open.iter().map(|order| (order, "NEW"));
        let mut all = open.chain(self.cancelled.iter().map(|order| (order, "CANCELED")));
        let (order, status) =
            all.find(|(order, _)| is_named(request, order)).context("a query of no known order")?;
        Ok(row(&order.0, &order.1, status, now_ms))
    }

    /// Pushes the state of an order: 1 new, 4 canceled.
    fn tell(&mut self, query: &str, id: &str, status: i32, now_ms: u64) {
        let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
        let body = push::PrivateOrders {
            id: id.to_owned(),
            client_id: get(query, "newClientOrderId").to_owned(),
            price: get(query, "price").to_owned(),
            quantity: get(query, "quantity").to_owned(),
            order_type: 2,
            trade_type: if get(query, "side") == "BUY" { 1 } else { 2 },
            cumulative_quantity: "0".to_owned(),
            cumulative_amount: "0".to_owned(),
            status,
            create_time: now,
            ..Default::default()
        };
        let frame = push::PushDataV3ApiWrapper {
            channel: "spot@private.orders.v3.api.pb".to_owned(),
            symbol: Some(SYMBOL.to_owned()),
            send_time: Some(now),
            body: Some(Body::PrivateOrders(body)),
            ..Default::default()
        };
        self.pushes.push(Bytes::from(frame.encode_to_vec()));
    }
}

/// What a socket answers: PONG, or the acknowledgement of a subscription.
pub(super) fn reply_to(text: &str) -> anyhow::Result<String> {
    if text.contains("PING") {
        return Ok(r#"{"id":0,"code":0,"msg":"PONG"}"#.to_owned());
    }
    let message: Value = serde_json::from_str(text)?;
    let channels: Vec<&str> =
        message["params"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(json!({ "id": message["id"], "code": 0, "msg": channels.join(",") }).to_string())
}

fn is_named(request: &HttpRequest, (query, id): &(String, String)) -> bool {
    get(&request.params, "orderId") == id
        || get(&request.params, "origClientOrderId") == get(query, "newClientOrderId")
}

fn get<'a>(query: &'a str, name: &str) -> &'a str {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map_or("", |pair| pair.1)
}

fn row(query: &str, id: &str, status: &str, now_ms: u64) -> Value {
    json!({
        "symbol": SYMBOL, "orderId": id, "orderListId": -1, "clientOrderId": get(query, "newClientOrderId"),
        "price": get(query, "price"), "origQty": get(query, "quantity"), "executedQty": "0",
        "cummulativeQuoteQty": "0", "status": status, "type": get(query, "type"), "side": get(query, "side"),
        "time": now_ms, "updateTime": null, "transactTime": now_ms,
    })
}

fn exchange_info(now_ms: u64) -> Value {
    json!({ "timezone": "CST", "serverTime": now_ms, "symbols": [{
        "symbol": SYMBOL, "status": "1", "baseAsset": "BTC", "baseAssetPrecision": 6, "quoteAsset": "USDC",
        "quotePrecision": 2, "quoteAssetPrecision": 2, "orderTypes": ["LIMIT", "LIMIT_MAKER"],
        "isSpotTradingAllowed": true, "quoteAmountPrecision": "1", "baseSizePrecision": "0.000001",
        "maxQuoteAmount": "2000000", "makerCommission": "0", "takerCommission": "0.0005", "tradeSideType": 1,
        "filters": [{ "filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "1.2", "askMultiplierDown": "0.8" }],
    }] })
}
