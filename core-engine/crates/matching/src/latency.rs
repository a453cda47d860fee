//! How long an order is on its way inside the venue.

use flashpod_types::Nanos;

/// Every request reaches the matching engine the same time after it arrived, so arrivals keep their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConstantLatency(pub Nanos);

impl ConstantLatency {
    #[must_use]
    pub fn effective_at(self, arrived: Nanos) -> Nanos {
        arrived + self.0
    }
}
