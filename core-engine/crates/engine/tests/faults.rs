//! The venue and the network at their worst: time-outs, 5xx, lost, late, repeated and reordered messages, gaps.

mod sim;

use flashpod_engine::io::{Method, OrderEventKind as Kind, SidecarLossAction, TradingState};
use flashpod_types::{Nanos, OrderType, Side};
use sim::{Broken, Fault, Sim, maker, ms, with_bid};

const ORDER: &str = "/api/v3/order";

fn fault(sim: &mut Sim, method: Method, what: Broken) {
    sim.faults.push(Fault { method, path: ORDER, nth: 1, what });
}

#[test]
fn a_timed_out_order_that_the_venue_has_is_found_and_not_sent_again() {
    let mut sim = maker();
    // Nothing but the query can tell.
    sim.drop_private = 2;
    fault(&mut sim, Method::Post, Broken::Timeout { applied: true });
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(2001));
    assert_eq!(sim.kinds("maker"), [Kind::Unknown]);
    sim.run(ms(400));
    assert_eq!(sim.kinds("maker"), [Kind::Unknown, Kind::Accepted]);
    assert_eq!(sim.venue.orders.len(), 1, "no duplicate");
    let bid = sim.open_client_ids().remove(0);
    sim.venue.fill(&bid, "1");
    sim.run(ms(10));
    assert_eq!(sim.kinds("maker")[2], Kind::Filled);
    sim.prove();
}

#[test]
fn a_timed_out_order_counts_as_exposure_until_it_is_proven_absent() {
    let mut sim = maker();
    sim.policy_mut("maker").limits.max_position_notional = Some("600".parse().unwrap());
    sim.send_desired();
    fault(&mut sim, Method::Post, Broken::Timeout { applied: false });
    sim.intent("maker", "a", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "5");
    let sent = sim.now;
    sim.run(ms(2100));
    assert_eq!(sim.kinds("maker"), [Kind::Unknown]);
    sim.intent("maker", "b", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "2");
    assert_eq!(sim.last_event().code, "RISK_MAX_POSITION", "the unknown order counts");
    sim.until("it is given up", |sim| sim.last_event().code == "NOT_AT_VENUE");
    assert!(sim.now.since(sent) >= ms(2000), "not before timestamp + W + 1 s");
    sim.intent("maker", "c", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "5");
    sim.run(ms(10));
    assert_eq!(sim.orders_open().len(), 1);
    sim.prove();
}

#[test]
fn a_late_order_is_refused_by_the_venue_and_never_becomes_an_orphan() {
    let mut sim = maker();
    // The reply comes after our time-out; the bytes were stuck for longer than recvWindow.
    fault(&mut sim, Method::Post, Broken::Late(ms(1500)));
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(1600));
    assert_eq!(sim.kinds("maker")[0], Kind::Rejected);
    assert_eq!(sim.events[0].1.code, "MEXC_700003");
    sim.run(ms(1000));
    assert_eq!(sim.orders_open().len(), 1, "quoted again, once");
    sim.prove();
}

#[test]
fn a_5xx_leaves_the_outcome_open_either_way() {
    for applied in [true, false] {
        let mut sim = maker();
        let what = Broken::Status { status: 503, applied, retry_after_s: None };
        fault(&mut sim, Method::Post, what);
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.run(Nanos::from_secs(4));
        assert_eq!(sim.orders_open().len(), 1, "applied: {applied}");
        assert_eq!(sim.venue.orders.len(), 1, "applied: {applied}");
        sim.prove();
    }
}

#[test]
fn an_order_that_never_left_is_not_unknown() {
    let mut sim = maker();
    fault(&mut sim, Method::Post, Broken::NotSent);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(5));
    assert_eq!(sim.kinds("maker"), [Kind::Rejected]);
    assert_eq!(sim.last_event().code, "NOT_SENT");
    sim.run(ms(500));
    assert_eq!(sim.orders_open().len(), 1);
    sim.prove();
}

#[test]
fn a_lost_cancel_is_sent_again_until_the_order_is_gone() {
    for what in [
        Broken::Timeout { applied: true },
        Broken::Timeout { applied: false },
        Broken::Status { status: 503, applied: false, retry_after_s: None },
        Broken::NotSent,
    ] {
        let (mut sim, _) = with_bid();
        sim.drop_private = if what == (Broken::Timeout { applied: true }) { 2 } else { 0 };
        fault(&mut sim, Method::Delete, what);
        sim.quote("maker", "BTCUSDC", &[]);
        sim.run(Nanos::from_secs(4));
        assert_eq!(sim.orders_open().len(), 0, "{what:?}");
        assert_eq!(*sim.kinds("maker").last().unwrap(), Kind::Cancelled, "{what:?}");
        sim.prove();
    }
}

#[test]
fn a_cancel_that_crosses_a_fill_loses_neither() {
    let (mut sim, bid) = with_bid();
    sim.quote("maker", "BTCUSDC", &[]);
    sim.venue.fill(&bid, "1");
    sim.run(ms(500));
    assert_eq!(sim.kinds("maker"), [Kind::Accepted, Kind::Filled]);
    assert_eq!(sim.position("maker", "BTCUSDC"), "1");
    sim.prove();
}

