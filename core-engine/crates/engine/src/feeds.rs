//! WebSocket connections: opening, subscribing, PING, silence, reconnecting.

use std::collections::BTreeSet;

use flashpod_mexc::channel::{Cadence, Channel};
use flashpod_mexc::control::{self, Control, MAX_CHANNELS};
use flashpod_mexc::depth::DepthReader;
use flashpod_types::{Nanos, Symbol};

use crate::engine::Engine;
use crate::io::{Action, ConnId, FeedEvent, FeedKind};
use crate::link::{Link, LinkState, Subscription};
use crate::requests::Purpose;

/// Depth and deals.
const CHANNELS_PER_SYMBOL: usize = 2;
const SYMBOLS_PER_FEED: usize = MAX_CHANNELS / CHANNELS_PER_SYMBOL;
/// An attempt to connect that says nothing for this long is given up.
const CONNECT_TIMEOUT: Nanos = Nanos::from_secs(15);
const ACK_TIMEOUT: Nanos = Nanos::from_secs(5);
/// A process that is so late for its own timer was stopped, or got no CPU.
const STOPPED_FOR: Nanos = Nanos::from_millis(500);

/// Ids of our messages, which their acknowledgements repeat.
const SUBSCRIBE: u64 = 1;
const UNSUBSCRIBE: u64 = 2;

#[derive(Debug)]
pub(crate) struct PublicFeed {
    pub(crate) link: Link,
    pub(crate) symbols: BTreeSet<Symbol>,
}

#[derive(Debug)]
pub(crate) struct Feeds {
    next_conn: u32,
    subscriptions: u64,
    pub(crate) public: Vec<PublicFeed>,
    pub(crate) private: Link,
    /// All three private channels are acknowledged.
    pub(crate) private_ready: bool,
    /// State of the jitter.
    jitter: u64,
    /// Memory of the depth pushes that are read in place.
    pub(crate) depth_reader: DepthReader,
}

impl Feeds {
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            next_conn: 0,
            subscriptions: 0,
            public: Vec::new(),
            private: Link::new(),
            private_ready: false,
            jitter: seed ^ 0x9e37_79b9_7f4a_7c15,
            depth_reader: DepthReader::new(),
        }
    }

    pub(crate) fn next_subscription(&mut self) -> Subscription {
        self.subscriptions += 1;
        Subscription(self.subscriptions)
    }

    fn link(&mut self, conn: ConnId) -> Option<&mut Link> {
        let public = self.public.iter_mut().map(|feed| &mut feed.link);
        public.chain([&mut self.private]).find(|link| link.conn == conn && link.state != LinkState::Idle)
    }

    /// The feed of a symbol.
    pub(crate) fn of(&self, symbol: Symbol) -> Option<&PublicFeed> {
        self.public.iter().find(|feed| feed.symbols.contains(&symbol))
    }

    /// 3/4 to 5/4 of a wait, so that many engines do not come back in step (xorshift).
    fn jittered(&mut self, wait: Nanos) -> Nanos {
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        Nanos(wait.0 / 4 * 3 + self.jitter % (wait.0 / 2 + 1))
    }
}

impl Engine {
    pub(crate) fn on_feed(&mut self, conn: ConnId, received: Nanos, event: FeedEvent) {
        let Some(link) = self.feeds.link(conn) else { return };
        link.heard(received);
        match event {
            FeedEvent::Up => self.link_up(conn),
            FeedEvent::Down { reason } => self.link_down(conn, &reason),
            FeedEvent::Text(text) => self.on_text(conn, &text),
            FeedEvent::Binary(bytes) => self.on_binary(conn, received, &bytes),
        }
    }

    fn link_up(&mut self, conn: ConnId) {
        let now = self.now.mono;
        if let Some(link) = self.feeds.link(conn) {
            (link.state, link.since, link.last_ping) = (LinkState::Up, now, now);
            (link.unacknowledged, link.unanswered, link.stale) = (0, 0, false);
        }
        if self.feeds.private.conn == conn {
            let all = [Channel::PrivateOrders, Channel::PrivateDeals, Channel::PrivateAccount];
            self.feeds.private.subscribing(now);
            self.emit(Action::FeedText { conn, text: control::subscribe(SUBSCRIBE, &all) });
            return;
        }
        let symbols: Vec<Symbol> = self
            .feeds
            .public
            .iter()
            .filter(|f| f.link.conn == conn)
            .flat_map(|f| f.symbols.clone())
            .collect();
        for symbol in symbols {
            if let Some(link) = self.feeds.link(conn) {
                link.subscribing(now);
            }
            self.emit(Action::FeedText { conn, text: control::subscribe(SUBSCRIBE, &channels(symbol)) });
        }
    }

