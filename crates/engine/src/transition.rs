//! The one transition function, live and in recovery.

use std::sync::OnceLock;

use pawl_definition::{Delivery, Step};

use crate::draft::Draft;
use crate::steps::{self, After, Perform, StepContext, StepDecision, Wait, Waits};
use crate::{
    Address, Claim, Context, Decision, Execution, Hold, Illegal, Input, Lease, Performance, Read, RowKind, Status,
    Stay, StepCode, StepError, StepState, StepStatus, TimerPurpose, TransitionError, Waiting, Wake, control, observed,
    result, shares, slots, stepping, variables, waiting,
};

/// Time beyond an activity's own time-out after which its holder counts as dead, in seconds: the answer has to be
/// committed too.
const LEASE_MARGIN_S: i64 = 15;

/// How often in a row a process may die in a step; then the execution is stalled, and a person says how it goes on.
pub const DEATHS_MOST: u32 = 5;

/// Decides what an input does to an execution. Pure: the same arguments give the same decision. What it was decided on
/// is noted in what is written of it. If an expression lacks a record that it looks up, the decision is to read that.
pub fn transition(cx: &Context<'_>, execution: &Execution, input: &Input<'_>) -> Result<Decision, TransitionError> {
    let lacking = OnceLock::new();
    let cx = &cx.noting(&lacking);
    let decided = answer(cx, execution, input);
    if let Some(lookup) = lacking.get() {
        return Ok(Decision::Read(Read::Lookup(lookup.clone())));
    }
    let mut decision = decided?;
    observed::note(cx, execution, input, &mut decision);
    Ok(decision)
}

fn answer(cx: &Context<'_>, execution: &Execution, input: &Input<'_>) -> Result<Decision, TransitionError> {
    if let Input::Control(control, act) = input {
        return control::apply(cx, execution, control, act);
    }
    let illegal = |why| Illegal { state: execution.status, input: input.name(), why };
    execution.soundness().map_err(illegal)?;
    match decide(cx, execution, input).map_err(illegal)? {
        // Nothing was written since the step asked for it.
        Decision::Stay(_) if matches!(input, Input::Found(_)) => Err(illegal("a step that asked for a read").into()),
        decision => Ok(decision),
    }
}

fn decide(cx: &Context<'_>, execution: &Execution, input: &Input<'_>) -> Result<Decision, &'static str> {
    if execution.status.is_ended() {
        return Ok(Decision::Stay(Stay::Ended));
    }
    let found = match input {
        Input::Performed(of) => return performed_activity(cx, execution, *of),
        _ if cx.killed || execution.killed.is_some() => return Ok(Decision::Stay(Stay::Killed)),
        Input::Rejected(error) => return Ok(rejected(cx, execution, error)),
        Input::Event(event) => return Ok(waiting::on_event(cx, execution, event)),
        Input::LookAgain => return Ok(looks_again(cx, execution)),
        Input::Found(found) => Some(*found),
        Input::Run | Input::Control(..) => None,
    };
    Ok(match &execution.requested {
        Some(request) if !is_leased(cx, execution) => control::obey(cx, execution, request),
        _ => held_by_parent(cx, execution).unwrap_or_else(|| run(cx, execution, found)),
    })
}

/// What becomes of an execution because one that waits for it is held or was canceled; `None` if it may go on. A call that
/// another invocation is making ends first.
fn held_by_parent(cx: &Context<'_>, execution: &Execution) -> Option<Decision> {
    match cx.hold {
        Hold::Free => None,
        Hold::Canceled(parent) if is_leased(cx, execution) => Some(control::cancel_requested(cx, execution, parent)),
        Hold::Held(_) if is_leased(cx, execution) => Some(Decision::Stay(Stay::Leased)),
        Hold::Canceled(parent) => Some(control::canceled_with_parent(cx, execution, parent)),
        Hold::Held(_) => Some(Decision::Stay(Stay::HeldByParent)),
    }
}

/// What it waits for, or who waits for it, may have changed.
fn looks_again(cx: &Context<'_>, execution: &Execution) -> Decision {
    match cx.hold {
        Hold::Canceled(_) => held_by_parent(cx, execution).unwrap_or(Decision::Stay(Stay::HeldByParent)),
        Hold::Free | Hold::Held(_) => waiting::looks_again(cx, execution),
    }
}

/// Whether somebody else is in the middle of an effect.
fn is_leased(cx: &Context<'_>, execution: &Execution) -> bool {
    execution.leases.is_held_by_another(cx.invocation, cx.now)
}

/// Why it cannot go on now.
fn held_up(cx: &Context<'_>, execution: &Execution) -> Option<Stay> {
    // A place in the line is asked for by any job, not only by the timer.
    let own_lease = execution.leases.is_held_by(cx.invocation);
    if execution.status == Status::Paused {
        return Some(Stay::Paused);
    }
    if is_leased(cx, execution) {
        return Some(Stay::Leased);
    }
    (!execution.is_in_line() && !own_lease && !execution.is_due(cx.now)).then_some(Stay::NotDue)
}

