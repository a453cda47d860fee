//! `flashpod-core books` as a process: every row of the recordings' expected states, and its refusals.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The recordings: `FLASHPOD_SHARED`, or `../shared` beside the repository.
fn data(dir: &str, file: &str) -> PathBuf {
    let shared = std::env::var_os("FLASHPOD_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"), PathBuf::from);
    let path = shared.join("data").join(dir).join(file);
    assert!(
        path.exists(),
        "recording {} is missing: put the shared folder beside the repository or name it in FLASHPOD_SHARED",
        path.display()
    );
    path
}

fn books(input: &[PathBuf], symbol: &str, every: u64, out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flashpod-core"))
        .arg("books")
        .arg("--input")
        .args(input)
        .args(["--symbol", symbol, "--every", &every.to_string()])
        .arg("--out")
        .arg(out)
        .output()
        .expect("flashpod-core starts")
}

fn assert_equals_expected(input: &[PathBuf], symbol: &str, every: u64, expected: &Path, rows: usize) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("states.csv");
    let run = books(input, symbol, every, &out);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let told = std::fs::read_to_string(&out).unwrap();
    let mut wanted = String::new();
    zstd::Decoder::new(std::fs::File::open(expected).unwrap()).unwrap().read_to_string(&mut wanted).unwrap();
    for (number, (told, wanted)) in told.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(told, wanted, "line {}", number + 1);
    }
    assert_eq!(told.lines().count(), wanted.lines().count());
    assert_eq!(told.lines().count(), rows + 1, "rows and the header");
}

#[test]
fn spot_states_are_the_expected_ones_over_two_files() {
    let dir = "binance_spot_btc_eth_20240808";
    let input = [data(dir, "btcusdt_20240808.gz"), data(dir, "btcusdt_20240809.gz")];
    assert_equals_expected(&input, "BTCUSDT", 1, &data(dir, "expected_book_btcusdt.csv.zst"), 6_493);
}

#[test]
fn other_symbols_in_the_recording_change_nothing() {
    let dir = "binance_spot_btc_eth_20240808";
    let files = ["ethusdt_20240809.gz", "btcusdt_20240809.gz", "ethusdt_20240808.gz", "btcusdt_20240808.gz"];
    let input = files.map(|file| data(dir, file));
    assert_equals_expected(&input, "BTCUSDT", 1, &data(dir, "expected_book_btcusdt.csv.zst"), 6_493);
}

#[test]
fn futures_states_are_the_expected_ones() {
    let dir = "binance_usdm_btc_eth_20240808";
    let input = [data(dir, "btcusdt_20240808.gz")];
    assert_equals_expected(&input, "BTCUSDT", 1, &data(dir, "expected_book_btcusdt.csv.zst"), 6_547);
}

#[test]
fn every_tenth_state_of_a_day_is_the_expected_one() {
    let dir = "binance_spot_nexo_20240723";
    let input = [data(dir, "nexousdt_20240723.dat.gz"), data(dir, "nexousdt_20240724.dat.gz")];
    assert_equals_expected(
        &input,
        "NEXOUSDT",
        10,
        &data(dir, "expected_book_nexousdt_every10.csv.zst"),
        6_818,
    );
}

/// Also the recordings without expected states are rebuilt from end to end without gap or cross.
#[test]
fn all_other_recordings_rebuild_without_a_gap() {
    let spot = "binance_spot_btc_eth_20240808";
    let coinm = "binance_coinm_btc_eth_20240808";
    for (input, symbol) in [
        (vec![data(spot, "ethusdt_20240808.gz"), data(spot, "ethusdt_20240809.gz")], "ETHUSDT"),
        (vec![data("binance_usdm_btc_eth_20240808", "ethusdt_20240808.gz")], "ETHUSDT"),
        (vec![data(coinm, "btcusd_perp_20240808.gz"), data(coinm, "btcusd_perp_20240809.gz")], "BTCUSD_PERP"),
        (vec![data(coinm, "ethusd_perp_20240808.gz"), data(coinm, "ethusd_perp_20240809.gz")], "ETHUSD_PERP"),
    ] {
        let run = books(&input, symbol, 1, Path::new("/dev/null"));
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(
            run.status.success() && told.contains(" 0 gaps, 0 duplicates, 0 overlaps"),
            "{symbol}: {told}"
        );
    }
}

fn refusal(input: &[PathBuf], symbol: &str, every: u64) -> String {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("states.csv");
    let run = books(input, symbol, every, &out);
    assert!(!run.status.success());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a failed run leaves no file");
    String::from_utf8_lossy(&run.stderr).into_owned()
}

