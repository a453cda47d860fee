//! MEXC spot, without I/O: the push codec, the REST codec, request signing and the book's sync rule.

#[allow(missing_debug_implementations, unreachable_pub, clippy::all)]
pub mod push {
    include!(concat!(env!("OUT_DIR"), "/mexc.rs"));
}
