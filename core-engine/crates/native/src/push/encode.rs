//! JavaScript's shapes to protobuf. What the decoder would refuse is refused here.

use flashpod_mexc::decode::convert;
use flashpod_mexc::push::{self, push_data_v3_api_wrapper::Body};
use flashpod_types::{OrderType, Side};

use super::shapes::{
    BalancePush, BookTicker, Deal, Depth, FillPush, Kline, Levels, LimitDepth, OrderPush, PushFrame,
};
use crate::failure::{Code, Failure, Outcome};
use crate::units;

pub(super) fn frame(frame: PushFrame) -> Outcome<push::PushDataV3ApiWrapper> {
    let missing = |kind: &str| Failure::argument("kind", format!("`{kind}`"), "has no body of that name");
    let kind = frame.kind.as_str();
    let body = match kind {
        "depth" => Body::PublicAggreDepths(depth(frame.depth.ok_or_else(|| missing(kind))?)?),
        "limitDepth" => {
            Body::PublicLimitDepths(limit_depth(frame.limit_depth.ok_or_else(|| missing(kind))?)?)
        }
        "deals" => Body::PublicAggreDeals(push::PublicAggreDeals {
            deals: frame.deals.ok_or_else(|| missing(kind))?.into_iter().map(deal).collect::<Outcome<_>>()?,
            ..Default::default()
        }),
        "bookTicker" => {
            Body::PublicAggreBookTicker(book_ticker(frame.book_ticker.ok_or_else(|| missing(kind))?)?)
        }
        "kline" => Body::PublicSpotKline(kline(frame.kline.ok_or_else(|| missing(kind))?)?),
        "order" => Body::PrivateOrders(order(frame.order.ok_or_else(|| missing(kind))?)?),
        "fill" => Body::PrivateDeals(fill(frame.fill.ok_or_else(|| missing(kind))?)?),
        "balance" => Body::PrivateAccount(balance(frame.balance.ok_or_else(|| missing(kind))?)?),
        other => {
            let accepted = "is none of depth, limitDepth, deals, bookTicker, kline, order, fill, balance";
            return Err(Failure::argument("kind", format!("`{other}`"), accepted));
        }
    };
    let wrapper = push::PushDataV3ApiWrapper {
        channel: frame.channel,
        symbol: frame.symbol,
        symbol_id: None,
        create_time: frame.created_ms.map(|value| time("createdMs", value)).transpose()?,
        send_time: frame.sent_ms.map(|value| time("sentMs", value)).transpose()?,
        body: Some(body),
    };
    convert(wrapper.clone()).map_err(|error| Failure::new(Code::InvalidArgument, error.to_string()))?;
    Ok(wrapper)
}

fn time(what: &str, value: f64) -> Outcome<i64> {
    units::whole(what, value).map(|value| i64::try_from(value).unwrap_or(i64::MAX))
}

fn version(value: Option<f64>) -> Outcome<String> {
    value.map_or_else(|| Ok(String::new()), |value| Ok(units::whole("version", value)?.to_string()))
}

fn levels(what: &str, levels: &Levels) -> Outcome<Vec<push::Level>> {
    let mut exact = Vec::new();
    units::levels(what, levels.prices.passed(), levels.quantities.passed(), &mut exact)?;
    let text = |(price, qty): (flashpod_types::Price, flashpod_types::Qty)| push::Level {
        price: price.to_string(),
        quantity: qty.to_string(),
    };
    Ok(exact.into_iter().map(text).collect())
}

fn side(text: &str) -> Outcome<i32> {
    Ok(match units::side(text)? {
        Side::Buy => 1,
        Side::Sell => 2,
    })
}

fn depth(body: Depth) -> Outcome<push::PublicAggreDepths> {
    Ok(push::PublicAggreDepths {
        from_version: units::whole("from", body.from)?.to_string(),
        to_version: units::whole("to", body.to)?.to_string(),
        bids: levels("bids", &body.bids)?,
        asks: levels("asks", &body.asks)?,
        last_order_create_time: body
            .last_order_created_ms
            .map_or(Ok(0), |value| time("lastOrderCreatedMs", value))?,
        ..Default::default()
    })
}

fn limit_depth(body: LimitDepth) -> Outcome<push::PublicLimitDepths> {
    Ok(push::PublicLimitDepths {
        version: version(body.version)?,
        bids: levels("bids", &body.bids)?,
        asks: levels("asks", &body.asks)?,
        ..Default::default()
    })
}

fn deal(body: Deal) -> Outcome<push::PublicAggreDeal> {
    Ok(push::PublicAggreDeal {
        price: body.price,
        quantity: body.quantity,
        trade_type: side(&body.taker)?,
        time: time("timeMs", body.time_ms)?,
        trade_id: body.id,
    })
}

fn book_ticker(body: BookTicker) -> Outcome<push::PublicAggreBookTicker> {
    Ok(push::PublicAggreBookTicker {
        bid_price: body.bid_price.unwrap_or_default(),
        bid_quantity: body.bid_quantity.unwrap_or_default(),
        ask_price: body.ask_price.unwrap_or_default(),
        ask_quantity: body.ask_quantity.unwrap_or_default(),
        version: version(body.version)?,
        ..Default::default()
    })
}

fn kline(body: Kline) -> Outcome<push::PublicSpotKline> {
    Ok(push::PublicSpotKline {
        interval: body.interval,
        window_start: time("startS", body.start_s)?,
        window_end: time("endS", body.end_s)?,
        opening_price: body.open,
        closing_price: body.close,
        highest_price: body.high,
        lowest_price: body.low,
        volume: body.volume,
        amount: body.turnover,
    })
}

fn order(body: OrderPush) -> Outcome<push::PrivateOrders> {
    let kind = body.kind.ok_or_else(|| Failure::argument("type", "missing", "cannot be written"))?;
    Ok(push::PrivateOrders {
        id: body.order_id,
        client_id: body.client_id,
        trade_type: side(&body.side)?,
        order_type: match units::order_type(&kind)? {
            OrderType::Limit => 1,
            OrderType::LimitMaker => 2,
            OrderType::Ioc => 3,
            OrderType::Fok => 4,
            OrderType::Market => 5,
        },
        price: body.price,
        quantity: body.quantity,
        cumulative_quantity: body.executed,
        cumulative_amount: body.executed_quote,
        status: i32::try_from(body.status).unwrap_or(i32::MAX),
        create_time: time("createdMs", body.created_ms)?,
        ..Default::default()
    })
}

fn fill(body: FillPush) -> Outcome<push::PrivateDeals> {
    Ok(push::PrivateDeals {
        price: body.price,
        quantity: body.quantity,
        amount: body.quote,
        trade_type: side(&body.side)?,
        is_maker: body.maker,
        is_self_trade: body.self_trade,
        trade_id: body.trade_id,
        client_order_id: body.client_id,
        order_id: body.order_id,
        fee_amount: body.fee,
        fee_currency: body.fee_asset,
        time: time("timeMs", body.time_ms)?,
    })
}

fn balance(body: BalancePush) -> Outcome<push::PrivateAccount> {
    Ok(push::PrivateAccount {
        vcoin_name: body.asset,
        balance_amount: body.free,
        balance_amount_change: body.free_change,
        frozen_amount: body.locked,
        frozen_amount_change: body.locked_change,
        r#type: body.cause,
        time: time("timeMs", body.time_ms)?,
        ..Default::default()
    })
}
