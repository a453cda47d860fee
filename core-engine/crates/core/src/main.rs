//! `flashpod-core`: the execution core.

mod books;
mod config;
mod credentials;
mod replay;
mod run;

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

fn main() -> ExitCode {
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
