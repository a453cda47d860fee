//! The audit of the ledger: every open order and balance of the venue against ours, every 30 s and after each
//! reconnect. What differs twice in a row is a fact, and stops opening.

use std::collections::{BTreeMap, VecDeque};

use flashpod_mexc::rest::{AccountReport, OrderReport};
use flashpod_orders::{ClientId, Ledger};
use flashpod_types::{Amount, Asset, Nanos};

use crate::engine::Engine;
use crate::requests::{Purpose, Round};

type Totals = BTreeMap<Asset, Amount>;

/// How long former totals are kept: longer than any reply may take.
const HISTORY: Nanos = Nanos::from_secs(15);
/// After a round that found a difference, or could not be finished.
const AGAIN: Nanos = Nanos::from_secs(2);

#[derive(Debug, Default)]
pub(crate) struct Audit {
    next: Option<Nanos>,
    round: Option<Collecting>,
    /// The ledger's totals and since when, oldest first. Balances are compared with those of the moment they are of.
    history: VecDeque<(Nanos, Totals)>,
    failures: u32,
    /// The newest round agreed.
    pub(crate) equal: bool,
    pub(crate) difference: String,
    pub(crate) audited_unix: Nanos,
}

/// A round under way.
#[derive(Debug, Default)]
struct Collecting {
    orders: Option<(Vec<OrderReport>, Nanos)>,
    account: Option<(AccountReport, Nanos, Nanos)>,
}

impl Audit {
    /// The next round begins now.
    pub(crate) fn hurry(&mut self, now: Nanos) {
        self.next = Some(self.next.map_or(now, |next| next.min(now)));
    }

    pub(crate) fn note_totals(&mut self, now: Nanos, ledger: &Ledger) {
        while self.history.get(1).is_some_and(|(since, _)| *since + HISTORY < now) {
            self.history.pop_front();
        }
        self.history.push_back((now, ledger.totals()));
    }

    pub(crate) fn open_orders(&mut self, rows: Vec<OrderReport>, asked: Nanos) {
        if let Some(round) = &mut self.round {
            round.orders = Some((rows, asked));
        }
    }

    pub(crate) fn account(&mut self, account: AccountReport, asked: Nanos, received: Nanos) {
        if let Some(round) = &mut self.round {
            round.account = Some((account, asked, received));
        }
    }

    pub(crate) fn failed(&mut self, now: Nanos) {
        self.round = None;
        self.next = Some(now + AGAIN);
    }

    /// A difference that was found twice in a row.
    pub(crate) fn verdict(&self) -> Option<&str> {
        (self.failures >= 2).then_some(self.difference.as_str())
    }

    /// The balances against the ledger as it was around the moment they are of: fills reach us a little later than
    /// the balances, so any state of the ledger from shortly before to shortly after will do.
    fn balances_differ(
        &self,
        report: &AccountReport,
        asked: Nanos,
        received: Nanos,
        slack: Nanos,
    ) -> Option<String> {
        let venue: Totals = report
            .balances
            .iter()
            .map(|balance| (balance.asset, balance.free + balance.locked))
            .filter(|(_, amount)| !amount.is_zero())
            .collect();
        let (from, to) = (asked - slack, received + slack);
        let ends = self.history.iter().skip(1).map(|(since, _)| *since).chain([Nanos(u64::MAX)]);
        let mut candidates =
            self.history.iter().zip(ends).filter(|((since, _), end)| *since <= to && *end >= from);
        if candidates.any(|((_, totals), _)| *totals == venue) {
            return None;
        }
        let (_, ours) = self.history.back()?;
        let assets = venue.keys().chain(ours.keys());
        let differing = assets.filter(|asset| venue.get(asset) != ours.get(asset));
        let mut texts: Vec<String> = differing
            .map(|asset| {
                let of = |totals: &Totals| totals.get(asset).copied().unwrap_or_default();
                format!("{asset}: venue {}, ledger {}", of(&venue), of(ours))
            })
            .collect();
        texts.sort_unstable();
        texts.dedup();
        if texts.is_empty() {
            // The newest state agrees, but it is younger than the balances: fills that were late by more than the slack.
            return None;
        }
        Some(format!("balance {}", texts.join("; ")))
    }
}