/// Goes on, if it is due.
fn run(cx: &Context<'_>, execution: &Execution, found: Option<&crate::Found>) -> Decision {
    if let Some(stay) = held_up(cx, execution) {
        return Decision::Stay(stay);
    }
    let interrupted = execution.leases.is_of_another(cx.invocation);
    if execution.deaths + u32::from(interrupted) >= DEATHS_MOST {
        return control::stalled_by_deaths(cx, execution);
    }
    if execution.status == Status::Queued {
        return start(cx, execution);
    }
    let Some(id) = execution.cursor.as_deref() else { return result::of(cx, execution) };
    let Some(step) = cx.plan.step(id) else { return waiting::moved(cx, execution, id) };
    if waiting::is_replaced(execution, step) {
        return waiting::replaced(cx, execution, step);
    }
    match execution.wake {
        Wake::Timer { purpose: TimerPurpose::Delay, .. } | Wake::Signal { .. } if execution.entered.is_some() => {
            waiting::due(cx, execution, step, found)
        }
        _ => stepping::before_step(cx, execution)
            .or_else(|| slots::before_step(cx, execution))
            .or_else(|| shares::before_step(cx, execution))
            .unwrap_or_else(|| enter(cx, execution, step, found)),
    }
}

/// Begins: takes a place, sets the variables, and stands before the first step.
fn start(cx: &Context<'_>, execution: &Execution) -> Decision {
    let mut draft = Draft::new(cx, execution, RowKind::Started);
    if let Some(limit) = cx.plan.workflow.limits.concurrency.as_ref().filter(|_| execution.region.is_none()) {
        let Some(slot) = cx.free_slot else { return slots::in_line(draft, execution) };
        slots::take(&mut draft.execution, slot, limit);
    }
    draft.execution.status = Status::Running;
    draft.execution.started_at = Some(cx.now);
    if let Some(at) = execution.begins_at() {
        draft.row.output = serde_json::Value::Object(draft.execution.variables.clone());
        return match cx.plan.can_begin_at(at) {
            Ok(()) => draft.at(Some(at)).commit(),
            Err(gone) => draft.end_failed(gone.into()).commit(),
        };
    }
    if execution.region.is_none() {
        if let Err(error) = variables::evaluate(cx, &mut draft.execution) {
            return draft.end_failed(error).commit();
        }
        draft.row.output = serde_json::Value::Object(draft.execution.variables.clone());
        draft.execution.overrides.clear();
    }
    match cx.plan.first_of(execution) {
        Some(first) => draft.at(Some(first)).commit(),
        None => draft.completed(None).commit(),
    }
}

/// Enters a step, or tries it again.
pub(crate) fn enter(cx: &Context<'_>, execution: &Execution, step: &Step, found: Option<&crate::Found>) -> Decision {
    let interrupted = execution.leases.is_of_another(cx.invocation);
    let mut draft = Draft::step(cx, execution, step);
    draft.execution.deaths = execution.deaths + u32::from(interrupted);
    draft.enter(step);
    if let Some(error) = draft.over_limit(step) {
        return draft.end_failed(error).commit();
    }
    if step.skip {
        return draft.skip(step, step.take).commit();
    }
    let handler = steps::handler(&step.kind);
    if interrupted && step.delivery == Delivery::AtMostOnce && !handler.only_looks(&draft.state().checkpoint) {
        let message = "the process ended in the middle of the call; it may or may not have had its effect";
        return draft.failed(step, StepError::new(StepCode::OutcomeUnknown, message), false).commit();
    }
    let entered = draft.execution.clone();
    let state: StepState = draft.state().clone();
    let at = StepContext { cx, execution: &entered, step, state: &state };
    let next = match found {
        Some(crate::Found { refused: Some(error), .. }) => Err(error.clone()),
        Some(found) => handler.found(&at, found),
        None => handler.enter(&at),
    };
    goes_on(draft, step, next)
}

/// Does what a step has decided.
pub(crate) fn goes_on(draft: Draft<'_>, step: &Step, next: Result<StepDecision, StepError>) -> Decision {
    match next {
        Ok(StepDecision::Done(done)) => draft.done(step, *done).commit(),
        Ok(StepDecision::Read(read)) => Decision::Read(read),
        Ok(StepDecision::Perform(perform)) => claim(draft, step, perform),
        Ok(StepDecision::Wait(waits)) => begin_wait(draft, *waits).commit(),
        Ok(StepDecision::Item(next)) => draft.begin_item(step, *next).commit(),
        Err(error) => draft.failed(step, error, false).commit(),
    }
}

