//! A push frame as JSON, for comparing decoders.

use flashpod_mexc::push::{PushDataV3ApiWrapper, push_data_v3_api_wrapper::Body};
use serde_json::{Value, json};

fn levels(list: &[flashpod_mexc::push::Level]) -> Value {
    list.iter().map(|level| json!({ "price": level.price, "quantity": level.quantity })).collect()
}

fn mini_ticker(b: &flashpod_mexc::push::PublicMiniTicker) -> Value {
    json!({
        "symbol": b.symbol, "price": b.price, "rate": b.rate, "zonedRate": b.zoned_rate,
        "high": b.high, "low": b.low, "volume": b.volume, "quantity": b.quantity,
        "lastCloseRate": b.last_close_rate, "lastCloseZonedRate": b.last_close_zoned_rate,
        "lastCloseHigh": b.last_close_high, "lastCloseLow": b.last_close_low,
    })
}

/// The fields that every decoder since February 2025 knows; 64-bit numbers as text, as protobufjs shows them.
#[must_use]
pub fn frame_as_json(frame: &PushDataV3ApiWrapper) -> Value {
    let (name, body) = match &frame.body {
        Some(Body::PublicAggreDepths(b)) => (
            "publicAggreDepths",
            json!({
                "asks": levels(&b.asks), "bids": levels(&b.bids), "eventType": b.event_type,
                "fromVersion": b.from_version, "toVersion": b.to_version,
            }),
        ),
        Some(Body::PublicAggreDeals(b)) => (
            "publicAggreDeals",
            json!({
                "deals": b.deals.iter().map(|d| json!({
                    "price": d.price, "quantity": d.quantity, "tradeType": d.trade_type, "time": d.time.to_string(),
                })).collect::<Vec<_>>(),
                "eventType": b.event_type,
            }),
        ),
        Some(Body::PublicAggreBookTicker(b)) => (
            "publicAggreBookTicker",
            json!({
                "bidPrice": b.bid_price, "bidQuantity": b.bid_quantity,
                "askPrice": b.ask_price, "askQuantity": b.ask_quantity,
            }),
        ),
        Some(Body::PublicLimitDepths(b)) => (
            "publicLimitDepths",
            json!({
                "asks": levels(&b.asks), "bids": levels(&b.bids), "eventType": b.event_type, "version": b.version,
            }),
        ),
        Some(Body::PublicSpotKline(b)) => (
            "publicSpotKline",
            json!({
                "interval": b.interval, "windowStart": b.window_start.to_string(),
                "openingPrice": b.opening_price, "closingPrice": b.closing_price,
                "highestPrice": b.highest_price, "lowestPrice": b.lowest_price,
                "volume": b.volume, "amount": b.amount, "windowEnd": b.window_end.to_string(),
            }),
        ),
        Some(Body::PrivateOrders(b)) => (
            "privateOrders",
            json!({
                "id": b.id, "clientId": b.client_id, "price": b.price, "quantity": b.quantity,
                "amount": b.amount, "avgPrice": b.avg_price, "orderType": b.order_type,
                "tradeType": b.trade_type, "isMaker": b.is_maker, "remainAmount": b.remain_amount,
                "remainQuantity": b.remain_quantity, "lastDealQuantity": b.last_deal_quantity,
                "cumulativeQuantity": b.cumulative_quantity, "cumulativeAmount": b.cumulative_amount,
                "status": b.status, "createTime": b.create_time.to_string(),
            }),
        ),
        Some(Body::PrivateDeals(b)) => (
            "privateDeals",
            json!({
                "price": b.price, "quantity": b.quantity, "amount": b.amount, "tradeType": b.trade_type,
                "isMaker": b.is_maker, "isSelfTrade": b.is_self_trade, "tradeId": b.trade_id,
                "clientOrderId": b.client_order_id, "orderId": b.order_id, "feeAmount": b.fee_amount,
                "feeCurrency": b.fee_currency, "time": b.time.to_string(),
            }),
        ),
        Some(Body::PrivateAccount(b)) => (
            "privateAccount",
            json!({
                "vcoinName": b.vcoin_name, "coinId": b.coin_id, "balanceAmount": b.balance_amount,
                "balanceAmountChange": b.balance_amount_change, "frozenAmount": b.frozen_amount,
                "frozenAmountChange": b.frozen_amount_change, "type": b.r#type, "time": b.time.to_string(),
            }),
        ),
        Some(Body::PublicMiniTicker(b)) => ("publicMiniTicker", mini_ticker(b)),
        Some(Body::PublicMiniTickers(b)) => {
            ("publicMiniTickers", json!({ "items": b.items.iter().map(mini_ticker).collect::<Vec<_>>() }))
        }
        _ => ("body", Value::Null),
    };
    let mut shown = json!({ "channel": frame.channel, name: body });
    if let Some(symbol) = &frame.symbol {
        shown["symbol"] = json!(symbol);
    }
    for (name, time) in [("createTime", frame.create_time), ("sendTime", frame.send_time)] {
        if let Some(time) = time {
            shown[name] = json!(time.to_string());
        }
    }
    shown
}