    fn link_down(&mut self, conn: ConnId, reason: &str) {
        let now = self.now.mono;
        let tuning = self.config.tuning;
        let Some(link) = self.feeds.link(conn) else { return };
        let was_up = link.is_up();
        // One that did not last is no success: it is tried again less and less often.
        if was_up && now >= link.since + tuning.reconnect_most {
            link.failures = 0;
        }
        link.failures += 1;
        link.state = LinkState::Idle;
        link.waiting_since = None;
        let doubled = tuning.reconnect_first.0.saturating_mul(1 << (link.failures - 1).min(10));
        let failures = link.failures;
        let wait = self.feeds.jittered(Nanos(doubled.min(tuning.reconnect_most.0)));
        if let Some(link) = self.link_of_any(conn) {
            link.since = now + wait;
        }
        if self.feeds.private.conn == conn {
            self.counters.private_reconnects += u64::from(was_up);
            self.feeds.private_ready = false;
            self.private_lost();
            // A key that the venue does not take any more is not worth a third attempt.
            if reason.to_ascii_lowercase().contains("listen key") || failures >= 2 {
                self.startup.listen_key = None;
            }
        } else {
            self.counters.public_reconnects += u64::from(was_up);
            self.public_lost(conn);
        }
    }

    fn link_of_any(&mut self, conn: ConnId) -> Option<&mut Link> {
        let public = self.feeds.public.iter_mut().map(|feed| &mut feed.link);
        public.chain([&mut self.feeds.private]).find(|link| link.conn == conn)
    }

    fn on_text(&mut self, conn: ConnId, text: &str) {
        match control::parse(text) {
            Control::Pong => self.answered_ping(conn),
            Control::Ack { id: UNSUBSCRIBE, .. } => {}
            Control::Ack { channels, .. } => {
                if let Some(link) = self.feeds.link(conn) {
                    link.unacknowledged = link.unacknowledged.saturating_sub(1);
                }
                if self.feeds.private.conn == conn {
                    let all = [Channel::PrivateOrders, Channel::PrivateDeals, Channel::PrivateAccount];
                    if all.iter().all(|channel| channels.contains(channel)) && !self.feeds.private_ready {
                        self.feeds.private_ready = true;
                        self.private_joined();
                    }
                    return;
                }
                for channel in channels {
                    if let Channel::AggreDepth { symbol, .. } = channel {
                        self.depth_subscribed(symbol);
                    }
                }
            }
            Control::Other(text) => {
                // A refused subscription or a bad listen key: start this connection over.
                self.emit(Action::CloseFeed { conn });
                self.link_down(conn, &text);
            }
        }
    }

    /// Brings the public feeds to exactly these symbols.
    pub(crate) fn want_symbols(&mut self, wanted: &BTreeSet<Symbol>) {
        for feed in &mut self.feeds.public {
            let gone: Vec<Symbol> = feed.symbols.difference(wanted).copied().collect();
            for symbol in gone {
                feed.symbols.remove(&symbol);
                if feed.link.is_up() {
                    let text = control::unsubscribe(UNSUBSCRIBE, &channels(symbol));
                    self.out.push(Action::FeedText { conn: feed.link.conn, text });
                }
            }
        }
        let missing: Vec<Symbol> =
            wanted.iter().copied().filter(|symbol| self.feeds.of(*symbol).is_none()).collect();
        for symbol in missing {
            let room = self.feeds.public.iter().position(|feed| feed.symbols.len() < SYMBOLS_PER_FEED);
            let at = room.unwrap_or_else(|| {
                self.feeds.public.push(PublicFeed { link: Link::new(), symbols: BTreeSet::new() });
                self.feeds.public.len() - 1
            });
            let feed = &mut self.feeds.public[at];
            feed.symbols.insert(symbol);
            if feed.link.is_up() {
                feed.link.subscribing(self.now.mono);
                let text = control::subscribe(SUBSCRIBE, &channels(symbol));
                self.out.push(Action::FeedText { conn: feed.link.conn, text });
            }
        }
        let empty: Vec<ConnId> = self
            .feeds
            .public
            .iter()
            .filter(|feed| feed.symbols.is_empty() && feed.link.state != LinkState::Idle)
            .map(|feed| feed.link.conn)
            .collect();
        for conn in empty {
            self.emit(Action::CloseFeed { conn });
        }
        self.feeds.public.retain(|feed| !feed.symbols.is_empty());
    }

    /// Opens, pings and gives up connections. When to look again.
    pub(crate) fn poll_feeds(&mut self) -> Option<Nanos> {
        let mut next: Option<Nanos> = None;
        let mut sooner = |at: Nanos| next = Some(next.map_or(at, |next: Nanos| next.min(at)));
        for at in 0..self.feeds.public.len() {
            if let Some(when) = self.poll_link(Some(at)) {
                sooner(when);
            }
        }
        if self.startup.listen_key.is_some()
            && let Some(when) = self.poll_link(None)
        {
            sooner(when);
        }
        next
    }

