//! REST calls under way: what each is for, and the budget of queries.

use std::collections::{BTreeMap, VecDeque};

use flashpod_mexc::request::{self, OrderRef, Page, Request, Stamp as SignStamp};
use flashpod_orders::CallId;
use flashpod_types::{ClientOrderId, Millis, Nanos, Symbol};

use crate::engine::Engine;
use crate::hedge::{Hedge, Sort};
use crate::io::{Action, HttpRequest, Method, RequestClass, RequestId};
use crate::link::Subscription;
use crate::track::{Timing, Track};

/// Levels asked for in a depth snapshot (API reference §10).
pub(crate) const DEPTH_LIMIT: u16 = 5000;
/// Rows of one myTrades page; the venue gives no more.
pub(crate) const TRADES_LIMIT: u16 = 100;
/// Rows of one allOrders page; the venue gives no more.
pub(crate) const ORDERS_LIMIT: u16 = 1000;
/// recvWindow of queries: they change nothing, so a late one does no harm.
const QUERY_WINDOW_MS: u32 = 5000;
/// The span of the venue's weight pools.
const WEIGHT_SPAN: Nanos = Nanos::from_secs(10);

/// Why openOrders and account are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    /// By its number: a reply to one that was given up says nothing about the next.
    Reconcile(u32),
    Audit,
}

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    Time,
    ExchangeInfo,
    SelfSymbols,
    Uid,
    TradeFee(Symbol),
    Account(Round),
    OpenOrders(Round),
    /// The next page of a pair's past orders, for those of ours that no journal knows.
    AllOrders(Symbol),
    ListenKeys,
    DeleteListenKey(String),
    CreateListenKey,
    ExtendListenKey(String),
    /// With the subscription it is for: asked for before that was acknowledged, a snapshot proves nothing.
    Depth(Symbol, Subscription),
    DepthAudit(Symbol, Subscription),
    Ticker(Symbol),
    /// State of one order. Also of one that only the venue knows.
    Query(Symbol, ClientOrderId),
    /// Fills of one order; the next page of them when there are many.
    Trades(ClientOrderId),
    Place(ClientOrderId),
    Cancel(ClientOrderId),
}

impl Purpose {
    /// IP or UID weight (API reference §5 to §8); both are held to one budget.
    pub(crate) const fn weight(&self) -> u32 {
        match self {
            Self::ExchangeInfo | Self::Account(_) | Self::AllOrders(..) | Self::Trades(..) => 10,
            Self::TradeFee(_) => 20,
            Self::OpenOrders(_) => 3,
            Self::Query(..) => 2,
            _ => 1,
        }
    }

    const fn is_signed(&self) -> bool {
        !matches!(
            self,
            Self::Time | Self::ExchangeInfo | Self::Depth(..) | Self::DepthAudit(..) | Self::Ticker(_)
        )
    }
}

/// A request without a reply yet.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) purpose: Purpose,
    /// When it was handed to the network.
    pub(crate) released: Nanos,
    /// What it counts as in the order bucket.
    pub(crate) call: Option<CallId>,
    /// Of an order: what its way is measured from.
    pub(crate) timing: Option<Timing>,
    pub(crate) hedge: Hedge,
}

#[derive(Debug, Default)]
pub(crate) struct Requests {
    next: u64,
    pending: BTreeMap<RequestId, Pending>,
    /// Queries that wait for weight or for the venue's time.
    waiting: VecDeque<Purpose>,
    /// When weight was spent in the last ten seconds.
    spent: VecDeque<(Nanos, u32)>,
}

impl Requests {
    fn add(&mut self, pending: Pending) -> RequestId {
        self.next += 1;
        let id = RequestId(self.next);
        self.pending.insert(id, pending);
        id
    }

    /// What a reply answers.
    pub(crate) fn answered(&mut self, id: RequestId) -> Option<Pending> {
        self.pending.remove(&id)
    }

    /// Whether this is waiting or under way.
    pub(crate) fn is_asked(&self, purpose: &Purpose) -> bool {
        let under_way = |pending: &Pending| pending.purpose == *purpose && pending.hedge != Hedge::Moot;
        self.waiting.contains(purpose) || self.pending.values().any(under_way)
    }

    pub(crate) fn pending_mut(&mut self, id: RequestId) -> Option<&mut Pending> {
        self.pending.get_mut(&id)
    }

    pub(crate) fn all_pending(&self) -> impl Iterator<Item = (RequestId, &Pending)> {
        self.pending.iter().map(|(&id, pending)| (id, pending))
    }

    pub(crate) fn spend(&mut self, now: Nanos, weight: u32) {
        self.spent.push_back((now, weight));
    }

    pub(crate) fn weight_spent(&mut self, now: Nanos) -> u32 {
        while self.spent.front().is_some_and(|(at, _)| *at + WEIGHT_SPAN <= now) {
            self.spent.pop_front();
        }
        self.spent.iter().map(|(_, weight)| weight).sum()
    }
}

impl Engine {
    /// Asks for something once: not again while the same is under way.
    pub(crate) fn ask(&mut self, purpose: Purpose) {
        // Without keys, only what is public is asked for.
        let may_ask = self.config.credentials || !purpose.is_signed();
        if may_ask && !self.requests.is_asked(&purpose) {
            self.requests.waiting.push_back(purpose);
        }
    }

