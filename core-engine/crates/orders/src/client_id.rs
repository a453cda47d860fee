//! The one layout of client order ids (at most 32 of `[A-Za-z0-9_-]`) and its only parser:
//!
//! `fp` + 8 lower-case base32 characters of the instance + `-` + epoch + `-` + incarnation + `-` + sequence,
//! numbers in base 36 without leading zeros. The instance part is the first 40 bits of the SHA-256 of its name.

use std::fmt::{self, Write};
use std::str::FromStr;

use flashpod_types::{ClientOrderId, Text};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const TAG: &str = "fp";
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Longest client order id that is safe at the venue (API reference §6.2).
pub const MAX_LEN: usize = 32;

/// Who an order belongs to, as far as its id can tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceTag([u8; 8]);

impl InstanceTag {
    #[must_use]
    pub fn of(instance: &str) -> Self {
        let digest = Sha256::digest(instance.as_bytes());
        let mut bits = u64::from_be_bytes([0, 0, 0, digest[0], digest[1], digest[2], digest[3], digest[4]]);
        let mut text = [0; 8];
        for place in text.iter_mut().rev() {
            *place = BASE32[(bits & 31) as usize];
            bits >>= 5;
        }
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only base32 characters get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for InstanceTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parts of a client order id. Unique while `(epoch, incarnation)` is never used by two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId {
    pub instance: InstanceTag,
    pub epoch: u64,
    pub incarnation: u64,
    pub sequence: u64,
}

/// Why a text is not one of our client order ids, or why an id cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientIdError {
    #[error("does not start with `fp`: not an order of ours")]
    Foreign,
    #[error("is not `fp`, 8 base32 characters and three base-36 numbers parted by `-`")]
    Malformed,
    #[error("is longer than 32 characters; epoch, incarnation and sequence together have room for 19 digits")]
    TooLong,
}

/// Epoch of orders that are matched on paper: no lease grants it.
pub const PAPER_EPOCH: u64 = 0;

/// Whether an id of ours is of an order that is matched on paper and never leaves: looked at in place, since it is asked
/// of every update of every order.
#[must_use]
pub fn is_paper(id: &ClientOrderId) -> bool {
    let text = id.as_bytes();
    text.starts_with(TAG.as_bytes()) && text.get(TAG.len() + 8..TAG.len() + 11) == Some(b"-0-")
}

impl ClientId {
    pub fn encode(&self) -> Result<ClientOrderId, ClientIdError> {
        // One longer than allowed: what does not fit is too long.
        let mut text = Text::<{ MAX_LEN + 1 }>::new();
        // Writing into a text does not fail.
        let _ = write!(text, "{self}");
        if text.len() > MAX_LEN {
            return Err(ClientIdError::TooLong);
        }
        ClientOrderId::new(&text).map_err(|_| ClientIdError::TooLong)
    }

    pub fn parse(id: &ClientOrderId) -> Result<Self, ClientIdError> {
        id.as_str().parse()
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = self.instance.as_str();
        write!(f, "{TAG}{tag}-{}-{}-{}", Base36(self.epoch), Base36(self.incarnation), Base36(self.sequence))
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        let rest = text.strip_prefix(TAG).ok_or(ClientIdError::Foreign)?;
        if text.len() > MAX_LEN {
            return Err(ClientIdError::TooLong);
        }
        let mut parts = rest.split('-');
        let instance = parts
            .next()
            .and_then(|tag| <[u8; 8]>::try_from(tag.as_bytes()).ok())
            .filter(|tag| tag.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')))
            .map(InstanceTag)
            .ok_or(ClientIdError::Malformed)?;
        let mut number = || parts.next().and_then(parse_base36).ok_or(ClientIdError::Malformed);
        let id = Self { instance, epoch: number()?, incarnation: number()?, sequence: number()? };
        if parts.next().is_some() { Err(ClientIdError::Malformed) } else { Ok(id) }
    }
}

struct Base36(u64);

impl fmt::Display for Base36 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 13];
        let mut at = digits.len();
        let mut value = self.0;
        loop {
            at -= 1;
            digits[at] = BASE36[(value % 36) as usize];
            value /= 36;
            if value == 0 {
                break;
            }
        }
        f.write_str(std::str::from_utf8(&digits[at..]).unwrap_or_default())
    }
}

/// Canonical only: a second spelling of one number would make two texts of one id.
fn parse_base36(text: &str) -> Option<u64> {
    if text.is_empty() || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.bytes().try_fold(0_u64, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            _ => return None,
        };
        value.checked_mul(36)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_what_the_other_side_expects() {
        let id = ClientId { instance: InstanceTag::of("maker-1"), epoch: 7, incarnation: 36, sequence: 35 };
        // printf maker-1 | sha256sum | xxd -r -p | head -c5 | base32, lower case.
        assert_eq!(id.encode().unwrap().as_str(), "fp4ob2rsju-7-10-z");
    }

    #[test]
    fn an_order_on_paper_has_the_epoch_that_no_lease_grants() {
        let id = ClientId { instance: InstanceTag::of("maker-1"), epoch: 0, incarnation: 3, sequence: 12 };
        let text = id.encode().unwrap();
        assert_eq!(text.as_str(), "fp4ob2rsju-0-3-c");
        assert!(is_paper(&text));
        assert!(!is_paper(&ClientId { epoch: 36, incarnation: 0, ..id }.encode().unwrap()));
        assert!(!is_paper(&ClientOrderId::new("web_123456-0-1-1").unwrap()));
    }

    #[test]
    fn what_is_not_ours_is_refused_with_the_reason() {
        for (text, error) in [
            ("", ClientIdError::Foreign),
            ("web_123", ClientIdError::Foreign),
            ("fp", ClientIdError::Malformed),
            ("fpabcdefgh-1-2", ClientIdError::Malformed),
            ("fpabcdefgh-1-2-3-4", ClientIdError::Malformed),
            ("fpabcdefg1-1-2-3", ClientIdError::Malformed),
            ("fpABCDEFGH-1-2-3", ClientIdError::Malformed),
            ("fpabcdefgh-01-2-3", ClientIdError::Malformed),
            ("fpabcdefgh--2-3", ClientIdError::Malformed),
            ("fpabcdefgh-1-2-zzzzzzzzzzzzzzzzzz", ClientIdError::TooLong),
        ] {
            assert_eq!(text.parse::<ClientId>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_id_survives_the_round_trip(
            name in "[a-z0-9-]{1,60}", epoch in 0_u64..2_000_000_000, incarnation in 0_u64..2_000_000_000,
            sequence in 0_u64..70_000_000_000,
        ) {
            let id = ClientId { instance: InstanceTag::of(&name), epoch, incarnation, sequence };
            let text = id.encode().unwrap();
            prop_assert!(text.as_str().len() <= MAX_LEN);
            prop_assert!(text.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(ClientId::parse(&text).unwrap(), id);
        }

        #[test]
        fn no_text_parses_unless_it_is_the_canonical_one(text in "fp[a-z2-7]{8}-[0-9a-z]{0,4}-[0-9a-z]{0,4}-[0-9a-z]{0,4}") {
            if let Ok(id) = text.parse::<ClientId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
