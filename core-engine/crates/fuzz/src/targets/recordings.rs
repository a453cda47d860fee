//! Recorded markets, as lines and as files.

use std::fs;

use flashpod_recordings::{Recording, identify, parse_line};

use super::{Target, told};

pub(super) const FILES: Target = Target {
    name: "recordings",
    what: "files of recorded markets, line by line and as a whole",
    run: files,
    seeds: || {
        [
            "1723161253937085768 {\"lastUpdateId\":7,\"bids\":[[\"1\",\"2\"]],\"asks\":[[\"3\",\"4\"]],\"s\":\"BTCUSDT\"}\n",
            "1723161253937 {\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1723161253937,\"s\":\"BTCUSDT\",\"U\":8,\"u\":9,\"b\":[[\"1\",\"0\"]],\"a\":[]}}\n",
            "1723161253937085 {\"e\":\"trade\",\"E\":1,\"s\":\"BTCUSDT\",\"t\":5,\"p\":\"1.5\",\"q\":\"2\",\"T\":1,\"m\":true}\n",
            "1723161253937085768 {\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":9,\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"2\",\"a\":\"3\",\"A\":\"4\"}}\n",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"1723161253937085768 ",
        b"\"data\":{",
        b"\"b\":[[\"1\",\"2\"]]",
        b"\"U\":",
        b"\"pu\":",
        b"\"lastUpdateId\":",
        b"\n",
        b"\x1f\x8b\x08\0",
    ],
};

fn files(bytes: &[u8]) -> String {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = parse_line(first);
    let file = tempfile::Builder::new().suffix(".txt").tempfile().expect("a temporary file");
    fs::write(file.path(), bytes).expect("room");
    let known = identify(file.path());
    let whole = Recording::open(&[file.path().to_owned()]).and_then(|mut frames| {
        // An error ends it; there is no more than one frame a line.
        let most = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        let mut count = 0;
        for frame in frames.by_ref() {
            frame?;
            count += 1;
            assert!(count <= most, "{count} frames of {most} lines");
        }
        Ok(())
    });
    // The file's name is another one each time.
    let plain = |text: String| text.replace(&*file.path().to_string_lossy(), "FILE");
    [told(&line), plain(told(&known)), plain(told(&whole))].concat()
}
