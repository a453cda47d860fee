//! A book as a client keeps it: a REST snapshot, then pushes by the rule of the API reference §10.
#![allow(dead_code, unreachable_pub)] // each test file uses its part

use std::collections::BTreeMap;

use flashpod_mexc::push::{Level, PushDataV3ApiWrapper, push_data_v3_api_wrapper::Body};
use flashpod_types::{Price, Qty};
use serde_json::Value;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Book {
    pub bids: BTreeMap<Price, Qty>,
    pub asks: BTreeMap<Price, Qty>,
    pub version: u64,
}

/// First and last version that a depth push covers.
pub fn versions(frame: &PushDataV3ApiWrapper) -> (u64, u64) {
    let Some(Body::PublicAggreDepths(body)) = &frame.body else { panic!("{frame:?}") };
    (body.from_version.parse().unwrap(), body.to_version.parse().unwrap())
}

fn apply_side(kept: &mut BTreeMap<Price, Qty>, levels: &[Level]) {
    for level in levels {
        let (price, qty) = (level.price.parse().unwrap(), level.quantity.parse::<Qty>().unwrap());
        if qty.is_zero() {
            kept.remove(&price);
        } else {
            kept.insert(price, qty);
        }
    }
}

impl Book {
    pub fn from_rest(book: &Value) -> Self {
        let side = |name: &str| {
            let levels = book[name].as_array().unwrap().iter();
            levels
                .map(|l| (l[0].as_str().unwrap().parse().unwrap(), l[1].as_str().unwrap().parse().unwrap()))
                .collect()
        };
        Self { bids: side("bids"), asks: side("asks"), version: book["lastUpdateId"].as_u64().unwrap() }
    }

    /// Applies a push that follows or straddles; false when it is stale. A hole is a failure.
    pub fn apply(&mut self, frame: &PushDataV3ApiWrapper) -> bool {
        let (from, to) = versions(frame);
        if to <= self.version {
            return false;
        }
        assert!(from <= self.version + 1, "a hole: at {} came {from}..{to}", self.version);
        let Some(Body::PublicAggreDepths(body)) = &frame.body else { unreachable!("versions() read it") };
        apply_side(&mut self.bids, &body.bids);
        apply_side(&mut self.asks, &body.asks);
        self.version = to;
        true
    }
}
