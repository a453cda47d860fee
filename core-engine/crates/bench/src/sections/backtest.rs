//! Passes over a decoded recording: a strategy that does nothing, then one that quotes both sides every 100 ms.

use flashpod_backtest::{NoOp, Outcome, Settings, Strategy, TwoSided, run};
use flashpod_matching::{Conservative, FeeAsset, FeeSchedule, Latency};
use flashpod_types::{Nanos, Price, Qty};

use super::Section;
use crate::meter::{Figure, Meter};
use crate::tape::{Tape, book_hash};

pub(crate) const SPOT: Section = Section {
    name: "backtest-spot",
    about: "passes over the recorded spot market: book, own orders with their queue, strategy",
    run: |_| passes(&Tape::spot()?, "0.01", &SPOT_NAMES),
};

pub(crate) const USDM: Section = Section {
    name: "backtest-usdm",
    about: "passes over the recorded USD-M futures market: book, own orders with their queue, strategy",
    run: |_| passes(&Tape::usdm()?, "0.1", &USDM_NAMES),
};

struct Names {
    no_op: &'static str,
    quoting: &'static str,
    fills: &'static str,
    pnl: &'static str,
}

const SPOT_NAMES: Names = Names {
    no_op: "backtest.noOp.eventsPerSecond",
    quoting: "backtest.eventsPerSecond",
    fills: "backtest.fills",
    pnl: "backtest.pnl",
};
const USDM_NAMES: Names = Names {
    no_op: "backtest.noOp.eventsPerSecondUsdm",
    quoting: "backtest.eventsPerSecondUsdm",
    fills: "backtest.fillsUsdm",
    pnl: "backtest.pnlUsdm",
};

const WARM_UP: usize = 2;
const PASSES: usize = 15;

/// One tick behind the touch, 0.001 BTC a side, every 100 ms; 1 ms each way; makers free, takers 5 basis points.
fn settings() -> Settings {
    Settings {
        period: Nanos::from_millis(100),
        latency: [Latency::Constant(Nanos::from_millis(1)), Latency::Constant(Nanos::from_millis(1))],
        seed: 1,
        fees: FeeSchedule { maker: 0, taker: 50_000, asset: FeeAsset::Quote },
        queue: Box::new(Conservative),
        step: Qty::from_raw(1_000),
    }
}

fn passes(tape: &Tape, tick: &str, names: &Names) -> anyhow::Result<Vec<Figure>> {
    let tick: Price = tick.parse()?;
    let source = &tape.source;
    let tape = tape.for_backtest()?;
    let (mut no_op, _) = measure(source, &tape, "no-op", || NoOp);
    let quoting = || TwoSided::new(tick, 1, Qty::from_raw(100_000));
    let (mut quoted, outcome) =
        measure(source, &tape, "quoting both sides, one tick behind the touch", quoting);
    no_op = no_op.named(names.no_op, per_second);
    quoted = quoted
        .remark(told(&outcome))
        .named(names.quoting, per_second)
        .named(names.fills, |_| f64::from(u32::try_from(outcome.account.fills).unwrap_or(u32::MAX)))
        .named(names.pnl, |_| outcome.pnl().to_f64());
    Ok(vec![no_op, quoted])
}

fn per_second(figure: &Figure) -> f64 {
    1e9 / figure.median_ns
}

fn told(outcome: &Outcome) -> String {
    let Outcome { account, counts, timers, .. } = outcome;
    format!(
        "{timers} looks, {} orders, {} cancels ({} too late), {} refused; {} fills, position {}, fees {}, PnL {}",
        counts.submitted,
        counts.cancels,
        counts.too_late,
        counts.refused,
        account.fills,
        account.position,
        account.fees,
        outcome.pnl()
    )
}

fn measure<S: Strategy>(
    source: &str,
    tape: &flashpod_backtest::Tape,
    name: &str,
    strategy: impl Fn() -> S,
) -> (Figure, Outcome) {
    let mut meter = Meter::with_room(WARM_UP + PASSES);
    let mut outcome = run(tape, settings(), &mut strategy());
    for pass in 0..WARM_UP + PASSES {
        if pass == WARM_UP {
            meter.reset();
        }
        outcome = meter.sample(tape.events(), || run(tape, settings(), &mut strategy()));
    }
    let input = format!(
        "{source}: {} events ({} level changes, {} trades, the snapshot's levels), looks every 100 ms, 1 ms each way; \
         {PASSES} passes",
        tape.events(),
        tape.changes(),
        tape.trades()
    );
    let hash = hash(&outcome);
    (meter.figure(name, input, "event", hash), outcome)
}

/// Of the fills and the final book.
fn hash(outcome: &Outcome) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for fill in &outcome.fills {
        hasher.update(&fill.at.0.to_le_bytes());
        hasher.update(&fill.key.0.to_le_bytes());
        hasher.update(&fill.price.raw().to_le_bytes());
        hasher.update(&fill.qty.raw().to_le_bytes());
    }
    hasher.update(&book_hash(&outcome.book).to_le_bytes());
    hasher.finalize()
}
