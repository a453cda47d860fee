//! The REST pool against venues that misbehave in every way we know.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::{Options, authority, core, order, query, read_head, reply, serve, tls};
use flashpod_engine::io::{HttpOutcome, HttpRequest, RequestClass};
use flashpod_net::Clock;
use flashpod_types::Nanos;

fn broken(outcome: HttpOutcome) -> (bool, String) {
    match outcome {
        HttpOutcome::Broken { bytes_sent, reason } => (bytes_sent, reason),
        other => panic!("expected a broken request, got {other:?}"),
    }
}

fn body(outcome: HttpOutcome) -> String {
    match outcome {
        HttpOutcome::Reply { status: 200, body, .. } => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("expected a reply with status 200, got {other:?}"),
    }
}

#[test]
fn a_signed_order_is_one_request_line_with_key_and_content_type_and_no_body() {
    let (heads, seen) = mpsc::channel();
    let venue = serve(move |_, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            heads.send(head).unwrap();
            reply(&mut stream, "200", "", "{}");
        }
    });
    let mut core = core(venue, Options::default());
    let before = Clock.mono();
    let (sent, outcome) = core.exchange(order(RequestClass::Order, "symbol=BTCUSDC&timestamp=1"));
    assert_eq!(body(outcome), "{}");
    assert!(sent.unwrap() >= before && sent.unwrap() <= Clock.mono());
    // Signature computed with: printf 'symbol=BTCUSDC&timestamp=1' | openssl dgst -sha256 -hmac the-secret
    assert_eq!(
        seen.recv().unwrap(),
        format!(
            "POST /api/v3/order?symbol=BTCUSDC&timestamp=1&signature=0cacbf6a88d49990cd26d230d1cc7ee3f7e0aca7939062bb9abfdb6292ef962f HTTP/1.1\r\nHost: {venue}\r\n\
             X-MEXC-APIKEY: the-key\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n"
        )
    );
    core.exchange(query("/api/v3/time"));
    assert_eq!(seen.recv().unwrap(), format!("GET /api/v3/time HTTP/1.1\r\nHost: {venue}\r\n\r\n"));
}

#[test]
fn a_reply_may_come_in_chunks_and_in_single_bytes() {
    let venue = serve(|_, mut stream| {
        stream.set_nodelay(true).unwrap();
        while read_head(&mut stream).is_some() {
            let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n";
            for byte in text.bytes() {
                stream.write_all(&[byte]).unwrap();
            }
        }
    });
    let mut core = core(venue, Options::default());
    for _ in 0..2 {
        assert_eq!(body(core.exchange(query("/x")).1), "abc0123456789");
    }
    assert_eq!(core.net.rest.connects.load(Ordering::Relaxed), 1, "the connection is kept after chunks");
}

