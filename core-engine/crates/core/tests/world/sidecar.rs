//! A sidecar's part: it quotes both sides of every book it sees and keeps every order event.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use flashpod_gateway::instance_socket;
use flashpod_gateway::proto;
use flashpod_gateway::proto::order_event::Kind;
use flashpod_gateway::proto::session_down::Body as Down;
use flashpod_gateway::proto::session_up::Body as Up;
use flashpod_gateway::proto::strategy_service_client::StrategyServiceClient;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::agent::channel;
use super::{Core, PATIENCE, eventually};

fn token(instance: &str) -> String {
    format!("token-of-{instance}")
}

pub fn token_sha256(instance: &str) -> String {
    hex::encode(Sha256::digest(token(instance)))
}

/// What a sidecar remembers over restarts of the core.
#[derive(Default)]
pub struct Memory {
    pub welcome: Option<proto::Welcome>,
    pub last_book: Option<proto::BookUpdate>,
    pub events: Vec<proto::OrderEvent>,
    pub states: Vec<proto::StateChange>,
    pub last_sequence: u64,
}

impl Memory {
    pub fn count(&self, kind: Kind) -> usize {
        self.events.iter().filter(|event| event.kind() == kind).count()
    }

    fn summary(&self) -> String {
        let tell = |event: &proto::OrderEvent| {
            let proto::OrderEvent { sequence, code, text, price, quantity, filled_quantity, .. } = event;
            format!(
                "\n  {sequence} {:?} {price} x {quantity} filled {filled_quantity} {code} {text}",
                event.kind()
            )
        };
        let last: String = self.events.iter().rev().take(20).rev().map(tell).collect();
        let state = self.states.last().map(|state| (state.state(), &state.reason));
        format!(
            "{} events, state {state:?}, book {:?}, the last events: {last}",
            self.events.len(),
            self.last_book
        )
    }

    pub fn fills(&self) -> usize {
        self.events.iter().filter(|event| event.fill.is_some()).count()
    }
}

pub struct Sidecar {
    pub instance: String,
    symbol: String,
    /// Base quantity of each quote.
    quantity: String,
    pub memory: Arc<Mutex<Memory>>,
    quoting: Arc<Mutex<bool>>,
    up: mpsc::Sender<proto::SessionUp>,
    task: JoinHandle<()>,
}

impl Sidecar {
    pub async fn connect(core: &Core, instance: &str, symbol: &str, quantity: &str) -> Self {
        Self::with(core, instance, symbol, quantity, Arc::default()).await
    }

    /// The same sidecar, connected to the next process: resumes behind the last event it saw.
    pub async fn reconnect(self, core: &Core) -> Self {
        self.task.abort();
        let memory = Arc::clone(&self.memory);
        memory.lock().unwrap().welcome = None;
        Self::with(core, &self.instance, &self.symbol, &self.quantity, memory).await
    }

    async fn with(
        core: &Core,
        instance: &str,
        symbol: &str,
        quantity: &str,
        memory: Arc<Mutex<Memory>>,
    ) -> Self {
        let path: PathBuf = instance_socket(&core.socket_dir, instance);
        let mut client = StrategyServiceClient::new(channel(&path).await);
        let (up, messages) = mpsc::channel(64);
        let hello = proto::Hello {
            instance: instance.to_owned(),
            token: token(instance),
            last_sequence: memory.lock().unwrap().last_sequence,
            sdk_version: "test".to_owned(),
        };
        up.send(proto::SessionUp { body: Some(Up::Hello(hello)) }).await.unwrap();
        let down = client.session(ReceiverStream::new(messages)).await.unwrap().into_inner();
        let quoting = Arc::new(Mutex::new(false));
        let listener = Listener {
            symbol: symbol.to_owned(),
            quantity: quantity.to_owned(),
            memory: Arc::clone(&memory),
            quoting: Arc::clone(&quoting),
            up: up.clone(),
        };
        let sidecar = Self {
            instance: instance.to_owned(),
            symbol: symbol.to_owned(),
            quantity: quantity.to_owned(),
            memory,
            quoting,
            up,
            task: tokio::spawn(listener.run(down)),
        };
        eventually("the sidecar is welcomed", async || {
            sidecar.memory.lock().unwrap().welcome.as_ref().map(|_| ())
        })
        .await;
        sidecar
    }

    pub fn quote(&self, on: bool) {
        *self.quoting.lock().unwrap() = on;
    }

