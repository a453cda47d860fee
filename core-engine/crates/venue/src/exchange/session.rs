//! One WebSocket: subscriptions, control messages, and the reasons to close it.

use flashpod_mexc::Channel;
use flashpod_types::Nanos;

use super::io::{Output, SessionId};
use super::mini_ticker::Zone;
use super::state::Exchange;
use crate::faults::Stream;

#[derive(Debug)]
pub struct Session {
    /// The account whose listen key opened it, and the key.
    pub account: Option<usize>,
    pub listen_key: Option<String>,
    pub channels: Vec<Channel>,
    opened: Nanos,
    /// Since when it has no subscription, while it has none.
    lonely: Nanos,
    /// Last frame in either direction, protocol pongs apart.
    pub(super) traffic: Nanos,
    pinged: Nanos,
    /// Client messages in the running second.
    second: Nanos,
    messages: u64,
    pub pushes: u64,
    /// When the last frame sent arrives: nothing overtakes it.
    pub(super) arrival: Nanos,
    /// Faults: nothing is sent until then.
    pub(super) silent_until: Nanos,
    /// Faults: a frame that the next one is to overtake, and since when it waits.
    pub(super) overtaken: Option<(Nanos, Output)>,
    /// Faults: how many frames of a channel are still to be lost.
    pub(super) gaps: Vec<(Channel, u64)>,
}

impl Session {
    pub(super) fn stream(&self) -> Stream {
        if self.account.is_some() { Stream::Private } else { Stream::Public }
    }
}

/// Connecting was refused: the plain text to send before closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwelcome(pub &'static str);

const SOCKETS_PER_KEY: usize = 5;

#[derive(serde::Deserialize)]
struct Control {
    #[serde(default)]
    id: u64,
    method: String,
    #[serde(default)]
    params: Vec<String>,
}

fn ack(id: u64, msg: &str) -> String {
    serde_json::json!({ "id": id, "code": 0, "msg": msg }).to_string()
}

/// As captured: a full-width colon, two blanks, `code` stays 0.
fn refused(channel: &str, reason: &str) -> String {
    format!("Not Subscribed successfully! [{channel}].  Reason： {reason}")
}

impl Exchange {
    /// A socket was opened, with a listen key for private streams.
    pub fn open_session(&mut self, now: Nanos, listen_key: Option<&str>) -> Result<SessionId, Unwelcome> {
        self.advance(now);
        let account = match listen_key {
            None => None,
            Some(key) => Some(self.account_of_listen_key(key).ok_or(Unwelcome("Invalid listen key"))?),
        };
        let used = |key: &str| {
            self.sessions.values().filter(|s| s.listen_key.as_deref() == Some(key)).count() >= SOCKETS_PER_KEY
        };
        if listen_key.is_some_and(used) {
            return Err(Unwelcome("Too many sockets on this listen key"));
        }
        let id = SessionId(self.next_session);
        self.next_session += 1;
        let session = Session {
            account,
            listen_key: listen_key.map(str::to_owned),
            channels: Vec::new(),
            opened: now,
            lonely: now,
            traffic: now,
            pinged: now,
            second: now,
            messages: 0,
            pushes: 0,
            arrival: now,
            silent_until: Nanos::ZERO,
            overtaken: None,
            gaps: Vec::new(),
        };
        self.sessions.insert(id, session);
        Ok(id)
    }

    pub fn close_session(&mut self, id: SessionId) {
        self.sessions.remove(&id);
    }

    /// A protocol ping came: it counts as traffic, and as a message. Whether it is to be answered.
    pub fn on_ping(&mut self, now: Nanos, id: SessionId) -> bool {
        self.advance(now);
        self.counts_message(now, id) && !self.is_silent(id)
    }

    /// A message of the client came; whether the socket still stands.
    fn counts_message(&mut self, now: Nanos, id: SessionId) -> bool {
        let most = self.settings.ws_messages;
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        session.traffic = now;
        if now.since(session.second) >= Nanos::from_secs(1) {
            session.second = now;
            session.messages = 0;
        }
        session.messages += 1;
        let fits = session.messages <= most;
        if !fits {
            self.end(id, "too many messages");
        }
        fits
    }

    pub(super) fn end(&mut self, id: SessionId, reason: &'static str) {
        if let Some(session) = self.sessions.remove(&id) {
            self.emit(session.arrival, Output::Close(id, reason));
        }
    }

