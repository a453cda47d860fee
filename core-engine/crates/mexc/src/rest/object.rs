//! One JSON object of a reply: named fields, converted when asked for.

use std::collections::HashMap;
use std::str::FromStr;

use flashpod_types::{Amount, Asset, DecimalError, Millis, Name, OrderType, Price, Qty, Side, Symbol};
use serde_json::value::RawValue;

use super::text;
use crate::OrderStatus;

/// Times beyond cannot be counted in nanoseconds.
const LAST_MILLI: u64 = i64::MAX.unsigned_abs() / 1_000_000;

/// A reply whose shape is not the expected one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    #[error("{what}: {reason}; the reply begins `{excerpt}`")]
    Json { what: &'static str, reason: String, excerpt: String },
    #[error("{what}: field `{field}` is missing")]
    Missing { what: &'static str, field: &'static str },
    #[error("{what}: field `{field}` is `{value}`, which {reason}")]
    Field { what: &'static str, field: &'static str, value: String, reason: String },
}

/// Fields of one object. Unknown fields are ignored; null counts as absent.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    what: &'static str,
    fields: HashMap<String, &'a RawValue>,
}

/// Parses the whole body, naming what it should have been when it is not.
pub(crate) fn json<'a, T: serde::Deserialize<'a>>(
    what: &'static str,
    body: &'a [u8],
) -> Result<T, RestError> {
    serde_json::from_slice(body).map_err(|error| RestError::Json {
        what,
        reason: error.to_string(),
        excerpt: String::from_utf8_lossy(&body[..body.len().min(240)]).chars().take(120).collect(),
    })
}

impl<'a> Object<'a> {
    pub(crate) fn parse(what: &'static str, body: &'a [u8]) -> Result<Self, RestError> {
        Ok(Self { what, fields: json(what, body)? })
    }

    pub(crate) fn list(what: &'static str, body: &'a [u8]) -> Result<Vec<Self>, RestError> {
        let rows: Vec<HashMap<String, &RawValue>> = json(what, body)?;
        Ok(rows.into_iter().map(|fields| Self { what, fields }).collect())
    }

