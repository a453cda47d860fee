//! Account, own trades, fees and listen keys.

use serde_json::{Value, json};

use super::ApiError;
use super::admit::ms;
use super::desk;
use super::market::market_of;
use super::routes::Call;
use crate::exchange::Exchange;
use crate::settings::TradeTimes;

pub(super) fn account(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let all = exchange.settings.zero_balances;
    let balances: Vec<Value> = exchange.accounts[call.account()?]
        .funds
        .iter()
        .filter(|(_, balance)| all || !balance.total().is_zero())
        .map(|(asset, balance)| {
            json!({
                "asset": asset.as_str(),
                "free": balance.free.to_string(),
                "locked": balance.locked.to_string(),
                "available": balance.free.to_string(),
            })
        })
        .collect();
    Ok(json!({
        "makerCommission": null,
        "takerCommission": null,
        "buyerCommission": null,
        "sellerCommission": null,
        "canTrade": true,
        "canWithdraw": true,
        "canDeposit": true,
        "updateTime": null,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
    }))
}

const TRADES_MOST: usize = 100;
const MONTH_MS: i64 = 30 * 86_400_000;

/// Latest first, at most 100; a page ends where `endTime` says.
pub(super) fn my_trades(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = market_of(exchange, call)?;
    let account = &exchange.accounts[call.account()?];
    let limit = call.params.limit(TRADES_MOST, TRADES_MOST)?;
    let oldest = ms(exchange.now) - MONTH_MS;
    let from = call.params.number("startTime")?.unwrap_or(oldest).max(oldest);
    let to = call.params.number("endTime")?.unwrap_or(i64::MAX);
    let of_order = call.params.get("orderId");
    let listing = &exchange.markets[market].listing;
    let mut rows = Vec::new();
    for (index, deal) in account.deals.iter().rev() {
        let order = &exchange.orders[*index];
        let deal = &order.deals[*deal];
        let at = ms(deal.time);
        if at < from {
            break; // deals are in time order
        }
        let wanted =
            order.market == market && of_order.is_none_or(|id| id == order.id) && at <= to && !deal.hidden;
        if !wanted {
            continue;
        }
        let time = match exchange.settings.trade_times {
            TradeTimes::Seconds => at.div_euclid(1_000) * 1_000,
            TradeTimes::Milliseconds => at,
        };
        let client_id = if order.client_id.is_empty() { Value::Null } else { json!(order.client_id) };
        rows.push(json!({
            "symbol": listing.symbol(),
            "id": deal.trade_id,
            "orderId": order.id,
            "orderListId": -1,
            "price": listing.price(deal.price),
            "qty": listing.qty(deal.qty),
            "quoteQty": listing.value(deal.price.notional(deal.qty)),
            "commission": deal.fee.to_string(),
            "commissionAsset": deal.fee_asset.as_str(),
            "time": time,
            "isBuyer": order.side.is_buy(),
            "isMaker": deal.maker,
            "isBestMatch": true,
            "isSelfTrade": deal.self_trade,
            "clientOrderId": client_id,
        }));
        if rows.len() == limit {
            break;
        }
    }
    Ok(Value::Array(rows))
}

/// The one place where the venue writes numbers instead of decimal text.
pub(super) fn trade_fee(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    market_of(exchange, call)?;
    let rate = |raw: i64| flashpod_types::Price::from_raw(raw).to_f64();
    Ok(json!({
        "data": {
            "makerCommission": rate(exchange.settings.maker_fee.0),
            "takerCommission": rate(exchange.settings.taker_fee.0),
        },
        "code": 0,
        "msg": "success",
        "timestamp": ms(exchange.now),
    }))
}

pub(super) fn uid(_: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    Ok(json!({ "uid": desk::uid(call.account()?) }))
}

pub(super) fn coins(_: &mut Exchange, _: &Call) -> Result<Value, ApiError> {
    Ok(json!([]))
}

pub(super) fn create_key(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let key = exchange.create_listen_key(call.account()?)?;
    Ok(json!({ "listenKey": key }))
}

pub(super) fn list_keys(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let now = exchange.now;
    let keys = &exchange.accounts[call.account()?].listen_keys;
    let valid: Vec<&String> = keys.iter().filter(|(_, end)| **end > now).map(|(key, _)| key).collect();
    Ok(json!({ "listenKey": valid }))
}

pub(super) fn extend_key(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let key = call.params.need("listenKey")?;
    exchange.extend_listen_key(call.account()?, key)?;
    Ok(json!({ "listenKey": key }))
}

pub(super) fn delete_key(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let key = call.params.need("listenKey")?;
    exchange.delete_listen_key(call.account()?, key)?;
    Ok(json!({ "listenKey": key }))
}
