//! What is measured, one file a topic.

mod book;
mod decimal;
mod frame;
mod grpc;
mod journal;
mod order;
mod replay;
mod risk;
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
    grpc::SECTION,
];
