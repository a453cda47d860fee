//! The venue as a state machine: requests, messages and time in; replies and pushes out. It owns no socket and
//! asks no clock. One task drives it (`server`), tests drive it directly.

mod account;
mod audit;
mod deliver;
mod io;
mod later;
mod listen_key;
mod mini_ticker;
mod order;
mod order_list;
mod private;
mod public;
mod self_trade;
mod session;
mod state;
mod trading;

pub use account::AccountState;
pub use audit::Picture;
pub use io::{Fate, HttpReply, HttpRequest, Output, RequestId, SessionId};
pub use order::{Deal, OwnOrder};
pub use order_list::OrderList;
pub use self_trade::{StpGroup, mode_of};
pub use session::{Session, Unwelcome};
pub use state::{Counters, Exchange, ExchangeConfig};
pub use trading::{OrderDraft, Target};
