//! Recordings over the wire, at full speed: the pushes rebuild the recorded book, state by state. The expected
//! states were computed by a separate implementation (`expected_book_*`, see the data's README).

mod book;
mod data;
mod process;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload};
use flashpod_mexc::push::{PushDataV3ApiWrapper, push_data_v3_api_wrapper::Body};
use flashpod_types::{Price, Qty};
use flashpod_venue::replay::Tick;
use http_body_util::{BodyExt, Empty, Full};
use hyper::Request;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use prost::Message;
use serde_json::Value;
use tokio::net::TcpStream;

use book::Book;
use data::data;
use process::Venue;

async fn get(venue: &Venue, path: &str) -> Value {
    let stream = TcpStream::connect(&venue.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(path).header("host", &venue.address).body(Full::<Bytes>::default()).unwrap();
    let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
    serde_json::from_slice(&body.to_bytes()).unwrap()
}

async fn socket(venue: &Venue) -> FragmentCollector<TokioIo<Upgraded>> {
    let stream = TcpStream::connect(&venue.address).await.unwrap();
    let request = Request::get("/ws")
        .header("host", &venue.address)
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-key", fastwebsockets::handshake::generate_key())
        .header("sec-websocket-version", "13")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let (socket, _) = fastwebsockets::handshake::client(&Here, request, stream).await.unwrap();
    FragmentCollector::new(socket)
}

struct Here;

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Here {
    fn execute(&self, task: F) {
        tokio::spawn(task);
    }
}

/// Version, level counts and the best five of both sides, in the order of the expected files.
fn state(book: &Book) -> Vec<String> {
    let mut row = vec![book.version.to_string(), book.bids.len().to_string(), book.asks.len().to_string()];
    let mut best = |levels: &mut dyn Iterator<Item = (&Price, &Qty)>| {
        for (price, qty) in levels.take(5) {
            row.push(price.to_string());
            row.push(qty.to_string());
        }
    };
    best(&mut book.bids.iter().rev());
    best(&mut book.asks.iter());
    row
}

/// Rows of an expected file from the column `u` on, numbers in their shortest form.
fn expected(path: &str) -> Vec<Vec<String>> {
    let mut text = String::new();
    zstd::Decoder::new(std::fs::File::open(data(path)).unwrap()).unwrap().read_to_string(&mut text).unwrap();
    let number = |(at, field): (usize, &str)| {
        if at < 3 { field.to_owned() } else { field.parse::<Price>().unwrap().to_string() }
    };
    text.lines().skip(1).map(|line| line.split(',').skip(2).enumerate().map(number).collect()).collect()
}

async fn subscribe(socket: &mut FragmentCollector<TokioIo<Upgraded>>, symbols: &[&str]) {
    let channel = |s: &&str| format!("spot@public.aggre.depth.v3.api.pb@10ms@{s}");
    let params: Vec<String> = symbols.iter().map(channel).collect();
    let text = serde_json::json!({ "method": "SUBSCRIPTION", "params": params }).to_string();
    socket.write_frame(Frame::text(Payload::Owned(text.into_bytes()))).await.unwrap();
}

async fn next(socket: &mut FragmentCollector<TokioIo<Upgraded>>) -> Option<PushDataV3ApiWrapper> {
    loop {
        let frame = socket.read_frame().await.unwrap();
        match frame.opcode {
            OpCode::Binary => return Some(PushDataV3ApiWrapper::decode(frame.payload.as_ref()).unwrap()),
            OpCode::Close => return None,
            _ => {}
        }
    }
}

/// Replays `files` at full speed and compares every `every`th state of `symbol` with the expected rows.
async fn rebuilds(files: &[&str], symbols: &[&str], symbol: &str, expected_file: &str, every: usize) {
    let rows = expected(expected_file);
    let files: Vec<PathBuf> = files.iter().map(|file| data(file)).collect();
    let venue = Venue::start(&["--speed", "max"], &files);
    // The tape has not begun: this is the recorded snapshot.
    let mut books: BTreeMap<&str, Book> = BTreeMap::new();
    for symbol in symbols {
        let rest = get(&venue, &format!("/api/v3/depth?symbol={symbol}&limit=5000")).await;
        books.insert(symbol, Book::from_rest(&rest));
    }
    let mut socket = socket(&venue).await;
    subscribe(&mut socket, symbols).await;
    let mut seen = 0;
    let mut states = 0;
    while seen < rows.len() {
        let frame = next(&mut socket).await.expect("the socket stays open");
        let book = books.get_mut(frame.symbol.as_deref().unwrap()).unwrap();
        book.apply(&frame);
        if frame.symbol.as_deref() == Some(symbol) {
            states += 1;
            if states % every == 0 {
                assert_eq!(state(book), rows[seen], "row {}", seen + 1);
                seen += 1;
            }
        }
    }
    // What REST says at the end is what the pushes built.
    loop {
        let audit = get(&venue, "/audit").await;
        if audit["symbols"].as_array().unwrap().iter().all(|s| s["replayDone"] == true) {
            break;
        }
        let frame = next(&mut socket).await.expect("the socket stays open");
        books.get_mut(frame.symbol.as_deref().unwrap()).unwrap().apply(&frame);
    }
    for (symbol, book) in &mut books {
        let rest = Book::from_rest(&get(&venue, &format!("/api/v3/depth?symbol={symbol}&limit=5000")).await);
        while book.version < rest.version {
            let frame = next(&mut socket).await.expect("the socket stays open");
            assert_eq!(frame.symbol.as_deref(), Some(*symbol), "pushes of the other pair were read before");
            book.apply(&frame);
        }
        assert!(rest.bids.iter().all(|(price, qty)| book.bids.get(price) == Some(qty)), "{symbol}");
        assert!(rest.asks.iter().all(|(price, qty)| book.asks.get(price) == Some(qty)), "{symbol}");
    }
}

#[tokio::test]
async fn two_pairs_at_full_speed_rebuild_every_recorded_state() {
    let folder = "binance_spot_btc_eth_20240808";
    let file = |name: &str| format!("{folder}/{name}.gz");
    let files = ["btcusdt_20240808", "btcusdt_20240809", "ethusdt_20240808", "ethusdt_20240809"].map(file);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let expected = format!("{folder}/expected_book_btcusdt.csv.zst");
    rebuilds(&files, &["BTCUSDT", "ETHUSDT"], "BTCUSDT", &expected, 1).await;
}

#[tokio::test]
async fn a_day_of_a_thin_pair_rebuilds_every_tenth_state() {
    let folder = "binance_spot_nexo_20240723";
    let files = ["nexousdt_20240723.dat", "nexousdt_20240724.dat"].map(|name| format!("{folder}/{name}.gz"));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let expected = format!("{folder}/expected_book_nexousdt_every10.csv.zst");
    rebuilds(&files, &["NEXOUSDT"], "NEXOUSDT", &expected, 10).await;
}

#[tokio::test]
async fn futures_are_renumbered_one_a_diff_and_the_map_is_told() {
    let file = data("binance_usdm_btc_eth_20240808/btcusdt_20240808.gz");
    let rows = expected("binance_usdm_btc_eth_20240808/expected_book_btcusdt.csv.zst");
    let venue = Venue::start(&["--speed", "max"], &[file]);
    let map = get(&venue, "/audit/versions?symbol=BTCUSDT").await;
    let map: BTreeMap<u64, u64> =
        map.as_array().unwrap().iter().map(|p| (p[1].as_u64().unwrap(), p[0].as_u64().unwrap())).collect();
    let mut book = Book::from_rest(&get(&venue, "/api/v3/depth?symbol=BTCUSDT&limit=5000").await);
    assert_eq!(book.version, 1);
    let mut socket = socket(&venue).await;
    subscribe(&mut socket, &["BTCUSDT"]).await;
    for row in &rows {
        book.apply(&next(&mut socket).await.unwrap());
        let mut seen = state(&book);
        seen[0] = map[&book.version].to_string();
        assert_eq!(seen, *row);
    }
}

#[test]
fn pairs_recorded_at_the_same_time_keep_the_order_of_their_events() {
    let folder = "binance_spot_btc_eth_20240808";
    let files = ["btcusdt_20240808", "ethusdt_20240808"].map(|name| data(&format!("{folder}/{name}.gz")));
    // The trades in the order in which the recorder received them, with ids; the first ones came before a snapshot.
    let mut received = Vec::new();
    for frame in flashpod_recordings::Recording::open(&files).unwrap() {
        let frame = frame.unwrap();
        if let flashpod_recordings::Event::Trade(trade) = frame.event {
            received.push((frame.local, frame.symbol, trade.id));
        }
    }
    let tapes = flashpod_venue::replay::load(&files).unwrap();
    let mut played = Vec::new();
    for tape in &tapes {
        for event in &tape.events {
            if let Tick::Trade { id, .. } = event.tick {
                played.push((event.offset, tape.symbol, id));
            }
        }
    }
    played.sort_by_key(|(offset, ..)| *offset);
    let both =
        received.iter().position(|(_, symbol, id)| (*symbol, *id) == (played[0].1, played[0].2)).unwrap();
    let spans = |list: &[(flashpod_types::Nanos, flashpod_types::Symbol, u64)]| -> Vec<_> {
        list.iter().map(|(at, symbol, id)| (at.since(list[0].0), *symbol, *id)).collect()
    };
    assert_eq!(spans(&played).len(), received.len() - both);
    assert!(spans(&played) == spans(&received[both..]), "the order or the distances changed");

    // A pair of another week does not wait for its week to come.
    let other = data("binance_spot_nexo_20240723/nexousdt_20240723.dat.gz");
    let tapes = flashpod_venue::replay::load(&[other, files[0].clone()]).unwrap();
    assert!(tapes.iter().all(|tape| tape.events[0].offset < flashpod_types::Nanos::from_secs(60)));
}

#[test]
fn tickers_of_a_renumbered_recording_are_numbered_as_its_book_is() {
    let tapes =
        flashpod_venue::replay::load(&[data("binance_usdm_btc_eth_20240808/btcusdt_20240808.gz")]).unwrap();
    let map = tapes[0].renumbered.as_ref().unwrap();
    let mut book = tapes[0].version;
    let mut tickers = 0;
    for event in &tapes[0].events {
        match event.tick {
            Tick::Depth { to, .. } => book = to,
            // A ticker comes at most a few diffs before or after the one that contains it.
            Tick::Ticker { version, .. } => {
                assert!(
                    version.abs_diff(book) < 100,
                    "ticker of version {version} while the book is at {book}"
                );
                tickers += 1;
            }
            Tick::Trade { .. } => {}
        }
    }
    assert!(tickers > 10_000, "{tickers} tickers");
    assert_eq!(book, map.last().unwrap().1);
}

#[tokio::test]
async fn a_reader_that_stops_for_a_while_holds_the_tape_and_loses_nothing_at_full_speed() {
    let file = data("binance_spot_btc_eth_20240808/btcusdt_20240808.gz");
    let venue = Venue::start(&["--speed", "max"], &[file]);
    let mut book = Book::from_rest(&get(&venue, "/api/v3/depth?symbol=BTCUSDT&limit=5000").await);
    let mut socket = socket(&venue).await;
    let depth = "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDT";
    // Everything there is: far more than the sockets' buffers and the venue's queue hold.
    let params = [
        "spot@public.limit.depth.v3.api.pb@BTCUSDT@20",
        "spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDT",
        "spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT",
        "spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDT",
        depth,
    ];
    let text = serde_json::json!({ "method": "SUBSCRIPTION", "params": params }).to_string();
    socket.write_frame(Frame::text(Payload::Owned(text.into_bytes()))).await.unwrap();
    // The tape comes to a stand short of its end; requests are answered all the while.
    let mut before = Value::Null;
    loop {
        let audit = get(&venue, "/audit").await;
        assert_eq!(audit["symbols"][0]["replayDone"], false, "the tape did not wait");
        let pushed = audit["counters"]["pushes"].clone();
        if pushed == before && pushed != 0 {
            break;
        }
        before = pushed;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // From `expected_book_btcusdt`: the last diff of 8 August, before the first one of the 9th (U 50093421585).
    const LAST: u64 = 50_093_421_584;
    let mut trades = 0;
    while book.version < LAST {
        let frame = next(&mut socket).await.expect("the socket stays open");
        if frame.channel == depth {
            book.apply(&frame);
        } else if let Some(Body::PublicAggreDeals(body)) = frame.body {
            trades += body.deals.len();
        }
    }
    // 9757 trades are in the file; some came before the snapshot, some may follow the last diff.
    assert!((9_700..=9_757).contains(&trades), "{trades} trades");
}
