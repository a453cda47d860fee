//! Invariants of matching as properties over random histories.

use std::collections::BTreeMap;

use flashpod_matching::{
    Account, Conservative, EstimatedBook, FeeAsset, FeeSchedule, FifoBook, LevelChange, NewOrder, OrderKey,
    Proportional, QueueModel, Volume,
};
use flashpod_types::{Amount, Asset, OrderType, Price, Qty, Side};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Place { side: Side, kind: OrderType, price: i64, qty: i64 },
    Cancel(usize),
    Depth { side: Side, price: i64, qty: i64 },
    Trade { aggressor: Side, price: i64, qty: i64, late: bool },
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn kind() -> impl Strategy<Value = OrderType> {
    prop_oneof![
        4 => Just(OrderType::Limit),
        2 => Just(OrderType::LimitMaker),
        1 => Just(OrderType::Ioc),
        1 => Just(OrderType::Fok),
        1 => Just(OrderType::Market)
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (side(), kind(), 95..106i64, 1..20i64)
            .prop_map(|(side, kind, price, qty)| Step::Place { side, kind, price, qty }),
        1 => any::<prop::sample::Index>().prop_map(|i| Step::Cancel(i.index(64))),
        4 => (side(), 95..106i64, 0..30i64).prop_map(|(side, price, qty)| Step::Depth { side, price, qty }),
        4 => (side(), 95..106i64, 1..25i64, any::<bool>())
            .prop_map(|(aggressor, price, qty, late)| Step::Trade { aggressor, price, qty, late }),
    ]
}

fn order(key: u64, side: Side, kind: OrderType, price: i64, qty: i64) -> NewOrder {
    NewOrder {
        key: OrderKey(key),
        side,
        kind,
        price: Price::from_raw(price),
        volume: Volume::Base(Qty::from_raw(qty)),
        step: Qty::from_raw(1),
    }
}

