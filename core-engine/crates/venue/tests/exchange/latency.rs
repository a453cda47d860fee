//! Latencies: drawn by seed for each direction, and never against the order of one connection.

use crate::support::{Desk, ask, depth, order, trade};
use flashpod_types::Side;
use flashpod_venue::exchange::Output;

#[test]
fn an_order_reaches_the_book_after_the_latency_and_is_answered_then() {
    let mut desk = Desk::recorded(&["latencyMs=3"], vec![]);
    desk.place("BUY", "LIMIT", "0.01", "99000");
    assert_eq!(desk.now.as_millis(), crate::support::START_MS + 3);
}

#[test]
fn a_reply_takes_its_own_time_and_the_order_is_booked_before_it() {
    let mut desk = Desk::recorded(&["latencyMs=3", "replyLatencyMs=20"], vec![]);
    let id = desk.place("BUY", "LIMIT", "0.01", "99000");
    assert_eq!(desk.now.as_millis(), crate::support::START_MS + 23);
    assert_eq!(desk.query(&id)["time"], crate::support::START_MS + 3);
    desk.get("/audit", "");
    let before = desk.now;
    desk.get("/api/v3/time", "");
    assert_eq!(desk.now.since(before).as_millis(), 20, "queries too, audits not");
}

/// When each of 200 orders was answered, ms after it was sent.
fn answers(sets: &[&str]) -> Vec<u64> {
    let mut desk = Desk::recorded(&[&["orderRate=0", "weightPools=off"], sets].concat(), vec![]);
    let mut spent = Vec::new();
    for _ in 0..200 {
        let before = desk.now;
        desk.ok("POST", "/api/v3/order", &order("BUY", "LIMIT", "0.01", "99000"));
        spent.push(desk.now.since(before).as_millis());
    }
    spent
}

fn share_below(list: &[u64], ms: u64) -> f64 {
    list.iter().filter(|spent| **spent <= ms).count() as f64 / list.len() as f64
}

#[test]
fn log_normal_and_table_have_their_quantiles_and_their_seed() {
    let log_normal = answers(&["latencyMs=lognormal:10,0.5"]);
    // Median 10 ms; 84 % below 10 ms × e^0.5 = 16.5 ms. 200 draws: ± 0.1 is three standard errors.
    assert!((share_below(&log_normal, 10) - 0.5).abs() < 0.11, "{log_normal:?}");
    assert!((share_below(&log_normal, 16) - 0.83).abs() < 0.1);
    assert_eq!(log_normal, answers(&["latencyMs=lognormal:10,0.5"]));
    assert_ne!(log_normal, answers(&["latencyMs=lognormal:10,0.5", "latencySeed=2"]));

    let file = std::env::temp_dir().join(format!("flashpod-venue-latency-{}.csv", std::process::id()));
    std::fs::write(&file, "0,5\n0.9,6\n1,100\n").unwrap();
    let table = answers(&[&format!("latencyMs=table:{}", file.display())]);
    std::fs::remove_file(&file).unwrap();
    assert!(table.iter().all(|ms| (5..=100).contains(ms)));
    assert!((share_below(&table, 6) - 0.9).abs() < 0.07, "{table:?}");
}

#[test]
fn requests_of_several_connections_may_overtake_each_other() {
    let mut desk = Desk::recorded(&["latencyMs=lognormal:20,1", "orderRate=0", "weightPools=off"], vec![]);
    let mut sent = Vec::new();
    for n in 0..20 {
        let mut query = format!(
            "{}&newClientOrderId=o-{n}&timestamp={}",
            order("BUY", "LIMIT", "0.01", "99000"),
            desk.now.as_millis()
        );
        flashpod_mexc::Signer::new(crate::support::SECRET).append(&mut query);
        let request = crate::support::request("POST", "/api/v3/order", &query, Some(crate::support::KEY));
        let id = flashpod_venue::exchange::RequestId(1_000 + n);
        desk.exchange.handle_http(desk.now, id, &request);
        sent.push(format!("o-{n}"));
    }
    desk.wait_ms(5_000);
    let orders = desk.audit()["accounts"][0]["orders"].clone();
    let booked: Vec<String> =
        orders.as_array().unwrap().iter().map(|o| o["clientOrderId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(booked.len(), 20);
    assert_ne!(booked, sent);
}

#[test]
fn pushes_take_their_time_in_order() {
    let ticks: Vec<_> = (0..100_u64)
        .map(|n| match n % 2 {
            0 => depth(1_000 + n.cast_signed(), 11 + n / 2, vec![ask("100001", "2")]),
            _ => trade(1_000 + n.cast_signed(), "100001", "0.01", Side::Buy),
        })
        .collect();
    let mut desk = Desk::recorded(&["pushLatencyMs=lognormal:10,1"], ticks);
    let session = desk.open(None).unwrap();
    let channels =
        ["spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC", "spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDC"];
    desk.exchange.on_text(
        desk.now,
        session,
        &serde_json::json!({ "method": "SUBSCRIPTION", "params": channels }).to_string(),
    );
    desk.play(100);
    assert!(desk.pushes(session).is_empty(), "still on their way");
    let mut arrived = Vec::new();
    let mut batches = 0;
    for _ in 0..2_000 {
        desk.wait_ms(1);
        let frames = desk.pushes(session);
        batches += usize::from(!frames.is_empty());
        arrived.extend(frames.into_iter().map(|frame| frame.channel));
    }
    let expected: Vec<String> = (0..100).map(|n| channels[n % 2].to_owned()).collect();
    assert_eq!(arrived, expected);
    assert!(batches > 1, "not all at once");
    // The acknowledgement left before them and came before them.
    assert!(desk.outputs.iter().any(|o| matches!(o, Output::Text(of, _) if *of == session)));
}
