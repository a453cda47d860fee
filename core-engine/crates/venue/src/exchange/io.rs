//! What goes in and what comes out.

use std::net::IpAddr;

use bytes::Bytes;

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
    /// Held back this long by a fault.
    pub delay_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    Reply(RequestId, HttpReply),
    Text(SessionId, String),
    /// One binary frame.
    Push(SessionId, Bytes),
    Ping(SessionId),
    Close(SessionId, &'static str),
}
