//! Orders and cancels: out to the venue, and what comes back.

use flashpod_mexc::reply::{self, Outcome};
use flashpod_mexc::request::{self, NewOrder as WireOrder, OrderRef, Size, Stamp as SignStamp};
use flashpod_mexc::rest;
use flashpod_orders::order::NewOrder;
use flashpod_orders::{
    Class, ClientId, Ending, InstanceTag, Order, Origin, PAPER_EPOCH, RateWindow, Report, State, Update,
    is_paper,
};
use flashpod_risk::{Order as RiskOrder, RiskApproved};
use flashpod_types::{ClientOrderId, Nanos, OrderId, Qty};

use crate::engine::Engine;
use crate::fact::Fact;
use crate::hedge::Hedge;
use crate::io::{Action, Hop, HttpOutcome, RequestClass, RequestId};
use crate::lease::Phase;
use crate::paper::{Money, Request as PaperRequest};
use crate::requests::{Pending, Purpose};
use crate::track::Timing;

/// Wait before a cancel that was refused or got lost is sent again.
const CANCEL_AGAIN: Nanos = Nanos::from_millis(100);
/// The longest such wait: what the venue refuses again and again must not take the budget from all others.
const CANCEL_AGAIN_MOST: Nanos = Nanos::from_secs(5);

/// Why an order could not be placed although it was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotPlaced {
    /// The approval expired, or there is no right or no clock to send with.
    NotNow,
    /// Epoch, incarnation and sequence do not fit a client order id any more.
    IdsUsedUp,
}

impl Engine {
    /// Whether anything may be sent at all now.
    pub(crate) fn may_send(&self, money: Money) -> bool {
        match money {
            Money::Real => {
                self.clock.is_known()
                    && self.startup.ready
                    && matches!(self.lease.phase(self.now.mono, self.reach()), Phase::Active | Phase::Soft)
            }
            Money::Paper => self.knows_the_rules(),
        }
    }

    /// The bucket of order calls: the account's, or that of the paper exchange.
    pub(crate) const fn window(&self, money: Money) -> &RateWindow {
        match money {
            Money::Real => &self.window,
            Money::Paper => &self.paper.window,
        }
    }

    const fn window_mut(&mut self, money: Money) -> &mut RateWindow {
        match money {
            Money::Real => &mut self.window,
            Money::Paper => &mut self.paper.window,
        }
    }

    /// Writes an approved order down and hands it to the network.
    pub(crate) fn place(
        &mut self,
        approved: RiskApproved<RiskOrder>,
        instance: &str,
        class: Class,
        origin: Origin,
        timing: Timing,
    ) -> Result<ClientOrderId, NotPlaced> {
        let now = self.now;
        let money = self.money_of(instance);
        if !self.may_send(money) {
            return Err(NotPlaced::NotNow);
        }
        let epoch = if money == Money::Real { self.lease.epoch() } else { PAPER_EPOCH };
        let incarnation = self.state.incarnation;
        let last = self.state.sequences.get(&(epoch, incarnation)).copied().unwrap_or(0);
        let known = self.instances.get(instance).map(|known| (known.owner.clone(), known.tag));
        let (owner, tag) = known.unwrap_or_else(|| (instance.into(), InstanceTag::of(instance)));
        let id = ClientId { instance: tag, epoch, incarnation, sequence: last + 1 };
        let client_id = id.encode().map_err(|_| NotPlaced::IdsUsedUp)?;
        let timestamp = self.clock.venue_millis(now.mono).ok_or(NotPlaced::NotNow)?;
        let order = approved.take(now.mono).map_err(|_| NotPlaced::NotNow)?;
        let RiskOrder { symbol, side, kind, price, qty, .. } = order;
        self.commit(Fact::Placed(NewOrder {
            client_id,
            instance: owner,
            symbol,
            side,
            kind,
            price,
            qty,
            origin,
            reduces: class == Class::Reduce,
            timestamp_ms: timestamp.0,
            created: now.mono,
            created_unix: now.unix,
            before: Qty::ZERO,
        }));
        let call = self.window_mut(money).release(now.mono, class, instance);
        self.tracks.entry(client_id).or_default().placing = true;
        if let Some(instance) = self.instances.get_mut(instance) {
            instance.sent_at.push_back(now.mono);
        }
        self.hop(Hop::BudgetWait, timing.waits.budget().0);
        if timing.waits.venue() > Nanos::ZERO {
            self.hop(Hop::ReplaceWait, timing.waits.venue().0);
        }
        if money == Money::Paper {
            self.note_tick_to_order(instance, timing, now.mono);
            self.send_on_paper(PaperRequest::Place, &client_id, call);
            return Ok(client_id);
        }
        self.counters.orders_sent += 1;
        let wire = WireOrder { symbol, side, kind, size: Size::Base(qty), price: Some(price), client_id };
        let request = request::new_order(&wire, self.order_stamp());
        let purpose = Purpose::Place(client_id);
        self.send_order_call(RequestClass::Order, purpose, call, Some(timing), Hedge::None, request);
        Ok(client_id)
    }

