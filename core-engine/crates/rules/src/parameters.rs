//! Parameters as texts, and why one is refused.

use std::fmt::Display;

use flashpod_types::{Amount, Price};

/// Name and value, a plain decimal number.
pub type Parameter = (String, String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {value:?} was given; accepted: {accepted}")]
pub struct Refusal {
    pub field: String,
    pub value: String,
    pub accepted: String,
}

impl Refusal {
    pub fn new(field: impl Into<String>, value: impl Display, accepted: impl Display) -> Self {
        Self { field: field.into(), value: value.to_string(), accepted: accepted.to_string() }
    }
}

/// Reads the parameters that a rule knows.
pub(crate) struct Reader<'a> {
    given: &'a [Parameter],
}

impl<'a> Reader<'a> {
    /// Refuses names that are not among `known` or given twice.
    pub(crate) fn new(given: &'a [Parameter], known: &[&str]) -> Result<Self, Refusal> {
        for (at, (name, value)) in given.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Refusal::new(name, value, format_args!("the parameters {}", known.join(", "))));
            }
            if given[..at].iter().any(|(other, _)| other == name) {
                return Err(Refusal::new(name, value, "each parameter once"));
            }
        }
        Ok(Self { given })
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.given.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// An amount above zero, at most `most`.
    pub(crate) fn amount(&self, name: &str, most: &str) -> Result<Amount, Refusal> {
        let text = self.text(name).unwrap_or_default();
        let bound: Amount = most.parse().unwrap_or(Amount::MAX);
        let amount = text.parse::<Amount>().ok();
        amount
            .filter(|amount| amount.is_positive() && *amount <= bound)
            .ok_or_else(|| Refusal::new(name, text, format_args!("a decimal number above 0, at most {most}")))
    }

    /// Basis points from 0 to `most`, in units of 1e-8; 0 when not given.
    pub(crate) fn bps(&self, name: &str, most: i64) -> Result<i64, Refusal> {
        let Some(text) = self.text(name) else { return Ok(0) };
        let value = text.parse::<Price>().ok();
        value
            .filter(|value| !value.is_negative() && value.raw() <= most * Price::SCALE)
            .map(Price::raw)
            .ok_or_else(|| {
                Refusal::new(name, text, format_args!("a decimal number from 0 to {most}, at most 8 places"))
            })
    }

    /// A share above 0, in millionths; all of it when not given.
    pub(crate) fn share(&self, name: &str) -> Result<i64, Refusal> {
        const MILLIONTH: i64 = Price::SCALE / 1_000_000;
        let text = self.text(name).unwrap_or("1");
        let value = text.parse::<Price>().ok().map(Price::raw);
        let fits = |raw: &i64| (1..=Price::SCALE).contains(raw) && raw % MILLIONTH == 0;
        value
            .filter(fits)
            .map(|raw| raw / MILLIONTH)
            .ok_or_else(|| Refusal::new(name, text, "a decimal number above 0, at most 1, at most 6 places"))
    }

    /// A whole number from `least` to `most`; `default` when not given.
    pub(crate) fn count(&self, name: &str, least: u32, most: u32, default: u32) -> Result<u32, Refusal> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let value = text.parse::<u32>().ok();
        value
            .filter(|value| (least..=most).contains(value))
            .ok_or_else(|| Refusal::new(name, text, format_args!("a whole number from {least} to {most}")))
    }
}
