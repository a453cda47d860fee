//! Books of the pairs in use: frames in, certified tops out.

use std::collections::VecDeque;

use flashpod_book::{AuditOutcome, CertifiedBook, Loss, Rule, Snapshot, State, Step, Update};
use flashpod_mexc::decode::Deal;
use flashpod_mexc::rest::{DepthSnapshot, TopOfBook};
use flashpod_risk::Market as RiskMarket;
use flashpod_types::{Amount, Millis, Nanos, Price, Side, Symbol};

use crate::ahead::Ahead;
use crate::deltas::Deltas;
use crate::engine::Engine;
use crate::io::{Action, BookTop, ConnId, Hop, TradeBatch};
use crate::link::Subscription;
use crate::once::Once;
use crate::requests::{DEPTH_LIMIT, Purpose};

/// Updates kept while a snapshot is on its way: 40 s of 10 ms pushes.
const WAITING_LIMIT: usize = 4096;
/// Frames whose times are remembered, for decisions that answer them.
const ARRIVALS_KEPT: usize = 1024;
/// Trades that two connections may both tell of, kept until both did.
const TRADES_TOLD: usize = 512;
/// Between two tries to fetch a snapshot.
const SNAPSHOT_RETRY: Nanos = Nanos::from_millis(200);

/// When a frame that was passed on came in and was popped, CLOCK_BOOTTIME.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) received: Nanos,
    pub(crate) popped: Nanos,
}

/// How a depth push came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    pub(crate) conn: ConnId,
    pub(crate) received: Nanos,
    /// When the venue sent it, and when the newest order in it was made.
    pub(crate) sent: Option<Millis>,
    pub(crate) last_order: Option<Millis>,
}

#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) book: CertifiedBook,
    /// Pushes beyond a hole that another connection may fill.
    pub(crate) ahead: Ahead,
    pub(crate) deltas: Deltas,
    told_trades: Once<Deal>,
    /// The acknowledged subscription of the depth channel, on the connection that is up.
    subscription: Option<Subscription>,
    snapshot_retry: Nanos,
    next_audit: Nanos,
    pub(crate) frames: u64,
    arrivals: VecDeque<Arrival>,
    pub(crate) last_trade: Option<Price>,
    /// Best prices over REST, and when they were read: to reduce without a certified book.
    pub(crate) ticker: Option<(Price, Price, Nanos)>,
    /// The account's own rates.
    pub(crate) fees: Option<(Amount, Amount)>,
    certified_since: Option<Nanos>,
    certified_for: Nanos,
    first_certified: Option<Nanos>,
    loss: Option<Loss>,
}

impl Market {
    pub(crate) fn new() -> Self {
        Self {
            book: CertifiedBook::new(Rule::Mexc, WAITING_LIMIT),
            ahead: Ahead::default(),
            deltas: Deltas::default(),
            told_trades: Once::new(TRADES_TOLD),
            subscription: None,
            snapshot_retry: Nanos::ZERO,
            next_audit: Nanos::ZERO,
            frames: 0,
            arrivals: VecDeque::with_capacity(ARRIVALS_KEPT),
            last_trade: None,
            ticker: None,
            fees: None,
            certified_since: None,
            certified_for: Nanos::ZERO,
            first_certified: None,
            loss: None,
        }
    }

    pub(crate) fn best(&self) -> Option<(Price, Price)> {
        let book = self.book.book();
        Some((book.best(Side::Buy)?.0, book.best(Side::Sell)?.0))
    }

    /// Price that positions are valued at: the mid of the certified book, else the last trade.
    pub(crate) fn mark(&self) -> Option<Price> {
        let mid = self.best().filter(|_| self.book.is_certified());
        mid.map(|(bid, ask)| Price::from_raw(i64::midpoint(bid.raw(), ask.raw()))).or(self.last_trade)
    }

    /// The frame that arrived then.
    pub(crate) fn arrival(&self, received: Nanos) -> Option<Arrival> {
        // Mostly among the newest.
        self.arrivals.iter().rev().find(|arrival| arrival.received == received).copied()
    }