    /// None: the private one.
    fn poll_link(&mut self, at: Option<usize>) -> Option<Nanos> {
        let (now, tuning) = (self.now.mono, self.config.tuning);
        let ping_after = self.quiet_time();
        let kind = match (at, &self.startup.listen_key) {
            (Some(_), _) => FeedKind::Public,
            (None, Some(listen_key)) => FeedKind::Private { listen_key: listen_key.clone() },
            (None, None) => return None,
        };
        let feeds = &mut self.feeds;
        let link = at.map_or(&mut feeds.private, |at| &mut feeds.public[at].link);
        match link.state {
            LinkState::Idle if now < link.since => Some(link.since),
            LinkState::Idle => {
                feeds.next_conn += 1;
                link.conn = ConnId(feeds.next_conn);
                (link.state, link.since, link.last_frame) = (LinkState::Opening, now, now);
                self.out.push(Action::OpenFeed { conn: link.conn, kind });
                Some(now + CONNECT_TIMEOUT)
            }
            LinkState::Opening if now >= link.since + CONNECT_TIMEOUT => {
                self.give_up(at, "no connection in time");
                Some(now + tuning.reconnect_first)
            }
            LinkState::Opening => Some(link.since + CONNECT_TIMEOUT),
            LinkState::Up if link.unacknowledged > 0 && now >= link.subscribed_at + ACK_TIMEOUT => {
                self.give_up(at, "a subscription was not acknowledged in time");
                Some(now + tuning.reconnect_first)
            }
            LinkState::Up => {
                let acknowledged_by = (link.unacknowledged > 0).then(|| link.subscribed_at + ACK_TIMEOUT);
                let sooner = |at: Nanos| Some(acknowledged_by.map_or(at, |by| by.min(at)));
                if let Some(since) = link.waiting_since {
                    if now >= since + tuning.dead_after {
                        self.give_up(at, "nothing heard since the last PING");
                        return Some(now + tuning.reconnect_first);
                    }
                    return sooner(since + tuning.dead_after);
                }
                let due = (link.last_frame.max(link.last_ping) + ping_after)
                    .min(link.last_ping + tuning.ping_period);
                if now < due {
                    return sooner(due);
                }
                link.pinging(now);
                self.out.push(Action::FeedText { conn: link.conn, text: control::PING.to_owned() });
                sooner(now + tuning.dead_after)
            }
        }
    }

    pub(crate) fn reopen_private(&mut self, reason: &str) {
        if self.feeds.private.state != LinkState::Idle {
            self.give_up(None, reason);
        }
    }

    fn give_up(&mut self, at: Option<usize>, reason: &str) {
        let conn = at.map_or(&self.feeds.private, |at| &self.feeds.public[at].link).conn;
        self.emit(Action::CloseFeed { conn });
        self.link_down(conn, reason);
    }

    /// This process did nothing for so long that what it reads now may have waited in the sockets: every connection is
    /// asked whether it lives, and is believed once it answers.
    pub(crate) fn note_stop(&mut self, due: Nanos) {
        let now = self.now.mono;
        if now < due + STOPPED_FOR {
            return;
        }
        let Feeds { public, private, .. } = &mut self.feeds;
        for link in public.iter_mut().map(|feed| &mut feed.link).chain([private]).filter(|link| link.is_up())
        {
            link.stale = true;
            link.pinging(now);
            self.out.push(Action::FeedText { conn: link.conn, text: control::PING.to_owned() });
        }
        self.dirty = true;
    }

    fn answered_ping(&mut self, conn: ConnId) {
        let now = self.now.mono;
        let Some(link) = self.feeds.link(conn) else { return };
        link.unanswered = link.unanswered.saturating_sub(1);
        if link.stale && link.unanswered == 0 {
            link.stale = false;
            link.heard(now);
        }
    }

    /// How long a connection may be quiet before we ask it: often enough that a quiet market does not look stale.
    fn quiet_time(&self) -> Nanos {
        let ages = self.instances.values().filter_map(|instance| instance.policy.limits.max_data_age);
        let strictest = ages.min().map_or(self.config.tuning.ping_period, |age| Nanos(age.0 / 3));
        strictest.max(Nanos::from_millis(100)).min(self.config.tuning.ping_period)
    }

    /// Keeps the listen key alive.
    pub(crate) fn poll_listen_key(&mut self) -> Option<Nanos> {
        let now = self.now.mono;
        let Some(key) = self.startup.listen_key.clone() else {
            // Without trading rules, deals in a pair that is new to us could not be booked: the stream waits for them.
            let may_begin = self.startup.keys_listed && self.startup.rules_loaded;
            if may_begin && now >= self.startup.key_retry {
                self.ask(Purpose::CreateListenKey);
                self.startup.key_retry = now + self.config.tuning.query_timeout;
            }
            return may_begin.then_some(self.startup.key_retry);
        };
        if now >= self.startup.extend_at {
            self.startup.extend_at = now + self.config.tuning.listen_key_period;
            self.ask(Purpose::ExtendListenKey(key));
        }
        Some(self.startup.extend_at)
    }
}

fn channels(symbol: Symbol) -> [Channel; CHANNELS_PER_SYMBOL] {
    [
        Channel::AggreDepth { cadence: Cadence::Ms10, symbol },
        Channel::AggreDeals { cadence: Cadence::Ms10, symbol },
    ]
}
