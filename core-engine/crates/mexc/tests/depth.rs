//! The reader that walks the wire itself against prost, frame by frame: captured, generated and broken ones.

mod captured;

use captured::{V1, lines};
use flashpod_mexc::decode;
use flashpod_mexc::depth::{DepthPush, DepthReader};
use flashpod_mexc::push::{self, push_data_v3_api_wrapper::Body as Raw};
use proptest::prelude::*;
use prost::Message;

/// Reads by both; whether the reader read it itself.
fn compare(reader: &mut DepthReader, frame: &[u8]) -> bool {
    let Some(read) = reader.read(frame) else { return false };
    let decoded = decode::decode(frame).unwrap_or_else(|error| panic!("{error}: {}", hex::encode(frame)));
    assert_eq!(DepthPush::of(&decoded), Some(read), "{}", hex::encode(frame));
    true
}

fn wrapper(depths: push::PublicAggreDepths) -> push::PushDataV3ApiWrapper {
    push::PushDataV3ApiWrapper {
        channel: "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC".into(),
        symbol: Some("BTCUSDC".into()),
        symbol_id: None,
        create_time: None,
        send_time: Some(1_760_000_000_123),
        body: Some(Raw::PublicAggreDepths(depths)),
    }
}

fn level(price: &str, quantity: &str) -> push::Level {
    push::Level { price: price.into(), quantity: quantity.into() }
}

fn two_levels() -> push::PublicAggreDepths {
    push::PublicAggreDepths {
        asks: vec![level("100000.01", "0.25")],
        bids: vec![level("99999.99", "0")],
        event_type: "spot@public.aggre.depth.v3.api.pb@10ms".into(),
        from_version: "1001".into(),
        to_version: "1003".into(),
        last_order_create_time: 1_760_000_000_100,
    }
}

#[test]
fn the_golden_frame_is_read_in_place() {
    let mut reader = DepthReader::new();
    assert!(compare(&mut reader, &hex::decode(V1).unwrap()));
    assert_eq!(wrapper(two_levels()).encode_to_vec(), hex::decode(V1).unwrap());
}

#[test]
fn captured_frames_of_other_channels_are_left_to_prost() {
    let mut reader = DepthReader::new();
    for line in lines("protobuf_frames.jsonl") {
        let frame = hex::decode(line["hex"].as_str().unwrap()).unwrap();
        assert!(decode::decode(&frame).is_ok());
        assert!(!compare(&mut reader, &frame));
    }
}

#[test]
fn captured_depth_pushes_are_read_in_place() {
    let mut reader = DepthReader::new();
    let mut read = 0;
    for told in lines("decoded_btcusdc_20250823.jsonl").iter().map(|line| &line["publicAggreDepths"]) {
        if told.is_null() {
            continue;
        }
        assert!(compare(&mut reader, &wrapper(captured::depths(told)).encode_to_vec()));
        read += 1;
    }
    assert!(read > 0);
}

#[test]
fn what_is_unusual_is_left_to_prost() {
    let changed = |change: fn(&mut push::PublicAggreDepths)| {
        let mut depths = two_levels();
        change(&mut depths);
        wrapper(depths).encode_to_vec()
    };
    let usual = wrapper(two_levels()).encode_to_vec();
    let mut twice = usual.clone();
    twice.extend(wrapper(two_levels()).encode_to_vec());
    let mut unknown = usual.clone();
    unknown.extend([0x9a, 0x06, 0x01, 0x00]);
    for frame in [
        Vec::new(),
        twice,
        unknown,
        usual[..usual.len() - 1].to_vec(),
        changed(|depths| depths.bids[0].quantity = String::new()),
        changed(|depths| depths.bids[0].quantity = "-1".into()),
        changed(|depths| depths.asks[0].price = "0".into()),
        changed(|depths| depths.asks[0].price = "1e5".into()),
        changed(|depths| depths.from_version = "1004".into()),
        changed(|depths| depths.from_version = "+1".into()),
        changed(|depths| depths.to_version = "18446744073709551615".into()),
        changed(|depths| depths.to_version = String::new()),
        changed(|depths| depths.event_type = "ü".into()),
        changed(|depths| depths.last_order_create_time = -1),
    ] {
        assert!(!compare(&mut DepthReader::new(), &frame), "{}", hex::encode(&frame));
    }
}

/// Decimal texts as venues write them, seldom as they should not.
fn decimal() -> BoxedStrategy<String> {
    prop_oneof![
        20 => "[0-9]{1,7}(\\.[0-9]{1,8})?",
        2 => "[0-9]{1,12}\\.?[0-9]{0,10}0{0,4}",
        1 => "[-+.e0-9]{0,6}",
    ]
    .boxed()
}

fn depths(number: BoxedStrategy<String>) -> impl Strategy<Value = push::PublicAggreDepths> {
    let levels = move || {
        let level =
            (number.clone(), number.clone()).prop_map(|(price, quantity)| push::Level { price, quantity });
        prop::collection::vec(level, 0..30)
    };
    (levels(), levels(), "[a-z@.0-9]{0,50}", 0_u64..1 << 40, 0_u64..100, 0_i64..1 << 45).prop_map(
        |(asks, bids, event_type, from, span, last_order_create_time)| push::PublicAggreDepths {
            asks,
            bids,
            event_type,
            from_version: from.to_string(),
            to_version: (from + span).to_string(),
            last_order_create_time,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn usual_frames_are_read_in_place_as_prost_reads_them(
        depths in depths("[0-9]{0,6}[1-9](\\.[0-9]{1,8})?".boxed()),
        symbol in prop::option::of("[A-Z0-9]{0,24}"), created in prop::option::of(0_i64..1 << 45),
    ) {
        let frame = push::PushDataV3ApiWrapper { symbol, create_time: created, ..wrapper(depths) };
        prop_assert!(compare(&mut DepthReader::new(), &frame.encode_to_vec()));
    }

    /// One reader for all: nothing of a frame may be left for the next.
    #[test]
    fn whatever_is_read_in_place_prost_reads_the_same(
        frames in prop::collection::vec(depths(decimal()), 1..4),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut reader = DepthReader::new();
        for depths in frames {
            let mut frame = wrapper(depths).encode_to_vec();
            compare(&mut reader, &frame);
            for (at, with) in &flips {
                let at = at.index(frame.len());
                frame[at] ^= with;
            }
            compare(&mut reader, &frame);
            if let Some(cut) = cut {
                frame.truncate(cut.index(frame.len()));
                compare(&mut reader, &frame);
            }
        }
    }

    /// Small changes of tags and lengths reach the corners of the wire format more often than any bytes do.
    #[test]
    fn a_frame_with_one_byte_changed_reads_as_prost_reads_it(at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut frame = wrapper(two_levels()).encode_to_vec();
        let at = at.index(frame.len());
        frame[at] = with;
        compare(&mut DepthReader::new(), &frame);
    }

    #[test]
    fn any_bytes_read_as_prost_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        compare(&mut DepthReader::new(), &bytes);
    }
}

/// Every byte of a frame replaced by every value.
#[test]
fn every_single_changed_byte_reads_as_prost_reads_it() {
    let usual = wrapper(two_levels()).encode_to_vec();
    let mut reader = DepthReader::new();
    let mut read = 0;
    for at in 0..usual.len() {
        for with in 0..=u8::MAX {
            let mut frame = usual.clone();
            frame[at] = with;
            read += usize::from(compare(&mut reader, &frame));
        }
    }
    // Other digits and letters: many are as good as the original.
    assert!(read > usual.len(), "{read}");
}
