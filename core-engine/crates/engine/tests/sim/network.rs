//! The network between the two ends: it delays, loses, repeats and reorders on demand.

use bytes::Bytes;
use flashpod_engine::Action;
use flashpod_engine::Input;
use flashpod_engine::io::{ConnId, FeedEvent, FeedKind, HttpOutcome, HttpRequest, Method, SessionEvent};
use flashpod_types::Nanos;

use super::venue::{EPOCH_MS, Stream};
use super::{Event, LATENCY, Sim};

/// What happens to the nth request (1 = the next) of a method and path.
#[derive(Debug, Clone)]
pub struct Fault {
    pub method: Method,
    pub path: &'static str,
    pub nth: u32,
    pub what: Broken,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Broken {
    /// No reply; the venue has carried it out or not.
    Timeout {
        applied: bool,
    },
    Status {
        status: u16,
        applied: bool,
        retry_after_s: Option<u32>,
    },
    /// The bytes never left.
    NotSent,
    /// Held up on the way for this long.
    Late(Nanos),
    /// The reply is held up on its way back.
    LateReply(Nanos),
}

impl Sim {
    pub(super) fn later(&mut self, at: Nanos, event: Event) {
        self.queued += 1;
        self.queue.insert((at, self.queued), event);
    }

    fn feed(&mut self, conn: ConnId, event: FeedEvent, delay: Nanos) {
        let received = self.now + delay + self.lag.get(&conn).copied().unwrap_or_default();
        self.later(received, Event::Input(Box::new(Input::Feed { conn, received, event })));
    }

    pub(super) fn carry_out(&mut self, action: Action) {
        match action {
            Action::Http(request) => {
                self.requests.push(request.clone());
                let fault = self.fault(&request);
                let (id, now) = (request.id, self.now);
                match fault {
                    Some(Broken::NotSent) => {
                        let outcome =
                            HttpOutcome::Broken { bytes_sent: false, reason: "no connection".into() };
                        let input = Input::Http { id, sent: None, received: now + LATENCY, outcome };
                        self.later(now + LATENCY, Event::Input(Box::new(input)));
                    }
                    Some(Broken::Late(late)) => {
                        self.later(now + LATENCY + late, Event::ToVenue(Box::new(request), now));
                    }
                    Some(Broken::LateReply(late)) => {
                        let (status, body) = self.ask_venue(&request);
                        let (received, body) = (now + LATENCY + late, Bytes::from(body));
                        let outcome = HttpOutcome::Reply { status, retry_after_s: None, body };
                        let input = Input::Http { id, sent: Some(now), received, outcome };
                        self.later(received, Event::Input(Box::new(input)));
                    }
                    Some(what) => self.fail(request, what),
                    None => self.later(now + LATENCY, Event::ToVenue(Box::new(request), now)),
                }
            }
            Action::OpenFeed { conn, kind } => {
                match kind {
                    FeedKind::Public => self.public.push(conn),
                    FeedKind::Private { listen_key } => {
                        self.private_opened += 1;
                        assert!(
                            self.venue.listen_keys.contains(&listen_key),
                            "opened with a key that is not valid"
                        );
                        self.private = Some(conn);
                        self.privates.push(conn);
                    }
                }
                self.feed(conn, FeedEvent::Up, LATENCY);
                if self.shut_private && self.private == Some(conn) {
                    self.forget(conn);
                    self.feed(conn, FeedEvent::Down { reason: "going away".into() }, Nanos(LATENCY.0 * 2));
                }
            }
            Action::FeedText { text, .. } if self.swallow > 0 && text.contains("SUBSCRIPTION") => {
                self.swallow -= 1;
            }
            Action::FeedText { conn, text }
                if !(self.mute || self.deaf.contains(&conn) && text.contains("PING")) =>
            {
                let reply = if text.contains("PING") {
                    r#"{"id":0,"code":0,"msg":"PONG"}"#.to_owned()
                } else {
                    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                    let channels: Vec<&str> =
                        value["params"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
                    serde_json::json!({"id": value["id"], "code": 0, "msg": channels.join(",")}).to_string()
                };
                self.feed(conn, FeedEvent::Text(reply), Nanos(LATENCY.0 * 2));
            }
            Action::CloseFeed { conn } => self.forget(conn),
            Action::Session { instance, event } => match event {
                SessionEvent::Order(event) => self.events.push((instance, *event)),
                SessionEvent::State { state, reason } => self.states.push((instance, state, reason)),
                SessionEvent::Rule(answer) => self.rule_answers.push(*answer),
                SessionEvent::Welcome(welcome) => self.welcomes.push((instance, *welcome)),
            },
            Action::Stopped => self.stopped = true,
            Action::Book(top) => {
                self.certified.push((top.symbol, top.certified));
                self.tops.insert(top.symbol, top.received);
            }
            Action::Hop { hop, nanos, .. } => self.hops.push((hop, Nanos(nanos))),
            Action::FeedText { .. } | Action::Trades(_) | Action::Fact(_) | Action::StatusChanged => {}
        }
    }

    fn fault(&mut self, request: &HttpRequest) -> Option<Broken> {
        let mut hit = None;
        for fault in &mut self.faults {
            if fault.method == request.method && fault.path == request.path && fault.nth > 0 {
                fault.nth -= 1;
                if fault.nth == 0 {
                    hit = Some(fault.what);
                }
            }
        }
        self.faults.retain(|fault| fault.nth > 0);
        hit
    }

    fn fail(&mut self, request: HttpRequest, what: Broken) {
        let (sent, now) = (Some(self.now), self.now);
        let (outcome, applied, at) = match what {
            Broken::Timeout { applied } => (HttpOutcome::Timeout, applied, now + request.timeout),
            Broken::Status { status, applied, retry_after_s } => {
                let body = Bytes::from_static(b"{\"code\":503,\"msg\":\"service not available\"}");
                let body = if status == 503 { body } else { Bytes::new() };
                (HttpOutcome::Reply { status, retry_after_s, body }, applied, now + Nanos(LATENCY.0 * 2))
            }
            Broken::NotSent | Broken::Late(_) | Broken::LateReply(_) => unreachable!("handled by the caller"),
        };
        if applied {
            self.ask_venue(&request);
        }
        let input = Input::Http { id: request.id, sent, received: at, outcome };
        self.later(at, Event::Input(Box::new(input)));
    }

    pub(super) fn ask_venue(&mut self, request: &HttpRequest) -> (u16, String) {
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        };
        self.venue.now_ms = EPOCH_MS + i64::try_from(self.now.as_millis()).unwrap();
        self.venue.request(method, &request.path, &request.params)
    }

