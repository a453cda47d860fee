//! Faults strike where and when they are told to, are counted, and the audit still knows the truth.

use crate::support::{Desk, ask, depth, order, request, told, trade};
use bytes::Bytes;
use flashpod_mexc::push::{PushDataV3ApiWrapper, push_data_v3_api_wrapper::Body};
use flashpod_types::Side;
use flashpod_venue::exchange::{Fate, HttpReply, Output, SessionId};
use flashpod_venue::replay::Tick;
use prost::Message;
use serde_json::{Value, json};

const DEPTH: &str = "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC";

/// `count` depth updates, versions 11 and on.
fn updates(count: u64) -> Vec<Tick> {
    (0..count).map(|n| depth(1_000 + n.cast_signed(), 11 + n, vec![ask("100001", "2")])).collect()
}

/// A recorded market with one reader of its depth.
fn reader(ticks: Vec<Tick>, faults: Value) -> (Desk, SessionId) {
    let mut desk = Desk::recorded_with(&[], ticks, &faults);
    let session = desk.open(None).unwrap();
    desk.subscribe(session, &[DEPTH]);
    (desk, session)
}

/// Versions of the depth pushes that a session got since the last call.
fn versions(desk: &mut Desk, session: SessionId) -> Vec<u64> {
    desk.pushes(session).iter().map(|frame| crate::book::versions(frame).1).collect()
}

fn struck(desk: &Desk, kind: &str) -> u64 {
    desk.audit()["counters"]["faults"][kind].as_u64().unwrap_or_else(|| panic!("no counter of {kind}"))
}

/// A signed request; status, code (0 without) and what became of the reply.
fn ask_for(desk: &mut Desk, method: &str, path: &str, params: &str) -> HttpReply {
    let mut query = format!("{params}&timestamp={}", desk.now.as_millis());
    flashpod_mexc::Signer::new(crate::support::SECRET).append(&mut query);
    desk.request(&request(method, path, &query, Some(crate::support::KEY)))
}

#[test]
fn a_hidden_deal_is_in_balances_order_and_audit_but_never_told() {
    let ticks = vec![trade(1_000, "99000", "0.1", Side::Sell), trade(1_010, "99000", "0.1", Side::Sell)];
    let mut desk = Desk::recorded_with(&[], ticks, &json!([{ "kind": "hideDeal", "nth": 2 }]));
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
    assert_eq!(struck(&desk, "hideDeal"), 1);
}

#[test]
fn a_dropped_push_is_a_hole_for_all_its_readers() {
    let fault = json!([{ "kind": "dropPush", "channel": "aggre.depth", "symbol": "BTCUSDC", "nth": 2 }]);
    let (mut desk, first) = reader(updates(4), fault);
    let second = desk.open(None).unwrap();
    desk.subscribe(second, &[DEPTH]);
    desk.play(4);
    for session in [first, second] {
        assert_eq!(versions(&mut desk, session), [11, 13, 14]);
    }
    assert_eq!(desk.get("/audit", "")["counters"]["pushesDroppedByFault"], 1);
    assert_eq!(struck(&desk, "dropPush"), 1);
}

#[test]
fn a_lost_push_is_a_hole_for_one_reader() {
    let (mut desk, first) = reader(updates(4), json!([{ "kind": "loss", "on": "public", "nth": 4 }]));
    let second = desk.open(None).unwrap();
    desk.subscribe(second, &[DEPTH]);
    // The desk's own session reads as well: frames are counted per socket.
    desk.play(4);
    assert_eq!(versions(&mut desk, first), [11, 12, 13, 14]);
    assert_eq!(versions(&mut desk, second), [11, 12, 13, 14]);
    assert_eq!(struck(&desk, "loss"), 1);
    let (mut desk, session) = reader(updates(4), json!([{ "kind": "loss", "on": "public", "nth": 4 }]));
    desk.play(4);
    assert_eq!(versions(&mut desk, session), [11, 13, 14]);
}

