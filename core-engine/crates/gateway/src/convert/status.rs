//! What the engines know, as the agent is told. One account's status at a time; `agent` joins them.

use std::collections::BTreeMap;
use std::sync::Arc;

use flashpod_engine::io::{DeletionPolicy, Desired, HaltPolicy};
use flashpod_engine::status::{
    Adoption, Balance, BookStatus, HaltStatus, InstanceStatus, LedgerView, LossRule, LossStatus, MarkOut,
    Status, StopProof, SymbolFigures,
};
use flashpod_orders::{Deal, Order};
use flashpod_types::Amount;

use super::down::{amounts, position, trading_state};
use super::{proto_order_type, proto_side};
use crate::proto;

#[must_use]
pub fn account(whole: &Status) -> proto::AccountStatus {
    let status = &whole.account;
    proto::AccountStatus {
        generation: whole.generation,
        account: status.account.clone(),
        ready: status.ready,
        venue_uid: status.venue_uid.clone(),
        epoch: status.epoch,
        highest_epoch_seen: status.highest_epoch_seen,
        incarnation: status.incarnation,
        state: trading_state(status.state).into(),
        reasons: status.reasons.clone(),
        balances: balances(&status.balances),
        unassigned: amounts(&status.unassigned),
        ledger_equals_venue: status.ledger_equals_venue,
        audited_unix_ns: status.audited_unix.0,
        audit_difference: status.audit_difference.clone(),
        http_429: whole.counters.http_429,
        http_418: whole.counters.http_418,
        orders_in_flight: status.orders_in_flight,
        orders_unknown: status.orders_unknown,
        unknown_since_mono_ns: status.unknown_since.0,
        symbols: status.symbols.iter().map(ToString::to_string).collect(),
        lease_attempt: status.lease_attempt,
        losses: status.losses.iter().map(losses).collect(),
        adoption: status.adoption.as_ref().map(adoption),
    }
}

fn adoption(adoption: &Adoption) -> proto::Adoption {
    proto::Adoption {
        request: adoption.request.clone(),
        at_unix_ns: adoption.at.0,
        amounts: amounts(&adoption.amounts),
    }
}

/// `conflated_books` and `tick_to_order` are measured outside the engine.
#[must_use]
pub fn instance(
    status: &InstanceStatus,
    conflated_books: u64,
    tick_to_order: Option<proto::HopStats>,
) -> proto::InstanceStatus {
    proto::InstanceStatus {
        instance: status.instance.clone(),
        state: trading_state(status.state).into(),
        reasons: status.reasons.clone(),
        sidecar_connected: status.sidecar_connected,
        positions: status.positions.iter().map(position).collect(),
        accepted_orders: status.accepted_orders,
        fills: status.fills,
        venue_rejects: status.venue_rejects,
        risk_rejects: status.risk_rejects,
        superseded_quotes: status.superseded_quotes,
        conflated_books,
        figures: status.figures.iter().map(figures).collect(),
        proof: proof(&status.proof),
        balances: amounts(&status.balances),
        capital_error: status.capital_error.clone(),
        tick_to_order,
        last_reject: status.last_reject.clone(),
        checkpoint: status.checkpoint.clone(),
        losses: status.losses.iter().map(losses).collect(),
    }
}

fn figures(figures: &SymbolFigures) -> proto::SymbolFigures {
    proto::SymbolFigures {
        symbol: figures.symbol.to_string(),
        accepted_orders: figures.accepted_orders,
        fills: figures.fills,
        rejects: figures.rejects,
        other_fees: amounts(&figures.other_fees),
        mark_outs: figures.mark_outs.iter().map(mark_out).collect(),
    }
}

fn mark_out(out: &MarkOut) -> proto::MarkOut {
    proto::MarkOut {
        after_ms: u32::try_from(out.after.as_millis()).unwrap_or(u32::MAX),
        fills: out.fills,
        value: out.value.to_string(),
        notional: out.notional.to_string(),
    }
}

fn losses(status: &LossStatus) -> proto::LossStatus {
    let text = |amount: Option<Amount>| amount.map(|amount| amount.to_string()).unwrap_or_default();
    let rule = |rule| match rule {
        LossRule::DailyLoss => proto::LossRule::DailyLoss,
        LossRule::Drawdown => proto::LossRule::Drawdown,
    };
    proto::LossStatus {
        quote_asset: status.quote.to_string(),
        day_loss: text(status.day_loss),
        drawdown: text(status.drawdown),
        reached: status.breach.map(|breach| proto::LossReached {
            rule: rule(breach.rule).into(),
            lost: breach.lost.to_string(),
            limit: breach.limit.to_string(),
            at_unix_ns: breach.at.0,
        }),
        reset: status.reset.clone(),
        reset_unix_ns: status.reset_unix.0,
    }
}

