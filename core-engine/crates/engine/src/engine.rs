//! The loop.

use flashpod_types::Nanos;

use crate::config::EngineConfig;
use crate::io::{Action, Input, Stamp, Start};
use crate::recovery::Recovered;
use crate::status::{LedgerView, Status};

/// The engine of one account.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    state: Recovered,
}

impl Engine {
    /// A new engine for the run that `start` begins; the first input it handles is that `Input::Start`.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        Self { config: start.config.clone(), state: start.recovered.clone() }
    }

    /// Handles one input at its stamp and appends what is to be done to `actions`.
    pub fn handle(&mut self, stamp: Stamp, input: Input, actions: &mut Vec<Action>) {
        let _ = (stamp, input, actions);
    }

    /// When to hand in `Input::Timer` at the latest, CLOCK_BOOTTIME; ask again after every input.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Nanos> {
        None
    }

    /// What is known; `now` is CLOCK_BOOTTIME.
    #[must_use]
    pub fn status(&self, now: Nanos) -> Status {
        let _ = now;
        Status::default()
    }

    #[must_use]
    pub fn ledger(&self) -> LedgerView {
        LedgerView { quiescent: false, orders: Vec::new(), balances: Vec::new() }
    }

    /// The state that a journal folds to after the last handled input, for `record::encode_checkpoint`.
    #[must_use]
    pub fn checkpoint(&self) -> &Recovered {
        &self.state
    }

    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }
}
