//! Replies that come too late, things that never come, and what must not be concluded from either.

mod sim;

use flashpod_engine::io::{AccountLimits, AgentInput, Input, Method, SessionMessage, TradingState};
use flashpod_types::{Nanos, OrderType, Price, Qty, Side};
use sim::{Broken, Fault, Sim, bidding, equal, late, maker, ms, policy};

/// Of somebody else, at the venue.
fn foreign(sim: &mut Sim, side: Side, price: &str, client_id: &str) {
    let (qty, price): (Qty, Price) = ("1".parse().unwrap(), price.parse().unwrap());
    sim.venue.place("BTCUSDC", side, "LIMIT", qty, price, client_id);
    sim.run(ms(5));
}

#[test]
fn an_announced_renewal_is_echoed_so_that_the_agent_may_renew() {
    let mut sim = maker();
    sim.input(Input::Agent(AgentInput::LeaseAttempt { attempt: 77 }));
    assert_eq!(sim.engine.status(sim.now).account.lease_attempt, 77);
}

#[test]
fn a_snapshot_asked_for_before_a_reconnect_certifies_nothing_after_it() {
    let mut sim = maker();
    late(&mut sim, "/api/v3/depth", Nanos::from_secs(2));
    let conn = sim.public[0];
    sim.disconnect(conn);
    sim.until("the snapshot is asked for", |sim| sim.faults.is_empty());
    sim.run(ms(10));
    let conn = sim.public[0];
    sim.disconnect(conn);
    sim.run(ms(2));
    // Nobody hears of this change.
    let top = sim.venue.books.get_mut("BTCUSDC").unwrap();
    (top.bid, top.ask, top.version) = ("89.99".parse().unwrap(), "90.01".parse().unwrap(), top.version + 1);
    let top = *top;
    sim.until("the book is certified", |sim| {
        sim.engine.status(sim.now).books.iter().any(|book| book.state == "CERTIFIED")
    });
    let book = sim.engine.status(sim.now).books.remove(0);
    assert_eq!((book.version, book.best_bid), (top.version, Some(top.bid)));
    sim.run(Nanos::from_secs(5));
    let book = sim.engine.status(sim.now).books.remove(0);
    assert_eq!((book.version, book.state.as_str()), (top.version, "CERTIFIED"));
}

#[test]
fn a_connection_that_is_closed_again_and_again_is_tried_less_and_less_often() {
    let mut sim = maker();
    sim.shut_private = true;
    let conn = sim.private.unwrap();
    sim.disconnect(conn);
    let before = sim.private_opened;
    sim.run(Nanos::from_secs(60));
    let tries = sim.private_opened - before;
    assert!((10..30).contains(&tries), "{tries} tries in a minute");
    sim.shut_private = false;
    sim.until("it is back", |sim| {
        sim.engine.status(sim.now).instances[0].state == TradingState::Active && sim.private.is_some()
    });
}

#[test]
fn a_listen_key_that_the_venue_forgot_is_replaced() {
    let mut sim = maker();
    sim.venue.listen_keys.clear();
    let former = sim.private.unwrap();
    sim.run(Nanos::from_secs(26 * 60));
    assert_eq!(sim.venue.listen_keys.len(), 1);
    assert_ne!(sim.private, Some(former));
    assert_eq!(sim.engine.status(sim.now).account.state, TradingState::Active);
}

#[test]
fn two_orders_of_others_that_meet_each_other_are_two_deals() {
    let mut sim = maker();
    foreign(&mut sim, Side::Sell, "100.01", "web_1");
    foreign(&mut sim, Side::Buy, "100", "web_2");
    sim.venue.self_trade("web_1", "web_2", "0.4");
    sim.run(Nanos::from_secs(40));
    let account = sim.engine.status(sim.now).account;
    assert!(account.ledger_equals_venue, "{}", account.audit_difference);
}

#[test]
fn two_own_orders_that_meet_are_two_deals() {
    let mut sim = bidding();
    foreign(&mut sim, Side::Sell, "100.2", "web_1");
    let own = sim.open_client_ids().remove(0);
    sim.venue.self_trade(&own, "web_1", "0.4");
    sim.run(ms(10));
    assert_eq!(sim.position("maker", "BTCUSDC"), "0.4");
    sim.run(Nanos::from_secs(40));
    assert!(equal(&sim));
}