impl Engine {
    /// Runs audits. When to look again.
    pub(crate) fn poll_audit(&mut self) -> Option<Nanos> {
        if !self.startup.reconciled {
            self.audit.round = None;
            return None;
        }
        let (now, tuning) = (self.now.mono, self.config.tuning);
        if let Some(Collecting { orders: Some(_), account: Some((_, _, received)) }) = &self.audit.round {
            let due = *received + tuning.audit_slack;
            if now < due {
                return Some(due);
            }
            self.judge();
        }
        if self.audit.round.is_none() && self.audit.next.is_none_or(|next| now >= next) {
            self.audit.round = Some(Collecting::default());
            self.audit.next = Some(now + tuning.audit_period);
            self.ask(Purpose::OpenOrders(Round::Audit));
            self.ask(Purpose::Account(Round::Audit));
        }
        // A round under way ends with its replies, however long they take; looking at the clock meanwhile is of no use.
        self.audit.next.filter(|_| self.audit.round.is_none())
    }

    fn judge(&mut self) {
        let Some(Collecting {
            orders: Some((rows, asked)),
            account: Some((account, account_asked, received)),
        }) = self.audit.round.take()
        else {
            return;
        };
        let now = self.now.mono;
        self.counters.ledger_audits += 1;
        let slack = self.config.tuning.audit_slack;
        let orders = self.orders_differ(&rows, asked);
        let balances = self.audit.balances_differ(&account, account_asked, received, slack);
        let deals = self.deals_overdue();
        let difference: Vec<String> = [orders, deals, balances].into_iter().flatten().collect();
        let (was_equal, had_verdict) = (self.audit.equal, self.audit.failures >= 2);
        self.audit.audited_unix = self.now.unix;
        if difference.is_empty() {
            (self.audit.failures, self.audit.equal) = (0, true);
            self.audit.difference.clear();
        } else {
            self.counters.ledger_audit_failures += 1;
            self.audit.failures += 1;
            self.audit.difference = difference.join("; ");
            if self.audit.failures >= 2 {
                self.audit.equal = false;
            } else {
                self.audit.hurry(now + AGAIN);
            }
        }
        if was_equal != self.audit.equal || had_verdict != (self.audit.failures >= 2) {
            self.status_changed();
        }
        self.dirty = true;
    }

    /// Open orders of ours at the venue that we hold for ended. The reverse, orders that only we hold for open, are
    /// asked about: the answer, not their absence from a list, is what counts.
    fn orders_differ(&mut self, rows: &[OrderReport], asked: Nanos) -> Option<String> {
        let slack = self.config.tuning.audit_slack;
        let mut texts = Vec::new();
        for row in rows.iter().filter(|row| ClientId::parse(&row.client_id).is_ok()) {
            match self.state.orders.get(&row.client_id) {
                Some(order) if order.is_closed() => {
                    // It may have ended after the list was made: a query tells which.
                    self.ask(Purpose::Query(row.symbol, row.client_id));
                }
                Some(_) => {}
                None if self.is_strange(&row.client_id) => self.on_order_row(row),
                None => {
                    texts.push(format!("order {}: open at the venue, finished in the ledger", row.client_id));
                }
            }
        }
        let missing: Vec<_> = self
            .state
            .orders
            .live()
            .filter(|order| order.state().is_working() && self.is_older(order, asked - slack))
            .filter(|order| !rows.iter().any(|row| row.client_id == order.terms.client_id))
            .map(|order| order.terms.client_id)
            .collect();
        for client_id in missing {
            let now = self.now.mono;
            self.tracks.entry(client_id).or_default().ask(now);
        }
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    /// Orders whose reported fills no deal explains, although the deals were fetched more than once.
    fn deals_overdue(&self) -> Option<String> {
        let overdue = self.state.orders.live().filter(|order| {
            order.missing_deals().is_positive()
                && self.tracks.get(&order.terms.client_id).is_some_and(crate::track::Track::deals_overdue)
        });
        let texts: Vec<String> = overdue
            .map(|order| {
                let (id, filled, dealt) = (order.terms.client_id, order.filled(), order.dealt());
                format!("order {id}: the venue says {filled} is filled, its deals sum up to {dealt}")
            })
            .collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }
}
