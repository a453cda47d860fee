//! From a frame to the sockets that subscribed to it.

use bytes::Bytes;
use flashpod_mexc::Channel;
use flashpod_mexc::push::PushDataV3ApiWrapper;
use flashpod_types::Nanos;
use prost::Message;

use super::io::{Output, SessionId};
use super::session::Session;
use super::state::{Exchange, HOUSEKEEPING};
use crate::faults::FrameFate;

/// Longest wait of a frame for the one that is to overtake it.
const OVERTAKEN_FOR: Nanos = Nanos(1_000_000_000);

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
        if self.faults.drops_push(self.now, short_name(channel), frame.symbol.as_deref()) {
            self.counters.dropped_by_fault += 1;
            return;
        }
        let bytes = Bytes::from(frame.encode_to_vec());
        for id in readers {
            self.push(id, channel, frame.symbol.as_deref(), bytes.clone());
        }
    }

    /// Sends one frame to one socket: counts it, and lets faults have their way with it.
    pub(super) fn push(&mut self, id: SessionId, channel: &Channel, symbol: Option<&str>, bytes: Bytes) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.traffic = now;
        session.pushes += 1;
        self.counters.pushes += 1;
        let (stream, pushes) = (session.stream(), session.pushes);
        let cut = self.faults.cuts(stream, pushes);
        let fate = self.faults.on_push(now, stream, short_name(channel), symbol, &bytes);
        self.meet(id, channel, bytes, fate);
        if cut {
            self.end(id, "cut by a fault");
        }
    }

    /// Does with one frame what the faults want.
    fn meet(&mut self, id: SessionId, channel: &Channel, bytes: Bytes, fate: FrameFate) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if fate.reset {
            self.sessions.remove(&id);
            self.outputs.push_back(Output::Reset(id));
            return;
        }
        let silenced = fate.silence.0 > 0;
        if silenced {
            session.silent_until = session.silent_until.max(now + fate.silence);
        }
        if fate.gap > 0 {
            session.gaps.push((channel.clone(), fate.gap));
        }
        let in_gap = session.gaps.iter_mut().find(|(of, left)| of == channel && *left > 0 && fate.gap == 0);
        let in_gap = in_gap.map(|(_, left)| *left -= 1).is_some();
        session.gaps.retain(|(_, left)| *left > 0);
        if fate.lost || in_gap || silenced {
            return;
        }
        let output = Output::Push(id, fate.spoiled.unwrap_or(bytes));
        if fate.swapped && session.overtaken.is_none() {
            session.overtaken = Some((now, output));
            return;
        }
        let overtaken = session.overtaken.take();
        if fate.twice {
            self.send(id, output.clone(), fate.delay);
        }
        self.send(id, output, fate.delay);
        if let Some((_, output)) = overtaken {
            self.send(id, output, Nanos::ZERO);
        }
    }

    /// Sends what nothing has overtaken, where the next look would be too late.
    pub(super) fn release_overtaken(&mut self) {
        let now = self.now;
        let waited = |session: &mut Session| {
            session.overtaken.take_if(|(since, _)| now.since(*since) + HOUSEKEEPING > OVERTAKEN_FOR)
        };
        let released: Vec<(SessionId, Output)> = self
            .sessions
            .iter_mut()
            .filter_map(|(id, session)| waited(session).map(|(_, output)| (*id, output)))
            .collect();
        for (id, output) in released {
            self.send(id, output, Nanos::ZERO);
        }
    }
}
