//! State machines of the embedded system: those of Step Functions, if it is told to.

#[cfg(feature = "aws")]
mod step_functions;

use std::sync::Arc;

use anyhow::bail;
use pawl_runtime::ports::{NoStateMachines, StateMachines};

/// Off unless it says `on`: a process on a laptop must not use whatever credentials lie about.
const VARIABLE: &str = "PAWL_STEP_FUNCTIONS";

/// The port that these variables ask for.
pub(super) fn state_machines(variables: &[(String, String)]) -> anyhow::Result<Arc<dyn StateMachines>> {
    let value = variables.iter().find(|(name, _)| name == VARIABLE).map(|(_, value)| value.trim());
    match value.unwrap_or_default() {
        #[cfg(feature = "aws")]
        "on" => Ok(Arc::new(step_functions::LazyMachines::default())),
        #[cfg(not(feature = "aws"))]
        "on" => Err(crate::coded::without_aws("PAWL_STEP_FUNCTIONS=on")),
        "" | "off" => Ok(Arc::new(NoStateMachines { hint: "set PAWL_STEP_FUNCTIONS=on" })),
        other => bail!("{VARIABLE}: expected on or off, found {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_off_unless_it_is_switched_on() {
        let with = |value: &str| state_machines(&[(VARIABLE.to_owned(), value.to_owned())]);
        assert!(with("off").is_ok() && state_machines(&[]).is_ok());
        assert_eq!(with("on").is_ok(), cfg!(feature = "aws"));
        let refused = with("yes").err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some("PAWL_STEP_FUNCTIONS: expected on or off, found \"yes\""));
    }
}
