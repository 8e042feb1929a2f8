//! The bound on the work of one evaluation.

use super::ExpressionError;

/// Units of work that one evaluation may take: some tens of milliseconds at most, and some tens of megabytes.
///
/// One unit is one operation, one element looked at, or 16 bytes of text read or made.
const MOST: u64 = 2_000_000;

/// What is left to spend.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: MOST }
    }

    pub(super) fn spend(&mut self, units: u64) -> Result<(), ExpressionError> {
        let left = self.left.checked_sub(units);
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or_else(|| ExpressionError::costly(format!("it takes more than {MOST} units of work")))
    }

    pub(super) fn spend_bytes(&mut self, bytes: usize) -> Result<(), ExpressionError> {
        self.spend(u64::try_from(bytes / 16).unwrap_or(u64::MAX).saturating_add(1))
    }

    pub(super) fn spend_elements(&mut self, elements: usize) -> Result<(), ExpressionError> {
        self.spend(u64::try_from(elements).unwrap_or(u64::MAX))
    }
}
