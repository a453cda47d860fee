//! `flashpod-fuzz`: hunts for inputs that break a decoder.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use flashpod_fuzz::{Budget, TARGETS, Target, corpus, hunt};

#[derive(Debug, Parser)]
#[command(name = "flashpod-fuzz", about = "Hunts for inputs that break a decoder")]
struct Args {
    /// How long in all, seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// One target; else all, one after the other
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Repeats a hunt of the same build
    #[arg(long)]
    seed: Option<u64>,
    /// Adds what reached something new to the corpus, at most so many inputs a target
    #[arg(long, value_name = "N", default_value_t = 0)]
    keep: usize,
    /// Names the targets
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(broken) => ExitCode::from(u8::from(broken > 0)),
        Err(error) => {
            eprintln!("flashpod-fuzz: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// How many targets broke.
fn run(args: &Args) -> anyhow::Result<usize> {
    if args.list {
        TARGETS.iter().for_each(|target| println!("{:<12} {}", target.name, target.what));
        return Ok(0);
    }
    let chosen: Vec<&Target> = match &args.target {
        None => TARGETS.iter().collect(),
        Some(name) => {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            let found = TARGETS.iter().find(|target| target.name == name);
            vec![found.ok_or_else(|| anyhow::anyhow!("--target {name:?}: accepted: {names:?}"))?]
        }
    };
    let seed = args.seed.unwrap_or_else(|| flashpod_net::Clock.unix().0);
    println!("seed {seed}");
    // A panic is what is hunted for: it is told once, with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let time = Duration::from_secs(args.seconds) / u32::try_from(chosen.len()).unwrap_or(1);
    let mut broken = 0;
    for target in chosen {
        broken += usize::from(!holds(target, Budget { runs: u64::MAX, time, seed }, args.keep)?);
    }
    Ok(broken)
}

fn holds(target: &Target, budget: Budget, keep: usize) -> anyhow::Result<bool> {
    let mut seeds = (target.seeds)();
    seeds.extend(corpus::read(target.name)?.into_iter().map(|(_, input)| input));
    let given = seeds.len();
    let found = hunt(target, seeds, budget);
    let (reached, counters) = found.reached;
    println!(
        "{:<12} {:>10} inputs, {given} given, {} new, {reached} of {counters} branches",
        target.name,
        found.runs,
        found.kept.len().saturating_sub(given),
    );
    let mut new: Vec<_> = found.kept.into_iter().skip(given).collect();
    new.sort_by_key(Vec::len);
    for input in new.iter().take(keep) {
        corpus::add(target.name, "new", input)?;
    }
    let Some((input, how)) = found.broken else { return Ok(true) };
    let path = corpus::add(target.name, "broken", &input)?;
    println!("{:<12} BROKEN by {}: {how}", target.name, path.display());
    Ok(false)
}