/// Nothing until a stop was asked for: before that there is neither a proof nor anything to wait for.
fn proof(proof: &StopProof) -> Option<proto::StopProof> {
    if proof.proven_unix.0 == 0 && proof.waiting_for.is_empty() {
        return None;
    }
    let policy = match proof.policy {
        DeletionPolicy::Flatten => proto::DeletionPolicy::Flatten,
        DeletionPolicy::CancelOnly => proto::DeletionPolicy::CancelOnly,
        DeletionPolicy::Orphan => proto::DeletionPolicy::Orphan,
    };
    Some(proto::StopProof {
        policy: policy.into(),
        no_open_orders: proof.no_open_orders,
        flat: proof.flat,
        proven_unix_ns: proof.proven_unix.0,
        moved_to_unassigned: amounts(&proof.moved_to_unassigned),
        orphaned_orders: proof.orphaned_orders.clone(),
        waiting_for: proof.waiting_for.clone(),
    })
}

#[must_use]
pub fn book(status: &BookStatus) -> proto::BookStatus {
    let price =
        |price: Option<flashpod_types::Price>| price.map(|price| price.to_string()).unwrap_or_default();
    proto::BookStatus {
        symbol: status.symbol.to_string(),
        state: status.state.clone(),
        version: status.version,
        gaps: status.gaps,
        certified_share: status.certified_share,
        frames: status.frames,
        age_ms: status.age.as_millis(),
        best_bid: price(status.best_bid),
        best_ask: price(status.best_ask),
    }
}

/// How far each halt has come in the accounts that it concerns: those with an instance that it covers, or all of them
/// when there is none. An account that has not heard of it has not reached it.
#[must_use]
pub fn halts(told: &BTreeMap<String, Desired>, statuses: &[Arc<Status>]) -> Vec<proto::HaltStatus> {
    let covers = |halt: &HaltPolicy, desired: &Desired| {
        desired.instances.iter().any(|policy| halt.all || halt.instances.contains(&policy.instance))
    };
    let halts: BTreeMap<&str, &HaltPolicy> =
        told.values().flat_map(|desired| &desired.halts).map(|halt| (halt.uid.as_str(), halt)).collect();
    let over = |(uid, halt): (&str, &HaltPolicy)| {
        let concerned: Vec<&String> =
            told.iter().filter(|(_, desired)| covers(halt, desired)).map(|(account, _)| account).collect();
        let concerned = if concerned.is_empty() { told.keys().collect() } else { concerned };
        let not_yet = HaltStatus { uid: uid.to_owned(), ..HaltStatus::default() };
        let reached = concerned.into_iter().map(|account| {
            let status = statuses.iter().find(|status| status.account.account == *account);
            status.and_then(|status| status.halts.iter().find(|halt| halt.uid == uid)).unwrap_or(&not_yet)
        });
        merged(uid, reached)
    };
    halts.into_iter().map(over).collect()
}

/// Reached only when every account reached it, at the time of the last.
fn merged<'a>(uid: &str, accounts: impl Iterator<Item = &'a HaltStatus> + Clone) -> proto::HaltStatus {
    let last = |time: fn(&HaltStatus) -> u64| {
        let times = accounts.clone().map(time);
        if times.clone().any(|at| at == 0) { 0 } else { times.max().unwrap_or(0) }
    };
    proto::HaltStatus {
        uid: uid.to_owned(),
        blocked_unix_ns: last(|halt| halt.blocked_unix.0),
        cancels_sent_unix_ns: last(|halt| halt.cancels_sent_unix.0),
        flat: accounts.clone().all(|halt| halt.flat),
        instances: accounts.map(|halt| halt.instances).sum(),
    }
}

#[must_use]
pub fn ledger(account: String, view: &LedgerView) -> proto::LedgerReply {
    proto::LedgerReply {
        account,
        quiescent: view.quiescent,
        orders: view.orders.iter().map(order).collect(),
        balances: balances(&view.balances),
        forgotten_orders: view.forgotten.orders,
        forgotten_fills: view.forgotten.fills,
    }
}

fn balances(balances: &[Balance]) -> Vec<proto::Balance> {
    balances
        .iter()
        .map(|balance| proto::Balance {
            asset: balance.asset.to_string(),
            free: balance.free.to_string(),
            locked: balance.locked.to_string(),
        })
        .collect()
}

fn order(order: &Order) -> proto::LedgerOrder {
    proto::LedgerOrder {
        client_order_id: order.terms.client_id.to_string(),
        order_id: order.order_id().to_string(),
        instance: order.terms.instance.to_string(),
        symbol: order.terms.symbol.to_string(),
        side: proto_side(order.terms.side).into(),
        r#type: proto_order_type(order.terms.kind).into(),
        price: order.terms.price.to_string(),
        quantity: order.terms.qty.to_string(),
        filled_quantity: order.filled().to_string(),
        status: order.status_name().to_owned(),
        fills: order.deals().iter().map(deal).collect(),
    }
}

fn deal(deal: &Deal) -> proto::Fill {
    proto::Fill {
        trade_id: deal.trade_id.to_string(),
        price: deal.price.to_string(),
        quantity: deal.qty.to_string(),
        fee: deal.fee.to_string(),
        fee_asset: deal.fee_asset.to_string(),
        maker: deal.maker,
        time_unix_ms: deal.time_ms,
    }
}
