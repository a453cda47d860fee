//! The process dies at the worst moments; what it knew comes back from the journal, the rest from the venue.

mod sim;

use flashpod_engine::io::{Method, OrderEventKind as Kind, SessionMessage, SidecarLossAction, TradingState};
use flashpod_types::{Nanos, OrderType, Side};
use sim::{Broken, Fault, Sim, equal, ms, quoting};

fn back(sim: Sim) -> Sim {
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.until("it trades again", |sim| {
        let status = sim.engine.status(sim.now);
        status.instances[0].state == TradingState::Active && status.account.ledger_equals_venue
    });
    sim
}

#[test]
fn open_orders_fills_and_event_numbers_survive_a_kill() {
    let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    let [bid, ask] = sim.open_client_ids().try_into().unwrap();
    sim.venue.fill(&bid, "0.4");
    sim.run(ms(10));
    let before = sim.events.last().unwrap().1.sequence;
    // Both fill while nobody is there.
    sim.now = sim.now + ms(1);
    let mut sim = {
        let mut dead = sim;
        dead.venue.fill(&bid, "0.6");
        dead.venue.fill(&ask, "0.3");
        back(dead)
    };
    sim.session("maker", SessionMessage::Opened { last_sequence: before });
    sim.run(ms(600));
    assert_eq!(sim.position("maker", "BTCUSDC"), "0.7");
    assert_eq!(sim.events[0].1.sequence, before + 1, "numbered on");
    assert_eq!(sim.open_client_ids(), [ask], "what rests stays");
    let status = sim.engine.status(sim.now);
    assert_eq!(status.account.incarnation, 2);
    assert_eq!(status.instances[0].accepted_orders, 2);
    // The resting quote is known by its slot: it is kept, the other is placed anew.
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "1")]);
    sim.run(Nanos::from_secs(2));
    assert_eq!(sim.orders_open().len(), 2);
    assert!(sim.open_client_ids().iter().any(|id| id.contains("-1-2-1")), "{:?}", sim.open_client_ids());
    sim.prove();
}

#[test]
fn an_order_in_flight_at_the_kill_is_found_or_proven_absent() {
    for applied in [true, false] {
        let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
        let what = Broken::Timeout { applied };
        sim.faults.push(Fault { method: Method::Post, path: "/api/v3/order", nth: 1, what });
        sim.quote("maker", "ETHUSDC", &[(0, Side::Buy, "9.9", "5")]);
        let mut sim = back(sim);
        sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
        sim.run(Nanos::from_secs(3));
        assert_eq!(sim.orders_open().len(), 2 + usize::from(applied));
        let last = sim.events.last().unwrap().1.kind;
        assert_eq!(last, if applied { Kind::Accepted } else { Kind::Rejected });
        sim.prove();
    }
}

#[test]
fn a_kill_at_any_record_loses_nothing() {
    // Where the process dies: after each of the last records that it wrote, in the midst of trading.
    for cut in 0..40 {
        let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
        let ids = sim.open_client_ids();
        sim.venue.fill(&ids[0], "0.5");
        sim.quote("maker", "ETHUSDC", &[(0, Side::Buy, "9.9", "5"), (1, Side::Sell, "10.1", "5")]);
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.5", "1"), (1, Side::Sell, "100.1", "1")]);
        for _ in 0..cut {
            sim.run(Nanos(250_000));
        }
        let mut sim = back(sim);
        sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
        sim.run(Nanos::from_secs(4));
        sim.prove();
    }
}

#[test]
fn what_a_dying_host_lost_is_cancelled_and_attributed() {
    let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    let records = sim.records.len();
    sim.quote("maker", "ETHUSDC", &[(0, Side::Buy, "9.9", "5"), (1, Side::Sell, "10.1", "5")]);
    sim.run(ms(5));
    let lost = sim.open_client_ids().split_off(2);
    // One of them traded, the other traded and ended.
    sim.venue.fill(&lost[0], "2");
    sim.venue.fill(&lost[1], "5");
    sim.run(ms(5));
    let newer = sim.records.len() - records;
    let mut sim = sim.crash_losing(Nanos::from_secs(2), newer);
    sim.until("it trades again", |sim| {
        let status = sim.engine.status(sim.now);
        status.instances[0].state == TradingState::Active && status.account.ledger_equals_venue
    });
    sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
    sim.run(Nanos::from_secs(2));
    assert_eq!(sim.orders_open().len(), 2, "only what the journal knows is open");
    assert_eq!(sim.position("maker", "ETHUSDC"), "-3");
    // The filled one had been replaced in the moment before.
    assert_eq!(sim.engine.status(sim.now).counters.adopted_orders, 3);
    sim.prove();
}

