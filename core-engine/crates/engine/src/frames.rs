//! Binary frames: pushes of the market and of the account.

use flashpod_book::Update as BookUpdate;
use flashpod_mexc::decode::{self, BalancePush, Body, FillPush, OrderPush};
use flashpod_mexc::depth::DepthPush;
use flashpod_orders::{ClientId, Deal, Update};
use flashpod_types::{ClientOrderId, Nanos, Symbol};

use crate::engine::Engine;
use crate::fact::Fact;
use crate::io::{ConnId, Hop};
use crate::market::Arrived;
use crate::requests::Purpose;
use crate::trade::report;

impl Engine {
    pub(crate) fn on_binary(&mut self, conn: ConnId, received: Nanos, bytes: &[u8]) {
        self.hop(Hop::Ring, self.now.mono.since(received).0);
        // Nearly every frame is a depth push of the usual shape: read in place.
        let mut reader = std::mem::take(&mut self.feeds.depth_reader);
        let read = reader.read(bytes).map(|push| self.on_depth_push(&push, conn, received)).is_some();
        self.feeds.depth_reader = reader;
        if read {
            self.dirty |= self.feeds.is_private(conn);
            return;
        }
        let Ok(frame) = decode::decode(bytes) else {
            self.counters.undecodable_frames += 1;
            self.undecodable(conn);
            return;
        };
        match (frame.body, frame.symbol) {
            (Body::Depth(depth), Some(symbol)) => {
                let (first, last) = (depth.from, depth.to);
                let (bids, asks) = (&depth.bids[..], &depth.asks[..]);
                let event = frame.sent.unwrap_or_default();
                let update = BookUpdate { first, last, prev_last: None, event, bids, asks };
                let arrived =
                    Arrived { conn, received, sent: frame.sent, last_order: depth.last_order_created };
                self.on_depth(symbol, &update, arrived);
            }
            (Body::Deals(deals), Some(symbol)) => self.on_deals(symbol, conn, deals, received, frame.sent),
            (Body::Order(push), symbol) => self.on_order_push(&push, symbol),
            (Body::Fill(push), symbol) => self.on_fill_push(&push, symbol),
            (Body::Balance(push), _) => self.on_balance_push(conn, push),
            _ => {}
        }
        self.dirty |= self.feeds.is_private(conn);
    }

    fn on_depth_push(&mut self, push: &DepthPush<'_>, conn: ConnId, received: Nanos) {
        let Some(symbol) = push.symbol else { return };
        let (first, last, bids, asks) = (push.from, push.to, push.bids, push.asks);
        let event = push.sent.unwrap_or_default();
        let update = BookUpdate { first, last, prev_last: None, event, bids, asks };
        let arrived = Arrived { conn, received, sent: push.sent, last_order: push.last_order_created };
        self.on_depth(symbol, &update, arrived);
    }

    /// A frame that cannot be read may have been a fill: what it said is found out by asking.
    fn undecodable(&mut self, conn: ConnId) {
        if self.feeds.is_private(conn) {
            self.private_joined();
        }
    }

    /// The client id of an own order, by itself or by the venue's id.
    fn known_order(
        &self,
        client_id: ClientOrderId,
        order_id: &flashpod_types::OrderId,
    ) -> Option<ClientOrderId> {
        let known = self.state.orders.get(&client_id).map(|order| order.terms.client_id);
        known.or_else(|| self.state.orders.client_id_of(order_id))
    }

    fn on_order_push(&mut self, push: &OrderPush, symbol: Option<Symbol>) {
        if let Some(client_id) = self.known_order(push.client_id, &push.order_id) {
            let update = Update::Report(report(push.order_id, push.status, push.executed));
            self.feed(&client_id, update);
        } else {
            self.on_strange_push(push.client_id, symbol);
        }
    }

    /// Ours by its tag, written down nowhere: ask, so that it can be taken over. One that was written down and is not
    /// kept any more is finished: nothing new.
    fn on_strange_push(&mut self, client_id: ClientOrderId, symbol: Option<Symbol>) {
        if ClientId::parse(&client_id).is_err() {
            return;
        }
        if let (true, Some(symbol)) = (self.is_strange(&client_id), symbol) {
            self.ask(Purpose::Query(symbol, client_id));
            self.dirty = true;
        } else {
            self.counters.duplicate_reports += 1;
        }
    }

    fn on_fill_push(&mut self, push: &FillPush, symbol: Option<Symbol>) {
        self.startup.disturbed = true;
        let deal = Deal {
            trade_id: push.trade_id,
            price: push.price,
            qty: push.qty,
            value: push.quote,
            fee: push.fee,
            fee_asset: push.fee_asset,
            maker: push.maker,
            time_ms: push.time.0,
        };
        if let Some(client_id) = self.known_order(push.client_id, &push.order_id) {
            self.feed(&client_id, Update::Deal(deal));
            return;
        }
        if ClientId::parse(&push.client_id).is_ok() {
            self.on_strange_push(push.client_id, symbol);
            return;
        }
        // Somebody else trades on the account: it changes what is unassigned, and nothing else of ours.
        let Some(symbol) = symbol else { return };
        if self.state.ledger.is_started() && !self.state.knows_foreign_trade(push.order_id, push.trade_id) {
            self.note_pair(symbol);
            self.counters.foreign_deals += 1;
            let (order_id, side, deal) = (push.order_id, push.side, Box::new(deal));
            self.commit(Fact::ForeignDeal { symbol, order_id, side, deal });
            self.audit.note_totals(self.now.mono, &self.state.ledger);
        }
    }

    /// Trades and their locks explain themselves by deals; what moves coins in and out of the account does not.
    fn on_balance_push(&mut self, conn: ConnId, push: BalancePush) {
        let explained = ["ENTRUST", "TRADE_FEE"].iter().any(|cause| push.cause.starts_with(cause));
        let amount = push.free_change + push.locked_change;
        if explained || amount.is_zero() {
            return;
        }
        // Two connections stand beside each other while one takes the place of the other.
        let (asset, several) = (push.asset, self.feeds.private_next.is_some());
        if !self.feeds.told_balances.is_first(self.now.mono, conn, push, several) {
            self.counters.repeated_pushes += 1;
            return;
        }
        // Of the starting balances nobody could say whether they include it.
        self.startup.disturbed = true;
        if !self.state.ledger.is_started() {
            return;
        }
        self.commit(Fact::Transfer { asset, amount });
        self.audit.note_totals(self.now.mono, &self.state.ledger);
    }
}
