//! Everything the venue knows, for tests: `GET /audit`. Only simulated money is in it.

use flashpod_mexc::OrderStatus;
use flashpod_types::Nanos;
use serde_json::{Value, json};

use super::order::OwnOrder;
use super::state::Exchange;

fn ns(at: Nanos) -> String {
    at.0.to_string()
}

fn maybe_ns(at: Option<Nanos>) -> Value {
    at.map_or(Value::Null, |at| Value::String(ns(at)))
}

impl Exchange {
    #[must_use]
    pub fn audit(&self) -> Value {
        let accounts: Vec<Value> = self
            .accounts
            .iter()
            .map(|account| {
                let balances: Vec<Value> = account
                    .funds
                    .iter()
                    .map(|(asset, balance)| {
                        json!({
                            "asset": asset.as_str(),
                            "free": balance.free.to_string(),
                            "locked": balance.locked.to_string(),
                        })
                    })
                    .collect();
                let orders: Vec<Value> =
                    account.orders.iter().map(|index| self.audit_order(&self.orders[*index])).collect();
                json!({ "apiKey": account.api_key, "balances": balances, "orders": orders })
            })
            .collect();
        let symbols: Vec<Value> = self
            .markets
            .iter()
            .map(|market| {
                let recorded = market.as_recorded();
                json!({
                    "symbol": market.listing.symbol(),
                    "replayDone": recorded.is_some_and(|recorded| recorded.done()),
                    "versionFrom": recorded.map_or(1_000, |recorded| recorded.tape.version),
                    "version": market.version(),
                })
            })
            .collect();
        json!({
            "accounts": accounts,
            "counters": {
                "http429": self.limits.answered_429,
                "http418": self.limits.answered_418,
                "unknownPaths": self.counters.unknown_paths,
                "orders": self.orders.len(),
                "trades": self.counters.trades,
                "pushes": self.counters.pushes,
                "pushesDroppedByFault": self.counters.dropped_by_fault,
            },
            "symbols": symbols,
        })
    }

    /// How the update ids of a renumbered recording became versions: `[[recorded, version], …]`.
    #[must_use]
    pub fn audit_versions(&self, symbol: &str) -> Option<Value> {
        let market = &self.markets[*self.by_symbol.get(symbol)?];
        Some(json!(market.as_recorded()?.tape.renumbered))
    }

    fn audit_order(&self, order: &OwnOrder) -> Value {
        let listing = &self.markets[order.market].listing;
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
