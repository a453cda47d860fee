//! Timing and allocation counts.

use std::alloc::System;
use std::time::Instant;

use serde::Serialize;
use stats_alloc::Region;

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figure {
    /// What was measured.
    pub name: String,
    /// On what.
    pub input: String,
    /// What one operation is.
    pub operation: &'static str,
    /// Operations measured.
    pub n: u64,
    /// Nanoseconds an operation: of all, then over the samples (each a batch of operations).
    pub mean_ns: f64,
    pub median_ns: f64,
    pub p90_ns: f64,
    pub p99_ns: f64,
    pub p999_ns: f64,
    pub max_ns: f64,
    pub samples: usize,
    pub allocations_per_op: f64,
    /// Of the result, to compare runs and machines.
    pub hash: String,
    /// What else there is to say, a line each.
    pub remarks: Vec<String>,
    /// Plain numbers under names that stay: they stand at the top of the JSON.
    #[serde(skip)]
    pub results: Vec<(&'static str, f64)>,
}

impl Figure {
    /// Gives one of its numbers a name that stays.
    pub(crate) fn named(mut self, name: &'static str, number: impl Fn(&Self) -> f64) -> Self {
        self.results.push((name, number(&self)));
        self
    }

    pub(crate) fn remark(mut self, remark: String) -> Self {
        self.remarks.push(remark);
        self
    }
}

/// Collects the samples of one benchmark.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Operations and nanoseconds of each sample.
    samples: Vec<(u64, u64)>,
    allocations: u64,
}

/// What the process allocates from a moment on, on all its threads.
#[derive(Debug)]
pub(crate) struct Allocations(Region<'static, System>);

impl Allocations {
    pub(crate) fn begin() -> Self {
        Self(Region::new(crate::ALLOCATOR))
    }

    pub(crate) fn so_far(&self) -> u64 {
        let change = self.0.change();
        (change.allocations + change.reallocations) as u64
    }
}

impl Meter {
    /// Room for the samples is made beforehand, so that keeping them does not allocate.
    pub(crate) fn with_room(samples: usize) -> Self {
        Self { samples: Vec::with_capacity(samples), allocations: 0 }
    }

    /// Times one batch of `operations`.
    #[expect(clippy::disallowed_methods, reason = "measuring time is what a benchmark is for")]
    pub(crate) fn sample<T>(&mut self, operations: u64, batch: impl FnOnce() -> T) -> T {
        let region = Region::new(crate::ALLOCATOR);
        let start = Instant::now();
        let result = std::hint::black_box(batch());
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let change = region.change();
        self.allocations += (change.allocations + change.reallocations) as u64;
        self.samples.push((operations, nanos));
        result
    }

    /// Adds one operation that was timed elsewhere, e.g. over two threads.
    pub(crate) fn record(&mut self, nanos: u64) {
        self.samples.push((1, nanos));
    }

    /// Adds what the process has allocated since `begun`, for operations that were recorded one by one.
    pub(crate) fn count(&mut self, begun: &Allocations) {
        self.allocations += begun.so_far();
    }

    /// Nanoseconds an operation when the samples are passes over the same `batches` batches: each batch counts with its
    /// median over the passes, so that what the machine did to some of them does not show.
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    pub(crate) fn undisturbed_mean(&self, batches: usize) -> f64 {
        let (mut operations, mut nanos) = (0, 0);
        for batch in 0..batches {
            let mut times: Vec<(u64, u64)> =
                self.samples.iter().skip(batch).step_by(batches).map(|(ops, ns)| (*ns, *ops)).collect();
            times.sort_unstable();
            if let Some((ns, ops)) = times.get(times.len() / 2) {
                operations += ops;
                nanos += ns;
            }
        }
        nanos as f64 / operations.max(1) as f64
    }

    /// Forgets what was measured: ends the warm-up.
    pub(crate) fn reset(&mut self) {
        self.samples.clear();
        self.allocations = 0;
    }

    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    pub(crate) fn figure(self, name: &str, input: String, operation: &'static str, hash: u32) -> Figure {
        let n: u64 = self.samples.iter().map(|sample| sample.0).sum();
        let nanos: u64 = self.samples.iter().map(|sample| sample.1).sum();
        let mut each: Vec<f64> = self
            .samples
            .iter()
            .filter(|(ops, _)| *ops > 0)
            .map(|(ops, ns)| *ns as f64 / *ops as f64)
            .collect();
        each.sort_by(f64::total_cmp);
        Figure {
            name: name.to_owned(),
            input,
            operation,
            n,
            mean_ns: nanos as f64 / n.max(1) as f64,
            median_ns: percentile(&each, 500),
            p90_ns: percentile(&each, 900),
            p99_ns: percentile(&each, 990),
            p999_ns: percentile(&each, 999),
            max_ns: percentile(&each, 1000),
            samples: each.len(),
            allocations_per_op: self.allocations as f64 / n.max(1) as f64,
            hash: format!("{hash:08x}"),
            remarks: Vec::new(),
            results: Vec::new(),
        }
    }
}

/// Nearest rank; zero of nothing.
pub(crate) fn percentile(sorted: &[f64], per_mille: usize) -> f64 {
    let rank = (sorted.len() * per_mille).div_ceil(1000).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let sorted: Vec<f64> = (1..=200).map(f64::from).collect();
        let told = [500, 900, 990, 999, 1000].map(|rank| percentile(&sorted, rank));
        assert_eq!(told.map(f64::to_bits), [100.0, 180.0, 198.0, 200.0, 200.0].map(f64::to_bits));
        assert_eq!(percentile(&[], 500).to_bits(), 0.0_f64.to_bits());
        assert_eq!(percentile(&[7.0], 990).to_bits(), 7.0_f64.to_bits());
    }

    #[test]
    fn allocations_of_the_batch_are_counted_per_operation() {
        let mut meter = Meter::with_room(4);
        meter.sample(10, || Vec::<u8>::with_capacity(100));
        meter.reset();
        for _ in 0..2 {
            meter.sample(10, || (0..5_usize).map(Box::new).collect::<Vec<_>>().len());
        }
        let figure = meter.figure("x", String::new(), "op", 0xab);
        // Other tests of this process may allocate meanwhile, so this is the least.
        assert!(figure.allocations_per_op >= 0.6, "{}", figure.allocations_per_op);
        assert_eq!((figure.n, figure.samples, figure.hash.as_str()), (20, 2, "000000ab"));
    }
}
