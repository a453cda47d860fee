//! `flashpod-core replay`: what a journal holds, and whether it reproduces itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use flashpod_engine::io::{AgentInput, FeedEvent, HttpOutcome, RequestClass, SessionMessage};
use flashpod_engine::record::Record;
use flashpod_engine::{Input, replay};
use flashpod_journal::Reader;

#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// The journal of one account, e.g. STATE_DIR/main/journal
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,
    /// Feed every input to a new engine and compare every decision and request
    #[arg(long)]
    verify: bool,
}

/// The exit code of the process: 1 when the replay differs.
pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<i32> {
    if !args.journal.is_dir() {
        bail!("--journal: {:?} is not a directory; the journal of one account is expected", args.journal);
    }
    count(args)?;
    if !args.verify {
        return Ok(0);
    }
    match replay::verify(Reader::open(&args.journal)?) {
        Ok(verified) => {
            println!(
                "verified: runs {} inputs {} actions {} requests {} cut off {} states {}",
                verified.runs,
                verified.inputs,
                verified.actions,
                verified.requests,
                verified.cut_off,
                verified.states
            );
            if verified.pruned_inputs > 0 {
                println!(
                    "not verified: {} inputs before the next start follow a pruned beginning; what they led to was \
                     not decided again, only folded from the first checkpoint and held against later ones",
                    verified.pruned_inputs
                );
            }
            Ok(0)
        }
        Err(difference) => {
            println!("difference: {difference}");
            Ok(1)
        }
    }
}

fn count(args: &ReplayArgs) -> anyhow::Result<()> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (index, bytes) in Reader::open(&args.journal)?.enumerate() {
        let record = Record::decode(&bytes?).with_context(|| format!("journal record {index}"))?;
        let mut add = |name, count| *counts.entry(name).or_default() += count;
        match record {
            Record::Input { input, .. } => {
                add("inputs", 1);
                add(kind(&input), 1);
            }
            Record::Outcome { facts, requests, .. } => {
                add("outcomes", 1);
                add("facts", facts.len() as u64);
                for request in requests {
                    let cancels = request.class == RequestClass::Cancel;
                    add(if cancels { "cancel requests" } else { "order requests" }, 1);
                }
            }
            Record::Checkpoint { .. } => add("checkpoints", 1),
        }
    }
    for (name, count) in counts {
        println!("{name}: {count}");
    }
    Ok(())
}

const fn kind(input: &Input) -> &'static str {
    match input {
        Input::Start(_) => "input start",
        Input::Feed { event: FeedEvent::Binary(_), .. } => "input push",
        Input::Feed { event: FeedEvent::Text(_), .. } => "input feed text",
        Input::Feed { event: FeedEvent::Up | FeedEvent::Down { .. }, .. } => "input feed up or down",
        Input::Http { outcome: HttpOutcome::Reply { .. }, .. } => "input reply",
        Input::Http { .. } => "input no reply",
        Input::Session { message: SessionMessage::WantedQuotes(_), .. } => "input wanted quotes",
        Input::Session { message: SessionMessage::Intent(_), .. } => "input intent",
        Input::Session { .. } => "input session",
        Input::Agent(AgentInput::Desired(_)) => "input desired",
        Input::Agent(_) => "input lease",
        Input::Timer => "input timer",
        Input::Stop => "input stop",
    }
}
