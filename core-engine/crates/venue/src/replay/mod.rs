//! A recording made ready to be served: one tape per symbol.

mod tape;

pub use tape::{Tape, TapeError, TapeEvent, Tick, load};