    /// Sends the queries that the weight budget allows. When the next may go.
    pub(crate) fn release_queries(&mut self) -> Option<Nanos> {
        let now = self.now.mono;
        if now < self.window.paused_until() {
            return (!self.requests.waiting.is_empty()).then_some(self.window.paused_until());
        }
        let knows_time = self.clock.is_known();
        let mut at = 0;
        while let Some(purpose) = self.requests.waiting.get(at) {
            if purpose.is_signed() && !knows_time {
                at += 1;
                continue;
            }
            let weight = purpose.weight();
            if self.requests.weight_spent(now) + weight > self.config.rate.weight_per_10s {
                return self.requests.spent.front().map(|(spent, _)| *spent + WEIGHT_SPAN);
            }
            let Some(purpose) = self.requests.waiting.remove(at) else { break };
            self.requests.spend(now, weight);
            self.send_query(purpose, Hedge::None);
        }
        None
    }

    pub(crate) fn send_query(&mut self, purpose: Purpose, hedge: Hedge) -> Option<RequestId> {
        let now = self.now.mono;
        let timestamp = self.clock.venue_millis(now).unwrap_or_default();
        let request = self.query_request(&purpose, timestamp)?;
        let timeout = self.time_out(Sort::of(&purpose));
        let id = self.requests.add(Pending { purpose, released: now, call: None, timing: None, hedge });
        self.emit_request(id, RequestClass::Query, request, timeout, None);
        Some(id)
    }

    fn query_request(&self, purpose: &Purpose, timestamp: Millis) -> Option<Request> {
        let stamp = SignStamp { timestamp, recv_window_ms: QUERY_WINDOW_MS };
        Some(match purpose {
            Purpose::Time => request::time(),
            Purpose::ExchangeInfo => request::exchange_info(&[]),
            Purpose::SelfSymbols => request::self_symbols(stamp),
            Purpose::Uid => request::uid(stamp),
            Purpose::TradeFee(symbol) => request::trade_fee(*symbol, stamp),
            Purpose::Account(_) => request::account(stamp),
            Purpose::OpenOrders(_) => request::open_orders(None, stamp),
            Purpose::AllOrders(symbol) => request::all_orders(*symbol, self.past.page(*symbol)?, stamp),
            Purpose::ListenKeys => request::list_listen_keys(stamp),
            Purpose::DeleteListenKey(key) => request::delete_listen_key(key, stamp),
            Purpose::CreateListenKey => request::create_listen_key(stamp),
            Purpose::ExtendListenKey(key) => request::extend_listen_key(key, stamp),
            Purpose::Depth(symbol, _) | Purpose::DepthAudit(symbol, _) => {
                request::depth(*symbol, DEPTH_LIMIT)
            }
            Purpose::Ticker(symbol) => request::book_ticker(*symbol),
            Purpose::Query(symbol, client_id) => {
                request::query_order(*symbol, OrderRef::Client(*client_id), stamp)
            }
            Purpose::Trades(client_id) => {
                let order = self.state.orders.get(client_id)?;
                let whole = Page { start: None, end: None, limit: Some(TRADES_LIMIT) };
                let page = self.tracks.get(client_id).and_then(Track::page).unwrap_or(whole);
                let order_id = Some(order.order_id()).filter(|id| !id.is_empty());
                request::my_trades(order.terms.symbol, order_id, page, stamp)
            }
            Purpose::Place(_) | Purpose::Cancel(_) => return None,
        })
    }

    /// Sends an order or a cancel; the caller has the budget and the right to.
    pub(crate) fn send_order_call(
        &mut self,
        class: RequestClass,
        purpose: Purpose,
        call: CallId,
        timing: Option<Timing>,
        hedge: Hedge,
        request: Request,
    ) -> RequestId {
        let now = self.now.mono;
        let timeout = self.time_out(Sort::of(&purpose));
        let id = self.requests.add(Pending { purpose, released: now, call: Some(call), timing, hedge });
        // Held up on this side for longer than that, it would only arrive to be refused.
        let fresh = now + Nanos(self.config.recv_window().0 / 2);
        let not_after = self.lease.not_after(self.reach()).map(|lease| lease.min(fresh));
        self.emit_request(id, class, request, timeout, not_after);
        id
    }

    fn emit_request(
        &mut self,
        id: RequestId,
        class: RequestClass,
        request: Request,
        timeout: Nanos,
        not_after: Option<Nanos>,
    ) {
        self.counters.requests += 1;
        let method = match request.method {
            request::Method::Get => Method::Get,
            request::Method::Post => Method::Post,
            request::Method::Put => Method::Put,
            request::Method::Delete => Method::Delete,
        };
        let Request { path, params, signed, .. } = request;
        let path = path.into();
        self.emit(Action::Http(HttpRequest { id, class, method, path, params, signed, timeout, not_after }));
    }

    /// How long after now an order may still act at the venue: recvWindow and what our clock may be wrong by.
    pub(crate) fn reach(&self) -> Nanos {
        self.config.recv_window() + self.clock.error(self.now.mono)
    }
}
