//! A venue without sockets: the exchange driven by a clock that the test owns.
#![allow(unreachable_pub)] // a module of a test, not of a library

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use flashpod_matching::{EstimatedBook, LevelChange};
use flashpod_mexc::Signer;
use flashpod_mexc::push::{PushDataV3ApiWrapper, push_data_v3_api_wrapper::Body};
use flashpod_types::{Nanos, Side};
use flashpod_venue::accounts::AccountSpec;
use flashpod_venue::exchange::{
    Exchange, ExchangeConfig, HttpReply, HttpRequest, Output, RequestId, SessionId, Unwelcome,
};
use flashpod_venue::faults::Faults;
use flashpod_venue::listing::Listing;
use flashpod_venue::market::{Market, Recorded, Speed};
use flashpod_venue::replay::{Tape, TapeEvent, Tick};
use flashpod_venue::settings::Settings;
use flashpod_venue::synthetic::{Flow, Profile};
use prost::Message;
use serde_json::Value;

/// 2025-10-09 08:53:20 UTC: the time of the API reference's examples.
pub const START_MS: u64 = 1_760_000_000_000;
pub const KEY: &str = "key-1";
/// The secret of the API reference's test vectors.
pub const SECRET: &str = "sim-secret-0123456789abcdef";
pub const RIVAL: &str = "key-2";
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub struct Desk {
    pub exchange: Exchange,
    pub now: Nanos,
    next: u64,
    /// Outputs that were not asked for yet.
    pub outputs: Vec<Output>,
}

fn account(key: &str, secret: &str) -> AccountSpec {
    let balances = [("USDC", "1000000"), ("BTC", "10"), ("ETH", "100"), ("MX", "1000")];
    AccountSpec {
        api_key: key.to_owned(),
        secret_key: secret.to_owned(),
        balances: balances.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
    }
}

fn settings(sets: &[&str]) -> Settings {
    let mut settings = Settings::default();
    for set in sets {
        settings.set(set).unwrap();
    }
    settings
}

impl Desk {
    fn with(settings: Settings, markets: Vec<Market>, faults: &Value, full_speed: bool) -> Self {
        let now = Nanos::from_millis(START_MS);
        let accounts = vec![account(KEY, SECRET), account(RIVAL, "rival")];
        let faults = Faults::parse(&serde_json::json!({ "faults": faults }).to_string()).unwrap();
        let config = ExchangeConfig { settings, faults, accounts, markets, seed: 7, full_speed };
        Self { exchange: Exchange::new(config, now), now, next: 1, outputs: Vec::new() }
    }

    /// The synthetic pairs, from ten seconds of trading on.
    pub fn synthetic(sets: &[&str]) -> Self {
        Self::synthetic_with(sets, &Value::Array(Vec::new()))
    }

    /// With the list of a file of faults.
    pub fn synthetic_with(sets: &[&str], faults: &Value) -> Self {
        let settings = settings(sets);
        let market = |(stream, profile): (u64, Profile)| {
            let places = (profile.price_places, profile.qty_places);
            let symbol = profile.symbol.parse().unwrap();
            let listing = Listing::new(symbol, profile.base, profile.quote, places, &settings);
            let (origin, warm_up) = (Nanos::from_millis(START_MS), Nanos::from_secs(10));
            Market::synthetic(
                listing,
                Flow::new(profile, 42, stream),
                Speed::Times(100_000_000),
                origin,
                warm_up,
            )
        };
        let markets = (0..).zip([Profile::btcusdc(), Profile::ethusdc()]).map(market).collect();
        Self::with(settings, markets, faults, false)
    }

    /// A recorded BTCUSDC: bids 100000 × 1 and 99999 × 2, asks 100001 × 1 and 100002 × 2, then `ticks`, one a step.
    pub fn recorded(sets: &[&str], ticks: Vec<Tick>) -> Self {
        Self::recorded_with(sets, ticks, &Value::Array(Vec::new()))
    }

    pub fn recorded_with(sets: &[&str], ticks: Vec<Tick>, faults: &Value) -> Self {
        Self::tape("BTC", sets, ticks, faults, false)
    }

    /// The same market, without a tick, of a pair whose base asset is this one.
    pub fn recorded_of(base: &str, sets: &[&str]) -> Self {
        Self::tape(base, sets, Vec::new(), &Value::Array(Vec::new()), false)
    }

    /// The same, beginning anew a second after its beginning.
    pub fn looped(ticks: Vec<Tick>) -> Self {
        Self::tape("BTC", &[], ticks, &Value::Array(Vec::new()), true)
    }

