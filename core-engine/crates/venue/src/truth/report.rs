//! The errors of each model: of the probability to be filled within a horizon, and of the time to the fill.

use std::fmt::Write;

use flashpod_types::Nanos;
use serde::Serialize;

use super::{Experiment, Probe, Run};

/// Seconds after which fills are counted; the last one is the experiment's own.
const HORIZONS_S: [u64; 4] = [1, 5, 15, 60];
/// Bounds of what stood before an order, in median orders of the crowd.
const AHEAD: [f64; 4] = [0.0, 2.0, 8.0, 32.0];

/// Fills within a horizon: shares of all orders of the group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    pub horizon_s: u64,
    pub truth: f64,
    pub model: f64,
    /// Model less truth.
    pub error: f64,
    pub only_truth: f64,
    pub only_model: f64,
}

/// Time to the fill, model less truth, of orders that both saw filled; milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    pub orders: usize,
    pub bias: f64,
    pub mean_absolute: f64,
    pub p5: f64,
    pub p25: f64,
    pub p50: f64,
    pub p75: f64,
    pub p95: f64,
    /// Share of orders that the model filled before the truth did, and by how much at most.
    pub early: f64,
    pub earliest: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// What stood before its orders, in median orders of the crowd: `all`, `0`, `0–2`, ….
    pub ahead: String,
    pub orders: usize,
    /// Share of the true fills that an arriving quote brought: no trade tells a model of them.
    pub filled_by_quotes: f64,
    pub fill_probability: Vec<Share>,
    pub fill_time_ms: Option<Errors>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelReport {
    pub name: &'static str,
    /// All orders first, then by queue position.
    pub groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub symbol: &'static str,
    pub tick: String,
    pub seed: u64,
    pub orders: usize,
    pub refused: u64,
    pub cadence_ms: u64,
    pub models: Vec<ModelReport>,
}

fn within(fill: Option<Nanos>, horizon: Nanos) -> bool {
    fill.is_some_and(|after| after <= horizon)
}

#[allow(clippy::cast_precision_loss)]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / (values.len().max(1)) as f64
}

/// Rounded to six places, so that reports compare and read well.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn shares(probes: &[&Probe], model: usize, longest: Nanos) -> Vec<Share> {
    let horizons = HORIZONS_S.into_iter().filter(|s| Nanos::from_secs(*s) <= longest);
    horizons
        .map(|horizon_s| {
            let horizon = Nanos::from_secs(horizon_s);
            #[allow(clippy::cast_precision_loss)]
            let share = |which: &dyn Fn(bool, bool) -> bool| {
                let hits = probes
                    .iter()
                    .filter(|p| which(within(p.truth, horizon), within(p.models[model], horizon)))
                    .count();
                round(hits as f64 / probes.len().max(1) as f64)
            };
            let (truth, by_model) = (share(&|t, _| t), share(&|_, m| m));
            Share {
                horizon_s,
                truth,
                model: by_model,
                error: round(by_model - truth),
                only_truth: share(&|t, m| t && !m),
                only_model: share(&|t, m| m && !t),
            }
        })
        .collect()
}

fn errors(probes: &[&Probe], model: usize) -> Option<Errors> {
    #[allow(clippy::cast_precision_loss)]
    let error = |probe: &&Probe| {
        let (truth, by_model) = (probe.truth?, probe.models[model]?);
        Some((by_model.0 as f64 - truth.0 as f64) / 1e6)
    };
    let mut errors: Vec<f64> = probes.iter().filter_map(error).collect();
    if errors.is_empty() {
        return None;
    }
    errors.sort_by(f64::total_cmp);
    // The nearest rank.
    let quantile = |percent: usize| round(errors[(errors.len() - 1) * percent / 100]);
    let early: Vec<f64> = errors.iter().map(|e| f64::from(u8::from(*e < 0.0))).collect();
    Some(Errors {
        orders: errors.len(),
        bias: round(mean(&errors)),
        mean_absolute: round(mean(&errors.iter().map(|e| e.abs()).collect::<Vec<_>>())),
        p5: quantile(5),
        p25: quantile(25),
        p50: quantile(50),
        p75: quantile(75),
        p95: quantile(95),
        early: round(mean(&early)),
        earliest: round(errors[0].min(0.0).abs()),
    })
}

