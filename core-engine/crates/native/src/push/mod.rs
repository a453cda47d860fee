//! MEXC push frames: the core's own decoder, and its inverse.

mod decode;
mod encode;
mod shapes;

use std::cell::RefCell;

use flashpod_mexc::depth::DepthReader;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use prost::Message;

use crate::arrays::Bytes;
use crate::failure::guard;
pub use shapes::{
    BalancePush, BookTicker, Deal, Depth, FillPush, Kline, Levels, LimitDepth, OrderPush, PushFrame,
};

thread_local! {
    /// Reads nearly every frame in place. Node has a thread for each worker.
    static READER: RefCell<DepthReader> = const { RefCell::new(DepthReader::new()) };
}

#[napi]
pub fn decode_push(#[napi(ts_arg_type = "Uint8Array")] bytes: Bytes<'_>) -> napi::Result<PushFrame> {
    let told = || {
        READER.with_borrow_mut(|reader| match reader.read(&bytes) {
            Some(push) => decode::push(&push),
            None => decode::frame(flashpod_mexc::decode::decode(&bytes)?),
        })
    };
    Ok(guard(told)?)
}

#[napi]
pub fn encode_push(frame: PushFrame) -> napi::Result<Buffer> {
    Ok(guard(|| Ok(encode::frame(frame)?.encode_to_vec()))?.into())
}
