//! The exchange without sockets, driven by a clock that the tests own. One binary: it is built and linked once.

#[path = "../book/mod.rs"]
mod book;
#[path = "../data/mod.rs"]
mod data;
mod support;

mod auth;
mod fault_files;
mod faults;
mod fees;
mod latency;
mod limits;
mod looped;
mod rest_public;
mod self_trade;
mod streams;
mod trading;
