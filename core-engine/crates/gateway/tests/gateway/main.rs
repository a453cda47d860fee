//! The gateway from both ends: a tonic client on the sockets, and a hand that plays the engine.

mod agent;
mod sessions;
mod sockets;
mod stage;
