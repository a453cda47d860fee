//! Orders end to end: filters and codes, the fill model, balances, the switches.

use crate::support::{Desk, ask, bid, depth, order, told, trade};
use flashpod_types::{Amount, Side};
use serde_json::{Value, json};

fn place_code(desk: &mut Desk, side: &str, kind: &str, qty: &str, price: &str) -> (i64, String) {
    let (status, reply) = desk.signed("POST", "/api/v3/order", &order(side, kind, qty, price));
    assert_eq!(status, 400, "{reply}");
    (reply["code"].as_i64().unwrap(), reply["msg"].as_str().unwrap().to_owned())
}

#[test]
fn filters_refuse_with_the_published_codes() {
    let mut desk = Desk::recorded(&["orderRate=0"], vec![]);
    for (side, kind, qty, price, code) in [
        ("BUY", "LIMIT", "0.0000001", "100000", 400),
        ("BUY", "LIMIT", "0.001", "100000.001", 400),
        ("BUY", "LIMIT", "-1", "100000", 700_008),
        ("BUY", "LIMIT", "1e-3", "100000", 700_008),
        ("BUY", "LIMIT", "0", "100000", 30_002),
        ("BUY", "LIMIT", "0.000009", "100000", 30_002),
        ("BUY", "LIMIT", "21", "100000", 30_003),
        ("BUY", "MARKET", "2.1", "", 30_003),
        ("BUY", "LIMIT", "0.001", "120000.61", 30_087),
        ("SELL", "LIMIT", "0.001", "79999.99", 30_087),
        ("BUY", "LIMIT", "11", "99000", 30_004),
        ("SELL", "LIMIT", "10.1", "100000", 30_005),
        ("BUY", "LIMIT_MAKER", "0.001", "100001", 30_041),
        ("BUY", "STOP", "0.001", "100001", 33_333),
        ("HOLD", "LIMIT", "0.001", "100001", 33_333),
        ("BUY", "LIMIT", "0.001", "", 44_444),
    ] {
        let (seen, text) = place_code(&mut desk, side, kind, qty, price);
        assert_eq!(seen, code, "{side} {kind} {qty} at {price}: {text}");
    }
    let (_, text) = place_code(&mut desk, "BUY", "LIMIT", "0.000009", "100000");
    assert_eq!(text, "The minimum transaction volume cannot be less than:1USDC");
    let (_, text) = place_code(&mut desk, "BUY", "LIMIT", "0.0000001", "100000");
    assert_eq!(text, " amount scale is invalid");
    let base = "side=BUY&type=LIMIT&quantity=0.001&price=99000";
    assert_eq!(desk.code("POST", "/api/v3/order", &format!("symbol=NOPE&{base}")), 10_007);
    let long = "x".repeat(33);
    let bad = format!("symbol=BTCUSDC&{base}&newClientOrderId={long}");
    assert_eq!(desk.code("POST", "/api/v3/order", &bad), 700_008);
    assert_eq!(desk.balance("USDC"), ("1000000".into(), "0".into()), "a refusal holds nothing");
}

#[test]
fn a_client_id_is_used_once_and_names_its_order() {
    let mut desk = Desk::recorded(&[], vec![]);
    let mine = format!("{}&newClientOrderId=a-1", order("BUY", "LIMIT", "0.001", "99000"));
    desk.ok("POST", "/api/v3/order", &mine);
    assert_eq!(desk.code("POST", "/api/v3/order", &mine), 33_333);
    let seen = desk.ok("GET", "/api/v3/order", "symbol=BTCUSDC&origClientOrderId=a-1");
    assert_eq!((&seen["status"], &seen["clientOrderId"]), (&json!("NEW"), &json!("a-1")));
    let gone = desk.ok("DELETE", "/api/v3/order", "symbol=BTCUSDC&origClientOrderId=a-1");
    assert_eq!(gone["status"], "CANCELED");
    assert_eq!(desk.code("DELETE", "/api/v3/order", "symbol=BTCUSDC&origClientOrderId=a-1"), -2011);
    assert_eq!(desk.code("DELETE", "/api/v3/order", "symbol=BTCUSDC"), 700_004);
    assert_eq!(desk.code("GET", "/api/v3/order", "symbol=BTCUSDC&orderId=C02__9"), -2013);
    assert_eq!(desk.code("GET", "/api/v3/order", "orderId=C02__9"), 44_444);
    // The rival can't see it.
    let hidden = "symbol=BTCUSDC&origClientOrderId=a-1";
    assert_eq!(
        desk.signed_by(crate::support::RIVAL, "rival", "GET", "/api/v3/order", hidden).1["code"],
        -2013
    );
    let mut lax = Desk::recorded(&["duplicateClientId=accept"], vec![]);
    lax.ok("POST", "/api/v3/order", &mine);
    lax.ok("POST", "/api/v3/order", &mine);
}