#[test]
fn a_refusal_brings_its_status_and_retry_after() {
    let venue = serve(|_, mut stream| {
        while read_head(&mut stream).is_some() {
            reply(&mut stream, "429", "Retry-After: 7\r\n", r#"{"code":429,"msg":"Too Many Requests"}"#);
        }
    });
    let mut core = core(venue, Options::default());
    match core.exchange(query("/x")).1 {
        HttpOutcome::Reply { status: 429, retry_after_s: Some(7), body } => assert!(body.starts_with(b"{")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_connection_reset_after_the_request_says_that_bytes_were_sent() {
    let venue = serve(|index, mut stream| {
        read_head(&mut stream);
        if index == 0 {
            return;
        }
        reply(&mut stream, "200", "", "again");
        read_head(&mut stream);
    });
    let mut core = core(venue, Options::default());
    let (sent, outcome) = core.exchange(order(RequestClass::Order, "a=1"));
    let (bytes_sent, reason) = broken(outcome);
    assert!(bytes_sent && sent.is_some(), "{reason}");
    assert_eq!(body(core.exchange(query("/x")).1), "again");
}

#[test]
fn a_reply_cut_in_its_middle_is_broken_not_shortened() {
    let venue = serve(|_, mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"orderId\"").unwrap();
    });
    let mut core = core(venue, Options::default());
    let (bytes_sent, reason) = broken(core.exchange(order(RequestClass::Order, "a=1")).1);
    assert!(bytes_sent && reason.contains("before its reply was complete"), "{reason}");
}

#[test]
fn garbage_instead_of_http_is_broken_and_quotes_why() {
    let venue = serve(|_, mut stream| {
        read_head(&mut stream);
        stream.write_all(b"\x00\x01 not http at all\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 16]);
    });
    let mut core = core(venue, Options::default());
    let (bytes_sent, reason) = broken(core.exchange(query("/x")).1);
    assert!(bytes_sent && reason.contains("not HTTP"), "{reason}");
}

#[test]
fn silence_after_the_request_is_a_timeout_and_the_late_reply_is_never_taken_for_another() {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let venue = serve(move |index, mut stream| {
        while read_head(&mut stream).is_some() {
            if index == 0 {
                let _ = held.lock().unwrap().recv();
                reply(&mut stream, "200", "", "late");
            } else {
                reply(&mut stream, "200", "", "fresh");
            }
        }
    });
    let mut core = core(venue, Options::default());
    let request = HttpRequest { timeout: Nanos::from_millis(100), ..order(RequestClass::Order, "a=1") };
    let (sent, outcome) = core.exchange(request);
    assert_eq!(outcome, HttpOutcome::Timeout);
    assert!(sent.is_some());
    release.send(()).unwrap();
    assert_eq!(body(core.exchange(query("/x")).1), "fresh");
}

#[test]
fn without_a_listener_nothing_was_sent_and_the_reason_names_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut core = core(address, Options::default());
    let request = HttpRequest { timeout: Nanos::from_millis(150), ..query("/x") };
    let (sent, outcome) = core.exchange(request);
    let (bytes_sent, reason) = broken(outcome);
    assert!(!bytes_sent && sent.is_none());
    assert!(reason.contains(&address.to_string()), "{reason}");
}

#[test]
fn a_peer_that_never_finishes_the_tls_handshake_is_given_up() {
    let venue = serve(|_, mut stream| {
        let _ = stream.read(&mut [0; 1]);
        std::thread::park();
    });
    let options = Options { secure: true, connect_timeout: Duration::from_millis(50), ..Options::default() };
    let mut core = core(venue, options);
    let request = HttpRequest { timeout: Nanos::from_millis(400), ..query("/x") };
    let (bytes_sent, reason) = broken(core.exchange(request).1);
    assert!(!bytes_sent && reason.contains("no connection within"), "{reason}");
}

#[test]
fn past_its_last_moment_not_a_byte_leaves() {
    let (heads, seen) = mpsc::channel();
    let venue = serve(move |_, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            heads.send(head).unwrap();
            reply(&mut stream, "200", "", "{}");
        }
    });
    let mut core = core(venue, Options::default());
    let late = HttpRequest { not_after: Some(Clock.mono()), ..order(RequestClass::Cancel, "a=1") };
    let (sent, outcome) = core.exchange(late);
    assert!(sent.is_none() && !broken(outcome).0);
    core.exchange(query("/after"));
    assert!(seen.recv().unwrap().starts_with("GET /after"), "the cancel must not be first");
}

#[test]
fn an_idle_connection_that_the_venue_closed_is_replaced_before_it_is_needed() {
    let venue = serve(|index, mut stream| {
        if index == 0 {
            read_head(&mut stream);
            reply(&mut stream, "200", "", "first");
            stream.shutdown(Shutdown::Both).unwrap();
        } else {
            while read_head(&mut stream).is_some() {
                reply(&mut stream, "200", "", "second");
            }
        }
    });
    let mut core = core(venue, Options::default());
    assert_eq!(body(core.exchange(query("/x")).1), "first");
    core.wait_until("reconnected", |net| net.rest.connects.load(Ordering::Relaxed) == 2);
    assert_eq!(body(core.exchange(order(RequestClass::Order, "a=1")).1), "second");
}

