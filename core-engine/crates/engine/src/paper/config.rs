//! How paper orders are matched. Part of the engine's configuration, so a replay uses the same.

use flashpod_matching::{Conservative, Latency, Proportional, Quantiles, QuantilesError, QueueModel};
use flashpod_types::{Amount, Nanos};
use serde::{Deserialize, Serialize};

/// A probability of 1 in a table of quantiles.
pub const WHOLE_PPM: u32 = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperConfig {
    /// Of the delays that are drawn.
    pub seed: u64,
    pub queue: Queue,
    pub delay: Delay,
    /// In place of the account's own.
    pub fees: Option<Fees>,
}

impl Default for PaperConfig {
    fn default() -> Self {
        Self { seed: 1, queue: Queue::Conservative, delay: Delay::Measured, fees: None }
    }
}

/// Where a decrease of a displayed quantity happened that no trade explains: see `flashpod_matching::queue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Queue {
    Conservative,
    Proportional,
}

impl Queue {
    pub(crate) fn model(self) -> Box<dyn QueueModel> {
        match self {
            Self::Conservative => Box::new(Conservative),
            Self::Proportional => Box::new(Proportional),
        }
    }
}

/// From the release of a request to its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delay {
    /// What this engine's own requests take: its order calls, or GET /time as long as there are few of these.
    Measured,
    Constant(Nanos),
    /// Rising (probability in ppm, delay), straight lines between them; see [`Delay::table`].
    Table(Vec<(u32, Nanos)>),
}

impl Delay {
    /// From 0 to 1,000,000 ppm, each row above the one before it.
    pub fn table(rows: Vec<(u32, Nanos)>) -> Result<Self, QuantilesError> {
        quantiles(&rows)?;
        Ok(Self::Table(rows))
    }

    /// None: it is measured.
    pub(crate) fn fixed(&self) -> Option<Latency> {
        match self {
            Self::Measured => None,
            Self::Constant(delay) => Some(Latency::Constant(*delay)),
            // Checked where it was made; what was not has the longest of its delays, always.
            Self::Table(rows) => Some(quantiles(rows).map_or_else(
                |_| Latency::Constant(rows.iter().map(|row| row.1).max().unwrap_or_default()),
                Latency::Table,
            )),
        }
    }
}

fn quantiles(rows: &[(u32, Nanos)]) -> Result<Quantiles, QuantilesError> {
    let share = |ppm: u32| f64::from(ppm) / f64::from(WHOLE_PPM);
    Quantiles::new(rows.iter().map(|&(ppm, delay)| (share(ppm), delay)).collect())
}

/// Fractions of a fill's value, e.g. 0.0005.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    pub maker: Amount,
    pub taker: Amount,
}
