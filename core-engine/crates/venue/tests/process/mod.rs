//! The venue as a process; killed when dropped.
#![allow(dead_code, unreachable_pub)] // each test file uses its part

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub struct Venue {
    pub child: Child,
    /// Host and port.
    pub address: String,
    /// The first line on stdout.
    pub line: Value,
}

impl Venue {
    pub fn start(args: &[&str], files: &[PathBuf]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flashpod-venue"));
        command.args(args).stdout(Stdio::piped());
        if !files.is_empty() {
            command.arg("--replay").args(files);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).expect("the first line on stdout is JSON");
        let address = line["rest"].as_str().unwrap().split_once("://").unwrap().1.to_owned();
        Self { child, address, line }
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
