//! Fees in quote, base and MX: the same in trades, private deals, private balances and the account.

use crate::support::{Desk, trade};
use flashpod_mexc::push::push_data_v3_api_wrapper::Body;
use flashpod_types::{Amount, Side};
use serde_json::{Value, json};

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// What a deal cost: amount and asset, as three places tell it; and how much each asset moved, as the private
/// balances tell it.
struct Told {
    trades: (String, String),
    deal: (String, String),
    audit: (String, String),
    moved: Vec<(String, Amount)>,
}

/// Lets an order in that fills at once, or by the recorded trade, and gathers what is told of its one deal.
fn one_deal(desk: &mut Desk, side: &str, kind: &str, price: &str) -> Told {
    let session = desk.private();
    let before: Vec<Value> = desk.audit()["accounts"][0]["balances"].as_array().unwrap().clone();
    desk.place(side, kind, "0.5", price);
    desk.play(1);
    let mut deal = None;
    let mut moved: Vec<(String, Amount)> = Vec::new();
    for frame in desk.pushes(session) {
        match frame.body.unwrap() {
            Body::PrivateDeals(body) => {
                assert!(deal.is_none(), "one deal");
                deal = Some((body.fee_amount, body.fee_currency));
            }
            Body::PrivateAccount(body) => {
                let change = amount(&body.balance_amount_change) + amount(&body.frozen_amount_change);
                match moved.iter_mut().find(|(asset, _)| *asset == body.vcoin_name) {
                    Some((_, sum)) => *sum += change,
                    None => moved.push((body.vcoin_name, change)),
                }
            }
            _ => {}
        }
    }
    // The account says the same as the pushes.
    for balance in before {
        let asset = balance["asset"].as_str().unwrap();
        let old = amount(balance["free"].as_str().unwrap()) + amount(balance["locked"].as_str().unwrap());
        let (free, locked) = desk.balance(asset);
        let told = moved.iter().find(|(a, _)| a == asset).map_or(Amount::ZERO, |(_, sum)| *sum);
        assert_eq!(amount(&free) + amount(&locked), old + told, "{asset}");
    }
    moved.retain(|(_, sum)| !sum.is_zero());
    moved.sort();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let trades = desk.ok("GET", "/api/v3/myTrades", "symbol=BTCUSDC");
    let fill = desk.audit()["accounts"][0]["orders"][0]["fills"][0].clone();
    Told {
        trades: (text(&trades[0]["commission"]), text(&trades[0]["commissionAsset"])),
        deal: deal.unwrap(),
        audit: (text(&fill["commission"]), text(&fill["commissionAsset"])),
        moved,
    }
}

/// Asserts that all places tell the fee, and how the assets moved.
fn expect(told: &Told, fee: (&str, &str), moved: &[(&str, &str)]) {
    let fee = (fee.0.to_owned(), fee.1.to_owned());
    assert_eq!((&told.trades, &told.deal, &told.audit), (&fee, &fee, &fee));
    let moved: Vec<_> = moved.iter().map(|(asset, sum)| ((*asset).to_owned(), amount(sum))).collect();
    assert_eq!(told.moved, moved);
}

#[test]
fn in_quote_a_buyer_pays_on_top_and_a_seller_gets_less() {
    let mut desk = Desk::recorded(&[], vec![]);
    let told = one_deal(&mut desk, "BUY", "MARKET", "");
    // 0.5 × 100001 × 0.0005.
    expect(&told, ("25.00025", "USDC"), &[("BTC", "0.5"), ("USDC", "-50025.50025")]);
    let mut desk = Desk::recorded(&[], vec![]);
    let told = one_deal(&mut desk, "SELL", "MARKET", "");
    expect(&told, ("25", "USDC"), &[("BTC", "-0.5"), ("USDC", "49975")]);
}

#[test]
fn of_what_is_received_a_buyer_pays_in_base_and_a_seller_in_quote() {
    let sets = ["feeAsset=received"];
    let told = one_deal(&mut Desk::recorded(&sets, vec![]), "BUY", "MARKET", "");
    expect(&told, ("0.00025", "BTC"), &[("BTC", "0.49975"), ("USDC", "-50000.5")]);
    let told = one_deal(&mut Desk::recorded(&sets, vec![]), "SELL", "MARKET", "");
    expect(&told, ("25", "USDC"), &[("BTC", "-0.5"), ("USDC", "49975")]);
    // A maker's fee, by a recorded trade through its price.
    let sets = ["feeAsset=received", "makerFee=0.0002"];
    let mut desk = Desk::recorded(&sets, vec![trade(1_000, "99000", "1", Side::Sell)]);
    let told = one_deal(&mut desk, "BUY", "LIMIT_MAKER", "100000");
    expect(&told, ("0.0001", "BTC"), &[("BTC", "0.4999"), ("USDC", "-50000")]);
}