#[test]
fn a_maker_waits_behind_the_displayed_quantity_and_pays_nothing() {
    let mut desk = Desk::recorded(
        &[],
        vec![
            trade(1_000, "100000", "0.7", Side::Sell),
            trade(1_010, "100000", "0.35", Side::Sell),
            depth(1_020, 11, vec![bid("100000", "0")]),
            trade(1_030, "99999", "0.02", Side::Sell),
            trade(1_040, "99999", "5", Side::Sell),
        ],
    );
    let id = desk.place("BUY", "LIMIT_MAKER", "0.1", "100000");
    assert_eq!(desk.balance("USDC"), ("990000".into(), "10000".into()));
    desk.play(1);
    assert_eq!(desk.query(&id)["executedQty"], "0.000000");
    desk.play(1);
    assert_eq!(desk.query(&id)["executedQty"], "0.050000");
    assert_eq!(desk.query(&id)["status"], "PARTIALLY_FILLED");
    desk.play(2);
    assert_eq!(desk.query(&id)["executedQty"], "0.070000", "through the price, but no more than was traded");
    desk.play(1);
    let done = desk.query(&id);
    assert_eq!((&done["status"], &done["cummulativeQuoteQty"]), (&json!("FILLED"), &json!("10000")));
    assert_eq!(desk.balance("BTC"), ("10.1".into(), "0".into()));
    assert_eq!(desk.balance("USDC"), ("990000".into(), "0".into()));
    let trades = desk.ok("GET", "/api/v3/myTrades", "symbol=BTCUSDC");
    assert_eq!(trades.as_array().unwrap().len(), 3);
    assert!(trades.as_array().unwrap().iter().all(|t| t["isMaker"] == true && t["commission"] == "0"));
    assert!(trades[0]["time"].as_i64().unwrap() % 1_000 == 0, "whole seconds, as captured");
}

#[test]
fn a_taker_consumes_what_is_displayed_until_the_level_is_updated() {
    let mut desk = Desk::recorded(&["orderRate=0"], vec![depth(1_000, 11, vec![ask("100001", "1")])]);
    let id = desk.place("BUY", "IMMEDIATE_OR_CANCEL", "0.6", "100001");
    assert_eq!(desk.query(&id)["status"], "FILLED");
    let fee = desk.ok("GET", "/api/v3/myTrades", &format!("symbol=BTCUSDC&orderId={id}"))[0].clone();
    assert_eq!((&fee["commission"], &fee["commissionAsset"]), (&json!("30.0003"), &json!("USDC")));
    let id = desk.place("BUY", "IMMEDIATE_OR_CANCEL", "0.6", "100001");
    let seen = desk.query(&id);
    assert_eq!((&seen["status"], &seen["executedQty"]), (&json!("PARTIALLY_CANCELED"), &json!("0.400000")));
    let id = desk.place("BUY", "FILL_OR_KILL", "0.1", "100001");
    assert_eq!(desk.query(&id)["status"], "CANCELED");
    assert_eq!(desk.get("/api/v3/depth", "symbol=BTCUSDC")["asks"][0][1], "1.000000", "never shown");
    desk.play(1);
    let id = desk.place("BUY", "FILL_OR_KILL", "0.1", "100001");
    assert_eq!(desk.query(&id)["status"], "FILLED");
    // 1.1 BTC at 100001 with 5 bp on top.
    assert_eq!(desk.balance("USDC"), ("889943.89945".into(), "0".into()));
}

