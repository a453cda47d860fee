//! `flashpod-core`: the execution core. A library, so that the same program is built with and without failpoints.

mod books;
mod config;
mod credentials;
mod paper;
mod replay;
mod run;
mod timing;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "flashpod-core", version, about = "The execution core of Flashpod")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rebuild the order book of a recording and write its states as CSV
    Books(books::BooksArgs),
    /// Show what a journal holds and whether it reproduces itself
    Replay(replay::ReplayArgs),
    /// Trade: connect to the venues, serve sidecars and the agent
    Run(run::RunArgs),
}

/// Whether a configuration file with this text would be accepted; else field, value and what is.
pub fn check_config(text: &[u8]) -> Result<(), String> {
    config::check(Path::new("config"), text).map(drop).map_err(|error| error.to_string())
}

/// The whole program: reads the arguments, ends with the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Books(args) => books::run(&args).map(|()| 0),
        Command::Replay(args) => replay::run(&args),
        Command::Run(args) => run::run(&args),
    };
    match outcome {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            eprintln!("flashpod-core: {error:#}");
            ExitCode::FAILURE
        }
    }
}
