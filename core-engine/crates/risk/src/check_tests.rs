use flashpod_types::{Asset, PriceBand, Symbol};
use proptest::prelude::*;

use super::*;
use crate::view::{AccountLimits, Gate, Limits};

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn instrument() -> Instrument {
    Instrument {
        symbol: Symbol::new("BTCUSDC").unwrap(),
        base: Asset::new("BTC").unwrap(),
        quote: Asset::new("USDC").unwrap(),
        tick: price("0.01"),
        step: qty("0.000001"),
        min_qty: qty("0.00001"),
        min_notional: amount("1"),
        max_notional: amount("2000000"),
        band: Some(PriceBand { bid_up: 120_000_000, ask_down: 80_000_000 }),
        trading: true,
    }
}

const LIMITS: Limits = Limits {
    max_order_notional: None,
    max_order_qty: None,
    max_position_notional: None,
    max_open_orders: None,
    max_in_flight: None,
    max_order_rate: None,
    price_collar_bps: None,
    max_data_age: None,
};
const ACCOUNT: AccountLimits =
    AccountLimits { max_exposure: None, max_concentration_pct: None, max_open_orders: None };

fn view<'a>(instrument: &'a Instrument, limits: &'a Limits) -> View<'a> {
    View {
        gate: Gate { state: TradingState::Active, breach: None, reason: "" },
        instrument: Some(instrument),
        limits,
        account: &ACCOUNT,
        position: Qty::ZERO,
        buys: Qty::ZERO,
        sells: Qty::ZERO,
        open_orders: 0,
        in_flight: 0,
        account_open_orders: 0,
        other_exposure: Amount::ZERO,
        pair_exposure: Amount::ZERO,
        market: Some(Market { bid: price("99.99"), ask: price("100.01"), certified: true, age: Nanos::ZERO }),
        last_trade: Some(price("100")),
        orders_last_second: 0,
        free_base: amount("10"),
        free_quote: amount("1000"),
        fee: amount("0.0005"),
        own_bid: None,
        own_ask: None,
    }
}

fn order(side: Side, at: &str, size: &str) -> Order {
    Order {
        symbol: Symbol::new("BTCUSDC").unwrap(),
        side,
        kind: OrderType::Limit,
        price: price(at),
        qty: qty(size),
        reduce_only: false,
        purpose: Purpose::Strategy,
    }
}

fn denied(order: Order, view: &View<'_>) -> Denial {
    check(order, view, Nanos::ZERO).expect_err("this order must be refused")
}

fn passes(order: Order, view: &View<'_>) {
    check(order, view, Nanos::ZERO).map(drop).unwrap();
}

#[test]
fn an_approval_is_used_once_and_expires() {
    let (instrument, limits) = (instrument(), LIMITS);
    let ask =
        || check(order(Side::Buy, "100", "1"), &view(&instrument, &limits), Nanos::from_secs(1)).unwrap();
    assert!(ask().take(Nanos::from_secs(1)).is_ok());
    let late = ask().take(Nanos::from_secs(1) + APPROVAL_LASTS).unwrap_err();
    assert!(late.to_string().contains("checked again"));
}

#[test]
fn each_venue_filter_names_its_field() {
    let (instrument, limits) = (instrument(), LIMITS);
    let view = view(&instrument, &limits);
    for (order, code, text) in [
        (order(Side::Buy, "100.001", "1"), Code::PriceTick, "price 100.001: a positive multiple of 0.01"),
        (order(Side::Buy, "0", "1"), Code::PriceTick, "price 0"),
        (order(Side::Buy, "100", "0.0000015"), Code::QuantityStep, "multiple of 0.000001"),
        (order(Side::Buy, "100", "0.000009"), Code::MinQuantity, "at least 0.00001"),
        (order(Side::Buy, "100", "0.009"), Code::MinNotional, "order value 0.9: at least 1"),
        (order(Side::Buy, "100", "20001"), Code::MaxNotional, "at most 2000000"),
        (order(Side::Buy, "120.01", "1"), Code::PriceBand, "at most 120"),
        (order(Side::Sell, "79.99", "1"), Code::PriceBand, "at least 80"),
        (Order { kind: OrderType::Market, ..order(Side::Sell, "100", "1") }, Code::OrderType, "MARKET"),
    ] {
        let denial = denied(order, &view);
        assert_eq!(denial.code, code, "{denial}");
        assert!(denial.text.contains(text), "{denial}");
    }
}

