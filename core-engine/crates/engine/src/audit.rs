//! The audit of the ledger: every open order and balance of the venue against ours, every 30 s and after each
//! reconnect. What differs twice in a row is a fact, and stops opening.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flashpod_mexc::rest::{AccountReport, OrderReport};
use flashpod_orders::{ClientId, Ledger};
use flashpod_types::{Amount, Asset, Nanos};

use crate::engine::Engine;
use crate::fact::Fact;
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
    /// How the balances differed in the newest round.
    gaps: Vec<Gap>,
    /// The newest round agreed.
    pub(crate) equal: bool,
    pub(crate) difference: String,
    pub(crate) audited_unix: Nanos,
}

/// What the venue has of an asset, and what the ledger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    asset: Asset,
    venue: Amount,
    ledger: Amount,
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

    /// How the balances differ from the ledger as it was around the moment they are of: fills reach us a little later
    /// than the balances, so any state of the ledger from shortly before to shortly after will do. So does the newest,
    /// younger than the balances: fills that were late by more than the slack.
    fn gaps(&self, report: &AccountReport, asked: Nanos, received: Nanos, slack: Nanos) -> Vec<Gap> {
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
            return Vec::new();
        }
        let Some((_, ours)) = self.history.back() else { return Vec::new() };
        let assets: BTreeSet<Asset> = venue.keys().chain(ours.keys()).copied().collect();
        let of = |totals: &Totals, asset: Asset| totals.get(&asset).copied().unwrap_or_default();
        assets
            .into_iter()
            .map(|asset| Gap { asset, venue: of(&venue, asset), ledger: of(ours, asset) })
            .filter(|gap| gap.venue != gap.ledger)
            .collect()
    }
}

fn balances_differ(gaps: &[Gap]) -> Option<String> {
    let text = |gap: &Gap| format!("{}: venue {}, ledger {}", gap.asset, gap.venue, gap.ledger);
    let texts: Vec<String> = gaps.iter().map(text).collect();
    (!texts.is_empty()).then(|| format!("balance {}", texts.join("; ")))
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
        let mut gaps = self.audit.gaps(&account, account_asked, received, slack);
        let deals = self.deals_overdue();
        if orders.is_none() && deals.is_none() && self.all_listed(&rows) && self.adopt_difference(&gaps) {
            gaps.clear();
        }
        let difference: Vec<String> = [orders, deals, balances_differ(&gaps)].into_iter().flatten().collect();
        self.audit.gaps = gaps;
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
            }
            if self.audit.failures < 2 || self.adoption_wanted() {
                self.audit.hurry(now + AGAIN);
            }
        }
        if was_equal != self.audit.equal || had_verdict != (self.audit.failures >= 2) {
            self.status_changed();
        }
        self.dirty = true;
    }

    /// Whether every order that is not closed is open at the venue, and its fills are booked: else a difference may be
    /// that of a fill which is yet to be booked.
    fn all_listed(&self, rows: &[OrderReport]) -> bool {
        self.state.orders.live().all(|order| {
            let row = rows.iter().find(|row| row.client_id == order.terms.client_id);
            order.missing_deals().is_zero() && row.is_some_and(|row| row.executed == order.dealt())
        })
    }

    /// Whether somebody accepts a difference, and that was not carried out yet.
    fn adoption_wanted(&self) -> bool {
        let request = &self.desired.account.adopt;
        !request.is_empty() && self.state.adoption.as_ref().is_none_or(|done| done.request != *request)
    }

    /// Takes a difference that somebody accepted into the ledger, once two rounds in a row found the same one. A request
    /// that finds none is used up: it says nothing about a later one.
    fn adopt_difference(&mut self, gaps: &[Gap]) -> bool {
        let lasts = self.audit.failures >= 2 && self.audit.gaps == gaps;
        if !self.adoption_wanted() || self.state.take_over.is_some() || !(gaps.is_empty() || lasts) {
            return false;
        }
        let now = self.now.mono;
        let amounts = gaps.iter().map(|gap| (gap.asset, gap.venue - gap.ledger)).collect();
        let request = self.desired.account.adopt.clone();
        self.commit(Fact::DifferenceAdopted { request, at: self.now.unix, amounts });
        self.audit.note_totals(now, &self.state.ledger);
        self.status_changed();
        true
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
                // Its deals did not reach us, or not yet.
                Some(order) if row.executed > order.filled() => self.on_order_row(row),
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
