//! What an engine knows, as the agent is told (agent.proto, CoreStatus and LedgerReply). The driver adds what it
//! alone measures: hop percentiles, conflated books, the metrics address.

use flashpod_orders::{Forgotten, Order};
pub use flashpod_risk::{Breach, LossRule};
use flashpod_types::{Amount, Asset, Nanos, Price, Symbol};
use serde::{Deserialize, Serialize};

use crate::io::{DeletionPolicy, InstanceName, Position, TradingState};
pub use crate::recovery::Adoption;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Generation of the desired state in force.
    pub generation: u64,
    pub account: AccountStatus,
    /// Sorted by name.
    pub instances: Vec<InstanceStatus>,
    pub halts: Vec<HaltStatus>,
    pub books: Vec<BookStatus>,
    pub links: Vec<LinkStatus>,
    pub timing: TimingStatus,
    pub stopping: bool,
    pub counters: Counters,
}

/// Everything that was dropped, conflated, rejected, superseded or late, and what else metrics show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub http_429: u64,
    pub http_418: u64,
    pub requests: u64,
    pub timeouts: u64,
    pub venue_rejects: u64,
    pub risk_rejects: u64,
    pub superseded_quotes: u64,
    pub orders_sent: u64,
    pub cancels_sent: u64,
    pub deals: u64,
    /// Orders, cancels and fills that were matched in here.
    pub paper_orders: u64,
    pub paper_cancels: u64,
    pub paper_deals: u64,
    /// Deals and order reports that told nothing new.
    pub duplicate_reports: u64,
    /// Orders that were unknown at some time.
    pub unknown_orders: u64,
    /// Orders of ours found at the venue without a journal entry.
    pub adopted_orders: u64,
    pub foreign_deals: u64,
    pub public_reconnects: u64,
    pub private_reconnects: u64,
    /// Connections that a successor took the place of, by plan.
    pub links_replaced: u64,
    /// That answered no PING in time; that brought frames and answered none.
    pub links_dead: u64,
    pub links_deaf: u64,
    /// Depth pushes whose versions were known already, as from the other of two connections.
    pub repeated_depth: u64,
    /// Trades and balances that another connection had told already.
    pub repeated_pushes: u64,
    /// Holes in what one connection brought that another filled in time.
    pub bridged_holes: u64,
    /// Pushes that seem to be of the future: the clock is wrong by more than they took.
    pub feed_ahead: u64,
    pub listen_keys_made: u64,
    pub listen_keys_deleted: u64,
    /// Starts at which the venue had room for no other key.
    pub listen_keys_borrowed: u64,
    /// Reads and cancels that were sent once more, those of which the second answered first, and replies that came
    /// when the other had answered.
    pub hedges: u64,
    pub hedges_won: u64,
    pub hedges_late: u64,
    pub undecodable_frames: u64,
    /// Session messages that named an unknown instance or symbol, or came from a stopped one.
    pub refused_messages: u64,
    pub book_audits: u64,
    pub book_audit_failures: u64,
    pub ledger_audits: u64,
    pub ledger_audit_failures: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountStatus {
    pub account: String,
    /// Whether the venue accepted the credentials and the first reconciliation is done.
    pub ready: bool,
    pub venue_uid: String,
    pub epoch: u64,
    pub highest_epoch_seen: u64,
    pub incarnation: u64,
    pub state: TradingState,
    pub reasons: Vec<String>,
    pub balances: Vec<Balance>,
    pub unassigned: Vec<(Asset, Amount)>,
    pub ledger_equals_venue: bool,
    /// 0: never.
    pub audited_unix: Nanos,
    pub audit_difference: String,
    /// The newest difference that somebody accepted.
    pub adoption: Option<Adoption>,
    pub orders_in_flight: u64,
    pub orders_unknown: u64,
    /// CLOCK_BOOTTIME; 0: none is unknown.
    pub unknown_since: Nanos,
    /// Pairs that the venue lets this account trade, sorted.
    pub symbols: Vec<Symbol>,
    /// The newest announced renewal that was heard; 0: none.
    pub lease_attempt: u64,
    /// Of all strategies together.
    pub losses: Vec<LossStatus>,
}

