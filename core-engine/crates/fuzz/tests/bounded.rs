//! A short hunt through every target, part of `cargo test`: `npm run fuzz` is the long one.

use std::time::Duration;

use flashpod_fuzz::{Budget, TARGETS, corpus, hunt};

/// For each target; in a build without coverage counters, outcomes alone tell what is new.
const BUDGET: Budget = Budget { runs: 20_000, time: Duration::from_millis(700), seed: 1 };

#[test]
fn no_target_breaks_on_its_corpus_or_on_what_a_short_hunt_makes_of_it() {
    for target in TARGETS {
        let mut seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{}: no sound input", target.name);
        let inputs = corpus::read(target.name).unwrap();
        assert!(!inputs.is_empty(), "{}: no corpus", target.name);
        seeds.extend(inputs.into_iter().map(|(_, input)| input));
        let given = seeds.len() as u64;
        let found = hunt(target, seeds, BUDGET);
        if let Some((input, how)) = found.broken {
            panic!("{}: {how}: broken by {}", target.name, hex::encode(input));
        }
        assert!(found.runs > given, "{}: nothing was tried beside the corpus", target.name);
    }
}

#[test]
fn every_folder_of_the_corpus_is_a_targets() {
    let folder = corpus::folder("");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|target| target.name == name), "corpus/{name} is of no target");
    }
}
