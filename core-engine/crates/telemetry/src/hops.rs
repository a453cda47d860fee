//! Times per hop: recorded into a ring by the engine thread, kept in histograms by another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flashpod_engine::Status;
use flashpod_engine::io::{Hop, InstanceName};
use hdrhistogram::Histogram;
use rtrb::{Consumer, Producer, RingBuffer};

/// Samples that may wait for the telemetry thread.
const CAPACITY: usize = 65_536;
/// Longest time that is told apart, ns.
const LONGEST: u64 = 60_000_000_000;

/// Upper bounds of the exposed buckets, ns: three to a decade, from a microsecond to ten seconds.
pub(crate) const BOUNDS: [u64; 22] = [
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Every hop, in the order of the path.
pub const HOPS: [Hop; 12] = [
    Hop::Feed,
    Hop::LastOrder,
    Hop::Ring,
    Hop::Book,
    Hop::Decision,
    Hop::Return,
    Hop::Risk,
    Hop::BudgetWait,
    Hop::ReplaceWait,
    Hop::Send,
    Hop::Ack,
    Hop::TickToOrder,
];

/// The name of a hop in metrics and in CoreStatus.
#[must_use]
pub const fn hop_name(hop: Hop) -> &'static str {
    match hop {
        Hop::Feed => "FEED",
        Hop::LastOrder => "LAST_ORDER",
        Hop::Ring => "RING",
        Hop::Book => "BOOK",
        Hop::Decision => "DECISION",
        Hop::Return => "RETURN",
        Hop::Risk => "RISK",
        Hop::BudgetWait => "BUDGET_WAIT",
        Hop::ReplaceWait => "REPLACE_WAIT",
        Hop::Send => "SEND",
        Hop::Ack => "ACK",
        Hop::TickToOrder => "TICK_TO_ORDER",
    }
}

pub(crate) enum Sample {
    Hop { hop: Hop, nanos: u64, instance: Option<InstanceName> },
    Status(Arc<Status>),
}

/// The engine thread's end. Nothing here waits.
#[derive(Debug)]
pub struct Recorder {
    ring: Producer<Sample>,
    dropped: Arc<AtomicU64>,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hop { hop, nanos, .. } => write!(f, "{hop:?} {nanos}ns"),
            Self::Status(_) => f.write_str("Status"),
        }
    }
}

impl Recorder {
    pub fn hop(&mut self, hop: Hop, nanos: u64, instance: Option<InstanceName>) {
        self.push(Sample::Hop { hop, nanos, instance });
    }

    pub fn status(&mut self, status: Arc<Status>) {
        self.push(Sample::Status(status));
    }

    fn push(&mut self, sample: Sample) {
        if self.ring.push(sample).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The other end of one account's ring.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) ring: Consumer<Sample>,
    pub(crate) dropped: Arc<AtomicU64>,
}

pub(crate) fn ring() -> (Recorder, Source) {
    let (producer, consumer) = RingBuffer::new(CAPACITY);
    let dropped = Arc::new(AtomicU64::new(0));
    (Recorder { ring: producer, dropped: Arc::clone(&dropped) }, Source { ring: consumer, dropped })
}

/// Percentiles of one hop so far, microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HopSummary {
    pub hop: &'static str,
    pub count: u64,
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub max_us: f64,
}

#[derive(Debug)]
pub(crate) struct Recorded {
    histogram: Histogram<u64>,
    /// Samples at or below each bound, not cumulated, and those above the last.
    pub(crate) buckets: [u64; BOUNDS.len() + 1],
    pub(crate) sum_ns: u128,
    pub(crate) count: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Hops {
    pub(crate) by_hop: BTreeMap<Hop, Recorded>,
    tick_to_order: BTreeMap<InstanceName, Recorded>,
}

impl Recorded {
    fn new() -> Self {
        Self { histogram: new_histogram(), buckets: [0; BOUNDS.len() + 1], sum_ns: 0, count: 0 }
    }

    fn add(&mut self, nanos: u64) {
        self.histogram.saturating_record(nanos.max(1));
        self.buckets[BOUNDS.partition_point(|&bound| bound < nanos)] += 1;
        self.sum_ns += u128::from(nanos);
        self.count += 1;
    }

    fn summary(&self, hop: Hop) -> HopSummary {
        let at = |quantile| us(self.histogram.value_at_quantile(quantile));
        HopSummary {
            hop: hop_name(hop),
            count: self.count,
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: us(self.histogram.max()),
        }
    }
}

impl Hops {
    pub(crate) fn record(&mut self, hop: Hop, nanos: u64, instance: Option<InstanceName>) {
        self.by_hop.entry(hop).or_insert_with(Recorded::new).add(nanos);
        if let (Hop::TickToOrder, Some(instance)) = (hop, instance) {
            self.tick_to_order.entry(instance).or_insert_with(Recorded::new).add(nanos);
        }
    }

    pub(crate) fn summaries(&self) -> Vec<HopSummary> {
        self.by_hop.iter().map(|(&hop, recorded)| recorded.summary(hop)).collect()
    }

    /// Tick to order, by instance.
    pub(crate) fn tick_to_order(&self) -> BTreeMap<InstanceName, HopSummary> {
        let summary =
            |(name, recorded): (&InstanceName, &Recorded)| (name.clone(), recorded.summary(Hop::TickToOrder));
        self.tick_to_order.iter().map(summary).collect()
    }
}

#[allow(clippy::expect_used)] // the bounds are constants that the histogram accepts
fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("1 ns to a minute with three digits")
}

#[allow(clippy::cast_precision_loss)] // at most a minute
fn us(nanos: u64) -> f64 {
    nanos as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_a_known_distribution() {
        let mut hops = Hops::default();
        for us in 1..=1000 {
            hops.record(Hop::TickToOrder, us * 1000, (us <= 10).then(|| "a".to_owned()));
        }
        let summary = hops.summaries()[0];
        assert_eq!((summary.hop, summary.count), ("TICK_TO_ORDER", 1000));
        assert_eq!(hops.tick_to_order()["a"].count, 10);
        // Three significant digits.
        for (value, expected) in [
            (summary.p50_us, 500.0),
            (summary.p90_us, 900.0),
            (summary.p99_us, 990.0),
            (summary.max_us, 1000.0),
        ] {
            assert!((value - expected).abs() <= expected / 900.0, "{value} is not {expected}");
        }
    }

    #[test]
    fn a_sample_is_counted_in_the_bucket_whose_bound_it_does_not_pass() {
        let mut hops = Hops::default();
        for nanos in [0, 1_000, 1_001, 10_000_000_000, 10_000_000_001] {
            hops.record(Hop::Ack, nanos, None);
        }
        let recorded = &hops.by_hop[&Hop::Ack];
        assert_eq!((recorded.buckets[0], recorded.buckets[1]), (2, 1));
        assert_eq!((recorded.buckets[21], recorded.buckets[22]), (1, 1));
        assert_eq!(recorded.count, 5);
    }

    #[test]
    fn a_full_ring_drops_and_counts() {
        let (mut recorder, source) = ring();
        for _ in 0..CAPACITY + 3 {
            recorder.hop(Hop::Ring, 1, None);
        }
        assert_eq!(source.dropped.load(Ordering::Relaxed), 3);
    }
}
