//! What an operator sees of a core: metrics, health, logs. See the README for the rule.

mod exposition;
pub mod hops;
pub mod logs;
pub mod readings;
pub mod server;

pub use hops::{HopSummary, Recorder};
pub use readings::{Kind, Reading};
pub use server::{Telemetry, TelemetryConfig, TelemetryError};
