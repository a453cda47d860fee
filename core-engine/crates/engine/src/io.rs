//! What goes into the engine and what comes out: plain data, serialisable, free of sockets and clocks.
//!
//! One engine owns one account. The driver pops an input, stamps it, appends it to the journal
//! (`record::encode_input`), calls `Engine::handle`, appends what came of it (`record::encode_outcome`: facts, order
//! requests in full, digest of all actions), and only then carries the actions out. Replaying the same stamped
//! inputs into a new engine reproduces every action.

use std::borrow::Cow;

use bytes::Bytes;
pub use flashpod_mexc::request::Params;
use flashpod_types::{Amount, Asset, ClientOrderId, Nanos, OrderType, Price, Qty, Side, Symbol};
use serde::{Deserialize, Serialize};

use crate::config::EngineConfig;
use crate::fact::Fact;
pub use crate::levels::{LEVELS, Levels};
use crate::recovery::Recovered;

/// Place in the total order and the time, taken when the engine pops the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Counts every input of this engine, from 0, without holes, across restarts.
    pub seq: u64,
    /// CLOCK_BOOTTIME.
    pub mono: Nanos,
    /// Wall clock since 1970.
    pub unix: Nanos,
}

/// A WebSocket connection of this engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConnId(pub u32);

/// A REST request of this engine, from 1, never reused within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// Name of a StrategyInstance.
pub type InstanceName = String;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Input {
    /// Always the first record of a run.
    Start(Box<Start>),
    Feed {
        conn: ConnId,
        /// Arrival at the socket, CLOCK_BOOTTIME.
        received: Nanos,
        event: FeedEvent,
    },
    Http {
        id: RequestId,
        /// When the bytes left (None: they did not) and when the reply was complete, CLOCK_BOOTTIME.
        sent: Option<Nanos>,
        received: Nanos,
        outcome: HttpOutcome,
    },
    Session {
        instance: InstanceName,
        received: Nanos,
        message: SessionMessage,
    },
    Agent(AgentInput),
    /// The time given by `Engine::next_deadline` has come.
    Timer,
    /// The process was asked to stop: no new risk, cancel, flatten by policy, then `Action::Stopped`.
    Stop,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Start {
    pub config: EngineConfig,
    /// Number of this start, persisted (this record) before the first order.
    pub incarnation: u64,
    /// State folded from the journal of former runs.
    pub recovered: Recovered,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum FeedEvent {
    Up,
    Down {
        reason: String,
    },
    /// One binary frame: a push.
    Binary(Bytes),
    /// One text frame: an acknowledgement, PONG, or an error text.
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpOutcome {
    Reply {
        status: u16,
        retry_after_s: Option<u32>,
        body: Bytes,
    },
    /// No reply in time; the bytes had left, so the outcome is unknown.
    Timeout,
    /// The connection broke. `bytes_sent`: whether anything may have reached the venue.
    Broken {
        bytes_sent: bool,
        reason: String,
    },
}

/// What a sidecar says. The token was checked by the gateway and never gets here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum SessionMessage {
    Opened {
        last_sequence: u64,
    },
    Closed,
    WantedQuotes(WantedQuotes),
    SetRule(SetRule),
    Intent(Intent),
    Cancel {
        reference: Option<String>,
        symbol: Option<Symbol>,
    },
    Heartbeat,
    /// The strategy decides nothing any more; why.
    Failed {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedQuotes {
    pub symbol: Symbol,
    pub quotes: Vec<Quote>,
    pub book_version: u64,
    /// Arrival at the socket of the market data that it answers; None: it answers none.
    pub cause: Option<Nanos>,
    pub decided: Nanos,
    pub tolerance_ticks: u32,
}

/// The core is to quote a pair by a rule of its own: in place of the pair's rule and wanted quotes before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRule {
    pub symbol: Symbol,
    /// Empty: none any more, and its quotes are pulled.
    pub rule: String,
    /// Name and value, a decimal text.
    pub parameters: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub slot: u32,
    pub side: Side,
    pub price: Price,
    pub qty: Qty,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub reference: String,
    pub symbol: Symbol,
    pub side: Side,
    pub kind: OrderType,
    /// None for MARKET.
    pub price: Option<Price>,
    pub qty: Qty,
    pub reduce_only: bool,
    pub book_version: u64,
    /// As in `WantedQuotes`.
    pub cause: Option<Nanos>,
    pub decided: Nanos,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum AgentInput {
    Desired(Box<Desired>),
    LeaseAttempt {
        attempt: u64,
    },
    LeaseRenewed {
        attempt: u64,
        epoch: u64,
        soft_deadline_ms: u64,
        hard_deadline_ms: u64,
    },
    /// Everything that is being deleted with the core was told before.
    StopSeen,
}

/// Everything that is wanted of this account now; replaces the former.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    pub generation: u64,
    pub account: AccountLimits,
    pub instances: Vec<InstancePolicy>,
    pub halts: Vec<HaltPolicy>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLimits {
    pub max_exposure: Option<Amount>,
    /// Largest share of `max_exposure` in one pair, per cent.
    pub max_concentration_pct: Option<u32>,
    pub max_open_orders: Option<u32>,
    /// Of all strategies together, since 00:00 UTC.
    pub max_loss: Option<Amount>,
    pub max_drawdown: Option<Amount>,
    pub on_loss: OnLoss,
    /// What the account's loss limits were last reset by; another text resets them. Empty: nothing.
    pub risk_reset: String,
    /// Another text than before accepts a difference of the balances that the audit found. Empty: nothing.
    pub adopt: String,
    /// What no instance owned by the account's last status; a ledger that begins with checkpoints begins with it.
    pub unassigned: Vec<(Asset, Amount)>,
}

/// What a loss limit does to what reaches it, until a reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnLoss {
    /// Nothing leaves any more, open orders are cancelled.
    #[default]
    Halt,
    /// Open orders are cancelled; orders that make the position smaller pass.
    ReduceOnly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    Paper,
    Shadow,
    Live,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeletionPolicy {
    Flatten,
    CancelOnly,
    Orphan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunState {
    Run,
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SidecarLossAction {
    Cancel,
    Flatten,
    Keep,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstancePolicy {
    pub instance: InstanceName,
    pub uid: String,
    pub strategy: String,
    /// Name and uid of the TradingStrategy that it is an instance of.
    pub owner: String,
    pub owner_uid: String,
    pub mode: Mode,
    pub state: RunState,
    pub deletion_policy: DeletionPolicy,
    pub symbols: Vec<Symbol>,
    pub capital: Vec<(Asset, Amount)>,
    pub limits: RiskLimits,
    /// As in `AccountLimits`, of the strategy.
    pub risk_reset: String,
    /// How the core before left it (`Checkpoint`), for one that has no journal of the account; empty: unknown.
    pub checkpoint: String,
    pub parameters_json: String,
    pub sidecar_loss: SidecarLossAction,
    pub sidecar_loss_after: Nanos,
}

/// `None`: that limit is not set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskLimits {
    pub max_order_notional: Option<Amount>,
    /// In base units.
    pub max_order_qty: Option<Qty>,
    pub max_position_notional: Option<Amount>,
    pub max_open_orders: Option<u32>,
    pub max_in_flight: Option<u32>,
    pub max_order_rate: Option<u32>,
    pub price_collar_bps: Option<u32>,
    pub max_data_age: Option<Nanos>,
    /// Since 00:00 UTC, in the quote asset.
    pub max_daily_loss: Option<Amount>,
    pub max_drawdown: Option<Amount>,
    pub on_loss: OnLoss,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HaltAction {
    Block,
    Cancel,
    Flatten,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltPolicy {
    pub name: String,
    pub uid: String,
    pub action: HaltAction,
    /// The instances it covers; `all` covers every one.
    pub instances: Vec<InstanceName>,
    pub all: bool,
}

/// What the engine wants done. The driver carries actions out in order.
// What an order needs on its way lies inline.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Send this REST request on a warm connection; answer with `Input::Http`.
    Http(HttpRequest),
    /// Open a WebSocket; answer with `FeedEvent::Up` or `Down`. Reconnecting is the engine's decision.
    OpenFeed {
        conn: ConnId,
        kind: FeedKind,
    },
    /// Send one text frame.
    FeedText {
        conn: ConnId,
        text: String,
    },
    CloseFeed {
        conn: ConnId,
    },
    /// Market data for every session that trades the symbol; may be conflated.
    Book(BookTop),
    Trades(TradeBatch),
    /// For one session; never dropped while the session lives.
    Session {
        instance: InstanceName,
        event: SessionEvent,
    },
    /// A measured time, for the histograms. The instance is named for `TickToOrder`.
    Hop {
        hop: Hop,
        nanos: u64,
        instance: Option<InstanceName>,
    },
    /// Something to remember across restarts: goes to the journal (`record::encode_outcome`), nowhere else.
    Fact(Fact),
    /// A change that the agent should hear of at once rather than at its next second.
    StatusChanged,
    /// After `Input::Stop`: everything that had to be done is done, the process may exit.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FeedKind {
    Public,
    Private { listen_key: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// What a request is for: the gateway to the network gives cancels the first free connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestClass {
    Cancel,
    Order,
    Query,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HttpRequest {
    pub id: RequestId,
    pub class: RequestClass,
    pub method: Method,
    /// e.g. `/api/v3/order`.
    pub path: Cow<'static, str>,
    /// The query string, percent-encoded; `totalParams` of a signed request, without its signature.
    pub params: Params,
    /// Whether `&signature=` is appended by the sender, which alone knows the secret, and the key header sent.
    pub signed: bool,
    pub timeout: Nanos,
    /// Do not send at or after this CLOCK_BOOTTIME: answer `Broken { bytes_sent: false }` instead.
    pub not_after: Option<Nanos>,
}

/// The best levels of one book, best first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BookTop {
    pub symbol: Symbol,
    pub version: u64,
    pub bids: Levels,
    pub asks: Levels,
    pub certified: bool,
    pub received: Nanos,
    pub venue_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TradeBatch {
    pub symbol: Symbol,
    /// Price, quantity, whether the aggressor bought.
    pub trades: Vec<(Price, Qty, bool)>,
    pub received: Nanos,
    pub venue_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SessionEvent {
    /// Answer to `SessionMessage::Opened`; order events after `last_sequence` follow.
    Welcome(Box<Welcome>),
    Order(Box<OrderEvent>),
    /// Answer to `SessionMessage::SetRule`.
    Rule(Box<RuleAnswer>),
    State {
        state: TradingState,
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RuleAnswer {
    pub symbol: Symbol,
    pub rule: String,
    /// Why it is not in force: what was in force before still is.
    pub refused: Option<RuleRefusal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RuleRefusal {
    pub field: String,
    pub value: String,
    pub accepted: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TradingState {
    Active,
    ReduceOnly,
    Halted,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Welcome {
    pub epoch: u64,
    pub incarnation: u64,
    pub mode: Mode,
    pub state: TradingState,
    pub instruments: Vec<InstrumentTerms>,
    pub positions: Vec<Position>,
    pub open_orders: Vec<OrderEvent>,
    pub balances: Vec<(Asset, Amount)>,
    pub parameters_json: String,
    /// Sequence of the newest order event that this snapshot includes.
    pub last_sequence: u64,
}

/// Trading rules and the account's fees for one pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InstrumentTerms {
    pub instrument: flashpod_types::Instrument,
    pub maker_fee: Amount,
    pub taker_fee: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    pub symbol: Symbol,
    /// Own base minus allocated base.
    pub qty: Qty,
    pub average_cost: Price,
    pub realised: Amount,
    pub unrealised: Amount,
    pub fees: Amount,
    pub open_orders: u32,
    pub mark: Price,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderEventKind {
    Rejected,
    Accepted,
    PartiallyFilled,
    Filled,
    Cancelled,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderEvent {
    /// Per instance, from 1, without holes, across restarts.
    pub sequence: u64,
    pub kind: OrderEventKind,
    pub symbol: Symbol,
    pub client_id: ClientOrderId,
    /// The intent's reference, or the quote's slot.
    pub reference: Option<String>,
    pub slot: Option<u32>,
    pub side: Side,
    pub order_type: OrderType,
    pub price: Price,
    pub qty: Qty,
    pub filled: Qty,
    pub fill: Option<Fill>,
    /// e.g. `RISK_MAX_POSITION`, `MEXC_30004`; empty when nothing was refused.
    pub code: String,
    pub text: String,
    pub time: Nanos,
    pub position: Position,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fill {
    pub trade_id: flashpod_types::TradeId,
    pub price: Price,
    pub qty: Qty,
    pub fee: Amount,
    pub fee_asset: Asset,
    pub maker: bool,
    pub time_ms: i64,
}

/// The hops of the path of an order, in their order. The engine measures them from the times in its inputs and says so
/// by `Action::Hop`; `Book` and `Risk` take a clock while it works, so the driver measures these, journals them
/// nowhere, and they are no part of any digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Hop {
    /// Venue send time to arrival at our socket, after the estimated clock offset.
    Feed,
    /// Creation of the newest order that a depth push tells of (as the venue says) to arrival at our socket: how long
    /// the venue took to tell, and the way.
    LastOrder,
    /// Arrival at the socket to the engine's pop.
    Ring,
    /// `Engine::handle` of a frame that published a book: decoding, applying, certifying, taking the top levels, and
    /// whatever else fell due at that moment. Frames that published none (waiting for a snapshot, trades, the
    /// account's own) are not counted. Measured by the driver; it lies inside `Decision`.
    Book,
    /// The engine's pop of the frame to the sidecar's decision that answers it (the sidecar's own clock reading).
    /// Decisions that answer a timer or an order event are not counted.
    Decision,
    /// Decision made to the engine's pop of it.
    Return,
    /// `Engine::handle` of wanted quotes or an intent that led to an order request or to a refusal: pre-trade checks,
    /// scheduling among all that wait, the order written down, the text of the request. What waited and was sent
    /// later, and messages that led to cancels only or to nothing, are not counted. Measured by the driver; where an
    /// order was sent it lies inside `Send`.
    Risk,
    /// Waiting for the rate budget, of each order; never part of `TickToOrder`.
    BudgetWait,
    /// Waiting for the venue's word on own orders in the way: the quote that is replaced, or quotes of the account
    /// that the order would meet. Of the orders that had to; never part of `TickToOrder`.
    ReplaceWait,
    /// Pop of the input at which the scheduler released the order to bytes written.
    Send,
    /// Bytes written to reply read.
    Ack,
    /// Frame arrival to request bytes out, of decisions that answer a frame: less `BudgetWait`, `ReplaceWait`, and the
    /// time for which risk or the lease held the order back.
    TickToOrder,
}
