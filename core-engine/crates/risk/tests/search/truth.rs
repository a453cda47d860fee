//! The limits, held against what the venue has: not what the core knows, and not with the code of the checks.

use flashpod_types::Qty;

use crate::scenarios::{Scenario, units};
use crate::world::{BASE, MID, OWNERS, PAIRS, Place, Sent, World};

pub(crate) fn holds(scenario: &Scenario, world: &World) -> Result<(), String> {
    let (limits, account) = (&scenario.limits, &scenario.account);
    let worst = world.worst();
    let value = |at: (i64, i64)| units(at.0.max(at.1).max(0) * MID);
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    let at_most = |count: usize, most: Option<u32>| most.is_none_or(|most| count <= most as usize);
    for (owner, pairs) in worst.iter().enumerate() {
        for (pair, &at) in pairs.iter().enumerate() {
            ensure(
                limits.max_position_notional.is_none_or(|most| value(at) <= most),
                "the position limit is passed",
            )?;
            ensure(at.1 <= BASE, "more is sold than there is")?;
            let before = world.at_stop.map(|stop| stop[owner][pair]);
            let grew = |now: i64, then: i64| now > then.max(0);
            ensure(
                before.is_none_or(|(long, short)| !grew(at.0, long) && !grew(at.1, short)),
                "a stopped strategy opens",
            )?;
        }
        ensure(world.quote_at_worst(owner) >= 0, "more is spent than there is")?;
        let own = || world.orders.iter().filter(|order| order.asked.owner == owner && order.lives());
        ensure(at_most(own().count(), limits.max_open_orders), "too many orders are open")?;
        let travelling = own().filter(|order| order.place == Place::Travels).count();
        ensure(at_most(travelling, limits.max_in_flight), "too many orders are in flight")?;
    }
    let exposure =
        (0..OWNERS).flat_map(|owner| (0..PAIRS).map(move |pair| worst[owner][pair])).map(value).sum();
    ensure(account.max_exposure.is_none_or(|most| most >= exposure), "the account's exposure is passed")?;
    if let (Some(most), Some(pct)) = (account.max_exposure, account.max_concentration_pct) {
        let in_pair = |pair: usize| -> i128 { worst.iter().map(|pairs| value(pairs[pair]).raw()).sum() };
        let largest = (0..PAIRS).map(in_pair).max().unwrap_or(0);
        ensure(largest * 100 <= most.raw() * i128::from(pct), "too much is in one pair")?;
    }
    let living = || world.orders.iter().filter(|order| order.lives());
    ensure(at_most(living().count(), account.max_open_orders), "the account has too many open orders")?;
    ensure(at_most(world.lately as usize, limits.max_order_rate), "too many orders in a second")?;
    ensure(living().all(|order| size_holds(scenario, order)), "an order is too large")?;
    let met =
        |buy: &Sent, sell: &Sent| buy.asked.pair == sell.asked.pair && buy.asked.price >= sell.asked.price;
    let sells = || living().filter(|order| !order.asked.buys);
    let meet = living().filter(|order| order.asked.buys).any(|buy| sells().any(|sell| met(buy, sell)));
    ensure(!meet, "two orders of the account meet")?;
    ensure(!world.wrongly_reduced, "an order that had to reduce opens")
}

fn size_holds(Scenario { limits, .. }: &Scenario, Sent { asked, .. }: &Sent) -> bool {
    limits.max_order_notional.is_none_or(|most| units(asked.price * asked.qty) <= most)
        && limits.max_order_qty.is_none_or(|most| Qty::from_raw(asked.qty * Qty::SCALE) <= most)
}