/// Runs a history and returns own passive fills per (side, price) with the volume traded at or through it.
fn run_estimate(model: Box<dyn QueueModel>, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut book = EstimatedBook::new(model);
    let mut sides: BTreeMap<u64, (Side, i64)> = BTreeMap::new();
    let mut filled: BTreeMap<(Side, i64), i64> = BTreeMap::new();
    let mut trades: Vec<(i64, i64)> = Vec::new();
    let mut taken_since_update: BTreeMap<(Side, i64), i64> = BTreeMap::new();
    let mut shown: BTreeMap<(Side, i64), i64> = BTreeMap::new();
    let mut clock = 0_i64;
    for (n, step) in steps.iter().enumerate() {
        clock += 10;
        match *step {
            Step::Place { side, kind, price, qty } => {
                let key = n as u64;
                let placed = book.place(&order(key, side, kind, price, qty));
                for m in &placed.matches {
                    let level = (side.opposite(), m.price.raw());
                    *taken_since_update.entry(level).or_default() += m.qty.raw();
                    prop_assert!(taken_since_update[&level] <= shown[&level], "took more than displayed");
                }
                prop_assert!(placed.taken().raw() + placed.resting.raw() <= qty);
                if placed.resting.is_positive() {
                    prop_assert!(kind.can_rest());
                    sides.insert(key, (side, price));
                }
            }
            Step::Cancel(i) => {
                if let Some(key) = sides.keys().nth(i).copied() {
                    sides.remove(&key);
                    book.cancel(OrderKey(key));
                }
            }
            Step::Depth { side, price, qty } => {
                let (price_, qty_) = (Price::from_raw(price), Qty::from_raw(qty));
                book.on_depth(clock, [LevelChange { side, price: price_, qty: qty_ }]);
                shown.insert((side, price), qty);
                taken_since_update.remove(&(side, price));
                let ahead: Vec<_> = sides
                    .iter()
                    .filter(|(_, at)| **at == (side, price))
                    .filter_map(|(key, _)| book.ahead_of(OrderKey(*key)))
                    .collect();
                prop_assert!(ahead.iter().all(|a| *a <= qty_ && !a.is_negative()));
                prop_assert!(ahead.is_sorted(), "an earlier order stands behind a later one");
            }
            Step::Trade { aggressor, price, qty, late } => {
                let at = if late { clock - 20 } else { clock };
                let fills = book.on_trade(Price::from_raw(price), Qty::from_raw(qty), aggressor, at);
                trades.push((price, qty));
                let total: i64 = fills.iter().map(|f| f.qty.raw()).sum();
                prop_assert!(total <= qty, "one trade filled more than its volume");
                for fill in fills {
                    let level = sides[&fill.key.0];
                    *filled.entry(level).or_default() += fill.qty.raw();
                    prop_assert_eq!(fill.price.raw(), level.1, "a passive fill is at its own price");
                    if fill.left.is_zero() {
                        sides.remove(&fill.key.0);
                    }
                }
                for (&(side, level), &own) in &filled {
                    let through: i64 = trades
                        .iter()
                        .filter(|(p, _)| if side.is_buy() { *p <= level } else { *p >= level })
                        .map(|(_, q)| q)
                        .sum();
                    prop_assert!(own <= through, "{own} filled at {level}, {through} traded there");
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn estimated_fills_never_exceed_the_volume_traded_at_or_through_the_price(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        run_estimate(Box::new(Conservative), &steps)?;
        run_estimate(Box::new(Proportional), &steps)?;
    }

    #[test]
    fn a_queue_model_takes_no_more_than_is_ahead_and_leaves_no_more_than_fits(
        ahead in 0..1000i64, behind in 0..1000i64, unexplained in 0..3000i64
    ) {
        for model in [&Conservative as &dyn QueueModel, &Proportional] {
            let [a, b, u] = [ahead, behind, unexplained].map(Qty::from_raw);
            let left = model.left_ahead(a, b, u);
            prop_assert!(!left.is_negative() && left <= a && left <= u);
            prop_assert!(left >= (u - b).min(a), "{} leaves more than the display allows", model.name());
        }
        let [a, b, u] = [ahead, behind, unexplained].map(Qty::from_raw);
        prop_assert!(Conservative.left_ahead(a, b, u) <= Proportional.left_ahead(a, b, u));
    }

    #[test]
    fn the_fifo_book_serves_first_come_first_and_never_crosses(
        steps in prop::collection::vec((side(), kind(), 95..106i64, 1..20i64, any::<prop::sample::Index>()), 1..150)
    ) {
        let mut book = FifoBook::new();
        // The independent judge: every resting order in arrival order.
        let mut judge: Vec<(u64, Side, i64, i64)> = Vec::new();
        for (key, (side, kind, price, qty, victim)) in steps.into_iter().enumerate() {
            let key = key as u64;
            if key % 5 == 4 && !judge.is_empty() {
                let gone = judge.remove(victim.index(judge.len()));
                prop_assert_eq!(book.cancel(OrderKey(gone.0)), Some(Qty::from_raw(gone.3)));
            }
            let placed = book.place(&order(key, side, kind, price, qty));
            for m in &placed.matches {
                let best = judge
                    .iter()
                    .filter(|o| o.1 == side.opposite())
                    .map(|o| o.2)
                    .min_by_key(|p| if side.is_buy() { *p } else { -*p })
                    .unwrap();
                prop_assert_eq!(m.price.raw(), best, "traded at another price than the best");
                let at = judge.iter().position(|o| o.1 == side.opposite() && o.2 == best).unwrap();
                prop_assert_eq!(m.maker, Some(OrderKey(judge[at].0)), "jumped the queue");
                judge[at].3 -= m.qty.raw();
                prop_assert_eq!(m.maker_left.raw(), judge[at].3);
                if judge[at].3 == 0 {
                    judge.remove(at);
                }
            }
            if placed.resting.is_positive() {
                judge.push((key, side, price, placed.resting.raw()));
            }
            if let (Some(bid), Some(ask)) = (book.best(Side::Buy), book.best(Side::Sell)) {
                prop_assert!(bid.0 < ask.0);
            }
            prop_assert_eq!(book.len(), judge.len());
            let shown: i64 = Side::BOTH.iter().flat_map(|s| book.levels(*s)).map(|(_, q)| q.raw()).sum();
            prop_assert_eq!(shown, judge.iter().map(|o| o.3).sum::<i64>());
        }
    }

    #[test]
    fn displayed_changes_rebuild_the_fifo_book(
        steps in prop::collection::vec((side(), kind(), 95..106i64, 1..20i64), 1..150)
    ) {
        let mut book = FifoBook::new();
        let mut copy: BTreeMap<(Side, Price), Qty> = BTreeMap::new();
        for (key, (side, kind, price, qty)) in steps.into_iter().enumerate() {
            book.place(&order(key as u64, side, kind, price, qty));
            for change in book.drain_changes() {
                if change.qty.is_zero() {
                    copy.remove(&(change.side, change.price));
                } else {
                    copy.insert((change.side, change.price), change.qty);
                }
            }
            for side in Side::BOTH {
                let mut levels: Vec<_> = book.levels(side).collect();
                levels.sort();
                let kept: Vec<_> = copy.iter().filter(|(k, _)| k.0 == side).map(|(k, q)| (k.1, *q)).collect();
                prop_assert_eq!(levels, kept);
            }
        }
    }

    #[test]
    fn balances_conserve_and_never_go_below_zero(
        trades in prop::collection::vec((any::<bool>(), any::<bool>(), 1..2_000_000_000i64, 1..400_000_000i64), 1..60),
        taker in 0..200_000i64, received in any::<bool>()
    ) {
        let (base, quote): (Asset, Asset) = ("BTC".parse().unwrap(), "USDC".parse().unwrap());
        let asset = if received { FeeAsset::Received } else { FeeAsset::Quote };
        let fees = FeeSchedule { maker: 0, taker, asset };
        let start = Amount::from_raw(20_000_000_000_000_000_000);
        let mut pair = [Account::default(), Account::default()];
        for account in &mut pair {
            account.credit(base, start);
            account.credit(quote, start);
        }
        let mut taken: BTreeMap<Asset, Amount> = BTreeMap::new();
        for (first_buys, buyer_takes, price, qty) in trades {
            let (price, qty) = (Price::from_raw(price), Qty::from_raw(qty));
            let value = price.notional(qty);
            let (buyer, seller) = if first_buys { (0, 1) } else { (1, 0) };
            let on_top = fees.on_top_of_a_buy(value, !buyer_takes);
            if pair[buyer].lock(quote, value + on_top).is_err() {
                continue;
            }
            if pair[seller].lock(base, Amount::from(qty)).is_err() {
                pair[buyer].unlock(quote, value + on_top).unwrap();
                continue;
            }
            pair[buyer].spend_locked(quote, value + on_top).unwrap();
            pair[seller].spend_locked(base, Amount::from(qty)).unwrap();
            let (fee, paid_in) = fees.charge(Side::Buy, price, qty, !buyer_takes, (base, quote));
            let gets = if paid_in == base { Amount::from(qty) - fee } else { Amount::from(qty) };
            pair[buyer].credit(base, gets);
            *taken.entry(paid_in).or_default() += fee;
            let (fee, paid_in) = fees.charge(Side::Sell, price, qty, buyer_takes, (base, quote));
            pair[seller].credit(quote, value - fee);
            *taken.entry(paid_in).or_default() += fee;
            for asset in [base, quote] {
                let held: Amount = pair.iter().map(|a| a.get(asset).total()).sum();
                let fee = taken.get(&asset).copied().unwrap_or_default();
                prop_assert_eq!(held + fee, start + start);
                prop_assert!(pair.iter().all(|a| !a.get(asset).free.is_negative()));
                prop_assert!(pair.iter().all(|a| a.get(asset).locked.is_zero()));
            }
        }
    }
}
