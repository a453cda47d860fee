//! The exchange's end: writes frames, waits for what comes of them. And both ends of the raw round trip.

use anyhow::ensure;
use flashpod_net::Clock;
use flashpod_types::Nanos;

use super::wire::{End, Wire};
use crate::market::MarketFrame;

/// What the core's end writes when it is through with a frame: no byte of a request.
pub(super) const DONE: u8 = 0;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Writes frame after frame until `most` has passed; nanoseconds from before a frame's write to the end of the first
/// request's head, of the frames that lead to one.
pub(super) fn run(
    mut end: End,
    frames: &[MarketFrame],
    warm_up: usize,
    pause: u64,
    most: Nanos,
) -> anyhow::Result<Vec<u64>> {
    let mut times = Vec::with_capacity(frames.len());
    let (mut message, mut seen) = (Vec::with_capacity(4_096), Vec::with_capacity(16_384));
    let mut buffer = [0_u8; 16_384];
    let last = Clock.mono() + most;
    for (number, frame) in frames.iter().enumerate() {
        if Clock.mono() > last {
            break;
        }
        websocket(&frame.bytes, &mut message);
        let begin = Clock.mono();
        end.market.write(&message)?;
        seen.clear();
        let mut first = None;
        while seen.last() != Some(&DONE) {
            let read = end.requests.read(&mut buffer)?;
            ensure!(!end.requests.closed, "the core's end has closed the connection");
            seen.extend_from_slice(&buffer[..read]);
            if read > 0 && first.is_none() && seen.windows(HEAD_END.len()).any(|window| window == HEAD_END) {
                first = Some(Clock.mono().0 - begin.0);
            }
        }
        if number >= warm_up {
            times.extend(first);
        }
        let next = Clock.mono().0 + pause;
        while Clock.mono().0 < next {
            std::hint::spin_loop();
        }
    }
    ensure!(!times.is_empty(), "no frame led to a request");
    Ok(times)
}

/// A binary message as a server writes it: not masked, one fragment.
fn websocket(payload: &[u8], message: &mut Vec<u8>) {
    message.clear();
    message.push(0x82);
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => message.push(payload.len() as u8),
        Ok(length) => {
            message.push(126);
            message.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            message.push(127);
            message.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    message.extend_from_slice(payload);
}

/// Bytes of a raw message: a frame's.
const FRAME_BYTES: usize = 490;

pub(super) fn ping(
    mut end: End,
    warm_up: usize,
    count: usize,
    back: usize,
    most: Nanos,
) -> anyhow::Result<Vec<u64>> {
    let mut times = Vec::with_capacity(count);
    let (message, mut buffer) = ([7_u8; FRAME_BYTES], vec![0_u8; back]);
    let last = Clock.mono() + most;
    for number in 0..warm_up + count {
        if Clock.mono() > last {
            break;
        }
        let begin = Clock.mono();
        end.market.write(&message)?;
        ensure!(fill(&mut end.requests, &mut buffer)?, "the other end has closed the connection");
        if number >= warm_up {
            times.push(Clock.mono().0 - begin.0);
        }
    }
    Ok(times)
}

/// Answers until the other end is through.
pub(super) fn echo(mut end: End, back: usize) -> anyhow::Result<()> {
    let (mut buffer, message) = ([0_u8; FRAME_BYTES], vec![9_u8; back]);
    while fill(&mut end.market, &mut buffer)? {
        end.requests.write(&message)?;
    }
    Ok(())
}

/// Whether it was filled before the other end closed the connection.
fn fill(wire: &mut Wire, buffer: &mut [u8]) -> anyhow::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() && !wire.closed {
        filled += wire.read(&mut buffer[filled..])?;
    }
    Ok(filled == buffer.len())
}
