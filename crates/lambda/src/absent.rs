//! Ports that a function does not have. Its list of ports is its IAM statement: what stands here is not allowed there.

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::ports::{
    DeadLetter, DeadLetters, Http, HttpAnswer, HttpError, HttpRequest, MachineState, ModelAnswer, ModelError,
    ModelErrorKind, ModelRequest, Models, QueueError, SecretError, Secrets, StartStateMachine, StartedMachine,
    StateMachineError, StateMachines, Timer, TimerError, Timers,
};

/// A port that this function does not have: every call fails and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Absent;

/// That a call came here is a defect: nothing in this function's code should make it.
fn why(port: &str) -> String {
    format!("this function has no {port}")
}

#[async_trait]
impl Timers for Absent {
    async fn set(&self, _timer: Timer) -> Result<(), TimerError> {
        Err(TimerError::Invalid(why("timers")))
    }

    async fn cancel(&self, _name: &str) -> Result<(), TimerError> {
        Err(TimerError::Invalid(why("timers")))
    }
}

#[async_trait]
impl Secrets for Absent {
    async fn get(&self, _name: &str) -> Result<String, SecretError> {
        Err(SecretError::Unavailable(why("secrets")))
    }
}

#[async_trait]
impl Http for Absent {
    async fn send(&self, _request: HttpRequest) -> Result<HttpAnswer, HttpError> {
        Err(HttpError::Invalid(why("way out")))
    }
}

#[async_trait]
impl Models for Absent {
    async fn complete(&self, _request: ModelRequest) -> Result<ModelAnswer, ModelError> {
        Err(ModelError::new(ModelErrorKind::NotConfigured, why("models")))
    }
}

#[async_trait]
impl StateMachines for Absent {
    async fn start(&self, _start: &StartStateMachine) -> Result<StartedMachine, StateMachineError> {
        Err(StateMachineError::NotConfigured(why("state machines")))
    }

    async fn describe(&self, _execution: &str, _timeout: SignedDuration) -> Result<MachineState, StateMachineError> {
        Err(StateMachineError::NotConfigured(why("state machines")))
    }
}

#[async_trait]
impl DeadLetters for Absent {
    async fn look(&self, _most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Err(QueueError::Invalid(why("dead-letter queues")))
    }

    async fn redrive(&self) -> Result<usize, QueueError> {
        Err(QueueError::Invalid(why("dead-letter queues")))
    }

    async fn send_back(&self, _letter: &DeadLetter) -> Result<(), QueueError> {
        Err(QueueError::Invalid(why("dead-letter queues")))
    }
}
