//! Runs a target on mutated inputs.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use flashpod_net::Clock;
use flashpod_types::Nanos;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::corpus::hash;
use crate::coverage::Reached;
use crate::mutate::mutate;
use crate::targets::Target;

/// An input that takes longer hangs.
const HANG: Nanos = Nanos::from_secs(2);
/// Most inputs that are kept for further changes.
const MOST_KEPT: usize = 4_000;
/// Shortened versions of a breaking input that are tried.
const SHORTENINGS: usize = 2_000;

/// How much is tried; whichever ends first.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub runs: u64,
    pub time: Duration,
    pub seed: u64,
}

/// What a hunt found.
#[derive(Debug)]
pub struct Found {
    pub runs: u64,
    /// Inputs that reached something new, the given ones first.
    pub kept: Vec<Vec<u8>>,
    /// Counters reached, of all that there are.
    pub reached: (usize, usize),
    /// An input that breaks, as short as could be made, and how it breaks.
    pub broken: Option<(Vec<u8>, String)>,
}

/// What became of one input.
enum Run {
    /// Which of its ways the target took, as far as its result says.
    Outcome(u64),
    Broken(String),
}

fn run(target: &Target, input: &[u8]) -> Run {
    let began = Clock.mono();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let took = Clock.mono().since(began);
    match outcome {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Run::Broken(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
        }
        Ok(_) if took > HANG => Run::Broken(format!("it took {took:?}")),
        Ok(text) => Run::Outcome(class(&text)),
    }
}

/// Results that differ in digits and quoted parts only are of one kind.
fn class(text: &str) -> u64 {
    let mut quoted = false;
    let plain = text.bytes().filter(|&byte| {
        if matches!(byte, b'"' | b'`') {
            quoted = !quoted;
        }
        !quoted && !byte.is_ascii_digit()
    });
    hash(&plain.take(120).collect::<Vec<u8>>())
}

/// Runs `target` on `seeds` and on what mutation makes of them, until the budget is used up or an input breaks it.
#[must_use]
pub fn hunt(target: &Target, seeds: Vec<Vec<u8>>, budget: Budget) -> Found {
    let mut dice = ChaCha8Rng::seed_from_u64(budget.seed);
    let end = Clock.mono() + Nanos(u64::try_from(budget.time.as_nanos()).unwrap_or(u64::MAX));
    let (mut reached, mut classes) = (Reached::default(), BTreeSet::new());
    let mut found = Found { runs: 0, kept: Vec::new(), reached: (0, Reached::counters()), broken: None };
    let mut waiting = seeds;
    if waiting.is_empty() {
        waiting.push(Vec::new());
    }
    waiting.reverse();
    let given = waiting.len();
    while found.runs < budget.runs.max(given as u64) {
        let seed = waiting.pop();
        if seed.is_none() && (found.runs.is_multiple_of(64) && Clock.mono() >= end) {
            break;
        }
        let first = seed.is_some();
        let input = seed.unwrap_or_else(|| mutate(&found.kept, target.words, &mut dice));
        found.runs += 1;
        Reached::clear();
        match run(target, &input) {
            Run::Broken(how) => {
                let input = shortened(target, input);
                found.broken = Some((input, how));
                break;
            }
            Run::Outcome(class) => {
                let new = reached.add() | classes.insert(class);
                if first || (new && found.kept.len() < MOST_KEPT) {
                    found.kept.push(input);
                }
            }
        }
    }
    found.reached.0 = reached.count();
    found
}

/// As short as taking parts away makes it while it still breaks.
fn shortened(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let mut tries = 0;
    let mut part = (input.len() / 2).max(1);
    while part > 0 && tries < SHORTENINGS {
        let mut at = 0;
        while at < input.len() && tries < SHORTENINGS {
            let mut shorter = input.clone();
            shorter.drain(at..(at + part).min(input.len()));
            tries += 1;
            if matches!(run(target, &shorter), Run::Broken(_)) {
                input = shorter;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { runs: 200_000, time: Duration::from_secs(60), seed: 1 };

    fn target(run: fn(&[u8]) -> String) -> Target {
        Target { name: "test", what: "", run, seeds: Vec::new, words: &[] }
    }

    #[test]
    fn an_input_that_breaks_is_found_and_made_short() {
        let target = target(|input| {
            // Three steps, each with a result of its own: found one after the other.
            let steps =
                [input.first() == Some(&b'a'), input.get(1) == Some(&b'b'), input.get(2) == Some(&0xff)];
            let depth = steps.iter().take_while(|step| **step).count();
            assert!(depth < 3, "three deep");
            ["none", "one", "two"][depth].to_owned()
        });
        let found = hunt(&target, vec![b"some text".to_vec()], BUDGET);
        let (input, how) = found.broken.expect("it breaks");
        assert_eq!((input.as_slice(), how.as_str()), (&b"ab\xff"[..], "three deep"));
    }

    #[test]
    fn what_holds_for_all_inputs_ends_with_the_budget() {
        let found = hunt(&target(|_| String::new()), Vec::new(), Budget { runs: 500, ..BUDGET });
        assert_eq!((found.runs, found.kept.len()), (500, 1));
        assert!(found.broken.is_none());
    }
}
