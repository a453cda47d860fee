//! The price-time priority book in which every order is known.

use flashpod_matching::{FifoBook, NewOrder, OrderKey, Placement, Volume};
use flashpod_types::Qty;
use napi_derive::napi;

use crate::book::LevelText;
use crate::failure::{Failure, Held, Outcome};
use crate::order::{OrderAsk, PlacementTold, Resting, key_number};
use crate::units;

/// One displayed level after one change.
#[napi(object)]
#[derive(Debug)]
pub struct LevelChangeTold {
    #[napi(ts_type = "'Buy' | 'Sell'")]
    pub side: String,
    pub price: String,
    pub quantity: String,
}

/// One order of a queue.
#[napi(object)]
#[derive(Debug)]
pub struct QueuedTold {
    pub key: f64,
    pub quantity: String,
}

impl Resting for FifoBook {
    fn place(&mut self, order: &NewOrder) -> Outcome<Placement> {
        refuse_overflow(self, order)?;
        Ok(Self::place(self, order))
    }

    fn cancel(&mut self, key: OrderKey) -> Option<Qty> {
        Self::cancel(self, key)
    }

    fn ahead_of(&self, key: OrderKey) -> Option<Qty> {
        Self::ahead_of(self, key)
    }
}

#[napi(js_name = "FifoBook")]
#[derive(Debug)]
pub struct NativeFifoBook {
    held: Held<FifoBook>,
}

#[napi]
impl NativeFifoBook {
    #[napi(constructor)]
    #[allow(clippy::new_without_default)] // a constructor of JavaScript
    #[must_use]
    pub fn new() -> Self {
        Self { held: Held::new("book", FifoBook::new()) }
    }

    #[napi]
    pub fn place(&mut self, ask: OrderAsk) -> napi::Result<PlacementTold> {
        self.held.place(&ask)
    }

    /// What the order had left; undefined when it did not rest.
    #[napi]
    pub fn cancel(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.held.cancel(order)
    }

    #[napi]
    pub fn ahead_of(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.held.ahead_of(order)
    }

    #[napi]
    pub fn levels(&mut self, side: String, count: u32) -> napi::Result<Vec<LevelText>> {
        self.held.run(|book| {
            let levels = book.levels(units::side(&side)?).take(count as usize);
            Ok(levels
                .map(|(price, qty)| LevelText { price: price.to_string(), quantity: qty.to_string() })
                .collect())
        })
    }

    #[napi]
    pub fn queue(&mut self, side: String, price: String) -> napi::Result<Vec<QueuedTold>> {
        self.held.run(|book| {
            book.queue(units::side(&side)?, units::decimal("price", &price)?)
                .map(|(key, qty)| Ok(QueuedTold { key: key_number(key)?, quantity: qty.to_string() }))
                .collect()
        })
    }

    /// The changes of displayed levels since the last call, in order.
    #[napi]
    pub fn drain_changes(&mut self) -> napi::Result<Vec<LevelChangeTold>> {
        self.held.run(|book| {
            Ok(book
                .drain_changes()
                .map(|change| LevelChangeTold {
                    side: units::side_text(change.side).to_owned(),
                    price: change.price.to_string(),
                    quantity: change.qty.to_string(),
                })
                .collect())
        })
    }

    #[napi]
    pub fn dispose(&mut self) {
        self.held.dispose();
    }
}

/// A level holds at most what a quantity can say.
fn refuse_overflow(book: &FifoBook, order: &NewOrder) -> Outcome<()> {
    let Volume::Base(qty) = order.volume else { return Ok(()) };
    let mut there = Qty::ZERO;
    for (_, one) in book.queue(order.side, order.price) {
        there = there.checked_add(one).unwrap_or(Qty::MAX);
    }
    if there.checked_add(qty).is_none() {
        return Err(Failure::argument("quantity", qty, format!("does not fit beside {there} at its price")));
    }
    Ok(())
}
