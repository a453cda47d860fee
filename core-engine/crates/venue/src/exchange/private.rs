//! Pushes to the owner of an account. What belongs to one cause comes in an order shuffled by the seed; causes
//! stay in order.

use flashpod_mexc::Channel;
use flashpod_mexc::push::{
    PrivateAccount, PrivateDeals, PrivateOrders, PushDataV3ApiWrapper, push_data_v3_api_wrapper::Body,
};
use flashpod_types::{Amount, Asset, OrderType};
use rand::RngExt;

use super::state::Exchange;
use crate::market::millis;

/// Why a balance changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Place,
    Fill,
    Cancel,
    Unfrozen,
    Fee,
}

impl Cause {
    fn word(self) -> &'static str {
        match self {
            Self::Place => "ENTRUST_PLACE",
            Self::Fill => "ENTRUST",
            Self::Cancel => "ENTRUST_CANCEL",
            Self::Unfrozen => "ENTRUST_UNFROZEN",
            Self::Fee => "TRADE_FEE",
        }
    }
}

/// One thing to tell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Note {
    /// An order, and the deal that caused the push.
    Order(usize, Option<usize>),
    Deal(usize, usize),
    Balance {
        asset: Asset,
        free: Amount,
        locked: Amount,
        cause: Cause,
    },
}

impl Note {
    /// Changes of what is free and of what is locked.
    pub(super) fn balance(asset: Asset, free: Amount, locked: Amount, cause: Cause) -> Self {
        Self::Balance { asset, free, locked, cause }
    }
}

/// The number that pushes use for an order type.
fn type_number(kind: OrderType) -> i32 {
    match kind {
        OrderType::Limit => 1,
        OrderType::LimitMaker => 2,
        OrderType::Ioc => 3,
        OrderType::Fok => 4,
        OrderType::Market => 5,
    }
}

impl Exchange {
    /// Tells the account's listeners what one cause brought. The balances in it are those after the cause.
    pub(super) fn tell(&mut self, account: usize, mut notes: Vec<Note>) {
        if self.settings.private_shuffle {
            for last in (1..notes.len()).rev() {
                notes.swap(last, self.rng.random_range(0..=last));
            }
        }
        for note in notes {
            let (channel, symbol, body) = match note {
                Note::Order(order, deal) => (
                    Channel::PrivateOrders,
                    Some(self.orders[order].market),
                    Body::PrivateOrders(self.order_body(order, deal)),
                ),
                Note::Deal(order, deal) => (
                    Channel::PrivateDeals,
                    Some(self.orders[order].market),
                    Body::PrivateDeals(self.deal_body(order, deal)),
                ),
                Note::Balance { asset, free, locked, cause } => (
                    Channel::PrivateAccount,
                    None,
                    Body::PrivateAccount(self.balance_body(account, asset, (free, locked), cause)),
                ),
            };
            let symbol = symbol.map(|market| self.markets[market].listing.symbol().to_owned());
            self.deliver_private(account, &channel, symbol, body);
        }
    }

    fn deliver_private(&mut self, account: usize, channel: &Channel, symbol: Option<String>, body: Body) {
        let now = millis(self.now);
        let frame = PushDataV3ApiWrapper {
            channel: channel.to_string(),
            symbol,
            symbol_id: None,
            create_time: matches!(channel, Channel::PrivateAccount).then_some(now),
            send_time: Some(now),
            body: Some(body),
        };
        let of_account = |s: &super::Session| s.account == Some(account);
        self.deliver(channel, &frame, of_account);
    }

    fn order_body(&self, index: usize, deal: Option<usize>) -> PrivateOrders {
        let order = &self.orders[index];
        let listing = &self.markets[order.market].listing;
        let amount = order.quote_qty.unwrap_or_else(|| order.price.notional(order.qty));
        let left = if order.is_open() || order.quote_qty.is_none() { order.left() } else { order.qty };
        PrivateOrders {
            id: order.id.clone(),
            client_id: order.client_id.clone(),
            price: listing.price(order.price),
            quantity: listing.qty(order.qty),
            amount: listing.value(amount),
            avg_price: order.average().to_string(),
            order_type: type_number(order.kind),
            trade_type: if order.side.is_buy() { 1 } else { 2 },
            is_maker: order.deals.last().map_or(order.kind == OrderType::LimitMaker, |deal| deal.maker),
            remain_amount: listing.value((amount - order.value).max(Amount::ZERO)),
            remain_quantity: listing.qty(left),
            last_deal_quantity: deal.map(|deal| listing.qty(order.deals[deal].qty)),
            cumulative_quantity: listing.qty(order.executed),
            cumulative_amount: listing.value(order.value),
            status: order.status.number(),
            create_time: millis(order.accepted),
            market: Some(listing.instrument.quote.to_string()),
            ..PrivateOrders::default()
        }
    }

    fn deal_body(&self, index: usize, deal: usize) -> PrivateDeals {
        let order = &self.orders[index];
        let deal = &order.deals[deal];
        let listing = &self.markets[order.market].listing;
        PrivateDeals {
            price: listing.price(deal.price),
            quantity: listing.qty(deal.qty),
            amount: listing.value(deal.price.notional(deal.qty)),
            trade_type: if order.side.is_buy() { 1 } else { 2 },
            is_maker: deal.maker,
            is_self_trade: deal.self_trade,
            trade_id: deal.trade_id.clone(),
            client_order_id: order.client_id.clone(),
            order_id: order.id.clone(),
            fee_amount: deal.fee.to_string(),
            fee_currency: deal.fee_asset.to_string(),
            time: millis(deal.time),
        }
    }

    fn balance_body(
        &self,
        account: usize,
        asset: Asset,
        (free, locked): (Amount, Amount),
        cause: Cause,
    ) -> PrivateAccount {
        let balance = self.accounts[account].funds.get(asset);
        PrivateAccount {
            vcoin_name: asset.to_string(),
            coin_id: String::new(),
            balance_amount: balance.free.to_string(),
            balance_amount_change: free.to_string(),
            frozen_amount: balance.locked.to_string(),
            frozen_amount_change: locked.to_string(),
            r#type: cause.word().to_owned(),
            time: millis(self.now),
        }
    }
}
