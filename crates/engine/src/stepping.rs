//! Executions that stop before each step, because their start asked for it, and what the step that one stands before would do.
//!
//! The stop is a transition of its own, before anything of the step is decided. So it holds for every way that leads to a step: the
//! step before it, a jump, an edit, the begin of an item.

use std::sync::OnceLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::draft::Draft;
use crate::transition::enter;
use crate::{
    Commit, Context, Decision, Execution, Found, PauseReason, Read, RowKind, Status, StepError, StepStatus, Wake,
};

/// An execution stops before each step. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stepping {
    /// The step that a person lets it carry out, until it has entered that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may: Option<String>,
}

impl Execution {
    /// The step that it stands before and has not entered, while it is paused.
    pub fn stands_before(&self) -> Option<&str> {
        let is_before = self.status == Status::Paused && self.entered.is_none();
        let runs_on = self.pause.as_ref().is_some_and(|pause| pause.status == Status::Running);
        self.cursor.as_deref().filter(|_| is_before && runs_on)
    }

    /// Whether it stopped before a step because its start asked for it.
    pub(crate) fn is_paused_by_debug(&self) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Debug)
    }

    /// Lets it carry out the step at its cursor, if it stops before each.
    pub(crate) fn may_go_on(&mut self) {
        if let Some(stepping) = &mut self.debug {
            stepping.may.clone_from(&self.cursor);
        }
    }

    /// It has entered a step: it stops before the next one.
    pub(crate) fn has_stepped(&mut self) {
        if let Some(stepping) = &mut self.debug {
            stepping.may = None;
        }
    }
}

/// Stops before the step at the cursor, if the execution is to; `None` if it may go on. A loop goes on from item to item, and a
/// slice of one begins, without a stop: the steps of the item are stopped before.
pub(crate) fn before_step(cx: &Context<'_>, execution: &Execution) -> Option<Decision> {
    let stepping = execution.debug.as_ref()?;
    let step = cx.plan.step(execution.cursor.as_deref()?)?;
    let may = stepping.may.as_ref() == Some(&step.id) || execution.is_slice_of(&step.id);
    if execution.entered.is_some() || may {
        return None;
    }
    let mut draft = Draft::step(cx, execution, step);
    draft.row.kind = RowKind::Debug;
    let note = format!("stops before step {}, as its start asked", step.id);
    draft.row.note = Some(note.clone());
    draft.execution.status = Status::Running;
    draft.execution.wake = Wake::Job;
    Some(draft.paused(PauseReason::Debug, Some(note)).commit())
}

/// What a paused execution would decide if it entered the step that it stands before; `None` if it stands before none.
/// Nothing comes of it.
pub fn try_enter(cx: &Context<'_>, execution: &Execution, found: Option<&Found>) -> Option<Decision> {
    let step = cx.plan.step(execution.stands_before()?)?;
    let mut head = execution.clone();
    (head.pause, head.status, head.wake) = (None, Status::Running, Wake::Job);
    let lacking = OnceLock::new();
    let decision = enter(&cx.noting(&lacking), &head, step, found);
    Some(lacking.get().map_or(decision, |lookup| Decision::Read(Read::Lookup(lookup.clone()))))
}

/// What a step would do, as its history would show it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    /// Its state after that: `running` if it would make a call.
    pub status: Option<StepStatus>,
    /// Evaluated input, with secrets redacted.
    pub input: Value,
    /// Output, unless only a call or a wait gives it.
    pub output: Value,
    /// Branch that it would take.
    pub branch: Option<String>,
    /// Why it would fail.
    pub error: Option<StepError>,
    /// In words.
    pub note: Option<String>,
    /// When its wait or its retry would be due.
    pub due: Option<Timestamp>,
}

impl Preview {
    /// Of what was decided.
    pub fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Commit(commit) => Self::of_commit(commit),
            Decision::Perform(claim) => {
                Self { status: Some(StepStatus::Running), input: claim.activity.input(), ..Self::default() }
            }
            Decision::Read(read) => Self { status: Some(StepStatus::Running), input: of_read(read), ..Self::default() },
            Decision::Stay(_) | Decision::Postpone(_) => Self::default(),
        }
    }

    fn of_commit(commit: &Commit) -> Self {
        let row = &commit.row;
        Self {
            status: row.status,
            input: row.input.clone(),
            output: row.output.clone(),
            branch: row.branch.clone(),
            error: row.error.clone(),
            note: row.note.clone(),
            due: row.due,
        }
    }
}

/// A read whose answer the step would decide by.
fn of_read(read: &Read) -> Value {
    read.objects().first().map_or(Value::Null, |object| serde_json::json!({"object": object}))
}
