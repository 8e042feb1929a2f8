//! Controls of people and systems: pause, resume, cancel, retry, skip, step, run, kill.

use pawl_definition::Take;

use crate::draft::Draft;
use crate::waiting::look_again;
use crate::{
    Act, Context, Control, DEATHS_MOST, Decision, Execution, Hold, Illegal, PauseReason, Refused, Requested, RowKind,
    Status, Stay, StepStatus, TransitionError, Wake,
};

/// Ids of controls of steps that an execution keeps. A call is repeated within minutes, and few steps control the same
/// execution meanwhile.
const STEP_CONTROLS: usize = 8;

/// Applies a control. Repeating it changes nothing; one that does not fit the state is refused.
pub(crate) fn apply(
    cx: &Context<'_>,
    execution: &Execution,
    control: &Control,
    act: &Act,
) -> Result<Decision, TransitionError> {
    let draft = || row(cx, execution, control, act);
    let illegal = |detail| Err(Refused::Illegal { control: control.word(), status: execution.status, detail }.into());
    if act.id.as_ref().is_some_and(|id| execution.step_controls.contains(id)) {
        return Ok(Decision::Stay(Stay::AlreadyDone));
    }
    match control {
        Control::Stall if execution.stalled || execution.status.is_ended() => Ok(Decision::Stay(Stay::AlreadyDone)),
        Control::Stall => Ok(stalled(draft())),
        Control::Cancel if execution.status == Status::Canceled => Ok(Decision::Stay(Stay::AlreadyDone)),
        Control::Resume | Control::Retry if execution.stalled && execution.status != Status::Paused => {
            Ok(draft().commit())
        }
        _ if is_repeated(execution, control) => Ok(Decision::Stay(Stay::AlreadyDone)),
        _ if execution.status.is_ended() => illegal("it has ended"),
        Control::Kill if execution.killed.is_some() => Ok(Decision::Stay(Stay::AlreadyDone)),
        Control::Kill => Ok(killed(draft(), Some(act.clone()))),
        Control::Lift if execution.killed.is_none() => Ok(Decision::Stay(Stay::AlreadyDone)),
        Control::Lift => Ok(killed(draft(), None)),
        Control::Pause if matches!(execution.requested, Some(Requested::Pause(_))) => {
            Ok(Decision::Stay(Stay::AlreadyDone))
        }
        Control::Pause if execution.status == Status::Paused => Ok(Decision::Stay(Stay::AlreadyDone)),
        Control::Cancel if matches!(execution.requested, Some(Requested::Cancel(_))) => {
            Ok(Decision::Stay(Stay::AlreadyDone))
        }
        Control::Pause if matches!(execution.requested, Some(Requested::Cancel(_))) => illegal("it is being canceled"),
        Control::Pause if !execution.leases.is_empty() => Ok(requested(draft(), Requested::Pause(act.clone()))),
        Control::Pause => Ok(paused(draft(), act)),
        Control::Cancel if !execution.leases.is_empty() => Ok(requested(draft(), Requested::Cancel(act.clone()))),
        Control::Cancel => Ok(canceled(draft(), act)),
        Control::Resume if execution.status != Status::Paused => Ok(resume_running(draft(), execution)),
        Control::Resume if is_paused_by_failure(execution) => illegal("a step failed: retry or skip it, or cancel"),
        Control::Step if !execution.is_paused_by_debug() => {
            illegal("it has not stopped before a step, as a start can ask for")
        }
        Control::Step => stepped(draft()),
        Control::Run if execution.debug.is_none() => illegal("it does not stop before its steps"),
        Control::Resume | Control::Skip { .. } if execution.is_paused_by_debug() && act.id.is_some() => {
            illegal("it is stepped by a person: step, skip or run it by itself")
        }
        Control::Resume | Control::Run if execution.is_paused_by_debug() => resumed(without_stops(draft())),
        Control::Run => Ok(without_stops(draft()).commit()),
        Control::Resume => resumed(draft()),
        Control::Skip { take } if execution.is_paused_by_debug() => skipped(cx, draft(), *take, control),
        Control::Retry | Control::Skip { .. } if !is_paused_by_failure(execution) => {
            illegal("no step of it waits for a decision on its failure")
        }
        Control::Retry => Ok(retried(draft())),
        Control::Skip { take } => skipped(cx, draft(), *take, control),
    }
}

