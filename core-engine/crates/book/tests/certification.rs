//! The sync rules, case by case. Cases of the MEXC rule are those of the project's API reference §10.

use flashpod_book::{
    AuditOutcome, CertifiedBook, Level, Loss, Rule, Snapshot, SnapshotStep, State, Step, Update,
};
use flashpod_types::{Millis, Price, Qty, Side};

fn level(price: i64, qty: i64) -> Level {
    (Price::from_raw(price), Qty::from_raw(qty))
}

const BIDS: [Level; 2] = [(Price::from_raw(100), Qty::from_raw(1)), (Price::from_raw(90), Qty::from_raw(1))];
const ASKS: [Level; 2] = [(Price::from_raw(110), Qty::from_raw(1)), (Price::from_raw(120), Qty::from_raw(1))];

fn snapshot(version: u64) -> Snapshot<'static> {
    Snapshot { version, bids: &BIDS, asks: &ASKS, limit: None }
}

fn push(first: u64, last: u64, bids: &[Level]) -> Update<'_> {
    Update { first, last, prev_last: None, event: Millis(0), bids, asks: &[] }
}

fn futures(prev_last: u64, first: u64, last: u64) -> Update<'static> {
    Update { first, last, prev_last: Some(prev_last), event: Millis(0), bids: &[], asks: &[] }
}

fn certified(version: u64) -> CertifiedBook {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    assert_eq!(book.on_snapshot(&snapshot(version)), SnapshotStep::Certified { replayed: 0 });
    book
}

#[test]
fn a_push_joins_a_snapshot_when_it_straddles_or_follows_it() {
    for (snapshot_version, outcome) in [
        (1001, SnapshotStep::Certified { replayed: 1 }),
        (1000, SnapshotStep::Certified { replayed: 1 }),
        (1003, SnapshotStep::Certified { replayed: 0 }),
        (999, SnapshotStep::TooOld { snapshot: 999, first: 1001 }),
    ] {
        let mut book = CertifiedBook::new(Rule::Mexc, 10);
        assert_eq!(book.on_update(&push(1001, 1003, &[level(95, 7)])), Step::Buffered);
        assert_eq!(book.on_snapshot(&snapshot(snapshot_version)), outcome, "{snapshot_version}");
        assert_eq!(book.counters().overlaps, 0);
    }
}

#[test]
fn what_waited_serves_the_next_snapshot_when_the_first_was_too_old() {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    book.on_update(&push(1001, 1003, &[level(95, 7)]));
    book.on_update(&push(1004, 1004, &[level(95, 8)]));
    assert!(matches!(book.on_snapshot(&snapshot(999)), SnapshotStep::TooOld { .. }));
    assert_eq!((book.waiting(), book.needs_snapshot()), (2, true));
    assert_eq!(book.on_snapshot(&snapshot(1002)), SnapshotStep::Certified { replayed: 2 });
    assert_eq!(book.version(), 1004);
    assert_eq!(book.book().qty_at(Side::Buy, Price::from_raw(95)), Qty::from_raw(8));
}

#[test]
fn a_quiet_market_is_certified_by_its_snapshot_alone() {
    let mut book = certified(1000);
    assert!(book.is_certified());
    // The push that the snapshot already had arrives late, then the next one.
    assert_eq!(book.on_update(&push(999, 1000, &[level(100, 9)])), Step::Duplicate);
    assert_eq!(book.on_update(&push(1001, 1001, &[level(100, 5)])), Step::Applied);
    let counters = book.counters();
    assert_eq!((counters.covered, counters.duplicates, counters.applied), (1, 0, 1));
}