#[test]
fn a_gap_takes_several_depth_pushes_of_one_reader_in_a_row() {
    let fault = json!([{ "kind": "gap", "symbol": "BTCUSDC", "pushes": 3, "nth": 4 }]);
    let (mut desk, session) = reader(updates(7), fault);
    desk.play(7);
    assert_eq!(versions(&mut desk, session), [11, 15, 16, 17]);
    assert_eq!(struck(&desk, "gap"), 1);
}

#[test]
fn a_duplicate_comes_twice_and_a_reordered_push_after_its_successor() {
    let faults = json!([
        { "kind": "duplicate", "on": "public", "channel": "aggre.depth", "nth": 2 },
        { "kind": "reorder", "on": "public", "nth": 6 },
    ]);
    let (mut desk, session) = reader(updates(5), faults);
    desk.play(5);
    assert_eq!(versions(&mut desk, session), [11, 11, 12, 14, 13, 15]);
    assert_eq!((struck(&desk, "duplicate"), struck(&desk, "reorder")), (1, 1));
    assert_eq!(desk.audit()["counters"]["faultsEach"], json!([1, 1]));
    // Without a successor it comes a second later at the latest.
    let (mut desk, session) = reader(updates(1), json!([{ "kind": "reorder", "on": "public", "nth": 2 }]));
    desk.wait_ms(100);
    desk.play(1);
    desk.wait_ms(500);
    assert!(versions(&mut desk, session).is_empty());
    desk.wait_ms(500);
    assert_eq!(versions(&mut desk, session), [11]);
}

