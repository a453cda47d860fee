//! The rings between one account's engine thread and the gateway.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flashpod_engine::io::{BookTop, InstanceName, SessionEvent, TradeBatch};
use flashpod_engine::{LedgerView, Status};
use flashpod_net::ring::{InboxSender, OutboxReceiver, OutboxSender, outbox};
use tokio::sync::oneshot;

/// Books and trades that may wait for the gateway; a full ring drops the newest and counts it.
const MARKET_CAPACITY: usize = 4096;
/// Session events and status that may wait for the gateway.
const EVENTS_CAPACITY: usize = 16_384;

/// The gateway asks the engine thread for every order and balance. Not an input: it changes nothing.
#[derive(Debug)]
pub struct LedgerQuery {
    pub reply: oneshot::Sender<LedgerView>,
}

// A book lies inline: it is handed over without allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum MarketData {
    Book {
        top: BookTop,
        /// Books of this symbol that the ring had no room for since the last one.
        missed: u32,
    },
    Trades {
        batch: TradeBatch,
        missed: u32,
    },
}

#[derive(Debug)]
pub enum SessionOutput {
    Session { instance: InstanceName, event: SessionEvent },
    Status(Arc<Status>),
}

/// The engine's end. Nothing here ever waits.
#[derive(Debug)]
pub struct EngineLink {
    market: OutboxSender<MarketData>,
    events: OutboxSender<SessionOutput>,
    lost: Arc<AtomicU64>,
}

impl EngineLink {
    /// Gives the data back when the ring is full: the caller counts what was missed.
    #[allow(clippy::result_large_err)] // as above
    pub fn market(&mut self, data: MarketData) -> Result<(), MarketData> {
        self.market.try_push(data)
    }

    /// When the ring is full the event is dropped and every session of the account ends, to resume by sequence.
    pub fn event(&mut self, output: SessionOutput) {
        if self.events.try_push(output).is_err() {
            // Before the next push, so that whoever pops that one also sees this.
            self.lost.fetch_add(1, Ordering::Release);
        }
    }
}

/// The gateway's end of one account. `T` is what the engine thread takes.
#[derive(Debug)]
pub struct AccountLink<T> {
    pub account: String,
    pub inputs: InboxSender<T>,
    pub(crate) market: OutboxReceiver<MarketData>,
    pub(crate) events: OutboxReceiver<SessionOutput>,
    pub(crate) lost: Arc<AtomicU64>,
}

/// The two ends for one account.
#[must_use]
pub fn engine_link<T>(account: String, inputs: InboxSender<T>) -> (EngineLink, AccountLink<T>) {
    let (market, market_receiver) = outbox(MARKET_CAPACITY);
    let (events, events_receiver) = outbox(EVENTS_CAPACITY);
    let lost = Arc::new(AtomicU64::new(0));
    (
        EngineLink { market, events, lost: Arc::clone(&lost) },
        AccountLink { account, inputs, market: market_receiver, events: events_receiver, lost },
    )
}
