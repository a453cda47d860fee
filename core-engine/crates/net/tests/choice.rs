//! Which address and which connection is taken, and what a pause does.

mod common;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::{Options, authority_of, core, order, query, read_head, reply, serve, serve_on, tls};
use flashpod_engine::io::{HttpOutcome, RequestClass};
use flashpod_net::addresses::Resolver;
use flashpod_net::{Clock, NetOptions};
use flashpod_types::Nanos;

fn body(outcome: &HttpOutcome) -> &[u8] {
    match outcome {
        HttpOutcome::Reply { status: 200, body, .. } => body,
        other => panic!("expected a reply with status 200, got {other:?}"),
    }
}

fn resolving(addresses: Vec<SocketAddr>) -> NetOptions {
    let look_up = move |_: &str, _: u16| -> io::Result<Vec<SocketAddr>> { Ok(addresses.clone()) };
    NetOptions { resolver: Resolver::Custom(Arc::new(look_up)), ..NetOptions::default() }
}

/// Listens on the same port of two loopback addresses.
fn two_listeners() -> [TcpListener; 2] {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if let Ok(second) = TcpListener::bind(("127.0.0.2", port)) {
            return [first, second];
        }
    }
}

#[test]
fn of_two_addresses_the_faster_carries_the_requests_and_the_other_takes_over_when_it_dies() {
    let [slow, fast] = two_listeners();
    let addresses = [slow.local_addr().unwrap(), fast.local_addr().unwrap()];
    let authority = authority_of("venue.test");
    let alive = Arc::new(AtomicBool::new(true));
    for (listener, name) in [(slow, "slow"), (fast, "fast")] {
        let (server, alive) = (Arc::clone(&authority.server), Arc::clone(&alive));
        serve_on(listener, move |_, stream| {
            let is_alive = || name == "slow" || alive.load(Ordering::Relaxed);
            if !is_alive() {
                return;
            }
            if name == "slow" {
                // A handshake that takes long: what an address is measured by.
                std::thread::sleep(Duration::from_millis(100));
            }
            let mut stream = tls(&server, stream);
            while let Some(_head) = read_head(&mut stream) {
                if !is_alive() {
                    return;
                }
                reply(&mut stream, "200", "", name);
            }
        });
    }
    let host = format!("venue.test:{}", addresses[0].port());
    let ca_file = Some(authority.ca_file.clone());
    let options = Options {
        secure: true,
        ca_file,
        shared: 1,
        host: Some(host),
        net: resolving(addresses.to_vec()),
        ..Options::default()
    };
    let mut core = core(addresses[0], options);
    let dialers = core.net.dialers();
    core.wait_until("both are measured", |_| {
        let rest: Vec<_> =
            dialers.addresses().into_iter().filter(|(service, ..)| *service == "rest").collect();
        rest.len() == 2 && rest.iter().all(|(_, _, took)| took.is_some()) && rest[0].1 == addresses[1]
    });
    // Its first connection was made before anything was measured; the next one knows.
    let (_, first) = core.exchange(query("/x"));
    assert!(matches!(body(&first), b"slow" | b"fast"));
    alive.store(false, Ordering::Relaxed);
    core.exchange(query("/gone"));
    core.wait_until("it is connected again", |net| net.rest.connects.load(Ordering::Relaxed) >= 1);
    let (_, last) = core.exchange(query("/x"));
    assert_eq!(body(&last), b"slow", "the next one serves");
    let lookups = core.net.addresses.lookups.load(Ordering::Relaxed);
    assert!(lookups <= 2, "one lookup a service: {lookups}");
}

#[test]
fn an_address_that_refuses_is_passed_over_and_counted() {
    let [gone, there] = two_listeners();
    let addresses = vec![gone.local_addr().unwrap(), there.local_addr().unwrap()];
    drop(gone);
    serve_on(there, |_, mut stream| {
        while read_head(&mut stream).is_some() {
            reply(&mut stream, "200", "", "there");
        }
    });
    let host = Some(format!("venue.test:{}", addresses[0].port()));
    let options = Options { host, net: resolving(addresses.clone()), ..Options::default() };
    let mut core = core(addresses[0], options);
    assert_eq!(body(&core.exchange(query("/x")).1), b"there");
    assert!(core.net.addresses.next_used.load(Ordering::Relaxed) >= 1);
}

#[test]
fn orders_go_on_the_connection_that_was_the_fastest_so_far() {
    let (said, heard) = mpsc::channel();
    let said = Mutex::new(said);
    let venue = serve(move |index, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            if head.contains("/ping") {
                // The first of the connections is slow: its pings say so.
                std::thread::sleep(Duration::from_millis(if index == 0 { 40 } else { 0 }));
            } else {
                said.lock().unwrap().send(index).unwrap();
            }
            reply(&mut stream, "200", "", "{}");
        }
    });
    let options = Options { shared: 3, ping_every: Duration::from_millis(300), ..Options::default() };
    let mut core = core(venue, options);
    core.wait_until("every connection is measured", |net| {
        net.rest.ways.iter().take(3).all(|way| way.load(Ordering::Relaxed) > 0)
    });
    for _ in 0..20 {
        let (_, outcome) = core.exchange(order(RequestClass::Order, "a=1"));
        assert_eq!(body(&outcome), b"{}");
        assert_ne!(heard.recv().unwrap(), 0, "the slow one");
    }
}

#[test]
fn after_a_429_nothing_leaves_until_the_time_that_the_venue_said_is_over() {
    let (said, heard) = mpsc::channel();
    let said = Mutex::new(said);
    let venue = serve(move |_, mut stream| {
        while let Some(head) = read_head(&mut stream) {
            let limited = head.starts_with("GET /limited");
            said.lock().unwrap().send(head).unwrap();
            let (status, retry) = if limited { ("429", "Retry-After: 1\r\n") } else { ("200", "") };
            reply(&mut stream, status, retry, "{}");
        }
    });
    let options = Options { shared: 2, ping_every: Duration::from_millis(50), ..Options::default() };
    let mut core = core(venue, options);
    core.exchange(query("/limited"));
    let since = Clock.mono();
    match core.exchange(order(RequestClass::Cancel, "a=1")) {
        (None, HttpOutcome::Broken { bytes_sent: false, reason }) => {
            assert!(reason.contains("pause") && reason.contains("429"), "{reason}");
        }
        other => panic!("expected that nothing was sent, got {other:?}"),
    }
    let before = heard.try_iter().count();
    assert!(before >= 1);
    let next = heard.recv().unwrap();
    // Pings wait as well; the first of them is the end of the pause.
    assert!(next.starts_with("GET /api/v3/ping"), "{next}");
    assert!(Clock.mono().since(since) >= Nanos::from_millis(900));
    assert_eq!(body(&core.exchange(order(RequestClass::Cancel, "a=1")).1), b"{}");
    assert_eq!(core.net.rest.pauses.load(Ordering::Relaxed), 1);
}
