//! The best levels of one side of a book, as they are published.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use flashpod_types::{Price, Qty};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Levels a side that are published at most.
pub const LEVELS: usize = 10;

/// Up to [`LEVELS`] levels, best first, in memory of their own: a book is published without allocation.
#[derive(Clone, Copy)]
pub struct Levels {
    len: usize,
    levels: [(Price, Qty); LEVELS],
}

impl Levels {
    pub const EMPTY: Self = Self { len: 0, levels: [(Price::ZERO, Qty::ZERO); LEVELS] };
}

impl Deref for Levels {
    type Target = [(Price, Qty)];
    fn deref(&self) -> &[(Price, Qty)] {
        &self.levels[..self.len]
    }
}

/// Those that do not fit are left out.
impl FromIterator<(Price, Qty)> for Levels {
    fn from_iter<I: IntoIterator<Item = (Price, Qty)>>(levels: I) -> Self {
        let mut new = Self::EMPTY;
        for (place, level) in new.levels.iter_mut().zip(levels) {
            *place = level;
            new.len += 1;
        }
        new
    }
}

impl<const N: usize> From<[(Price, Qty); N]> for Levels {
    fn from(levels: [(Price, Qty); N]) -> Self {
        levels.into_iter().collect()
    }
}

impl PartialEq for Levels {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Levels {}

impl Hash for Levels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Serialize for Levels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|levels: Vec<_>| levels.into_iter().collect())
    }
}