#[test]
fn in_mx_a_fifth_is_off_and_half_of_it_for_who_holds_five_hundred() {
    // 25.00025 USDC at 2.5 USDC an MX are 10.0001 MX; the account holds 1000.
    let sets = ["feeAsset=mx", "mxPrice=2.5"];
    let told = one_deal(&mut Desk::recorded(&sets, vec![]), "BUY", "MARKET", "");
    expect(&told, ("5.00005", "MX"), &[("BTC", "0.5"), ("MX", "-5.00005"), ("USDC", "-50000.5")]);
    let few = ["feeAsset=mx", "mxPrice=2.5", "mxHolding=1000.01"];
    let told = one_deal(&mut Desk::recorded(&few, vec![]), "SELL", "MARKET", "");
    // 25 USDC, 20 % off, at 2.5.
    expect(&told, ("8", "MX"), &[("BTC", "-0.5"), ("MX", "-8"), ("USDC", "50000")]);
    // Not divisible: rounded up in the last place.
    let odd = ["feeAsset=mx", "mxPrice=3", "mxHolding=0"];
    let told = one_deal(&mut Desk::recorded(&odd, vec![]), "SELL", "MARKET", "");
    expect(
        &told,
        ("6.6666666666666667", "MX"),
        &[("BTC", "-0.5"), ("MX", "-6.6666666666666667"), ("USDC", "50000")],
    );
}

#[test]
fn what_is_owed_in_mx_is_the_same_whatever_fees_are_taken_in_without_it() {
    let sets = ["feeAsset=received", "mxPrice=2.5"];
    for (side, fee, moved) in [
        ("BUY", "5.00005", [("BTC", "0.5"), ("MX", "-5.00005"), ("USDC", "-50000.5")]),
        ("SELL", "5", [("BTC", "-0.5"), ("MX", "-5"), ("USDC", "50000")]),
    ] {
        let mut desk = Desk::recorded(&sets, vec![]);
        desk.ok("POST", "/api/v3/mxDeduct/enable", "mxDeductEnable=true");
        expect(&one_deal(&mut desk, side, "MARKET", ""), (fee, "MX"), &moved);
    }
}

#[test]
fn where_mx_itself_is_traded_its_fee_is_paid_beside_the_trade() {
    let sets = ["feeAsset=mx", "mxPrice=2.5"];
    let told = one_deal(&mut Desk::recorded_of("MX", &sets), "SELL", "MARKET", "");
    expect(&told, ("5", "MX"), &[("MX", "-5.5"), ("USDC", "50000")]);
    let told = one_deal(&mut Desk::recorded_of("MX", &sets), "BUY", "MARKET", "");
    expect(&told, ("5.00005", "MX"), &[("MX", "-4.50005"), ("USDC", "-50000.5")]);
}

#[test]
fn rates_are_shares() {
    let mut settings = flashpod_venue::settings::Settings::default();
    for name in ["makerFee", "takerFee", "mxDiscount", "mxHoldingDiscount"] {
        settings.set(&format!("{name}=1")).unwrap();
        let refused = settings.set(&format!("{name}=1.5")).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("--set {name}=1.5: a decimal number from 0 to 1 with at most 8 places is accepted")
        );
    }
}

#[test]
fn without_enough_mx_the_fee_is_taken_in_quote() {
    let sets = ["feeAsset=mx", "mxPrice=0.00000001"];
    let told = one_deal(&mut Desk::recorded(&sets, vec![]), "SELL", "MARKET", "");
    expect(&told, ("25", "USDC"), &[("BTC", "-0.5"), ("USDC", "49975")]);
}

#[test]
fn an_account_switches_its_fees_to_mx_and_back() {
    let mut desk = Desk::recorded(&["accountRate=0"], vec![]);
    let enabled = |desk: &mut Desk| desk.ok("GET", "/api/v3/mxDeduct/enable", "")["data"].clone();
    assert_eq!(enabled(&mut desk), json!({ "mxDeductEnable": false }));
    let on = desk.ok("POST", "/api/v3/mxDeduct/enable", "mxDeductEnable=true");
    assert_eq!((&on["data"]["mxDeductEnable"], &on["code"]), (&json!(true), &json!(0)));
    let fee_asset = |desk: &mut Desk| {
        desk.place("BUY", "MARKET", "0.1", "");
        desk.ok("GET", "/api/v3/myTrades", "symbol=BTCUSDC")[0]["commissionAsset"].clone()
    };
    assert_eq!(fee_asset(&mut desk), "MX");
    desk.ok("POST", "/api/v3/mxDeduct/enable", "mxDeductEnable=false");
    assert_eq!(fee_asset(&mut desk), "USDC");
    assert_eq!(desk.code("POST", "/api/v3/mxDeduct/enable", "mxDeductEnable=yes"), 33_333);
}
