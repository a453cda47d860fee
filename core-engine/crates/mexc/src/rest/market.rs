//! Public data: time, trading rules, depth snapshot, best prices.

use std::str::FromStr;

use flashpod_types::{Amount, Instrument, Millis, Price, PriceBand, Qty, Symbol};
use serde_json::value::RawValue;

use super::object::{Object, RestError, json};
use super::text;

/// Price and quantity of one level.
pub type Level = (Price, Qty);

/// `GET /time`.
pub fn time(body: &[u8]) -> Result<Millis, RestError> {
    let reply = Object::parse("time", body)?;
    let time = reply.millis("serverTime")?;
    if time.0 < 0 {
        return Err(reply.refused("serverTime", &time.0.to_string(), "is before 1970"));
    }
    Ok(time)
}

/// `GET /exchangeInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeInfo {
    pub server_time: Option<Millis>,
    pub symbols: Vec<ListedSymbol>,
    /// Pairs that cannot be represented (steps below 1e-8, names that are not ASCII), each with the reason: one odd
    /// pair among thousands must not hide the others.
    pub skipped: Vec<Skipped>,
}

impl ExchangeInfo {
    #[must_use]
    pub fn find(&self, symbol: Symbol) -> Option<&ListedSymbol> {
        self.symbols.iter().find(|listed| listed.instrument.symbol == symbol)
    }
}

/// A pair with its public fee rates (fractions; the account's own rates come from `tradeFee`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSymbol {
    pub instrument: Instrument,
    pub maker_fee: Option<Amount>,
    pub taker_fee: Option<Amount>,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub name: String,
    pub reason: String,
}

/// Reads `exchangeInfo`. Steps are powers of ten: price 10^-`quotePrecision`, quantity 10^-`baseAssetPrecision`;
/// `baseSizePrecision` is the minimum quantity and `quoteAmountPrecision` the minimum value of an order.
pub fn exchange_info(body: &[u8]) -> Result<ExchangeInfo, RestError> {
    let info = Object::parse("exchangeInfo", body)?;
    let (mut symbols, mut skipped) = (Vec::new(), Vec::new());
    for row in info.objects("exchangeInfo symbol", "symbols")? {
        match listed(&row) {
            Ok(symbol) => symbols.push(symbol),
            Err(error) => skipped
                .push(Skipped { name: row.text("symbol").unwrap_or_default(), reason: error.to_string() }),
        }
    }
    Ok(ExchangeInfo { server_time: info.optional_millis("serverTime")?, symbols, skipped })
}

fn listed(row: &Object<'_>) -> Result<ListedSymbol, RestError> {
    let price_places = match row.raw("quotePrecision") {
        Some(_) => ("quotePrecision", row.integer("quotePrecision")?),
        None => ("quoteAssetPrecision", row.integer("quoteAssetPrecision")?),
    };
    let step = |(field, places): (&'static str, i64)| {
        u32::try_from(places)
            .ok()
            .filter(|places| *places <= Price::PLACES)
            .map(|places| 10_i64.pow(Price::PLACES - places))
            .ok_or_else(|| row.refused(field, &places.to_string(), "is not a number of places from 0 to 8"))
    };
    let instrument = Instrument {
        symbol: row.symbol()?,
        base: row.asset("baseAsset")?,
        quote: row.asset("quoteAsset")?,
        tick: Price::from_raw(step(price_places)?),
        step: Qty::from_raw(step(("baseAssetPrecision", row.integer("baseAssetPrecision")?))?),
        min_qty: row.optional_qty("baseSizePrecision")?.unwrap_or(Qty::ZERO),
        min_notional: row.optional_amount("quoteAmountPrecision")?.unwrap_or(Amount::ZERO),
        max_notional: row.optional_amount("maxQuoteAmount")?.unwrap_or(Amount::MAX),
        band: band(row)?,
        trading: is_trading(row),
    };
    Ok(ListedSymbol {
        instrument,
        maker_fee: row.optional_amount("makerCommission")?,
        taker_fee: row.optional_amount("takerCommission")?,
    })
}

/// Online (`1`; before 2024-08 the word ENABLED), open to the API, and both directions allowed.
fn is_trading(row: &Object<'_>) -> bool {
    matches!(row.text("status").as_deref(), Some("1" | "ENABLED"))
        && row.flag("isSpotTradingAllowed").unwrap_or(true)
        && matches!(row.text("tradeSideType").as_deref(), None | Some("1"))
}

fn band(row: &Object<'_>) -> Result<Option<PriceBand>, RestError> {
    for filter in row.objects("exchangeInfo filter", "filters")? {
        if filter.text("filterType").as_deref() == Some("PERCENT_PRICE_BY_SIDE") {
            return Ok(Some(PriceBand {
                bid_up: filter.price("bidMultiplierUp")?.raw(),
                ask_down: filter.price("askMultiplierDown")?.raw(),
            }));
        }
    }
    Ok(None)
}

/// `GET /depth`: best price first on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepthSnapshot {
    pub last_update_id: u64,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
    pub timestamp: Option<Millis>,
}

pub fn depth(body: &[u8]) -> Result<DepthSnapshot, RestError> {
    let reply = Object::parse("depth", body)?;
    Ok(DepthSnapshot {
        last_update_id: reply.version("lastUpdateId")?,
        bids: levels(&reply, "bids")?,
        asks: levels(&reply, "asks")?,
        timestamp: reply.optional_millis("timestamp")?,
    })
}

fn levels(reply: &Object<'_>, field: &'static str) -> Result<Vec<Level>, RestError> {
    // Further columns are ignored.
    let rows: Vec<Vec<&RawValue>> = json("depth", reply.required(field)?.get().as_bytes())?;
    rows.iter()
        .map(|row| match row[..] {
            [price, qty, ..] => Ok((
                cell(reply, field, price, Price::is_positive, "is no positive price")?,
                cell(reply, field, qty, |qty: Qty| !qty.is_negative(), "is negative")?,
            )),
            _ => Err(reply.refused(field, &format!("{row:?}"), "is no pair of price and quantity")),
        })
        .collect()
}

fn cell<T>(
    reply: &Object<'_>,
    field: &'static str,
    raw: &RawValue,
    is_good: impl Fn(T) -> bool,
    reason: &str,
) -> Result<T, RestError>
where
    T: FromStr<Err = flashpod_types::DecimalError> + Copy,
{
    let value = text::string(raw).unwrap_or_else(|| raw.get().to_owned());
    let number = text::plain(&value).parse().map_err(|error| reply.refused(field, &value, error))?;
    if is_good(number) { Ok(number) } else { Err(reply.refused(field, &value, reason)) }
}

/// `GET /ticker/bookTicker` of one symbol. A side without an order is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopOfBook {
    pub symbol: Symbol,
    pub bid: Option<Level>,
    pub ask: Option<Level>,
}

pub fn book_ticker(body: &[u8]) -> Result<TopOfBook, RestError> {
    let reply = Object::parse("bookTicker", body)?;
    let side = |price: &'static str, qty: &'static str| -> Result<Option<Level>, RestError> {
        let level = reply.optional_price(price)?.zip(reply.optional_qty(qty)?);
        Ok(level.filter(|(price, qty)| price.is_positive() && qty.is_positive()))
    };
    Ok(TopOfBook {
        symbol: reply.symbol()?,
        bid: side("bidPrice", "bidQty")?,
        ask: side("askPrice", "askQty")?,
    })
}
