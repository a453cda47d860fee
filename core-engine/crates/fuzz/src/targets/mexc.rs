//! What the exchange says: push frames, text frames, REST replies.

use flashpod_mexc::decode::{self, Body, Depth, Frame};
use flashpod_mexc::depth::DepthReader;
use flashpod_mexc::push::{self, push_data_v3_api_wrapper::Body as Raw};
use flashpod_mexc::{Channel, classify, control, rest};
use prost::Message;

use super::{Target, told};

pub(super) const FRAMES: Target = Target {
    name: "frames",
    what: "mexc push frames, against prost",
    run: frames,
    seeds: sound_frames,
    words: &[
        b"spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC",
        b"\xca\x13",
        b"\x1a\x07BTCUSDC",
        b"0.00000001",
    ],
};

pub(super) const DEPTH: Target = Target {
    name: "depth",
    what: "the reader of aggre.depth in place, against decode",
    run: depth,
    seeds: sound_frames,
    words: FRAMES.words,
};

pub(super) const REPLIES: Target = Target {
    name: "replies",
    what: "every reply of REST; the first byte chooses the status",
    run: replies,
    seeds: sound_replies,
    words: &[
        b"\"code\":",
        b"\"msg\":",
        b"\"data\":",
        b"\"orderId\":",
        b"\"price\":\"",
        b"\"balances\":[",
        b"\"bids\":[[",
        b"\"serverTime\":",
        b"\"listenKey\":",
        b"\"symbols\":[",
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"1e-30",
        b"\\u0000",
        b"-2013",
        b"18446744073709551616",
    ],
};

pub(super) const CONTROL: Target = Target {
    name: "control",
    what: "text frames and names of channels",
    run: texts,
    seeds: || {
        [
            r#"{"id":7,"code":0,"msg":"spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDC,spot@private.orders.v3.api.pb"}"#,
            r#"{"id":0,"code":0,"msg":"PONG"}"#,
            r#"{"id":1,"code":0,"msg":"Not Subscribed successfully! [spot@public.kline.v3.api.pb@BTCUSDC@Min1]. Reason: Blocked!"}"#,
            "spot@public.miniTicker.v3.api.pb@BTCUSDC@UTC+5:30",
            "Invalid listen key",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"spot@",
        b"public.",
        b"private.",
        b".v3.api.pb",
        b"@10ms",
        b"@Min15",
        b"@UTC+8",
        b"\"msg\":\"",
        b",",
    ],
};

fn frames(bytes: &[u8]) -> String {
    let ours = decode::decode(bytes);
    match (&ours, push::PushDataV3ApiWrapper::decode(bytes)) {
        (Ok(frame), Ok(raw)) => {
            assert_eq!(frame.channel, raw.channel, "the channel differs from prost's");
            assert_eq!(frame.sent.map(|time| time.0), raw.send_time, "the time differs from prost's");
        }
        (Ok(_), Err(error)) => panic!("read although prost says {error}"),
        (Err(decode::DecodeError::Protobuf(_)), Ok(_)) => panic!("no protobuf, says decode; prost reads it"),
        (Err(_), _) => {}
    }
    match &ours {
        Ok(frame) => {
            sound(frame);
            format!("{:?}", std::mem::discriminant(&frame.body))
        }
        Err(_) => told(&ours),
    }
}

/// What the engine relies on.
fn sound(frame: &Frame) {
    if let Body::Depth(depth) = &frame.body {
        assert!(depth.from <= depth.to, "versions run backwards");
        for (price, qty) in depth.bids.iter().chain(&depth.asks) {
            assert!(price.is_positive() && !qty.is_negative(), "a level of {price} × {qty}");
        }
    }
}

fn depth(bytes: &[u8]) -> String {
    let mut reader = DepthReader::new();
    let Some(push) = reader.read(bytes) else { return "not read in place".to_owned() };
    let read = Frame {
        channel: String::from_utf8(push.channel.to_owned()).expect("a channel in ASCII"),
        symbol: push.symbol,
        created: push.created,
        sent: push.sent,
        body: Body::Depth(Depth {
            from: push.from,
            to: push.to,
            bids: push.bids.to_vec(),
            asks: push.asks.to_vec(),
            last_order_created: push.last_order_created,
        }),
    };
    assert_eq!(decode::decode(bytes).as_ref(), Ok(&read), "read in place otherwise than by decode");
    format!("{} bids {} asks", read_len(push_len(&read, true)), read_len(push_len(&read, false)))
}

fn push_len(frame: &Frame, bids: bool) -> usize {
    match &frame.body {
        Body::Depth(depth) => {
            if bids {
                depth.bids.len()
            } else {
                depth.asks.len()
            }
        }
        _ => 0,
    }
}

const fn read_len(levels: usize) -> &'static str {
    match levels {
        0 => "no",
        1 => "one",
        _ => "many",
    }
}

