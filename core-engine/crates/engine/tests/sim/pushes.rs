//! What the small venue pushes: balances, orders, deals, depth.

use flashpod_mexc::push::{self, push_data_v3_api_wrapper::Body};
use flashpod_types::{Amount, Price, Side};
use prost::Message;

use super::venue::{Stream, Top, Venue};

impl Venue {
    pub fn change(&mut self, asset: &str, free: Amount, locked: Amount, cause: &str) {
        let balance = self.balances.entry(asset.to_owned()).or_default();
        balance.0 += free;
        balance.1 += locked;
        let body = push::PrivateAccount {
            vcoin_name: asset.to_owned(),
            balance_amount: balance.0.to_string(),
            balance_amount_change: free.to_string(),
            frozen_amount: balance.1.to_string(),
            frozen_amount_change: locked.to_string(),
            r#type: cause.to_owned(),
            time: self.now_ms,
            ..push::PrivateAccount::default()
        };
        self.push(Stream::Private, "spot@private.account.v3.api.pb", None, Body::PrivateAccount(body));
    }

    /// The newest trade of an order.
    pub(super) fn tell_deal(&mut self, at: usize) {
        let order = &self.orders[at];
        let trade = order.trades.last().expect("a trade to tell of");
        let body = push::PrivateDeals {
            price: trade.price.to_string(),
            quantity: trade.qty.to_string(),
            amount: trade.price.notional(trade.qty).to_string(),
            trade_type: if order.side.is_buy() { 1 } else { 2 },
            is_maker: trade.maker,
            trade_id: trade.id.clone(),
            client_order_id: order.client_id.clone(),
            order_id: order.id.clone(),
            fee_amount: trade.fee.to_string(),
            fee_currency: "USDC".to_owned(),
            time: trade.time,
            ..push::PrivateDeals::default()
        };
        let symbol = order.symbol.clone();
        self.push(Stream::Private, "spot@private.deals.v3.api.pb", Some(&symbol), Body::PrivateDeals(body));
    }

    pub(super) fn tell_order(&mut self, at: usize) {
        let order = &self.orders[at];
        let status = match order.status {
            "NEW" => 1,
            "FILLED" => 2,
            "PARTIALLY_FILLED" => 3,
            "CANCELED" => 4,
            _ => 5,
        };
        let kind = match order.kind.as_str() {
            "LIMIT" => 1,
            "LIMIT_MAKER" => 2,
            "IMMEDIATE_OR_CANCEL" => 3,
            _ => 4,
        };
        let body = push::PrivateOrders {
            id: order.id.clone(),
            client_id: order.client_id.clone(),
            price: order.price.to_string(),
            quantity: order.qty.to_string(),
            order_type: kind,
            trade_type: if order.side.is_buy() { 1 } else { 2 },
            cumulative_quantity: order.filled.to_string(),
            cumulative_amount: order.quote.to_string(),
            status,
            create_time: order.time,
            ..push::PrivateOrders::default()
        };
        let symbol = order.symbol.clone();
        self.push(Stream::Private, "spot@private.orders.v3.api.pb", Some(&symbol), Body::PrivateOrders(body));
    }

    /// Moves a book to new best prices, by `versions` versions, of which `skip` are never pushed.
    pub fn move_book(&mut self, symbol: &str, bid: &str, ask: &str, skip: u64) {
        let top = self.books.get_mut(symbol).unwrap();
        let old = *top;
        *top = Top { bid: bid.parse().unwrap(), ask: ask.parse().unwrap(), version: old.version + skip + 1 };
        let new = *top;
        let level = |price: Price, quantity: &str| push::Level {
            price: price.to_string(),
            quantity: quantity.to_owned(),
        };
        let side = |old: Price, new: Price| {
            if old == new { vec![level(new, "5")] } else { vec![level(old, "0"), level(new, "5")] }
        };
        let body = push::PublicAggreDepths {
            asks: side(old.ask, new.ask),
            bids: side(old.bid, new.bid),
            event_type: "spot@public.aggre.depth.v3.api.pb@10ms".into(),
            from_version: new.version.to_string(),
            to_version: new.version.to_string(),
            ..push::PublicAggreDepths::default()
        };
        let channel = format!("spot@public.aggre.depth.v3.api.pb@10ms@{symbol}");
        self.push(Stream::Public, &channel, Some(symbol), Body::PublicAggreDepths(body));
    }

    /// A trade between others, told to all.
    pub fn print(&mut self, symbol: &str, price: &str, qty: &str, taker: Side) {
        let deal = push::PublicAggreDeal {
            price: price.to_owned(),
            quantity: qty.to_owned(),
            trade_type: if taker.is_buy() { 1 } else { 2 },
            time: self.now_ms,
            trade_id: String::new(),
        };
        let event_type = "spot@public.aggre.deals.v3.api.pb@10ms".to_owned();
        let body = push::PublicAggreDeals { deals: vec![deal], event_type };
        let channel = format!("spot@public.aggre.deals.v3.api.pb@10ms@{symbol}");
        self.push(Stream::Public, &channel, Some(symbol), Body::PublicAggreDeals(body));
    }

    fn push(&mut self, stream: Stream, channel: &str, symbol: Option<&str>, body: Body) {
        let frame = push::PushDataV3ApiWrapper {
            channel: channel.to_owned(),
            symbol: symbol.map(str::to_owned),
            symbol_id: None,
            create_time: None,
            send_time: Some(self.send_ms.unwrap_or(self.now_ms)),
            body: Some(body),
        };
        self.pushes.push((stream, frame.encode_to_vec()));
    }
}
