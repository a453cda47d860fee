//! What waits for one session: order events in full, books and trades as far as its reader keeps up.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use flashpod_engine::io::{BookTop, SessionEvent, TradeBatch};
use flashpod_types::Symbol;
use tokio::sync::Notify;
use tokio_stream::Stream;
use tonic::Status;

use crate::convert::down;
use crate::proto::SessionDown;

/// Order events and other messages that must not be lost; a session that lets more pile up ends and resumes.
pub(crate) const MAX_EVENTS: usize = 4096;
/// Trades of one symbol that wait; older ones are dropped and counted.
pub(crate) const MAX_TRADES: usize = 1024;

#[derive(Debug, Default)]
struct Inner {
    events: VecDeque<SessionDown>,
    books: BTreeMap<Symbol, Conflated>,
    trades: BTreeMap<Symbol, Batched>,
    /// Symbols with something waiting, in order of arrival; books and trades take turns through it.
    ready: VecDeque<(Symbol, Kind)>,
    /// Set by the first Welcome: nothing else may come before it.
    welcomed: bool,
    end: Option<Status>,
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Book,
    Trades,
}

#[derive(Debug)]
struct Conflated {
    top: BookTop,
    missed: u32,
}

#[derive(Debug)]
struct Batched {
    batch: TradeBatch,
    dropped: u32,
}

/// Shared by the gateway's pump, which puts in, and the session's stream, which takes out.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    inner: Mutex<Inner>,
    /// Told of the first Welcome and of the end.
    begun: Notify,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts in what must not be lost; says whether there was room. Without room the session has ended.
    pub(crate) fn event(&self, instance: &str, event: SessionEvent) -> bool {
        let mut inner = self.lock();
        let welcome = matches!(event, SessionEvent::Welcome(_));
        // Before the Welcome: meant for the session before this one, and part of the Welcome to come. After the end:
        // there may be a hole before it.
        if (!inner.welcomed && !welcome) || inner.end.is_some() {
            return true;
        }
        if welcome {
            inner.welcomed = true;
            self.begun.notify_waiters();
        }
        if inner.events.len() >= MAX_EVENTS {
            inner.end(Status::resource_exhausted(format!(
                "{MAX_EVENTS} order events wait to be read; connect again and resume by sequence"
            )));
            return false;
        }
        inner.events.push_back(down::session_event(instance, event));
        inner.wake();
        true
    }

    /// A message of the gateway itself, which may be left out when the reader is slow.
    pub(crate) fn courtesy(&self, message: SessionDown) {
        let mut inner = self.lock();
        if inner.welcomed && inner.events.is_empty() {
            inner.events.push_back(message);
            inner.wake();
        }
    }

    /// Puts in a book; returns how many updates the reader will have missed by it.
    pub(crate) fn book(&self, top: &BookTop, missed: u32) -> u32 {
        let mut inner = self.lock();
        if !inner.welcomed || inner.end.is_some() {
            return 0;
        }
        let conflated = if let Some(waiting) = inner.books.get_mut(&top.symbol) {
            waiting.missed = waiting.missed.saturating_add(missed + 1);
            waiting.top.clone_from(top);
            missed + 1
        } else {
            inner.books.insert(top.symbol, Conflated { top: top.clone(), missed });
            inner.ready.push_back((top.symbol, Kind::Book));
            missed
        };
        inner.wake();
        conflated
    }

    /// Puts in trades; returns how many the reader will never see.
    pub(crate) fn trades(&self, batch: &TradeBatch, missed: u32) -> u32 {
        let mut inner = self.lock();
        if !inner.welcomed || inner.end.is_some() {
            return 0;
        }
        let mut dropped = missed;
        if let Some(waiting) = inner.trades.get_mut(&batch.symbol) {
            waiting.batch.trades.extend_from_slice(&batch.trades);
            let excess = waiting.batch.trades.len().saturating_sub(MAX_TRADES);
            waiting.batch.trades.drain(..excess);
            dropped = dropped.saturating_add(u32::try_from(excess).unwrap_or(u32::MAX));
            waiting.dropped = waiting.dropped.saturating_add(dropped);
            (waiting.batch.received, waiting.batch.venue_ms) = (batch.received, batch.venue_ms);
        } else {
            inner.trades.insert(batch.symbol, Batched { batch: batch.clone(), dropped });
            inner.ready.push_back((batch.symbol, Kind::Trades));
        }
        inner.wake();
        dropped
    }

    /// Ends the session after what waits of its events was read.
    pub(crate) fn end(&self, status: Status) {
        self.lock().end(status);
        self.begun.notify_waiters();
    }

    /// Waits for the Welcome; false: the session ended before.
    pub(crate) async fn begun(&self) -> bool {
        loop {
            // Registered before looking, so that a change in between is not missed.
            let change = self.begun.notified();
            {
                let inner = self.lock();
                if inner.end.is_some() || inner.welcomed {
                    return inner.welcomed;
                }
            }
            change.await;
        }
    }

    pub(crate) fn ended(&self) -> bool {
        self.lock().end.is_some()
    }
}

impl Inner {
    fn end(&mut self, status: Status) {
        if self.end.is_none() {
            self.end = Some(status);
            self.books.clear();
            self.trades.clear();
            self.ready.clear();
        }
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn pop(&mut self) -> Option<SessionDown> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        let (symbol, kind) = self.ready.pop_front()?;
        match kind {
            Kind::Book => self.books.remove(&symbol).map(|book| down::book(&book.top, book.missed)),
            Kind::Trades => {
                self.trades.remove(&symbol).map(|trades| down::trades(&trades.batch, trades.dropped))
            }
        }
    }
}

