//! Where a decrease of a displayed quantity happened, seen from an own order in that queue.

use std::fmt::Debug;

use flashpod_types::Qty;

/// Splits a decrease that no trade explains into a part before and a part behind an own order.
pub trait QueueModel: Debug + Send {
    /// The name used in settings.
    fn name(&self) -> &'static str;

    /// How much of `unexplained` left the `ahead` quantity; `behind` is what stands behind. Never more than
    /// `ahead`, and at least what does not fit behind.
    fn left_ahead(&self, ahead: Qty, behind: Qty, unexplained: Qty) -> Qty;
}

/// Others cancel behind us first: never overstates our place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conservative;

impl QueueModel for Conservative {
    fn name(&self) -> &'static str {
        "conservative"
    }

    fn left_ahead(&self, ahead: Qty, behind: Qty, unexplained: Qty) -> Qty {
        (unexplained - behind).max(Qty::ZERO).min(ahead)
    }
}

/// Every unit of the queue is equally likely to cancel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Proportional;

impl QueueModel for Proportional {
    fn name(&self) -> &'static str {
        "proportional"
    }

    fn left_ahead(&self, ahead: Qty, behind: Qty, unexplained: Qty) -> Qty {
        let total = i128::from(ahead.raw()) + i128::from(behind.raw());
        if total <= 0 {
            return Qty::ZERO;
        }
        let share = i128::from(unexplained.raw()) * i128::from(ahead.raw()) / total;
        let share = Qty::from_raw(i64::try_from(share).unwrap_or(i64::MAX));
        share.max(unexplained - behind).min(ahead).max(Qty::ZERO)
    }
}
