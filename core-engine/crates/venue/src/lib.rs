//! A MEXC look-alike: REST and WebSocket as the API reference states them, over a synthetic or a recorded market.
//!
//! - [`exchange`]: the venue as a state machine (time and requests in, replies and pushes out)
//! - [`rest`]: endpoints, authentication, limits
//! - [`market`]: one pair's book, versions, trades, candles
//! - [`synthetic`], [`replay`]: where markets come from
//! - [`settings`], [`faults`], [`accounts`], [`listing`]: what it is given
//! - [`truth`]: how far the fill model is from the true queue
//! - [`server`]: sockets and the task that drives the exchange; [`clock`]: its clock; [`cli`]: its options

pub mod accounts;
pub mod cli;
pub mod clock;
pub mod exchange;
pub mod faults;
pub mod listing;
pub mod market;
pub mod replay;
pub mod rest;
pub mod server;
pub mod settings;
pub mod synthetic;
pub mod truth;
