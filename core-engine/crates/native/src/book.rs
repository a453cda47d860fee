//! An order book without certificate: what a strategy or a test feeds itself.

use flashpod_book::{Book, Level};
use flashpod_types::Side;
use napi::Env;
use napi::bindgen_prelude::ArrayBuffer;
use napi_derive::napi;

use crate::arrays::Passed;
use crate::failure::{Held, Outcome};
use crate::units;
use crate::window::{Head, Window};

/// Price and quantity as exact decimal text.
#[napi(object)]
#[derive(Debug)]
pub struct LevelText {
    pub price: String,
    pub quantity: String,
}

/// The best `count` levels of one side, exact.
pub(crate) fn top_text(book: &Book, side: Side, count: u32) -> Vec<LevelText> {
    let text = |(price, qty): Level| LevelText { price: price.to_string(), quantity: qty.to_string() };
    book.top(side, count as usize).map(text).collect()
}

#[derive(Debug)]
struct State {
    book: Book,
    window: Window,
    // Kept for their memory.
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl State {
    fn show(&self) {
        self.window.show(&self.book, Head::default());
    }

    fn read(&mut self, bids: [Passed<'_, f64>; 2], asks: [Passed<'_, f64>; 2]) -> Outcome<()> {
        units::levels("bids", bids[0], bids[1], &mut self.bids)?;
        units::levels("asks", asks[0], asks[1], &mut self.asks)
    }
}

#[napi(js_name = "Book")]
#[derive(Debug)]
pub struct NativeBook {
    held: Held<State>,
}

#[napi]
impl NativeBook {
    #[napi(constructor)]
    pub fn new(levels: u32) -> napi::Result<Self> {
        let window = Window::new(levels)?;
        let state = State { book: Book::new(), window, bids: Vec::new(), asks: Vec::new() };
        Ok(Self { held: Held::new("book", state) })
    }

    #[napi]
    pub fn window<'env>(&mut self, env: &'env Env) -> napi::Result<ArrayBuffer<'env>> {
        self.held.run(|state| Ok(state.window.buffer(env)))?
    }

    /// Replaces everything.
    #[napi]
    pub fn load(
        &mut self,
        #[napi(ts_arg_type = "Float64Array")] bid_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] bid_quantities: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_quantities: Passed<'_, f64>,
    ) -> napi::Result<()> {
        self.held.run(|state| {
            state.read([bid_prices, bid_quantities], [ask_prices, ask_quantities])?;
            state.book.load(&state.bids, &state.asks);
            state.show();
            Ok(())
        })
    }

    /// Sets levels; quantity 0 removes.
    #[napi]
    pub fn apply(
        &mut self,
        #[napi(ts_arg_type = "Float64Array")] bid_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] bid_quantities: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_prices: Passed<'_, f64>,
        #[napi(ts_arg_type = "Float64Array")] ask_quantities: Passed<'_, f64>,
    ) -> napi::Result<()> {
        self.held.run(|state| {
            state.read([bid_prices, bid_quantities], [ask_prices, ask_quantities])?;
            for (price, qty) in &state.bids {
                state.book.apply(Side::Buy, *price, *qty);
            }
            for (price, qty) in &state.asks {
                state.book.apply(Side::Sell, *price, *qty);
            }
            state.show();
            Ok(())
        })
    }

    #[napi]
    pub fn quantity_at(&mut self, side: String, price: f64) -> napi::Result<f64> {
        self.held.run(|state| {
            let price = units::price("price", price)?;
            Ok(state.book.qty_at(units::side(&side)?, price).to_f64())
        })
    }

    #[napi]
    pub fn top(&mut self, side: String, count: u32) -> napi::Result<Vec<LevelText>> {
        self.held.run(|state| Ok(top_text(&state.book, units::side(&side)?, count)))
    }

    #[napi]
    pub fn dispose(&mut self) {
        self.held.dispose();
    }
}
