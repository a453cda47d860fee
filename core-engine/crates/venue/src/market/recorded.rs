//! A recorded market with own orders that it does not see.

use std::sync::Arc;

use flashpod_matching::EstimatedBook;
use flashpod_types::Nanos;

use crate::replay::Tape;

#[derive(Debug)]
pub struct Recorded {
    pub tape: Arc<Tape>,
    /// Next event of the tape.
    pub cursor: usize,
    pub book: EstimatedBook,
    /// When the first depth subscription came.
    pub started: Option<Nanos>,
}

impl Recorded {
    #[must_use]
    pub fn new(tape: Arc<Tape>, mut book: EstimatedBook) -> Self {
        book.on_depth(i64::MIN, tape.opening.iter().copied());
        Self { tape, cursor: 0, book, started: None }
    }

    #[must_use]
    pub fn done(&self) -> bool {
        self.cursor >= self.tape.events.len()
    }

    /// Offset of the next event from the start of the tape, once it runs.
    #[must_use]
    pub fn next_offset(&self) -> Option<Nanos> {
        self.started?;
        self.tape.events.get(self.cursor).map(|event| event.offset)
    }
}