#[test]
fn a_wall_clock_that_differs_from_the_venues_hides_nothing_that_was_lost() {
    for ahead in [Nanos::ZERO, Nanos::from_secs(7200)] {
        let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
        sim.ahead = ahead;
        sim.run(ms(10));
        sim.session("maker", SessionMessage::Heartbeat);
        let records = sim.records.len();
        sim.intent("maker", "x", "ETHUSDC", Side::Buy, OrderType::Ioc, "10.1", "5");
        sim.run(ms(10));
        let newer = sim.records.len() - records;
        let mut sim = sim.crash_losing(Nanos::from_secs(2), newer);
        sim.run(Nanos::from_secs(10));
        assert!(equal(&sim), "{}", sim.engine.status(sim.now).account.audit_difference);
        assert_eq!(sim.position("maker", "ETHUSDC"), "5");
        sim.prove();
    }
}

#[test]
fn without_any_journal_orders_with_our_tag_are_cancelled_and_their_epoch_is_seen() {
    let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    sim.epoch = 9;
    sim.renew();
    sim.quote("maker", "ETHUSDC", &[(0, Side::Buy, "9.9", "5")]);
    sim.run(ms(10));
    let bid = sim.open_client_ids().remove(0);
    sim.venue.fill(&bid, "0.4");
    sim.run(ms(10));
    let mut sim = sim.start_without_journal();
    sim.run(Nanos::from_secs(2));
    let status = sim.engine.status(sim.now);
    assert_eq!((status.account.highest_epoch_seen, status.account.epoch), (9, 0));
    assert_eq!(sim.orders_open().len(), 3, "nothing is cancelled without a lease");
    sim.epoch = 10;
    sim.renew();
    sim.run(Nanos::from_secs(2));
    assert_eq!(sim.orders_open().len(), 0);
    assert!(sim.engine.status(sim.now).account.ledger_equals_venue);
    sim.prove_journal();
}

#[test]
fn what_a_strategy_cancelled_is_cancelled_after_a_kill_before_the_cancel_left() {
    let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    sim.policy_mut("maker").sidecar_loss = SidecarLossAction::Keep;
    sim.send_desired();
    sim.intent("maker", "x", "ETHUSDC", Side::Buy, OrderType::Limit, "9.9", "5");
    // Nobody knows yet that the order lives: its cancel waits.
    sim.session("maker", SessionMessage::Cancel { reference: Some("x".into()), symbol: None });
    assert!(sim.requests.iter().all(|request| request.method != Method::Delete));
    let mut sim = back(sim);
    sim.run(Nanos::from_secs(2));
    assert_eq!(sim.orders_open().len(), 2, "the quotes, which nobody cancelled");
    sim.prove();
}

#[test]
fn what_was_taken_over_is_cancelled_after_another_kill() {
    let sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    let mut sim = sim.start_without_journal();
    sim.run(Nanos::from_secs(2));
    assert_eq!(sim.orders_open().len(), 2, "without a lease nothing is cancelled");
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.epoch = 10;
    sim.run(Nanos::from_secs(2));
    assert_eq!(sim.orders_open().len(), 0);
    sim.prove_journal();
}

#[test]
fn listen_keys_of_former_runs_are_deleted_and_those_of_others_are_not() {
    let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    sim.venue.listen_keys.push("somebody-else".into());
    let own = sim.venue.listen_keys[0].clone();
    let sim = back(sim);
    assert_eq!(sim.venue.deleted_keys, [own]);
    assert!(sim.venue.listen_keys.contains(&"somebody-else".to_owned()));
}

#[test]
fn many_kills_in_a_row_keep_the_ledger_equal() {
    let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    for round in 0..8 {
        sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
        let price = if round % 2 == 0 { "99.8" } else { "99.9" };
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, price, "0.1"), (1, Side::Sell, "100.1", "0.1")]);
        sim.run(ms(1100));
        for id in sim.open_client_ids() {
            sim.venue.fill(&id, "0.05");
        }
        sim = back(sim);
    }
    assert_eq!(sim.engine.status(sim.now).account.incarnation, 9);
    sim.run(Nanos::from_secs(2));
    sim.prove();
}
