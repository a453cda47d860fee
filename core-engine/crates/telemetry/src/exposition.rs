//! Prometheus text from readings and histograms.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::hops::{BOUNDS, Hops, hop_name};
use crate::readings::{Kind, Reading};

/// The text of one scrape.
pub(crate) fn encode(readings: Vec<Reading>, hops: &Hops) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("flashpod_core");
    registry.register_collector(Box::new(Scrape { readings, hops: buckets(hops) }));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct HopBuckets {
    hop: &'static str,
    sum_s: f64,
    count: u64,
    /// Upper bound in seconds and the samples between it and the one before.
    buckets: Vec<(f64, u64)>,
}

#[allow(clippy::cast_precision_loss)] // seconds for a dashboard
fn buckets(hops: &Hops) -> Vec<HopBuckets> {
    let bounds = BOUNDS.iter().map(|&bound| bound as f64 / 1e9).chain([f64::INFINITY]);
    hops.by_hop
        .iter()
        .map(|(&hop, recorded)| HopBuckets {
            hop: hop_name(hop),
            sum_s: recorded.sum_ns as f64 / 1e9,
            count: recorded.count,
            buckets: bounds.clone().zip(recorded.buckets).collect(),
        })
        .collect()
}

#[derive(Debug)]
struct Scrape {
    readings: Vec<Reading>,
    hops: Vec<HopBuckets>,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut families: BTreeMap<&str, Vec<&Reading>> = BTreeMap::new();
        for reading in &self.readings {
            families.entry(reading.name).or_default().push(reading);
        }
        for (name, readings) in families {
            let first = readings[0];
            let kind = match first.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
            };
            Family(&readings).encode(encoder.encode_descriptor(name, first.help, None, kind)?)?;
        }
        let help = "Time of one hop of the path of an order; TICK_TO_ORDER is without BUDGET_WAIT";
        let hops = encoder.encode_descriptor("hop_seconds", help, None, MetricType::Histogram)?;
        HopFamily(&self.hops).encode(hops)
    }
}

struct Family<'a>(&'a [&'a Reading]);

impl EncodeMetric for Family<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for reading in self.0 {
            if reading.labels.is_empty() {
                // A family member without labels would be written with empty braces.
                encode_value(reading, &mut encoder)?;
            } else {
                encode_value(reading, &mut encoder.encode_family(&reading.labels)?)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Unknown
    }
}

fn encode_value(reading: &Reading, encoder: &mut MetricEncoder<'_>) -> Result<(), fmt::Error> {
    match reading.kind {
        Kind::Counter => encoder.encode_counter::<NoLabelSet, _, f64>(&reading.value, None),
        Kind::Gauge => encoder.encode_gauge(&reading.value),
    }
}

struct HopFamily<'a>(&'a [HopBuckets]);

impl EncodeMetric for HopFamily<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for hop in self.0 {
            encoder.encode_family(&[("hop", hop.hop)])?.encode_histogram::<NoLabelSet>(
                hop.sum_s,
                hop.count,
                &hop.buckets,
                None,
            )?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use flashpod_engine::io::Hop;

    use super::*;

    #[test]
    fn a_scrape_has_families_with_their_members_together_and_cumulative_buckets() {
        let mut hops = Hops::default();
        for nanos in [900, 2_000, 2_000, 20_000_000_000] {
            hops.record(Hop::Send, nanos, None);
        }
        let readings = vec![
            Reading::counter("instance_orders", "Orders", &[("instance", "a")], 3),
            Reading::gauge("account_ready", "Ready", &[("account", "ma\"in")], 1.0),
            Reading::counter("instance_orders", "Orders", &[("instance", "b")], 4),
        ];
        let text = encode(readings, &hops).unwrap();
        let expected = [
            "# TYPE flashpod_core_account_ready gauge",
            "flashpod_core_account_ready{account=\"ma\\\"in\"} 1.0",
            "# TYPE flashpod_core_instance_orders counter",
            "flashpod_core_instance_orders_total{instance=\"a\"} 3.0",
            "flashpod_core_instance_orders_total{instance=\"b\"} 4.0",
            "# TYPE flashpod_core_hop_seconds histogram",
            "flashpod_core_hop_seconds_count{hop=\"SEND\"} 4",
            "flashpod_core_hop_seconds_bucket{le=\"0.000001\",hop=\"SEND\"} 1",
            "flashpod_core_hop_seconds_bucket{le=\"10.0\",hop=\"SEND\"} 3",
            "flashpod_core_hop_seconds_bucket{le=\"+Inf\",hop=\"SEND\"} 4",
            "# EOF",
        ];
        let mut rest = text.as_str();
        for line in expected {
            let at =
                rest.find(line).unwrap_or_else(|| panic!("{line:?} is not where it should be in\n{text}"));
            rest = &rest[at + line.len()..];
        }
        assert!(text.matches("_bucket{").count() <= 24);
    }
}