    fn order_stamp(&self) -> SignStamp {
        SignStamp {
            timestamp: self.clock.venue_millis(self.now.mono).unwrap_or_default(),
            recv_window_ms: u32::try_from(self.config.recv_window_ms).unwrap_or(60_000),
        }
    }

    /// Sends the cancel of an order that lives; the scheduler has the budget for it.
    pub(crate) fn cancel(&mut self, client_id: &ClientOrderId, class: Class) {
        let Some(order) = self.state.order(client_id) else { return };
        let instance = order.terms.instance.clone();
        let money = if is_paper(client_id) { Money::Paper } else { Money::Real };
        self.tracks.entry(*client_id).or_default().cancelling = true;
        // Nobody is told, and nothing else becomes due by it.
        self.commit(Fact::Order { client_id: *client_id, update: Update::CancelSent });
        if money == Money::Paper {
            let now = self.now.mono;
            let call = self.window_mut(money).release(now, class, &instance);
            self.send_on_paper(PaperRequest::Cancel, client_id, call);
            return;
        }
        self.counters.cancels_sent += 1;
        self.send_cancel(client_id, class, Hedge::None);
    }

    /// Hands a cancel to the network.
    pub(crate) fn send_cancel(
        &mut self,
        client_id: &ClientOrderId,
        class: Class,
        hedge: Hedge,
    ) -> Option<RequestId> {
        let order = self.state.orders.get(client_id)?;
        let (symbol, order_id) = (order.terms.symbol, order.order_id());
        let call = self.window.release(self.now.mono, class, &order.terms.instance);
        let order =
            if order_id.is_empty() { OrderRef::Client(*client_id) } else { OrderRef::Venue(order_id) };
        let request = request::cancel_order(symbol, order, self.order_stamp());
        let purpose = Purpose::Cancel(*client_id);
        Some(self.send_order_call(RequestClass::Cancel, purpose, call, None, hedge, request))
    }

    /// Wants an order gone, now or once it is known to live. Written down: a kill before its cancel left must not
    /// leave it at the venue.
    pub(crate) fn want_cancel(&mut self, client_id: &ClientOrderId) {
        if self.state.order(client_id).is_some_and(|order| !order.cancel_wanted()) {
            self.commit(Fact::Order { client_id: *client_id, update: Update::CancelWanted });
            self.dirty = true;
        }
    }

    /// Whether the scheduler may cancel this order now.
    pub(crate) fn can_cancel(&self, order: &Order) -> bool {
        let track = self.tracks.get(&order.terms.client_id);
        matches!(order.state(), State::Open | State::PartiallyFilled)
            && track.is_none_or(|track| !track.cancelling && self.now.mono >= track.cancel_after)
    }

