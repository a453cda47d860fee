//! When a fault strikes: at its nth occasion, by a seeded chance, in a window of time, or at every occasion.

use flashpod_types::Nanos;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Debug, Clone)]
pub struct When {
    nth: Option<u64>,
    probability: Option<f64>,
    /// Since the venue began.
    from: Nanos,
    until: Option<Nanos>,
    /// Occasions inside the window so far.
    seen: u64,
    dice: ChaCha8Rng,
}

impl When {
    /// Nothing but `from` and `lasts` given: every occasion in the window.
    #[must_use]
    pub fn new(
        nth: Option<u64>,
        probability: Option<f64>,
        seed: u64,
        from: Nanos,
        lasts: Option<Nanos>,
    ) -> Self {
        let until = lasts.map(|lasts| from + lasts);
        Self { nth, probability, from, until, seen: 0, dice: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Keeps several faults of one seed apart.
    pub(super) fn number(&mut self, index: u64) {
        self.dice.set_stream(index);
    }

    /// `at` is the time since the venue began.
    #[must_use]
    pub(super) fn is_open(&self, at: Nanos) -> bool {
        at >= self.from && self.until.is_none_or(|until| at < until)
    }

    /// Whether nothing but the window decides.
    #[must_use]
    pub(super) fn is_window(&self) -> bool {
        self.nth.is_none() && self.probability.is_none()
    }

    /// An occasion came: is it one to strike at?
    pub(super) fn strikes(&mut self, at: Nanos) -> bool {
        if !self.is_open(at) {
            return false;
        }
        self.seen += 1;
        let counted = self.nth.is_none_or(|nth| self.seen == nth);
        let drawn = self.probability.is_none_or(|p| self.dice.random::<f64>() < p);
        counted && drawn
    }

    /// Randomness of the fault itself: what garbage looks like.
    pub(super) fn dice(&mut self) -> &mut ChaCha8Rng {
        &mut self.dice
    }
}
