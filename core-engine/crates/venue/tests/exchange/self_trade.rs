//! Self-trade prevention: who is in a group with whom, and what each mode cancels.

use crate::support::Desk;
use flashpod_types::Price;
use serde_json::{Value, json};

/// A price inside the spread: nobody else's order is there.
fn inside(desk: &mut Desk) -> String {
    let book = desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=1");
    let ask: Price = book["asks"][0][0].as_str().unwrap().parse().unwrap();
    (ask - Price::from_raw(1_000_000)).to_string()
}

fn desk(sets: &[&str]) -> Desk {
    Desk::synthetic(&[&["latencyMs=0", "orderRate=0", "weightPools=off"], sets].concat())
}

/// Places an order with a mode, of one of the two accounts; its id.
fn place(desk: &mut Desk, rival: bool, side: &str, kind: &str, qty: &str, price: &str, mode: &str) -> String {
    let (key, secret) =
        if rival { (crate::support::RIVAL, "rival") } else { (crate::support::KEY, crate::support::SECRET) };
    let params = format!("{}&stpMode={mode}", crate::support::order(side, kind, qty, price));
    let (status, reply) = desk.signed_by(key, secret, "POST", "/api/v3/order", &params);
    assert_eq!(status, 200, "{reply}");
    assert_eq!(reply["stpMode"], mode);
    reply["orderId"].as_str().unwrap().to_owned()
}

/// Status, reason and filled quantity of an order, as the audit and the query tell it.
fn end(desk: &mut Desk, rival: bool, id: &str) -> (String, Value, String) {
    let (key, secret) =
        if rival { (crate::support::RIVAL, "rival") } else { (crate::support::KEY, crate::support::SECRET) };
    let query = format!("symbol=BTCUSDC&orderId={id}");
    let (_, order) = desk.signed_by(key, secret, "GET", "/api/v3/order", &query);
    let text = |name: &str| order[name].as_str().unwrap().to_owned();
    (text("status"), order["cancelReason"].clone(), text("executedQty"))
}

/// A maker's sell of 0.5 and a taker's buy of 0.5 inside the spread; how both ended.
fn meet(sets: &[&str], group: bool, mode: &str) -> [(String, Value, String); 2] {
    let mut desk = desk(sets);
    if group {
        desk.ok("POST", "/api/v3/strategy/group", "tradeGroupName=desk");
    }
    let price = inside(&mut desk);
    let maker = place(&mut desk, false, "SELL", "LIMIT", "0.5", &price, "");
    let taker = place(&mut desk, false, "BUY", "IMMEDIATE_OR_CANCEL", "0.5", &price, mode);
    [end(&mut desk, false, &maker), end(&mut desk, false, &taker)]
}

fn is(status: &str, reason: Option<&str>, qty: &str) -> (String, Value, String) {
    (status.to_owned(), reason.map_or(Value::Null, |reason| json!(reason)), qty.to_owned())
}

#[test]
fn each_mode_cancels_its_side_and_nothing_is_traded() {
    let stopped = || is("CANCELED", Some("stp_cancel"), "0.000000");
    let untouched = is("NEW", None, "0.000000");
    // The market between them moves by itself: the buy finds nobody else at this price.
    assert_eq!(meet(&[], true, "cancel_taker"), [untouched, stopped()]);
    assert_eq!(meet(&[], true, "CANCEL_BOTH"), [stopped(), stopped()]);
    assert_eq!(meet(&[], true, "cancel_maker"), [stopped(), is("CANCELED", None, "0.000000")]);
}

#[test]
fn without_a_group_or_without_a_mode_orders_of_one_account_trade() {
    let filled = || is("FILLED", None, "0.500000");
    assert_eq!(meet(&[], false, "cancel_taker"), [filled(), filled()]);
    assert_eq!(meet(&[], true, ""), [filled(), filled()]);
    let stopped = is("CANCELED", Some("stp_cancel"), "0.000000");
    assert_eq!(meet(&["stpNeedsGroup=off"], false, "cancel_taker")[1], stopped);
}

