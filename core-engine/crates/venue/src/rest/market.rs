//! Market data.

use flashpod_mexc::KlineInterval;
use flashpod_types::{Amount, Price, Qty, Side};
use serde_json::{Value, json};

use super::ApiError;
use super::admit::ms;
use super::routes::Call;
use crate::exchange::Exchange;
use crate::market::{Market, PublicTrade};

fn market_named(exchange: &Exchange, symbol: &str) -> Result<usize, ApiError> {
    exchange.by_symbol.get(symbol).copied().ok_or_else(ApiError::bad_symbol)
}

/// The market of the parameter `symbol`.
pub(super) fn market_of(exchange: &Exchange, call: &Call) -> Result<usize, ApiError> {
    market_named(exchange, call.params.need("symbol")?)
}

/// One object when a symbol is named, all in an array otherwise.
fn one_or_all(
    exchange: &Exchange,
    call: &Call,
    of: impl Fn(&Exchange, &Market) -> Value,
) -> Result<Value, ApiError> {
    match call.params.get("symbol") {
        Some(symbol) => Ok(of(exchange, &exchange.markets[market_named(exchange, symbol)?])),
        None => Ok(exchange.markets.iter().map(|market| of(exchange, market)).collect()),
    }
}

pub(super) fn ping(_: &mut Exchange, _: &Call) -> Result<Value, ApiError> {
    Ok(json!({}))
}

pub(super) fn time(exchange: &mut Exchange, _: &Call) -> Result<Value, ApiError> {
    Ok(json!({ "serverTime": ms(exchange.now) }))
}

pub(super) fn default_symbols(exchange: &mut Exchange, _: &Call) -> Result<Value, ApiError> {
    let names: Vec<&str> = exchange.markets.iter().map(|market| market.listing.symbol()).collect();
    Ok(json!({ "code": 200, "data": names, "msg": null }))
}

pub(super) fn contract_detail(_: &mut Exchange, _: &Call) -> Result<Value, ApiError> {
    Ok(json!({ "success": true, "code": 0, "data": [] }))
}

pub(super) fn exchange_info(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let wanted: Option<Vec<&str>> = match (call.params.get("symbol"), call.params.get("symbols")) {
        (Some(one), _) => Some(vec![one]),
        (None, Some(list)) => Some(list.split(',').collect()),
        (None, None) => None,
    };
    let symbols: Vec<Value> = match wanted {
        Some(names) => names
            .into_iter()
            .map(|name| Ok(describe(exchange, &exchange.markets[market_named(exchange, name)?])))
            .collect::<Result<_, ApiError>>()?,
        None => exchange.markets.iter().map(|market| describe(exchange, market)).collect(),
    };
    Ok(json!({
        "timezone": "CST",
        "serverTime": ms(exchange.now),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": symbols,
    }))
}

fn factor(raw: i64) -> String {
    Price::from_raw(raw).to_string()
}

fn describe(exchange: &Exchange, market: &Market) -> Value {
    let (listing, settings) = (&market.listing, &exchange.settings);
    let instrument = &listing.instrument;
    json!({
        "symbol": listing.symbol(),
        "status": "1",
        "baseAsset": instrument.base.as_str(),
        "baseAssetPrecision": listing.qty_places,
        "quoteAsset": instrument.quote.as_str(),
        "quotePrecision": listing.price_places,
        "quoteAssetPrecision": listing.price_places,
        "baseCommissionPrecision": listing.qty_places,
        "quoteCommissionPrecision": listing.price_places,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": true,
        "isMarginTradingAllowed": false,
        "quoteAmountPrecision": instrument.min_notional.to_string(),
        "baseSizePrecision": instrument.min_qty.to_string(),
        "permissions": ["SPOT"],
        "filters": [{
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": factor(settings.band_up.0),
            "askMultiplierDown": factor(settings.band_down.0),
        }],
        "maxQuoteAmount": instrument.max_notional.to_string(),
        "makerCommission": factor(settings.maker_fee.0),
        "takerCommission": factor(settings.taker_fee.0),
        "quoteAmountPrecisionMarket": instrument.min_notional.to_string(),
        "maxQuoteAmountMarket": settings.max_notional_market.amount().to_string(),
        "fullName": instrument.base.as_str(),
        "tradeSideType": 1,
        "contractAddress": "",
        "st": false,
    })
}

pub(super) fn depth(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = &exchange.markets[market_of(exchange, call)?];
    let limit = call.params.limit(100, 5_000)?;
    let side = |side: Side| -> Vec<[String; 2]> {
        let text = |(price, qty): (Price, Qty)| [market.listing.price(price), market.listing.qty(qty)];
        market.levels(side).take(limit).map(text).collect()
    };
    Ok(json!({
        "lastUpdateId": market.version(),
        "bids": side(Side::Buy),
        "asks": side(Side::Sell),
        "timestamp": ms(exchange.now),
    }))
}

pub(super) fn trades(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = &exchange.markets[market_of(exchange, call)?];
    let limit = call.params.limit(500, 1_000)?;
    let item = |trade: &PublicTrade| {
        json!({
            "id": null,
            "price": market.listing.price(trade.price),
            "qty": market.listing.qty(trade.qty),
            "quoteQty": market.listing.value(trade.price.notional(trade.qty)),
            "time": ms(trade.time),
            "isBuyerMaker": !trade.aggressor.is_buy(),
            "isBestMatch": true,
            "tradeType": if trade.aggressor.is_buy() { "BID" } else { "ASK" },
        })
    };
    Ok(market.trades.iter().rev().take(limit).map(item).collect())
}

