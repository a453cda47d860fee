//! Orders: let in, matched, settled, cancelled.

use flashpod_matching::{Guard, NewOrder, OrderKey, Refusal, Volume};
use flashpod_mexc::OrderStatus;
use flashpod_types::{Amount, Asset, OrderType, Price, Qty, Side};
use rand::RngExt;

use super::order::{Deal, OwnOrder};
use super::private::{Cause, Note};
use super::self_trade::mode_of;
use super::state::Exchange;
use crate::market::{OWN, OwnFill};
use crate::rest::{ApiError, refuse};
use crate::settings::{DuplicateId, IocPartial, Miss};

/// An order that passed the checks of its form.
#[derive(Debug, Clone)]
pub struct OrderDraft {
    pub market: usize,
    pub side: Side,
    pub kind: OrderType,
    pub price: Price,
    pub volume: Volume,
    pub client_id: String,
    pub stp_mode: String,
}

/// An order named by a request.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    Id(&'a str),
    ClientId(&'a str),
}

/// Why an order ended that self-trade prevention ended.
const STP_CANCEL: &str = "stp_cancel";

/// The index of an own order, if the key can be one.
fn own_index(key: OrderKey) -> Option<usize> {
    usize::try_from(key.0.checked_sub(OWN)?).ok()
}

/// What an order needs before it may come in.
struct Needs {
    asset: Asset,
    lock: Amount,
}

impl Exchange {
    fn request_of(&self, draft: &OrderDraft, key: usize) -> NewOrder {
        NewOrder {
            key: OrderKey(OWN + key as u64),
            side: draft.side,
            kind: draft.kind,
            price: draft.price,
            volume: draft.volume,
            step: self.markets[draft.market].listing.instrument.step,
        }
    }

