//! What risk looks at, filled from books, orders and ledger; and the check itself.

use std::collections::BTreeSet;

use flashpod_orders::{Order, State};
use flashpod_risk::{
    self as risk, AccountLimits, Code, Denial, Gate, Limits, Market, Order as RiskOrder, RiskApproved,
    TradingState, View,
};
use flashpod_types::{Amount, Asset, Nanos, Price, Qty, Side, Symbol};

use crate::engine::Engine;
use crate::io;
use crate::paper::Money;

/// Values that a `View` borrows or copies.
struct Facts {
    limits: Limits,
    account: AccountLimits,
    reason: String,
    breach: Option<Code>,
    state: TradingState,
    fee: Amount,
}

impl Engine {
    /// Checks an order of an instance against everything, now.
    pub(crate) fn check(&self, name: &str, order: RiskOrder) -> Result<RiskApproved<RiskOrder>, Denial> {
        let facts = self.facts(name, order.symbol);
        let view = self.view(name, order.symbol, order.side, &facts, self.risk_market(order.symbol));
        let fees = self.fees_in(self.money_of(name), order.symbol);
        if fees.is_none() && self.instruments.contains_key(&order.symbol) {
            let text = format!("the account's fees for {} are not known yet", order.symbol);
            return Err(Denial { code: Code::Halted, text });
        }
        risk::check(order, &view, self.now.mono)
    }

    fn facts(&self, name: &str, symbol: Symbol) -> Facts {
        let instance = self.instances.get(name);
        let limits = instance.map(|instance| instance.policy.limits).unwrap_or_default();
        let account = self.account_limits();
        let fees = self.fees_in(self.money_of(name), symbol).unwrap_or_default();
        Facts {
            limits: Limits {
                max_order_notional: limits.max_order_notional,
                max_order_qty: limits.max_order_qty,
                max_position_notional: limits.max_position_notional,
                max_open_orders: limits.max_open_orders,
                max_in_flight: limits.max_in_flight,
                max_order_rate: limits.max_order_rate,
                price_collar_bps: limits.price_collar_bps,
                max_data_age: limits.max_data_age,
            },
            account: AccountLimits {
                max_exposure: account.max_exposure,
                max_concentration_pct: account.max_concentration_pct,
                max_open_orders: account.max_open_orders,
            },
            reason: instance.map(|instance| instance.reasons.join("; ")).unwrap_or_default(),
            breach: instance.and_then(|instance| self.stop_of(&instance.policy)).map(|stop| stop.code),
            state: match instance.map_or(io::TradingState::Halted, |instance| instance.state) {
                io::TradingState::Active => TradingState::Active,
                io::TradingState::ReduceOnly => TradingState::ReduceOnly,
                io::TradingState::Halted => TradingState::Halted,
            },
            fee: fees.0.max(fees.1),
        }
    }