impl Default for AccountStatus {
    fn default() -> Self {
        Self {
            account: String::new(),
            ready: false,
            venue_uid: String::new(),
            epoch: 0,
            highest_epoch_seen: 0,
            incarnation: 0,
            state: TradingState::Halted,
            reasons: Vec::new(),
            balances: Vec::new(),
            unassigned: Vec::new(),
            ledger_equals_venue: false,
            audited_unix: Nanos::ZERO,
            audit_difference: String::new(),
            adoption: None,
            orders_in_flight: 0,
            orders_unknown: 0,
            unknown_since: Nanos::ZERO,
            symbols: Vec::new(),
            lease_attempt: 0,
            losses: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub asset: Asset,
    pub free: Amount,
    pub locked: Amount,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceStatus {
    pub instance: InstanceName,
    pub state: TradingState,
    pub reasons: Vec<String>,
    pub sidecar_connected: bool,
    pub positions: Vec<Position>,
    pub accepted_orders: u64,
    pub fills: u64,
    pub venue_rejects: u64,
    pub risk_rejects: u64,
    pub superseded_quotes: u64,
    pub figures: Vec<SymbolFigures>,
    pub proof: StopProof,
    pub balances: Vec<(Asset, Amount)>,
    /// Empty, or the asset and what is missing of the capital asked for.
    pub capital_error: String,
    /// Code and text of the newest refused order.
    pub last_reject: String,
    /// What another core needs to go on with it; empty: nothing.
    pub checkpoint: String,
    /// Of its strategy, in each quote asset that loss limits watch.
    pub losses: Vec<LossStatus>,
}

/// What loss limits look at, and what they did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossStatus {
    pub quote: Asset,
    /// Since 00:00 UTC; negative: a gain. None while a price is not known.
    pub day_loss: Option<Amount>,
    /// From the highest profit.
    pub drawdown: Option<Amount>,
    pub breach: Option<Breach>,
    /// The newest reset, and when it was carried out; empty and 0: none.
    pub reset: String,
    pub reset_unix: Nanos,
}

/// How the market went on after fills, from the strategy's side: positive is good. In this run of the core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkOut {
    /// Time from the fill to the mark.
    pub after: Nanos,
    /// Fills that have got so old.
    pub fills: u64,
    /// (Mark − price of the fill) × quantity, less for sales, in the quote asset.
    pub value: Amount,
    /// Value of those fills.
    pub notional: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolFigures {
    pub symbol: Symbol,
    pub accepted_orders: u64,
    pub fills: u64,
    pub rejects: u64,
    /// Fees in a third asset, e.g. MX: no part of `Position::fees`.
    pub other_fees: Vec<(Asset, Amount)>,
    /// After 1 s, 5 s and 30 s.
    pub mark_outs: Vec<MarkOut>,
}

/// How far the stop of an instance has come; proven once `proven_unix` is not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopProof {
    pub policy: DeletionPolicy,
    pub no_open_orders: bool,
    pub flat: bool,
    pub proven_unix: Nanos,
    pub moved_to_unassigned: Vec<(Asset, Amount)>,
    /// Client ids left at the venue (policy Orphan).
    pub orphaned_orders: Vec<String>,
    /// What is not done yet; empty when no stop was asked for or it is proven.
    pub waiting_for: String,
}

impl Default for StopProof {
    fn default() -> Self {
        Self {
            policy: DeletionPolicy::Flatten,
            no_open_orders: false,
            flat: false,
            proven_unix: Nanos::ZERO,
            moved_to_unassigned: Vec::new(),
            orphaned_orders: Vec::new(),
            waiting_for: String::new(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltStatus {
    pub uid: String,
    /// 0: not yet.
    pub blocked_unix: Nanos,
    pub cancels_sent_unix: Nanos,
    pub flat: bool,
    pub instances: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BookStatus {
    pub symbol: Symbol,
    /// CERTIFIED, SYNCING, GAP, AUDIT_FAILED or DISCONNECTED.
    pub state: String,
    pub version: u64,
    pub gaps: u64,
    /// Share of the time since the first sync in which the book was certified.
    pub certified_share: f64,
    pub frames: u64,
    /// Since the last frame of its connection.
    pub age: Nanos,
    pub best_bid: Option<Price>,
    pub best_ask: Option<Price>,
}

/// A WebSocket connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// `public-N` with the number of its feed, from 0, or `private`; `/2` and so on of several.
    pub name: String,
    pub up: bool,
    pub pairs: u32,
    /// Since it was opened, and since its last frame.
    pub age: Nanos,
    pub silent: Nanos,
    /// PING to PONG.
    pub way: Nanos,
}

/// What requests are timed by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingStatus {
    pub order_timeout: Nanos,
    pub cancel_timeout: Nanos,
    pub query_timeout: Nanos,
    /// What the venue's time, as estimated, may be wrong by.
    pub clock_error: Nanos,
}

/// Every order and balance as the ledger has them, for an audit against the venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerView {
    /// Nothing is in flight, unknown or unsettled.
    pub quiescent: bool,
    /// By creation. Read `Order::{client_id, status_name, deals, filled, …}`.
    pub orders: Vec<Order>,
    pub balances: Vec<Balance>,
    /// Finished orders that are not listed any more.
    pub forgotten: Forgotten,
}
