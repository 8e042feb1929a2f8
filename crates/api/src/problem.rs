//! What is wrong, as the caller is told: RFC 9457, `application/problem+json`.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use pawl_definition as definition;
use pawl_definition::DefinitionKind;
use pawl_engine::{Refused, Status, StepError};
use pawl_runtime::ports::{SecretError, TableError};
use pawl_runtime::{ActionError, ControlError, Error, RecordError, SaveError};
use serde::Serialize;

use crate::Code;
use crate::describe::ToSchema;

/// Where the pages of the codes stand, relative to the server.
const PAGES: &str = "/docs/errors/";

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    code: Code,
    detail: String,
    state: Option<Status>,
    path: Option<String>,
    present: Option<u64>,
    problems: Vec<Mistake>,
    challenge: Option<&'static str>,
}

/// One mistake in a file or record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mistake {
    /// Stable code.
    pub code: String,
    /// Page in the project's documentation.
    pub help: String,
    /// What was expected and what was found.
    pub message: String,
    /// Path of the mistake: `steps[2].yes[0].url`, `fields.email`; empty for the whole file.
    pub path: String,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Suggestion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// `error` or `warning`.
    pub severity: &'static str,
}

/// A problem: RFC 9457 with a stable `code`, and members that only some codes have.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Sent<'a> {
    /// Page of the code, relative to this server.
    #[serde(rename = "type")]
    kind: String,
    /// Short text, the same for every occurrence.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// Stable code.
    code: &'static str,
    /// What was expected and what was found.
    detail: &'a str,
    /// Present state of the execution (`illegal_transition`).
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// Path of the wrong value.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    /// Present revision or version (`stale_revision`, `stale_record`).
    #[serde(skip_serializing_if = "Option::is_none")]
    present: Option<u64>,
    /// All mistakes (`invalid_workflow`, `invalid_object`, `invalid_record`).
    #[serde(skip_serializing_if = "<[Mistake]>::is_empty")]
    problems: &'a [Mistake],
}

impl Problem {
    /// A problem with what was expected and found.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (state, path, present, challenge) = (None, None, None, None);
        Self { code, detail: detail.into(), state, path, present, problems: Vec::new(), challenge }
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What was expected and what was found.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Path of the wrong value.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Says where the value stands.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Says what is there at present.
    #[must_use]
    pub(crate) fn present(mut self, number: u64) -> Self {
        self.present = Some(number);
        self
    }

    /// Lists mistakes.
    #[must_use]
    pub(crate) fn listing(mut self, problems: Vec<Mistake>) -> Self {
        self.problems = problems;
        self
    }

    /// Asks for credentials.
    #[must_use]
    pub(crate) fn challenging(mut self, challenge: Option<&'static str>) -> Self {
        self.challenge = challenge;
        self
    }

    /// A fault of the server: the caller is told nothing of it, the log all.
    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(code = Code::Internal.as_str(), "a request failed: {error}");
        Self::new(Code::Internal, "the server could not do this; the reason is in its log")
    }
}

