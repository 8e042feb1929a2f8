//! `run_state_machine`: starts a state machine, and looks how it stands.

use pawl_engine::{MachinePoll, MachineRun, Performed, StartedMachine, StepCode, StepError};
use serde_json::{Value, json};

use super::known::Known;
use super::lease::LeaseGuard;
use crate::ports::{MachineState, StartStateMachine, StateMachineError, StateMachines};

/// Where an answer names the machine's execution.
const NAME: &str = "execution_arn";

/// Starts it. If its end is waited for, looks right after: it may have been faster than whoever waits. That look is a
/// bonus, so that its failure says nothing; the next one follows.
pub(super) async fn start(machines: &dyn StateMachines, run: &MachineRun, lease: LeaseGuard<'_>) -> Performed {
    if let Err(error) = lease.allows(run.timeout) {
        return Performed::failed(error);
    }
    let start = StartStateMachine {
        machine: run.machine.clone(),
        name: run.name.clone(),
        input: run.full_input(),
        timeout: run.timeout,
    };
    let started = match machines.start(&start).await {
        Ok(started) => started,
        Err(error) => return Performed::failed(failure(&error)),
    };
    let mut seen = None;
    if run.wait && lease.allows(run.timeout).is_ok() {
        seen = machines.describe(&started.execution_arn, run.timeout).await.ok();
    }
    Performed::done(said(&started, seen))
}

/// Looks how it stands. Who cannot be asked now is asked again with the next look.
pub(super) async fn look(machines: &dyn StateMachines, look: &MachinePoll, lease: LeaseGuard<'_>) -> Performed {
    if let Err(error) = lease.allows(look.timeout) {
        return Performed::failed(error);
    }
    let execution = &look.started.execution_arn;
    match machines.describe(execution, look.timeout).await {
        Ok(seen) => Performed::done(said(&look.started, Some(seen))),
        Err(error) if is_passing(&error) => {
            tracing::info!(
                execution_id = %lease.execution.id,
                "the state machine's execution {execution} could not be looked at: {error}"
            );
            Performed::done(said(&look.started, None))
        }
        Err(error) => Performed::failed(failure(&error)),
    }
}

/// The answer without secrets. The ARN by which the step polls the machine is not redacted, even if it contains a secret.
pub(super) fn redacted(known: &Known<'_>, performed: Performed) -> Performed {
    let name = performed.output.get(NAME).cloned();
    let mut performed = known.taken_out_of(performed);
    if let (Some(name), Some(output)) = (name, performed.output.as_object_mut()) {
        output.insert(NAME.to_owned(), name);
    }
    performed
}

/// What the engine is told.
fn said(started: &StartedMachine, seen: Option<MachineState>) -> Value {
    let mut said = json!(started);
    if let Some(MachineState { status, output, error, cause }) = seen {
        said["status"] = json!(status);
        said["output"] = output;
        said["error"] = json!(error);
        said["cause"] = json!(cause);
    }
    said
}

fn is_passing(error: &StateMachineError) -> bool {
    match error {
        StateMachineError::Throttled(_) | StateMachineError::Network(_) | StateMachineError::Server(_) => true,
        StateMachineError::NotConfigured(_)
        | StateMachineError::NotFound(_)
        | StateMachineError::Denied(_)
        | StateMachineError::Invalid(_) => false,
    }
}

fn failure(error: &StateMachineError) -> StepError {
    let message = error.to_string();
    match error {
        StateMachineError::NotConfigured(_) => StepError::new(StepCode::StateMachinesNotConfigured, message),
        StateMachineError::Throttled(_) => StepError::new(StepCode::StateMachineThrottled, message),
        StateMachineError::Network(_) => StepError::new(StepCode::StateMachineNetwork, message),
        StateMachineError::Server(_) => StepError::new(StepCode::StateMachineServer, message),
        StateMachineError::NotFound(_) => StepError::new(StepCode::StateMachineNotFound, message),
        StateMachineError::Denied(_) => StepError::new(StepCode::StateMachineDenied, message),
        StateMachineError::Invalid(_) => StepError::new(StepCode::StateMachineInvalid, message),
    }
}
