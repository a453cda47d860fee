//! Where a connection goes: scheme, host, port and path of a URL.

use std::fmt;

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
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
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
