//! The gRPC side of the core: sessions of strategy sidecars and the link to the agent. See the README for the rule.

mod accept;
mod agent;
pub mod convert;
pub mod link;
mod mailbox;
pub mod proto;
mod registry;
mod session;
mod sockets;
pub mod thread;

pub use link::{AccountLink, EngineLink, LedgerQuery, MarketData, SessionOutput, engine_link};
pub use sockets::{SocketError, instance_socket};
pub use thread::{Gateway, GatewayConfig, GatewayCounters, HopFigures, HopSource};
