//! Decimal texts and client order ids.

use flashpod_orders::ClientId;
use flashpod_types::{Amount, OrderType, Price, Qty, Symbol};

use super::{Target, told};

pub(super) const DECIMALS: Target = Target {
    name: "decimals",
    what: "prices, quantities and amounts as text",
    run: decimals,
    seeds: || {
        [
            "0",
            "1",
            "-12.5",
            "0.00000001",
            "92233720368.54775807",
            "-92233720368.54775808",
            "1.0000000000000001",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[b".", b"-", b"0000000000", b"9999999999", b"e", b"+"],
};

pub(super) const CLIENT_IDS: Target = Target {
    name: "clientids",
    what: "client order ids, names and order types",
    run: client_ids,
    seeds: || {
        ["fpabcdefgh-1-1-1", "fpaaaaaaaa-zzzz-zz-zzzzzzz", "fp", "BTCUSDC", "BUY", "LIMIT_MAKER"]
            .map(|text| text.as_bytes().to_vec())
            .to_vec()
    },
    words: &[b"fp", b"-", b"zzzzzzzzzzzzz", b"0"],
};

macro_rules! exact {
    ($type:ty, $bytes:expr) => {{
        let read = <$type>::parse($bytes);
        if let Ok(value) = read {
            let text = value.to_string();
            assert_eq!(text.parse::<$type>(), Ok(value), "{text} is not what it was written from");
        }
        told(&read)
    }};
}

fn decimals(bytes: &[u8]) -> String {
    // In every surrounding as alone.
    for around in [&b""[..], b"9", b"\xff", b"."] {
        let buffer = [around, bytes, around].concat();
        assert_eq!(Price::parse_in(&buffer, around.len(), bytes.len()), Price::parse(bytes));
        assert_eq!(Qty::parse_in(&buffer, around.len(), bytes.len()), Qty::parse(bytes));
    }
    [exact!(Price, bytes), exact!(Qty, bytes), exact!(Amount, bytes)].concat()
}

fn client_ids(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let read = text.parse::<ClientId>();
    if let Ok(id) = &read {
        let written = id.encode().expect("what was read can be written");
        assert_eq!(ClientId::parse(&written).as_ref(), Ok(id), "{text:?} reads otherwise once written");
    }
    let _ = (Symbol::new(&text), OrderType::parse(&text));
    told(&read)
}
