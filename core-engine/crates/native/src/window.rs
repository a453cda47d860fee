//! A window on a book: memory that Rust writes and JavaScript reads, without a copy.
//!
//! Layout, all doubles: version, event time (ms), levels on the bid side, levels on the ask side, certified (0 or 1),
//! then for `n` levels, best first: bid prices, bid quantities, ask prices, ask quantities. Where a side has fewer
//! levels, prices are NaN and quantities 0.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flashpod_book::Book;
use flashpod_types::Side;
use napi::Env;
use napi::bindgen_prelude::ArrayBuffer;

use crate::failure::{Code, Failure, Outcome};

/// Doubles before the levels.
pub const HEADER: usize = 5;
/// The most levels a side that a window shows.
pub const MAX_LEVELS: u32 = 5_000;

/// The bits of the doubles, shared by the owner of the book and by JavaScript's array: the last one frees them.
/// Atomic, because JavaScript may hand its array to another thread; a relaxed store is a plain one on all we run on.
#[derive(Debug)]
struct Block(Box<[AtomicU64]>);

/// One book's window.
#[derive(Debug)]
pub struct Window {
    block: Arc<Block>,
    levels: usize,
}

/// What stands in the header beside the counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head {
    pub version: f64,
    pub event_ms: f64,
    pub certified: bool,
}

impl Window {
    pub fn new(levels: u32) -> Outcome<Self> {
        if levels > MAX_LEVELS {
            return Err(Failure::argument("levels", levels, format!("is not from 0 to {MAX_LEVELS}")));
        }
        let levels = levels as usize;
        let doubles = (0..HEADER + 4 * levels).map(|_| AtomicU64::new(0)).collect();
        let window = Self { block: Arc::new(Block(doubles)), levels };
        window.show(&Book::new(), Head::default());
        Ok(window)
    }

    /// Bytes of the window's own memory, which the call is about to write, are refused. (Numbers may be: they are
    /// read before.)
    pub fn refuse_own(&self, what: &str, bytes: &[u8]) -> Outcome<()> {
        let own = self.block.0.as_ptr_range();
        let (own, passed) = (own.start.addr()..own.end.addr(), bytes.as_ptr_range());
        if passed.start.addr() < own.end && own.start < passed.end.addr() {
            return Err(Failure::new(Code::InvalidArgument, format!("{what}: memory of this book's window")));
        }
        Ok(())
    }

    fn put(&self, at: usize, value: f64) {
        self.block.0[at].store(value.to_bits(), Ordering::Relaxed);
    }

    /// Shows the state of the book.
    #[allow(clippy::cast_precision_loss)] // counts of levels
    pub fn show(&self, book: &Book, head: Head) {
        self.put(0, head.version);
        self.put(1, head.event_ms);
        self.put(2, book.len(Side::Buy) as f64);
        self.put(3, book.len(Side::Sell) as f64);
        self.put(4, f64::from(u8::from(head.certified)));
        let n = self.levels;
        for (index, side) in Side::BOTH.into_iter().enumerate() {
            let (prices, quantities) = (HEADER + 2 * index * n, HEADER + (2 * index + 1) * n);
            let mut shown = 0;
            for (price, qty) in book.top(side, n) {
                self.put(prices + shown, price.to_f64());
                self.put(quantities + shown, qty.to_f64());
                shown += 1;
            }
            for empty in shown..n {
                self.put(prices + empty, f64::NAN);
                self.put(quantities + empty, 0.0);
            }
        }
    }

    /// JavaScript's side of it. The memory lives as long as the longer-lived of book and buffer.
    pub fn buffer<'env>(&self, env: &'env Env) -> napi::Result<ArrayBuffer<'env>> {
        let kept = Arc::clone(&self.block);
        let data = kept.0.as_ptr().cast::<u8>().cast_mut();
        let bytes = std::mem::size_of_val(&*kept.0);
        // SAFETY: `data` points to `bytes` bytes that `kept` holds until the finalizer drops it.
        unsafe { ArrayBuffer::from_external(env, data, bytes, kept, |_, kept| drop(kept)) }
    }
}
