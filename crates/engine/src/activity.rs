//! Activities, which the runtime performs for a step, and their results.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use pawl_definition::step::{AnswerShape, Sign};
use pawl_definition::{Calendar, Group};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Address, CloudCall, Control, Lookup, PeopleFound, PeopleRead, Record, RecordActivity, RegionStart, StepError,
    Subject, Usage,
};

/// An outside effect. The runtime commits a claim before the effect, and the result after it.
#[derive(Debug, Clone, PartialEq)]
pub enum Activity {
    /// Calls an HTTP service.
    HttpRequest(HttpCall),
    /// Asks a language model.
    CallLlm(ModelCall),
    /// Starts a state machine; if the step waits for its end, polls it right after.
    RunStateMachine(MachineRun),
    /// Polls a state machine that was started before.
    PollStateMachine(MachinePoll),
    /// Looks for paused executions that a start is to resume.
    FindPaused(ChildStarts),
    /// Starts executions of workflows.
    StartWorkflows(ChildStarts),
    /// Starts executions of parts of the workflow.
    StartRegions(RegionStarts),
    /// Looks for executions that a step is to control.
    FindExecutions(ExecutionSearch),
    /// Pauses, resumes or cancels executions.
    ControlExecutions(ExecutionControls),
    /// Sends a signal.
    SendSignal(SignalSending),
    /// Calls a service of the cloud.
    CallCloud(CloudCall),
}

impl Activity {
    /// Longest duration of the activity, for the lease.
    pub fn timeout(&self) -> SignedDuration {
        match self {
            Self::HttpRequest(call) => call.timeout,
            // Others may be in the way.
            Self::CallLlm(call) => ModelCall::SLOT_WAIT + call.timeout,
            // It is started, and looked at.
            Self::RunStateMachine(run) => run.timeout * 2,
            Self::PollStateMachine(look) => look.timeout,
            Self::FindPaused(_) | Self::StartWorkflows(_) => ChildStarts::TIMEOUT,
            Self::StartRegions(_) => RegionStarts::TIMEOUT,
            Self::FindExecutions(_) | Self::ControlExecutions(_) => ExecutionControls::TIMEOUT,
            Self::SendSignal(_) => SignalSending::TIMEOUT,
            Self::CallCloud(call) => call.timeout,
        }
    }

    /// Its input for history, secrets redacted.
    pub fn input(&self) -> Value {
        match self {
            Self::HttpRequest(call) => call.input(),
            Self::CallLlm(call) => call.input(),
            Self::RunStateMachine(run) => run.input(),
            Self::PollStateMachine(look) => look.input(),
            Self::FindPaused(starts) | Self::StartWorkflows(starts) => starts.input(),
            Self::StartRegions(starts) => starts.input(),
            Self::FindExecutions(search) => search.input(),
            Self::ControlExecutions(controls) => controls.input(),
            Self::SendSignal(sending) => sending.input(),
            Self::CallCloud(call) => call.input(),
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
    /// Encoded text to append to the query; may be empty.
    pub query: String,
    /// Headers, lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Option<HttpBody>,
    /// The links that lead from this request to the page that is called, one after the other; empty for the first page.
    pub links: Vec<String>,
    /// How it is signed.
    pub sign: Option<Box<Signing>>,
    /// Longest time of one attempt.
    pub timeout: SignedDuration,
}

/// How a call is signed when it is sent, over the bytes of its body with the secrets in their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The scheme, with the name of the secret.
    pub sign: Sign,
    /// The id of the message, the same for every attempt of a visit.
    pub id: String,
}

/// The body of an HTTP call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpBody {
    /// The text, encoded except for placeholders of secrets.
    pub text: String,
    /// How secrets are encoded in the text.
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
    /// The step compares the answer's field `confidence`, which must be a number from 0 to 1.
    pub says_confidence: bool,
    /// Time zone of dates and times in the answer.
    pub timezone: TimeZone,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Most tokens of the answer.
    pub max_tokens: Option<u32>,
    /// Longest time of one call.
    pub timeout: SignedDuration,
    /// In a repair call, what was wrong with the previous answer.
    pub wrong: Vec<String>,
}

