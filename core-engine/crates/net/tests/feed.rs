//! WebSockets against a venue that closes, resets, refuses, pings and sends nonsense.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, mpsc};

use base64::Engine;
use common::{Core, Options, authority, core, read_head, reply, serve, tls};
use flashpod_engine::io::{ConnId, FeedEvent, FeedKind, Input};
use flashpod_net::{Clock, NetCommand};
use sha1::{Digest, Sha1};

const CONN: ConnId = ConnId(7);

/// Unmasked frames of a server, as RFC 6455 §5.7 writes them: opcode, length below 126, payload.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode, u8::try_from(payload.len()).unwrap()];
    bytes.extend_from_slice(payload);
    bytes
}

/// One short masked frame of the client: opcode and payload.
fn read_frame(stream: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 6];
    stream.read_exact(&mut head).ok()?;
    assert_eq!(head[1] & 0x80, 0x80, "a client must mask");
    let mut payload = vec![0; usize::from(head[1] & 0x7f)];
    stream.read_exact(&mut payload).ok()?;
    for (index, byte) in payload.iter_mut().enumerate() {
        *byte ^= head[2 + index % 4];
    }
    Some((head[0] & 0x0f, payload))
}

fn accept(stream: &mut (impl Read + Write)) -> String {
    let head = read_head(stream).unwrap();
    let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
    let mut digest = Sha1::new();
    digest.update(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    let accept = base64::engine::general_purpose::STANDARD.encode(digest.finalize());
    switch(stream, &format!("Sec-WebSocket-Accept: {accept}\r\n"));
    head
}

fn switch(stream: &mut impl Write, accept: &str) {
    let upgrade = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    stream.write_all(format!("{upgrade}{accept}\r\n").as_bytes()).unwrap();
}

fn open(core: &mut Core, kind: FeedKind) {
    core.commands.try_push(NetCommand::OpenFeed { conn: CONN, kind }).unwrap();
}

fn event(core: &mut Core) -> FeedEvent {
    match core.next_input() {
        Input::Feed { conn: CONN, received, event } => {
            assert!(received <= Clock.mono());
            event
        }
        other => panic!("expected a feed event, got {other:?}"),
    }
}

fn down(core: &mut Core) -> String {
    match event(core) {
        FeedEvent::Down { reason } => reason,
        other => panic!("expected Down, got {other:?}"),
    }
}

fn up(core: &mut Core) {
    assert!(matches!(event(core), FeedEvent::Up));
}

fn feed(script: impl Fn(TcpStream) + Send + Sync + 'static) -> Core {
    let mut core = core(serve(move |_, stream| script(stream)), Options { shared: 0, ..Options::default() });
    open(&mut core, FeedKind::Public);
    core
}

#[test]
fn frames_come_up_with_their_kind_text_goes_down_and_pings_are_answered() {
    let (said, heard) = mpsc::channel();
    let mut core = feed(move |mut stream| {
        accept(&mut stream);
        said.send(read_frame(&mut stream)).unwrap();
        stream.write_all(&frame(2, b"push")).unwrap();
        stream.write_all(&frame(9, b"are you there")).unwrap();
        said.send(read_frame(&mut stream)).unwrap();
        stream.write_all(&frame(1, br#"{"msg":"PONG"}"#)).unwrap();
        // A message in two fragments.
        stream.write_all(&[0x02, 2, b'a', b'b', 0x80, 1, b'c']).unwrap();
        let _ = stream.read(&mut [0; 1]);
    });
    up(&mut core);
    core.commands
        .try_push(NetCommand::FeedText { conn: CONN, text: r#"{"method":"PING"}"#.to_owned() })
        .unwrap();
    assert_eq!(heard.recv().unwrap(), Some((1, br#"{"method":"PING"}"#.to_vec())));
    assert!(matches!(event(&mut core), FeedEvent::Binary(bytes) if bytes == "push"));
    assert_eq!(heard.recv().unwrap(), Some((10, b"are you there".to_vec())));
    assert!(matches!(event(&mut core), FeedEvent::Text(text) if text == r#"{"msg":"PONG"}"#));
    assert!(matches!(event(&mut core), FeedEvent::Binary(bytes) if bytes == "abc"));
}

#[test]
fn a_private_stream_names_its_listen_key() {
    let (said, heard) = mpsc::channel();
    let venue = serve(move |_, mut stream| {
        said.send(accept(&mut stream)).unwrap();
        let _ = stream.read(&mut [0; 1]);
    });
    let mut core = core(venue, Options { shared: 0, ..Options::default() });
    open(&mut core, FeedKind::Private { listen_key: "abc123".to_owned() });
    up(&mut core);
    assert!(heard.recv().unwrap().starts_with("GET /ws?listenKey=abc123 HTTP/1.1\r\n"));
}

#[test]
fn a_close_frame_brings_its_code_and_reason() {
    let mut core = feed(|mut stream| {
        accept(&mut stream);
        stream.write_all(&frame(8, b"\x03\xe9going away")).unwrap();
        let _ = stream.read(&mut [0; 64]);
    });
    up(&mut core);
    let reason = down(&mut core);
    assert!(reason.contains("1001") && reason.contains("going away"), "{reason}");
}

#[test]
fn a_reset_and_a_nonsense_frame_are_down_with_a_reason() {
    for bytes in [&b""[..], &[0xff, 0xff, 0xff, 0xff][..]] {
        let mut core = feed(move |mut stream| {
            accept(&mut stream);
            stream.write_all(bytes).unwrap();
        });
        up(&mut core);
        assert!(!down(&mut core).is_empty());
    }
}

#[test]
fn a_refused_upgrade_quotes_what_the_venue_said() {
    let mut core = feed(|mut stream| {
        read_head(&mut stream);
        reply(&mut stream, "403", "", "Invalid listen key");
    });
    let reason = down(&mut core);
    assert!(reason.contains("403") && reason.contains("Invalid listen key"), "{reason}");
}

#[test]
fn an_upgrade_that_answers_another_handshake_is_down() {
    for (accept, shown) in [
        ("", "\"\""),
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\""),
    ] {
        let mut core = feed(move |mut stream| {
            read_head(&mut stream);
            switch(&mut stream, accept);
        });
        let reason = down(&mut core);
        assert!(reason.contains(&format!("Sec-WebSocket-Accept {shown} instead of")), "{reason}");
    }
}

#[test]
fn a_wrong_ca_is_down_with_the_remedy() {
    let (ours, other) = (authority(), authority());
    let server = Arc::clone(&ours.server);
    let venue = serve(move |_, stream| {
        let mut stream = tls(&server, stream);
        if let Some(_head) = read_head(&mut stream) {
            unreachable!("a client that does not trust us must not speak");
        }
    });
    let options =
        Options { shared: 0, secure: true, ca_file: Some(other.ca_file.clone()), ..Options::default() };
    let mut core = core(venue, options);
    open(&mut core, FeedKind::Public);
    let reason = down(&mut core);
    assert!(reason.contains("--ca-file"), "{reason}");
}

#[test]
fn after_a_close_nothing_more_is_reported_and_the_venue_gets_a_close_frame() {
    let (said, heard) = mpsc::channel();
    let mut core = feed(move |mut stream| {
        accept(&mut stream);
        said.send(read_frame(&mut stream)).unwrap();
        let _ = stream.write_all(&frame(2, b"late"));
    });
    up(&mut core);
    core.commands.try_push(NetCommand::CloseFeed { conn: CONN }).unwrap();
    assert_eq!(heard.recv().unwrap(), Some((8, 1000_u16.to_be_bytes().to_vec())));
    // A second connection of the same id reports only about itself.
    open(&mut core, FeedKind::Public);
    up(&mut core);
}
