//! A delivery that is not accepted: what its sender is told, and what the operator.

use pawl_runtime::Ingest;

use crate::webhook::{ContentError, Rejection};
use crate::{Code, Problem};

/// A delivery that is not accepted.
pub(super) struct Rejected {
    pub(super) problem: Problem,
    /// What the operator is told, if that is more.
    operator: Option<String>,
}

impl Rejected {
    /// Stores that a delivery was rejected, for people to see.
    ///
    /// Faults of infrastructure are not stored: the sender tries again. Neither are methods that were never offered.
    pub(super) async fn show(&self, ingest: &Ingest, workflow: &str, trigger: &str) {
        let code = self.problem.code();
        if matches!(
            code,
            Code::MethodNotAllowed
                | Code::BodyIncomplete
                | Code::Throttled
                | Code::Contended
                | Code::Unavailable
                | Code::OutcomeUnknown
                | Code::Internal
        ) {
            return;
        }
        let at = self.problem.path().map(|path| format!("{path}: ")).unwrap_or_default();
        let text = self.operator.as_deref().unwrap_or_else(|| self.problem.detail());
        if let Err(error) = ingest.reject(workflow, trigger, code.as_str(), &format!("{at}{text}")).await {
            tracing::warn!(
                workflow,
                code = code.as_str(),
                "a rejected delivery on {workflow}/{trigger} could not be stored: {error}"
            );
        }
    }
}

impl From<Problem> for Rejected {
    fn from(problem: Problem) -> Self {
        Self { problem, operator: None }
    }
}

impl From<pawl_runtime::Error> for Rejected {
    fn from(error: pawl_runtime::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<Rejection> for Rejected {
    fn from(rejection: Rejection) -> Self {
        let code = Code::of(rejection.code()).expect("every code of a rejection is in the table: a test asserts it");
        let problem = Problem::new(code, rejection.for_sender()).challenging(rejection.challenge());
        Self { problem, operator: Some(rejection.to_string()) }
    }
}

impl From<ContentError> for Rejected {
    fn from(error: ContentError) -> Self {
        let code = Code::of(error.code()).expect("every code of a body is in the table: a test asserts it");
        Problem::new(code, error.to_string()).into()
    }
}
