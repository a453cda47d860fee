//! One line to one frame.

use std::fmt;

use flashpod_types::{DecimalError, Millis, Nanos, Price, Qty, Symbol};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use crate::frame::{Depth, Event, Level, Places, Snapshot, Ticker, Trade};

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("is no frame: `<receive time> <JSON>` is expected, this begins `{0}`")]
    Shape(String),
    #[error("receive time `{0}` is no time since 1970 in milliseconds, microseconds or nanoseconds")]
    Time(String),
    #[error("the JSON cannot be read: {0}")]
    Json(String),
    #[error("the {kind} frame has no field `{field}`")]
    Missing { kind: &'static str, field: &'static str },
    #[error("{field} `{value}` {reason}")]
    Value { field: &'static str, value: String, reason: String },
    #[error("is no frame of a known kind (depthUpdate, bookTicker, trade, or a snapshot with lastUpdateId)")]
    Kind,
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Frame {
        local: Nanos,
        /// None: a snapshot that does not name it.
        symbol: Option<Symbol>,
        event: Event,
    },
    /// A frame of the same format whose kind is not used; its name.
    Unused(String),
}

/// Reads one line, without its line break.
pub fn parse_line(line: &[u8]) -> Result<Line, LineError> {
    let split = line.iter().position(|b| *b == b' ').ok_or_else(|| LineError::Shape(excerpt(line)))?;
    let (time, json) = (&line[..split], &line[split + 1..]);
    if time.is_empty() || !time.iter().all(u8::is_ascii_digit) || !json.trim_ascii_start().starts_with(b"{") {
        return Err(LineError::Shape(excerpt(line)));
    }
    let local = local_time(time)?;
    let outer: Raw<'_> = serde_json::from_slice(json).map_err(|error| LineError::Json(error.to_string()))?;
    let stream = outer.stream;
    let raw = match outer.data {
        Some(data) => *data,
        None => outer,
    };
    if let Some(last_update_id) = raw.last_update_id {
        let (bids, asks) = (levels("snapshot", "bids", raw.bids)?, levels("snapshot", "asks", raw.asks)?);
        let event = Event::Snapshot(Snapshot {
            last_update_id,
            places: bids.places.max(asks.places),
            bids: bids.levels,
            asks: asks.levels,
        });
        return Ok(Line::Frame { local, symbol: raw.symbol.map(symbol).transpose()?, event });
    }
    // Spot tickers carry no event name; the stream's name or their shape tells.
    let kind = match raw.event {
        Some(kind) => kind,
        None if matches!(raw.best_bid_qty, Some(Side::Text(_))) => "bookTicker",
        None => stream.and_then(|name| name.split('@').nth(1)).ok_or(LineError::Kind)?,
    };
    let event = match kind {
        "depthUpdate" => depth(&raw).map(Event::Depth)?,
        "bookTicker" => ticker(&raw).map(Event::Ticker)?,
        "trade" => match trade(&raw)? {
            // Binance futures tell insurance fund settlements as trades of nothing at price 0.
            trade if trade.price.is_zero() || trade.qty.is_zero() => {
                return Ok(Line::Unused("trade of nothing".to_owned()));
            }
            trade => Event::Trade(trade),
        },
        other => return Ok(Line::Unused(other.chars().take(40).collect())),
    };
    let named = raw.short_symbol.or(raw.symbol).ok_or(LineError::Missing { kind: "market", field: "s" })?;
    Ok(Line::Frame { local, symbol: Some(symbol(named)?), event })
}

/// The unit follows from the magnitude: 1e12 ms, 1e15 µs and 1e18 ns are all in September 2001.
fn local_time(digits: &[u8]) -> Result<Nanos, LineError> {
    let text = String::from_utf8_lossy(digits);
    let refused = || LineError::Time(text.chars().take(30).collect());
    let value: u64 = text.parse().map_err(|_| refused())?;
    let factor = match text.trim_start_matches('0').len() {
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return Err(refused()),
    };
    value.checked_mul(factor).map(Nanos).ok_or_else(refused)
}