#[test]
fn duplicates_are_dropped_overlaps_applied_both_counted() {
    let mut book = certified(1000);
    assert_eq!(book.on_update(&push(1001, 1003, &[level(100, 5)])), Step::Applied);
    assert_eq!(book.on_update(&push(1001, 1003, &[level(100, 4)])), Step::Duplicate);
    assert_eq!(book.book().best(Side::Buy), Some(level(100, 5)));
    assert_eq!(book.on_update(&push(1002, 1005, &[level(100, 6)])), Step::Applied);
    assert_eq!(book.book().best(Side::Buy), Some(level(100, 6)));
    let counters = book.counters();
    assert_eq!((counters.duplicates, counters.overlaps, counters.gaps), (1, 1, 0));
}

#[test]
fn a_hole_loses_the_certificate_until_a_new_snapshot() {
    let mut book = certified(1000);
    let loss = Loss::Gap { expected: 1001, got: 1002 };
    assert_eq!(book.on_update(&push(1002, 1002, &[level(100, 5)])), Step::Lost(loss));
    assert_eq!((book.state(), book.counters().gaps), (State::Lost(loss), 1));
    assert_eq!(book.on_update(&push(1003, 1003, &[level(100, 6)])), Step::Buffered);
    assert_eq!(book.on_snapshot(&snapshot(1001)), SnapshotStep::Certified { replayed: 2 });
    assert_eq!(book.book().best(Side::Buy), Some(level(100, 6)));
}

#[test]
fn a_hole_among_waiting_pushes_makes_the_older_ones_useless() {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    book.on_update(&push(1, 2, &[]));
    book.on_update(&push(5, 6, &[]));
    let counters = book.counters();
    assert_eq!((counters.gaps, counters.discarded, book.waiting()), (1, 1, 1));
    assert_eq!(book.on_snapshot(&snapshot(2)), SnapshotStep::TooOld { snapshot: 2, first: 5 });
}

#[test]
fn a_push_whose_versions_jump_keeps_the_book_lost_no_longer_than_the_next_one() {
    let mut book = certified(1000);
    let loss = Loss::Gap { expected: 1001, got: 2_001_001 };
    assert_eq!(book.on_update(&push(2_001_001, 2_001_001, &[level(95, 7)])), Step::Lost(loss));
    assert!(matches!(book.on_snapshot(&snapshot(1001)), SnapshotStep::TooOld { .. }));
    // Versions are where they were: what had jumped is of no use.
    assert_eq!(book.on_update(&push(1002, 1002, &[level(95, 8)])), Step::Buffered);
    assert_eq!((book.waiting(), book.counters().discarded), (1, 1));
    assert_eq!(book.on_snapshot(&snapshot(1001)), SnapshotStep::Certified { replayed: 1 });
    assert_eq!(book.book().qty_at(Side::Buy, Price::from_raw(95)), Qty::from_raw(8));
}

#[test]
fn a_push_that_comes_after_its_successor_waits_before_it() {
    let mut book = certified(1000);
    assert!(matches!(book.on_update(&push(1002, 1003, &[level(95, 8)])), Step::Lost(Loss::Gap { .. })));
    assert_eq!(book.on_update(&push(1001, 1001, &[level(95, 7)])), Step::Buffered);
    assert_eq!(book.on_update(&push(1001, 1001, &[level(95, 7)])), Step::Duplicate);
    assert_eq!(book.on_snapshot(&snapshot(1000)), SnapshotStep::Certified { replayed: 2 });
    assert_eq!(book.book().qty_at(Side::Buy, Price::from_raw(95)), Qty::from_raw(8));
}

#[test]
fn the_number_of_waiting_pushes_is_bounded() {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    for version in 1..=25 {
        book.on_update(&push(version, version, &[]));
    }
    assert_eq!((book.waiting(), book.counters().discarded), (5, 20));
    assert!(matches!(book.on_snapshot(&snapshot(15)), SnapshotStep::TooOld { .. }));
    assert_eq!(book.on_snapshot(&snapshot(20)), SnapshotStep::Certified { replayed: 5 });
}

