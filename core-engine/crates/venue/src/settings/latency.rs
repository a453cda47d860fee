//! A latency as the value of a `--set`: constant, log-normal, or a table of measured quantiles.

use std::path::Path;

use flashpod_matching::{Latency, Quantiles};
use flashpod_types::{Nanos, Price};

use super::value::Setting;

/// From 0; 1e-8 ms are 1e-2 ns.
fn millis(text: &str) -> Option<Nanos> {
    let value: Price = text.trim().parse().ok()?;
    u64::try_from(value.raw() / 100).ok().map(Nanos)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

/// Rows `PROBABILITY,MILLISECONDS`; empty ones and those that begin with `#` are passed over.
fn table(path: &str) -> Result<Latency, String> {
    let text = std::fs::read_to_string(Path::new(path)).map_err(|error| format!("{path}: {error}"))?;
    let mut rows = Vec::new();
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    for (at, line) in lines {
        let row = line.split_once(',').and_then(|(p, ms)| Some((number(p)?, millis(ms)?)));
        let row = row.filter(|(p, _)| (0.0..=1.0).contains(p));
        rows.push(row.ok_or_else(|| {
            format!("{path} line {at}: {line:?}; PROBABILITY,MILLISECONDS such as 0.5,1.2 is accepted")
        })?);
    }
    Quantiles::new(rows).map(Latency::Table).map_err(|error| format!("{path}: {error}"))
}

impl Setting for Latency {
    const ACCEPTED: &'static str = "milliseconds, `lognormal:MEDIAN,SIGMA` or `table:FILE`";

    fn read(text: &str) -> Option<Self> {
        Self::try_read(text).ok()
    }

    fn try_read(text: &str) -> Result<Self, String> {
        let refused = || format!("{} is accepted", Self::ACCEPTED);
        if let Some(path) = text.strip_prefix("table:") {
            return table(path);
        }
        let Some(numbers) = text.strip_prefix("lognormal:") else {
            return millis(text).map(Self::Constant).ok_or_else(refused);
        };
        let (median, sigma) = numbers.split_once(',').ok_or_else(refused)?;
        let median = millis(median).ok_or_else(refused)?;
        let sigma = number(sigma).filter(|sigma| (0.0..=5.0).contains(sigma));
        let sigma = sigma.ok_or("SIGMA is a number from 0 to 5")?;
        Ok(Self::LogNormal { median, sigma })
    }

    fn show(&self) -> String {
        let ms =
            |delay: &Nanos| Price::from_raw(i64::try_from(delay.0 * 100).unwrap_or(i64::MAX)).to_string();
        match self {
            Self::Constant(delay) => ms(delay),
            Self::LogNormal { median, sigma } => format!("lognormal:{},{sigma}", ms(median)),
            Self::Table(_) => "table".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        assert_eq!(Latency::read("2.5"), Some(Latency::Constant(Nanos(2_500_000))));
        let median = Nanos::from_millis(3);
        assert_eq!(Latency::read("lognormal:3,0.4"), Some(Latency::LogNormal { median, sigma: 0.4 }));
        assert_eq!(Latency::read("lognormal:3,0.4").map(|l| l.show()), Some("lognormal:3,0.4".into()));
    }

    #[test]
    fn a_table_is_read_from_its_file_or_refused_with_its_line() {
        let file = std::env::temp_dir().join(format!("flashpod-latency-{}.csv", std::process::id()));
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let read = Latency::try_read(&format!("table:{}", file.display()));
            std::fs::remove_file(&file).unwrap();
            read
        };
        let model = read("# measured\n0,1\n0.5, 2\n\n1,10\n").unwrap();
        assert_eq!(model.quantile(0.75), Nanos::from_millis(6));
        for (text, part) in [
            ("0,1\nx,2\n", "line 2: \"x,2\"; PROBABILITY,MILLISECONDS such as 0.5,1.2 is accepted"),
            ("0,1\n1.5,2\n", "line 2"),
            ("0,-1\n1,2\n", "line 1"),
            ("0,1\n0.9,2\n", "the last probability must be 1"),
            ("", "two rows at least are needed"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(part), "{why}");
        }
        assert!(Latency::try_read("table:/nowhere.csv").unwrap_err().starts_with("/nowhere.csv: "));
    }

    #[test]
    fn what_is_no_latency_is_refused_with_what_is_accepted() {
        for text in ["", "-1", "fast", "lognormal:3", "lognormal:x,1", "normal:1,2"] {
            let why = Latency::try_read(text).unwrap_err();
            assert_eq!(why, "milliseconds, `lognormal:MEDIAN,SIGMA` or `table:FILE` is accepted", "{text}");
        }
        assert_eq!(Latency::try_read("lognormal:1,-2").unwrap_err(), "SIGMA is a number from 0 to 5");
    }
}
