//! A venue that does what a test tells it to, and the core's side of the network thread.
#![allow(dead_code, unreachable_pub, missing_debug_implementations)] // each test file uses a part of it

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flashpod_engine::io::{HttpOutcome, HttpRequest, Input, Method, Params, RequestClass, RequestId};
use flashpod_mexc::Signer;
use flashpod_net::cpu::PollMode;
use flashpod_net::ring::{Inbox, OutboxSender, outbox};
use flashpod_net::{Clock, Endpoint, NetCommand, NetConfig, NetOptions, NetThread, RestConfig, Tls};
use flashpod_types::Nanos;

/// Longest wait for anything; only a failing test takes it.
pub const PATIENCE: Nanos = Nanos::from_secs(20);

/// Listens and runs `script` for each connection, on threads of their own; the index counts connections.
pub fn serve<F>(script: F) -> SocketAddr
where
    F: Fn(usize, TcpStream) + Send + Sync + 'static,
{
    serve_on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
}

/// The same on a listener of the test's own.
pub fn serve_on<F>(listener: TcpListener, script: F) -> SocketAddr
where
    F: Fn(usize, TcpStream) + Send + Sync + 'static,
{
    let address = listener.local_addr().unwrap();
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().enumerate() {
            let script = Arc::clone(&script);
            std::thread::spawn(move || script(index, stream.unwrap()));
        }
    });
    address
}

/// One request head, or `None` at the end of the stream.
pub fn read_head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8(head).unwrap())
}

pub fn reply(stream: &mut impl Write, status: &str, headers: &str, body: &str) {
    let length = body.len();
    // The client may be gone on purpose.
    let _ = stream.write_all(
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n{body}").as_bytes(),
    );
}

pub struct Core {
    pub inbox: Inbox<Input>,
    pub commands: OutboxSender<NetCommand>,
    pub net: NetThread,
    next: u64,
}

pub struct Options {
    pub secure: bool,
    pub ca_file: Option<PathBuf>,
    pub shared: usize,
    pub orders: usize,
    pub ping_every: Duration,
    pub connect_timeout: Duration,
    pub net: NetOptions,
    /// In place of the venue's address.
    pub host: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            secure: false,
            ca_file: None,
            shared: 1,
            orders: 0,
            ping_every: Duration::from_secs(3_600),
            connect_timeout: Duration::from_secs(5),
            net: NetOptions::default(),
            host: None,
        }
    }
}

pub fn core(address: SocketAddr, options: Options) -> Core {
    let scheme = if options.secure { "s" } else { "" };
    let address = options.host.unwrap_or_else(|| address.to_string());
    let endpoint = Endpoint::rest(&format!("http{scheme}://{address}")).unwrap();
    let mut rest = RestConfig::new(endpoint, Some("the-key".to_owned()), Some(Signer::new("the-secret")));
    rest.shared_connections = options.shared;
    rest.order_connections = options.orders;
    rest.ping_every = options.ping_every;
    rest.connect_timeout = options.connect_timeout;
    let config = NetConfig {
        account: "main".to_owned(),
        rest,
        websocket: Endpoint::websocket(&format!("ws{scheme}://{address}/ws")).unwrap(),
        tls: Tls::new(options.ca_file.as_deref()).unwrap(),
        options: options.net,
    };
    let (inbox, [inputs]) = Inbox::new(PollMode::Park, [64]);
    let (commands, receiver) = outbox(64);
    let net = NetThread::spawn(config, receiver, inputs).unwrap();
    Core { inbox, commands, net, next: 0 }
}

impl Core {
    pub fn next_input(&mut self) -> Input {
        let start = Clock.mono();
        loop {
            if let Some(input) = self.inbox.pop() {
                return input;
            }
            assert!(Clock.mono().since(start) < PATIENCE, "nothing came");
            self.inbox.wait(Duration::from_millis(100));
        }
    }

    pub fn send(&mut self, request: HttpRequest) -> RequestId {
        self.next += 1;
        let id = RequestId(self.next);
        self.commands.try_push(NetCommand::Http(HttpRequest { id, ..request })).unwrap();
        id
    }

    pub fn outcome(&mut self) -> (RequestId, Option<Nanos>, Nanos, HttpOutcome) {
        match self.next_input() {
            Input::Http { id, sent, received, outcome } => (id, sent, received, outcome),
            other => panic!("expected an HTTP outcome, got {other:?}"),
        }
    }

    pub fn exchange(&mut self, request: HttpRequest) -> (Option<Nanos>, HttpOutcome) {
        let asked = self.send(request);
        let (id, sent, _, outcome) = self.outcome();
        assert_eq!(id, asked);
        (sent, outcome)
    }

    /// Waits until `condition` holds.
    pub fn wait_until(&self, what: &str, mut condition: impl FnMut(&NetThread) -> bool) {
        let start = Clock.mono();
        while !condition(&self.net) {
            assert!(Clock.mono().since(start) < PATIENCE, "never: {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

pub fn query(path: &str) -> HttpRequest {
    HttpRequest {
        id: RequestId(0),
        class: RequestClass::Query,
        method: Method::Get,
        path: path.to_owned().into(),
        params: Params::new(),
        signed: false,
        timeout: PATIENCE,
        not_after: None,
    }
}

pub fn order(class: RequestClass, params: &str) -> HttpRequest {
    HttpRequest {
        class,
        method: if class == RequestClass::Cancel { Method::Delete } else { Method::Post },
        path: "/api/v3/order".into(),
        params: params.into(),
        signed: true,
        ..query("")
    }
}

/// A throw-away CA, a certificate of it for 127.0.0.1, and the CA's PEM file.
pub struct Authority {
    pub ca_file: PathBuf,
    pub server: Arc<rustls::ServerConfig>,
    _directory: tempfile::TempDir,
}

pub fn authority() -> Authority {
    authority_of("127.0.0.1")
}

/// The same for another host.
pub fn authority_of(host: &str) -> Authority {
    let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let ca_file = directory.path().join("ca.pem");
    std::fs::write(&ca_file, ca.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    Authority { ca_file, server: Arc::new(server), _directory: directory }
}

pub fn tls(server: &Arc<rustls::ServerConfig>, stream: TcpStream) -> impl Read + Write + use<> {
    let connection = rustls::ServerConnection::new(Arc::clone(server)).unwrap();
    rustls::StreamOwned::new(connection, stream)
}
