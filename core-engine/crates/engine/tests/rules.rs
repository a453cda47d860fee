//! The core quotes by a rule of its own.

mod sim;

use flashpod_engine::io::{HaltAction, HaltPolicy, Hop, SessionMessage, SidecarLossAction};
use flashpod_types::{Nanos, Qty, Side};
use sim::{Sim, maker, ms, policy};

const TOUCH: [(&str, &str); 3] =
    [("orderNotional", "100"), ("maxInventoryNotional", "1000"), ("inventorySkewBps", "100")];

/// Long enough for the rate budget to let two quotes be replaced.
const SETTLED: Nanos = Nanos::from_millis(1_100);

/// `maker`, whose rule quotes BTCUSDC: 99.99 against 100.01.
fn ruled() -> Sim {
    let mut sim = maker();
    sim.set_rule("maker", "BTCUSDC", "touch", &TOUCH);
    sim.run(ms(10));
    sim
}

/// Prices of the open orders, in order.
fn prices(sim: &Sim) -> Vec<String> {
    let mut prices: Vec<_> = sim.orders_open().iter().map(|order| order.price).collect();
    prices.sort_unstable();
    prices.iter().map(ToString::to_string).collect()
}

fn move_book(sim: &mut Sim, bid: &str, ask: &str) {
    sim.venue.move_book("BTCUSDC", bid, ask, 0);
    sim.run(SETTLED);
}

#[test]
fn it_quotes_the_touch_and_follows_each_change_of_the_book_without_its_sidecar() {
    let mut sim = ruled();
    assert_eq!(sim.rule_answers.last().unwrap().refused, None);
    assert_eq!(prices(&sim), ["99.99", "100.01"]);
    for (bid, ask) in [("100.05", "100.07"), ("100.03", "100.09")] {
        move_book(&mut sim, bid, ask);
        assert_eq!(prices(&sim), [bid, ask]);
    }
    sim.prove();
}

#[test]
fn what_it_decides_upon_a_frame_leaves_while_that_frame_is_handled() {
    let mut sim = ruled();
    let requests = sim.requests.len();
    sim.hops.clear();
    sim.venue.move_book("BTCUSDC", "100.05", "100.07", 0);
    sim.until("the book has come", |sim| sim.requests.len() > requests);
    let cancelled = sim.now;
    sim.run(SETTLED);
    assert_eq!(sim.tops.values().copied().next(), Some(cancelled), "in the moment of the frame's arrival");
    // Replaced quotes wait for the end of the former, which is no part of the time from tick to order.
    let hops = sim.hops.iter().filter(|(hop, _)| *hop == Hop::TickToOrder);
    assert_eq!(hops.map(|&(_, nanos)| nanos).collect::<Vec<_>>(), [Nanos::ZERO; 2]);
    sim.prove();
}

#[test]
fn a_fill_leans_it_against_its_inventory_at_once() {
    let mut sim = ruled();
    let bid = sim.orders_open().iter().find(|order| order.side == Side::Buy).unwrap().client_id.clone();
    sim.venue.fill(&bid, "1");
    sim.run(ms(50));
    // 1 BTC at the mid of 100 is a tenth of 1,000 USDC: a tenth of 100 bps.
    assert_eq!(prices(&sim), ["99.89", "100.01"]);
    sim.prove();
}

#[test]
fn its_parameters_are_steered_while_it_runs() {
    let mut sim = maker();
    for (notional, at_least) in [("60", "0.59"), ("150", "1.49")] {
        let parameters = [("orderNotional", notional), ("maxInventoryNotional", "1000")];
        sim.set_rule("maker", "BTCUSDC", "touch", &parameters);
        sim.run(SETTLED);
        // What rested is less than half of what is wanted then.
        let sizes: Vec<Qty> = sim.orders_open().iter().map(|order| order.qty).collect();
        assert!(sizes.len() == 2 && sizes.iter().all(|qty| *qty > at_least.parse().unwrap()), "{sizes:?}");
    }
    sim.prove();
}

#[test]
fn what_is_refused_is_named_and_what_was_in_force_stays() {
    let mut sim = ruled();
    for (pair, rule, parameters, field, value, accepted) in [
        ("BTCUSDC", "tuoch", &TOUCH[..], "rule", "tuoch", "touch"),
        ("ETHUSDC", "touch", &TOUCH[..], "symbol", "ETHUSDC", "BTCUSDC"),
        (
            "BTCUSDC",
            "touch",
            &[("orderNotional", "x"), ("maxInventoryNotional", "1000")][..],
            "orderNotional",
            "x",
            "a decimal number above 0, at most 1000000000000",
        ),
    ] {
        sim.set_rule("maker", pair, rule, parameters);
        let refusal = sim.rule_answers.last().unwrap().refused.clone().unwrap();
        assert_eq!((&*refusal.field, &*refusal.value, &*refusal.accepted), (field, value, accepted));
    }
    assert_eq!(sim.engine.status(sim.now).counters.refused_messages, 3);
    move_book(&mut sim, "100.05", "100.07");
    assert_eq!(prices(&sim), ["100.05", "100.07"]);
    sim.prove();
}