fn symbol(text: &str) -> Result<Symbol, LineError> {
    match Symbol::new(text) {
        Ok(symbol) if !symbol.is_empty() => Ok(symbol),
        Ok(_) => Err(LineError::Value { field: "symbol", value: String::new(), reason: "is empty".into() }),
        Err(error) => Err(LineError::Value {
            field: "symbol",
            value: text.chars().take(40).collect(),
            reason: error.to_string(),
        }),
    }
}

fn depth(raw: &Raw<'_>) -> Result<Depth, LineError> {
    let kind = "depthUpdate";
    let missing = |field| LineError::Missing { kind, field };
    let (Some(Side::Levels(bids)), Some(Side::Levels(asks))) = (&raw.b, &raw.a) else {
        return Err(missing("b` or `a"));
    };
    let depth = Depth {
        event: Millis(raw.event_ms.ok_or(missing("E"))?),
        first: raw.first.ok_or(missing("U"))?,
        last: raw.last.ok_or(missing("u"))?,
        prev_last: raw.prev_last,
        places: bids.places.max(asks.places),
        bids: bids.levels.clone(),
        asks: asks.levels.clone(),
    };
    if depth.first > depth.last {
        return Err(LineError::Value {
            field: "U",
            value: depth.first.to_string(),
            reason: format!("is after u {}", depth.last),
        });
    }
    Ok(depth)
}

fn ticker(raw: &Raw<'_>) -> Result<Ticker, LineError> {
    let text = |side: &Option<Side<'_>>, field| match side {
        Some(Side::Text(text)) => Ok((*text).to_owned()),
        _ => Err(LineError::Missing { kind: "bookTicker", field }),
    };
    let level = |price: String, qty: String| -> Result<Level, LineError> {
        Ok((decimal("price", &price)?, decimal("quantity", &qty)?))
    };
    Ok(Ticker {
        update_id: raw.last.ok_or(LineError::Missing { kind: "bookTicker", field: "u" })?,
        bid: level(text(&raw.b, "b")?, text(&raw.best_bid_qty, "B")?)?,
        ask: level(text(&raw.a, "a")?, text(&raw.best_ask_qty, "A")?)?,
    })
}

fn trade(raw: &Raw<'_>) -> Result<Trade, LineError> {
    let missing = |field| LineError::Missing { kind: "trade", field };
    let time = raw.trade_ms.ok_or(missing("T"))?;
    let (price, qty): (Price, Qty) = (
        decimal("price", raw.price.ok_or(missing("p"))?)?,
        decimal("quantity", raw.qty.ok_or(missing("q"))?)?,
    );
    if price.is_negative() || qty.is_negative() {
        let (value, reason) = (format!("{price} × {qty}"), "is impossible".to_owned());
        return Err(LineError::Value { field: "trade", value, reason });
    }
    Ok(Trade {
        event: Millis(raw.event_ms.unwrap_or(time)),
        time: Millis(time),
        id: raw.trade_id.ok_or(missing("t"))?,
        price,
        qty,
        buyer_is_maker: raw.buyer_is_maker.ok_or(missing("m"))?,
    })
}

fn levels(kind: &'static str, field: &'static str, side: Option<Side<'_>>) -> Result<Levels, LineError> {
    match side {
        Some(Side::Levels(levels)) => Ok(levels),
        _ => Err(LineError::Missing { kind, field }),
    }
}

fn decimal<T: std::str::FromStr<Err = DecimalError>>(
    field: &'static str,
    text: &str,
) -> Result<T, LineError> {
    text.parse().map_err(|error: DecimalError| LineError::Value {
        field,
        value: text.chars().take(40).collect(),
        reason: error.to_string(),
    })
}

fn excerpt(line: &[u8]) -> String {
    // Escaped: a foreign file may hold anything, terminal controls included.
    line[..line.len().min(40)].escape_ascii().to_string()
}

