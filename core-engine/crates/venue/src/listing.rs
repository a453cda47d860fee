//! A listed pair: its rules, and how its numbers are written.

use flashpod_types::{Amount, Instrument, Price, PriceBand, Qty, Symbol};

use crate::settings::Settings;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub instrument: Instrument,
    /// Decimal places of a price and of a quantity on the wire.
    pub price_places: usize,
    pub qty_places: usize,
}

impl Listing {
    /// # Panics
    /// When a name is longer than its type holds, which the callers' own names never are.
    #[must_use]
    pub fn new(
        symbol: Symbol,
        base: &str,
        quote: &str,
        (price_places, qty_places): (usize, usize),
        settings: &Settings,
    ) -> Self {
        let step = |places: usize| 10_i64.pow(8 - u32::try_from(places.min(8)).unwrap_or(8));
        Self {
            instrument: Instrument {
                symbol,
                base: base.parse().expect("an asset name"),
                quote: quote.parse().expect("an asset name"),
                tick: Price::from_raw(step(price_places)),
                step: Qty::from_raw(step(qty_places)),
                min_qty: Qty::from_raw(step(qty_places)),
                min_notional: settings.min_notional.amount(),
                max_notional: settings.max_notional.amount(),
                band: Some(PriceBand { bid_up: settings.band_up.0, ask_down: settings.band_down.0 }),
                trading: true,
            },
            price_places,
            qty_places,
        }
    }

    #[must_use]
    pub fn symbol(&self) -> &str {
        self.instrument.symbol.as_str()
    }

    #[must_use]
    pub fn price(&self, price: Price) -> String {
        fixed(i128::from(price.raw()), 8, self.price_places)
    }

    #[must_use]
    pub fn qty(&self, qty: Qty) -> String {
        fixed(i128::from(qty.raw()), 8, self.qty_places)
    }

    /// A base volume: a quantity that may be larger than any order's.
    #[must_use]
    pub fn volume(&self, volume: Amount) -> String {
        fixed(volume.raw(), 16, self.qty_places)
    }

    /// A quote amount, exact, without needless zeros.
    #[must_use]
    pub fn value(&self, value: Amount) -> String {
        value.to_string()
    }
}

/// `raw` in units of 10^-`scale`, written with `places` decimals. Exact: more are written when needed.
fn fixed(raw: i128, scale: usize, places: usize) -> String {
    let text = format!("{:0>width$}", raw.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = text.split_at(text.len() - scale);
    let needed = fraction.trim_end_matches('0').len().max(places.min(scale));
    let sign = if raw < 0 { "-" } else { "" };
    if needed == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{}", &fraction[..needed]) }
}

/// Splits a symbol into base and quote by the quote currencies there are; `_PERP` and the like are dropped.
#[must_use]
pub fn split_symbol(symbol: &str) -> Option<(&str, &str)> {
    let pair = symbol.split('_').next().unwrap_or(symbol);
    ["USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "EUR", "BTC", "ETH"].into_iter().find_map(|quote| {
        let base = pair.strip_suffix(quote)?;
        (!base.is_empty()).then_some((base, quote))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_the_precision_of_the_pair() {
        let listing = Listing::new("BTCUSDC".parse().unwrap(), "BTC", "USDC", (2, 6), &Settings::default());
        assert_eq!(listing.price("100000".parse().unwrap()), "100000.00");
        assert_eq!(listing.qty("0.25".parse().unwrap()), "0.250000");
        assert_eq!(listing.instrument.tick.to_string(), "0.01");
        assert_eq!(fixed(-5, 8, 0), "-0.00000005");
        assert_eq!(fixed(500_000_000, 8, 0), "5");
    }

    #[test]
    fn symbols_split_at_their_quote_currency() {
        assert_eq!(split_symbol("BTCUSDC"), Some(("BTC", "USDC")));
        assert_eq!(split_symbol("ETHUSD_PERP"), Some(("ETH", "USD")));
        assert_eq!(split_symbol("USDT"), None);
    }
}
