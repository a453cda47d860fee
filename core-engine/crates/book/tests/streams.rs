//! Random venues and lossy streams: whenever the book says that it is certified, it equals the venue's at its version.

use std::collections::BTreeMap;

use flashpod_book::{AuditOutcome, CertifiedBook, Level, Rule, Snapshot, SnapshotStep, Update};
use flashpod_types::{Millis, Price, Qty, Side};
use proptest::prelude::*;

type Sides = [BTreeMap<i64, i64>; 2];

/// One single change of the venue's book: bid?, price, quantity. Bids lie below 50, asks above.
fn change() -> impl Strategy<Value = (bool, i64, i64)> {
    (any::<bool>(), 1_i64..50, 0_i64..4)
        .prop_map(|(bid, price, qty)| (bid, if bid { price } else { price + 50 }, qty))
}

/// What the network does with one push.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Delivered,
    Lost,
    Twice,
    /// Delivered after a snapshot was fetched, which happens whenever one is needed.
    AfterFetch,
    /// Delivered after its successor.
    Late,
    /// Delivered with versions that are far too high.
    Jumped,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Delivered),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
        3 => Just(Fate::AfterFetch),
        1 => Just(Fate::Late),
        1 => Just(Fate::Jumped),
    ]
}

fn levels(map: &BTreeMap<i64, i64>) -> Vec<Level> {
    map.iter().map(|(price, qty)| (Price::from_raw(*price), Qty::from_raw(*qty))).collect()
}

/// Versions `1..=changes.len()`; `states[v]` is the venue's book at version v.
fn venue(changes: &[(bool, i64, i64)]) -> Vec<Sides> {
    let mut states = vec![Sides::default()];
    for (bid, price, qty) in changes {
        let mut sides = states.last().cloned().unwrap_or_default();
        let map = &mut sides[usize::from(!bid)];
        if *qty == 0 {
            map.remove(price);
        } else {
            map.insert(*price, *qty);
        }
        states.push(sides);
    }
    states
}