/// What the step at the cursor decided can never be committed.
fn rejected(cx: &Context<'_>, execution: &Execution, error: &StepError) -> Decision {
    if let Some(stay) = held_up(cx, execution) {
        return Decision::Stay(stay);
    }
    let step = execution.cursor.as_deref().and_then(|id| cx.plan.step(id));
    // The step that decided it is gone by now.
    let Some(step) = step.filter(|step| !waiting::is_replaced(execution, step)) else {
        return run(cx, execution, None);
    };
    let mut draft = Draft::step(cx, execution, step);
    draft.enter(step);
    draft.failed(step, error.clone(), false).commit()
}

/// Claims an effect before it is performed. A step that listens receives events from here on: its effect may answer
/// faster than the claim's holder.
fn claim(mut draft: Draft<'_>, step: &Step, perform: Perform) -> Decision {
    let Perform { activity, checkpoint, part } = perform;
    let address = Address::of(&step.id);
    let address = part.map_or_else(|| address.clone(), |part| address.part(&part));
    let cx = draft.cx;
    draft.keep_checkpoint(checkpoint);
    let at = StepContext { cx, execution: &draft.execution, step, state: draft.state() };
    if let Some(listening) = steps::handler(&step.kind).listens(&at).filter(|listening| !listening.topics.is_empty()) {
        let since = draft.execution.waiting.as_ref().map_or(cx.now, |waiting| waiting.since);
        draft.execution.waiting = Some(Waiting { since, topics: listening.topics });
    }
    let until = cx.now + activity.timeout() + jiff::SignedDuration::from_secs(LEASE_MARGIN_S);
    let attempt = draft.state().attempt;
    let lease = Lease { owner: cx.invocation.to_owned(), attempt, claimed_at: cx.now, until };
    draft.execution.leases.claim(address.clone(), lease);
    draft.execution.status = Status::Running;
    draft.execution.wake = Wake::Job;
    let execution = draft.unnumbered();
    Decision::Perform(Box::new(Claim { execution, address, activity }))
}

pub(crate) fn begin_wait(mut draft: Draft<'_>, waits: Waits) -> Draft<'_> {
    let Waits { wait, due, input, note, checkpoint, output, effects, tells, is_news: _ } = waits;
    match wait {
        Wait::Until(at) => draft.execution.wake = Wake::Timer { at, purpose: TimerPurpose::Delay },
        Wait::Signal(until, listening) => {
            draft.execution.wake = Wake::Signal { until };
            draft.execution.waiting = Some(Waiting { since: draft.cx.now, topics: listening.topics });
            draft.checks = listening.checks;
        }
    }
    slots::give_back(&mut draft.execution);
    draft.execution.leases.clear();
    draft.execution.status = Status::Waiting;
    draft.set_status(StepStatus::Waiting);
    draft.keep_checkpoint(checkpoint);
    draft.reset_visits();
    draft.row.input = input;
    draft.row.output = output;
    draft.row.note = note;
    draft.row.due = due;
    draft.effects = effects;
    draft.tell(tells);
    draft
}

/// The activity that this invocation claimed has ended.
fn performed_activity(cx: &Context<'_>, execution: &Execution, of: Performance<'_>) -> Result<Decision, &'static str> {
    let Performance { address, attempt, activity, performed } = of;
    let held = |lease: &Lease| lease.owner == cx.invocation && lease.attempt == attempt;
    if !execution.leases.at(address).is_some_and(held) {
        return Ok(Decision::Stay(Stay::LeaseLost));
    }
    let step = execution.cursor.as_deref().and_then(|id| cx.plan.step(id).or_else(|| cx.former?.step(id)));
    let step = step.ok_or("the step that claimed it, in the revision in force or the one before")?;
    // A look at what the step waits for: while it finds nothing, nothing has happened.
    let looked = execution.steps.get(&step.id).is_some_and(|state| state.status == StepStatus::Waiting);
    if waiting::is_replaced(execution, step) {
        let result = (!looked).then_some((activity, performed));
        return Ok(waiting::replaced_after(cx, execution, step, result));
    }
    let mut draft = Draft::step(cx, execution, step);
    let path = execution.address(address);
    draft.row.address = Some(path).filter(|path| path.as_str() != step.id);
    draft.performed(activity, performed);
    let at = StepContext { cx, execution, step, state: draft.state() };
    let outcome = match &performed.error {
        Some(error) => Err(error.clone()),
        None => steps::handler(&step.kind).performed(&at, activity, performed),
    };
    Ok(match outcome {
        Ok(After::Done(done)) => draft.done(step, *done).paused_as(execution).commit(),
        Ok(After::Wait(waits)) if looked && execution.pause.is_none() && !waits.is_news => {
            let mut waiting = begin_wait(draft, *waits);
            waiting.execution.revision = execution.revision;
            Decision::Postpone(Box::new(waiting.unnumbered()))
        }
        Ok(After::Wait(waits)) => begin_wait(draft, *waits).paused_as(execution).commit(),
        Ok(After::Perform(next)) => draft.goes_on(*next).paused_as(execution).commit(),
        Err(error) => {
            draft.row.output = performed.output.clone();
            draft.failed(step, error, true).paused_as(execution).commit()
        }
    })
}
