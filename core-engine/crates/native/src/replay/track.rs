//! What the matcher needs of a batch, exact.

use flashpod_book::Level;
use flashpod_types::{Price, Qty, Side};

/// One event of a batch, in the same place as in the batch.
#[derive(Debug)]
pub(crate) enum Item {
    Depth {
        symbol: u8,
        exchange_ms: i64,
        bids: Vec<Level>,
        asks: Vec<Level>,
    },
    /// Everything anew.
    Snapshot {
        symbol: u8,
        bids: Vec<Level>,
        asks: Vec<Level>,
    },
    Trade {
        symbol: u8,
        exchange_ms: i64,
        price: Price,
        qty: Qty,
        taker: Side,
    },
    /// The certificate was lost: nothing moves.
    Lost,
}

/// The events of one batch.
#[derive(Debug, Default)]
pub(crate) struct Track {
    pub(crate) items: std::collections::VecDeque<Item>,
}
