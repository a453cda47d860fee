//! A market made up, for machines without the recordings: always the same one.

use std::collections::BTreeSet;

use flashpod_book::{Level, Rule, Update};
use flashpod_recordings::Trade;
use flashpod_types::{Millis, Price, Qty};

use super::Tape;

/// 200 s of a market.
const UPDATES: u64 = 2_000;
const SNAPSHOT_LEVELS: i64 = 1_000;
/// 0.01.
const TICK: i64 = 1_000_000;
const START_MS: i64 = 1_760_000_000_000;

/// Knuth's generator: no two neighbouring numbers look alike, and every run has the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    /// Most near zero, few far away, as the changes of a book lie.
    fn depth(&mut self) -> i64 {
        let span = [4, 16, 64, 512, 20_000][usize::try_from(self.below(5)).unwrap_or(0)];
        self.below(span)
    }
}

/// The book of a mid that wanders by up to three ticks each 100 ms, and trades at the touch.
pub(super) fn tape(source: String) -> Tape {
    let mut numbers = Numbers(7);
    let mut mid = 6_180_000_i64;
    let price = |ticks: i64| Price::from_raw(ticks * TICK);
    let qty = |numbers: &mut Numbers| Qty::from_raw((1 + numbers.below(50_000)) * 1_000);
    let mut sides: [BTreeSet<i64>; 2] = [BTreeSet::new(), BTreeSet::new()];
    let mut levels: [Vec<Level>; 2] = [Vec::new(), Vec::new()];
    for n in 1..=SNAPSHOT_LEVELS {
        for (side, ticks) in [(0, mid - n), (1, mid + n)] {
            sides[side].insert(ticks);
            levels[side].push((price(ticks), qty(&mut numbers)));
        }
    }
    let [bids, asks] = levels;
    let mut tape = Tape {
        source,
        rule: Rule::BinanceSpot,
        trades: Vec::new(),
        files: Vec::new(),
        snapshot: (0, bids, asks),
        updates: Vec::new(),
        levels: Vec::new(),
    };
    for number in 1..=UPDATES {
        let event = Millis(START_MS + i64::try_from(number).unwrap_or(0) * 100);
        mid += numbers.below(7) - 3;
        let mut levels: [Vec<Level>; 2] = [Vec::new(), Vec::new()];
        // What the mid ran over goes. No level is named twice in an update.
        let gone = [sides[0].split_off(&mid), sides[1].range(..=mid).copied().collect()];
        for (side, gone) in gone.into_iter().enumerate() {
            sides[side].retain(|ticks| !gone.contains(ticks));
            let mut named = gone;
            levels[side].extend(named.iter().map(|ticks| (price(*ticks), Qty::ZERO)));
            for _ in 0..8 + numbers.below(30) {
                let away = 1 + numbers.depth();
                let ticks = if side == 0 { mid - away } else { mid + away };
                if !named.insert(ticks) {
                    continue;
                }
                let qty = if numbers.below(3) == 0 { Qty::ZERO } else { qty(&mut numbers) };
                if qty.is_zero() {
                    sides[side].remove(&ticks);
                } else {
                    sides[side].insert(ticks);
                }
                levels[side].push((price(ticks), qty));
            }
        }
        let [bids, asks] = &levels;
        tape.push(&Update { first: number, last: number, prev_last: None, event, bids, asks });
        for _ in 0..numbers.below(6) {
            let (buyer_is_maker, id) = (numbers.below(2) == 0, number);
            let (price, qty) = (price(mid), qty(&mut numbers));
            tape.trades.push(Trade { event, time: event, id, price, qty, buyer_is_maker });
        }
    }
    tape
}
