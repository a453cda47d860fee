//! What an account has at the venue and owns in the ledger, and how the order-rate budget is spent.
//!
//! - [`client_id`]: the one layout of client order ids, and its only parser
//! - [`state`]: the states of an order and the table that moves between them
//! - [`order`]: one order fed by replies, reports and deals in any order of arrival
//! - [`store`]: every order of the account, live and lately finished; exposure
//! - [`ledger`]: sub-accounts per instance, positions, profit and loss
//! - [`rate`]: the sliding window of the venue's order bucket and the fair choice of who goes next
//! - [`quotes`]: wanted quotes against resting ones
//!
//! Pure: no clock, no I/O, no randomness.

pub mod client_id;
pub mod ledger;
pub mod order;
mod owner;
mod position;
pub mod quotes;
pub mod rate;
pub mod state;
pub mod store;

pub use client_id::{ClientId, ClientIdError, InstanceTag, PAPER_EPOCH, is_paper};
pub use ledger::{Ledger, LedgerError, PositionBook, SubAccount};
pub use order::{Change, Deal, Ending, Order, Origin, Report, Update};
pub use owner::Owner;
pub use quotes::{QuoteStep, Resting, Wanted};
pub use rate::{CallId, Class, RateLimits, RateWindow};
pub use state::{Evidence, State};
pub use store::{Exposure, Forgotten, OrderStore};
