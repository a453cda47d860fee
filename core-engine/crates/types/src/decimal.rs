//! Exact decimals in fixed point.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

/// Why a decimal text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalError {
    /// Nothing to read, or no digit in it.
    Empty,
    /// A character that is neither a digit, one leading minus, nor one point.
    Malformed,
    /// More non-zero places after the point than the type keeps (8 for prices and quantities, 16 for amounts).
    TooPrecise,
    /// Larger than the type holds.
    Overflow,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty; a decimal number such as 12.5 is expected",
            Self::Malformed => "is not a plain decimal number (digits, at most one point, no exponent)",
            Self::TooPrecise => "has more decimal places than can be kept exactly",
            Self::Overflow => "is too large",
        })
    }
}

impl std::error::Error for DecimalError {}

/// Reads plain decimal text into an integer scaled by 10^`places`. Zeros beyond the last place are accepted.
fn parse_scaled(text: &[u8], places: u32) -> Result<i128, DecimalError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return Err(DecimalError::Empty);
    }
    let mut value: i128 = 0;
    let mut seen_digit = false;
    let mut fraction: Option<u32> = None;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                match &mut fraction {
                    Some(count) if *count == places => {
                        if byte != b'0' {
                            return Err(DecimalError::TooPrecise);
                        }
                        continue;
                    }
                    Some(count) => *count += 1,
                    None => {}
                }
                value = value
                    .checked_mul(10)
                    .and_then(|v| v.checked_add(i128::from(byte - b'0')))
                    .ok_or(DecimalError::Overflow)?;
            }
            b'.' if fraction.is_none() => fraction = Some(0),
            _ => return Err(DecimalError::Malformed),
        }
    }
    if !seen_digit {
        return Err(DecimalError::Empty);
    }
    let missing = places - fraction.unwrap_or(0);
    let value = value.checked_mul(10_i128.pow(missing)).ok_or(DecimalError::Overflow)?;
    Ok(if negative { -value } else { value })
}

/// Writes a scaled integer as the shortest plain decimal text.
#[inline]
fn format_scaled(value: i128, places: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let magnitude = value.unsigned_abs();
    let scale = 10_u64.pow(places);
    let mut text = Backwards::new();
    // Nearly every number fits 64 bits, whose division is quick.
    if let Ok(small) = u64::try_from(magnitude) {
        text.fraction(small % scale, places);
        text.whole(small / scale);
    } else {
        let scale = u128::from(scale);
        text.fraction(u64::try_from(magnitude % scale).unwrap_or_default(), places);
        text.large(magnitude / scale);
    }
    if value < 0 {
        text.put(b'-');
    }
    f.write_str(text.as_str())
}

/// A number's text, made from its end.
struct Backwards {
    /// 39 digits, a point and a sign, and room to spare.
    bytes: [u8; 48],
    at: usize,
}

impl Backwards {
    const fn new() -> Self {
        Self { bytes: [0; 48], at: 48 }
    }

