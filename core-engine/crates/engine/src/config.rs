//! What the engine is told at its start. It travels in the `Start` record, so a replay uses the same.

use flashpod_types::Nanos;
use serde::{Deserialize, Serialize};

use crate::paper::PaperConfig;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Environment {
    /// A venue with play money.
    Simulated,
    Production,
}

/// What is done with positions when the process is asked to stop. Open orders are cancelled in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopPolicy {
    Cancel,
    Flatten,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineConfig {
    /// Name of the TradingAccount.
    pub account: String,
    pub environment: Environment,
    /// Whether there are keys of the account. Without, nothing is asked of the venue that is not public, and instances
    /// trade on paper only.
    pub credentials: bool,
    pub stop_policy: StopPolicy,
    /// W: how long after its timestamp the venue may accept an order, milliseconds.
    pub recv_window_ms: u64,
    /// Seed of the jitter in reconnect back-off.
    pub seed: u64,
    pub rate: RateConfig,
    pub tuning: Tuning,
    pub paper: PaperConfig,
}

impl EngineConfig {
    #[must_use]
    pub fn new(account: impl Into<String>, environment: Environment, stop_policy: StopPolicy) -> Self {
        Self {
            account: account.into(),
            environment,
            credentials: true,
            stop_policy,
            recv_window_ms: 1000,
            seed: 1,
            rate: RateConfig::default(),
            tuning: Tuning::default(),
            paper: PaperConfig::default(),
        }
    }

    #[must_use]
    pub const fn recv_window(&self) -> Nanos {
        Nanos::from_millis(self.recv_window_ms)
    }
}

/// The venue's order bucket (API reference §3.1) and how far we stay away from its edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateConfig {
    /// Order, cancel and cancel-all calls the venue allows in any `window`.
    pub calls: u32,
    /// Of those, kept for cancels.
    pub kept_for_cancels: u32,
    pub window: Nanos,
    /// A call counts from its release until `window` + `margin` after its reply: whenever in between the venue
    /// counted it, it has left the venue's window by then.
    pub margin: Nanos,
    /// IP weight spent on queries in any 10 s (the venue allows 500).
    pub weight_per_10s: u32,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self {
            calls: 12,
            kept_for_cancels: 3,
            window: Nanos::from_secs(1),
            margin: Nanos::from_millis(20),
            weight_per_10s: 400,
        }
    }
}

/// Periods and bounds that have a sensible value and are changed by tests and by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuning {
    /// Levels a side in published books, at most [`crate::io::LEVELS`].
    pub book_levels: u32,
    /// Time between audits of open orders and balances against the ledger.
    pub audit_period: Nanos,
    /// How long deals may trail the balances that they explain.
    pub audit_slack: Nanos,
    pub book_audit_period: Nanos,
    pub time_sync_period: Nanos,
    /// GET /time calls of one synchronisation; the quickest is believed.
    pub time_samples: u32,
    /// Error of our clock against the venue's that builds up between synchronisations, parts per million.
    pub clock_drift_ppm: u32,
    pub listen_key_period: Nanos,
    /// Connections that carry each pair, 1 or 2; of two, the first with a version wins.
    pub links_per_feed: u32,
    /// Age at which a connection is replaced by another, which is opened beside it; the venue ends one of 24 hours.
    pub feed_lifetime: Nanos,
    /// How long the two may stand beside each other where no push proves the new one.
    pub overlap_most: Nanos,
    /// A connection that was silent for so long is asked by a PING, at the latest,
    pub ping_quiet: Nanos,
    /// and any other after this.
    pub ping_period: Nanos,
    /// Silence after a PING that makes a connection dead. With `ping_quiet`: found within two seconds.
    pub dead_after: Nanos,
    pub reconnect_first: Nanos,
    pub reconnect_most: Nanos,
    /// Bounds of the time-outs, which follow the measured times: shortest and longest.
    pub order_timeout_least: Nanos,
    pub order_timeout: Nanos,
    pub query_timeout_least: Nanos,
    pub query_timeout: Nanos,
    /// A read or a cancel that takes unusually long is sent once more on another connection, not before this.
    pub hedge_least: Nanos,
    /// First wait before an order whose fate is open is asked about; doubles up to `ask_most`.
    pub ask_first: Nanos,
    pub ask_most: Nanos,
    /// An intent that waited this long for the rate budget is refused.
    pub intent_expiry: Nanos,
    /// Intents of one instance that may wait.
    pub intents_waiting: u32,
    /// Largest distance of a flattening order from the top of the book, basis points.
    pub flatten_collar_bps: u32,
    /// Between two looks at the profit of positions that loss limits watch.
    pub loss_period: Nanos,
    /// Finished orders kept for the ledger report.
    pub finished_kept: u32,
    /// Order events kept per instance for a sidecar that comes back.
    pub events_kept: u32,
    /// A stop that is not through after this long is given up, so that the process can exit.
    pub stop_timeout: Nanos,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            book_levels: 10,
            audit_period: Nanos::from_secs(30),
            audit_slack: Nanos::from_millis(300),
            book_audit_period: Nanos::from_secs(60),
            time_sync_period: Nanos::from_secs(120),
            time_samples: 5,
            clock_drift_ppm: 50,
            listen_key_period: Nanos::from_secs(25 * 60),
            links_per_feed: 1,
            feed_lifetime: Nanos::from_secs(23 * 3600),
            overlap_most: Nanos::from_secs(10),
            ping_quiet: Nanos::from_millis(700),
            ping_period: Nanos::from_secs(10),
            dead_after: Nanos::from_millis(1200),
            reconnect_first: Nanos::from_millis(100),
            reconnect_most: Nanos::from_secs(5),
            order_timeout_least: Nanos::from_millis(500),
            order_timeout: Nanos::from_secs(2),
            query_timeout_least: Nanos::from_secs(1),
            query_timeout: Nanos::from_secs(5),
            hedge_least: Nanos::from_millis(20),
            ask_first: Nanos::from_millis(250),
            ask_most: Nanos::from_secs(5),
            intent_expiry: Nanos::from_secs(1),
            intents_waiting: 32,
            flatten_collar_bps: 50,
            loss_period: Nanos::from_millis(100),
            finished_kept: 20_000,
            events_kept: 1000,
            stop_timeout: Nanos::from_secs(20),
        }
    }
}
