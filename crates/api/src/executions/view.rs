//! Executions as people and programs see them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pawl_definition::json;
use pawl_engine::{
    Act, Execution, Pause, Requested, Row, RowKind, Status, StepError, StepState, Subject, TimerPurpose, Wake,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::children::ParentView;
use super::fork::ForkView;
use super::summary::Summary;
use crate::describe::ToSchema;
use crate::page::{self, Listing};
use crate::problem;

/// A record by its object and id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordName {
    /// Record type.
    object: String,
    /// Id.
    id: String,
}

impl From<&Subject> for RecordName {
    fn from(subject: &Subject) -> Self {
        Self { object: subject.object.clone(), id: subject.id.clone() }
    }
}

/// A failure, with a link to the page of its code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// Stable code.
    code: String,
    /// What was expected and what was found.
    message: String,
    /// Page in the project's documentation that says what to do.
    help: String,
}

impl From<&StepError> for Fault {
    fn from(error: &StepError) -> Self {
        Self { code: error.code.to_string(), message: error.message.clone(), help: problem::help(error.code.as_str()) }
    }
}

/// An action: who did it, when and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActView {
    /// E-mail address or name of the actor.
    actor: String,
    /// Reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Time.
    at: Timestamp,
}

impl From<&Act> for ActView {
    fn from(act: &Act) -> Self {
        Self { actor: act.actor.clone(), reason: act.reason.clone(), at: act.at }
    }
}

/// The one reason why an execution will continue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WakeView {
    /// `job`, `timer`, `signal`, `person` or `never`.
    reason: &'static str,
    /// Due time of the timer, or end of the wait for a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    /// Purpose of the timer: `throttle`, `concurrency`, `delay` or `retry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    purpose: Option<TimerPurpose>,
}

impl From<&Wake> for WakeView {
    fn from(wake: &Wake) -> Self {
        let (reason, at, purpose) = match wake {
            Wake::Job => ("job", None, None),
            Wake::Timer { at, purpose } => ("timer", Some(*at), Some(*purpose)),
            Wake::Signal { until } => ("signal", *until, None),
            Wake::Person => ("person", None, None),
            Wake::Never => ("never", None, None),
        };
        Self { reason, at, purpose }
    }
}

/// A pause.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PauseView {
    /// `person`, `workflow`, `failure` or `debug`.
    #[schema(value_type = String)]
    reason: pawl_engine::PauseReason,
    /// Reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Time since which it is held.
    since: Timestamp,
    /// Who paused the execution, a person or a step of another execution; absent if its own workflow or a failure did.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
}

impl From<&Pause> for PauseView {
    fn from(pause: &Pause) -> Self {
        Self { reason: pause.reason, note: pause.note.clone(), since: pause.since, actor: pause.actor.clone() }
    }
}

/// Result of a step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepView {
    /// State of the last visit.
    #[schema(value_type = String)]
    status: pawl_engine::StepStatus,
    /// Output of the last visit.
    #[serde(skip_serializing_if = "Value::is_null")]
    output: Value,
    /// Failure of the last visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
    /// Number of visits.
    visit: u32,
    /// Attempts of the last visit.
    attempt: u32,
    /// Time when the last visit began.
    started_at: Timestamp,
    /// Time when the last attempt of the last visit began.
    attempt_started_at: Timestamp,
}

impl StepView {
    fn of(state: &StepState, output: Value) -> Self {
        Self {
            status: state.status,
            output,
            error: state.error.as_ref().map(Fault::from),
            visit: state.visit,
            attempt: state.attempt,
            started_at: state.started_at,
            attempt_started_at: state.attempt_started_at.unwrap_or(state.started_at),
        }
    }
}

/// An execution that caused another one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// Workflow.
    workflow: String,
    /// Execution.
    execution: String,
    /// The record that it ran on.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordName>,
}

/// One execution.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Execution)]
pub(crate) struct Whole {
    #[serde(flatten)]
    pub(super) summary: Summary,
    /// Number of transitions; each is a row of the history.
    seq: u64,
    /// The event that started the execution.
    event_id: String,
    /// The executions that caused the event, oldest first.
    cause: Vec<LinkView>,
    /// The execution whose step started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<ParentView>,
    /// The execution that it is a fork of.
    #[serde(skip_serializing_if = "Option::is_none")]
    fork: Option<ForkView>,
    /// Its result, if it completed and its workflow declares one.
    #[serde(skip_serializing_if = "Value::is_null")]
    output: Value,
    /// `high` or `normal`.
    priority: &'static str,
    /// The reason why the execution will continue.
    wake: WakeView,
    /// Present while paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<PauseView>,
    /// `pause` or `cancel`, while the control waits for the end of the step in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    requested: Option<&'static str>,
    /// Present while killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    killed: Option<ActView>,
    /// Variables.
    #[schema(value_type = Object)]
    variables: Map<String, Value>,
    /// Results of steps, by id.
    steps: BTreeMap<String, StepView>,
    /// Steps that failed finally.
    failed_steps: BTreeSet<String>,
    /// Whether it stops before each step. Absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    debug: bool,
    /// Number of executed steps.
    steps_done: u32,
    /// Tokens that models read and wrote.
    tokens: u64,
    /// Cost of models, in US dollars.
    usd: f64,
    /// True if a part is an estimate, because a provider did not report its tokens. Absent if nothing is estimated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    estimated: bool,
    /// The first page of the history, in the answer to a GET.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<Listing<RowView>>,
}

