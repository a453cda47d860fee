//! The state of one pair and its steps through time.

use std::collections::VecDeque;

use flashpod_matching::{FifoBook, Guard, LevelChange, NewOrder, OrderKey, Placement, Plan, Refusal};
use flashpod_types::{Nanos, Price, Qty, Side};

use super::batch::DepthCut;
use super::{Bars, Batch, Recorded};
use crate::listing::Listing;
use crate::replay::Tick;
use crate::synthetic::{Arrival, Flow};

/// Keys from here on are own orders; the crowd's are below.
pub const OWN: u64 = 1 << 62;

/// How fast market time runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// So many seconds of market time in one of wall time, in 1e-8.
    Times(u64),
    /// As fast as the readers read.
    Max,
}

impl Speed {
    /// Wall time that a span of market time takes; nothing at full speed.
    #[must_use]
    pub fn wall(self, span: Nanos) -> Nanos {
        match self {
            Self::Times(factor) => {
                let wall = u128::from(span.0) * 100_000_000 / u128::from(factor.max(1));
                Nanos(u64::try_from(wall).unwrap_or(u64::MAX))
            }
            Self::Max => Nanos::ZERO,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicTrade {
    pub id: u64,
    pub price: Price,
    pub qty: Qty,
    pub aggressor: Side,
    pub time: Nanos,
}

/// A resting own order was filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnFill {
    pub key: OrderKey,
    pub price: Price,
    pub qty: Qty,
}

/// Something to tell readers at once: only recorded markets have such, their cut is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    Depth(DepthCut),
    Trade(PublicTrade),
    Top(Top),
}

/// Best bid and ask at a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top {
    pub version: u64,
    pub bid: (Price, Qty),
    pub ask: (Price, Qty),
}

/// What one step of the market brought.
#[derive(Debug, Default)]
pub struct Step {
    pub own: Vec<OwnFill>,
    pub update: Option<Update>,
}

#[derive(Debug)]
enum Source {
    Synthetic { book: FifoBook, flow: Box<Flow>, origin: Nanos },
    Recorded(Recorded),
}

/// 10 ms and 100 ms, in the order of `Market::batches`.
pub const CADENCES: [Nanos; 2] = [Nanos(10_000_000), Nanos(100_000_000)];
const TRADES_KEPT: usize = 5_000;

#[derive(Debug)]
pub struct Market {
    pub listing: Listing,
    source: Source,
    speed: Speed,
    version: u64,
    batches: [Batch; 2],
    pub trades: VecDeque<PublicTrade>,
    pub bars: Bars,
    /// Time of the latest own or crowd order, ms.
    pub last_order_ms: i64,
    next_trade: u64,
}

impl Market {
    /// A synthetic market that opens at `origin`, after `warm_up` of trading before it.
    #[must_use]
    pub fn synthetic(listing: Listing, mut flow: Flow, speed: Speed, origin: Nanos, warm_up: Nanos) -> Self {
        let mut book = FifoBook::new();
        for order in flow.opening() {
            let placed = book.place(&order);
            forget(&mut flow, &order, &placed);
        }
        book.drain_changes();
        let source = Source::Synthetic { book, flow: Box::new(flow), origin: origin - speed.wall(warm_up) };
        let mut market = Self::new(listing, source, speed, 1_000);
        while market.next_at().is_some_and(|at| at < origin) {
            let at = market.next_at().unwrap_or(origin);
            market.step(at);
        }
        market.batches = Default::default();
        market
    }

    /// A recorded market, waiting for its first depth subscription.
    #[must_use]
    pub fn recorded(listing: Listing, recorded: Recorded, speed: Speed) -> Self {
        let version = recorded.tape.version;
        Self::new(listing, Source::Recorded(recorded), speed, version)
    }

