use std::collections::BTreeMap;

use flashpod_matching::FifoBook;
use flashpod_types::{Nanos, Side};

use super::{Arrival, Flow, Profile};

#[derive(Debug, Default)]
struct Seen {
    changes: usize,
    trades: usize,
    /// Trades by second and side.
    by_second: BTreeMap<(u64, bool), usize>,
    spreads: Vec<f64>,
    /// Mid price at each whole second.
    mids: Vec<f64>,
    levels: Vec<usize>,
    hash: u64,
}

fn run(profile: Profile, seed: u64, seconds: u64) -> Seen {
    let mut flow = Flow::new(profile, seed, 0);
    let mut book = FifoBook::new();
    for order in flow.opening() {
        book.place(&order);
    }
    book.drain_changes();
    let mut seen = Seen::default();
    while flow.next_at() < Nanos::from_secs(seconds) {
        let at = flow.next_at();
        let second = at.0 / 1_000_000_000;
        if seen.mids.len() as u64 <= second
            && let (Some(bid), Some(ask)) = (book.best(Side::Buy), book.best(Side::Sell))
        {
            seen.spreads.push(ask.0.to_f64() - bid.0.to_f64());
            seen.mids.push((ask.0.to_f64() + bid.0.to_f64()) / 2.0);
            seen.levels.push(book.levels(Side::Buy).count().min(book.levels(Side::Sell).count()));
        }
        match flow.arrive(&book) {
            Arrival::Place(order) => {
                let placed = book.place(&order);
                seen.trades += placed.matches.len();
                if !placed.matches.is_empty() {
                    *seen.by_second.entry((second, order.side.is_buy())).or_default() += 1;
                }
                for m in placed.matches.iter().filter(|m| m.maker_left.is_zero()) {
                    flow.gone(m.maker.unwrap());
                }
                if placed.resting.is_zero() {
                    flow.gone(order.key);
                }
            }
            Arrival::Cancel(key) => {
                book.cancel(key);
            }
            Arrival::Nothing => {}
        }
        for change in book.drain_changes() {
            seen.changes += 1;
            seen.hash =
                seen.hash.rotate_left(5) ^ (change.price.raw() as u64) ^ (change.qty.raw() as u64) << 1;
        }
    }
    seen
}

#[test]
fn the_same_seed_gives_the_same_market_and_another_seed_another() {
    let hash = |seed| run(Profile::btcusdc(), seed, 20).hash;
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
}

#[test]
fn the_market_is_believable() {
    for (profile, most_spread) in [(Profile::btcusdc(), 1.0), (Profile::ethusdc(), 0.1)] {
        let minutes = 20;
        let mut seen = run(profile, 42, minutes * 60);
        let seconds = (minutes * 60) as f64;
        let changes = seen.changes as f64 / seconds;
        let trades = seen.trades as f64 / seconds;
        seen.spreads.sort_by(f64::total_cmp);
        let spread = seen.spreads[seen.spreads.len() / 2];
        let per_minute: Vec<f64> =
            seen.mids.windows(61).step_by(60).map(|w| (w[60] / w[0]).ln() * 1e4).collect();
        let rms = (per_minute.iter().map(|r| r * r).sum::<f64>() / per_minute.len() as f64).sqrt();
        let deep = seen.levels.iter().min().unwrap();
        // A burst: at least eight takers of one side within a second.
        let bursts = seen.by_second.values().filter(|n| **n >= 8).count();
        let what = format!(
            "{}: {changes:.0} changes/s, {trades:.1} trades/s, spread {spread:.3}, {rms:.1} bp a minute, \
             {deep} levels, {bursts} bursts",
            profile.symbol
        );
        println!("{what}");
        assert!((50.0..=200.0).contains(&changes), "{what}");
        assert!((2.0..=25.0).contains(&trades), "{what}");
        assert!((0.01..=most_spread).contains(&spread), "{what}");
        assert!((1.5..=40.0).contains(&rms), "{what}");
        assert!(*deep >= 100, "{what}");
        assert!(bursts >= 10, "{what}");
    }
}
