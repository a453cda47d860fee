//! A small MEXC: one account, books of one level a side, the replies and pushes that the engine lives on.

use std::collections::{BTreeMap, VecDeque};

use flashpod_types::{Amount, Price, Qty, Side};
use serde_json::{Value, json};

/// Venue time when the simulation's clock is at zero.
pub const EPOCH_MS: i64 = 1_760_000_000_000;
const DAY_MS: i64 = 24 * 3600 * 1000;

#[derive(Debug, Clone)]
pub struct VenueOrder {
    pub id: String,
    pub client_id: String,
    pub symbol: String,
    pub side: Side,
    pub kind: String,
    pub price: Price,
    pub qty: Qty,
    pub filled: Qty,
    pub quote: Amount,
    pub status: &'static str,
    pub time: i64,
    pub trades: Vec<VenueTrade>,
}

#[derive(Debug, Clone)]
pub struct VenueTrade {
    pub id: String,
    pub price: Price,
    pub qty: Qty,
    pub fee: Amount,
    pub maker: bool,
    pub time: i64,
    pub hidden: bool,
}

impl VenueOrder {
    pub fn is_open(&self) -> bool {
        matches!(self.status, "NEW" | "PARTIALLY_FILLED")
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Top {
    pub bid: Price,
    pub ask: Price,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Stream {
    Public,
    Private,
}

pub struct Venue {
    pub now_ms: i64,
    /// What pushes say instead of the time.
    pub send_ms: Option<i64>,
    pub balances: BTreeMap<String, (Amount, Amount)>,
    pub orders: Vec<VenueOrder>,
    pub books: BTreeMap<String, Top>,
    /// Pushes made and not yet collected.
    pub pushes: Vec<(Stream, Vec<u8>)>,
    pub listen_keys: Vec<String>,
    pub http_429: u32,
    pub duplicate_client_ids: u32,
    pub deleted_keys: Vec<String>,
    /// The nth fill from now (1 = the next) is told to nobody.
    pub hide_fill: Option<u32>,
    pub taker_fee: Amount,
    /// Paths that are answered by 503.
    pub failing: Vec<&'static str>,
    /// Pairs whose past orders are refused, as those that are not listed any more.
    pub delisted: Vec<&'static str>,
    /// Every cancel is refused, with a code that says nothing about the order.
    pub refuses_cancels: bool,
    /// Lists begin with the newest row, and a full page leaves out the oldest; else the other way round.
    pub newest_first: bool,
    calls: VecDeque<i64>,
    next: u64,
}

fn error(code: i64, msg: &str) -> (u16, String) {
    (400, json!({"code": code, "msg": msg}).to_string())
}

fn ok(value: &Value) -> (u16, String) {
    (200, value.to_string())
}

impl Venue {
    pub fn new() -> Self {
        let mut balances = BTreeMap::new();
        for (asset, amount) in [("USDC", "100000"), ("BTC", "10"), ("ETH", "100")] {
            balances.insert(asset.to_owned(), (amount.parse().unwrap(), Amount::ZERO));
        }
        let mut books = BTreeMap::new();
        for (symbol, bid, ask) in [("BTCUSDC", "99.99", "100.01"), ("ETHUSDC", "9.99", "10.01")] {
            let top = Top { bid: bid.parse().unwrap(), ask: ask.parse().unwrap(), version: 1000 };
            books.insert(symbol.to_owned(), top);
        }
        Self {
            now_ms: EPOCH_MS,
            send_ms: None,
            balances,
            orders: Vec::new(),
            books,
            pushes: Vec::new(),
            listen_keys: Vec::new(),
            http_429: 0,
            duplicate_client_ids: 0,
            deleted_keys: Vec::new(),
            hide_fill: None,
            taker_fee: "0.0005".parse().unwrap(),
            failing: Vec::new(),
            delisted: Vec::new(),
            refuses_cancels: false,
            newest_first: true,
            calls: VecDeque::new(),
            next: 0,
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Answers a request: status and body.
    pub fn request(&mut self, method: &str, path: &str, params: &str) -> (u16, String) {
        let params: BTreeMap<&str, &str> =
            params.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let get = |name: &str| params.get(name).copied().unwrap_or("");
        let number = |name: &str| get(name).parse::<i64>().ok();
        if self.failing.contains(&path) {
            return (503, json!({"code": 503, "msg": "service not available"}).to_string());
        }
        if let Ok(timestamp) = get("timestamp").parse::<i64>() {
            let window: i64 = get("recvWindow").parse().unwrap_or(5000);
            if timestamp >= self.now_ms + 1000 || self.now_ms - timestamp > window {
                return error(700_003, "Timestamp for this request is outside of the recvWindow.");
            }
        }
        if matches!((method, path), ("POST" | "DELETE", "/api/v3/order")) {
            while self.calls.front().is_some_and(|&at| at + 1000 <= self.now_ms) {
                self.calls.pop_front();
            }
            self.calls.push_back(self.now_ms);
            if self.calls.len() > 12 {
                self.http_429 += 1;
                return (429, json!({"code": 429, "msg": "Too Many Requests"}).to_string());
            }
        }
        match (method, path) {
            ("GET", "/api/v3/time") => ok(&json!({"serverTime": self.now_ms})),
            ("GET", "/api/v3/exchangeInfo") => ok(&self.exchange_info()),
            ("GET", "/api/v3/selfSymbols") => {
                ok(&json!({"code": 200, "data": self.books.keys().collect::<Vec<_>>()}))
            }
            ("GET", "/api/v3/uid") => ok(&json!({"uid": "4711"})),
            ("GET", "/api/v3/tradeFee") => {
                ok(&json!({"code": 0, "data": {"makerCommission": 0.0, "takerCommission": 0.0005}}))
            }
            ("GET", "/api/v3/depth") => {
                let top = self.books[get("symbol")];
                ok(&json!({
                    "lastUpdateId": top.version, "timestamp": self.now_ms,
                    "bids": [[top.bid.to_string(), "5"]], "asks": [[top.ask.to_string(), "5"]],
                }))
            }
            ("GET", "/api/v3/ticker/bookTicker") => {
                let top = self.books[get("symbol")];
                ok(&json!({
                    "symbol": get("symbol"), "bidPrice": top.bid.to_string(), "bidQty": "5",
                    "askPrice": top.ask.to_string(), "askQty": "5",
                }))
            }
            ("GET", "/api/v3/account") => {
                let rows: Vec<Value> = self
                    .balances
                    .iter()
                    .map(|(asset, (free, locked))| {
                        json!({"asset": asset, "free": free.to_string(), "locked": locked.to_string()})
                    })
                    .collect();
                ok(&json!({"canTrade": true, "balances": rows}))
            }
            ("GET", "/api/v3/openOrders") => {
                ok(&self.orders.iter().filter(|order| order.is_open()).map(row).collect::<Vec<_>>().into())
            }
            ("GET", "/api/v3/allOrders") if self.delisted.contains(&get("symbol")) => {
                error(10_007, "bad symbol")
            }
            ("GET", "/api/v3/allOrders") => {
                let (start, end) = (number("startTime").unwrap(), number("endTime").unwrap_or(i64::MAX));
                assert!(start >= self.now_ms - 7 * DAY_MS, "the venue shows orders of seven days");
                assert!(end - start < DAY_MS, "a window wider than the venue's default");
                let wanted = |order: &&VenueOrder| {
                    order.symbol == get("symbol") && (start..=end).contains(&order.time)
                };
                let rows = self.orders.iter().filter(wanted).map(row);
                ok(&self.page(rows.collect(), number("limit").unwrap_or(500).min(1000)))
            }
            ("GET", "/api/v3/order") => {
                let found = self.find(get("origClientOrderId"), get("orderId"));
                found.map_or_else(|| error(-2013, "Order does not exist."), |at| ok(&row(&self.orders[at])))
            }
            ("GET", "/api/v3/myTrades") => {
                let (start, end) = (number("startTime").unwrap_or(0), number("endTime").unwrap_or(i64::MAX));
                let rows = self.my_trades(get("orderId"), start, end);
                ok(&self.page(rows, number("limit").unwrap_or(100).min(100)))
            }
            ("POST", "/api/v3/order") => self.place(
                get("symbol"),
                if get("side") == "BUY" { Side::Buy } else { Side::Sell },
                get("type"),
                get("quantity").parse().unwrap(),
                get("price").parse().unwrap(),
                get("newClientOrderId"),
            ),
            ("DELETE", "/api/v3/order") if self.refuses_cancels => error(30_001, "not allowed now"),
            ("DELETE", "/api/v3/order") => match self.find(get("origClientOrderId"), get("orderId")) {
                Some(at) if self.orders[at].is_open() => {
                    self.end(at);
                    let order = &self.orders[at];
                    ok(&json!({
                        "symbol": order.symbol, "orderId": order.id, "price": order.price.to_string(),
                        "origQty": order.qty.to_string(), "type": order.kind, "side": order.side.as_str(),
                    }))
                }
                _ => error(-2011, "Unknown order sent."),
            },
            ("GET", "/api/v3/userDataStream") => ok(&json!({"listenKey": self.listen_keys})),
            ("POST", "/api/v3/userDataStream") => {
                if self.listen_keys.len() >= 60 {
                    return error(26, "operation not allowed: there are 60 listen keys already");
                }
                let key = format!("key{}", self.number());
                self.listen_keys.push(key.clone());
                ok(&json!({"listenKey": key}))
            }
            ("DELETE", "/api/v3/userDataStream") => {
                self.listen_keys.retain(|key| key != get("listenKey"));
                self.deleted_keys.push(get("listenKey").to_owned());
                ok(&json!({"listenKey": get("listenKey")}))
            }
            ("PUT", "/api/v3/userDataStream") => {
                if self.listen_keys.iter().any(|key| key == get("listenKey")) {
                    ok(&json!({"listenKey": get("listenKey")}))
                } else {
                    error(700_006, "listen key not found")
                }
            }
            _ => (404, format!("{method} {path} is not simulated")),
        }
    }

    fn exchange_info(&self) -> Value {
        let symbols: Vec<Value> = self
            .books
            .keys()
            .map(|symbol| {
                let base = &symbol[..3];
                json!({
                    "symbol": symbol, "status": "1", "baseAsset": base, "baseAssetPrecision": 4,
                    "quoteAsset": "USDC", "quotePrecision": 2, "quoteAssetPrecision": 2,
                    "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"], "isSpotTradingAllowed": true,
                    "quoteAmountPrecision": "1", "baseSizePrecision": "0.0001", "maxQuoteAmount": "2000000",
                    "makerCommission": "0", "takerCommission": "0.0005", "tradeSideType": 1,
                    "filters": [{"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "1.2", "askMultiplierDown": "0.8"}],
                })
            })
            .collect();
        json!({"timezone": "CST", "serverTime": self.now_ms, "symbols": symbols})
    }

    fn find(&self, client_id: &str, order_id: &str) -> Option<usize> {
        let named = |order: &VenueOrder| {
            (!client_id.is_empty() && order.client_id == client_id)
                || (!order_id.is_empty() && order.id == order_id)
        };
        self.orders.iter().position(named)
    }

    pub fn order(&self, client_id: &str) -> Option<&VenueOrder> {
        self.find(client_id, "").map(|at| &self.orders[at])
    }

    /// As many rows as the venue gives at once, of those that are given oldest first.
    fn page(&self, mut rows: Vec<Value>, limit: i64) -> Value {
        if self.newest_first {
            rows.reverse();
        }
        rows.truncate(usize::try_from(limit).unwrap());
        rows.into()
    }

    fn my_trades(&self, order_id: &str, start: i64, end: i64) -> Vec<Value> {
        let Some(order) = self.orders.iter().find(|order| order.id == order_id) else { return Vec::new() };
        let wanted = |trade: &&VenueTrade| !trade.hidden && (start..=end).contains(&trade.time);
        let rows = order.trades.iter().filter(wanted).map(|trade| {
            json!({
                "symbol": order.symbol, "id": trade.id, "orderId": order.id, "price": trade.price.to_string(),
                "qty": trade.qty.to_string(), "quoteQty": trade.price.notional(trade.qty).to_string(),
                "commission": trade.fee.to_string(), "commissionAsset": "USDC", "time": trade.time / 1000 * 1000,
                "isBuyer": order.side.is_buy(), "isMaker": trade.maker, "clientOrderId": null,
            })
        });
        rows.collect()
    }

    pub fn deposit(&mut self, asset: &str, amount: &str) {
        self.change(asset, amount.parse().unwrap(), Amount::ZERO, "DEPOSIT");
    }

    pub fn place(
        &mut self,
        symbol: &str,
        side: Side,
        kind: &str,
        qty: Qty,
        price: Price,
        client_id: &str,
    ) -> (u16, String) {
        if self.find(client_id, "").is_some() {
            self.duplicate_client_ids += 1;
        }
        let (asset, lock) = match side {
            Side::Buy => ("USDC".to_owned(), price.notional(qty)),
            Side::Sell => (symbol[..3].to_owned(), Amount::from(qty)),
        };
        if self.balances.get(&asset).is_none_or(|balance| balance.0 < lock) {
            return error(30004, "Insufficient position");
        }
        let top = self.books[symbol];
        let crosses = if side.is_buy() { price >= top.ask } else { price <= top.bid };
        if crosses && kind == "LIMIT_MAKER" {
            return error(30010, "post only order would take");
        }
        let id = format!("C02__{}", self.number());
        self.orders.push(VenueOrder {
            id: id.clone(),
            client_id: client_id.to_owned(),
            symbol: symbol.to_owned(),
            side,
            kind: kind.to_owned(),
            price,
            qty,
            filled: Qty::ZERO,
            quote: Amount::ZERO,
            status: "NEW",
            time: self.now_ms,
            trades: Vec::new(),
        });
        let at = self.orders.len() - 1;
        self.change(&asset, -lock, lock, "ENTRUST_PLACE");
        self.tell_order(at);
        if crosses {
            let best = if side.is_buy() { top.ask } else { top.bid };
            // The level shows 5.
            self.trade(at, qty.min("5".parse().unwrap()), best, false);
        }
        if self.orders[at].is_open() && matches!(kind, "IMMEDIATE_OR_CANCEL" | "FILL_OR_KILL") {
            self.end(at);
        }
        ok(&json!({
            "symbol": symbol, "orderId": id, "orderListId": -1, "price": price.to_string(),
            "origQty": qty.to_string(), "type": kind, "side": side.as_str(), "transactTime": self.now_ms,
        }))
    }

    /// A resting order trades at its own price.
    pub fn fill(&mut self, client_id: &str, qty: &str) {
        let at = self.find(client_id, "").expect("an order of this client id");
        let (price, qty) = (self.orders[at].price, qty.parse().unwrap());
        self.trade(at, qty, price, true);
    }

    /// Two orders of the account meet: one trade, told once for each.
    pub fn self_trade(&mut self, maker: &str, taker: &str, qty: &str) {
        let id = format!("T{}", self.number());
        let price = self.order(maker).expect("an order to meet").price;
        for (client_id, is_maker) in [(taker, false), (maker, true)] {
            let at = self.find(client_id, "").expect("an order that meets it");
            self.trade_as(id.clone(), at, qty.parse().unwrap(), price, is_maker);
        }
    }

    fn trade(&mut self, at: usize, qty: Qty, price: Price, maker: bool) {
        let id = format!("T{}", self.number());
        self.trade_as(id, at, qty, price, maker);
    }

    fn trade_as(&mut self, id: String, at: usize, qty: Qty, price: Price, maker: bool) {
        let hidden = match &mut self.hide_fill {
            Some(nth) => {
                *nth -= 1;
                *nth == 0
            }
            None => false,
        };
        if hidden {
            self.hide_fill = None;
        }
        let time = self.now_ms;
        let value = price.notional(qty);
        let fee = if maker { Amount::ZERO } else { Amount::from_raw(value.raw() / 2000) };
        let order = &mut self.orders[at];
        order.filled += qty;
        order.quote += value;
        order.status = if order.filled == order.qty { "FILLED" } else { "PARTIALLY_FILLED" };
        order.trades.push(VenueTrade { id, price, qty, fee, maker, time, hidden });
        let (side, limit, base) = (order.side, order.price, order.symbol[..3].to_owned());
        match side {
            Side::Buy => {
                let locked = limit.notional(qty);
                self.change("USDC", locked - value - fee, -locked, "ENTRUST");
                self.change(&base, Amount::from(qty), Amount::ZERO, "ENTRUST");
            }
            Side::Sell => {
                self.change(&base, Amount::ZERO, -Amount::from(qty), "ENTRUST");
                self.change("USDC", value - fee, Amount::ZERO, "ENTRUST");
            }
        }
        if !hidden {
            self.tell_deal(at);
        }
        self.tell_order(at);
    }

    /// Ends an open order: the rest is cancelled and unlocked.
    pub fn end(&mut self, at: usize) {
        let order = &mut self.orders[at];
        order.status = if order.filled.is_zero() { "CANCELED" } else { "PARTIALLY_CANCELED" };
        let left = order.qty - order.filled;
        let (asset, unlocked) = match order.side {
            Side::Buy => ("USDC".to_owned(), order.price.notional(left)),
            Side::Sell => (order.symbol[..3].to_owned(), Amount::from(left)),
        };
        self.change(&asset, unlocked, -unlocked, "ENTRUST_CANCEL");
        self.tell_order(at);
    }
}

fn row(order: &VenueOrder) -> Value {
    json!({
        "symbol": order.symbol, "orderId": order.id, "orderListId": -1, "clientOrderId": order.client_id,
        "price": order.price.to_string(), "origQty": order.qty.to_string(),
        "executedQty": order.filled.to_string(), "cummulativeQuoteQty": order.quote.to_string(),
        "status": order.status, "timeInForce": null, "type": order.kind, "side": order.side.as_str(),
        "time": order.time, "updateTime": null, "isWorking": true,
    })
}
