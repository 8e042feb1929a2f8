//! An operation as it is shown.

use jiff::Timestamp;
use pawl_runtime::items::operation::{Kind, Operation, State};
use pawl_runtime::items::operation_result::OperationResult;
use pawl_runtime::{Action, Controls, Counts, FailureGroup, Preview, ReasonGroup, StartRecords, Starts, Task, Verdict};
use serde::Serialize;
use serde_json::Value;

use crate::describe::ToSchema;
use crate::executions::ActView;

/// An operation on many executions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operation)]
pub(super) struct OperationView {
    /// Id.
    id: String,
    /// `edit`, `lift`, `redrive`, `dates` (entries of date triggers follow), or `action`: a person acts on many executions or records.
    #[schema(value_type = String)]
    kind: Kind,
    /// The workflow; absent if the operation concerns the whole installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    /// `running`, `completed`, or `failed`: then a redrive sends its message again. An action may also be `ready` (it has
    /// counted whom it concerns, and waits to be run), `paused` or `canceled`.
    #[schema(value_type = String)]
    state: State,
    /// Executions that were woken, or that looked again at what they wait for; of an action those on which it was carried
    /// out.
    executions: u64,
    /// Dead letters that went back to their queues.
    messages: u64,
    /// Time at which the operation began.
    begun_at: Timestamp,
    /// Time of its last progress.
    updated_at: Timestamp,
    /// Why the operation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What the action does, and what came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<ActionView>,
}

/// What a person does to many executions or records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Action)]
struct ActionView {
    /// `retry`, `resume`, `cancel`, `skip`, `redrive` or `start`.
    action: &'static str,
    /// The filter of the executions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    filter: Option<Value>,
    /// The expression over the records to start on.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    /// The group of the records to start on.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// How many records to start on were listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    /// Most executions a second, on average.
    rate: u32,
    /// Most executions at a time.
    concurrency: u32,
    /// Who began it, when and why.
    by: ActView,
    /// What it found when it counted; it grows while the action counts.
    preview: PreviewView,
    /// What came of it so far.
    counts: CountsView,
}

/// What an action found before it began.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionPreview)]
struct PreviewView {
    /// Whether all was counted.
    finished: bool,
    /// Executions, or records to start on.
    count: u64,
    /// Ten of their ids.
    examples: Vec<String>,
    /// Failures of the executions, by workflow, step and code.
    failures: Vec<FailureView>,
    /// Failures that are in no group, because there are too many different ones.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    other_failures: u64,
    /// Those that would be refused, or would fail.
    refused: u64,
    /// Why, by reason.
    reasons: Vec<ReasonView>,
}

/// Executions that failed in the same way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionFailures)]
struct FailureView {
    /// Workflow.
    workflow: String,
    /// The step that the executions are at; absent if they have ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// Code of the failure.
    code: String,
    /// Executions.
    count: u64,
}

/// Executions or records that would be refused for the same reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionReasons)]
struct ReasonView {
    /// Stable code.
    code: String,
    /// In words.
    message: String,
    /// Executions or records.
    count: u64,
}

/// What came of an action.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionCounts)]
struct CountsView {
    /// Executions or records that it came to.
    selected: u64,
    /// Carried out.
    done: u64,
    /// Refused; the results say why.
    refused: u64,
    /// Failed; the results say why.
    failed: u64,
    /// Changed by others before their turn, so that they did not match the filter any more.
    unchanged: u64,
}

/// An execution or record that an action could not act on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionResult)]
pub(super) struct ResultView {
    /// Id of the execution, or of the record to start on.
    target: String,
    /// `refused` or `failed`.
    #[schema(value_type = String)]
    verdict: Verdict,
    /// Stable code.
    code: String,
    /// In words.
    message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<OperationResult> for ResultView {
    fn from(result: OperationResult) -> Self {
        let OperationResult { target, verdict, reason } = result;
        Self { target, verdict, code: reason.code, message: reason.message }
    }
}

impl From<Operation> for OperationView {
    fn from(operation: Operation) -> Self {
        let finished = operation.is_counted();
        let Operation { id, kind, workflow, state, executions, messages, begun_at, updated_at, error, action, .. } =
            operation;
        let action = action.map(|action| ActionView::of(*action, finished));
        Self { id, kind, workflow, state, executions, messages, begun_at, updated_at, error, action }
    }
}

impl ActionView {
    fn of(action: Action, finished: bool) -> Self {
        let Action { task, by, limits, preview, counts, .. } = action;
        let word = task.word();
        let (mut filter, mut condition, mut of_group, mut listed) = (None, None, None, None);
        match task {
            Task::Control(Controls { selection, .. }) => filter = Some(selection.written()),
            Task::Start(Starts { records, .. }) => match records {
                StartRecords::Where(source) => condition = Some(source),
                StartRecords::Group { group, .. } => of_group = Some(group),
                StartRecords::Listed { count, .. } => listed = Some(count),
            },
        }
        Self {
            action: word,
            filter,
            condition,
            group: of_group,
            records: listed,
            rate: limits.rate,
            concurrency: limits.concurrency,
            by: ActView::from(&by),
            preview: PreviewView::of(preview, finished),
            counts: counts.into(),
        }
    }
}

impl PreviewView {
    fn of(preview: Preview, finished: bool) -> Self {
        let Preview { count, examples, failures, other_failures, refused, reasons } = preview;
        let failure = |FailureGroup { workflow, step, code, count }| FailureView { workflow, step, code, count };
        let reason = |ReasonGroup { reason, count }| ReasonView { code: reason.code, message: reason.message, count };
        let failures = failures.into_iter().map(failure).collect();
        let reasons = reasons.into_iter().map(reason).collect();
        Self { finished, count, examples, failures, other_failures, refused, reasons }
    }
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        let Counts { selected, done, refused, failed, unchanged } = counts;
        Self { selected, done, refused, failed, unchanged }
    }
}
