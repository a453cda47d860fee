//! Own orders in front of a recorded market: follows a replay event by event.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use flashpod_matching::{EstimatedBook, LevelChange, OrderKey};
use flashpod_types::{Price, Side};
use napi_derive::napi;

use crate::estimate::{PassiveFillTold, model, told};
use crate::failure::{Code, Failure, Held, Outcome};
use crate::order::{OrderAsk, PlacementTold, key, order, placement, rests_already};
use crate::replay::{Item, NativeReplay, Shared, Track};

#[derive(Debug)]
struct Follower {
    shared: Arc<Shared>,
    /// The batch that is being followed.
    track: Track,
    books: HashMap<u8, EstimatedBook>,
    model: String,
    /// Where each resting order is.
    places: HashMap<OrderKey, u8>,
    fills: Vec<PassiveFillTold>,
}

impl Follower {
    fn book(&mut self, symbol: u8) -> Outcome<&mut EstimatedBook> {
        if !self.books.contains_key(&symbol) {
            self.books.insert(symbol, EstimatedBook::new(model(&self.model)?));
        }
        self.books.get_mut(&symbol).ok_or_else(|| Failure::argument("symbol", symbol, "has no book"))
    }

    /// How many events were read and not yet seen.
    fn ahead(&self) -> usize {
        let tracks = self.shared.tracks.as_ref();
        let waiting = tracks.map(|tracks| tracks.lock().unwrap_or_else(PoisonError::into_inner));
        self.track.items.len()
            + waiting.iter().flat_map(|all| all.iter()).map(|one| one.items.len()).sum::<usize>()
    }

    /// Lets the next `items` events happen, all or none.
    fn advance(&mut self, items: u32) -> Outcome<()> {
        let wanted = items as usize;
        if wanted > self.track.items.len() {
            let ahead = self.ahead();
            if wanted > ahead {
                let reason = format!("is more than the {ahead} events that were read and not yet seen");
                return Err(Failure::argument("events", items, reason));
            }
        }
        for _ in 0..items {
            let item = self.next()?;
            self.happen(item)?;
        }
        Ok(())
    }

    fn next(&mut self) -> Outcome<Item> {
        loop {
            if let Some(item) = self.track.items.pop_front() {
                return Ok(item);
            }
            let tracks = self.shared.tracks.as_ref();
            let next =
                tracks.and_then(|tracks| tracks.lock().unwrap_or_else(PoisonError::into_inner).pop_front());
            self.track =
                next.ok_or_else(|| Failure::new(Code::Internal, "no event where one was counted"))?;
        }
    }

    fn happen(&mut self, item: Item) -> Outcome<()> {
        let change = |side| move |(price, qty)| LevelChange { side, price, qty };
        match item {
            Item::Depth { symbol, exchange_ms, bids, asks } => {
                let changes =
                    bids.into_iter().map(change(Side::Buy)).chain(asks.into_iter().map(change(Side::Sell)));
                self.book(symbol)?.on_depth(exchange_ms, changes);
            }
            Item::Snapshot { symbol, bids, asks } => {
                let book = self.book(symbol)?;
                let told: HashSet<(Side, Price)> = bids
                    .iter()
                    .map(|level| (Side::Buy, level.0))
                    .chain(asks.iter().map(|level| (Side::Sell, level.0)))
                    .collect();
                let mut changes: Vec<LevelChange> = Vec::new();
                for side in Side::BOTH {
                    let gone = book.levels(side).filter(|(price, _)| !told.contains(&(side, *price)));
                    changes.extend(gone.map(|(price, _)| LevelChange {
                        side,
                        price,
                        qty: flashpod_types::Qty::ZERO,
                    }));
                }
                changes.extend(bids.into_iter().map(change(Side::Buy)));
                changes.extend(asks.into_iter().map(change(Side::Sell)));
                // A snapshot tells no time: it explains no trade.
                book.on_depth(i64::MIN, changes);
            }
            Item::Trade { symbol, exchange_ms, price, qty, taker } => {
                for fill in self.book(symbol)?.on_trade(price, qty, taker, exchange_ms) {
                    if fill.left.is_zero() {
                        self.places.remove(&fill.key);
                    }
                    self.fills.push(told(&fill)?);
                }
            }
            Item::Lost => {}
        }
        Ok(())
    }
}

#[napi(js_name = "Market")]
#[derive(Debug)]
pub struct NativeMarket {
    held: Held<Follower>,
}

#[napi]
impl NativeMarket {
    #[napi(constructor)]
    pub fn new(
        #[napi(ts_arg_type = "Replay")] replay: &NativeReplay,
        queue_model: String,
    ) -> napi::Result<Self> {
        if replay.shared.tracks.is_none() {
            let message = "replay: was opened without `market: true`";
            return Err(Failure::new(Code::InvalidArgument, message).into());
        }
        // Refuses an unknown model now, not at the first event.
        drop(model(&queue_model)?);
        let follower = Follower {
            shared: Arc::clone(&replay.shared),
            track: Track::default(),
            books: HashMap::new(),
            model: queue_model,
            places: HashMap::new(),
            fills: Vec::new(),
        };
        Ok(Self { held: Held::new("market", follower) })
    }

    /// Lets the next `items` events of the replay happen; how many fills wait to be taken.
    #[napi]
    pub fn advance(&mut self, items: u32) -> napi::Result<u32> {
        self.held.run(|follower| {
            follower.advance(items)?;
            Ok(u32::try_from(follower.fills.len()).unwrap_or(u32::MAX))
        })
    }

    /// `symbol`: its number in the batches.
    #[napi]
    pub fn place(&mut self, symbol: u8, ask: OrderAsk) -> napi::Result<PlacementTold> {
        self.held.run(|follower| {
            let order = order(&ask)?;
            if follower.places.contains_key(&order.key) {
                return Err(rests_already(order.key));
            }
            let placed = follower.book(symbol)?.place(&order);
            if placed.resting.is_positive() {
                follower.places.insert(order.key, symbol);
            }
            placement(&placed)
        })
    }

    /// What the order had left; undefined when it did not rest.
    #[napi]
    pub fn cancel(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.held.run(|follower| {
            let key = key(order)?;
            let Some(symbol) = follower.places.remove(&key) else { return Ok(None) };
            Ok(follower.book(symbol)?.cancel(key).map(|left| left.to_string()))
        })
    }

    #[napi]
    pub fn ahead_of(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.held.run(|follower| {
            let key = key(order)?;
            let Some(symbol) = follower.places.get(&key).copied() else { return Ok(None) };
            Ok(follower.book(symbol)?.ahead_of(key).map(|qty| qty.to_string()))
        })
    }

    /// The fills since the last call, in order.
    #[napi]
    pub fn take_fills(&mut self) -> napi::Result<Vec<PassiveFillTold>> {
        self.held.run(|follower| Ok(std::mem::take(&mut follower.fills)))
    }

    #[napi]
    pub fn dispose(&mut self) {
        self.held.dispose();
    }
}
