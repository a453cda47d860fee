//! How long a request on paper takes from its release to its answer.

use flashpod_matching::Latency;
use flashpod_types::Nanos;

use super::config::Delay;

/// Newest round trips kept of each kind.
const KEPT: usize = 256;
/// Order calls from which on these alone are drawn from.
const ENOUGH: usize = 20;
/// Before anything was measured.
const ASSUMED: Nanos = Nanos::from_millis(10);

#[derive(Debug)]
pub(crate) struct Delays {
    fixed: Option<Latency>,
    orders: Newest,
    times: Newest,
    /// State of the generator (splitmix64).
    random: u64,
}

impl Delays {
    /// `run` tells runs with one seed apart.
    pub(crate) fn new(delay: &Delay, seed: u64, run: u64) -> Self {
        let random = seed ^ run.wrapping_mul(0xd1b5_4a32_d192_ed03);
        Self { fixed: delay.fixed(), orders: Newest::default(), times: Newest::default(), random }
    }

    /// A GET /time took this long.
    pub(crate) fn note_time(&mut self, round_trip: Nanos) {
        self.times.push(round_trip);
    }

    /// An order call took this long.
    pub(crate) fn note_order(&mut self, round_trip: Nanos) {
        self.orders.push(round_trip);
    }

    pub(crate) fn draw(&mut self) -> Nanos {
        let random = self.next();
        match &self.fixed {
            Some(model) => model.quantile(uniform(random)),
            None => {
                let measured = if self.orders.0.len() >= ENOUGH { &self.orders } else { &self.times };
                measured.any(random).unwrap_or(ASSUMED)
            }
        }
    }

    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// In (0, 1).
#[allow(clippy::cast_precision_loss)] // 53 bits fit.
fn uniform(random: u64) -> f64 {
    ((random >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The newest of many round trips; to draw any of them is to draw from their distribution.
#[derive(Debug, Default)]
struct Newest(Vec<Nanos>, usize);

impl Newest {
    fn push(&mut self, round_trip: Nanos) {
        if self.0.len() < KEPT {
            self.0.push(round_trip);
        } else {
            self.0[self.1] = round_trip;
            self.1 = (self.1 + 1) % KEPT;
        }
    }

    fn any(&self, random: u64) -> Option<Nanos> {
        let at = random.checked_rem(self.0.len() as u64)?;
        self.0.get(usize::try_from(at).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Nanos {
        Nanos::from_millis(ms)
    }

    fn drawn(delays: &mut Delays, count: usize) -> Vec<Nanos> {
        (0..count).map(|_| delays.draw()).collect()
    }

    #[test]
    fn one_seed_draws_the_same_and_another_run_something_else() {
        let table = Delay::table(vec![(0, ms(1)), (500_000, ms(2)), (1_000_000, ms(9))]).unwrap();
        let of = |seed, run| drawn(&mut Delays::new(&table, seed, run), 50);
        assert_eq!(of(7, 1), of(7, 1));
        assert_ne!(of(7, 1), of(7, 2));
        assert_ne!(of(7, 1), of(8, 1));
    }

    #[test]
    fn a_table_is_drawn_as_it_says() {
        let table = Delay::table(vec![(0, ms(1)), (500_000, ms(2)), (1_000_000, ms(9))]).unwrap();
        let all = drawn(&mut Delays::new(&table, 1, 1), 10_000);
        assert!(all.iter().all(|delay| (ms(1)..=ms(9)).contains(delay)));
        // Half of the draws are to be below the median; 10,000 of them scatter by 50.
        let below = all.iter().filter(|&&delay| delay < ms(2)).count();
        assert!((4_750..=5_250).contains(&below), "{below}");
    }

    #[test]
    fn what_was_measured_is_drawn_and_order_calls_replace_time_queries_once_there_are_enough() {
        let mut delays = Delays::new(&Delay::Measured, 1, 1);
        assert_eq!(delays.draw(), ASSUMED);
        delays.note_time(ms(3));
        for call in 1..=20 {
            assert_eq!(delays.draw(), ms(3), "before order call {call}");
            delays.note_order(ms(100 + call));
        }
        assert!(drawn(&mut delays, 100).iter().all(|&delay| delay > ms(100)));
        for _ in 0..KEPT {
            delays.note_order(ms(5));
        }
        assert!(drawn(&mut delays, 100).iter().all(|&delay| delay == ms(5)), "old ones are forgotten");
    }

    #[test]
    fn a_table_that_is_no_distribution_is_refused() {
        Delay::table(vec![(0, ms(1))]).unwrap_err();
        Delay::table(vec![(0, ms(2)), (1_000_000, ms(1))]).unwrap_err();
        Delay::table(vec![(1, ms(1)), (1_000_000, ms(1))]).unwrap_err();
    }
}
