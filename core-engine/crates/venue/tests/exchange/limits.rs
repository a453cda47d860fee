//! Rates over whole requests.

use crate::support::{Desk, request};

const FAR: &str = "symbol=BTCUSDC&side=BUY&type=LIMIT&quantity=0.001&price=90000";

#[test]
fn place_batch_cancel_and_cancel_all_share_twelve_calls_a_second() {
    let mut desk = Desk::synthetic(&["latencyMs=0"]);
    for _ in 0..8 {
        desk.ok("POST", "/api/v3/order", FAR);
    }
    desk.ok("DELETE", "/api/v3/openOrders", "symbol=BTCUSDC");
    assert_eq!(desk.code("DELETE", "/api/v3/order", "symbol=BTCUSDC&orderId=x"), -2011);
    desk.ok("DELETE", "/api/v3/order/all", "");
    desk.ok("POST", "/api/v3/batchOrders", "batchOrders=%5B%7B%22symbol%22%3A%22BTCUSDC%22%2C%22side%22%3A%22BUY%22%2C%22type%22%3A%22LIMIT%22%2C%22quantity%22%3A%220.001%22%2C%22price%22%3A%2290000%22%7D%5D");
    let (status, reply) = desk.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDC");
    assert_eq!((status, &reply["code"]), (429, &429.into()));
    // Testing an order is not an order call; another account has its own bucket.
    desk.ok("POST", "/api/v3/order/test", FAR);
    assert_eq!(desk.signed_by(crate::support::RIVAL, "rival", "POST", "/api/v3/order", FAR).0, 200);
    desk.wait_ms(1_000);
    desk.ok("POST", "/api/v3/order", FAR);
}

#[test]
fn batches_and_account_queries_have_their_own_rates() {
    let mut desk = Desk::synthetic(&["latencyMs=0"]);
    let batch = "batchOrders=%5B%5D";
    for expected in [33_333, 33_333, 429] {
        assert_eq!(desk.code("POST", "/api/v3/batchOrders", batch), expected);
    }
    desk.ok("GET", "/api/v3/account", "");
    desk.ok("GET", "/api/v3/account", "");
    assert_eq!(desk.code("GET", "/api/v3/account", ""), 429);
}

#[test]
fn going_on_after_429_is_answered_by_418_for_two_minutes() {
    let mut desk = Desk::synthetic(&["weightLimit=20"]);
    desk.get("/api/v3/exchangeInfo", "");
    desk.get("/api/v3/exchangeInfo", "");
    let refused = |desk: &mut Desk| {
        let reply = desk.request(&request("GET", "/api/v3/exchangeInfo", "", None));
        (reply.status, reply.retry_after)
    };
    for _ in 0..9 {
        assert_eq!(refused(&mut desk), (429, Some(1)));
    }
    assert_eq!(refused(&mut desk), (418, Some(120)));
    desk.wait_ms(119_000);
    assert_eq!(refused(&mut desk), (418, Some(1)));
    desk.wait_ms(1_001);
    assert_eq!(refused(&mut desk).0, 200);
    let audit = desk.get("/audit", "");
    assert_eq!((&audit["counters"]["http429"], &audit["counters"]["http418"]), (&9.into(), &2.into()));
}

#[test]
fn tickers_of_all_pairs_weigh_more() {
    let mut desk = Desk::synthetic(&["weightLimit=41"]);
    desk.get("/api/v3/ticker/24hr", "symbol=BTCUSDC");
    desk.get("/api/v3/ticker/24hr", "");
    assert_eq!(desk.send("GET", "/api/v3/time", "", None).0, 429);
}

#[test]
fn a_key_that_nobody_has_fills_no_pool_and_leaves_no_trace() {
    let mut desk = Desk::synthetic(&["banAfter=0"]);
    for n in 0..1_000 {
        desk.wait_ms(20);
        let key = format!("key-of-nobody-{n}");
        let (status, _) = desk.send("POST", "/api/v3/order", FAR, Some(&key));
        assert_eq!(status, 401);
    }
    let kept = format!("{:?}", desk.exchange);
    assert!(!kept.contains("key-of-nobody"), "a million wrong keys would fill the memory");
}
