//! Order status: words over REST, numbers in pushes.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    New,
    PartiallyFilled,
    Filled,
    Cancelled,
    /// Filled in part, then cancelled: terminal.
    PartiallyCancelled,
}

impl OrderStatus {
    const ALL: [(Self, &'static str, i32); 5] = [
        (Self::New, "NEW", 1),
        (Self::Filled, "FILLED", 2),
        (Self::PartiallyFilled, "PARTIALLY_FILLED", 3),
        (Self::Cancelled, "CANCELED", 4),
        (Self::PartiallyCancelled, "PARTIALLY_CANCELED", 5),
    ];

    /// From the word used over REST.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, w, _)| *w == word).map(|(status, ..)| status)
    }

    /// From the number used in pushes.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|(.., n)| *n == number).map(|(status, ..)| status)
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Cancelled => "CANCELED",
            Self::PartiallyCancelled => "PARTIALLY_CANCELED",
        }
    }

    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::New => 1,
            Self::Filled => 2,
            Self::PartiallyFilled => 3,
            Self::Cancelled => 4,
            Self::PartiallyCancelled => 5,
        }
    }

    /// Whether the order can change no more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled | Self::PartiallyCancelled)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_name_the_same_states() {
        for (status, word, number) in OrderStatus::ALL {
            assert_eq!((status.word(), status.number()), (word, number));
            assert_eq!(OrderStatus::from_word(word), Some(status));
            assert_eq!(OrderStatus::from_number(number), Some(status));
        }
        assert_eq!(OrderStatus::from_word("EXPIRED"), None);
        assert_eq!(OrderStatus::from_number(0), None);
    }

    #[test]
    fn a_cancel_after_a_partial_fill_is_final() {
        assert!(OrderStatus::PartiallyCancelled.is_terminal());
        assert!(!OrderStatus::PartiallyFilled.is_terminal());
    }
}
