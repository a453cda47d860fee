//! The shell round the engine: clocks, rings, CPUs and the connections to the venue. See the README for the rule.

pub mod addresses;
mod awake;
pub mod clock;
pub mod cpu;
mod dial;
pub mod endpoint;
pub mod failpoint;
pub mod feed;
mod http;
pub mod pause;
pub mod rest;
pub mod ring;
pub mod signals;
pub mod socket;
pub mod thread;
pub mod tls;

pub use clock::Clock;
pub use endpoint::{Endpoint, EndpointError};
pub use rest::RestConfig;
pub use thread::{NetCommand, NetConfig, NetOptions, NetThread};
pub use tls::{Tls, TlsError};
