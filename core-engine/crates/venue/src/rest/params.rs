//! Parameters of a request: query string and body together.

use percent_encoding::percent_decode_str;

use super::ApiError;

/// Name and decoded value, query string first: on a duplicate name the query string wins.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    #[must_use]
    pub fn parse(query: &str, body: &str) -> Self {
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        };
        let parts = query.split('&').chain(body.split('&')).filter(|part| !part.is_empty());
        Self(parts.map(pair).collect())
    }

    /// The value, unless it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    pub fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::missing(name))
    }

    /// A whole number; 700008 when it is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let read = |text: &str| text.parse().map_err(|_| ApiError::illegal(name, "^[0-9]{1,19}$"));
        self.get(name).map(read).transpose()
    }

    /// `limit`, with its default and its maximum, above which it is cut.
    pub fn limit(&self, default: usize, most: usize) -> Result<usize, ApiError> {
        let limit = self.number("limit")?;
        Ok(limit.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(default).min(most))
    }
}

/// `text` without its `signature` parameter, as it was signed; and the signature.
#[must_use]
pub(super) fn without_signature(text: &str) -> (String, Option<&str>) {
    let mut signature = None;
    let kept: Vec<&str> = text
        .split('&')
        .filter(|part| match part.strip_prefix("signature=") {
            Some(value) => {
                signature = Some(value);
                false
            }
            None => true,
        })
        .collect();
    (kept.join("&"), signature)
}

/// `text` with the hex digits of its escapes in upper case: what the venue signs, however they were sent.
#[must_use]
pub(super) fn upper_case_escapes(mut text: String) -> String {
    let escapes: Vec<usize> = text.match_indices('%').map(|(at, _)| at + 1).collect();
    for at in escapes {
        if let Some(digits) = text.get_mut(at..at + 2) {
            digits.make_ascii_uppercase();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_string_wins_over_the_body() {
        let params = Params::parse("symbol=A&x=%5B1%5D", "symbol=B&side=BUY&empty=");
        assert_eq!(params.get("symbol"), Some("A"));
        assert_eq!((params.get("x"), params.get("side")), (Some("[1]"), Some("BUY")));
        assert_eq!(params.get("empty"), None);
    }

    #[test]
    fn the_signature_is_taken_out_wherever_it_stands() {
        assert_eq!(without_signature("a=1&signature=ff&b=2"), ("a=1&b=2".into(), Some("ff")));
        assert_eq!(without_signature("a=1"), ("a=1".into(), None));
    }

    #[test]
    fn only_the_digits_of_escapes_become_upper_case() {
        assert_eq!(upper_case_escapes("a=%5bb%c3%a9c&%e".into()), "a=%5Bb%C3%A9c&%e");
    }
}
