//! The endpoints.

use flashpod_types::Nanos;
use serde_json::Value;

use super::limits::Bucket;
use super::{ApiError, Params, account, desk, market, orders};
use crate::exchange::Exchange;

/// One admitted request.
#[derive(Debug, Clone)]
pub struct Call {
    pub params: Params,
    /// The account of a signed request.
    account: Option<usize>,
    pub arrived: Nanos,
}

impl Call {
    #[must_use]
    pub fn new(params: Params, account: Option<usize>, arrived: Nanos) -> Self {
        Self { params, account, arrived }
    }

    /// The account of a signed request; every handler that asks is in a signed route.
    pub fn account(&self) -> Result<usize, ApiError> {
        self.account.ok_or_else(|| ApiError::new(401, 401, "No authority"))
    }
}

type Handler = fn(&mut Exchange, &Call) -> Result<Value, ApiError>;

/// One endpoint.
#[derive(Debug)]
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub signed: bool,
    pub bucket: Bucket,
    /// Weight in the pool of the address; signed requests count as much in the pool of the account.
    pub weight: u64,
    /// Reaches the matching engine: takes the venue's latency.
    pub travels: bool,
    pub handler: Handler,
    /// What it does, and the test that shows it.
    pub what: &'static str,
    pub test: &'static str,
}

const fn public(
    path: &'static str,
    weight: u64,
    handler: Handler,
    what: &'static str,
    test: &'static str,
) -> Route {
    Route {
        method: "GET",
        path,
        signed: false,
        bucket: Bucket::None,
        weight,
        travels: false,
        handler,
        what,
        test,
    }
}

const fn signed(
    method: &'static str,
    path: &'static str,
    weight: u64,
    handler: Handler,
    what: &'static str,
    test: &'static str,
) -> Route {
    Route { method, path, signed: true, bucket: Bucket::None, weight, travels: false, handler, what, test }
}

const fn trading(
    method: &'static str,
    path: &'static str,
    bucket: Bucket,
    handler: Handler,
    what: &'static str,
    test: &'static str,
) -> Route {
    Route { method, path, signed: true, bucket, weight: 1, travels: true, handler, what, test }
}

pub const ROUTES: &[Route] = &[
    public("/api/v3/ping", 1, market::ping, "empty object", "rest_public, ccxt"),
    public("/api/v3/time", 1, market::time, "server time", "rest_public, ccxt"),
    public("/api/v3/defaultSymbols", 1, market::default_symbols, "all listed pairs", "rest_public"),
    public(
        "/api/v3/exchangeInfo",
        10,
        market::exchange_info,
        "none, `symbol` or `symbols`",
        "rest_public, ccxt",
    ),
    public("/api/v3/depth", 1, market::depth, "book at the current version", "rest_public, streams, ccxt"),
    public("/api/v3/trades", 5, market::trades, "latest trades", "rest_public, ccxt"),
    public("/api/v3/aggTrades", 1, market::agg_trades, "trades, by time window", "rest_public, ccxt"),
    public("/api/v3/klines", 1, market::klines, "candles of eight elements", "rest_public, ccxt"),
    public("/api/v3/avgPrice", 1, market::avg_price, "mean of five minutes", "rest_public"),
    public("/api/v3/ticker/24hr", 1, market::ticker_24hr, "one or all", "rest_public, ccxt"),
    public("/api/v3/ticker/price", 1, market::ticker_price, "one or all", "rest_public"),
    public("/api/v3/ticker/bookTicker", 1, market::book_ticker, "one or all", "rest_public, ccxt"),
    public("/api/v1/contract/detail", 1, market::contract_detail, "empty: ccxt asks for it", "ccxt"),
    trading("POST", "/api/v3/order", Bucket::Order, orders::place, "five types", "trading, ccxt"),
    trading(
        "POST",
        "/api/v3/batchOrders",
        Bucket::Batch,
        orders::batch,
        "≤ 20 of one symbol",
        "trading, ccxt",
    ),
    trading("DELETE", "/api/v3/order", Bucket::Order, orders::cancel, "by id or client id", "trading, ccxt"),
    trading(
        "DELETE",
        "/api/v3/openOrders",
        Bucket::Order,
        orders::cancel_open,
        "all of a symbol",
        "trading, ccxt",
    ),
    trading("DELETE", "/api/v3/order/all", Bucket::Order, orders::cancel_everything, "all", "trading, ccxt"),
    signed("POST", "/api/v3/order/test", 1, orders::test, "checks without effect", "trading, ccxt"),
    signed("GET", "/api/v3/order", 2, orders::query, "by id or client id", "trading, ccxt"),
    signed("GET", "/api/v3/openOrders", 3, orders::open, "of a symbol or all", "trading, ccxt"),
    signed("GET", "/api/v3/allOrders", 10, orders::all, "of a symbol, by time", "trading, ccxt"),
    Route {
        bucket: Bucket::Account,
        ..signed("GET", "/api/v3/account", 10, account::account, "balances", "trading, limits, ccxt")
    },
    signed("GET", "/api/v3/myTrades", 10, account::my_trades, "own deals, ≤ 100", "trading, faults, ccxt"),
    signed("GET", "/api/v3/tradeFee", 20, account::trade_fee, "fees of the account", "trading, ccxt"),
    signed("GET", "/api/v3/selfSymbols", 1, market::default_symbols, "pairs of this key", "auth"),
    signed("GET", "/api/v3/uid", 1, account::uid, "number of the account", "auth"),
    signed("GET", "/api/v3/mxDeduct/enable", 1, desk::mx_deduct, "fees in MX or not", "fees, ccxt"),
    signed("POST", "/api/v3/mxDeduct/enable", 1, desk::set_mx_deduct, "switches fees in MX", "fees, ccxt"),
    signed(
        "POST",
        "/api/v3/strategy/group",
        20,
        desk::create_group,
        "≤ 10, against self-trades",
        "self_trade, ccxt",
    ),
    signed("GET", "/api/v3/strategy/group", 20, desk::list_groups, "own groups", "self_trade, ccxt"),
    signed("DELETE", "/api/v3/strategy/group", 20, desk::delete_group, "one group", "self_trade"),
    signed("POST", "/api/v3/strategy/group/uid", 20, desk::join_group, "accounts join it", "self_trade"),
    signed("DELETE", "/api/v3/strategy/group/uid", 20, desk::leave_group, "accounts leave it", "self_trade"),
    signed("GET", "/api/v3/capital/config/getall", 10, account::coins, "empty: ccxt asks for it", "ccxt"),
    signed("POST", "/api/v3/userDataStream", 1, account::create_key, "new listen key", "streams, ccxt"),
    signed("GET", "/api/v3/userDataStream", 1, account::list_keys, "valid listen keys", "streams"),
    signed("PUT", "/api/v3/userDataStream", 1, account::extend_key, "another hour", "streams"),
    signed("DELETE", "/api/v3/userDataStream", 1, account::delete_key, "closes its sockets", "streams"),
];

/// The table of the README.
#[must_use]
pub fn table() -> String {
    let mut text = String::from("| endpoint | implemented | test |\n|---|---|---|\n");
    for route in ROUTES {
        let kind = if route.signed { ", signed" } else { "" };
        text.push_str(&format!(
            "| {} {} | {}{kind}; weight {} | {} |\n",
            route.method, route.path, route.what, route.weight, route.test
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_readme_lists_every_endpoint_as_it_is() {
        let table = super::table();
        assert!(
            include_str!("../../README.md").contains(&table),
            "replace the table in README.md by:\n{table}"
        );
    }
}
