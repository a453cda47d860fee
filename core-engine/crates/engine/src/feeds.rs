//! WebSocket connections: opening, subscribing, PING, silence, reconnecting. Several connections for one thing, and the
//! change from one to the next, are in `overlap`.

use std::collections::BTreeSet;

use flashpod_mexc::channel::{Cadence, Channel};
use flashpod_mexc::control::{self, Control, MAX_CHANNELS};
use flashpod_mexc::decode::BalancePush;
use flashpod_mexc::depth::DepthReader;
use flashpod_types::{Nanos, Symbol};

use crate::engine::Engine;
use crate::io::{Action, ConnId, FeedEvent, FeedKind};
use crate::link::{Link, LinkState, Subscription};
use crate::once::Once;
use crate::overlap::Successor;

/// Depth and deals.
const CHANNELS_PER_SYMBOL: usize = 2;
const SYMBOLS_PER_FEED: usize = MAX_CHANNELS / CHANNELS_PER_SYMBOL;
/// An attempt to connect that says nothing for this long is given up.
const CONNECT_TIMEOUT: Nanos = Nanos::from_secs(15);
const ACK_TIMEOUT: Nanos = Nanos::from_secs(5);
/// A process that is so late for its own timer was stopped, or got no CPU.
const STOPPED_FOR: Nanos = Nanos::from_millis(500);
/// Frames come, but PINGs are not answered for so many times `dead_after`: the venue may not hear us.
const DEAF_AFTER: u64 = 3;

/// Balances that two private connections may both tell of, kept until both did.
const BALANCES_TOLD: usize = 64;

/// Ids of our messages, which their acknowledgements repeat.
const SUBSCRIBE: u64 = 1;
const UNSUBSCRIBE: u64 = 2;

/// Which connection.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// By the index of its feed, and its own in there.
    Public(usize, usize),
    Private,
    NextPrivate,
}

/// Pairs that share their connections.
#[derive(Debug)]
pub(crate) struct PublicFeed {
    /// `Tuning::links_per_feed` that carry the same; one more beside each that is about to be replaced.
    pub(crate) links: Vec<Link>,
    pub(crate) symbols: BTreeSet<Symbol>,
}

impl PublicFeed {
    /// Of any of its connections.
    pub(crate) fn last_frame(&self) -> Nanos {
        self.links.iter().map(|link| link.last_frame).max().unwrap_or_default()
    }

    /// Whether pushes of a pair come by some connection.
    pub(crate) fn carries(&self, symbol: Symbol) -> bool {
        self.links.iter().any(|link| link.is_up() && link.joined.contains(&symbol))
    }
}

