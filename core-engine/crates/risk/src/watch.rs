//! Loss limits: what a strategy, or a whole account, lost since the day began and since its best moment. What reaches
//! a limit stays stopped until somebody resets it: neither a new day nor a restart nor a recovery lifts it.

use flashpod_types::{Amount, Nanos};
use serde::{Deserialize, Serialize};

/// A day of UTC.
const DAY: Nanos = Nanos::from_secs(86_400);

/// None: not set. Amounts are in the quote asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LossLimits {
    /// Since 00:00 UTC.
    pub max_daily_loss: Option<Amount>,
    /// From the highest profit so far.
    pub max_drawdown: Option<Amount>,
}

impl LossLimits {
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.max_daily_loss.is_some() || self.max_drawdown.is_some()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LossRule {
    DailyLoss,
    Drawdown,
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    pub rule: LossRule,
    pub lost: Amount,
    pub limit: Amount,
    /// Since 1970.
    pub at: Nanos,
}

/// What must be remembered to judge a profit. One for each quote asset. It begins with the first profit it is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// What instances brought that have ended.
    pub carried: Amount,
    /// Days since 1970 by which the daily loss is counted; it never goes back.
    pub day: u64,
    /// Profit when that day began.
    pub day_start: Amount,
    /// Highest profit.
    pub peak: Amount,
    pub breach: Option<Breach>,
}

impl Watch {
    /// Begins, or begins anew: a reset. `profit` is that of what runs now, realised and unrealised, after fees.
    #[must_use]
    pub fn begun(self, profit: Amount, at: Nanos) -> Self {
        let total = self.carried + profit;
        Self { day: self.day.max(day_of(at)), day_start: total, peak: total, breach: None, ..self }
    }

    /// After this profit was seen. `at` is since 1970.
    #[must_use]
    pub fn observed(self, profit: Amount, at: Nanos, limits: &LossLimits) -> Self {
        let total = self.carried + profit;
        let mut next = Self { peak: self.peak.max(total), ..self };
        if day_of(at) > self.day {
            (next.day, next.day_start) = (day_of(at), total);
        }
        next.breach = self.breach.or_else(|| next.judge(profit, at, limits));
        next
    }

    fn judge(&self, profit: Amount, at: Nanos, limits: &LossLimits) -> Option<Breach> {
        let reached = |rule, lost: Amount, limit: Option<Amount>| {
            let limit = limit.filter(|&limit| lost >= limit)?;
            Some(Breach { rule, lost, limit, at })
        };
        reached(LossRule::DailyLoss, self.day_loss(profit), limits.max_daily_loss)
            .or_else(|| reached(LossRule::Drawdown, self.drawdown(profit), limits.max_drawdown))
    }

    /// What runs now ends with this profit: another instance begins at nothing.
    #[must_use]
    pub fn ended(self, profit: Amount) -> Self {
        Self { carried: self.carried + profit, ..self }
    }

    /// Negative: a gain.
    #[must_use]
    pub fn day_loss(&self, profit: Amount) -> Amount {
        self.day_start - (self.carried + profit)
    }

    #[must_use]
    pub fn drawdown(&self, profit: Amount) -> Amount {
        self.peak - (self.carried + profit)
    }
}

/// Days since 1970, UTC.
#[must_use]
pub const fn day_of(at: Nanos) -> u64 {
    at.0 / DAY.0
}

/// How long until the next day begins.
#[must_use]
pub const fn next_day(at: Nanos) -> Nanos {
    Nanos(DAY.0 - at.0 % DAY.0)
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
