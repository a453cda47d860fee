//! The binary as a process: what it prints, writes and answers.

use std::process::{Command, Output};

fn bench(args: &[&str], shared: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flashpod-bench"))
        .args(args)
        .env("FLASHPOD_SHARED", shared)
        .output()
        .expect("flashpod-bench starts")
}

#[test]
fn one_section_is_printed_and_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("figures.json");
    let run = bench(&["--only", "order-request", "--json", file.to_str().unwrap()], "/nowhere");
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{text}");
    for word in ["input", "median", "p90", "p99", "max", "allocations", "result hash"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let figure = &json["figures"][1];
    assert_eq!(figure["section"], "order-request");
    assert_eq!(figure["n"], 200_000);
    assert_eq!(figure["allocationsPerOp"].as_f64(), Some(0.0), "building and signing allocates nothing");
    assert!(figure["medianNs"].as_f64().unwrap() > 0.0);
}

/// Without recordings the market is made up, always the same one.
#[test]
fn without_its_recording_a_section_runs_on_a_synthetic_market_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut hashes = Vec::new();
    for (section, figure) in [
        ("replay", "replay.eventsPerSecond"),
        ("tick-to-order", "tickToOrder.raw.usP50"),
        ("replay", "replay.framesPerSecond"),
    ] {
        let file = dir.path().join("figures.json");
        let run = bench(&["--only", section, "--seconds", "1", "--json", file.to_str().unwrap()], "/nowhere");
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success(), "{text}");
        for word in ["SYNTHETIC", "/nowhere/data/binance_spot_btc_eth_20240808", "FLASHPOD_SHARED"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert!(json[figure].as_f64().unwrap() > 0.0, "{figure}: {text}");
        hashes.push(json["figures"][0]["hash"].clone());
    }
    assert_eq!(hashes[0], hashes[2], "a replay leads to the same requests in every process");
}

#[test]
fn an_unknown_section_is_refused_with_the_known_ones() {
    let run = bench(&["--only", "nothing"], "/nowhere");
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!run.status.success() && text.contains("--only nothing") && text.contains("book-usdm"), "{text}");
}

/// The hashes over all levels of the final books were computed by an independent replay of the raw frames (Python,
/// dictionaries, `decimal`, `zlib.crc32`); its level counts are those of the data sets' expected states.
#[test]
fn the_book_sections_end_in_the_known_book() {
    let shared = std::env::var("FLASHPOD_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared").to_owned());
    let dir = tempfile::tempdir().unwrap();
    for (section, hash) in
        [("book-spot", "fd86797e"), ("book-usdm", "2a91366e"), ("mexc-depth-frame", "fcbcb6be")]
    {
        let file = dir.path().join(section);
        let run = bench(&["--only", section, "--json", file.to_str().unwrap()], &shared);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(json["figures"][0]["hash"], hash, "{section}");
    }
}