/// The down direction of one session.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) finished: bool,
}

impl Stream for Outgoing {
    type Item = Result<SessionDown, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.finished {
            return Poll::Ready(None);
        }
        let mailbox = Arc::clone(&self.mailbox);
        let mut inner = mailbox.lock();
        if let Some(message) = inner.pop() {
            return Poll::Ready(Some(Ok(message)));
        }
        if let Some(status) = inner.end.clone() {
            self.finished = true;
            return Poll::Ready(Some(Err(status)));
        }
        inner.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // The reader went away: nothing more is queued for it.
        self.mailbox.end(Status::cancelled("the session's reader is gone"));
    }
}

#[cfg(test)]
mod tests {
    use flashpod_engine::io::{Levels, Mode, TradingState, Welcome};
    use flashpod_types::{Nanos, Price, Qty};
    use tokio_stream::StreamExt;

    use super::*;
    use crate::proto::session_down::Body;

    fn welcome() -> SessionEvent {
        SessionEvent::Welcome(Box::new(Welcome {
            epoch: 1,
            incarnation: 1,
            mode: Mode::Live,
            state: TradingState::Active,
            instruments: Vec::new(),
            positions: Vec::new(),
            open_orders: Vec::new(),
            balances: Vec::new(),
            parameters_json: String::new(),
            last_sequence: 0,
        }))
    }

    fn state() -> SessionEvent {
        SessionEvent::State { state: TradingState::Active, reason: String::new() }
    }

    fn top(symbol: &str, version: u64) -> BookTop {
        BookTop {
            symbol: symbol.parse().unwrap(),
            version,
            bids: [(Price::from_raw(100), Qty::from_raw(1))].into(),
            asks: Levels::EMPTY,
            certified: true,
            received: Nanos(version),
            venue_ms: 0,
        }
    }

    fn batch(count: usize) -> TradeBatch {
        TradeBatch {
            symbol: "BTCUSDC".parse().unwrap(),
            trades: (0..count).map(|n| (Price::from_raw(n as i64), Qty::from_raw(1), true)).collect(),
            received: Nanos(1),
            venue_ms: 1,
        }
    }

    fn open() -> (Arc<Mailbox>, Outgoing) {
        let mailbox = Arc::new(Mailbox::default());
        (Arc::clone(&mailbox), Outgoing { mailbox, finished: false })
    }

    async fn take(stream: &mut Outgoing) -> Body {
        stream.next().await.unwrap().unwrap().body.unwrap()
    }

    #[tokio::test]
    async fn nothing_comes_before_the_welcome() {
        let (mailbox, mut stream) = open();
        mailbox.event("a", state());
        assert_eq!(mailbox.book(&top("BTCUSDC", 1), 0), 0);
        mailbox.event("a", welcome());
        mailbox.event("a", state());
        assert!(matches!(take(&mut stream).await, Body::Welcome(_)));
        assert!(matches!(take(&mut stream).await, Body::State(_)));
    }

    #[tokio::test]
    async fn a_slow_reader_gets_the_newest_book_of_each_symbol_and_how_many_it_missed() {
        let (mailbox, mut stream) = open();
        mailbox.event("a", welcome());
        for version in 1..=5 {
            mailbox.book(&top("BTCUSDC", version), 0);
        }
        mailbox.book(&top("ETHUSDC", 9), 3);
        mailbox.event("a", state());
        assert!(matches!(take(&mut stream).await, Body::Welcome(_)));
        assert!(matches!(take(&mut stream).await, Body::State(_)), "events overtake books");
        let Body::Book(btc) = take(&mut stream).await else { panic!("a book was expected") };
        assert_eq!((btc.version, btc.conflated), (5, 4));
        let Body::Book(eth) = take(&mut stream).await else { panic!("a book was expected") };
        assert_eq!((eth.symbol.as_str(), eth.version, eth.conflated), ("ETHUSDC", 9, 3));
        mailbox.book(&top("BTCUSDC", 6), 0);
        let Body::Book(btc) = take(&mut stream).await else { panic!("a book was expected") };
        assert_eq!((btc.version, btc.conflated), (6, 0));
    }

    #[tokio::test]
    async fn trades_are_batched_and_the_oldest_are_dropped_with_a_count() {
        let (mailbox, mut stream) = open();
        mailbox.event("a", welcome());
        mailbox.trades(&batch(MAX_TRADES), 2);
        assert_eq!(mailbox.trades(&batch(10), 0), 10);
        take(&mut stream).await;
        let Body::Trades(trades) = take(&mut stream).await else { panic!("trades were expected") };
        assert_eq!((trades.prices.len(), trades.dropped), (MAX_TRADES, 12));
    }

    #[tokio::test]
    async fn order_events_that_can_not_wait_end_the_session_after_those_that_do() {
        let (mailbox, mut stream) = open();
        mailbox.event("a", welcome());
        for _ in 1..MAX_EVENTS {
            assert!(mailbox.event("a", state()));
        }
        assert!(!mailbox.event("a", state()));
        assert!(mailbox.ended());
        for _ in 0..MAX_EVENTS {
            take(&mut stream).await;
        }
        let status = stream.next().await.unwrap().unwrap_err();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        assert!(stream.next().await.is_none());
    }
}