pub(super) fn agg_trades(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = &exchange.markets[market_of(exchange, call)?];
    let limit = call.params.limit(500, 1_000)?;
    let (from, to) = (call.params.number("startTime")?, call.params.number("endTime")?);
    if from.is_some() != to.is_some() {
        return Err(ApiError::wrong("startTime and endTime go together"));
    }
    let inside = |trade: &&PublicTrade| {
        from.is_none_or(|t| ms(trade.time) >= t) && to.is_none_or(|t| ms(trade.time) <= t)
    };
    let item = |trade: &PublicTrade| {
        json!({
            "a": null,
            "f": null,
            "l": null,
            "p": market.listing.price(trade.price),
            "q": market.listing.qty(trade.qty),
            "T": ms(trade.time),
            "m": !trade.aggressor.is_buy(),
            "M": true,
        })
    };
    Ok(market.trades.iter().rev().filter(inside).take(limit).map(item).collect())
}

pub(super) fn klines(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = &exchange.markets[market_of(exchange, call)?];
    let limit = call.params.limit(500, 1_000)?;
    let interval = KlineInterval::from_rest_name(call.params.need("interval")?)
        .ok_or_else(|| ApiError::wrong("interval: 1m, 5m, 15m, 30m, 60m, 4h, 1d, 1W or 1M"))?;
    let (from, to) = (call.params.number("startTime")?, call.params.number("endTime")?);
    let bars = market.bars.of(interval, ms(exchange.now).div_euclid(1_000));
    let inside: Vec<_> = bars
        .iter()
        .filter(|bar| {
            from.is_none_or(|t| bar.start * 1_000 >= t) && to.is_none_or(|t| bar.start * 1_000 <= t)
        })
        .collect();
    // With a start the oldest are wanted, without one the latest.
    let skip = if from.is_some() { 0 } else { inside.len().saturating_sub(limit) };
    let row = |bar: &&crate::market::Bar| {
        let listing = &market.listing;
        json!([
            bar.start * 1_000,
            listing.price(bar.open),
            listing.price(bar.high),
            listing.price(bar.low),
            listing.price(bar.close),
            listing.volume(bar.volume),
            bar.end * 1_000,
            listing.value(bar.value),
        ])
    };
    Ok(inside.iter().skip(skip).take(limit).map(row).collect())
}

pub(super) fn avg_price(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let market = &exchange.markets[market_of(exchange, call)?];
    let since = ms(exchange.now) - 5 * 60_000;
    let recent: Vec<_> = market.trades.iter().filter(|trade| ms(trade.time) >= since).collect();
    let qty: Amount = recent.iter().map(|trade| Amount::from(trade.qty)).sum();
    let value: Amount = recent.iter().map(|trade| trade.price.notional(trade.qty)).sum();
    let mean = if qty.is_positive() {
        // Units of 1e-16 over units of 1e-8.
        let raw = value.raw() / (qty.raw() / 100_000_000);
        Price::from_raw(i64::try_from(raw).unwrap_or(i64::MAX)).floor_to(market.listing.instrument.tick)
    } else {
        market.last_price().unwrap_or(Price::ZERO)
    };
    Ok(json!({ "mins": 5, "price": market.listing.price(mean) }))
}

pub(super) fn ticker_24hr(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    one_or_all(exchange, call, |exchange, market| {
        let now = ms(exchange.now);
        let listing = &market.listing;
        let day = market.bars.day(now.div_euclid(1_000));
        let last = market.last_price().unwrap_or(Price::ZERO);
        let open = day.map_or(last, |day| day.open);
        let change = last - open;
        // A fraction, not a percentage, in spite of its name.
        let fraction = if open.is_positive() { change.to_f64() / open.to_f64() } else { 0.0 };
        let (bid, ask) = (market.best(Side::Buy), market.best(Side::Sell));
        let price = |best: Option<(Price, Qty)>| listing.price(best.map_or(Price::ZERO, |(price, _)| price));
        let qty = |best: Option<(Price, Qty)>| listing.qty(best.map_or(Qty::ZERO, |(_, qty)| qty));
        json!({
            "symbol": listing.symbol(),
            "priceChange": listing.price(change),
            "priceChangePercent": format!("{fraction:.6}"),
            "prevClosePrice": listing.price(open),
            "lastPrice": listing.price(last),
            "bidPrice": price(bid),
            "bidQty": qty(bid),
            "askPrice": price(ask),
            "askQty": qty(ask),
            "openPrice": listing.price(open),
            "highPrice": listing.price(day.map_or(last, |day| day.high)),
            "lowPrice": listing.price(day.map_or(last, |day| day.low)),
            "volume": listing.volume(day.map_or(Amount::ZERO, |day| day.volume)),
            "quoteVolume": listing.value(day.map_or(Amount::ZERO, |day| day.value)),
            "openTime": now - 86_400_000,
            "closeTime": now,
            "count": null,
        })
    })
}

pub(super) fn ticker_price(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    one_or_all(exchange, call, |_, market| {
        let last = market.last_price().unwrap_or(Price::ZERO);
        json!({ "symbol": market.listing.symbol(), "price": market.listing.price(last) })
    })
}

pub(super) fn book_ticker(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    one_or_all(exchange, call, |_, market| {
        let listing = &market.listing;
        let best = |side: Side| market.best(side).unwrap_or((Price::ZERO, Qty::ZERO));
        let (bid, ask) = (best(Side::Buy), best(Side::Sell));
        json!({
            "symbol": listing.symbol(),
            "bidPrice": listing.price(bid.0),
            "bidQty": listing.qty(bid.1),
            "askPrice": listing.price(ask.0),
            "askQty": listing.qty(ask.1),
        })
    })
}
