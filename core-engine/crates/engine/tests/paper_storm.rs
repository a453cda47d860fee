//! Random trading on paper through random gaps and deaths: the money always adds up, nothing fills for more than was
//! traded or shown, and every run replays.

mod sim;

use std::collections::BTreeMap;

use flashpod_engine::io::{Mode, OrderEvent, SessionMessage};
use flashpod_types::{Amount, Nanos, OrderType, Price, Qty, Side};
use sim::{Sim, capital, ms, policy};

/// SplitMix64: the seed is the test's name.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn price(&mut self) -> String {
        let cents = 9985 + self.roll(30);
        format!("{}.{:02}", cents / 100, cents % 100)
    }
}

const NAME: &str = "paper";

/// What the strategy was told, across the deaths of the core.
#[derive(Default)]
struct Told {
    events: BTreeMap<u64, OrderEvent>,
    /// By others.
    traded: Qty,
}

impl Told {
    fn listen(&mut self, sim: &Sim) {
        self.events.extend(sim.events.iter().map(|(_, event)| (event.sequence, event.clone())));
    }

    /// Change of base and quote by the fills that were told, as anybody would add them up.
    fn flows(&self) -> (Amount, Amount) {
        let mut flows = (Amount::ZERO, Amount::ZERO);
        for event in self.events.values() {
            let Some(fill) = &event.fill else { continue };
            assert_eq!(fill.fee_asset.as_str(), "USDC");
            let (base, quote) = (Amount::from(fill.qty), fill.price.notional(fill.qty));
            match event.side {
                Side::Buy => flows = (flows.0 + base, flows.1 - quote - fill.fee),
                Side::Sell => flows = (flows.0 - base, flows.1 + quote - fill.fee),
            }
        }
        flows
    }

    fn passive(&self) -> Qty {
        let fills = self.events.values().filter_map(|event| event.fill.as_ref());
        fills.filter(|fill| fill.maker).map(|fill| fill.qty).sum()
    }
}

fn adds_up(sim: &Sim, told: &Told) {
    let status = sim.engine.status(sim.now);
    let own: BTreeMap<_, _> = status.instances[0].balances.iter().copied().collect();
    let of = |asset: &str| own.get(&capital(asset, "0").0).copied().unwrap_or_default();
    let (base, quote) = told.flows();
    assert_eq!(of("BTC"), capital("BTC", "2").1 + base);
    assert_eq!(of("USDC"), capital("USDC", "20000").1 + quote);
    assert!(!of("BTC").is_negative() && !of("USDC").is_negative());
    assert_eq!(Amount::from(status.instances[0].positions[0].qty), base);
    assert!(told.passive() <= told.traded, "{} of {}", told.passive(), told.traded);
}

fn step(sim: &mut Sim, dice: &mut Dice, told: &mut Told, number: u64) {
    match dice.roll(10) {
        0..=2 => {
            let (bid, ask) = (dice.price(), dice.price());
            let size = format!("0.{}", 1 + dice.roll(9));
            sim.quote(NAME, "BTCUSDC", &[(0, Side::Buy, &bid, &size), (1, Side::Sell, &ask, &size)]);
        }
        3 => {
            let (side, price) = (Side::BOTH[dice.roll(2) as usize], dice.price());
            let kind = [OrderType::Ioc, OrderType::Fok, OrderType::Limit][dice.roll(3) as usize];
            sim.intent(NAME, &format!("i{number}"), "BTCUSDC", side, kind, &price, "0.7");
        }
        4 => sim.session(NAME, SessionMessage::Cancel { reference: None, symbol: None }),
        5..=7 => {
            let (side, qty) = (Side::BOTH[dice.roll(2) as usize], format!("{}.5", dice.roll(8)));
            sim.venue.print("BTCUSDC", &dice.price(), &qty, side);
            told.traded += qty.parse::<Qty>().unwrap();
        }
        8 => {
            let bid: Price = dice.price().parse().unwrap();
            let ask = bid + "0.02".parse().unwrap();
            let skip = u64::from(dice.roll(6) == 0);
            sim.venue.move_book("BTCUSDC", &bid.to_string(), &ask.to_string(), skip);
        }
        _ => {
            if let Some(&conn) = sim.public.first().filter(|_| dice.roll(4) == 0) {
                sim.disconnect(conn);
            }
        }
    }
}

#[test]
fn paper_money_adds_up_through_any_storm() {
    let (mut fills, mut deaths) = (0, 0);
    for seed in 0..30 {
        let mut dice = Dice(seed);
        let mut told = Told::default();
        let mut policy = policy(NAME, &["BTCUSDC"]);
        policy.mode = Mode::Paper;
        let mut sim = Sim::trading(vec![policy]);
        for number in 0..200 {
            step(&mut sim, &mut dice, &mut told, number);
            sim.run(Nanos(dice.roll(60_000_000)));
            told.listen(&sim);
            adds_up(&sim, &told);
            if dice.roll(60) == 0 {
                deaths += 1;
                sim = sim.crash(ms(dice.roll(3000)));
                let last_sequence = told.events.last_key_value().map_or(0, |(&sequence, _)| sequence);
                sim.session(NAME, SessionMessage::Opened { last_sequence });
                sim.run(ms(10 + dice.roll(2000)));
                told.listen(&sim);
            }
        }
        fills += told.events.values().filter(|event| event.fill.is_some()).count();
        assert!(sim.order_requests().is_empty());
        sim.prove();
    }
    // The storm was one.
    assert!(fills > 300 && deaths > 50, "{fills} fills, {deaths} deaths");
}