/// Any frame: the union of the fields of all kinds. One pass, nothing buffered.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(default, borrow)]
    stream: Option<&'a str>,
    #[serde(default, borrow)]
    data: Option<Box<Raw<'a>>>,
    #[serde(default, borrow, rename = "e")]
    event: Option<&'a str>,
    #[serde(default, rename = "E")]
    event_ms: Option<i64>,
    #[serde(default, rename = "T")]
    trade_ms: Option<i64>,
    #[serde(default, borrow, rename = "s")]
    short_symbol: Option<&'a str>,
    #[serde(default, borrow)]
    symbol: Option<&'a str>,
    #[serde(default, rename = "lastUpdateId")]
    last_update_id: Option<u64>,
    #[serde(default, borrow)]
    bids: Option<Side<'a>>,
    #[serde(default, borrow)]
    asks: Option<Side<'a>>,
    #[serde(default, rename = "U")]
    first: Option<u64>,
    #[serde(default, rename = "u")]
    last: Option<u64>,
    #[serde(default, rename = "pu")]
    prev_last: Option<u64>,
    #[serde(default, borrow)]
    b: Option<Side<'a>>,
    #[serde(default, borrow)]
    a: Option<Side<'a>>,
    #[serde(default, borrow, rename = "B")]
    best_bid_qty: Option<Side<'a>>,
    #[serde(default, borrow, rename = "A")]
    best_ask_qty: Option<Side<'a>>,
    #[serde(default, rename = "t")]
    trade_id: Option<u64>,
    #[serde(default, borrow, rename = "p")]
    price: Option<&'a str>,
    #[serde(default, borrow, rename = "q")]
    qty: Option<&'a str>,
    #[serde(default, rename = "m")]
    buyer_is_maker: Option<bool>,
}

/// `b`, `a` and the like: levels in depth frames, a text in tickers, an order id in trades.
enum Side<'a> {
    Levels(Levels),
    Text(&'a str),
    Number,
}

struct Levels {
    levels: Vec<Level>,
    places: Places,
}

impl<'de: 'a, 'a> Deserialize<'de> for Side<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SideVisitor;

        impl<'de> Visitor<'de> for SideVisitor {
            type Value = Side<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("levels `[[\"price\",\"quantity\"],…]` or a decimal text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Side<'de>, E> {
                Ok(Side::Text(text))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Side<'de>, E> {
                Ok(Side::Number)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Side<'de>, A::Error> {
                let mut levels = Vec::with_capacity(rows.size_hint().unwrap_or(16).min(4096));
                let mut places = Places::default();
                while let Some([price, qty]) = rows.next_element::<[&'de str; 2]>()? {
                    let refused = |what: &str, text: &str, error: DecimalError| {
                        A::Error::custom(format!(
                            "{what} `{}` {error}",
                            text.chars().take(40).collect::<String>()
                        ))
                    };
                    let level = (
                        price.parse::<Price>().map_err(|error| refused("price", price, error))?,
                        qty.parse::<Qty>().map_err(|error| refused("quantity", qty, error))?,
                    );
                    if !level.0.is_positive() || level.1.is_negative() {
                        return Err(A::Error::custom(format!("level {price} × {qty} is impossible")));
                    }
                    places = places.max(Places { price: decimals(price), qty: decimals(qty) });
                    levels.push(level);
                }
                Ok(Side::Levels(Levels { levels, places }))
            }
        }

        deserializer.deserialize_any(SideVisitor)
    }
}