    /// Sends what the venue pushed since the last call on its way.
    pub(super) fn collect_pushes(&mut self) {
        let mut private = Vec::new();
        for (stream, bytes) in std::mem::take(&mut self.venue.pushes) {
            match stream {
                Stream::Public => {
                    for conn in self.public.clone() {
                        if let Some(left) = self.lose.get_mut(&conn).filter(|left| **left > 0) {
                            *left -= 1;
                            continue;
                        }
                        self.feed(conn, FeedEvent::Binary(Bytes::from(bytes.clone())), LATENCY);
                    }
                }
                Stream::Private if self.hold_private => self.held.push(bytes),
                Stream::Private => private.push(bytes),
            }
        }
        self.deliver(private);
    }

    /// Lets held private pushes go.
    pub fn release_private(&mut self) {
        self.hold_private = false;
        let held = std::mem::take(&mut self.held);
        self.deliver(held);
    }

    fn deliver(&mut self, mut pushes: Vec<Vec<u8>>) {
        if self.reverse_private {
            pushes.reverse();
        }
        if self.privates.is_empty() {
            return;
        }
        for bytes in pushes {
            if self.drop_private > 0 {
                self.drop_private -= 1;
                continue;
            }
            for conn in self.privates.clone() {
                for _ in 0..=u8::from(self.repeat_private) {
                    self.feed(conn, FeedEvent::Binary(Bytes::from(bytes.clone())), LATENCY);
                }
            }
        }
    }

    fn forget(&mut self, conn: ConnId) {
        self.public.retain(|&open| open != conn);
        self.privates.retain(|&open| open != conn);
        self.private = self.privates.last().copied();
    }

    pub fn disconnect(&mut self, conn: ConnId) {
        self.forget(conn);
        self.feed(conn, FeedEvent::Down { reason: "reset by peer".into() }, LATENCY);
    }
}
