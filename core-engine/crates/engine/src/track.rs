//! What this run knows of an order beyond the journal: requests under way, doubts, and when to ask about them.

use flashpod_mexc::request::Page;
use flashpod_mexc::rest::TradeReport;
use flashpod_orders::{Change, Order, State, Update, is_paper};
use flashpod_types::{ClientOrderId, Nanos};

use crate::engine::Engine;
use crate::fact::Fact;
use crate::market::Arrival;
use crate::pages::Reading;
use crate::requests::Purpose;
use crate::waits::Waits;

/// Fetches of an order's trades after which missing ones are taken for a difference of the ledger.
const TRADES_TRIES: u32 = 3;
/// An IOC or FOK order that lives this long is asked about: its end may have got lost.
const IMMEDIATE_LASTS: Nanos = Nanos::from_millis(500);

/// Times on the way of an order, CLOCK_BOOTTIME.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// Passed to the network.
    pub(crate) released: Nanos,
    /// What it waited for from its decision until then.
    pub(crate) waits: Waits,
    /// The frame that the decision answers.
    pub(crate) cause: Option<Arrival>,
}

/// Fills that do not fit one page.
#[derive(Debug)]
pub(crate) struct TradesReading {
    pub(crate) pages: Reading,
    /// What came so far.
    pub(crate) rows: Vec<TradeReport>,
}

#[derive(Debug, Default)]
pub(crate) struct Track {
    /// Requests under way.
    pub(crate) placing: bool,
    pub(crate) cancelling: bool,
    /// Not before: after a cancel that failed.
    pub(crate) cancel_after: Nanos,
    pub(crate) cancel_wait: Nanos,
    /// When to ask the venue about it.
    ask_at: Option<Nanos>,
    ask_wait: Nanos,
    /// "Does not exist" in a row, said after it could no longer be accepted.
    absent: u8,
    pub(crate) unknown_since: Option<Nanos>,
    trades_at: Option<Nanos>,
    /// Its fills, while they are read page by page.
    pub(crate) trades: Option<TradesReading>,
    pub(crate) trades_tries: u32,
}

impl Track {
    /// Asks the venue at `at`, or sooner if that is planned already.
    pub(crate) fn ask(&mut self, at: Nanos) {
        self.ask_at = Some(self.ask_at.map_or(at, |planned| planned.min(at)));
    }

    /// The page of its fills that is due; None: they are asked for all at once.
    pub(crate) fn page(&self) -> Option<Page> {
        self.trades.as_ref()?.pages.page()
    }

    /// The deals have been waited for and fetched, and are still not complete.
    pub(crate) const fn deals_overdue(&self) -> bool {
        self.trades_tries >= TRADES_TRIES
    }

    pub(crate) const fn is_in_flight(&self) -> bool {
        self.placing || self.cancelling
    }
}

impl Engine {
    /// Feeds an order of ours and does what follows from it.
    pub(crate) fn feed(&mut self, client_id: &ClientOrderId, update: Update) -> Option<Change> {
        let now = self.now.mono;
        let is_report = matches!(update, Update::Report(_) | Update::Deal(_));
        let deal = if let Update::Deal(deal) = &update { Some(deal.clone()) } else { None };
        let change = self.commit(Fact::Order { client_id: *client_id, update })?;
        self.counters.duplicate_reports += u64::from(is_report && !change.news);
        if change.booked && is_paper(client_id) {
            self.counters.paper_deals += 1;
        } else if change.booked {
            self.counters.deals += 1;
            self.audit.note_totals(now, &self.state.ledger);
        }
        let order = self.state.order(client_id)?.clone();
        if let Some(deal) = deal.as_ref().filter(|_| change.booked) {
            self.mark_outs.note(&order.terms, deal, now);
            self.note_position(&order.terms.instance, order.terms.symbol);
        }
        self.tell(&order, change, deal);
        self.follow(&order, change);
        self.dirty = true;
        Some(change)
    }

