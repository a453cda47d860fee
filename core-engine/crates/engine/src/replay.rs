//! Proof that a journal reproduces itself: every run is fed to a new engine, and every outcome is compared.
//!
//! A run whose beginning was pruned cannot be replayed: a checkpoint holds what survives a restart, not the books and
//! the requests in flight of an engine. Of such a run the order of the records is checked and the facts are folded
//! from the first checkpoint on, and later checkpoints and the next start must equal that.

use crate::engine::Engine;
use crate::fact::Fact;
use crate::io::{Action, HttpRequest, Input, Stamp};
use crate::record::{self, Record, RecordError};
use crate::recovery::{Fold, Recovered};

/// What was replayed without a difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    pub runs: u64,
    pub inputs: u64,
    pub actions: u64,
    /// Order and cancel requests, compared text by text.
    pub requests: u64,
    /// Inputs without an outcome: the process was killed in between. Only at the end of a run.
    pub cut_off: u64,
    /// Checkpoints, and starts that follow a former run, whose state equals the fold of the facts before them.
    pub states: u64,
    /// Inputs before the first start, whose run began in files that were pruned. Not part of `inputs`: what they led
    /// to was not decided again.
    pub pruned_inputs: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError<E> {
    #[error(transparent)]
    Journal(E),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(
        "input {seq} follows neither the start of a run nor a checkpoint, and none comes later: files are missing"
    )]
    NoStart { seq: u64 },
    #[error("input {found} follows input {last}: records are missing")]
    Hole { last: u64, found: u64 },
    #[error("input {input} of the same run follows input {seq}, whose outcome is missing")]
    NoOutcome { seq: u64, input: u64 },
    #[error("the outcome of input {outcome} follows input {input}")]
    Misplaced { input: u64, outcome: u64 },
    #[error("the {place} before input {next} differs from the facts before it in: {parts}")]
    State { place: &'static str, next: u64, parts: String },
    #[error("input {seq} ({input}): request {index} was {journal}, replayed as {replayed}")]
    Request { seq: u64, input: String, index: usize, journal: String, replayed: String },
    #[error("input {seq} ({input}): fact {index} was {journal}, replayed as {replayed}")]
    Fact { seq: u64, input: String, index: usize, journal: String, replayed: String },
    #[error(
        "input {seq} ({input}): the digest of its actions was {journal:016x}, replayed as {replayed:016x}: {actions}"
    )]
    Digest { seq: u64, input: String, journal: u64, replayed: u64, actions: String },
}

/// Replays records, oldest first, and stops at the first difference.
pub fn verify<E>(records: impl IntoIterator<Item = Result<Vec<u8>, E>>) -> Result<Verified, ReplayError<E>> {
    let mut replay = Replay::default();
    let mut first = true;
    for bytes in records {
        match Record::decode(&bytes.map_err(ReplayError::Journal)?)? {
            Record::Input { stamp, input } => replay.input(stamp, input)?,
            // Its input was in the file before, which was pruned.
            Record::Outcome { .. } if first => {}
            Record::Outcome { seq, digest, facts, requests } => {
                replay.outcome(seq, digest, &facts, &requests)?;
                replay.fold.facts(&facts);
            }
            Record::Checkpoint { next_seq, tuning, recovered } => {
                if let Some(last) = replay.last_seq.filter(|last| last.checked_add(1) != Some(next_seq)) {
                    return Err(ReplayError::Hole { last, found: next_seq });
                }
                replay.state("checkpoint", next_seq, &recovered)?;
                replay.last_seq = next_seq.checked_sub(1);
                replay.fold.checkpoint(next_seq, tuning, *recovered);
            }
        }
        first = false;
    }
    let Replay { mut done, open, fold, first_seq, .. } = replay;
    done.cut_off += u64::from(open.is_some());
    match first_seq {
        Some(seq) if fold.state().is_none() => Err(ReplayError::NoStart { seq }),
        _ => Ok(done),
    }
}

/// How far a replay has come.
#[derive(Debug, Default)]
struct Replay {
    done: Verified,
    /// None until a start.
    engine: Option<Engine>,
    /// The state by the facts of the journal alone.
    fold: Fold,
    first_seq: Option<u64>,
    last_seq: Option<u64>,
    open: Option<Open>,
}

