//! `flashpod-venue`: see the README for its options.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use flashpod_mexc::push::PushDataV3ApiWrapper;
use flashpod_venue::cli::{Cli, Command};
use flashpod_venue::clock::Clock;
use flashpod_venue::{rest, server, settings::Settings};
use prost::Message;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flashpod-venue: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .init();
    let cli = Cli::parse();
    match &cli.command {
        Some(Command::Decode { hex: text }) => {
            let frame = PushDataV3ApiWrapper::decode(hex::decode(text)?.as_slice())?;
            println!("{}", server::frame_as_json(&frame));
            return Ok(());
        }
        Some(Command::Tables) => {
            println!("{}\n{}", Settings::table(), rest::table());
            return Ok(());
        }
        Some(Command::Truth(options)) => {
            print!("{}", options.run()?);
            return Ok(());
        }
        None => {}
    }
    // One thread: the exchange is one state machine and shares the machine with everything else.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock = Clock::start();
        let exchange = cli.exchange(clock.now())?;
        let (server, line) = server::bind(&cli, clock, exchange).await?;
        // Before the line: who has read it may stop us at once.
        let stop = server::stop_signal()?;
        let mut out = std::io::stdout();
        writeln!(out, "{line}")?;
        out.flush()?;
        server.run_until(stop).await
    })
}
