//! Balances that do not close: the account only reduces until somebody accepts the difference.

mod sim;

use flashpod_engine::io::{AccountLimits, TradingState};
use flashpod_types::{Amount, Nanos};
use sim::{Sim, capital, equal, quoting};

/// Somebody asks for the difference to be accepted.
fn adopt(sim: &mut Sim, request: &str) {
    sim.limit_account(AccountLimits { adopt: request.into(), ..AccountLimits::default() });
}

/// Something that the venue tells nobody of moves a balance.
fn move_silently(sim: &mut Sim, asset: &str, amount: &str) {
    let amount: Amount = amount.parse().unwrap();
    sim.venue.balances.get_mut(asset).unwrap().0 += amount;
}

fn until_it_only_reduces(sim: &mut Sim) {
    sim.until("the audit has found it twice", |sim| {
        let account = sim.engine.status(sim.now).account;
        account.state == TradingState::ReduceOnly && !account.ledger_equals_venue
    });
}

#[test]
fn a_difference_stops_opening_until_it_is_accepted_and_then_is_unassigned() {
    let mut sim = quoting(&["BTCUSDC"]);
    let unassigned = sim.engine.checkpoint().ledger.unassigned().clone();
    move_silently(&mut sim, "USDC", "250.5");
    move_silently(&mut sim, "ETH", "-1");
    until_it_only_reduces(&mut sim);
    let reasons = sim.engine.status(sim.now).account.reasons.join("; ");
    assert!(reasons.contains("LEDGER_DIFFERS") && reasons.contains("USDC: venue 100250.5"), "{reasons}");

    adopt(&mut sim, "first");
    sim.until("it is accepted", equal);
    let status = sim.engine.status(sim.now).account;
    let adoption = status.adoption.expect("an adoption");
    assert_eq!(adoption.request, "first");
    assert_eq!(adoption.amounts, [capital("ETH", "-1"), capital("USDC", "250.5")]);
    assert_eq!(status.state, TradingState::Active, "{:?}", status.reasons);
    let now = sim.engine.checkpoint().ledger.unassigned();
    for (asset, amount) in adoption.amounts {
        assert_eq!(now[&asset], unassigned[&asset] + amount);
    }
    sim.prove();

    // It is remembered, and says nothing about the next difference.
    let mut sim = sim.crash(Nanos::from_secs(2));
    move_silently(&mut sim, "USDC", "-3");
    until_it_only_reduces(&mut sim);
    sim.run(Nanos::from_secs(90));
    assert!(!equal(&sim), "the old request accepts nothing new");
    adopt(&mut sim, "second");
    sim.until("it is accepted too", equal);
    sim.prove();
}

#[test]
fn a_request_that_finds_no_difference_accepts_none_later() {
    let mut sim = quoting(&["BTCUSDC"]);
    adopt(&mut sim, "early");
    sim.until("it is used up", |sim| {
        let adoption = sim.engine.status(sim.now).account.adoption;
        adoption.is_some_and(|done| done.request == "early" && done.amounts.is_empty())
    });
    move_silently(&mut sim, "BTC", "0.5");
    until_it_only_reduces(&mut sim);
    sim.run(Nanos::from_secs(90));
    assert!(!equal(&sim));
    sim.prove_journal();
}

#[test]
fn a_fill_under_way_is_not_taken_for_part_of_the_difference() {
    let mut sim = quoting(&["BTCUSDC"]);
    move_silently(&mut sim, "USDC", "10");
    until_it_only_reduces(&mut sim);
    sim.hold_private = true;
    let id = sim.open_client_ids()[0].clone();
    sim.venue.fill(&id, "0.5");
    adopt(&mut sim, "now");
    sim.run(Nanos::from_secs(10));
    sim.release_private();
    sim.until("the difference alone is accepted", equal);
    let adoption = sim.engine.status(sim.now).account.adoption.expect("an adoption");
    assert_eq!(adoption.amounts, [capital("USDC", "10")]);
    sim.prove();
}
