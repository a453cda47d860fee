//! Text of requests; vectors of the project's API reference §2.

use flashpod_mexc::Signer;
use flashpod_mexc::request::*;
use flashpod_types::{Millis, OrderType, Side};

const STAMP: Stamp = Stamp { timestamp: Millis(1_760_000_000_000), recv_window_ms: 5000 };

fn order(kind: OrderType, client_id: &str) -> NewOrder {
    NewOrder {
        symbol: "BTCUSDC".parse().unwrap(),
        side: Side::Buy,
        kind,
        size: Size::Base("0.001".parse().unwrap()),
        price: Some("100000".parse().unwrap()),
        client_id: client_id.parse().unwrap(),
    }
}

#[test]
fn an_order_reads_and_signs_as_the_reference_vector() {
    let request = new_order(&order(OrderType::LimitMaker, "t-1"), STAMP);
    assert_eq!(
        request.params,
        "symbol=BTCUSDC&side=BUY&type=LIMIT_MAKER&quantity=0.001&price=100000&newClientOrderId=t-1&recvWindow=5000&timestamp=1760000000000"
    );
    assert_eq!(
        Signer::new("sim-secret-0123456789abcdef").sign(&request.params, ""),
        "1cbd02af1e9dbf130aacb8c497c8d908046a52c97a5847aeed21981c76b92279"
    );
    assert_eq!((request.method, request.path, request.signed), (Method::Post, "/api/v3/order", true));
}

#[test]
fn a_batch_is_escaped_in_upper_case_as_in_the_reference_vector() {
    let request = batch_orders(&[order(OrderType::Limit, "")], STAMP);
    assert_eq!(
        request.params,
        "batchOrders=%5B%7B%22symbol%22%3A%22BTCUSDC%22%2C%22side%22%3A%22BUY%22%2C%22type%22%3A%22LIMIT%22%2C%22quantity%22%3A%220.001%22%2C%22price%22%3A%22100000%22%7D%5D&recvWindow=5000&timestamp=1760000000000"
    );
}

#[test]
fn a_market_order_may_state_quote_units_and_has_no_price() {
    let market = NewOrder {
        kind: OrderType::Market,
        size: Size::Quote("12.5".parse().unwrap()),
        price: None,
        ..order(OrderType::Market, "")
    };
    assert_eq!(
        new_order(&market, STAMP).params,
        "symbol=BTCUSDC&side=BUY&type=MARKET&quoteOrderQty=12.5&recvWindow=5000&timestamp=1760000000000"
    );
}

#[test]
fn an_order_is_named_by_either_id() {
    let symbol = "BTCUSDC".parse().unwrap();
    let by_client = cancel_order(symbol, OrderRef::Client("a b".parse().unwrap()), STAMP);
    assert!(by_client.params.starts_with("symbol=BTCUSDC&origClientOrderId=a%20b&recvWindow="));
    let by_venue = query_order(symbol, OrderRef::Venue("C02__1".parse().unwrap()), STAMP);
    assert!(by_venue.params.starts_with("symbol=BTCUSDC&orderId=C02__1&recvWindow="));
    assert_eq!((by_client.method, by_venue.method), (Method::Delete, Method::Get));
}

#[test]
fn lists_are_paged_by_time() {
    let page = Page { start: Some(Millis(1)), end: Some(Millis(2)), limit: Some(100) };
    let request = my_trades("BTCUSDC".parse().unwrap(), None, page, STAMP);
    assert_eq!(
        request.params,
        "symbol=BTCUSDC&startTime=1&endTime=2&limit=100&recvWindow=5000&timestamp=1760000000000"
    );
}

#[test]
fn public_calls_are_not_signed() {
    assert_eq!(depth("BTCUSDC".parse().unwrap(), 5000).params, "symbol=BTCUSDC&limit=5000");
    assert_eq!(exchange_info(&[]).params, "");
    let both = ["BTCUSDC".parse().unwrap(), "ETHUSDC".parse().unwrap()];
    assert_eq!(exchange_info(&both[..1]).params, "symbol=BTCUSDC");
    assert_eq!(exchange_info(&both).params, "symbols=BTCUSDC%2CETHUSDC");
    assert!(!time().signed && account(STAMP).signed);
}