    /// All checks that need the state of market and account; what must be locked.
    fn needs(
        &self,
        account: usize,
        draft: &OrderDraft,
    ) -> Result<(NewOrder, Needs, Option<Refusal>), ApiError> {
        let state = &self.accounts[account];
        if state.open.len() as u64 >= self.settings.max_open_orders {
            return refuse(30_029, "Cannot exceed the maximum order limit");
        }
        if self.settings.duplicate_client_id == DuplicateId::Reject
            && !draft.client_id.is_empty()
            && state.client_ids.contains_key(&draft.client_id)
        {
            return refuse(33_333, "param is error: newClientOrderId was used before");
        }
        let order = self.request_of(draft, self.orders.len());
        let market = &self.markets[draft.market];
        let instrument = &market.listing.instrument;
        let partners = self.partners(account);
        let forbids = |key: OrderKey| self.own(key).is_some_and(|own| partners.contains(&own.account));
        let guard = mode_of(&draft.stp_mode).map(|on_meeting| Guard { on_meeting, forbids: &forbids });
        let (takes, refusal) = match market.preview(&order, guard) {
            Ok(plan) => (plan.takes, None),
            Err(Refusal::NoOpponent) => return refuse(30_025, "no exist opponent order"),
            Err(Refusal::WouldTake) if self.settings.limit_maker_cross == Miss::Reject => {
                return refuse(30_041, "current order type can not place order");
            }
            Err(Refusal::NotFillable) if self.settings.fok_miss == Miss::Reject => {
                return refuse(30_025, "no exist opponent order");
            }
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        let taken: Qty = takes.iter().map(|(_, qty)| *qty).sum();
        let value: Amount = takes.iter().map(|(price, qty)| price.notional(*qty)).sum();
        let wanted = match draft.volume {
            Volume::Base(qty) => qty,
            Volume::Quote(_) => taken,
        };
        let (asset, lock) = match draft.side {
            Side::Sell => (instrument.base, Amount::from(wanted)),
            Side::Buy => {
                let fees = self.settings.fees();
                let rest = draft.price.notional(wanted - taken);
                let exact = value
                    + fees.on_top_of_a_buy(value, false)
                    + rest
                    + if draft.kind.can_rest() { fees.on_top_of_a_buy(rest, true) } else { Amount::ZERO };
                (instrument.quote, exact.max(draft.price.notional(wanted)))
            }
        };
        if state.funds.get(asset).free < lock {
            return match draft.side {
                Side::Buy => refuse(30_004, "Insufficient position"),
                Side::Sell => refuse(30_005, "Oversold"),
            };
        }
        Ok((order, Needs { asset, lock }, refusal))
    }

    /// The same checks, without effect.
    pub(crate) fn test_order(&self, account: usize, draft: &OrderDraft) -> Result<(), ApiError> {
        self.needs(account, draft).map(|_| ())
    }

    /// Lets an order in; its index.
    pub(crate) fn place_order(&mut self, account: usize, draft: &OrderDraft) -> Result<usize, ApiError> {
        let (order, needs, refusal) = self.needs(account, draft)?;
        let index = self.orders.len();
        let id = format!(
            "C02__{}",
            500_000_000_000_000_000_u64 + index as u64 * 1_000 + self.rng.random_range(0..1_000)
        );
        let (qty, quote_qty) = match draft.volume {
            Volume::Base(qty) => (qty, None),
            Volume::Quote(value) => (Qty::ZERO, Some(value)),
        };
        self.orders.push(OwnOrder {
            id: id.clone(),
            client_id: draft.client_id.clone(),
            account,
            market: draft.market,
            side: draft.side,
            kind: draft.kind,
            price: draft.price,
            qty,
            quote_qty,
            stp_mode: draft.stp_mode.clone(),
            status: OrderStatus::New,
            executed: Qty::ZERO,
            value: Amount::ZERO,
            locked: needs.lock,
            deals: Vec::new(),
            accepted: self.now,
            updated: None,
            cancel_requested: None,
            closed: None,
            cancel_reason: None,
        });
        self.by_order_id.insert(id, index);
        let state = &mut self.accounts[account];
        state.orders.push(index);
        state.open.insert(index);
        if !draft.client_id.is_empty() {
            state.client_ids.insert(draft.client_id.clone(), index);
        }
        let locked = self.accounts[account].funds.lock(needs.asset, needs.lock);
        debug_assert!(locked.is_ok(), "checked by needs()");
        let held = Note::balance(needs.asset, -needs.lock, needs.lock, Cause::Place);
        self.tell(account, vec![held, Note::Order(index, None)]);
        if refusal.is_some() {
            self.close_order(index, Cause::Cancel);
            return Ok(index);
        }
        let partners = self.partners(account);
        let orders = &self.orders;
        let forbids = |key: OrderKey| {
            let own = own_index(key).filter(|index| *index < orders.len());
            own.is_some_and(|index| partners.contains(&orders[index].account))
        };
        let guard = mode_of(&draft.stp_mode).map(|on_meeting| Guard { on_meeting, forbids: &forbids });
        let (placement, met) = self.markets[draft.market].place(self.now, &order, guard);
        for maker in placement.prevented.iter().filter_map(|key| self.own_index(*key)).collect::<Vec<_>>() {
            self.orders[maker].cancel_reason = Some(STP_CANCEL);
            self.close_order(maker, Cause::Cancel);
        }
        let own_makers: Vec<OrderKey> = met.iter().map(|fill| fill.key).collect();
        let mut met = met.into_iter();
        for found in &placement.matches {
            let maker = found.maker.filter(|key| own_makers.contains(key));
            let self_trade = maker.is_some_and(|key| self.own(key).is_some_and(|o| o.account == account));
            self.settle(index, found.price, found.qty, false, self_trade);
            if maker.is_some()
                && let Some(fill) = met.next()
                && let Some(other) = self.own_index(fill.key)
            {
                self.settle(other, fill.price, fill.qty, true, self_trade);
            }
        }
        if self.orders[index].is_open() && placement.resting.is_zero() {
            if placement.stopped {
                self.orders[index].cancel_reason = Some(STP_CANCEL);
            }
            self.close_order(index, Cause::Unfrozen);
        }
        Ok(index)
    }

    fn own_index(&self, key: OrderKey) -> Option<usize> {
        own_index(key).filter(|index| *index < self.orders.len())
    }

    fn own(&self, key: OrderKey) -> Option<&OwnOrder> {
        self.own_index(key).map(|index| &self.orders[index])
    }

    /// The market hit a resting own order.
    pub(super) fn passive_fill(&mut self, _market: usize, fill: OwnFill) {
        if let Some(index) = self.own_index(fill.key) {
            self.settle(index, fill.price, fill.qty, true, false);
        }
    }

    /// Books one execution: balances, order, deal, and what is told about it.
    fn settle(&mut self, index: usize, price: Price, qty: Qty, maker: bool, self_trade: bool) {
        let order = &self.orders[index];
        let (account, side) = (order.account, order.side);
        let instrument = &self.markets[order.market].listing.instrument;
        let (base, quote) = (instrument.base, instrument.quote);
        let value = price.notional(qty);
        let fees = self.settings.fees();
        let in_mx = self.fee_in_mx(account, fees.of(value, maker));
        let (fee, fee_asset) = in_mx.unwrap_or_else(|| {
            let (fee, asset) = fees.charge(side, price, qty, maker, (base, quote));
            // Rounding fill by fill may exceed what was locked by less than 1e-12.
            let most = if side.is_buy() && asset == quote { order.locked - value } else { fee };
            (fee.min(most), asset)
        });
        // MX is paid beside the trade, also where it is what is traded.
        let in_fee = |asset: Asset| if in_mx.is_none() && asset == fee_asset { fee } else { Amount::ZERO };
        let (paid, got) = match side {
            Side::Buy => ((quote, value + in_fee(quote)), (base, Amount::from(qty) - in_fee(base))),
            Side::Sell => ((base, Amount::from(qty)), (quote, value - in_fee(quote))),
        };
        let funds = &mut self.accounts[account].funds;
        let spent = funds.spend_locked(paid.0, paid.1);
        debug_assert!(spent.is_ok(), "an order's lock covers its fills");
        funds.credit(got.0, got.1);
        let mut notes = vec![
            Note::balance(paid.0, Amount::ZERO, -paid.1, Cause::Fill),
            Note::balance(got.0, got.1, Amount::ZERO, Cause::Fill),
        ];
        if in_mx.is_some() {
            let charged = funds.debit(fee_asset, fee);
            debug_assert!(charged.is_ok(), "fee_in_mx checked it");
            notes.push(Note::balance(fee_asset, -fee, Amount::ZERO, Cause::Fee));
        }
        self.counters.trades += 1;
        let hidden = self.faults.hides_deal(self.now);
        let trade_id =
            format!("{}X{}", 700_000_000_000_000_000_u64 + self.counters.trades, 1 + u8::from(maker));
        let time = self.now;
        let order = &mut self.orders[index];
        order.locked -= paid.1;
        order.executed += qty;
        order.value += value;
        order.updated = Some(time);
        order.deals.push(Deal { trade_id, price, qty, fee, fee_asset, maker, self_trade, time, hidden });
        let deal = order.deals.len() - 1;
        let full = order.quote_qty.is_none() && order.executed >= order.qty;
        order.status = if full { OrderStatus::Filled } else { OrderStatus::PartiallyFilled };
        notes.push(Note::Order(index, Some(deal)));
        if !hidden {
            notes.push(Note::Deal(index, deal));
        }
        self.accounts[account].deals.push((index, deal));
        self.tell(account, notes);
        if full {
            self.finish(index, Cause::Unfrozen);
        }
    }

    /// A fee of `fee` quote units in MX, less its discount, if the account pays in MX and has as much.
    fn fee_in_mx(&self, account: usize, fee: Amount) -> Option<(Amount, Asset)> {
        let mx: Asset = "MX".parse().ok()?;
        let s = &self.settings;
        if !self.accounts[account].mx_deduct || fee.is_zero() || s.mx_price.0 == 0 {
            return None;
        }
        let enough =
            s.mx_holding.0 > 0 && self.accounts[account].funds.get(mx).total() >= s.mx_holding.amount();
        let off = if enough { s.mx_holding_discount } else { s.mx_discount };
        // Rates and prices are in units of 1e-8; rounded up, as every fee.
        let due = fee.raw() * i128::from(100_000_000 - off.0);
        let price = i128::from(s.mx_price.0);
        let amount = Amount::from_raw(due.div_euclid(price) + i128::from(due.rem_euclid(price) != 0));
        (self.accounts[account].funds.get(mx).free >= amount).then_some((amount, mx))
    }

    /// Ends an order that is not filled up: cancelled, or cancelled after a part.
    fn close_order(&mut self, index: usize, cause: Cause) {
        let order = &mut self.orders[index];
        let by_value = order.quote_qty.is_some();
        order.status = match (order.executed.is_zero(), order.kind) {
            (true, _) => OrderStatus::Cancelled,
            // What its value did not pay for is nothing that is left; what was stopped is.
            (false, _) if by_value && order.cancel_reason.is_none() => OrderStatus::Filled,
            (false, OrderType::Ioc) if self.settings.ioc_partial == IocPartial::Canceled => {
                OrderStatus::Cancelled
            }
            (false, _) => OrderStatus::PartiallyCancelled,
        };
        order.updated = Some(self.now);
        self.tell(self.orders[index].account, vec![Note::Order(index, None)]);
        self.finish(index, cause);
    }

    /// Gives back what a finished order still holds.
    fn finish(&mut self, index: usize, cause: Cause) {
        let order = &mut self.orders[index];
        order.closed = Some(self.now);
        let (account, left) = (order.account, std::mem::take(&mut order.locked));
        let instrument = &self.markets[order.market].listing.instrument;
        let asset = if order.side.is_buy() { instrument.quote } else { instrument.base };
        self.accounts[account].open.remove(&index);
        if left.is_positive() {
            let freed = self.accounts[account].funds.unlock(asset, left);
            debug_assert!(freed.is_ok(), "an order's lock is its own");
            self.tell(account, vec![Note::balance(asset, left, -left, cause)]);
        }
    }

    /// The account's order that a request names.
    pub(crate) fn find_order(&self, account: usize, target: Target<'_>) -> Option<usize> {
        match target {
            Target::Id(id) => {
                self.by_order_id.get(id).copied().filter(|index| self.orders[*index].account == account)
            }
            Target::ClientId(id) => self.accounts[account].client_ids.get(id).copied(),
        }
    }

    /// Cancels an open order; false when it is not open any more.
    pub(crate) fn cancel_order(&mut self, index: usize) -> bool {
        if !self.orders[index].is_open() {
            return false;
        }
        self.orders[index].cancel_requested = Some(self.now);
        let market = self.orders[index].market;
        self.markets[market].cancel(self.now, OrderKey(OWN + index as u64));
        self.close_order(index, Cause::Cancel);
        true
    }
}
