//! What paper orders meet: requests under way, a bucket of order calls of their own, and the queue of each pair.

use std::collections::BTreeMap;

use flashpod_book::Book;
use flashpod_matching::{Display, NewOrder, OrderKey, OwnOrders, PassiveFill, Placement, Volume};
use flashpod_mexc::decode::Deal;
use flashpod_orders::order::NewOrder as Terms;
use flashpod_orders::{CallId, RateWindow};
use flashpod_types::{ClientOrderId, Nanos, Price, Qty, Side, Symbol};

use super::config::{PaperConfig, Queue};
use super::delays::Delays;

/// A received book, as paper orders are shown it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a>(pub(crate) &'a Book);

impl Display for Shown<'_> {
    fn qty_at(&self, side: Side, price: Price) -> Qty {
        self.0.qty_at(side, price)
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.0.levels(side)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Place,
    Cancel,
}

/// A request that was not answered yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) client_id: ClientOrderId,
    pub(crate) symbol: Symbol,
    pub(crate) released: Nanos,
    /// What it counts as in the bucket.
    pub(crate) counted: CallId,
    /// Its round trip is over, and nobody can say what it met: it waits until the book is certified again.
    waits: bool,
}

#[derive(Debug)]
pub(crate) struct PaperExchange {
    pub(crate) window: RateWindow,
    pub(crate) delays: Delays,
    queue: Queue,
    /// By the moment of their answer.
    calls: BTreeMap<(Nanos, u64), Call>,
    next: u64,
    pairs: BTreeMap<Symbol, Pair>,
}

impl PaperExchange {
    /// `run` tells runs with one seed apart.
    pub(crate) fn new(config: &PaperConfig, window: RateWindow, run: u64) -> Self {
        Self {
            window,
            delays: Delays::new(&config.delay, config.seed, run),
            queue: config.queue,
            calls: BTreeMap::new(),
            next: 0,
            pairs: BTreeMap::new(),
        }
    }

    /// Whether any instance trades on paper.
    pub(crate) fn is_used(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// Sends a request; its answer is due after a delay that is drawn.
    pub(crate) fn send(
        &mut self,
        now: Nanos,
        request: Request,
        (client_id, symbol): (ClientOrderId, Symbol),
        counted: CallId,
    ) {
        let due = now + self.delays.draw();
        self.put(due, Call { request, client_id, symbol, released: now, counted, waits: false });
    }

    fn put(&mut self, due: Nanos, call: Call) {
        self.next += 1;
        self.calls.insert((due, self.next), call);
    }

    pub(crate) fn next_due(&self) -> Option<Nanos> {
        self.calls.first_key_value().map(|(&(due, _), _)| due)
    }

    pub(crate) fn take_due(&mut self, now: Nanos) -> Option<Call> {
        let first = self.calls.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// Lets a call wait for the certificate of its book, at most until then.
    pub(crate) fn hold(&mut self, call: Call, until: Nanos) {
        self.put(until, Call { waits: true, ..call });
    }

    /// Calls that wait for the certificate of this book, in the order in which they came.
    pub(crate) fn take_held(&mut self, symbol: Symbol) -> Vec<Call> {
        let held = |call: &Call| call.waits && call.symbol == symbol;
        let mut keys: Vec<_> =
            self.calls.iter().filter(|(_, call)| held(call)).map(|(&key, _)| key).collect();
        keys.sort_unstable_by_key(|&(_, place)| place);
        keys.iter().filter_map(|key| self.calls.remove(key)).collect()
    }

    /// Follows exactly the pairs of which this is true; those that are new.
    pub(crate) fn follow(&mut self, symbols: &[Symbol]) -> Vec<Symbol> {
        self.pairs.retain(|symbol, _| symbols.contains(symbol));
        let missing: Vec<Symbol> =
            symbols.iter().copied().filter(|symbol| !self.pairs.contains_key(symbol)).collect();
        for &symbol in &missing {
            self.pairs.insert(symbol, Pair::new(self.queue));
        }
        missing
    }

    pub(crate) fn pair(&mut self, symbol: Symbol) -> Option<&mut Pair> {
        self.pairs.get_mut(&symbol)
    }
}

/// Own orders of one pair.
#[derive(Debug)]
pub(crate) struct Pair {
    own: OwnOrders,
    keys: BTreeMap<OrderKey, ClientOrderId>,
    last_key: u64,
}

impl Pair {
    fn new(queue: Queue) -> Self {
        Self { own: OwnOrders::new(queue.model()), keys: BTreeMap::new(), last_key: 0 }
    }

    fn key(&mut self) -> OrderKey {
        self.last_key += 1;
        OrderKey(self.last_key)
    }

    fn key_of(&self, client_id: &ClientOrderId) -> Option<OrderKey> {
        self.keys.iter().find(|(_, known)| *known == client_id).map(|(&key, _)| key)
    }

    /// An order arrives.
    pub(crate) fn place(&mut self, book: &Book, terms: &Terms, step: Qty) -> Placement {
        let key = self.key();
        let volume = Volume::Base(terms.qty);
        let order = NewOrder { key, side: terms.side, kind: terms.kind, price: terms.price, volume, step };
        let placement = self.own.place(&Shown(book), &order);
        if placement.resting.is_positive() {
            self.keys.insert(key, terms.client_id);
        }
        placement
    }

    /// An order that rests takes its place again, behind everything: that it had been there before is not known here.
    pub(crate) fn rejoin(&mut self, book: &Book, terms: &Terms, left: Qty) {
        if self.key_of(&terms.client_id).is_none() {
            let key = self.key();
            self.own.join(&Shown(book), key, terms.side, terms.price, left);
            self.keys.insert(key, terms.client_id);
        }
    }

    pub(crate) fn cancel(&mut self, client_id: &ClientOrderId) {
        if let Some(key) = self.key_of(client_id) {
            self.keys.remove(&key);
            self.own.cancel(key);
        }
    }

    /// A depth update, before the book takes it.
    pub(crate) fn on_update(&mut self, book: &Book, update: &flashpod_book::Update<'_>) {
        self.own.on_update(&Shown(book), update.event.0, update.bids, update.asks);
    }

    /// Updates are missing, and the book was read anew.
    pub(crate) fn on_snapshot(&mut self, book: &Book) {
        self.own.on_gap(&Shown(book));
    }

    /// Trades; what they fill, in their order.
    pub(crate) fn on_deals(&mut self, deals: &[Deal]) -> Vec<(ClientOrderId, PassiveFill)> {
        let Self { own, keys, .. } = self;
        let mut fills = Vec::new();
        for deal in deals {
            own.on_trade((deal.price, deal.qty, deal.taker), deal.time.0, |fill| {
                if let Some(&client_id) = keys.get(&fill.key) {
                    fills.push((client_id, fill));
                }
            });
        }
        for (_, fill) in fills.iter().filter(|(_, fill)| fill.left.is_zero()) {
            keys.remove(&fill.key);
        }
        fills
    }
}
