//! Faults strike where they are told to, and the audit still knows the truth.

mod support;

use flashpod_types::Side;
use flashpod_venue::faults::{Fault, Stream};
use serde_json::json;
use support::{Desk, ask, depth, order, told, trade};

#[test]
fn a_hidden_deal_is_in_balances_order_and_audit_but_never_told() {
    let ticks = vec![trade(1_000, "99000", "0.1", Side::Sell), trade(1_010, "99000", "0.1", Side::Sell)];
    let mut desk = Desk::recorded_with(&[], ticks, vec![Fault::HideDeal { nth: 2 }]);
    let session = desk.private();
    let id = desk.place("BUY", "LIMIT_MAKER", "0.2", "100000");
    desk.pushes(session);
    desk.play(2);
    let seen = told(&desk.pushes(session));
    assert_eq!(seen.iter().filter(|note| note.starts_with("deal")).count(), 1, "{seen:?}");
    assert!(seen.contains(&"order 2".to_owned()));
    assert_eq!(desk.query(&id)["status"], "FILLED");
    assert_eq!(desk.ok("GET", "/api/v3/myTrades", "symbol=BTCUSDC").as_array().unwrap().len(), 1);
    assert_eq!(desk.balance("BTC").0, "10.2");
    let audit = desk.get("/audit", "");
    assert_eq!(audit["accounts"][0]["orders"][0]["fills"].as_array().unwrap().len(), 2);
}

#[test]
fn a_dropped_push_is_a_hole_for_its_readers() {
    let ticks = (0..4).map(|n| depth(1_000 + n, 11 + n.unsigned_abs(), vec![ask("100001", "2")])).collect();
    let fault = Fault::DropPush { channel: "aggre.depth".into(), symbol: Some("BTCUSDC".into()), nth: 2 };
    let mut desk = Desk::recorded_with(&[], ticks, vec![fault]);
    let session = desk.open(None).unwrap();
    desk.subscribe(session, &["spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC"]);
    desk.play(4);
    use flashpod_mexc::push::push_data_v3_api_wrapper::Body;
    let versions: Vec<String> = desk
        .pushes(session)
        .into_iter()
        .map(|frame| match frame.body {
            Some(Body::PublicAggreDepths(body)) => body.to_version,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(versions, ["11", "13", "14"]);
    assert_eq!(desk.get("/audit", "")["counters"]["pushesDroppedByFault"], 1);
}

#[test]
fn a_cut_takes_one_socket_of_its_kind_once() {
    let fault = Fault::Disconnect { stream: Stream::Public, after_pushes: 20 };
    let mut desk = Desk::synthetic_with(&[], vec![fault]);
    let public = desk.open(None).unwrap();
    let private = desk.private();
    desk.subscribe(public, &["spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC"]);
    desk.wait_ms(3_000);
    assert_eq!(desk.pushes(public).len(), 19);
    assert!(desk.closed(public) && !desk.closed(private));
    let again = desk.open(None).unwrap();
    desk.subscribe(again, &["spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC"]);
    desk.wait_ms(3_000);
    assert!(desk.pushes(again).len() > 20 && !desk.closed(again));
}

#[test]
fn a_failed_answer_comes_with_or_without_its_effect() {
    let http = |method: &str, nth: u64, apply: bool, delay_ms: u64| Fault::Http {
        method: method.into(),
        path: "/api/v3/order".into(),
        nth,
        status: 503,
        apply,
        delay_ms,
    };
    let faults = vec![http("POST", 1, true, 250), http("POST", 2, false, 0), http("DELETE", 1, true, 0)];
    let mut desk = Desk::recorded_with(&[], vec![], faults);
    let mine = |id: &str| format!("{}&newClientOrderId={id}", order("BUY", "LIMIT", "0.01", "99000"));
    for id in ["applied", "lost"] {
        let (status, reply) = desk.signed("POST", "/api/v3/order", &mine(id));
        assert_eq!((status, &reply["code"]), (503, &json!(503)));
    }
    desk.ok("POST", "/api/v3/order", &mine("fine"));
    let open = desk.ok("GET", "/api/v3/openOrders", "symbol=BTCUSDC");
    let ids: Vec<_> = open.as_array().unwrap().iter().map(|o| o["clientOrderId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["applied", "fine"]);
    assert_eq!(desk.code("GET", "/api/v3/order", "symbol=BTCUSDC&origClientOrderId=lost"), -2013);
    assert_eq!(desk.signed("DELETE", "/api/v3/order", "symbol=BTCUSDC&origClientOrderId=fine").0, 503);
    let seen = desk.ok("GET", "/api/v3/order", "symbol=BTCUSDC&origClientOrderId=fine");
    assert_eq!(seen["status"], "CANCELED");
}

#[test]
fn a_delayed_answer_says_so_to_the_socket_that_writes_it() {
    let fault = Fault::Http {
        method: "GET".into(),
        path: "/api/v3/time".into(),
        nth: 1,
        status: 200,
        apply: true,
        delay_ms: 250,
    };
    let mut desk = Desk::recorded_with(&[], vec![], vec![fault]);
    let reply = desk.request(&support::request("GET", "/api/v3/time", "", None));
    assert_eq!((reply.status, reply.delay_ms), (200, 250));
}