#[test]
fn crossing_is_judged_after_the_whole_message() {
    let mut book = certified(1000);
    // The bid at 110 crosses until the same message takes the ask away.
    let bid = [level(110, 1)];
    let update = Update { asks: &[level(110, 0)], ..push(1001, 1002, &bid) };
    assert_eq!(book.on_update(&update), Step::Applied);
    let crossed = Loss::Crossed { bid: Price::from_raw(120), ask: Price::from_raw(120) };
    assert_eq!(book.on_update(&push(1003, 1003, &[level(120, 1)])), Step::Lost(crossed));
    assert_eq!(book.counters().crossings, 1);
}

#[test]
fn after_a_loss_nothing_older_than_the_lost_book_is_taken() {
    let crossing = [level(110, 1)];
    for waits in [false, true] {
        let mut book = certified(1000);
        assert!(matches!(book.on_update(&push(1001, 1010, &crossing)), Step::Lost(Loss::Crossed { .. })));
        if waits {
            // Repeats what the lost book had.
            assert_eq!(book.on_update(&push(1004, 1006, &[level(95, 7)])), Step::Duplicate);
        }
        // The venue's book is at 1010 at least, whatever a slow replica says.
        for version in [1000, 1005, 1009] {
            let old = SnapshotStep::TooOld { snapshot: version, first: 1011 };
            assert_eq!(book.on_snapshot(&snapshot(version)), old);
        }
        assert_eq!((book.counters().old_snapshots, book.is_certified()), (3, false));
        assert_eq!(book.on_snapshot(&snapshot(1010)), SnapshotStep::Certified { replayed: 0 });
    }
    // An update that goes on behind the loss joins an older snapshot and leads beyond it.
    let mut book = certified(1000);
    book.on_update(&push(1001, 1010, &crossing));
    assert_eq!(book.on_update(&push(1009, 1012, &[])), Step::Buffered);
    assert_eq!(book.on_snapshot(&snapshot(1008)), SnapshotStep::Certified { replayed: 1 });
    assert_eq!(book.version(), 1012);
}

#[test]
fn an_update_that_waited_and_broke_the_book_is_not_forgotten() {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    book.on_update(&push(1001, 1010, &[level(110, 1)]));
    assert!(matches!(book.on_snapshot(&snapshot(1000)), SnapshotStep::Lost(Loss::Crossed { .. })));
    assert_eq!(book.on_snapshot(&snapshot(1005)), SnapshotStep::TooOld { snapshot: 1005, first: 1011 });
}

#[test]
fn on_a_new_connection_versions_may_begin_anew() {
    let mut book = certified(1000);
    book.on_update(&push(1001, 1010, &[level(110, 1)]));
    book.disconnected();
    assert_eq!(book.on_update(&push(4, 5, &[])), Step::Buffered);
    assert_eq!(book.on_snapshot(&snapshot(4)), SnapshotStep::Certified { replayed: 1 });
}

#[test]
fn a_crossed_snapshot_certifies_nothing() {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    let crossed = Snapshot { version: 5, bids: &[level(100, 1)], asks: &[level(100, 1)], limit: None };
    assert!(matches!(book.on_snapshot(&crossed), SnapshotStep::Lost(Loss::Crossed { .. })));
    assert!(!book.is_certified());
}

#[test]
fn prices_behind_a_cut_snapshot_are_not_covered() {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    book.on_snapshot(&Snapshot { limit: Some(2), ..snapshot(1000) });
    assert!(book.covers(Side::Buy, Price::from_raw(90)) && !book.covers(Side::Buy, Price::from_raw(89)));
    assert!(book.covers(Side::Sell, Price::from_raw(120)) && !book.covers(Side::Sell, Price::from_raw(121)));
    let whole = certified(1000);
    assert!(whole.covers(Side::Buy, Price::from_raw(1)));
}

