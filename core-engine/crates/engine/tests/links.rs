//! Connections: two for one pair, planned changes, half-dead ones, listen keys.

mod sim;

use flashpod_engine::EngineConfig;
use flashpod_engine::io::{SidecarLossAction, TradingState};
use flashpod_engine::status::Counters;
use flashpod_types::{Amount, Nanos, OrderType, Side};
use sim::venue::Venue;
use sim::{Sim, equal, maker, ms, policy, symbol};

fn with(change: impl Fn(&mut EngineConfig)) -> Sim {
    let mut config = sim::config();
    change(&mut config);
    let mut sim = Sim::with(Venue::new(), config, Vec::new(), Nanos::from_secs(1000));
    sim.want(vec![policy("maker", &["BTCUSDC"])]);
    sim.policy_mut("maker").sidecar_loss = SidecarLossAction::Keep;
    sim.send_desired();
    sim.bring_up();
    sim
}

fn twins() -> Sim {
    let mut sim = with(|config| config.tuning.links_per_feed = 2);
    sim.run(ms(10));
    assert_eq!(sim.public.len(), 2);
    sim
}

fn counters(sim: &Sim) -> Counters {
    sim.engine.status(sim.now).counters
}

fn book(sim: &Sim) -> (String, u64, u64) {
    let status = sim.engine.status(sim.now);
    (status.books[0].state.clone(), status.books[0].version, status.books[0].gaps)
}

fn snapshots(sim: &Sim) -> usize {
    sim.requests.iter().filter(|request| request.path == "/api/v3/depth").count()
}

#[test]
fn of_two_connections_the_first_with_a_version_wins_and_the_other_is_counted() {
    let mut sim = twins();
    sim.lag.insert(sim.public[1], ms(3));
    let first = sim.venue.books["BTCUSDC"].version + 1;
    sim.venue.move_book("BTCUSDC", "99.98", "100.02", 0);
    sim.run(ms(2));
    assert_eq!(book(&sim), ("CERTIFIED".into(), first, 0), "the faster brought it");
    assert_eq!(counters(&sim).repeated_depth, 0);
    sim.run(ms(3));
    assert_eq!((book(&sim).1, counters(&sim).repeated_depth), (first, 1));
    sim.prove();
}

#[test]
fn a_hole_of_one_connection_is_filled_by_the_other() {
    let mut sim = twins();
    let (fast, slow) = (sim.public[0], sim.public[1]);
    sim.lag.insert(slow, ms(20));
    sim.lose.insert(fast, 1);
    let before = snapshots(&sim);
    sim.venue.move_book("BTCUSDC", "99.98", "100.02", 0);
    sim.run(ms(1));
    sim.venue.move_book("BTCUSDC", "99.97", "100.03", 0);
    sim.run(ms(5));
    let version = sim.venue.books["BTCUSDC"].version;
    assert_eq!(book(&sim), ("CERTIFIED".into(), version - 2, 0), "the newer one waits for what is missing");
    sim.run(ms(20));
    assert_eq!(book(&sim), ("CERTIFIED".into(), version, 0));
    assert_eq!((counters(&sim).bridged_holes, snapshots(&sim)), (1, before));
    sim.prove();
}

#[test]
fn a_hole_of_both_connections_is_a_gap_after_a_moment() {
    let mut sim = twins();
    sim.venue.move_book("BTCUSDC", "99.98", "100.02", 1);
    sim.run(ms(90));
    assert_eq!(book(&sim).0, "CERTIFIED");
    sim.run(ms(12));
    assert_eq!((book(&sim).0, book(&sim).2), ("GAP".into(), 1));
    sim.until("the book is back", |sim| book(sim).0 == "CERTIFIED");
    assert_eq!((book(&sim).1, counters(&sim).bridged_holes), (sim.venue.books["BTCUSDC"].version, 0));
    sim.prove();
}

#[test]
fn with_one_of_two_connections_nothing_is_lost() {
    let mut sim = twins();
    let before = snapshots(&sim);
    let lost = sim.public[0];
    sim.disconnect(lost);
    for _ in 0..20 {
        sim.venue.move_book("BTCUSDC", "99.98", "100.02", 0);
        sim.run(ms(10));
        assert_eq!(book(&sim), ("CERTIFIED".into(), sim.venue.books["BTCUSDC"].version, 0));
    }
    sim.until("there are two again", |sim| sim.public.len() == 2);
    let both = sim.public.clone();
    both.into_iter().for_each(|conn| sim.disconnect(conn));
    sim.run(ms(2));
    assert_eq!(book(&sim).0, "DISCONNECTED");
    sim.until("the book is back", |sim| book(sim).0 == "CERTIFIED");
    assert_eq!((counters(&sim).public_reconnects, snapshots(&sim)), (3, before + 1));
    sim.prove();
}

