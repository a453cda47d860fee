//! Whole files: order, continuation, defects.

use std::io::Write;
use std::path::{Path, PathBuf};

use flashpod_recordings::{Event, Frame, Recording, RecordingError, identify};
use flate2::{Compression, write::GzEncoder};

const T0: u64 = 1_723_161_253_000_000_000;

fn depth(t: u64, symbol: &str, first: u64, last: u64) -> String {
    format!(
        r#"{} {{"stream":"x@depth","data":{{"e":"depthUpdate","E":1,"s":"{symbol}","U":{first},"u":{last},"b":[["1.5","2"]],"a":[]}}}}"#,
        T0 + t
    )
}

fn futures_depth(t: u64, symbol: &str) -> String {
    depth(t, symbol, 5, 6).replace(r#""u":6"#, r#""u":6,"pu":4"#)
}

fn snapshot(t: u64, id: u64) -> String {
    format!(r#"{} {{"lastUpdateId":{id},"bids":[["1.0","1"]],"asks":[["2.0","1"]]}}"#, T0 + t)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn frames(paths: &[PathBuf]) -> Vec<Frame> {
    Recording::open(paths).unwrap().map(Result::unwrap).collect()
}

fn failure(paths: &[PathBuf]) -> String {
    match Recording::open(paths) {
        Err(error) => error.to_string(),
        Ok(recording) => recording.filter_map(Result::err).map(|error| error.to_string()).collect(),
    }
}

#[test]
fn frames_of_several_files_come_in_time_order_and_ties_in_the_order_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let a = write(dir.path(), "a.gz", &gzip(&[depth(1, "A", 1, 1), depth(5, "A", 2, 2)].join("\n")));
    let b = write(
        dir.path(),
        "b.txt",
        [depth(1, "B", 1, 1), depth(3, "B", 2, 2), String::new()].join("\n").as_bytes(),
    );
    let later = write(dir.path(), "a2.gz", &gzip(&depth(9, "A", 3, 3)));
    let order: Vec<(u64, String)> =
        frames(&[later, a, b]).iter().map(|f| (f.local.0 - T0, f.symbol.to_string())).collect();
    let expected = [(1, "A"), (1, "B"), (3, "B"), (5, "A"), (9, "A")];
    assert_eq!(order, expected.map(|(t, s)| (t, s.to_owned())));
}

#[test]
fn a_snapshot_without_a_symbol_has_that_of_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let first = write(dir.path(), "first.gz", &gzip(&[snapshot(1, 10), depth(2, "A", 11, 11)].join("\n")));
    let inside = write(dir.path(), "inside.gz", &gzip(&[depth(3, "B", 5, 5), snapshot(4, 4)].join("\n")));
    assert_eq!(identify(&first).unwrap().symbol.as_str(), "A");
    let frames = frames(&[first, inside]);
    let snapshots: Vec<String> = frames
        .iter()
        .filter(|frame| matches!(frame.event, Event::Snapshot(_)))
        .map(|frame| frame.symbol.to_string())
        .collect();
    assert_eq!(snapshots, ["A", "B"]);
}

#[test]
fn a_snapshot_without_a_symbol_in_a_file_of_two_symbols_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let text = [snapshot(1, 10), depth(2, "A", 11, 11), depth(3, "B", 11, 11)].join("\n");
    let path = write(dir.path(), "two.txt", text.as_bytes());
    let error = failure(&[path]);
    assert!(error.contains("two.txt, line 3") && error.contains("is of B"), "{error}");
}

#[test]
fn spot_and_futures_of_one_symbol_are_not_merged() {
    let dir = tempfile::tempdir().unwrap();
    let spot = write(dir.path(), "spot.txt", depth(1, "A", 1, 1).as_bytes());
    let futures = write(dir.path(), "futures.txt", futures_depth(2, "A").as_bytes());
    let error = failure(&[spot, futures]);
    assert!(
        error.contains("futures.txt") && error.contains("spot.txt") && error.contains("one market"),
        "{error}"
    );
}

#[test]
fn defects_name_file_line_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let good = [depth(1, "A", 1, 1), depth(2, "A", 2, 2)].join("\n");
    let whole = gzip(&(good.clone() + "\n"));
    let long: String = (0..5_000).map(|n| depth(n, "A", n + 1, n + 1) + "\n").collect();
    let long = gzip(&long);
    for (name, bytes, parts) in [
        ("empty.txt", Vec::new(), ["holds no frame", ""]),
        ("empty.gz", gzip(""), ["holds no frame", ""]),
        ("csv.txt", b"time,price\n1,2\n".to_vec(), ["line 1", "is no frame"]),
        ("cut.txt", good.as_bytes()[..good.len() - 9].to_vec(), ["line 2", "cannot be read"]),
        ("cut.gz", long[..long.len() / 2].to_vec(), ["truncated", "line "]),
        ("noend.gz", whole[..whole.len() - 4].to_vec(), ["truncated", "line 3"]),
        ("snap.txt", snapshot(1, 1).into_bytes(), ["names no symbol", ""]),
    ] {
        let path = write(dir.path(), name, &bytes);
        let error = failure(&[path]);
        assert!(error.contains(name), "{name}: {error}");
        for part in parts {
            assert!(error.contains(part), "{name}: {error}");
        }
    }
    let missing = failure(&[dir.path().join("missing.gz")]);
    assert!(missing.contains("missing.gz: cannot be opened: No such file"), "{missing}");
    assert!(matches!(Recording::open(&[]), Err(RecordingError::NoFiles)));
}

#[test]
fn unused_kinds_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let other = format!(r#"{} {{"stream":"a@markPrice","data":{{"e":"markPriceUpdate","s":"A"}}}}"#, T0);
    let path = write(dir.path(), "a.txt", [other, depth(1, "A", 1, 1)].join("\n").as_bytes());
    let mut recording = Recording::open(&[path]).unwrap();
    assert_eq!(recording.by_ref().count(), 1);
    assert_eq!(recording.unused().get("markPriceUpdate"), Some(&1));
}

#[test]
fn best_prices_that_nobody_wants_are_counted_and_change_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let ticker = |t: u64, kind: &str| {
        let prices = r#""u":7,"s":"A","b":"1.0","B":"3","a":"2.0","A":"4""#;
        format!(r#"{} {{"stream":"a@bookTicker","data":{{{kind}{prices}}}}}"#, T0 + t)
    };
    let (named, unnamed) = (ticker(0, r#""e":"bookTicker","#), ticker(2, ""));
    let lines = [named, depth(1, "A", 1, 1), unnamed, depth(3, "A", 2, 2)];
    let path = write(dir.path(), "a.gz", &gzip(&lines.join("\n")));
    let all = frames(std::slice::from_ref(&path));
    let mut without = Recording::open_without_tickers(&[path]).unwrap();
    let rest: Vec<Frame> = without.by_ref().map(Result::unwrap).collect();
    assert_eq!((all.len(), rest.len(), without.passed_tickers()), (4, 2, 2));
    let wanted: Vec<Frame> = all.into_iter().filter(|f| !matches!(f.event, Event::Ticker(_))).collect();
    assert_eq!(rest, wanted);
}