/// Applies a pause or cancel that waited for the step in progress.
pub(crate) fn obey(cx: &Context<'_>, execution: &Execution, request: &Requested) -> Decision {
    match request {
        Requested::Pause(act) => paused(row(cx, execution, &Control::Pause, act), act),
        Requested::Cancel(act) => canceled(row(cx, execution, &Control::Cancel, act), act),
    }
}

/// Marks the execution as stalled: processes died in its present step again and again. What is known of the
/// effect in progress is kept for the person who continues the execution.
pub(crate) fn stalled_by_deaths(cx: &Context<'_>, execution: &Execution) -> Decision {
    let step = execution.cursor.as_deref().unwrap_or("-");
    let why = format!("the process died {DEATHS_MOST} times in a row in step {step}");
    let act = Act { actor: "executor".to_owned(), reason: Some(why), at: cx.now, id: None };
    stalled(row(cx, execution, &Control::Stall, &act))
}

/// Cancels an execution whose parent waited for it and was canceled.
pub(crate) fn canceled_with_parent(cx: &Context<'_>, execution: &Execution, parent: &str) -> Decision {
    let act = act_of_parent(cx, execution, parent);
    canceled(row(cx, execution, &Control::Cancel, &act), &act)
}

/// Lets an execution be canceled as soon as the call that another invocation makes has ended: who waited for it was canceled.
pub(crate) fn cancel_requested(cx: &Context<'_>, execution: &Execution, parent: &str) -> Decision {
    if matches!(execution.requested, Some(Requested::Cancel(_))) {
        return Decision::Stay(Stay::Leased);
    }
    let act = act_of_parent(cx, execution, parent);
    requested(row(cx, execution, &Control::Cancel, &act), Requested::Cancel(act))
}

fn act_of_parent(cx: &Context<'_>, execution: &Execution, parent: &str) -> Act {
    let is_part = execution.region.is_some();
    let why = if is_part { "the step that it is a part of is over" } else { "its parent was canceled" };
    Act { actor: parent.to_owned(), reason: Some(why.to_owned()), at: cx.now, id: None }
}

/// Whether the control equals the last one, and was carried out. A sender that lost the answer repeats the control;
/// by then the execution may have continued or ended.
fn is_repeated(execution: &Execution, control: &Control) -> bool {
    execution.status != Status::Paused && execution.last_control.as_deref() == Some(name(control).as_str())
}

/// The key by which a repeated control is recognised.
pub(crate) fn name(control: &Control) -> String {
    match control {
        Control::Skip { take: Some(Take::Yes) } => "skip yes".to_owned(),
        Control::Skip { take: Some(Take::No) } => "skip no".to_owned(),
        control => control.word().to_owned(),
    }
}

fn is_paused_by_failure(execution: &Execution) -> bool {
    execution.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Failure)
}

fn row<'a>(cx: &'a Context<'a>, execution: &Execution, control: &Control, act: &Act) -> Draft<'a> {
    let mut draft = Draft::new(cx, execution, RowKind::Control);
    // A control is no use of the present revision: a step that an edit deleted is still looked up in the former one.
    draft.execution.revision = execution.revision;
    draft.row.revision = execution.revision;
    draft.row.actor = Some(act.actor.clone());
    draft.row.note = Some(note(control, act));
    draft.row.step.clone_from(&execution.cursor);
    if *control != Control::Stall {
        draft.execution.last_control = Some(name(control));
    }
    remember(&mut draft.execution.step_controls, act.id.as_ref());
    draft
}

/// Keeps the id of a control that a step made, and forgets the oldest if there are many.
fn remember(ids: &mut Vec<String>, id: Option<&String>) {
    let Some(id) = id.filter(|id| !ids.contains(id)) else { return };
    if ids.len() >= STEP_CONTROLS {
        ids.remove(0);
    }
    ids.push(id.clone());
}

/// What a row says of a control.
pub(crate) fn note(control: &Control, act: &Act) -> String {
    match &act.reason {
        Some(reason) => format!("{}: {reason}", control.word()),
        None => control.word().to_owned(),
    }
}

fn stalled(mut draft: Draft<'_>) -> Decision {
    draft.execution.stalled = true;
    draft.commit()
}

fn killed(mut draft: Draft<'_>, kill: Option<Act>) -> Decision {
    let lifted = kill.is_none();
    draft.execution.killed = kill;
    match draft.cx.hold {
        // It was told while it was killed.
        Hold::Canceled(parent) if lifted => {
            let act = act_of_parent(draft.cx, &draft.execution, parent);
            canceled(draft, &act)
        }
        _ if lifted => look_again(draft).commit(),
        _ => draft.commit(),
    }
}

