//! The table on the terminal and the JSON file.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::meter::Figure;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    machine: Machine,
    figures: Vec<Row>,
    not_run: Vec<NotRun>,
    /// The numbers that budgets name.
    #[serde(flatten)]
    results: BTreeMap<&'static str, f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Machine {
    cpu: String,
    cpus: usize,
    architecture: &'static str,
    /// Whether optimised as a release is.
    optimised: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    section: &'static str,
    #[serde(flatten)]
    figure: Figure,
}

#[derive(Debug, Serialize)]
struct NotRun {
    section: &'static str,
    reason: String,
}

impl Report {
    pub(crate) fn new() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let machine = Machine {
            cpu: cpu.map_or_else(|| "unknown CPU".to_owned(), |(_, name)| name.trim().to_owned()),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            architecture: std::env::consts::ARCH,
            optimised: !cfg!(debug_assertions),
        };
        Self { machine, figures: Vec::new(), not_run: Vec::new(), results: BTreeMap::new() }
    }

    pub(crate) fn machine_line(&self) -> String {
        let Machine { cpu, cpus, architecture, optimised } = &self.machine;
        let build = if *optimised { "optimised build" } else { "DEBUG BUILD: times mean nothing" };
        format!("{cpu}, {cpus} CPUs, {architecture}, {build}")
    }

    pub(crate) fn add(&mut self, section: &'static str, figure: Figure) {
        let Figure { name, input, operation, n, mean_ns, median_ns, p90_ns, p99_ns, p999_ns, max_ns, .. } =
            &figure;
        println!("  {name}");
        println!("    input        {input}");
        println!("    n            {n} × {operation} in {} samples", figure.samples);
        println!(
            "    ns/{operation:<9} mean {mean_ns:.1}, median {median_ns:.1}, p90 {p90_ns:.1}, p99 {p99_ns:.1}, p99.9 {p999_ns:.1}, max {max_ns:.1}"
        );
        println!("    allocations  {:.3} per {operation}", figure.allocations_per_op);
        println!("    result hash  {}", figure.hash);
        for remark in &figure.remarks {
            println!("    {remark}");
        }
        for (name, number) in &figure.results {
            println!("    {name} = {number:.3}");
        }
        self.results.extend(figure.results.iter().copied());
        self.figures.push(Row { section, figure });
    }

    pub(crate) fn not_run(&mut self, section: &'static str, reason: String) {
        println!("  NOT RUN: {reason}");
        self.not_run.push(NotRun { section, reason });
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.not_run.is_empty()
    }

    pub(crate) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}
