use flashpod_types::{Amount, Instrument, Price, Qty};
use proptest::prelude::*;

use super::*;

/// BTCUSDC as the venue lists it, but for a coarser tick.
fn instrument() -> Instrument {
    Instrument {
        symbol: "BTCUSDC".parse().unwrap(),
        base: "BTC".parse().unwrap(),
        quote: "USDC".parse().unwrap(),
        tick: "0.01".parse().unwrap(),
        step: "0.00001".parse().unwrap(),
        min_qty: Qty::ZERO,
        min_notional: "1".parse().unwrap(),
        max_notional: Amount::ZERO,
        band: None,
        trading: true,
    }
}

fn touch(parameters: &[(&str, &str)]) -> Result<Touch, Refusal> {
    let given: Vec<Parameter> =
        parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Touch::new(&given)
}

/// Quotes of 100 USDC, up to 1,000 held, and what else is said.
fn rule(more: &[(&str, &str)]) -> Touch {
    let base = [("orderNotional", "100"), ("maxInventoryNotional", "1000")];
    touch(&[&base[..], more].concat()).unwrap()
}

fn level(price: &str, qty: &str) -> (Price, Qty) {
    (price.parse().unwrap(), qty.parse().unwrap())
}

/// Bid and ask as texts, `-` where there is none.
fn prices(rule: &Touch, bids: &[(Price, Qty)], asks: &[(Price, Qty)], position: &str) -> [String; 2] {
    let instrument = instrument();
    let seen = Seen { instrument: &instrument, bids, asks, position: position.parse().unwrap() };
    let Quotes { bid, ask } = rule.decide(&seen);
    [bid, ask].map(|quote| quote.map_or("-".to_owned(), |quote| quote.price.to_string()))
}

#[test]
fn a_balanced_book_without_inventory_is_quoted_at_the_touch() {
    let rule = rule(&[("imbalanceSkewBps", "10"), ("inventorySkewBps", "10")]);
    let (bids, asks) = ([level("60000", "1")], [level("60000.01", "1")]);
    assert_eq!(prices(&rule, &bids, &asks, "0"), ["60000", "60000.01"]);
}

#[test]
fn the_value_is_kept_in_whole_lots() {
    let instrument = instrument();
    let (bids, asks) = ([level("60000", "1")], [level("60000.01", "1")]);
    let seen = Seen { instrument: &instrument, bids: &bids, asks: &asks, position: Qty::ZERO };
    let bid = rule(&[]).decide(&seen).bid.unwrap();
    assert_eq!(bid.qty.to_string(), "0.00166", "100 / 60000 = 0.001666…");
}

#[test]
fn a_value_at_the_venues_smallest_is_not_rounded_below_it() {
    let mut instrument = instrument();
    instrument.min_notional = "100".parse().unwrap();
    let (bids, asks) = ([level("60000", "1")], [level("60000.01", "1")]);
    let seen = Seen { instrument: &instrument, bids: &bids, asks: &asks, position: Qty::ZERO };
    assert_eq!(rule(&[]).decide(&seen).bid.unwrap().qty.to_string(), "0.00167");
}

#[test]
fn a_heavy_side_moves_the_other_quote_away() {
    // 8/10 of 1 bp of the mid of 60000.005: 4.8000004.
    let rule = rule(&[("imbalanceSkewBps", "1")]);
    let (heavy, light) = ("9", "1");
    let asks = prices(&rule, &[level("60000", heavy)], &[level("60000.01", light)], "0");
    assert_eq!(asks, ["60000", "60004.82"]);
    let bids = prices(&rule, &[level("60000", light)], &[level("60000.01", heavy)], "0");
    assert_eq!(bids, ["59995.19", "60000.01"]);
}

#[test]
fn the_side_that_a_heavy_book_speaks_against_is_pulled() {
    let rule = rule(&[("pullImbalance", "0.8")]);
    for (bids, asks, quoted) in [
        ("9", "1", ["60000", "60000.01"]),
        ("9.1", "0.9", ["60000", "-"]),
        ("1", "9", ["60000", "60000.01"]),
        ("0.9", "9.1", ["-", "60000.01"]),
    ] {
        assert_eq!(prices(&rule, &[level("60000", bids)], &[level("60000.01", asks)], "0"), quoted);
    }
}

#[test]
fn only_the_named_levels_count_for_the_imbalance() {
    let rule = rule(&[("imbalanceSkewBps", "1"), ("imbalanceLevels", "1")]);
    let bids = [level("60000", "1"), level("59999", "50")];
    assert_eq!(prices(&rule, &bids, &[level("60000.01", "1")], "0"), ["60000", "60000.01"]);
}

#[test]
fn inventory_leans_against_itself_and_pulls_the_side_that_would_pass_the_most() {
    let rule = rule(&[("inventorySkewBps", "1")]);
    let (bids, asks) = ([level("60000", "1")], [level("60000.01", "1")]);
    // 0.01 BTC are 600.00005 of 1000: 0.6 bp of 60000.005 is 3.6000003….
    assert_eq!(prices(&rule, &bids, &asks, "0.01"), ["59996.39", "60000.01"]);
    assert_eq!(prices(&rule, &bids, &asks, "-0.01"), ["60000", "60003.62"]);
    assert_eq!(prices(&rule, &bids, &asks, "0.016"), ["-", "60000.01"]);
    assert_eq!(prices(&rule, &bids, &asks, "-0.016"), ["60000", "-"]);
}

