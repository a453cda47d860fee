//! Who may ask: keys, windows, signatures, content types.

use crate::support::{Desk, KEY, request};

#[test]
fn a_signature_is_checked_over_the_query_followed_directly_by_the_body() {
    // The vectors of the API reference §2, made at this very time.
    let mut desk = Desk::synthetic(&["latencyMs=0"]);
    let first =
        "timestamp=1760000000000&signature=1c427446781ceafd5fd7df010ba507137d82d557717e7606dd8c88b8969e56d4";
    assert_eq!(desk.send("GET", "/api/v3/uid", first, Some(KEY)).0, 200);
    let order = "symbol=BTCUSDC&side=BUY&type=LIMIT_MAKER&quantity=0.001&price=100000&newClientOrderId=t-1&recvWindow=5000&timestamp=1760000000000&signature=1cbd02af1e9dbf130aacb8c497c8d908046a52c97a5847aeed21981c76b92279";
    let (_, reply) = desk.send("POST", "/api/v3/order/test", order, Some(KEY));
    assert_ne!(reply["code"], 700_002);
    let mut mixed = request("POST", "/api/v3/order/test", "symbol=BTCUSDC&side=BUY", Some(KEY));
    mixed.body = "type=LIMIT&quantity=0.001&price=100000&timestamp=1760000000000&signature=727b545f97422a8a102461b041abaead55fc72340c1e35c3ceb9d0d310990f77".into();
    assert_eq!(desk.request(&mixed).status, 200);
    let batch = "batchOrders=%5B%7B%22symbol%22%3A%22BTCUSDC%22%2C%22side%22%3A%22BUY%22%2C%22type%22%3A%22LIMIT%22%2C%22quantity%22%3A%220.001%22%2C%22price%22%3A%22100000%22%7D%5D&recvWindow=5000&timestamp=1760000000000&signature=74569eb9f9c6a14d9bba0317b2f72e22d084cae52a93faef58afc214ed149616";
    assert_eq!(desk.send("POST", "/api/v3/batchOrders", batch, Some(KEY)).0, 200);

    let forged = first.replace("1c42", "1c43");
    let (status, reply) = desk.send("GET", "/api/v3/uid", &forged, Some(KEY));
    assert_eq!((status, &reply["code"]), (400, &700_002.into()));
    assert_eq!(desk.signed("GET", "/api/v3/selfSymbols", "").1["data"][0], "BTCUSDC");
}

#[test]
fn a_timestamp_may_be_up_to_a_second_ahead_and_up_to_its_window_behind() {
    let mut desk = Desk::synthetic(&[]);
    let signer = flashpod_mexc::Signer::new(crate::support::SECRET);
    let mut ask = |stamp: u64, window: &str| {
        let mut query = format!("timestamp={stamp}{window}");
        signer.append(&mut query);
        let (status, reply) = desk.send("GET", "/api/v3/uid", &query, Some(KEY));
        if status == 200 { 0 } else { reply["code"].as_i64().unwrap() }
    };
    let now = crate::support::START_MS;
    assert_eq!([ask(now + 999, ""), ask(now + 1_000, "")], [0, 700_003]);
    assert_eq!([ask(now - 5_000, ""), ask(now - 5_001, "")], [0, 700_003]);
    assert_eq!([ask(now - 100, "&recvWindow=100"), ask(now - 101, "&recvWindow=100")], [0, 700_003]);
    assert_eq!([ask(now - 60_000, "&recvWindow=60000"), ask(now, "&recvWindow=60001")], [0, 700_005]);
    assert_eq!(ask(now, "&recvWindow=-"), 700_008);
}

#[test]
fn a_request_without_a_known_key_is_refused() {
    let mut desk = Desk::synthetic(&[]);
    let (status, reply) = desk.send("GET", "/api/v3/account", "timestamp=1", None);
    assert_eq!((status, &reply["code"], &reply["msg"]), (401, &400.into(), &"api key required".into()));
    let (status, reply) = desk.send("GET", "/api/v3/account", "timestamp=1", Some("nobody"));
    assert_eq!((status, &reply["code"]), (401, &10_072.into()));
    let (_, reply) = desk.send("GET", "/api/v3/account", "", Some(KEY));
    assert_eq!(reply["code"], 44_444);
}

#[test]
fn writing_needs_the_content_type_json_and_reading_none() {
    let mut desk = Desk::synthetic(&[]);
    for (kind, code) in [
        (None, 700_013),
        (Some("application/x-www-form-urlencoded"), 700_013),
        (Some("application/json; charset=utf-8"), 44_444),
    ] {
        for method in ["POST", "PUT", "DELETE"] {
            let mut bare = request(method, "/api/v3/userDataStream", "", Some(KEY));
            bare.content_type = kind.map(str::to_owned);
            let reply: serde_json::Value = serde_json::from_str(&desk.request(&bare).body).unwrap();
            assert_eq!(reply["code"], code, "{method} {kind:?}");
        }
    }
    desk.get("/api/v3/time", "");
}

#[test]
fn what_is_not_there_answers_404_and_is_counted() {
    let mut desk = Desk::synthetic(&[]);
    assert_eq!(desk.send("GET", "/api/v3/nothing", "", None).0, 404);
    assert_eq!(desk.send("GET", "/api/v3/nothing", "", None).0, 404);
    assert_eq!(desk.send("PATCH", "/api/v3/order", "", None).0, 404);
    let audit = desk.get("/audit", "");
    assert_eq!(audit["counters"]["unknownPaths"]["GET /api/v3/nothing"], 2);
    assert_eq!(audit["counters"]["unknownPaths"]["PATCH /api/v3/order"], 1);
}

#[test]
fn escapes_are_signed_in_upper_case() {
    let mut desk = Desk::synthetic(&[]);
    let signer = flashpod_mexc::Signer::new(crate::support::SECRET);
    let mut ask = |escaped: &str| {
        let mut query = format!("listenKey={escaped}&timestamp={}", crate::support::START_MS);
        signer.append(&mut query);
        desk.send("PUT", "/api/v3/userDataStream", &query, Some(KEY)).1["code"].as_i64().unwrap()
    };
    assert_eq!(ask("a%5Bb"), 22_222, "signed well; there is no such key");
    assert_eq!(ask("a%5bb"), 700_002);
}
