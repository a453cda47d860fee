//! Proof that a journal reproduces itself: every run is fed to a new engine, and every outcome is compared.

use crate::engine::Engine;
use crate::io::{Action, Input};
use crate::record::{self, Record, RecordError};

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
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError<E> {
    #[error(transparent)]
    Journal(E),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("input {seq} comes before any start record: the first record of a run is missing")]
    NoStart { seq: u64 },
    #[error("input {found} follows input {last}: records are missing")]
    Hole { last: u64, found: u64 },
    #[error("the outcome of input {outcome} follows input {input}")]
    Misplaced { input: u64, outcome: u64 },
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
    let mut done = Verified::default();
    let mut engine: Option<Engine> = None;
    let mut last_seq: Option<u64> = None;
    // The input whose outcome is due, with what the replay made of it.
    let mut open: Option<(u64, String, Vec<Action>)> = None;
    let mut scratch = Vec::new();
    for bytes in records {
        match Record::decode(&bytes.map_err(ReplayError::Journal)?)? {
            Record::Input { stamp, input } => {
                done.cut_off += u64::from(open.take().is_some());
                if let Some(last) = last_seq.filter(|last| last + 1 != stamp.seq) {
                    return Err(ReplayError::Hole { last, found: stamp.seq });
                }
                last_seq = Some(stamp.seq);
                if let Input::Start(start) = &input {
                    engine = Some(Engine::new(start));
                    done.runs += 1;
                }
                let engine = engine.as_mut().ok_or(ReplayError::NoStart { seq: stamp.seq })?;
                let name = name_of(&input);
                let mut actions = Vec::new();
                engine.handle(stamp, input, &mut actions);
                done.inputs += 1;
                done.actions += actions.len() as u64;
                open = Some((stamp.seq, name, actions));
            }
            Record::Outcome { seq, digest, facts, requests } => {
                let (input_seq, input, actions) = open
                    .take()
                    .ok_or(ReplayError::Misplaced { input: last_seq.unwrap_or(0), outcome: seq })?;
                if input_seq != seq {
                    return Err(ReplayError::Misplaced { input: input_seq, outcome: seq });
                }
                let replayed: Vec<_> = record::order_requests(&actions).collect();
                if let Some((index, journal, replayed)) = difference(&requests, &replayed) {
                    return Err(ReplayError::Request { seq, input, index, journal, replayed });
                }
                let replayed: Vec<_> = record::facts(&actions).collect();
                if let Some((index, journal, replayed)) = difference(&facts, &replayed) {
                    return Err(ReplayError::Fact { seq, input, index, journal, replayed });
                }
                let replayed = record::digest(&actions, &mut scratch)?;
                if replayed != digest {
                    let actions = shorten(&format!("{actions:?}"));
                    return Err(ReplayError::Digest { seq, input, journal: digest, replayed, actions });
                }
                done.requests += requests.len() as u64;
            }
            Record::Checkpoint { .. } => {}
        }
    }
    done.cut_off += u64::from(open.is_some());
    Ok(done)
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
