//! Clients that misbehave: none of them costs the venue more than its own connection, and that not for ever.

mod process;

use std::time::Duration;

use process::Venue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far above what anything here takes: only a hang runs into it.
const HANG: Duration = Duration::from_secs(60);

/// A WebSocket below its protocol, after the handshake.
async fn raw_socket(venue: &Venue) -> TcpStream {
    let mut stream = TcpStream::connect(&venue.address).await.unwrap();
    let ask = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
               sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// One masked text frame of a client.
fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    // An all-zero mask leaves the text as it is.
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    // A reset is an end as well.
    let _ = timeout(HANG, stream.read_to_end(&mut all)).await.expect("the venue closes the connection");
    all
}

#[tokio::test]
async fn a_socket_that_the_venue_closes_is_gone_even_if_its_client_never_answers() {
    let venue = Venue::start(&["--set", "wsNoSubscriptionMs=100"], &[]);
    let mut stream = raw_socket(&venue).await;
    let all = read_all(&mut stream).await;
    assert_eq!(all.first(), Some(&0x88), "a close frame comes first: {all:?}");
}

#[tokio::test]
async fn a_client_that_reads_no_answer_is_not_read_either() {
    let venue = Venue::start(&["--set", "wsMessages=1000000"], &[]);
    let mut stream = raw_socket(&venue).await;
    // Each of these refusals is twenty times as long as its cause.
    let params = vec!["\"\""; 20_000].join(",");
    let message = text_frame(&format!(r#"{{"method":"SUBSCRIPTION","params":[{params}]}}"#));
    let mut sent = 0;
    while sent < 400 {
        match timeout(Duration::from_secs(2), stream.write_all(&message)).await {
            Ok(written) => written.unwrap(),
            Err(_) => break,
        }
        sent += 1;
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", venue.child.id())).unwrap();
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kib: u64 = resident.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(sent < 400 && kib < 150_000, "{sent} messages taken, {kib} KiB resident");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_dropped_until_others_end() {
    let venue = Venue::start(&["--set", "maxConnections=2"], &[]);
    // A WebSocket counts as long as it lives.
    let first = raw_socket(&venue).await;
    let second = raw_socket(&venue).await;
    let mut third = TcpStream::connect(&venue.address).await.unwrap();
    assert!(read_all(&mut third).await.is_empty());
    drop((first, second));
    let ask = async {
        loop {
            let mut stream = TcpStream::connect(&venue.address).await.unwrap();
            let _ =
                stream.write_all(b"GET /api/v3/ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            if read_all(&mut stream).await.starts_with(b"HTTP/1.1 200") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(HANG, ask).await.expect("there is room again");
}

#[tokio::test]
async fn half_a_request_is_not_waited_for_for_ever() {
    let venue = Venue::start(&["--set", "httpIdleMs=200"], &[]);
    for start in [
        "",
        "GET /api/v3/ti",
        "POST /api/v3/order HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\nsym",
    ] {
        let mut stream = TcpStream::connect(&venue.address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        read_all(&mut stream).await;
    }
    let venue = Venue::start(&["--tls", "--set", "httpIdleMs=200"], &[]);
    let mut stream = TcpStream::connect(&venue.address).await.unwrap();
    read_all(&mut stream).await;
}

#[tokio::test]
async fn requests_that_are_too_large_are_refused() {
    let venue = Venue::start(&[], &[]);
    let long = "x".repeat(1 << 20);
    for (request, status) in [
        (format!("GET /api/v3/time?{long} HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 4"),
        (format!("GET /api/v3/time HTTP/1.1\r\nhost: x\r\nx-mexc-apikey: {long}\r\n\r\n"), "HTTP/1.1 4"),
        (
            format!("POST /api/v3/order HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{long}", 1 << 20),
            "HTTP/1.1 413",
        ),
    ] {
        let mut stream = TcpStream::connect(&venue.address).await.unwrap();
        // The venue may answer and close before everything is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut head = [0; 12];
        if timeout(HANG, stream.read_exact(&mut head)).await.expect("an answer").is_ok() {
            assert!(
                status.as_bytes().starts_with(&head[..status.len().min(12)]),
                "{}",
                String::from_utf8_lossy(&head)
            );
        }
    }
}