#[test]
fn a_best_price_outside_the_covered_range_loses_the_certificate() {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    book.on_snapshot(&Snapshot { limit: Some(2), ..snapshot(1000) });
    assert_eq!(book.on_update(&push(1001, 1001, &[level(100, 0), level(80, 3)])), Step::Applied);
    let step = book.on_update(&push(1002, 1002, &[level(90, 0)]));
    assert_eq!(step, Step::Lost(Loss::OutOfRange { side: Side::Buy }));
}

#[test]
fn a_disconnect_loses_certificate_and_waiting_pushes() {
    let mut book = certified(1000);
    book.disconnected();
    assert_eq!(book.state(), State::Lost(Loss::Disconnected));
    book.on_update(&push(2000, 2000, &[]));
    book.disconnected();
    assert_eq!(book.waiting(), 0);
}

#[test]
fn futures_updates_chain_by_the_id_they_name() {
    let mut book = CertifiedBook::new(Rule::BinanceFutures, 10);
    for update in [futures(10, 15, 20), futures(20, 28, 30), futures(30, 33, 40)] {
        assert_eq!(book.on_update(&update), Step::Buffered);
    }
    // The update that ends at the snapshot's id is applied again: u ≥ lastUpdateId.
    assert_eq!(book.on_snapshot(&snapshot(30)), SnapshotStep::Certified { replayed: 2 });
    assert_eq!(book.on_update(&futures(40, 47, 50)), Step::Applied);
    let loss = Loss::Gap { expected: 51, got: 56 };
    assert_eq!(book.on_update(&futures(55, 58, 60)), Step::Lost(loss));
}

#[test]
fn binance_spot_drops_the_update_that_ends_at_the_snapshot() {
    let mut book = CertifiedBook::new(Rule::BinanceSpot, 10);
    book.on_update(&push(1, 30, &[]));
    book.on_update(&push(31, 40, &[]));
    assert_eq!(book.on_snapshot(&snapshot(30)), SnapshotStep::Certified { replayed: 1 });
}

#[test]
fn an_audit_compares_untouched_levels_and_two_failures_uncertify() {
    let mut book = certified(1000);
    assert_eq!(book.finish_audit(&snapshot(1000)), AuditOutcome::Inconclusive);
    book.start_audit();
    book.on_update(&push(1001, 1002, &[level(100, 7)]));
    // Taken before the update: 100 differs, but was touched meanwhile.
    assert_eq!(book.finish_audit(&snapshot(1000)), AuditOutcome::Passed { compared: 3 });
    let wrong = Snapshot { bids: &[level(100, 7), level(90, 2)], ..snapshot(1002) };
    for certified in [true, false] {
        book.start_audit();
        let failed = AuditOutcome::Failed {
            side: Side::Buy,
            price: Price::from_raw(90),
            kept: Qty::from_raw(1),
            told: Qty::from_raw(2),
        };
        assert_eq!(book.finish_audit(&wrong), failed);
        assert_eq!(book.is_certified(), certified);
    }
    assert_eq!(book.state(), State::Lost(Loss::Audit));
}

#[test]
fn an_audit_by_an_older_snapshot_is_inconclusive() {
    let mut book = certified(1000);
    book.start_audit();
    assert_eq!(book.finish_audit(&snapshot(999)), AuditOutcome::Inconclusive);
}

#[test]
fn an_audit_by_a_snapshot_ahead_of_the_book_waits_for_the_book() {
    let mut book = certified(1000);
    for (version, certified) in [(1002, true), (1004, false)] {
        book.start_audit();
        let ahead = Snapshot { bids: &[level(100, 1)], ..snapshot(version) };
        assert_eq!(book.finish_audit(&ahead), AuditOutcome::Pending);
        assert_eq!(book.on_update(&push(version - 1, version - 1, &[level(100, 5)])), Step::Applied);
        assert_eq!(book.take_audit(), None);
        // The level at 90 is still kept, untouched, though the snapshot does not have it.
        let step = book.on_update(&push(version, version, &[level(100, 1)]));
        assert_eq!(step, if certified { Step::Applied } else { Step::Lost(Loss::Audit) });
        let failed = AuditOutcome::Failed {
            side: Side::Buy,
            price: Price::from_raw(90),
            kept: Qty::from_raw(1),
            told: Qty::ZERO,
        };
        assert_eq!((book.take_audit(), book.take_audit()), (Some(failed), None));
        assert_eq!(book.is_certified(), certified);
    }
}