fn group(ahead: String, probes: &[&Probe], model: usize, longest: Nanos) -> Group {
    let filled = probes.iter().filter(|probe| probe.truth.is_some());
    let by_quotes: Vec<f64> = filled.map(|probe| f64::from(u8::from(probe.by_quote))).collect();
    Group {
        ahead,
        orders: probes.len(),
        filled_by_quotes: round(mean(&by_quotes)),
        fill_probability: shares(probes, model, longest),
        fill_time_ms: errors(probes, model),
    }
}

impl Report {
    #[must_use]
    pub fn new(experiment: &Experiment, run: &Run) -> Self {
        let model = |(index, name): (usize, &&'static str)| {
            let all: Vec<&Probe> = run.probes.iter().collect();
            let mut groups = vec![group("all".to_owned(), &all, index, experiment.horizon)];
            for (at, upper) in AHEAD.iter().map(|bound| Some(*bound)).chain([None]).enumerate() {
                let lower = if at == 0 { f64::NEG_INFINITY } else { AHEAD[at - 1] };
                let inside = |ahead: f64| ahead > lower && upper.is_none_or(|upper| ahead <= upper);
                let some: Vec<&Probe> = all.iter().copied().filter(|probe| inside(probe.ahead)).collect();
                let name = match (at, upper) {
                    (0, _) => "0".to_owned(),
                    (_, Some(upper)) => format!("{lower}–{upper}"),
                    (_, None) => format!("> {lower}"),
                };
                groups.push(group(name, &some, index, experiment.horizon));
            }
            ModelReport { name, groups }
        };
        Self {
            symbol: experiment.profile.symbol,
            tick: format!("{}", 10_f64.powi(-i32::try_from(experiment.profile.price_places).unwrap_or(0))),
            seed: experiment.seed,
            orders: run.probes.len(),
            refused: run.refused,
            cadence_ms: experiment.cadence.as_millis(),
            models: run.models.iter().enumerate().map(model).collect(),
        }
    }

    /// Tables in Markdown.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { symbol, tick, seed, orders, refused, cadence_ms, .. } = self;
        let mut text = format!(
            "{orders} orders of one lot on {symbol} with a tick of {tick}, seed {seed}, depth every {cadence_ms} ms; \
             {refused} more would have taken.\n\n\
             Filled within … seconds, percent, truth / model; and of the true fills those that an arriving quote \
             brought, of which no trade tells:\n\n"
        );
        let percent = |share: f64| format!("{:.1}", share * 100.0);
        let horizons: Vec<u64> = self.models.first().map_or_else(Vec::new, |model| {
            model.groups[0].fill_probability.iter().map(|share| share.horizon_s).collect()
        });
        let heads: String = horizons.iter().map(|s| format!(" {s} s |")).collect();
        let rules = "---|".repeat(horizons.len());
        let _ = write!(text, "| model | ahead | orders |{heads} by quotes |\n|---|---|---|{rules}---|\n");
        for (model, group) in self.models.iter().flat_map(|m| m.groups.iter().map(move |g| (m, g))) {
            let cells: String = group
                .fill_probability
                .iter()
                .map(|share| format!(" {} / {} |", percent(share.truth), percent(share.model)))
                .collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} |{cells} {} |",
                model.name,
                group.ahead,
                group.orders,
                percent(group.filled_by_quotes)
            );
        }
        text.push_str(
            "\nTime to the fill, model less truth, ms, of orders that both saw filled:\n\n\
             | model | ahead | orders | bias | mean absolute | p5 | p25 | p50 | p75 | p95 | early | earliest |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        for (model, group) in self.models.iter().flat_map(|m| m.groups.iter().map(move |g| (m, g))) {
            let Some(e) = &group.fill_time_ms else { continue };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} % | {:.0} |",
                model.name,
                group.ahead,
                e.orders,
                e.bias,
                e.mean_absolute,
                e.p5,
                e.p25,
                e.p50,
                e.p75,
                e.p95,
                percent(e.early),
                e.earliest
            );
        }
        text
    }
}
