//! Passes over made-up markets whose outcome is plain, and beside `EstimatedBook`, which keeps a book of its own.

use std::convert::Infallible;

use flashpod_backtest::{
    Desk, NoOp, Outcome, Report, Settings, Strategy, Tape, TapeError, TwoSided, View, run,
};
use flashpod_matching::{
    Conservative, EstimatedBook, FeeAsset, FeeSchedule, Latency, LevelChange, NewOrder, OrderKey, Volume,
};
use flashpod_recordings::{Depth, Event, Frame, Level, Snapshot, Trade};
use flashpod_types::{Amount, Millis, Nanos, OrderType, Price, Qty, Side, Symbol};
use proptest::prelude::{Strategy as _, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;
use proptest::{prop_assert, prop_assert_eq};

const MS: u64 = 1_000_000;

fn symbol() -> Symbol {
    "BTCUSDT".parse().unwrap()
}

fn price(number: i64) -> Price {
    Price::from_raw(number * 100_000_000)
}

fn qty(number: i64) -> Qty {
    Qty::from_raw(number * 100_000_000)
}

fn level((number, size): (i64, i64)) -> Level {
    (price(number), qty(size))
}

fn frame(ms: u64, event: Event) -> Frame {
    Frame { local: Nanos(ms * MS), symbol: symbol(), event }
}

fn snapshot(ms: u64, id: u64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Frame {
    let (bids, asks) = (bids.iter().copied().map(level).collect(), asks.iter().copied().map(level).collect());
    frame(ms, Event::Snapshot(Snapshot { last_update_id: id, bids, asks, ..Snapshot::default() }))
}

fn depth(ms: u64, id: u64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Frame {
    let (bids, asks) = (bids.iter().copied().map(level).collect(), asks.iter().copied().map(level).collect());
    let event = Millis(i64::try_from(ms).unwrap());
    frame(ms, Event::Depth(Depth { event, first: id, last: id, bids, asks, ..Depth::default() }))
}

fn trade(ms: u64, at: i64, size: i64, taker: Side) -> Frame {
    let time = Millis(i64::try_from(ms).unwrap());
    let buyer_is_maker = taker == Side::Sell;
    frame(
        ms,
        Event::Trade(Trade { event: time, time, id: ms, price: price(at), qty: qty(size), buyer_is_maker }),
    )
}

fn tape(frames: Vec<Frame>) -> Tape {
    Tape::read(symbol(), frames.into_iter().map(Ok::<Frame, Infallible>)).unwrap()
}

fn settings(latency_ms: u64) -> Settings {
    let latency = || Latency::Constant(Nanos::from_millis(latency_ms));
    Settings {
        period: Nanos::from_millis(100),
        latency: [latency(), latency()],
        seed: 1,
        fees: FeeSchedule { maker: 0, taker: 50_000, asset: FeeAsset::Quote },
        queue: Box::new(Conservative),
        step: Qty::from_raw(1),
    }
}

/// Does one thing at its first look, and keeps the reports.
struct Once {
    act: fn(&mut Desk),
    acted: bool,
    reports: Vec<(Nanos, Report)>,
}

impl Once {
    fn new(act: fn(&mut Desk)) -> Self {
        Self { act, acted: false, reports: Vec::new() }
    }
}

impl Strategy for Once {
    fn on_timer(&mut self, _: View<'_>, desk: &mut Desk) {
        if !std::mem::replace(&mut self.acted, true) {
            (self.act)(desk);
        }
    }

    fn on_report(&mut self, report: &Report, view: View<'_>, _: &mut Desk) {
        self.reports.push((view.now, *report));
    }
}

#[test]
fn a_quote_waits_for_its_queue_and_is_filled_by_what_trades_behind_it() {
    let tape = tape(vec![
        snapshot(1_000, 1, &[(99, 5)], &[(101, 5)]),
        // The look at 1,100 ms; the order is there at 1,110.
        trade(1_105, 99, 5, Side::Sell),
        depth(1_106, 2, &[(99, 5)], &[]),
        trade(1_200, 99, 4, Side::Sell),
        trade(1_300, 99, 3, Side::Sell),
        depth(1_400, 3, &[(99, 1)], &[]),
    ]);
    let mut strategy = Once::new(|desk| {
        desk.submit(Side::Buy, OrderType::LimitMaker, price(99), qty(3));
    });
    let outcome = run(&tape, settings(10), &mut strategy);
    // 5 stood before it when it arrived; 4 and 1 went to them, 2 to it.
    let fills: Vec<_> = outcome.fills.iter().map(|fill| (fill.at.0 / MS, fill.qty, fill.maker)).collect();
    assert_eq!(fills, [(1_300, qty(2), true)]);
    let told: Vec<u64> = strategy.reports.iter().map(|(at, _)| at.0 / MS).collect();
    assert_eq!(told, [1_120, 1_310], "a report takes its time as well");
    assert_eq!(outcome.account.position, qty(2));
    // 2 × 99 paid, worth 2 × 100 at the middle.
    assert_eq!(outcome.pnl(), "2".parse::<Amount>().unwrap());
}

#[test]
fn an_order_that_takes_pays_its_fee_and_a_cancel_may_come_too_late() {
    let tape = tape(vec![
        snapshot(1_000, 1, &[(99, 5)], &[(101, 5)]),
        depth(1_200, 2, &[], &[(101, 2)]),
        depth(1_300, 3, &[], &[(102, 2)]),
    ]);
    let mut strategy = Once::new(|desk| {
        let key = desk.submit(Side::Buy, OrderType::Limit, price(101), qty(2));
        desk.cancel(key);
    });
    let outcome = run(&tape, settings(1), &mut strategy);
    assert_eq!(outcome.account.fees, "0.101".parse().unwrap(), "2 × 101 × 5 basis points");
    assert_eq!((outcome.counts.cancels, outcome.counts.too_late), (1, 1));
    assert_eq!(outcome.account.cash, "-202.101".parse().unwrap());
}

#[test]
fn after_a_hole_nothing_is_certified_until_the_next_snapshot() {
    #[derive(Default)]
    struct Watch(Vec<bool>);
    impl Strategy for Watch {
        fn on_market(&mut self, view: View<'_>, _: &mut Desk) {
            self.0.push(view.certified);
        }
    }
    let tape = tape(vec![
        snapshot(1_000, 1, &[(99, 5)], &[(101, 5)]),
        depth(1_100, 2, &[(99, 4)], &[]),
        depth(1_200, 4, &[(99, 3)], &[]),
        depth(1_300, 5, &[(98, 3)], &[]),
        snapshot(1_400, 5, &[(97, 1)], &[(103, 1)]),
        depth(1_500, 6, &[(97, 2)], &[]),
    ]);
    let mut strategy = Watch::default();
    let outcome = run(&tape, settings(1), &mut strategy);
    assert_eq!(strategy.0, [true, true, false, true, true]);
    assert_eq!(tape.lost(), 1);
    assert_eq!(outcome.book.best(Side::Buy), Some(level((97, 2))));
    assert_eq!(outcome.book.len(Side::Buy), 1, "the levels before the hole are gone");
}

#[test]
fn a_recording_of_another_symbol_or_without_a_snapshot_is_refused() {
    let refused = |frames: Vec<Frame>| {
        Tape::read(symbol(), frames.into_iter().map(Ok::<Frame, Infallible>)).unwrap_err().to_string()
    };
    assert_eq!(refused(vec![depth(1, 1, &[(99, 1)], &[])]), TapeError::NoBook(symbol()).to_string());
    let mut other = depth(1, 1, &[(99, 1)], &[]);
    other.symbol = "ETHUSDT".parse().unwrap();
    assert_eq!(refused(vec![other]), "the recording has no frame of BTCUSDT; it has: ETHUSDT");
}

#[derive(Debug, Clone)]
enum Happens {
    Update { bid: bool, at: i64, size: i64 },
    Trade { buy: bool, at: i64, size: i64 },
}

fn happens() -> impl proptest::strategy::Strategy<Value = Happens> {
    prop_oneof![
        3 => (any::<bool>(), 0..6_i64, 0..9_i64).prop_map(|(bid, away, size)| {
            let at = if bid { 99 - away } else { 101 + away };
            Happens::Update { bid, at, size }
        }),
        2 => (any::<bool>(), 0..4_i64, 1..9_i64).prop_map(|(buy, away, size)| {
            let at = if buy { 101 + away } else { 99 - away };
            Happens::Trade { buy, at, size }
        }),
    ]
}

/// Submits the next order of a list at each look.
struct Listed {
    orders: Vec<(Side, OrderType, i64, i64)>,
    next: usize,
}

impl Strategy for Listed {
    fn on_timer(&mut self, _: View<'_>, desk: &mut Desk) {
        if let Some((side, kind, at, size)) = self.orders.get(self.next) {
            desk.submit(*side, *kind, price(*at), qty(*size));
            self.next += 1;
        }
    }
}

/// The same events and orders through a book of the matcher's own, without delays.
fn expected(happens: &[Happens], orders: &[(Side, OrderType, i64, i64)]) -> Vec<(u64, Qty)> {
    let mut book = EstimatedBook::default();
    let opening = (1..=6).flat_map(|n| {
        [(Side::Buy, 100 - n), (Side::Sell, 100 + n)].map(|(side, at)| LevelChange {
            side,
            price: price(at),
            qty: qty(4),
        })
    });
    book.on_depth(i64::MIN, opening);
    let mut fills = Vec::new();
    for (number, happening) in happens.iter().enumerate() {
        // A look between two events: orders come with every second one.
        if number % 2 == 1
            && let Some((side, kind, at, size)) = orders.get(number / 2)
        {
            let key = OrderKey(number as u64 / 2 + 1);
            let order = NewOrder {
                key,
                side: *side,
                kind: *kind,
                price: price(*at),
                volume: Volume::Base(qty(*size)),
                step: Qty::from_raw(1),
            };
            fills.extend(book.place(&order).matches.iter().map(|met| (key.0, met.qty)));
        }
        let ms = 1_050 + 50 * i64::try_from(number).unwrap();
        match *happening {
            Happens::Update { bid, at, size } => {
                let side = if bid { Side::Buy } else { Side::Sell };
                book.on_depth(ms, [LevelChange { side, price: price(at), qty: qty(size) }]);
            }
            Happens::Trade { buy, at, size } => {
                let taker = if buy { Side::Buy } else { Side::Sell };
                let filled = book.on_trade(price(at), qty(size), taker, ms);
                fills.extend(filled.iter().map(|fill| (fill.key.0, fill.qty)));
            }
        }
    }
    fills
}

fn passed(happens: &[Happens], orders: &[(Side, OrderType, i64, i64)]) -> Outcome {
    let bids: Vec<_> = (1..=6).map(|n| (100 - n, 4)).collect();
    let asks: Vec<_> = (1..=6).map(|n| (100 + n, 4)).collect();
    let mut frames = vec![snapshot(1_000, 0, &bids, &asks)];
    let mut id = 0;
    for (number, happening) in happens.iter().enumerate() {
        let ms = 1_050 + 50 * number as u64;
        frames.push(match *happening {
            Happens::Update { bid, at, size } => {
                id += 1;
                let change = [(at, size)];
                if bid { depth(ms, id, &change, &[]) } else { depth(ms, id, &[], &change) }
            }
            Happens::Trade { buy, at, size } => trade(ms, at, size, if buy { Side::Buy } else { Side::Sell }),
        });
    }
    run(&tape(frames), settings(0), &mut Listed { orders: orders.to_vec(), next: 0 })
}

proptest! {
    #![proptest_config(Config { cases: 300, failure_persistence: None, ..Config::default() })]

    #[test]
    fn fills_are_those_of_a_matcher_with_a_book_of_its_own(
        happens in prop::collection::vec(happens(), 1..60),
        orders in prop::collection::vec(
            (
                prop_oneof![proptest::prelude::Just(Side::Buy), proptest::prelude::Just(Side::Sell)],
                prop_oneof![
                    3 => proptest::prelude::Just(OrderType::LimitMaker),
                    1 => proptest::prelude::Just(OrderType::Limit),
                    1 => proptest::prelude::Just(OrderType::Ioc),
                ],
                96..105_i64,
                1..9_i64,
            ),
            0..30,
        ),
    ) {
        let outcome = passed(&happens, &orders);
        let fills: Vec<_> = outcome.fills.iter().map(|fill| (fill.key.0, fill.qty)).collect();
        prop_assert_eq!(fills, expected(&happens, &orders));
        let bought: i64 = outcome.fills.iter().map(|fill| fill.side.sign() * fill.qty.raw()).sum();
        prop_assert_eq!(outcome.account.position.raw(), bought);
        prop_assert!(outcome.counts.submitted as usize <= orders.len());
    }
}

#[test]
fn two_sided_quotes_follow_the_touch_and_nothing_is_done_without_a_strategy() {
    let frames = || {
        vec![
            snapshot(1_000, 1, &[(99, 5)], &[(101, 5)]),
            depth(1_150, 2, &[(100, 5)], &[]),
            depth(1_250, 3, &[(100, 0)], &[]),
            depth(1_350, 4, &[(99, 6)], &[]),
        ]
    };
    let outcome = run(&tape(frames()), settings(1), &mut TwoSided::new(price(1), 1, qty(1)));
    // 98 and 102 at the first look, 99 for 98 at the second, 98 again at the third.
    assert_eq!((outcome.counts.submitted, outcome.counts.cancels, outcome.timers), (4, 2, 3));
    let nothing = run(&tape(frames()), settings(1), &mut NoOp);
    assert_eq!((nothing.counts.submitted, nothing.fills.len(), nothing.timers), (0, 0, 3));
    assert_eq!(nothing.book, outcome.book);
}
