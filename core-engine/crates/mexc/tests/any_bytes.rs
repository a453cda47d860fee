//! Whatever the network brings, decoders return.

use flashpod_mexc::push::{self, push_data_v3_api_wrapper::Body};
use flashpod_mexc::{Channel, classify, control, decode, rest};
use proptest::prelude::*;
use prost::Message;

/// Text as a hostile or broken venue may send it.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{0,25}(\\.[0-9]{0,25})?",
        "-?[0-9]{1,5}e[0-9]{1,4}",
        Just(String::new()),
        any::<String>(),
    ]
}

fn level() -> impl Strategy<Value = push::Level> {
    (text(), text()).prop_map(|(price, quantity)| push::Level { price, quantity })
}

fn body() -> impl Strategy<Value = Body> {
    let levels = || prop::collection::vec(level(), 0..4);
    prop_oneof![
        (levels(), levels(), text(), text(), any::<i64>()).prop_map(|(asks, bids, from, to, time)| {
            Body::PublicAggreDepths(push::PublicAggreDepths {
                asks,
                bids,
                event_type: String::new(),
                from_version: from,
                to_version: to,
                last_order_create_time: time,
            })
        }),
        (text(), text(), any::<i32>(), any::<i64>(), text()).prop_map(
            |(price, quantity, trade_type, time, id)| {
                let deal = push::PublicAggreDeal { price, quantity, trade_type, time, trade_id: id };
                Body::PublicAggreDeals(push::PublicAggreDeals {
                    deals: vec![deal],
                    event_type: String::new(),
                })
            }
        ),
        (text(), text(), text(), text(), any::<i32>(), any::<i32>()).prop_map(
            |(id, client, price, qty, kind, status)| {
                Body::PrivateOrders(push::PrivateOrders {
                    id,
                    client_id: client,
                    price,
                    quantity: qty,
                    order_type: kind,
                    trade_type: 1,
                    status,
                    ..Default::default()
                })
            }
        ),
        (text(), text(), text(), text(), text()).prop_map(|(price, quantity, trade_id, fee, asset)| {
            Body::PrivateDeals(push::PrivateDeals {
                price,
                quantity,
                trade_type: 2,
                trade_id,
                order_id: "o".into(),
                fee_amount: fee,
                fee_currency: asset,
                ..Default::default()
            })
        }),
        (text(), text(), text()).prop_map(|(asset, free, locked)| {
            Body::PrivateAccount(push::PrivateAccount {
                vcoin_name: asset,
                balance_amount: free,
                frozen_amount: locked,
                ..Default::default()
            })
        }),
    ]
}

/// JSON of a reply's rough shape.
fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("true".to_owned()),
        "-?[0-9]{1,30}(\\.[0-9]{1,30})?([eE]-?[0-9]{1,3})?",
        text().prop_map(|text| serde_json::Value::from(text).to_string()),
        Just(r#"[["1","2"],[1,2],["1"],[null,3]]"#.to_owned()),
        Just(r#"[{"asset":"A","free":1e-30},{}]"#.to_owned()),
    ];
    let name = prop::sample::select(vec![
        "code",
        "msg",
        "symbol",
        "orderId",
        "price",
        "origQty",
        "status",
        "side",
        "type",
        "time",
        "serverTime",
        "lastUpdateId",
        "bids",
        "asks",
        "balances",
        "data",
        "listenKey",
        "symbols",
        "isBuyer",
        "qty",
        "id",
    ]);
    let object = prop::collection::vec((name, value), 0..8).prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    });
    prop_oneof![object.clone(), object.prop_map(|row| format!("[{row}]"))]
}

fn read_every_reply(body: &[u8]) {
    let _ = rest::time(body);
    let _ = rest::exchange_info(body);
    let _ = rest::depth(body);
    let _ = rest::book_ticker(body);
    let _ = rest::order_ack(body);
    let _ = rest::batch_reply(body);
    let _ = rest::cancel_reply(body);
    let _ = rest::cancel_all_reply(body);
    let _ = rest::order(body);
    let _ = rest::orders(body);
    let _ = rest::my_trades(body);
    let _ = rest::account(body);
    let _ = rest::trade_fee(body);
    let _ = rest::tradable_symbols(body);
    let _ = rest::listen_key(body);
    let _ = rest::listen_keys(body);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), status in any::<u16>()) {
        let _ = decode::decode(&bytes);
        let _ = classify(status, None, &bytes);
        read_every_reply(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = text.parse::<Channel>();
        let _ = control::parse(&text);
    }

    #[test]
    fn well_formed_frames_with_any_texts_never_panic(channel in text(), symbol in prop::option::of(text()), body in body()) {
        let wrapper = push::PushDataV3ApiWrapper { channel, symbol, body: Some(body), ..Default::default() };
        match decode::decode(&wrapper.encode_to_vec()) {
            Ok(frame) => {
                if let decode::Body::Depth(depth) = frame.body {
                    prop_assert!(depth.from <= depth.to);
                    for (price, qty) in depth.bids.iter().chain(&depth.asks) {
                        prop_assert!(price.is_positive() && !qty.is_negative());
                    }
                }
            }
            // Messages stay short enough for a log line.
            Err(error) => prop_assert!(error.to_string().chars().count() < 400),
        }
    }

    #[test]
    fn a_frame_with_flipped_bytes_never_panics(at in 0_usize..400, with in any::<u8>(), body in body()) {
        let wrapper = push::PushDataV3ApiWrapper { channel: "c".into(), body: Some(body), ..Default::default() };
        let mut bytes = wrapper.encode_to_vec();
        let len = bytes.len();
        bytes[at % len] ^= with;
        let _ = decode::decode(&bytes);
        let _ = decode::decode(&bytes[..at % len]);
    }

    #[test]
    fn replies_of_any_content_never_panic(body in json(), status in prop::sample::select(vec![200, 400, 429, 503])) {
        let _ = classify(status, None, body.as_bytes());
        read_every_reply(body.as_bytes());
    }
}
