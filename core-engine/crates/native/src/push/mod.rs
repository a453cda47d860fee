//! MEXC push frames: the core's own decoder, and its inverse.

mod decode;
mod encode;
mod shapes;

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use prost::Message;

use crate::failure::guard;
pub use shapes::{
    BalancePush, BookTicker, Deal, Depth, FillPush, Kline, Levels, LimitDepth, OrderPush, PushFrame,
};

#[napi]
pub fn decode_push(bytes: &[u8]) -> napi::Result<PushFrame> {
    Ok(guard(|| decode::frame(flashpod_mexc::decode::decode(bytes)?))?)
}

#[napi]
pub fn encode_push(frame: PushFrame) -> napi::Result<Buffer> {
    Ok(guard(|| Ok(encode::frame(frame)?.encode_to_vec()))?.into())
}