#[test]
fn a_delayed_push_holds_up_all_behind_it_on_its_socket() {
    let fault = json!([{ "kind": "delay", "on": "public", "delayMs": 300, "nth": 2 }]);
    let (mut desk, session) = reader(updates(3), fault);
    desk.play(3);
    assert!(versions(&mut desk, session).is_empty());
    // An answer on the same connection waits behind it too.
    desk.exchange.on_text(desk.now, session, r#"{"method":"PING"}"#);
    desk.wait_ms(299);
    assert!(desk.outputs.iter().all(|o| !matches!(o, Output::Text(of, _) if *of == session)));
    desk.wait_ms(1);
    let last = desk.outputs.iter().rposition(|o| matches!(o, Output::Push(of, _) if *of == session));
    let pong = desk.outputs.iter().position(|o| matches!(o, Output::Text(of, _) if *of == session));
    assert!(last.unwrap() < pong.unwrap());
    assert_eq!(versions(&mut desk, session), [11, 12, 13]);
    assert_eq!(struck(&desk, "delay"), 1);
}

#[test]
fn a_reset_takes_one_socket_without_a_word() {
    let (mut desk, session) = reader(updates(3), json!([{ "kind": "reset", "on": "public", "nth": 4 }]));
    desk.play(3);
    assert_eq!(versions(&mut desk, session), [11]);
    assert!(desk.outputs.iter().any(|o| matches!(o, Output::Reset(of) if *of == session)));
    assert!(!desk.closed(session));
    assert_eq!(struck(&desk, "reset"), 1);
}

#[test]
fn a_cut_takes_one_socket_of_its_kind_once() {
    let fault = json!([{ "kind": "disconnect", "stream": "public", "afterPushes": 20 }]);
    let mut desk = Desk::synthetic_with(&[], &fault);
    let public = desk.open(None).unwrap();
    let private = desk.private();
    desk.subscribe(public, &[DEPTH]);
    desk.wait_ms(3_000);
    assert_eq!(desk.pushes(public).len(), 20);
    assert!(desk.closed(public) && !desk.closed(private));
    let again = desk.open(None).unwrap();
    desk.subscribe(again, &[DEPTH]);
    desk.wait_ms(3_000);
    assert!(desk.pushes(again).len() > 20 && !desk.closed(again));
    assert_eq!(struck(&desk, "disconnect"), 1);
}

#[test]
fn a_silence_lets_nothing_through_not_even_answers_to_pings() {
    // As long as the window.
    let fault = json!([{ "kind": "silence", "on": "public", "from": "1s", "for": "2s" }]);
    let mut desk = Desk::synthetic_with(&[], &fault);
    let (public, private) = (desk.open(None).unwrap(), desk.private());
    desk.subscribe(public, &[DEPTH]);
    desk.wait_ms(900);
    assert!(desk.pushes(public).len() > 10);
    assert!(desk.exchange.on_ping(desk.now, public));
    desk.wait_ms(200);
    desk.pushes(public);
    desk.wait_ms(1_500);
    assert!(desk.pushes(public).is_empty());
    assert!(!desk.exchange.on_ping(desk.now, public));
    assert!(desk.exchange.on_ping(desk.now, private));
    desk.exchange.on_text(desk.now, public, r#"{"method":"PING"}"#);
    desk.collect();
    assert!(desk.outputs.iter().all(|o| !matches!(o, Output::Text(of, _) if *of == public)));
    desk.wait_ms(1_000);
    assert!(desk.pushes(public).len() > 5 && !desk.closed(public));
    assert!(struck(&desk, "silence") > 10);
    // From an occasion on, one socket for so long.
    let fault = json!([{ "kind": "silence", "on": "public", "lasts": "1s", "nth": 3 }]);
    let mut desk = Desk::synthetic_with(&[], &fault);
    let public = desk.open(None).unwrap();
    desk.subscribe(public, &[DEPTH]);
    desk.wait_ms(900);
    assert_eq!(desk.pushes(public).len(), 2);
    // Each message that it swallowed counts once, the one that began it too.
    assert_eq!(struck(&desk, "silence"), desk.audit()["counters"]["pushes"].as_u64().unwrap() - 2);
    desk.wait_ms(1_000);
    assert!(desk.pushes(public).len() > 5);
}

#[test]
fn a_silence_on_rest_counts_each_request_once_and_does_not_prolong_itself() {
    let fault = json!([{ "kind": "silence", "on": "rest", "path": "/api/v3/time", "apply": true,
        "lasts": "2s", "from": "1s", "for": "1500ms" }]);
    let mut desk = Desk::recorded_with(&[], vec![], &fault);
    let mut fate_at = |ms: u64| {
        desk.wait_ms(ms);
        desk.request(&request("GET", "/api/v3/time", "", None)).fate
    };
    let fates = [0, 1_000, 1_000, 900, 200].map(&mut fate_at);
    assert_eq!(fates, [Fate::Sent, Fate::Lost, Fate::Lost, Fate::Lost, Fate::Sent]);
    assert_eq!(struck(&desk, "silence"), 3);
}

/// The bytes of the pushes that a session got.
fn raw(desk: &mut Desk, session: SessionId) -> Vec<Bytes> {
    desk.collect();
    let push = |output: &Output| match output {
        Output::Push(of, bytes) if *of == session => Some(bytes.clone()),
        _ => None,
    };
    desk.outputs.iter().filter_map(push).collect()
}

#[test]
fn a_malformed_push_is_garbage_cut_off_or_of_another_channel() {
    let spoiled = |shape: &str| {
        let fault = json!([{ "kind": "malformed", "on": "public", "shape": shape, "nth": 4 }]);
        let (mut desk, session) = reader(updates(3), fault);
        desk.play(3);
        assert_eq!(struck(&desk, "malformed"), 1);
        let frames = raw(&mut desk, session);
        let sound = |bytes: &Bytes| PushDataV3ApiWrapper::decode(bytes.clone());
        assert!(sound(&frames[0]).is_ok() && sound(&frames[2]).is_ok());
        (frames[0].len(), frames[1].clone())
    };
    for shape in ["garbage", "truncated"] {
        let (_, bytes) = spoiled(shape);
        assert!(!bytes.is_empty() && PushDataV3ApiWrapper::decode(bytes).is_err(), "{shape}");
    }
    assert_eq!(spoiled("garbage"), spoiled("garbage"), "seeded");
    let (whole, cut) = spoiled("truncated");
    assert!(cut.len() < whole);
    let other = PushDataV3ApiWrapper::decode(spoiled("other").1).unwrap();
    assert_eq!(other.symbol.as_deref(), Some("OTHERUSDC"));
    assert!(matches!(other.body, Some(Body::PublicAggreDepths(_))) && other.channel != DEPTH);
}

#[test]
fn one_depth_push_has_versions_that_jump_or_a_book_that_is_crossed() {
    let spoiled = |fault: Value| {
        let (mut desk, session) = reader(updates(3), json!([fault]));
        desk.play(3);
        desk.pushes(session)
    };
    let jumped = spoiled(json!({ "kind": "jump", "by": 500, "nth": 4 }));
    let versions: Vec<u64> = jumped.iter().map(|frame| crate::book::versions(frame).1).collect();
    assert_eq!(versions, [11, 512, 13]);
    let crossed = spoiled(json!({ "kind": "crossed", "nth": 4 }));
    let bids = |at: usize| match &crossed[at].body {
        Some(Body::PublicAggreDepths(depth)) => depth.bids.clone(),
        other => panic!("{other:?}"),
    };
    assert!(bids(0).is_empty() && bids(2).is_empty());
    assert_eq!(bids(1)[0].price, "1100001.00", "the frame's ask is 100001");
}

#[test]
fn faults_are_replaced_while_the_exchange_runs_if_that_was_asked_for() {
    let put = |desk: &mut Desk, body: &str| {
        let mut put = request("PUT", "/faults", "", None);
        put.body = body.to_owned();
        desk.request(&put)
    };
    let lost = r#"{"faults":[{"kind":"5xx","path":"/api/v3/time","apply":true,"from":"0s"}]}"#;
    let mut desk = Desk::recorded(&[], vec![]);
    assert_eq!(put(&mut desk, lost).status, 404);
    let mut desk = Desk::recorded(&["faultControl=on"], vec![]);
    let time = |desk: &mut Desk| desk.send("GET", "/api/v3/time", "", None).0;
    assert_eq!(put(&mut desk, lost).status, 200);
    assert_eq!((time(&mut desk), struck(&desk, "5xx")), (503, 1));
    let refused = put(&mut desk, r#"{"faults":[{"kind":"5xx","nth":1}]}"#);
    assert!(refused.status == 400 && refused.body.contains("faults[0].apply: is missing"), "{refused:?}");
    assert_eq!((time(&mut desk), struck(&desk, "5xx")), (503, 2), "a mistake changes nothing");
    assert_eq!(put(&mut desk, lost).status, 200);
    assert_eq!(struck(&desk, "5xx"), 0, "counted anew");
    assert_eq!(put(&mut desk, r#"{"faults":[]}"#).status, 200);
    assert_eq!(time(&mut desk), 200);
}

#[test]
fn an_answer_on_its_way_is_malformed_after_its_fault_is_gone() {
    let fault = json!([{ "kind": "malformed", "on": "rest", "shape": "garbage", "nth": 1 }]);
    let mut desk = Desk::recorded_with(&["faultControl=on", "latencyMs=20"], vec![], &fault);
    let mut query = format!("{}&timestamp={}", order("BUY", "LIMIT", "0.01", "99000"), desk.now.as_millis());
    flashpod_mexc::Signer::new(crate::support::SECRET).append(&mut query);
    let placed = request("POST", "/api/v3/order", &query, Some(crate::support::KEY));
    let id = flashpod_venue::exchange::RequestId(1_000);
    desk.exchange.handle_http(desk.now, id, &placed);
    let mut none = request("PUT", "/faults", "", None);
    none.body = r#"{"faults":[]}"#.to_owned();
    assert_eq!(desk.request(&none).status, 200);
    desk.wait_ms(20);
    let reply = desk.outputs.iter().find_map(|output| match output {
        Output::Reply(of, reply) if *of == id => Some(reply.body.clone()),
        _ => None,
    });
    assert!(serde_json::from_str::<Value>(&reply.unwrap()).is_err());
}

#[test]
fn private_pushes_have_faults_of_their_own() {
    let faults = json!([
        { "kind": "loss", "on": "private", "channel": "private.deals", "nth": 1 },
        { "kind": "duplicate", "on": "private", "channel": "private.orders", "nth": 1 },
    ]);
    let mut desk = Desk::recorded_with(&["privateShuffle=off"], updates(2), &faults);
    let session = desk.private();
    desk.place("BUY", "MARKET", "0.01", "");
    let seen = told(&desk.pushes(session));
    let count = |start: &str| seen.iter().filter(|note| note.starts_with(start)).count();
    assert_eq!((count("deal"), count("order 1"), count("order 2")), (0, 2, 1), "{seen:?}");
    // The deal is still where a client can ask for it.
    assert_eq!(desk.ok("GET", "/api/v3/myTrades", "symbol=BTCUSDC").as_array().unwrap().len(), 1);
}

#[test]
fn chances_are_seeded_and_windows_are_kept() {
    let run = |seed: u64| {
        let fault = json!([{ "kind": "loss", "on": "public", "probability": 0.3, "seed": seed }]);
        let (mut desk, session) = reader(updates(200), fault);
        desk.play(200);
        versions(&mut desk, session)
    };
    let kept = run(5).len();
    assert!((110..=170).contains(&kept), "{kept} of 200 kept at a chance of 0.3");
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));

    let fault = json!([{ "kind": "loss", "on": "public", "from": "2s", "for": "3s" }]);
    let mut desk = Desk::synthetic_with(&[], &fault);
    let session = desk.open(None).unwrap();
    desk.subscribe(session, &[DEPTH]);
    let seconds: Vec<bool> = (0..7)
        .map(|_| {
            desk.wait_ms(1_000);
            desk.pushes(session).is_empty()
        })
        .collect();
    assert_eq!(seconds, [false, false, true, true, true, false, false]);
}

#[test]
fn a_failed_answer_comes_with_or_without_its_effect() {
    let http = |method: &str, nth: u64, apply: bool, delay_ms: u64| {
        json!({ "kind": "http", "method": method, "path": "/api/v3/order", "nth": nth, "status": 503,
            "apply": apply, "delayMs": delay_ms })
    };
    let faults = json!([http("POST", 1, true, 250), http("POST", 2, false, 0), http("DELETE", 1, true, 0)]);
    let mut desk = Desk::recorded_with(&[], vec![], &faults);
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
    assert_eq!(struck(&desk, "http"), 3);
}

#[test]
fn every_server_error_and_refusal_may_be_ordered() {
    let faults = json!([
        { "kind": "5xx", "status": 504, "apply": true, "method": "POST", "nth": 1 },
        { "kind": "5xx", "apply": false, "method": "POST", "nth": 2 },
        { "kind": "429", "path": "/api/v3/order", "method": "POST", "nth": 3, "retryAfterS": 7 },
        { "kind": "418", "path": "/api/v3/order", "method": "POST", "nth": 4 },
    ]);
    let mut desk = Desk::recorded_with(&[], vec![], &faults);
    let buy = order("BUY", "LIMIT", "0.01", "99000");
    let answers: Vec<_> = (0..5)
        .map(|_| {
            let reply = ask_for(&mut desk, "POST", "/api/v3/order", &buy);
            (reply.status, reply.retry_after)
        })
        .collect();
    assert_eq!(answers, [(504, None), (503, None), (429, Some(7)), (418, Some(120)), (200, None)]);
    let open = desk.ok("GET", "/api/v3/openOrders", "");
    assert_eq!(open.as_array().unwrap().len(), 2, "the first and the last were booked");
    assert_eq!((struck(&desk, "5xx"), struck(&desk, "429"), struck(&desk, "418")), (2, 1, 1));
    // They are the file's doing, not the client's.
    let counters = desk.audit()["counters"].clone();
    assert_eq!((&counters["http429"], &counters["http418"]), (&json!(0), &json!(0)));
}

#[test]
fn an_answer_may_be_late_lost_or_a_reset_with_or_without_effect() {
    let on_order = |fault: Value| {
        let mut fault = fault;
        for (name, value) in [("on", "rest"), ("method", "POST"), ("path", "/api/v3/order")] {
            fault[name] = json!(value);
        }
        fault
    };
    let faults = json!([
        on_order(json!({ "kind": "delay", "delayMs": 250, "nth": 1 })),
        on_order(json!({ "kind": "loss", "apply": true, "nth": 2 })),
        on_order(json!({ "kind": "loss", "apply": false, "nth": 3 })),
        on_order(json!({ "kind": "reset", "apply": true, "nth": 4 })),
        on_order(json!({ "kind": "reset", "apply": false, "nth": 5 })),
        on_order(json!({ "kind": "silence", "apply": false, "lasts": "2s", "nth": 6 })),
    ]);
    let mut desk = Desk::recorded_with(&["latencyMs=0"], vec![], &faults);
    let mut placed = |id: &str| {
        let params = format!("{}&newClientOrderId={id}", order("BUY", "LIMIT", "0.01", "99000"));
        let reply = ask_for(&mut desk, "POST", "/api/v3/order", &params);
        (reply.fate, desk.now.as_millis() - crate::support::START_MS)
    };
    assert_eq!(placed("late"), (Fate::Sent, 250));
    assert_eq!(placed("kept"), (Fate::Lost, 250));
    assert_eq!(placed("gone").0, Fate::Lost);
    assert_eq!(placed("kept-too").0, Fate::Reset);
    assert_eq!(placed("gone-too").0, Fate::Reset);
    assert_eq!(placed("unheard").0, Fate::Lost);
    assert_eq!(placed("unheard-too").0, Fate::Lost);
    desk.wait_ms(2_000);
    let open = desk.ok("GET", "/api/v3/openOrders", "");
    let ids: Vec<_> = open.as_array().unwrap().iter().map(|o| o["clientOrderId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["late", "kept", "kept-too"]);
    let counts = ["delay", "loss", "reset", "silence"].map(|kind| struck(&desk, kind));
    assert_eq!(counts, [1, 2, 2, 2]);
    desk.ok("POST", "/api/v3/order", &order("BUY", "LIMIT", "0.01", "99000"));
}

#[test]
fn a_request_that_is_late_meets_its_window() {
    let fault = json!([{ "kind": "delay", "on": "rest", "leg": "request", "method": "POST",
        "delayMs": 6_000, "nth": 1 }]);
    let mut desk = Desk::recorded_with(&[], vec![], &fault);
    // 5 s is the default of recvWindow.
    let refused = desk.signed("POST", "/api/v3/order", &order("BUY", "LIMIT", "0.01", "99000"));
    assert_eq!((refused.0, &refused.1["code"]), (400, &json!(700_003)));
    assert_eq!(desk.now.as_millis(), crate::support::START_MS + 6_000);
}

#[test]
fn a_malformed_answer_is_garbage_cut_off_or_of_another_endpoint() {
    let malformed = |shape: &str, nth: u64| json!({ "kind": "malformed", "on": "rest", "path": "/api/v3/time", "shape": shape, "nth": nth });
    let faults = json!([malformed("garbage", 1), malformed("truncated", 2), malformed("other", 3)]);
    let mut desk = Desk::recorded_with(&[], vec![], &faults);
    let mut body = || {
        let reply = desk.request(&request("GET", "/api/v3/time", "", None));
        assert_eq!(reply.status, 200);
        reply.body
    };
    let [garbage, truncated, other] = [body(), body(), body()];
    for text in [&garbage, &truncated] {
        assert!(!text.is_empty() && serde_json::from_str::<Value>(text).is_err(), "{text}");
    }
    assert!(truncated.starts_with("{\"serverT") && other == "{}");
    assert!(body().contains("serverTime"));
}