#[test]
fn a_side_of_the_book_that_is_empty_is_not_quoted_at() {
    assert_eq!(prices(&rule(&[]), &[level("60000", "1")], &[], "0"), ["-", "-"]);
}

#[test]
fn bad_parameters_are_refused_with_field_value_and_what_is_accepted() {
    let good = [("orderNotional", "100"), ("maxInventoryNotional", "1000")];
    let most = "a decimal number above 0, at most 1000000000000";
    for (bad, accepted) in [
        (("orderNotional", "0"), most),
        (("orderNotional", "-5"), most),
        (("orderNotional", "1e3"), most),
        (("maxInventoryNotional", "1000000000001"), most),
        (("imbalanceSkewBps", "100.1"), "a decimal number from 0 to 100, at most 8 places"),
        (("inventorySkewBps", "x"), "a decimal number from 0 to 100, at most 8 places"),
        (("imbalanceLevels", "0"), "a whole number from 1 to 10"),
        (("imbalanceLevels", "2.5"), "a whole number from 1 to 10"),
        (("pullImbalance", "0"), "a decimal number above 0, at most 1, at most 6 places"),
        (("pullImbalance", "0.5000001"), "a decimal number above 0, at most 1, at most 6 places"),
        (("toleranceTicks", "-1"), "a whole number from 0 to 1000000"),
    ] {
        let rest = good.iter().filter(|(name, _)| *name != bad.0).copied();
        let refusal = touch(&rest.chain([bad]).collect::<Vec<_>>()).unwrap_err();
        assert_eq!((refusal.field.as_str(), refusal.value.as_str()), bad);
        assert_eq!(refusal.accepted, accepted);
    }
    assert_eq!(touch(&good[..1]).unwrap_err().field, "maxInventoryNotional", "it has no default");
    let unknown = touch(&[&good[..], &[("edge", "1")]].concat()).unwrap_err();
    assert_eq!((unknown.field.as_str(), unknown.value.as_str()), ("edge", "1"));
    assert!(unknown.accepted.starts_with("the parameters orderNotional, maxInventoryNotional"));
    assert_eq!(touch(&[&good[..], &good[..]].concat()).unwrap_err().accepted, "each parameter once");
}

#[test]
fn what_could_never_quote_a_pair_does_not_fit_it() {
    let mut small = instrument();
    small.min_notional = "101".parse().unwrap();
    let refusal = rule(&[]).fits(&small).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "orderNotional: \"100\" was given; accepted: at least 101, the venue's smallest order of BTCUSDC"
    );
    let narrow = touch(&[("orderNotional", "100"), ("maxInventoryNotional", "99")]).unwrap();
    assert_eq!(narrow.fits(&instrument()).unwrap_err().field, "maxInventoryNotional");
    assert_eq!(rule(&[]).fits(&instrument()), Ok(()));
}

proptest! {
    /// Whatever is seen: never inside the touch, on the grids, and no side that would pass the most.
    #[test]
    fn quotes_stay_behind_the_touch_on_the_grids_and_within_the_most(
        bid in 1_i64..i64::MAX / 20_000_000, spread in 1_i64..10_000, quantities in prop::array::uniform4(1_i64..i64::MAX),
        position in any::<i64>(), imbalance in 0_u32..=100, inventory in 0_u32..=100,
    ) {
        let instrument = instrument();
        let tick = instrument.tick.raw();
        let price = |ticks: i64| Price::from_raw(ticks * tick);
        let qty = Qty::from_raw;
        let bids = [(price(bid), qty(quantities[0])), (price(bid - 1), qty(quantities[1]))];
        let asks = [(price(bid + spread), qty(quantities[2])), (price(bid + spread + 1), qty(quantities[3]))];
        let (imbalance, inventory) = (imbalance.to_string(), inventory.to_string());
        let rule = rule(&[("imbalanceSkewBps", &imbalance), ("inventorySkewBps", &inventory)]);
        let seen = Seen { instrument: &instrument, bids: &bids, asks: &asks, position: qty(position) };
        let quotes = rule.decide(&seen);
        for quote in [quotes.bid, quotes.ask].into_iter().flatten() {
            prop_assert_eq!(quote.price.floor_to(instrument.tick), quote.price);
            prop_assert_eq!(quote.qty.floor_to(instrument.step), quote.qty);
            prop_assert!(quote.qty.is_positive());
        }
        prop_assert!(quotes.bid.is_none_or(|quote| quote.price <= bids[0].0));
        prop_assert!(quotes.ask.is_none_or(|quote| quote.price >= asks[0].0));
        let mid = Price::from_raw(i64::midpoint(bids[0].0.raw(), asks[0].0.raw()));
        let value = mid.notional(seen.position);
        let (order, most): (Amount, Amount) = ("100".parse().unwrap(), "1000".parse().unwrap());
        prop_assert!(quotes.bid.is_none() || value + order <= most);
        prop_assert!(quotes.ask.is_none() || value - order >= -most);
    }
}