impl ModelCall {
    /// Longest time that a call waits for a free slot of its provider. This is not part of the call's own
    /// time-out, and is short because a worker waits as well.
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
    /// Token for the callback. Unguessable, useless once the step has ended, and in no history.
    pub token: Option<String>,
    /// Whether the step waits for the end.
    pub wait: bool,
    /// Longest time of one call.
    pub timeout: SignedDuration,
}

/// A poll of a state machine's execution.
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

/// Executions that a step is to start, or some of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildStarts {
    /// The step.
    pub address: Address,
    /// Its visit.
    pub visit: u32,
    /// When the visit began.
    pub began_at: Timestamp,
    /// The number of the first of them among all that the visit starts.
    pub first: u32,
    /// They, in order.
    pub starts: Vec<ChildStart>,
    /// The step waits for their ends.
    pub waits: bool,
}

impl ChildStarts {
    /// Longest time of one call.
    pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
}

/// Executions of parts of the workflow that a step is to start.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionStarts {
    /// The step.
    pub address: Address,
    /// Its visit.
    pub visit: u32,
    /// When the visit began.
    pub began_at: Timestamp,
    /// They, each with its id.
    pub starts: Vec<(String, RegionStart)>,
}

impl RegionStarts {
    /// Longest time of one call.
    pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(30);

    /// Its input for history.
    pub fn input(&self) -> Value {
        crate::steps::input_of(self)
    }
}

/// An execution that a step is to start. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildStart {
    /// Workflow.
    pub workflow: String,
    /// The record that it is to run on; its object is absent if only its id is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<ChildRecord>,
    /// It runs on the record that the parent has, if its workflow runs on records of that object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Subject>,
    /// Values of its variables.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// The paused execution to resume in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
}

/// A record by its id, and its object if that is known. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildRecord {
    /// Object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Id.
    pub id: String,
}

impl ChildRecord {
    /// A record whose object is known.
    pub fn of(record: &Subject) -> Self {
        Self { object: Some(record.object.clone()), id: record.id.clone() }
    }
}

/// What came of a start. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartedChild {
    /// Workflow.
    pub workflow: String,
    /// The execution; none of a refused start.
    pub execution_id: Option<String>,
    /// `started`, `resumed` or `refused`.
    pub status: String,
    /// Why it was refused: `{code, message}`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub error: Value,
}

/// A search for the executions that a step is to control.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionSearch {
    /// What is to be done to them.
    pub control: Control,
    /// Executions that were made later are not meant.
    pub until: Timestamp,
    /// Whose executions, in order.
    pub targets: Vec<ControlTarget>,
    /// Where the search for those of the first goes on; none is its beginning.
    pub after: Option<String>,
}

/// Executions that a step is to control, or some of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionControls {
    /// Id of the control, the same for every call and attempt of a visit.
    pub id: String,
    /// What is done to them.
    pub control: Control,
    /// Why.
    pub reason: Option<String>,
    /// They, in order.
    pub executions: Vec<FoundExecution>,
}

impl ExecutionControls {
    /// Longest time of one call, and of a search.
    pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
}

/// Executions of a workflow on a record, or on none. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTarget {
    /// Workflow.
    pub workflow: String,
    /// The record; none stands for executions that run on no record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<ChildRecord>,
}

/// An execution that is to be controlled. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundExecution {
    /// Workflow.
    pub workflow: String,
    /// Id.
    pub execution_id: String,
}

/// What came of the control of an execution. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlledExecution {
    /// Workflow.
    pub workflow: String,
    /// The execution; none if it could not be looked for.
    pub execution_id: Option<String>,
    /// `paused`, `resumed`, `canceled` or `refused`.
    pub status: String,
    /// Why it was refused: `{code, message}`; else null.
    pub error: Value,
}

