//! What an author writes: workflows, triggers, steps, expressions and objects. Pure.
//!
//! - [`expression`]: CEL, templates and durations.
//! - [`step`] and [`trigger`]: one file for each type, and a registry line.
//! - [`Workflow`] and [`Object`]: the two kinds of file.

pub mod expression;
pub mod step;
pub mod trigger;

mod failure;
mod limits;
mod object;
mod variable;
mod workflow;

pub use expression::{Duration, Expression, ExpressionError, Scope, Template};
pub use failure::{Failure, FailureClass, Notify, Retry, Severity, Then};
pub use limits::{Budget, BudgetPer, Limits, Reentry, Starts};
pub use object::{Field, FieldType, Object, Relationship};
pub use step::{Branch, Delivery, Step, StepKind, Take};
pub use trigger::{Trigger, TriggerKind};
pub use variable::{Variable, VariableType};
pub use workflow::{Edits, Priority, Workflow};
