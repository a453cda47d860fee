//! What the journal holds: for every input the input itself, and what came of it.
//!
//! The driver calls `encode_input` before `Engine::handle` and `encode_outcome` before it carries the actions out.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use crate::config::Tuning;
use crate::fact::Fact;
use crate::io::{Action, HttpRequest, Input, RequestClass, Stamp};
use crate::recovery::Recovered;

/// Raised when a record's shape changes: a journal is read by the build family that wrote it.
pub const FORMAT: u8 = 6;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Record {
    Input {
        stamp: Stamp,
        input: Input,
    },
    Outcome {
        seq: u64,
        /// Of all actions: see `digest`.
        digest: u64,
        facts: Vec<Fact>,
        /// Order and cancel requests, in full: `params` is the `totalParams` that was signed.
        requests: Vec<HttpRequest>,
    },
    /// The state after all records before it: those may be dropped.
    Checkpoint {
        next_seq: u64,
        tuning: Tuning,
        recovered: Box<Recovered>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("journal record of format {0}; this build reads format {FORMAT}")]
    Format(u8),
    #[error("empty journal record")]
    Empty,
    #[error("journal record cannot be decoded: {0}")]
    Postcard(#[from] postcard::Error),
}

/// What recovery needs of a record. Frames and replies, which are most of a journal, are passed over undecoded.
#[derive(Debug)]
pub(crate) enum Remembered {
    /// An input that is no `Start`.
    Input(Stamp),
    Other(Box<Record>),
}

/// Places of the variants in their enums, as postcard writes them.
const INPUT_RECORD: u32 = 0;
const START_INPUT: u32 = 0;

impl Record {
    pub(crate) fn remember(bytes: &[u8]) -> Result<Remembered, RecordError> {
        if let [FORMAT, rest @ ..] = bytes
            && let Ok(((INPUT_RECORD, stamp, input), _)) =
                postcard::take_from_bytes::<(u32, Stamp, u32)>(rest)
            && input != START_INPUT
        {
            return Ok(Remembered::Input(stamp));
        }
        Self::decode(bytes).map(|record| Remembered::Other(Box::new(record)))
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        match bytes {
            [FORMAT, rest @ ..] => Ok(postcard::from_bytes(rest)?),
            [format, ..] => Err(RecordError::Format(*format)),
            [] => Err(RecordError::Empty),
        }
    }
}

// The encoders borrow, so that a frame is not copied to be written down. Same order as `Record`.
#[derive(Serialize)]
enum Borrowed<'a> {
    Input { stamp: Stamp, input: &'a Input },
    Outcome { seq: u64, digest: u64, facts: FactsOf<'a>, requests: RequestsOf<'a> },
    Checkpoint { next_seq: u64, tuning: Tuning, recovered: &'a Recovered },
}

struct FactsOf<'a>(&'a [Action]);
struct RequestsOf<'a>(&'a [Action]);

impl Serialize for FactsOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        sequence(|| facts(self.0), serializer)
    }
}

impl Serialize for RequestsOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        sequence(|| order_requests(self.0), serializer)
    }
}

/// As a list of the same items is written.
fn sequence<'a, T: Serialize + 'a, I: Iterator<Item = &'a T>, S: Serializer>(
    items: impl Fn() -> I,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut all = serializer.serialize_seq(Some(items().count()))?;
    items().try_for_each(|item| all.serialize_element(item))?;
    all.end()
}

fn encode(record: &Borrowed<'_>, buffer: &mut Vec<u8>) -> Result<(), RecordError> {
    buffer.clear();
    buffer.push(FORMAT);
    *buffer = postcard::to_extend(record, std::mem::take(buffer))?;
    Ok(())
}

/// Writes the record of an input into `buffer`, replacing what is there.
pub fn encode_input(stamp: Stamp, input: &Input, buffer: &mut Vec<u8>) -> Result<(), RecordError> {
    encode(&Borrowed::Input { stamp, input }, buffer)
}

/// Writes the record of what input `seq` led to into `buffer`, replacing what is there.
pub fn encode_outcome(seq: u64, actions: &[Action], buffer: &mut Vec<u8>) -> Result<(), RecordError> {
    let (facts, requests) = (FactsOf(actions), RequestsOf(actions));
    encode(&Borrowed::Outcome { seq, digest: digest(actions), facts, requests }, buffer)
}

/// Writes a checkpoint record into `buffer`, replacing what is there.
pub fn encode_checkpoint(
    next_seq: u64,
    tuning: Tuning,
    recovered: &Recovered,
    buffer: &mut Vec<u8>,
) -> Result<(), RecordError> {
    encode(&Borrowed::Checkpoint { next_seq, tuning, recovered }, buffer)
}

pub(crate) fn facts(actions: &[Action]) -> impl Iterator<Item = &Fact> {
    actions.iter().filter_map(|action| match action {
        Action::Fact(fact) => Some(fact),
        _ => None,
    })
}

pub(crate) fn order_requests(actions: &[Action]) -> impl Iterator<Item = &HttpRequest> {
    actions.iter().filter_map(|action| match action {
        Action::Http(request) if request.class != RequestClass::Query => Some(request),
        _ => None,
    })
}

/// Tells two lists of actions apart. Of facts and order requests only their places count: a replay compares these in
/// full.
pub(crate) fn digest(actions: &[Action]) -> u64 {
    let mut hasher = FxHasher::default();
    for action in actions {
        std::mem::discriminant(action).hash(&mut hasher);
        match action {
            Action::Fact(_) | Action::StatusChanged | Action::Stopped => {}
            Action::Http(request) if request.class != RequestClass::Query => {}
            Action::Http(request) => request.hash(&mut hasher),
            Action::OpenFeed { conn, kind } => (conn, kind).hash(&mut hasher),
            Action::FeedText { conn, text } => (conn, text).hash(&mut hasher),
            Action::CloseFeed { conn } => conn.hash(&mut hasher),
            Action::Book(top) => top.hash(&mut hasher),
            Action::Trades(batch) => batch.hash(&mut hasher),
            Action::Session { instance, event } => (instance, event).hash(&mut hasher),
            Action::Hop { hop, nanos, instance } => (hop, nanos, instance).hash(&mut hasher),
        }
    }
    hasher.finish()
}
