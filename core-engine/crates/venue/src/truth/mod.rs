//! How far the fill model is from the truth: own orders stand in the true queue of the synthetic market, and beside
//! it each queue model estimates their fills from the public data alone. `flashpod-venue truth`.
//!
//! - [`run`]: the experiment; [`Probe`]: one order of it
//! - [`Report`]: the errors, as JSON and as text

mod experiment;
mod report;

pub use experiment::{Experiment, Probe, Run, run};
pub use report::{Errors, Group, ModelReport, Report, Share};

#[cfg(test)]
mod tests;