#[test]
fn what_is_not_the_groups_is_taken_and_only_the_rest_cancelled() {
    let mut desk = desk(&[]);
    desk.ok("POST", "/api/v3/strategy/group", "tradeGroupName=desk");
    let price = inside(&mut desk);
    place(&mut desk, true, "SELL", "LIMIT", "0.2", &price, "");
    let own = place(&mut desk, false, "SELL", "LIMIT", "0.3", &price, "");
    let taker = place(&mut desk, false, "BUY", "LIMIT", "0.4", &price, "cancel_taker");
    assert_eq!(end(&mut desk, false, &taker), is("PARTIALLY_CANCELED", Some("stp_cancel"), "0.200000"));
    assert_eq!(end(&mut desk, false, &own), is("NEW", None, "0.000000"));
    let audit = desk.audit();
    let locked = &audit["accounts"][0]["balances"].as_array().unwrap().iter().find(|b| b["asset"] == "USDC");
    assert_eq!(locked.unwrap()["locked"], "0", "what the taker held is free again");
    // The own order is out of the way, the buy rests.
    let resting = place(&mut desk, false, "BUY", "LIMIT", "0.4", &price, "cancel_maker");
    assert_eq!(end(&mut desk, false, &own), is("CANCELED", Some("stp_cancel"), "0.000000"));
    assert_eq!(end(&mut desk, false, &resting), is("NEW", None, "0.000000"));
}

#[test]
fn a_market_order_by_value_that_was_stopped_is_not_filled() {
    let mut desk = desk(&[]);
    desk.ok("POST", "/api/v3/strategy/group", "tradeGroupName=desk");
    let price = inside(&mut desk);
    place(&mut desk, true, "SELL", "LIMIT", "0.2", &price, "");
    place(&mut desk, false, "SELL", "LIMIT", "0.3", &price, "");
    let by_value = "symbol=BTCUSDC&side=BUY&type=MARKET&quoteOrderQty=40000&stpMode=cancel_taker";
    let placed = desk.ok("POST", "/api/v3/order", by_value);
    let taker = placed["orderId"].as_str().unwrap();
    assert_eq!(end(&mut desk, false, taker), is("PARTIALLY_CANCELED", Some("stp_cancel"), "0.200000"));
}

#[test]
fn accounts_of_one_group_do_not_meet_until_they_leave() {
    let mut desk = desk(&[]);
    let made = desk.ok("POST", "/api/v3/strategy/group", "tradeGroupName=desk");
    let id = made["data"]["tradeGroupId"].as_u64().unwrap();
    let rival = desk.signed_by(crate::support::RIVAL, "rival", "GET", "/api/v3/uid", "").1["uid"].clone();
    let member = format!("tradeGroupId={id}&uid={}", rival.as_str().unwrap());
    desk.ok("POST", "/api/v3/strategy/group/uid", &member);
    let groups = desk.ok("GET", "/api/v3/strategy/group", "");
    assert_eq!(groups["data"][0]["uid"], json!([rival]));
    let round = |desk: &mut Desk| {
        let price = inside(desk);
        let maker = place(desk, true, "SELL", "LIMIT", "0.1", &price, "");
        let taker = place(desk, false, "BUY", "IMMEDIATE_OR_CANCEL", "0.1", &price, "cancel_both");
        (end(desk, true, &maker).0, end(desk, false, &taker).0)
    };
    assert_eq!(round(&mut desk), ("CANCELED".into(), "CANCELED".into()));
    desk.ok("DELETE", "/api/v3/strategy/group/uid", &member);
    assert_eq!(round(&mut desk), ("FILLED".into(), "FILLED".into()));
    // Of another account's group nothing can be changed.
    let (_, theirs) = desk.signed_by(
        crate::support::RIVAL,
        "rival",
        "DELETE",
        "/api/v3/strategy/group",
        &format!("tradeGroupId={id}"),
    );
    assert_eq!(theirs["code"], 22_222);
    desk.ok("DELETE", "/api/v3/strategy/group", &format!("tradeGroupId={id}"));
    assert_eq!(desk.ok("GET", "/api/v3/strategy/group", "")["data"], json!([]));
}

#[test]
fn groups_have_limits_and_wrong_ones_are_refused() {
    let mut desk = desk(&[]);
    for n in 0..10 {
        desk.ok("POST", "/api/v3/strategy/group", &format!("tradeGroupName=g{n}"));
    }
    assert_eq!(desk.code("POST", "/api/v3/strategy/group", "tradeGroupName=g10"), 26);
    assert_eq!(desk.code("POST", "/api/v3/strategy/group", "tradeGroupName=g1"), 33_333);
    assert_eq!(desk.code("POST", "/api/v3/strategy/group", ""), 44_444);
    assert_eq!(desk.code("POST", "/api/v3/strategy/group/uid", "tradeGroupId=1&uid=5"), 33_333);
    assert_eq!(desk.code("DELETE", "/api/v3/strategy/group", "tradeGroupId=-1"), 22_222);
    let order = format!("{}&stpMode=cancel_all", crate::support::order("BUY", "LIMIT", "0.1", "90000"));
    assert_eq!(desk.code("POST", "/api/v3/order", &order), 33_333);
}
