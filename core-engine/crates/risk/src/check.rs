//! The checks, in their order: what is cheapest to say and hardest to argue with comes first.

use flashpod_types::{Amount, Instrument, Nanos, OrderType, Price, Qty, Side};

use crate::approved::RiskApproved;
use crate::denial::{Code, Denial};
use crate::view::{Market, Order, Purpose, TradingState, View};

/// How long an approval may be used.
pub const APPROVAL_LASTS: Nanos = Nanos::from_millis(10);

/// A reducing order without a certified book needs a price this fresh.
const TICKER_AGE: Nanos = Nanos::from_secs(1);

/// Whether the order can only make the position smaller, whatever else of ours fills before it.
#[must_use]
pub fn reduces(order: &Order, view: &View<'_>) -> bool {
    let closable = match order.side {
        Side::Sell => view.position - view.sells,
        Side::Buy => -view.position - view.buys,
    };
    order.qty <= closable
}

/// Decides. `now` is CLOCK_BOOTTIME.
pub fn check(order: Order, view: &View<'_>, now: Nanos) -> Result<RiskApproved<Order>, Denial> {
    let reducing = reduces(&order, view);
    state(&order, view, reducing)?;
    let instrument = view.instrument.ok_or_else(|| {
        deny(Code::UnknownSymbol, format!("symbol {}: the venue does not list it", order.symbol))
    })?;
    filters(&order, instrument, view)?;
    let market = data(&order, view, reducing)?;
    collar(&order, view, reducing, &market)?;
    size(&order, view, reducing, &market)?;
    counts(&order, view, reducing)?;
    own_orders(&order, view)?;
    balance(&order, view)?;
    Ok(RiskApproved::new(order, now + APPROVAL_LASTS))
}

fn deny(code: Code, text: String) -> Denial {
    Denial { code, text }
}

fn ensure(passes: bool, code: Code, text: impl FnOnce() -> String) -> Result<(), Denial> {
    if passes { Ok(()) } else { Err(deny(code, text())) }
}

fn state(order: &Order, view: &View<'_>, reducing: bool) -> Result<(), Denial> {
    let gate = &view.gate;
    ensure(!order.reduce_only || reducing, Code::NotReducing, || {
        let (side, qty, position) = (order.side, order.qty, view.position);
        let (buys, sells) = (view.buys, view.sells);
        format!(
            "reduce-only {side} {qty}: the position is {position}, open orders buy {buys} and sell {sells}"
        )
    })?;
    let may = match gate.state {
        TradingState::Active => true,
        TradingState::ReduceOnly => reducing,
        // The core's own way out stays open.
        TradingState::Halted => order.purpose == Purpose::Flatten && reducing,
    };
    let code = match gate.state {
        TradingState::Halted => Code::Halted,
        TradingState::Active | TradingState::ReduceOnly => Code::ReduceOnly,
    };
    let code = gate.breach.unwrap_or(code);
    ensure(may, code, || format!("trading state {:?}: {}", gate.state, gate.reason))
}

fn filters(order: &Order, instrument: &Instrument, view: &View<'_>) -> Result<(), Denial> {
    let Order { side, kind, price, qty, .. } = *order;
    ensure(instrument.trading, Code::UnknownSymbol, || {
        format!("symbol {}: not open to trading at the venue now", order.symbol)
    })?;
    ensure(kind != OrderType::Market, Code::OrderType, || {
        "type MARKET has no price to check; IMMEDIATE_OR_CANCEL with the worst price you take is accepted"
            .into()
    })?;
    ensure(price.is_positive() && price.floor_to(instrument.tick) == price, Code::PriceTick, || {
        format!("price {price}: a positive multiple of {} is accepted", instrument.tick)
    })?;
    ensure(qty.is_positive() && qty.floor_to(instrument.step) == qty, Code::QuantityStep, || {
        format!("quantity {qty}: a positive multiple of {} is accepted", instrument.step)
    })?;
    ensure(qty >= instrument.min_qty, Code::MinQuantity, || {
        format!("quantity {qty}: at least {} is accepted by the venue", instrument.min_qty)
    })?;
    let value = price.notional(qty);
    ensure(value >= instrument.min_notional, Code::MinNotional, || {
        format!("order value {value}: at least {} is accepted by the venue", instrument.min_notional)
    })?;
    ensure(instrument.max_notional.is_zero() || value <= instrument.max_notional, Code::MaxNotional, || {
        format!("order value {value}: at most {} is accepted by the venue", instrument.max_notional)
    })?;
    // The band is meant for types that can take; it is only known roughly, as the last trade moves on.
    let (Some(band), Some(last)) = (instrument.band, view.last_trade) else { return Ok(()) };
    let times = |factor: i64| {
        let raw = i128::from(last.raw()) * i128::from(factor) / i128::from(Price::SCALE);
        Price::from_raw(i64::try_from(raw).unwrap_or(i64::MAX))
    };
    let (bound, inside) = match side {
        Side::Buy => (times(band.bid_up), price <= times(band.bid_up)),
        Side::Sell => (times(band.ask_down), price >= times(band.ask_down)),
    };
    ensure(inside || kind == OrderType::LimitMaker, Code::PriceBand, || {
        let word = if side.is_buy() { "at most" } else { "at least" };
        format!("price {price}: {word} {bound} is accepted by the venue (last trade {last})")
    })
}

