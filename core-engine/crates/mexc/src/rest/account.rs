//! Balances, fee rates, listen keys.

use flashpod_types::{Amount, Asset, Symbol};
use serde_json::value::RawValue;

use super::market::Skipped;
use super::object::{Object, RestError, json};
use super::text;

/// `GET /account`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReport {
    pub can_trade: bool,
    pub balances: Vec<Balance>,
    /// Assets that cannot be represented here, each with the reason.
    pub skipped: Vec<Skipped>,
}

impl AccountReport {
    /// Balance of `asset`; an asset that is not listed has none.
    #[must_use]
    pub fn balance(&self, asset: Asset) -> Balance {
        self.balances.iter().copied().find(|balance| balance.asset == asset).unwrap_or(Balance {
            asset,
            free: Amount::ZERO,
            locked: Amount::ZERO,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    pub asset: Asset,
    pub free: Amount,
    /// Held by open orders.
    pub locked: Amount,
}

pub fn account(body: &[u8]) -> Result<AccountReport, RestError> {
    let reply = Object::parse("account", body)?;
    reply.required("balances")?;
    let (mut balances, mut skipped) = (Vec::new(), Vec::new());
    for row in reply.objects("account balance", "balances")? {
        let balance = || -> Result<Balance, RestError> {
            Ok(Balance {
                asset: row.asset("asset")?,
                free: row.amount("free")?,
                locked: row.optional_amount("locked")?.unwrap_or(Amount::ZERO),
            })
        };
        match balance() {
            Ok(balance) => balances.push(balance),
            Err(error) => skipped
                .push(Skipped { name: row.text("asset").unwrap_or_default(), reason: error.to_string() }),
        }
    }
    Ok(AccountReport { can_trade: reply.flag("canTrade").unwrap_or(true), balances, skipped })
}

/// `GET /tradeFee`: fractions of the traded value, 0.0005 = 5 bp. Sent as JSON numbers, read exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRates {
    pub maker: Amount,
    pub taker: Amount,
}

pub fn trade_fee(body: &[u8]) -> Result<FeeRates, RestError> {
    let data = Object::parse("tradeFee", body)?.object("tradeFee data", "data")?;
    Ok(FeeRates { maker: data.amount("makerCommission")?, taker: data.amount("takerCommission")? })
}

/// `GET /selfSymbols` and `GET /defaultSymbols`. Names that cannot be represented are left out: they cannot be
/// traded here either.
pub fn tradable_symbols(body: &[u8]) -> Result<Vec<Symbol>, RestError> {
    let reply = Object::parse("symbols", body)?;
    let names: Vec<&RawValue> = json("symbols", reply.required("data")?.get().as_bytes())?;
    Ok(names.iter().filter_map(|raw| Symbol::new(&text::string(raw)?).ok()).collect())
}

/// `GET /uid`: the account's number at the venue.
pub fn uid(body: &[u8]) -> Result<String, RestError> {
    Object::parse("uid", body)?.required_text("uid")
}

/// Reply to POST, PUT and DELETE of `/userDataStream`: the key concerned.
pub fn listen_key(body: &[u8]) -> Result<String, RestError> {
    Object::parse("listen key", body)?.required_text("listenKey")
}

/// Reply to GET of `/userDataStream`: all valid keys.
pub fn listen_keys(body: &[u8]) -> Result<Vec<String>, RestError> {
    let reply = Object::parse("listen keys", body)?;
    match reply.raw("listenKey") {
        None => Ok(Vec::new()),
        Some(raw) if raw.get().starts_with('[') => json("listen keys", raw.get().as_bytes()),
        Some(_) => Ok(vec![reply.required_text("listenKey")?]),
    }
}
