//! Protobuf ↔ engine types. Nothing else in the core reads or builds a message.

pub mod down;
pub mod status;
pub mod up;

use std::fmt;
use std::str::FromStr;

use flashpod_types::{Amount, DecimalError, NameError, OrderType, Price, Qty, Side, Symbol};

use crate::proto;

/// What is wrong with a message: the field's path, its value, and what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {value:?} {reason}")]
pub struct FieldError {
    pub field: String,
    pub value: String,
    pub reason: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, value: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self { field: field.into(), value: value.to_string(), reason: reason.to_string() }
    }

    /// The same error, seen from the message that holds the field.
    pub(crate) fn within(mut self, outer: impl fmt::Display) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

fn decimal<T: FromStr<Err = DecimalError>>(field: &str, text: &str) -> Result<T, FieldError> {
    text.parse().map_err(|error| FieldError::new(field, text, error))
}

fn name<T: FromStr<Err = NameError>>(field: &str, text: &str) -> Result<T, FieldError> {
    if text.is_empty() {
        return Err(FieldError::new(field, text, "is empty"));
    }
    text.parse().map_err(|error| FieldError::new(field, text, error))
}

fn symbol(field: &str, text: &str) -> Result<Symbol, FieldError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if !plain {
        return Err(FieldError::new(field, text, "is not a symbol such as BTCUSDC"));
    }
    name(field, text)
}

fn positive_price(field: &str, text: &str) -> Result<Price, FieldError> {
    let price: Price = decimal(field, text)?;
    if price.is_positive() { Ok(price) } else { Err(FieldError::new(field, text, "must be above zero")) }
}

fn positive_qty(field: &str, text: &str) -> Result<Qty, FieldError> {
    let qty: Qty = decimal(field, text)?;
    if qty.is_positive() { Ok(qty) } else { Err(FieldError::new(field, text, "must be above zero")) }
}

/// Empty text means that the limit is not set.
fn optional_amount(field: &str, text: &str) -> Result<Option<Amount>, FieldError> {
    if text.is_empty() {
        return Ok(None);
    }
    let amount: Amount = decimal(field, text)?;
    if amount.is_negative() {
        return Err(FieldError::new(field, text, "must not be negative"));
    }
    Ok(Some(amount))
}

/// Empty text means that the limit is not set.
fn optional_qty(field: &str, text: &str) -> Result<Option<Qty>, FieldError> {
    if text.is_empty() { Ok(None) } else { positive_qty(field, text).map(Some) }
}

/// Zero means that the limit is not set.
const fn optional_count(count: u32) -> Option<u32> {
    if count == 0 { None } else { Some(count) }
}

fn side(field: &str, value: i32) -> Result<Side, FieldError> {
    match proto::Side::try_from(value) {
        Ok(proto::Side::Buy) => Ok(Side::Buy),
        Ok(proto::Side::Sell) => Ok(Side::Sell),
        _ => Err(FieldError::new(field, value, "is not SIDE_BUY or SIDE_SELL")),
    }
}

fn order_type(field: &str, value: i32) -> Result<OrderType, FieldError> {
    match proto::OrderType::try_from(value) {
        Ok(proto::OrderType::Limit) => Ok(OrderType::Limit),
        Ok(proto::OrderType::LimitMaker) => Ok(OrderType::LimitMaker),
        Ok(proto::OrderType::Ioc) => Ok(OrderType::Ioc),
        Ok(proto::OrderType::Fok) => Ok(OrderType::Fok),
        Ok(proto::OrderType::Market) => Ok(OrderType::Market),
        _ => {
            Err(FieldError::new(field, value, "is not ORDER_TYPE_LIMIT, _LIMIT_MAKER, _IOC, _FOK or _MARKET"))
        }
    }
}

const fn proto_side(side: Side) -> proto::Side {
    match side {
        Side::Buy => proto::Side::Buy,
        Side::Sell => proto::Side::Sell,
    }
}

const fn proto_order_type(kind: OrderType) -> proto::OrderType {
    match kind {
        OrderType::Limit => proto::OrderType::Limit,
        OrderType::LimitMaker => proto::OrderType::LimitMaker,
        OrderType::Ioc => proto::OrderType::Ioc,
        OrderType::Fok => proto::OrderType::Fok,
        OrderType::Market => proto::OrderType::Market,
    }
}