    fn follow(&mut self, order: &Order, change: Change) {
        let now = self.now.mono;
        let first = self.config.tuning.ask_first;
        if order.is_closed() {
            self.tracks.remove(&order.terms.client_id);
            self.unblock(&order.terms.instance, order.terms.symbol);
            if matches!(order.state(), State::Rejected | State::Cancelled)
                && change.was != State::PendingCancel
            {
                self.hold_slot(order);
            }
            return;
        }
        let track = self.tracks.entry(order.terms.client_id).or_default();
        if change.now == State::Unknown {
            if track.unknown_since.is_none() {
                track.unknown_since = Some(now);
                self.counters.unknown_orders += 1;
            }
            track.ask(now + first);
        } else {
            track.unknown_since = None;
            track.absent = 0;
        }
        if order.missing_deals().is_positive() {
            // The deals usually come within milliseconds.
            track.trades_at = track.trades_at.or(Some(now + first));
        } else {
            (track.trades_at, track.trades_tries, track.trades) = (None, 0, None);
        }
        if order.state().is_working() && !order.terms.kind.can_rest() {
            track.ask(now + IMMEDIATE_LASTS);
        }
    }

    /// A query says that the venue did not know this order when it was asked.
    pub(crate) fn on_no_such_order(&mut self, client_id: &ClientOrderId, asked: Nanos) {
        let now = self.now.mono;
        let Some(order) = self.state.orders.get(client_id) else { return };
        // Accepted can it be until its timestamp + W; a second more is for the venue's own delays.
        let last =
            order.terms.timestamp_ms + i64::try_from(self.config.recv_window_ms).unwrap_or(i64::MAX) + 1000;
        let error = i64::try_from(self.clock.error(now).as_millis() + 1).unwrap_or(i64::MAX);
        let left = |at: Nanos| self.clock.venue_millis(at).map(|venue| last.saturating_sub(venue.0 - error));
        let (Some(left_then), Some(left_now)) = (left(asked), left(now)) else { return };
        let first = self.config.tuning.ask_first;
        let Some(track) = self.tracks.get_mut(client_id) else { return };
        if left_then > 0 {
            track.absent = 0;
            let wait = Nanos::from_millis(left_now.max(0).unsigned_abs());
            track.ask(now + wait.min(Nanos::from_secs(60)));
            return;
        }
        track.absent += 1;
        if track.absent >= 2 {
            self.feed(client_id, Update::Absent);
        } else {
            track.ask(now + first);
        }
    }

    /// A query could not be answered: again, later.
    pub(crate) fn ask_again(&mut self, client_id: &ClientOrderId) {
        let (now, tuning) = (self.now.mono, self.config.tuning);
        if let Some(track) = self.tracks.get_mut(client_id) {
            track.ask_wait = Nanos((track.ask_wait.0 * 2).clamp(tuning.ask_first.0, tuning.ask_most.0));
            let wait = track.ask_wait;
            track.ask(now + wait);
        }
    }

    /// Asks about orders in doubt. When to look again.
    pub(crate) fn poll_tracks(&mut self) -> Option<Nanos> {
        let (now, tuning) = (self.now.mono, self.config.tuning);
        let mut due = Vec::new();
        let mut next: Option<Nanos> = None;
        for (&client_id, track) in &mut self.tracks {
            let Some(order) = self.state.orders.get(&client_id) else { continue };
            if track.ask_at.is_some_and(|at| now >= at) {
                track.ask_at = None;
                due.push(Purpose::Query(order.terms.symbol, client_id));
            }
            if track.trades_at.is_some_and(|at| now >= at) {
                // Pages that are still coming are no try that failed.
                track.trades_tries += u32::from(track.trades.is_none());
                let wait = tuning.ask_first.0.saturating_mul(1 << track.trades_tries.min(10));
                track.trades_at = Some(now + Nanos(wait.min(tuning.ask_most.0)));
                if track.trades_tries == TRADES_TRIES {
                    self.audit.hurry(now);
                }
                // Without the venue's id, the trades of an order cannot be told from others.
                due.push(if order.order_id().is_empty() {
                    Purpose::Query(order.terms.symbol, client_id)
                } else {
                    Purpose::Trades(client_id)
                });
            }
            let soonest = [track.ask_at, track.trades_at].into_iter().flatten().min();
            next = next.into_iter().chain(soonest).min();
        }
        for purpose in due {
            self.ask(purpose);
        }
        next
    }
}
