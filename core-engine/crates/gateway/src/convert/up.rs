//! What peers say, as the engine takes it. Every refusal names the field.

use std::collections::BTreeMap;

use flashpod_engine::io::{
    AccountLimits, DeletionPolicy, Desired, HaltAction, HaltPolicy, InstancePolicy, Intent, Mode, OnLoss,
    Quote, RiskLimits, RunState, SessionMessage, SetRule, SidecarLossAction, WantedQuotes,
};
use flashpod_types::{Amount, Asset, Nanos, OrderType};

use super::{
    FieldError, name, optional_amount, optional_count, optional_qty, order_type, positive_price,
    positive_qty, side, symbol,
};
use crate::proto;
use crate::proto::session_up::Body;

/// More quotes for one symbol than any strategy needs.
const MAX_QUOTES: usize = 64;
/// More parameters than any rule has, and the longest name or value of one, bytes.
const MAX_PARAMETERS: usize = 32;
const MAX_PARAMETER: usize = 64;
/// Longest reason of a failed strategy, characters.
const MAX_FAILURE: usize = 200;
/// Longest reference of an intent, bytes.
const MAX_REFERENCE: usize = 64;

/// A session message after Hello.
pub fn session(message: proto::SessionUp) -> Result<SessionMessage, FieldError> {
    match message.body {
        Some(Body::WantedQuotes(wanted)) => {
            wanted_quotes(wanted).map(SessionMessage::WantedQuotes).map_err(|e| e.within("wanted_quotes"))
        }
        Some(Body::SetRule(asked)) => {
            set_rule(asked).map(SessionMessage::SetRule).map_err(|e| e.within("set_rule"))
        }
        Some(Body::Intent(asked)) => {
            intent(asked).map(SessionMessage::Intent).map_err(|e| e.within("intent"))
        }
        Some(Body::Cancel(asked)) => cancel(asked).map_err(|e| e.within("cancel")),
        Some(Body::Heartbeat(_)) => Ok(SessionMessage::Heartbeat),
        // Cut, not refused: a session that ends over its own end would come back for ever.
        Some(Body::Failure(failure)) => {
            let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
            let reason = failure.reason.chars().map(plain).take(MAX_FAILURE).collect();
            Ok(SessionMessage::Failed { reason })
        }
        Some(Body::Hello(_)) => {
            Err(FieldError::new("hello", "a second Hello", "is not allowed in a session"))
        }
        None => Err(FieldError::new(
            "body",
            "nothing this core knows",
            "was sent; accepted: wanted_quotes, set_rule, intent, cancel, heartbeat, failure",
        )),
    }
}

fn wanted_quotes(wanted: proto::WantedQuotes) -> Result<WantedQuotes, FieldError> {
    if wanted.quotes.len() > MAX_QUOTES {
        return Err(FieldError::new(
            "quotes",
            wanted.quotes.len(),
            format!("entries; at most {MAX_QUOTES} are accepted"),
        ));
    }
    let mut quotes = Vec::with_capacity(wanted.quotes.len());
    for (index, asked) in wanted.quotes.iter().enumerate() {
        let quote = quote(asked).map_err(|error| error.within(format_args!("quotes[{index}]")))?;
        if quotes.iter().any(|other: &Quote| other.slot == quote.slot) {
            return Err(FieldError::new(format!("quotes[{index}].slot"), quote.slot, "is used twice"));
        }
        quotes.push(quote);
    }
    Ok(WantedQuotes {
        symbol: symbol("symbol", &wanted.symbol)?,
        quotes,
        book_version: wanted.book_version,
        cause: cause(wanted.cause_mono_ns),
        decided: Nanos(wanted.decided_mono_ns),
        tolerance_ticks: wanted.tolerance_ticks,
    })
}

fn quote(asked: &proto::Quote) -> Result<Quote, FieldError> {
    Ok(Quote {
        slot: asked.slot,
        side: side("side", asked.side)?,
        price: positive_price("price", &asked.price)?,
        qty: positive_qty("quantity", &asked.quantity)?,
    })
}

