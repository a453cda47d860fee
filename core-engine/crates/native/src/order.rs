//! Orders as JavaScript says them, what came of them, and what every book does in which they rest.

use flashpod_matching::{NewOrder, OrderKey, Placement, Refusal, Volume};
use flashpod_types::{Amount, Qty};
use napi_derive::napi;

use crate::failure::{Code, Failure, Held, Outcome};
use crate::units;

/// An order as JavaScript says it.
#[napi(object)]
#[derive(Debug)]
pub struct OrderAsk {
    /// A number of the caller's choice, never used twice.
    pub key: f64,
    #[napi(ts_type = "'Buy' | 'Sell'")]
    pub side: String,
    #[napi(js_name = "type", ts_type = "'Limit' | 'LimitMaker' | 'Ioc' | 'Fok' | 'Market'")]
    pub kind: String,
    /// The limit; left out for Market.
    pub price: Option<String>,
    /// In base. Either this or `quoteAmount`.
    pub quantity: Option<String>,
    /// In quote; Market only.
    pub quote_amount: Option<String>,
    /// Lot size that a quote amount is rounded down to. Default 0.00000001.
    pub lot: Option<String>,
}

/// One execution on arrival.
#[napi(object)]
#[derive(Debug)]
pub struct MatchTold {
    /// The resting order; missing where only displayed quantity is known.
    pub maker: Option<f64>,
    pub price: String,
    pub quantity: String,
    pub maker_left: String,
}

/// What came of an arriving order.
#[napi(object)]
#[derive(Debug)]
pub struct PlacementTold {
    #[napi(ts_type = "'WouldTake' | 'NotFillable' | 'NoOpponent'")]
    pub refusal: Option<String>,
    pub matches: Vec<MatchTold>,
    /// What rests now.
    pub resting: String,
}

pub(crate) fn key(value: f64) -> Outcome<OrderKey> {
    units::whole("key", value).map(OrderKey)
}

pub(crate) fn key_number(key: OrderKey) -> Outcome<f64> {
    units::number("key", key.0)
}

pub(crate) fn order(ask: &OrderAsk) -> Outcome<NewOrder> {
    let kind = units::order_type(&ask.kind)?;
    let is_market = kind == flashpod_types::OrderType::Market;
    let price: flashpod_types::Price = match (&ask.price, is_market) {
        (Some(text), false) => units::decimal("price", text)?,
        (None, true) => flashpod_types::Price::ZERO,
        (Some(_), true) => {
            return Err(Failure::new(Code::InvalidArgument, "price: a Market order takes none"));
        }
        (None, false) => {
            return Err(Failure::new(
                Code::InvalidArgument,
                format!("price: a {} order needs one", ask.kind),
            ));
        }
    };
    if !is_market && !price.is_positive() {
        return Err(Failure::argument("price", price, "is not positive"));
    }
    let volume = match (&ask.quantity, &ask.quote_amount) {
        (Some(text), None) => Volume::Base(units::decimal("quantity", text)?),
        (None, Some(text)) if is_market => Volume::Quote(units::decimal("quoteAmount", text)?),
        (None, Some(_)) => {
            return Err(Failure::new(Code::InvalidArgument, "quoteAmount: only a Market order may have one"));
        }
        _ => {
            let message = "an order has either quantity or quoteAmount";
            return Err(Failure::new(Code::InvalidArgument, message));
        }
    };
    match volume {
        Volume::Base(qty) if !qty.is_positive() => {
            return Err(Failure::argument("quantity", qty, "is not positive"));
        }
        Volume::Quote(amount) if amount <= Amount::ZERO => {
            return Err(Failure::argument("quoteAmount", amount, "is not positive"));
        }
        _ => {}
    }
    let step: Qty = ask.lot.as_deref().map_or(Ok(Qty::from_raw(1)), |text| units::decimal("lot", text))?;
    if !step.is_positive() {
        return Err(Failure::argument("lot", step, "is not positive"));
    }
    Ok(NewOrder { key: key(ask.key)?, side: units::side(&ask.side)?, kind, price, volume, step })
}

pub(crate) fn placement(placed: &Placement) -> Outcome<PlacementTold> {
    let refusal = placed.refusal.map(|refusal| match refusal {
        Refusal::WouldTake => "WouldTake".to_owned(),
        Refusal::NotFillable => "NotFillable".to_owned(),
        Refusal::NoOpponent => "NoOpponent".to_owned(),
    });
    let told = |one: &flashpod_matching::Match| -> Outcome<MatchTold> {
        Ok(MatchTold {
            maker: one.maker.map(key_number).transpose()?,
            price: one.price.to_string(),
            quantity: one.qty.to_string(),
            maker_left: one.maker_left.to_string(),
        })
    };
    Ok(PlacementTold {
        refusal,
        matches: placed.matches.iter().map(told).collect::<Outcome<_>>()?,
        resting: placed.resting.to_string(),
    })
}

pub(crate) fn rests_already(key: OrderKey) -> Failure {
    Failure::argument("key", key.0, "rests already")
}

/// A book in which orders rest.
pub trait Resting {
    /// An order whose key does not rest.
    fn place(&mut self, order: &NewOrder) -> Outcome<Placement>;
    /// What the order had left; none when it did not rest.
    fn cancel(&mut self, key: OrderKey) -> Option<Qty>;
    /// Quantity before the order; none when it does not rest.
    fn ahead_of(&self, key: OrderKey) -> Option<Qty>;
}

impl<B: Resting> Held<B> {
    pub fn place(&mut self, ask: &OrderAsk) -> napi::Result<PlacementTold> {
        self.run(|book| {
            let order = order(ask)?;
            if book.ahead_of(order.key).is_some() {
                return Err(rests_already(order.key));
            }
            placement(&book.place(&order)?)
        })
    }

    pub fn cancel(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.run(|book| Ok(book.cancel(key(order)?).map(|left| left.to_string())))
    }

    pub fn ahead_of(&mut self, order: f64) -> napi::Result<Option<String>> {
        self.run(|book| Ok(book.ahead_of(key(order)?).map(|qty| qty.to_string())))
    }
}