fn check(book: &CertifiedBook, states: &[Sides]) -> Result<(), TestCaseError> {
    if book.is_certified() {
        let state = &states[usize::try_from(book.version()).unwrap()];
        let mut bids: Vec<Level> = levels(&state[0]);
        bids.reverse();
        prop_assert_eq!(book.book().levels(Side::Buy).collect::<Vec<_>>(), bids);
        prop_assert_eq!(book.book().levels(Side::Sell).collect::<Vec<_>>(), levels(&state[1]));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_certified_book_is_the_venues(
        changes in prop::collection::vec(change(), 1..120),
        cuts in prop::collection::vec((1_usize..6, fate(), 0_usize..8, any::<bool>()), 1..60),
        futures in any::<bool>(),
    ) {
        let states = venue(&changes);
        let rule = if futures { Rule::BinanceFutures } else { Rule::Mexc };
        let mut book = CertifiedBook::new(rule, 8);
        let (mut version, mut certified_once) = (0, false);
        let mut late: Option<(u64, u64, Vec<Level>, Vec<Level>)> = None;
        for (size, fate, snapshot_lag, audited) in cuts {
            let last = (version + size).min(changes.len());
            if last == version {
                break;
            }
            // A push holds the last quantity of each level that changed.
            let mut changed: Sides = Sides::default();
            for (bid, price, qty) in &changes[version..last] {
                changed[usize::from(!bid)].insert(*price, *qty);
            }
            let (bids, asks) = (levels(&changed[0]), levels(&changed[1]));
            let update = Update {
                first: version as u64 + 1,
                last: last as u64,
                prev_last: Some(version as u64),
                event: Millis(0),
                bids: &bids,
                asks: &asks,
            };
            version = last;
            if matches!(fate, Fate::AfterFetch) && book.needs_snapshot() {
                // Fetched somewhere in the recent past, perhaps inside the push that is under way.
                let at = version.saturating_sub(snapshot_lag);
                let (bids, asks) = (levels(&states[at][0]), levels(&states[at][1]));
                let snapshot = Snapshot { version: at as u64, bids: &bids, asks: &asks, limit: None };
                certified_once |= matches!(book.on_snapshot(&snapshot), SnapshotStep::Certified { .. });
                check(&book, &states)?;
            }
            // Audited by what the venue has by now, which the book may not have reached.
            if audited {
                book.start_audit();
                let (bids, asks) = (levels(&states[version][0]), levels(&states[version][1]));
                let snapshot = Snapshot { version: version as u64, bids: &bids, asks: &asks, limit: None };
                let outcome = book.finish_audit(&snapshot);
                prop_assert!(!matches!(outcome, AuditOutcome::Failed { .. }), "{outcome:?}");
            }
            let before = late.take();
            let mut deliveries = match fate {
                Fate::Lost => vec![],
                Fate::Delivered | Fate::AfterFetch => vec![update],
                Fate::Twice => vec![update, update],
                Fate::Late => {
                    late = Some((update.first, update.last, bids.clone(), asks.clone()));
                    vec![]
                }
                Fate::Jumped => {
                    let by = |version: u64| version + 1_000_000;
                    let prev_last = update.prev_last.map(by);
                    vec![Update { first: by(update.first), last: by(update.last), prev_last, ..update }]
                }
            };
            deliveries.extend(before.iter().map(|(first, last, bids, asks)| Update {
                first: *first,
                last: *last,
                prev_last: Some(first - 1),
                event: Millis(0),
                bids,
                asks,
            }));
            for update in &deliveries {
                book.on_update(update);
                check(&book, &states)?;
                let outcome = book.take_audit();
                prop_assert!(!matches!(outcome, Some(AuditOutcome::Failed { .. })), "{outcome:?}");
            }
            prop_assert!(book.waiting() <= 8);
        }
        prop_assert_eq!(book.counters().syncs > 0, certified_once);
        // Whatever came before: one more push and a fresh snapshot are enough.
        let last = version as u64 + 1;
        let prev_last = Some(version as u64);
        book.on_update(&Update { first: last, last, prev_last, event: Millis(0), bids: &[], asks: &[] });
        let (bids, asks) = (levels(&states[version][0]), levels(&states[version][1]));
        book.on_snapshot(&Snapshot { version: last, bids: &bids, asks: &asks, limit: None });
        prop_assert!(book.is_certified(), "{:?}", book.state());
    }
}

/// Numbers near each other and at the ends of the range.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..12, 1 => Just(u64::MAX), 1 => any::<u64>()]
}

fn any_levels() -> impl Strategy<Value = Vec<Level>> {
    let level =
        (any::<i64>(), any::<i64>()).prop_map(|(price, qty)| (Price::from_raw(price), Qty::from_raw(qty)));
    prop::collection::vec(level, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_sequence_of_inputs_makes_it_panic_or_keep_too_much(
        rule in prop::sample::select(vec![Rule::Mexc, Rule::BinanceSpot, Rule::BinanceFutures]),
        inputs in prop::collection::vec(
            (0_u8..6, number(), number(), prop::option::of(number()), any_levels(), any_levels()), 0..40
        ),
    ) {
        let mut book = CertifiedBook::new(rule, 3);
        for (kind, first, last, prev_last, bids, asks) in inputs {
            match kind {
                0 => {
                    book.on_snapshot(&Snapshot { version: first, bids: &bids, asks: &asks, limit: Some(2) });
                }
                1 => book.disconnected(),
                2 => book.start_audit(),
                3 => {
                    book.finish_audit(&Snapshot { version: first, bids: &bids, asks: &asks, limit: None });
                }
                _ => {
                    let update = Update { first, last, prev_last, event: Millis(0), bids: &bids, asks: &asks };
                    book.on_update(&update);
                }
            }
            prop_assert!(book.waiting() <= 3);
            prop_assert!(!book.is_certified() || !book.book().is_crossed());
        }
    }
}