#[test]
fn a_limit_order_takes_what_crosses_and_rests_behind_the_display() {
    let mut desk = Desk::recorded(&[], vec![trade(1_000, "100001", "0.3", Side::Sell)]);
    let id = desk.place("BUY", "LIMIT", "1.2", "100001");
    assert_eq!(desk.query(&id)["executedQty"], "1.000000");
    assert_eq!(desk.balance("USDC").1, "20000.2");
    desk.play(1);
    assert_eq!(desk.query(&id)["status"], "FILLED", "nobody is displayed at its price: it is first");
    assert_eq!(desk.balance("USDC").1, "0");
}

#[test]
fn market_orders_go_by_quantity_or_by_value_on_both_sides() {
    let mut desk = Desk::recorded(&[], vec![]);
    let by_value =
        |side: &str, value: &str| format!("symbol=BTCUSDC&side={side}&type=MARKET&quoteOrderQty={value}");
    let spent = desk.ok("POST", "/api/v3/order", &by_value("BUY", "150000"))["orderId"].clone();
    let seen = desk.query(spent.as_str().unwrap());
    // 1 BTC at 100001, then 49999 / 100002 rounded down to the step.
    assert_eq!((&seen["status"], &seen["executedQty"]), (&json!("FILLED"), &json!("1.499980")));
    let sold = desk.ok("POST", "/api/v3/order", &by_value("SELL", "50000"))["orderId"].clone();
    assert_eq!(desk.query(sold.as_str().unwrap())["executedQty"], "0.500000");
    let more_than_there_is = desk.place("SELL", "MARKET", "1.9", "");
    assert_eq!(desk.query(&more_than_there_is)["status"], "FILLED");
    let rest = desk.place("SELL", "MARKET", "1.9", "");
    assert_eq!(desk.query(&rest)["status"], "PARTIALLY_CANCELED");
    assert_eq!(desk.code("POST", "/api/v3/order", &order("SELL", "MARKET", "0.1", "")), 30_025);
}

#[test]
fn every_switch_has_its_effect() {
    let cross = order("BUY", "LIMIT_MAKER", "0.01", "100001");
    let mut desk = Desk::recorded(&["limitMakerCross=cancel"], vec![]);
    let id = desk.ok("POST", "/api/v3/order", &cross)["orderId"].clone();
    assert_eq!(desk.query(id.as_str().unwrap())["status"], "CANCELED");
    assert_eq!(desk.balance("USDC"), ("1000000".into(), "0".into()));

    let mut desk = Desk::recorded(&["fokMiss=reject", "iocPartial=canceled", "offStep=round"], vec![]);
    let fok = order("BUY", "FILL_OR_KILL", "3", "100001");
    assert_eq!(desk.code("POST", "/api/v3/order", &fok), 30_025);
    let id = desk.place("BUY", "IMMEDIATE_OR_CANCEL", "1.50000049", "100001.009");
    let seen = desk.query(&id);
    assert_eq!((&seen["status"], &seen["origQty"]), (&json!("CANCELED"), &json!("1.500000")));
    assert_eq!((&seen["price"], &seen["executedQty"]), (&json!("100001.00"), &json!("1.000000")));

    for (reply, status) in
        [("full", json!("CANCELED")), ("minimal", Value::Null), ("statusNew", json!("NEW"))]
    {
        let mut desk = Desk::recorded(&[&format!("cancelReply={reply}")], vec![]);
        let id = desk.place("BUY", "LIMIT", "0.01", "99000");
        let gone = desk.ok("DELETE", "/api/v3/order", &format!("symbol=BTCUSDC&orderId={id}"));
        assert_eq!(gone["status"], status, "{reply}");
    }

    let mut desk = Desk::recorded(&["tradeTimes=ms", "orderQueryNeedsSymbol=off", "maxOpenOrders=1"], vec![]);
    let id = desk.place("BUY", "LIMIT", "0.01", "99000");
    assert_eq!(desk.ok("GET", "/api/v3/order", &format!("orderId={id}"))["orderId"], id);
    assert_eq!(desk.code("POST", "/api/v3/order", &order("BUY", "LIMIT", "0.01", "99000")), 30_029);
}

