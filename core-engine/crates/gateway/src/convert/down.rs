//! What the engine says to a session.

use flashpod_engine::io::{
    BookTop, Fill, InstrumentTerms, Mode, OrderEvent, OrderEventKind, Position, RuleAnswer, SessionEvent,
    TradeBatch, TradingState, Welcome,
};
use flashpod_types::{Amount, Asset, Price, Qty};

use super::{proto_order_type, proto_side};
use crate::proto;
use crate::proto::session_down::Body;

#[must_use]
pub fn down(body: Body) -> proto::SessionDown {
    proto::SessionDown { body: Some(body) }
}

#[must_use]
pub fn session_event(instance: &str, event: SessionEvent) -> proto::SessionDown {
    down(match event {
        SessionEvent::Welcome(snapshot) => Body::Welcome(welcome(instance, *snapshot)),
        SessionEvent::Order(event) => Body::Order(order_event(*event)),
        SessionEvent::Rule(answer) => Body::Rule(rule_answer(*answer)),
        SessionEvent::State { state, reason } => {
            Body::State(proto::StateChange { state: trading_state(state).into(), reason })
        }
    })
}

/// `conflated`: updates that this reader missed because it was slow.
#[must_use]
pub fn book(top: &BookTop, conflated: u32) -> proto::SessionDown {
    let prices = |levels: &[(Price, Qty)]| levels.iter().map(|level| level.0.to_f64()).collect();
    let quantities = |levels: &[(Price, Qty)]| levels.iter().map(|level| level.1.to_f64()).collect();
    down(Body::Book(proto::BookUpdate {
        symbol: top.symbol.to_string(),
        version: top.version,
        bid_prices: prices(&top.bids),
        bid_quantities: quantities(&top.bids),
        ask_prices: prices(&top.asks),
        ask_quantities: quantities(&top.asks),
        certified: top.certified,
        conflated,
        received_mono_ns: top.received.0,
        venue_unix_ms: top.venue_ms,
    }))
}

/// `dropped`: trades left out because this reader was slow.
#[must_use]
pub fn trades(batch: &TradeBatch, dropped: u32) -> proto::SessionDown {
    down(Body::Trades(proto::Trades {
        symbol: batch.symbol.to_string(),
        prices: batch.trades.iter().map(|trade| trade.0.to_f64()).collect(),
        quantities: batch.trades.iter().map(|trade| trade.1.to_f64()).collect(),
        buys: batch.trades.iter().map(|trade| trade.2).collect(),
        venue_unix_ms: batch.venue_ms,
        received_mono_ns: batch.received.0,
        dropped,
    }))
}

fn welcome(instance: &str, snapshot: Welcome) -> proto::Welcome {
    proto::Welcome {
        instance: instance.to_owned(),
        epoch: snapshot.epoch,
        incarnation: snapshot.incarnation,
        mode: mode(snapshot.mode).into(),
        state: trading_state(snapshot.state).into(),
        instruments: snapshot.instruments.iter().map(instrument).collect(),
        positions: snapshot.positions.iter().map(position).collect(),
        open_orders: snapshot.open_orders.into_iter().map(order_event).collect(),
        balances: amounts(&snapshot.balances),
        parameters_json: snapshot.parameters_json,
        last_sequence: snapshot.last_sequence,
    }
}

fn instrument(terms: &InstrumentTerms) -> proto::Instrument {
    let rules = &terms.instrument;
    proto::Instrument {
        symbol: rules.symbol.to_string(),
        base_asset: rules.base.to_string(),
        quote_asset: rules.quote.to_string(),
        tick_size: rules.tick.to_string(),
        lot_size: rules.step.to_string(),
        min_quantity: rules.min_qty.to_string(),
        min_notional: rules.min_notional.to_string(),
        maker_fee: terms.maker_fee.to_string(),
        taker_fee: terms.taker_fee.to_string(),
    }
}

pub(super) fn position(position: &Position) -> proto::Position {
    proto::Position {
        symbol: position.symbol.to_string(),
        quantity: position.qty.to_string(),
        average_cost: position.average_cost.to_string(),
        realised_pnl: position.realised.to_string(),
        unrealised_pnl: position.unrealised.to_string(),
        fees: position.fees.to_string(),
        open_orders: position.open_orders,
        mark_price: position.mark.to_string(),
    }
}

fn order_event(event: OrderEvent) -> proto::OrderEvent {
    let kind = match event.kind {
        OrderEventKind::Rejected => proto::order_event::Kind::Rejected,
        OrderEventKind::Accepted => proto::order_event::Kind::Accepted,
        OrderEventKind::PartiallyFilled => proto::order_event::Kind::PartiallyFilled,
        OrderEventKind::Filled => proto::order_event::Kind::Filled,
        OrderEventKind::Cancelled => proto::order_event::Kind::Cancelled,
        OrderEventKind::Unknown => proto::order_event::Kind::Unknown,
    };
    proto::OrderEvent {
        sequence: event.sequence,
        kind: kind.into(),
        symbol: event.symbol.to_string(),
        client_order_id: event.client_id.to_string(),
        r#ref: event.reference.unwrap_or_default(),
        slot: event.slot,
        side: proto_side(event.side).into(),
        r#type: proto_order_type(event.order_type).into(),
        // A market order has no price.
        price: if event.price.is_zero() { String::new() } else { event.price.to_string() },
        quantity: event.qty.to_string(),
        filled_quantity: event.filled.to_string(),
        fill: event.fill.as_ref().map(fill),
        code: event.code,
        text: event.text,
        time_mono_ns: event.time.0,
        position: Some(position(&event.position)),
    }
}

fn rule_answer(answer: RuleAnswer) -> proto::RuleAnswer {
    proto::RuleAnswer {
        symbol: answer.symbol.to_string(),
        rule: answer.rule,
        refused: answer.refused.map(|refusal| proto::RuleRefusal {
            field: refusal.field,
            value: refusal.value,
            accepted: refusal.accepted,
        }),
    }
}

fn fill(fill: &Fill) -> proto::Fill {
    proto::Fill {
        trade_id: fill.trade_id.to_string(),
        price: fill.price.to_string(),
        quantity: fill.qty.to_string(),
        fee: fill.fee.to_string(),
        fee_asset: fill.fee_asset.to_string(),
        maker: fill.maker,
        time_unix_ms: fill.time_ms,
    }
}

pub(super) fn amounts(amounts: &[(Asset, Amount)]) -> Vec<proto::AssetAmount> {
    amounts
        .iter()
        .map(|(asset, amount)| proto::AssetAmount { asset: asset.to_string(), amount: amount.to_string() })
        .collect()
}

const fn mode(mode: Mode) -> proto::Mode {
    match mode {
        Mode::Paper => proto::Mode::Paper,
        Mode::Shadow => proto::Mode::Shadow,
        Mode::Live => proto::Mode::Live,
    }
}

pub(super) const fn trading_state(state: TradingState) -> proto::TradingState {
    match state {
        TradingState::Active => proto::TradingState::Active,
        TradingState::ReduceOnly => proto::TradingState::ReduceOnly,
        TradingState::Halted => proto::TradingState::Halted,
    }
}