fn replies(bytes: &[u8]) -> String {
    const STATUSES: [u16; 8] = [200, 200, 200, 400, 403, 418, 429, 503];
    let (first, body) = bytes.split_first().map_or((0, bytes), |(first, body)| (*first, body));
    let _ = classify(STATUSES[usize::from(first) % STATUSES.len()], None, body);
    [
        told(&rest::time(body)),
        told(&rest::exchange_info(body)),
        told(&rest::depth(body)),
        told(&rest::book_ticker(body)),
        told(&rest::order_ack(body)),
        told(&rest::batch_reply(body)),
        told(&rest::cancel_reply(body)),
        told(&rest::cancel_all_reply(body)),
        told(&rest::order(body)),
        told(&rest::orders(body)),
        told(&rest::my_trades(body)),
        told(&rest::account(body)),
        told(&rest::trade_fee(body)),
        told(&rest::tradable_symbols(body)),
        told(&rest::uid(body)),
        told(&rest::listen_key(body)),
        told(&rest::listen_keys(body)),
    ]
    .map(|text| text.chars().take(12).collect::<String>())
    .concat()
}

fn texts(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(channel) = text.parse::<Channel>() {
        assert_eq!(channel.to_string().parse(), Ok(channel), "a channel's name is not its own");
    }
    match control::parse(&text) {
        control::Control::Ack { channels, .. } => format!("ack of {}", read_len(channels.len())),
        control::Control::Pong => "pong".to_owned(),
        control::Control::Other(text) => {
            assert!(text.chars().count() <= 400, "a text that was not cut");
            "other".to_owned()
        }
    }
}

fn frame(channel: &str, body: Raw) -> Vec<u8> {
    let channel = format!("spot@{channel}.v3.api.pb@10ms@BTCUSDC");
    let symbol = Some("BTCUSDC".to_owned());
    let sent = Some(1_760_000_000_123);
    push::PushDataV3ApiWrapper { channel, symbol, send_time: sent, body: Some(body), ..Default::default() }
        .encode_to_vec()
}

fn sound_frames() -> Vec<Vec<u8>> {
    let level = |price: &str, quantity: &str| push::Level { price: price.into(), quantity: quantity.into() };
    let depths = push::PublicAggreDepths {
        asks: vec![level("100000.01", "0.25"), level("100001", "0")],
        bids: vec![level("99999.99", "1.5")],
        event_type: "spot@public.aggre.depth.v3.api.pb@10ms".into(),
        from_version: "10".into(),
        to_version: "12".into(),
        last_order_create_time: 1_760_000_000_000,
    };
    let deal = push::PublicAggreDeal {
        price: "100000.01".into(),
        quantity: "0.1".into(),
        trade_type: 1,
        time: 1_760_000_000_100,
        trade_id: "T7".into(),
    };
    let order = push::PrivateOrders {
        id: "C02__1".into(),
        client_id: "fpaaaaaaaa-1-1-1".into(),
        price: "100000".into(),
        quantity: "0.001".into(),
        order_type: 1,
        trade_type: 1,
        status: 1,
        ..Default::default()
    };
    let fill = push::PrivateDeals {
        price: "100000".into(),
        quantity: "0.001".into(),
        trade_type: 1,
        trade_id: "T1".into(),
        order_id: "C02__1".into(),
        fee_amount: "0.05".into(),
        fee_currency: "USDC".into(),
        ..Default::default()
    };
    let account = push::PrivateAccount {
        vcoin_name: "USDC".into(),
        balance_amount: "900".into(),
        frozen_amount: "100".into(),
        ..Default::default()
    };
    vec![
        frame("public.aggre.depth", Raw::PublicAggreDepths(depths)),
        frame(
            "public.aggre.deals",
            Raw::PublicAggreDeals(push::PublicAggreDeals { deals: vec![deal], event_type: String::new() }),
        ),
        frame("private.orders", Raw::PrivateOrders(order)),
        frame("private.deals", Raw::PrivateDeals(fill)),
        frame("private.account", Raw::PrivateAccount(account)),
        frame("public.kline", Raw::PublicSpotKline(push::PublicSpotKline::default())),
        frame("public.limit.depth", Raw::PublicLimitDepths(push::PublicLimitDepths::default())),
        frame("public.bookTicker", Raw::PublicAggreBookTicker(push::PublicAggreBookTicker::default())),
    ]
}

