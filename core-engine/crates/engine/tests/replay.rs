//! A journal that was changed does not pass for one that was not.

mod sim;

use std::convert::Infallible;

use flashpod_engine::record::{self, Record};
use flashpod_engine::replay::{ReplayError, Verified, verify};
use flashpod_types::Side;
use sim::{Sim, ms, policy};

fn traded() -> Vec<Vec<u8>> {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "1")]);
    sim.run(ms(10));
    let bid = sim.open_client_ids().remove(0);
    sim.venue.fill(&bid, "1");
    sim.run(ms(10));
    sim.records
}

fn check(records: &[Vec<u8>]) -> Result<Verified, ReplayError<Infallible>> {
    verify(records.iter().cloned().map(Ok))
}

/// The journal with `from` replaced by `to` (of the same length) in the last record that contains it.
fn altered(mut records: Vec<Vec<u8>>, from: &str, to: &str) -> Vec<Vec<u8>> {
    assert_eq!(from.len(), to.len());
    let holds = |record: &Vec<u8>| record.windows(from.len()).rposition(|window| window == from.as_bytes());
    let at = records.iter().rposition(|record| holds(record).is_some()).expect("a record with this text");
    let place = holds(&records[at]).unwrap();
    records[at][place..place + from.len()].copy_from_slice(to.as_bytes());
    records
}

#[test]
fn a_true_journal_is_verified_with_all_its_requests() {
    let records = traded();
    let verified = check(&records).unwrap();
    assert_eq!(verified.runs, 1);
    assert_eq!(verified.inputs as usize * 2, records.len());
    assert_eq!((verified.requests, verified.cut_off), (3, 0));
    assert!(verified.actions > verified.inputs / 2);
}

#[test]
fn an_altered_request_is_told_with_both_sides() {
    let error = check(&altered(
        traded(),
        "side=SELL&type=LIMIT_MAKER&quantity=1",
        "side=SELL&type=LIMIT_MAKER&quantity=2",
    ));
    let error = error.unwrap_err();
    assert!(matches!(error, ReplayError::Request { index: 1, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("quantity=2") && text.contains("quantity=1"), "{text}");
}

#[test]
fn an_altered_input_shows_in_what_it_led_to() {
    let error = check(&altered(traded(), "\"free\":\"10\"", "\"free\":\"90\"")).unwrap_err();
    assert!(matches!(error, ReplayError::Fact { .. } | ReplayError::Digest { .. }), "{error}");
}

#[test]
fn missing_and_misplaced_records_are_told() {
    let records = traded();
    let mut hole = records.clone();
    hole.drain(20..22);
    assert!(matches!(check(&hole).unwrap_err(), ReplayError::Hole { last: 9, found: 11 }));
    let mut twice = records.clone();
    twice.insert(2, records[1].clone());
    assert!(matches!(check(&twice).unwrap_err(), ReplayError::Misplaced { .. }));
    assert!(matches!(check(&records[2..]).unwrap_err(), ReplayError::NoStart { seq: 1 }));
}

#[test]
fn a_process_that_died_between_input_and_outcome_is_told_apart() {
    let mut records = traded();
    records.pop();
    assert_eq!(check(&records).unwrap().cut_off, 1);
}

#[test]
fn a_checkpoint_replaces_everything_before_it() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    let mut buffer = Vec::new();
    let next = sim.records.len() as u64 / 2;
    record::encode_checkpoint(next, sim.config.tuning, sim.engine.checkpoint(), &mut buffer).unwrap();
    let mut records = vec![buffer];
    let before = sim.records.len();
    let bid = sim.open_client_ids().remove(0);
    sim.venue.fill(&bid, "0.5");
    sim.run(ms(10));
    records.extend_from_slice(&sim.records[before..]);
    let folded = flashpod_engine::fold(records.into_iter().map(Ok::<_, ()>)).unwrap();
    assert!(folded.recovered == *sim.engine.checkpoint());
    assert_eq!(folded.next_seq, sim.records.len() as u64 / 2);
}

#[test]
fn records_of_another_format_are_refused() {
    let mut bytes = traded().remove(0);
    bytes[0] = 99;
    assert_eq!(
        Record::decode(&bytes).unwrap_err().to_string(),
        format!("journal record of format 99; this build reads format {}", record::FORMAT)
    );
    assert!(Record::decode(&[]).is_err());
    assert!(Record::decode(&[record::FORMAT, 7, 1]).is_err());
}