#[test]
fn before_its_end_a_connection_is_replaced_and_the_book_stays_certified() {
    let mut sim = with(|config| config.tuning.feed_lifetime = Nanos::from_secs(20));
    let first = (sim.public[0], sim.private.unwrap());
    let (before, mut together) = (snapshots(&sim), 0);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.5", "1")]);
    for round in 0..1000 {
        let bid = if round % 2 == 0 { "99.98" } else { "99.97" };
        sim.venue.move_book("BTCUSDC", bid, "100.02", 0);
        if round % 50 == 0 {
            // Deposits are told by both private connections while there are two.
            sim.venue.change("USDC", "1".parse().unwrap(), Amount::ZERO, "DEPOSIT");
        }
        sim.run(ms(100));
        together += usize::from(sim.public.len() > 1 || sim.privates.len() > 1);
        assert_eq!(book(&sim), ("CERTIFIED".into(), sim.venue.books["BTCUSDC"].version, 0));
        let status = sim.engine.status(sim.now);
        assert_eq!(status.account.state, TradingState::Active, "{:?}", status.account.reasons);
    }
    let counts = counters(&sim);
    assert!(counts.links_replaced >= 8 && together > 0, "{counts:?}, {together}");
    assert_eq!(
        (counts.public_reconnects, counts.private_reconnects, counts.ledger_audit_failures),
        (0, 0, 0)
    );
    assert!(sim.public[0] != first.0 && sim.private != Some(first.1));
    // The audits of the book, and no other.
    assert!(snapshots(&sim) <= before + 2);
    sim.run(Nanos::from_secs(31));
    assert!(equal(&sim), "{}", sim.engine.status(sim.now).account.audit_difference);
    sim.prove();
}

#[test]
fn deposits_told_by_both_private_connections_are_booked_once() {
    let mut sim = with(|config| config.tuning.feed_lifetime = Nanos::from_secs(20));
    sim.until("there are two", |sim| sim.privates.len() == 2);
    let (old, new) = (sim.privates[0], sim.privates[1]);
    sim.lag.insert(new, ms(4));
    let deposit = |sim: &mut Sim| sim.venue.change("USDC", "1".parse().unwrap(), Amount::ZERO, "DEPOSIT");
    // Told by the one before it goes, and by the other when that is gone already.
    for _ in 0..10 {
        deposit(&mut sim);
        sim.run(ms(2));
    }
    sim.until("one is left", |sim| !sim.privates.contains(&old));
    sim.run(Nanos::from_secs(1));
    let usdc = sim.engine.checkpoint().ledger.totals()[&"USDC".parse().unwrap()];
    assert_eq!(usdc, "100010".parse().unwrap());
    assert!(counters(&sim).repeated_pushes > 0);
    sim.prove();
}

#[test]
fn an_old_connection_that_does_not_answer_is_replaced_and_what_it_may_have_kept_is_asked_for() {
    let mut sim = with(|config| config.tuning.feed_lifetime = Nanos::from_secs(20));
    sim.until("there are two", |sim| sim.privates.len() == 2);
    let (old, new) = (sim.privates[0], sim.privates[1]);
    sim.lag.insert(old, Nanos::from_secs(3600));
    let asked =
        |sim: &Sim| sim.requests.iter().filter(|request| request.path == "/api/v3/openOrders").count();
    let before = asked(&sim);
    sim.until("the old one is gone", |sim| !sim.privates.contains(&old));
    assert_eq!(sim.private, Some(new));
    sim.until("it is reconciled", |sim| asked(sim) > before && equal(sim));
    sim.prove();
}

#[test]
fn a_quiet_pair_is_handed_over_too() {
    let mut sim = with(|config| config.tuning.feed_lifetime = Nanos::from_secs(20));
    let (first, before) = (sim.public[0], snapshots(&sim));
    sim.until("another takes its place", |sim| sim.public.iter().all(|conn| *conn != first));
    assert_eq!((book(&sim).0, snapshots(&sim)), ("CERTIFIED".into(), before));
    sim.venue.move_book("BTCUSDC", "99.98", "100.02", 0);
    sim.run(ms(5));
    assert_eq!(book(&sim), ("CERTIFIED".into(), sim.venue.books["BTCUSDC"].version, 0));
}

