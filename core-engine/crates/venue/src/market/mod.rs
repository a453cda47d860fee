//! One pair's market: its book (synthetic or recorded), versions, trades, bars, and what is due to be pushed.

mod bars;
mod batch;
mod recorded;
mod state;

pub use bars::{Bar, Bars};
pub use batch::Batch;
pub use batch::DepthCut;
pub use recorded::Recorded;
pub use state::{CADENCES, Market, OWN, OwnFill, PublicTrade, Speed, Step, Top, Update, millis};
