//! Every order of the account: those that may still matter, and the lately finished ones for the ledger report.

use std::collections::{BTreeMap, VecDeque};

use flashpod_types::{ClientOrderId, OrderId, Qty, Side, Symbol};
use serde::{Deserialize, Serialize};

use crate::order::{Change, Order, Update};
use crate::state::State;

/// What the open, in-flight, unknown and unbooked orders of one instance in one pair could do to its position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exposure {
    pub buys: Qty,
    pub sells: Qty,
    /// Orders that may rest at the venue now.
    pub orders: u32,
}

/// What is known only as a number any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Orders that the venue accepted.
    pub orders: u64,
    /// Their fills.
    pub fills: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStore {
    live: BTreeMap<ClientOrderId, Order>,
    closed: BTreeMap<ClientOrderId, Order>,
    /// Closed orders, first closed first.
    closing: VecDeque<ClientOrderId>,
    by_order_id: BTreeMap<OrderId, ClientOrderId>,
    forgotten: Forgotten,
}

impl OrderStore {
    pub fn insert(&mut self, order: Order) {
        if !order.order_id().is_empty() {
            self.by_order_id.insert(order.order_id(), order.terms.client_id);
        }
        self.live.insert(order.terms.client_id, order);
    }

    /// Feeds one order; None when there is no such order. At most `keep` closed orders stay.
    pub fn apply(&mut self, client_id: &ClientOrderId, update: &Update, keep: usize) -> Option<Change> {
        if let Some(order) = self.live.get_mut(client_id) {
            let change = order.apply(update);
            self.index(client_id);
            self.settle(client_id, keep);
            return Some(change);
        }
        let order = self.closed.get_mut(client_id)?;
        let change = order.apply(update);
        if !order.is_closed() {
            // What was taken for absent came to life.
            if let Some(order) = self.closed.remove(client_id) {
                self.closing.retain(|id| id != client_id);
                self.live.insert(*client_id, order);
            }
        }
        self.index(client_id);
        Some(change)
    }

    fn index(&mut self, client_id: &ClientOrderId) {
        if let Some(order_id) = self.get(client_id).map(Order::order_id).filter(|id| !id.is_empty()) {
            self.by_order_id.entry(order_id).or_insert(*client_id);
        }
    }

    fn settle(&mut self, client_id: &ClientOrderId, keep: usize) {
        if self.live.get(client_id).is_some_and(Order::is_closed)
            && let Some(order) = self.live.remove(client_id)
        {
            self.closed.insert(*client_id, order);
            self.closing.push_back(*client_id);
        }
        while self.closing.len() > keep {
            if let Some(oldest) = self.closing.pop_front().and_then(|id| self.closed.remove(&id)) {
                self.by_order_id.remove(&oldest.order_id());
                // What was refused never was an order at the venue.
                self.forgotten.orders += u64::from(oldest.state() != State::Rejected);
                self.forgotten.fills += oldest.deals().len() as u64;
            }
        }
    }

    #[must_use]
    pub fn get(&self, client_id: &ClientOrderId) -> Option<&Order> {
        self.live.get(client_id).or_else(|| self.closed.get(client_id))
    }

    /// The client id of an order known by the venue's id.
    #[must_use]
    pub fn client_id_of(&self, order_id: &OrderId) -> Option<ClientOrderId> {
        self.by_order_id.get(order_id).copied()
    }

    /// Orders that are not closed, by client id.
    pub fn live(&self) -> impl Iterator<Item = &Order> {
        self.live.values()
    }

    pub fn live_of<'a>(&'a self, instance: &'a str) -> impl Iterator<Item = &'a Order> {
        self.live.values().filter(move |order| order.terms.instance == instance)
    }

    /// Closed orders that are not kept any more.
    #[must_use]
    pub const fn forgotten(&self) -> Forgotten {
        self.forgotten
    }

    /// Every order kept, by the time it was written down.
    #[must_use]
    pub fn all(&self) -> Vec<&Order> {
        let mut orders: Vec<&Order> = self.live.values().chain(self.closed.values()).collect();
        orders.sort_by_key(|order| (order.terms.created_unix, order.terms.client_id));
        orders
    }