const T0: u64 = 1_723_161_253_000_000_000;

fn depth(t: u64, first: u64, last: u64, bid: &str) -> String {
    format!(
        r#"{} {{"e":"depthUpdate","E":{t},"s":"AB","U":{first},"u":{last},"b":[["{bid}","1"]],"a":[]}}"#,
        T0 + t
    )
}

fn snapshot(t: u64, id: u64) -> String {
    format!(r#"{} {{"lastUpdateId":{id},"bids":[["1.0","1"]],"asks":[["2.0","1"]]}}"#, T0 + t)
}

fn recording(dir: &Path, name: &str, lines: &[String]) -> PathBuf {
    let path = dir.join(name);
    let mut gz =
        flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    gz.write_all(lines.join("\n").as_bytes()).unwrap();
    gz.finish().unwrap();
    path
}

#[test]
fn wrong_input_is_refused_with_file_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let good = recording(dir.path(), "good.gz", &[snapshot(1, 10), depth(2, 11, 11, "1.1")]);
    let missing = refusal(&[dir.path().join("nothing.gz")], "AB", 1);
    assert!(missing.contains("nothing.gz: cannot be opened"), "{missing}");
    let unknown = refusal(std::slice::from_ref(&good), "XY", 1);
    assert!(unknown.contains("symbol XY is not in the recording, which holds AB"), "{unknown}");
    let before = std::fs::read(&good).unwrap();
    let same = books(std::slice::from_ref(&good), "AB", 1, &good);
    let same_text = String::from_utf8_lossy(&same.stderr).into_owned();
    assert!(!same.status.success() && same_text.contains("is one of the input files"), "{same_text}");
    assert_eq!(std::fs::read(&good).unwrap(), before);
    let none = refusal(std::slice::from_ref(&good), "AB", 0);
    assert!(none.contains("--every") && none.contains("at least 1"), "{none}");
    let cut = dir.path().join("cut.gz");
    let bytes = std::fs::read(&good).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() - 6]).unwrap();
    let truncated = refusal(&[cut], "AB", 1);
    assert!(truncated.contains("cut.gz, line 2") && truncated.contains("truncated"), "{truncated}");
    let foreign = dir.path().join("foreign.csv");
    std::fs::write(&foreign, "time,price\n1,2\n").unwrap();
    let foreign = refusal(&[foreign], "AB", 1);
    assert!(foreign.contains("foreign.csv, line 1") && foreign.contains("no frame"), "{foreign}");
}

#[test]
fn a_recording_that_cannot_be_rebuilt_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let alone = recording(dir.path(), "alone.gz", &[depth(1, 11, 11, "1.1"), depth(2, 12, 12, "1.2")]);
    let alone = refusal(&[alone], "AB", 1);
    assert!(alone.contains("no snapshot of AB that its 2 updates continue"), "{alone}");
    let old = recording(dir.path(), "old.gz", &[depth(1, 11, 11, "1.1"), snapshot(2, 9)]);
    let old = refusal(&[old], "AB", 1);
    assert!(old.contains("snapshot 9 is too old, at least version 10 is needed"), "{old}");
    let lines = [snapshot(1, 10), depth(2, 11, 11, "1.1"), depth(3, 13, 13, "1.2")];
    let hole = refusal(&[recording(dir.path(), "hole.gz", &lines)], "AB", 1);
    assert!(hole.contains("after row 1") && hole.contains("expected: 12, got: 13"), "{hole}");
}

#[test]
fn a_later_snapshot_closes_a_hole_and_waiting_updates_get_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        snapshot(1, 10),
        depth(2, 11, 11, "1.1"),
        depth(3, 13, 13, "1.25"),
        depth(4, 14, 14, "1.3"),
        snapshot(5, 13),
        depth(6, 15, 15, "1.4"),
    ];
    let out = dir.path().join("states.csv");
    let run = books(&[recording(dir.path(), "a.gz", &lines)], "AB", 1, &out);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let rows: Vec<String> =
        std::fs::read_to_string(&out).unwrap().lines().skip(1).map(str::to_owned).collect();
    assert_eq!(
        rows,
        [
            format!("{},2,11,2,1,1.1,1,1.0,1,,,,,,,2.0,1,,,,,,,,", T0 + 2),
            format!("{},4,14,2,1,1.30,1,1.00,1,,,,,,,2.00,1,,,,,,,,", T0 + 5),
            format!("{},6,15,3,1,1.40,1,1.30,1,1.00,1,,,,,2.00,1,,,,,,,,", T0 + 6),
        ]
    );
}
