//! What each hop of an order measures, on a path whose times are known: 1 ms each way between engine and venue,
//! nothing anywhere else.

mod sim;

use flashpod_engine::io::{Hop, SessionMessage};
use flashpod_types::{Nanos, OrderType, Side};
use sim::{Sim, ms, policy};

/// A maker on one pair, 3 ms after the arrival of a book that it has not answered yet.
fn maker() -> Sim {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"]), policy("taker", &["BTCUSDC"])]);
    next_book(&mut sim);
    sim
}

fn next_book(sim: &mut Sim) {
    sim.venue.move_book("BTCUSDC", "100", "100.1", 0);
    let former = sim.tops.insert("BTCUSDC".parse().unwrap(), Nanos::ZERO);
    sim.until("a book comes", |sim| sim.tops.values().all(|&at| at > Nanos::ZERO));
    assert_ne!(sim.tops.values().next().copied(), former);
    sim.run(ms(3));
    sim.hops.clear();
}

fn measured(sim: &Sim, hop: Hop) -> Vec<Nanos> {
    sim.hops.iter().filter(|(of, _)| *of == hop).map(|&(_, nanos)| nanos).collect()
}

#[test]
fn a_replaced_quote_is_waited_for_in_a_hop_of_its_own() {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    assert_eq!(measured(&sim, Hop::TickToOrder), [ms(3)]);
    assert_eq!((measured(&sim, Hop::BudgetWait), measured(&sim, Hop::ReplaceWait)), (vec![ms(0)], vec![]));
    next_book(&mut sim);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.5", "1")]);
    sim.run(ms(20));
    // The cancel there, the end of the order back.
    assert_eq!(measured(&sim, Hop::ReplaceWait), [ms(2)]);
    assert_eq!(
        (measured(&sim, Hop::TickToOrder), measured(&sim, Hop::BudgetWait)),
        (vec![ms(3)], vec![ms(0)])
    );
    sim.prove();
}

#[test]
fn waiting_for_the_reply_to_the_former_quote_is_waiting_for_the_venue() {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.5", "1")]);
    sim.run(ms(20));
    // There and back with the first quote, the same with its cancel.
    assert_eq!(
        (measured(&sim, Hop::ReplaceWait), measured(&sim, Hop::BudgetWait)),
        (vec![ms(4)], vec![ms(0); 2])
    );
    assert_eq!(measured(&sim, Hop::TickToOrder), [ms(3); 2]);
}

#[test]
fn own_quotes_that_make_way_are_waited_for_in_the_same_hop() {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    next_book(&mut sim);
    sim.intent("taker", "x", "BTCUSDC", Side::Sell, OrderType::Ioc, "99.8", "0.5");
    sim.run(ms(20));
    assert_eq!(measured(&sim, Hop::ReplaceWait)[0], ms(2));
    assert_eq!((measured(&sim, Hop::TickToOrder)[0], measured(&sim, Hop::BudgetWait)[0]), (ms(3), ms(0)));
    sim.prove();
}

#[test]
fn a_quote_that_waits_for_anothers_order_to_end_leaves_with_that_end() {
    let mut sim = maker();
    sim.intent("taker", "x", "BTCUSDC", Side::Sell, OrderType::LimitMaker, "100.05", "0.5");
    sim.run(ms(10));
    next_book(&mut sim);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "100.05", "1")]);
    sim.session("taker", SessionMessage::Cancel { reference: None, symbol: None });
    sim.run(ms(20));
    assert_eq!(measured(&sim, Hop::ReplaceWait), [ms(2)]);
    assert_eq!(measured(&sim, Hop::TickToOrder), [ms(3)]);
    sim.prove();
}

#[test]
fn waiting_for_the_rate_budget_is_told_apart_from_waiting_for_the_venue() {
    let mut sim = maker();
    for n in 0..5 {
        sim.intent("taker", &format!("x{n}"), "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "0.5");
    }
    sim.run(ms(100));
    next_book(&mut sim);
    let asked = sim.now;
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.until("the quote leaves", |sim| !measured(sim, Hop::TickToOrder).is_empty());
    // Half of the share of a second is spent: the next call goes half a second after the first.
    let waited = measured(&sim, Hop::BudgetWait)[0];
    assert!(waited > ms(300) && sim.now.since(asked) == waited + ms(2), "{waited:?}");
    assert_eq!((measured(&sim, Hop::TickToOrder), measured(&sim, Hop::ReplaceWait)), (vec![ms(3)], vec![]));
}

#[test]
fn a_decision_that_answers_no_frame_has_no_time_from_one() {
    let mut sim = maker();
    sim.tops.clear();
    sim.intent("taker", "x", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "0.5");
    sim.run(ms(10));
    assert_eq!((measured(&sim, Hop::Send).len(), measured(&sim, Hop::TickToOrder).len()), (1, 0));
    assert!(measured(&sim, Hop::Decision).is_empty());
}

#[test]
fn a_quote_placed_again_after_its_fill_answers_no_frame() {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(500));
    let id = sim.open_client_ids().remove(0);
    sim.venue.fill(&id, "1");
    sim.run(ms(500));
    assert_eq!(sim.venue.orders.len(), 2);
    assert_eq!(
        (measured(&sim, Hop::TickToOrder), measured(&sim, Hop::BudgetWait)),
        (vec![ms(3)], vec![ms(0); 2])
    );
    sim.session("maker", SessionMessage::Heartbeat);
    sim.prove();
}