    #[must_use]
    pub fn exposure(&self, instance: &str, symbol: Symbol) -> Exposure {
        let mut exposure = Exposure::default();
        for order in self.live_of(instance).filter(|order| order.terms.symbol == symbol) {
            match order.terms.side {
                Side::Buy => exposure.buys += order.exposure(),
                Side::Sell => exposure.sells += order.exposure(),
            }
            exposure.orders += u32::from(!order.state().is_terminal());
        }
        exposure
    }

    #[must_use]
    pub fn count(&self, matches: impl Fn(State) -> bool) -> usize {
        self.live.values().filter(|order| matches(order.state())).count()
    }
}

#[cfg(test)]
mod tests {
    use flashpod_types::{Amount, Asset, Nanos, OrderType, Price, TradeId};

    use super::*;
    use crate::order::{Deal, Ending, NewOrder, Origin, Report};

    fn order(id: &str, side: Side) -> Order {
        Order::new(NewOrder {
            client_id: ClientOrderId::new(id).unwrap(),
            instance: "maker".into(),
            symbol: Symbol::new("BTCUSDC").unwrap(),
            side,
            kind: OrderType::Limit,
            price: Price::from_raw(1),
            qty: Qty::from_raw(5),
            origin: Origin::Flatten,
            reduces: false,
            timestamp_ms: 0,
            created: Nanos::ZERO,
            created_unix: Nanos(u64::from(id.as_bytes()[0])),
            before: Qty::ZERO,
        })
    }

    fn ended() -> Update {
        Update::Report(Report {
            order_id: OrderId::new("C02__9").unwrap(),
            ending: Some(Ending::Cancelled),
            filled: Qty::ZERO,
        })
    }

    #[test]
    fn unknown_orders_count_as_exposure_until_they_are_proven_absent() {
        let mut store = OrderStore::default();
        let symbol = Symbol::new("BTCUSDC").unwrap();
        store.insert(order("a", Side::Buy));
        store.insert(order("b", Side::Sell));
        let id = ClientOrderId::new("a").unwrap();
        store.apply(&id, &Update::Lost, 10);
        let exposure = store.exposure("maker", symbol);
        assert_eq!((exposure.buys.raw(), exposure.sells.raw(), exposure.orders), (5, 5, 2));
        store.apply(&id, &Update::Absent, 10);
        assert_eq!(store.exposure("maker", symbol).buys, Qty::ZERO);
    }

    #[test]
    fn only_so_many_closed_orders_are_kept() {
        let mut store = OrderStore::default();
        for id in ["a", "b", "c"] {
            store.insert(order(id, Side::Buy));
            store.apply(&ClientOrderId::new(id).unwrap(), &ended(), 2);
        }
        let kept: Vec<&str> = store.all().iter().map(|order| order.terms.client_id.as_str()).collect();
        assert_eq!(kept, ["b", "c"]);
        assert_eq!(store.live().count(), 0);
        assert_eq!(store.forgotten(), Forgotten { orders: 1, fills: 0 });
    }

    #[test]
    fn forgotten_orders_are_counted_with_their_fills_unless_the_venue_never_had_them() {
        let mut store = OrderStore::default();
        let deal = |trade: &str| {
            Update::Deal(Deal {
                trade_id: TradeId::new(trade).unwrap(),
                price: Price::from_raw(1),
                qty: Qty::from_raw(2),
                value: Amount::ZERO,
                fee: Amount::ZERO,
                fee_asset: Asset::new("USDC").unwrap(),
                maker: true,
                time_ms: 0,
            })
        };
        for id in ["a", "b", "c", "d"] {
            let client_id = ClientOrderId::new(id).unwrap();
            store.insert(order(id, Side::Buy));
            if id == "b" {
                store.apply(&client_id, &Update::Absent, 1);
                continue;
            }
            for trade in ["1", "2"] {
                store.apply(&client_id, &deal(trade), 1);
            }
            let ending = Some(Ending::Cancelled);
            let report = Report { order_id: OrderId::EMPTY, ending, filled: Qty::from_raw(4) };
            store.apply(&client_id, &Update::Report(report), 1);
        }
        // a, b and c are gone; b was refused.
        assert_eq!(store.forgotten(), Forgotten { orders: 2, fills: 4 });
    }
}
