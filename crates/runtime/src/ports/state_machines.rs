//! State machines of Step Functions.

use async_trait::async_trait;
use jiff::SignedDuration;
pub use pawl_engine::StartedMachine;
use serde_json::Value;

/// A start of a state machine.
#[derive(Clone, PartialEq)]
pub struct StartStateMachine {
    /// ARN of the state machine, of one of its versions or aliases.
    pub machine: String,
    /// Name of the execution, `[A-Za-z0-9_-]{1,80}`.
    pub name: String,
    /// Its input. May hold the token of a callback, so that a value of this type is neither stored nor logged.
    pub input: Value,
    /// Time until the answer must be there.
    pub timeout: SignedDuration,
}

/// How a state machine's execution stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MachineState {
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED` or `PENDING_REDRIVE`.
    pub status: String,
    /// Its output, read as JSON.
    pub output: Value,
    /// Error of one that failed.
    pub error: Option<String>,
    /// Its cause in words.
    pub cause: Option<String>,
}

/// Why Step Functions did not do what it was asked. Messages hold no input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateMachineError {
    /// This installation runs no state machines. Final.
    #[error("{0}")]
    NotConfigured(String),
    /// It asks to come back later; nothing was started.
    #[error("{0}")]
    Throttled(String),
    /// It could not be reached, or did not answer in time; it may have been started.
    #[error("{0}")]
    Network(String),
    /// It failed (5xx); it may have been started.
    #[error("{0}")]
    Server(String),
    /// There is no such state machine or execution. Final.
    #[error("{0}")]
    NotFound(String),
    /// The installation may not. Final.
    #[error("{0}")]
    Denied(String),
    /// The request cannot be carried out as written: ARN, name or input. Final.
    #[error("{0}")]
    Invalid(String),
}

/// The state machine port.
#[async_trait]
pub trait StateMachines: Send + Sync {
    /// Starts an execution under its name, once, without retries. If one of this name is there already, running or
    /// ended, it is that one: whoever repeats a start is answered what the first was.
    async fn start(&self, start: &StartStateMachine) -> Result<StartedMachine, StateMachineError>;

    /// Says how an execution stands. The answer may be some seconds old.
    async fn describe(&self, execution_arn: &str, timeout: SignedDuration) -> Result<MachineState, StateMachineError>;
}

/// The port of an installation that runs no state machines.
pub struct NoStateMachines {
    /// What to do about it, in words.
    pub hint: &'static str,
}

impl NoStateMachines {
    fn refuse<T>(&self) -> Result<T, StateMachineError> {
        Err(StateMachineError::NotConfigured(format!("this installation runs no state machines: {}", self.hint)))
    }
}

#[async_trait]
impl StateMachines for NoStateMachines {
    async fn start(&self, _: &StartStateMachine) -> Result<StartedMachine, StateMachineError> {
        self.refuse()
    }

    async fn describe(&self, _: &str, _: SignedDuration) -> Result<MachineState, StateMachineError> {
        self.refuse()
    }
}
