//! Two connections over loopback, one for the market and one for requests, each end read by spinning.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use anyhow::Context;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

pub(super) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One end of one connection. Never sleeps.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// The other end has closed it.
    pub closed: bool,
}

/// The market's connection and that of the requests.
pub(super) struct End {
    pub market: Wire,
    pub requests: Wire,
}

pub(super) struct Wires {
    pub exchange: End,
    pub core: End,
}

impl Wire {
    fn of(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), closed: false }
    }

    /// What is there now, which may be nothing.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> anyhow::Result<usize> {
        match self.stream.read(buffer) {
            Ok(read) => {
                self.closed |= read == 0;
                Ok(read)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            // TLS without its farewell.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.closed = true;
                Ok(0)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// In one piece; loopback buffers are larger than anything that is written here.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> anyhow::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => return Err(error.into()),
            }
        }
        loop {
            match self.stream.flush() {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A connected pair.
fn pair() -> anyhow::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
    }
    Ok((server, client))
}

impl Wires {
    pub(super) fn plain() -> anyhow::Result<Self> {
        let connect = || -> anyhow::Result<(Wire, Wire)> {
            let (server, client) = pair()?;
            Ok((Wire::of(server), Wire::of(client)))
        };
        Self::of(connect)
    }

    /// TLS 1.3 with a certificate of this run; the core's end checks it.
    pub(super) fn tls() -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone())?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (server, client) = (Arc::new(server), Arc::new(client));
        Self::of(|| {
            let (there, here) = pair()?;
            let mut there = StreamOwned::new(ServerConnection::new(Arc::clone(&server))?, there);
            let name = ServerName::try_from("localhost").context("a server's name")?;
            let mut here = StreamOwned::new(ClientConnection::new(Arc::clone(&client), name)?, here);
            while there.conn.is_handshaking() || here.conn.is_handshaking() {
                step(here.conn.complete_io(&mut here.sock))?;
                step(there.conn.complete_io(&mut there.sock))?;
            }
            Ok((Wire::of(there), Wire::of(here)))
        })
    }

    fn of(connect: impl Fn() -> anyhow::Result<(Wire, Wire)>) -> anyhow::Result<Self> {
        let ((market, own_market), (requests, own_requests)) = (connect()?, connect()?);
        Ok(Self {
            exchange: End { market, requests },
            core: End { market: own_market, requests: own_requests },
        })
    }
}

/// A handshake that waits for the other side is no error.
fn step(done: std::io::Result<(usize, usize)>) -> std::io::Result<()> {
    match done {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}
