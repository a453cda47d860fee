//! One order, fed by replies, private pushes, queries and deals in whatever order they arrive.

use flashpod_types::{
    Amount, Asset, ClientOrderId, Nanos, OrderId, OrderType, Price, Qty, Side, Symbol, TradeId,
};
use serde::{Deserialize, Serialize};

use crate::owner::Owner;
use crate::state::{Evidence, State, next};

/// Why the order exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// One of an instance's wanted quotes.
    Quote { slot: u32 },
    /// A single intent; the reference is the strategy's own.
    Intent { reference: String },
    /// Sent by the core to bring a position to flat.
    Flatten,
    /// Found at the venue with our tag but without a journal entry.
    Adopted,
}

/// One fill, as the venue's private deals (or myTrades) state it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deal {
    pub trade_id: TradeId,
    pub price: Price,
    pub qty: Qty,
    /// Value in the quote asset, as reported.
    pub value: Amount,
    pub fee: Amount,
    pub fee_asset: Asset,
    pub maker: bool,
    pub time_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ending {
    Cancelled,
    Filled,
}

/// State of an order as the venue reports it, by push or by query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// Empty when the source does not say.
    pub order_id: OrderId,
    pub ending: Option<Ending>,
    /// Base quantity filled so far.
    pub filled: Qty,
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Update {
    /// The venue's answer to the request.
    Accepted {
        order_id: OrderId,
    },
    /// The venue's refusal, or the core's own after the order was written down but before it left.
    Refused {
        code: String,
        text: String,
    },
    /// No answer.
    Lost,
    /// Proven not to exist at the venue.
    Absent,
    Report(Report),
    Deal(Deal),
    /// Somebody wants it gone: it is cancelled as soon as it is known to live, also after a restart.
    CancelWanted,
    CancelSent,
    CancelFailed,
}

/// What an update changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub was: State,
    pub now: State,
    /// A deal that was not known before.
    pub booked: bool,
    /// Whether anything changed at all; if not, the update was stale or a duplicate.
    pub news: bool,
    /// The order became final: ended and every part of it explained by deals.
    pub closed: bool,
}

/// What is known when an order is written down; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NewOrder {
    pub client_id: ClientOrderId,
    pub instance: Owner,
    pub symbol: Symbol,
    pub side: Side,
    pub kind: OrderType,
    pub price: Price,
    pub qty: Qty,
    pub origin: Origin,
    /// Was approved as one that only makes the position smaller.
    pub reduces: bool,
    /// Venue time on the request, milliseconds: the venue refuses it once `timestamp + W` has passed there.
    pub timestamp_ms: i64,
    /// When it was written down: CLOCK_BOOTTIME of that boot, and wall clock.
    pub created: Nanos,
    pub created_unix: Nanos,
    /// Quantity that had traded before this ledger began (adopted orders); its deals are not ours to book.
    pub before: Qty,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub terms: NewOrder,
    state: State,
    order_id: OrderId,
    reported: Qty,
    ending: Option<Ending>,
    deals: Vec<Deal>,
    dealt: Qty,
    refusal: Option<(String, String)>,
    cancel_wanted: bool,
}

impl Order {
    #[must_use]
    pub fn new(terms: NewOrder) -> Self {
        Self {
            state: State::PendingNew,
            order_id: OrderId::EMPTY,
            reported: terms.before,
            ending: None,
            deals: Vec::new(),
            dealt: terms.before,
            refusal: None,
            cancel_wanted: false,
            terms,
        }
    }

    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The venue's id; empty until it is known.
    #[must_use]
    pub const fn order_id(&self) -> OrderId {
        self.order_id
    }

    /// Deals of this ledger, in order of arrival.
    #[must_use]
    pub fn deals(&self) -> &[Deal] {
        &self.deals
    }

    /// Base quantity that the deals explain.
    #[must_use]
    pub const fn dealt(&self) -> Qty {
        self.dealt
    }

    /// The most that any source says was filled.
    #[must_use]
    pub fn filled(&self) -> Qty {
        self.reported.max(self.dealt)
    }

    /// Code and text of the refusal of a rejected order.
    #[must_use]
    pub fn refusal(&self) -> Option<(&str, &str)> {
        self.refusal.as_ref().map(|(code, text)| (code.as_str(), text.as_str()))
    }

    /// Whether somebody wants it gone.
    #[must_use]
    pub const fn cancel_wanted(&self) -> bool {
        self.cancel_wanted
    }

