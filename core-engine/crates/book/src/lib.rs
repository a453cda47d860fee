//! Level 2 order book and its certification, without I/O or clock.
//!
//! - [`Book`]: quantities by price, both sides
//! - [`CertifiedBook`]: a [`Book`] that is fed with updates and snapshots and knows whether it equals the venue's
//! - [`AuditOutcome`]: comparison of a certified book with a later snapshot
//!
//! Bids are [`Side::Buy`](flashpod_types::Side), asks are [`Side::Sell`](flashpod_types::Side).

mod audit;
mod book;
mod certified;
mod counters;
mod grid;
mod ladder;
mod update;
mod window;

pub use audit::AuditOutcome;
pub use book::{Book, Level};
pub use certified::{CertifiedBook, Loss, SnapshotStep, State, Step};
pub use counters::Counters;
pub use update::{Rule, Snapshot, Update};
