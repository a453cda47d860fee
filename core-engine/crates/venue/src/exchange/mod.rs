//! The venue as a state machine: requests, messages and time in; replies and pushes out. It owns no socket and
//! asks no clock. One task drives it (`server`), tests drive it directly.

mod account;
mod audit;
mod deliver;
mod io;
mod listen_key;
mod order;
mod order_list;
mod private;
mod public;
mod session;
mod state;
mod trading;

pub use account::AccountState;
pub use audit::Picture;
pub use io::{HttpReply, HttpRequest, Output, RequestId, SessionId};
pub use order::{Deal, OwnOrder};
pub use order_list::OrderList;
pub use session::{Session, Unwelcome};
pub use state::{Counters, Exchange, ExchangeConfig};
pub use trading::{OrderDraft, Target};
