//! An execution in a listing: where it stands, what holds it, and what it waits for.

use jiff::Timestamp;
use pawl_engine::{Act, Execution, OutcomeStatus, PauseReason, Status};
use serde::Serialize;

use super::view::{Fault, RecordName};
use super::waits::WaitView;
use crate::describe::ToSchema;

/// An execution in a listing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExecutionSummary)]
pub(crate) struct Summary {
    /// Id.
    id: String,
    /// Workflow.
    workflow: String,
    /// The part of the workflow that it runs: a lane of a branch as `step.lane`, or items of a loop as `step[7-11]`; absent if
    /// it runs the whole workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<String>,
    /// Revision of the workflow that the last transition used.
    revision: u64,
    /// State: `queued`, `running`, `waiting`, `paused`, `completed`, `canceled` or `failed`.
    #[schema(value_type = String)]
    status: Status,
    /// Indicators beside the state: `throttled`, `stalled`, `killed`, `has_failures`, `over_budget`.
    indicators: Vec<&'static str>,
    /// Whether the execution reached what its workflow is for: `reached`, `not_reached`, or `unknown` if that could not be
    /// computed. Absent before it completed, and if its workflow has no `outcome`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    outcome: Option<OutcomeStatus>,
    /// The record that the execution runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordName>,
    /// The step that the execution is at, or will enter next.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Time when the execution continues by itself; absent while it is paused or killed, while a call is in progress,
    /// and if only a signal
    /// can wake it.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// Present while the execution is paused or killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<HeldView>,
    /// What the execution waits for; any of these continues it. Empty if it does not wait.
    waits_for: Vec<WaitView>,
    /// The outside call in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_progress: Option<CallView>,
    /// Time of creation.
    created_at: Timestamp,
    /// Time when the execution began to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    /// Time of the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// Time until which the ended execution is kept; absent, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// Time when its values were forgotten, with a record that it had read.
    #[serde(skip_serializing_if = "Option::is_none")]
    forgotten_at: Option<Timestamp>,
    /// Time of the last change.
    updated_at: Timestamp,
    /// Reason of the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The failure that ended or paused the execution, or after which its step is retried.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
}

/// What holds an execution until a person acts.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Held)]
pub(crate) struct HeldView {
    /// `kill`, or of a pause `person`, `workflow`, `failure` or `debug`.
    by: &'static str,
    /// What was killed: `execution`, `workflow` or `installation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    /// Time since which it is held.
    since: Timestamp,
    /// Who holds it, a person or a step of another execution; absent if its own workflow or a failure does.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// Reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl HeldView {
    /// By a kill of this scope.
    pub(super) fn killed(act: &Act, scope: &'static str) -> Self {
        let (actor, reason) = (Some(act.actor.clone()), act.reason.clone());
        Self { by: "kill", scope: Some(scope), since: act.at, actor, reason }
    }

    fn of(execution: &Execution) -> Option<Self> {
        if execution.status.is_ended() {
            return None;
        }
        if let Some(act) = &execution.killed {
            return Some(Self::killed(act, "execution"));
        }
        let pause = execution.pause.as_ref()?;
        let by = match pause.reason {
            PauseReason::Person => "person",
            PauseReason::Workflow => "workflow",
            PauseReason::Failure => "failure",
            PauseReason::Debug => "debug",
        };
        let (actor, reason) = (pause.actor.clone(), pause.note.clone());
        Some(Self { by, scope: None, since: pause.since, actor, reason })
    }
}

/// An outside call in progress.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallInProgress)]
pub(crate) struct CallView {
    /// Step.
    step: String,
    /// Address of the call: the step, or a part of the step; `answer.2` is the second call of a visit of `answer`.
    address: String,
    /// Attempt of the step's present visit.
    attempt: u32,
    /// Time of the claim.
    since: Timestamp,
    /// End of the lease: after this time the process counts as dead, and another one continues the step.
    until: Timestamp,
}

impl CallView {
    fn of(execution: &Execution) -> Option<Self> {
        let ((address, lease), step) = (execution.leases.iter().next()?, execution.cursor.clone()?);
        let address = address.to_string();
        Some(Self { step, address, attempt: lease.attempt, since: lease.claimed_at, until: lease.until })
    }
}

impl Summary {
    /// Where it stands, by its own head and what its step waits for.
    pub(super) fn of(execution: &Execution, waits_for: Vec<WaitView>) -> Self {
        let held = HeldView::of(execution);
        let in_progress = CallView::of(execution);
        let is_due_by_itself = held.is_none() && in_progress.is_none();
        Self {
            id: execution.id.clone(),
            workflow: execution.workflow.clone(),
            lane: execution.region.as_ref().map(ToString::to_string),
            revision: execution.revision,
            status: execution.status,
            indicators: execution.indicators(),
            outcome: execution.outcome,
            record: execution.record.as_ref().map(RecordName::from),
            cursor: execution.cursor.clone(),
            due_at: execution.due_at().filter(|_| is_due_by_itself),
            held,
            waits_for,
            in_progress,
            created_at: execution.created_at,
            started_at: execution.started_at,
            ended_at: execution.ended_at,
            expires_at: execution.expires_at,
            forgotten_at: execution.forgotten,
            updated_at: execution.updated_at,
            reason: execution.reason.clone(),
            error: error(execution),
        }
    }

    /// Whether it has this indicator.
    pub(super) fn has(&self, indicator: &str) -> bool {
        self.indicators.contains(&indicator)
    }

    /// So many of the children that it waits for are stalled.
    pub(super) fn stalled_children(&mut self, stalled: usize) {
        self.waits_for.iter_mut().for_each(|wait| wait.with_stalled(stalled));
    }

    /// A kill of its workflow or of everything holds it.
    pub(super) fn hold(&mut self, by: &HeldView) {
        if !self.has("killed") {
            let before = |word: &&str| matches!(*word, "throttled" | "stalled");
            let place = self.indicators.iter().take_while(|word| before(word)).count();
            self.indicators.insert(place, "killed");
        }
        if self.held.as_ref().is_none_or(|held| held.by != "kill") {
            self.held = Some(by.clone());
        }
        self.due_at = None;
    }
}

/// The failure that ended it; else that of the step that it stands at, which paused it or is followed by a retry.
fn error(execution: &Execution) -> Option<Fault> {
    let at_cursor = || execution.steps.get(execution.cursor.as_deref()?)?.error.as_ref();
    let error = if execution.status.is_ended() { execution.error.as_ref() } else { at_cursor() };
    error.map(Fault::from)
}
