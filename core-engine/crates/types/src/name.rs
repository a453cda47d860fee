//! Short texts kept inline: symbols, assets and ids that are copied on every message.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Up to `N` bytes of printable ASCII, stored inline, `Copy`. Empty is allowed and means "none".
#[derive(Clone, Copy)]
pub struct Name<const N: usize> {
    len: u8,
    bytes: [u8; N],
}

/// Trading pair, e.g. `BTCUSDC`.
pub type Symbol = Name<24>;
/// Currency, e.g. `USDC`.
pub type Asset = Name<16>;
/// Client order id, ours or another user's (ours: at most 32 of `[A-Za-z0-9_-]`).
pub type ClientOrderId = Name<40>;
/// Venue order id, e.g. `C02__505979017439002624115`.
pub type OrderId = Name<48>;
/// Venue trade id, e.g. `505979017439002624X1`.
pub type TradeId = Name<64>;

/// A text that does not fit its name type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Longer than the type holds; the limit in bytes.
    TooLong(usize),
    /// Not printable ASCII.
    NotAscii,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(limit) => write!(f, "is longer than {limit} characters"),
            Self::NotAscii => f.write_str("contains characters outside printable ASCII"),
        }
    }
}

impl std::error::Error for NameError {}

impl<const N: usize> Name<N> {
    pub const EMPTY: Self = Self { len: 0, bytes: [0; N] };

    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.len() > N {
            return Err(NameError::TooLong(N));
        }
        if !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(NameError::NotAscii);
        }
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        #[allow(clippy::cast_possible_truncation)] // N is far below 256
        Ok(Self { len: text.len() as u8, bytes })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in (see `new`), so the fallback is never taken.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<const N: usize> Default for Name<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> PartialEq for Name<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> Eq for Name<N> {}

impl<const N: usize> PartialOrd for Name<N> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> Ord for Name<N> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl<const N: usize> Hash for Name<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const N: usize> FromStr for Name<N> {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl<const N: usize> fmt::Display for Name<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Name<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<const N: usize> serde::Serialize for Name<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de, const N: usize> serde::Deserialize<'de> for Name<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize>;
        impl<const N: usize> serde::de::Visitor<'_> for Visitor<N> {
            type Value = Name<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "printable ASCII of at most {N} characters")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Name<N>, E> {
                Name::new(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_ignores_what_lies_behind_the_text() {
        let a: Symbol = "BTCUSDC".parse().unwrap();
        assert_eq!(a, "BTCUSDC".parse().unwrap());
        assert_eq!(a.as_str(), "BTCUSDC");
        assert!(Symbol::EMPTY < a);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(Symbol::new("A".repeat(25).as_str()), Err(NameError::TooLong(24)));
        assert_eq!(Asset::new("ÜSDC"), Err(NameError::NotAscii));
        assert_eq!(Asset::new("A\nB"), Err(NameError::NotAscii));
    }
}
