//! One WebSocket connection: what is known of it, and how far what it brings can be taken for fresh.

use std::collections::BTreeSet;

use flashpod_types::{Nanos, Symbol};

use crate::io::ConnId;

/// An acknowledged subscription of a depth channel, counted over all of a run: of two of one pair, the later is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscription(pub(crate) u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// Not wanted yet, or waiting to be tried again.
    Idle,
    Opening,
    Up,
}

/// One connection through its lives.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) conn: ConnId,
    pub(crate) state: LinkState,
    /// Idle: when to try next. Opening, Up: since when.
    pub(crate) since: Nanos,
    /// Any frame, also PONG.
    pub(crate) last_frame: Nanos,
    pub(crate) last_ping: Nanos,
    /// A PING that nothing was heard since.
    pub(crate) waiting_since: Option<Nanos>,
    /// The oldest PING without a PONG: a connection may bring frames and take none.
    pub(crate) asked_since: Option<Nanos>,
    /// Of the newest PING that was answered.
    pub(crate) way: Nanos,
    /// Subscriptions that are not acknowledged, and when the newest was sent.
    pub(crate) unacknowledged: u32,
    pub(crate) subscribed_at: Nanos,
    /// PINGs without a PONG.
    pub(crate) unanswered: u32,
    /// What is read may have waited in the socket while this process was stopped: it tells nothing about how fresh
    /// the data is until the venue has answered every PING.
    pub(crate) stale: bool,
    pub(crate) failures: u32,
    /// Pairs whose subscription is acknowledged here, and when the newest was.
    pub(crate) joined: BTreeSet<Symbol>,
    pub(crate) joined_at: Nanos,
    /// Of a successor: pairs of which it brought a push that continues the book.
    pub(crate) proven: BTreeSet<Symbol>,
    /// When another is opened that takes its place.
    pub(crate) retire_at: Nanos,
    /// The connection whose place it takes.
    pub(crate) replaces: Option<ConnId>,
}

impl Link {
    pub(crate) const fn new() -> Self {
        Self {
            conn: ConnId(0),
            state: LinkState::Idle,
            since: Nanos::ZERO,
            last_frame: Nanos::ZERO,
            last_ping: Nanos::ZERO,
            waiting_since: None,
            asked_since: None,
            way: Nanos::ZERO,
            unacknowledged: 0,
            subscribed_at: Nanos::ZERO,
            unanswered: 0,
            stale: false,
            failures: 0,
            joined: BTreeSet::new(),
            joined_at: Nanos::ZERO,
            proven: BTreeSet::new(),
            retire_at: Nanos(u64::MAX),
            replaces: None,
        }
    }

    pub(crate) fn successor_of(conn: ConnId) -> Self {
        Self { replaces: Some(conn), ..Self::new() }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }

    /// It is there; another takes its place at `retire_at`.
    pub(crate) fn came_up(&mut self, now: Nanos, retire_at: Nanos) {
        (self.state, self.since, self.last_ping) = (LinkState::Up, now, now);
        (self.unacknowledged, self.unanswered, self.stale) = (0, 0, false);
        (self.waiting_since, self.asked_since) = (None, None);
        self.joined.clear();
        self.proven.clear();
        self.retire_at = retire_at;
    }

    pub(crate) fn heard(&mut self, received: Nanos) {
        if !self.stale {
            self.last_frame = self.last_frame.max(received);
            self.waiting_since = None;
        }
    }

    pub(crate) fn pinging(&mut self, now: Nanos) {
        (self.last_ping, self.waiting_since) = (now, Some(now));
        self.asked_since = self.asked_since.or(Some(now));
        self.unanswered += 1;
    }

    /// A PONG; the venue answers in order.
    pub(crate) fn answered(&mut self, received: Nanos) {
        self.unanswered = self.unanswered.saturating_sub(1);
        if self.unanswered == 0 {
            self.asked_since = None;
            self.way = received.since(self.last_ping);
        }
        if self.stale && self.unanswered == 0 {
            self.stale = false;
            self.heard(received);
        }
    }

    pub(crate) fn subscribing(&mut self, now: Nanos) {
        self.unacknowledged += 1;
        self.subscribed_at = now;
    }
}
