//! Ports that a process does not have. On AWS a function's list of ports is its IAM statement: what stands here is not
//! allowed there.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::{
    CloudAnswer, CloudCall, CloudCalls, CloudError, DeadLetter, DeadLetters, Http, HttpAnswer, HttpError, HttpRequest,
    MachineState, ModelAnswer, ModelError, ModelErrorKind, ModelRequest, Models, Notice, NoticeError, Notifier,
    QueueError, SecretError, Secrets, StartStateMachine, StartedMachine, StateMachineError, StateMachines, Timer,
    TimerError, Timers,
};

/// A port that is not there: every call fails and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Absent;

/// That a call came here is a defect: nothing in the process should make it.
fn why(port: &str) -> String {
    format!("this process has no {port}")
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
impl CloudCalls for Absent {
    async fn call(&self, _call: &CloudCall) -> Result<CloudAnswer, CloudError> {
        Err(CloudError::NotConfigured(why("services of the cloud")))
    }
}

#[async_trait]
impl DeadLetters for Absent {
    async fn look(&self, _most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Err(QueueError::Invalid(why("dead-letter queues")))
    }

    async fn redrive(&self, _most: usize) -> Result<usize, QueueError> {
        Err(QueueError::Invalid(why("dead-letter queues")))
    }

    async fn send_back(&self, _letter: &DeadLetter) -> Result<(), QueueError> {
        Err(QueueError::Invalid(why("dead-letter queues")))
    }
}

#[async_trait]
impl Notifier for Absent {
    async fn notify(&self, _notice: Notice) -> Result<(), NoticeError> {
        Err(NoticeError(why("way to tell people")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt;

    use super::*;
    use crate::ports::OutsidePorts;

    #[test]
    fn a_set_has_what_it_is_given_and_refuses_what_it_is_not() {
        struct One;
        #[async_trait]
        impl Secrets for One {
            async fn get(&self, name: &str) -> Result<String, SecretError> {
                Ok(name.to_owned())
            }
        }
        let outside = OutsidePorts::default().with_secrets(Arc::new(One));
        assert_eq!(outside.secrets.get("a").now_or_never(), Some(Ok("a".to_owned())));
        let looked = outside.state_machines.describe("arn", SignedDuration::ZERO).now_or_never();
        let refused = StateMachineError::NotConfigured("this process has no state machines".to_owned());
        assert_eq!(looked, Some(Err(refused)));
        let none = OutsidePorts::default().secrets.get("a").now_or_never();
        assert_eq!(none, Some(Err(SecretError::Unavailable("this process has no secrets".to_owned()))));
    }
}
