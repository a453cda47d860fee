//! From a frame to the sockets that subscribed to it.

use bytes::Bytes;
use flashpod_mexc::Channel;
use flashpod_mexc::push::PushDataV3ApiWrapper;
use prost::Message;

use super::io::{Output, SessionId};
use super::session::Session;
use super::state::Exchange;

/// The name that faults use: `aggre.depth`, `private.orders`, …
fn short_name(channel: &Channel) -> &'static str {
    match channel {
        Channel::AggreDepth { .. } => "aggre.depth",
        Channel::AggreDeals { .. } => "aggre.deals",
        Channel::AggreBookTicker { .. } => "aggre.bookTicker",
        Channel::BookTickerBatch { .. } => "bookTicker.batch",
        Channel::LimitDepth { .. } => "limit.depth",
        Channel::Kline { .. } => "kline",
        Channel::MiniTicker { .. } => "miniTicker",
        Channel::MiniTickers { .. } => "miniTickers",
        Channel::PrivateOrders => "private.orders",
        Channel::PrivateDeals => "private.deals",
        Channel::PrivateAccount => "private.account",
    }
}

impl Exchange {
    pub(super) fn has_readers(&self, channel: &Channel) -> bool {
        self.sessions.values().any(|session| session.channels.contains(channel))
    }

    /// Sends `frame` to the sockets that subscribed to `channel` and that `may` have it. It is encoded once.
    pub(super) fn deliver(
        &mut self,
        channel: &Channel,
        frame: &PushDataV3ApiWrapper,
        may: impl Fn(&Session) -> bool,
    ) {
        let readers: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| may(session) && session.channels.contains(channel))
            .map(|(id, _)| *id)
            .collect();
        if readers.is_empty() {
            return;
        }
        if self.faults.drops_push(short_name(channel), frame.symbol.as_deref()) {
            self.counters.dropped_by_fault += 1;
            return;
        }
        let bytes = Bytes::from(frame.encode_to_vec());
        for id in readers {
            if self.counts_push(id) {
                self.outputs.push_back(Output::Push(id, bytes.clone()));
            }
        }
    }
}