    pub(crate) fn on_place_reply(&mut self, client_id: &ClientOrderId, outcome: &HttpOutcome) {
        if let Some(track) = self.tracks.get_mut(client_id) {
            track.placing = false;
        }
        let lost = Update::Lost;
        let update = match classify(outcome) {
            Told::NotSent(text) => Update::Refused { code: "NOT_SENT".into(), text },
            Told::Open => lost,
            Told::Limited(text) => Update::Refused { code: "MEXC_429".into(), text },
            Told::Refused(error) => {
                if error.code == reply::code::OUTSIDE_RECV_WINDOW {
                    self.clock.doubt();
                }
                Update::Refused { code: format!("MEXC_{}", error.code), text: error.msg }
            }
            Told::Body(body) => match rest::order_ack(body) {
                Ok(ack) => Update::Accepted { order_id: ack.order_id },
                Err(_) => lost,
            },
        };
        if matches!(&update, Update::Refused { code, .. } if code.starts_with("MEXC_")) {
            self.counters.venue_rejects += 1;
        }
        self.feed(client_id, update);
    }

    pub(crate) fn on_cancel_reply(&mut self, client_id: &ClientOrderId, outcome: &HttpOutcome) {
        let now = self.now.mono;
        let first = self.config.tuning.ask_first;
        let Some(track) = self.tracks.get_mut(client_id) else { return };
        track.cancelling = false;
        match classify(outcome) {
            // Accepted: how it ended is told by the private stream, or by a query when that is silent.
            Told::Body(_) => track.ask(now + first),
            // Finished already, or not there: which of the two, a query tells.
            Told::Refused(error) if error.is_no_such_order() => track.ask(now),
            Told::Open => track.ask(now),
            told => {
                let wait = match told {
                    Told::Refused(_) => Nanos(track.cancel_wait.0 * 2),
                    _ => CANCEL_AGAIN,
                };
                track.cancel_wait = wait.clamp(CANCEL_AGAIN, CANCEL_AGAIN_MOST);
                track.cancel_after = now + track.cancel_wait;
                self.feed(client_id, Update::CancelFailed);
            }
        }
    }

    /// What an order call was: its place in the order bucket, and the times of its way.
    pub(crate) fn settle_call(
        &mut self,
        pending: &Pending,
        sent: Option<Nanos>,
        received: Nanos,
        outcome: &HttpOutcome,
    ) {
        let Some(call) = pending.call else { return };
        match outcome {
            HttpOutcome::Reply { .. } => self.window.settle(call, received, Nanos::ZERO),
            HttpOutcome::Broken { bytes_sent: false, .. } => self.window.withdraw(call),
            // Without a reply the venue may still take it up until its window closes.
            _ => self.window.settle(call, received, self.config.recv_window()),
        }
        if sent.is_some() {
            self.paper.delays.note_order(received.since(pending.released));
        }
        let (Some(sent), Some(timing)) = (sent, pending.timing) else { return };
        self.hop(Hop::Send, sent.since(timing.released).0);
        self.hop(Hop::Ack, received.since(sent).0);
        if let Purpose::Place(client_id) = &pending.purpose
            && let Some(order) = self.state.orders.get(client_id)
        {
            let instance = order.terms.instance.clone();
            self.note_tick_to_order(&instance, timing, sent);
        }
    }

    /// An order that answers a frame left at `left`.
    fn note_tick_to_order(&mut self, instance: &str, timing: Timing, left: Nanos) {
        if let Some(cause) = timing.cause {
            let nanos = left.since(cause.received).since(timing.waits.total()).0;
            self.emit(Action::Hop { hop: Hop::TickToOrder, nanos, instance: Some(instance.to_owned()) });
        }
    }

    /// State of one order, by a query.
    pub(crate) fn on_query_reply(&mut self, client_id: &ClientOrderId, outcome: &HttpOutcome, asked: Nanos) {
        match classify(outcome) {
            Told::Body(body) => match rest::order(body) {
                Ok(row) => {
                    self.on_order_row(&row);
                    self.still_open(client_id);
                }
                Err(_) => self.ask_again(client_id),
            },
            Told::Refused(error) if error.is_no_such_order() => self.on_no_such_order(client_id, asked),
            _ => self.ask_again(client_id),
        }
    }

