//! Generated from `proto/flashpod/v1`.
#![allow(missing_debug_implementations, unreachable_pub, clippy::all)]

tonic::include_proto!("flashpod.v1");
