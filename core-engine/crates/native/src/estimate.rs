//! Own orders in front of a displayed book and a trade tape: an estimate, stated in `crates/matching`'s README.

use flashpod_matching::{
    Conservative, EstimatedBook, LevelChange, NewOrder, OrderKey, PassiveFill, Placement, Proportional,
    QueueModel,
};
use flashpod_types::{Qty, Side};
use napi_derive::napi;

use crate::arrays::Passed;
use crate::failure::{Failure, Held, Outcome};
use crate::order::{OrderAsk, PlacementTold, Resting, key_number};
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

impl Resting for EstimatedBook {
    fn place(&mut self, order: &NewOrder) -> Outcome<Placement> {
        Ok(Self::place(self, order))
    }

    fn cancel(&mut self, key: OrderKey) -> Option<Qty> {
        Self::cancel(self, key)
    }

    fn ahead_of(&self, key: OrderKey) -> Option<Qty> {
        Self::ahead_of(self, key)
    }
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
        self.held.place(&ask)
    }

    #[napi]
    pub fn cancel(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.held.cancel(order)
    }

    #[napi]
    pub fn ahead_of(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.held.ahead_of(order)
    }

    /// One depth update, cut as recorded.
    #[napi]
    pub fn on_depth(
        &mut self,
        exchange_ms: f64,
        #[napi(ts_arg_type = "Float64Array")] bid_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] bid_quantities: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_quantities: Passed<'_, f64>,
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