fn sound_replies() -> Vec<Vec<u8>> {
    [
        r#"{"serverTime":1760000000000}"#,
        r#"{"lastUpdateId":7,"bids":[["100000.01","0.25"]],"asks":[["100001","1"]],"timestamp":1760000000000}"#,
        r#"{"symbol":"BTCUSDC","bidPrice":"1","bidQty":"2","askPrice":"3","askQty":"4"}"#,
        r#"{"symbol":"BTCUSDC","orderId":"C02__1","orderListId":-1,"price":"1","origQty":"2","type":"LIMIT","side":"BUY","transactTime":1760000000000}"#,
        r#"[{"symbol":"BTCUSDC","orderId":"C02__1","newClientOrderId":"x"},{"newClientOrderId":"y","msg":"Oversold","code":30005}]"#,
        r#"[{"symbol":"BTCUSDC","orderId":"C02__1","clientOrderId":"x","price":"1","origQty":"2","executedQty":"1","cummulativeQuoteQty":"1","status":"PARTIALLY_FILLED","type":"LIMIT","side":"BUY","time":1760000000000,"updateTime":null,"isWorking":true}]"#,
        r#"[{"symbol":"BTCUSDC","id":"T1","orderId":"C02__1","price":"1","qty":"2","quoteQty":"2","commission":"0.001","commissionAsset":"USDC","time":1760000000000,"isBuyer":true,"isMaker":false,"isBestMatch":true}]"#,
        r#"{"canTrade":true,"accountType":"SPOT","balances":[{"asset":"USDC","free":"1","locked":"2"}],"permissions":["SPOT"]}"#,
        r#"{"data":{"makerCommission":0.0,"takerCommission":0.0005},"code":0,"msg":"success","timestamp":1760000000000}"#,
        r#"{"code":200,"data":["BTCUSDC","ETHUSDC"],"msg":null}"#,
        r#"{"uid":"32447104"}"#,
        r#"{"listenKey":"pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"}"#,
        r#"{"listenKey":["a","b"]}"#,
        r#"{"timezone":"CST","serverTime":1,"symbols":[{"symbol":"BTCUSDC","status":"1","baseAsset":"BTC","baseAssetPrecision":6,"quoteAsset":"USDC","quotePrecision":2,"quoteAssetPrecision":2,"orderTypes":["LIMIT","LIMIT_MAKER"],"isSpotTradingAllowed":true,"permissions":["SPOT"],"maxQuoteAmount":"2000000","makerCommission":"0","takerCommission":"0.0005","quoteAmountPrecision":"1","baseSizePrecision":"0.000001","quoteAmountPrecisionMarket":"1","maxQuoteAmountMarket":"200000","tradeSideType":1}]}"#,
        r#"{"code":-2013,"msg":"Order does not exist."}"#,
    ]
    .iter()
    .flat_map(|text| [[b"\0".as_slice(), text.as_bytes()].concat(), [b"\x03", text.as_bytes()].concat()])
    .collect()
}
