//! The words every other crate speaks: price, quantity, amount, side, names, time, instruments.
//!
//! Everything is exact. Prices and quantities are 64-bit integers in units of 1e-8; amounts of money are
//! 128-bit integers in units of 1e-16, so that price × quantity is exact. There are no dependencies (serde is
//! an opt-in feature) and no clock.

mod decimal;
mod digits;
mod instrument;
mod name;
mod side;
mod text;
mod time;

pub use decimal::{Amount, DecimalError, Price, Qty};
pub use instrument::{Instrument, PriceBand};
pub use name::{Asset, ClientOrderId, Name, NameError, OrderId, Symbol, TradeId};
pub use side::{OrderType, Side};
pub use text::Text;
pub use time::{Millis, Nanos};
