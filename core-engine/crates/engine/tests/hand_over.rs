//! Two cores of one account: one takes over from the other, and at no moment can both send.

mod sim;

use flashpod_engine::Input;
use flashpod_engine::io::{AgentInput, RequestClass, SessionMessage, TradingState};
use flashpod_types::{Nanos, Side};
use sim::{Sim, equal, ms, quoting};

/// How long the agent of the taker-over watches a Lease that nobody renews.
const LEASE: Nanos = Nanos::from_secs(60);
/// Soft and hard deadline of the sim's leases.
const SOFT: Nanos = Nanos::from_secs(35);
const HARD: Nanos = Nanos::from_secs(55);

/// Both cores at one venue, under one clock.
struct Two {
    old: Sim,
    new: Sim,
}

impl Two {
    /// Lets both live for a while, a millisecond each in turn. Pushes reach the new one only.
    fn run(&mut self, span: Nanos) {
        let until = self.new.now + span;
        while self.new.now < until {
            std::mem::swap(&mut self.old.venue, &mut self.new.venue);
            self.old.run(ms(1));
            std::mem::swap(&mut self.old.venue, &mut self.new.venue);
            self.new.run(ms(1));
        }
    }

    fn until_the_new_one_trades(&mut self) {
        for _ in 0..30_000 {
            let status = self.new.engine.status(self.new.now);
            if status.instances[0].state == TradingState::Active && equal(&self.new) {
                return;
            }
            self.run(ms(1));
        }
        panic!("it never trades: {:#?}", self.new.engine.status(self.new.now).account);
    }
}

/// Orders and cancels that it has sent so far.
fn sent(sim: &Sim) -> usize {
    sim.requests.iter().filter(|request| request.class != RequestClass::Query).count()
}

/// Its strategy wants other quotes than before, as long as somebody listens.
fn quote(sim: &mut Sim, bid: &str) {
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, bid, "1"), (1, Side::Sell, "100.1", "1")]);
}

#[test]
fn a_core_without_its_api_cancels_and_falls_silent_before_another_begins() {
    let mut old = quoting(&["BTCUSDC"]);
    let kept = old.engine.status(old.now);
    old.auto_lease = false;
    let alone = old.now;
    // Its strategy goes on wanting something new all the time.
    let mut last_sent = alone;
    let mut before = sent(&old);
    for n in 0..LEASE.as_millis() / 500 {
        quote(&mut old, if n % 2 == 0 { "99.8" } else { "99.9" });
        old.run(ms(500));
        if sent(&old) > before {
            (before, last_sent) = (sent(&old), old.now);
        }
        if old.now > alone + SOFT + Nanos::from_secs(5) {
            assert_eq!(
                old.open_client_ids(),
                Vec::<String>::new(),
                "past the soft deadline everything is cancelled"
            );
        }
    }
    assert!(last_sent > alone + Nanos::from_secs(20), "it traded as long as it might");
    assert!(last_sent < alone + HARD - ms(1000), "what left could be accepted for recvWindow, and no longer");

    let mut two = two(old, &kept);
    two.until_the_new_one_trades();
    two.new.session("maker", SessionMessage::Opened { last_sequence: 0 });
    for n in 0..20 {
        quote(&mut two.old, if n % 2 == 0 { "99.7" } else { "99.6" });
        quote(&mut two.new, if n % 2 == 0 { "99.8" } else { "99.9" });
        two.run(ms(500));
    }
    assert_eq!(sent(&two.old), before, "the former holder sent something");
    assert!(sent(&two.new) > 10, "the new one trades");
    assert!(two.new.orders_open().iter().all(|order| order.client_id.contains("-2-1-")));
    two.new.prove_journal();
}

#[test]
fn a_stopped_core_that_wakes_after_the_hand_over_sends_nothing_and_its_orders_are_the_others() {
    let mut old = quoting(&["BTCUSDC"]);
    let kept = old.engine.status(old.now);
    let resting = old.open_client_ids();
    assert_eq!(resting.len(), 2);
    old.auto_lease = false;
    // What its strategy wants in the moment in which it is stopped waits in its rings.
    let before = sent(&old);
    let mut two = two(old, &kept);
    two.old.now = two.new.now;
    // The new one alone: the old one stands still.
    let mut steps = 0;
    while two.new.engine.status(two.new.now).instances[0].state != TradingState::Active || !equal(&two.new) {
        two.new.run(ms(10));
        steps += 1;
        assert!(steps < 12_000, "it never trades");
    }
    assert_eq!(two.new.open_client_ids(), resting, "open orders are taken over as they are");

    two.old.now = two.new.now;
    // The renewal that succeeded just before it was stopped is still waiting to be heard: it extends nothing.
    let (attempt, epoch) = (1_000, two.old.epoch);
    let renewed =
        AgentInput::LeaseRenewed { attempt, epoch, soft_deadline_ms: 35_000, hard_deadline_ms: 55_000 };
    two.old.input(Input::Agent(renewed));
    quote(&mut two.old, "99.5");
    two.new.session("maker", SessionMessage::Opened { last_sequence: 0 });
    quote(&mut two.new, "99.8");
    two.run(Nanos::from_secs(10));
    assert_eq!(sent(&two.old), before, "the former holder sent something");
    assert!(
        two.new.orders_open().iter().any(|order| order.client_id.contains("-2-1-")),
        "the new one trades on"
    );
    assert_eq!(two.new.venue.duplicate_client_ids, 0);
}

/// The other core begins once the Lease has run out, with what the API kept of the first.
fn two(mut old: Sim, kept: &flashpod_engine::Status) -> Two {
    let (venue, desired) = (std::mem::replace(&mut old.venue, sim::venue::Venue::new()), old.desired.clone());
    let mut at = Sim::with(venue, old.config.clone(), Vec::new(), old.now);
    (at.desired, at.epoch) = (desired, old.epoch);
    let new = at.moved(LEASE, kept);
    old.now = old.now.max(new.now);
    Two { old, new }
}