#[test]
fn the_worst_case_counts_open_orders_of_the_side_but_not_of_the_other() {
    let instrument = instrument();
    let limits = Limits { max_position_notional: Some(amount("300")), ..LIMITS };
    let view = View { position: qty("1"), buys: qty("1"), sells: qty("5"), ..view(&instrument, &limits) };
    passes(order(Side::Buy, "99", "1"), &view);
    let denial = denied(order(Side::Buy, "99", "1.001"), &view);
    assert_eq!(denial.code, Code::MaxPosition);
    assert!(denial.text.contains("at most 300"), "{denial}");
}

#[test]
fn stale_or_uncertified_data_stops_opening_but_not_a_reducing_ioc() {
    let instrument = instrument();
    let limits = Limits { max_data_age: Some(Nanos::from_millis(500)), ..LIMITS };
    let held = View { position: qty("1"), ..view(&instrument, &limits) };
    let market = held.market.unwrap();
    for (market, code) in [
        (Market { certified: false, ..market }, Code::NotCertified),
        (Market { age: Nanos::from_millis(501), ..market }, Code::StaleData),
    ] {
        let view = View { market: Some(market), ..held };
        assert_eq!(denied(order(Side::Buy, "100", "1"), &view).code, code);
        assert_eq!(denied(order(Side::Sell, "100", "1"), &view).code, code, "resting orders wait for a book");
        passes(Order { kind: OrderType::Ioc, ..order(Side::Sell, "99.5", "1") }, &view);
    }
}

#[test]
fn a_reducing_order_is_collared_too() {
    let instrument = instrument();
    let limits = Limits { price_collar_bps: Some(50), max_position_notional: Some(amount("1")), ..LIMITS };
    let view = View { position: qty("1"), ..view(&instrument, &limits) };
    passes(Order { kind: OrderType::Ioc, ..order(Side::Sell, "99.5", "1") }, &view);
    let denial = denied(Order { kind: OrderType::Ioc, ..order(Side::Sell, "99.49", "1") }, &view);
    assert_eq!(denial.code, Code::PriceCollar);
}

#[test]
fn states_are_refused_with_their_reason() {
    let (instrument, limits) = (instrument(), LIMITS);
    let gate = |state| Gate { state, breach: None, reason: "halt desk-stop" };
    let held = View { position: qty("1"), ..view(&instrument, &limits) };
    let halted = View { gate: gate(TradingState::Halted), ..held };
    assert!(denied(order(Side::Sell, "100", "1"), &halted).text.contains("halt desk-stop"));
    passes(Order { purpose: Purpose::Flatten, ..order(Side::Sell, "100", "1") }, &halted);
    assert_eq!(
        denied(Order { purpose: Purpose::Flatten, ..order(Side::Buy, "99", "1") }, &halted).code,
        Code::Halted
    );
    let reduce = View { gate: gate(TradingState::ReduceOnly), ..held };
    passes(order(Side::Sell, "100", "1"), &reduce);
    assert_eq!(denied(order(Side::Buy, "99", "1"), &reduce).code, Code::ReduceOnly);
    let reduce_only = Order { reduce_only: true, ..order(Side::Sell, "100", "1.1") };
    assert_eq!(denied(reduce_only, &held).code, Code::NotReducing);
}

#[test]
fn own_orders_are_not_met_and_balances_not_overdrawn() {
    let (instrument, limits) = (instrument(), LIMITS);
    let own =
        View { own_bid: Some(price("99.5")), own_ask: Some(price("100.5")), ..view(&instrument, &limits) };
    passes(order(Side::Buy, "100.49", "1"), &own);
    assert_eq!(denied(order(Side::Buy, "100.5", "1"), &own).code, Code::SelfCross);
    assert_eq!(denied(order(Side::Sell, "99.5", "1"), &own).code, Code::SelfCross);
    assert_eq!(denied(order(Side::Sell, "100", "10.000001"), &own).code, Code::Balance);
    // 10 × 100 is there, the fee is not.
    let denial = denied(order(Side::Buy, "100", "10"), &own);
    assert!(denial.code == Code::Balance && denial.text.contains("1000.5"), "{denial}");
}

