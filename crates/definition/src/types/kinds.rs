//! Kinds of values: which of them a value can be.

use std::fmt::{self, Display};
use std::ops::{BitAnd, BitOr};

/// A set of kinds. Absent data is null, and counts as a kind of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u16);

/// Every kind by the word that messages of a running expression have for it.
const WORDS: [(Kinds, &str); 11] = [
    (Kinds::NULL, "null"),
    (Kinds::BOOLEAN, "boolean"),
    (Kinds::NUMBER, "number"),
    (Kinds::TEXT, "text"),
    (Kinds::BYTES, "bytes"),
    (Kinds::TIME, "timestamp"),
    (Kinds::DURATION, "duration"),
    (Kinds::BUSINESS_DAYS, "business days"),
    (Kinds::LIST, "list"),
    (Kinds::OBJECT, "object"),
    (Kinds::TYPE, "type"),
];

impl Kinds {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(1 << 1);
    pub(crate) const NUMBER: Self = Self(1 << 2);
    pub(crate) const TEXT: Self = Self(1 << 3);
    pub(crate) const BYTES: Self = Self(1 << 4);
    pub(crate) const TIME: Self = Self(1 << 5);
    pub(crate) const DURATION: Self = Self(1 << 6);
    pub(crate) const BUSINESS_DAYS: Self = Self(1 << 7);
    pub(crate) const LIST: Self = Self(1 << 8);
    pub(crate) const OBJECT: Self = Self(1 << 9);
    pub(crate) const TYPE: Self = Self(1 << 10);
    /// Nothing is known.
    pub(crate) const ANY: Self = Self((1 << 11) - 1);

    /// Both sets.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a kind of one set is in the other.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is no kind.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds without null: what a value is if there is one. Of null alone: null.
    pub(crate) fn present(self) -> Self {
        if self == Self::NULL { self } else { Self(self.0 & !Self::NULL.0) }
    }

    /// Each kind.
    pub(crate) fn each(self) -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(kind, _)| *kind).filter(move |kind| self.meets(*kind))
    }
}

impl BitOr for Kinds {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl BitAnd for Kinds {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Display for Kinds {
    /// `text`, `number or text`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = WORDS.iter().filter(|(kind, _)| self.meets(*kind)).map(|(_, word)| *word);
        f.write_str(&crate::validate::words::any_of(words))
    }
}
