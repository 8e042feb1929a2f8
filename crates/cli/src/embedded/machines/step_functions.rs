//! Step Functions, as a port of the embedded system.

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_aws::{SfnStateMachines, sdk};
use pawl_runtime::ports::{MachineState, StartStateMachine, StartedMachine, StateMachineError, StateMachines};
use tokio::sync::OnceCell;

/// Found when the first state machine is run: a process that runs none does not wait for credentials.
#[derive(Default)]
pub(super) struct LazyMachines {
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