#[test]
fn counts_and_the_account_have_limits_of_their_own() {
    let instrument = instrument();
    let limits = Limits { max_open_orders: Some(2), max_order_rate: Some(3), ..LIMITS };
    let account = AccountLimits {
        max_exposure: Some(amount("500")),
        max_open_orders: Some(10),
        ..AccountLimits::default()
    };
    let base = View { account: &account, ..view(&instrument, &limits) };
    for (view, code) in [
        (View { open_orders: 2, ..base }, Code::MaxOpenOrders),
        (View { account_open_orders: 10, ..base }, Code::AccountOpenOrders),
        (View { orders_last_second: 3, ..base }, Code::OrderRate),
        (View { other_exposure: amount("400.01"), ..base }, Code::AccountExposure),
    ] {
        assert_eq!(denied(order(Side::Buy, "99", "1"), &view).code, code);
    }
    passes(order(Side::Buy, "99", "1"), &base);
}

#[test]
fn quantity_flight_and_concentration_are_limited() {
    let instrument = instrument();
    let limits = Limits { max_order_qty: Some(qty("2")), max_in_flight: Some(2), ..LIMITS };
    let account = AccountLimits {
        max_exposure: Some(amount("1000")),
        max_concentration_pct: Some(40),
        max_open_orders: None,
    };
    let base = View { account: &account, ..view(&instrument, &limits) };
    passes(order(Side::Buy, "100", "2"), &base);
    assert_eq!(denied(order(Side::Buy, "100", "2.000001"), &base).code, Code::MaxOrderQuantity);
    assert_eq!(denied(order(Side::Buy, "100", "1"), &View { in_flight: 2, ..base }).code, Code::MaxInFlight);
    // 40 % of 1000: two more at 100 (the mid) fit beside 200 of others.
    let beside = |others| View { pair_exposure: amount(others), other_exposure: amount(others), ..base };
    passes(order(Side::Buy, "100", "2"), &beside("200"));
    let denial = denied(order(Side::Buy, "100", "2"), &beside("200.01"));
    assert_eq!(denial.code, Code::AccountConcentration);
    assert!(denial.text.contains("400.01: at most 40 % of 1000"), "{denial}");
    // The way out stays open, however much is in flight or in the pair.
    let held = View { position: qty("1"), in_flight: 9, pair_exposure: amount("999"), ..base };
    passes(Order { kind: OrderType::Ioc, ..order(Side::Sell, "100", "1") }, &held);
}

#[test]
fn the_last_trade_collars_what_opens_but_no_way_out() {
    let instrument = instrument();
    let limits = Limits { price_collar_bps: Some(50), ..LIMITS };
    let far = View { last_trade: Some(price("99.2")), ..view(&instrument, &limits) };
    passes(order(Side::Buy, "99.69", "1"), &far);
    assert_eq!(denied(order(Side::Buy, "99.7", "1"), &far).code, Code::LastTradeCollar);
    passes(
        Order { kind: OrderType::Ioc, ..order(Side::Sell, "99.9", "1") },
        &View { position: qty("1"), ..far },
    );
}

#[test]
fn a_loss_limit_that_was_reached_is_the_code() {
    let (instrument, limits) = (instrument(), LIMITS);
    let held = View { position: qty("1"), ..view(&instrument, &limits) };
    for (state, code) in
        [(TradingState::ReduceOnly, Code::Drawdown), (TradingState::Halted, Code::AccountLoss)]
    {
        let gate = Gate { state, breach: Some(code), reason: "lost 12" };
        let view = View { gate, ..held };
        let denial = denied(order(Side::Buy, "99", "1"), &view);
        assert!(denial.code == code && denial.text.contains("lost 12"), "{denial}");
    }
}

#[test]
fn codes_are_unique_texts() {
    let mut texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Code::ALL.len());
}

