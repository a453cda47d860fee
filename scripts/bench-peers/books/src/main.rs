//! Level changes of a recorded tape into the books of several projects: `flashpod-peer-books NAME EVENTS TICK LOT`.
//! Prints a JSON object a book: mean nanoseconds a level change with each batch at its median over the passes, and
//! whether its best prices after every whole update are those of two `BTreeMap`s.

use std::collections::BTreeMap;
use std::time::Instant;

use flashpod_book::Book;
use flashpod_types::{Price, Qty, Side};
use hftbacktest::depth::{HashMapMarketDepth, L2MarketDepth, MarketDepth, ROIVectorMarketDepth};
use nautilus_model::data::{BookOrder, OrderBookDelta};
use nautilus_model::enums::{BookAction, BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::OrderBook;
use nautilus_model::types::{Price as NautilusPrice, Quantity as NautilusQuantity};

const WARM_UP: usize = 3;
const PASSES: usize = 15;
/// Short, so that what else runs on the machine falls into few of them.
const BATCH: usize = 1_000;
const ONE: f64 = 1e8;

#[derive(Clone, Copy)]
struct Change {
    bid: bool,
    last: bool,
    price: i64,
    qty: i64,
}

struct Tape {
    snapshot: Vec<Change>,
    changes: Vec<Change>,
    tick: i64,
    lot: i64,
}

fn read(path: &str, tick: i64, lot: i64) -> Tape {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut tape = Tape { snapshot: Vec::new(), changes: Vec::new(), tick, lot };
    for record in bytes.chunks_exact(56) {
        let at = |n: usize| i64::from_le_bytes(record[n * 8..n * 8 + 8].try_into().expect("8 bytes"));
        let change = Change { bid: at(4) > 0, last: at(1) == 1, price: at(5), qty: at(6) };
        match at(0) {
            0 => tape.snapshot.push(change),
            1 => tape.changes.push(change),
            _ => {}
        }
    }
    tape
}

/// What is measured. `Prepared` is a change as the book takes it, made outside the timing.
trait Measured {
    type Prepared;
    fn new(tape: &Tape) -> Self;
    fn prepare(tape: &Tape, change: &Change) -> Self::Prepared;
    fn apply(&mut self, change: &Self::Prepared);
    /// Best bid and ask, in any form: read after every change.
    fn top(&self) -> (u64, u64);
    /// Best bid and ask in ticks.
    fn ticks(&self, tape: &Tape) -> (i64, i64);
}

struct Ours(Book);

impl Measured for Ours {
    type Prepared = (Side, Price, Qty);

    fn new(tape: &Tape) -> Self {
        let mut book = Book::new();
        let side = |bid: bool| -> Vec<(Price, Qty)> {
            let chosen = tape.snapshot.iter().filter(|change| change.bid == bid);
            chosen.map(|change| (Price::from_raw(change.price), Qty::from_raw(change.qty))).collect()
        };
        book.load(&side(true), &side(false));
        Self(book)
    }

    fn prepare(_: &Tape, change: &Change) -> Self::Prepared {
        let side = if change.bid { Side::Buy } else { Side::Sell };
        (side, Price::from_raw(change.price), Qty::from_raw(change.qty))
    }

    #[inline(always)]
    fn apply(&mut self, (side, price, qty): &Self::Prepared) {
        self.0.apply(*side, *price, *qty);
    }

    #[inline(always)]
    fn top(&self) -> (u64, u64) {
        let [bid, ask] = Side::BOTH.map(|side| self.0.best(side).map_or(0, |level| level.0.raw()));
        (bid as u64, ask as u64)
    }

    fn ticks(&self, tape: &Tape) -> (i64, i64) {
        let (bid, ask) = self.top();
        (bid as i64 / tape.tick, ask as i64 / tape.tick)
    }
}

#[derive(Default)]
struct Trees(BTreeMap<i64, i64>, BTreeMap<i64, i64>);

impl Measured for Trees {
    type Prepared = Change;

    fn new(tape: &Tape) -> Self {
        let mut book = Self::default();
        tape.snapshot.iter().for_each(|change| book.apply(change));
        book
    }

    fn prepare(_: &Tape, change: &Change) -> Change {
        *change
    }

    #[inline(always)]
    fn apply(&mut self, change: &Change) {
        let side = if change.bid { &mut self.0 } else { &mut self.1 };
        if change.qty == 0 {
            side.remove(&change.price);
        } else {
            side.insert(change.price, change.qty);
        }
    }

    #[inline(always)]
    fn top(&self) -> (u64, u64) {
        let bid = self.0.last_key_value().map_or(0, |level| *level.0);
        let ask = self.1.first_key_value().map_or(0, |level| *level.0);
        (bid as u64, ask as u64)
    }

    fn ticks(&self, tape: &Tape) -> (i64, i64) {
        let (bid, ask) = self.top();
        (bid as i64 / tape.tick, ask as i64 / tape.tick)
    }
}

/// A depth of hftbacktest.
struct Hft<D>(D);

trait NewDepth {
    fn of(tape: &Tape) -> Self;
}

impl NewDepth for HashMapMarketDepth {
    fn of(tape: &Tape) -> Self {
        Self::new(tape.tick as f64 / ONE, tape.lot as f64 / ONE)
    }
}

impl NewDepth for ROIVectorMarketDepth {
    /// As wide as the tape needs it for every change within a fifth of the price.
    fn of(tape: &Tape) -> Self {
        let best = tape.snapshot.first().map_or(0.0, |change| change.price as f64 / ONE);
        Self::new(tape.tick as f64 / ONE, tape.lot as f64 / ONE, best * 0.8, best * 1.2)
    }
}

impl<D: L2MarketDepth + MarketDepth + NewDepth> Measured for Hft<D> {
    type Prepared = (bool, f64, f64);

    fn new(tape: &Tape) -> Self {
        let mut book = Self(D::of(tape));
        tape.snapshot.iter().for_each(|change| book.apply(&Self::prepare(tape, change)));
        book
    }

    fn prepare(_: &Tape, change: &Change) -> Self::Prepared {
        (change.bid, change.price as f64 / ONE, change.qty as f64 / ONE)
    }

    #[inline(always)]
    fn apply(&mut self, (bid, price, qty): &Self::Prepared) {
        if *bid {
            self.0.update_bid_depth(*price, *qty, 0);
        } else {
            self.0.update_ask_depth(*price, *qty, 0);
        }
    }

    #[inline(always)]
    fn top(&self) -> (u64, u64) {
        (self.0.best_bid_tick() as u64, self.0.best_ask_tick() as u64)
    }

    fn ticks(&self, _: &Tape) -> (i64, i64) {
        (self.0.best_bid_tick(), self.0.best_ask_tick())
    }
}

struct Nautilus(OrderBook);

fn instrument() -> InstrumentId {
    InstrumentId::from("BTCUSDT.BINANCE")
}

impl Measured for Nautilus {
    type Prepared = OrderBookDelta;

    fn new(tape: &Tape) -> Self {
        let mut book = Self(OrderBook::new(instrument(), BookType::L2_MBP));
        tape.snapshot.iter().for_each(|change| book.apply(&Self::prepare(tape, change)));
        book
    }

    fn prepare(_: &Tape, change: &Change) -> OrderBookDelta {
        let side = if change.bid { OrderSide::Buy } else { OrderSide::Sell };
        let price = NautilusPrice::new(change.price as f64 / ONE, 2);
        let size = NautilusQuantity::new(change.qty as f64 / ONE, 8);
        let action = if change.qty == 0 { BookAction::Delete } else { BookAction::Update };
        let order = BookOrder::new(side, price, size, change.price as u64);
        OrderBookDelta::new(instrument(), action, order, 0, 0, 0.into(), 0.into())
    }

    #[inline(always)]
    fn apply(&mut self, delta: &OrderBookDelta) {
        self.0.apply_delta(delta).expect("a delta of this instrument");
    }

    #[inline(always)]
    fn top(&self) -> (u64, u64) {
        let raw = |price: Option<NautilusPrice>| price.map_or(0, |price| price.raw as u64);
        (raw(self.0.best_bid_price()), raw(self.0.best_ask_price()))
    }

    fn ticks(&self, tape: &Tape) -> (i64, i64) {
        let tick = tape.tick as f64 / ONE;
        let ticks = |price: Option<NautilusPrice>| price.map_or(0, |price| (price.as_f64() / tick).round() as i64);
        (ticks(self.0.best_bid_price()), ticks(self.0.best_ask_price()))
    }
}

/// Best prices after every whole update, and whether they are those of the trees.
fn agrees<M: Measured>(tape: &Tape) -> bool {
    let (mut book, mut trees) = (M::new(tape), Trees::new(tape));
    tape.changes.iter().all(|change| {
        book.apply(&M::prepare(tape, change));
        trees.apply(change);
        !change.last || book.ticks(tape) == trees.ticks(tape)
    })
}

fn measure<M: Measured>(tape: &Tape) -> f64 {
    let prepared: Vec<M::Prepared> = tape.changes.iter().map(|change| M::prepare(tape, change)).collect();
    let batches = prepared.len().div_ceil(BATCH);
    let mut times: Vec<Vec<u64>> = vec![Vec::new(); batches];
    for pass in 0..WARM_UP + PASSES {
        let mut book = M::new(tape);
        let mut seen = 0_u64;
        for (batch, changes) in prepared.chunks(BATCH).enumerate() {
            let start = Instant::now();
            for change in changes {
                book.apply(change);
                let (bid, ask) = book.top();
                seen = seen.rotate_left(1) ^ bid ^ ask;
            }
            let nanos = start.elapsed().as_nanos() as u64;
            if pass >= WARM_UP {
                times[batch].push(nanos);
            }
        }
        std::hint::black_box(seen);
    }
    let total: u64 = times
        .iter_mut()
        .map(|times| {
            times.sort_unstable();
            times[times.len() / 2]
        })
        .sum();
    total as f64 / prepared.len() as f64
}

fn tell<M: Measured>(name: &str, tape: &Tape) {
    let (ns, agrees) = (measure::<M>(tape), agrees::<M>(tape));
    println!("{{\"book\":\"{name}\",\"nsPerChange\":{ns:.3},\"sameBestPrices\":{agrees}}}");
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, events, tick, lot] = &args[..] else { panic!("EVENTS TICK LOT, the latter two in units of 1e-8") };
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text} is no whole number"));
    let tape = read(events, number(tick), number(lot));
    tell::<Ours>("flashpod", &tape);
    tell::<Trees>("two BTreeMaps", &tape);
    tell::<Hft<HashMapMarketDepth>>("hftbacktest HashMapMarketDepth", &tape);
    tell::<Hft<ROIVectorMarketDepth>>("hftbacktest ROIVectorMarketDepth", &tape);
    tell::<Nautilus>("nautilus-model OrderBook", &tape);
    // Once more, so that what the machine did meanwhile shows.
    tell::<Ours>("flashpod again", &tape);
}
