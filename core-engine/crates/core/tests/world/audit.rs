//! The venue's own record of what happened, and its comparison with the core's ledger.

use std::collections::BTreeMap;
use std::str::FromStr;

use flashpod_gateway::proto;
use flashpod_types::Amount;
use serde_json::Value;

use super::agent::Agent;
use super::{API_KEY, Venue, eventually, http_get};

pub struct Audit {
    account: Value,
    pub counters: Value,
}

fn amount(value: &Value) -> Amount {
    Amount::from_str(value.as_str().unwrap()).unwrap()
}

fn decimal(text: &str) -> Amount {
    Amount::from_str(text).unwrap()
}

impl Audit {
    pub fn of(venue: &Venue) -> Self {
        let (status, body) = http_get(venue.rest.strip_prefix("http://").unwrap(), "/audit");
        assert_eq!(status, 200, "{body}");
        let audit: Value = serde_json::from_str(&body).unwrap();
        let accounts = audit["accounts"].as_array().unwrap();
        let account = accounts.iter().find(|account| account["apiKey"] == API_KEY).unwrap().clone();
        Self { account, counters: audit["counters"].clone() }
    }

    pub fn orders(&self) -> &[Value] {
        self.account["orders"].as_array().unwrap()
    }

    pub fn open_orders(&self) -> usize {
        self.orders().iter().filter(|order| order["closedUnixNs"].is_null()).count()
    }

    /// When the newest order was accepted, ns since 1970.
    pub fn last_accepted(&self) -> u64 {
        self.orders().iter().map(|order| nanos(&order["acceptedUnixNs"])).max().unwrap_or_default()
    }

    /// Everything that differs from a ledger; nothing when they are equal.
    pub fn differences(&self, ledger: &proto::LedgerReply) -> Vec<String> {
        let mut found = Vec::new();
        let ours: BTreeMap<_, _> =
            ledger.orders.iter().map(|order| (order.client_order_id.as_str(), order)).collect();
        assert_eq!(ours.len(), ledger.orders.len(), "a client order id is used twice");
        for order in self.orders() {
            let id = order["clientOrderId"].as_str().unwrap();
            match ours.get(id) {
                Some(known) => compare_order(order, known, &mut found),
                None => found.push(format!("{id}: the venue has it, the ledger does not")),
            }
        }
        let theirs: Vec<_> =
            self.orders().iter().filter_map(|order| order["clientOrderId"].as_str()).collect();
        for order in &ledger.orders {
            let id = order.client_order_id.as_str();
            // A refused order never became one at the venue.
            if order.status != "REJECTED" && !theirs.contains(&id) {
                found.push(format!("{id}: the ledger has it as {}, the venue does not", order.status));
            }
        }
        for balance in self.account["balances"].as_array().unwrap() {
            let asset = balance["asset"].as_str().unwrap();
            let known = ledger.balances.iter().find(|known| known.asset == asset);
            let known = known.map(|known| (decimal(&known.free), decimal(&known.locked))).unwrap_or_default();
            let venue = (amount(&balance["free"]), amount(&balance["locked"]));
            if known != venue {
                found.push(format!("{asset}: ledger {known:?}, venue {venue:?} (free, locked)"));
            }
        }
        found
    }
}

pub fn nanos(value: &Value) -> u64 {
    value.as_str().map_or_else(|| value.as_u64().unwrap_or_default(), |text| text.parse().unwrap())
}

fn compare_order(venue: &Value, ledger: &proto::LedgerOrder, found: &mut Vec<String>) {
    let id = &ledger.client_order_id;
    let status = venue["status"].as_str().unwrap();
    if status != ledger.status {
        found.push(format!("{id}: ledger {}, venue {status}", ledger.status));
    }
    if amount(&venue["executedQty"]) != decimal(&ledger.filled_quantity) {
        found.push(format!("{id}: ledger filled {}, venue {}", ledger.filled_quantity, venue["executedQty"]));
    }
    let mut theirs: Vec<_> = venue["fills"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fill| {
            let trade = fill["tradeId"].as_str().unwrap().to_owned();
            (trade, amount(&fill["price"]), amount(&fill["qty"]), amount(&fill["commission"]))
        })
        .collect();
    let mut ours: Vec<_> = ledger
        .fills
        .iter()
        .map(|fill| {
            (fill.trade_id.clone(), decimal(&fill.price), decimal(&fill.quantity), decimal(&fill.fee))
        })
        .collect();
    theirs.sort();
    ours.sort();
    if theirs != ours {
        found.push(format!("{id}: ledger fills {ours:?}, venue {theirs:?}"));
    }
}

/// Waits until nothing is in flight and the ledger equals the venue's record; the ledger and the number of fills.
pub async fn equal(agent: &Agent, venue: &Venue) -> (proto::LedgerReply, usize) {
    let mut last = Vec::new();
    let search = eventually("the ledger equals the venue", async || {
        let before = Audit::of(venue);
        let ledger = agent.ledger().await;
        if !ledger.quiescent {
            last = vec!["not quiescent".to_owned()];
            return None;
        }
        last = before.differences(&ledger);
        if last.is_empty() { Some(ledger) } else { None }
    });
    match tokio::time::timeout(super::PATIENCE / 2, search).await {
        Ok(ledger) => {
            let fills = ledger.orders.iter().map(|order| order.fills.len()).sum();
            (ledger, fills)
        }
        Err(_) => panic!("the ledger differs from the venue:\n{}", last.join("\n")),
    }
}