#[test]
fn repeated_and_reversed_pushes_change_nothing() {
    let mut sim = maker();
    (sim.repeat_private, sim.reverse_private) = (true, true);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "2"), (1, Side::Sell, "100.1", "2")]);
    sim.run(ms(10));
    for id in sim.open_client_ids() {
        for part in ["0.5", "0.7", "0.8"] {
            sim.venue.fill(&id, part);
        }
    }
    sim.run(ms(20));
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.05", "7");
    sim.run(ms(20));
    assert_eq!(sim.position("maker", "BTCUSDC"), "5");
    assert!(sim.engine.status(sim.now).counters.duplicate_reports > 0);
    sim.prove();
}

#[test]
fn a_fill_whose_push_is_lost_comes_from_my_trades() {
    let (mut sim, bid) = with_bid();
    sim.venue.fill(&bid, "1");
    // Two balances and the deal are lost, the order's own push arrives.
    sim.drop_private = 3;
    sim.run(ms(100));
    assert_eq!(sim.position("maker", "BTCUSDC"), "0", "a report alone books nothing");
    sim.run(ms(400));
    assert_eq!(sim.position("maker", "BTCUSDC"), "1");
    assert_eq!(*sim.kinds("maker").iter().rev().find(|kind| **kind == Kind::Filled).unwrap(), Kind::Filled);
    sim.prove();
}

#[test]
fn a_fill_that_the_venue_hides_is_found_out_and_stops_opening() {
    let (mut sim, bid) = with_bid();
    sim.venue.hide_fill = Some(1);
    sim.venue.fill(&bid, "1");
    sim.until("the audit tells", |sim| !sim.engine.status(sim.now).account.ledger_equals_venue);
    let status = sim.engine.status(sim.now);
    assert_eq!(status.account.state, TradingState::ReduceOnly);
    let difference = &status.account.audit_difference;
    assert!(difference.contains("BTC: venue 11, ledger 10"), "{difference}");
    assert!(difference.contains("its deals sum up to 0"), "{difference}");
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    assert_eq!(sim.last_event().code, "RISK_REDUCE_ONLY");
    sim.prove_journal();
}

#[test]
fn an_audit_in_the_midst_of_trading_does_not_cry_wolf() {
    let mut sim = maker();
    for round in 0..400 {
        let price = if round % 2 == 0 { "99.9" } else { "99.8" };
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, price, "1"), (1, Side::Sell, "100.2", "1")]);
        sim.run(ms(97));
        for id in sim.open_client_ids() {
            if round % 3 == 0 {
                sim.venue.fill(&id, "0.1");
            }
        }
        let kinds = sim.events.len();
        sim.run(ms(3));
        assert!(sim.events.len() >= kinds);
        let status = sim.engine.status(sim.now);
        assert!(status.account.ledger_equals_venue, "{}", status.account.audit_difference);
        assert_eq!(status.counters.ledger_audit_failures, 0, "{}", status.account.audit_difference);
    }
    assert!(sim.engine.status(sim.now).counters.ledger_audits >= 2);
    sim.prove();
}

#[test]
fn too_many_requests_pause_everything_for_as_long_as_the_venue_says() {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(1, Side::Sell, "100.2", "1")]);
    sim.run(ms(10));
    let what = Broken::Status { status: 429, applied: false, retry_after_s: Some(3) };
    fault(&mut sim, Method::Post, what);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.2", "1")]);
    sim.run(ms(5));
    let before = sim.requests.len();
    sim.quote("maker", "BTCUSDC", &[]);
    sim.run(ms(2900));
    assert_eq!(sim.requests.len(), before, "cancels wait too");
    assert_eq!(sim.engine.status(sim.now).counters.http_429, 1);
    sim.run(ms(200));
    assert_eq!(sim.orders_open().len(), 0);
    sim.prove();
}

