//! Where a connection goes: scheme, host, port and path of a URL.

use std::fmt;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tls::Tls;

/// A parsed `http`, `https`, `ws` or `wss` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub secure: bool,
    /// Host name or address, without brackets.
    pub host: String,
    pub port: u16,
    /// Without a trailing slash; empty for none.
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} {reason}; accepted: {accepted}://HOST[:PORT][/PATH]")]
pub struct EndpointError {
    url: String,
    reason: &'static str,
    accepted: &'static str,
}

impl Endpoint {
    /// Reads the base URL of a REST service.
    pub fn rest(url: &str) -> Result<Self, EndpointError> {
        Self::parse(url, [("http://", false), ("https://", true)], "http or https")
    }

    /// Reads the URL of a WebSocket service.
    pub fn websocket(url: &str) -> Result<Self, EndpointError> {
        Self::parse(url, [("ws://", false), ("wss://", true)], "ws or wss")
    }

    fn parse(url: &str, schemes: [(&str, bool); 2], accepted: &'static str) -> Result<Self, EndpointError> {
        let wrong = |reason| EndpointError { url: url.to_owned(), reason, accepted };
        let (rest, secure) = schemes
            .into_iter()
            .find_map(|(scheme, secure)| url.strip_prefix(scheme).map(|rest| (rest, secure)))
            .ok_or_else(|| wrong("has another scheme"))?;
        if !rest.bytes().all(|b| b.is_ascii_graphic()) || rest.contains(['?', '#', '@']) {
            return Err(wrong("has characters that don't belong there"));
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = match authority.strip_prefix('[') {
            Some(v6) => {
                let (host, after) = v6.split_once(']').ok_or_else(|| wrong("has an unclosed bracket"))?;
                (host, after.strip_prefix(':'))
            }
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        if host.is_empty() {
            return Err(wrong("has no host"));
        }
        let port = match port {
            None => {
                if secure {
                    443
                } else {
                    80
                }
            }
            Some(text) => match text.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(wrong("has a port outside 1..65535")),
            },
        };
        let path = path.trim_end_matches('/').to_owned();
        Ok(Self { secure, host: host.to_owned(), port, path })
    }

    /// `host:port` as it stands in a Host header; the port is left out when it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// Connects TCP (no Nagle delay) and, for a secure scheme, TLS.
    pub async fn connect(&self, tls: &Tls, limit: Duration) -> Result<Socket, ConnectError> {
        let at = self.to_string();
        let attempt = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port))
                .await
                .map_err(|source| ConnectError::Tcp { at: at.clone(), source })?;
            tcp.set_nodelay(true).map_err(|source| ConnectError::Tcp { at: at.clone(), source })?;
            if !self.secure {
                return Ok(Box::new(tcp) as Socket);
            }
            let name = ServerName::try_from(self.host.clone())
                .map_err(|_| ConnectError::Name { at: at.clone(), host: self.host.clone() })?;
            match tls.connector().connect(name, tcp).await {
                Ok(stream) => Ok(Box::new(stream) as Socket),
                Err(source) => Err(ConnectError::tls(at.clone(), source)),
            }
        };
        match tokio::time::timeout(limit, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ConnectError::Timeout { at: self.to_string(), limit }),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A byte stream to the venue, plain or TLS.
pub type Socket = Box<dyn Stream>;

pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl fmt::Debug for dyn Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{at}: can't connect: {source}")]
    Tcp { at: String, source: std::io::Error },
    #[error("{at}: {host:?} is neither a DNS name nor an IP address that TLS can verify")]
    Name { at: String, host: String },
    #[error(
        "{at}: its certificate is not trusted ({reason}); if it is signed by a private CA, give that CA's PEM file with \
         --ca-file"
    )]
    Certificate { at: String, reason: String },
    #[error("{at}: TLS failed: {source}")]
    Tls { at: String, source: std::io::Error },
    #[error("{at}: no connection within {limit:?}")]
    Timeout { at: String, limit: Duration },
}

impl ConnectError {
    fn tls(at: String, source: std::io::Error) -> Self {
        match source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(reason)) => {
                Self::Certificate { at, reason: format!("{reason:?}") }
            }
            _ => Self::Tls { at, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, secure, host, port, path, authority) in [
            ("https://api.mexc.com", true, "api.mexc.com", 443, "", "api.mexc.com"),
            ("http://127.0.0.1:8080/", false, "127.0.0.1", 8080, "", "127.0.0.1:8080"),
            ("https://[::1]:9/x/y/", true, "::1", 9, "/x/y", "[::1]:9"),
        ] {
            let end = Endpoint::rest(url).unwrap();
            assert_eq!(
                (end.secure, end.host.as_str(), end.port, end.path.as_str(), end.authority().as_str()),
                (secure, host, port, path, authority)
            );
        }
        assert_eq!(Endpoint::websocket("wss://wbs-api.mexc.com/ws").unwrap().path, "/ws");
    }

    #[test]
    fn a_wrong_url_is_refused_with_what_is_accepted() {
        for url in
            ["api.mexc.com", "ws://a", "http://", "http://a:0", "http://a:70000", "http://a b", "http://u@h"]
        {
            let text = Endpoint::rest(url).unwrap_err().to_string();
            assert!(text.contains(url) && text.contains("http or https"), "{text}");
        }
        assert!(Endpoint::websocket("http://a").is_err());
    }
}
