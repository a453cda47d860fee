//! How long something is on its way. Randomness is the caller's: a model turns a uniform number into a delay by
//! the inverse of its distribution function.

use flashpod_types::Nanos;

/// A distribution of delays.
#[derive(Debug, Clone, PartialEq)]
pub enum Latency {
    Constant(Nanos),
    /// `median × exp(sigma × standard normal)`.
    LogNormal {
        median: Nanos,
        sigma: f64,
    },
    Table(Quantiles),
}

/// Measured quantiles with straight lines between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiles(Vec<(f64, Nanos)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantilesError {
    #[error("two rows at least are needed: 0,SHORTEST and 1,LONGEST")]
    TooFew,
    #[error("the first probability must be 0")]
    NoStart,
    #[error("the last probability must be 1")]
    NoEnd,
    #[error("row {0}: the probability must be above the one before it")]
    Probability(usize),
    #[error("row {0}: the delay must not be below the one before it")]
    Delay(usize),
}

impl Quantiles {
    /// `rows` are (probability, delay), from probability 0 to 1, rising. Rows count from 1 in errors.
    #[expect(clippy::float_cmp, reason = "the ends are exact numbers")]
    pub fn new(rows: Vec<(f64, Nanos)>) -> Result<Self, QuantilesError> {
        let (Some(first), Some(last), true) = (rows.first(), rows.last(), rows.len() > 1) else {
            return Err(QuantilesError::TooFew);
        };
        if first.0 != 0.0 {
            return Err(QuantilesError::NoStart);
        }
        for (at, pair) in rows.windows(2).enumerate() {
            if pair[1].0 <= pair[0].0 || pair[1].0.is_nan() {
                return Err(QuantilesError::Probability(at + 2));
            }
            if pair[1].1 < pair[0].1 {
                return Err(QuantilesError::Delay(at + 2));
            }
        }
        if last.0 != 1.0 {
            return Err(QuantilesError::NoEnd);
        }
        Ok(Self(rows))
    }

    fn at(&self, p: f64) -> Nanos {
        let above = self.0.partition_point(|(q, _)| *q < p).clamp(1, self.0.len() - 1);
        let ((p0, d0), (p1, d1)) = (self.0[above - 1], self.0[above]);
        let share = ((p - p0) / (p1 - p0)).clamp(0.0, 1.0);
        scale(d1.since(d0), share) + d0
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn scale(span: Nanos, factor: f64) -> Nanos {
    Nanos((span.0 as f64 * factor).round() as u64)
}

impl Latency {
    /// Whether every delay is zero.
    #[must_use]
    pub fn is_none(&self) -> bool {
        match self {
            Self::Constant(delay) => delay.0 == 0,
            Self::LogNormal { median, .. } => median.0 == 0,
            Self::Table(table) => table.0.last().is_none_or(|(_, longest)| longest.0 == 0),
        }
    }

    /// The delay of probability `p`; `p` uniform in (0, 1) makes a draw.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Nanos {
        match self {
            Self::Constant(delay) => *delay,
            Self::LogNormal { median, sigma } => scale(*median, (sigma * normal_quantile(p)).exp()),
            Self::Table(table) => table.at(p),
        }
    }

    /// Whether a draw is needed at all.
    #[must_use]
    pub fn is_random(&self) -> bool {
        !matches!(self, Self::Constant(_))
    }
}

/// Inverse of the standard normal distribution function: Acklam's rational approximation, relative error 1.2e-9.
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
    const LOW: f64 = 0.02425;
    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |q: f64| horner(&C, q) / (horner(&D, q) * q + 1.0);
    let p = p.clamp(1e-300, 1.0 - 1e-16);
    if p < LOW {
        tail((-2.0 * p.ln()).sqrt())
    } else if p > 1.0 - LOW {
        -tail((-2.0 * (1.0 - p).ln()).sqrt())
    } else {
        let q = p - 0.5;
        let r = q * q;
        horner(&A, r) * q / (horner(&B, r) * r + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_quantiles_are_those_of_the_tables() {
        // Abramowitz and Stegun, table 26.5.
        for (p, x) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.99, 2.326_347_874), (0.001, -3.090_232_306)] {
            assert!((normal_quantile(p) - x).abs() < 1e-8, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn a_log_normal_has_its_median_in_the_middle_and_its_sigma_at_84_percent() {
        let model = Latency::LogNormal { median: Nanos::from_millis(10), sigma: 0.5 };
        assert_eq!(model.quantile(0.5), Nanos::from_millis(10));
        // One standard deviation: 0.841344746; 10 ms × e^0.5.
        let at = model.quantile(0.841_344_746).0 as f64 / 1e6;
        assert!((at - 16.487_212_7).abs() < 1e-5, "{at}");
    }

    #[test]
    fn a_table_is_straight_between_its_rows() {
        let ms = Nanos::from_millis;
        let table = Quantiles::new(vec![(0.0, ms(1)), (0.5, ms(2)), (1.0, ms(10))]).unwrap();
        let model = Latency::Table(table);
        let seen = [0.0, 0.25, 0.5, 0.75, 1.0].map(|p| model.quantile(p));
        assert_eq!(seen, [ms(1), Nanos(1_500_000), ms(2), ms(6), ms(10)]);
    }

    #[test]
    fn tables_that_make_no_distribution_are_refused() {
        let ms = Nanos::from_millis;
        let refused = |rows: &[(f64, u64)]| {
            Quantiles::new(rows.iter().map(|(p, d)| (*p, ms(*d))).collect()).unwrap_err()
        };
        assert_eq!(refused(&[(0.0, 1)]), QuantilesError::TooFew);
        assert_eq!(refused(&[(0.1, 1), (1.0, 2)]), QuantilesError::NoStart);
        assert_eq!(refused(&[(0.0, 1), (0.9, 2)]), QuantilesError::NoEnd);
        assert_eq!(refused(&[(0.0, 1), (0.5, 2), (0.5, 3), (1.0, 4)]), QuantilesError::Probability(3));
        assert_eq!(refused(&[(0.0, 1), (0.5, 3), (1.0, 2)]), QuantilesError::Delay(3));
    }
}
