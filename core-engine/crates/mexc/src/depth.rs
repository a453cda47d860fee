//! `aggre.depth` pushes read in place: no allocation, no copy of a text.
//!
//! Nearly every frame of a trading day is one of these. The reader walks the protobuf wire itself and turns each text
//! into its value where it lies. It knows one shape only, the one that the venue sends: known fields with their own
//! wire types, one body, ASCII texts, plain numbers. At anything else it steps back, and
//! [`decode`](crate::decode::decode) reads the frame by prost: so what is accepted, and what an error says, is decided
//! in one place. What is read here equals what is read there (`tests/depth.rs`).

use flashpod_types::{Millis, Price, Qty, Symbol};

use crate::decode::{Body, Frame, Level};

/// Field numbers and wire types, as the schema has them: `number << 3 | type`.
mod tag {
    pub(super) const CHANNEL: u64 = 1 << 3 | 2;
    pub(super) const SYMBOL: u64 = 3 << 3 | 2;
    pub(super) const SYMBOL_ID: u64 = 4 << 3 | 2;
    pub(super) const CREATE_TIME: u64 = 5 << 3;
    pub(super) const SEND_TIME: u64 = 6 << 3;
    pub(super) const AGGRE_DEPTHS: u64 = 313 << 3 | 2;

    pub(super) const ASK: u8 = 1 << 3 | 2;
    pub(super) const BID: u8 = 2 << 3 | 2;
    pub(super) const EVENT_TYPE: u8 = 3 << 3 | 2;
    pub(super) const FROM_VERSION: u8 = 4 << 3 | 2;
    pub(super) const TO_VERSION: u8 = 5 << 3 | 2;
    pub(super) const LAST_ORDER_CREATE_TIME: u8 = 6 << 3;

    pub(super) const PRICE: u8 = 1 << 3 | 2;
    pub(super) const QUANTITY: u8 = 2 << 3 | 2;
}

/// A push as it was read; the levels lie in the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepthPush<'a> {
    /// Name of the channel as subscribed.
    pub channel: &'a [u8],
    pub symbol: Option<Symbol>,
    /// When the venue made and sent the message.
    pub created: Option<Millis>,
    pub sent: Option<Millis>,
    /// Versions covered: `from..=to`.
    pub from: u64,
    pub to: u64,
    pub bids: &'a [Level],
    pub asks: &'a [Level],
    pub last_order_created: Option<Millis>,
}

impl<'a> DepthPush<'a> {
    /// The push in a frame that was read by [`decode`](crate::decode::decode). None: it holds another.
    #[must_use]
    pub fn of(frame: &'a Frame) -> Option<Self> {
        let Body::Depth(depth) = &frame.body else { return None };
        Some(Self {
            channel: frame.channel.as_bytes(),
            symbol: frame.symbol,
            created: frame.created,
            sent: frame.sent,
            from: depth.from,
            to: depth.to,
            bids: &depth.bids,
            asks: &depth.asks,
            last_order_created: depth.last_order_created,
        })
    }
}

/// Reads one push after the other into the same memory.
#[derive(Debug, Default)]
pub struct DepthReader {
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// The scalar fields of the body.
#[derive(Default)]
struct Versions {
    from: u64,
    to: u64,
    last_order_created: i64,
}

impl DepthReader {
    #[must_use]
    pub const fn new() -> Self {
        Self { bids: Vec::new(), asks: Vec::new() }
    }

