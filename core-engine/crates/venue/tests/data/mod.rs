//! Recorded markets beside the checkout.
#![allow(dead_code, unreachable_pub)] // each test file uses its part

use std::path::PathBuf;

pub fn data(path: &str) -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared");
    let shared = std::env::var_os("FLASHPOD_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let file = shared.join("data").join(path);
    assert!(
        file.exists(),
        "this test replays {}, which is missing: set FLASHPOD_SHARED to the folder of recorded markets",
        file.display()
    );
    file
}
