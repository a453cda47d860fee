//! What goes in and what comes out.

use std::net::IpAddr;

use bytes::Bytes;

use super::audit::Picture;

/// Names a request until its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Names a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

#[derive(Debug, Clone)]
pub struct HttpRequest {
    pub method: String,
    pub path: String,
    /// As sent, still percent-encoded: what is signed.
    pub query: String,
    pub body: String,
    pub api_key: Option<String>,
    pub content_type: Option<String>,
    pub ip: IpAddr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    pub status: u16,
    pub body: String,
    pub retry_after: Option<u64>,
    pub fate: Fate,
}

/// What becomes of a reply; a fault may want it otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Sent,
    /// Never sent, on a connection that stays open.
    Lost,
    /// The connection is reset instead.
    Reset,
}

impl HttpReply {
    /// A reply of success.
    #[must_use]
    pub fn ok(body: String) -> Self {
        Self { status: 200, body, retry_after: None, fate: Fate::Sent }
    }
}

#[derive(Debug, Clone)]
pub enum Output {
    Reply(RequestId, HttpReply),
    /// A reply that takes its time to be written: not the exchange's time.
    Audit(RequestId, Box<Picture>),
    Text(SessionId, String),
    /// A text message of the client gets no answer.
    Unanswered(SessionId),
    /// One binary frame.
    Push(SessionId, Bytes),
    Ping(SessionId),
    Close(SessionId, &'static str),
    /// The connection is reset, without a closing frame.
    Reset(SessionId),
}
