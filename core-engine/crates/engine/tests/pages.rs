//! After a restart, the venue's lists may be longer than one page, and nobody knows which rows it leaves out.

mod sim;

use flashpod_engine::io::{OrderEventKind as Kind, SessionMessage};
use flashpod_types::{Amount, Nanos, Qty, Side};
use sim::venue::{EPOCH_MS, VenueOrder};
use sim::{Sim, ms, quoting};

const DAY: Nanos = Nanos::from_secs(24 * 3600);

/// Orders that the user placed and cancelled by hand, one every `every` ms from a moment on.
fn by_hand(sim: &mut Sim, count: i64, from: i64, every: i64) {
    let known = i64::try_from(sim.venue.orders.len()).unwrap();
    for n in known..known + count {
        sim.venue.orders.push(VenueOrder {
            id: format!("C02__9{n}"),
            client_id: format!("web_{n}"),
            symbol: "BTCUSDC".into(),
            side: Side::Buy,
            kind: "LIMIT".into(),
            price: "90".parse().unwrap(),
            qty: "1".parse().unwrap(),
            filled: Qty::ZERO,
            quote: Amount::ZERO,
            status: "CANCELED",
            time: from + (n - known) * every,
            trades: Vec::new(),
        });
    }
    sim.venue.orders.sort_by_key(|order| order.time);
}

fn asked(sim: &Sim, path: &str) -> usize {
    sim.requests.iter().filter(|request| request.path == path).count()
}

#[test]
fn a_lost_order_is_found_behind_thousands_of_others() {
    for (newest_first, away) in
        [(true, Nanos::from_secs(36_000)), (false, Nanos::from_secs(36_000)), (true, Nanos(DAY.0 * 3))]
    {
        let mut sim = quoting(&["BTCUSDC"]);
        sim.venue.newest_first = newest_first;
        let now = EPOCH_MS + i64::try_from(sim.now.as_millis()).unwrap();
        by_hand(&mut sim, 1250, now - 50_000, 40);
        let records = sim.records.len();
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.8", "0.5"), (1, Side::Sell, "100.1", "1")]);
        sim.run(ms(20));
        let id = sim.open_client_ids().pop().unwrap();
        sim.venue.fill(&id, "0.5");
        sim.run(ms(10));
        let rest = i64::try_from(away.as_millis()).unwrap() / 1300;
        by_hand(&mut sim, 1250, now + 1000, rest);
        // The host dies, and the journal knows nothing of the order.
        let newer = sim.records.len() - records;
        let mut sim = sim.crash_losing(away, newer);
        sim.run(Nanos::from_secs(60));
        let account = sim.engine.status(sim.now).account;
        assert!(account.ledger_equals_venue, "{}", account.audit_difference);
        assert_eq!(sim.position("maker", "BTCUSDC"), "0.5");
        let pages = asked(&sim, "/api/v3/allOrders");
        assert!((3..60).contains(&pages), "{pages} pages");
        sim.prove();
    }
}

#[test]
fn orders_older_than_the_venue_shows_are_not_asked_for() {
    let sim = quoting(&["BTCUSDC"]);
    // The small venue fails the test when it is asked for more than seven days.
    let mut sim = sim.crash(Nanos(DAY.0 * 30));
    sim.run(Nanos::from_secs(60));
    assert_eq!(asked(&sim, "/api/v3/allOrders"), 7);
    sim.prove();
}

#[test]
fn a_pair_that_the_venue_does_not_know_any_more_is_asked_for_less_and_less() {
    let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    sim.venue.delisted.push("ETHUSDC");
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.run(Nanos::from_secs(600));
    let pages = asked(&sim, "/api/v3/allOrders");
    assert!((5..25).contains(&pages), "{pages} requests in ten minutes");
    sim.venue.delisted.clear();
    sim.run(Nanos::from_secs(600));
    assert_eq!(asked(&sim, "/api/v3/allOrders"), pages + 1, "read once it is answered, and then no more");
    sim.prove();
}

#[test]
fn hundreds_of_fills_of_one_order_are_all_found() {
    for newest_first in [true, false] {
        let mut sim = quoting(&["BTCUSDC"]);
        sim.venue.newest_first = newest_first;
        let id = sim.open_client_ids().remove(0);
        // Nobody is there.
        for _ in 0..350 {
            sim.venue.now_ms += 10;
            sim.venue.fill(&id, "0.002");
        }
        let mut sim = sim.crash(Nanos::from_secs(60));
        sim.session("maker", SessionMessage::Opened { last_sequence: 2 });
        sim.run(Nanos::from_secs(30));
        assert_eq!(sim.position("maker", "BTCUSDC"), "0.7");
        assert_eq!(sim.kinds("maker").iter().filter(|kind| **kind == Kind::PartiallyFilled).count(), 350);
        let pages = asked(&sim, "/api/v3/myTrades");
        assert!((5..40).contains(&pages), "{pages} pages");
        sim.prove();
    }
}

#[test]
fn of_hundreds_of_fills_only_those_since_the_ledger_began_are_booked() {
    for newest_first in [true, false] {
        let mut sim = quoting(&["BTCUSDC"]);
        sim.venue.newest_first = newest_first;
        let id = sim.open_client_ids().remove(0);
        for _ in 0..150 {
            sim.venue.now_ms += 10;
            sim.venue.fill(&id, "0.002");
        }
        let mut sim = sim.start_without_journal();
        sim.run(Nanos::from_secs(3));
        assert!(sim.engine.status(sim.now).account.ledger_equals_venue);
        sim.drop_private = 1000;
        for _ in 0..150 {
            sim.run(ms(10));
            sim.venue.fill(&id, "0.001");
        }
        sim.run(ms(5));
        sim.drop_private = 0;
        sim.take_over(10);
    }
}

#[test]
fn a_second_with_more_fills_than_a_page_is_a_difference_and_costs_no_flood_of_requests() {
    let mut sim = quoting(&["BTCUSDC"]);
    let id = sim.open_client_ids().remove(0);
    for _ in 0..150 {
        sim.venue.fill(&id, "0.002");
    }
    let mut sim = sim.crash(Nanos::from_secs(60));
    sim.run(Nanos::from_secs(60));
    let account = sim.engine.status(sim.now).account;
    assert!(!account.ledger_equals_venue && account.audit_difference.contains("its deals sum up to"));
    let pages = asked(&sim, "/api/v3/myTrades");
    assert!(pages < 400, "{pages} requests in a minute");
    sim.prove_journal();
}