#[test]
fn a_batch_is_of_one_symbol_and_reports_each_order_by_itself() {
    let mut desk = Desk::recorded(&["batchRate=0"], vec![]);
    let element = |symbol: &str, qty: &str, id: &str| json!({"symbol":symbol,"side":"BUY","type":"LIMIT","quantity":qty,"price":"99000","newClientOrderId":id});
    let send = |desk: &mut Desk, list: &[Value]| {
        let text = Value::Array(list.to_vec()).to_string();
        let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        desk.signed("POST", "/api/v3/batchOrders", &format!("batchOrders={encoded}"))
    };
    let (status, rows) =
        send(&mut desk, &[element("BTCUSDC", "0.01", "b-1"), element("BTCUSDC", "0.00001", "b-2")]);
    assert_eq!((status, &rows[0]["newClientOrderId"]), (200, &json!("b-1")));
    assert!(rows[0]["orderId"].is_string());
    assert_eq!((&rows[1]["code"], &rows[1]["newClientOrderId"]), (&json!(30_002), &json!("b-2")));
    let mixed = [element("BTCUSDC", "0.01", "b-3"), element("ETHUSDC", "0.01", "b-4")];
    assert_eq!(send(&mut desk, &mixed).1["code"], 33_333);
    let many: Vec<Value> = (0..21).map(|n| element("BTCUSDC", "0.01", &format!("c-{n}"))).collect();
    assert_eq!(send(&mut desk, &many).1["code"], 33_333);
    let open = desk.ok("GET", "/api/v3/openOrders", "symbol=BTCUSDC");
    assert_eq!(open.as_array().unwrap().len(), 1);
    assert_eq!(desk.ok("DELETE", "/api/v3/openOrders", "symbol=BTCUSDC").as_array().unwrap().len(), 1);
    assert_eq!(desk.ok("GET", "/api/v3/openOrders", ""), json!([]));
    assert_eq!(desk.ok("GET", "/api/v3/allOrders", "symbol=BTCUSDC").as_array().unwrap().len(), 1);
}

#[test]
fn a_client_order_id_names_its_latest_order() {
    let mut desk = Desk::recorded(&["duplicateClientId=accept"], vec![]);
    let mine = format!("{}&newClientOrderId=again", order("BUY", "LIMIT", "0.01", "99000"));
    let ids: Vec<Value> =
        (0..2).map(|_| desk.ok("POST", "/api/v3/order", &mine)["orderId"].clone()).collect();
    let named = "symbol=BTCUSDC&origClientOrderId=again";
    assert_eq!(desk.ok("GET", "/api/v3/order", named)["orderId"], ids[1]);
    assert_eq!(desk.ok("DELETE", "/api/v3/order", named)["orderId"], ids[1]);
    assert_eq!(desk.code("GET", "/api/v3/order", "symbol=BTCUSDC&origClientOrderId=never"), -2013);
    assert_eq!(desk.query(ids[0].as_str().unwrap())["status"], "NEW");
}

