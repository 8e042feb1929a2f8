//! Slots of `limits.concurrency`: the key that an execution counts for, and when it takes, gives back and awaits a slot.

use std::rc::Rc;

use jiff::SignedDuration;
use pawl_definition::{Concurrency, Expression, ExpressionError, SlotHold, value};
use serde_json::Value;

use crate::context::StepScope;
use crate::draft::Draft;
use crate::{
    Context, Decision, Execution, Observed, Row, RowKind, Status, Stay, StepCode, StepError, TimerPurpose, Wake,
    coerce, ids,
};

/// How long a place in the line is kept before it is asked for again, in seconds: a quarter of the time that was
/// waited already, within these bounds. A place that becomes free wakes the oldest in line at once; this is the safety
/// net, and must not cost a write every few seconds behind an execution that takes days.
const LINE_LEAST_S: i64 = 15;
const LINE_MOST_S: i64 = 300;

/// The longest text that is a key as it is, in bytes. It stands in the head.
const KEY_MOST: usize = 128;

/// The key that an expression gives for an execution that is being created: the text of the value, or its digest if it is
/// long. What the event does not have is blank, and so is the key then.
///
/// # Errors
/// The expression cannot be evaluated.
pub fn key(per: &Expression, cx: &Context<'_>, execution: &Execution) -> Result<String, StepError> {
    let scope = StepScope { cx, execution, secrets: false, meter: Rc::default(), answer: None };
    let value = match per.evaluate(&scope) {
        Err(ExpressionError::Missing { .. }) => Value::Null,
        value => value?,
    };
    if coerce::is_blank(&value) {
        return Ok(String::new());
    }
    if value.is_array() || value.is_object() {
        let found = coerce::short(&value);
        let message = format!("expected a text, a number or true or false, found {found}");
        return Err(StepError::new(StepCode::WrongType, message));
    }
    let text = value::text_of(&value);
    Ok(if text.len() <= KEY_MOST { text } else { format!("digest:{}", ids::value_digest(&text)) })
}

/// Lets an execution that is being created count for a key, and its first row keep that.
pub fn count_for(execution: &mut Execution, row: &mut Row, key: Option<String>) {
    if key.is_some() {
        row.observed = Observed::stored(&[Observed { slot_key: key.clone(), ..Observed::default() }]);
    }
    execution.slot_key = key;
}

/// Takes a slot that is free, and holds it as long as the limit says.
pub(crate) fn take(execution: &mut Execution, slot: u16, limit: &Concurrency) {
    execution.holds_slot = Some(slot);
    execution.slot_while_running = limit.hold == SlotHold::Running;
}

/// The execution waits or is paused: it gives its slot back if it holds one only while it runs.
pub(crate) fn give_back(execution: &mut Execution) {
    if execution.slot_while_running {
        execution.holds_slot = None;
    }
}

/// What an execution decides that has to take a slot before its step; `None` if it may go on.
pub(crate) fn before_step(cx: &Context<'_>, execution: &Execution) -> Option<Decision> {
    let limit = cx.plan.workflow.limits.concurrency.as_ref().filter(|_| execution.lacks_slot())?;
    let mut draft = Draft::new(cx, execution, RowKind::Slot);
    draft.execution.status = Status::Running;
    let Some(slot) = cx.free_slot else { return Some(in_line(draft, execution)) };
    draft.row.step.clone_from(&execution.cursor);
    draft.execution.wake = Wake::Job;
    take(&mut draft.execution, slot, limit);
    Some(draft.commit())
}

/// Waits for a slot. A place in the line is asked for by any job, not only by the timer.
pub(crate) fn in_line(draft: Draft<'_>, execution: &Execution) -> Decision {
    let now = draft.cx.now;
    // Another job has asked before: a job that comes too early must not add one more to the line.
    if matches!(execution.wake, Wake::Timer { at, purpose: TimerPurpose::Concurrency } if at > now) {
        return Decision::Stay(Stay::InLine);
    }
    let waited = now.duration_since(execution.created_at).as_secs();
    let at = now + SignedDuration::from_secs((waited / 4).clamp(LINE_LEAST_S, LINE_MOST_S));
    Decision::Postpone(Box::new(draft.postponed(Wake::Timer { at, purpose: TimerPurpose::Concurrency })))
}