    #[inline]
    fn put(&mut self, byte: u8) {
        self.at -= 1;
        self.bytes[self.at] = byte;
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // one digit
    fn digit(&mut self, number: u64) {
        self.put(b'0' + (number % 10) as u8);
    }

    /// The point and what is behind it, without zeros at its end.
    #[inline]
    fn fraction(&mut self, mut fraction: u64, places: u32) {
        if fraction == 0 {
            return;
        }
        let mut width = places;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        for _ in 0..width {
            self.digit(fraction);
            fraction /= 10;
        }
        self.put(b'.');
    }

    #[inline]
    fn whole(&mut self, mut whole: u64) {
        loop {
            self.digit(whole);
            whole /= 10;
            if whole == 0 {
                break;
            }
        }
    }

    #[cold]
    fn large(&mut self, mut whole: u128) {
        while u64::try_from(whole).is_err() {
            self.digit(u64::try_from(whole % 10).unwrap_or_default());
            whole /= 10;
        }
        self.whole(u64::try_from(whole).unwrap_or_default());
    }

    fn as_str(&self) -> &str {
        // Only digits, a point and a sign get in.
        std::str::from_utf8(&self.bytes[self.at..]).unwrap_or_default()
    }
}

macro_rules! decimal {
    ($(#[$doc:meta])* $name:ident, $raw:ty, $places:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $name($raw);

        impl $name {
            /// Decimal places kept exactly.
            pub const PLACES: u32 = $places;
            /// Raw units in one.
            pub const SCALE: $raw = (10 as $raw).pow($places);
            pub const ZERO: Self = Self(0);
            pub const MAX: Self = Self(<$raw>::MAX);

            /// From raw units of 10^-PLACES.
            #[must_use]
            pub const fn from_raw(raw: $raw) -> Self {
                Self(raw)
            }

            /// In raw units of 10^-PLACES.
            #[must_use]
            pub const fn raw(self) -> $raw {
                self.0
            }

            /// Reads plain decimal text (`-12.5`), exactly or not at all.
            pub fn parse(text: &[u8]) -> Result<Self, DecimalError> {
                let scaled = parse_scaled(text, $places)?;
                <$raw>::try_from(scaled).map(Self).map_err(|_| DecimalError::Overflow)
            }

            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            #[must_use]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            #[must_use]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }

            #[must_use]
            pub fn min(self, other: Self) -> Self {
                Ord::min(self, other)
            }

            #[must_use]
            pub fn max(self, other: Self) -> Self {
                Ord::max(self, other)
            }

            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }

            /// The nearest double: for display and signals, never for money that is booked.
            #[must_use]
            #[allow(clippy::cast_precision_loss)]
            pub fn to_f64(self) -> f64 {
                self.0 as f64 / Self::SCALE as f64
            }
        }

        impl FromStr for $name {
            type Err = DecimalError;
            fn from_str(text: &str) -> Result<Self, DecimalError> {
                Self::parse(text.as_bytes())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                format_scaled(i128::from(self.0), $places, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
                values.fold(Self::ZERO, Add::add)
            }
        }
    };
}

decimal!(
    /// A price in quote units per base unit, in steps of 1e-8.
    Price, i64, 8
);
decimal!(
    /// A quantity of base asset, in steps of 1e-8.
    Qty, i64, 8
);
decimal!(
    /// An amount of one asset, in steps of 1e-16: balances, notionals, fees, profit and loss.
    Amount, i128, 16
);

macro_rules! read_in_place {
    ($($name:ident),*) => {$(
        impl $name {
            /// Reads the decimal text `buffer[start..start + len]`, exactly or not at all. Quicker than `parse` when
            /// the text lies inside a larger message, as a few bytes around it can then be read as well.
            #[inline]
            pub fn parse_in(buffer: &[u8], start: usize, len: usize) -> Result<Self, DecimalError> {
                let near = buffer.get(start..).and_then(<[u8]>::first_chunk);
                if let Some(raw) = near.and_then(|near| crate::digits::scaled_8(near, len)) {
                    return Ok(Self(raw));
                }
                let end = start.checked_add(len);
                Self::parse(end.and_then(|end| buffer.get(start..end)).unwrap_or_default())
            }
        }
    )*};
}

read_in_place!(Price, Qty);

impl Price {
    /// Value of `qty` at this price, in quote units. Exact: 1e-8 × 1e-8 = 1e-16.
    #[must_use]
    pub fn notional(self, qty: Qty) -> Amount {
        Amount::from_raw(i128::from(self.0) * i128::from(qty.0))
    }

    /// Rounded down (towards minus infinity) to a multiple of `tick`; unchanged when `tick` is zero.
    #[must_use]
    pub const fn floor_to(self, tick: Self) -> Self {
        if tick.0 <= 0 { self } else { Self(self.0.div_euclid(tick.0) * tick.0) }
    }

    /// Rounded up to a multiple of `tick`; unchanged when `tick` is zero.
    #[must_use]
    pub const fn ceil_to(self, tick: Self) -> Self {
        let down = self.floor_to(tick);
        if down.0 == self.0 { self } else { Self(down.0 + tick.0) }
    }
}

impl Qty {
    /// Rounded down to a multiple of `step`; unchanged when `step` is zero.
    #[must_use]
    pub const fn floor_to(self, step: Self) -> Self {
        if step.0 <= 0 { self } else { Self(self.0.div_euclid(step.0) * step.0) }
    }
}

impl From<Qty> for Amount {
    fn from(qty: Qty) -> Self {
        Self::from_raw(i128::from(qty.raw()) * 100_000_000)
    }
}

impl Amount {
    /// The quantity of base asset this amount makes, rounded down to 1e-8; saturates at the largest quantity.
    #[must_use]
    pub fn to_qty_floor(self) -> Qty {
        Qty::from_raw(i64::try_from(self.raw().div_euclid(100_000_000)).unwrap_or(if self.0 < 0 {
            i64::MIN
        } else {
            i64::MAX
        }))
    }

    /// How much base asset this amount of quote buys at `price`, rounded down to 1e-8. Zero at price zero.
    #[must_use]
    pub fn qty_at(self, price: Price) -> Qty {
        if price.raw() <= 0 {
            return Qty::ZERO;
        }
        let raw = self.raw().div_euclid(i128::from(price.raw()));
        Qty::from_raw(i64::try_from(raw).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text in every surrounding reads as it does alone.
    #[test]
    fn a_text_inside_a_message_reads_as_it_does_alone() {
        let digits =
            ["", "0", "7", "61837", "00000001", "12345678", "99999999", "123456789", "9999999999999"];
        let odd = [
            "-1.5", ".", "..", "1.2.3", "1e5", "+1", "1,5", "/.0", ":1", "1.:", "1 ", "\u{7f}", "a.b", "1.2-",
        ];
        let mut texts: Vec<String> = odd.map(str::to_owned).to_vec();
        for whole in digits {
            texts.push(whole.to_owned());
            texts.extend(digits.iter().map(|fraction| format!("{whole}.{fraction}")));
        }
        for text in &texts {
            for (before, behind) in [("", ""), ("", "9"), ("x", "."), ("12.", "345678901"), ("", "........")]
            {
                let message = format!("{before}{text}{behind}");
                let read = Price::parse_in(message.as_bytes(), before.len(), text.len());
                assert_eq!(read, Price::parse(text.as_bytes()), "{message}");
            }
        }
        assert_eq!(Qty::parse_in(b"12345678", 7, 2), Err(DecimalError::Empty));
        assert_eq!(Qty::parse_in(b"12345678", usize::MAX, 2), Err(DecimalError::Empty));
    }

    /// Numbers of all sizes, written in their shortest form and with all places.
    #[test]
    fn numbers_of_all_sizes_read_as_written() {
        let mut number: u64 = 1;
        for _ in 0..100_000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let raw = (number >> (number % 60)).cast_signed() & i64::MAX;
            for text in
                [Price::from_raw(raw).to_string(), format!("{}.{:08}", raw / 100_000_000, raw % 100_000_000)]
            {
                let message = format!("{text}\u{12}\u{4}5678");
                assert_eq!(
                    Price::parse_in(message.as_bytes(), 0, text.len()),
                    Ok(Price::from_raw(raw)),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn text_survives_the_round_trip_in_its_shortest_form() {
        for (text, shown) in [
            ("0", "0"),
            ("0.0", "0"),
            ("84270", "84270"),
            ("61837.63000000", "61837.63"),
            ("0.00000001", "0.00000001"),
            ("-1.5", "-1.5"),
            ("-0.5", "-0.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1.000000000000000000", "1"),
        ] {
            assert_eq!(Price::from_str(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn amounts_of_any_size_are_written_in_full() {
        for (raw, shown) in [
            (i128::MAX, "17014118346046923173168.7303715884105727"),
            (-i128::from(u64::MAX) - 1, "-1844.6744073709551616"),
            (10_i128.pow(36), "100000000000000000000"),
            (10_i128.pow(35) + 1, "10000000000000000000.0000000000000001"),
            (1, "0.0000000000000001"),
        ] {
            assert_eq!(Amount::from_raw(raw).to_string(), shown);
            assert_eq!(shown.parse(), Ok(Amount::from_raw(raw)));
        }
    }

    #[test]
    fn bad_text_is_refused_with_its_reason() {
        for (text, error) in [
            ("", DecimalError::Empty),
            ("-", DecimalError::Empty),
            (".", DecimalError::Empty),
            ("1e5", DecimalError::Malformed),
            ("1.2.3", DecimalError::Malformed),
            ("+1", DecimalError::Malformed),
            ("1,5", DecimalError::Malformed),
            ("0.000000001", DecimalError::TooPrecise),
            ("92233720368.54775808", DecimalError::Overflow),
            ("999999999999999999999999999999999999999999", DecimalError::Overflow),
        ] {
            assert_eq!(Qty::from_str(text), Err(error), "{text}");
        }
    }

    #[test]
    fn notional_is_exact() {
        let price = Price::from_str("61837.63").unwrap();
        let qty = Qty::from_str("0.00000001").unwrap();
        assert_eq!(price.notional(qty).to_string(), "0.0006183763");
    }

    #[test]
    fn rounding_goes_to_the_grid_in_the_named_direction() {
        let tick = Price::from_str("0.05").unwrap();
        let price = Price::from_str("1.07").unwrap();
        assert_eq!(price.floor_to(tick).to_string(), "1.05");
        assert_eq!(price.ceil_to(tick).to_string(), "1.1");
        assert_eq!(price.ceil_to(tick).ceil_to(tick).to_string(), "1.1");
    }

    #[test]
    fn an_amount_buys_what_it_pays_for_and_no_more() {
        let price = Price::from_str("3").unwrap();
        let qty = Amount::from_str("1").unwrap().qty_at(price);
        assert_eq!(qty.to_string(), "0.33333333");
        assert!(price.notional(qty) <= Amount::from_str("1").unwrap());
    }
}
