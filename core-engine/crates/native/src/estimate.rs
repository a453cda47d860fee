//! Own orders in front of a displayed book and a trade tape: an estimate, stated in `crates/matching`'s README.

use flashpod_matching::{Conservative, EstimatedBook, LevelChange, PassiveFill, Proportional, QueueModel};
use flashpod_types::Side;
use napi_derive::napi;

use crate::failure::{Failure, Held, Outcome};
use crate::fifo::{OrderAsk, PlacementTold, key, key_number, order, placement};
use crate::units;

/// A resting own order was hit by a trade.
#[napi(object)]
#[derive(Debug)]
pub struct PassiveFillTold {
    pub key: f64,
    pub price: String,
    pub quantity: String,
    pub left: String,
}

pub(crate) fn told(fill: &PassiveFill) -> Outcome<PassiveFillTold> {
    Ok(PassiveFillTold {
        key: key_number(fill.key)?,
        price: fill.price.to_string(),
        quantity: fill.qty.to_string(),
        left: fill.left.to_string(),
    })
}

pub(crate) fn model(name: &str) -> Outcome<Box<dyn QueueModel>> {
    let models: [Box<dyn QueueModel>; 2] = [Box::new(Conservative), Box::new(Proportional)];
    let names = models.iter().map(|model| model.name()).collect::<Vec<_>>().join(", ");
    models
        .into_iter()
        .find(|model| model.name() == name)
        .ok_or_else(|| Failure::argument("queueModel", format!("`{name}`"), format!("is none of {names}")))
}

#[napi(js_name = "EstimatedBook")]
#[derive(Debug)]
pub struct NativeEstimatedBook {
    held: Held<EstimatedBook>,
}

#[napi]
impl NativeEstimatedBook {
    #[napi(constructor)]
    pub fn new(queue_model: String) -> napi::Result<Self> {
        Ok(Self { held: Held::new("book", EstimatedBook::new(model(&queue_model)?)) })
    }

    #[napi]
    pub fn place(&mut self, ask: OrderAsk) -> napi::Result<PlacementTold> {
        self.held.run(|book| {
            let order = order(&ask)?;
            if book.ahead_of(order.key).is_some() {
                return Err(Failure::argument("key", order.key.0, "rests already"));
            }
            placement(&book.place(&order))
        })
    }

    #[napi]
    pub fn cancel(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.held.run(|book| Ok(book.cancel(key(order)?).map(|left| left.to_string())))
    }

    #[napi]
    pub fn ahead_of(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.held.run(|book| Ok(book.ahead_of(key(order)?).map(|qty| qty.to_string())))
    }

    /// One depth update, cut as recorded.
    #[napi]
    pub fn on_depth(
        &mut self,
        exchange_ms: f64,
        bid_prices: &[f64],
        bid_quantities: &[f64],
        ask_prices: &[f64],
        ask_quantities: &[f64],
    ) -> napi::Result<()> {
        self.held.run(|book| {
            let at = exchange_time(exchange_ms)?;
            let (mut bids, mut asks) = (Vec::new(), Vec::new());
            units::levels("bids", bid_prices, bid_quantities, &mut bids)?;
            units::levels("asks", ask_prices, ask_quantities, &mut asks)?;
            let change = |side| move |(price, qty)| LevelChange { side, price, qty };
            book.on_depth(
                at,
                bids.into_iter().map(change(Side::Buy)).chain(asks.into_iter().map(change(Side::Sell))),
            );
            Ok(())
        })
    }

    #[napi]
    pub fn on_trade(
        &mut self,
        price: f64,
        quantity: f64,
        taker: String,
        exchange_ms: f64,
    ) -> napi::Result<Vec<PassiveFillTold>> {
        self.held.run(|book| {
            let (price, qty) = (units::price("price", price)?, units::qty("quantity", quantity)?);
            let fills = book.on_trade(price, qty, units::side(&taker)?, exchange_time(exchange_ms)?);
            fills.iter().map(told).collect()
        })
    }

    #[napi]
    pub fn dispose(&mut self) {
        self.held.dispose();
    }
}

fn exchange_time(value: f64) -> Outcome<i64> {
    units::whole("exchangeMs", value).map(|value| i64::try_from(value).unwrap_or(i64::MAX))
}