    fn view<'a>(
        &'a self,
        name: &str,
        symbol: Symbol,
        side: Side,
        facts: &'a Facts,
        market: Option<Market>,
    ) -> View<'a> {
        let terms = self.instruments.get(&symbol).map(|terms| &terms.instrument);
        let money = self.money_of(name);
        let (orders, ledger) = (self.state.orders_in(money), self.state.ledger_in(money));
        let exposure = orders.exposure(name, symbol);
        let position = ledger.account(name).map(|account| account.position(symbol).qty);
        let resting = |order: &&Order| !order.state().is_terminal();
        let in_flight = |order: &&Order| {
            matches!(order.state(), State::PendingNew | State::PendingCancel | State::Unknown)
        };
        let (pair_exposure, other_exposure) =
            facts.account.max_exposure.map(|_| self.exposure_but(name, symbol)).unwrap_or_default();
        let (base, quote) = terms.map_or((Asset::EMPTY, Asset::EMPTY), |terms| (terms.base, terms.quote));
        View {
            gate: Gate { state: facts.state, breach: facts.breach, reason: &facts.reason },
            instrument: terms,
            limits: &facts.limits,
            account: &facts.account,
            position: position.unwrap_or_default(),
            buys: exposure.buys,
            sells: exposure.sells,
            open_orders: count(orders.live_of(name).filter(resting)),
            in_flight: count(orders.live_of(name).filter(in_flight)),
            account_open_orders: count(orders.live().filter(resting)),
            other_exposure,
            pair_exposure,
            market,
            last_trade: self.markets.get(&symbol).and_then(|market| market.last_trade),
            orders_last_second: self.orders_last_second(name),
            free_base: self.free(name, base),
            free_quote: self.free(name, quote),
            fee: facts.fee,
            own_bid: if side.is_buy() { None } else { self.own_best(name, symbol, Side::Buy) },
            own_ask: if side.is_buy() { self.own_best(name, symbol, Side::Sell) } else { None },
        }
    }

    fn orders_last_second(&self, name: &str) -> u32 {
        let now = self.now.mono;
        let Some(instance) = self.instances.get(name) else { return 0 };
        count(instance.sent_at.iter().filter(|&&at| at + Nanos::from_secs(1) > now))
    }

    /// Best price of the account's own orders of a side in a pair, of any instance; a flattening one that is about to
    /// come counts for the others as if it rested.
    fn own_best(&self, name: &str, symbol: Symbol, side: Side) -> Option<Price> {
        let money = self.money_of(name);
        let own = self.state.orders_in(money).live().filter(|order| {
            order.terms.symbol == symbol && order.terms.side == side && !order.state().is_terminal()
        });
        let guard = self.guards.price(name, (money, symbol, side), self.now.mono);
        let prices = own.map(|order| order.terms.price).chain(guard);
        match side {
            Side::Buy => prices.max(),
            Side::Sell => prices.min(),
        }
    }

    /// Own orders that an order at `price` would meet.
    pub(crate) fn own_orders_met(
        &self,
        money: Money,
        symbol: Symbol,
        side: Side,
        price: Price,
    ) -> Vec<flashpod_types::ClientOrderId> {
        let own = self.state.orders_in(money).live().filter(|order| {
            order.terms.symbol == symbol
                && order.terms.side == side.opposite()
                && !order.state().is_terminal()
        });
        let meets = |order: &&Order| match side {
            Side::Buy => order.terms.price <= price,
            Side::Sell => order.terms.price >= price,
        };
        own.filter(meets).map(|order| order.terms.client_id).collect()
    }

    /// What a sub-account has left of an asset after the locks of its orders.
    pub(crate) fn free(&self, name: &str, asset: Asset) -> Amount {
        let own = self.ledger_of(name).account(name).map(|account| account.owns(asset)).unwrap_or_default();
        own - self.locked(name, asset)
    }

    /// What the orders of an instance may still take from an asset.
    pub(crate) fn locked(&self, name: &str, asset: Asset) -> Amount {
        let money = self.money_of(name);
        self.state.orders_in(money).live_of(name).map(|order| self.lock_of(order, asset, money)).sum()
    }

    /// Maker and taker rate in a pair; None until they are known.
    pub(crate) fn fees_in(&self, money: Money, symbol: Symbol) -> Option<(Amount, Amount)> {
        let market = self.markets.get(&symbol)?;
        let set = self.config.paper.fees.filter(|_| money == Money::Paper);
        set.map(|fees| (fees.maker, fees.taker)).or(market.fees)
    }

    fn lock_of(&self, order: &Order, asset: Asset, money: Money) -> Amount {
        let Some(&(base, quote)) = self.state.pairs.get(&order.terms.symbol) else { return Amount::ZERO };
        let left = order.exposure();
        match order.terms.side {
            Side::Sell if asset == base => Amount::from(left),
            Side::Buy if asset == quote => {
                let value = order.terms.price.notional(left);
                let fees = self.fees_in(money, order.terms.symbol).unwrap_or_default();
                let fee = fees.0.max(fees.1);
                value + Amount::from_raw(value.raw() / 100_000_000 * (fee.raw() / 100_000_000))
            }
            _ => Amount::ZERO,
        }
    }

    /// Worst-case value of everything in the account but one instance's pair: of the same pair, and of all.
    fn exposure_but(&self, name: &str, symbol: Symbol) -> (Amount, Amount) {
        let money = self.money_of(name);
        let ordered = self
            .state
            .orders_in(money)
            .live()
            .map(|order| (order.terms.instance.as_str(), order.terms.symbol));
        let held = self
            .state
            .ledger_in(money)
            .accounts()
            .flat_map(|(owner, account)| account.positions.keys().map(move |&symbol| (owner, symbol)));
        // Also what nobody wants any more.
        let owners: BTreeSet<(&str, Symbol)> = ordered.chain(held).collect();
        let others = owners.into_iter().filter(|&other| other != (name, symbol));
        let (mut same, mut all) = (Amount::ZERO, Amount::ZERO);
        for (owner, pair) in others {
            let worst = self.worst_value(money, owner, pair);
            all += worst;
            same += if pair == symbol { worst } else { Amount::ZERO };
        }
        (same, all)
    }

    fn worst_value(&self, money: Money, owner: &str, pair: Symbol) -> Amount {
        let (orders, ledger) = (self.state.orders_in(money), self.state.ledger_in(money));
        let held = ledger.account(owner).map(|account| account.position(pair)).unwrap_or_default();
        let exposure = orders.exposure(owner, pair);
        let worst = (held.qty + exposure.buys).max(exposure.sells - held.qty).max(Qty::ZERO);
        let mark = self.markets.get(&pair).and_then(crate::market::Market::mark).unwrap_or_else(|| {
            // No market is followed: what was paid, or is offered.
            let orders = orders.live_of(owner).filter(|order| order.terms.symbol == pair);
            orders.map(|order| order.terms.price).fold(held.average_cost(), Price::max)
        });
        mark.notional(worst)
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
