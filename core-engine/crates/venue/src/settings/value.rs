//! What the value of a `--set` may be.

use flashpod_types::Amount;

/// A value that can be read from the text of a `--set`.
pub(super) trait Setting: Sized {
    const ACCEPTED: &'static str;
    fn read(text: &str) -> Option<Self>;
    fn show(&self) -> String;
    /// The same as [`Self::read`], saying why not.
    fn try_read(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| format!("{} is accepted", Self::ACCEPTED))
    }
}

impl Setting for u64 {
    const ACCEPTED: &'static str = "a whole number of at most 15 digits";
    fn read(text: &str) -> Option<Self> {
        (text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for bool {
    const ACCEPTED: &'static str = "on or off";
    fn read(text: &str) -> Option<Self> {
        match text {
            "on" | "true" => Some(true),
            "off" | "false" => Some(false),
            _ => None,
        }
    }
    fn show(&self) -> String {
        if *self { "on" } else { "off" }.to_owned()
    }
}

/// A decimal number of up to 8 places: a rate, a factor, a price, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub struct Decimal(pub i64);

impl Decimal {
    pub(super) const fn whole(value: i64) -> Self {
        Self(value * 100_000_000)
    }
}

impl Decimal {
    /// As an amount of money.
    #[must_use]
    pub fn amount(self) -> Amount {
        Amount::from_raw(i128::from(self.0) * 100_000_000)
    }
}

impl Setting for Decimal {
    const ACCEPTED: &'static str = "a decimal number from 0 with at most 8 places";
    fn read(text: &str) -> Option<Self> {
        let price: flashpod_types::Price = text.parse().ok()?;
        (!price.is_negative()).then_some(Self(price.raw()))
    }
    fn show(&self) -> String {
        flashpod_types::Price::from_raw(self.0).to_string()
    }
}

/// A rate or a discount: more than all would leave balances below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction(pub i64);

impl Setting for Fraction {
    const ACCEPTED: &'static str = "a decimal number from 0 to 1 with at most 8 places";
    fn read(text: &str) -> Option<Self> {
        Decimal::read(text).filter(|share| *share <= Decimal::whole(1)).map(|Decimal(raw)| Self(raw))
    }
    fn show(&self) -> String {
        Decimal(self.0).show()
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $first:ident = $first_text:literal $(, $variant:ident = $text:literal)* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $first $(, $variant)* }

        impl $crate::settings::value::Setting for $name {
            const ACCEPTED: &'static str = concat!($first_text $(, " or ", $text)*);
            fn read(text: &str) -> Option<Self> {
                match text {
                    $first_text => Some(Self::$first),
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
            fn show(&self) -> String {
                match self {
                    Self::$first => $first_text,
                    $(Self::$variant => $text,)*
                }
                .to_owned()
            }
        }
    };
}

pub(super) use choice;
