//! Public pushes.

use flashpod_matching::LevelChange;
use flashpod_mexc::push::{
    Level, PublicAggreBookTicker, PublicAggreDeal, PublicAggreDeals, PublicAggreDepths, PublicLimitDepths,
    PublicSpotKline, PushDataV3ApiWrapper, push_data_v3_api_wrapper::Body,
};
use flashpod_mexc::{Cadence, Channel, KlineInterval};
use flashpod_types::{Nanos, Price, Qty, Side};

use super::io::SessionId;
use super::state::Exchange;
use crate::listing::Listing;
use crate::market::{DepthCut, PublicTrade, Top, Update, millis};

const CADENCES: [Cadence; 2] = [Cadence::Ms10, Cadence::Ms100];

/// What readers of pictures saw last.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    top: [Option<[(Price, Qty); 2]>; 2],
    limit_depth_at: Nanos,
}

fn level(listing: &Listing, (price, qty): (Price, Qty)) -> Level {
    Level { price: listing.price(price), quantity: listing.qty(qty) }
}

impl Exchange {
    fn frame(&self, channel: &Channel, body: Body) -> PushDataV3ApiWrapper {
        let now = millis(self.now);
        // As captured: candles say when they were made, all others when they were sent.
        let made = matches!(channel, Channel::Kline { .. });
        PushDataV3ApiWrapper {
            channel: channel.to_string(),
            symbol: channel.symbol().map(|symbol| symbol.to_string()),
            symbol_id: None,
            create_time: made.then_some(now),
            send_time: (!made).then_some(now),
            body: Some(body),
        }
    }

    pub(super) fn publish(&mut self, channel: &Channel, body: Body) {
        let frame = self.frame(channel, body);
        self.deliver(channel, &frame, |_| true);
    }

    /// The synthetic market's push of one cadence (0: 10 ms, 1: 100 ms).
    pub(super) fn push_batch(&mut self, market: usize, which: usize) {
        let (cut, trades) = self.markets[market].take_push(which);
        let cadence = CADENCES[which];
        if let Some(cut) = cut {
            self.push_depth(market, cadence, &cut);
            self.push_top(market, which, None);
            let picture_due = Nanos::from_millis(self.settings.limit_depth_ms);
            if self.now.since(self.shown[market].limit_depth_at) >= picture_due {
                self.push_limit_depth(market);
            }
        }
        self.push_trades(market, cadence, &trades);
    }

    /// A recorded event: told at once, in its own cut, to the readers of both cadences.
    pub(super) fn push_update(&mut self, market: usize, update: Update) {
        match update {
            Update::Depth(cut) => {
                for cadence in CADENCES {
                    self.push_depth(market, cadence, &cut);
                }
                self.push_limit_depth(market);
            }
            Update::Trade(trade) => {
                for cadence in CADENCES {
                    self.push_trades(market, cadence, &[trade]);
                }
            }
            Update::Top(top) => {
                for which in 0..2 {
                    self.push_top(market, which, Some(top));
                }
            }
        }
    }

    fn push_depth(&mut self, market: usize, cadence: Cadence, cut: &DepthCut) {
        let listing = &self.markets[market].listing;
        let channel = Channel::AggreDepth { cadence, symbol: listing.instrument.symbol };
        if !self.has_readers(&channel) {
            return;
        }
        let side = |side: Side| {
            let of_side = |change: &&LevelChange| change.side == side;
            cut.changes.iter().filter(of_side).map(|c| level(listing, (c.price, c.qty))).collect()
        };
        let body = Body::PublicAggreDepths(PublicAggreDepths {
            asks: side(Side::Sell),
            bids: side(Side::Buy),
            event_type: channel.event_type(),
            from_version: cut.from.to_string(),
            to_version: cut.to.to_string(),
            last_order_create_time: self.markets[market].last_order_ms,
        });
        self.publish(&channel, body);
    }

    fn push_trades(&mut self, market: usize, cadence: Cadence, trades: &[PublicTrade]) {
        let listing = &self.markets[market].listing;
        let channel = Channel::AggreDeals { cadence, symbol: listing.instrument.symbol };
        if trades.is_empty() || !self.has_readers(&channel) {
            return;
        }
        let deal = |trade: &PublicTrade| PublicAggreDeal {
            price: listing.price(trade.price),
            quantity: listing.qty(trade.qty),
            trade_type: if trade.aggressor.is_buy() { 1 } else { 2 },
            time: millis(trade.time),
            trade_id: trade.id.to_string(),
        };
        let deals = trades.iter().map(deal).collect();
        let event_type = channel.event_type();
        self.publish(&channel, Body::PublicAggreDeals(PublicAggreDeals { deals, event_type }));
    }

