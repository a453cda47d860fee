//! `flashpod-core`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    flashpod_core::main()
}
