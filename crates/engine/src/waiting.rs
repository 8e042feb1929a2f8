//! What becomes of an execution that waits: its time comes, an event comes, or an edit takes its step away.

use pawl_definition::Step;

use crate::draft::Draft;
use crate::steps::{self, OnEvent, Refusal, StepContext, StepDecision};
use crate::{
    Activity, Context, Decision, Event, Execution, Found, Performed, RowKind, Status, Stay, StepStatus, Wake,
    transition,
};

/// Its step was deleted: it moves to the step's former successor.
pub(crate) fn moved(cx: &Context<'_>, execution: &Execution, deleted: &str) -> Decision {
    let mut draft = moving(cx, execution, deleted);
    let mut from = deleted.to_owned();
    let next = loop {
        // What follows the loop is not for the one that carries out a part of its items.
        let former = cx.former.filter(|_| !execution.is_slice_of(&from));
        let mut next = former.and_then(|former| former.successor(&from));
        while let Some(id) = next.filter(|id| cx.plan.step(id).is_none()) {
            next = cx.former.and_then(|former| former.successor(id));
        }
        // The loop around it was deleted as well.
        let around =
            draft.execution.frames.last().filter(|frame| next.is_none() && cx.plan.step(&frame.step).is_none());
        let Some(around) = around.map(|frame| frame.step.clone()) else { break next };
        draft.pop_frame();
        from = around;
    };
    let note = match next {
        Some(id) => format!("the step was deleted; goes on at its former successor {id}"),
        None => "the step was deleted and nothing followed it".to_owned(),
    };
    draft.row.note = Some(note);
    if next.is_some() {
        return draft.at(next).commit();
    }
    let mut draft = draft.completed(None);
    // A slice whose loop was deleted leaves its item unfinished. An edit may bring the loop back before it looks.
    let cut_off = steps::report(execution).filter(|_| draft.execution.status.is_ended());
    draft.execution.output = cut_off.unwrap_or(draft.execution.output);
    draft.commit()
}

/// Its step is of another type since an edit: it begins anew.
pub(crate) fn replaced(cx: &Context<'_>, execution: &Execution, step: &Step) -> Decision {
    replaced_after(cx, execution, step, None)
}

/// Its step is of another type since an edit, which was made while the effect of the former step was out: the row keeps
/// what came of that effect, and the step begins anew.
pub(crate) fn replaced_after(
    cx: &Context<'_>,
    execution: &Execution,
    step: &Step,
    result: Option<(&Activity, &Performed)>,
) -> Decision {
    let former = execution.entered.as_deref().unwrap_or("step");
    let cut_off = execution.leases.is_of_another(cx.invocation);
    let of_effect = match result {
        Some(_) => format!("; this row has the result of the {former}"),
        None if cut_off => format!("; the result of the {former} is unknown, because its process died"),
        None => String::new(),
    };
    let note = format!("an edit changed the step's type to {}: the step starts again{of_effect}", step.kind.tag());
    let mut draft = moving(cx, execution, &step.id);
    draft.row.note = Some(note);
    draft.row.step_type = Some(former.to_owned());
    if let Some((activity, performed)) = result {
        draft.performed(activity, performed);
        draft.row.output = performed.output.clone();
        draft.row.error.clone_from(&performed.error);
    }
    if execution.is_slice_of(&step.id) {
        return draft.end(Status::Canceled, Some("an edit took its loop away".to_owned())).commit();
    }
    draft.at(Some(&step.id)).paused_as(execution).commit()
}

fn moving<'a>(cx: &'a Context<'_>, execution: &Execution, from: &str) -> Draft<'a> {
    let mut draft = Draft::new(cx, execution, RowKind::Moved);
    draft.row.step = Some(from.to_owned());
    draft.execution.status = Status::Running;
    draft
}

/// Whether the step at its cursor is of another type than the one that it has begun there.
pub(crate) fn is_replaced(execution: &Execution, step: &Step) -> bool {
    execution.entered.as_deref().is_some_and(|entered| entered != step.kind.tag())
}