    /// A query shows the order open: a cancel that is not under way any more did not work.
    fn still_open(&mut self, client_id: &ClientOrderId) {
        let pending = self.state.orders.get(client_id).is_some_and(|o| o.state() == State::PendingCancel);
        if pending && self.tracks.get(client_id).is_none_or(|track| !track.cancelling) {
            self.feed(client_id, Update::CancelFailed);
        }
    }

    /// A row of openOrders, allOrders or a query about an order with our tag.
    pub(crate) fn on_order_row(&mut self, row: &rest::OrderReport) {
        let report = report(row.order_id, row.status, row.executed);
        if self.state.orders.get(&row.client_id).is_some() {
            self.feed(&row.client_id, Update::Report(report));
        } else if self.is_strange(&row.client_id) {
            self.adopt(row);
        }
    }

    /// Ours by its tag, but written down in no journal we know.
    pub(crate) fn is_strange(&self, client_id: &ClientOrderId) -> bool {
        ClientId::parse(client_id).is_ok_and(|id| !self.state.was_issued(&id))
            && self.state.orders.get(client_id).is_none()
    }

    /// Takes over an order with our tag that the journal does not know: attributed by its id, and cancelled.
    fn adopt(&mut self, row: &rest::OrderReport) {
        let Ok(id) = ClientId::parse(&row.client_id) else { return };
        self.counters.adopted_orders += 1;
        if id.epoch > self.state.highest_epoch {
            self.commit(Fact::Epoch { epoch: id.epoch });
        }
        self.note_pair(row.symbol);
        let instance = self.state.instance_of(id.instance).cloned().unwrap_or_default();
        // What it traded before the ledger's starting balances were taken is in them.
        let started = self.state.ledger.is_started();
        let before = if started { self.booked_before(&row.client_id) } else { row.executed };
        self.commit(Fact::Placed(NewOrder {
            client_id: row.client_id,
            instance: instance.into(),
            symbol: row.symbol,
            side: row.side,
            kind: row.kind.unwrap_or(flashpod_types::OrderType::Limit),
            price: row.price,
            qty: row.qty,
            origin: Origin::Adopted,
            reduces: false,
            timestamp_ms: row.time.unwrap_or_default().0,
            created: self.now.mono,
            created_unix: self.now.unix,
            before,
        }));
        self.feed(&row.client_id, Update::Report(report(row.order_id, row.status, row.executed)));
        if self.state.orders.get(&row.client_id).is_some_and(|order| !order.is_closed()) {
            self.want_cancel(&row.client_id);
        }
    }
}

pub(crate) fn report(order_id: OrderId, status: flashpod_mexc::OrderStatus, filled: Qty) -> Report {
    use flashpod_mexc::OrderStatus as S;
    let ending = match status {
        S::New | S::PartiallyFilled => None,
        S::Filled => Some(Ending::Filled),
        S::Cancelled | S::PartiallyCancelled => Some(Ending::Cancelled),
    };
    Report { order_id, ending, filled }
}

/// What a reply to an order call tells.
pub(crate) enum Told<'a> {
    Body(&'a [u8]),
    Refused(flashpod_mexc::ApiError),
    Limited(String),
    /// Anything may have happened.
    Open,
    NotSent(String),
}

impl Told<'_> {
    /// Why there is no answer, in words.
    pub(crate) fn why_not(&self) -> &str {
        match self {
            Self::Limited(text) | Self::NotSent(text) => text,
            _ => "was not answered",
        }
    }
}

pub(crate) fn classify(outcome: &HttpOutcome) -> Told<'_> {
    match outcome {
        HttpOutcome::Reply { status, retry_after_s, body } => {
            match flashpod_mexc::classify(*status, *retry_after_s, body) {
                Outcome::Success(body) => Told::Body(body),
                Outcome::Refused(error) => Told::Refused(error),
                Outcome::RateLimited { .. } => Told::Limited("too many requests".into()),
                Outcome::Unknown { .. } => Told::Open,
            }
        }
        HttpOutcome::Timeout | HttpOutcome::Broken { bytes_sent: true, .. } => Told::Open,
        HttpOutcome::Broken { bytes_sent: false, reason } => Told::NotSent(reason.clone()),
    }
}
