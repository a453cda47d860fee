//! From start to trade, without faults.

mod sim;

use flashpod_engine::io::{
    AccountLimits, OrderEventKind as Kind, RequestClass, SessionMessage, TradingState,
};
use flashpod_types::{Nanos, OrderType, Side};
use sim::{Sim, ms, policy};

#[test]
fn an_engine_comes_up_read_only_and_trades_once_it_holds_a_lease() {
    let mut sim = Sim::new();
    sim.auto_lease = false;
    sim.want(vec![policy("maker", &["BTCUSDC"])]);
    sim.run(Nanos::from_secs(2));
    let status = sim.engine.status(sim.now);
    assert!(status.account.ready && status.account.ledger_equals_venue);
    assert_eq!(status.account.venue_uid, "4711");
    assert_eq!(status.account.symbols.len(), 2);
    assert_eq!(status.books[0].state, "CERTIFIED");
    assert_eq!(status.instances[0].state, TradingState::Halted);
    assert_eq!(status.instances[0].reasons, ["LEASE: none granted yet"]);
    sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99", "1")]);
    sim.run(Nanos::from_secs(1));
    assert!(sim.order_requests().is_empty(), "no order without a lease");
    sim.renew();
    sim.run(ms(10));
    assert_eq!(sim.engine.status(sim.now).instances[0].state, TradingState::Active);
    assert_eq!(sim.orders_open().len(), 1);
    sim.prove();
}

#[test]
fn quotes_are_placed_filled_in_parts_and_kept_within_tolerance() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "1")]);
    sim.run(ms(10));
    let [bid, ask] = sim.open_client_ids().try_into().expect("two quotes");
    sim.venue.fill(&bid, "0.4");
    sim.run(ms(10));
    assert_eq!(sim.position("maker", "BTCUSDC"), "0.4");
    // Two ticks away, and more than half is left: it stays.
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.88", "1"), (1, Side::Sell, "100.12", "1")]);
    sim.run(ms(500));
    assert_eq!(sim.open_client_ids(), [bid.clone(), ask.clone()]);
    sim.venue.fill(&bid, "0.6");
    sim.venue.fill(&ask, "1");
    sim.run(ms(10));
    let kinds = sim.kinds("maker");
    let expected =
        [Kind::Accepted, Kind::Accepted, Kind::PartiallyFilled, Kind::Filled, Kind::Filled, Kind::Accepted];
    assert_eq!(kinds[..6], expected);
    assert_eq!(sim.position("maker", "BTCUSDC"), "0");
    let status = sim.engine.status(sim.now);
    let held = &status.instances[0].positions[0];
    assert_eq!(held.realised.to_string(), "0.2");
    assert_eq!(status.instances[0].fills, 3);
    sim.prove();
}

#[test]
fn a_quote_that_moved_is_cancelled_and_placed_anew_once_its_end_is_confirmed() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    sim.hold_private = true;
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.5", "1")]);
    sim.run(ms(100));
    assert_eq!(sim.orders_open().len(), 0, "cancelled at the venue");
    assert_eq!(sim.venue.orders.len(), 1, "but as long as we have not heard of it, it counts");
    sim.release_private();
    sim.run(ms(10));
    assert_eq!(sim.orders_open()[0].price.to_string(), "99.5");
    sim.prove();
}

#[test]
fn an_intent_takes_at_once_and_its_fees_are_booked() {
    let mut sim = Sim::trading(vec![policy("taker", &["BTCUSDC"])]);
    sim.intent("taker", "a", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "2");
    sim.run(ms(10));
    assert_eq!(sim.kinds("taker"), [Kind::Accepted, Kind::Filled]);
    let event = sim.last_event();
    assert_eq!(event.reference.as_deref(), Some("a"));
    assert_eq!(event.fill.as_ref().unwrap().fee.to_string(), "0.10001");
    assert_eq!(event.position.qty.to_string(), "2");
    // More than the level shows: the rest is cancelled.
    sim.intent("taker", "b", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "6");
    sim.run(ms(10));
    assert_eq!(sim.kinds("taker")[2..], [Kind::Accepted, Kind::PartiallyFilled, Kind::Cancelled]);
    sim.prove();
}

