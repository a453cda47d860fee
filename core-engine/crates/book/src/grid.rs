//! Prices as whole numbers of ticks, without a division.

use flashpod_types::Price;

/// The grid on which the prices of one side lie: the multiples of one tick.
///
/// A price is divided by multiplying with the inverse of the tick's odd part modulo 2^64 and rotating its factors of
/// two out. For a multiple of the tick that is the quotient; for every other number it is larger than any quotient
/// (Granlund and Montgomery, "Division by Invariant Integers using Multiplication", 1994, section 9), so one
/// comparison tells both apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    tick: i64,
    inverse: u64,
    shift: u32,
    /// The largest quotient of a price.
    most: u64,
}

/// A window must span at least this part of the best price, or strays are suspected of having made the grid too fine.
const FINEST_SHARE: i64 = 256;

impl Grid {
    /// Of a tick of at least 1 raw unit.
    pub(crate) const fn new(tick: i64) -> Self {
        let tick = if tick < 1 { 1 } else { tick };
        let shift = tick.trailing_zeros();
        let odd = tick.unsigned_abs() >> shift;
        // Newton: an odd number is its own inverse in the lowest three bits; each step doubles them.
        let mut inverse = odd;
        let mut step = 0;
        while step < 5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
            step += 1;
        }
        Self { tick, inverse, shift, most: (i64::MAX / tick).unsigned_abs() }
    }

    pub(crate) const fn tick(&self) -> i64 {
        self.tick
    }

    /// How many ticks a price has; none when it is negative or lies between two ticks.
    #[inline]
    pub(crate) const fn ticks(&self, price: Price) -> Option<i64> {
        let quotient = price.raw().cast_unsigned().wrapping_mul(self.inverse).rotate_right(self.shift);
        if quotient <= self.most { Some(quotient.cast_signed()) } else { None }
    }

    /// The price of so many ticks.
    #[inline]
    pub(crate) const fn price(&self, ticks: i64) -> Price {
        Price::from_raw(ticks * self.tick)
    }

    /// The grid that prices lie on, as coarse as may be: `window` ticks are at hand at a time. A few strays do not
    /// decide; they are kept elsewhere. None: there is no positive price.
    pub(crate) fn of(
        prices: impl Iterator<Item = Price> + Clone,
        best: Price,
        window: usize,
    ) -> Option<Self> {
        let positive = prices.map(Price::raw).filter(|price| *price > 0);
        let finest = positive.clone().fold(0, gcd);
        if finest == 0 {
            return None;
        }
        let window = i64::try_from(window).unwrap_or(i64::MAX);
        if finest.saturating_mul(window) >= best.raw() / FINEST_SHARE {
            return Some(Self::new(finest));
        }
        let count = positive.clone().count();
        let mut power = 1;
        let mut chosen = finest;
        while let Some(next) = i64::checked_mul(power, 10) {
            power = next;
            let on = positive.clone().filter(|price| price % power == 0);
            // Fifteen of sixteen.
            if on.clone().count() * 16 < count * 15 {
                break;
            }
            chosen = on.fold(0, gcd);
        }
        Some(Self::new(chosen))
    }
}

const fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raw(price: i64) -> Price {
        Price::from_raw(price)
    }

    #[test]
    fn strays_do_not_make_the_grid_too_fine() {
        let whole: Vec<Price> = (0..100).map(|n| raw(6_000_000_000_000 + n * 1_000_000)).collect();
        let grid = Grid::of(whole.iter().copied(), whole[99], 1 << 15).unwrap();
        assert_eq!(grid.tick(), 1_000_000);
        let strays = whole.iter().copied().chain([raw(6_000_000_000_007)]);
        assert_eq!(Grid::of(strays, whole[99], 1 << 15).unwrap().tick(), 1_000_000);
        let fine: Vec<Price> = (0..100).map(|n| raw(6_000_000_000_000 + n * 7)).collect();
        assert_eq!(Grid::of(fine.iter().copied(), fine[99], 1 << 15).unwrap().tick(), 1);
        assert_eq!(Grid::of([raw(0), raw(-5)].into_iter(), raw(0), 1 << 15), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_quotient_is_that_of_a_division(
            tick in prop_oneof![1_i64..1_000, Just(1_000_000), Just(50_000_000), Just(i64::MAX), any::<i64>()],
            price in prop_oneof![any::<i64>(), 0_i64..10_000_000],
            times in any::<i64>(),
        ) {
            let grid = Grid::new(tick);
            let tick = tick.max(1);
            for price in [price, tick.checked_mul(times).unwrap_or(price), price / tick * tick] {
                let expected = (price >= 0 && price % tick == 0).then(|| price / tick);
                prop_assert_eq!(grid.ticks(raw(price)), expected);
                if let Some(ticks) = expected {
                    prop_assert_eq!(grid.price(ticks), raw(price));
                }
            }
        }
    }
}
