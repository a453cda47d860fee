//! What is measured, one file a topic.

mod book;
mod decimal;
mod frame;
mod grpc;
mod journal;
mod order;
mod risk;

use crate::meter::Figure;

/// A group of benchmarks that share their input.
pub(crate) struct Section {
    pub name: &'static str,
    pub about: &'static str,
    /// An error means that the section could not run, e.g. for want of its recording.
    pub run: fn() -> anyhow::Result<Vec<Figure>>,
}

pub(crate) const ALL: &[Section] = &[
    book::SPOT,
    book::USDM,
    frame::SECTION,
    decimal::SECTION,
    order::SECTION,
    risk::SECTION,
    journal::SECTION,
    grpc::SECTION,
];
