//! Time-outs that follow what was measured, second copies of reads and cancels, and pauses.

mod sim;

use flashpod_engine::io::{HttpRequest, Method, OrderEventKind as Kind, RequestClass};
use flashpod_types::{Nanos, Side};
use sim::{Broken, Fault, Sim, maker, ms};

const ORDER: &str = "/api/v3/order";

/// A maker that has placed and cancelled ten orders: a request takes 2 ms here.
fn seasoned() -> Sim {
    let mut sim = maker();
    for _ in 0..10 {
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.run(ms(400));
        sim.quote("maker", "BTCUSDC", &[]);
        sim.run(ms(400));
    }
    assert!(sim.orders_open().is_empty());
    sim.run(Nanos::from_secs(2));
    sim
}

fn fault(sim: &mut Sim, method: Method, what: Broken) {
    sim.faults.push(Fault { method, path: ORDER, nth: 1, what });
}

fn of_class(sim: &Sim, class: RequestClass) -> Vec<&HttpRequest> {
    sim.requests.iter().filter(|request| request.class == class).collect()
}

#[test]
fn a_cancel_without_an_answer_is_sent_once_more_and_the_first_answer_counts() {
    for what in [Broken::LateReply(ms(400)), Broken::Late(ms(400)), Broken::Timeout { applied: false }] {
        let mut sim = seasoned();
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.run(ms(10));
        let before = of_class(&sim, RequestClass::Cancel).len();
        fault(&mut sim, Method::Delete, what);
        sim.quote("maker", "BTCUSDC", &[]);
        sim.run(ms(19));
        assert_eq!(of_class(&sim, RequestClass::Cancel).len(), before + 1, "not before 20 ms");
        sim.run(ms(10));
        assert_eq!(of_class(&sim, RequestClass::Cancel).len(), before + 2, "{what:?}");
        assert!(sim.orders_open().is_empty(), "{what:?}");
        assert_eq!(*sim.kinds("maker").last().unwrap(), Kind::Cancelled, "{what:?}");
        sim.run(Nanos::from_secs(3));
        assert_eq!(of_class(&sim, RequestClass::Cancel).len(), before + 2, "never a third");
        let counters = sim.engine.status(sim.now).counters;
        assert_eq!((counters.hedges, counters.hedges_won, counters.hedges_late), (1, 1, 1), "{what:?}");
        sim.prove();
    }
}

#[test]
fn a_second_cancel_needs_room_that_first_ones_do_not() {
    let mut sim = seasoned();
    let before = of_class(&sim, RequestClass::Cancel).len();
    let quotes: Vec<_> = (0..5).map(|slot| (slot, Side::Buy, "99.9", "1")).collect();
    sim.quote("maker", "BTCUSDC", &quotes);
    sim.run(ms(10));
    assert_eq!(sim.orders_open().len(), 5);
    sim.run(Nanos::from_secs(2));
    for nth in 1..=5 {
        sim.faults.push(Fault { method: Method::Delete, path: ORDER, nth, what: Broken::Late(ms(300)) });
    }
    sim.policy_mut("maker").state = flashpod_engine::io::RunState::Stop;
    sim.send_desired();
    sim.run(ms(290));
    let sent = of_class(&sim, RequestClass::Cancel).len() - before;
    // The bucket of 12 keeps two for first ones.
    assert!((6..=10).contains(&sent), "{sent}");
    sim.run(Nanos::from_secs(5));
    assert!(sim.orders_open().is_empty());
    sim.prove();
}

#[test]
fn a_new_order_is_never_sent_twice_and_its_time_out_follows_what_was_measured() {
    let mut sim = seasoned();
    let before = of_class(&sim, RequestClass::Order).len();
    sim.drop_private = 2;
    fault(&mut sim, Method::Post, Broken::Timeout { applied: true });
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    let timeout = of_class(&sim, RequestClass::Order)[before].timeout;
    assert_eq!(timeout, sim.config.tuning.order_timeout_least, "2 ms are far below it");
    assert_eq!(sim.engine.status(sim.now).timing.order_timeout, timeout);
    sim.run(ms(499));
    assert_eq!(*sim.kinds("maker").last().unwrap(), Kind::Cancelled, "that of before");
    sim.run(ms(2));
    assert_eq!(*sim.kinds("maker").last().unwrap(), Kind::Unknown);
    assert_eq!(sim.engine.status(sim.now).timing.order_timeout, Nanos(timeout.0 * 2), "until a reply comes");
    sim.run(Nanos::from_secs(3));
    assert_eq!(of_class(&sim, RequestClass::Order).len(), before + 1);
    assert_eq!((sim.orders_open().len(), sim.venue.duplicate_client_ids), (1, 0));
    sim.prove();
}

#[test]
fn a_read_of_an_orders_fate_is_sent_once_more_where_the_answer_is_late() {
    let mut sim = seasoned();
    let reads = |sim: &Sim| {
        let read = |r: &&HttpRequest| r.method == Method::Get && r.path == ORDER;
        sim.requests.iter().filter(read).count()
    };
    sim.drop_private = 2;
    fault(&mut sim, Method::Post, Broken::Status { status: 503, applied: true, retry_after_s: None });
    fault(&mut sim, Method::Get, Broken::LateReply(ms(700)));
    let before = reads(&sim);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(260));
    assert_eq!(reads(&sim), before + 1);
    sim.run(ms(40));
    assert_eq!(reads(&sim), before + 2);
    assert_eq!(*sim.kinds("maker").last().unwrap(), Kind::Accepted);
    assert_eq!(sim.engine.status(sim.now).counters.hedges_won, 1);
    sim.run(Nanos::from_secs(2));
    sim.prove();
}

#[test]
fn a_ban_without_a_time_is_waited_out_for_the_two_minutes_that_the_shortest_takes() {
    let mut sim = maker();
    let what = Broken::Status { status: 418, applied: false, retry_after_s: None };
    fault(&mut sim, Method::Post, what);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(5));
    let before = sim.requests.len();
    sim.run(Nanos::from_secs(119));
    assert_eq!(sim.requests.len(), before);
    sim.run(Nanos::from_secs(5));
    assert_eq!((sim.orders_open().len(), sim.engine.status(sim.now).counters.http_418), (1, 1));
    sim.prove();
}
