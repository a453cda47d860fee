//! The estimate's rules, one by one, with numbers worked out by hand.

use flashpod_matching::{EstimatedBook, LevelChange, NewOrder, OrderKey, Proportional, Refusal, Volume};
use flashpod_types::{OrderType, Price, Qty, Side};

fn price(p: i64) -> Price {
    Price::from_raw(p)
}

fn level(side: Side, p: i64, q: i64) -> LevelChange {
    LevelChange { side, price: price(p), qty: Qty::from_raw(q) }
}

fn order(key: u64, side: Side, kind: OrderType, p: i64, q: i64) -> NewOrder {
    NewOrder {
        key: OrderKey(key),
        side,
        kind,
        price: price(p),
        volume: Volume::Base(Qty::from_raw(q)),
        step: Qty::from_raw(1),
    }
}

/// Bids 100 × 10, asks 101 × 10, at exchange time 1000.
fn book() -> EstimatedBook {
    let mut book = EstimatedBook::default();
    book.on_depth(1000, [level(Side::Buy, 100, 10), level(Side::Sell, 101, 10)]);
    book
}

fn ahead(book: &EstimatedBook, key: u64) -> i64 {
    book.ahead_of(OrderKey(key)).expect("rests").raw()
}

fn sold(book: &mut EstimatedBook, p: i64, q: i64, ms: i64) -> Vec<(u64, i64)> {
    let fills = book.on_trade(price(p), Qty::from_raw(q), Side::Sell, ms);
    fills.iter().map(|f| (f.key.0, f.qty.raw())).collect()
}

#[test]
fn a_trade_at_the_price_eats_the_queue_ahead_and_then_fills() {
    let mut book = book();
    book.place(&order(1, Side::Buy, OrderType::LimitMaker, 100, 4));
    assert_eq!(ahead(&book, 1), 10);
    assert_eq!(sold(&mut book, 100, 7, 1010), []);
    assert_eq!(ahead(&book, 1), 3);
    assert_eq!(sold(&mut book, 100, 5, 1020), [(1, 2)]);
    assert_eq!(sold(&mut book, 100, 5, 1030), [(1, 2)]);
    assert_eq!(book.ahead_of(OrderKey(1)), None);
}

#[test]
fn a_trade_through_the_price_fills_at_the_own_price_up_to_its_volume() {
    let mut book = book();
    book.place(&order(1, Side::Buy, OrderType::Limit, 100, 4));
    let fills = book.on_trade(price(99), Qty::from_raw(3), Side::Sell, 1010);
    assert_eq!((fills[0].price, fills[0].qty.raw(), fills[0].left.raw()), (price(100), 3, 1));
}

#[test]
fn a_trade_of_buyers_at_the_price_does_not_touch_a_resting_buy() {
    let mut book = book();
    book.place(&order(1, Side::Buy, OrderType::Limit, 100, 4));
    assert!(book.on_trade(price(100), Qty::from_raw(50), Side::Buy, 1010).is_empty());
    assert_eq!(ahead(&book, 1), 10);
}

#[test]
fn a_trade_and_the_decrease_that_it_causes_count_once() {
    let mut book = EstimatedBook::new(Box::new(Proportional));
    book.on_depth(1000, [level(Side::Buy, 100, 10)]);
    book.place(&order(1, Side::Buy, OrderType::Limit, 100, 4));
    book.on_depth(1100, [level(Side::Buy, 100, 20)]);
    sold(&mut book, 100, 4, 1150);
    assert_eq!(ahead(&book, 1), 6);
    // 20 -> 16 is the trade; nothing else left.
    book.on_depth(1200, [level(Side::Buy, 100, 16)]);
    assert_eq!(ahead(&book, 1), 6);
    // 16 -> 8 without a trade: 6 ahead of 16, so 3 of the 8 left before us.
    book.on_depth(1300, [level(Side::Buy, 100, 8)]);
    assert_eq!(ahead(&book, 1), 3);
}

#[test]
fn a_print_that_comes_after_its_depth_update_counts_once_too() {
    let mut book = EstimatedBook::new(Box::new(Proportional));
    book.on_depth(1000, [level(Side::Buy, 100, 10)]);
    book.place(&order(1, Side::Buy, OrderType::Limit, 100, 4));
    book.on_depth(1100, [level(Side::Buy, 100, 20)]);
    // The update of 1200 contains a trade of 8 at 1150 whose print is still on its way: the model takes 4.
    book.on_depth(1200, [level(Side::Buy, 100, 12)]);
    assert_eq!(ahead(&book, 1), 6);
    // An order that arrives now stands behind what is displayed; the late print is older than it.
    book.place(&order(2, Side::Buy, OrderType::Limit, 100, 1));
    assert_eq!(sold(&mut book, 100, 8, 1150), []);
    assert_eq!((ahead(&book, 1), ahead(&book, 2)), (2, 12));
}

