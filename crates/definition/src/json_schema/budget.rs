//! The bound on the work of holding values against schemas.

/// Units of work: less than a second at most.
///
/// One unit is one element looked at, 16 bytes of text compared, four places of a pattern tried at one byte, or one byte of
/// what is told. A schema that a value is held against is worth [`VISIT`].
const MOST: u64 = 50_000_000;

/// Units for each schema that a value is held against: its keywords are gone through, here and in the library.
pub(super) const VISIT: usize = 16;

/// What is left to spend on one answer: all values in it, each as often as it is held against a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaBudget {
    left: u64,
}

/// The budget is spent. What was not held against the schema by then may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an answer that is held against its schema in {MOST} units of work, found one that takes more")]
pub struct SchemaTooCostly;

impl Default for SchemaBudget {
    fn default() -> Self {
        Self { left: MOST }
    }
}

impl SchemaBudget {
    /// Spends units of work; as soon as they are more than what is left, nothing is left.
    pub fn spend(&mut self, units: u64) -> Result<(), SchemaTooCostly> {
        let left = self.left.checked_sub(units);
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(SchemaTooCostly)
    }

    /// Spends a unit for each element or byte.
    pub fn spend_each(&mut self, count: usize) -> Result<(), SchemaTooCostly> {
        self.spend(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// How many units are spent.
    pub fn spent(&self) -> u64 {
        MOST - self.left
    }
}