impl Whole {
    /// The execution with its summary, which says also what of others holds it.
    pub(super) fn of(execution: &Execution, summary: Summary) -> Self {
        let mut left = page::VALUE_MOST;
        let mut kept = |value: &Value| {
            let bytes = json::bytes(value);
            let fits = bytes <= left;
            left -= if fits { bytes } else { 0 };
            if fits { value.clone() } else { page::omitted(bytes) }
        };
        let output = kept(&execution.output);
        let variables = execution.variables.iter().map(|(name, value)| (name.clone(), kept(value))).collect();
        let step = |(id, state): (&String, &StepState)| (id.clone(), StepView::of(state, kept(&state.output)));
        let steps = execution.steps.iter().map(step).collect();
        let link = |link: &pawl_engine::Link| LinkView {
            workflow: link.workflow.clone(),
            execution: link.execution.clone(),
            record: link.record.as_ref().map(RecordName::from),
        };
        Self {
            summary,
            seq: execution.seq,
            event_id: execution.event_id.clone(),
            cause: execution.cause.chain.iter().map(link).collect(),
            parent: ParentView::of(execution),
            fork: ForkView::of(execution),
            output,
            priority: if execution.high_priority { "high" } else { "normal" },
            wake: WakeView::from(&execution.wake),
            pause: execution.pause.as_ref().map(PauseView::from),
            requested: execution.requested.as_ref().map(|requested| match requested {
                Requested::Pause(_) => "pause",
                Requested::Cancel(_) => "cancel",
            }),
            killed: execution.killed.as_ref().map(ActView::from),
            variables,
            steps,
            failed_steps: execution.failed_steps.clone(),
            debug: execution.debug.is_some(),
            steps_done: execution.steps_done,
            tokens: execution.usage.tokens,
            usd: execution.usage.usd,
            estimated: execution.usage.estimated,
            history: None,
        }
    }
}

/// One row of an execution's history: one transition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryRow)]
pub(crate) struct RowView {
    /// Number of the transition.
    seq: u64,
    /// Time of the commit.
    at: Timestamp,
    /// `created`, `started`, `step`, `control`, `moved`, `slot`, `limit` or `debug`.
    #[schema(value_type = String)]
    kind: RowKind,
    /// Revision of the workflow.
    revision: u64,
    /// State of the execution after the transition.
    #[schema(value_type = String)]
    execution: Status,
    /// The trigger that started the execution, in its first row; absent of lanes, forks and reruns.
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<String>,
    /// Step.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// Address, if the row is about a part of the step: `answer.2` is the second call of a visit of `answer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Type of the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    step_type: Option<String>,
    /// State of the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    status: Option<pawl_engine::StepStatus>,
    /// Visit of the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    visit: Option<u32>,
    /// Attempt of the visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// Time when the visit began.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    /// Time when this attempt of the visit began.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_started_at: Option<Timestamp>,
    /// Duration of this attempt so far, in milliseconds, with a completed wait included.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// Evaluated input, with secrets redacted.
    #[serde(skip_serializing_if = "Value::is_null")]
    input: Value,
    /// Output.
    #[serde(skip_serializing_if = "Value::is_null")]
    output: Value,
    /// Branch that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// Failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
    /// Reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// Due time of a wait or a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    /// Tokens that a model read and wrote in this transition.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u64>,
    /// Cost of the model in this transition, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    usd: Option<f64>,
    /// True if tokens and cost are partly an estimate, because the provider did not report the tokens. Absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    estimated: bool,
    /// Origin of the output: for a model call `{model, max_tokens, answer}`; `answer` is the raw answer, with `text`,
    /// `finish_reason`, `model`, `input_tokens`, `output_tokens`, `usd` and `latency_ms`.
    #[serde(skip_serializing_if = "Value::is_null")]
    trace: Value,
}

impl From<Row> for RowView {
    fn from(row: Row) -> Self {
        let (attempt_started_at, duration_ms) = (row.attempt_began(), row.duration_ms());
        Self {
            seq: row.seq,
            at: row.at,
            kind: row.kind,
            revision: row.revision,
            execution: row.execution,
            trigger: row.trigger,
            step: row.step,
            address: row.address.as_ref().map(ToString::to_string),
            step_type: row.step_type,
            status: row.status,
            visit: row.visit,
            attempt: row.attempt,
            started_at: row.started_at,
            attempt_started_at,
            duration_ms,
            input: page::shown(row.input),
            output: page::shown(row.output),
            branch: row.branch,
            error: row.error.as_ref().map(Fault::from),
            note: row.note,
            actor: row.actor,
            due: row.due,
            tokens: Some(row.usage.tokens).filter(|tokens| *tokens > 0),
            usd: Some(row.usage.usd).filter(|usd| *usd > 0.0),
            estimated: row.usage.estimated,
            trace: page::shown(row.trace),
        }
    }
}