fn data(order: &Order, view: &View<'_>, reducing: bool) -> Result<Market, Denial> {
    let certified = view.market.filter(|market| market.certified);
    let fresh = certified.filter(|market| view.limits.max_data_age.is_none_or(|most| market.age <= most));
    if let Some(market) = fresh {
        return Ok(market);
    }
    // Reducing goes on without a book: at once or not at all, within the collar of a fresh ticker.
    let ticker = view.market.filter(|market| reducing && market.age <= TICKER_AGE);
    if let (Some(market), OrderType::Ioc | OrderType::Fok) = (ticker, order.kind) {
        return Ok(market);
    }
    Err(match certified {
        Some(market) => deny(
            Code::StaleData,
            format!(
                "data age {} ms: at most {} ms is accepted for an order that opens risk",
                market.age.as_millis(),
                view.limits.max_data_age.unwrap_or_default().as_millis()
            ),
        ),
        None => deny(
            Code::NotCertified,
            format!(
                "the book of {} is not certified: cancels, and IOC orders that reduce, are accepted",
                order.symbol
            ),
        ),
    })
}

fn collar(order: &Order, view: &View<'_>, reducing: bool, market: &Market) -> Result<(), Denial> {
    let Some(bps) = view.limits.price_collar_bps else { return Ok(()) };
    near(order.price, market.mid(), bps, Code::PriceCollar, "mid")?;
    // The last trade may be old: a way out does not depend on it.
    match view.last_trade {
        Some(last) if !reducing => near(order.price, last, bps, Code::LastTradeCollar, "last trade"),
        _ => Ok(()),
    }
}

fn near(price: Price, from: Price, bps: u32, code: Code, what: &str) -> Result<(), Denial> {
    let away = i128::from((price - from).abs().raw()) * 10_000;
    let allowed = i128::from(from.raw()) * i128::from(bps);
    ensure(away <= allowed, code, || {
        let shown = away / i128::from(from.raw().max(1));
        format!("price {price} is {shown} bps from the {what} {from}: at most {bps} bps is accepted")
    })
}

/// Value of the worst position this order can lead to on its side.
fn worst(order: &Order, view: &View<'_>, mark: Price) -> Amount {
    let qty = match order.side {
        Side::Buy => view.position + view.buys + order.qty,
        Side::Sell => -view.position + view.sells + order.qty,
    };
    mark.notional(qty.max(Qty::ZERO))
}

fn size(order: &Order, view: &View<'_>, reducing: bool, market: &Market) -> Result<(), Denial> {
    let value = order.price.notional(order.qty);
    if let Some(most) = view.limits.max_order_notional.filter(|_| order.purpose == Purpose::Strategy) {
        ensure(value <= most, Code::MaxOrderNotional, || {
            format!("order value {value}: at most {most} is accepted (maxOrderNotional)")
        })?;
    }
    if let Some(most) = view.limits.max_order_qty.filter(|_| order.purpose == Purpose::Strategy) {
        ensure(order.qty <= most, Code::MaxOrderQuantity, || {
            format!("quantity {}: at most {most} is accepted (maxOrderQuantity)", order.qty)
        })?;
    }
    if reducing {
        return Ok(());
    }
    let mark = market.mid().max(order.price);
    let worst_here = worst(order, view, mark);
    if let Some(most) = view.limits.max_position_notional {
        ensure(worst_here <= most, Code::MaxPosition, || {
            let (position, buys, sells) = (view.position, view.buys, view.sells);
            format!(
                "worst position value {worst_here} (position {position}, open orders buy {buys} and sell {sells}, \
                 this order {} {}): at most {most} is accepted (maxPositionNotional)",
                order.side, order.qty
            )
        })?;
    }
    exposure(order, view, worst_here)
}