    fn note_arrival(&mut self, received: Nanos, popped: Nanos) {
        if self.arrivals.len() == ARRIVALS_KEPT {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(Arrival { received, popped });
    }

    /// Keeps account of the time certified.
    fn note_state(&mut self, now: Nanos) {
        match (self.book.is_certified(), self.certified_since) {
            (true, None) => {
                self.first_certified = self.first_certified.or(Some(now));
                self.certified_since = Some(now);
                self.loss = None;
            }
            (false, Some(since)) => {
                self.certified_for = self.certified_for + now.since(since);
                self.certified_since = None;
            }
            _ => {}
        }
        if let State::Lost(loss) = self.book.state() {
            self.loss = Some(loss);
        }
    }

    /// Share of the time since the first certificate.
    #[allow(clippy::cast_precision_loss)] // A share for display.
    pub(crate) fn certified_share(&self, now: Nanos) -> f64 {
        let Some(first) = self.first_certified else { return 0.0 };
        let current = self.certified_since.map_or(Nanos::ZERO, |since| now.since(since));
        let whole = now.since(first).0.max(1);
        ((self.certified_for + current).0 as f64 / whole as f64).min(1.0)
    }

    pub(crate) fn state_name(&self) -> &'static str {
        match (self.book.state(), self.loss) {
            (State::Certified, _) => "CERTIFIED",
            (_, Some(Loss::Gap { .. })) => "GAP",
            (_, Some(Loss::Audit)) => "AUDIT_FAILED",
            (_, Some(Loss::Crossed { .. })) => "CROSSED",
            (_, Some(Loss::Disconnected)) => "DISCONNECTED",
            _ => "SYNCING",
        }
    }
}

impl Engine {
    /// `carried`: another connection brings the pair's pushes, so that nothing begins anew.
    pub(crate) fn depth_subscribed(&mut self, symbol: Symbol, carried: bool) {
        let subscription = self.feeds.next_subscription();
        if let Some(market) = self.markets.get_mut(&symbol)
            && !(carried && market.subscription.is_some())
        {
            market.subscription = Some(subscription);
            market.snapshot_retry = Nanos::ZERO;
        }
    }

    /// No connection brings the pushes of these pairs any more.
    pub(crate) fn public_lost(&mut self, symbols: &[Symbol]) {
        let now = self.now.mono;
        for &symbol in symbols {
            if let Some(market) = self.markets.get_mut(&symbol) {
                market.subscription = None;
                market.ahead.clear();
                market.book.disconnected();
                market.note_state(now);
            }
            self.publish(symbol, now, Millis(0), None);
        }
    }

    /// Takes a push, whichever connection brings it: the first with a version wins.
    pub(crate) fn on_depth(&mut self, symbol: Symbol, update: &Update<'_>, arrived: Arrived) {
        let now = self.now.mono;
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        market.frames += 1;
        let hole = market.book.is_certified() && update.first > market.book.version().saturating_add(1);
        if hole && self.feeds.of(symbol).is_some_and(|feed| feed.links.len() > 1) {
            market.ahead.hold(now, update, arrived);
            self.dirty = true;
            return;
        }
        self.take_depth(symbol, update, arrived);
        self.take_ahead(symbol);
    }

    /// What waited beyond a hole, as far as that is filled.
    fn take_ahead(&mut self, symbol: Symbol) {
        while let Some(market) = self.markets.get_mut(&symbol)
            && let Some(held) = market.ahead.next(market.book.version())
        {
            self.counters.bridged_holes += u64::from(held.first_beyond);
            self.take_depth(symbol, &held.update(), held.arrived);
        }
    }

    /// The hole is not going to be filled any more.
    fn give_up_hole(&mut self, symbol: Symbol) {
        while let Some(held) = self.markets.get_mut(&symbol).and_then(|market| market.ahead.pop()) {
            self.take_depth(symbol, &held.update(), held.arrived);
        }
        let now = self.now.mono;
        self.publish(symbol, now, Millis(0), None);
    }