fn requested(mut draft: Draft<'_>, request: Requested) -> Decision {
    draft.execution.requested = Some(request);
    draft.commit()
}

fn paused(mut draft: Draft<'_>, act: &Act) -> Decision {
    draft.execution.requested = None;
    if draft.execution.status == Status::Paused {
        // The step in progress failed, and that pauses too.
        return draft.commit();
    }
    // A holder that died in the middle of an effect is forgotten only when the step goes on.
    let reason = if act.id.is_some() { PauseReason::Workflow } else { PauseReason::Person };
    draft.paused(reason, act.reason.clone()).commit()
}

fn canceled(mut draft: Draft<'_>, act: &Act) -> Decision {
    let children = crate::steps::awaited_children(&draft.execution);
    // Also a head that is not sound can be canceled. A step that failed stays failed: it had left its wait already.
    let Execution { cursor, entered, steps, .. } = &draft.execution;
    let state = cursor.as_ref().filter(|_| entered.is_some()).and_then(|id| steps.get(id));
    if state.is_some_and(|state| state.status != StepStatus::Failed) {
        draft.set_status(StepStatus::Canceled);
    }
    let mut draft = draft.end(Status::Canceled, act.reason.clone());
    draft.tell(children);
    draft.commit()
}

/// Resuming a running execution withdraws a pause that still waits for the step in progress.
fn resume_running(mut draft: Draft<'_>, execution: &Execution) -> Decision {
    if !matches!(execution.requested, Some(Requested::Pause(_))) {
        return Decision::Stay(Stay::AlreadyDone);
    }
    draft.execution.requested = None;
    draft.commit()
}

/// Returns to the state that the pause interrupted; a wait keeps its due time.
fn resumed(mut draft: Draft<'_>) -> Result<Decision, TransitionError> {
    let Some(pause) = draft.execution.pause.take() else {
        let why = "what is paused has a pause";
        return Err(Illegal { state: draft.execution.status, input: Control::Resume.word(), why }.into());
    };
    draft.reset_visits();
    draft.execution.status = pause.status;
    draft.execution.wake = pause.wake;
    let at_end = draft.execution.cursor.is_none() && draft.execution.status == Status::Running;
    Ok(if at_end { draft.completed(None).commit() } else { look_again(draft).commit() })
}

/// Carries out the step that it stopped before, and stops before the next one.
fn stepped(mut draft: Draft<'_>) -> Result<Decision, TransitionError> {
    draft.execution.may_go_on();
    resumed(draft)
}

/// It does not stop before its steps any more.
fn without_stops(mut draft: Draft<'_>) -> Draft<'_> {
    draft.execution.debug = None;
    draft
}

/// Retries the failed step as a new visit, with new attempts.
fn retried(mut draft: Draft<'_>) -> Decision {
    draft.execution.pause = None;
    draft.reset_visits();
    draft.execution.status = Status::Running;
    let cursor = draft.execution.cursor.clone();
    if let Some(id) = &cursor {
        draft.execution.failed_steps.remove(id);
    }
    let mut draft = draft.at(cursor.as_deref());
    // Who retries it has seen it.
    draft.execution.may_go_on();
    draft.commit()
}

/// Skips the step that failed, or that it stopped before, and continues behind it.
fn skipped(
    cx: &Context<'_>,
    mut draft: Draft<'_>,
    take: Option<Take>,
    control: &Control,
) -> Result<Decision, TransitionError> {
    let status = draft.execution.status;
    let is_new = draft.execution.is_paused_by_debug();
    draft.execution.pause = None;
    draft.reset_visits();
    let id = draft.execution.cursor.clone();
    let step = id.as_deref().and_then(|id| cx.plan.step(id));
    draft.execution.wake = Wake::Job;
    draft.execution.status = Status::Running;
    let Some(step) = step else { return Ok(draft.commit()) };
    let branches = crate::steps::handler(&step.kind).skipped_branch(true).is_some();
    if branches && take.is_none() {
        let detail = "say which path to take: yes or no";
        return Err(Refused::Illegal { control: control.word(), status, detail }.into());
    }
    if is_new {
        draft.enter(step);
    }
    Ok(draft.skip(step, take).commit())
}
