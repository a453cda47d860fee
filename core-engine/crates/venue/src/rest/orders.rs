//! Placing, cancelling and looking up orders.

use std::collections::BTreeMap;

use flashpod_matching::Volume;
use flashpod_types::{Amount, DecimalError, OrderType, Price, Qty, Side};
use serde_json::{Value, json};

use super::admit::ms;
use super::market::market_of;
use super::routes::Call;
use super::{ApiError, Params, refuse};
use crate::exchange::{Exchange, OrderDraft, OwnOrder, Target, mode_of};
use crate::settings::{CancelReply, OffStep};

const NUMBER: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
const CLIENT_ID: &str = "^[A-Za-z0-9_-]{1,32}$";
const BATCH_MOST: usize = 20;

/// Where the fields of an order come from: parameters, or an element of a batch.
trait Fields {
    fn field(&self, name: &str) -> Option<&str>;
}

impl Fields for Params {
    fn field(&self, name: &str) -> Option<&str> {
        self.get(name)
    }
}

impl Fields for BTreeMap<String, String> {
    fn field(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// Digits, at most one point, no sign and no exponent.
fn is_plain_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let digits = |part: &str| (1..=20).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && fraction.is_none_or(digits)
}

/// Reads a number of at most `places` decimals; what has more is refused or rounded down, by the settings.
fn decimal<T: std::str::FromStr<Err = DecimalError>>(
    name: &str,
    text: &str,
    places: usize,
    round: bool,
) -> Result<T, ApiError> {
    if !is_plain_number(text) {
        return Err(ApiError::illegal(name, NUMBER));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let significant = fraction.trim_end_matches('0');
    let kept = &significant[..significant.len().min(places)];
    if kept.len() < significant.len() && !round {
        // The captured text, with its leading blank, says "amount" for a quantity.
        let what = if name == "price" { "price" } else { "amount" };
        return refuse(400, format!(" {what} scale is invalid"));
    }
    format!("{whole}.{kept}0").parse().map_err(|_| ApiError::wrong(name))
}

fn draft(exchange: &Exchange, fields: &dyn Fields) -> Result<OrderDraft, ApiError> {
    let need = |name: &str| fields.field(name).ok_or_else(|| ApiError::missing(name));
    let market = exchange.by_symbol.get(need("symbol")?).copied().ok_or_else(ApiError::bad_symbol)?;
    let side = match need("side")? {
        "BUY" => Side::Buy,
        "SELL" => Side::Sell,
        _ => return Err(ApiError::wrong("side: BUY or SELL")),
    };
    let kind = OrderType::parse(need("type")?).ok_or_else(|| {
        ApiError::wrong("type: LIMIT, MARKET, LIMIT_MAKER, IMMEDIATE_OR_CANCEL or FILL_OR_KILL")
    })?;
    let client_id = fields.field("newClientOrderId").unwrap_or_default();
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if client_id.len() > 32 || !client_id.bytes().all(legal) {
        return Err(ApiError::illegal("newClientOrderId", CLIENT_ID));
    }
    let stp_mode = fields.field("stpMode").unwrap_or_default();
    if !stp_mode.is_empty() && mode_of(stp_mode).is_none() {
        return Err(ApiError::wrong("stpMode: cancel_maker, cancel_taker or cancel_both"));
    }
    let listing = &exchange.markets[market].listing;
    let round = exchange.settings.off_step == OffStep::Round;
    let quantity = |name: &str| {
        fields.field(name).map(|text| decimal::<Qty>(name, text, listing.qty_places, round)).transpose()
    };
    let (price, volume) = if kind == OrderType::Market {
        let by_value = |text: &str| decimal::<Amount>("quoteOrderQty", text, 8, round);
        let volume = match (quantity("quantity")?, fields.field("quoteOrderQty")) {
            (Some(qty), _) => Volume::Base(qty),
            (None, Some(text)) => Volume::Quote(by_value(text)?),
            (None, None) => return Err(ApiError::missing("quantity or quoteOrderQty")),
        };
        (Price::ZERO, volume)
    } else {
        let price = decimal::<Price>("price", need("price")?, listing.price_places, round)?;
        let qty = quantity("quantity")?.ok_or_else(|| ApiError::missing("quantity"))?;
        (price, Volume::Base(qty))
    };
    let draft = OrderDraft {
        market,
        side,
        kind,
        price,
        volume,
        client_id: client_id.to_owned(),
        stp_mode: stp_mode.to_owned(),
    };
    check_filters(exchange, &draft)?;
    Ok(draft)
}

/// Minimum, maximum and price band.
fn check_filters(exchange: &Exchange, draft: &OrderDraft) -> Result<(), ApiError> {
    let market = &exchange.markets[draft.market];
    let instrument = &market.listing.instrument;
    let last = market.last_price();
    let value = match draft.volume {
        Volume::Quote(value) => value,
        Volume::Base(qty) => {
            if qty < instrument.min_qty {
                let least = instrument.min_qty;
                return refuse(
                    30_002,
                    format!("The minimum transaction volume cannot be less than:{least}{}", instrument.base),
                );
            }
            let price =
                if draft.kind == OrderType::Market { last.unwrap_or(Price::ZERO) } else { draft.price };
            price.notional(qty)
        }
    };
    if value < instrument.min_notional {
        let least = instrument.min_notional;
        return refuse(
            30_002,
            format!("The minimum transaction volume cannot be less than:{least}{}", instrument.quote),
        );
    }
    let most = if draft.kind == OrderType::Market {
        exchange.settings.max_notional_market.amount()
    } else {
        instrument.max_notional
    };
    if value > most {
        return refuse(
            30_003,
            format!("The maximum transaction volume cannot be greater than:{most}{}", instrument.quote),
        );
    }
    // The band holds for LIMIT, IMMEDIATE_OR_CANCEL and FILL_OR_KILL.
    let banded = matches!(draft.kind, OrderType::Limit | OrderType::Ioc | OrderType::Fok);
    if let (true, Some(band), Some(last)) = (banded, instrument.band, last) {
        let scaled = |factor: i64| i128::from(last.raw()) * i128::from(factor) / 100_000_000;
        let price = i128::from(draft.price.raw());
        let outside = match draft.side {
            Side::Buy => price > scaled(band.bid_up),
            Side::Sell => price < scaled(band.ask_down),
        };
        if outside {
            return refuse(30_087, "Order price exceeds allowed range");
        }
    }
    Ok(())
}

pub(super) fn place(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let draft = draft(exchange, &call.params)?;
    let index = exchange.place_order(call.account()?, &draft)?;
    let order = &exchange.orders[index];
    let listing = &exchange.markets[order.market].listing;
    Ok(json!({
        "symbol": listing.symbol(),
        "orderId": order.id,
        "orderListId": -1,
        "price": listing.price(order.price),
        "origQty": listing.qty(order.qty),
        "type": order.kind.as_str(),
        "side": order.side.as_str(),
        "stpMode": order.stp_mode,
        "transactTime": ms(order.accepted),
    }))
}

pub(super) fn test(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let draft = draft(exchange, &call.params)?;
    exchange.test_order(call.account()?, &draft)?;
    Ok(json!({}))
}

pub(super) fn batch(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let account = call.account()?;
    let text = call.params.need("batchOrders")?;
    let elements: Vec<BTreeMap<String, Value>> =
        serde_json::from_str(text).map_err(|_| ApiError::wrong("batchOrders: a JSON array of objects"))?;
    if elements.is_empty() || elements.len() > BATCH_MOST {
        return Err(ApiError::wrong("batchOrders: 1 to 20 orders"));
    }
    let plain = |value: Value| match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let elements: Vec<BTreeMap<String, String>> =
        elements.into_iter().map(|e| e.into_iter().map(|(k, v)| (k, plain(v))).collect()).collect();
    if elements.iter().any(|e| e.get("symbol") != elements[0].get("symbol")) {
        return Err(ApiError::wrong("batchOrders: all orders are of one symbol"));
    }
    let mut rows = Vec::new();
    for fields in &elements {
        let placed = draft(exchange, fields).and_then(|draft| exchange.place_order(account, &draft));
        let mut row = match placed {
            Ok(index) => {
                let order = &exchange.orders[index];
                let symbol = exchange.markets[order.market].listing.symbol();
                json!({ "symbol": symbol, "orderId": order.id, "orderListId": -1 })
            }
            Err(error) => json!({ "msg": error.msg, "code": error.code }),
        };
        if let Some(id) = fields.field("newClientOrderId") {
            row["newClientOrderId"] = json!(id);
        }
        rows.push(row);
    }
    Ok(Value::Array(rows))
}

/// The order that `orderId` or `origClientOrderId` names; `None` when this account has none such.
fn named(exchange: &Exchange, call: &Call) -> Result<Option<usize>, ApiError> {
    let account = call.account()?;
    let target = match (call.params.get("orderId"), call.params.get("origClientOrderId")) {
        (Some(id), _) => Target::Id(id),
        (None, Some(id)) => Target::ClientId(id),
        (None, None) => {
            let msg = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null";
            return refuse(700_004, msg);
        }
    };
    Ok(exchange.find_order(account, target))
}

pub(super) fn cancel(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = market_of(exchange, call)?;
    let found = named(exchange, call)?.filter(|index| exchange.orders[*index].market == market);
    match found {
        Some(index) if exchange.cancel_order(index) => Ok(cancelled(exchange, index)),
        _ => refuse(-2011, "Unknown order sent."),
    }
}

pub(super) fn cancel_open(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let account = call.account()?;
    let names: Vec<&str> = call.params.need("symbol")?.split(',').collect();
    if names.len() as u64 > exchange.settings.cancel_all_symbols {
        return Err(ApiError::wrong("symbol: too many"));
    }
    let markets: Vec<usize> = names
        .iter()
        .map(|name| exchange.by_symbol.get(*name).copied().ok_or_else(ApiError::bad_symbol))
        .collect::<Result<_, _>>()?;
    Ok(cancel_where(exchange, account, |order| markets.contains(&order.market)))
}

pub(super) fn cancel_everything(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let account = call.account()?;
    cancel_where(exchange, account, |_| true);
    Ok(json!({ "code": 200, "msg": "success", "timestamp": ms(exchange.now) }))
}

fn cancel_where(exchange: &mut Exchange, account: usize, which: impl Fn(&OwnOrder) -> bool) -> Value {
    let open: Vec<usize> =
        exchange.accounts[account].open.iter().copied().filter(|i| which(&exchange.orders[*i])).collect();
    let rows = open.into_iter().filter(|index| exchange.cancel_order(*index)).collect::<Vec<_>>();
    rows.into_iter().map(|index| cancelled(exchange, index)).collect()
}

/// What a cancel answers, by the settings.
fn cancelled(exchange: &Exchange, index: usize) -> Value {
    let order = &exchange.orders[index];
    let listing = &exchange.markets[order.market].listing;
    let mut reply = json!({
        "symbol": listing.symbol(),
        "orderId": order.id,
        "price": listing.price(order.price),
        "origQty": listing.qty(order.qty),
        "type": order.kind.as_str(),
        "side": order.side.as_str(),
    });
    if exchange.settings.cancel_reply == CancelReply::Minimal {
        return reply;
    }
    let status = match exchange.settings.cancel_reply {
        CancelReply::StatusNew => "NEW",
        _ => order.status.word(),
    };
    reply["origClientOrderId"] = json!(order.client_id);
    reply["clientOrderId"] = json!(order.client_id);
    reply["executedQty"] = json!(listing.qty(order.executed));
    reply["cummulativeQuoteQty"] = json!(listing.value(order.value));
    reply["status"] = json!(status);
    reply
}

/// An order as the queries show it; what production leaves null is null.
fn shown(exchange: &Exchange, index: usize) -> Value {
    let order = &exchange.orders[index];
    let listing = &exchange.markets[order.market].listing;
    let value = order.quote_qty.unwrap_or_else(|| order.price.notional(order.qty));
    json!({
        "symbol": listing.symbol(),
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": if order.client_id.is_empty() { Value::Null } else { json!(order.client_id) },
        "price": listing.price(order.price),
        "origQty": listing.qty(order.qty),
        "executedQty": listing.qty(order.executed),
        "cummulativeQuoteQty": listing.value(order.value),
        "status": order.status.word(),
        "timeInForce": null,
        "type": order.kind.as_str(),
        "side": order.side.as_str(),
        "stopPrice": null,
        "icebergQty": null,
        "time": ms(order.accepted),
        "updateTime": order.updated.map(ms),
        "isWorking": true,
        "stpMode": order.stp_mode,
        "cancelReason": order.cancel_reason,
        "origQuoteOrderQty": listing.value(value),
    })
}

pub(super) fn query(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = match call.params.get("symbol") {
        None if !exchange.settings.order_query_needs_symbol => None,
        _ => Some(market_of(exchange, call)?),
    };
    let found =
        named(exchange, call)?.filter(|index| market.is_none_or(|m| exchange.orders[*index].market == m));
    match found {
        Some(index) => Ok(shown(exchange, index)),
        None => refuse(-2013, "Order does not exist."),
    }
}

const OPEN_MOST: usize = 1_000;

pub(super) fn open(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = match call.params.get("symbol") {
        Some(_) => Some(market_of(exchange, call)?),
        None => None,
    };
    let open = exchange.accounts[call.account()?].open.iter().copied();
    let wanted = open.filter(|index| market.is_none_or(|m| exchange.orders[*index].market == m));
    Ok(wanted.take(OPEN_MOST).map(|index| shown(exchange, index)).collect())
}

const DAY_MS: i64 = 86_400_000;

pub(super) fn all(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = market_of(exchange, call)?;
    let limit = call.params.limit(500, 1_000)?;
    let now = ms(exchange.now);
    let to = call.params.number("endTime")?.unwrap_or(now);
    let from = call.params.number("startTime")?.unwrap_or(to.saturating_sub(DAY_MS)).max(now - 7 * DAY_MS);
    let wanted = |index: &usize| {
        let order = &exchange.orders[*index];
        order.market == market && (from..=to).contains(&ms(order.accepted))
    };
    let orders = exchange.accounts[call.account()?].orders.iter().rev().copied();
    Ok(orders.filter(wanted).take(limit).map(|index| shown(exchange, index)).collect())
}
