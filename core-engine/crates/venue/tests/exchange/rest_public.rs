//! Market data: shapes and rules of the API reference §5.

use crate::support::Desk;
use flashpod_types::Price;

fn price(value: &serde_json::Value) -> Price {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn time_ping_and_symbols() {
    let mut desk = Desk::synthetic(&[]);
    assert_eq!(desk.get("/api/v3/ping", ""), serde_json::json!({}));
    assert_eq!(desk.get("/api/v3/time", "")["serverTime"], crate::support::START_MS);
    let symbols = desk.get("/api/v3/defaultSymbols", "");
    assert_eq!(symbols["data"], serde_json::json!(["BTCUSDC", "ETHUSDC"]));
    assert_eq!(desk.get("/api/v1/contract/detail", "")["data"], serde_json::json!([]));
}

#[test]
fn exchange_info_is_for_all_one_or_several_and_states_the_filters() {
    let mut desk = Desk::synthetic(&["bandUp=1.1", "takerFee=0.001"]);
    let all = desk.get("/api/v3/exchangeInfo", "");
    assert_eq!(all["symbols"].as_array().unwrap().len(), 2);
    let one = &desk.get("/api/v3/exchangeInfo", "symbol=BTCUSDC")["symbols"][0];
    for (field, value) in [
        ("quotePrecision", 2.into()),
        ("baseAssetPrecision", 6.into()),
        ("baseSizePrecision", "0.000001".into()),
        ("quoteAmountPrecision", "1".into()),
        ("maxQuoteAmount", "2000000".into()),
        ("takerCommission", "0.001".into()),
        ("status", "1".into()),
        ("tradeSideType", serde_json::Value::from(1)),
    ] {
        assert_eq!(one[field], value, "{field}");
    }
    assert_eq!(one["filters"][0]["bidMultiplierUp"], "1.1");
    let two = desk.get("/api/v3/exchangeInfo", "symbols=ETHUSDC,BTCUSDC");
    assert_eq!(two["symbols"][0]["symbol"], "ETHUSDC");
    let (status, reply) = desk.send("GET", "/api/v3/exchangeInfo", "symbol=NOPE", None);
    assert_eq!((status, &reply["code"]), (400, &10_007.into()));
}

#[test]
fn depth_is_best_first_uncrossed_and_limited() {
    let mut desk = Desk::synthetic(&[]);
    let book = desk.get("/api/v3/depth", "symbol=BTCUSDC");
    let side = |name: &str| -> Vec<Price> {
        book[name].as_array().unwrap().iter().map(|level| price(&level[0])).collect()
    };
    let (bids, asks) = (side("bids"), side("asks"));
    assert_eq!((bids.len(), asks.len()), (100, 100));
    assert!(bids.is_sorted_by(|a, b| a > b) && asks.is_sorted() && bids[0] < asks[0]);
    assert!(book["lastUpdateId"].is_u64() && book["timestamp"].is_u64());
    let text = book["bids"][0][0].as_str().unwrap();
    assert_eq!(text.split_once('.').unwrap().1.len(), 2, "{text} is not in the pair's precision");
    assert_eq!(desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=5")["asks"].as_array().unwrap().len(), 5);
    assert!(desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=9000")["asks"].as_array().unwrap().len() > 200);
}

#[test]
fn trades_candles_and_tickers_tell_the_same_story() {
    let mut desk = Desk::synthetic(&[]);
    desk.wait_ms(130_000);
    let trades = desk.get("/api/v3/trades", "symbol=BTCUSDC&limit=1000");
    let aggregated = desk.get("/api/v3/aggTrades", "symbol=BTCUSDC&limit=1000");
    assert_eq!(trades.as_array().unwrap().len(), aggregated.as_array().unwrap().len());
    assert_eq!(trades[0]["price"], aggregated[0]["p"]);
    assert_eq!(trades[0]["isBuyerMaker"], aggregated[0]["m"]);
    assert_eq!(trades[0]["tradeType"] == "ASK", trades[0]["isBuyerMaker"] == true);
    let time = aggregated[10]["T"].as_u64().unwrap();
    let window = desk.get("/api/v3/aggTrades", &format!("symbol=BTCUSDC&startTime={time}&endTime={time}"));
    assert!(window.as_array().unwrap().iter().all(|trade| trade["T"] == time));

    let rows = desk.get("/api/v3/klines", "symbol=BTCUSDC&interval=1m");
    let rows = rows.as_array().unwrap();
    assert!(rows.len() >= 3);
    for pair in rows.windows(2) {
        assert_eq!(pair[0].as_array().unwrap().len(), 8);
        assert_eq!(pair[0][6], pair[1][0], "a bar ends where the next one begins");
    }
    assert_eq!(rows.last().unwrap()[4], trades[0]["price"], "the last close is the last trade");
    let (status, reply) = desk.send("GET", "/api/v3/klines", "symbol=BTCUSDC&interval=1h", None);
    assert_eq!((status, &reply["code"]), (400, &33_333.into()), "MEXC calls it 60m");

    let ticker = desk.get("/api/v3/ticker/24hr", "symbol=BTCUSDC");
    assert_eq!(ticker["lastPrice"], trades[0]["price"]);
    assert_eq!(ticker["bidPrice"], desk.get("/api/v3/ticker/bookTicker", "symbol=BTCUSDC")["bidPrice"]);
    assert_eq!(desk.get("/api/v3/ticker/price", "").as_array().unwrap().len(), 2);
    assert_eq!(desk.get("/api/v3/avgPrice", "symbol=BTCUSDC")["mins"], 5);
}