    /// Reported fills that no deal explains yet: a myTrades fetch is due when this lasts.
    #[must_use]
    pub fn missing_deals(&self) -> Qty {
        self.filled() - self.dealt
    }

    /// Final: it ended and its deals sum up to what was reported.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.is_terminal() && self.missing_deals().is_zero()
    }

    /// Quantity that may still change the position: the unfilled rest of a living order, and the fills of any
    /// order that are not booked yet.
    #[must_use]
    pub fn exposure(&self) -> Qty {
        if self.state.is_terminal() { self.missing_deals() } else { self.terms.qty - self.dealt }
    }

    /// Status in the venue's words, as the ledger report uses them.
    #[must_use]
    pub const fn status_name(&self) -> &'static str {
        match self.state {
            State::PendingNew | State::Unknown => "UNKNOWN",
            State::Open => "NEW",
            State::PartiallyFilled => "PARTIALLY_FILLED",
            State::PendingCancel => {
                if self.dealt.is_positive() {
                    "PARTIALLY_FILLED"
                } else {
                    "NEW"
                }
            }
            State::Filled => "FILLED",
            State::Cancelled => "CANCELED",
            State::PartiallyCancelled => "PARTIALLY_CANCELED",
            State::Rejected => "REJECTED",
        }
    }

    pub fn apply(&mut self, update: &Update) -> Change {
        let (was, was_closed) = (self.state, self.is_closed());
        let filled_before = self.filled();
        let mut learnt = false;
        let mut booked = false;
        match update {
            Update::Accepted { order_id } => {
                learnt = self.learn_id(*order_id);
                self.step(Evidence::Accepted);
            }
            Update::Refused { code, text } => {
                self.step(Evidence::Refused);
                if self.state == State::Rejected && self.refusal.is_none() {
                    self.refusal = Some((code.clone(), text.clone()));
                }
            }
            Update::Lost => self.step(Evidence::Lost),
            Update::Absent => {
                self.step(Evidence::Absent);
                if self.state == State::Rejected && self.refusal.is_none() {
                    let text = "the venue does not have it and can no longer accept it";
                    self.refusal = Some(("NOT_AT_VENUE".into(), text.into()));
                }
            }
            Update::Report(report) => learnt = self.report(report),
            Update::Deal(deal) => {
                booked = self.book(deal);
                // A deal tells of the order's life even when it arrives twice.
                self.step(if self.dealt >= self.terms.qty { Evidence::Completed } else { Evidence::Traded });
            }
            Update::CancelWanted => self.cancel_wanted = true,
            Update::CancelSent => self.step(Evidence::CancelSent),
            Update::CancelFailed => self.step(Evidence::CancelFailed),
        }
        if self.state != State::Rejected {
            self.refusal = None;
        }
        let news = booked || learnt || self.state != was || self.filled() != filled_before;
        Change { was, now: self.state, booked, news, closed: self.is_closed() && !was_closed }
    }

    fn step(&mut self, evidence: Evidence) {
        self.state = next(self.state, evidence, self.filled().is_positive());
    }

    fn learn_id(&mut self, order_id: OrderId) -> bool {
        let learnt = self.order_id.is_empty() && !order_id.is_empty();
        if learnt {
            self.order_id = order_id;
        }
        learnt
    }

    /// Reports rank by (ended, filled): what ranks lower than what is known only tells that the order lived.
    fn report(&mut self, report: &Report) -> bool {
        let learnt = self.learn_id(report.order_id);
        self.reported = self.reported.max(report.filled);
        self.ending = self.ending.max(report.ending);
        let traded = self.filled().is_positive();
        self.step(match self.ending {
            Some(Ending::Filled) => Evidence::Completed,
            Some(Ending::Cancelled) if self.filled() >= self.terms.qty => Evidence::Completed,
            Some(Ending::Cancelled) if traded => Evidence::EndedTraded,
            Some(Ending::Cancelled) => Evidence::Ended,
            None if traded => Evidence::Traded,
            None => Evidence::Accepted,
        });
        if self.ending == Some(Ending::Filled) {
            self.reported = self.reported.max(self.terms.qty);
        }
        learnt
    }

    fn book(&mut self, deal: &Deal) -> bool {
        if self.deals.iter().any(|known| known.trade_id == deal.trade_id) {
            return false;
        }
        self.dealt += deal.qty;
        self.deals.push(deal.clone());
        true
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