    fn take_depth(&mut self, symbol: Symbol, update: &Update<'_>, arrived: Arrived) {
        let now = self.now.mono;
        let Arrived { conn, received, .. } = arrived;
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        if let Some(pair) = self.paper.pair(symbol)
            && market.book.continues(update)
        {
            pair.on_update(market.book.book(), update);
        }
        let step = market.book.on_update(update);
        let audit = market.book.take_audit();
        match step {
            Step::Applied => {
                market.note_arrival(received, now);
                market.deltas.push(update, arrived, now);
            }
            Step::Lost(_) => market.note_state(now),
            Step::Duplicate => {
                self.counters.repeated_depth += 1;
                if market.book.is_certified() {
                    self.proves(conn, symbol);
                }
                return;
            }
            Step::Buffered => return,
        }
        if matches!(step, Step::Applied) {
            self.proves(conn, symbol);
        }
        if let Some(outcome) = audit {
            self.on_audit(symbol, outcome);
        }
        self.note_latency(arrived);
        self.publish(symbol, received, update.event, Some(Arrival { received, popped: now }));
    }

    fn note_latency(&mut self, arrived: Arrived) {
        let Some(venue) = self.clock.venue(arrived.received) else { return };
        for (hop, at) in [(Hop::Feed, arrived.sent), (Hop::LastOrder, arrived.last_order)] {
            // Whatever the frame says: a time beyond all counting is only a wrong measurement.
            let nanos = |at: Millis| Nanos(u64::try_from(at.0).unwrap_or(0).saturating_mul(1_000_000));
            let Some(at) = at.map(nanos) else { continue };
            // Shown as no time at all.
            self.counters.feed_ahead += u64::from(at > venue);
            self.hop(hop, venue.since(at).0);
        }
    }

    pub(crate) fn on_deals(
        &mut self,
        symbol: Symbol,
        conn: ConnId,
        mut deals: Vec<Deal>,
        received: Nanos,
        sent: Option<Millis>,
    ) {
        let now = self.now.mono;
        let several = self.feeds.of(symbol).is_some_and(|feed| feed.links.len() > 1);
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        market.frames += 1;
        let told = deals.len();
        deals.retain(|deal| market.told_trades.is_first(now, conn, *deal, several));
        self.counters.repeated_pushes += (told - deals.len()) as u64;
        let Some(last) = deals.last() else { return };
        market.last_trade = Some(last.price);
        market.note_arrival(received, now);
        let trades = deals.iter().map(|deal| (deal.price, deal.qty, deal.taker == Side::Buy)).collect();
        let venue_ms = sent.unwrap_or(last.time).0;
        self.emit(Action::Trades(TradeBatch { symbol, trades, received, venue_ms }));
        self.trade_on_paper(symbol, &deals);
    }

    /// Shows a book to the rules of its pair, and to the sidecars. `cause`: the frame that changed it.
    fn publish(&mut self, symbol: Symbol, received: Nanos, event: Millis, cause: Option<Arrival>) {
        let Some(top) = self.top(symbol, received, event) else { return };
        self.ask_rules(&top, cause);
        self.emit(Action::Book(top));
    }

    /// The best levels of a book as they are now.
    pub(crate) fn top(&self, symbol: Symbol, received: Nanos, event: Millis) -> Option<BookTop> {
        let levels = self.config.tuning.book_levels as usize;
        let market = self.markets.get(&symbol)?;
        let book = market.book.book();
        Some(BookTop {
            symbol,
            version: market.book.version(),
            bids: book.top(Side::Buy, levels).collect(),
            asks: book.top(Side::Sell, levels).collect(),
            certified: market.book.is_certified(),
            received,
            venue_ms: event.0,
        })
    }

    /// A snapshot to certify the book with.
    pub(crate) fn on_snapshot(&mut self, symbol: Symbol, asked_for: Subscription, depth: &DepthSnapshot) {
        let now = self.now.mono;
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        if market.subscription != Some(asked_for) {
            return;
        }
        market.book.on_snapshot(&snapshot(depth));
        market.deltas.begin_anew();
        market.note_state(now);
        if market.book.is_certified() {
            market.next_audit = now + self.config.tuning.book_audit_period;
            self.publish(symbol, now, depth.timestamp.unwrap_or_default(), None);
            self.show_on_paper(symbol);
        }
        self.dirty = true;
    }

