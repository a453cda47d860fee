//! The book against two sorted maps, over everything that moves its window or changes its grid.

use std::collections::BTreeMap;

use flashpod_book::{Book, Level};
use flashpod_types::{Price, Qty, Side};
use proptest::prelude::*;

type Map = BTreeMap<i64, i64>;

#[derive(Debug, Clone)]
enum Step {
    Load(Vec<(i64, i64)>, Vec<(i64, i64)>),
    Set(bool, i64, i64),
    Clear,
}

fn side(buy: bool) -> Side {
    if buy { Side::Buy } else { Side::Sell }
}

fn level((price, qty): (i64, i64)) -> Level {
    (Price::from_raw(price), Qty::from_raw(qty))
}

fn expected(map: &Map, buy: bool) -> Vec<Level> {
    let mut levels: Vec<Level> = map.iter().map(|(price, qty)| level((*price, *qty))).collect();
    if buy {
        levels.reverse();
    }
    levels
}

/// Carries the steps out on both and compares what they show after each.
fn compare(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut book = Book::new();
    let mut maps = [Map::new(), Map::new()];
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Load(bids, asks) => {
                let levels = [bids, asks].map(|side| side.iter().map(|l| level(*l)).collect::<Vec<_>>());
                book.load(&levels[0], &levels[1]);
                for (map, levels) in maps.iter_mut().zip([bids, asks]) {
                    map.clear();
                    map.extend(levels.iter().copied());
                    map.retain(|_, qty| *qty != 0);
                }
            }
            Step::Set(buy, price, qty) => {
                let map = &mut maps[usize::from(!buy)];
                let before = if *qty == 0 { map.remove(price) } else { map.insert(*price, *qty) };
                let (price, qty) = level((*price, *qty));
                let told = book.apply(side(*buy), price, qty);
                prop_assert_eq!(told.raw(), before.unwrap_or(0), "step {}", at);
                prop_assert_eq!(book.qty_at(side(*buy), price), qty, "step {}", at);
            }
            Step::Clear => {
                book.clear();
                maps.iter_mut().for_each(Map::clear);
            }
        }
        for (buy, map) in [(true, &maps[0]), (false, &maps[1])] {
            let side = side(buy);
            let best = if buy { map.last_key_value() } else { map.first_key_value() };
            prop_assert_eq!(book.best(side), best.map(|(price, qty)| level((*price, *qty))), "step {}", at);
            prop_assert_eq!(book.len(side), map.len());
            if at % 16 == 0 || at + 1 == steps.len() {
                let expected = expected(map, buy);
                prop_assert_eq!(book.levels(side).len(), expected.len());
                for n in [1, 5, 64] {
                    prop_assert!(book.top(side, n).eq(expected.iter().take(n).copied()), "step {}", at);
                }
                prop_assert_eq!(book.levels(side).collect::<Vec<_>>(), expected, "step {}", at);
            }
        }
    }
    Ok(())
}

/// Prices of a market on a tick grid that wanders, jumps, changes its tick, and shows what no venue should.
fn price() -> impl Strategy<Value = i64> {
    prop_oneof![
        // Near the touch of a market at 60,000 with tick 0.01.
        20 => (-300_i64..300).prop_map(|n| 6_000_000_000_000 + n * 1_000_000),
        // Anywhere on the grid: beyond every window, on both sides.
        8 => (1_i64..20_000_000).prop_map(|n| n * 1_000_000),
        // Clusters far apart: each pulls the window over.
        8 => (0_i64..4, 0_i64..20).prop_map(|(place, n)| (1 + place * 2_500_000 + n) * 1_000_000),
        // A finer tick.
        4 => (-300_i64..300).prop_map(|n| 6_000_000_000_000 + n * 100_000),
        2 => (0_i64..100).prop_map(|n| 6_000_000_000_000 + n),
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, -1, 0, 1, i64::MAX]),
    ]
}