/// Of the whole account, and of this pair in it.
fn exposure(order: &Order, view: &View<'_>, worst_here: Amount) -> Result<(), Denial> {
    let Some(most) = view.account.max_exposure else { return Ok(()) };
    let all = view.other_exposure + worst_here;
    ensure(all <= most, Code::AccountExposure, || {
        format!("account exposure {all}: at most {most} is accepted (account maxExposure)")
    })?;
    let Some(pct) = view.account.max_concentration_pct else { return Ok(()) };
    let pair = view.pair_exposure + worst_here;
    ensure(pair.raw() * 100 <= most.raw() * i128::from(pct), Code::AccountConcentration, || {
        format!(
            "exposure of all strategies in {} {pair}: at most {pct} % of {most} is accepted \
             (account maxConcentrationPct)",
            order.symbol
        )
    })
}

fn counts(order: &Order, view: &View<'_>, reducing: bool) -> Result<(), Denial> {
    // What takes at once and reduces does not add to what is open.
    if reducing && !order.kind.can_rest() {
        return Ok(());
    }
    if let Some(most) = view.limits.max_open_orders {
        ensure(view.open_orders < most, Code::MaxOpenOrders, || {
            format!("open orders {}: at most {most} are accepted (maxOpenOrders)", view.open_orders)
        })?;
    }
    if let Some(most) = view.limits.max_in_flight {
        ensure(view.in_flight < most, Code::MaxInFlight, || {
            let flying = view.in_flight;
            format!(
                "orders that wait for the venue's word {flying}: at most {most} are accepted (maxInFlight)"
            )
        })?;
    }
    if let Some(most) = view.account.max_open_orders {
        ensure(view.account_open_orders < most, Code::AccountOpenOrders, || {
            format!("open orders of the account {}: at most {most} are accepted", view.account_open_orders)
        })?;
    }
    if let Some(most) = view.limits.max_order_rate {
        ensure(view.orders_last_second < most, Code::OrderRate, || {
            format!(
                "orders in the last second {}: at most {most} are accepted (maxOrderRate)",
                view.orders_last_second
            )
        })?;
    }
    Ok(())
}

fn own_orders(order: &Order, view: &View<'_>) -> Result<(), Denial> {
    let (meets, own) = match order.side {
        Side::Buy => (view.own_ask.is_some_and(|ask| order.price >= ask), view.own_ask),
        Side::Sell => (view.own_bid.is_some_and(|bid| order.price <= bid), view.own_bid),
    };
    ensure(!meets, Code::SelfCross, || {
        let (side, price, own) = (order.side, order.price, own.unwrap_or_default());
        let word = if side.is_buy() { "below" } else { "above" };
        format!(
            "{side} at {price} would meet the account's own order at {own}: a price {word} that is accepted"
        )
    })
}

fn balance(order: &Order, view: &View<'_>) -> Result<(), Denial> {
    let value = order.price.notional(order.qty);
    let (asset, needed, free) = match order.side {
        Side::Sell => ("base", Amount::from(order.qty), view.free_base),
        Side::Buy => ("quote", value + share(value, view.fee), view.free_quote),
    };
    ensure(needed <= free, Code::Balance, || {
        format!(
            "{} {}: needs {needed} of the {asset} asset, the instance has {free} free",
            order.side, order.qty
        )
    })
}

/// `amount` × `fraction`, rounded up: what is set aside must suffice.
fn share(amount: Amount, fraction: Amount) -> Amount {
    // Both are in 1e-16: taking 1e-8 of each keeps the product exact enough and far from overflow.
    let scale = 100_000_000;
    let (amount, fraction) = (amount.raw(), fraction.raw());
    Amount::from_raw((amount / scale + 1) * (fraction / scale + i128::from(fraction % scale != 0)))
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