    /// A snapshot to compare the book with.
    pub(crate) fn on_audit_snapshot(
        &mut self,
        symbol: Symbol,
        asked_for: Subscription,
        depth: &DepthSnapshot,
    ) {
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        if market.subscription != Some(asked_for) {
            return;
        }
        self.counters.book_audits += 1;
        let was_certified = market.book.is_certified();
        let outcome = market.book.finish_audit(&snapshot(depth));
        let lost = was_certified && !market.book.is_certified();
        self.on_audit(symbol, outcome);
        if lost {
            self.publish(symbol, self.now.mono, Millis(0), None);
        }
    }

    fn on_audit(&mut self, symbol: Symbol, outcome: AuditOutcome) {
        let now = self.now.mono;
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        match outcome {
            // Pending: the snapshot is ahead of the pushes; the outcome comes with the one that reaches it.
            AuditOutcome::Passed { .. } | AuditOutcome::Pending => {}
            AuditOutcome::Inconclusive => market.next_audit = now + Nanos::from_secs(1),
            AuditOutcome::Failed { .. } => {
                self.counters.book_audit_failures += 1;
                market.next_audit = now + Nanos::from_secs(1);
            }
        }
        market.note_state(now);
    }

    pub(crate) fn on_ticker(&mut self, symbol: Symbol, top: &TopOfBook, received: Nanos) {
        if let (Some(market), Some((bid, _)), Some((ask, _))) =
            (self.markets.get_mut(&symbol), top.bid, top.ask)
        {
            market.ticker = Some((bid, ask, received));
        }
        self.dirty = true;
    }

    /// What risk may rely upon: the certified book; else the newest ticker.
    pub(crate) fn risk_market(&self, symbol: Symbol) -> Option<RiskMarket> {
        let now = self.now.mono;
        let market = self.markets.get(&symbol)?;
        let most = Nanos::from_secs(1);
        let age = self.feeds.of(symbol).map_or(Nanos(u64::MAX), |feed| now.since(feed.last_frame()));
        let certified = market.best().filter(|_| market.book.is_certified());
        let ticker = market.ticker.map(|(bid, ask, at)| (bid, ask, now.since(at)));
        match (certified, ticker) {
            (Some((bid, ask)), _) if age <= most => Some(RiskMarket { bid, ask, certified: true, age }),
            (_, Some((bid, ask, ticker_age))) if ticker_age < age => {
                Some(RiskMarket { bid, ask, certified: false, age: ticker_age })
            }
            (Some((bid, ask)), _) => Some(RiskMarket { bid, ask, certified: true, age }),
            (None, ticker) => ticker.map(|(bid, ask, age)| RiskMarket { bid, ask, certified: false, age }),
        }
    }

    /// Asks for snapshots and audits that are due. When to look again.
    pub(crate) fn poll_markets(&mut self) -> Option<Nanos> {
        let (now, period) = (self.now.mono, self.config.tuning.book_audit_period);
        let mut next: Option<Nanos> = None;
        let mut due = Vec::new();
        let mut unfilled = Vec::new();
        for (&symbol, market) in &mut self.markets {
            if let Some(until) = market.ahead.waits_until() {
                if now >= until {
                    unfilled.push(symbol);
                } else {
                    next = Some(next.map_or(until, |next| next.min(until)));
                }
            }
            let Some(subscription) = market.subscription else { continue };
            let at = if market.book.needs_snapshot() {
                if now >= market.snapshot_retry {
                    market.snapshot_retry = now + SNAPSHOT_RETRY;
                    due.push(Purpose::Depth(symbol, subscription));
                }
                market.snapshot_retry
            } else {
                if now >= market.next_audit {
                    market.next_audit = now + period;
                    market.book.start_audit();
                    due.push(Purpose::DepthAudit(symbol, subscription));
                }
                market.next_audit
            };
            next = Some(next.map_or(at, |next| next.min(at)));
        }
        for purpose in due {
            self.ask(purpose);
        }
        for symbol in unfilled {
            self.give_up_hole(symbol);
            // It needs a snapshot now.
            self.dirty = true;
        }
        next
    }
}

fn snapshot(depth: &DepthSnapshot) -> Snapshot<'_> {
    Snapshot {
        version: depth.last_update_id,
        bids: &depth.bids,
        asks: &depth.asks,
        limit: Some(usize::from(DEPTH_LIMIT)),
    }
}