/// The time came that the step waited for, or what it asked for to go on is there.
pub(crate) fn due(cx: &Context<'_>, execution: &Execution, step: &Step, found: Option<&Found>) -> Decision {
    let draft = Draft::step(cx, execution, step);
    let at = StepContext { cx, execution, step, state: draft.state() };
    let waits = draft.state().status == StepStatus::Waiting;
    let handler = steps::handler(&step.kind);
    let next = match found {
        Some(Found { refused: Some(error), .. }) => Err(error.clone()),
        Some(found) => handler.found(&at, found),
        None => handler.due(&at),
    };
    match next {
        // It looked, and found nothing: that is no transition.
        Ok(StepDecision::Wait(on)) if waits && !on.is_news => {
            let mut waiting = transition::begin_wait(draft, *on);
            waiting.execution.revision = execution.revision;
            Decision::Postpone(Box::new(waiting.unnumbered()))
        }
        next => transition::goes_on(draft, step, next),
    }
}

/// An event came on a topic that its step listens on. A paused execution records the event and stays paused. One
/// that does not wait, because its call is out or will be made again, keeps what it received.
pub(crate) fn on_event(cx: &Context<'_>, execution: &Execution, event: &Event) -> Decision {
    let (Some(id), true) = (execution.cursor.as_deref(), execution.waiting.is_some()) else {
        return Decision::Stay(Stay::NotWaiting);
    };
    let held = execution.pause.as_ref();
    let waits = held.map_or(execution.status, |pause| pause.status) == Status::Waiting;
    let step = match cx.plan.step(id) {
        Some(step) if !is_replaced(execution, step) => step,
        // The one who holds it, or the end of its call, lets it go on.
        _ if held.is_some() || !waits => return Decision::Stay(Stay::NoMatch),
        Some(step) => return replaced(cx, execution, step),
        None => return moved(cx, execution, id),
    };
    let draft = Draft::step(cx, execution, step);
    let at = StepContext { cx, execution, step, state: draft.state() };
    match (steps::handler(&step.kind).event(&at, event), held) {
        (Ok(OnEvent::Due(checkpoint)), _) => due_soon(draft, execution, checkpoint, false),
        _ if !waits => Decision::Stay(Stay::NoMatch),
        (Ok(OnEvent::Done(done)), Some(pause)) => draft.done(step, *done).held_on(execution, pause).commit(),
        (Ok(OnEvent::Done(done)), None) => draft.done(step, *done).commit(),
        (Ok(OnEvent::Nothing), _) => waits_on(draft, execution, step),
        (Ok(OnEvent::Refused(refusal)), _) => refused(draft, *refusal),
        // The one who holds it meets the failure on resuming it.
        (Err(_), Some(_)) => Decision::Stay(Stay::NoMatch),
        (Err(error), None) => draft.failed(step, error, false).commit(),
    }
}

/// What it waits for is there, but it cannot end at once: it keeps what it received, and its wait is over. That is no
/// transition; the one that follows from it is. `is_said_again`: it is written although it is due already.
fn due_soon(mut draft: Draft<'_>, before: &Execution, checkpoint: serde_json::Value, is_said_again: bool) -> Decision {
    let now = draft.cx.now;
    let is_new = draft.state().checkpoint != checkpoint;
    draft.state_mut().checkpoint = checkpoint;
    let status = draft.execution.status;
    let wake = match &mut draft.execution.pause {
        Some(pause) => Some(&mut pause.wake).filter(|_| pause.status == Status::Waiting),
        None => Some(&mut draft.execution.wake).filter(|_| status == Status::Waiting),
    };
    let is_later =
        wake.as_deref().is_some_and(|wake| matches!(wake, Wake::Signal { until } if until.is_none_or(|at| at > now)));
    if !is_new && !is_later && !is_said_again {
        return Decision::Stay(Stay::Unchanged);
    }
    if let Some(wake) = wake {
        *wake = Wake::Signal { until: Some(now) };
    }
    draft.execution.revision = before.revision;
    Decision::Postpone(Box::new(draft.unnumbered()))
}