    fn tape(base: &str, sets: &[&str], ticks: Vec<Tick>, faults: &Value, loops: bool) -> Self {
        let settings = settings(sets);
        let listing = Listing::new("BTCUSDC".parse().unwrap(), base, "USDC", (2, 6), &settings);
        let tape = Tape {
            symbol: "BTCUSDC".parse().unwrap(),
            opening: vec![bid("100000", "1"), bid("99999", "2"), ask("100001", "1"), ask("100002", "2")],
            version: 10,
            events: (0..)
                .zip(ticks)
                .map(|(n, tick)| TapeEvent { offset: Nanos::from_millis(n), tick })
                .collect(),
            places: (2, 6),
            renumbered: None,
            gaps: 0,
            period: Nanos::from_millis(1_000),
        };
        let recorded = Recorded::new(Arc::new(tape), EstimatedBook::new(settings.queue()), loops);
        let market = Market::recorded(listing, recorded, Speed::Max);
        let mut desk = Self::with(settings, vec![market], faults, true);
        // The tape begins with its first reader.
        let session = desk.open(None).unwrap();
        let text = r#"{"method":"SUBSCRIPTION","params":["spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC"]}"#;
        desk.exchange.on_text(desk.now, session, text);
        desk.collect();
        desk.outputs.clear();
        desk
    }

    /// Plays the next `steps` recorded events.
    pub fn play(&mut self, steps: usize) {
        self.exchange.play(steps);
        self.collect();
    }

    pub fn collect(&mut self) {
        while let Some(output) = self.exchange.poll_output() {
            self.outputs.push(output);
        }
    }

    pub fn wait_ms(&mut self, ms: u64) {
        self.now = self.now + Nanos::from_millis(ms);
        self.exchange.advance(self.now);
        self.collect();
    }

    pub fn request(&mut self, request: &HttpRequest) -> HttpReply {
        let id = RequestId(self.next);
        self.next += 1;
        self.exchange.handle_http(self.now, id, request);
        for _ in 0..20_000 {
            self.collect();
            let mine = |o: &Output| matches!(o, Output::Reply(of, _) | Output::Audit(of, _) if *of == id);
            if let Some(at) = self.outputs.iter().position(mine) {
                match self.outputs.remove(at) {
                    Output::Reply(_, reply) => return reply,
                    Output::Audit(_, picture) => return HttpReply::ok(picture.text()),
                    other => panic!("{other:?}"),
                }
            }
            // A trading request is on its way to the matching engine.
            self.wait_ms(1);
        }
        panic!("no reply to {request:?}");
    }

    pub fn send(&mut self, method: &str, path: &str, query: &str, key: Option<&str>) -> (u16, Value) {
        let reply = self.request(&request(method, path, query, key));
        (reply.status, serde_json::from_str(&reply.body).unwrap())
    }

    /// An unsigned GET that must succeed.
    pub fn get(&mut self, path: &str, query: &str) -> Value {
        let (status, body) = self.send("GET", path, query, None);
        assert_eq!(status, 200, "{path} {query}: {body}");
        body
    }

    /// A signed request of the first account.
    pub fn signed(&mut self, method: &str, path: &str, params: &str) -> (u16, Value) {
        self.signed_by(KEY, SECRET, method, path, params)
    }

    pub fn signed_by(
        &mut self,
        key: &str,
        secret: &str,
        method: &str,
        path: &str,
        params: &str,
    ) -> (u16, Value) {
        let stamp = format!("timestamp={}", self.now.as_millis());
        let mut query = if params.is_empty() { stamp } else { format!("{params}&{stamp}") };
        Signer::new(secret).append(&mut query);
        self.send(method, path, &query, Some(key))
    }

    /// A signed request that must succeed.
    pub fn ok(&mut self, method: &str, path: &str, params: &str) -> Value {
        let (status, body) = self.signed(method, path, params);
        assert_eq!(status, 200, "{method} {path} {params}: {body}");
        body
    }

    /// A signed request that must fail; its code.
    pub fn code(&mut self, method: &str, path: &str, params: &str) -> i64 {
        let (status, body) = self.signed(method, path, params);
        assert_ne!(status, 200, "{method} {path} {params}: {body}");
        body["code"].as_i64().unwrap()
    }

    /// Places an order of BTCUSDC; its id.
    pub fn place(&mut self, side: &str, kind: &str, qty: &str, price: &str) -> String {
        let params = order(side, kind, qty, price);
        self.ok("POST", "/api/v3/order", &params)["orderId"].as_str().unwrap().to_owned()
    }

    pub fn query(&mut self, id: &str) -> Value {
        self.ok("GET", "/api/v3/order", &format!("symbol=BTCUSDC&orderId={id}"))
    }

