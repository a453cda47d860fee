//! MEXC spot without I/O: what bytes mean and how requests are written.
//!
//! - [`sign`]: HMAC-SHA256 signatures with a prepared key
//! - [`channel`]: names of the push channels; [`control`]: subscriptions, acknowledgements, PING
//! - [`push`]: protobuf bodies as generated; [`decode`]: the same as exact values
//! - [`depth`]: `aggre.depth` pushes read in place, for the path where every nanosecond counts
//! - [`request`]: parameters of every REST call the core makes
//! - [`rest`]: replies as exact values; [`reply`]: success, refusal, rate limit or unknown outcome
//! - [`status`]: order status, shared by REST and pushes
//!
//! No function here panics on what the network brings.

pub mod channel;
pub mod control;
pub mod decode;
pub mod depth;
pub mod reply;
pub mod request;
pub mod rest;
pub mod sign;
pub mod status;

/// Generated from `proto/mexc/push.proto`.
#[allow(missing_debug_implementations, unreachable_pub, clippy::all)]
pub mod push {
    include!(concat!(env!("OUT_DIR"), "/mexc.rs"));
}

pub use channel::{Cadence, Channel, ChannelError, KlineInterval};
pub use reply::{ApiError, Outcome, classify};
pub use sign::Signer;
pub use status::OrderStatus;