    fn new(listing: Listing, source: Source, speed: Speed, version: u64) -> Self {
        Self {
            listing,
            source,
            speed,
            version,
            batches: Default::default(),
            trades: VecDeque::new(),
            bars: Bars::default(),
            last_order_ms: 0,
            next_trade: 1,
        }
    }

    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    #[must_use]
    pub fn as_recorded(&self) -> Option<&Recorded> {
        match &self.source {
            Source::Recorded(recorded) => Some(recorded),
            Source::Synthetic { .. } => None,
        }
    }

    /// The first depth subscription came: a recorded market begins to move.
    pub fn start(&mut self, now: Nanos) {
        if let Source::Recorded(recorded) = &mut self.source {
            recorded.started.get_or_insert(now);
        }
    }

    /// Displayed levels, best first.
    pub fn levels(&self, side: Side) -> Box<dyn Iterator<Item = (Price, Qty)> + '_> {
        match &self.source {
            Source::Synthetic { book, .. } => Box::new(book.levels(side)),
            Source::Recorded(recorded) => Box::new(recorded.book.levels(side)),
        }
    }

    #[must_use]
    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        self.levels(side).next()
    }

    /// Best bid and ask of the displayed book; `None` while a side is empty.
    #[must_use]
    pub fn top(&self) -> Option<Top> {
        Some(Top { version: self.version, bid: self.best(Side::Buy)?, ask: self.best(Side::Sell)? })
    }

    /// Last traded price; the middle of the book before the first trade.
    #[must_use]
    pub fn last_price(&self) -> Option<Price> {
        if let Some(trade) = self.trades.back() {
            return Some(trade.price);
        }
        let (bid, ask) = (self.best(Side::Buy)?.0, self.best(Side::Sell)?.0);
        Some(Price::from_raw(i64::midpoint(bid.raw(), ask.raw())).floor_to(self.listing.instrument.tick))
    }

    /// When the market moves next by itself, in wall time.
    #[must_use]
    pub fn next_at(&self) -> Option<Nanos> {
        match &self.source {
            Source::Synthetic { flow, origin, .. } => Some(*origin + self.speed.wall(flow.next_at())),
            Source::Recorded(recorded) => {
                let offset = recorded.next_offset()?;
                Some(recorded.started? + self.speed.wall(offset))
            }
        }
    }

    /// Offset of the next recorded event: what orders several tapes at full speed.
    #[must_use]
    pub fn next_offset(&self) -> Option<Nanos> {
        self.as_recorded()?.next_offset()
    }

    /// Lets the market take its next step by itself, at `now`.
    pub fn step(&mut self, now: Nanos) -> Step {
        match &mut self.source {
            Source::Synthetic { book, flow, .. } => {
                let order = match flow.arrive(book) {
                    Arrival::Nothing => return Step::default(),
                    Arrival::Cancel(key) => {
                        book.cancel(key);
                        self.publish_changes(now);
                        return Step::default();
                    }
                    Arrival::Place(order) => order,
                };
                let placed = book.place(&order);
                forget(flow, &order, &placed);
                self.publish_changes(now);
                let own = self.after_matches(now, order.side, &placed);
                Step { own, update: None }
            }
            Source::Recorded(_) => self.step_tape(now),
        }
    }

    fn step_tape(&mut self, now: Nanos) -> Step {
        let Source::Recorded(recorded) = &mut self.source else { return Step::default() };
        let Some(tick) = recorded.next_tick(self.version) else { return Step::default() };
        match tick {
            Tick::Depth { exchange_ms, from, to, changes } => {
                recorded.book.on_depth(exchange_ms, changes.iter().copied());
                self.version = to;
                self.last_order_ms = millis(now);
                let update = Update::Depth(DepthCut { from, to, changes });
                Step { own: Vec::new(), update: Some(update) }
            }
            Tick::Trade { exchange_ms, id, price, qty, aggressor } => {
                let fills = recorded.book.on_trade(price, qty, aggressor, exchange_ms);
                let own = fills.iter().map(|f| OwnFill { key: f.key, price: f.price, qty: f.qty }).collect();
                let trade = PublicTrade { id, price, qty, aggressor, time: now };
                self.record_trade(trade);
                Step { own, update: Some(Update::Trade(trade)) }
            }
            Tick::Ticker { version, bid, ask } => {
                let update = Update::Top(Top { version, bid, ask });
                Step { own: Vec::new(), update: Some(update) }
            }
        }
    }

    /// What an own order would execute at once.
    pub fn preview(&self, order: &NewOrder, guard: Option<Guard<'_>>) -> Result<Plan, Refusal> {
        match &self.source {
            Source::Synthetic { book, .. } => book.preview(order, guard),
            Source::Recorded(recorded) => recorded.book.preview(order),
        }
    }

    /// Lets an own order in. The fills of *other* own orders that it met come beside its placement. In a recorded
    /// market own orders never meet: there is nothing to guard against.
    pub fn place(
        &mut self,
        now: Nanos,
        order: &NewOrder,
        guard: Option<Guard<'_>>,
    ) -> (Placement, Vec<OwnFill>) {
        match &mut self.source {
            Source::Synthetic { book, flow, .. } => {
                let placed = book.place_guarded(order, guard);
                forget(flow, order, &placed);
                self.publish_changes(now);
                let own = self.after_matches(now, order.side, &placed);
                (placed, own)
            }
            Source::Recorded(recorded) => (recorded.book.place(order), Vec::new()),
        }
    }

    /// Takes an own order out; says what it had left.
    pub fn cancel(&mut self, now: Nanos, key: OrderKey) -> Option<Qty> {
        match &mut self.source {
            Source::Synthetic { book, .. } => {
                let left = book.cancel(key);
                self.publish_changes(now);
                left
            }
            Source::Recorded(recorded) => recorded.book.cancel(key),
        }
    }

    /// Gives each change of the synthetic book its version and gathers it for both cadences.
    fn publish_changes(&mut self, now: Nanos) {
        let Source::Synthetic { book, .. } = &mut self.source else { return };
        let changes: Vec<LevelChange> = book.drain_changes().collect();
        for change in changes {
            self.version += 1;
            for (batch, cadence) in self.batches.iter_mut().zip(CADENCES) {
                batch.change(now, cadence, self.version, change);
            }
        }
        self.last_order_ms = millis(now);
    }

    fn after_matches(&mut self, now: Nanos, aggressor: Side, placed: &Placement) -> Vec<OwnFill> {
        let mut own = Vec::new();
        for found in &placed.matches {
            let id = self.next_trade;
            self.next_trade += 1;
            let trade = PublicTrade { id, price: found.price, qty: found.qty, aggressor, time: now };
            self.record_trade(trade);
            for (batch, cadence) in self.batches.iter_mut().zip(CADENCES) {
                batch.trade(now, cadence, trade);
            }
            if let Some(key) = found.maker.filter(|key| key.0 >= OWN) {
                own.push(OwnFill { key, price: found.price, qty: found.qty });
            }
        }
        own
    }

    fn record_trade(&mut self, trade: PublicTrade) {
        self.bars.trade(millis(trade.time).div_euclid(1000), trade.price, trade.qty);
        self.trades.push_back(trade);
        if self.trades.len() > TRADES_KEPT {
            self.trades.pop_front();
        }
    }

    /// When the next push of cadence `which` is due.
    #[must_use]
    pub fn push_due(&self, which: usize) -> Option<Nanos> {
        self.batches[which].due()
    }

    /// What the push of cadence `which` says.
    pub fn take_push(&mut self, which: usize) -> (Option<DepthCut>, Vec<PublicTrade>) {
        self.batches[which].take()
    }
}

/// Crowd orders that are filled up, or never rested, need no death.
fn forget(flow: &mut Flow, order: &NewOrder, placed: &Placement) {
    for found in placed.matches.iter().filter(|m| m.maker_left.is_zero()) {
        if let Some(maker) = found.maker {
            flow.gone(maker);
        }
    }
    if placed.resting.is_zero() {
        flow.gone(order.key);
    }
}

/// Milliseconds since 1970.
#[must_use]
pub fn millis(at: Nanos) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
