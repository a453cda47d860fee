//! Frames with known content, for every test of a decoder.
#![allow(dead_code, unreachable_pub)] // Each test binary uses its part.

use std::path::{Path, PathBuf};

use flashpod_mexc::push;

/// Golden frame V1 of the project's wire format page, encoded by hand.
pub const V1: &str = "0a2e73706f74407075626c69632e61676772652e64657074682e76332e6170692e70624031306d7340425443555344431a074254435553444330fb80b3c19c33ca135d0a110a093130303030302e30311204302e3235120d0a0839393939392e39391201301a2673706f74407075626c69632e61676772652e64657074682e76332e6170692e70624031306d732204313030312a043130303330e480b3c19c33";

pub fn shared(file: &str) -> PathBuf {
    let shared = std::env::var_os("FLASHPOD_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"), PathBuf::from);
    let path = shared.join("data/mexc_ws_frames").join(file);
    assert!(
        path.exists(),
        "captured frames {} are missing: put the shared folder beside the repository or name it in FLASHPOD_SHARED",
        path.display()
    );
    path
}

pub fn lines(file: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(shared(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A depth push of which only the decoded form was captured.
pub fn depths(told: &serde_json::Value) -> push::PublicAggreDepths {
    let levels = |value: &serde_json::Value| {
        let rows = value.as_array().unwrap().iter();
        rows.map(|row| push::Level { price: text(&row["price"]), quantity: text(&row["quantity"]) }).collect()
    };
    push::PublicAggreDepths {
        asks: levels(&told["asks"]),
        bids: levels(&told["bids"]),
        event_type: text(&told["eventType"]),
        from_version: text(&told["fromVersion"]),
        to_version: text(&told["toVersion"]),
        last_order_create_time: 0,
    }
}
