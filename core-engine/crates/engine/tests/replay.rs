//! A journal that was changed does not pass for one that was not.

mod sim;

use std::convert::Infallible;

use flashpod_engine::fact::Fact;
use flashpod_engine::io::{Method, SessionMessage};
use flashpod_engine::record::{self, Record};
use flashpod_engine::replay::{ReplayError, Verified, verify};
use flashpod_types::{Nanos, Side};
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
fn an_altered_cancel_is_told_like_any_other_request() {
    for cancel in [true, false] {
        let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.run(ms(10));
        let sent = sim.requests.len();
        if cancel {
            // The strategy says so; else the scheduler makes room for another quote.
            sim.session("maker", SessionMessage::Cancel { reference: None, symbol: None });
        } else {
            sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.5", "1")]);
        }
        // Written down with the input that led to it, before anything was sent.
        let Record::Outcome { requests, .. } = Record::decode(sim.records.last().unwrap()).unwrap() else {
            panic!("an outcome")
        };
        assert_eq!(requests, sim.requests[sent..]);
        assert_eq!((requests[0].method, &*requests[0].path), (Method::Delete, "/api/v3/order"));
        assert_eq!(check(&sim.records).unwrap().requests, 2);
        let error = check(&altered(sim.records, "recvWindow=1000", "recvWindow=2000")).unwrap_err();
        assert!(matches!(error, ReplayError::Request { index: 0, .. }), "{error}");
    }
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

/// Journal of a run with three checkpoints in it and of a second run after a kill; the places of the checkpoints.
fn traded_on() -> (Vec<Vec<u8>>, [usize; 3], usize) {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    let mut places = [0; 3];
    let mut records = Vec::new();
    let mut copied = 0;
    for (round, place) in (0_u32..).zip(&mut places) {
        let step = f64::from(round) * 0.01;
        let quotes =
            [(0, Side::Buy, format!("{:.2}", 99.9 - step)), (1, Side::Sell, format!("{:.2}", 100.1 + step))];
        let quotes: Vec<_> =
            quotes.iter().map(|(slot, side, price)| (*slot, *side, price.as_str(), "1")).collect();
        sim.quote("maker", "BTCUSDC", &quotes);
        sim.run(ms(500));
        let bid = sim.open_client_ids().remove(0);
        sim.venue.fill(&bid, "0.25");
        sim.run(ms(500));
        records.extend_from_slice(&sim.records[copied..]);
        copied = sim.records.len();
        *place = records.len();
        records.push(checkpoint(&sim));
    }
    let end = copied;
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.run(Nanos::from_secs(1));
    records.extend_from_slice(&sim.records[end..]);
    (records, places, end / 2)
}

fn checkpoint(sim: &Sim) -> Vec<u8> {
    let mut buffer = Vec::new();
    let next = sim.records.len() as u64 / 2;
    record::encode_checkpoint(next, sim.config.tuning, sim.engine.checkpoint(), &mut buffer).unwrap();
    buffer
}

fn recovered(records: &[Vec<u8>]) -> Result<flashpod_engine::Folded, String> {
    flashpod_engine::fold(records.iter().cloned().map(Ok::<_, Infallible>)).map_err(|error| error.to_string())
}

#[test]
fn a_journal_cut_anywhere_before_a_checkpoint_recovers_the_same_and_says_what_it_cannot_verify() {
    let (records, [first, second, third], run) = traded_on();
    let whole = check(&records).unwrap();
    // Three checkpoints and the second start.
    assert_eq!((whole.runs, whole.states, whole.pruned_inputs), (2, 4, 0));
    let state = recovered(&records).unwrap();
    let first_run = recovered(&records[..=third]).unwrap();
    for cut in (1..=third).step_by(3).chain([first, second, second + 1, third]) {
        let verified = check(&records[cut..]).unwrap();
        let checkpoints = [first, second, third].iter().filter(|&&place| place < cut).count();
        let inputs = (cut - checkpoints).div_ceil(2);
        assert_eq!(verified.pruned_inputs as usize, run - inputs, "cut at {cut}");
        assert_eq!(verified.inputs + verified.pruned_inputs + inputs as u64, whole.inputs);
        // The first checkpoint left is where the fold begins; the others and the second start must agree with it.
        assert_eq!(verified.states as usize, 3 - checkpoints, "cut at {cut}");
        assert_eq!(verified.runs, 1);
        assert_eq!(recovered(&records[cut..]).unwrap(), state);
        assert_eq!(recovered(&records[cut..=third]).unwrap(), first_run);
    }
}

#[test]
fn a_run_that_lost_its_end_and_its_beginning_is_passed_over_up_to_the_next_start() {
    let (records, [.., third], _) = traded_on();
    let start = third + 1;
    // As a prune leaves it that was killed before it reached the next run.
    let left = [&records[start - 5..third], &records[start..]].concat();
    let verified = check(&left).unwrap();
    assert_eq!((verified.runs, verified.pruned_inputs, verified.states), (1, 2, 0));
    assert_eq!(recovered(&left).unwrap(), recovered(&records).unwrap());
}

#[test]
fn what_only_follows_a_pruned_beginning_recovers_nothing() {
    let (records, [first, ..], _) = traded_on();
    let error = recovered(&records[2..first]).unwrap_err();
    assert!(error.contains("start of a run or a checkpoint"), "{error}");
    assert!(recovered(&records[1..2]).is_err());
    assert_eq!(recovered(&[]).unwrap(), flashpod_engine::Folded::default());
}

#[test]
fn a_fact_altered_behind_a_checkpoint_shows_in_the_next_state() {
    let (records, [first, second, third], _) = traded_on();
    for (from, until) in [(first, second), (second, third)] {
        let mut altered = records[first..].to_vec();
        let lost = (from + 1..until).rfind(|&at| {
            matches!(Record::decode(&records[at]).unwrap(), Record::Outcome { facts, .. }
                if facts.iter().any(|fact| matches!(fact, Fact::Event { .. })))
        });
        let Record::Outcome { seq, digest, requests, .. } = Record::decode(&records[lost.unwrap()]).unwrap()
        else {
            panic!("an outcome")
        };
        let record = Record::Outcome { seq, digest, facts: Vec::new(), requests };
        let bytes = postcard::to_extend(&record, vec![record::FORMAT]).unwrap();
        altered[lost.unwrap() - first] = bytes;
        let error = check(&altered).unwrap_err().to_string();
        assert!(error.starts_with("the checkpoint before input "), "{error}");
        assert!(error.contains("orders") || error.contains("instances"), "{error}");
    }
}

#[test]
fn an_outcome_that_is_missing_within_a_run_is_told() {
    let mut records = traded();
    records.remove(21);
    assert!(matches!(check(&records).unwrap_err(), ReplayError::NoOutcome { seq: 10, input: 11 }));
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
