//! The tests of one value.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value;

use super::wildcard::Wildcard;
use crate::value;

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// This one.
    Is(Value),
    /// A text of this kind.
    Text(TextTest),
    /// A value that is none of these.
    AnythingBut(Vec<Value>),
    /// A value that is no text of any of these kinds.
    NoText(Vec<TextTest>),
    /// A number within all of these bounds.
    Numeric(Vec<(Bound, Value)>),
    /// An address of this network.
    Cidr(Network),
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
}

/// What a text must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TextTest {
    Prefix(String),
    Suffix(String),
    /// In small letters.
    PrefixIgnoreCase(String),
    /// In small letters.
    SuffixIgnoreCase(String),
    /// In small letters.
    EqualsIgnoreCase(String),
    Wildcard(Wildcard),
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// The addresses that begin with some bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) address: IpAddr,
    pub(super) bits: u8,
}

impl Test {
    /// Whether a value passes that is there, and neither object nor list.
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        match self {
            Self::Is(expected) => value::equal(expected, leaf),
            Self::Text(test) => leaf.as_str().is_some_and(|text| test.matches(text)),
            Self::AnythingBut(values) => !values.iter().any(|excluded| value::equal(excluded, leaf)),
            Self::NoText(tests) => !leaf.as_str().is_some_and(|text| tests.iter().any(|test| test.matches(text))),
            Self::Numeric(bounds) => leaf.is_number() && bounds.iter().all(|(bound, than)| bound.holds(leaf, than)),
            Self::Cidr(network) => leaf.as_str().and_then(|text| text.parse().ok()).is_some_and(|ip| network.has(ip)),
            Self::Exists => true,
            Self::Absent => false,
        }
    }

    /// Whether it asks for what is not there.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The text that it asks for.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Is(value) => value.as_str(),
            _ => None,
        }
    }
}

impl TextTest {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::PrefixIgnoreCase(prefix) => text.to_lowercase().starts_with(prefix.as_str()),
            Self::SuffixIgnoreCase(suffix) => text.to_lowercase().ends_with(suffix.as_str()),
            Self::EqualsIgnoreCase(expected) => text.to_lowercase() == *expected,
            Self::Wildcard(wildcard) => wildcard.matches(text),
        }
    }
}

impl Bound {
    fn holds(self, number: &Value, than: &Value) -> bool {
        let Some(order) = value::order(number, than) else { return false };
        match self {
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Equal => order == Ordering::Equal,
            Self::GreaterOrEqual => order != Ordering::Less,
            Self::Greater => order == Ordering::Greater,
        }
    }
}

impl Network {
    fn has(self, ip: IpAddr) -> bool {
        let same = |one: u128, other: u128, width: u32| {
            let rest = width - u32::from(self.bits);
            one.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0)
        };
        match (self.address, ip) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => same(u32::from(own).into(), u32::from(ip).into(), 32),
            (IpAddr::V6(own), IpAddr::V6(ip)) => same(own.into(), ip.into(), 128),
            _ => false,
        }
    }
}
