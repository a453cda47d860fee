//! What is fuzzed: one entry a decoder. Each takes any bytes; what must hold for all of them is asserted.

mod journal;
mod mexc;
mod money;
mod recordings;
mod session;
mod settings;

/// A decoder under test.
#[derive(Debug)]
pub struct Target {
    pub name: &'static str,
    pub what: &'static str,
    /// Decodes, asserts what must hold, and says what became of the input.
    pub run: fn(&[u8]) -> String,
    /// Sound inputs of the present formats, beside those of the corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Parts that the format is made of.
    pub words: &'static [&'static [u8]],
}

pub const TARGETS: &[Target] = &[
    mexc::FRAMES,
    mexc::DEPTH,
    mexc::REPLIES,
    mexc::CONTROL,
    money::DECIMALS,
    money::CLIENT_IDS,
    journal::SEGMENTS,
    journal::RECORDS,
    recordings::FILES,
    session::SESSION,
    session::AGENT,
    settings::CONFIG,
    settings::FAULTS,
];

/// What is told of a result: whether it was one, and the error's words.
fn told<T, E: std::fmt::Display>(result: &Result<T, E>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            let text = error.to_string();
            assert!(text.chars().count() < MOST_WORDS, "an error of {} bytes: {text:.200}", text.len());
            text
        }
    }
}

/// No error floods a log with what it was given.
const MOST_WORDS: usize = 2_000;
