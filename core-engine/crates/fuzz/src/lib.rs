//! Mutated input for everything that reads what others wrote. See the README for the route and its reason.
//!
//! - [`targets`]: what is fuzzed, one entry a decoder, with the properties that must hold for any bytes
//! - [`mutate`]: the next input from those that are kept
//! - [`hunt`](mod@hunt): runs a target on mutated inputs, keeps those that reach something new, stops at the first
//!   that breaks
//! - [`coverage`]: the counters that a build for fuzzing has in every branch
//! - [`corpus`]: the inputs that are checked in

pub mod corpus;
pub mod coverage;
pub mod hunt;
pub mod mutate;
pub mod targets;

pub use hunt::{Budget, Found, hunt};
pub use targets::{TARGETS, Target};
