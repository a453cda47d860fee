//! How an account's paper orders are matched, as the configuration file says it.

use flashpod_engine::{Delay, Fees, PaperConfig, Queue};
use flashpod_types::{Amount, Nanos};
use serde::Deserialize;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Paper {
    seed: Option<u64>,
    queue: Option<Queue>,
    /// None: as measured.
    delay_micros: Option<u64>,
    /// Both or none; none: as the venue says.
    maker_fee: Option<String>,
    taker_fee: Option<String>,
}

impl Paper {
    /// Or name and value of the field that is no fraction.
    pub(crate) fn to_engine(&self) -> Result<PaperConfig, (&'static str, String)> {
        let preset = PaperConfig::default();
        let fees = match (&self.maker_fee, &self.taker_fee) {
            (None, None) => None,
            (maker, taker) => Some(Fees {
                maker: fraction("makerFee", maker.as_deref())?,
                taker: fraction("takerFee", taker.as_deref())?,
            }),
        };
        Ok(PaperConfig {
            seed: self.seed.unwrap_or(preset.seed),
            queue: self.queue.unwrap_or(preset.queue),
            delay: self.delay_micros.map_or(preset.delay, |micros| Delay::Constant(Nanos(micros * 1000))),
            fees,
        })
    }
}

fn fraction(field: &'static str, text: Option<&str>) -> Result<Amount, (&'static str, String)> {
    let whole = Amount::from(flashpod_types::Qty::from_raw(flashpod_types::Qty::SCALE));
    let wrong = || (field, text.unwrap_or_default().to_owned());
    let value: Amount = text.unwrap_or_default().parse().map_err(|_| wrong())?;
    if value.is_negative() || value >= whole { Err(wrong()) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PaperConfig, String> {
        let paper: Paper = serde_json::from_str(text).map_err(|error| error.to_string())?;
        paper.to_engine().map_err(|(field, value)| format!("{field} {value}"))
    }

    #[test]
    fn every_field_may_be_left_out() {
        assert_eq!(read("{}").unwrap(), PaperConfig::default());
        let text =
            r#"{"seed":7,"queue":"Proportional","delayMicros":1500,"makerFee":"0","takerFee":"0.0005"}"#;
        let all = read(text).unwrap();
        assert_eq!((all.seed, all.queue), (7, Queue::Proportional));
        assert_eq!(all.delay, Delay::Constant(Nanos(1_500_000)));
        assert_eq!(all.fees.unwrap().taker, "0.0005".parse().unwrap());
    }

    #[test]
    fn what_is_no_fraction_is_refused_by_field_and_value() {
        assert_eq!(read(r#"{"makerFee":"0","takerFee":"1"}"#).unwrap_err(), "takerFee 1");
        assert_eq!(read(r#"{"makerFee":"-0.1","takerFee":"0"}"#).unwrap_err(), "makerFee -0.1");
        assert_eq!(read(r#"{"makerFee":"0"}"#).unwrap_err(), "takerFee ");
        assert!(read(r#"{"queue":"Fifo"}"#).unwrap_err().contains("Conservative"));
    }
}