#[test]
fn a_book_that_stands_still_ahead_of_every_snapshot_loses_its_certificate() {
    let mut book = certified(1000);
    // Its last version is wrong, so everything after it seems to be known.
    assert_eq!(book.on_update(&push(1001, 2_000_000, &[])), Step::Applied);
    for version in 1002..1012 {
        assert!(book.is_certified());
        assert_eq!(book.on_update(&push(version, version, &[level(95, 7)])), Step::Duplicate);
        book.start_audit();
        assert_eq!(book.finish_audit(&snapshot(version)), AuditOutcome::Inconclusive);
    }
    assert_eq!(book.state(), State::Lost(Loss::Audit));
    assert_eq!(book.on_update(&push(1012, 1012, &[level(95, 8)])), Step::Buffered);
    assert_eq!(book.on_snapshot(&snapshot(1011)), SnapshotStep::Certified { replayed: 1 });
}

#[test]
fn a_book_that_moves_on_may_be_ahead_of_late_snapshots() {
    let mut book = certified(1000);
    for version in 1001..1100 {
        assert_eq!(book.on_update(&push(version, version, &[])), Step::Applied);
        book.start_audit();
        assert_eq!(book.finish_audit(&snapshot(version - 1)), AuditOutcome::Inconclusive);
    }
    assert!(book.is_certified());
}

#[test]
fn an_audit_that_too_much_changed_under_says_so() {
    let mut book = certified(1000);
    book.start_audit();
    assert_eq!(book.finish_audit(&snapshot(2000)), AuditOutcome::Pending);
    let changed: Vec<Level> = (1..=100_001).map(|price| level(-price, 1)).collect();
    assert_eq!(book.on_update(&push(1001, 1001, &changed)), Step::Applied);
    assert_eq!((book.take_audit(), book.take_audit()), (Some(AuditOutcome::Inconclusive), None));
}

#[test]
fn a_passed_audit_forgives_a_failed_one() {
    let mut book = certified(1000);
    let wrong = Snapshot { bids: &[level(100, 2)], ..snapshot(1000) };
    for _ in 0..3 {
        book.start_audit();
        assert!(matches!(book.finish_audit(&wrong), AuditOutcome::Failed { .. }));
        book.start_audit();
        assert_eq!(book.finish_audit(&snapshot(1000)), AuditOutcome::Passed { compared: 4 });
    }
    assert!(book.is_certified());
}

#[test]
fn an_audit_leaves_out_what_one_of_both_does_not_cover() {
    let mut book = CertifiedBook::new(Rule::Mexc, 10);
    book.on_snapshot(&Snapshot { limit: Some(2), ..snapshot(1000) });
    book.start_audit();
    let deeper = Snapshot {
        bids: &[level(100, 1), level(90, 1), level(80, 1)],
        asks: &[level(110, 1), level(115, 9)],
        version: 1000,
        limit: Some(2),
    };
    // 80 lies behind what the book covers, 120 behind what the snapshot covers; 115 is covered by both.
    let failed = AuditOutcome::Failed {
        side: Side::Sell,
        price: Price::from_raw(115),
        kept: Qty::ZERO,
        told: Qty::from_raw(9),
    };
    assert_eq!(book.finish_audit(&deeper), failed);
    book.start_audit();
    let cut = Snapshot { asks: &[level(110, 1)], limit: Some(1), ..deeper };
    assert_eq!(book.finish_audit(&cut), AuditOutcome::Passed { compared: 3 });
}
