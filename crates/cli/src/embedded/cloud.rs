//! Services of the cloud of the embedded system: those of AWS, if it is told to. Events go into its own intake in any case.

#[cfg(feature = "aws")]
mod services;

use std::sync::Arc;

use anyhow::bail;
use pawl_runtime::ports::{CloudCalls, NoCloud};

/// Off unless it says `on`: a process on a laptop must not use credentials that were meant for something else.
const VARIABLE: &str = "PAWL_AWS_CALLS";

/// The port that these variables ask for.
pub(super) fn cloud(variables: &[(String, String)]) -> anyhow::Result<Arc<dyn CloudCalls>> {
    let value = variables.iter().find(|(name, _)| name == VARIABLE).map(|(_, value)| value.trim());
    match value.unwrap_or_default() {
        #[cfg(feature = "aws")]
        "on" => Ok(Arc::new(services::LazyServices::default())),
        #[cfg(not(feature = "aws"))]
        "on" => Err(crate::coded::without_aws("PAWL_AWS_CALLS=on")),
        "" | "off" => Ok(Arc::new(NoCloud { hint: "set PAWL_AWS_CALLS=on" })),
        other => bail!("{VARIABLE}: expected on or off, found {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_off_unless_it_is_switched_on() {
        let with = |value: &str| cloud(&[(VARIABLE.to_owned(), value.to_owned())]);
        assert!(with("off").is_ok() && cloud(&[]).is_ok());
        assert_eq!(with("on").is_ok(), cfg!(feature = "aws"));
        let refused = with("yes").err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some("PAWL_AWS_CALLS: expected on or off, found \"yes\""));
    }
}