/// A goal that is met by now goes on, and so does what waits at a step that is not there any more.
pub(crate) fn looks_again(cx: &Context<'_>, execution: &Execution) -> Decision {
    let Some(id) = execution.cursor.as_deref().filter(|_| execution.status == Status::Waiting) else {
        return Decision::Stay(Stay::NotWaiting);
    };
    let Some(step) = cx.plan.step(id) else { return moved(cx, execution, id) };
    if is_replaced(execution, step) {
        return replaced(cx, execution, step);
    }
    let draft = Draft::step(cx, execution, step);
    let at = StepContext { cx, execution, step, state: draft.state() };
    match steps::handler(&step.kind).again(&at) {
        Ok(Some(done)) => draft.done(step, done).commit(),
        Ok(None) if steps::handler(&step.kind).looks_when_freed() => {
            let checkpoint = at.state.checkpoint.clone();
            // A look that is under way may have read a child before it ended: that look must not be the last word.
            let has_ended = cx.children.values().any(|child| child.status.is_ended());
            due_soon(draft, execution, checkpoint, has_ended)
        }
        // A condition that cannot be evaluated fails the step with the next event, as it would have.
        Ok(None) | Err(_) => waits_on(draft, execution, step),
    }
}

/// It waits on. A goal listens on what it reads by now: its record may lead to another one, or an edit made it read
/// others. What was stalled because news for it was given up is not stalled any more: it has looked.
fn waits_on(mut draft: Draft<'_>, before: &Execution, step: &Step) -> Decision {
    draft.row.note = if listen(&mut draft, step) {
        Some("listens anew: what it reads has changed".to_owned())
    } else if before.stalled && !before.is_due(draft.cx.now) {
        Some("waits on: it was stalled and looked again".to_owned())
    } else {
        return Decision::Stay(Stay::Unchanged);
    };
    draft.set_status(StepStatus::Waiting);
    draft.row.due = due_of(&draft);
    if steps::handler(&step.kind).looks_when_freed() {
        let wake = Wake::Signal { until: Some(draft.cx.now) };
        match &mut draft.execution.pause {
            Some(pause) => pause.wake = wake,
            None => draft.execution.wake = wake,
        }
    }
    draft.commit()
}

/// What came does not fit: it is taken away, and the step waits on.
fn refused(mut draft: Draft<'_>, refusal: Refusal) -> Decision {
    draft.set_status(StepStatus::Waiting);
    draft.row.note = Some(refusal.note);
    draft.row.due = due_of(&draft);
    draft.effects = refusal.effects;
    draft.commit()
}

/// When a wait ends at the latest.
fn due_of(draft: &Draft<'_>) -> Option<jiff::Timestamp> {
    match draft.execution.pause.as_ref().map_or(&draft.execution.wake, |pause| &pause.wake) {
        Wake::Signal { until } => *until,
        _ => None,
    }
}

/// Lets a goal listen on what it reads by now; `false` if it does already.
fn listen(draft: &mut Draft<'_>, step: &Step) -> bool {
    let at = StepContext { cx: draft.cx, execution: &draft.execution, step, state: draft.state() };
    let Some(listening) = steps::handler(&step.kind).listens(&at) else { return false };
    let Some(waiting) = draft.execution.waiting.as_mut() else { return false };
    if waiting.topics == listening.topics {
        return false;
    }
    waiting.topics = listening.topics;
    draft.checks = listening.checks;
    true
}

/// Looks again at what it waits for: while it was held by a person or a kill, its record or its workflow may have
/// changed.
pub(crate) fn look_again(mut draft: Draft<'_>) -> Draft<'_> {
    let cx = draft.cx;
    let held = cx.killed || draft.execution.killed.is_some();
    if held || draft.execution.status != Status::Waiting {
        return draft;
    }
    let step = draft.execution.cursor.as_deref().and_then(|id| cx.plan.step(id));
    let Some(step) = step.filter(|step| !is_replaced(&draft.execution, step)) else {
        // An edit took its step away, or put another one in its place: it moves on, or enters that, as soon as it runs.
        draft.execution.status = Status::Running;
        draft.execution.wake = Wake::Job;
        draft.execution.entered = None;
        draft.execution.waiting = None;
        return draft;
    };
    let at = StepContext { cx, execution: &draft.execution, step, state: draft.state() };
    // A condition that cannot be evaluated fails the step with the next event, as it would have.
    if let Ok(Some(done)) = steps::handler(&step.kind).again(&at) {
        return draft.done(step, done);
    }
    listen(&mut draft, step);
    // A child may have ended since the look, and have been told that nobody waits; a signal may have passed it over.
    if !steps::awaited_children(&draft.execution).is_empty() || steps::handler(&step.kind).looks_when_freed() {
        draft.execution.wake = Wake::Signal { until: Some(cx.now) };
    }
    draft
}
