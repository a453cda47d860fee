//! Making a connection: the fastest address, TCP with its options, TLS.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flashpod_types::Nanos;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::addresses::{AddressCounters, Addresses, Resolver};
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::socket::{Arrival, SocketCounters, SocketOptions, Tcp};
use crate::tls::Tls;

/// How often addresses are looked through for ones that should be measured.
const MEASURE_EVERY: Duration = Duration::from_secs(30);
/// Time for one measurement.
const MEASURE_LIMIT: Duration = Duration::from_secs(5);

/// Connects to one endpoint.
#[derive(Debug)]
pub(crate) struct Dialer {
    pub(crate) endpoint: Endpoint,
    tls: Tls,
    addresses: Addresses,
    options: SocketOptions,
    sockets: Arc<SocketCounters>,
}

/// A connection, and what is known of it.
pub(crate) struct Connected {
    pub(crate) socket: Socket,
    pub(crate) arrival: Arrival,
}

impl Dialer {
    pub(crate) fn new(
        endpoint: Endpoint,
        tls: Tls,
        resolver: Resolver,
        options: SocketOptions,
        sockets: Arc<SocketCounters>,
        addresses: Arc<AddressCounters>,
    ) -> Self {
        let addresses = Addresses::new(&endpoint.host, endpoint.port, resolver, addresses);
        Self { endpoint, tls, addresses, options, sockets }
    }

    /// Connects within `limit`, to the fastest address, and to the next if that fails. `spare`: the second fastest is
    /// tried first, so that it is ready when the first goes.
    pub(crate) async fn connect(&self, limit: Duration, spare: bool) -> Result<Connected, ConnectError> {
        let at = self.endpoint.to_string();
        match tokio::time::timeout(limit, self.try_all(limit, spare)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ConnectError::Timeout { at, limit }),
        }
    }

    async fn try_all(&self, limit: Duration, spare: bool) -> Result<Connected, ConnectError> {
        let failed = |source| ConnectError::Tcp { at: self.endpoint.to_string(), source };
        let mut order = self.addresses.in_order().await.map_err(failed)?;
        if spare && order.len() > 1 {
            order.swap(0, 1);
        }
        let each = limit / u32::try_from(order.len()).unwrap_or(1);
        let last = order.len() - 1;
        for (index, &address) in order.iter().enumerate() {
            match self.try_one(address, each).await {
                Ok(connected) => return Ok(connected),
                Err(error) if index == last => return Err(error),
                Err(error) => {
                    tracing::warn!(%address, error = error.to_string(), "an address failed, the next is tried");
                    self.addresses.went_on();
                }
            }
        }
        Err(failed(std::io::ErrorKind::NotFound.into()))
    }

    /// One address: how long it took goes into its measure, a failure puts it last.
    async fn try_one(&self, address: SocketAddr, limit: Duration) -> Result<Connected, ConnectError> {
        let began = Clock.mono();
        let outcome = match tokio::time::timeout(limit, self.handshake(address)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ConnectError::Timeout { at: self.endpoint.to_string(), limit }),
        };
        match &outcome {
            Ok(_) => self.addresses.connected(address, Duration::from_nanos(Clock.mono().since(began).0)),
            Err(_) => self.addresses.failed(address),
        }
        outcome
    }

    async fn handshake(&self, address: SocketAddr) -> Result<Connected, ConnectError> {
        let at = || self.endpoint.to_string();
        let stream =
            TcpStream::connect(address).await.map_err(|source| ConnectError::Tcp { at: at(), source })?;
        let tcp = Tcp::new(stream, self.options, Arc::clone(&self.sockets));
        let arrival = tcp.arrival();
        if !self.endpoint.secure {
            return Ok(Connected { socket: Box::new(tcp), arrival });
        }
        let host = &self.endpoint.host;
        let name = ServerName::try_from(host.clone())
            .map_err(|_| ConnectError::Name { at: at(), host: host.clone() })?;
        match self.tls.connector().connect(name, tcp).await {
            Ok(stream) => Ok(Connected { socket: Box::new(stream), arrival }),
            Err(source) => Err(ConnectError::tls(at(), source)),
        }
    }

    /// Keeps the addresses measured, where there are several.
    pub(crate) async fn measure(self: Arc<Self>) {
        loop {
            for address in self.addresses.unmeasured().await {
                // A failure is noted with the address, and met again by whoever uses it.
                let _ = self.try_one(address, MEASURE_LIMIT).await;
            }
            tokio::time::sleep(MEASURE_EVERY).await;
        }
    }

    /// Address and time to connect, the one to use first.
    pub(crate) fn measured(&self) -> Vec<(SocketAddr, Option<Nanos>)> {
        self.addresses.measured()
    }
}

/// A byte stream to the venue, plain or TLS.
pub(crate) type Socket = Box<dyn Stream>;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl fmt::Debug for dyn Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
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