    /// Best bid and ask if they changed: the recorded ones, or the book's.
    fn push_top(&mut self, market: usize, which: usize, recorded: Option<Top>) {
        let state = &self.markets[market];
        let channel =
            Channel::AggreBookTicker { cadence: CADENCES[which], symbol: state.listing.instrument.symbol };
        if !self.has_readers(&channel) {
            return;
        }
        let Some(top) = recorded.or_else(|| state.top()) else { return };
        if self.shown[market].top[which] == Some([top.bid, top.ask]) {
            return;
        }
        self.shown[market].top[which] = Some([top.bid, top.ask]);
        let body = self.ticker_body(market, top);
        self.publish(&channel, body);
    }

    fn ticker_body(&self, market: usize, top: Top) -> Body {
        let listing = &self.markets[market].listing;
        Body::PublicAggreBookTicker(PublicAggreBookTicker {
            bid_price: listing.price(top.bid.0),
            bid_quantity: listing.qty(top.bid.1),
            ask_price: listing.price(top.ask.0),
            ask_quantity: listing.qty(top.ask.1),
            version: top.version.to_string(),
            last_order_create_time: self.markets[market].last_order_ms,
        })
    }

    fn push_limit_depth(&mut self, market: usize) {
        let symbol = self.markets[market].listing.instrument.symbol;
        self.shown[market].limit_depth_at = self.now;
        for levels in [5, 10, 20] {
            let channel = Channel::LimitDepth { symbol, levels };
            if self.has_readers(&channel) {
                let body = self.limit_depth_body(market, &channel, levels);
                self.publish(&channel, body);
            }
        }
    }

    fn limit_depth_body(&self, market: usize, channel: &Channel, levels: u8) -> Body {
        let state = &self.markets[market];
        let side = |side: Side| {
            state.levels(side).take(usize::from(levels)).map(|l| level(&state.listing, l)).collect()
        };
        Body::PublicLimitDepths(PublicLimitDepths {
            asks: side(Side::Sell),
            bids: side(Side::Buy),
            event_type: channel.event_type(),
            version: state.version().to_string(),
            last_order_create_time: state.last_order_ms,
        })
    }

    /// Once a second, for whoever reads candles.
    pub(super) fn push_klines(&mut self) {
        let mut channels: Vec<Channel> = Vec::new();
        for session in self.sessions.values() {
            for channel in &session.channels {
                if matches!(channel, Channel::Kline { .. }) && !channels.contains(channel) {
                    channels.push(channel.clone());
                }
            }
        }
        for channel in channels {
            if let Channel::Kline { interval, .. } = channel
                && let Some(market) = self.market_of(&channel)
                && let Some(body) = self.kline_body(market, interval)
            {
                self.publish(&channel, body);
            }
        }
    }

    fn kline_body(&self, market: usize, interval: KlineInterval) -> Option<Body> {
        let state = &self.markets[market];
        let bar = state.bars.of(interval, millis(self.now).div_euclid(1000)).pop()?;
        let listing = &state.listing;
        Some(Body::PublicSpotKline(PublicSpotKline {
            interval: interval.as_str().to_owned(),
            window_start: bar.start,
            opening_price: listing.price(bar.open),
            closing_price: listing.price(bar.close),
            highest_price: listing.price(bar.high),
            lowest_price: listing.price(bar.low),
            volume: listing.volume(bar.volume),
            amount: listing.value(bar.value),
            window_end: bar.end,
        }))
    }

    /// The first picture on subscription, where the settings say that there is one.
    pub(super) fn push_first(&mut self, id: SessionId, channel: &Channel) {
        let Some(market) = self.market_of(channel) else { return };
        let state = &self.markets[market];
        let body = match channel {
            Channel::AggreBookTicker { .. } => state.top().map(|top| self.ticker_body(market, top)),
            Channel::LimitDepth { levels, .. } => Some(self.limit_depth_body(market, channel, *levels)),
            Channel::Kline { interval, .. } => self.kline_body(market, *interval),
            _ => None,
        };
        if let Some(body) = body {
            let frame = self.frame(channel, body);
            let bytes = prost::Message::encode_to_vec(&frame).into();
            self.push(id, channel, frame.symbol.as_deref(), bytes);
        }
    }
}
