//! Checked frames to JavaScript's shapes.

use flashpod_mexc::decode::{self as core, Body};
use flashpod_mexc::depth::DepthPush;
use flashpod_types::Millis;

use super::shapes::{
    BalancePush, BookTicker, Deal, Depth, FillPush, Kline, Levels, LimitDepth, OrderPush, PushFrame,
};
use crate::arrays::Doubles;
use crate::failure::Outcome;
use crate::units::{millis, number, order_type_text, side_text};

pub(super) fn push(push: &DepthPush<'_>) -> Outcome<PushFrame> {
    Ok(PushFrame {
        channel: String::from_utf8_lossy(push.channel).into_owned(),
        symbol: push.symbol.map(|symbol| symbol.to_string()),
        created_ms: push.created.map(|time| millis(time.0)),
        sent_ms: push.sent.map(|time| millis(time.0)),
        kind: "depth".to_owned(),
        depth: Some(depth(push.from, push.to, push.bids, push.asks, push.last_order_created)?),
        ..PushFrame::default()
    })
}

pub(super) fn frame(frame: core::Frame) -> Outcome<PushFrame> {
    let mut told = PushFrame {
        channel: frame.channel,
        symbol: frame.symbol.map(|symbol| symbol.to_string()),
        created_ms: frame.created.map(|time| millis(time.0)),
        sent_ms: frame.sent.map(|time| millis(time.0)),
        ..PushFrame::default()
    };
    let kind = match frame.body {
        Body::Depth(body) => {
            told.depth = Some(depth(body.from, body.to, &body.bids, &body.asks, body.last_order_created)?);
            "depth"
        }
        Body::LimitDepth(body) => {
            let version = version(body.version)?;
            let (bids, asks) = (levels(&body.bids), levels(&body.asks));
            told.limit_depth = Some(LimitDepth { version, bids, asks });
            "limitDepth"
        }
        Body::Deals(body) => {
            told.deals = Some(body.iter().map(deal).collect());
            "deals"
        }
        Body::BookTicker(body) => {
            told.book_ticker = Some(book_ticker(&body)?);
            "bookTicker"
        }
        Body::Kline(body) => {
            told.kline = Some(kline(&body));
            "kline"
        }
        Body::Order(body) => {
            told.order = Some(order(&body));
            "order"
        }
        Body::Fill(body) => {
            told.fill = Some(fill(&body));
            "fill"
        }
        Body::Balance(body) => {
            told.balance = Some(balance(body));
            "balance"
        }
        Body::Unused(name) => {
            told.unused = Some(name.to_owned());
            "unused"
        }
    };
    kind.clone_into(&mut told.kind);
    Ok(told)
}

fn levels(levels: &[core::Level]) -> Levels {
    Levels {
        prices: Doubles(levels.iter().map(|level| level.0.to_f64()).collect()),
        quantities: Doubles(levels.iter().map(|level| level.1.to_f64()).collect()),
    }
}

fn version(version: Option<u64>) -> Outcome<Option<f64>> {
    version.map(|version| number("version", version)).transpose()
}

fn depth(
    from: u64,
    to: u64,
    bids: &[core::Level],
    asks: &[core::Level],
    last_order_created: Option<Millis>,
) -> Outcome<Depth> {
    Ok(Depth {
        from: number("fromVersion", from)?,
        to: number("toVersion", to)?,
        bids: levels(bids),
        asks: levels(asks),
        last_order_created_ms: last_order_created.map(|time| millis(time.0)),
    })
}

fn deal(body: &core::Deal) -> Deal {
    Deal {
        price: body.price.to_string(),
        quantity: body.qty.to_string(),
        taker: side_text(body.taker).to_owned(),
        time_ms: millis(body.time.0),
        id: body.id.to_string(),
    }
}

fn book_ticker(body: &core::BookTicker) -> Outcome<BookTicker> {
    Ok(BookTicker {
        bid_price: body.bid.map(|level| level.0.to_string()),
        bid_quantity: body.bid.map(|level| level.1.to_string()),
        ask_price: body.ask.map(|level| level.0.to_string()),
        ask_quantity: body.ask.map(|level| level.1.to_string()),
        version: version(body.version)?,
    })
}

fn kline(body: &core::Kline) -> Kline {
    Kline {
        interval: body.interval.as_str().to_owned(),
        start_s: millis(body.start_s),
        end_s: millis(body.end_s),
        open: body.open.to_string(),
        close: body.close.to_string(),
        high: body.high.to_string(),
        low: body.low.to_string(),
        volume: body.volume.to_string(),
        turnover: body.turnover.to_string(),
    }
}

fn order(body: &core::OrderPush) -> OrderPush {
    OrderPush {
        order_id: body.order_id.to_string(),
        client_id: body.client_id.to_string(),
        side: side_text(body.side).to_owned(),
        kind: body.kind.map(|kind| order_type_text(kind).to_owned()),
        price: body.price.to_string(),
        quantity: body.qty.to_string(),
        executed: body.executed.to_string(),
        executed_quote: body.executed_quote.to_string(),
        status: body.status.number().unsigned_abs(),
        created_ms: millis(body.created.0),
    }
}

fn fill(body: &core::FillPush) -> FillPush {
    FillPush {
        trade_id: body.trade_id.to_string(),
        order_id: body.order_id.to_string(),
        client_id: body.client_id.to_string(),
        side: side_text(body.side).to_owned(),
        price: body.price.to_string(),
        quantity: body.qty.to_string(),
        quote: body.quote.to_string(),
        fee: body.fee.to_string(),
        fee_asset: body.fee_asset.to_string(),
        maker: body.maker,
        self_trade: body.self_trade,
        time_ms: millis(body.time.0),
    }
}

fn balance(body: core::BalancePush) -> BalancePush {
    BalancePush {
        asset: body.asset.to_string(),
        free: body.free.to_string(),
        free_change: body.free_change.to_string(),
        locked: body.locked.to_string(),
        locked_change: body.locked_change.to_string(),
        cause: body.cause,
        time_ms: millis(body.time.0),
    }
}