    /// Reads a frame. None: no `aggre.depth` push of the usual shape; `decode` says what it is, or what is wrong.
    pub fn read<'a>(&'a mut self, frame: &'a [u8]) -> Option<DepthPush<'a>> {
        self.bids.clear();
        self.asks.clear();
        let (mut channel, mut symbol, mut created, mut sent) = (&[][..], None, None, None);
        let mut body = None;
        let mut wire = Wire { bytes: frame, at: 0, end: frame.len() };
        while wire.at < wire.end {
            match wire.varint()? {
                tag::CHANNEL => channel = wire.ascii()?,
                tag::SYMBOL => {
                    let text = std::str::from_utf8(wire.ascii()?).ok()?;
                    symbol = if text.is_empty() { None } else { Some(Symbol::new(text).ok()?) };
                }
                tag::SYMBOL_ID => drop(wire.ascii()?),
                tag::CREATE_TIME => created = Some(Millis(wire.varint()?.cast_signed())),
                tag::SEND_TIME => sent = Some(Millis(wire.varint()?.cast_signed())),
                // A second one would be merged into the first.
                tag::AGGRE_DEPTHS if body.is_none() => {
                    let part = wire.part()?;
                    body = Some(self.body(part)?);
                }
                _ => return None,
            }
        }
        let Versions { from, to, last_order_created } = body?;
        if from > to {
            return None;
        }
        let last_order_created = (last_order_created != 0).then_some(Millis(last_order_created));
        let Self { bids, asks } = self;
        Some(DepthPush { channel, symbol, created, sent, from, to, bids, asks, last_order_created })
    }

    fn body(&mut self, mut wire: Wire<'_>) -> Option<Versions> {
        let (mut from, mut to, mut last_order_created) = (None, None, 0);
        while wire.at < wire.end {
            match wire.byte()? {
                tag::ASK => self.asks.push(wire.level()?),
                tag::BID => self.bids.push(wire.level()?),
                tag::EVENT_TYPE => drop(wire.ascii()?),
                tag::FROM_VERSION => from = Some(wire.version()?),
                tag::TO_VERSION => to = Some(wire.version()?),
                tag::LAST_ORDER_CREATE_TIME => last_order_created = wire.varint()?.cast_signed(),
                _ => return None,
            }
        }
        Some(Versions { from: from?, to: to?, last_order_created })
    }
}

/// A place in a frame, and the end of the message that is read. Never reads behind the end, but may look there.
#[derive(Clone, Copy)]
struct Wire<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Wire<'a> {
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let byte = if self.at < self.end { self.bytes.get(self.at).copied()? } else { return None };
        self.at += 1;
        Some(byte)
    }

    /// Up to nine bytes: longer ones, i.e. negative numbers, are no business of ours.
    #[inline]
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// The message or text that follows: its length, and its bytes, which lie inside this one.
    #[inline]
    fn part(&mut self) -> Option<Self> {
        let len = usize::try_from(self.varint()?).ok()?;
        let (at, end) = (self.at, self.at.checked_add(len).filter(|end| *end <= self.end)?);
        self.at = end;
        Some(Self { bytes: self.bytes, at, end })
    }

    /// A text; other than ASCII is left to prost, which knows UTF-8.
    #[inline]
    fn ascii(&mut self) -> Option<&'a [u8]> {
        let Self { bytes, at, end } = self.part()?;
        bytes.get(at..end).filter(|text| text.is_ascii())
    }

    /// A level of the usual shape: price, then quantity, each with a length of one byte.
    #[inline]
    fn level(&mut self) -> Option<Level> {
        let len = usize::from(self.byte()?);
        let (at, end) = (self.at, self.at + len);
        if len >= 0x80 || end > self.end {
            return None;
        }
        let message = self.bytes.get(at..end)?;
        let [tag::PRICE, price, rest @ ..] = message else { return None };
        let price = usize::from(*price);
        let [tag::QUANTITY, qty] = rest.get(price..price + 2)? else { return None };
        let qty = usize::from(*qty);
        if price + qty + 4 != len {
            return None;
        }
        self.at = end;
        let price_value = Price::parse_in(self.bytes, at + 2, price).ok()?;
        let qty_value = Qty::parse_in(self.bytes, at + 4 + price, qty).ok()?;
        (price_value.is_positive() & !qty_value.is_negative()).then_some((price_value, qty_value))
    }

    /// A number without sign: at most 19 digits, which 64 bits hold.
    #[inline]
    fn version(&mut self) -> Option<u64> {
        let Self { bytes, at, end } = self.part()?;
        if end == at || end - at > 19 {
            return None;
        }
        bytes.get(at..end)?.iter().try_fold(0_u64, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit <= 9).then(|| number * 10 + u64::from(digit))
        })
    }
}
