//! Recorded market data, frame by frame, in time order across files.
//!
//! ```no_run
//! # fn main() -> Result<(), flashpod_recordings::RecordingError> {
//! use flashpod_recordings::{Event, Recording};
//! for frame in Recording::open(&["btcusdt_20240808.gz".into(), "btcusdt_20240809.gz".into()])? {
//!     let frame = frame?;
//!     if let Event::Depth(depth) = &frame.event {
//!         println!("{} {} {}..={}", frame.local.0, frame.symbol, depth.first, depth.last);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`Recording`]: several files merged by receive time; a file without a snapshot continues the former ones of its
//!   symbol
//! - [`identify`]: what a file holds, from its first lines
//! - [`parse_line`]: one line

mod error;
mod file;
mod frame;
mod parse;
mod recording;

pub use error::RecordingError;
pub use file::{FileInfo, identify};
pub use frame::{Depth, Event, Frame, Level, Market, Places, Snapshot, Ticker, Trade};
pub use parse::{Line, LineError, parse_line};
pub use recording::Recording;
