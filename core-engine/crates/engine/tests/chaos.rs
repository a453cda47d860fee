//! Random trading, random faults, random deaths: whatever happens, the proofs hold in the end, and no limit is passed
//! on the way.

mod sim;

use flashpod_engine::io::{Method, SessionMessage};
use flashpod_types::{Amount, Nanos, OrderType, Price, Qty, Side};
use sim::{Broken, Fault, Sim, ms, policy};

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
}

/// Two quotes and an intent of the largest size do not fit.
const MAX_POSITION: &str = "150";
const NAMES: [&str; 2] = ["maker", "taker"];

fn fault(dice: &mut Dice) -> Fault {
    let method = [Method::Post, Method::Delete, Method::Get][dice.roll(3) as usize];
    let applied = dice.roll(2) == 0;
    let what = match dice.roll(4) {
        0 => Broken::Timeout { applied },
        1 => Broken::Status { status: 503, applied, retry_after_s: None },
        2 => Broken::NotSent,
        _ => Broken::Late(ms(dice.roll(1800))),
    };
    Fault { method, path: "/api/v3/order", nth: 1, what }
}

/// By the venue's own books: nobody's position could pass its limit even if all that rests were to fill.
fn limits_hold(sim: &Sim) {
    let status = sim.engine.status(sim.now);
    for instance in &status.instances {
        for held in &instance.positions {
            let of = |side: Side| -> Qty {
                sim.engine
                    .ledger()
                    .orders
                    .iter()
                    .filter(|o| {
                        o.terms.instance == instance.instance
                            && o.terms.symbol == held.symbol
                            && o.terms.side == side
                    })
                    .filter_map(|o| sim.venue.order(o.terms.client_id.as_str()))
                    .filter(|order| order.is_open())
                    .map(|order| order.qty - order.filled)
                    .sum()
            };
            let worst = (held.qty + of(Side::Buy)).max(of(Side::Sell) - held.qty);
            // The mark moves between 99.9 and 100.1 after an order was accepted.
            let mark: Price = "99.8".parse().unwrap();
            let most: Amount = MAX_POSITION.parse().unwrap();
            assert!(mark.notional(worst) <= most, "{}: {worst} of {}", instance.instance, held.symbol);
        }
    }
}

fn trade(sim: &mut Sim, dice: &mut Dice, step: u64) {
    let name = NAMES[dice.roll(2) as usize];
    let cents = |dice: &mut Dice, from: u64| {
        let cents = from + dice.roll(40);
        format!("{}.{:02}", cents / 100, cents % 100)
    };
    match dice.roll(12) {
        0..=3 => {
            let (bid, ask) = (cents(dice, 9950), cents(dice, 10_010));
            let size = format!("0.{}", 1 + dice.roll(9));
            sim.quote(name, "BTCUSDC", &[(0, Side::Buy, &bid, &size), (1, Side::Sell, &ask, &size)]);
        }
        4 => {
            let side = Side::BOTH[dice.roll(2) as usize];
            let price = if side.is_buy() { "100.20" } else { "99.80" };
            sim.intent(name, &format!("i{step}"), "BTCUSDC", side, OrderType::Ioc, price, "0.7");
        }
        5 => sim.session(name, SessionMessage::Cancel { reference: None, symbol: None }),
        6..=8 => {
            let open = sim.open_client_ids();
            if !open.is_empty() {
                let id = &open[dice.roll(open.len() as u64) as usize];
                let order = sim.venue.order(id).unwrap();
                let left = order.qty - order.filled;
                let part = if dice.roll(2) == 0 { left } else { Qty::from_raw(left.raw() / 20_000 * 10_000) };
                if part.is_positive() {
                    sim.venue.fill(id, &part.to_string());
                }
            }
        }
        9 => {
            let bid = 9990 + dice.roll(10);
            let (bid, ask) =
                (format!("{}.{:02}", bid / 100, bid % 100), format!("100.{:02}", 1 + dice.roll(9)));
            let skip = u64::from(dice.roll(8) == 0);
            sim.venue.move_book("BTCUSDC", &bid, &ask, skip);
        }
        10 => {
            let fault = fault(dice);
            sim.faults.push(fault);
        }
        _ => match dice.roll(6) {
            0 => {
                if let Some(conn) = sim.private {
                    sim.disconnect(conn);
                }
            }
            1 => {
                if let Some(&conn) = sim.public.first() {
                    sim.disconnect(conn);
                }
            }
            2 => sim.drop_private = u32::try_from(dice.roll(4)).unwrap(),
            3 => sim.repeat_private = !sim.repeat_private,
            4 => sim.reverse_private = !sim.reverse_private,
            _ => sim.hold_private = true,
        },
    }
    if sim.hold_private && dice.roll(3) == 0 {
        sim.release_private();
    }
}

fn live_through(seed: u64) -> Sim {
    let mut dice = Dice(seed);
    let policies = NAMES.map(|name| {
        let mut policy = policy(name, &["BTCUSDC"]);
        policy.limits.max_position_notional = Some(MAX_POSITION.parse().unwrap());
        policy
    });
    let mut sim = Sim::trading(policies.to_vec());
    for step in 0..250 {
        trade(&mut sim, &mut dice, step);
        let pause = Nanos(dice.roll(60_000_000));
        sim.run(pause);
        limits_hold(&sim);
        if dice.roll(80) == 0 {
            let away = ms(dice.roll(3000));
            sim = sim.crash(away);
            sim.run(ms(dice.roll(2000)));
            for name in NAMES {
                sim.session(name, SessionMessage::Opened { last_sequence: 0 });
            }
        }
    }
    // The storm is over: everything must come to rest.
    sim.faults.clear();
    sim.drop_private = 0;
    sim.release_private();
    for name in NAMES {
        sim.session(name, SessionMessage::Opened { last_sequence: u64::MAX });
        sim.session(name, SessionMessage::Cancel { reference: None, symbol: None });
    }
    sim.until("nothing is open, in flight or unsettled", |sim| {
        sim.engine.ledger().quiescent && sim.orders_open().is_empty()
    });
    // One audit after the storm at least.
    sim.run(Nanos::from_secs(40));
    let account = sim.engine.status(sim.now).account;
    assert!(account.ledger_equals_venue, "seed {seed}: {}", account.audit_difference);
    sim.prove();
    sim
}

#[test]
fn the_ledger_stays_equal_through_any_storm() {
    let (mut orders, mut trades, mut deaths, mut refused) = (0, 0, 0, 0);
    for seed in 0..60 {
        let sim = live_through(seed);
        orders += sim.venue.orders.len();
        trades += sim.venue.orders.iter().map(|order| order.trades.len()).sum::<usize>();
        let status = sim.engine.status(sim.now);
        deaths += status.account.incarnation - 1;
        refused += status.instances.iter().map(|instance| instance.risk_rejects).sum::<u64>();
    }
    // The storm was one.
    let told = format!("{orders} orders, {trades} trades, {deaths} deaths, {refused} refused");
    assert!(orders > 2000 && trades > 1000 && deaths > 60 && refused > 100, "{told}");
}