#[test]
fn an_audit_shows_one_moment_however_long_it_takes_to_write() {
    let mut desk = Desk::recorded(&["orderRate=0", "weightPools=off"], vec![]);
    let ids: Vec<String> = (0..200).map(|_| desk.place("BUY", "LIMIT", "0.001", "99000")).collect();
    let picture = desk.exchange.picture();
    desk.ok("DELETE", "/api/v3/openOrders", "symbol=BTCUSDC");
    desk.place("BUY", "MARKET", "0.1", "");
    let shown: Value = serde_json::from_str(&picture.text()).unwrap();
    let orders = shown["accounts"][0]["orders"].as_array().unwrap();
    assert_eq!(orders.iter().map(|o| o["orderId"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    assert!(orders.iter().all(|order| order["status"] == "NEW"));
    let balances = shown["accounts"][0]["balances"].as_array().unwrap();
    let locked = balances.iter().find(|b| b["asset"] == "USDC").unwrap()["locked"].as_str().unwrap();
    assert_eq!(locked, "19800");
    assert_eq!(desk.audit()["counters"]["orders"], 201);
}

#[test]
fn own_orders_stand_in_the_synthetic_book_at_their_place() {
    let mut desk = Desk::synthetic(&["latencyMs=0"]);
    let book = desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=5");
    let (price, shown) = (book["bids"][2][0].as_str().unwrap(), book["bids"][2][1].as_str().unwrap());
    desk.place("BUY", "LIMIT_MAKER", "3", price);
    let after = desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=5");
    let grown: Amount = after["bids"][2][1].as_str().unwrap().parse().unwrap();
    let before: Amount = shown.parse().unwrap();
    assert_eq!(grown, before + "3".parse().unwrap());
    assert_eq!(after["lastUpdateId"].as_u64(), book["lastUpdateId"].as_u64().map(|v| v + 1));
}

#[test]
fn own_orders_of_one_account_meet_each_other_as_self_trades() {
    let mut desk = Desk::synthetic(&["latencyMs=0"]);
    let book = desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=1");
    let ask: flashpod_types::Price = book["asks"][0][0].as_str().unwrap().parse().unwrap();
    let inside = (ask - flashpod_types::Price::from_raw(1_000_000)).to_string();
    let sell = desk.place("SELL", "LIMIT", "0.5", &inside);
    let buy = desk.place("BUY", "IMMEDIATE_OR_CANCEL", "0.5", &inside);
    assert_eq!(
        (desk.query(&sell)["status"].clone(), desk.query(&buy)["status"].clone()),
        (json!("FILLED"), json!("FILLED"))
    );
    let trades = desk.ok("GET", "/api/v3/myTrades", "symbol=BTCUSDC");
    assert!(trades.as_array().unwrap().iter().all(|t| t["isSelfTrade"] == true));
    assert_ne!(trades[0]["id"], trades[1]["id"]);
}

/// Sum of what the deals say, per asset: what the balance must have moved by.
fn moved(audit: &Value, account: usize, asset: &str) -> Amount {
    let amount = |value: &Value| value.as_str().unwrap().parse::<Amount>().unwrap();
    let mut sum = Amount::ZERO;
    for order in audit["accounts"][account]["orders"].as_array().unwrap() {
        let buys = order["side"] == "BUY";
        for fill in order["fills"].as_array().unwrap() {
            let qty: flashpod_types::Qty = fill["qty"].as_str().unwrap().parse().unwrap();
            let price: flashpod_types::Price = fill["price"].as_str().unwrap().parse().unwrap();
            let change = match asset {
                "BTC" => Amount::from(qty),
                "USDC" => -price.notional(qty),
                _ => Amount::ZERO,
            };
            sum += if buys { change } else { -change };
            if fill["commissionAsset"] == asset {
                sum += -amount(&fill["commission"]);
            }
        }
    }
    sum
}

#[test]
fn minutes_of_wild_trading_leave_every_balance_explained_by_its_deals() {
    for fees in [
        ["makerFee=0.0002", "takerFee=0.0005", "feeAsset=quote"],
        ["makerFee=0.00001234", "takerFee=0.00056789", "feeAsset=received"],
        ["makerFee=0.00012345", "takerFee=0.00034567", "feeAsset=mx"],
        ["makerFee=0", "takerFee=0", "feeAsset=quote"],
    ] {
        trade_wildly(&fees);
    }
}

/// What the open orders of an account hold of an asset, at least: their value, fees on top left out.
fn held(audit: &Value, account: usize, asset: &str) -> Amount {
    let mut sum = Amount::ZERO;
    for order in audit["accounts"][account]["orders"].as_array().unwrap() {
        let qty = |name: &str| order[name].as_str().unwrap().parse::<flashpod_types::Qty>().unwrap();
        let left = qty("origQty") - qty("executedQty");
        let price: flashpod_types::Price = order["price"].as_str().unwrap().parse().unwrap();
        if !order["closedUnixNs"].is_null() {
            continue;
        }
        match (asset, order["side"] == "BUY") {
            ("USDC", true) => sum += price.notional(left),
            ("BTC", false) => sum += Amount::from(left),
            _ => {}
        }
    }
    sum
}

fn trade_wildly(fees: &[&str]) {
    let sets = [&["orderRate=0", "weightPools=off", "latencyMs=0"], fees].concat();
    let mut desk = Desk::synthetic(&sets);
    let kinds = ["LIMIT", "LIMIT_MAKER", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL", "MARKET"];
    let mut dice = 12_345_u64;
    let mut roll = |n: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % n
    };
    let start: Amount = "1000000".parse().unwrap();
    for _ in 0..1_500 {
        let book = desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=1");
        let touch: flashpod_types::Price = book["bids"][0][0].as_str().unwrap().parse().unwrap();
        let offset = i64::try_from(roll(600)).unwrap() - 300;
        let price = flashpod_types::Price::from_raw(touch.raw() + offset * 1_000_000).to_string();
        let kind = kinds[usize::try_from(roll(5)).unwrap()];
        let side = if roll(2) == 0 { "BUY" } else { "SELL" };
        let qty = format!("0.{:06}", roll(90_000) + 100);
        let price = if kind == "MARKET" { "" } else { &price };
        let (key, secret) = if roll(3) == 0 {
            (crate::support::RIVAL, "rival")
        } else {
            (crate::support::KEY, crate::support::SECRET)
        };
        let mut params = order(side, kind, &qty, price);
        if kind == "MARKET" && roll(2) == 0 {
            params = format!(
                "symbol=BTCUSDC&side={side}&type=MARKET&quoteOrderQty={}.{:02}",
                roll(9_000) + 1,
                roll(100)
            );
        }
        desk.signed_by(key, secret, "POST", "/api/v3/order", &params);
        if roll(12) == 0 {
            desk.signed_by(key, secret, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDC");
        }
        desk.wait_ms(roll(120));
        desk.outputs.clear();
    }
    let audit = desk.audit();
    let fills: usize = audit["counters"]["trades"].as_u64().unwrap().try_into().unwrap();
    assert!(fills > 300, "only {fills} fills");
    for account in 0..2 {
        for balance in audit["accounts"][account]["balances"].as_array().unwrap() {
            let asset = balance["asset"].as_str().unwrap();
            let amount = |name: &str| balance[name].as_str().unwrap().parse::<Amount>().unwrap();
            assert!(!amount("free").is_negative() && !amount("locked").is_negative(), "{balance}");
            let begun = match asset {
                "USDC" => start,
                "BTC" => "10".parse().unwrap(),
                "MX" => "1000".parse().unwrap(),
                _ => continue,
            };
            let (locked, held) = (amount("locked"), held(&audit, account, asset));
            assert!(
                held <= locked && (asset == "USDC" || held == locked),
                "{asset}: {held} of {locked} is held"
            );
            assert_eq!(amount("free") + amount("locked"), begun + moved(&audit, account, asset), "{asset}");
        }
    }
    desk.ok("DELETE", "/api/v3/order/all", "");
    desk.signed_by(crate::support::RIVAL, "rival", "DELETE", "/api/v3/order/all", "");
    let audit = desk.audit();
    let locked = |b: &Value| b["locked"] == "0";
    let accounts = audit["accounts"].as_array().unwrap();
    assert!(accounts.iter().all(|a| a["balances"].as_array().unwrap().iter().all(locked)));
}

#[test]
fn private_pushes_tell_each_step_and_agree_with_the_balances() {
    let mut desk = Desk::recorded(&["privateShuffle=off"], vec![trade(1_000, "100000", "1.04", Side::Sell)]);
    let session = desk.private();
    let id = desk.place("BUY", "LIMIT_MAKER", "0.1", "100000");
    assert_eq!(told(&desk.pushes(session)), ["USDC ENTRUST_PLACE", "order 1"]);
    desk.play(1);
    let pushes = desk.pushes(session);
    assert_eq!(told(&pushes), ["USDC ENTRUST", "BTC ENTRUST", "order 3", "deal 0.040000"]);
    desk.ok("DELETE", "/api/v3/order", &format!("symbol=BTCUSDC&orderId={id}"));
    let pushes = desk.pushes(session);
    assert_eq!(told(&pushes), ["order 5", "USDC ENTRUST_CANCEL"]);
    use flashpod_mexc::push::push_data_v3_api_wrapper::Body;
    let Some(Body::PrivateAccount(last)) = &pushes[1].body else { panic!() };
    assert_eq!((last.balance_amount.as_str(), last.frozen_amount.as_str()), ("996000", "0"));
    assert_eq!((last.balance_amount_change.as_str(), last.frozen_amount_change.as_str()), ("6000", "-6000"));
}

#[test]
fn the_seed_shuffles_the_pushes_of_one_cause_only() {
    let mut desk = Desk::recorded(&["orderRate=0"], vec![]);
    let session = desk.private();
    let mut orders_seen = std::collections::BTreeSet::new();
    for _ in 0..12 {
        desk.place("BUY", "IMMEDIATE_OR_CANCEL", "0.01", "100001");
        let seen = told(&desk.pushes(session));
        let placing: std::collections::BTreeSet<_> = seen[..2].iter().cloned().collect();
        assert_eq!(placing, ["USDC ENTRUST_PLACE".to_owned(), "order 1".to_owned()].into());
        orders_seen.insert(seen);
    }
    assert!(orders_seen.len() > 3, "always the same order: {orders_seen:?}");
}

#[test]
fn times_at_the_end_of_the_number_range_select_nothing() {
    let mut desk = Desk::recorded(&["weightPools=off"], vec![]);
    desk.place("BUY", "LIMIT", "0.01", "99000");
    for edge in [i64::MIN, i64::MIN + 1, -1, i64::MAX] {
        for name in ["startTime", "endTime"] {
            let window = format!("symbol=BTCUSDC&{name}={edge}");
            for path in ["allOrders", "myTrades"] {
                desk.ok("GET", &format!("/api/v3/{path}"), &window);
            }
            desk.get("/api/v3/klines", &format!("{window}&interval=1m"));
            let both = format!("symbol=BTCUSDC&startTime={edge}&endTime={edge}");
            desk.get("/api/v3/aggTrades", &both);
        }
        let (status, _) = desk.send(
            "GET",
            "/api/v3/uid",
            &format!("timestamp={edge}&recvWindow={edge}"),
            Some(crate::support::KEY),
        );
        assert_eq!(status, 400);
    }
}

#[test]
fn after_the_end_of_the_tape_orders_rest_take_what_is_left_and_can_be_cancelled() {
    let mut desk = Desk::recorded(&[], vec![trade(1_000, "100000", "1.5", Side::Sell)]);
    let resting = desk.place("BUY", "LIMIT", "1", "100000");
    assert_eq!(desk.audit()["symbols"][0]["replayDone"], false);
    desk.play(10);
    assert_eq!(desk.audit()["symbols"][0]["replayDone"], true);
    assert_eq!(desk.query(&resting)["executedQty"], "0.500000");
    let taker = desk.place("BUY", "MARKET", "0.5", "");
    assert_eq!(desk.query(&taker)["status"], "FILLED");
    desk.wait_ms(3_600_000);
    desk.play(10);
    assert_eq!(desk.query(&resting)["status"], "PARTIALLY_FILLED");
    let gone = desk.ok("DELETE", "/api/v3/order", &format!("symbol=BTCUSDC&orderId={resting}"));
    assert_eq!((&gone["status"], desk.balance("USDC").1), (&json!("PARTIALLY_CANCELED"), "0".into()));
}
