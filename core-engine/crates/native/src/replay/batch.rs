//! Events as parallel arrays: written on the pool, handed to JavaScript without a copy.

use flashpod_book::{Book, Level};
use flashpod_types::{Price, Qty, Side};
use napi::bindgen_prelude::{Float64Array, Uint8Array, Uint32Array};
use napi_derive::napi;

use crate::failure::Outcome;
use crate::units;

/// Kinds of events.
pub(super) const BOOK: u8 = 0;
pub(super) const TRADE: u8 = 1;
pub(super) const SNAPSHOT: u8 = 2;
pub(super) const LOST: u8 = 3;

/// What every event has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    pub(super) symbol: u8,
    /// Receive time after the first frame of depth or trades.
    pub(super) elapsed_ns: u64,
    pub(super) venue_ms: i64,
    /// Update id or trade id.
    pub(super) id: u64,
}

/// A batch while it is filled.
#[derive(Debug, Default)]
pub struct Rows {
    levels: usize,
    pub(super) symbols: Vec<String>,
    pub(super) start_ns: u64,
    pub(super) frames: u32,
    level_changes: u32,
    kinds: Vec<u8>,
    symbol: Vec<u8>,
    elapsed_ns: Vec<f64>,
    venue_ms: Vec<f64>,
    ids: Vec<f64>,
    row: Vec<u32>,
    books: Books,
    change_prices: Vec<f64>,
    change_quantities: Vec<f64>,
    trade_prices: Vec<f64>,
    trade_quantities: Vec<f64>,
    trade_takers: Vec<u8>,
    trade_times_ms: Vec<f64>,
}

#[derive(Debug, Default)]
struct Books {
    bid_prices: Vec<f64>,
    bid_quantities: Vec<f64>,
    ask_prices: Vec<f64>,
    ask_quantities: Vec<f64>,
    bid_levels: Vec<u32>,
    ask_levels: Vec<u32>,
    first_change: Vec<u32>,
    bid_changes: Vec<u32>,
    ask_changes: Vec<u32>,
}