fn qty() -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(0_i64), 6 => 1_i64..1_000, 1 => any::<i64>()]
}

fn step() -> impl Strategy<Value = Step> {
    let levels = || prop::collection::vec((price(), qty()), 0..60);
    prop_oneof![
        100 => (any::<bool>(), price(), qty()).prop_map(|(buy, price, qty)| Step::Set(buy, price, qty)),
        1 => (levels(), levels()).prop_map(|(bids, asks)| Step::Load(bids, asks)),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_steps_leave_what_two_maps_would_hold(steps in prop::collection::vec(step(), 0..250)) {
        compare(&steps)?;
    }

    /// Removing the best again and again leads through window, far store and strays.
    #[test]
    fn a_book_taken_level_by_level_gives_them_in_order(
        bids in prop::collection::vec((price(), 1_i64..9), 1..200), buy in any::<bool>(), loaded in any::<bool>(),
    ) {
        let mut steps = Vec::new();
        if loaded {
            let (one, other) = (bids.clone(), Vec::new());
            steps.push(if buy { Step::Load(one, other) } else { Step::Load(other, one) });
        } else {
            steps.extend(bids.iter().map(|(price, qty)| Step::Set(buy, *price, *qty)));
        }
        let mut prices: Vec<i64> = bids.iter().map(|level| level.0).collect();
        prices.sort_unstable();
        if buy {
            prices.reverse();
        }
        steps.extend(prices.into_iter().map(|price| Step::Set(buy, price, 0)));
        compare(&steps)?;
    }
}

/// 5,000 levels a side as a venue may send them, and a market that then runs 40 % up and 60 % down.
#[test]
fn a_deep_book_follows_a_market_that_runs() {
    let tick = 1_000_000;
    let around = |mid: i64, n: i64| (mid - n * tick * (1 + n / 40), mid + (n + 1) * tick * (1 + n / 40));
    let mut mid = 6_000_000_000_000;
    let snapshot = |mid: i64| {
        let (bids, asks): (Vec<_>, Vec<_>) = (0..5_000).map(|n| around(mid, n)).unzip();
        let levels = |prices: Vec<i64>| prices.into_iter().map(|price| (price, 7)).collect::<Vec<_>>();
        Step::Load(levels(bids), levels(asks))
    };
    let mut steps = vec![snapshot(mid)];
    for (towards, leaps) in [(8_400_000_000_000, 60), (2_400_000_000_000, 40), (6_000_000_000_000, 3)] {
        let start = mid;
        for leap in 1..=leaps {
            mid = (start + (towards - start) / leaps * leap) / tick * tick;
            // Both sides quote round the new mid; the side that was run over is taken away.
            for n in 0..20 {
                let (bid, ask) = around(mid, n);
                steps.extend([Step::Set(true, bid, 3), Step::Set(false, ask, 4)]);
            }
        }
    }
    // A tick ten times finer from here on, then a snapshot that holds nothing else.
    steps.extend((1..50).map(|n| Step::Set(true, mid - n * tick / 10, 2)));
    steps.push(Step::Load((1..2_000).map(|n| (mid - n * tick / 10, 2)).collect(), vec![(mid + tick, 1)]));
    steps.extend((1..100).map(|n| Step::Set(true, mid - n * tick / 10, 0)));
    compare(&steps).unwrap();
}

/// Neighbouring levels further apart than any window is wide.
#[test]
fn a_book_wider_than_every_window_keeps_its_order() {
    let step = 1_000_000 * 300_000;
    let asks: Vec<(i64, i64)> = (1..3_000).map(|n| (n * step, n)).collect();
    let mut steps = vec![Step::Load(vec![(step - 1_000_000, 1)], asks)];
    steps.extend((1..200).map(|n| Step::Set(false, n * step, 0)));
    steps.extend((1..200).rev().map(|n| Step::Set(false, n * step, n)));
    compare(&steps).unwrap();
}
