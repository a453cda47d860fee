//! Paper and Shadow: orders that are matched in here against the market that is received, and never leave.
//!
//! - `money`: whose money an instance trades with, and where its orders and its sub-account are
//! - `config`: seed, queue model, delays, fees
//! - `delays`: how long a request takes, drawn from what was measured
//! - `exchange`: requests under way, and own orders in front of each pair's book
//! - `trading`: orders out, and what comes back
//!
//! What is received is late by the way from the venue, and so is the answer to a request. An order that left a round
//! trip ago is therefore matched with what is received now: both are of the moment at which it would have reached the
//! venue.

mod config;
mod delays;
mod exchange;
mod money;
mod trading;

pub use config::{Delay, Fees, PaperConfig, Queue, WHOLE_PPM};
pub(crate) use exchange::{PaperExchange, Request};
pub use money::{Money, PaperState};
