//! Sessions of sidecars: Hello, Welcome, what is said, what is held back, how it ends.

use std::sync::Arc;
use std::time::Duration;

use flashpod_engine::Status;
use flashpod_engine::io::SessionMessage;
use flashpod_gateway::proto::session_down::Body as Down;
use flashpod_gateway::proto::session_up::Body as Up;
use flashpod_gateway::proto::strategy_service_client::StrategyServiceClient;
use flashpod_gateway::{MarketData, SessionOutput, instance_socket, proto};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::stage::{
    Agent, Core, PATIENCE, book, channel, core_with_instance, hello, instance_status, open, order_event,
    policy, welcome,
};

#[tokio::test]
async fn a_session_is_welcomed_and_speaks_in_both_directions() {
    let (mut core, _agent) = core_with_instance().await;
    let mut sidecar = open(&core, hello("secret", 41)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { last_sequence: 41 }));
    core.say(welcome());
    let Down::Welcome(first) = sidecar.next().await.unwrap() else { panic!("no welcome") };
    assert_eq!((first.epoch, first.incarnation, first.balances[0].amount.as_str()), (7, 2, "1000.5"));

    core.say(order_event(42));
    let Down::Order(event) = sidecar.next().await.unwrap() else { panic!("no order event") };
    assert_eq!((event.sequence, event.slot, event.price.as_str()), (42, Some(1), "100000.01"));
    assert_eq!(event.position.unwrap().quantity, "-0.001");

    core.engine.market(book(9)).unwrap();
    let Down::Book(top) = sidecar.next().await.unwrap() else { panic!("no book") };
    assert_eq!((top.version, top.bid_prices, top.ask_quantities), (9, vec![99999.99], vec![0.25]));

    sidecar
        .say(Up::WantedQuotes(proto::WantedQuotes {
            symbol: "BTCUSDC".to_owned(),
            quotes: vec![proto::Quote {
                slot: 1,
                side: proto::Side::Sell.into(),
                price: "100000.01".to_owned(),
                quantity: "0.001".to_owned(),
            }],
            book_version: 9,
            decided_mono_ns: 3,
            tolerance_ticks: 2,
            cause_mono_ns: 0,
        }))
        .await;
    match core.next_message().await {
        SessionMessage::WantedQuotes(wanted) => {
            assert_eq!(wanted.quotes[0].price, "100000.01".parse().unwrap());
            assert_eq!((wanted.book_version, wanted.tolerance_ticks, wanted.cause), (9, 2, None));
        }
        other => panic!("{other:?}"),
    }
    drop(sidecar);
    assert!(matches!(core.next_message().await, SessionMessage::Closed));
}

#[tokio::test]
async fn a_wrong_token_an_unknown_instance_and_a_missing_hello_get_a_precise_status() {
    let (core, _agent) = core_with_instance().await;
    for hello in
        [hello("wrong", 0), hello("", 0), proto::Hello { instance: "other".to_owned(), ..hello("secret", 0) }]
    {
        let status = open(&core, hello).await.err().unwrap();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(!status.message().contains("secret"), "{}", status.message());
    }
    let channel = channel(&instance_socket(core.directory.path(), "maker-1")).await;
    let heartbeat = proto::SessionUp { body: Some(Up::Heartbeat(proto::Heartbeat { mono_ns: 1 })) };
    let status =
        StrategyServiceClient::new(channel).session(tokio_stream::iter([heartbeat])).await.err().unwrap();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(core.counters.refused_sessions.get(), 4);
    assert_eq!(core.counters.sessions.get(), 0);
}

#[tokio::test]
async fn who_opens_a_stream_and_says_nothing_is_sent_away() {
    let core = Core::patient(None, Duration::from_millis(20));
    let mut agent = Agent::connect(&core).await;
    agent.desire(1, vec![policy()]).await;
    agent.status_where(|_| true).await;
    let channel = channel(&instance_socket(core.directory.path(), "maker-1")).await;
    let (_silent, messages) = mpsc::channel(1);
    let mut client = StrategyServiceClient::new(channel);
    let asked = client.session(ReceiverStream::new(messages));
    let status = tokio::time::timeout(PATIENCE, asked).await.expect("an answer").err().unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.message(), "no Hello within 20ms: a session begins with one");
    assert_eq!(core.counters.refused_sessions.get(), 1);
}

#[tokio::test]
async fn nothing_that_is_said_before_the_welcome_reaches_the_engine_until_then() {
    let (mut core, _agent) = core_with_instance().await;
    let sidecar = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
    for _ in 0..500 {
        sidecar.say(Up::Heartbeat(proto::Heartbeat { mono_ns: 1 })).await;
    }
    drop(sidecar);
    assert!(matches!(core.next_message().await, SessionMessage::Closed), "nothing of the flood was heard");

    let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
    sidecar.say(Up::Cancel(proto::CancelIntent::default())).await;
    core.say(welcome());
    assert!(matches!(sidecar.next().await.unwrap(), Down::Welcome(_)));
    assert!(matches!(core.next_message().await, SessionMessage::Cancel { .. }), "said early, heard in time");
}

