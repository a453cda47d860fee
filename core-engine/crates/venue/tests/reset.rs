//! What faults do to real connections: resets, silence, answers that never come.

mod process;

use std::io::ErrorKind;
use std::time::Duration;

use process::Venue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far above what anything here takes: only a hang runs into it.
const HANG: Duration = Duration::from_secs(60);

/// A venue with these faults; the file is gone once it has been read.
fn venue(name: &str, faults: &str) -> Venue {
    let file = std::env::temp_dir().join(format!("flashpod-venue-{name}-{}.json", std::process::id()));
    std::fs::write(&file, format!("{{\"faults\":{faults}}}")).unwrap();
    let venue = Venue::start(&["--faults", file.to_str().unwrap()], &[]);
    std::fs::remove_file(&file).unwrap();
    venue
}

async fn ask(venue: &Venue, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&venue.address).await.unwrap();
    let text = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the end, and how it ended.
async fn read_all(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut all = Vec::new();
    let end = timeout(HANG, stream.read_to_end(&mut all)).await.expect("the connection ends");
    (all, end.err().map(|error| error.kind()))
}

async fn struck(venue: &Venue, kind: &str) -> u64 {
    let (reply, _) = read_all(&mut ask(venue, "/audit").await).await;
    let text = String::from_utf8(reply).unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    let audit: serde_json::Value = serde_json::from_str(body).unwrap();
    audit["counters"]["faults"][kind].as_u64().unwrap()
}

#[tokio::test]
async fn a_request_may_end_in_a_reset_of_its_connection() {
    let venue = venue("rest", r#"[{"kind":"reset","on":"rest","path":"/api/v3/time","apply":true,"nth":1}]"#);
    let (all, end) = read_all(&mut ask(&venue, "/api/v3/time").await).await;
    assert_eq!((all.len(), end), (0, Some(ErrorKind::ConnectionReset)));
    let (all, end) = read_all(&mut ask(&venue, "/api/v3/time").await).await;
    assert!(all.starts_with(b"HTTP/1.1 200") && end.is_none());
    assert_eq!(struck(&venue, "reset").await, 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_connection_open() {
    let venue = venue("lost", r#"[{"kind":"loss","on":"rest","path":"/api/v3/time","apply":false,"nth":1}]"#);
    let mut lost = ask(&venue, "/api/v3/time").await;
    // Requests after it are answered, so the venue has seen it.
    while struck(&venue, "loss").await == 0 {}
    let mut byte = [0];
    let nothing = timeout(Duration::from_millis(200), lost.read(&mut byte)).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

/// One masked text frame of a client, below 126 bytes; an all-zero mask leaves the text as it is.
fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap()];
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// A WebSocket below its protocol, with one subscription.
async fn reader(venue: &Venue, channel: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&venue.address).await.unwrap();
    let upgrade = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let text = format!(r#"{{"method":"SUBSCRIPTION","params":["{channel}"]}}"#);
    stream.write_all(&text_frame(&text)).await.unwrap();
    stream
}

fn count(all: &[u8], text: &str) -> usize {
    all.windows(text.len()).filter(|part| *part == text.as_bytes()).count()
}

/// Reads until `what` was there so many times.
async fn read_until(stream: &mut TcpStream, seen: &mut Vec<u8>, what: &str, times: usize) {
    let mut some = [0; 4_096];
    while count(seen, what) < times {
        let read = timeout(HANG, stream.read(&mut some)).await.expect(what).unwrap();
        assert_ne!(read, 0, "the venue closed the socket");
        seen.extend(&some[..read]);
    }
}

const DEPTH: &str = "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC";
/// Pushed once a second.
const KLINE: &str = "spot@public.kline.v3.api.pb@BTCUSDC@Min1";

#[tokio::test]
async fn a_websocket_may_end_in_a_reset() {
    let venue = venue("socket", r#"[{"kind":"reset","on":"public","nth":3}]"#);
    let (all, end) = read_all(&mut reader(&venue, DEPTH).await).await;
    assert_eq!(end, Some(ErrorKind::ConnectionReset));
    assert!(all.starts_with(b"HTTP/1.1 101"));
    assert_eq!(struck(&venue, "reset").await, 1);
}

#[tokio::test]
async fn messages_that_a_silence_left_without_an_answer_do_not_count_against_later_ones() {
    let faults = r#"[{"kind":"silence","on":"public","channel":"kline","lasts":"3s","nth":1}]"#;
    let venue = venue("silence", faults);
    let mut stream = reader(&venue, KLINE).await;
    while struck(&venue, "silence").await == 0 {}
    // More than may wait for an answer.
    let pings: Vec<u8> = (1..=20).flat_map(|_| text_frame(r#"{"id":1,"method":"PING"}"#)).collect();
    stream.write_all(&pings).await.unwrap();
    let mut seen = Vec::new();
    // The acknowledgement, and the candle that ends the silence.
    read_until(&mut stream, &mut seen, KLINE, 2).await;
    assert_eq!(count(&seen, "PONG"), 0, "it was not silent");
    stream.write_all(&text_frame(r#"{"id":99,"method":"PING"}"#)).await.unwrap();
    read_until(&mut stream, &mut seen, r#""id":99"#, 1).await;
}
