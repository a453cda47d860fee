//! HTTP/1.1 by hand: one write per request, one reply, nothing in between that could blur whether a byte left.

use bytes::{Bytes, BytesMut};
use flashpod_engine::io::{HttpRequest, Method};
use flashpod_mexc::Signer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::dial::Socket;
use crate::endpoint::Endpoint;

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

/// Everything that is the same in each request of one account, built once.
#[derive(Debug)]
pub(crate) struct RequestWriter {
    /// From the method to the path prefix of the base URL, by method.
    heads: [String; 4],
    /// From the protocol to the end, of reads and of the rest.
    unsigned: [String; 2],
    /// The same with the key.
    signed: Option<([String; 2], Signer)>,
}

impl RequestWriter {
    pub(crate) fn new(endpoint: &Endpoint, api_key: Option<&str>, signer: Option<Signer>) -> Self {
        let heads = ["GET", "POST", "PUT", "DELETE"].map(|method| format!("{method} {}", endpoint.path));
        let host = endpoint.authority();
        // The venue refuses other content types (700013) although the body is empty.
        let tails = |key: &str| {
            ["", "Content-Type: application/json\r\nContent-Length: 0\r\n"]
                .map(|body| format!(" HTTP/1.1\r\nHost: {host}\r\n{key}{body}\r\n"))
        };
        let signed = api_key.map(|key| tails(&format!("X-MEXC-APIKEY: {key}\r\n"))).zip(signer);
        Self { heads, unsigned: tails(""), signed }
    }

    /// Writes the whole request into `out`, signing it; an error names what makes it impossible to send.
    pub(crate) fn write(&self, request: &HttpRequest, out: &mut Vec<u8>) -> Result<(), &'static str> {
        if !request.path.starts_with('/') || !clean(&request.path) || !clean(&request.params) {
            return Err("path or parameters hold characters that can't stand in a request line");
        }
        let tail = usize::from(request.method != Method::Get);
        out.clear();
        out.extend_from_slice(self.heads[request.method as usize].as_bytes());
        out.extend_from_slice(request.path.as_bytes());
        if request.signed {
            let Some((tails, signer)) = &self.signed else {
                return Err("a signed request needs credentials, and this connection has none");
            };
            out.push(b'?');
            signer.append_signed(&request.params, out);
            out.extend_from_slice(tails[tail].as_bytes());
            return Ok(());
        }
        if !request.params.is_empty() {
            out.push(b'?');
            out.extend_from_slice(request.params.as_bytes());
        }
        out.extend_from_slice(self.unsigned[tail].as_bytes());
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

/// The same in two writes; between them it does what is asked.
pub(crate) async fn send_in_halves(
    socket: &mut Socket,
    request: &[u8],
    between: impl FnOnce(),
) -> std::io::Result<()> {
    let (first, second) = request.split_at(request.len() / 2);
    send(socket, first).await?;
    between();
    send(socket, second).await
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

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll};

    use flashpod_engine::io::{RequestClass, RequestId};
    use flashpod_types::Nanos;
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::*;

    /// Takes everything, and remembers each write.
    struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

    impl AsyncRead for Writes {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Writes {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
            self.0.lock().unwrap().push(buf.to_vec());
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn request(method: Method, params: &str, signed: bool) -> HttpRequest {
        HttpRequest {
            id: RequestId(1),
            class: RequestClass::Order,
            method,
            path: "/x".into(),
            params: params.into(),
            signed,
            timeout: Nanos::from_secs(1),
            not_after: None,
        }
    }

    #[tokio::test]
    async fn a_request_is_one_write() {
        let endpoint = Endpoint::rest("http://h/api").unwrap();
        let writer = RequestWriter::new(&endpoint, Some("k"), Some(Signer::new("s")));
        let mut out = Vec::new();
        writer.write(&request(Method::Delete, "a=1", true), &mut out).unwrap();
        let writes = Arc::new(Mutex::new(Vec::new()));
        let mut socket: Socket = Box::new(Writes(Arc::clone(&writes)));
        send(&mut socket, &out).await.unwrap();
        assert_eq!(*writes.lock().unwrap(), [out]);
    }

    #[test]
    fn what_is_written_takes_no_memory_after_the_first() {
        let endpoint = Endpoint::rest("https://h").unwrap();
        let writer = RequestWriter::new(&endpoint, Some("k"), Some(Signer::new("s")));
        let mut out = Vec::new();
        writer.write(&request(Method::Post, "symbol=BTCUSDC&price=100000", true), &mut out).unwrap();
        let place = (out.as_ptr(), out.capacity());
        for method in [Method::Get, Method::Post, Method::Put, Method::Delete] {
            writer.write(&request(method, "a=1", true), &mut out).unwrap();
            assert_eq!((out.as_ptr(), out.capacity()), place);
        }
        writer.write(&request(Method::Get, "", false), &mut out).unwrap();
        assert_eq!(out, b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    }
}