#[derive(Debug)]
pub(crate) struct Feeds {
    next_conn: u32,
    subscriptions: u64,
    pub(crate) public: Vec<PublicFeed>,
    pub(crate) private: Link,
    /// All three private channels are acknowledged.
    pub(crate) private_ready: bool,
    /// The connection that will take the place of the private one.
    pub(crate) private_next: Option<Successor>,
    /// Some public connection is about to be replaced.
    pub(crate) replacing: bool,
    /// What was told of balances while there are two private connections.
    pub(crate) told_balances: Once<BalancePush>,
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
            private_next: None,
            replacing: false,
            told_balances: Once::new(BALANCES_TOLD),
            jitter: seed ^ 0x9e37_79b9_7f4a_7c15,
            depth_reader: DepthReader::new(),
        }
    }

    pub(crate) fn next_subscription(&mut self) -> Subscription {
        self.subscriptions += 1;
        Subscription(self.subscriptions)
    }

    pub(crate) fn links_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        let public = self.public.iter_mut().flat_map(|feed| &mut feed.links);
        let next = self.private_next.as_mut().map(|next| &mut next.link);
        public.chain([&mut self.private]).chain(next)
    }

    pub(crate) fn link(&mut self, conn: ConnId) -> Option<&mut Link> {
        self.links_mut().find(|link| link.conn == conn && link.state != LinkState::Idle)
    }

    /// The private stream, or what will take its place.
    pub(crate) fn is_private(&self, conn: ConnId) -> bool {
        self.private.conn == conn || self.is_next_private(conn)
    }

    pub(crate) fn is_next_private(&self, conn: ConnId) -> bool {
        self.private_next.as_ref().is_some_and(|next| next.link.conn == conn)
    }

    /// The feed that has a connection.
    pub(crate) fn public_of(&mut self, conn: ConnId) -> Option<&mut PublicFeed> {
        self.public.iter_mut().find(|feed| feed.links.iter().any(|link| link.conn == conn))
    }

    /// The feed of a symbol.
    pub(crate) fn of(&self, symbol: Symbol) -> Option<&PublicFeed> {
        self.public.iter().find(|feed| feed.symbols.contains(&symbol))
    }

    /// 3/4 to 5/4 of a wait, so that many engines do not come back in step (xorshift).
    fn jittered(&mut self, wait: Nanos) -> Nanos {
        Nanos(wait.0 / 4 * 3 + self.below(wait.0 / 2 + 1))
    }

    /// 15/16 of a life to all of it, so that connections made at one moment are not replaced at one.
    fn life(&mut self, most: Nanos) -> Nanos {
        Nanos(most.0 - self.below(most.0 / 16 + 1))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        self.jitter % bound
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
        let retire_at = now + self.feeds.life(self.config.tuning.feed_lifetime);
        if let Some(link) = self.feeds.link(conn) {
            link.came_up(now, retire_at);
        }
        self.dirty = true;
        if self.feeds.is_private(conn) {
            let all = [Channel::PrivateOrders, Channel::PrivateDeals, Channel::PrivateAccount];
            self.subscribe(conn, &all);
            return;
        }
        let symbols = self.feeds.public_of(conn).map(|feed| feed.symbols.clone()).unwrap_or_default();
        for symbol in symbols {
            self.subscribe(conn, &channels(symbol));
        }
    }

    fn subscribe(&mut self, conn: ConnId, channels: &[Channel]) {
        let now = self.now.mono;
        if let Some(link) = self.feeds.link(conn) {
            link.subscribing(now);
        }
        self.emit(Action::FeedText { conn, text: control::subscribe(SUBSCRIBE, channels) });
    }

    fn link_down(&mut self, conn: ConnId, reason: &str) {
        let (now, tuning) = (self.now.mono, self.config.tuning);
        let Some(link) = self.feeds.link(conn) else { return };
        let was_up = link.is_up();
        // One that did not last is no success: it is tried again less and less often.
        if was_up && now >= link.since + tuning.reconnect_most {
            link.failures = 0;
        }
        link.failures += 1;
        link.state = LinkState::Idle;
        (link.waiting_since, link.asked_since) = (None, None);
        let joined = std::mem::take(&mut link.joined);
        let failures = link.failures;
        let doubled = tuning.reconnect_first.0.saturating_mul(1 << (failures - 1).min(10));
        let wait = self.feeds.jittered(Nanos(doubled.min(tuning.reconnect_most.0)));
        if let Some(link) = self.feeds.links_mut().find(|link| link.conn == conn) {
            link.since = now + wait;
        }
        self.dirty = true;
        if self.feeds.is_next_private(conn) {
            self.next_private_down(reason);
        } else if self.feeds.private.conn == conn {
            self.counters.private_reconnects += u64::from(was_up);
            self.private_down(reason, failures);
        } else {
            self.counters.public_reconnects += u64::from(was_up);
            self.public_down(conn, &joined);
        }
    }

    fn on_text(&mut self, conn: ConnId, text: &str) {
        match control::parse(text) {
            Control::Pong => {
                let now = self.now.mono;
                if let Some(link) = self.feeds.link(conn) {
                    link.answered(now);
                }
                self.dirty |= self.feeds.private_next.is_some();
            }
            Control::Ack { id: UNSUBSCRIBE, .. } => {}
            Control::Ack { channels, .. } => {
                if let Some(link) = self.feeds.link(conn) {
                    link.unacknowledged = link.unacknowledged.saturating_sub(1);
                }
                if self.feeds.is_private(conn) {
                    let all = [Channel::PrivateOrders, Channel::PrivateDeals, Channel::PrivateAccount];
                    if all.iter().all(|channel| channels.contains(channel)) {
                        self.private_subscribed(conn);
                    }
                    return;
                }
                for channel in channels {
                    if let Channel::AggreDepth { symbol, .. } = channel {
                        self.symbol_subscribed(conn, symbol);
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
                for link in feed.links.iter_mut().filter(|link| link.is_up()) {
                    link.joined.remove(&symbol);
                    link.proven.remove(&symbol);
                    let text = control::unsubscribe(UNSUBSCRIBE, &channels(symbol));
                    self.out.push(Action::FeedText { conn: link.conn, text });
                }
            }
        }
        let missing: Vec<Symbol> =
            wanted.iter().copied().filter(|symbol| self.feeds.of(*symbol).is_none()).collect();
        self.dirty |= !missing.is_empty();
        for symbol in missing {
            let room = self.feeds.public.iter().position(|feed| feed.symbols.len() < SYMBOLS_PER_FEED);
            let at = room.unwrap_or_else(|| {
                self.feeds.public.push(PublicFeed { links: Vec::new(), symbols: BTreeSet::new() });
                self.feeds.public.len() - 1
            });
            let feed = &mut self.feeds.public[at];
            feed.symbols.insert(symbol);
            for link in feed.links.iter_mut().filter(|link| link.is_up()) {
                link.subscribing(self.now.mono);
                let text = control::subscribe(SUBSCRIBE, &channels(symbol));
                self.out.push(Action::FeedText { conn: link.conn, text });
            }
        }
        let empty: Vec<ConnId> = self
            .feeds
            .public
            .iter()
            .filter(|feed| feed.symbols.is_empty())
            .flat_map(|feed| &feed.links)
            .filter(|link| link.state != LinkState::Idle)
            .map(|link| link.conn)
            .collect();
        for conn in empty {
            self.emit(Action::CloseFeed { conn });
        }
        self.feeds.public.retain(|feed| !feed.symbols.is_empty());
    }

    /// Opens, pings, replaces and gives up connections. When to look again.
    pub(crate) fn poll_feeds(&mut self) -> Option<Nanos> {
        let mut next: Option<Nanos> = None;
        let mut sooner = |at: Nanos| next = Some(next.map_or(at, |next: Nanos| next.min(at)));
        for at in 0..self.feeds.public.len() {
            self.poll_public_overlap(at).map(&mut sooner);
            // One that is given up may go: then everything is looked at again at once.
            for index in 0..self.feeds.public[at].links.len() {
                self.poll_link(Place::Public(at, index)).map(&mut sooner);
            }
        }
        if self.startup.listen_key.is_some() {
            self.poll_private_overlap().map(&mut sooner);
            self.poll_link(Place::Private).map(&mut sooner);
            self.poll_link(Place::NextPrivate).map(&mut sooner);
        }
        next
    }

    fn poll_link(&mut self, place: Place) -> Option<Nanos> {
        let (now, tuning) = (self.now.mono, self.config.tuning);
        let ping_after = self.quiet_time();
        let kind = match (place, &self.startup.listen_key) {
            (Place::Public(..), _) => FeedKind::Public,
            (_, Some(listen_key)) => FeedKind::Private { listen_key: listen_key.clone() },
            (_, None) => return None,
        };
        let feeds = &mut self.feeds;
        let link = match place {
            Place::Public(at, index) => feeds.public[at].links.get_mut(index)?,
            Place::Private => &mut feeds.private,
            Place::NextPrivate => &mut feeds.private_next.as_mut()?.link,
        };
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
                let conn = link.conn;
                self.give_up(conn, "no connection in time");
                Some(now + tuning.reconnect_first)
            }
            LinkState::Opening => Some(link.since + CONNECT_TIMEOUT),
            LinkState::Up if link.unacknowledged > 0 && now >= link.subscribed_at + ACK_TIMEOUT => {
                let conn = link.conn;
                self.give_up(conn, "a subscription was not acknowledged in time");
                Some(now + tuning.reconnect_first)
            }
            LinkState::Up => {
                let acknowledged_by = (link.unacknowledged > 0).then(|| link.subscribed_at + ACK_TIMEOUT);
                let sooner = |at: Nanos| Some(acknowledged_by.map_or(at, |by| by.min(at)));
                if let Some(since) = link.waiting_since {
                    if now >= since + tuning.dead_after {
                        let conn = link.conn;
                        self.counters.links_dead += 1;
                        self.give_up(conn, "nothing heard since the last PING");
                        return Some(now + tuning.reconnect_first);
                    }
                    return sooner(since + tuning.dead_after);
                }
                // It is replaced without haste: what it brings is as good as before.
                if let Some(since) = link.asked_since
                    && now >= since + Nanos(tuning.dead_after.0 * DEAF_AFTER)
                    && link.retire_at > now
                {
                    self.counters.links_deaf += 1;
                    link.retire_at = now;
                    self.dirty = true;
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

    pub(crate) fn give_up(&mut self, conn: ConnId, reason: &str) {
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
        let mut asked = Vec::new();
        for link in self.feeds.links_mut().filter(|link| link.is_up()) {
            link.stale = true;
            link.pinging(now);
            asked.push(Action::FeedText { conn: link.conn, text: control::PING.to_owned() });
        }
        self.out.append(&mut asked);
        self.dirty = true;
    }

    /// How long a connection may be quiet before we ask it: often enough that a quiet market does not look stale.
    fn quiet_time(&self) -> Nanos {
        let ages = self.instances.values().filter_map(|instance| instance.policy.limits.max_data_age);
        let quiet = self.config.tuning.ping_quiet;
        ages.min().map_or(quiet, |age| Nanos(age.0 / 3)).max(Nanos::from_millis(100)).min(quiet)
    }
}

fn channels(symbol: Symbol) -> [Channel; CHANNELS_PER_SYMBOL] {
    [
        Channel::AggreDepth { cadence: Cadence::Ms10, symbol },
        Channel::AggreDeals { cadence: Cadence::Ms10, symbol },
    ]
}