/// What the rule makes of it, the engine says; here only what is too large to be written down is refused.
fn set_rule(asked: proto::SetRule) -> Result<SetRule, FieldError> {
    let short = |field: String, text: String| {
        if text.len() <= MAX_PARAMETER {
            return Ok(text);
        }
        Err(FieldError::new(field, text, format!("has more than {MAX_PARAMETER} bytes")))
    };
    if asked.parameters.len() > MAX_PARAMETERS {
        let count = asked.parameters.len();
        let reason = format!("entries; at most {MAX_PARAMETERS} are accepted");
        return Err(FieldError::new("parameters", count, reason));
    }
    let mut parameters = Vec::with_capacity(asked.parameters.len());
    for (index, proto::RuleParameter { name, value }) in asked.parameters.into_iter().enumerate() {
        let name = short(format!("parameters[{index}].name"), name)?;
        parameters.push((name, short(format!("parameters[{index}].value"), value)?));
    }
    let symbol = symbol("symbol", &asked.symbol)?;
    Ok(SetRule { symbol, rule: short("rule".to_owned(), asked.rule)?, parameters })
}

fn intent(asked: proto::Intent) -> Result<Intent, FieldError> {
    let kind = order_type("type", asked.r#type)?;
    let price = match (kind, asked.price.as_str()) {
        (OrderType::Market, "") => None,
        (OrderType::Market, text) => return Err(FieldError::new("price", text, "must be empty for MARKET")),
        (_, text) => Some(positive_price("price", text)?),
    };
    Ok(Intent {
        reference: reference("ref", asked.r#ref)?,
        symbol: symbol("symbol", &asked.symbol)?,
        side: side("side", asked.side)?,
        kind,
        price,
        qty: positive_qty("quantity", &asked.quantity)?,
        reduce_only: asked.reduce_only,
        book_version: asked.book_version,
        cause: cause(asked.cause_mono_ns),
        decided: Nanos(asked.decided_mono_ns),
    })
}

/// Arrival times on CLOCK_BOOTTIME are never 0.
fn cause(mono_ns: u64) -> Option<Nanos> {
    (mono_ns != 0).then_some(Nanos(mono_ns))
}

fn reference(field: &str, text: String) -> Result<String, FieldError> {
    if text.is_empty() || text.len() > MAX_REFERENCE {
        return Err(FieldError::new(field, text, format!("must have 1 to {MAX_REFERENCE} bytes")));
    }
    Ok(text)
}

fn cancel(asked: proto::CancelIntent) -> Result<SessionMessage, FieldError> {
    Ok(SessionMessage::Cancel {
        reference: if asked.r#ref.is_empty() { None } else { Some(reference("ref", asked.r#ref)?) },
        symbol: if asked.symbol.is_empty() { None } else { Some(symbol("symbol", &asked.symbol)?) },
    })
}

/// The desired state, split by account.
#[derive(Debug, Default)]
pub struct DesiredByAccount {
    pub accounts: BTreeMap<String, Desired>,
    /// Instances whose policy can't be used, with the reason. The others, and every halt, are in force nevertheless.
    pub refused: Vec<RefusedInstance>,
    /// Lower-case hex SHA-256 of each instance's token.
    pub tokens: BTreeMap<String, [u8; 32]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedInstance {
    pub instance: String,
    pub reason: String,
}

/// Splits the desired state over the accounts of this core. An account that is not mentioned wants nothing.
///
/// A policy that can't be used never stands in the way of the rest. `former` is what was last in force: an instance
/// keeps its former policy when the new one can't be used.
pub fn desired(
    message: proto::DesiredState,
    accounts: &[String],
    former: &BTreeMap<String, Desired>,
) -> Result<DesiredByAccount, FieldError> {
    let mut all = DesiredByAccount::default();
    let halts: Vec<HaltPolicy> = message
        .halts
        .into_iter()
        .enumerate()
        .map(|(index, policy)| {
            halt(policy).map_err(|error| error.within(format_args!("desired.halts[{index}]")))
        })
        .collect::<Result<_, _>>()?;
    for account in accounts {
        let desired = Desired { generation: message.generation, halts: halts.clone(), ..Desired::default() };
        all.accounts.insert(account.clone(), desired);
    }
    for (index, policy) in message.accounts.into_iter().enumerate() {
        let field = format!("desired.accounts[{index}]");
        let Some(desired) = all.accounts.get_mut(&policy.account) else {
            // Of no concern to this core: the agent may know more accounts than were configured here.
            tracing::warn!(
                account = policy.account,
                "a policy names an account that this core does not carry"
            );
            continue;
        };
        desired.account = account_limits(policy).map_err(|error| error.within(field))?;
    }
    for policy in message.instances {
        let name = policy.instance.clone();
        let account = policy.account.clone();
        let token = token_hash(&policy.token_sha256);
        let Some(desired) = all.accounts.get_mut(&account) else {
            let reason = format!("account: {account:?} is not carried by this core; accepted: {accounts:?}");
            all.refused.push(RefusedInstance { instance: name, reason });
            continue;
        };
        match token.and_then(|token| instance(policy).map(|policy| (token, policy))) {
            Ok((token, policy)) => {
                all.tokens.insert(name, token);
                desired.instances.push(policy);
            }
            Err(error) => {
                let kept = former
                    .get(&account)
                    .and_then(|former| former.instances.iter().find(|policy| policy.instance == name));
                desired.instances.extend(kept.cloned());
                all.refused.push(RefusedInstance { instance: name, reason: error.to_string() });
            }
        }
    }
    Ok(all)
}

fn token_hash(text: &str) -> Result<[u8; 32], FieldError> {
    let mut hash = [0; 32];
    match hex::decode_to_slice(text, &mut hash) {
        Ok(()) => Ok(hash),
        // The hash is no secret, but a misplaced token would be: it is not repeated.
        Err(_) => Err(FieldError::new("token_sha256", "(not shown)", "is not 64 hexadecimal digits")),
    }
}

fn capital(field: &str, parts: &[proto::AssetAmount]) -> Result<Vec<(Asset, Amount)>, FieldError> {
    let mut capital = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let amount = optional_amount(&format!("{field}.amount"), &part.amount)?
            .ok_or_else(|| FieldError::new(format!("{field}.amount"), "", "is empty"))?;
        capital.push((name(&format!("{field}.asset"), &part.asset)?, amount));
    }
    Ok(capital)
}

fn instance(policy: proto::InstancePolicy) -> Result<InstancePolicy, FieldError> {
    if policy.instance.is_empty() || policy.instance.len() > 253 {
        return Err(FieldError::new("instance", policy.instance, "must have 1 to 253 bytes"));
    }
    let mut symbols = Vec::with_capacity(policy.symbols.len());
    for (index, text) in policy.symbols.iter().enumerate() {
        symbols.push(symbol(&format!("symbols[{index}]"), text)?);
    }
    let capital = capital("capital", &policy.capital)?;
    let loss = policy.on_sidecar_loss.unwrap_or_default();
    Ok(InstancePolicy {
        mode: mode(policy.mode)?,
        state: run_state(policy.state)?,
        deletion_policy: deletion_policy(policy.deletion_policy)?,
        limits: limits(policy.limits.unwrap_or_default()).map_err(|e| e.within("limits"))?,
        risk_reset: request("risk_reset", policy.risk_reset)?,
        checkpoint: policy.checkpoint,
        sidecar_loss: sidecar_loss(loss.action)?,
        sidecar_loss_after: Nanos::from_millis(u64::from(loss.after_ms)),
        // An agent that does not say: each instance for itself.
        owner: if policy.owner.is_empty() { policy.instance.clone() } else { policy.owner },
        owner_uid: policy.owner_uid,
        instance: policy.instance,
        uid: policy.uid,
        strategy: policy.strategy,
        symbols,
        capital,
        parameters_json: policy.parameters_json,
    })
}

fn account_limits(policy: proto::AccountPolicy) -> Result<AccountLimits, FieldError> {
    Ok(AccountLimits {
        max_exposure: optional_amount("max_exposure", &policy.max_exposure)?,
        max_concentration_pct: optional_count(policy.max_concentration_pct),
        max_open_orders: optional_count(policy.max_open_orders),
        max_loss: optional_amount("max_loss", &policy.max_loss)?,
        max_drawdown: optional_amount("max_drawdown", &policy.max_drawdown)?,
        on_loss: on_loss(policy.on_loss)?,
        risk_reset: request("risk_reset", policy.risk_reset)?,
        adopt: request("adopt", policy.adopt)?,
        unassigned: capital("unassigned", &policy.unassigned)?,
    })
}

/// Longest text that asks for a reset or an adoption, bytes.
const MAX_REQUEST: usize = 64;

fn request(field: &str, text: String) -> Result<String, FieldError> {
    if text.len() > MAX_REQUEST {
        return Err(FieldError::new(field, text, format!("must have at most {MAX_REQUEST} bytes")));
    }
    Ok(text)
}

fn on_loss(value: i32) -> Result<OnLoss, FieldError> {
    match proto::LossAction::try_from(value) {
        // Not said: the strictest.
        Ok(proto::LossAction::Unspecified | proto::LossAction::Halt) => Ok(OnLoss::Halt),
        Ok(proto::LossAction::ReduceOnly) => Ok(OnLoss::ReduceOnly),
        _ => Err(FieldError::new("on_loss", value, "is not LOSS_ACTION_HALT or LOSS_ACTION_REDUCE_ONLY")),
    }
}

fn limits(limits: proto::RiskLimits) -> Result<RiskLimits, FieldError> {
    Ok(RiskLimits {
        max_order_notional: optional_amount("max_order_notional", &limits.max_order_notional)?,
        max_order_qty: optional_qty("max_order_quantity", &limits.max_order_quantity)?,
        max_position_notional: optional_amount("max_position_notional", &limits.max_position_notional)?,
        max_open_orders: optional_count(limits.max_open_orders),
        max_in_flight: optional_count(limits.max_in_flight),
        max_order_rate: optional_count(limits.max_order_rate),
        price_collar_bps: optional_count(limits.price_collar_bps),
        max_data_age: optional_count(limits.max_data_age_ms).map(|ms| Nanos::from_millis(u64::from(ms))),
        max_daily_loss: optional_amount("max_daily_loss", &limits.max_daily_loss)?,
        max_drawdown: optional_amount("max_drawdown", &limits.max_drawdown)?,
        on_loss: on_loss(limits.on_loss)?,
    })
}

fn mode(value: i32) -> Result<Mode, FieldError> {
    match proto::Mode::try_from(value) {
        Ok(proto::Mode::Paper) => Ok(Mode::Paper),
        Ok(proto::Mode::Shadow) => Ok(Mode::Shadow),
        Ok(proto::Mode::Live) => Ok(Mode::Live),
        _ => Err(FieldError::new("mode", value, "is not MODE_PAPER, MODE_SHADOW or MODE_LIVE")),
    }
}

fn run_state(value: i32) -> Result<RunState, FieldError> {
    match proto::instance_policy::State::try_from(value) {
        Ok(proto::instance_policy::State::Run) => Ok(RunState::Run),
        Ok(proto::instance_policy::State::Stop) => Ok(RunState::Stop),
        _ => Err(FieldError::new("state", value, "is not STATE_RUN or STATE_STOP")),
    }
}

fn deletion_policy(value: i32) -> Result<DeletionPolicy, FieldError> {
    match proto::DeletionPolicy::try_from(value) {
        Ok(proto::DeletionPolicy::Flatten) => Ok(DeletionPolicy::Flatten),
        Ok(proto::DeletionPolicy::CancelOnly) => Ok(DeletionPolicy::CancelOnly),
        Ok(proto::DeletionPolicy::Orphan) => Ok(DeletionPolicy::Orphan),
        _ => Err(FieldError::new(
            "deletion_policy",
            value,
            "is not DELETION_POLICY_FLATTEN, _CANCEL_ONLY or _ORPHAN",
        )),
    }
}

fn sidecar_loss(value: i32) -> Result<SidecarLossAction, FieldError> {
    match proto::sidecar_loss::Action::try_from(value) {
        Ok(proto::sidecar_loss::Action::Cancel) => Ok(SidecarLossAction::Cancel),
        Ok(proto::sidecar_loss::Action::Flatten) => Ok(SidecarLossAction::Flatten),
        Ok(proto::sidecar_loss::Action::Keep) => Ok(SidecarLossAction::Keep),
        _ => Err(FieldError::new(
            "on_sidecar_loss.action",
            value,
            "is not ACTION_CANCEL, ACTION_FLATTEN or ACTION_KEEP",
        )),
    }
}

fn halt(policy: proto::HaltPolicy) -> Result<HaltPolicy, FieldError> {
    let action = match proto::halt_policy::Action::try_from(policy.action) {
        Ok(proto::halt_policy::Action::Block) => HaltAction::Block,
        Ok(proto::halt_policy::Action::Cancel) => HaltAction::Cancel,
        Ok(proto::halt_policy::Action::Flatten) => HaltAction::Flatten,
        _ => {
            let value = policy.action;
            return Err(FieldError::new(
                "action",
                value,
                "is not ACTION_BLOCK, ACTION_CANCEL or ACTION_FLATTEN",
            ));
        }
    };
    Ok(HaltPolicy {
        name: policy.name,
        uid: policy.uid,
        action,
        instances: policy.instances,
        all: policy.all,
    })
}
