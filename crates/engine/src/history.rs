//! A history row: one transition of an execution.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Address, Status, StepError, StepStatus, Usage};

/// What kind of transition it was. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// The execution was made.
    Created,
    /// It began: variables were set.
    Started,
    /// A step ended, waits or will be retried.
    Step,
    /// A person or system acted: pause, resume, cancel, retry, skip, step, run, kill.
    Control,
    /// Its step was deleted by an edit, and it moved on.
    Moved,
    /// It goes on after a wait: it has a slot of `limits.concurrency` again.
    Slot,
    /// It stopped before a step, as its start asked.
    Debug,
    /// A limit ended it, or what is left of one was counted anew.
    Limit,
}

/// One row of an execution's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Number of the transition; rows of an execution have neither gaps nor twins.
    pub seq: u64,
    /// When it committed, by the clock of the one who decided.
    pub at: Timestamp,
    /// Kind.
    pub kind: RowKind,
    /// Revision of the workflow.
    pub revision: u64,
    /// The trigger that started the execution, in the row of its creation; none of a part, a fork and a rerun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// Step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Where in the execution, if it is about a part of the step: `answer.2` is the second call of a visit of `answer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Type of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_type: Option<String>,
    /// State of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
    /// Visit of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<u32>,
    /// Attempt of the visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When the visit began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When this attempt of the visit began; left out where it is stored if the visit began with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_started_at: Option<Timestamp>,
    /// Input as resolved, secrets redacted.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub input: Value,
    /// Output.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// Branch that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// In words: a note, what was waited for, why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// When a wait or a retry is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// What models cost.
    #[serde(default, skip_serializing_if = "Usage::is_zero")]
    pub usage: Usage,
    /// How the output came about: of a model call, `{model, max_tokens, answer:
    /// {text, finish_reason, model, input_tokens, output_tokens, estimated, usd, latency_ms}}`, the answer as it came.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub trace: Value,
    /// What it was decided on outside the head: a list of [`crate::Observed`], the last of this transition, those before it
    /// of what was written of the head without a row; nothing if a message let it go on and it read nothing.
    #[serde(rename = "seen", default, skip_serializing_if = "Value::is_null")]
    pub observed: Value,
    /// State of the execution after the transition; left out where it is stored if it runs, as it mostly does.
    #[serde(default = "running", skip_serializing_if = "is_running")]
    pub execution: Status,
}

impl StepStatus {
    /// Its word, as rows have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Canceled => "canceled",
            Self::TimedOut => "timed_out",
        }
    }
}

impl Row {
    /// When the attempt that this row is about began; `None` if it is about no attempt of a step.
    pub fn attempt_began(&self) -> Option<Timestamp> {
        self.attempt_started_at.or(self.started_at)
    }

    /// How long the attempt had taken when this row was decided, in milliseconds; for a wait that is over, the wait
    /// included. A clock that went back counts as no time.
    pub fn duration_ms(&self) -> Option<u64> {
        let began = self.attempt_began()?;
        Some(u64::try_from(self.at.duration_since(began).as_millis()).unwrap_or(0))
    }
}

fn running() -> Status {
    Status::Running
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_running(status: &Status) -> bool {
    *status == Status::Running
}
