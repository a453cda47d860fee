//! From a request to its reply: path, content type, limits, key, window, signature; then the handler.

use flashpod_types::Nanos;
use serde_json::Value;

use super::params::{upper_case_escapes, without_signature};
use super::routes::{Call, ROUTES, Route};
use super::{ApiError, Charge, Params};
use crate::exchange::{Exchange, Fate, HttpReply, HttpRequest, RequestId};
use crate::faults::{Faults, RequestFate};
use crate::market::millis;

/// A request that may have its effect.
#[derive(Debug, Clone)]
pub struct Admitted {
    route: &'static Route,
    call: Call,
    fate: RequestFate,
}

/// Takes one request; its reply is pushed as an output, now or after the venue's latency.
pub fn handle(exchange: &mut Exchange, id: RequestId, request: &HttpRequest) {
    match request.path.as_str() {
        "/audit" => return exchange.answer_audit(id),
        "/audit/versions" => {
            let reply = versions(exchange, request);
            return exchange.reply(id, reply, &RequestFate::default());
        }
        "/faults" if request.method == "PUT" && exchange.settings.fault_control => {
            let reply = replace_faults(exchange, request);
            return exchange.reply(id, reply, &RequestFate::default());
        }
        _ => {}
    }
    let fate = exchange.faults.on_request(exchange.now, &request.method, &request.path);
    if fate.arrives_after.0 > 0 {
        exchange.hold_request(id, request, fate);
    } else {
        arrive(exchange, id, request, fate);
    }
}

/// A request is there.
pub fn arrive(exchange: &mut Exchange, id: RequestId, request: &HttpRequest, fate: RequestFate) {
    match admit(exchange, request) {
        Err(error) => exchange.reply(id, Err(error), &fate),
        Ok((route, call)) => {
            let admitted = Admitted { route, call, fate };
            if route.travels {
                exchange.travel(id, admitted);
            } else {
                execute(exchange, id, &admitted);
            }
        }
    }
}

/// Lets an admitted request have its effect.
pub fn execute(exchange: &mut Exchange, id: RequestId, admitted: &Admitted) {
    let apply = admitted.fate.apply;
    let result = if apply { (admitted.route.handler)(exchange, &admitted.call) } else { Ok(Value::Null) };
    exchange.reply(id, result, &admitted.fate);
}

fn replace_faults(exchange: &mut Exchange, request: &HttpRequest) -> Result<Value, ApiError> {
    let faults = Faults::parse(&request.body).map_err(|error| ApiError::new(400, 400, error.to_string()))?;
    let now = exchange.now;
    exchange.faults.replace(faults, now);
    Ok(Value::Object(serde_json::Map::new()))
}

fn versions(exchange: &Exchange, request: &HttpRequest) -> Result<Value, ApiError> {
    let params = Params::parse(&request.query, "");
    exchange.audit_versions(params.need("symbol")?).ok_or_else(ApiError::bad_symbol)
}

fn admit(exchange: &mut Exchange, request: &HttpRequest) -> Result<(&'static Route, Call), ApiError> {
    let found = ROUTES.iter().find(|route| route.method == request.method && route.path == request.path);
    let Some(route) = found else {
        let key = format!("{} {}", request.method, request.path);
        // Bounded: whoever tries a million paths is counted under one name.
        let paths = &mut exchange.counters.unknown_paths;
        let key = if paths.len() < 200 || paths.contains_key(&key) { key } else { "others".to_owned() };
        *paths.entry(key).or_default() += 1;
        return Err(ApiError::new(404, 404, "Not Found"));
    };
    let json = request.content_type.as_deref().is_some_and(|kind| {
        kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    });
    if request.method != "GET" && !json {
        return Err(ApiError::new(400, 700_013, "Invalid content Type."));
    }
    let params = Params::parse(&request.query, &request.body);
    let all = matches!(route.path, "/api/v3/ticker/24hr" | "/api/v3/ticker/price")
        && params.get("symbol").is_none();
    let weight = match (all, route.path) {
        (true, "/api/v3/ticker/24hr") => 40,
        (true, _) => 2,
        (false, _) => route.weight,
    };
    let charge = Charge {
        path: route.path,
        bucket: route.bucket,
        ip_weight: weight,
        account_weight: if route.signed { weight } else { 0 },
    };
    // A key that nobody has uses up nobody's rate, and is not remembered.
    let known = |key: &&str| route.signed && exchange.by_key.contains_key(*key);
    let key = request.api_key.as_deref().filter(known);
    exchange.limits.admit(&exchange.settings, exchange.now, request.ip, key, charge)?;
    let account = if route.signed { Some(authenticate(exchange, request, &params)?) } else { None };
    Ok((route, Call::new(params, account, exchange.now)))
}

const MOST_WINDOW: i64 = 60_000;

fn authenticate(exchange: &Exchange, request: &HttpRequest, params: &Params) -> Result<usize, ApiError> {
    let unauthorized = u16::try_from(exchange.settings.unauthorized_status).unwrap_or(401);
    let Some(key) = request.api_key.as_deref().filter(|key| !key.is_empty()) else {
        return Err(ApiError::new(unauthorized, 400, "api key required"));
    };
    let Some(account) = exchange.by_key.get(key).copied() else {
        return Err(ApiError::new(unauthorized, 10_072, "invalid access key"));
    };
    let window = params.number("recvWindow")?.unwrap_or(5_000);
    if window > MOST_WINDOW {
        return Err(ApiError::new(400, 700_005, "recvWindow must less than 60000"));
    }
    let timestamp = params.number("timestamp")?.ok_or_else(|| ApiError::missing("timestamp"))?;
    let now = millis(exchange.now);
    if timestamp >= now + 1_000 || now.saturating_sub(timestamp) > window {
        let msg = "Timestamp for this request is outside of the recvWindow";
        return Err(ApiError::new(400, 700_003, msg));
    }
    let (query, in_query) = without_signature(&request.query);
    let (body, in_body) = without_signature(&request.body);
    let signature = in_query.or(in_body).unwrap_or_default();
    let (query, body) = (upper_case_escapes(query), upper_case_escapes(body));
    if !exchange.accounts[account].signer.verify(&query, &body, signature) {
        return Err(ApiError::new(400, 700_002, "Signature for this request is not valid"));
    }
    Ok(account)
}

impl Exchange {
    fn reply(&mut self, id: RequestId, result: Result<Value, ApiError>, fate: &RequestFate) {
        let result = match fate.status {
            Some((status, retry_after)) => {
                let msg = match status {
                    418 | 429 => "Too Many Requests",
                    _ => "Unknown error, please check your request or try again later.",
                };
                let usual = matches!(status, 418 | 429).then_some(self.settings.retry_after_s);
                let code = if status == 418 { 429 } else { i64::from(status) };
                let retry_after = retry_after.or(usual);
                Err(ApiError { retry_after, ..ApiError::new(status, code, msg) })
            }
            None => result,
        };
        let mut reply = match result {
            Ok(value) => HttpReply::ok(value.to_string()),
            Err(error) => HttpReply {
                status: error.status,
                body: error.body(),
                retry_after: error.retry_after,
                fate: Fate::Sent,
            },
        };
        reply.body = Faults::spoil(fate, reply.body);
        reply.fate = match (fate.reset, fate.lost) {
            (true, _) => Fate::Reset,
            (false, true) => Fate::Lost,
            (false, false) => Fate::Sent,
        };
        self.answer(id, reply, fate.replies_after);
    }
}

/// Milliseconds of a point in time, as replies state it.
pub(super) fn ms(at: Nanos) -> i64 {
    millis(at)
}