#[test]
fn what_is_said_last_of_a_pair_holds() {
    let mut sim = ruled();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.5", "1")]);
    sim.run(ms(50));
    move_book(&mut sim, "100.05", "100.07");
    assert_eq!(prices(&sim), ["99.5"], "wanted quotes end the rule");
    sim.set_rule("maker", "BTCUSDC", "touch", &TOUCH);
    sim.run(SETTLED);
    assert_eq!(prices(&sim), ["100.05", "100.07"]);
    sim.set_rule("maker", "BTCUSDC", "", &[]);
    sim.run(SETTLED);
    assert!(prices(&sim).is_empty());
    sim.set_rule("maker", "BTCUSDC", "touch", &TOUCH);
    sim.run(SETTLED);
    sim.session("maker", SessionMessage::Cancel { reference: None, symbol: None });
    sim.run(SETTLED);
    move_book(&mut sim, "100.01", "100.03");
    assert!(prices(&sim).is_empty(), "a cancel of everything ends the rule too");
    sim.prove();
}

#[test]
fn a_book_that_is_not_certified_pulls_its_quotes() {
    let mut sim = ruled();
    sim.venue.failing.push("/api/v3/depth");
    sim.venue.move_book("BTCUSDC", "100.05", "100.07", 3);
    sim.run(ms(50));
    assert!(prices(&sim).is_empty());
    sim.venue.failing.clear();
    sim.run(Nanos::from_secs(1));
    assert_eq!(prices(&sim), ["100.05", "100.07"], "certified again, it goes on");
    sim.prove();
}

#[test]
fn a_halt_stops_it_and_its_end_lets_it_go_on() {
    let mut sim = ruled();
    sim.desired.halts = vec![HaltPolicy {
        name: "lunch".into(),
        uid: "h1".into(),
        action: HaltAction::Cancel,
        instances: Vec::new(),
        all: true,
    }];
    sim.send_desired();
    sim.run(ms(50));
    move_book(&mut sim, "100.05", "100.07");
    assert!(prices(&sim).is_empty());
    sim.desired.halts.clear();
    sim.send_desired();
    sim.run(SETTLED);
    assert_eq!(prices(&sim), ["100.05", "100.07"], "without waiting for the next change of the book");
    sim.prove();
}

#[test]
fn without_its_sidecar_it_decides_nothing_and_the_manifest_says_what_becomes_of_its_orders() {
    for (action, after_loss) in
        [(SidecarLossAction::Cancel, &[][..]), (SidecarLossAction::Keep, &["99.99", "100.01"][..])]
    {
        let mut wanted = policy("maker", &["BTCUSDC"]);
        wanted.sidecar_loss = action;
        let mut sim = Sim::trading(vec![wanted]);
        sim.set_rule("maker", "BTCUSDC", "touch", &TOUCH);
        sim.run(ms(10));
        sim.session("maker", SessionMessage::Closed);
        move_book(&mut sim, "100.05", "100.07");
        assert_eq!(prices(&sim), ["99.99", "100.01"], "what rests stays until the loss is acted upon");
        sim.run(Nanos::from_secs(4));
        assert_eq!(prices(&sim), after_loss, "{action:?}");
        sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
        sim.run(ms(50));
        sim.set_rule("maker", "BTCUSDC", "touch", &TOUCH);
        sim.run(SETTLED);
        assert_eq!(prices(&sim), ["100.05", "100.07"], "the next session sets it again");
        sim.prove();
    }
}

#[test]
fn a_sidecar_that_is_silent_for_too_long_stops_it_until_it_is_heard_again() {
    let mut sim = ruled();
    sim.session("maker", SessionMessage::Heartbeat);
    sim.run(Nanos::from_secs(4));
    move_book(&mut sim, "100.05", "100.07");
    assert!(prices(&sim).is_empty(), "onSidecarLoss Cancel");
    sim.session("maker", SessionMessage::Heartbeat);
    sim.run(SETTLED);
    assert_eq!(prices(&sim), ["100.05", "100.07"]);
    sim.prove();
}

#[test]
fn limits_hold_for_it_as_for_wanted_quotes() {
    let mut sim = maker();
    sim.policy_mut("maker").limits.max_order_notional = Some("50".parse().unwrap());
    sim.send_desired();
    sim.set_rule("maker", "BTCUSDC", "touch", &TOUCH);
    sim.run(ms(50));
    assert!(prices(&sim).is_empty());
    assert_eq!(sim.last_event().code, "RISK_MAX_ORDER_NOTIONAL");
    sim.prove();
}
