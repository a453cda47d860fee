//! Orders on paper: out to the exchange in here, and what comes back, in the words of the venue.

use flashpod_matching::{FeeAsset, FeeSchedule, Placement, Refusal};
use flashpod_mexc::decode;
use flashpod_mexc::reply::code;
use flashpod_orders::order::NewOrder as Terms;
use flashpod_orders::{CallId, Deal, Ending, Order, Report, State, Update};
use flashpod_types::{Amount, ClientOrderId, Nanos, OrderId, OrderType, Price, Qty, Symbol, TradeId};

use super::exchange::{Call, Request};
use super::money::Money;
use crate::engine::Engine;

/// The venue's cap of open orders.
const OPEN_ORDERS: usize = 500;
/// A LIMIT_MAKER that would take.
const WOULD_TAKE: i64 = 30041;
/// Nothing to trade with.
const NO_OPPONENT: i64 = 30025;

impl Engine {
    /// Whether trading rules and time are known: all that paper orders need of the venue, besides its market.
    pub(crate) const fn knows_the_rules(&self) -> bool {
        self.startup.rules_loaded && self.clock.is_known()
    }

    /// Whether everything is known that trading begins with.
    pub(crate) const fn is_ready(&self) -> bool {
        if self.config.credentials { self.startup.ready } else { self.knows_the_rules() }
    }

    pub(crate) const fn is_ready_for(&self, money: Money) -> bool {
        match money {
            Money::Real => self.startup.ready,
            Money::Paper => self.knows_the_rules(),
        }
    }

    /// Follows the pairs in which instances trade on paper.
    pub(crate) fn follow_paper(&mut self) {
        let symbols: Vec<Symbol> = self
            .markets
            .keys()
            .copied()
            .filter(|symbol| {
                let on_paper = |instance: &crate::instance::Instance| {
                    instance.money == Money::Paper && instance.policy.symbols.contains(symbol)
                };
                self.instances.values().any(on_paper)
                    || self.state.paper.orders.live().any(|order| order.terms.symbol == *symbol)
            })
            .collect();
        for symbol in self.paper.follow(&symbols) {
            self.rejoin(symbol);
        }
    }

    pub(crate) fn send_on_paper(&mut self, request: Request, client_id: &ClientOrderId, counted: CallId) {
        let Some(order) = self.state.paper.orders.get(client_id) else { return };
        let (symbol, now) = (order.terms.symbol, self.now.mono);
        match request {
            Request::Place => self.counters.paper_orders += 1,
            Request::Cancel => self.counters.paper_cancels += 1,
        }
        self.paper.send(now, request, (*client_id, symbol), counted);
    }

    /// Answers what is due.
    pub(crate) fn answer_paper(&mut self) {
        while let Some(call) = self.paper.take_due(self.now.mono) {
            self.answer(call);
        }
    }

    fn answer(&mut self, call: Call) {
        let now = self.now.mono;
        if call.request == Request::Place && !self.is_shown(call.symbol) {
            let last = call.released + self.config.recv_window();
            if now < last {
                self.paper.hold(call, last);
                return;
            }
        }
        self.paper.window.settle(call.counted, now, Nanos::ZERO);
        if let Some(track) = self.tracks.get_mut(&call.client_id) {
            match call.request {
                Request::Place => track.placing = false,
                Request::Cancel => track.cancelling = false,
            }
        }
        match call.request {
            Request::Place => self.arrive(&call.client_id),
            Request::Cancel => self.end_on_paper(&call.client_id),
        }
    }

    fn is_shown(&self, symbol: Symbol) -> bool {
        self.markets.get(&symbol).is_some_and(|market| market.book.is_certified())
    }

    fn arrive(&mut self, client_id: &ClientOrderId) {
        let Some(order) = self.state.paper.orders.get(client_id) else { return };
        let terms = order.terms.clone();
        if let Some((code, text)) = self.refusal(&terms) {
            self.refuse_on_paper(client_id, code, text);
            return;
        }
        let step = self.instruments.get(&terms.symbol).map(|terms| terms.instrument.step);
        let (Some(market), Some(pair), Some(step)) =
            (self.markets.get(&terms.symbol), self.paper.pair(terms.symbol), step)
        else {
            self.refuse_on_paper(client_id, code::BAD_SYMBOL, "bad symbol");
            return;
        };
        let placement = pair.place(market.book.book(), &terms, step);
        match placement.refusal {
            Some(Refusal::WouldTake) => {
                self.refuse_on_paper(client_id, WOULD_TAKE, "current order type can not place order");
            }
            Some(Refusal::NoOpponent) => {
                self.refuse_on_paper(client_id, NO_OPPONENT, "no exist opponent order");
            }
            // A FILL_OR_KILL that finds too little is let in and ends at once.
            Some(Refusal::NotFillable) | None => self.let_in(client_id, &placement),
        }
    }

