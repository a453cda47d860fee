//! Several connections that carry the same, and the change from one to the next without a hole.
//!
//! The venue ends every connection after 24 hours. Before that another is opened beside it; once that one is proven,
//! the former is closed. Public: each pair's pushes join the certified book by their versions. Private, where nothing
//! is numbered: the former answers a PING that was sent after the new subscription was acknowledged, so everything
//! told before has been told; what cannot be proven so is found out by asking, as after a loss.

use std::collections::BTreeSet;

use flashpod_mexc::control;
use flashpod_types::{Nanos, Symbol};

use crate::engine::Engine;
use crate::io::{Action, ConnId};
use crate::link::{Link, LinkState};

/// Tries of the private stream after which its listen key is taken for the trouble; then every so many.
const KEY_IN_DOUBT: (u32, u32) = (2, 8);

/// What will take the place of the private connection.
#[derive(Debug)]
pub(crate) struct Successor {
    pub(crate) link: Link,
    /// When all three channels were acknowledged.
    subscribed: Option<Nanos>,
    /// The former was asked, after that, for a sign that it has told everything.
    asked: bool,
}

impl Engine {
    /// A pair's subscription is acknowledged.
    pub(crate) fn symbol_subscribed(&mut self, conn: ConnId, symbol: Symbol) {
        let now = self.now.mono;
        let Some(feed) = self.feeds.public_of(conn) else { return };
        let carried = feed.carries(symbol);
        if let Some(link) = feed.links.iter_mut().find(|link| link.conn == conn) {
            link.joined.insert(symbol);
            link.joined_at = now;
        }
        self.dirty = true;
        self.depth_subscribed(symbol, carried);
    }

    /// A connection of a feed is gone; `joined`: what it carried.
    pub(crate) fn public_down(&mut self, conn: ConnId, joined: &BTreeSet<Symbol>) {
        let Some(feed) = self.feeds.public_of(conn) else { return };
        // Its successor, wherever that is, is no successor any more.
        if let Some(next) = feed.links.iter_mut().find(|link| link.replaces == Some(conn)) {
            next.replaces = None;
            feed.links.retain(|link| link.conn != conn);
        }
        let lost: Vec<Symbol> = joined.iter().copied().filter(|&symbol| !feed.carries(symbol)).collect();
        self.note_replacing();
        self.public_lost(&lost);
    }

    /// Opens what is missing of a feed, and successors; closes what is replaced. When to look again.
    pub(crate) fn poll_public_overlap(&mut self, at: usize) -> Option<Nanos> {
        let (now, tuning) = (self.now.mono, self.config.tuning);
        let feed = &mut self.feeds.public[at];
        let own = feed.links.iter().filter(|link| link.replaces.is_none()).count();
        let wanted = if tuning.links_per_feed > 1 { 2 } else { 1 };
        feed.links.extend((own..wanted).map(|_| Link::new()));
        let replaced = |conn: ConnId| feed.links.iter().any(|link| link.replaces == Some(conn));
        let ageing = |link: &&Link| link.is_up() && link.replaces.is_none() && !replaced(link.conn);
        let due: Vec<ConnId> = feed
            .links
            .iter()
            .filter(ageing)
            .filter(|link| now >= link.retire_at)
            .map(|link| link.conn)
            .collect();
        feed.links.extend(due.into_iter().map(Link::successor_of));
        while let Some((old, new)) = self.proven_successor(at) {
            self.change_public(at, old, new);
        }
        self.note_replacing();
        let feed = &self.feeds.public[at];
        let retiring = feed.links.iter().filter(|link| link.is_up() && link.retire_at > now);
        let joining = feed.links.iter().filter(|link| link.is_up() && link.replaces.is_some());
        let overlaps = joining.map(|link| link.joined_at + tuning.overlap_most).filter(|&at| at > now);
        retiring.map(|link| link.retire_at).chain(overlaps).min()
    }

    /// A connection that may be closed, and the one that has taken its place.
    fn proven_successor(&self, at: usize) -> Option<(ConnId, ConnId)> {
        let (now, overlap_most) = (self.now.mono, self.config.tuning.overlap_most);
        let feed = &self.feeds.public[at];
        let certified = |symbol: &Symbol| self.markets.get(symbol).is_some_and(|m| m.book.is_certified());
        feed.links.iter().find_map(|link| {
            let old = link.replaces?;
            let joined = link.is_up() && feed.symbols.is_subset(&link.joined);
            // In a quiet market nothing is pushed that could prove anything; its next push will, by its version.
            let proven =
                || feed.symbols.iter().all(|symbol| certified(symbol) && link.proven.contains(symbol));
            (joined && (now >= link.joined_at + overlap_most || proven())).then_some((old, link.conn))
        })
    }

