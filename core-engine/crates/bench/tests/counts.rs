//! The gate on allocations: what every hot path may allocate is written down.

use std::process::Command;

use serde_json::Value;

#[test]
fn the_hot_paths_allocate_no_more_than_is_written_down() {
    let run = Command::new(env!("CARGO_BIN_EXE_flashpod-bench")).arg("--counts").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let written: Value = serde_json::from_str(include_str!("../counts.json")).unwrap();
    let told = String::from_utf8(run.stdout).unwrap();
    let counted: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let paths = written["paths"].as_array().unwrap();
    assert_eq!(counted.len(), paths.len());
    for (counted, path) in counted.iter().zip(paths) {
        assert_eq!(counted["path"], path["path"]);
        let [counted, written] = [counted, path].map(|path| path["allocations"].as_u64().unwrap());
        // Maps grow at other moments in other builds; none stays none.
        assert!(counted <= written + written / 50, "{path}: counted {counted}");
    }
}