/// What can happen between two orders.
#[derive(Debug, Clone)]
enum Event {
    Ask {
        buy: bool,
        at: i64,
        size: i64,
    },
    /// The nth living order fills by some part, or wholly.
    Fill {
        index: prop::sample::Index,
        part: u8,
    },
    Cancel {
        index: prop::sample::Index,
    },
    Tighten {
        position: i64,
        open: u32,
    },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (any::<bool>(), 9_800_i64..10_200, 1_i64..400).prop_map(|(buy, at, size)| Event::Ask { buy, at, size }),
        3 => (any::<prop::sample::Index>(), 0_u8..4).prop_map(|(index, part)| Event::Fill { index, part }),
        1 => any::<prop::sample::Index>().prop_map(|index| Event::Cancel { index }),
        1 => (50_i64..500, 0_u32..6).prop_map(|(position, open)| Event::Tighten { position, open }),
    ]
}

proptest! {
    /// Whatever fills, cancels or tightens in between: nothing approved passes a limit in force at that moment, even
    /// if every living order of its side were to fill.
    #[test]
    fn no_sequence_of_events_passes_a_limit(events in prop::collection::vec(event(), 1..200)) {
        let instrument = instrument();
        let mut limits = Limits {
            max_position_notional: Some(amount("300")), max_order_notional: Some(amount("200")),
            max_open_orders: Some(4), price_collar_bps: Some(150), ..LIMITS
        };
        let (mut position, mut base, mut quote) = (0_i64, 300_i64, 4_000_000_i64);
        let mut living: Vec<(bool, i64, i64)> = Vec::new();
        // Prices in cents, quantities in hundredths: value in 1e-4.
        for event in events {
            match event {
                Event::Ask { buy, at, size } => {
                    let open = |side: bool| living.iter().filter(|o| o.0 == side).map(|o| o.2).sum::<i64>();
                    let (buys, sells) = (open(true), open(false));
                    let locked: i64 = living.iter().filter(|o| o.0).map(|o| o.1 * o.2).sum();
                    let hundredths = |n: i64| Qty::from_raw(n * 1_000_000);
                    let value = |n: i64| Amount::from_raw(i128::from(n) * 1_000_000_000_000);
                    let view = View {
                        position: hundredths(position), buys: hundredths(buys), sells: hundredths(sells),
                        open_orders: u32::try_from(living.len()).unwrap(), fee: Amount::ZERO,
                        free_base: Amount::from(hundredths(base - sells)), free_quote: value(quote - locked),
                        ..view(&instrument, &limits)
                    };
                    let side = if buy { Side::Buy } else { Side::Sell };
                    let mut order = order(side, "1", "1");
                    (order.price, order.qty) = (Price::from_raw(at * 1_000_000), hundredths(size));
                    if check(order, &view, Nanos::ZERO).is_err() {
                        continue;
                    }
                    let (worst, before) = if buy {
                        (position + buys + size, position + buys)
                    } else {
                        (sells + size - position, sells - position)
                    };
                    let most = limits.max_position_notional.unwrap();
                    prop_assert!(worst <= 0 || value(worst * 10_000) <= most, "{worst} after {before}");
                    prop_assert!(value(at * size) <= limits.max_order_notional.unwrap());
                    prop_assert!(living.len() < limits.max_open_orders.unwrap() as usize);
                    prop_assert!((at - 10_000).abs() * 10_000 <= 150 * 10_000);
                    living.push((buy, at, size));
                    let locked: i64 = living.iter().filter(|o| o.0).map(|o| o.1 * o.2).sum();
                    let sold: i64 = living.iter().filter(|o| !o.0).map(|o| o.2).sum();
                    prop_assert!(locked <= quote && sold <= base, "nobody spends beyond its own");
                }
                Event::Fill { index, part } if !living.is_empty() => {
                    let at = index.index(living.len());
                    let (buy, price, size) = living[at];
                    let filled = if part == 0 { size } else { (size / 4 * i64::from(part)).min(size) };
                    let sign = if buy { 1 } else { -1 };
                    position += sign * filled;
                    base += sign * filled;
                    quote -= sign * filled * price;
                    living[at].2 -= filled;
                    living.retain(|order| order.2 > 0);
                }
                Event::Cancel { index } if !living.is_empty() => {
                    living.swap_remove(index.index(living.len()));
                }
                Event::Tighten { position, open } => {
                    limits.max_position_notional = Some(Amount::from(Qty::from_raw(position * 100_000_000)));
                    limits.max_open_orders = Some(open);
                }
                Event::Fill { .. } | Event::Cancel { .. } => {}
            }
        }
    }
}
