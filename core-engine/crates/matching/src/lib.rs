//! Own orders against a market. Two matchers share one vocabulary: [`FifoBook`], where every order is known,
//! and [`EstimatedBook`], where only displayed quantities and trades are; [`OwnOrders`] is the second without a book of
//! its own, for those who keep one already. Pure: no clock, no randomness.

pub mod accounts;
pub mod estimate;
pub mod fees;
pub mod fifo;
pub mod latency;
pub mod order;
pub mod own;
pub mod queue;
mod sides;

pub use accounts::{Account, AccountError, Balance};
pub use estimate::EstimatedBook;
pub use fees::{FeeAsset, FeeSchedule};
pub use fifo::{FifoBook, LevelChange};
pub use latency::{Latency, Quantiles, QuantilesError};
pub use order::{Guard, Match, NewOrder, OnMeeting, OrderKey, Placement, Plan, Refusal, Volume};
pub use own::{Display, OwnOrders, PassiveFill};
pub use queue::{Conservative, Proportional, QueueModel};
