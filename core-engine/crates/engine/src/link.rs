//! One WebSocket connection: what is known of it, and how far what it brings can be taken for fresh.

use flashpod_types::Nanos;

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
    /// Subscriptions that are not acknowledged, and when the newest was sent.
    pub(crate) unacknowledged: u32,
    pub(crate) subscribed_at: Nanos,
    /// PINGs without a PONG.
    pub(crate) unanswered: u32,
    /// What is read may have waited in the socket while this process was stopped: it tells nothing about how fresh
    /// the data is until the venue has answered every PING.
    pub(crate) stale: bool,
    pub(crate) failures: u32,
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
            unacknowledged: 0,
            subscribed_at: Nanos::ZERO,
            unanswered: 0,
            stale: false,
            failures: 0,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }

    pub(crate) fn heard(&mut self, received: Nanos) {
        if !self.stale {
            self.last_frame = self.last_frame.max(received);
            self.waiting_since = None;
        }
    }

    pub(crate) fn pinging(&mut self, now: Nanos) {
        (self.last_ping, self.waiting_since) = (now, Some(now));
        self.unanswered += 1;
    }

    pub(crate) fn subscribing(&mut self, now: Nanos) {
        self.unacknowledged += 1;
        self.subscribed_at = now;
    }
}
