//! Sessions: from the engine's ring through the gateway and a unix socket into the process of a strategy.

mod bare;
mod decide;
mod node;
mod play;
mod rust_client;

pub(crate) use decide::SECTION as DECIDE;
pub(crate) use node::SECTION;
pub(crate) use rust_client::SECTION as RUST_CLIENT;