#[test]
fn by_default_unexplained_decreases_come_from_behind_first() {
    let mut book = book();
    book.place(&order(1, Side::Buy, OrderType::Limit, 100, 4));
    book.on_depth(1100, [level(Side::Buy, 100, 30)]);
    book.on_depth(1200, [level(Side::Buy, 100, 12)]);
    assert_eq!(ahead(&book, 1), 10);
    book.on_depth(1300, [level(Side::Buy, 100, 6)]);
    assert_eq!(ahead(&book, 1), 6);
    book.on_depth(1400, [level(Side::Buy, 100, 0)]);
    assert_eq!(ahead(&book, 1), 0);
}

#[test]
fn what_a_taker_consumed_comes_back_only_with_the_next_update_of_that_level() {
    let mut book = book();
    let first = book.place(&order(1, Side::Buy, OrderType::Ioc, 101, 8));
    let second = book.place(&order(2, Side::Buy, OrderType::Ioc, 101, 8));
    assert_eq!((first.taken().raw(), second.taken().raw()), (8, 2));
    book.on_depth(1100, [level(Side::Buy, 100, 11)]);
    assert_eq!(book.place(&order(3, Side::Buy, OrderType::Ioc, 101, 8)).taken(), Qty::ZERO);
    book.on_depth(1200, [level(Side::Sell, 101, 10)]);
    assert_eq!(book.place(&order(4, Side::Buy, OrderType::Ioc, 101, 8)).taken().raw(), 8);
    // The public display never changed by own orders.
    assert_eq!(book.best(Side::Sell), Some((price(101), Qty::from_raw(10))));
}

#[test]
fn what_a_trade_took_is_not_there_for_an_own_taker_either() {
    let mut book = book();
    book.on_depth(1050, [level(Side::Sell, 102, 10), level(Side::Sell, 103, 10)]);
    book.on_trade(price(101), Qty::from_raw(7), Side::Buy, 1060);
    assert_eq!(book.place(&order(1, Side::Buy, OrderType::Ioc, 101, 10)).taken().raw(), 3);
    // A buyer paid 102: nothing better was left by then.
    book.on_trade(price(102), Qty::from_raw(4), Side::Buy, 1070);
    let taken = book.place(&order(2, Side::Buy, OrderType::Ioc, 103, 8));
    let at: Vec<_> = taken.matches.iter().map(|m| (m.price.raw(), m.qty.raw())).collect();
    assert_eq!(at, [(102, 6), (103, 2)]);
    // The update of 1100 contains both trades: what it displays is there.
    book.on_depth(1100, [level(Side::Sell, 101, 1), level(Side::Sell, 102, 6)]);
    assert_eq!(book.place(&order(3, Side::Buy, OrderType::Ioc, 102, 9)).taken().raw(), 7);
    // Trades of sellers take from bids only.
    book.on_trade(price(100), Qty::from_raw(9), Side::Sell, 1110);
    assert_eq!(book.place(&order(4, Side::Sell, OrderType::Ioc, 100, 9)).taken().raw(), 1);
}

#[test]
fn two_own_orders_at_a_price_share_a_trade_in_order_of_arrival() {
    let mut book = book();
    book.place(&order(1, Side::Buy, OrderType::Limit, 100, 4));
    book.place(&order(2, Side::Buy, OrderType::Limit, 100, 4));
    assert_eq!(sold(&mut book, 100, 13, 1010), [(1, 3)]);
    assert_eq!(sold(&mut book, 100, 2, 1020), [(1, 1), (2, 1)]);
}

#[test]
fn order_types_keep_their_promises_against_the_display() {
    let mut book = book();
    let refused = |p: flashpod_matching::Placement| p.refusal;
    let maker = order(1, Side::Buy, OrderType::LimitMaker, 101, 1);
    assert_eq!(refused(book.place(&maker)), Some(Refusal::WouldTake));
    assert_eq!(
        refused(book.place(&order(2, Side::Buy, OrderType::Fok, 101, 11))),
        Some(Refusal::NotFillable)
    );
    let limit = book.place(&order(3, Side::Buy, OrderType::Limit, 101, 12));
    assert_eq!((limit.taken().raw(), limit.resting.raw()), (10, 2));
    let mut empty = EstimatedBook::default();
    assert_eq!(
        refused(empty.place(&order(4, Side::Sell, OrderType::Market, 0, 1))),
        Some(Refusal::NoOpponent)
    );
}