    /// Sends an order that takes what the book shows.
    pub async fn take(&self, reference: &str, side: proto::Side, quantity: &str) {
        let book = eventually("a certified book", async || {
            self.memory.lock().unwrap().last_book.clone().filter(|book| book.certified)
        })
        .await;
        let price = match side {
            proto::Side::Buy => book.ask_prices[0] * 1.001,
            _ => book.bid_prices[0] * 0.999,
        };
        self.intend(reference, (side, proto::OrderType::Ioc), price, quantity, &book).await;
    }

    /// Sends a buy that rests at this share of the best bid.
    pub async fn rest(&self, reference: &str, share: f64, quantity: &str) {
        let book = eventually("a certified book", async || {
            self.memory.lock().unwrap().last_book.clone().filter(|book| book.certified)
        })
        .await;
        let kind = (proto::Side::Buy, proto::OrderType::LimitMaker);
        self.intend(reference, kind, book.bid_prices[0] * share, quantity, &book).await;
    }

    async fn intend(
        &self,
        reference: &str,
        (side, kind): (proto::Side, proto::OrderType),
        price: f64,
        quantity: &str,
        book: &proto::BookUpdate,
    ) {
        let intent = proto::Intent {
            r#ref: reference.to_owned(),
            symbol: self.symbol.clone(),
            side: side.into(),
            r#type: kind.into(),
            price: format!("{price:.2}"),
            quantity: quantity.to_owned(),
            reduce_only: false,
            book_version: book.version,
            decided_mono_ns: mono(),
            cause_mono_ns: book.received_mono_ns,
        };
        self.up.send(proto::SessionUp { body: Some(Up::Intent(intent)) }).await.unwrap();
    }

    pub async fn wait<T>(&self, what: &str, test: impl Fn(&Memory) -> Option<T>) -> T {
        let seen = eventually(what, async || test(&self.memory.lock().unwrap()));
        match tokio::time::timeout(PATIENCE / 2, seen).await {
            Ok(value) => value,
            Err(_) => panic!("{}: never: {what}; {}", self.instance, self.memory.lock().unwrap().summary()),
        }
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn mono() -> u64 {
    flashpod_net::Clock.mono().0
}

struct Listener {
    symbol: String,
    quantity: String,
    memory: Arc<Mutex<Memory>>,
    quoting: Arc<Mutex<bool>>,
    up: mpsc::Sender<proto::SessionUp>,
}

impl Listener {
    async fn run(self, mut down: Streaming<proto::SessionDown>) {
        while let Ok(Some(message)) = down.message().await {
            let answer = match message.body {
                Some(Down::Book(book)) => self.on_book(book),
                Some(body) => {
                    self.keep(body);
                    None
                }
                None => None,
            };
            if let Some(body) = answer
                && self.up.send(proto::SessionUp { body: Some(body) }).await.is_err()
            {
                return;
            }
        }
    }

    fn keep(&self, body: Down) {
        let mut memory = self.memory.lock().unwrap();
        match body {
            Down::Welcome(welcome) => {
                // Counting starts behind what the snapshot contains.
                memory.last_sequence = memory.last_sequence.max(match memory.events.is_empty() {
                    true => welcome.last_sequence,
                    false => 0,
                });
                memory.welcome = Some(welcome);
            }
            Down::Order(event) => {
                assert_eq!(event.sequence, memory.last_sequence + 1, "a hole in the order events");
                memory.last_sequence = event.sequence;
                memory.events.push(event);
            }
            Down::State(state) => memory.states.push(state),
            Down::Book(_) | Down::Trades(_) | Down::Heartbeat(_) | Down::Rule(_) => {}
        }
    }

    /// One quote a side, at the best prices; none while the book is not certified.
    fn on_book(&self, book: proto::BookUpdate) -> Option<Up> {
        let usable = book.certified && !book.bid_prices.is_empty() && !book.ask_prices.is_empty();
        let wanted = (usable && *self.quoting.lock().unwrap()).then(|| {
            let quote = |slot, side: proto::Side, price: f64| proto::Quote {
                slot,
                side: side.into(),
                price: format!("{price:.2}"),
                quantity: self.quantity.clone(),
            };
            Up::WantedQuotes(proto::WantedQuotes {
                symbol: self.symbol.clone(),
                quotes: vec![
                    quote(0, proto::Side::Buy, book.bid_prices[0]),
                    quote(1, proto::Side::Sell, book.ask_prices[0]),
                ],
                book_version: book.version,
                decided_mono_ns: mono(),
                cause_mono_ns: book.received_mono_ns,
                tolerance_ticks: 1,
            })
        });
        self.memory.lock().unwrap().last_book = Some(book);
        wanted
    }
}
