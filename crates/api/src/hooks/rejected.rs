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
                | Code::RequestTimeout
                | Code::BacklogFull
                | Code::Throttled
                | Code::Contended
                | Code::Unavailable
                | Code::OutcomeUnknown
                | Code::UnreadableItem
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

#[cfg(test)]
mod tests {
    use pawl_definition::json::{self, Bounds};

    use super::*;

    fn rejections() -> Vec<Rejection> {
        let text = || "x".to_owned();
        vec![
            Rejection::SignatureMissing { header: text() },
            Rejection::SignatureMalformed { header: text(), expected: text() },
            Rejection::SignatureMismatch { header: text() },
            Rejection::SignatureExpired { header: text(), off_by_s: 301, tolerance_s: 300 },
            Rejection::TimestampMissing { header: text() },
            Rejection::TimestampMalformed { header: text() },
            Rejection::TokenMissing { place: text() },
            Rejection::TokenMismatch { place: text() },
            Rejection::CredentialsMissing,
            Rejection::CredentialsMismatch,
            Rejection::SecretMissing { names: vec![text()] },
            Rejection::SecretMalformed { name: text(), expected: text() },
        ]
    }

    fn bound(text: &[u8], bounds: Bounds) -> ContentError {
        ContentError::OutOfBounds { format: "JSON", error: json::parse(text, &bounds).expect_err("it exceeds a bound") }
    }

    fn content_errors() -> Vec<ContentError> {
        let found = || "x".to_owned();
        vec![
            ContentError::TooLarge { size: 2, limit: 1 },
            ContentError::EncodingUnsupported { found: found() },
            ContentError::TypeMissing,
            ContentError::TypeUnsupported { found: found() },
            ContentError::CharsetUnsupported { found: found() },
            ContentError::Unpackable { encoding: found() },
            ContentError::Malformed { format: "JSON", line: 1, column: 1, problem: found() },
            bound("[[[[".as_bytes(), Bounds { depth: 3, ..Bounds::OUTSIDE }),
            bound("[1,1,1,1]".as_bytes(), Bounds { values: 3, ..Bounds::OUTSIDE }),
            bound("100000000000000000000".as_bytes(), Bounds::OUTSIDE),
        ]
    }

    #[test]
    fn every_code_of_a_delivery_is_in_the_table_with_its_status() {
        let rejections = rejections().into_iter().map(|rejection| (rejection.code(), rejection.status()));
        let contents = content_errors().into_iter().map(|error| (error.code(), error.status()));
        for (word, status) in rejections.chain(contents) {
            let code = Code::of(word);
            assert_eq!(code.map(|code| code.status().as_u16()), Some(status), "{word}");
        }
    }
}
