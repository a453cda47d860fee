//! Frames and bodies that are not what they should be.

use bytes::Bytes;
use flashpod_mexc::push::push_data_v3_api_wrapper::Body;
use flashpod_mexc::push::{Level, PublicAggreDepths, PushDataV3ApiWrapper};
use prost::Message;
use rand::{Rng, RngExt};

use super::Shape;

/// A frame that no decoder takes for what it was.
pub(super) fn frame(shape: Shape, bytes: &Bytes, dice: &mut impl Rng) -> Bytes {
    match shape {
        Shape::Garbage => {
            let mut garbage = vec![0; bytes.len().max(1)];
            dice.fill_bytes(&mut garbage);
            // No field has this number and wire type: it can't happen to be a message.
            garbage[0] = 0xff;
            garbage.into()
        }
        // A cut between two fields would leave a smaller, sound message.
        Shape::Truncated => (1..bytes.len())
            .rev()
            .skip(bytes.len() / 2)
            .map(|length| bytes.slice(..length))
            .find(|cut| PushDataV3ApiWrapper::decode(cut.clone()).is_err())
            .unwrap_or_else(|| Bytes::from_static(&[0x0a, 0x7f])),
        Shape::Other => match PushDataV3ApiWrapper::decode(bytes.clone()) {
            Ok(mut frame) => {
                frame.channel = "spot@public.increase.depth.v3.api.pb@OTHERUSDC".to_owned();
                frame.symbol = Some("OTHERUSDC".to_owned());
                frame.encode_to_vec().into()
            }
            Err(_) => bytes.clone(),
        },
    }
}

/// The depth frame with what `change` makes of its body; any other frame as it is.
fn changed(bytes: &Bytes, change: impl FnOnce(&mut PublicAggreDepths)) -> Bytes {
    let Ok(mut frame) = PushDataV3ApiWrapper::decode(bytes.clone()) else { return bytes.clone() };
    if let Some(Body::PublicAggreDepths(depth)) = &mut frame.body {
        change(depth);
    }
    frame.encode_to_vec().into()
}

/// A depth frame whose versions are `by` too high.
pub(super) fn jump(bytes: &Bytes, by: u64) -> Bytes {
    changed(bytes, |depth| {
        for version in [&mut depth.from_version, &mut depth.to_version] {
            if let Ok(number) = version.parse::<u64>() {
                *version = number.saturating_add(by).to_string();
            }
        }
    })
}

/// A depth frame with a bid above every ask: a one before some price of the frame is more than the price.
pub(super) fn cross(bytes: &Bytes) -> Bytes {
    changed(bytes, |depth| {
        let some = depth.asks.iter().chain(&depth.bids).map(|level| level.price.clone()).next();
        if let Some(price) = some {
            let (price, quantity) = (format!("1{price}"), "1".to_owned());
            depth.bids.push(Level { price, quantity });
        }
    })
}

/// A body that is not the endpoint's.
pub(super) fn body(shape: Shape, text: &str, dice: &mut impl Rng) -> String {
    match shape {
        Shape::Garbage => (0..64).map(|_| char::from(dice.random_range(b'!'..=b'~'))).collect(),
        Shape::Truncated => {
            let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at));
            text[..middle.unwrap_or(0)].to_owned()
        }
        // What the venue says to `GET /ping`.
        Shape::Other => "{}".to_owned(),
    }
}
