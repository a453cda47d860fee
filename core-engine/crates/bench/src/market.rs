//! A tape as the frames that MEXC would have pushed: depth in pieces of 20 levels, deals.

use bytes::Bytes;
use flashpod_book::Level;
use flashpod_mexc::push::{self, push_data_v3_api_wrapper::Body};
use flashpod_recordings::Trade;
use flashpod_types::{Millis, Nanos};
use prost::Message;

use crate::tape::Tape;

/// Levels of a depth frame.
pub(crate) const LEVELS: usize = 20;
/// The venue pushes at most so often, milliseconds.
const CADENCE: i64 = 10;

pub(crate) struct MarketFrame {
    /// Counted from the tape's first.
    pub due: Nanos,
    pub bytes: Bytes,
    pub levels: u64,
    pub trades: u64,
}

/// Depth and deals in the order of their times.
pub(crate) fn frames(tape: &Tape) -> Vec<MarketFrame> {
    let mut frames = depth_frames(tape);
    let start = tape.update(0).event.0;
    frames.extend(deals_frames(&tape.trades, start));
    frames.sort_by_key(|frame| frame.due);
    frames
}

/// The tape cut into frames of exactly 20 levels, each due when the update was made that ends it, but not sooner than
/// 10 ms after the one before. Inside an update removals come first: then the book is crossed at no cut.
pub(crate) fn depth_frames(tape: &Tape) -> Vec<MarketFrame> {
    let mut changes: Vec<(bool, Level, Millis)> = Vec::with_capacity(tape.levels());
    for update in (0..tape.updates()).map(|index| tape.update(index)) {
        let bids = update.bids.iter().map(|level| (true, *level, update.event));
        let both: Vec<_> =
            bids.chain(update.asks.iter().map(|level| (false, *level, update.event))).collect();
        let (removed, set): (Vec<_>, Vec<_>) = both.into_iter().partition(|change| change.1.1.is_zero());
        changes.extend(removed);
        changes.extend(set);
    }
    let start = tape.update(0).event.0;
    let mut last = start - CADENCE;
    let mut frames = Vec::with_capacity(changes.len() / LEVELS);
    for (chunk, number) in changes.chunks_exact(LEVELS).zip(0_u64..) {
        last = chunk.last().map_or(last, |change| change.2.0).max(last + CADENCE);
        frames.push(MarketFrame {
            due: since(start, last),
            bytes: depth_frame(chunk, number, last),
            levels: LEVELS as u64,
            trades: 0,
        });
    }
    frames
}

fn since(start: i64, ms: i64) -> Nanos {
    Nanos::from_millis(u64::try_from(ms - start).unwrap_or(0))
}

fn depth_frame(chunk: &[(bool, Level, Millis)], number: u64, sent: i64) -> Bytes {
    let levels = |bids: bool| {
        let chosen = chunk.iter().filter(move |change| change.0 == bids);
        chosen
            .map(|(_, (price, qty), _)| push::Level { price: price.to_string(), quantity: qty.to_string() })
            .collect()
    };
    let (first, last) = (number * LEVELS as u64 + 1, (number + 1) * LEVELS as u64);
    let event_type = "spot@public.aggre.depth.v3.api.pb@10ms";
    let body = Body::PublicAggreDepths(push::PublicAggreDepths {
        asks: levels(false),
        bids: levels(true),
        event_type: event_type.into(),
        from_version: first.to_string(),
        to_version: last.to_string(),
        last_order_create_time: sent - 1,
    });
    push_frame(event_type, sent, body)
}

/// Trades of the same 10 ms together.
fn deals_frames(trades: &[Trade], start: i64) -> Vec<MarketFrame> {
    let event_type = "spot@public.aggre.deals.v3.api.pb@10ms";
    let later = trades.iter().skip_while(|trade| trade.event.0 < start).collect::<Vec<_>>();
    let same = |a: &&Trade, b: &&Trade| a.event.0 / CADENCE == b.event.0 / CADENCE;
    let frame = |batch: &[&Trade]| {
        let sent = batch.last().map_or(start, |trade| trade.event.0);
        let deal = |trade: &&Trade| push::PublicAggreDeal {
            price: trade.price.to_string(),
            quantity: trade.qty.to_string(),
            trade_type: if trade.buyer_is_maker { 2 } else { 1 },
            time: trade.time.0,
            trade_id: trade.id.to_string(),
        };
        let deals = batch.iter().map(deal).collect();
        let body = Body::PublicAggreDeals(push::PublicAggreDeals { deals, event_type: event_type.into() });
        let bytes = push_frame(event_type, sent, body);
        MarketFrame { due: since(start, sent), bytes, levels: 0, trades: batch.len() as u64 }
    };
    later.chunk_by(same).map(frame).collect()
}

fn push_frame(event_type: &str, sent: i64, body: Body) -> Bytes {
    let frame = push::PushDataV3ApiWrapper {
        channel: format!("{event_type}@BTCUSDC"),
        symbol: Some("BTCUSDC".into()),
        send_time: Some(sent),
        body: Some(body),
        ..Default::default()
    };
    Bytes::from(frame.encode_to_vec())
}
