//! What a rule is.

use flashpod_types::{Instrument, Price, Qty};

use crate::parameters::{Parameter, Refusal};
use crate::touch::{self, Touch};

/// What a rule decides upon.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub instrument: &'a Instrument,
    /// The best levels of a certified book, best first.
    pub bids: &'a [(Price, Qty)],
    pub asks: &'a [(Price, Qty)],
    /// What the instance owns of the base asset beyond what it was given.
    pub position: Qty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// On the tick and lot grids.
    pub price: Price,
    pub qty: Qty,
}

/// What a rule wants; None: nothing on that side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotes {
    pub bid: Option<Quote>,
    pub ask: Option<Quote>,
}

impl Quotes {
    pub const NONE: Self = Self { bid: None, ask: None };
}

/// A function from what is seen to what is wanted.
pub trait Decide {
    fn decide(&self, seen: &Seen<'_>) -> Quotes;

    /// A resting quote stays while it is within so many ticks of the wanted one.
    fn tolerance_ticks(&self) -> u32;

    /// Whether it could quote this pair at all.
    fn fits(&self, instrument: &Instrument) -> Result<(), Refusal>;
}

/// A rule with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    Touch(Touch),
}

impl Rule {
    /// The rule of a name, with parameters as texts.
    pub fn new(name: &str, parameters: &[Parameter]) -> Result<Self, Refusal> {
        match name {
            touch::NAME => Touch::new(parameters).map(Self::Touch),
            _ => Err(Refusal::new("rule", name, touch::NAME)),
        }
    }

    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Touch(_) => touch::NAME,
        }
    }
}

impl Decide for Rule {
    fn decide(&self, seen: &Seen<'_>) -> Quotes {
        match self {
            Self::Touch(rule) => rule.decide(seen),
        }
    }

    fn tolerance_ticks(&self) -> u32 {
        match self {
            Self::Touch(rule) => rule.tolerance_ticks(),
        }
    }

    fn fits(&self, instrument: &Instrument) -> Result<(), Refusal> {
        match self {
            Self::Touch(rule) => rule.fits(instrument),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_is_not_there_is_refused_by_name() {
        let refusal = Rule::new("tuoch", &[]).unwrap_err();
        assert_eq!(refusal.to_string(), "rule: \"tuoch\" was given; accepted: touch");
    }
}
