//! HTTP/1.1 by hand: one write per request, one reply, nothing in between that could blur whether a byte left.

use bytes::{Bytes, BytesMut};
use flashpod_engine::io::{HttpRequest, Method};
use flashpod_mexc::Signer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::endpoint::{Endpoint, Socket};

/// Larger replies are refused; exchangeInfo of every pair is a few MB.
const MAX_REPLY: usize = 64 << 20;
const MAX_HEADERS: usize = 64;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the venue closed the connection before its reply was complete")]
    Closed,
    #[error("the reply is not HTTP/1.1: {0}")]
    Garbage(String),
    #[error("the reply is larger than {MAX_REPLY} bytes")]
    TooLarge,
}

/// Everything that is the same in each request of one account.
#[derive(Debug)]
pub(crate) struct RequestWriter {
    /// Path prefix of the base URL.
    prefix: String,
    host_header: String,
    key_header: Option<String>,
    signer: Option<Signer>,
}

/// For `&signature=` and 64 digits.
const SIGNATURE_ROOM: usize = 80;

impl RequestWriter {
    pub(crate) fn new(endpoint: &Endpoint, api_key: Option<&str>, signer: Option<Signer>) -> Self {
        Self {
            prefix: endpoint.path.clone(),
            host_header: format!("Host: {}\r\n", endpoint.authority()),
            key_header: api_key.map(|key| format!("X-MEXC-APIKEY: {key}\r\n")),
            signer,
        }
    }

    /// Writes the whole request into `out`, signing it; an error names what makes it impossible to send.
    pub(crate) fn write(&self, request: &HttpRequest, out: &mut Vec<u8>) -> Result<(), &'static str> {
        if !request.path.starts_with('/') || !clean(&request.path) || !clean(&request.params) {
            return Err("path or parameters hold characters that can't stand in a request line");
        }
        let mut params = String::with_capacity(request.params.len() + SIGNATURE_ROOM);
        params.push_str(&request.params);
        let mut key_header = "";
        if request.signed {
            let (Some(signer), Some(header)) = (&self.signer, &self.key_header) else {
                return Err("a signed request needs credentials, and this connection has none");
            };
            signer.append(&mut params);
            // With no parameters at all the signature is the first one.
            if request.params.is_empty() {
                params.remove(0);
            }
            key_header = header;
        }
        let method = match request.method {
            Method::Get => "GET ",
            Method::Post => "POST ",
            Method::Put => "PUT ",
            Method::Delete => "DELETE ",
        };
        // The venue refuses other content types (700013) although the body is empty.
        let body_headers = match request.method {
            Method::Get => "",
            _ => "Content-Type: application/json\r\nContent-Length: 0\r\n",
        };
        let question = if params.is_empty() { "" } else { "?" };
        out.clear();
        for part in [
            method,
            &self.prefix,
            &request.path,
            question,
            &params,
            " HTTP/1.1\r\n",
            &self.host_header,
            key_header,
            body_headers,
            "\r\n",
        ] {
            out.extend_from_slice(part.as_bytes());
        }
        Ok(())
    }
}

fn clean(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Hands the request to the socket in one write.
pub(crate) async fn send(socket: &mut Socket, request: &[u8]) -> std::io::Result<()> {
    socket.write_all(request).await?;
    socket.flush().await
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after_s: Option<u32>,
    pub(crate) body: Bytes,
    /// Whether the connection may carry another request.
    pub(crate) keep: bool,
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

struct Head {
    reply: Reply,
    framing: Framing,
}

/// Reads one whole reply; `buffer` keeps its allocation from one to the next.
pub(crate) async fn receive(socket: &mut Socket, buffer: &mut BytesMut) -> Result<Reply, ExchangeError> {
    buffer.clear();
    let head = loop {
        if let Some((head, length)) = parse_head(buffer)? {
            let _ = buffer.split_to(length);
            // 1xx says that the reply is still to come.
            if head.reply.status >= 200 {
                break head;
            }
            continue;
        }
        fill(socket, buffer).await?;
    };
    let mut reply = head.reply;
    reply.body = match head.framing {
        Framing::Length(length) if length > MAX_REPLY => return Err(ExchangeError::TooLarge),
        Framing::Length(length) => {
            buffer.reserve(length.saturating_sub(buffer.len()));
            while buffer.len() < length {
                fill(socket, buffer).await?;
            }
            // More than was announced: the stream is out of step.
            reply.keep &= buffer.len() == length;
            buffer.split_to(length).freeze()
        }
        Framing::Chunked => {
            let body = read_chunks(socket, buffer).await?;
            reply.keep &= buffer.is_empty();
            body
        }
        Framing::UntilClose => {
            reply.keep = false;
            loop {
                match fill(socket, buffer).await {
                    Ok(()) => {}
                    Err(ExchangeError::Closed) => break buffer.split().freeze(),
                    Err(error) => return Err(error),
                }
            }
        }
    };
    Ok(reply)
}

async fn fill(socket: &mut Socket, buffer: &mut BytesMut) -> Result<(), ExchangeError> {
    if buffer.len() > MAX_REPLY {
        return Err(ExchangeError::TooLarge);
    }
    buffer.reserve(4096);
    match socket.read_buf(buffer).await? {
        0 => Err(ExchangeError::Closed),
        _ => Ok(()),
    }
}

/// The head and its length, or `None` while it is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, ExchangeError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(ExchangeError::Garbage(error.to_string())),
    };
    let status = response.code.unwrap_or_default();
    let mut keep = response.version == Some(1);
    let mut framing =
        if matches!(status, 100..200 | 204 | 304) { Framing::Length(0) } else { Framing::UntilClose };
    let mut retry_after_s = None;
    for header in response.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        if header.name.eq_ignore_ascii_case("content-length") {
            let length =
                value.parse().map_err(|_| ExchangeError::Garbage(format!("Content-Length {value:?}")))?;
            framing = Framing::Length(length);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(ExchangeError::Garbage(format!("Transfer-Encoding {value:?}")));
            }
            framing = Framing::Chunked;
        } else if header.name.eq_ignore_ascii_case("connection") {
            keep &= !value.eq_ignore_ascii_case("close");
        } else if header.name.eq_ignore_ascii_case("retry-after") {
            retry_after_s = value.parse().ok();
        }
    }
    let reply = Reply { status, retry_after_s, body: Bytes::new(), keep };
    Ok(Some((Head { reply, framing }, length)))
}

async fn read_chunks(socket: &mut Socket, buffer: &mut BytesMut) -> Result<Bytes, ExchangeError> {
    let mut body = BytesMut::new();
    loop {
        let (header, size) = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete(parsed)) => break parsed,
                Ok(httparse::Status::Partial) => fill(socket, buffer).await?,
                Err(_) => return Err(ExchangeError::Garbage("a chunk has no size".to_owned())),
            }
        };
        let size = usize::try_from(size).map_err(|_| ExchangeError::TooLarge)?;
        if body.len().saturating_add(size) > MAX_REPLY {
            return Err(ExchangeError::TooLarge);
        }
        // Each chunk, the last and empty one as well, ends with CR LF. Trailers are not used by any venue.
        while buffer.len() < header + size + 2 {
            fill(socket, buffer).await?;
        }
        let _ = buffer.split_to(header);
        let chunk = buffer.split_to(size);
        if buffer.split_to(2) != b"\r\n"[..] {
            return Err(ExchangeError::Garbage("a chunk is longer than its size".to_owned()));
        }
        if size == 0 {
            return Ok(body.freeze());
        }
        body.extend_from_slice(&chunk);
    }
}