#[tokio::test]
async fn a_message_that_makes_no_sense_ends_the_session_and_names_the_field() {
    let quote = |price: &str, side: proto::Side| proto::Quote {
        slot: 0,
        side: side.into(),
        price: price.to_owned(),
        quantity: "1".to_owned(),
    };
    let quotes = |symbol: &str, quotes| {
        Up::WantedQuotes(proto::WantedQuotes { symbol: symbol.to_owned(), quotes, ..Default::default() })
    };
    let intent = |intent: proto::Intent| Up::Intent(intent);
    let cases = [
        (quotes("BTCUSDC", vec![quote("1e5", proto::Side::Buy)]), "wanted_quotes.quotes[0].price"),
        (quotes("BTCUSDC", vec![quote("0", proto::Side::Buy)]), "wanted_quotes.quotes[0].price"),
        (quotes("BTCUSDC", vec![quote("1", proto::Side::Unspecified)]), "wanted_quotes.quotes[0].side"),
        (
            quotes("BTCUSDC", vec![quote("1", proto::Side::Buy), quote("2", proto::Side::Sell)]),
            "wanted_quotes.quotes[1].slot",
        ),
        (quotes("btc/usdc", Vec::new()), "wanted_quotes.symbol"),
        (intent(proto::Intent::default()), "intent.type"),
        (
            intent(proto::Intent {
                r#type: proto::OrderType::Market.into(),
                price: "1".to_owned(),
                ..Default::default()
            }),
            "intent.price",
        ),
        (Up::Hello(proto::Hello::default()), "hello"),
    ];
    let (mut core, _agent) = core_with_instance().await;
    let count = cases.len() as u64;
    for (body, field) in cases {
        let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
        assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
        core.say(welcome());
        assert!(matches!(sidecar.next().await.unwrap(), Down::Welcome(_)));
        sidecar.say(body).await;
        let status = sidecar.next().await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(field), "{}", status.message());
        assert!(matches!(core.next_message().await, SessionMessage::Closed));
    }
    assert_eq!(core.counters.invalid_messages.get(), count);
}

#[tokio::test]
async fn the_newer_session_of_an_instance_wins_and_the_engine_never_sees_it_closed() {
    let (mut core, _agent) = core_with_instance().await;
    let mut older = open(&core, hello("secret", 0)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { .. }));
    let mut newer = open(&core, hello("secret", 3)).await.unwrap();
    assert!(matches!(core.next_message().await, SessionMessage::Opened { last_sequence: 3 }));
    assert_eq!(older.next().await.unwrap_err().code(), Code::Aborted);
    drop(older);
    core.say(welcome());
    assert!(matches!(newer.next().await.unwrap(), Down::Welcome(_)));
    newer.say(Up::Heartbeat(proto::Heartbeat { mono_ns: 1 })).await;
    assert!(matches!(core.next_message().await, SessionMessage::Heartbeat));
    assert!(matches!(newer.next().await.unwrap(), Down::Heartbeat(_)));
}

#[tokio::test]
async fn a_stalled_reader_gets_conflated_books_every_order_event_and_costs_bounded_memory() {
    let (mut core, mut agent) = core_with_instance().await;
    let mut sidecar = open(&core, hello("secret", 0)).await.unwrap();
    core.next_message().await;
    core.say(welcome());
    // Far more than the stream's flow-control window and the ring hold.
    let (books, events) = (50_000_u64, 1_000_u64);
    let mut missed = 0;
    for version in 1..=books {
        if version % (books / events) == 0 {
            core.say(order_event(version / (books / events)));
        }
        let MarketData::Book { top, .. } = book(version) else { unreachable!() };
        match core.engine.market(MarketData::Book { top, missed }) {
            Ok(()) => missed = 0,
            Err(_) => {
                missed += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    let (mut seen_books, mut conflated, mut last_version, mut next_event) = (0, 0, 0, 1);
    while next_event <= events || last_version + u64::from(missed) < books {
        match sidecar.next().await.unwrap() {
            Down::Book(top) => {
                assert!(top.version > last_version);
                assert_eq!(top.version, last_version + 1 + u64::from(top.conflated), "every miss is counted");
                last_version = top.version;
                seen_books += 1;
                conflated += u64::from(top.conflated);
            }
            Down::Order(event) => {
                assert_eq!(event.sequence, next_event, "no order event is lost or reordered");
                next_event += 1;
            }
            Down::Welcome(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(
        seen_books < books / 2,
        "{seen_books} of {books} books were queued for a reader that did not read"
    );
    assert_eq!(core.counters.conflated_books.get(), conflated);
    let instances = vec![instance_status()];
    core.engine.event(SessionOutput::Status(Arc::new(Status {
        generation: 1,
        instances,
        ..Status::default()
    })));
    let status = agent.status_where(|status| !status.instances.is_empty()).await;
    assert_eq!(status.instances[0].conflated_books, conflated);
}
