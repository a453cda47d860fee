//! Push frames with known content: the golden vectors V1 to V6 of the project's wire format page (encoded by hand,
//! checked with the decoder of ccxt), and every frame captured from production in the shared data.

mod captured;

use captured::{V1, lines, shared, text};
use flashpod_mexc::decode::{self, Body, DecodeError};
use flashpod_mexc::{Cadence, Channel, KlineInterval, OrderStatus, push};
use flashpod_types::{Amount, Millis, OrderType, Price, Qty, Side};
use prost::Message;

const V2: &str = "0a2e73706f74407075626c69632e61676772652e6465616c732e76332e6170692e70624031306d7340425443555344431a074254435553444330fb80b3c19c33d213470a1d0a093130303030302e30311203302e31180120ee80b3c19c332a025437122673706f74407075626c69632e61676772652e6465616c732e76332e6170692e70624031306d73";
const V3: &str = "0a3373706f74407075626c69632e61676772652e626f6f6b5469636b65722e76332e6170692e70624031306d7340455448555344431a074554485553444330fb80b3c19c33da13250a07333939392e39391203312e351a07343030302e30312201322a02373730e980b3c19c33";
const V4: &str = "0a1d73706f7440707269766174652e6f72646572732e76332e6170692e70621a074254435553444330a081b3c19c3382134f0a064330325f5f311203632d311a093130303030302e30302205302e3030312a063130302e303032013038024001480152063130302e30305a05302e3030316a0130720130780180018c81b3c19c33";
const V5: &str = "0a1c73706f7440707269766174652e6465616c732e76332e6170692e70621a074254435553444330c881b3c19c3392133f0a093130303030302e30301205302e3030311a063130302e3030200128013a0254314203632d314a064330325f5f315201305a045553444360c781b3c19c33";
const V6: &str = "0a1e73706f7440707269766174652e6163636f756e742e76332e6170692e7062289681b3c19c33309781b3c19c339a13340a04555344431201781a0339303022042d3130302a0331303032033130303a0d454e54525553545f504c414345409581b3c19c33";

