//! Failures of steps, and refusals of inputs.

use pawl_definition::{ExpressionError, FailureClass};
use serde::{Deserialize, Serialize};

use crate::{Status, StepCode};

/// Why a step failed. Stored in history; every code has a page in `docs/errors`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// Stable code.
    pub code: StepCode,
    /// What was expected and what was found. Holds no secrets.
    pub message: String,
    /// Class, if a retry may help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// The other side asked to wait this many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl StepError {
    /// A failure of the class that its code has.
    pub fn new(code: StepCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), class: code.class(), retry_after_s: None }
    }

    /// A failure whose code does not determine its class.
    pub fn classed(code: StepCode, class: FailureClass, message: impl Into<String>) -> Self {
        Self { class: Some(class), ..Self::new(code, message) }
    }

    /// Adds the step's key that caused the failure to the message, once.
    #[must_use]
    pub fn at(mut self, key: &str) -> Self {
        let place = format!("`{key}`: ");
        if !self.message.starts_with(&place) {
            self.message.insert_str(0, &place);
        }
        self
    }

    /// The key or field that [`Self::at`] has named.
    pub fn place(&self) -> Option<&str> {
        self.message.strip_prefix('`')?.split_once("`: ").map(|(place, _)| place)
    }
}

impl From<ExpressionError> for StepError {
    fn from(error: ExpressionError) -> Self {
        Self::new(StepCode::from(&error), error.to_string())
    }
}

/// A pair of state and input that the protocol never produces: a defect of the program, or a stored head that other
/// software has written. The runtime counts and logs it and returns its message; its execution ends as stalled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an execution that is {state} cannot take the input `{input}`: {why}")]
pub struct Illegal {
    /// The present state.
    pub state: Status,
    /// The input's name.
    pub input: &'static str,
    /// What was expected.
    pub why: &'static str,
}

/// Why nothing was decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// A person or system asked for a control that does not fit the state.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The protocol never produces this pair of state and input.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

/// Why an input was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The control does not fit the present state.
    #[error("cannot {control} an execution that is {status}")]
    Illegal {
        /// The requested control.
        control: &'static str,
        /// The present state.
        status: Status,
        /// Details.
        detail: &'static str,
    },
}