/// An input whose outcome is due.
#[derive(Debug)]
struct Open {
    seq: u64,
    /// Its name and what the replay made of it; None without an engine.
    replayed: Option<(String, Vec<Action>)>,
}

impl Replay {
    fn input<E>(&mut self, stamp: Stamp, input: Input) -> Result<(), ReplayError<E>> {
        let seq = stamp.seq;
        if let Some(last) = self.last_seq.filter(|last| last.checked_add(1) != Some(seq)) {
            return Err(ReplayError::Hole { last, found: seq });
        }
        self.last_seq = Some(seq);
        self.first_seq.get_or_insert(seq);
        if let Some(open) = self.open.take() {
            if !matches!(input, Input::Start(_)) {
                return Err(ReplayError::NoOutcome { seq: open.seq, input: seq });
            }
            self.done.cut_off += 1;
        }
        if let Input::Start(start) = &input {
            self.state("start", seq, &start.recovered)?;
            self.fold.start(stamp, (**start).clone());
            self.engine = Some(Engine::new(start));
            self.done.runs += 1;
        } else {
            self.fold.input(stamp);
        }
        let Some(engine) = &mut self.engine else {
            self.done.pruned_inputs += 1;
            self.open = Some(Open { seq, replayed: None });
            return Ok(());
        };
        let name = name_of(&input);
        let mut actions = Vec::new();
        engine.handle(stamp, input, &mut actions);
        self.done.inputs += 1;
        self.done.actions += actions.len() as u64;
        self.open = Some(Open { seq, replayed: Some((name, actions)) });
        Ok(())
    }

    fn outcome<E>(
        &mut self,
        seq: u64,
        digest: u64,
        facts: &[Fact],
        requests: &[HttpRequest],
    ) -> Result<(), ReplayError<E>> {
        let Some(open) = self.open.take().filter(|open| open.seq == seq) else {
            return Err(ReplayError::Misplaced { input: self.last_seq.unwrap_or(0), outcome: seq });
        };
        let Some((input, actions)) = open.replayed else { return Ok(()) };
        let replayed: Vec<_> = record::order_requests(&actions).collect();
        if let Some((index, journal, replayed)) = difference(requests, &replayed) {
            return Err(ReplayError::Request { seq, input, index, journal, replayed });
        }
        let replayed: Vec<_> = record::facts(&actions).collect();
        if let Some((index, journal, replayed)) = difference(facts, &replayed) {
            return Err(ReplayError::Fact { seq, input, index, journal, replayed });
        }
        let replayed = record::digest(&actions);
        if replayed != digest {
            let actions = shorten(&format!("{actions:?}"));
            return Err(ReplayError::Digest { seq, input, journal: digest, replayed, actions });
        }
        self.done.requests += requests.len() as u64;
        Ok(())
    }

    /// A state that was written down must be what the facts before it fold to.
    fn state<E>(
        &mut self,
        place: &'static str,
        next: u64,
        written: &Recovered,
    ) -> Result<(), ReplayError<E>> {
        let Some(folded) = self.fold.state() else { return Ok(()) };
        let parts = written.differences(folded);
        if !parts.is_empty() {
            return Err(ReplayError::State { place, next, parts: parts.join(", ") });
        }
        self.done.states += 1;
        Ok(())
    }
}

/// The first place where two lists differ, both sides in words.
fn difference<T: PartialEq + std::fmt::Debug>(
    journal: &[T],
    replayed: &[&T],
) -> Option<(usize, String, String)> {
    let say =
        |item: Option<&T>| item.map_or_else(|| "nothing".to_owned(), |item| shorten(&format!("{item:?}")));
    (0..journal.len().max(replayed.len()))
        .find(|&at| journal.get(at) != replayed.get(at).copied())
        .map(|at| (at, say(journal.get(at)), say(replayed.get(at).copied())))
}

fn shorten(text: &str) -> String {
    text.chars().take(2000).collect()
}

fn name_of(input: &Input) -> String {
    let text = match input {
        Input::Start(start) => format!("Start {{ incarnation: {} }}", start.incarnation),
        other => format!("{other:?}"),
    };
    text.chars().take(200).collect()
}