fn frame(hex_text: &str) -> decode::Frame {
    decode::decode(&hex::decode(hex_text).unwrap()).unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

#[test]
fn v1_is_a_depth_change_of_three_versions() {
    let frame = frame(V1);
    let channel = Channel::AggreDepth { cadence: Cadence::Ms10, symbol: "BTCUSDC".parse().unwrap() };
    assert_eq!(frame.channel.parse(), Ok(channel));
    assert_eq!(frame.symbol, Some("BTCUSDC".parse().unwrap()));
    assert_eq!((frame.created, frame.sent), (None, Some(Millis(1_760_000_000_123))));
    let Body::Depth(depth) = frame.body else { panic!() };
    assert_eq!((depth.from, depth.to), (1001, 1003));
    assert_eq!(depth.asks, [(price("100000.01"), qty("0.25"))]);
    assert_eq!(depth.bids, [(price("99999.99"), Qty::ZERO)]);
    assert_eq!(depth.last_order_created, Some(Millis(1_760_000_000_100)));
}

#[test]
fn v2_is_one_buy() {
    let Body::Deals(deals) = frame(V2).body else { panic!() };
    let [deal] = deals[..] else { panic!() };
    assert_eq!((deal.price, deal.qty, deal.taker), (price("100000.01"), qty("0.1"), Side::Buy));
    assert_eq!((deal.time, deal.id.as_str()), (Millis(1_760_000_000_110), "T7"));
}

#[test]
fn v3_is_a_best_bid_and_ask() {
    let frame = frame(V3);
    assert_eq!(frame.symbol, Some("ETHUSDC".parse().unwrap()));
    let Body::BookTicker(ticker) = frame.body else { panic!() };
    assert_eq!(ticker.bid, Some((price("3999.99"), qty("1.5"))));
    assert_eq!(ticker.ask, Some((price("4000.01"), qty("2"))));
    assert_eq!(ticker.version, Some(77));
}

#[test]
fn v4_is_a_new_post_only_buy() {
    let Body::Order(order) = frame(V4).body else { panic!() };
    assert_eq!((order.order_id.as_str(), order.client_id.as_str()), ("C02__1", "c-1"));
    assert_eq!(
        (order.side, order.kind, order.status),
        (Side::Buy, Some(OrderType::LimitMaker), OrderStatus::New)
    );
    assert_eq!((order.price, order.qty, order.executed), (price("100000"), qty("0.001"), Qty::ZERO));
    assert_eq!((order.executed_quote, order.created), (Amount::ZERO, Millis(1_760_000_000_140)));
    assert_eq!(order.symbol, Some("BTCUSDC".parse().unwrap()));
}

#[test]
fn v5_is_a_maker_fill_without_fee() {
    let Body::Fill(fill) = frame(V5).body else { panic!() };
    assert_eq!(
        (fill.trade_id.as_str(), fill.order_id.as_str(), fill.client_id.as_str()),
        ("T1", "C02__1", "c-1")
    );
    assert_eq!((fill.side, fill.maker, fill.self_trade), (Side::Buy, true, false));
    assert_eq!((fill.price, fill.qty, fill.quote), (price("100000"), qty("0.001"), amount("100")));
    assert_eq!(
        (fill.fee, fill.fee_asset.as_str(), fill.time),
        (Amount::ZERO, "USDC", Millis(1_760_000_000_199))
    );
}

#[test]
fn v6_is_a_lock_of_100_usdc() {
    let frame = frame(V6);
    assert_eq!((frame.symbol, frame.created), (None, Some(Millis(1_760_000_000_150))));
    let Body::Balance(balance) = frame.body else { panic!() };
    assert_eq!(balance.asset.as_str(), "USDC");
    assert_eq!((balance.free, balance.free_change), (amount("900"), amount("-100")));
    assert_eq!((balance.locked, balance.locked_change), (amount("100"), amount("100")));
    assert_eq!((balance.cause.as_str(), balance.time), ("ENTRUST_PLACE", Millis(1_760_000_000_149)));
}

#[test]
fn what_we_encode_has_the_same_content() {
    for vector in [V1, V2, V3, V4, V5, V6] {
        let wrapper = push::PushDataV3ApiWrapper::decode(&hex::decode(vector).unwrap()[..]).unwrap();
        let again = push::PushDataV3ApiWrapper::decode(&wrapper.encode_to_vec()[..]).unwrap();
        assert_eq!(again, wrapper);
    }
}

/// A level as the independent decoder wrote it.
fn told_level(value: &serde_json::Value, price_name: &str, qty_name: &str) -> (Price, Qty) {
    (price(value[price_name].as_str().unwrap()), qty(value[qty_name].as_str().unwrap()))
}

fn told_levels(value: &serde_json::Value) -> Vec<(Price, Qty)> {
    value.as_array().unwrap().iter().map(|level| told_level(level, "price", "quantity")).collect()
}

#[test]
fn every_captured_frame_reads_as_the_independent_decoder_read_it() {
    let mut bodies = [0; 4];
    let captured = lines("protobuf_frames.jsonl");
    for line in &captured {
        let told = &line["decoded"];
        let frame = frame(line["hex"].as_str().unwrap());
        assert_eq!(frame.channel, told["channel"].as_str().unwrap());
        assert!(frame.channel.parse::<Channel>().is_ok(), "{}", frame.channel);
        assert_eq!(frame.symbol.unwrap().as_str(), told["symbol"].as_str().unwrap());
        assert_eq!(frame.sent.map(|ms| ms.0), told["sendTime"].as_i64());
        assert_eq!(frame.created.map(|ms| ms.0), told["createTime"].as_i64());
        match frame.body {
            Body::BookTicker(ticker) => {
                let told = &told["publicAggreBookTicker"];
                assert_eq!(ticker.bid, Some(told_level(told, "bidPrice", "bidQuantity")));
                assert_eq!(ticker.ask, Some(told_level(told, "askPrice", "askQuantity")));
                assert_eq!(ticker.version.map(|v| v.to_string()).as_deref(), told["version"].as_str());
                bodies[0] += 1;
            }
            Body::Deals(deals) => {
                let told = told["publicAggreDeals"]["deals"].as_array().unwrap();
                assert_eq!(deals.len(), told.len());
                for (deal, told) in deals.iter().zip(told) {
                    assert_eq!((deal.price, deal.qty), told_level(told, "price", "quantity"));
                    assert_eq!(deal.taker.is_buy(), told["tradeType"] == 1);
                    assert_eq!(Some(deal.time.0), told["time"].as_i64());
                    assert_eq!(Some(deal.id.as_str()), told["tradeId"].as_str());
                }
                bodies[1] += 1;
            }
            Body::LimitDepth(depth) => {
                let told = &told["publicLimitDepths"];
                assert_eq!(depth.asks, told_levels(&told["asks"]));
                assert_eq!(depth.bids, told_levels(&told["bids"]));
                assert_eq!(depth.version.map(|v| v.to_string()).as_deref(), told["version"].as_str());
                bodies[2] += 1;
            }
            Body::Kline(kline) => {
                let told = &told["publicSpotKline"];
                let text = |name: &str| told[name].as_str().unwrap().to_owned();
                assert_eq!(kline.interval, KlineInterval::Min1);
                assert_eq!(
                    (Some(kline.start_s), Some(kline.end_s)),
                    (told["windowStart"].as_i64(), told["windowEnd"].as_i64())
                );
                assert_eq!(
                    (kline.open, kline.close),
                    (price(&text("openingPrice")), price(&text("closingPrice")))
                );
                assert_eq!(
                    (kline.high, kline.low),
                    (price(&text("highestPrice")), price(&text("lowestPrice")))
                );
                assert_eq!(
                    (kline.volume, kline.turnover),
                    (amount(&text("volume")), amount(&text("amount")))
                );
                bodies[3] += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((captured.len(), bodies), (7, [4, 1, 1, 1]));
}

/// Only the decoded form of these was captured: encoded anew, they must read as captured.
#[test]
fn the_frames_captured_in_decoded_form_read_as_captured() {
    for told in lines("decoded_btcusdc_20250823.jsonl") {
        let body = if told["publicAggreDepths"].is_null() {
            let told = &told["publicAggreDeals"];
            let deals = told["deals"].as_array().unwrap().iter().map(|deal| push::PublicAggreDeal {
                price: text(&deal["price"]),
                quantity: text(&deal["quantity"]),
                trade_type: i32::try_from(deal["tradeType"].as_i64().unwrap()).unwrap(),
                time: text(&deal["time"]).parse().unwrap(),
                trade_id: String::new(),
            });
            push::push_data_v3_api_wrapper::Body::PublicAggreDeals(push::PublicAggreDeals {
                deals: deals.collect(),
                event_type: text(&told["eventType"]),
            })
        } else {
            let depths = captured::depths(&told["publicAggreDepths"]);
            push::push_data_v3_api_wrapper::Body::PublicAggreDepths(depths)
        };
        let wrapper = push::PushDataV3ApiWrapper {
            channel: text(&told["channel"]),
            symbol: Some(text(&told["symbol"])),
            symbol_id: None,
            create_time: None,
            send_time: Some(text(&told["sendTime"]).parse().unwrap()),
            body: Some(body),
        };
        match decode::decode(&wrapper.encode_to_vec()).unwrap().body {
            Body::Depth(depth) => {
                assert_eq!((depth.from, depth.to), (17_521_975_448, 17_521_975_455));
                assert_eq!(depth.asks, [(price("115198.74"), qty("0.068865"))]);
                assert_eq!(depth.bids, [(price("114838.84"), qty("0.000101"))]);
                assert_eq!(depth.last_order_created, None);
            }
            Body::Deals(deals) => {
                assert_eq!((deals[0].price, deals[0].qty), (price("115091.25"), qty("0.000059")));
                assert!(deals[0].id.is_empty());
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The retired JSON interface: text frames, which are no protobuf.
#[test]
fn frames_of_the_retired_json_interface_are_refused() {
    let text = std::fs::read_to_string(shared("json_v3_solusdt_20250112.txt")).unwrap();
    let mut refused = 0;
    for line in text.lines() {
        let (_, frame) = line.split_once(' ').unwrap();
        assert!(decode::decode(frame.as_bytes()).is_err());
        refused += 1;
    }
    assert_eq!(refused, 7);
}

#[test]
fn a_bad_field_is_named_with_channel_and_value() {
    let depth = |change: fn(&mut push::PublicAggreDepths)| {
        let mut wrapper = push::PushDataV3ApiWrapper::decode(&hex::decode(V1).unwrap()[..]).unwrap();
        let Some(push::push_data_v3_api_wrapper::Body::PublicAggreDepths(body)) = &mut wrapper.body else {
            panic!()
        };
        change(body);
        decode::convert(wrapper).unwrap_err().to_string()
    };
    for (error, parts) in [
        (depth(|body| body.from_version = "x".into()), ["fromVersion is `x`", "no version number"]),
        (depth(|body| body.from_version = "1004".into()), ["fromVersion is `1004`", "after toVersion 1003"]),
        (depth(|body| body.to_version = String::new()), ["toVersion is ``", "no version number"]),
        (depth(|body| body.bids[0].price = "1e5".into()), ["bid is `1e5`", "not a plain decimal"]),
        (depth(|body| body.bids[0].price = "0".into()), ["bid is `0`", "no positive price"]),
        (depth(|body| body.asks[0].quantity = "-1".into()), ["ask is `-1`", "is negative"]),
        (depth(|body| body.asks[0].price = "9".repeat(500)), ["ask is `999", "too large"]),
    ] {
        assert!(error.contains("spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC"), "{error}");
        assert!(error.len() < 300, "{error}");
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    }
}

#[test]
fn unknown_numbers_of_an_order_are_errors_except_foreign_order_kinds() {
    let order = |change: fn(&mut push::PrivateOrders)| {
        let mut wrapper = push::PushDataV3ApiWrapper::decode(&hex::decode(V4).unwrap()[..]).unwrap();
        let Some(push::push_data_v3_api_wrapper::Body::PrivateOrders(body)) = &mut wrapper.body else {
            panic!()
        };
        change(body);
        decode::convert(wrapper)
    };
    assert!(matches!(order(|body| body.status = 0), Err(DecodeError::Field { field: "status", .. })));
    assert!(matches!(order(|body| body.trade_type = 3), Err(DecodeError::Field { field: "tradeType", .. })));
    assert!(matches!(order(|body| body.id.clear()), Err(DecodeError::Field { field: "id", .. })));
    let stop = order(|body| {
        body.order_type = 100;
        body.client_id = "too long for any client id of ours, and ünreadable".into();
    });
    let Body::Order(stop) = stop.unwrap().body else { panic!() };
    assert_eq!((stop.kind, stop.client_id.is_empty()), (None, true));
}

#[test]
fn a_wrapper_without_a_known_body_is_an_error() {
    let empty = push::PushDataV3ApiWrapper { channel: "c".into(), ..Default::default() };
    let error = decode::decode(&empty.encode_to_vec()).unwrap_err();
    assert_eq!(error.to_string(), "push on `c` has no body this schema knows");
}