#[test]
fn a_half_dead_connection_is_found_within_two_seconds() {
    let mut sim = maker();
    sim.policy_mut("maker").sidecar_loss = SidecarLossAction::Keep;
    sim.policy_mut("maker").limits.max_data_age = None;
    sim.send_desired();
    sim.venue.move_book("BTCUSDC", "99.98", "100.02", 0);
    sim.run(ms(5));
    let (public, private) = (sim.public[0], sim.private.unwrap());
    sim.mute = true;
    sim.run(Nanos::from_secs(2));
    assert!(!sim.public.contains(&public), "the public one");
    assert!(!sim.privates.contains(&private), "the private one");
    assert_eq!(counters(&sim).links_dead, 2);
}

#[test]
fn a_connection_that_brings_frames_and_answers_no_ping_is_replaced_without_a_hole() {
    let mut sim = with(|_| {});
    let deaf = sim.public[0];
    sim.deaf.push(deaf);
    for _ in 0..2500 {
        sim.venue.move_book("BTCUSDC", "99.98", "100.02", 0);
        sim.run(ms(10));
        assert_eq!(book(&sim), ("CERTIFIED".into(), sim.venue.books["BTCUSDC"].version, 0));
    }
    assert!(!sim.public.contains(&deaf));
    assert_eq!((counters(&sim).links_deaf, counters(&sim).public_reconnects), (1, 0));
}

#[test]
fn seventy_restarts_do_not_use_up_the_listen_keys() {
    let mut sim = maker();
    for round in 0..70 {
        sim = sim.crash(ms(100));
        sim.until("it is reconciled", equal);
        assert!(
            sim.venue.listen_keys.len() <= 3,
            "{} keys after {round} restarts",
            sim.venue.listen_keys.len()
        );
    }
    sim.bring_up();
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "1");
    sim.run(ms(10));
    assert_eq!(sim.position("maker", "BTCUSDC"), "1");
    sim.prove();
}

#[test]
fn where_others_have_used_up_the_listen_keys_one_of_theirs_serves() {
    let mut venue = Venue::new();
    venue.listen_keys = (0..60).map(|n| format!("theirs{n}")).collect();
    let mut sim = Sim::with(venue, sim::config(), Vec::new(), Nanos::from_secs(1000));
    sim.want(vec![policy("maker", &["BTCUSDC"])]);
    sim.bring_up();
    assert_eq!((counters(&sim).listen_keys_borrowed, sim.venue.deleted_keys.len()), (1, 0));
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "1");
    sim.run(ms(10));
    assert_eq!(sim.position("maker", "BTCUSDC"), "1");
    sim.prove();
}

#[test]
fn keys_that_are_given_up_in_a_long_trouble_are_deleted() {
    let mut sim = maker();
    sim.shut_private = true;
    let conn = sim.private.unwrap();
    sim.disconnect(conn);
    sim.run(Nanos::from_secs(1200));
    assert!(sim.venue.deleted_keys.len() >= 2, "{:?}", sim.venue.deleted_keys);
    assert!(sim.venue.listen_keys.len() <= 2, "{:?}", sim.venue.listen_keys);
    sim.shut_private = false;
    sim.until("it trades again", |sim| sim.engine.status(sim.now).account.state == TradingState::Active);
}

#[test]
fn a_key_that_expired_is_replaced_while_its_stream_lives_on() {
    let mut sim = with(|config| config.tuning.listen_key_period = Nanos::from_secs(10));
    let first = sim.private.unwrap();
    sim.venue.listen_keys.clear();
    sim.until("another stream is there", |sim| sim.private != Some(first));
    sim.until("the first is closed", |sim| sim.privates.len() == 1);
    let status = sim.engine.status(sim.now);
    assert_eq!((status.account.state, status.counters.private_reconnects), (TradingState::Active, 0));
    assert_eq!(status.counters.listen_keys_made, 2);
    sim.prove();
}

#[test]
fn the_newest_changes_of_a_book_are_kept_with_their_versions_and_times() {
    let mut sim = maker();
    for _ in 0..5 {
        sim.venue.move_book("BTCUSDC", "99.98", "100.02", 0);
        sim.run(ms(10));
    }
    let version = sim.venue.books["BTCUSDC"].version;
    let deltas: Vec<_> = sim.engine.deltas(symbol("BTCUSDC")).unwrap().since(0).collect();
    let versions: Vec<u64> = deltas.iter().map(|view| view.delta.last_version).collect();
    assert_eq!(versions, (version - 4..=version).collect::<Vec<_>>());
    assert!(deltas.windows(2).all(|pair| pair[1].delta.sequence == pair[0].delta.sequence + 1));
    assert!(deltas.windows(2).all(|pair| pair[1].delta.received.since(pair[0].delta.received) == ms(10)));
    assert!(deltas.iter().all(|view| view.bids.len() + view.asks.len() > 0));
}