/// The page of a code in the project's documentation.
pub(crate) fn help(code: &str) -> String {
    format!("docs/errors/{code}.md")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let sent = Sent {
            kind: format!("{PAGES}{}", self.code.as_str()),
            title: self.code.title(),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: &self.detail,
            state: self.state.map(Status::as_str),
            path: self.path.as_deref(),
            present: self.present,
            problems: &self.problems,
        };
        let body = serde_json::to_vec(&sent).expect("a problem is JSON");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.code.retry_after_s() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = self.challenge.filter(|_| status == StatusCode::UNAUTHORIZED) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl From<&definition::Problem> for Mistake {
    fn from(problem: &definition::Problem) -> Self {
        Self {
            code: problem.code.clone(),
            help: help(&problem.code),
            message: problem.message.clone(),
            path: problem.path.clone(),
            line: problem.line,
            column: problem.column,
            suggestion: problem.suggestion.clone(),
            severity: problem.severity.as_str(),
        }
    }
}

/// A mistake in a record.
impl From<&StepError> for Mistake {
    fn from(error: &StepError) -> Self {
        let path = match error.place() {
            None | Some("id") => error.place().unwrap_or_default().to_owned(),
            Some(field) => format!("fields.{field}"),
        };
        Self {
            code: error.code.to_string(),
            help: help(error.code.as_str()),
            message: error.message.clone(),
            path,
            line: None,
            column: None,
            suggestion: None,
            severity: definition::Level::Error.as_str(),
        }
    }
}

impl Mistake {
    /// Of a failure whose place is that of the body.
    pub(crate) fn placed(error: &StepError) -> Self {
        Self { path: error.place().unwrap_or_default().to_owned(), ..Self::from(error) }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = match Code::of(error.code()) {
            None | Some(Code::Internal) => return Self::internal(&error),
            Some(code) => code,
        };
        if code == Code::BacklogFull {
            // Told once in the log, where the backlog becomes full, and counted.
            return Self::new(code, "the backlog is full; send the request again a little later");
        }
        if let Error::Unreadable(unreadable) = &error {
            tracing::error!(code = code.as_str(), key = %unreadable.key, "a request needs what cannot be read: {error}");
            return Self::new(code, error.to_string());
        }
        if code == Code::ValueTooDeep {
            return Self::new(code, error.to_string());
        }
        tracing::warn!(code = code.as_str(), "a request is put off: {error}");
        Self::new(code, "the request is valid but cannot be handled now; send it again a little later")
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        Error::from(error).into()
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        tracing::warn!(code = Code::Unavailable.as_str(), "a request is put off: {error}");
        Self::new(Code::Unavailable, "the request is valid but cannot be handled now; send it again a little later")
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::NotFound(_) => Self::new(Code::NoExecution, error.to_string()),
            ControlError::Refused(Refused::Illegal { status, detail, .. }) => {
                let mut problem = Self::new(Code::IllegalTransition, format!("{error}: {detail}"));
                problem.state = Some(status);
                problem
            }
            ControlError::Failed(error) => error.into(),
        }
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        let detail = error.to_string();
        match error {
            ActionError::EmptyFilter => Self::new(Code::EmptyFilter, detail),
            ActionError::BadFilter { path, .. } => Self::new(Code::BadFilter, detail).at(path),
            ActionError::OtherContent => Self::new(Code::IdempotencyKeyReused, detail),
            ActionError::NotFound(_) => Self::new(Code::NoOperation, detail),
            ActionError::Illegal { .. } => Self::new(Code::IllegalTransition, detail),
            ActionError::Failed(error) => error.into(),
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        let detail = error.to_string();
        match error {
            RecordError::UnknownObject(_) => Self::new(Code::NoObject, detail),
            RecordError::NotFound(_) | RecordError::NoValue { .. } => Self::new(Code::NoRecord, detail),
            RecordError::Invalid(error) => Self::new(Code::InvalidRecord, detail).listing(vec![Mistake::from(&error)]),
            RecordError::Forgotten(..) => Self::new(Code::RecordForgotten, detail),
            RecordError::Duplicate => Self::new(Code::DuplicateRecord, detail),
            RecordError::Stale(version) => Self::new(Code::StaleRecord, detail).present(version),
            RecordError::Failed(error) => error.into(),
        }
    }
}

/// What was to be saved.
#[derive(Debug, Clone, Copy)]
pub(crate) enum File {
    Workflow,
    Object,
    Definition(DefinitionKind),
}

/// The problem of a save.
pub(crate) fn of_save(error: SaveError, file: File) -> Problem {
    let detail = error.to_string();
    match error {
        SaveError::Invalid(problems) => invalid(&problems, file),
        SaveError::Stale(revision) => Problem::new(Code::StaleRevision, detail).present(revision),
        SaveError::NotFound(_) => Problem::new(Code::NoWorkflow, detail),
        SaveError::Failed(error) => error.into(),
    }
}

/// The problem of a file with mistakes.
pub(crate) fn invalid(problems: &[definition::Problem], file: File) -> Problem {
    let (code, noun) = match file {
        File::Workflow => (Code::InvalidWorkflow, "workflow"),
        File::Object => (Code::InvalidObject, "object"),
        File::Definition(kind) => (Code::InvalidDefinition, kind.word()),
    };
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let detail = format!("the {noun} has {errors} {}", if errors == 1 { "mistake" } else { "mistakes" });
    Problem::new(code, detail).listing(problems.iter().map(Mistake::from).collect())
}