    /// A text message came.
    pub fn on_text(&mut self, now: Nanos, id: SessionId, text: &str) {
        self.advance(now);
        if !self.counts_message(now, id) {
            return;
        }
        let reply = match serde_json::from_str::<Control>(text) {
            Err(_) => ack(0, "Invalid message"),
            Ok(control) => match control.method.to_ascii_uppercase().as_str() {
                "PING" => ack(control.id, "PONG"),
                "SUBSCRIPTION" => return self.subscribe(id, &control),
                "UNSUBSCRIPTION" => {
                    if let Some(session) = self.sessions.get_mut(&id)
                        && !session.channels.is_empty()
                    {
                        session.channels.retain(|channel| !control.params.contains(&channel.to_string()));
                        session.lonely = now;
                    }
                    ack(control.id, &control.params.join(","))
                }
                _ => ack(control.id, "Invalid method"),
            },
        };
        self.send(id, Output::Text(id, reply), Nanos::ZERO);
    }

    fn subscribe(&mut self, id: SessionId, control: &Control) {
        let mut parts = Vec::new();
        let mut opened = Vec::new();
        for text in &control.params {
            match self.admit_channel(id, text) {
                Ok(Some(channel)) => {
                    parts.push(text.clone());
                    opened.push(channel);
                }
                Ok(None) => parts.push(text.clone()),
                Err(reason) => parts.push(refused(text, reason)),
            }
        }
        self.send(id, Output::Text(id, ack(control.id, &parts.join(","))), Nanos::ZERO);
        for channel in opened {
            if matches!(channel, Channel::AggreDepth { .. })
                && let Some(market) = self.market_of(&channel)
            {
                self.markets[market].start(self.now);
            }
            if self.settings.first_push {
                self.push_first(id, &channel);
            }
        }
    }

    pub(super) fn market_of(&self, channel: &Channel) -> Option<usize> {
        self.by_symbol.get(channel.symbol()?.as_str()).copied()
    }

    /// The channel if it is new to the socket, nothing if it has it already.
    fn admit_channel(&mut self, id: SessionId, text: &str) -> Result<Option<Channel>, &'static str> {
        let channel: Channel = text.parse().map_err(|_| "Blocked!")?;
        let served = match &channel {
            Channel::BookTickerBatch { .. } => false,
            Channel::MiniTicker { zone, .. } | Channel::MiniTickers { zone } => Zone::read(zone).is_some(),
            _ => true,
        };
        let known = channel.symbol().is_none() || self.market_of(&channel).is_some();
        let most = self.settings.ws_subscriptions;
        let session = self.sessions.get_mut(&id).ok_or("Blocked!")?;
        if !served || !known || (channel.is_private() && session.account.is_none()) {
            return Err("Blocked!");
        }
        if session.channels.contains(&channel) {
            return Ok(None);
        }
        if session.channels.len() as u64 >= most {
            return Err("Too many subscriptions!");
        }
        session.channels.push(channel.clone());
        Ok(Some(channel))
    }

    /// Closes what is over its time and pings the rest.
    pub(super) fn watch_sessions(&mut self) {
        let now = self.now;
        let s = &self.settings;
        let (lonely, idle, ping, life) = (
            Nanos::from_millis(s.ws_no_subscription_ms),
            Nanos::from_millis(s.ws_idle_ms),
            Nanos::from_millis(s.ws_ping_ms),
            Nanos::from_millis(s.ws_lifetime_ms),
        );
        let (mut over, mut pings) = (Vec::new(), Vec::new());
        for (id, session) in &mut self.sessions {
            if now.since(session.opened) >= life {
                over.push((*id, "24 hours are over"));
            } else if session.channels.is_empty() && now.since(session.lonely) >= lonely {
                over.push((*id, "no valid subscription"));
            } else if now.since(session.traffic) >= idle {
                over.push((*id, "no traffic"));
            } else if ping.0 > 0 && now.since(session.pinged) >= ping {
                session.pinged = now;
                pings.push(*id);
            }
        }
        for id in pings {
            self.send(id, Output::Ping(id), Nanos::ZERO);
        }
        for (id, reason) in over {
            self.end(id, reason);
        }
        self.expire_listen_keys();
        self.release_overtaken();
    }
}
