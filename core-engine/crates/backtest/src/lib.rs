//! A strategy against a recorded market, without I/O or clock.
//!
//! - [`Tape`]: a recording, decoded and proven to be without holes, once
//! - [`run`]: one pass over a tape with a [`Strategy`]; what came of it is an [`Outcome`]
//! - [`Desk`]: where a strategy asks for orders and cancels; they take their time to the exchange, as do its reports
//! - [`NoOp`], [`TwoSided`]: strategies to measure with

mod account;
mod desk;
mod pass;
mod strategies;
mod strategy;
mod tape;

pub use account::{Account, Fill};
pub use desk::{Counts, Desk, Report};
pub use pass::{Outcome, Settings, run};
pub use strategies::{NoOp, TwoSided};
pub use strategy::{Strategy, View};
pub use tape::{Happening, Tape, TapeError};
