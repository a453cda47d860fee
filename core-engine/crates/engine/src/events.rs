//! What a sidecar is told of its orders: numbered, remembered, sent.

use flashpod_orders::{Change, Deal, Order, Origin, State};
use flashpod_types::{Amount, ClientOrderId, OrderType, Price, Qty, Side, Symbol};

use crate::engine::Engine;
use crate::fact::Fact;
use crate::instance::Instance;
use crate::io::{Action, Fill, OrderEvent, OrderEventKind, Position, SessionEvent};

/// An order that never came to be, as far as an event tells of it.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) symbol: Symbol,
    pub(crate) reference: Option<String>,
    pub(crate) slot: Option<u32>,
    pub(crate) side: Side,
    pub(crate) kind: OrderType,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
}

impl Engine {
    /// Tells what a change of an order means to its strategy.
    pub(crate) fn tell(&mut self, order: &Order, change: Change, deal: Option<Deal>) {
        if order.terms.instance.is_empty() || !self.state.instances.contains_key(&*order.terms.instance) {
            return;
        }
        let dormant = |state| matches!(state, State::PendingNew | State::Unknown | State::Rejected);
        if dormant(change.was) && !dormant(change.now) {
            self.tell_order(order, OrderEventKind::Accepted, None);
        }
        if change.now == State::Unknown && change.was != State::Unknown {
            self.tell_order(order, OrderEventKind::Unknown, None);
        }
        if let Some(deal) = deal.filter(|_| change.booked) {
            let full = order.dealt() >= order.terms.qty;
            let kind = if full { OrderEventKind::Filled } else { OrderEventKind::PartiallyFilled };
            self.tell_order(order, kind, Some(fill(deal)));
        }
        if change.closed {
            match order.state() {
                State::Cancelled | State::PartiallyCancelled => {
                    self.tell_order(order, OrderEventKind::Cancelled, None);
                }
                State::Rejected => self.tell_order(order, OrderEventKind::Rejected, None),
                _ => {}
            }
        }
    }

    fn tell_order(&mut self, order: &Order, kind: OrderEventKind, fill: Option<Fill>) {
        let mut event = self.event_of(order, kind);
        event.fill = fill;
        self.send_event(&order.terms.instance, event);
    }

    /// An event of an order as it stands, not yet numbered.
    pub(crate) fn event_of(&self, order: &Order, kind: OrderEventKind) -> OrderEvent {
        let (reference, slot) = match &order.terms.origin {
            Origin::Quote { slot } => (None, Some(*slot)),
            Origin::Intent { reference } => (Some(reference.clone()), None),
            Origin::Flatten | Origin::Adopted => (None, None),
        };
        let (code, text) = order.refusal().unwrap_or_default();
        OrderEvent {
            sequence: 0,
            kind,
            symbol: order.terms.symbol,
            client_id: order.terms.client_id,
            reference,
            slot,
            side: order.terms.side,
            order_type: order.terms.kind,
            price: order.terms.price,
            qty: order.terms.qty,
            filled: order.dealt(),
            fill: None,
            code: code.to_owned(),
            text: text.to_owned(),
            time: self.now.mono,
            position: self.position(&order.terms.instance, order.terms.symbol),
        }
    }

    /// Tells of an order that was refused before it was written down.
    pub(crate) fn tell_refused(&mut self, instance: &str, refused: Refused, code: &str, text: &str) {
        let Refused { symbol, reference, slot, side, kind, price, qty } = refused;
        let event = OrderEvent {
            sequence: 0,
            kind: OrderEventKind::Rejected,
            symbol,
            client_id: ClientOrderId::EMPTY,
            reference,
            slot,
            side,
            order_type: kind,
            price,
            qty,
            filled: Qty::ZERO,
            fill: None,
            code: code.to_owned(),
            text: text.to_owned(),
            time: self.now.mono,
            position: self.position(instance, symbol),
        };
        self.send_event(instance, event);
    }

    fn send_event(&mut self, instance: &str, mut event: OrderEvent) {
        event.sequence = self.state.instances.get(instance).map_or(0, |record| record.sequence) + 1;
        let event = Box::new(event);
        self.commit(Fact::Event { instance: instance.to_owned(), event: event.clone() });
        // Before the Welcome nothing is told: it comes with what was missed.
        if self.instances.get(instance).is_some_and(Instance::is_greeted) {
            let instance = instance.to_owned();
            self.emit(Action::Session { instance, event: SessionEvent::Order(event) });
        }
    }

    /// What an instance holds in a pair.
    pub(crate) fn position(&self, instance: &str, symbol: Symbol) -> Position {
        let mark = self.markets.get(&symbol).and_then(crate::market::Market::mark).unwrap_or_default();
        let held = self.ledger_of(instance).account(instance).map(|account| account.position(symbol));
        let held = held.unwrap_or_default();
        let unrealised = if mark.is_zero() { Amount::ZERO } else { held.unrealised(mark) };
        Position {
            symbol,
            qty: held.qty,
            average_cost: held.average_cost(),
            realised: held.realised,
            unrealised,
            fees: held.fees,
            open_orders: self.orders_of(instance).exposure(instance, symbol).orders,
            mark,
        }
    }
}

fn fill(deal: Deal) -> Fill {
    Fill {
        trade_id: deal.trade_id,
        price: deal.price,
        qty: deal.qty,
        fee: deal.fee,
        fee_asset: deal.fee_asset,
        maker: deal.maker,
        time_ms: deal.time_ms,
    }
}