#[test]
fn whoever_speaks_is_there_although_the_end_of_a_former_session_came_late() {
    let mut sim = maker();
    sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
    // Of the session before.
    sim.session("maker", SessionMessage::Closed);
    for _ in 0..20 {
        sim.run(ms(500));
        sim.session("maker", SessionMessage::Heartbeat);
    }
    let status = sim.engine.status(sim.now).instances.remove(0);
    assert!(status.sidecar_connected);
    assert_eq!((status.state, status.reasons.len()), (TradingState::Active, 0), "{:?}", status.reasons);
}

#[test]
fn a_cancel_that_is_refused_again_and_again_leaves_the_budget_to_others() {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    sim.venue.refuses_cancels = true;
    let before = sim.order_requests().len();
    sim.session("maker", SessionMessage::Cancel { reference: None, symbol: None });
    sim.run(Nanos::from_secs(20));
    let tries = sim.order_requests().len() - before;
    assert!((6..15).contains(&tries), "{tries} tries in 20 s");
    sim.venue.refuses_cancels = false;
    sim.run(Nanos::from_secs(6));
    assert!(sim.orders_open().is_empty());
    sim.prove();
}

#[test]
fn the_limit_of_the_account_counts_what_nobody_wants_any_more() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"]), policy("other", &["ETHUSDC"])]);
    sim.intent("maker", "buy", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "1.5");
    sim.run(ms(10));
    sim.want(vec![policy("other", &["ETHUSDC"])]);
    sim.limit_account(AccountLimits {
        max_exposure: Some("200".parse().unwrap()),
        ..AccountLimits::default()
    });
    sim.run(Nanos::from_secs(60));
    sim.intent("other", "x", "ETHUSDC", Side::Buy, OrderType::Limit, "9.9", "10");
    assert_eq!(sim.last_event().code, "RISK_ACCOUNT_EXPOSURE");
}

#[test]
fn a_reference_is_used_up_from_the_moment_its_order_leaves() {
    let mut sim = maker();
    for _ in 0..2 {
        sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "0.5");
    }
    assert_eq!(sim.last_event().code, "RISK_DUPLICATE_REF");
    sim.run(ms(100));
    assert_eq!(sim.venue.orders.len(), 1);
}

#[test]
fn an_order_is_absent_only_when_two_queries_asked_late_enough_say_so() {
    let mut sim = maker();
    let what = Broken::Status { status: 503, applied: false, retry_after_s: None };
    sim.faults.push(Fault { method: Method::Post, path: "/api/v3/order", nth: 1, what });
    late(&mut sim, "/api/v3/order", Nanos::from_secs(4));
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "0.5");
    let sent = sim.now;
    sim.until("it is known not to be there", |sim| {
        sim.events.iter().any(|(_, event)| event.code == "NOT_AT_VENUE")
    });
    let queries = sim.requests.iter().filter(|request| {
        let (_, stamp) = request.params.split_once("timestamp=").unwrap_or_default();
        let stamp: u64 = stamp.split('&').next().unwrap().parse().unwrap_or_default();
        let (path, of_order) = (request.path == "/api/v3/order", request.method == Method::Get);
        path && of_order && stamp >= u64::try_from(sim::venue::EPOCH_MS).unwrap() + sent.as_millis() + 2000
    });
    assert_eq!(queries.count(), 2);
    sim.prove();
}

#[test]
fn what_lay_in_the_sockets_of_a_stopped_process_is_not_taken_for_fresh() {
    let mut sim = maker();
    // SIGSTOP; a push waits in the socket, and is read before anything else.
    sim.now = sim.now + Nanos::from_secs(20);
    sim.venue.now_ms += 20_000;
    sim.auto_lease = false;
    sim.mute = true;
    sim.renew();
    sim.venue.move_book("BTCUSDC", "99.97", "99.99", 0);
    sim.run(ms(3));
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Limit, "99.9", "0.5");
    assert_eq!(sim.last_event().code, "RISK_STALE_DATA");
    // Once the venue answers us, what came before is known to be read.
    sim.mute = false;
    sim.run(Nanos::from_secs(12));
    sim.intent("maker", "y", "BTCUSDC", Side::Buy, OrderType::Limit, "99.9", "0.5");
    sim.run(ms(5));
    assert_eq!(sim.venue.orders.len(), 1);
}
