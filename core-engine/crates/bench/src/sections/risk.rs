//! All pre-trade checks of one order.

use flashpod_risk::{AccountLimits, Gate, Limits, Market, Order, Purpose, TradingState, View, check};
use flashpod_types::{Instrument, Nanos, OrderType, Price, PriceBand, Qty, Side};

use super::{Options, Section};
use crate::meter::{Figure, Meter};

pub(crate) const SECTION: Section =
    Section { name: "risk-check", about: "all pre-trade checks of one order, every limit set", run };

const WARM_UP: usize = 200;
const SAMPLES: usize = 200_000;
/// Short, so that a timer's interrupt each millisecond falls into fewer than one in a thousand.
const BATCH: usize = 10;

/// What the checks look at, with every limit set.
pub(crate) struct Scene {
    instrument: Instrument,
    limits: Limits,
    account: AccountLimits,
    bid: Price,
    ask: Price,
}

impl Scene {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let instrument = Instrument {
            symbol: "BTCUSDC".parse()?,
            base: "BTC".parse()?,
            quote: "USDC".parse()?,
            tick: "0.01".parse()?,
            step: "0.000001".parse()?,
            min_qty: "0.00001".parse()?,
            min_notional: "1".parse()?,
            max_notional: "2000000".parse()?,
            band: Some(PriceBand { bid_up: 120_000_000, ask_down: 80_000_000 }),
            trading: true,
        };
        let limits = Limits {
            max_order_notional: Some("1000".parse()?),
            max_order_qty: Some("0.5".parse()?),
            max_position_notional: Some("50000".parse()?),
            max_open_orders: Some(20),
            max_in_flight: Some(10),
            max_order_rate: Some(50),
            price_collar_bps: Some(500),
            max_data_age: Some(Nanos::from_secs(2)),
        };
        let account = AccountLimits {
            max_exposure: Some("200000".parse()?),
            max_concentration_pct: Some(50),
            max_open_orders: Some(100),
        };
        Ok(Self { instrument, limits, account, bid: "99999.99".parse()?, ask: "100000.01".parse()? })
    }

    pub(crate) fn view(&self) -> anyhow::Result<View<'_>> {
        let Self { instrument, limits, account, bid, ask } = self;
        Ok(View {
            gate: Gate { state: TradingState::Active, breach: None, reason: "" },
            instrument: Some(instrument),
            limits,
            account,
            position: "0.05".parse()?,
            buys: "0.02".parse()?,
            sells: "0.03".parse()?,
            open_orders: 4,
            in_flight: 2,
            account_open_orders: 12,
            other_exposure: "30000".parse()?,
            pair_exposure: "10000".parse()?,
            market: Some(Market { bid: *bid, ask: *ask, certified: true, age: Nanos::from_millis(3) }),
            last_trade: Some(*ask),
            orders_last_second: 5,
            free_base: "1".parse()?,
            free_quote: "20000".parse()?,
            fee: "0.0005".parse()?,
            own_bid: Some("99999".parse()?),
            own_ask: Some("100001".parse()?),
        })
    }

    /// Both sides, prices round the touch, sizes up to a hundredth: what passes is all checks done.
    pub(crate) fn orders(&self) -> Vec<Order> {
        let (bid, ask) = (self.bid, self.ask);
        (0_i64..1_000)
            .map(|n| Order {
                symbol: self.instrument.symbol,
                side: if n % 2 == 0 { Side::Buy } else { Side::Sell },
                kind: OrderType::LimitMaker,
                price: Price::from_raw(
                    if n % 2 == 0 { bid.raw() } else { ask.raw() } + (n % 7 - 3) * 1_000_000,
                ),
                qty: Qty::from_raw(100_000 + n * 100),
                reduce_only: false,
                purpose: Purpose::Strategy,
            })
            .collect()
    }
}

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let scene = Scene::new()?;
    let (view, orders) = (scene.view()?, scene.orders());
    let mut meter = Meter::with_room(WARM_UP + SAMPLES);
    let (mut approved, mut asked, mut hasher) = (0, 0, crc32fast::Hasher::new());
    let mut orders = orders.iter().cycle();
    for sample in 0..WARM_UP + SAMPLES {
        if sample == WARM_UP {
            meter.reset();
        }
        let (passed, sum) = meter.sample(BATCH as u64, || {
            let (mut passed, mut sum) = (0, 0_i64);
            for order in orders.by_ref().take(BATCH) {
                // Seen through black boxes: nothing of the view is known beforehand.
                if let Ok(order) = check(*order, std::hint::black_box(&view), Nanos::ZERO) {
                    passed += 1;
                    sum = sum.wrapping_mul(31).wrapping_add(order.get().price.raw());
                }
            }
            (passed, sum)
        });
        approved += passed;
        asked += BATCH;
        hasher.update(&sum.to_le_bytes());
    }
    anyhow::ensure!(approved == asked, "only {approved} of {asked} orders passed the checks");
    let input = format!("post-only orders of both sides at the touch, all approved; batches of {BATCH}");
    Ok(vec![
        meter
            .figure("check", input, "order", hasher.finalize())
            .named("risk.check.nsMedian", |figure| figure.median_ns)
            .named("risk.check.nsP999", |figure| figure.p999_ns)
            .named("risk.check.allocations", |figure| figure.allocations_per_op),
    ])
}