#[test]
fn idle_connections_are_kept_warm_by_pings() {
    let (heads, seen) = mpsc::channel();
    let venue = serve(move |_, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            let _ = heads.send(head);
            reply(&mut stream, "200", "", "{}");
        }
    });
    let _core = core(venue, Options { ping_every: Duration::from_millis(5), ..Options::default() });
    for _ in 0..3 {
        assert!(seen.recv().unwrap().starts_with("GET /api/v3/ping HTTP/1.1"));
    }
}

#[test]
fn cancels_overtake_orders_and_orders_overtake_queries() {
    let (heads, seen) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let venue = serve(move |_, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            heads.send(head.split(' ').take(2).collect::<Vec<_>>().join(" ")).unwrap();
            held.lock().unwrap().recv().unwrap();
            reply(&mut stream, "200", "", "{}");
        }
    });
    let mut core = core(venue, Options::default());
    core.send(query("/first"));
    assert_eq!(seen.recv().unwrap(), "GET /first");
    core.send(query("/query"));
    core.send(HttpRequest { signed: false, ..order(RequestClass::Order, "order") });
    core.send(HttpRequest { signed: false, ..order(RequestClass::Cancel, "cancel") });
    // The pool takes its commands in order, so once this marker was refused the three before it are queued.
    core.send(HttpRequest { path: "no slash".into(), class: RequestClass::Cancel, ..query("") });
    for _ in 0..5 {
        release.send(()).unwrap();
    }
    let order: Vec<_> = (0..3).map(|_| seen.recv().unwrap()).collect();
    assert_eq!(order, ["DELETE /api/v3/order?cancel", "POST /api/v3/order?order", "GET /query"]);
}

#[test]
fn a_query_never_takes_a_connection_kept_for_orders() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let venue = serve(move |_, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            record.lock().unwrap().push(head);
            reply(&mut stream, "200", "", "{}");
        }
    });
    let mut core = core(venue, Options { shared: 0, orders: 1, ..Options::default() });
    let waits = HttpRequest { timeout: Nanos::from_millis(100), ..query("/depth") };
    let (bytes_sent, reason) = broken(core.exchange(waits).1);
    assert!(!bytes_sent && reason.contains("every connection was busy"), "{reason}");
    assert_eq!(body(core.exchange(order(RequestClass::Order, "a=1")).1), "{}");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_request_line_can_not_be_split_by_its_parameters() {
    let venue = serve(|_, mut stream| {
        while read_head(&mut stream).is_some() {
            reply(&mut stream, "200", "", "{}");
        }
    });
    let mut core = core(venue, Options::default());
    let (bytes_sent, reason) = broken(core.exchange(order(RequestClass::Order, "a=1\r\nX: y")).1);
    assert!(!bytes_sent && reason.contains("characters"), "{reason}");
    assert_eq!(body(core.exchange(query("/x")).1), "{}");
}

#[test]
fn tls_with_the_right_ca_works_and_with_a_wrong_one_says_what_to_do() {
    let (ours, other) = (authority(), authority());
    let server = Arc::clone(&ours.server);
    let venue = serve(move |_, stream| {
        let mut stream = tls(&server, stream);
        while read_head(&mut stream).is_some() {
            reply(&mut stream, "200", "", "secret");
        }
    });
    let with = |ca_file| Options { secure: true, ca_file, ..Options::default() };
    let mut trusting = core(venue, with(Some(ours.ca_file.clone())));
    assert_eq!(body(trusting.exchange(query("/x")).1), "secret");
    for ca_file in [Some(other.ca_file.clone()), None] {
        let mut wary = core(venue, with(ca_file));
        let request = HttpRequest { timeout: Nanos::from_millis(500), ..query("/x") };
        let (bytes_sent, reason) = broken(wary.exchange(request).1);
        assert!(!bytes_sent && reason.contains("not trusted") && reason.contains("--ca-file"), "{reason}");
    }
}
