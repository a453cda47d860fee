//! Reading JSON values leniently but exactly: the venue sends the same field as text, number or null, so each
//! value is taken as its raw text and converted from there. No number passes through a float.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The text of a string, or of a number as written; none for null, booleans and structures.
pub(crate) fn string(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'-' | b'0'..=b'9' => Some(text.to_owned()),
        _ => None,
    }
}

/// A whole number, as number or as text.
pub(crate) fn integer(raw: &RawValue) -> Option<i64> {
    string(raw)?.trim().parse().ok()
}

/// Decimal text without an exponent: `5e-4` is `0.0005`. Texts that are no numbers come back as they are, for the
/// decimal parser to refuse.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let Some(at) = text.find(['e', 'E']) else { return Cow::Borrowed(text) };
    let (mantissa, exponent) = (&text[..at], &text[at + 1..]);
    // Beyond ±60 nothing we keep could hold it; left as is, it is refused.
    let Some(exponent) = exponent.parse::<i32>().ok().filter(|e| (-60..=60).contains(e)) else {
        return Cow::Borrowed(text);
    };
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let no_digits = whole.is_empty() && fraction.is_empty();
    if no_digits || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    let mut all = format!("{whole}{fraction}");
    let mut point = i32::try_from(whole.len()).unwrap_or(i32::MAX).saturating_add(exponent);
    while point < 0 {
        all.insert(0, '0');
        point += 1;
    }
    let point = usize::try_from(point).unwrap_or(0);
    while all.len() < point {
        all.push('0');
    }
    let (whole, fraction) = all.split_at(point);
    let whole = if whole.is_empty() { "0" } else { whole };
    Cow::Owned(if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_written_out() {
        for (text, expected) in [
            ("0.0005", "0.0005"),
            ("5e-4", "0.0005"),
            ("5.0E-4", "0.00050"),
            ("-1.5e-7", "-0.00000015"),
            ("1.5e3", "1500"),
            ("12.345e1", "123.45"),
            ("0e0", "0"),
            ("1e999", "1e999"),
            ("e5", "e5"),
            ("-e5", "-e5"),
            (".e-2", ".e-2"),
            ("1.2.3e1", "1.2.3e1"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
