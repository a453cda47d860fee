//! Everything the venue knows, for tests: `GET /audit`. Only simulated money is in it.
//!
//! The exchange hands out a [`Picture`] at once; writing it down takes as long as there are orders, and is done
//! elsewhere while the exchange goes on.

use std::fmt::Write;

use flashpod_mexc::OrderStatus;
use flashpod_types::Nanos;
use serde_json::{Value, json};

use super::order::OwnOrder;
use super::order_list::OrderList;
use super::state::Exchange;
use crate::listing::Listing;

fn ns(at: Nanos) -> String {
    at.0.to_string()
}

fn maybe_ns(at: Option<Nanos>) -> Value {
    at.map_or(Value::Null, |at| Value::String(ns(at)))
}

/// The state of all accounts at one moment.
#[derive(Debug, Clone)]
pub struct Picture {
    /// API key and balances of each account.
    accounts: Vec<(String, Value)>,
    orders: OrderList,
    listings: Vec<Listing>,
    counters: Value,
    symbols: Value,
}

impl Picture {
    /// The reply's text: `{"accounts":[…],"counters":{…},"symbols":[…]}`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lists = vec![String::new(); self.accounts.len()];
        for order in self.orders.iter() {
            let list = &mut lists[order.account];
            if !list.is_empty() {
                list.push(',');
            }
            let _ = write!(list, "{}", self.order(order));
        }
        let mut text = String::from("{\"accounts\":[");
        for (index, ((api_key, balances), orders)) in self.accounts.iter().zip(lists).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}{{\"apiKey\":{},\"balances\":{balances},\"orders\":[{orders}]}}",
                json!(api_key)
            );
        }
        let _ = write!(text, "],\"counters\":{},\"symbols\":{}}}", self.counters, self.symbols);
        text
    }

    fn order(&self, order: &OwnOrder) -> Value {
        let listing = &self.listings[order.market];
        let fills: Vec<Value> = order
            .deals
            .iter()
            .map(|deal| {
                json!({
                    "tradeId": deal.trade_id,
                    "price": listing.price(deal.price),
                    "qty": listing.qty(deal.qty),
                    "commission": deal.fee.to_string(),
                    "commissionAsset": deal.fee_asset.as_str(),
                    "isMaker": deal.maker,
                    "timeUnixNs": ns(deal.time),
                })
            })
            .collect();
        let word: &str = OrderStatus::word(order.status);
        json!({
            "orderId": order.id,
            "clientOrderId": order.client_id,
            "symbol": listing.symbol(),
            "side": order.side.as_str(),
            "type": order.kind.as_str(),
            "price": listing.price(order.price),
            "origQty": listing.qty(order.qty),
            "executedQty": listing.qty(order.executed),
            "cummulativeQuoteQty": listing.value(order.value),
            "status": word,
            "acceptedUnixNs": ns(order.accepted),
            "firstFillUnixNs": maybe_ns(order.deals.first().map(|deal| deal.time)),
            "cancelRequestedUnixNs": maybe_ns(order.cancel_requested),
            "closedUnixNs": maybe_ns(order.closed),
            "fills": fills,
        })
    }
}

impl Exchange {
    /// What the audit is written from: all of one moment.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let balances = |account: &super::AccountState| -> Value {
            let balance = |(asset, balance): (flashpod_types::Asset, flashpod_matching::Balance)| {
                json!({
                    "asset": asset.as_str(),
                    "free": balance.free.to_string(),
                    "locked": balance.locked.to_string(),
                })
            };
            account.funds.iter().map(balance).collect()
        };
        let symbols = self.markets.iter().map(|market| {
            let recorded = market.as_recorded();
            json!({
                "symbol": market.listing.symbol(),
                "replayDone": recorded.is_some_and(|recorded| recorded.done()),
                "versionFrom": recorded.map_or(1_000, |recorded| recorded.tape.version),
                "version": market.version(),
                "passes": recorded.map_or(0, |recorded| recorded.passes),
            })
        });
        Picture {
            accounts: self.accounts.iter().map(|a| (a.api_key.clone(), balances(a))).collect(),
            orders: self.orders.clone(),
            listings: self.markets.iter().map(|market| market.listing.clone()).collect(),
            counters: json!({
                "http429": self.limits.answered_429,
                "http418": self.limits.answered_418,
                "unknownPaths": self.counters.unknown_paths,
                "orders": self.orders.len(),
                "trades": self.counters.trades,
                "pushes": self.counters.pushes,
                "pushesDroppedByFault": self.counters.dropped_by_fault,
                "faults": self.faults.counters(),
                "faultsEach": self.faults.each(),
            }),
            symbols: symbols.collect(),
        }
    }

    /// How the update ids of a renumbered recording became versions: `[[recorded, version], …]`.
    #[must_use]
    pub fn audit_versions(&self, symbol: &str) -> Option<Value> {
        let market = &self.markets[*self.by_symbol.get(symbol)?];
        Some(json!(market.as_recorded()?.tape.renumbered))
    }
}
