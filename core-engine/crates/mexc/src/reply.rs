//! What a REST reply means, before its shape is looked at.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::rest::text;

/// A refusal by the venue: `{"code":N,"msg":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("MEXC {code}: {msg}")]
pub struct ApiError {
    pub code: i64,
    /// As sent, cut to 200 characters.
    pub msg: String,
}

/// Codes the core acts upon (API reference §4). Of each, the first line says what it means and the second what to do:
/// `npm run generate` puts both into docs/errors.md.
pub mod code {
    /// Too many requests; the core waits as long as the venue says.
    /// Remedy: none is needed; if it stays, use fewer strategies or symbols for this account or address.
    pub const TOO_MANY_REQUESTS: i64 = 429;
    /// The venue has no such symbol.
    /// Remedy: correct `spec.symbols`.
    pub const BAD_SYMBOL: i64 = 10007;
    /// The account has not enough of the asset.
    /// Remedy: compare `capital` with the account's balances.
    pub const INSUFFICIENT_POSITION: i64 = 30004;
    /// More is sold than the account has.
    /// Remedy: compare `capital` with the account's balances.
    pub const OVERSOLD: i64 = 30005;
    /// The account has 500 open orders, the venue's cap.
    /// Remedy: cancel some, by whomever they were placed.
    pub const MAX_ORDERS: i64 = 30029;
    /// The price is outside the venue's band round the last price.
    /// Remedy: price nearer to the market.
    pub const PRICE_OUT_OF_RANGE: i64 = 30087;
    /// The signature does not fit the key.
    /// Remedy: correct `secretKey` in the account's Secret.
    pub const BAD_SIGNATURE: i64 = 700_002;
    /// The request came later than its window, or the clocks differ.
    /// Remedy: check the node's clock and its way to the venue.
    pub const OUTSIDE_RECV_WINDOW: i64 = 700_003;
    /// Cancel of an order that is unknown or finished.
    /// Remedy: none is needed; the core asks what became of it.
    pub const UNKNOWN_ORDER: i64 = -2011;
    /// Query of an order that does not exist.
    /// Remedy: none is needed; asked twice after its window, the order counts as never placed.
    pub const NO_SUCH_ORDER: i64 = -2013;
}

impl ApiError {
    /// Whether the venue says that it does not have this order (cancel: or that it is finished).
    #[must_use]
    pub const fn is_no_such_order(&self) -> bool {
        matches!(self.code, code::UNKNOWN_ORDER | code::NO_SUCH_ORDER)
    }
}

/// What a reply means for the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Carried out; the body is for [`crate::rest`]. If it then has not the expected shape, treat the request
    /// as [`Outcome::Unknown`].
    Success(&'a [u8]),
    /// Refused; nothing was done.
    Refused(ApiError),
    /// Not looked at: too many requests (429), or the address is banned (418).
    RateLimited { banned: bool, retry_after_s: Option<u32> },
    /// May or may not have been carried out: to be found out by queries.
    Unknown { status: u16, text: String },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    msg: Option<&'a RawValue>,
}

/// Classifies a complete reply. The body's `code` counts more than the HTTP status, as production sends
/// refusals with several; 5xx (and the codes 500, 503, 504) leave the outcome open, and so does a 2xx body that
/// is no JSON.
#[must_use]
pub fn classify(status: u16, retry_after_s: Option<u32>, body: &[u8]) -> Outcome<'_> {
    if status == 429 || status == 418 {
        return Outcome::RateLimited { banned: status == 418, retry_after_s };
    }
    let unknown = || Outcome::Unknown { status, text: excerpt(body) };
    // 408 is sent by whatever stands between, perhaps after the request was passed on.
    if !(200..300).contains(&status) && !(400..500).contains(&status) || status == 408 {
        return unknown();
    }
    let success = status < 300;
    let first = body.iter().copied().find(|b| !b.is_ascii_whitespace());
    if success && first == Some(b'[') {
        return if serde_json::from_slice::<&RawValue>(body).is_ok() {
            Outcome::Success(body)
        } else {
            unknown()
        };
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(body) else {
        // A page of a proxy or firewall: in front of the venue, so a 4xx never reached it.
        return if success {
            unknown()
        } else {
            Outcome::Refused(ApiError { code: i64::from(status), msg: excerpt(body) })
        };
    };
    let msg =
        || envelope.msg.and_then(text::string).map_or_else(String::new, |m| m.chars().take(200).collect());
    match (envelope.code.and_then(text::integer), success) {
        (None | Some(0 | 200), true) => Outcome::Success(body),
        (Some(code::TOO_MANY_REQUESTS), _) => Outcome::RateLimited { banned: false, retry_after_s },
        (Some(500 | 503 | 504), _) => unknown(),
        (Some(code), _) => Outcome::Refused(ApiError { code, msg: msg() }),
        (None, false) => Outcome::Refused(ApiError { code: i64::from(status), msg: msg() }),
    }
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(400)]).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_without_a_code_or_with_0_or_200_is_a_success() {
        for body in ["{}", "[]", r#"{"serverTime":1}"#, r#"{"code":0,"data":{}}"#, r#" {"code":200}"#] {
            assert_eq!(classify(200, None, body.as_bytes()), Outcome::Success(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn a_refusal_is_told_by_its_code_whatever_the_status() {
        for status in [200, 400, 401, 403] {
            let body = br#"{"code":700003,"msg":"Timestamp ...","_extend":null}"#;
            let Outcome::Refused(error) = classify(status, None, body) else { panic!("{status}") };
            assert_eq!((error.code, error.msg.as_str()), (code::OUTSIDE_RECV_WINDOW, "Timestamp ..."));
        }
        let Outcome::Refused(error) = classify(400, None, br#"{"code":"-2013","msg":null}"#) else {
            panic!()
        };
        assert!(error.is_no_such_order());
    }

    #[test]
    fn a_firewall_page_is_a_refusal() {
        let Outcome::Refused(error) = classify(403, None, b"<html>no</html>") else { panic!() };
        assert_eq!((error.code, error.msg.as_str()), (403, "<html>no</html>"));
    }

    #[test]
    fn rate_limits_carry_the_time_to_wait() {
        assert_eq!(
            classify(429, Some(1), b""),
            Outcome::RateLimited { banned: false, retry_after_s: Some(1) }
        );
        assert_eq!(
            classify(418, Some(120), b"x"),
            Outcome::RateLimited { banned: true, retry_after_s: Some(120) }
        );
        assert_eq!(
            classify(400, None, br#"{"code":429,"msg":"Too Many Requests"}"#),
            Outcome::RateLimited { banned: false, retry_after_s: None }
        );
    }

    #[test]
    fn server_errors_and_torn_replies_leave_the_outcome_open() {
        for (status, body) in [
            (500, "{}"),
            (503, r#"{"code":503,"msg":"service not available"}"#),
            (504, ""),
            (408, ""),
            (400, r#"{"code":500,"msg":"Internal error"}"#),
            (200, r#"{"orderId":"C02_"#),
            (200, r#"[{"orderId":"C02_"#),
            (200, ""),
            (302, ""),
        ] {
            assert!(
                matches!(classify(status, None, body.as_bytes()), Outcome::Unknown { .. }),
                "{status} {body}"
            );
        }
    }
}