#[test]
fn a_gap_stops_opening_until_the_book_is_certified_again() {
    let mut sim = maker();
    sim.faults.push(Fault {
        method: Method::Get,
        path: "/api/v3/depth",
        nth: 1,
        what: Broken::Timeout { applied: false },
    });
    sim.venue.move_book("BTCUSDC", "99.98", "100.02", 1);
    sim.run(ms(5));
    let status = sim.engine.status(sim.now);
    assert_eq!((status.books[0].state.as_str(), status.books[0].gaps), ("GAP", 1));
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    assert_eq!(sim.last_event().code, "RISK_NOT_CERTIFIED");
    sim.until("the book is back", |sim| sim.engine.status(sim.now).books[0].state == "CERTIFIED");
    sim.intent("maker", "y", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    sim.run(ms(5));
    assert_eq!(sim.last_event().kind, Kind::Accepted);
    sim.prove();
}

#[test]
fn a_book_that_failed_two_audits_is_told_to_be_uncertified_although_the_market_is_quiet() {
    let mut sim = maker();
    sim.certified.clear();
    // No push tells of it: the venue's book is another than ours.
    sim.venue.books.get_mut("BTCUSDC").unwrap().bid = "99.97".parse().unwrap();
    sim.until("the second audit failed", |sim| sim.engine.status(sim.now).counters.book_audit_failures == 2);
    sim.run(Nanos::from_secs(1));
    let told: Vec<bool> = sim.certified.iter().map(|(_, certified)| *certified).collect();
    assert_eq!(told, [false, true], "lost, and then certified by the next snapshot");
    sim.prove();
}

#[test]
fn a_time_beyond_all_counting_in_a_frame_does_no_harm() {
    let mut sim = maker();
    sim.venue.send_ms = Some(i64::MAX);
    sim.venue.move_book("BTCUSDC", "99.98", "100.02", 0);
    sim.run(ms(5));
    assert_eq!(sim.engine.status(sim.now).books[0].state, "CERTIFIED");
    sim.prove();
}

#[test]
fn reducing_goes_on_without_a_book_by_a_fresh_ticker() {
    let mut sim = maker();
    sim.intent("maker", "buy", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "1");
    sim.run(ms(10));
    sim.faults.push(Fault {
        method: Method::Get,
        path: "/api/v3/depth",
        nth: 1,
        what: Broken::Timeout { applied: false },
    });
    sim.venue.move_book("BTCUSDC", "99.98", "100.02", 1);
    sim.run(ms(5));
    sim.intent("maker", "sell", "BTCUSDC", Side::Sell, OrderType::Ioc, "99.9", "1");
    sim.run(ms(10));
    assert_eq!(sim.last_event().kind, Kind::Filled);
    assert_eq!(sim.position("maker", "BTCUSDC"), "0");
    sim.prove();
}

#[test]
fn a_lost_public_connection_resyncs_and_a_lost_private_one_reconciles() {
    let (mut sim, bid) = with_bid();
    let (public, private) = (sim.public[0], sim.private.unwrap());
    sim.disconnect(public);
    sim.disconnect(private);
    sim.run(ms(2));
    assert_eq!(sim.engine.status(sim.now).books[0].state, "DISCONNECTED");
    assert_eq!(sim.engine.status(sim.now).account.state, TradingState::ReduceOnly);
    // Filled while nobody listens.
    sim.venue.fill(&bid, "1");
    sim.until("all is back", |sim| {
        let status = sim.engine.status(sim.now);
        status.books[0].state == "CERTIFIED" && status.account.state == TradingState::Active
    });
    sim.run(ms(600));
    assert_eq!(sim.position("maker", "BTCUSDC"), "1");
    let counters = sim.engine.status(sim.now).counters;
    assert_eq!((counters.public_reconnects, counters.private_reconnects), (1, 1));
    sim.prove();
}

#[test]
fn a_half_dead_connection_is_found_by_our_ping_and_replaced() {
    let mut sim = maker();
    sim.policy_mut("maker").sidecar_loss = SidecarLossAction::Keep;
    sim.send_desired();
    let (public, private) = (sim.public[0], sim.private.unwrap());
    sim.mute = true;
    sim.run(Nanos::from_secs(12));
    assert!(!sim.public.contains(&public), "given up");
    sim.mute = false;
    sim.until("both are back", |sim| {
        let status = sim.engine.status(sim.now);
        status.books[0].state == "CERTIFIED" && status.account.state == TradingState::Active
    });
    sim.run(Nanos::from_secs(20));
    assert_ne!(sim.private.unwrap(), private);
    sim.prove();
}

#[test]
fn a_quiet_market_is_not_a_stale_one() {
    let mut config = sim::config();
    // Longer than data may be old, or the connection would be given up first.
    config.tuning.dead_after = Nanos::from_secs(5);
    let mut sim = Sim::with(sim::venue::Venue::new(), config, Vec::new(), Nanos::from_secs(1000));
    sim.want(vec![sim::policy("maker", &["BTCUSDC"])]);
    sim.bring_up();
    // Data older than 2 s opens nothing; the book does not move for a minute, but the connection answers PING.
    sim.run(Nanos::from_secs(60));
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    sim.run(ms(5));
    assert_eq!(sim.last_event().kind, Kind::Accepted);
    sim.mute = true;
    sim.run(ms(2500));
    sim.intent("maker", "y", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    assert_eq!(sim.last_event().code, "RISK_STALE_DATA");
    sim.prove();
}

#[test]
fn orders_and_deals_of_others_are_left_alone_and_booked_to_unassigned() {
    let mut sim = maker();
    let (qty, price) = ("1".parse().unwrap(), "99".parse().unwrap());
    sim.venue.place("BTCUSDC", Side::Buy, "LIMIT", qty, price, "web_1");
    sim.run(ms(10));
    sim.venue.fill("web_1", "0.5");
    sim.run(Nanos::from_secs(60));
    let status = sim.engine.status(sim.now);
    assert!(status.account.ledger_equals_venue, "{}", status.account.audit_difference);
    assert_eq!(status.counters.foreign_deals, 1);
    assert!(sim.venue.order("web_1").unwrap().is_open(), "not ours to cancel");
    let at = sim.venue.orders.iter().position(|order| order.client_id == "web_1").unwrap();
    sim.venue.end(at);
    sim.prove();
}