    /// What the venue would refuse although risk let it pass a moment ago.
    fn refusal(&self, terms: &Terms) -> Option<(i64, &'static str)> {
        if !self.is_shown(terms.symbol) {
            return Some((
                code::OUTSIDE_RECV_WINDOW,
                "Timestamp for this request is outside of the recvWindow.",
            ));
        }
        let own = self.state.paper.orders.live_of(&terms.instance);
        if own.filter(|order| order.state().is_working()).count() >= OPEN_ORDERS {
            return Some((code::MAX_ORDERS, "Cannot exceed the maximum order limit"));
        }
        let market = self.markets.get(&terms.symbol)?;
        let instrument = &self.instruments.get(&terms.symbol)?.instrument;
        let banded = matches!(terms.kind, OrderType::Limit | OrderType::Ioc | OrderType::Fok);
        if let (true, Some(band), Some(last)) = (banded, instrument.band, market.last_trade) {
            let factor = if terms.side.is_buy() { band.bid_up } else { band.ask_down };
            let bound = i128::from(last.raw()) * i128::from(factor) / i128::from(Price::SCALE);
            let beyond = (i128::from(terms.price.raw()) - bound) * i128::from(terms.side.sign());
            if beyond > 0 {
                return Some((code::PRICE_OUT_OF_RANGE, "Order price exceeds allowed range"));
            }
        }
        // The order's own lock is among those that are taken off.
        let (asset, code, text) = if terms.side.is_buy() {
            (instrument.quote, code::INSUFFICIENT_POSITION, "Insufficient position")
        } else {
            (instrument.base, code::OVERSOLD, "Oversold")
        };
        self.free(&terms.instance, asset).is_negative().then_some((code, text))
    }

    fn refuse_on_paper(&mut self, client_id: &ClientOrderId, code: i64, text: &str) {
        self.feed(client_id, Update::Refused { code: format!("MEXC_{code}"), text: text.to_owned() });
    }

    fn let_in(&mut self, client_id: &ClientOrderId, placement: &Placement) {
        self.feed(client_id, Update::Accepted { order_id: order_id(client_id) });
        for found in &placement.matches {
            self.fill_on_paper(client_id, found.price, found.qty, false);
        }
        if placement.resting.is_zero() {
            self.end_on_paper(client_id);
        }
    }

    fn fill_on_paper(&mut self, client_id: &ClientOrderId, price: Price, qty: Qty, maker: bool) {
        let Some(order) = self.state.paper.orders.get(client_id) else { return };
        let Some(deal) = self.deal(order, price, qty, maker) else { return };
        self.feed(client_id, Update::Deal(deal));
    }

    fn deal(&self, order: &Order, price: Price, qty: Qty, maker: bool) -> Option<Deal> {
        let terms = &order.terms;
        let pair = *self.state.pairs.get(&terms.symbol)?;
        let (maker_fee, taker_fee) = self.fees_in(Money::Paper, terms.symbol).unwrap_or_default();
        let fees = FeeSchedule { maker: rate(maker_fee), taker: rate(taker_fee), asset: FeeAsset::Quote };
        let (fee, fee_asset) = fees.charge(terms.side, price, qty, maker, pair);
        let number = order.deals().len() + 1;
        Some(Deal {
            trade_id: TradeId::new(&format!("{}-{number}", terms.client_id)).unwrap_or_default(),
            price,
            qty,
            value: price.notional(qty),
            fee,
            fee_asset,
            maker,
            time_ms: self.clock.venue_millis(self.now.mono).unwrap_or_default().0,
        })
    }

    /// Ends an order that is not filled up.
    fn end_on_paper(&mut self, client_id: &ClientOrderId) {
        let Some(order) = self.state.paper.orders.get(client_id) else { return };
        if order.state().is_terminal() {
            return;
        }
        let (symbol, filled) = (order.terms.symbol, order.dealt());
        if let Some(pair) = self.paper.pair(symbol) {
            pair.cancel(client_id);
        }
        let report = Report { order_id: order_id(client_id), ending: Some(Ending::Cancelled), filled };
        self.feed(client_id, Update::Report(report));
    }

    /// Trades of the market.
    pub(crate) fn trade_on_paper(&mut self, symbol: Symbol, deals: &[decode::Deal]) {
        let Some(pair) = self.paper.pair(symbol) else { return };
        for (client_id, fill) in pair.on_deals(deals) {
            self.fill_on_paper(&client_id, fill.price, fill.qty, true);
        }
    }

    /// A book that was lost from sight, or was never seen, is certified.
    pub(crate) fn show_on_paper(&mut self, symbol: Symbol) {
        let (Some(pair), Some(market)) = (self.paper.pair(symbol), self.markets.get(&symbol)) else { return };
        pair.on_snapshot(market.book.book());
        self.rejoin(symbol);
        for call in self.paper.take_held(symbol) {
            self.answer(call);
        }
    }

    /// Orders that rest, of a former run, take their places again.
    fn rejoin(&mut self, symbol: Symbol) {
        if !self.is_shown(symbol) {
            return;
        }
        let (Some(pair), Some(market)) = (self.paper.pair(symbol), self.markets.get(&symbol)) else { return };
        let resting = |order: &&Order| order.terms.symbol == symbol && order.state().is_working();
        for order in self.state.paper.orders.live().filter(resting) {
            pair.rejoin(market.book.book(), &order.terms, order.exposure());
        }
    }

    /// The exchange in here ended with the former run, and every request that was on its way to it.
    pub(crate) fn restart_paper(&mut self) {
        let live: Vec<(ClientOrderId, State)> =
            self.state.paper.orders.live().map(|order| (order.terms.client_id, order.state())).collect();
        for (client_id, state) in live {
            let text = "the core was started anew while it was on its way".to_owned();
            let update = match state {
                State::PendingNew => Update::Refused { code: "NOT_SENT".into(), text },
                _ => Update::CancelFailed,
            };
            self.feed(&client_id, update);
        }
    }
}

/// There is no other id of an order on paper than ours.
fn order_id(client_id: &ClientOrderId) -> OrderId {
    OrderId::new(client_id.as_str()).unwrap_or_default()
}

/// A fraction in the units of [`FeeSchedule`].
fn rate(fraction: Amount) -> i64 {
    i64::try_from(fraction.raw() / i128::from(Price::SCALE)).unwrap_or(i64::MAX)
}
