//! Claims of outside effects, by the address of the call.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An address in an execution: a path that begins with a step. `tell` is a step, and its first call; `tell.2` is the
/// second call of the same visit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// The address of a step, and of the first call of a visit.
    pub fn of(step: &str) -> Self {
        Self(step.to_owned())
    }

    /// The address of a part.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        Self(format!("{self}.{name}"))
    }

    /// The same below a path, which ends with a point or is empty.
    #[must_use]
    pub(crate) fn below(&self, path: &str) -> Self {
        Self(format!("{path}{self}"))
    }

    /// The step that it begins with.
    pub fn step(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// The text form that is stored and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A claim of an outside effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The holder: one invocation of the executor.
    pub owner: String,
    /// Attempt that it is for.
    pub attempt: u32,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// After this time the holder counts as dead.
    pub until: Timestamp,
}

/// The claims of an execution, at most one for each address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Leases(BTreeMap<Address, Lease>);

impl Leases {
    /// Whether no effect is in progress.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The claim on an effect.
    pub fn at(&self, address: &Address) -> Option<&Lease> {
        self.0.get(address)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &Lease)> {
        self.0.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Address, &mut Lease)> {
        self.0.iter_mut()
    }

    /// Whether another invocation holds a lease that has not ended.
    pub fn is_held_by_another(&self, invocation: &str, now: Timestamp) -> bool {
        self.0.values().any(|lease| lease.owner != invocation && lease.until > now)
    }

    /// Whether this invocation holds a lease.
    pub fn is_held_by(&self, invocation: &str) -> bool {
        self.0.values().any(|lease| lease.owner == invocation)
    }

    /// Whether another invocation holds a lease, ended or not.
    pub fn is_of_another(&self, invocation: &str) -> bool {
        self.0.values().any(|lease| lease.owner != invocation)
    }

    /// When the next holder counts as dead.
    pub fn until(&self) -> Option<Timestamp> {
        self.0.values().map(|lease| lease.until).min()
    }

    /// Claims an effect.
    pub fn claim(&mut self, address: Address, lease: Lease) {
        self.0.insert(address, lease);
    }

    /// Releases all leases.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
