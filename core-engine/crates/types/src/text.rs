//! Texts that are made on the way of an order: written into memory of their own, without allocation.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// A text that lies inline up to `N` bytes, and on the heap beyond.
#[derive(Clone)]
pub struct Text<const N: usize> {
    len: usize,
    inline: [u8; N],
    /// All of it, once it did not fit.
    long: Option<String>,
}

impl<const N: usize> Text<N> {
    #[must_use]
    pub const fn new() -> Self {
        Self { len: 0, inline: [0; N], long: None }
    }

    #[inline]
    pub fn push_str(&mut self, text: &str) {
        let end = self.len + text.len();
        match (&mut self.long, self.inline.get_mut(self.len..end)) {
            (None, Some(place)) => {
                place.copy_from_slice(text.as_bytes());
                self.len = end;
            }
            _ => self.push_long(text),
        }
    }

    #[cold]
    fn push_long(&mut self, text: &str) {
        if self.long.is_none() {
            self.long = Some(self.as_str().to_owned());
        }
        if let Some(long) = &mut self.long {
            long.push_str(text);
        }
    }

    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.long {
            // Only whole texts get in, so the fallback is never taken.
            None => std::str::from_utf8(&self.inline[..self.len]).unwrap_or_default(),
            Some(long) => long,
        }
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0 && self.long.is_none()
    }

    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.long {
            None => &self.inline[..self.len],
            Some(long) => long.as_bytes(),
        }
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl<const N: usize> From<&str> for Text<N> {
    fn from(text: &str) -> Self {
        let mut new = Self::new();
        new.push_str(text);
        new
    }
}

impl<const N: usize> From<String> for Text<N> {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl<'a, const N: usize> Extend<&'a str> for Text<N> {
    fn extend<I: IntoIterator<Item = &'a str>>(&mut self, parts: I) {
        parts.into_iter().for_each(|part| self.push_str(part));
    }
}

impl<const N: usize> PartialEq for Text<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> Eq for Text<N> {}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> Hash for Text<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<const N: usize> serde::Serialize for Text<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de, const N: usize> serde::Deserialize<'de> for Text<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize>;
        impl<const N: usize> serde::de::Visitor<'_> for Visitor<N> {
            type Value = Text<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<N>, E> {
                Ok(Text::from(text))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn a_text_is_the_same_whether_it_fits_or_not() {
        for parts in [["", ""], ["ab", "c"], ["abc", "d"], ["abcdef", "ghi"]] {
            let mut text = Text::<4>::new();
            for part in parts {
                write!(text, "{part}").unwrap();
            }
            assert_eq!(text.as_str(), parts.concat());
            assert_eq!(text, Text::from(parts.concat()));
            assert_eq!(text.long.is_some(), parts.concat().len() > 4);
        }
    }
}
