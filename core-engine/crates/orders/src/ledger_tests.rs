use flashpod_types::TradeId;
use proptest::prelude::*;

use super::*;

fn asset(name: &str) -> Asset {
    Asset::new(name).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn deal(price: &str, qty: &str, fee: &str, fee_asset: &str) -> Deal {
    let (price, qty): (Price, Qty) = (price.parse().unwrap(), qty.parse().unwrap());
    Deal {
        trade_id: TradeId::EMPTY,
        price,
        qty,
        value: price.notional(qty),
        fee: amount(fee),
        fee_asset: asset(fee_asset),
        maker: true,
        time_ms: 0,
    }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.start(&[
        (asset("USDC"), amount("10000")),
        (asset("BTC"), amount("2")),
        (asset("MX"), amount("5")),
    ]);
    ledger.allocate("maker", &[(asset("USDC"), amount("4000")), (asset("BTC"), amount("1"))]);
    ledger
}

fn book(ledger: &mut Ledger, side: Side, deal: &Deal) {
    ledger.book("maker", Symbol::new("BTCUSDC").unwrap(), asset("BTC"), asset("USDC"), side, deal);
}

fn position(ledger: &Ledger) -> PositionBook {
    ledger.account("maker").unwrap().position(Symbol::new("BTCUSDC").unwrap())
}

fn other_fees(ledger: &Ledger) -> Vec<(String, String)> {
    let fees = ledger.account("maker").unwrap().other_fees(Symbol::new("BTCUSDC").unwrap());
    fees.map(|(asset, fee)| (asset.to_string(), fee.to_string())).collect()
}

#[test]
fn average_cost_and_realised_profit_follow_the_text_book() {
    let mut ledger = ledger();
    book(&mut ledger, Side::Buy, &deal("100", "1", "0", "USDC"));
    book(&mut ledger, Side::Buy, &deal("110", "1", "0", "USDC"));
    assert_eq!(position(&ledger).average_cost().to_string(), "105");
    book(&mut ledger, Side::Sell, &deal("120", "0.5", "0.06", "USDC"));
    let held = position(&ledger);
    assert_eq!((held.realised.to_string(), held.qty.to_string()), ("7.5".into(), "1.5".into()));
    assert_eq!(held.unrealised("100".parse().unwrap()).to_string(), "-7.5");
    assert_eq!(held.fees.to_string(), "0.06");
}

#[test]
fn a_sale_of_allocated_base_is_a_short_position() {
    let mut ledger = ledger();
    book(&mut ledger, Side::Sell, &deal("100", "0.5", "0", "USDC"));
    let held = position(&ledger);
    assert_eq!((held.qty.to_string(), held.average_cost().to_string()), ("-0.5".into(), "100".into()));
    assert_eq!(held.unrealised("90".parse().unwrap()).to_string(), "5");
    book(&mut ledger, Side::Buy, &deal("90", "1", "0", "USDC"));
    let held = position(&ledger);
    assert_eq!((held.qty.to_string(), held.realised.to_string()), ("0.5".into(), "5".into()));
    assert_eq!(held.average_cost().to_string(), "90");
}

#[test]
fn capital_that_is_not_there_is_named() {
    let error = ledger().can_allocate(&[(asset("USDC"), amount("6000.5"))]).unwrap_err();
    assert_eq!(error.to_string(), "capital USDC: 0.5 more is needed than `unassigned` holds (6000)");
}

#[test]
fn a_fee_in_a_third_asset_that_was_not_given_is_the_accounts() {
    let mut ledger = ledger();
    book(&mut ledger, Side::Buy, &deal("100", "1", "0.25", "MX"));
    assert_eq!(ledger.unassigned()[&asset("MX")].to_string(), "4.75");
    book(&mut ledger, Side::Sell, &deal("100", "1", "0.0003", "KCS"));
    book(&mut ledger, Side::Sell, &deal("100", "1", "0.05", "MX"));
    assert_eq!(
        other_fees(&ledger),
        [("KCS".to_owned(), "0.0003".to_owned()), ("MX".to_owned(), "0.3".to_owned())]
    );
    assert_eq!(position(&ledger).fees, Amount::ZERO);
}

#[test]
fn a_fee_in_base_finer_than_a_quantity_is_carried_until_it_makes_one() {
    let mut ledger = ledger();
    for _ in 0..3 {
        book(&mut ledger, Side::Buy, &deal("100", "1", "0.000000004", "BTC"));
    }
    let held = position(&ledger);
    assert_eq!(
        (held.qty.to_string(), held.remainder.to_string()),
        ("2.99999999".into(), "0.000000002".into())
    );
    // One step of 1e-8 at 100.
    assert_eq!(held.fees.to_string(), "0.000001");
}

#[test]
fn a_released_instance_leaves_everything_to_unassigned() {
    let mut ledger = ledger();
    book(&mut ledger, Side::Buy, &deal("100", "1", "0", "USDC"));
    let before = ledger.totals();
    ledger.release("maker").unwrap();
    assert_eq!(ledger.unassigned(), &before);
    assert!(ledger.account("maker").is_none());
}

proptest! {
    #[test]
    fn nothing_is_made_or_lost_and_profit_is_what_the_balances_say(
        deals in prop::collection::vec(
            (any::<bool>(), 1_i64..20_000, 1_i64..3_000_000, 0_i64..1000, 0_u8..3), 0..60),
        mark in 1_i64..20_000, mx_price in 0_i64..50,
    ) {
        let mut ledger = ledger();
        let start = ledger.totals();
        let mut flows: BTreeMap<Asset, Amount> = start.clone();
        for (buys, price, qty, fee, fee_asset) in deals {
            let price = Price::from_raw(price * 1_000_000);
            let qty = Qty::from_raw(qty * 100);
            let fee_asset = asset(["USDC", "BTC", "MX"][usize::from(fee_asset)]);
            let value = price.notional(qty);
            // Finer than the grid of quantities, as shares of a fill are.
            let fee = Amount::from_raw(i128::from(fee) * 7_654_321);
            let deal = Deal {
                trade_id: TradeId::EMPTY, price, qty, value, fee, fee_asset, maker: false, time_ms: 0,
            };
            let side = if buys { Side::Buy } else { Side::Sell };
            book(&mut ledger, side, &deal);
            let sign = |amount: Amount, plus: bool| if plus { amount } else { -amount };
            add(&mut flows, asset("BTC"), sign(Amount::from(qty), buys));
            add(&mut flows, asset("USDC"), sign(value, !buys));
            add(&mut flows, fee_asset, -fee);
        }
        prop_assert_eq!(ledger.totals(), flows);
        let account = ledger.account("maker").unwrap();
        let held = position(&ledger);
        let moved = |name: &str| {
            account.owns(asset(name)) - account.allocated.get(&asset(name)).copied().unwrap_or_default()
        };
        // Position = own base − allocated base, less what is too fine for a quantity.
        prop_assert_eq!(Amount::from(held.qty) - held.remainder, moved("BTC"));
        prop_assert!(held.remainder >= Amount::ZERO && held.remainder < Amount::from(Qty::from_raw(1)));
        // Profit at the mark, to the last unit, is the change of the balances valued there.
        let mark = Price::from_raw(mark * 1_000_000);
        let profit = held.realised + held.unrealised(mark) - held.fees;
        prop_assert_eq!(profit, moved("USDC") + mark.notional(held.qty));
        // Fees in a third asset, whoever pays them, at any price of it: realised + unrealised − fees is the change of
        // the equity of the whole account.
        let change = |name: &str| {
            let of = |totals: &BTreeMap<Asset, Amount>| totals.get(&asset(name)).copied().unwrap_or_default();
            of(&ledger.totals()) - of(&start)
        };
        let priced = |amount: Amount| Amount::from_raw(amount.raw() * i128::from(mx_price));
        let paid: Amount = other_fees(&ledger).iter().map(|(_, fee)| amount(fee)).sum();
        let equity = change("USDC") + mark.notional(held.qty) + priced(change("MX"));
        prop_assert_eq!(profit - priced(paid), equity);
    }

    /// What was paid in to and out of a position is never lost in a division, whatever closes how much of it.
    #[test]
    fn the_remainder_of_average_cost_is_carried(
        deals in prop::collection::vec((any::<bool>(), 1_i64..1_000_000_007, 1_i64..97), 1..80),
    ) {
        let mut ledger = ledger();
        let mut paid = Amount::ZERO;
        for (buys, price, qty) in deals {
            let (price, qty) = (Price::from_raw(price), Qty::from_raw(qty));
            let value = price.notional(qty);
            let deal = Deal {
                trade_id: TradeId::EMPTY, price, qty, value, fee: Amount::ZERO, fee_asset: asset("USDC"), maker: true,
                time_ms: 0,
            };
            book(&mut ledger, if buys { Side::Buy } else { Side::Sell }, &deal);
            paid += if buys { value } else { -value };
            let held = position(&ledger);
            prop_assert_eq!(held.realised - held.cost, -paid);
            prop_assert!(!held.qty.is_zero() || held.cost.is_zero(), "a flat position costs nothing");
        }
    }
}
