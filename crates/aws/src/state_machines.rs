//! State machines on Step Functions.

use std::error::Error;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use aws_sdk_sfn::primitives::DateTime;
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::bus::parsed;
use pawl_runtime::ports::{MachineState, StartStateMachine, StartedMachine, StateMachineError, StateMachines};

use crate::failure::Failure;

/// Most bytes of the service's words in an error.
const WORDS_MOST: usize = 500;

/// Codes that say that too much is under way.
const THROTTLES: &[&str] = &["ExecutionLimitExceeded", "KmsThrottlingException"];
/// Codes that say that there is none.
const ABSENT: &[&str] = &["ExecutionDoesNotExist", "StateMachineDeleting", "StateMachineDoesNotExist"];
/// Codes that say that the caller may not, or is nobody.
const DENIALS: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "KmsAccessDeniedException",
    "KmsInvalidStateException",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "UnrecognizedClientException",
];

/// State machines of Step Functions. The name of an execution makes a start idempotent: the service answers a repeat as
/// it answered the first, or says that the name is taken, by that very execution.
#[derive(Clone)]
pub struct SfnStateMachines {
    client: Client,
    /// What this installation may start, to tell whoever meets a denial.
    allowed: Option<String>,
}

impl SfnStateMachines {
    /// Makes the client. It does not retry: whoever calls has a policy for that.
    pub fn new(sdk: &SdkConfig) -> Self {
        let config = aws_sdk_sfn::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(config), allowed: None }
    }

    /// Names what this installation may start, in errors only: it is the policy of the function that decides.
    #[must_use]
    pub fn allowing(self, machines: impl Into<String>) -> Self {
        Self { allowed: Some(machines.into()).filter(|machines| !machines.is_empty()), ..self }
    }

    /// Calls once, within a time.
    async fn call<T, E>(
        &self,
        what: &str,
        timeout: SignedDuration,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, StateMachineError>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let limit = timeout.try_into().unwrap_or_default();
        match tokio::time::timeout(limit, call).await {
            Ok(answer) => answer.map_err(|error| self.failure(what, &error)),
            Err(_) => Err(StateMachineError::Network(format!("{what}: no answer within {timeout:#}"))),
        }
    }

    fn failure<E>(&self, what: &str, error: &SdkError<E>) -> StateMachineError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let server = matches!(error, SdkError::ServiceError(service) if service.raw().status().is_server_error());
        match Failure::of(error) {
            Failure::Throttled => StateMachineError::Throttled(later(what)),
            Failure::Unknown(story) if server => StateMachineError::Server(format!("{what}: {story}")),
            Failure::NotSent(story) | Failure::Unknown(story) => StateMachineError::Network(format!("{what}: {story}")),
            Failure::Refused { code, message } => self.refusal(what, &code, &message),
        }
    }

    fn refusal(&self, what: &str, code: &str, message: &str) -> StateMachineError {
        // What it says of an input may quote it.
        let message = if code == "InvalidExecutionInput" { "the input is not taken" } else { message };
        let told = format!("{what}: {code}: {}", &message[..message.floor_char_boundary(WORDS_MOST)]);
        match code {
            code if THROTTLES.contains(&code) => StateMachineError::Throttled(later(what)),
            code if ABSENT.contains(&code) => StateMachineError::NotFound(told),
            code if DENIALS.contains(&code) => StateMachineError::Denied(match &self.allowed {
                Some(allowed) => format!("{told} (this installation may start {allowed})"),
                None => told,
            }),
            _ => StateMachineError::Invalid(told),
        }
    }

    async fn described(
        &self,
        arn: &str,
        timeout: SignedDuration,
    ) -> Result<DescribeExecutionOutput, StateMachineError> {
        let call = self.client.describe_execution().execution_arn(arn).send();
        self.call(&format!("looking at {arn}"), timeout, call).await
    }

    /// The execution that has the name already.
    async fn taken(&self, start: &StartStateMachine) -> Result<StartedMachine, StateMachineError> {
        let Some(arn) = execution_arn(&start.machine, &start.name) else {
            let message = format!("expected the ARN of a state machine, found {}", start.machine);
            return Err(StateMachineError::Invalid(message));
        };
        let execution = self.described(&arn, start.timeout).await?;
        Ok(StartedMachine { started_at: timestamp(&execution.start_date), execution_arn: arn })
    }
}

#[async_trait]
impl StateMachines for SfnStateMachines {
    async fn start(&self, start: &StartStateMachine) -> Result<StartedMachine, StateMachineError> {
        let call = self
            .client
            .start_execution()
            .state_machine_arn(&start.machine)
            .name(&start.name)
            .input(start.input.to_string())
            .send();
        // Whether the name is taken is asked before the error becomes one of ours.
        let mut taken = false;
        let call = async {
            let answer = call.await;
            let service = answer.as_ref().err().and_then(SdkError::as_service_error);
            taken = service.is_some_and(StartExecutionError::is_execution_already_exists);
            answer
        };
        // The SDK's futures are large, and this one holds two.
        let answer = Box::pin(self.call(&format!("starting {}", start.machine), start.timeout, call)).await;
        match answer {
            Ok(started) => {
                let started_at = timestamp(&started.start_date);
                Ok(StartedMachine { execution_arn: started.execution_arn, started_at })
            }
            Err(_) if taken => self.taken(start).await,
            Err(error) => Err(error),
        }
    }

    async fn describe(&self, arn: &str, timeout: SignedDuration) -> Result<MachineState, StateMachineError> {
        let DescribeExecutionOutput { status, output, error, cause, .. } = self.described(arn, timeout).await?;
        let output = output.as_deref().map(parsed).unwrap_or_default();
        Ok(MachineState { status: status.as_str().to_owned(), output, error, cause })
    }
}

fn later(what: &str) -> String {
    format!("{what}: Step Functions asks to come back later")
}

/// `arn:<partition>:states:<region>:<account>:stateMachine:<machine>`, with or without `:<version or alias>`, has the
/// executions `arn:<partition>:states:<region>:<account>:execution:<machine>:<name>`.
fn execution_arn(machine: &str, name: &str) -> Option<String> {
    let (place, machine) = machine.split_once(":stateMachine:")?;
    let machine = machine.split(':').next()?;
    Some(format!("{place}:execution:{machine}:{name}"))
}

fn timestamp(at: &DateTime) -> Timestamp {
    let nanos = i32::try_from(at.subsec_nanos()).unwrap_or_default();
    Timestamp::new(at.secs(), nanos).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_an_execution_follows_from_that_of_its_machine() {
        let place = "arn:aws-cn:states:cn-north-1:123456789012";
        let expected = format!("{place}:execution:Settle:one");
        for machine in ["Settle", "Settle:3", "Settle:prod"] {
            assert_eq!(execution_arn(&format!("{place}:stateMachine:{machine}"), "one"), Some(expected.clone()));
        }
        assert_eq!(execution_arn("Settle", "one"), None);
    }
}
