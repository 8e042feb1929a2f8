//! Errors of the command line itself, with a code that `pawl explain` knows.

use serde_json::json;

use crate::output::{complain, say};
use crate::shown::shown;

/// An error that the user can mend.
#[derive(Debug, thiserror::Error)]
#[error("{message} [{code}]")]
pub(crate) struct Coded {
    /// Stable; has a page in `docs/errors`.
    code: &'static str,
    /// What was expected and what was found.
    message: String,
}

/// One with a code.
pub(crate) fn coded(code: &'static str, message: impl Into<String>) -> anyhow::Error {
    Coded { code, message: message.into() }.into()
}

/// The error of a command that needs AWS, in a program that was built without.
#[cfg_attr(all(feature = "aws", not(test)), expect(dead_code, reason = "this program was built with AWS"))]
pub(crate) fn without_aws(command: &str) -> anyhow::Error {
    coded(
        "built_without_aws",
        format!("{command} needs AWS, and this program was built without: build it with `--features aws`"),
    )
}

/// Prints it: for people on standard error, or as JSON where results go.
pub(crate) fn tell(error: &anyhow::Error, json: bool) {
    match error.downcast_ref::<Coded>() {
        Some(Coded { code, message }) if json => say!("{}", json!({"code": code, "detail": message})),
        _ => complain!("error: {}", shown(&format!("{error:#}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_aws_says_how_to_get_one_with() {
        let error = without_aws("PAWL_STEP_FUNCTIONS=on");
        assert_eq!(
            error.to_string(),
            "PAWL_STEP_FUNCTIONS=on needs AWS, and this program was built without: build it with `--features aws` \
             [built_without_aws]"
        );
        assert!(error.is::<Coded>() && pawl_api::page("built_without_aws").is_some());
    }
}