/// What a search says. Stored in history, do not rename.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SearchedExecutions {
    /// The executions that it found.
    pub found: Vec<FoundExecution>,
    /// Targets whose executions cannot be looked for.
    pub refused: Vec<ControlledExecution>,
    /// Targets of which it has seen all executions.
    pub finished: usize,
    /// Where the search in the target that follows them goes on.
    pub after: Option<String>,
}

/// A signal that a step sends.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalSending {
    /// Its id, the same for every attempt of a visit.
    pub id: String,
    /// Name.
    pub name: String,
    /// Key.
    pub key: String,
    /// Payload.
    pub payload: Value,
}

impl SignalSending {
    /// Longest time of one call.
    pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
}

/// A read inside Pawl. It needs no claim; the engine decides on its result at once.
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
    /// Reads records by their ids.
    Records(Vec<Subject>),
    /// Finds the open activities of records.
    OpenActivities {
        /// The records.
        records: Vec<Subject>,
        /// Their types; all if absent.
        activities: Option<Vec<String>>,
    },
    /// Reads what a choice among members depends on, and what else the step reads.
    People {
        /// What the choice depends on.
        read: PeopleRead,
        /// What else is read.
        beside: Option<Box<Read>>,
    },
    /// Reads the record that has a value in a unique field, which an expression looks up. The same input is decided again.
    Lookup(Lookup),
    /// Reads values that were stored beside the head.
    Values {
        /// The execution that they belong to, if it is not the one that asks.
        owner: Option<String>,
        /// Names of the chunks, in order.
        chunks: Vec<String>,
        /// Only the value at this place of the first chunk.
        at: Option<u32>,
    },
}

impl Read {
    /// The record types that it reads.
    pub fn objects(&self) -> BTreeSet<&str> {
        match self {
            Self::FindRecords(query) => BTreeSet::from([query.object.as_str()]),
            Self::Duplicates { object, .. } => BTreeSet::from([object.as_str()]),
            Self::Lookup(lookup) => BTreeSet::from([lookup.object.as_str()]),
            Self::OpenActivities { records: subjects, .. } | Self::Records(subjects) => {
                subjects.iter().map(|subject| subject.object.as_str()).collect()
            }
            Self::People { read, beside } => {
                let beside = beside.iter().flat_map(|read| read.objects());
                beside.chain(read.object()).collect()
            }
            Self::Values { .. } => BTreeSet::new(),
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

/// A group among the tests of a query, with what its expression sees beside a record.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupTest {
    /// The group.
    pub group: Group,
    /// The present time.
    pub now: Timestamp,
    /// The time zone of the workflow.
    pub timezone: TimeZone,
    /// The business days of the workflow.
    pub calendar: Calendar,
}

/// A query of records.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordQuery {
    /// Record type.
    pub object: String,
    /// All must hold.
    pub tests: Vec<ResolvedTest>,
    /// Lists of tests: all of one of them must hold too. Empty if nothing is asked beside `tests`.
    pub any: Vec<Vec<ResolvedTest>>,
    /// They belong to this group.
    pub group: Option<Box<GroupTest>>,
    /// Field to order by, and whether descending.
    pub order: Option<(String, bool)>,
    /// Most records.
    pub limit: usize,
    /// Only the number of records is asked for: it is the one value that is found.
    pub count: bool,
}

impl RecordQuery {
    /// All records of an object that pass these tests, the newest first.
    pub fn new(object: &str, tests: Vec<ResolvedTest>, limit: usize) -> Self {
        Self { object: object.to_owned(), tests, any: Vec::new(), group: None, order: None, limit, count: false }
    }
}

/// The result of an activity.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Performed {
    /// Its output.
    pub output: Value,
    /// Cost of models, also if the output was not usable.
    pub usage: Usage,
    /// Trace for the history: a model's raw answers, each with the reason of its end, its cost and how long it
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

/// The result of a read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The records.
    pub records: Vec<Record>,
    /// Stored values.
    pub values: Vec<Value>,
    /// Activities about records.
    pub activities: Vec<RecordActivity>,
    /// What a choice among members depends on.
    pub people: Option<PeopleFound>,
    /// Set if the search stopped early, because there are too many records.
    pub refused: Option<StepError>,
}
