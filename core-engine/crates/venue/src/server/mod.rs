//! Sockets round the exchange. Thin: all decisions are made in [`crate::exchange`].

mod connection;
mod cut;
mod decode;
mod driver;
mod listener;
mod tls;
mod websocket;

pub use decode::frame_as_json;
pub use listener::{Server, bind, stop_signal};
