//! REST replies as the API reference quotes them, with the null, number and text forms seen in production.

use flashpod_mexc::rest::{self, BatchItem, RestError};
use flashpod_mexc::{OrderStatus, reply::ApiError};
use flashpod_types::{Amount, ClientOrderId, Millis, OrderType, Price, PriceBand, Qty, Side};

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// API reference §5.4, assembled from captures.
const BTCUSDC: &str = r#"{"symbol":"BTCUSDC","status":"1","baseAsset":"BTC","baseAssetPrecision":6,"quoteAsset":"USDC",
 "quotePrecision":2,"quoteAssetPrecision":2,"baseCommissionPrecision":6,"quoteCommissionPrecision":2,
 "orderTypes":["LIMIT","MARKET","LIMIT_MAKER"],"isSpotTradingAllowed":true,"isMarginTradingAllowed":false,
 "quoteAmountPrecision":"1.000000000000000000","baseSizePrecision":"0.000001","permissions":["SPOT"],
 "filters":[{"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"1.2","askMultiplierDown":"0.8"}],
 "maxQuoteAmount":"2000000","makerCommission":"0","takerCommission":"0.0005",
 "quoteAmountPrecisionMarket":"1","maxQuoteAmountMarket":"200000","fullName":"Bitcoin",
 "tradeSideType":1,"contractAddress":"","st":false}"#;

fn exchange_info(symbols: &[String]) -> rest::ExchangeInfo {
    let body = format!(
        r#"{{"timezone":"CST","serverTime":1760000000000,"rateLimits":[],"exchangeFilters":[],"symbols":[{}]}}"#,
        symbols.join(",")
    );
    rest::exchange_info(body.as_bytes()).unwrap()
}

#[test]
fn trading_rules_are_read_under_their_misleading_names() {
    let info = exchange_info(&[BTCUSDC.to_owned()]);
    assert_eq!((info.server_time, info.skipped.len()), (Some(Millis(1_760_000_000_000)), 0));
    let listed = info.find("BTCUSDC".parse().unwrap()).unwrap();
    let instrument = &listed.instrument;
    assert_eq!((instrument.base.as_str(), instrument.quote.as_str()), ("BTC", "USDC"));
    assert_eq!((instrument.tick, instrument.step), (price("0.01"), qty("0.000001")));
    assert_eq!((instrument.min_qty, instrument.min_notional), (qty("0.000001"), amount("1")));
    assert_eq!(instrument.max_notional, amount("2000000"));
    assert_eq!(instrument.band, Some(PriceBand { bid_up: 120_000_000, ask_down: 80_000_000 }));
    assert!(instrument.trading);
    assert_eq!((listed.maker_fee, listed.taker_fee), (Some(Amount::ZERO), Some(amount("0.0005"))));
}

#[test]
fn a_pair_trades_when_online_open_to_the_api_and_in_both_directions() {
    for (from, to, trading) in [
        (r#""status":"1""#, r#""status":"ENABLED""#, true),
        (r#""status":"1""#, r#""status":1"#, true),
        (r#""status":"1""#, r#""status":"2""#, false),
        (r#""isSpotTradingAllowed":true"#, r#""isSpotTradingAllowed":false"#, false),
        (r#""tradeSideType":1"#, r#""tradeSideType":"1""#, true),
        (r#""tradeSideType":1"#, r#""tradeSideType":null"#, true),
        (r#""tradeSideType":1"#, r#""tradeSideType":"2""#, false),
        (r#""tradeSideType":1"#, r#""tradeSideType":4"#, false),
    ] {
        let info = exchange_info(&[BTCUSDC.replace(from, to)]);
        assert_eq!(info.symbols[0].instrument.trading, trading, "{to}");
    }
}

#[test]
fn missing_rules_are_tolerated_where_they_have_a_meaning() {
    let bare = BTCUSDC
        .replace(r#""maxQuoteAmount":"2000000","#, "")
        .replace(r#""quotePrecision":2,"#, "")
        .replace(r#""filterType":"PERCENT_PRICE_BY_SIDE""#, r#""filterType":"OTHER""#)
        .replace(r#""baseSizePrecision":"0.000001""#, r#""baseSizePrecision":"0""#)
        .replace(r#""makerCommission":"0""#, r#""makerCommission":null"#);
    let info = exchange_info(&[bare]);
    let listed = &info.symbols[0];
    assert_eq!(listed.instrument.max_notional, Amount::MAX);
    assert_eq!(listed.instrument.tick, price("0.01"), "falls back to quoteAssetPrecision");
    assert_eq!((listed.instrument.band, listed.instrument.min_qty), (None, Qty::ZERO));
    assert_eq!(listed.maker_fee, None);
}

#[test]
fn an_odd_pair_does_not_hide_the_others() {
    let info = exchange_info(&[
        BTCUSDC.replace(r#""quotePrecision":2"#, r#""quotePrecision":12"#).replace("BTCUSDC", "TINYUSDC"),
        BTCUSDC.replace(r#""symbol":"BTCUSDC""#, r#""symbol":"币安USDC""#),
        BTCUSDC.to_owned(),
    ]);
    assert_eq!(info.symbols.len(), 1);
    assert_eq!(info.skipped[0].name, "TINYUSDC");
    assert!(info.skipped[0].reason.contains("`quotePrecision` is `12`"), "{}", info.skipped[0].reason);
    assert!(info.skipped[1].reason.contains("ASCII"), "{}", info.skipped[1].reason);
}

#[test]
fn a_depth_snapshot_is_read_exactly() {
    let body = br#"{"lastUpdateId":1003,"bids":[["99999.99","0.5"]],"asks":[["100000.01","0.25"],[100000.02,1e-3]],"timestamp":1760000000000}"#;
    let depth = rest::depth(body).unwrap();
    assert_eq!((depth.last_update_id, depth.timestamp), (1003, Some(Millis(1_760_000_000_000))));
    assert_eq!(depth.bids, [(price("99999.99"), qty("0.5"))]);
    assert_eq!(depth.asks[1], (price("100000.02"), qty("0.001")));
    for body in [
        r#"{"bids":[],"asks":[]}"#,
        r#"{"lastUpdateId":-1,"bids":[],"asks":[]}"#,
        r#"{"lastUpdateId":1,"bids":[["1"]],"asks":[]}"#,
        r#"{"lastUpdateId":1,"bids":[["x","1"]],"asks":[]}"#,
        r#"{"lastUpdateId":1,"bids":[["e5","1"]],"asks":[]}"#,
        r#"{"lastUpdateId":1,"bids":[["1","e5"]],"asks":[]}"#,
        r#"{"lastUpdateId":1,"bids":[["0","1"]],"asks":[]}"#,
        r#"{"lastUpdateId":1,"bids":[["-1","1"]],"asks":[]}"#,
        r#"{"lastUpdateId":1,"bids":[],"asks":[["1","-1"]]}"#,
        r#"{"lastUpdateId":1,"bids":[]}"#,
    ] {
        assert!(rest::depth(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn a_side_without_orders_has_no_best_price() {
    let ticker = rest::book_ticker(
        br#"{"symbol":"BTCUSDC","bidPrice":"99999.99","bidQty":"0.5","askPrice":null,"askQty":null}"#,
    );
    let ticker = ticker.unwrap();
    assert_eq!((ticker.bid, ticker.ask), (Some((price("99999.99"), qty("0.5"))), None));
}

#[test]
fn an_order_reply_gives_the_venue_id() {
    let body = br#"{"symbol":"BTCUSDC","orderId":"C02__1","orderListId":-1,"price":"100000","origQty":"0.001","type":"LIMIT_MAKER","side":"BUY","stpMode":"","transactTime":1760000000140}"#;
    let ack = rest::order_ack(body).unwrap();
    assert_eq!((ack.order_id.as_str(), ack.transact_time), ("C02__1", Some(Millis(1_760_000_000_140))));
    let captured = br#"{"symbol":"BTCUSDC","orderId":"C02__1","orderListId":"-1","transactTime":null}"#;
    assert_eq!(rest::order_ack(captured).unwrap().transact_time, None);
    let error = rest::order_ack(b"{}").unwrap_err();
    assert_eq!(error, RestError::Missing { what: "order reply", field: "orderId" });
}

#[test]
fn a_batch_reply_mixes_orders_and_refusals() {
    let body = br#"[{"symbol":"BTCUSDC","orderId":"C02__2","newClientOrderId":"b-1","orderListId":-1},{"newClientOrderId":"b-2","msg":"The minimum transaction volume cannot be less than:1USDC","code":30002}]"#;
    let items = rest::batch_reply(body).unwrap();
    let id = |text: &str| text.parse::<ClientOrderId>().unwrap();
    assert_eq!(items[0], BatchItem::Placed { order_id: "C02__2".parse().unwrap(), client_id: id("b-1") });
    let error =
        ApiError { code: 30002, msg: "The minimum transaction volume cannot be less than:1USDC".into() };
    assert_eq!(items[1], BatchItem::Refused { client_id: id("b-2"), error });
}

/// API reference §6.6, with nulls as in production.
const ORDER: &str = r#"{"symbol":"BTCUSDC","orderId":"C02__1","orderListId":-1,"clientOrderId":"t-1","price":"100000","origQty":"0.001","executedQty":"0.0004","cummulativeQuoteQty":"40","status":"PARTIALLY_FILLED","timeInForce":null,"type":"LIMIT","side":"BUY","stopPrice":null,"icebergQty":null,"time":1760000000140,"updateTime":1760000000500,"isWorking":true,"stpMode":"","origQuoteOrderQty":"100"}"#;

#[test]
fn an_order_is_read_with_its_nulls() {
    let order = rest::order(ORDER.as_bytes()).unwrap();
    assert_eq!((order.order_id.as_str(), order.client_id.as_str()), ("C02__1", "t-1"));
    assert_eq!(
        (order.side, order.kind, order.status),
        (Side::Buy, Some(OrderType::Limit), OrderStatus::PartiallyFilled)
    );
    assert_eq!((order.price, order.qty, order.executed), (price("100000"), qty("0.001"), qty("0.0004")));
    assert_eq!((order.executed_quote, order.update_time), (amount("40"), Some(Millis(1_760_000_000_500))));

    let bare = ORDER
        .replace(r#""clientOrderId":"t-1""#, r#""clientOrderId":null"#)
        .replace(r#""updateTime":1760000000500"#, r#""updateTime":null"#)
        .replace(r#""origQty":"0.001""#, r#""Qty":"0.001""#)
        .replace(r#""type":"LIMIT""#, r#""type":"STOP_MARKET_ORDER""#)
        .replace(r#""price":"100000""#, r#""price":"""#);
    let order = rest::order(bare.as_bytes()).unwrap();
    assert!(order.client_id.is_empty());
    assert_eq!(
        (order.update_time, order.kind, order.price, order.qty),
        (None, None, Price::ZERO, qty("0.001"))
    );
    assert_eq!(rest::orders(format!("[{ORDER},{bare}]").as_bytes()).unwrap().len(), 2);
    assert_eq!(rest::orders(b"[]").unwrap(), []);
}

#[test]
fn an_unreadable_order_names_the_field() {
    for (from, to, part) in [
        (r#""status":"PARTIALLY_FILLED""#, r#""status":"EXPIRED""#, "field `status` is `EXPIRED`"),
        (r#""status":"PARTIALLY_FILLED""#, r#""status":null"#, "`status` is missing"),
        (r#""side":"BUY""#, r#""side":"buy""#, "neither BUY nor SELL"),
        (r#""executedQty":"0.0004""#, r#""executedQty":"0.000000001""#, "more decimal places"),
        (
            r#""executedQty":"0.0004""#,
            r#""executedQty":"-0.0004""#,
            "`executedQty` is `-0.0004`, which is negative",
        ),
        (r#""origQty":"0.001""#, r#""origQty":"-1""#, "`origQty` is `-1`, which is negative"),
        (r#""price":"100000""#, r#""price":"-1""#, "`price` is `-1`, which is negative"),
        (r#""time":1760000000140"#, r#""time":9223372036854775807"#, "no time before the year 2262"),
    ] {
        let error = rest::order(ORDER.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = rest::orders(br#"{"code":200}"#).unwrap_err().to_string();
    assert!(error.contains("orders: ") && error.contains(r#"`{"code":200}`"#), "{error}");
}

#[test]
fn a_cancel_is_read_in_all_forms_seen() {
    let full = br#"{"symbol":"BTCUSDC","origClientOrderId":"t-1","orderId":"C02__1","clientOrderId":"x-9","price":"1","origQty":"2","executedQty":"0.5","cummulativeQuoteQty":"0.5","status":"CANCELED","type":"LIMIT","side":"BUY"}"#;
    let cancel = rest::cancel_reply(full).unwrap();
    assert_eq!((cancel.client_id.as_str(), cancel.status), ("t-1", Some(OrderStatus::Cancelled)));
    assert_eq!(cancel.executed, Some(qty("0.5")));
    let minimal =
        br#"{"symbol":"BTCUSDC","orderId":"C02__1","price":"1","origQty":"2","type":"LIMIT","side":"BUY"}"#;
    let cancel = rest::cancel_reply(minimal).unwrap();
    assert_eq!((cancel.status, cancel.executed, cancel.client_id.is_empty()), (None, None, true));
    let all = rest::cancel_all_reply(br#"[{"orderId":"C02__1","status":"NEW"}]"#).unwrap();
    assert_eq!(all[0].status, Some(OrderStatus::New));
}

#[test]
fn own_trades_are_read() {
    let body = br#"[{"symbol":"BTCUSDC","id":"505X1","orderId":"C02__1","orderListId":-1,"price":"100000","qty":"0.0004","quoteQty":"40","commission":"0.02","commissionAsset":"USDC","time":1760000000000,"isBuyer":false,"isMaker":true,"isBestMatch":true,"isSelfTrade":false,"clientOrderId":null}]"#;
    let [trade] = rest::my_trades(body).unwrap()[..] else { panic!() };
    assert_eq!((trade.trade_id.as_str(), trade.order_id.as_str()), ("505X1", "C02__1"));
    assert_eq!((trade.side, trade.maker, trade.self_trade), (Side::Sell, true, false));
    assert_eq!(
        (trade.quote, trade.commission, trade.commission_asset.as_str()),
        (amount("40"), amount("0.02"), "USDC")
    );
    let text = std::str::from_utf8(body).unwrap();
    for (from, to) in
        [(r#""qty":"0.0004""#, r#""qty":"-0.0004""#), (r#""price":"100000""#, r#""price":"-1""#)]
    {
        assert!(rest::my_trades(text.replace(from, to).as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn balances_are_read_and_unlisted_assets_have_none() {
    let body = br#"{"makerCommission":null,"canTrade":true,"updateTime":null,"accountType":"SPOT","balances":[{"asset":"USDC","free":"900","locked":"100","available":"900"},{"asset":"DUST","free":"0.00000000000000000001","locked":"0"}],"permissions":["SPOT"]}"#;
    let account = rest::account(body).unwrap();
    let usdc = account.balance("USDC".parse().unwrap());
    assert_eq!((usdc.free, usdc.locked), (amount("900"), amount("100")));
    assert_eq!(account.balance("BTC".parse().unwrap()).free, Amount::ZERO);
    assert_eq!((account.can_trade, account.skipped[0].name.as_str()), (true, "DUST"));
    assert!(rest::account(b"{}").is_err(), "no balances is not the same as none");
}

#[test]
fn fee_rates_are_exact_although_sent_as_numbers() {
    for (text, taker) in [("0.0005", "0.0005"), ("5.0E-4", "0.0005"), ("\"0.0005\"", "0.0005"), ("0", "0")] {
        let body = format!(
            r#"{{"data":{{"makerCommission":0.0,"takerCommission":{text}}},"code":0,"msg":"success","timestamp":1}}"#
        );
        let fees = rest::trade_fee(body.as_bytes()).unwrap();
        assert_eq!((fees.maker, fees.taker), (Amount::ZERO, amount(taker)), "{text}");
    }
}

#[test]
fn listen_keys_come_alone_or_as_a_list() {
    assert_eq!(rest::listen_key(br#"{"listenKey":"abc"}"#).unwrap(), "abc");
    assert_eq!(rest::listen_keys(br#"{"listenKey":["a","b"]}"#).unwrap(), ["a", "b"]);
    assert_eq!(rest::listen_keys(br#"{"listenKey":"a"}"#).unwrap(), ["a"]);
    assert_eq!(rest::listen_keys(br#"{"listenKey":[]}"#).unwrap(), Vec::<String>::new());
    assert!(rest::listen_key(b"{}").is_err());
}

#[test]
fn tradable_symbols_and_the_time_are_read() {
    let symbols =
        rest::tradable_symbols(r#"{"code":200,"data":["BTCUSDC","币"],"msg":null}"#.as_bytes()).unwrap();
    assert_eq!(symbols, ["BTCUSDC".parse().unwrap()]);
    assert_eq!(rest::time(br#"{"serverTime":1760000000000}"#).unwrap(), Millis(1_760_000_000_000));
    for time in ["9223372036854775807", "-1", "1e12"] {
        assert!(rest::time(format!(r#"{{"serverTime":{time}}}"#).as_bytes()).is_err(), "{time}");
    }
}
