//! `flashpod-bench`: times, allocations and result hashes of the hot paths.

mod counts;
mod export;
mod market;
mod meter;
mod node;
mod probe;
mod report;
mod sections;
mod stage;
mod tape;
mod world;

use std::alloc::System;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use report::Report;

/// Counts what each benchmark allocates.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Once {
    Short,
    Long,
}

#[derive(Debug, Parser)]
#[command(name = "flashpod-bench", version, about = "Figures of Flashpod's hot paths")]
struct Cli {
    /// Write the figures to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Run only the section of this name
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Measure nothing: write the recorded markets to this folder, for other programs
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["json", "only"])]
    export: Option<PathBuf>,
    /// Measure nothing: count the allocations of the hot paths, or of the one that `--only` names
    #[arg(long, conflicts_with_all = ["json", "export"])]
    counts: bool,
    /// Measure nothing: run the hot path that `--only` names once, for a program that counts instructions
    #[arg(long, value_name = "short|long", requires = "only", conflicts_with_all = ["json", "export", "counts"])]
    once: Option<Once>,
    /// Length of each open-loop run, in seconds
    #[arg(long, value_name = "N", default_value = "45", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("flashpod-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every chosen section ran.
fn run(cli: &Cli) -> anyhow::Result<bool> {
    if let Some(folder) = &cli.export {
        export::write(folder).with_context(|| format!("--export {}", folder.display()))?;
        return Ok(true);
    }
    if cli.counts {
        counts::allocations(cli.only.as_deref())?;
        return Ok(true);
    }
    if let (Some(once), Some(name)) = (cli.once, &cli.only) {
        counts::once(name, once == Once::Long)?;
        return Ok(true);
    }
    let chosen: Vec<_> = sections::ALL
        .iter()
        .filter(|section| cli.only.as_deref().is_none_or(|name| name == section.name))
        .collect();
    if let (Some(name), true) = (&cli.only, chosen.is_empty()) {
        let names: Vec<_> = sections::ALL.iter().map(|section| section.name).collect();
        bail!("--only {name}: there is no such section; accepted: {}", names.join(", "));
    }
    let options = sections::Options { seconds: cli.seconds };
    let mut report = Report::new();
    println!("{}", report.machine_line());
    for section in chosen {
        println!("\n{}: {}", section.name, section.about);
        match (section.run)(&options) {
            Ok(figures) => figures.into_iter().for_each(|figure| report.add(section.name, figure)),
            Err(error) => report.not_run(section.name, format!("{error:#}")),
        }
    }
    if let Some(path) = &cli.json {
        std::fs::write(path, report.json()?)
            .with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    Ok(report.is_complete())
}