    pub(crate) fn raw(&self, field: &str) -> Option<&'a RawValue> {
        self.fields.get(field).copied().filter(|raw| raw.get() != "null")
    }

    /// A field that holds an object.
    pub(crate) fn object(&self, what: &'static str, field: &'static str) -> Result<Self, RestError> {
        Self::parse(what, self.required(field)?.get().as_bytes())
    }

    /// A field that holds objects; absent counts as empty.
    pub(crate) fn objects(&self, what: &'static str, field: &'static str) -> Result<Vec<Self>, RestError> {
        self.raw(field).map_or(Ok(Vec::new()), |raw| Self::list(what, raw.get().as_bytes()))
    }

    pub(crate) fn required(&self, field: &'static str) -> Result<&'a RawValue, RestError> {
        self.raw(field).ok_or(RestError::Missing { what: self.what, field })
    }

    pub(crate) fn refused(&self, field: &'static str, value: &str, reason: impl ToString) -> RestError {
        RestError::Field {
            what: self.what,
            field,
            value: value.chars().take(80).collect(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn missing(&self, field: &'static str) -> RestError {
        RestError::Missing { what: self.what, field }
    }

    /// Text or number; absent when null, missing or empty.
    pub(crate) fn text(&self, field: &str) -> Option<String> {
        self.raw(field).and_then(text::string).filter(|text| !text.is_empty())
    }

    pub(crate) fn required_text(&self, field: &'static str) -> Result<String, RestError> {
        let raw = self.required(field)?;
        text::string(raw).ok_or_else(|| self.refused(field, raw.get(), "is neither text nor a number"))
    }

    fn optional<T>(
        &self,
        field: &'static str,
        convert: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, RestError> {
        let Some(value) = self.text(field) else { return Ok(None) };
        convert(&value).map(Some).map_err(|reason| self.refused(field, &value, reason))
    }

    fn or_missing<T>(&self, field: &'static str, value: Option<T>) -> Result<T, RestError> {
        value.ok_or_else(|| self.missing(field))
    }

    fn decimal<T: FromStr<Err = DecimalError>>(&self, field: &'static str) -> Result<Option<T>, RestError> {
        self.optional(field, |value| text::plain(value).parse::<T>().map_err(|error| error.to_string()))
    }

    /// Prices and quantities are never negative.
    fn unsigned<T: FromStr<Err = DecimalError> + Copy>(
        &self,
        field: &'static str,
        is_negative: impl Fn(T) -> bool,
    ) -> Result<Option<T>, RestError> {
        let value = self.decimal(field)?;
        if value.is_some_and(is_negative) {
            return Err(self.refused(field, &self.text(field).unwrap_or_default(), "is negative"));
        }
        Ok(value)
    }

    pub(crate) fn optional_price(&self, field: &'static str) -> Result<Option<Price>, RestError> {
        self.unsigned(field, Price::is_negative)
    }

    pub(crate) fn price(&self, field: &'static str) -> Result<Price, RestError> {
        self.or_missing(field, self.optional_price(field)?)
    }

    pub(crate) fn optional_qty(&self, field: &'static str) -> Result<Option<Qty>, RestError> {
        self.unsigned(field, Qty::is_negative)
    }

    pub(crate) fn qty(&self, field: &'static str) -> Result<Qty, RestError> {
        self.or_missing(field, self.optional_qty(field)?)
    }

    pub(crate) fn optional_amount(&self, field: &'static str) -> Result<Option<Amount>, RestError> {
        self.decimal(field)
    }

    pub(crate) fn amount(&self, field: &'static str) -> Result<Amount, RestError> {
        self.or_missing(field, self.decimal(field)?)
    }

    pub(crate) fn optional_integer(&self, field: &'static str) -> Result<Option<i64>, RestError> {
        self.optional(field, |value| value.trim().parse().map_err(|_| "is no whole number".to_owned()))
    }

    pub(crate) fn integer(&self, field: &'static str) -> Result<i64, RestError> {
        self.or_missing(field, self.optional_integer(field)?)
    }

    pub(crate) fn version(&self, field: &'static str) -> Result<u64, RestError> {
        let version = self.optional(field, |value| {
            value.trim().parse().map_err(|_| "is no whole number that is not negative".to_owned())
        })?;
        self.or_missing(field, version)
    }

    pub(crate) fn optional_millis(&self, field: &'static str) -> Result<Option<Millis>, RestError> {
        let Some(ms) = self.optional_integer(field)? else { return Ok(None) };
        if ms.unsigned_abs() > LAST_MILLI {
            return Err(self.refused(field, &ms.to_string(), "is no time before the year 2262"));
        }
        Ok(Some(Millis(ms)))
    }

    pub(crate) fn millis(&self, field: &'static str) -> Result<Millis, RestError> {
        self.or_missing(field, self.optional_millis(field)?)
    }

    /// true/false, as such or as text; absent is none.
    pub(crate) fn flag(&self, field: &str) -> Option<bool> {
        match self.raw(field)?.get() {
            "true" | "\"true\"" | "\"TRUE\"" => Some(true),
            "false" | "\"false\"" | "\"FALSE\"" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn name<const N: usize>(&self, field: &'static str) -> Result<Name<N>, RestError> {
        let name = self.optional(field, |value| Name::new(value).map_err(|error| error.to_string()))?;
        self.or_missing(field, name)
    }

    /// A name that others may have chosen: empty when absent or not representable here.
    pub(crate) fn foreign_name<const N: usize>(&self, field: &'static str) -> Name<N> {
        self.text(field).and_then(|text| Name::new(&text).ok()).unwrap_or_default()
    }

    pub(crate) fn symbol(&self) -> Result<Symbol, RestError> {
        self.name("symbol")
    }

    pub(crate) fn asset(&self, field: &'static str) -> Result<Asset, RestError> {
        self.name(field)
    }

    pub(crate) fn side(&self) -> Result<Side, RestError> {
        let side = self.optional("side", |value| match value {
            "BUY" => Ok(Side::Buy),
            "SELL" => Ok(Side::Sell),
            _ => Err("is neither BUY nor SELL".to_owned()),
        })?;
        self.or_missing("side", side)
    }

    /// None for kinds that only others send (stop orders) and when the reply does not say.
    pub(crate) fn order_type(&self) -> Option<OrderType> {
        self.text("type").as_deref().and_then(OrderType::parse)
    }

    pub(crate) fn optional_status(&self) -> Result<Option<OrderStatus>, RestError> {
        self.optional("status", |value| {
            OrderStatus::from_word(value).ok_or_else(|| {
                "is none of NEW, FILLED, PARTIALLY_FILLED, CANCELED, PARTIALLY_CANCELED".to_owned()
            })
        })
    }
}