fn decimals(text: &str) -> u8 {
    text.find('.').map_or(0, |point| u8::try_from(text.len() - point - 1).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(line: &str) -> Event {
        match parse_line(line.as_bytes()).unwrap() {
            Line::Frame { event, .. } => event,
            Line::Unused(name) => panic!("unused: {name}"),
        }
    }

    #[test]
    fn the_unit_of_the_receive_time_follows_from_its_magnitude() {
        for (text, ns) in [
            ("1723161253937085768", 1_723_161_253_937_085_768),
            ("1721749182850494", 1_721_749_182_850_494_000),
            ("1721749182850", 1_721_749_182_850_000_000),
        ] {
            assert_eq!(local_time(text.as_bytes()).unwrap(), Nanos(ns));
        }
        for text in ["0", "1721749182", "99999999999999999999", "17217491828504"] {
            assert!(matches!(local_time(text.as_bytes()), Err(LineError::Time(_))), "{text}");
        }
    }

    #[test]
    fn a_futures_update_names_the_one_before() {
        let line = r#"1723161255030314667 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"]],"a":[]}}"#;
        let Event::Depth(depth) = event(line) else { panic!() };
        assert_eq!(
            (depth.first, depth.last, depth.prev_last),
            (5_123_107_832_006, 5_123_107_837_557, Some(5_123_107_831_937))
        );
        assert_eq!(depth.bids, [("58710.2".parse().unwrap(), "0.014".parse().unwrap())]);
        assert_eq!(depth.places, Places { price: 2, qty: 3 });
    }

    #[test]
    fn a_spot_ticker_is_known_without_an_event_name() {
        let line = r#"1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#;
        let Event::Ticker(ticker) = event(line) else { panic!() };
        assert_eq!(ticker.ask.0.to_string(), "61837.64");
    }

    #[test]
    fn a_trade_may_carry_order_ids_under_the_names_of_sides() {
        let line = r#"1721749182850494 {"e":"trade","E":1,"s":"NEXOUSDT","t":7,"p":"1.21","q":"3","b":88,"a":99,"T":2,"m":true,"M":true}"#;
        let Event::Trade(trade) = event(line) else { panic!() };
        assert_eq!((trade.id, trade.time, trade.buyer_is_maker), (7, Millis(2), true));
    }

    #[test]
    fn a_bare_snapshot_has_no_symbol() {
        let line = r#"1721749182850494 {"lastUpdateId": 5, "bids": [["1.2", "3"]], "asks": []}"#;
        let Line::Frame { symbol, event: Event::Snapshot(snapshot), .. } =
            parse_line(line.as_bytes()).unwrap()
        else {
            panic!()
        };
        assert_eq!((symbol, snapshot.last_update_id, snapshot.bids.len()), (None, 5, 1));
    }

    #[test]
    fn other_kinds_are_named_not_refused() {
        let line = r#"1721749182850494 {"stream":"btcusdt@markPrice","data":{"e":"markPriceUpdate","s":"BTCUSDT","p":"1"}}"#;
        assert_eq!(parse_line(line.as_bytes()), Ok(Line::Unused("markPriceUpdate".into())));
        let line = r#"1721749182850494 {"e":"trade","s":"A","T":1,"t":1,"p":"0","q":"0","X":"NA","m":true}"#;
        assert_eq!(parse_line(line.as_bytes()), Ok(Line::Unused("trade of nothing".into())));
    }

    #[test]
    fn what_is_no_frame_is_refused_with_the_reason() {
        for (line, part) in [
            ("", "is no frame"),
            ("hello world", "is no frame"),
            ("time,price", "is no frame"),
            ("123 {}", "receive time `123`"),
            ("1721749182850494 {}", "known kind"),
            (r#"1721749182850494 {"c":"spot@public","d":{"bids":[]}}"#, "known kind"),
            (r#"1721749182850494 {"e":"depthUpdate","s":"A","E":1,"U":1,"u":2,"b":[["1","#, "cannot be read"),
            (r#"1721749182850494 {"e":"depthUpdate","s":"A","E":1,"u":2,"b":[],"a":[]}"#, "no field `U`"),
            (
                r#"1721749182850494 {"e":"depthUpdate","s":"A","E":1,"U":3,"u":2,"b":[],"a":[]}"#,
                "is after u 2",
            ),
            (
                r#"1721749182850494 {"e":"depthUpdate","s":"A","E":1,"U":1,"u":2,"b":[["x","1"]],"a":[]}"#,
                "price `x`",
            ),
            (
                r#"1721749182850494 {"e":"depthUpdate","s":"A","E":1,"U":1,"u":2,"b":[["1","-1"]],"a":[]}"#,
                "impossible",
            ),
            (r#"1721749182850494 {"e":"trade","s":"A","T":1,"t":1,"p":"1","q":"1"}"#, "no field `m`"),
            (
                r#"1721749182850494 {"e":"trade","s":"A","T":1,"t":1,"p":"1","q":"-1","m":true}"#,
                "trade `1 × -1` is impossible",
            ),
            (r#"1721749182850494 {"e":"trade","T":1,"t":1,"p":"1","q":"1","m":true}"#, "no field `s`"),
        ] {
            let error = parse_line(line.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = parse_line(&bytes);
            let mut line = b"1721749182850494 {".to_vec();
            line.extend(&bytes);
            let _ = parse_line(&line);
        }
    }
}
