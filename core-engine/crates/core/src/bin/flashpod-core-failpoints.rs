//! `flashpod-core` that a test can hold on an order's way: built with `--features failpoints`, never shipped.

use std::process::ExitCode;

fn main() -> ExitCode {
    flashpod_core::main()
}
