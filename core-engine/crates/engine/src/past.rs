//! Orders of ours that ended at the venue while no journal knew them: looked for once a run in every pair.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use flashpod_mexc::request::Page;
use flashpod_mexc::rest::OrderReport;
use flashpod_types::{Millis, Nanos, Symbol};

use crate::engine::Engine;
use crate::pages::{Reading, horizon};
use crate::requests::{ORDERS_LIMIT, Purpose};
use crate::trade::report;

/// How far before the journal's last moment to begin: a dying host may lose 50 ms, and its clock may have been set
/// since.
const LOOK_BACK_MS: i64 = 60_000;
/// The venue shows no older orders (API reference §6.6).
const SHOWN_DAYS: i64 = 7;
const RETRY: Nanos = Nanos::from_secs(1);
/// The longest wait after a refusal: a pair that the venue does not know any more is refused for ever.
const RETRY_MOST: Nanos = Nanos::from_secs(64);

#[derive(Debug, Default)]
pub(crate) struct Past {
    /// By pair: what is still to be read.
    readings: BTreeMap<Symbol, Reading>,
    /// When to ask again for what was not answered.
    again: Option<Nanos>,
    /// The next wait, once something was refused.
    wait: Nanos,
}

impl Past {
    pub(crate) fn page(&self, symbol: Symbol) -> Option<Page> {
        self.readings.get(&symbol)?.page()
    }

    pub(crate) fn failed(&mut self, now: Nanos) {
        self.again = Some(now + self.wait.max(RETRY));
    }

    /// Whether everything was read in each of these pairs.
    pub(crate) fn is_read<T>(&self, pairs: &BTreeMap<Symbol, T>) -> bool {
        pairs.keys().all(|symbol| self.readings.get(symbol).is_some_and(|reading| reading.page().is_none()))
    }

    /// Said before `failed`.
    pub(crate) fn refused(&mut self) {
        self.wait = Nanos(self.wait.0 * 2).clamp(RETRY, RETRY_MOST);
    }
}

impl Engine {
    /// Looks for them in every pair where that was not begun in this run.
    pub(crate) fn look_back(&mut self) {
        let taken_over = self.state.take_over.as_ref().map(|begun| Millis(begun.since_ms));
        let is_first = self.state.incarnation == 1 && taken_over.is_none();
        if is_first || !self.state.ledger.is_started() {
            return;
        }
        let Some(now) = self.clock.venue_millis(self.now.mono) else { return };
        // By how long ago it was: our wall clock may show another time than the venue's.
        let away = self.now.unix.since(self.startup.former_run).as_millis();
        let away = i64::try_from(away).unwrap_or(i64::MAX / 2);
        let left = Millis(now.0.saturating_sub(away).saturating_sub(LOOK_BACK_MS));
        let from = taken_over.unwrap_or(left).max(horizon(now, SHOWN_DAYS));
        let symbols: Vec<Symbol> = self.state.pairs.keys().copied().collect();
        for symbol in symbols {
            if let Entry::Vacant(place) = self.past.readings.entry(symbol) {
                place.insert(Reading::new(from, now, ORDERS_LIMIT));
                self.ask(Purpose::AllOrders(symbol));
            }
        }
    }

    /// Asks again for pages that did not come. When to look again.
    pub(crate) fn poll_past(&mut self) -> Option<Nanos> {
        if self.past.again.is_some_and(|at| self.now.mono >= at) {
            self.past.again = None;
            let unread = self.past.readings.iter().filter(|(_, reading)| reading.page().is_some());
            let symbols: Vec<Symbol> = unread.map(|(&symbol, _)| symbol).collect();
            for symbol in symbols {
                self.ask(Purpose::AllOrders(symbol));
            }
        }
        self.past.again
    }

    pub(crate) fn on_past_orders(&mut self, symbol: Symbol, rows: &[OrderReport]) {
        self.note_epochs(rows);
        for row in rows {
            // Nothing is to be learnt of one that has ended with everything booked.
            let is_over = report(row.order_id, row.status, row.executed).ending.is_some();
            let is_booked =
                self.state.take_over.is_some() && self.booked_before(&row.client_id) == row.executed;
            if self.is_strange(&row.client_id) && !(is_over && is_booked) {
                self.on_order_row(row);
            }
        }
        self.past.wait = Nanos::ZERO;
        if let Some(reading) = self.past.readings.get_mut(&symbol) {
            reading.turn(rows.len());
            if reading.page().is_some() {
                self.ask(Purpose::AllOrders(symbol));
            }
        }
    }
}
