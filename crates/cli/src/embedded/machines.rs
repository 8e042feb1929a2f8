//! State machines of the embedded system: those of Step Functions, if it is told to.

use std::sync::Arc;

use anyhow::bail;
use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_aws::{SfnStateMachines, sdk};
use pawl_runtime::ports::{
    MachineState, NoStateMachines, StartStateMachine, StartedMachine, StateMachineError, StateMachines,
};
use tokio::sync::OnceCell;

/// Off unless it says `on`: a process on a laptop must not use whatever credentials lie about.
const VARIABLE: &str = "PAWL_STEP_FUNCTIONS";

/// The port that these variables ask for.
pub(super) fn state_machines(variables: &[(String, String)]) -> anyhow::Result<Arc<dyn StateMachines>> {
    let value = variables.iter().find(|(name, _)| name == VARIABLE).map(|(_, value)| value.trim());
    match value.unwrap_or_default() {
        "on" => Ok(Arc::new(LazyMachines::default())),
        "" | "off" => Ok(Arc::new(NoStateMachines { hint: "set PAWL_STEP_FUNCTIONS=on" })),
        other => bail!("{VARIABLE}: expected on or off, found {other:?}"),
    }
}

/// Step Functions, found when the first state machine is run: whoever runs none does not wait for credentials.
#[derive(Default)]
struct LazyMachines {
    client: OnceCell<SfnStateMachines>,
}

impl LazyMachines {
    async fn client(&self) -> Result<&SfnStateMachines, StateMachineError> {
        let make = async || {
            let sdk = sdk::load().await;
            if sdk.region().is_none() {
                let message = "no region of AWS is known: set AWS_REGION, or a profile that has one";
                return Err(StateMachineError::NotConfigured(message.to_owned()));
            }
            Ok(SfnStateMachines::new(&sdk))
        };
        self.client.get_or_try_init(make).await
    }
}

#[async_trait]
impl StateMachines for LazyMachines {
    async fn start(&self, start: &StartStateMachine) -> Result<StartedMachine, StateMachineError> {
        self.client().await?.start(start).await
    }

    async fn describe(&self, execution_arn: &str, timeout: SignedDuration) -> Result<MachineState, StateMachineError> {
        self.client().await?.describe(execution_arn, timeout).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_off_unless_it_is_switched_on() {
        let with = |value: &str| state_machines(&[(VARIABLE.to_owned(), value.to_owned())]);
        assert!(with("on").is_ok() && with("off").is_ok() && state_machines(&[]).is_ok());
        let refused = with("yes").err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some("PAWL_STEP_FUNCTIONS: expected on or off, found \"yes\""));
    }
}
