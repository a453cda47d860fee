//! What an account may switch for itself: groups against self-trades, and fees in MX. The reference names paths
//! and parameters; the fields inside `data` are our reading.

use serde_json::{Value, json};

use super::ApiError;
use super::admit::ms;
use super::routes::Call;
use crate::exchange::Exchange;

/// Numbers of accounts begin here.
const FIRST_UID: usize = 10_000_001;

pub(super) fn uid(account: usize) -> String {
    (FIRST_UID + account).to_string()
}

fn success(exchange: &Exchange, code: i64, data: &Value) -> Value {
    json!({ "data": data, "code": code, "msg": "success", "timestamp": ms(exchange.now) })
}

pub(super) fn create_group(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let name = call.params.need("tradeGroupName")?;
    let id = exchange.create_stp_group(call.account()?, name)?;
    Ok(success(exchange, 200, &json!({ "tradeGroupName": name, "tradeGroupId": id })))
}

pub(super) fn list_groups(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let account = call.account()?;
    let wanted = call.params.get("tradeGroupName");
    let groups = exchange.stp_groups.iter().filter(|group| group.owner == account);
    let groups: Value = groups
        .filter(|group| wanted.is_none_or(|name| group.name == name))
        .map(|group| {
            let uids: Vec<String> = group.members.iter().map(|account| uid(*account)).collect();
            json!({ "tradeGroupName": group.name, "tradeGroupId": group.id, "uid": uids })
        })
        .collect();
    Ok(success(exchange, 200, &groups))
}

fn group_of(call: &Call) -> Result<i64, ApiError> {
    call.params.number("tradeGroupId")?.ok_or_else(|| ApiError::missing("tradeGroupId"))
}

pub(super) fn delete_group(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    exchange.delete_stp_group(call.account()?, group_of(call)?)?;
    Ok(success(exchange, 200, &json!(true)))
}

fn change_group(exchange: &mut Exchange, call: &Call, joins: bool) -> Result<Value, ApiError> {
    let there = exchange.accounts.len();
    let account = |text: &str| {
        let index = text.trim().parse::<usize>().ok().and_then(|uid| uid.checked_sub(FIRST_UID));
        index.filter(|index| *index < there).ok_or_else(|| ApiError::wrong("uid: no such account"))
    };
    let uids = call.params.need("uid")?;
    let accounts = uids.split(',').map(account).collect::<Result<Vec<_>, _>>()?;
    exchange.change_stp_group(call.account()?, group_of(call)?, &accounts, joins)?;
    let rows: Value = uids.split(',').map(|uid| json!({ "uid": uid.trim(), "code": 200 })).collect();
    Ok(success(exchange, 200, &rows))
}

pub(super) fn join_group(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    change_group(exchange, call, true)
}

pub(super) fn leave_group(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    change_group(exchange, call, false)
}

pub(super) fn mx_deduct(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let on = exchange.accounts[call.account()?].mx_deduct;
    Ok(success(exchange, 0, &json!({ "mxDeductEnable": on })))
}

pub(super) fn set_mx_deduct(exchange: &mut Exchange, call: &Call) -> Result<Value, ApiError> {
    let on = match call.params.need("mxDeductEnable")? {
        "true" => true,
        "false" => false,
        _ => return Err(ApiError::wrong("mxDeductEnable: true or false")),
    };
    exchange.accounts[call.account()?].mx_deduct = on;
    mx_deduct(exchange, call)
}
