//! What each search sets, and which orders are asked for in it. One limit at a time keeps the worlds few; the last
//! scenario sets them all.

use flashpod_risk::{AccountLimits, Code, Limits, TradingState};
use flashpod_types::{Amount, Qty};

/// Pairs, by their number.
pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;

/// An order that a strategy may ask for: which strategy, in which pair, buys, price, quantity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) owner: usize,
    pub(crate) pair: usize,
    pub(crate) buys: bool,
    pub(crate) price: i64,
    pub(crate) qty: i64,
    pub(crate) reduce_only: bool,
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) limits: Limits,
    pub(crate) account: AccountLimits,
    pub(crate) asked: Vec<Asked>,
    /// Orders that are sent at most.
    pub(crate) orders: usize,
    /// What it may be stopped to, at any moment.
    pub(crate) stops: Option<TradingState>,
    /// Codes of the checks that keep the limit of this scenario.
    pub(crate) kept_by: &'static [Code],
}

pub(crate) fn units(units: i64) -> Amount {
    Amount::from_raw(i128::from(units) * Amount::SCALE)
}

const fn asked(owner: usize, pair: usize, buys: bool, price: i64, qty: i64) -> Asked {
    Asked { owner, pair, buys, price, qty, reduce_only: false }
}

fn scenario(name: &'static str, kept_by: &'static [Code], asked: Vec<Asked>, orders: usize) -> Scenario {
    let (limits, account) = (Limits::default(), AccountLimits::default());
    Scenario { name, limits, account, asked, orders, stops: None, kept_by }
}

pub(crate) fn all() -> Vec<Scenario> {
    let buys = |qty| asked(0, A, true, 100, qty);
    let sells = |qty| asked(0, A, false, 101, qty);
    let two = || vec![asked(0, A, true, 100, 2), asked(1, A, true, 100, 2), asked(1, B, true, 100, 1)];
    let least = |n: u32| Some(n);
    vec![
        Scenario {
            limits: Limits { max_position_notional: Some(units(300)), ..Limits::default() },
            ..scenario("position", &[Code::MaxPosition], vec![buys(2), sells(2)], 2)
        },
        Scenario {
            limits: Limits { max_position_notional: Some(units(101)), ..Limits::default() },
            ..scenario("position, one by one", &[Code::MaxPosition], vec![buys(1), sells(1)], 3)
        },
        Scenario {
            limits: Limits { max_order_notional: Some(units(250)), ..Limits::default() },
            ..scenario("order value", &[Code::MaxOrderNotional], vec![buys(1), buys(3)], 2)
        },
        Scenario {
            limits: Limits { max_order_qty: Some(Qty::from_raw(2 * Qty::SCALE)), ..Limits::default() },
            ..scenario("order quantity", &[Code::MaxOrderQuantity], vec![buys(1), buys(3)], 2)
        },
        Scenario {
            limits: Limits { max_open_orders: least(2), ..Limits::default() },
            ..scenario("open orders", &[Code::MaxOpenOrders], vec![buys(1), sells(1)], 3)
        },
        Scenario {
            limits: Limits { max_in_flight: least(1), ..Limits::default() },
            ..scenario("in flight", &[Code::MaxInFlight], vec![buys(1), sells(1)], 3)
        },
        Scenario {
            limits: Limits { max_order_rate: least(2), ..Limits::default() },
            ..scenario("rate", &[Code::OrderRate], vec![buys(1)], 3)
        },
        Scenario {
            account: AccountLimits { max_exposure: Some(units(350)), ..AccountLimits::default() },
            ..scenario("exposure", &[Code::AccountExposure], two(), 2)
        },
        Scenario {
            account: AccountLimits {
                max_exposure: Some(units(1000)),
                max_concentration_pct: Some(30),
                ..AccountLimits::default()
            },
            ..scenario("concentration", &[Code::AccountConcentration], two(), 2)
        },
        Scenario {
            account: AccountLimits { max_open_orders: least(1), ..AccountLimits::default() },
            ..scenario("account's open orders", &[Code::AccountOpenOrders], two(), 2)
        },
        scenario("balances", &[Code::Balance], vec![buys(3), sells(2), asked(0, B, true, 100, 2)], 2),
        scenario(
            "own orders",
            &[Code::SelfCross],
            vec![
                asked(0, A, true, 100, 1),
                asked(1, A, false, 99, 1),
                asked(1, A, false, 101, 1),
                asked(0, A, true, 101, 1),
            ],
            3,
        ),
        Scenario {
            stops: Some(TradingState::ReduceOnly),
            ..scenario("reduce only", &[Code::ReduceOnly], vec![buys(1), sells(1)], 3)
        },
        Scenario {
            stops: Some(TradingState::Halted),
            ..scenario("halted", &[Code::Halted], vec![buys(1), sells(1)], 3)
        },
        scenario(
            "asked to reduce",
            &[Code::NotReducing],
            vec![buys(1), Asked { reduce_only: true, ..sells(1) }, Asked { reduce_only: true, ..sells(2) }],
            3,
        ),
        Scenario {
            limits: Limits {
                max_order_notional: Some(units(250)),
                max_order_qty: Some(Qty::from_raw(2 * Qty::SCALE)),
                max_position_notional: Some(units(300)),
                max_open_orders: least(2),
                max_in_flight: least(2),
                max_order_rate: least(2),
                ..Limits::default()
            },
            account: AccountLimits {
                max_exposure: Some(units(450)),
                max_concentration_pct: Some(90),
                max_open_orders: least(3),
            },
            stops: Some(TradingState::ReduceOnly),
            ..scenario("all of them", &[], vec![buys(2), sells(1), asked(1, A, false, 101, 1)], 2)
        },
    ]
}
