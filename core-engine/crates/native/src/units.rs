//! Numbers and texts of JavaScript to exact values and back.
//!
//! Market data are doubles in natural units: of a price or quantity that has at most 15 significant digits the
//! double is unmistakable, and rounding to the nearest 1e-8 finds it back. What is booked (orders, fills) is
//! decimal text.

use flashpod_book::Level;
use flashpod_types::{DecimalError, OrderType, Price, Qty, Side, Symbol};

use crate::arrays::Passed;
use crate::failure::{Code, Failure, Outcome};

/// Beyond this many units of 1e-8 a double no longer tells neighbours apart.
const MAX_UNITS: f64 = 9_007_199_254_740_992.0;
const SCALE: f64 = 1e8;
const SAFE: u64 = 1 << 53;

fn units_of(what: &str, value: f64) -> Outcome<i64> {
    let scaled = (value * SCALE).round();
    if !(0.0..=MAX_UNITS).contains(&scaled) {
        let reason = "is not a number from 0 to 90071992 (beyond that a double cannot hold 1e-8 exactly)";
        return Err(Failure::argument(what, value, reason));
    }
    #[allow(clippy::cast_possible_truncation)] // checked above
    Ok(scaled as i64)
}

pub fn price(what: &str, value: f64) -> Outcome<Price> {
    match units_of(what, value)? {
        0 => Err(Failure::argument(what, value, "is not a positive price of at least 1e-8")),
        units => Ok(Price::from_raw(units)),
    }
}

pub fn qty(what: &str, value: f64) -> Outcome<Qty> {
    units_of(what, value).map(Qty::from_raw)
}

/// A whole number from 0 to 2^53 − 1.
pub fn whole(what: &str, value: f64) -> Outcome<u64> {
    #[allow(clippy::cast_precision_loss)]
    let fits = value.fract() == 0.0 && (0.0..SAFE as f64).contains(&value);
    if !fits {
        return Err(Failure::argument(what, value, "is not a whole number from 0 to 2^53 - 1"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked above
    Ok(value as u64)
}

/// The other way. Versions and ids of real venues stay below 2^53 by far.
pub fn number(what: &str, value: u64) -> Outcome<f64> {
    if value >= SAFE {
        return Err(Failure::argument(
            what,
            value,
            "is beyond 2^53, more than a JavaScript number tells apart",
        ));
    }
    #[allow(clippy::cast_precision_loss)]
    Ok(value as f64)
}

/// Milliseconds; the venue's times fit a double for ever.
#[must_use]
pub fn millis(value: i64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    {
        value as f64
    }
}

/// Parallel arrays to levels, into `into`.
pub fn levels(
    what: &str,
    prices: Passed<'_, f64>,
    quantities: Passed<'_, f64>,
    into: &mut Vec<Level>,
) -> Outcome<()> {
    if prices.len() != quantities.len() {
        let reason = format!("does not go with {} prices", prices.len());
        return Err(Failure::argument(&format!("{what}: number of quantities"), quantities.len(), reason));
    }
    into.clear();
    into.reserve(prices.len());
    for (index, (p, q)) in prices.iter().zip(quantities.iter()).enumerate() {
        let of = |error: Failure| error.at(what, index);
        into.push((price("price", p).map_err(of)?, qty("quantity", q).map_err(of)?));
    }
    Ok(())
}

impl Failure {
    fn at(self, what: &str, index: usize) -> Self {
        Self::new(Code::InvalidArgument, format!("{what}[{index}]: {}", self.into_message()))
    }
}

pub fn side(text: &str) -> Outcome<Side> {
    match text {
        "Buy" => Ok(Side::Buy),
        "Sell" => Ok(Side::Sell),
        other => Err(Failure::argument("side", format!("`{other}`"), "is neither Buy nor Sell")),
    }
}

#[must_use]
pub const fn side_text(side: Side) -> &'static str {
    match side {
        Side::Buy => "Buy",
        Side::Sell => "Sell",
    }
}

pub fn order_type(text: &str) -> Outcome<OrderType> {
    match text {
        "Limit" => Ok(OrderType::Limit),
        "LimitMaker" => Ok(OrderType::LimitMaker),
        "Ioc" => Ok(OrderType::Ioc),
        "Fok" => Ok(OrderType::Fok),
        "Market" => Ok(OrderType::Market),
        other => Err(Failure::argument(
            "type",
            format!("`{other}`"),
            "is none of Limit, LimitMaker, Ioc, Fok, Market",
        )),
    }
}

#[must_use]
pub const fn order_type_text(kind: OrderType) -> &'static str {
    match kind {
        OrderType::Limit => "Limit",
        OrderType::LimitMaker => "LimitMaker",
        OrderType::Ioc => "Ioc",
        OrderType::Fok => "Fok",
        OrderType::Market => "Market",
    }
}

/// Plain decimal text, exactly or not at all.
pub fn decimal<T: std::str::FromStr<Err = DecimalError>>(what: &str, text: &str) -> Outcome<T> {
    text.parse().map_err(|error: DecimalError| Failure::argument(what, format!("`{text}`"), error))
}

pub fn symbol(text: &str) -> Outcome<Symbol> {
    if text.is_empty() {
        return Err(Failure::argument("symbol", "``", "is empty"));
    }
    Symbol::new(text).map_err(|error| Failure::argument("symbol", format!("`{text}`"), error))
}
