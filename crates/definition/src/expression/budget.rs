//! The bound on the work of evaluation.

use std::sync::atomic::{AtomicU64, Ordering};

use super::ExpressionError;

/// Units of work that one evaluation may take: some tens of milliseconds at most, and some tens of megabytes.
///
/// One unit is one operation, one element looked at, or 16 bytes of text read or made.
const MOST: u64 = 2_000_000;

/// Longest text that a template gives, in bytes.
pub(super) const MOST_TEXT: usize = 1024 * 1024;

/// What a variable costs that a scope puts together for an evaluation.
const ROOT: u64 = 100;

/// What all evaluations together have left that belong to one step, one delivery or one filter. A scope that hands out
/// one bounds them together; without it each expression or template is bounded by itself.
#[derive(Debug)]
pub struct Meter {
    left: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { left: AtomicU64::new(MOST) }
    }
}

/// What is left to spend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    /// A budget for an evaluation that reads so many variables; what others have spent of the meter is gone.
    pub(super) fn new(meter: Option<&Meter>, roots: usize) -> Self {
        let left = meter.map_or(MOST, |meter| meter.left.load(Ordering::Relaxed));
        let roots = u64::try_from(roots).unwrap_or(u64::MAX);
        Self { left: left.saturating_sub(ROOT.saturating_mul(roots)) }
    }

    /// Writes down what is left.
    pub(super) fn note(self, meter: Option<&Meter>) {
        if let Some(meter) = meter {
            meter.left.store(self.left, Ordering::Relaxed);
        }
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
