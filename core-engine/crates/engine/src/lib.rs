//! One account's deterministic loop: stamped inputs in, actions out. No sockets, no clock, no randomness.
//!
//! - [`io`]: inputs and actions, the contract with the driver
//! - [`config`]: what an engine is told at its start
//! - [`deltas`]: the newest changes of a book
//! - [`engine`]: the loop itself
//! - [`fact`]: what must be remembered; [`recovery`]: the state folded from facts
//! - [`record`]: journal records; [`replay`]: proof that a journal reproduces its decisions
//! - [`checkpoint`]: what another core needs to go on without this one's journal
//! - [`paper`]: orders that are matched in here and never leave
//! - [`status`]: what is known, for the agent and the metrics

pub mod checkpoint;
pub mod config;
pub mod deltas;
pub mod engine;
pub mod fact;
pub mod io;
pub mod paper;
pub mod record;
pub mod recovery;
pub mod replay;
pub mod status;

mod ahead;
mod audit;
mod clock;
mod events;
mod feeds;
mod frames;
mod halts;
mod hedge;
mod instance;
mod lease;
mod leaving;
mod levels;
mod link;
mod listen_key;
mod losses;
mod mark_outs;
mod market;
mod once;
mod overlap;
mod pages;
mod past;
mod quoting;
mod replies;
mod report;
mod requests;
mod rules;
mod schedule;
mod sessions;
mod startup;
mod stopping;
mod take_over;
mod track;
mod trade;
mod view;
mod waits;

pub use config::{EngineConfig, Environment, RateConfig, StopPolicy, Tuning};
pub use engine::Engine;
pub use io::{Action, Input, Stamp, Start};
pub use paper::{Delay, Fees, Money, PaperConfig, Queue};
pub use recovery::{Folded, Recovered, fold};
pub use status::{LedgerView, Status};
pub use take_over::TakeOver;
