//! The engine's part, played: books at fixed times, trades as fast as they go, and what a reader that sleeps must not
//! lose.

use std::time::Duration;

use flashpod_engine::Input;
use flashpod_engine::io::{
    BookTop, OrderEvent, OrderEventKind, Position, SessionEvent, SessionMessage, TradeBatch,
};
use flashpod_gateway::{EngineLink, MarketData, SessionOutput};
use flashpod_net::Clock;
use flashpod_net::ring::Inbox;
use flashpod_types::{Amount, Nanos, OrderType, Price, Qty, Side};

use crate::stage::{ToEngine, welcome};

pub(crate) const WARM_UP: u64 = 500;
pub(crate) const SAMPLES: u64 = 4_000;
/// Books are sent at fixed times, whether or not the one before has arrived.
pub(crate) const EVERY: Duration = Duration::from_millis(1);
pub(crate) const LEVELS: i64 = 10;
/// Trades in what the engine hands over at a time, and how long they are sent.
const TRADES: usize = 20;
const FLOOD: Nanos = Nanos::from_secs(3);
/// Order events while the reader sleeps.
pub(crate) const EVENTS: u64 = 3_000;
/// How long it sleeps.
pub(crate) const SLEEP: Nanos = Nanos::from_secs(3);

pub(crate) struct Played {
    inbox: Inbox<ToEngine>,
    link: EngineLink,
    /// What the engine's ring had no room for.
    pub full: u64,
    opened: Vec<String>,
    closed: usize,
}

/// Figures of the process while its reader slept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stalled {
    pub books: u64,
    pub trades: u64,
    /// Kilobytes of the process's memory.
    pub before_kb: u64,
    pub most_kb: u64,
}

impl Played {
    pub(crate) const fn new(inbox: Inbox<ToEngine>, link: EngineLink) -> Self {
        Self { inbox, link, full: 0, opened: Vec::new(), closed: 0 }
    }

    /// Welcomes so many sessions.
    pub(crate) fn open(&mut self, sessions: usize) {
        while self.opened.len() < sessions {
            self.listen(Duration::from_millis(10));
        }
    }

    fn listen(&mut self, most: Duration) {
        match self.inbox.pop() {
            Some(ToEngine::Input(Input::Session { instance, message, .. })) => match message {
                SessionMessage::Opened { .. } => {
                    let output = SessionOutput::Session { instance: instance.clone(), event: welcome() };
                    self.link.event(output);
                    self.opened.push(instance);
                }
                SessionMessage::Closed => self.closed += 1,
                _ => {}
            },
            Some(_) => {}
            None => self.inbox.wait(most),
        }
    }

    /// The rings must outlive the last message's way.
    pub(crate) fn until_closed(&mut self) {
        while self.closed < self.opened.len() {
            self.listen(Duration::from_millis(10));
        }
    }

    fn market(&mut self, data: MarketData) {
        self.full += u64::from(self.link.market(data).is_err());
    }

    /// One book each [`EVERY`].
    pub(crate) fn books(&mut self) {
        let start = Clock.mono();
        for version in 1..=WARM_UP + SAMPLES {
            until(start, version);
            // A full ring would show as a hole in the versions that the client counts.
            self.market(MarketData::Book { top: book("BTCUSDC", version), missed: 0 });
        }
    }

    /// Says by a book of another symbol that a part is over.
    pub(crate) fn mark(&mut self, number: u64) {
        std::thread::sleep(Duration::from_millis(200));
        self.market(MarketData::Book { top: book("ETHUSDC", number), missed: 0 });
    }

    /// A book and [`TRADES`] trades, again and again, `rate` updates a second; how many were handed over.
    pub(crate) fn flood(&mut self, rate: u64) -> u64 {
        let start = Clock.mono();
        let each = 1 + TRADES as u64;
        let (mut sent, mut version) = (0, WARM_UP + SAMPLES);
        while Clock.mono() < start + FLOOD {
            let due = (Clock.mono().0 - start.0) * rate / 1_000_000_000;
            while sent + each <= due {
                version += 1;
                self.market(MarketData::Book { top: book("BTCUSDC", version), missed: 0 });
                self.market(MarketData::Trades { batch: trades(), missed: 0 });
                sent += each;
            }
            std::thread::sleep(Duration::from_micros(50));
        }
        sent
    }

    /// Order events, books and trades while the reader sleeps.
    pub(crate) fn stall(&mut self, instance: &str) -> Stalled {
        let mut stalled = Stalled { before_kb: memory_kb(), ..Stalled::default() };
        let start = Clock.mono();
        for number in 1..=EVENTS {
            let due = start.0 + number * SLEEP.0 / EVENTS;
            std::thread::sleep(Duration::from_nanos(due.saturating_sub(Clock.mono().0)));
            let event = SessionEvent::Order(Box::new(order_event(number)));
            self.link.event(SessionOutput::Session { instance: instance.to_owned(), event });
            for _ in 0..5 {
                stalled.books += 1;
                stalled.trades += TRADES as u64;
                self.market(MarketData::Book { top: book("BTCUSDC", number), missed: 0 });
                self.market(MarketData::Trades { batch: trades(), missed: 0 });
            }
            if number.is_multiple_of(100) {
                stalled.most_kb = stalled.most_kb.max(memory_kb());
            }
        }
        stalled
    }
}

/// Sleeps until the time of a message.
pub(crate) fn until(start: Nanos, number: u64) {
    let due = start.0 + number * u64::try_from(EVERY.as_nanos()).unwrap_or(0);
    std::thread::sleep(Duration::from_nanos(due.saturating_sub(Clock.mono().0)));
}

/// Resident memory of this process.
fn memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn book(symbol: &str, version: u64) -> BookTop {
    let level = |n: i64| (Price::from_raw(10_000_000_000_000 + n * 1_000_000), Qty::from_raw(25_000_000 + n));
    BookTop {
        symbol: symbol.parse().unwrap_or_default(),
        version,
        bids: (0..LEVELS).map(|n| level(-n)).collect(),
        asks: (1..=LEVELS).map(level).collect(),
        certified: true,
        received: Clock.mono(),
        venue_ms: 0,
    }
}

fn trades() -> TradeBatch {
    TradeBatch {
        symbol: "BTCUSDC".parse().unwrap_or_default(),
        trades: (0..TRADES)
            .map(|n| (Price::from_raw(10_000_000_000_000), Qty::from_raw(100_000), n % 2 == 0))
            .collect(),
        received: Clock.mono(),
        venue_ms: 0,
    }
}

fn order_event(sequence: u64) -> OrderEvent {
    let symbol = "BTCUSDC".parse().unwrap_or_default();
    let (price, qty) = (Price::from_raw(10_000_000_000_000), Qty::from_raw(100_000));
    OrderEvent {
        sequence,
        kind: OrderEventKind::Accepted,
        symbol,
        client_id: "fpabcdefgh-1a-3-zz9".parse().unwrap_or_default(),
        reference: None,
        slot: Some(0),
        side: Side::Buy,
        order_type: OrderType::LimitMaker,
        price,
        qty,
        filled: Qty::ZERO,
        fill: None,
        code: String::new(),
        text: String::new(),
        time: Clock.mono(),
        position: Position {
            symbol,
            qty: Qty::ZERO,
            average_cost: Price::ZERO,
            realised: Amount::ZERO,
            unrealised: Amount::ZERO,
            fees: Amount::ZERO,
            open_orders: 1,
            mark: price,
        },
    }
}
