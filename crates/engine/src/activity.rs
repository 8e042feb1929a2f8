//! What the runtime does for a step, and what came of it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use pawl_definition::step::AnswerShape;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Record, StepError, Usage};

/// An effect outside. It is claimed before, and its result is committed after.
#[derive(Debug, Clone, PartialEq)]
pub enum Activity {
    /// Calls an HTTP service.
    HttpRequest(HttpCall),
    /// Asks a language model.
    CallLlm(ModelCall),
    /// Starts a state machine; if its end is waited for, looks at it right after.
    RunStateMachine(MachineRun),
    /// Looks at a state machine that was started before.
    PollStateMachine(MachinePoll),
}

impl Activity {
    /// Longest time that it may take, for the lease.
    pub fn timeout(&self) -> SignedDuration {
        match self {
            Self::HttpRequest(call) => call.timeout,
            // Others may be in the way.
            Self::CallLlm(call) => ModelCall::SLOT_WAIT + call.timeout,
            // It is started, and looked at.
            Self::RunStateMachine(run) => run.timeout * 2,
            Self::PollStateMachine(look) => look.timeout,
        }
    }

    /// Its input for history, secrets redacted.
    pub fn input(&self) -> Value {
        match self {
            Self::HttpRequest(call) => call.input(),
            Self::CallLlm(call) => call.input(),
            Self::RunStateMachine(run) => run.input(),
            Self::PollStateMachine(look) => look.input(),
        }
    }
}

/// An HTTP call. Texts may hold placeholders of secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpCall {
    /// Method, upper case.
    pub method: String,
    /// URL, perhaps with a query of its own.
    pub url: String,
    /// What is added to its query, encoded; empty if nothing is.
    pub query: String,
    /// Headers, lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Option<HttpBody>,
    /// Longest time of one attempt.
    pub timeout: SignedDuration,
}

/// The body of an HTTP call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpBody {
    /// Its text, encoded but for placeholders of secrets.
    pub text: String,
    /// How a secret is encoded in it.
    pub kind: BodyKind,
}

/// What a body consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// Text as the author wrote it.
    Text,
    /// JSON.
    Json,
    /// Fields of a form, percent-encoded.
    Form,
}

/// A call of a language model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCall {
    /// `<provider>/<model>`.
    pub model: String,
    /// System prompt.
    pub system: Option<String>,
    /// Prompt.
    pub prompt: String,
    /// Shape of the answer; none for a text.
    pub shape: Option<AnswerShape>,
    /// The answer's field `confidence` is compared: it must be a number from 0 to 1.
    pub says_confidence: bool,
    /// The time zone in which dates and times of the answer are meant.
    pub timezone: TimeZone,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Bound of the answer.
    pub max_tokens: Option<u32>,
    /// Longest time of one call.
    pub timeout: SignedDuration,
    /// What was wrong with the answer before, if it is asked for again.
    pub wrong: Vec<String>,
}

impl ModelCall {
    /// Longest time for which a call waits until its provider may be called once more. It is no part of the call's own
    /// time-out, and short: a worker waits with it.
    pub const SLOT_WAIT: SignedDuration = SignedDuration::from_secs(30);
}

/// A run of a Step Functions state machine.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineRun {
    /// ARN of the state machine, of one of its versions or aliases.
    pub machine: String,
    /// Name of its execution, the same for every attempt of a visit: a repeat starts no second one.
    pub name: String,
    /// Its input, without the token.
    pub input: Value,
    /// By which it may call back. Unguessable, of no use once the step has ended, and in no history.
    pub token: Option<String>,
    /// Its end is waited for.
    pub wait: bool,
    /// Longest time of one call.
    pub timeout: SignedDuration,
}

/// A look at a state machine's execution.
#[derive(Debug, Clone, PartialEq)]
pub struct MachinePoll {
    /// The execution.
    pub started: StartedMachine,
    /// Longest time of the call.
    pub timeout: SignedDuration,
}

/// A state machine's execution that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedMachine {
    /// ARN of the execution.
    pub execution_arn: String,
    /// When it began.
    pub started_at: Timestamp,
}

/// A read inside Pawl. It is not claimed; its result is decided upon at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// Finds records.
    FindRecords(RecordQuery),
    /// Finds the records that already have a unique value of a record to be created, archived ones too.
    Duplicates {
        /// Record type.
        object: String,
        /// Unique fields with the values asked for.
        values: Map<String, Value>,
    },
    /// Reads one record.
    Record {
        /// Record type.
        object: String,
        /// Id.
        id: String,
    },
}

impl Read {
    /// The record type that it reads.
    pub fn object(&self) -> &str {
        match self {
            Self::FindRecords(query) => &query.object,
            Self::Duplicates { object, .. } | Self::Record { object, .. } => object,
        }
    }
}

/// A test of a field with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedTest {
    /// Field.
    pub field: String,
    /// `equals`, `not`, `in`, `gt`, `gte`, `lt`, `lte`, `contains`, `blank`.
    pub operator: &'static str,
    /// Operand.
    pub value: Value,
}

/// A query of records.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordQuery {
    /// Record type.
    pub object: String,
    /// All must hold.
    pub tests: Vec<ResolvedTest>,
    /// Field to order by, and whether descending.
    pub order: Option<(String, bool)>,
    /// Most records.
    pub limit: usize,
}

/// What an activity gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Performed {
    /// Its output.
    pub output: Value,
    /// What models cost, also if the output was not usable.
    pub usage: Usage,
    /// How it came about, for history: a model's answers as they came, with why each ended, what it cost and how long it
    /// took.
    pub trace: Value,
    /// Why it failed.
    pub error: Option<StepError>,
}

impl Performed {
    /// A success.
    pub fn done(output: Value) -> Self {
        Self { output, ..Self::default() }
    }

    /// A failure.
    pub fn failed(error: StepError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

/// What a read gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The records.
    pub records: Vec<Record>,
    /// Why the records were not looked for to the end: there are too many of them.
    pub refused: Option<StepError>,
}
