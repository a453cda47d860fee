use proptest::prelude::*;

use super::*;

fn order(qty: i64) -> Order {
    Order::new(NewOrder {
        client_id: ClientOrderId::new("fpaaaaaaaa-1-1-1").unwrap(),
        instance: "maker".into(),
        symbol: Symbol::new("BTCUSDC").unwrap(),
        side: Side::Buy,
        kind: OrderType::Limit,
        price: Price::from_raw(100 * Price::SCALE),
        qty: Qty::from_raw(qty),
        origin: Origin::Quote { slot: 0 },
        reduces: false,
        timestamp_ms: 0,
        created: Nanos::ZERO,
        created_unix: Nanos::ZERO,
        before: Qty::ZERO,
    })
}

fn deal(id: u32, qty: i64) -> Update {
    Update::Deal(Deal {
        trade_id: TradeId::new(&format!("T{id}")).unwrap(),
        price: Price::from_raw(100 * Price::SCALE),
        qty: Qty::from_raw(qty),
        value: Price::from_raw(100 * Price::SCALE).notional(Qty::from_raw(qty)),
        fee: Amount::ZERO,
        fee_asset: Asset::new("USDC").unwrap(),
        maker: true,
        time_ms: 0,
    })
}

fn report(filled: i64, ending: Option<Ending>) -> Update {
    let order_id = OrderId::new("C02__1").unwrap();
    Update::Report(Report { order_id, ending, filled: Qty::from_raw(filled) })
}

#[test]
fn an_order_closes_when_its_deals_sum_up_not_when_its_end_is_reported() {
    let mut order = order(10);
    order.apply(&report(10, Some(Ending::Filled)));
    assert_eq!((order.state(), order.is_closed(), order.missing_deals().raw()), (State::Filled, false, 10));
    assert_eq!(order.exposure().raw(), 10, "what is not booked yet may still change the position");
    assert!(!order.apply(&deal(1, 4)).closed);
    assert!(order.apply(&deal(2, 6)).closed);
    assert_eq!(order.exposure(), Qty::ZERO);
}

#[test]
fn deals_alone_fill_an_order_and_count_once() {
    let mut order = order(10);
    assert!(order.apply(&deal(1, 10)).closed);
    let again = order.apply(&deal(1, 10));
    assert!(!again.booked && !again.news);
    assert_eq!((order.state(), order.dealt().raw()), (State::Filled, 10));
}

#[test]
fn a_cancelled_order_may_still_owe_deals() {
    let mut order = order(10);
    order.apply(&report(3, Some(Ending::Cancelled)));
    assert_eq!(order.state(), State::PartiallyCancelled);
    assert!(!order.is_closed());
    assert!(order.apply(&deal(1, 3)).closed);
}

#[test]
fn an_order_given_up_comes_back_when_the_venue_shows_it() {
    let mut order = order(10);
    order.apply(&Update::Lost);
    assert_eq!((order.state(), order.exposure().raw()), (State::Unknown, 10));
    assert!(order.apply(&Update::Absent).closed);
    assert_eq!(order.exposure(), Qty::ZERO);
    assert!(order.apply(&deal(1, 4)).booked);
    assert_eq!((order.state(), order.refusal()), (State::PartiallyFilled, None));
}

/// All messages one order can cause at the venue, given how much of it trades and whether the rest is cancelled.
fn messages(qty: i64, fills: &[i64], cancelled: bool) -> Vec<Update> {
    let mut all = vec![Update::Accepted { order_id: OrderId::new("C02__1").unwrap() }, report(0, None)];
    let mut sum = 0;
    for (id, &fill) in (0_u32..).zip(fills) {
        sum += fill;
        all.push(deal(id, fill));
        all.push(report(sum, (sum == qty).then_some(Ending::Filled)));
    }
    if cancelled && sum < qty {
        all.push(report(sum, Some(Ending::Cancelled)));
    }
    all
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_arrival_order_or_repetition(
        fills in prop::collection::vec(1_i64..5, 0..5), rest in 0_i64..5, cancelled: bool, lost: bool,
        order_of in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 40),
    ) {
        let qty = fills.iter().sum::<i64>() + rest;
        prop_assume!(qty > 0);
        let mut straight = order(qty);
        let mut all = messages(qty, &fills, cancelled);
        for update in &all {
            straight.apply(update);
        }
        let mut shuffled = order(qty);
        if lost {
            shuffled.apply(&Update::Lost);
        }
        let mut seen = Vec::new();
        for (index, repeat) in order_of {
            if all.is_empty() {
                break;
            }
            let update = all.swap_remove(index.index(all.len()));
            shuffled.apply(&update);
            if repeat {
                shuffled.apply(&update);
            }
            seen.push(update);
        }
        prop_assert!(all.is_empty());
        prop_assert_eq!(shuffled.state(), straight.state());
        prop_assert_eq!(shuffled.dealt(), straight.dealt());
        prop_assert_eq!(shuffled.is_closed(), straight.is_closed());
        prop_assert_eq!(shuffled.exposure(), straight.exposure());
        prop_assert_eq!(shuffled.order_id(), straight.order_id());
    }
}
