//! What lies on the disk: journal files and the records in them.

use std::fs;

use flashpod_engine::io::{AgentInput, FeedEvent, HttpOutcome, Input, SessionMessage, Stamp};
use flashpod_engine::record::{self, Record};
use flashpod_engine::{EngineConfig, Environment, Start, StopPolicy, fold, replay};
use flashpod_journal::{Options, Reader, open};
use flashpod_types::Nanos;

use super::{Target, told};

pub(super) const SEGMENTS: Target = Target {
    name: "segments",
    what: "a journal file, and appending behind whatever it holds",
    run: segments,
    seeds: || vec![segment(&[b"first", b"second"]), segment(&[&[7; 900], &[8; 40]]), segment(&[])],
    words: &[b"FPJOURN1", b"\xff\xff\xff\xff", b"\0\0\0\0\0\0\0\0", b"\x40\0\0\0\0\0\0\0"],
};

pub(super) const RECORDS: Target = Target {
    name: "records",
    what: "journal records: decoding, folding, replaying",
    run: records,
    seeds: sound_records,
    words: &[
        b"\x03\0",
        b"\x03\x01",
        b"\x03\x02",
        b"\xff\xff\xff\xff\x0f",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ],
};

const SMALL: Options = Options { segment_bytes: 4096 };

/// A file as the writer leaves it, synced.
fn segment(records: &[&[u8]]) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (mut writer, mut upkeep) = open(dir.path(), SMALL).expect("a journal");
    for record in records {
        writer.append(record).expect("room");
    }
    upkeep.sync().expect("a sync");
    fs::read(dir.path().join("0000000001.journal")).expect("the file")
}

fn segments(bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("0000000001.journal"), bytes).expect("room");
    let read = || Reader::open(dir.path()).and_then(Iterator::collect::<Result<Vec<Vec<u8>>, _>>);
    let before = read();
    // Whatever lies there, a later run goes on behind it, and what was read stays as it is.
    let (mut writer, _upkeep) = open(dir.path(), SMALL).expect("a journal");
    writer.append(b"later").expect("room");
    match (&before, read()) {
        (Ok(before), Ok(after)) => {
            assert_eq!(after[..before.len()], before[..], "a later run changes what an earlier one says");
            assert_eq!(after.last().map(Vec::as_slice), Some(&b"later"[..]));
        }
        (Err(_), Err(_)) => {}
        (before, after) => panic!("{before:?} became {after:?}"),
    }
    let _ = Reader::open_last_run(dir.path()).map(Iterator::count);
    told(&before)
}

fn records(bytes: &[u8]) -> String {
    let decoded = Record::decode(bytes);
    let only = || [Ok::<_, std::io::Error>(bytes.to_vec())];
    let folded = fold(only());
    let verified = replay::verify(only());
    [told(&decoded), told(&folded), told(&verified)].concat()
}

fn sound_records() -> Vec<Vec<u8>> {
    let config = EngineConfig::new("main", Environment::Simulated, StopPolicy::Cancel);
    let start = Start { config, incarnation: 1, recovered: Default::default() };
    let received = Nanos::from_secs(5);
    let reply = HttpOutcome::Reply { status: 200, retry_after_s: None, body: b"{}".as_slice().into() };
    let inputs = [
        Input::Start(Box::new(start)),
        Input::Timer,
        Input::Stop,
        Input::Agent(AgentInput::LeaseAttempt { attempt: 1 }),
        Input::Feed {
            conn: flashpod_engine::io::ConnId(1),
            received,
            event: FeedEvent::Binary(b"frame".as_slice().into()),
        },
        Input::Http { id: flashpod_engine::io::RequestId(3), sent: Some(received), received, outcome: reply },
        Input::Session { instance: "one".to_owned(), received, message: SessionMessage::Heartbeat },
    ];
    let mut all = Vec::new();
    let mut buffer = Vec::new();
    for (seq, input) in (0..).zip(&inputs) {
        let stamp = Stamp { seq, mono: received, unix: received };
        record::encode_input(stamp, input, &mut buffer).expect("a record");
        all.push(buffer.clone());
    }
    record::encode_outcome(0, &[], &mut buffer).expect("a record");
    all.push(buffer.clone());
    let tuning = EngineConfig::new("main", Environment::Simulated, StopPolicy::Cancel).tuning;
    record::encode_checkpoint(7, tuning, &Default::default(), &mut buffer).expect("a record");
    all.push(buffer);
    all
}
