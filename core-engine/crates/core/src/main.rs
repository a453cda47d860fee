//! `flashpod-core`: the execution core.

mod books;

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
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Books(args) => books::run(&args),
    }
}