#[test]
fn what_risk_refuses_is_answered_with_code_and_text_and_never_sent() {
    let mut sim = Sim::trading(vec![policy("taker", &["BTCUSDC"])]);
    sim.intent("taker", "a", "BTCUSDC", Side::Buy, OrderType::Limit, "100", "11");
    assert_eq!(sim.last_event().code, "RISK_MAX_ORDER_NOTIONAL");
    assert!(sim.last_event().text.contains("order value 1100: at most 1000 is accepted"));
    sim.intent("taker", "b", "ETHUSDC", Side::Buy, OrderType::Limit, "10", "1");
    assert_eq!(sim.last_event().code, "RISK_UNKNOWN_SYMBOL");
    sim.intent("taker", "a", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    assert_eq!(sim.last_event().code, "RISK_DUPLICATE_REF");
    sim.run(ms(100));
    assert!(sim.order_requests().is_empty());
    assert_eq!(sim.engine.status(sim.now).instances[0].risk_rejects, 3);
    sim.prove();
}

#[test]
fn a_tighter_limit_is_in_force_with_the_next_order() {
    let mut sim = Sim::trading(vec![policy("taker", &["BTCUSDC"])]);
    sim.intent("taker", "a", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "5");
    sim.run(ms(10));
    sim.policy_mut("taker").limits.max_position_notional = Some("600".parse().unwrap());
    sim.send_desired();
    assert_eq!(sim.engine.status(sim.now).generation, sim.desired.generation);
    sim.intent("taker", "b", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "2");
    assert_eq!(sim.last_event().code, "RISK_MAX_POSITION");
    sim.limit_account(AccountLimits { max_open_orders: Some(1), ..AccountLimits::default() });
    sim.intent("taker", "c", "BTCUSDC", Side::Sell, OrderType::Limit, "101", "1");
    assert_eq!(sim.last_event().code, "RISK_ACCOUNT_OPEN_ORDERS");
    sim.prove();
}

#[test]
fn two_instances_share_the_budget_and_do_not_meet_each_other() {
    let mut sim = Sim::trading(vec![policy("a", &["BTCUSDC"]), policy("b", &["BTCUSDC"])]);
    sim.quote("a", "BTCUSDC", &[(0, Side::Sell, "100.5", "1")]);
    sim.run(ms(10));
    // An order that would rest is refused where it would meet a quote of the same account.
    sim.intent("b", "w", "BTCUSDC", Side::Buy, OrderType::Limit, "100.5", "1");
    assert_eq!(sim.last_event().code, "RISK_SELF_CROSS");
    // One that takes waits until that quote has made way: cancelled first, ended, then the order.
    sim.intent("b", "x", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.5", "1");
    sim.run(ms(10));
    let sent: Vec<_> = sim.order_requests().iter().map(|request| request.class).collect();
    assert_eq!(sent[..3], [RequestClass::Order, RequestClass::Cancel, RequestClass::Order]);
    // Both ask for more than there is; neither starves.
    for round in 0..100_u32 {
        let price = if round % 2 == 0 { "99.5" } else { "99.0" };
        for name in ["a", "b"] {
            let quotes: Vec<_> = (0..4).map(|slot| (slot, Side::Buy, price, "1")).collect();
            sim.quote(name, "BTCUSDC", &quotes);
        }
        sim.run(ms(100));
    }
    let status = sim.engine.status(sim.now);
    let sent: Vec<u64> = status.instances.iter().map(|instance| instance.accepted_orders).collect();
    assert!(sent.iter().all(|&orders| orders >= 18), "{sent:?}");
    assert!(sent[0].abs_diff(sent[1]) <= 4, "{sent:?}");
    assert!(status.instances.iter().all(|instance| instance.superseded_quotes > 0));
    sim.prove();
}

#[test]
fn capital_that_is_not_there_halts_only_its_own_instance_and_is_given_when_it_comes() {
    let mut rich = policy("rich", &["BTCUSDC"]);
    rich.capital = vec![sim::capital("USDC", "90000")];
    let mut poor = policy("z-poor", &["BTCUSDC"]);
    poor.capital = vec![sim::capital("USDC", "15000")];
    let mut sim = Sim::trading(vec![rich, poor]);
    let status = sim.engine.status(sim.now);
    assert_eq!(status.instances[0].state, TradingState::Active);
    assert_eq!(status.instances[1].state, TradingState::Halted);
    assert_eq!(
        status.instances[1].capital_error,
        "capital USDC: 5000 more is needed than `unassigned` holds (10000)"
    );
    sim.venue.deposit("USDC", "6000");
    sim.run(ms(10));
    let status = sim.engine.status(sim.now);
    assert_eq!(status.instances[1].state, TradingState::Active);
    assert_eq!(
        status.account.unassigned.iter().find(|(a, _)| a.as_str() == "USDC").unwrap().1.to_string(),
        "1000"
    );
    sim.prove();
}

#[test]
fn a_sidecar_is_welcomed_once_the_account_is_ready_with_the_terms_of_its_pairs() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    // A core that starts again knows the policy before it knows the venue: the sidecar is back at once.
    let mut sim = sim.crash(ms(100));
    sim.send_desired();
    sim.session("maker", SessionMessage::Opened { last_sequence: 1 });
    assert!(!sim.engine.status(sim.now).account.ready);
    assert!(sim.welcomes.is_empty(), "{:?}", sim.welcomes);
    sim.bring_up();
    let welcome = &sim.welcomes.first().expect("a Welcome").1;
    assert_eq!(welcome.instruments.len(), 1);
    assert_eq!(welcome.open_orders.len(), 1);
    assert!(!welcome.balances.is_empty());
    sim.prove();
}

#[test]
fn a_sidecar_that_comes_back_gets_the_events_it_missed() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    let bid = sim.open_client_ids().remove(0);
    sim.session("maker", SessionMessage::Closed);
    sim.venue.fill(&bid, "0.5");
    sim.run(ms(10));
    assert_eq!(sim.kinds("maker"), [Kind::Accepted]);
    sim.session("maker", SessionMessage::Opened { last_sequence: 1 });
    assert_eq!(sim.kinds("maker"), [Kind::Accepted, Kind::PartiallyFilled]);
    let welcome = &sim.welcomes.last().unwrap().1;
    assert_eq!(welcome.open_orders.len(), 1);
    assert_eq!(welcome.positions[0].qty.to_string(), "0.5");
    assert_eq!(welcome.last_sequence, 2);
    sim.prove();
}