    pub fn audit(&self) -> Value {
        serde_json::from_str(&self.exchange.picture().text()).unwrap()
    }

    /// Free and locked of an asset of the first account, from the audit.
    pub fn balance(&self, asset: &str) -> (String, String) {
        let audit = self.audit();
        let balances = audit["accounts"][0]["balances"].as_array().unwrap();
        let found = balances.iter().find(|b| b["asset"] == asset).unwrap();
        (found["free"].as_str().unwrap().to_owned(), found["locked"].as_str().unwrap().to_owned())
    }

    pub fn open(&mut self, listen_key: Option<&str>) -> Result<SessionId, Unwelcome> {
        self.exchange.open_session(self.now, listen_key)
    }

    pub fn listen_key(&mut self) -> String {
        self.ok("POST", "/api/v3/userDataStream", "")["listenKey"].as_str().unwrap().to_owned()
    }

    /// A session that reads all private channels of the first account.
    pub fn private(&mut self) -> SessionId {
        let key = self.listen_key();
        let session = self.open(Some(&key)).unwrap();
        let channels = [
            "spot@private.orders.v3.api.pb",
            "spot@private.deals.v3.api.pb",
            "spot@private.account.v3.api.pb",
        ];
        self.subscribe(session, &channels);
        session
    }

    /// Sends a text message; the answer.
    pub fn text(&mut self, session: SessionId, text: &str) -> String {
        self.exchange.on_text(self.now, session, text);
        self.collect();
        let found = self.outputs.iter().position(|o| matches!(o, Output::Text(of, _) if *of == session));
        match self.outputs.remove(found.expect("an answer")) {
            Output::Text(_, text) => text,
            other => panic!("{other:?}"),
        }
    }

    pub fn subscribe(&mut self, session: SessionId, channels: &[&str]) -> Value {
        let message = serde_json::json!({ "method": "SUBSCRIPTION", "params": channels });
        serde_json::from_str(&self.text(session, &message.to_string())).unwrap()
    }

    /// Takes the pushes that a session got since the last call.
    pub fn pushes(&mut self, session: SessionId) -> Vec<PushDataV3ApiWrapper> {
        self.collect();
        let mut frames = Vec::new();
        self.outputs.retain(|output| match output {
            Output::Push(of, bytes) if *of == session => {
                frames.push(PushDataV3ApiWrapper::decode(bytes.clone()).unwrap());
                false
            }
            _ => true,
        });
        frames
    }

    pub fn closed(&mut self, session: SessionId) -> bool {
        self.collect();
        self.outputs.iter().any(|o| matches!(o, Output::Close(of, _) if *of == session))
    }
}

pub fn request(method: &str, path: &str, query: &str, key: Option<&str>) -> HttpRequest {
    HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body: String::new(),
        api_key: key.map(str::to_owned),
        content_type: (method != "GET").then(|| "application/json".to_owned()),
        ip: LOOPBACK,
    }
}

pub fn order(side: &str, kind: &str, qty: &str, price: &str) -> String {
    let price = if price.is_empty() { String::new() } else { format!("&price={price}") };
    format!("symbol=BTCUSDC&side={side}&type={kind}&quantity={qty}{price}")
}

pub fn bid(price: &str, qty: &str) -> LevelChange {
    LevelChange { side: Side::Buy, price: price.parse().unwrap(), qty: qty.parse().unwrap() }
}

pub fn ask(price: &str, qty: &str) -> LevelChange {
    LevelChange { side: Side::Sell, price: price.parse().unwrap(), qty: qty.parse().unwrap() }
}

pub fn depth(exchange_ms: i64, version: u64, changes: Vec<LevelChange>) -> Tick {
    Tick::Depth { exchange_ms, from: version, to: version, changes }
}

pub fn trade(exchange_ms: i64, price: &str, qty: &str, aggressor: Side) -> Tick {
    let (price, qty) = (price.parse().unwrap(), qty.parse().unwrap());
    Tick::Trade { exchange_ms, id: 1, price, qty, aggressor }
}

/// Short names of what was pushed: `order 1`, `deal`, `USDC`.
pub fn told(frames: &[PushDataV3ApiWrapper]) -> Vec<String> {
    let name = |frame: &PushDataV3ApiWrapper| match frame.body.as_ref().unwrap() {
        Body::PrivateOrders(body) => format!("order {}", body.status),
        Body::PrivateDeals(body) => format!("deal {}", body.quantity),
        Body::PrivateAccount(body) => format!("{} {}", body.vcoin_name, body.r#type),
        _ => "public".to_owned(),
    };
    frames.iter().map(name).collect()
}
