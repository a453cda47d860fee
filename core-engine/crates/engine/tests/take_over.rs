//! A core on another node goes on without the journal: from what the API kept of the one before, and from the venue.

mod sim;

use flashpod_engine::io::{SessionMessage, TradingState};
use flashpod_types::{Amount, Nanos, OrderType, Side};
use sim::{Sim, equal, ms, quoting};

/// The core of another node, once it trades.
fn elsewhere(sim: Sim, kept: &flashpod_engine::Status) -> Sim {
    let mut sim = sim.moved(Nanos::from_secs(60), kept);
    sim.until("it trades again", |sim| {
        let status = sim.engine.status(sim.now);
        status.instances[0].state == TradingState::Active && equal(sim)
    });
    sim
}

/// Free and locked of every asset as the venue has them.
fn balances_agree(sim: &Sim) {
    for balance in sim.engine.ledger().balances {
        let of = sim.venue.balances[balance.asset.as_str()];
        assert_eq!((balance.free, balance.locked), of, "{}", balance.asset);
    }
}

#[test]
fn position_orders_and_counters_go_on_and_what_happened_since_is_read_from_the_venue() {
    let mut sim = quoting(&["BTCUSDC", "ETHUSDC"]);
    let [bid, ask] = sim.open_client_ids().try_into().unwrap();
    sim.venue.fill(&bid, "0.25");
    sim.run(ms(10));
    let kept = sim.engine.status(sim.now);
    let before = sim.engine.checkpoint().ledger.account("maker").unwrap().clone();
    assert_eq!(sim.position("maker", "BTCUSDC"), "0.25");

    // After the checkpoint: a resting order fills in part, the other in whole, a new one comes and trades, and ends.
    sim.venue.fill(&bid, "0.25");
    sim.venue.fill(&ask, "1");
    sim.intent("maker", "late", "ETHUSDC", Side::Buy, OrderType::Ioc, "10.02", "5");
    sim.run(ms(20));
    let expected = sim.engine.checkpoint().ledger.clone();
    assert!(*expected.account("maker").unwrap() != before);

    let mut sim = elsewhere(sim, &kept);
    assert_eq!(sim.position("maker", "BTCUSDC"), "-0.5");
    assert_eq!(sim.position("maker", "ETHUSDC"), "5");
    let ledger = &sim.engine.checkpoint().ledger;
    assert_eq!(ledger.totals(), expected.totals());
    assert_eq!(ledger.account("maker").unwrap().own, expected.account("maker").unwrap().own);
    assert_eq!(ledger.account("maker").unwrap().positions, expected.account("maker").unwrap().positions);
    assert_eq!(sim.open_client_ids(), [bid], "what rests stays");
    balances_agree(&sim);

    // Event numbers and epochs go on.
    sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "0.5")]);
    sim.run(Nanos::from_secs(2));
    let accepted = |status: &flashpod_engine::Status| status.instances[0].accepted_orders;
    assert!(accepted(&sim.engine.status(sim.now)) > accepted(&kept));
    assert!(sim.open_client_ids().iter().any(|id| id.contains("-2-1-")), "{:?}", sim.open_client_ids());
    sim.prove_journal();
}

#[test]
fn a_take_over_that_dies_goes_on_where_the_checkpoint_was() {
    for steps in 0..12 {
        let mut sim = quoting(&["BTCUSDC"]);
        let [bid, _] = sim.open_client_ids().try_into().unwrap();
        let kept = sim.engine.status(sim.now);
        sim.venue.fill(&bid, "0.5");
        sim.run(ms(10));
        let expected = sim.engine.checkpoint().ledger.totals();
        let mut sim = sim.moved(Nanos::from_secs(60), &kept);
        sim.run(ms(steps));
        // By its own journal, or lost again with it.
        let mut sim = if steps % 2 == 0 {
            sim.crash(Nanos::from_secs(2))
        } else {
            let again = sim.engine.status(sim.now);
            let text = &again.instances[0].checkpoint;
            sim.moved(Nanos::from_secs(60), if text.is_empty() { &kept } else { &again })
        };
        sim.until("it trades again", |sim| {
            let status = sim.engine.status(sim.now);
            status.instances[0].state == TradingState::Active && equal(sim)
        });
        assert_eq!(sim.position("maker", "BTCUSDC"), "0.5", "{steps} ms");
        assert_eq!(sim.engine.checkpoint().ledger.totals(), expected);
        balances_agree(&sim);
        sim.prove_journal();
    }
}

#[test]
fn balances_that_do_not_close_only_reduce_until_they_are_accepted() {
    let sim = quoting(&["BTCUSDC"]);
    let kept = sim.engine.status(sim.now);
    let mut sim = sim;
    sim.venue.balances.get_mut("USDC").unwrap().0 += "77".parse::<Amount>().unwrap();
    let mut sim = sim.moved(Nanos::from_secs(60), &kept);
    sim.until("the difference is found", |sim| {
        let account = sim.engine.status(sim.now).account;
        account.state == TradingState::ReduceOnly && account.reasons.join("; ").contains("LEDGER_DIFFERS")
    });
    sim.desired.account.adopt = "seen".into();
    sim.send_desired();
    sim.until("it is accepted", equal);
    assert_eq!(sim.engine.status(sim.now).account.state, TradingState::Active);
    balances_agree(&sim);
    sim.prove_journal();
}

#[test]
fn a_checkpoint_of_another_instance_or_of_another_format_is_not_taken() {
    for (from, to) in [("uid-maker", "uid-other"), ("\"format\":1", "\"format\":9")] {
        let sim = quoting(&["BTCUSDC"]);
        let mut kept = sim.engine.status(sim.now);
        let text = &mut kept.instances[0].checkpoint;
        assert!(text.contains(from), "{text}");
        *text = text.replacen(from, to, 1);
        let sim = elsewhere(sim, &kept);
        assert!(sim.engine.checkpoint().take_over.is_none());
        balances_agree(&sim);
    }
}