impl Rows {
    pub(super) fn new(levels: usize) -> Self {
        Self { levels, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    fn event(&mut self, kind: u8, stamp: Stamp, row: usize) -> Outcome<()> {
        self.kinds.push(kind);
        self.symbol.push(stamp.symbol);
        self.elapsed_ns.push(units::number("time", stamp.elapsed_ns)?);
        self.venue_ms.push(units::millis(stamp.venue_ms));
        self.ids.push(units::number("id", stamp.id)?);
        self.row.push(count(row));
        Ok(())
    }

    /// A state of a book and the changes that led to it.
    pub(super) fn book(
        &mut self,
        kind: u8,
        stamp: Stamp,
        book: &Book,
        bids: &[Level],
        asks: &[Level],
    ) -> Outcome<()> {
        self.event(kind, stamp, self.books.bid_levels.len())?;
        if kind == BOOK {
            self.level_changes += count(bids.len() + asks.len());
        }
        let (n, books) = (self.levels, &mut self.books);
        side(book, Side::Buy, n, &mut books.bid_prices, &mut books.bid_quantities);
        side(book, Side::Sell, n, &mut books.ask_prices, &mut books.ask_quantities);
        books.bid_levels.push(count(book.len(Side::Buy)));
        books.ask_levels.push(count(book.len(Side::Sell)));
        books.first_change.push(count(self.change_prices.len()));
        books.bid_changes.push(count(bids.len()));
        books.ask_changes.push(count(asks.len()));
        for (price, qty) in bids.iter().chain(asks) {
            self.change_prices.push(price.to_f64());
            self.change_quantities.push(qty.to_f64());
        }
        Ok(())
    }

    pub(super) fn trade(
        &mut self,
        stamp: Stamp,
        price: Price,
        qty: Qty,
        taker: Side,
        time_ms: i64,
    ) -> Outcome<()> {
        self.event(TRADE, stamp, self.trade_prices.len())?;
        self.trade_prices.push(price.to_f64());
        self.trade_quantities.push(qty.to_f64());
        self.trade_takers.push(u8::from(!taker.is_buy()));
        self.trade_times_ms.push(units::millis(time_ms));
        Ok(())
    }
}

/// The best `n` levels, filled up with NaN and 0.
fn side(book: &Book, side: Side, n: usize, prices: &mut Vec<f64>, quantities: &mut Vec<f64>) {
    let end = prices.len() + n;
    for (price, qty) in book.top(side, n) {
        prices.push(price.to_f64());
        quantities.push(qty.to_f64());
    }
    prices.resize(end, f64::NAN);
    quantities.resize(end, 0.0);
}

/// Rows and levels in one batch: far below 2^32.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Events in order of receive time, as parallel arrays of `length` items.
#[napi(object)]
#[allow(missing_debug_implementations)] // typed arrays have none
pub struct Batch {
    pub length: u32,
    /// Receive time of the first frame of depth or trades, nanoseconds since 1970, as decimal text.
    pub start_ns: String,
    /// Frames read for this batch, the unused ones included.
    pub frames: u32,
    /// Changed levels in the events of kind book.
    pub level_changes: u32,
    /// What the numbers in `symbol` mean; grows from batch to batch.
    pub symbols: Vec<String>,
    /// 0 book, 1 trade, 2 snapshot, 3 certificate lost.
    pub kind: Uint8Array,
    pub symbol: Uint8Array,
    pub elapsed_ns: Float64Array,
    /// When the venue made the message, milliseconds since 1970; 0 for snapshots.
    pub venue_ms: Float64Array,
    /// Update id of books, trade id of trades.
    pub id: Float64Array,
    /// Row of `trades` for trades, else of `books`.
    pub row: Uint32Array,
    pub books: BookRows,
    pub changes: ChangeRows,
    pub trades: TradeRows,
}

/// States of books; row `r` has its levels at `r * levels`, best first, filled up with NaN and 0.
#[napi(object)]
#[allow(missing_debug_implementations)]
pub struct BookRows {
    pub levels: u32,
    pub bid_prices: Float64Array,
    pub bid_quantities: Float64Array,
    pub ask_prices: Float64Array,
    pub ask_quantities: Float64Array,
    /// How many levels the whole side has.
    pub bid_levels: Uint32Array,
    pub ask_levels: Uint32Array,
    /// The changes of row `r` begin here: those of bids, then those of asks.
    pub first_change: Uint32Array,
    pub bid_changes: Uint32Array,
    pub ask_changes: Uint32Array,
}

/// Changed levels; quantity 0 removes.
#[napi(object)]
#[allow(missing_debug_implementations)]
pub struct ChangeRows {
    pub prices: Float64Array,
    pub quantities: Float64Array,
}

#[napi(object)]
#[allow(missing_debug_implementations)]
pub struct TradeRows {
    pub prices: Float64Array,
    pub quantities: Float64Array,
    /// Side of the aggressor: 0 buy, 1 sell.
    pub takers: Uint8Array,
    /// When the trade was made, milliseconds since 1970.
    pub times_ms: Float64Array,
}

impl From<Rows> for Batch {
    fn from(rows: Rows) -> Self {
        Self {
            length: count(rows.kinds.len()),
            start_ns: rows.start_ns.to_string(),
            frames: rows.frames,
            level_changes: rows.level_changes,
            symbols: rows.symbols,
            kind: Uint8Array::new(rows.kinds),
            symbol: Uint8Array::new(rows.symbol),
            elapsed_ns: Float64Array::new(rows.elapsed_ns),
            venue_ms: Float64Array::new(rows.venue_ms),
            id: Float64Array::new(rows.ids),
            row: Uint32Array::new(rows.row),
            books: BookRows {
                levels: count(rows.levels),
                bid_prices: Float64Array::new(rows.books.bid_prices),
                bid_quantities: Float64Array::new(rows.books.bid_quantities),
                ask_prices: Float64Array::new(rows.books.ask_prices),
                ask_quantities: Float64Array::new(rows.books.ask_quantities),
                bid_levels: Uint32Array::new(rows.books.bid_levels),
                ask_levels: Uint32Array::new(rows.books.ask_levels),
                first_change: Uint32Array::new(rows.books.first_change),
                bid_changes: Uint32Array::new(rows.books.bid_changes),
                ask_changes: Uint32Array::new(rows.books.ask_changes),
            },
            changes: ChangeRows {
                prices: Float64Array::new(rows.change_prices),
                quantities: Float64Array::new(rows.change_quantities),
            },
            trades: TradeRows {
                prices: Float64Array::new(rows.trade_prices),
                quantities: Float64Array::new(rows.trade_quantities),
                takers: Uint8Array::new(rows.trade_takers),
                times_ms: Float64Array::new(rows.trade_times_ms),
            },
        }
    }
}
