//! What is measured, one file a topic.

mod backtest;
mod book;
mod decimal;
pub(crate) mod frame;
mod journal;
mod loopback;
mod order;
pub(crate) mod replay;
pub(crate) mod risk;
mod session;
mod tick;

use crate::meter::Figure;

/// What the command line may change.
#[derive(Debug)]
pub(crate) struct Options {
    /// Length of each open-loop run.
    pub seconds: u32,
}

/// A group of benchmarks that share their input.
pub(crate) struct Section {
    pub name: &'static str,
    pub about: &'static str,
    /// An error means that the section could not run, e.g. for want of its recording.
    pub run: fn(&Options) -> anyhow::Result<Vec<Figure>>,
}

pub(crate) const ALL: &[Section] = &[
    book::SPOT,
    book::USDM,
    frame::SECTION,
    decimal::SECTION,
    order::SECTION,
    risk::SECTION,
    journal::SECTION,
    tick::SECTION,
    replay::SECTION,
    backtest::SPOT,
    backtest::USDM,
    session::RUST_CLIENT,
    session::SECTION,
    session::DECIDE,
    loopback::SECTION,
];