    fn change_public(&mut self, at: usize, old: ConnId, new: ConnId) {
        let feed = &mut self.feeds.public[at];
        let open = feed.links.iter().any(|link| link.conn == old && link.state != LinkState::Idle);
        feed.links.retain(|link| link.conn != old);
        if let Some(link) = feed.links.iter_mut().find(|link| link.conn == new) {
            link.replaces = None;
        }
        self.counters.links_replaced += 1;
        if open {
            self.emit(Action::CloseFeed { conn: old });
        }
        self.dirty = true;
    }

    fn note_replacing(&mut self) {
        let mut links = self.feeds.public.iter().flat_map(|feed| &feed.links);
        self.feeds.replacing = links.any(|link| link.replaces.is_some());
    }

    /// A push of this connection continued a certified book, or was part of it already.
    pub(crate) fn proves(&mut self, conn: ConnId, symbol: Symbol) {
        if self.feeds.replacing
            && let Some(link) = self.feeds.link(conn).filter(|link| link.replaces.is_some())
            && link.proven.insert(symbol)
        {
            self.dirty = true;
        }
    }

    /// All three private channels are acknowledged.
    pub(crate) fn private_subscribed(&mut self, conn: ConnId) {
        let now = self.now.mono;
        if self.feeds.private.conn == conn {
            if !self.feeds.private_ready {
                self.feeds.private_ready = true;
                self.private_joined();
            }
        } else if let Some(next) = &mut self.feeds.private_next {
            next.subscribed = Some(now);
            self.dirty = true;
        }
    }

    /// Opens a connection that will take the place of the private one.
    pub(crate) fn replace_private(&mut self) {
        if self.feeds.private_next.is_none() {
            let link = Link::successor_of(self.feeds.private.conn);
            self.feeds.private_next = Some(Successor { link, subscribed: None, asked: false });
            self.dirty = true;
        }
    }

    /// When to look again.
    pub(crate) fn poll_private_overlap(&mut self) -> Option<Nanos> {
        let (now, patience) = (self.now.mono, self.config.tuning.dead_after);
        let feeds = &mut self.feeds;
        let Some(next) = &mut feeds.private_next else {
            if !feeds.private.is_up() || !feeds.private_ready {
                return None;
            }
            if now >= feeds.private.retire_at {
                self.replace_private();
                return Some(now);
            }
            return Some(feeds.private.retire_at);
        };
        let since = next.subscribed?;
        if !next.asked {
            next.asked = true;
            feeds.private.pinging(now);
            let (conn, text) = (feeds.private.conn, control::PING.to_owned());
            self.emit(Action::FeedText { conn, text });
            return Some(since + patience);
        }
        let told_everything = feeds.private.unanswered == 0;
        if told_everything || now >= since + patience {
            self.change_private(told_everything);
            return Some(now);
        }
        Some(since + patience)
    }

    fn change_private(&mut self, told_everything: bool) {
        let Some(next) = self.feeds.private_next.take() else { return };
        let old = std::mem::replace(&mut self.feeds.private, Link { replaces: None, ..next.link });
        self.counters.links_replaced += 1;
        self.emit(Action::CloseFeed { conn: old.conn });
        if !told_everything {
            self.private_joined();
        }
        self.dirty = true;
    }

    /// The private connection is gone.
    pub(crate) fn private_down(&mut self, reason: &str, failures: u32) {
        self.feeds.private_ready = false;
        if let Some(next) = self.feeds.private_next.take() {
            self.feeds.private_ready = next.subscribed.is_some() && next.link.is_up();
            self.feeds.private = Link { replaces: None, ..next.link };
            self.private_joined();
            return;
        }
        self.private_lost();
        let (first, every) = KEY_IN_DOUBT;
        if names_listen_key(reason) || failures % every == first {
            self.drop_listen_key();
        }
    }

    /// The connection that was to take its place is gone: nothing is lost, and it is tried again.
    pub(crate) fn next_private_down(&mut self, reason: &str) {
        if let Some(next) = &mut self.feeds.private_next {
            (next.subscribed, next.asked) = (None, false);
        }
        // Not deleted: that would close the connection that is there.
        if names_listen_key(reason) {
            self.startup.listen_key = None;
        }
    }
}

fn names_listen_key(reason: &str) -> bool {
    reason.to_ascii_lowercase().contains("listen key")
}
