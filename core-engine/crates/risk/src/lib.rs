//! Pre-trade checks. Only this crate makes a [`RiskApproved`], and only that can become a request.
//!
//! - [`approved`]: the proof that an order passed, and its expiry
//! - [`check`](mod@check): the checks, in their order
//! - [`denial`]: every reason to refuse, each with a stable code
//! - [`view`]: what the checks look at
//! - [`watch`]: profit against loss limits: the day, the peak, and what stays stopped

pub mod approved;
pub mod check;
pub mod denial;
pub mod view;
pub mod watch;

pub use approved::{Expired, RiskApproved};
pub use check::{APPROVAL_LASTS, check, reduces};
pub use denial::{Code, Denial};
pub use view::{AccountLimits, Gate, Limits, Market, Order, Purpose, TradingState, View};
pub use watch::{Breach, LossLimits, LossRule, Watch, day_of, next_day};
