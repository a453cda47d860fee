//! WebSocket sessions: acknowledgements, limits, versions, closing, listen keys.

use std::collections::BTreeMap;

use crate::book::{Book, versions};
use crate::support::{Desk, ask, depth};
use flashpod_mexc::push::push_data_v3_api_wrapper::Body;
use flashpod_types::Price;
use flashpod_venue::exchange::Output;
use serde_json::{Value, json};

const DEPTH_10: &str = "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC";
const DEPTH_100: &str = "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDC";

#[test]
fn control_messages_are_acknowledged_as_documented() {
    let mut desk = Desk::synthetic(&[]);
    let session = desk.open(None).unwrap();
    let ack =
        |desk: &mut Desk, text: &str| -> Value { serde_json::from_str(&desk.text(session, text)).unwrap() };
    let numbered = json!({ "id": 7, "method": "SUBSCRIPTION", "params": [DEPTH_10, DEPTH_100] }).to_string();
    assert_eq!(ack(&mut desk, &numbered), json!({"id":7,"code":0,"msg":format!("{DEPTH_10},{DEPTH_100}")}));
    // ccxt pings in lower case and without an id.
    assert_eq!(ack(&mut desk, r#"{"method":"ping"}"#), json!({"id":0,"code":0,"msg":"PONG"}));
    assert_eq!(ack(&mut desk, r#"{"method":"PING"}"#)["msg"], "PONG");
    let off = json!({ "method": "UNSUBSCRIPTION", "params": [DEPTH_100] }).to_string();
    assert_eq!(ack(&mut desk, &off)["msg"], DEPTH_100);
    desk.wait_ms(500);
    assert!(desk.pushes(session).iter().all(|frame| frame.channel == DEPTH_10));
}

#[test]
fn what_cannot_be_subscribed_is_blocked_with_code_zero() {
    let mut desk = Desk::synthetic(&[]);
    let session = desk.open(None).unwrap();
    for channel in [
        "spot@public.aggre.depth.v3.api@100ms@BTCUSDC",
        "spot@public.aggre.depth.v3.api.pb@100ms@NOPE",
        "spot@public.limit.depth.v3.api.pb@BTCUSDC@7",
        "spot@public.bookTicker.batch.v3.api.pb@BTCUSDC",
        "spot@public.miniTicker.v3.api.pb@BTCUSDC@UTC+99",
        "spot@public.miniTickers.v3.api.pb@Tokyo",
        "spot@private.orders.v3.api.pb",
    ] {
        let ack = desk.subscribe(session, &[channel]);
        let text = format!("Not Subscribed successfully! [{channel}].  Reason： Blocked!");
        assert_eq!((&ack["code"], &ack["msg"]), (&json!(0), &json!(text)));
    }
}

#[test]
fn the_thirty_first_subscription_of_a_socket_is_void() {
    let mut desk = Desk::synthetic(&[]);
    let session = desk.open(None).unwrap();
    let mut channels = Vec::new();
    for symbol in ["BTCUSDC", "ETHUSDC"] {
        for ms in ["10ms", "100ms"] {
            for kind in ["depth", "deals", "bookTicker"] {
                channels.push(format!("spot@public.aggre.{kind}.v3.api.pb@{ms}@{symbol}"));
            }
        }
        for n in [5, 10, 20] {
            channels.push(format!("spot@public.limit.depth.v3.api.pb@{symbol}@{n}"));
        }
        for length in ["Min1", "Min5", "Min15", "Min30", "Min60", "Hour4", "Hour8"] {
            channels.push(format!("spot@public.kline.v3.api.pb@{symbol}@{length}"));
        }
    }
    assert_eq!(channels.len(), 32);
    for (n, channel) in channels.iter().enumerate() {
        let msg = desk.subscribe(session, &[channel])["msg"].as_str().unwrap().to_owned();
        assert_eq!(msg == *channel, n < 30, "{n}: {msg}");
    }
    // The same again is no new one.
    assert_eq!(desk.subscribe(session, &[&channels[0]])["msg"], channels[0].as_str());
}

#[test]
fn both_cadences_and_rest_tell_one_book_with_one_count_of_versions() {
    let mut desk = Desk::synthetic(&["weightPools=off"]);
    for channel in [DEPTH_10, DEPTH_100] {
        let session = desk.open(None).unwrap();
        desk.subscribe(session, &[channel]);
        desk.wait_ms(37);
        let mut copy = Book::from_rest(&desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=5000"));
        let mut last_to = None;
        let mut compared = 0;
        for _ in 0..400 {
            desk.wait_ms(7);
            for frame in desk.pushes(session) {
                let (from, to) = versions(&frame);
                assert!(last_to.is_none_or(|last: u64| from == last + 1), "pushes are contiguous");
                last_to = Some(to);
                copy.apply(&frame);
            }
            let rest = Book::from_rest(&desk.get("/api/v3/depth", "symbol=BTCUSDC&limit=5000"));
            if rest.version == copy.version {
                compared += 1;
                assert!(rest == copy, "at {}", rest.version);
            }
        }
        assert!(compared > 10, "only {compared} comparisons");
        desk.exchange.close_session(session);
    }
}

#[test]
fn trades_tickers_pictures_and_candles_are_pushed() {
    let mut desk = Desk::synthetic(&["firstPush=on"]);
    let session = desk.open(None).unwrap();
    let channels = [
        "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDC",
        "spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDC",
        "spot@public.limit.depth.v3.api.pb@BTCUSDC@10",
        "spot@public.kline.v3.api.pb@BTCUSDC@Min5",
    ];
    desk.subscribe(session, &channels);
    let first: Vec<String> = desk.pushes(session).into_iter().map(|f| f.channel).collect();
    assert_eq!(first, channels[1..], "first pictures, where the setting asks for them");
    desk.wait_ms(5_000);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for frame in desk.pushes(session) {
        *seen.entry(frame.channel.clone()).or_default() += 1;
        assert_eq!(frame.symbol.as_deref(), Some("BTCUSDC"));
        // Captured frames: candles say when they were made, all others when they were sent.
        let made = frame.channel == channels[3];
        assert_eq!((frame.create_time.is_some(), frame.send_time.is_some()), (made, !made));
        match frame.body.unwrap() {
            Body::PublicAggreDeals(body) => {
                assert!(!body.deals.is_empty() && body.deals.iter().all(|d| [1, 2].contains(&d.trade_type)));
                assert_eq!(body.event_type, "spot@public.aggre.deals.v3.api.pb@100ms");
            }
            Body::PublicAggreBookTicker(body) => {
                let [bid, ask]: [Price; 2] = [body.bid_price, body.ask_price].map(|p| p.parse().unwrap());
                assert!(bid < ask);
            }
            Body::PublicLimitDepths(body) => assert_eq!((body.bids.len(), body.asks.len()), (10, 10)),
            Body::PublicSpotKline(body) => assert_eq!(body.window_end - body.window_start, 300),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen[channels[3]], 5, "once a second");
    assert!((30..=51).contains(&seen[channels[2]]), "{seen:?}");
    assert_eq!(seen.len(), 4);
}

#[test]
fn mini_tickers_tell_the_day_of_one_pair_or_of_all_every_three_seconds() {
    let mut desk = Desk::synthetic(&[]);
    let session = desk.open(None).unwrap();
    let channels =
        ["spot@public.miniTicker.v3.api.pb@BTCUSDC@UTC+0", "spot@public.miniTickers.v3.api.pb@24H"];
    assert_eq!(desk.subscribe(session, &channels)["msg"], channels.join(","));
    desk.wait_ms(9_100);
    let frames = desk.pushes(session);
    let of = |channel: &str| frames.iter().filter(|frame| frame.channel == channel).count();
    assert_eq!((of(channels[0]), of(channels[1]), frames.len()), (3, 3, 6));
    let Some(Body::PublicMiniTickers(all)) = &frames.last().unwrap().body else { panic!("{frames:?}") };
    assert_eq!(all.items.iter().map(|one| one.symbol.as_str()).collect::<Vec<_>>(), ["BTCUSDC", "ETHUSDC"]);
    // The same second over REST; the day of this market is its whole life.
    let ticker = desk.get("/api/v3/ticker/24hr", "symbol=BTCUSDC");
    let Some(Body::PublicMiniTicker(one)) = &frames[frames.len() - 2].body else { panic!("{frames:?}") };
    assert_eq!(frames[frames.len() - 2].symbol.as_deref(), Some("BTCUSDC"));
    let number = |text: &str| text.parse::<f64>().unwrap();
    let rest = |name: &str| number(ticker[name].as_str().unwrap());
    assert!(number(&one.high) <= rest("highPrice") && number(&one.low) >= rest("lowPrice"));
    assert!(number(&one.low) <= number(&one.price) && number(&one.price) <= number(&one.high));
    let share = number(&one.quantity) / rest("volume");
    assert!((0.9..=1.0).contains(&share), "base volume: {share}");
    let mean = number(&one.volume) / number(&one.quantity);
    assert!(
        (number(&one.low)..=number(&one.high)).contains(&mean),
        "turnover over volume is a price: {mean}"
    );
    let change = number(&one.price) / rest("openPrice") - 1.0;
    assert!((number(&one.zoned_rate) - change).abs() < 0.000_06, "{change} {}", one.zoned_rate);
}

#[test]
fn sockets_are_closed_when_their_time_is_over() {
    let mut desk = Desk::synthetic(&[]);
    let lonely = desk.open(None).unwrap();
    let reader = desk.open(None).unwrap();
    desk.subscribe(reader, &[DEPTH_100]);
    desk.wait_ms(29_500);
    assert!(!desk.closed(lonely));
    desk.wait_ms(1_000);
    assert!(desk.closed(lonely), "30 s without a subscription");
    desk.outputs.clear();
    desk.wait_ms(60_000);
    assert!(!desk.closed(reader), "pushes are traffic");
    assert!(desk.outputs.iter().any(|o| matches!(o, Output::Ping(of) if *of == reader)));

    let mut desk = Desk::recorded(&[], vec![depth(1_000, 11, vec![ask("100001", "2")])]);
    let quiet = desk.open(None).unwrap();
    let pinging = desk.open(None).unwrap();
    let protocol = desk.open(None).unwrap();
    for session in [quiet, pinging, protocol] {
        desk.subscribe(session, &["spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDC"]);
    }
    desk.wait_ms(40_000);
    desk.text(pinging, r#"{"method":"PING"}"#);
    desk.exchange.on_ping(desk.now, protocol);
    desk.wait_ms(21_000);
    assert!(desk.closed(quiet), "60 s without traffic");
    assert!(!desk.closed(pinging) && !desk.closed(protocol), "a client's PING counts");

    let mut desk = Desk::synthetic(&["wsLifetimeMs=5000"]);
    let old = desk.open(None).unwrap();
    desk.subscribe(old, &[DEPTH_100]);
    desk.wait_ms(5_300);
    assert!(desk.closed(old), "its lifetime is over");
}

#[test]
fn thirty_seconds_without_a_subscription_count_from_the_last_one() {
    let mut desk = Desk::synthetic(&[]);
    let session = desk.open(None).unwrap();
    desk.subscribe(session, &[DEPTH_100]);
    desk.wait_ms(300_000);
    let off = json!({ "method": "UNSUBSCRIPTION", "params": [DEPTH_100] }).to_string();
    desk.text(session, &off);
    desk.wait_ms(29_000);
    assert!(!desk.closed(session));
    desk.wait_ms(1_500);
    assert!(desk.closed(session));
}

#[test]
fn protocol_pings_are_messages_too() {
    let mut desk = Desk::synthetic(&[]);
    let session = desk.open(None).unwrap();
    for _ in 0..100 {
        desk.exchange.on_ping(desk.now, session);
    }
    assert!(!desk.closed(session));
    desk.exchange.on_ping(desk.now, session);
    assert!(desk.closed(session));
}

#[test]
fn more_than_a_hundred_messages_a_second_end_the_socket() {
    let mut desk = Desk::synthetic(&[]);
    let session = desk.open(None).unwrap();
    for _ in 0..100 {
        desk.text(session, r#"{"method":"PING"}"#);
    }
    assert!(!desk.closed(session));
    desk.exchange.on_text(desk.now, session, r#"{"method":"PING"}"#);
    assert!(desk.closed(session));
}

#[test]
fn listen_keys_live_an_hour_and_may_be_extended_listed_and_deleted() {
    let mut desk = Desk::synthetic(&[]);
    assert_eq!(desk.open(Some("nonsense")).unwrap_err().0, "Invalid listen key");
    let (first, second) = (desk.listen_key(), desk.listen_key());
    assert!(first.len() == 64 && first != second);
    assert_eq!(desk.ok("GET", "/api/v3/userDataStream", "")["listenKey"].as_array().unwrap().len(), 2);
    let params = format!("listenKey={first}");
    desk.wait_ms(3_000_000);
    assert_eq!(desk.ok("PUT", "/api/v3/userDataStream", &params)["listenKey"], first.as_str());
    desk.wait_ms(700_000);
    assert_eq!(desk.ok("GET", "/api/v3/userDataStream", "")["listenKey"], json!([first]));
    assert!(desk.open(Some(&second)).is_err(), "expired");
    let session = desk.open(Some(&first)).unwrap();
    assert_eq!(desk.ok("DELETE", "/api/v3/userDataStream", &params)["listenKey"], first.as_str());
    assert!(desk.closed(session), "deleting the key closes its sockets");
    assert_eq!(desk.code("PUT", "/api/v3/userDataStream", &params), 22_222);
    // Another account's key is not this account's to touch.
    let mine = format!("listenKey={}", desk.listen_key());
    let theirs = desk.signed_by(crate::support::RIVAL, "rival", "DELETE", "/api/v3/userDataStream", &mine);
    assert_eq!(theirs.1["code"], 22_222);
}

#[test]
fn a_listen_key_serves_five_sockets_and_an_account_has_sixty_keys() {
    let mut desk = Desk::synthetic(&[]);
    let key = desk.listen_key();
    let sockets: Vec<_> = (0..6).map(|_| desk.open(Some(&key)).is_ok()).collect();
    assert_eq!(sockets, [true, true, true, true, true, false]);
    for _ in 1..60 {
        desk.listen_key();
    }
    assert_eq!(desk.code("POST", "/api/v3/userDataStream", ""), 26);
    let mut reusing = Desk::synthetic(&["listenKeyReuse=on"]);
    assert_eq!(reusing.listen_key(), reusing.listen_key());
}

#[test]
fn private_pushes_go_to_their_own_account_only() {
    let mut desk = Desk::synthetic(&["latencyMs=0"]);
    let mine = desk.private();
    let key =
        desk.signed_by(crate::support::RIVAL, "rival", "POST", "/api/v3/userDataStream", "").1["listenKey"]
            .clone();
    let theirs = desk.open(key.as_str()).unwrap();
    desk.subscribe(theirs, &["spot@private.orders.v3.api.pb", "spot@private.account.v3.api.pb"]);
    desk.place("BUY", "LIMIT", "0.01", "90000");
    assert_eq!(desk.pushes(mine).len(), 2);
    assert!(desk.pushes(theirs).is_empty());
}

#[test]
fn the_same_inputs_at_the_same_times_bring_the_same_outputs() {
    let run = || {
        let mut desk = Desk::synthetic(&["orderRate=0", "weightPools=off"]);
        let private = desk.private();
        let public = desk.open(None).unwrap();
        desk.subscribe(public, &[DEPTH_10, "spot@public.aggre.deals.v3.api.pb@10ms@ETHUSDC"]);
        let mut told = Vec::new();
        for n in 0..200 {
            let kind = ["LIMIT", "IMMEDIATE_OR_CANCEL", "MARKET"][n % 3];
            let side = ["BUY", "SELL"][n % 2];
            let price = if kind == "MARKET" { "" } else { "100000" };
            let params = crate::support::order(side, kind, &format!("0.{:03}", n + 1), price);
            told.push(format!("{:?}", desk.signed("POST", "/api/v3/order", &params)));
            desk.wait_ms(17);
        }
        let frames = desk.pushes(private).len();
        assert!(frames > 500, "{frames} private pushes");
        (told, format!("{:?}", desk.outputs), desk.audit())
    };
    assert!(run() == run());
}
