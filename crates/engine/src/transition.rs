//! The one transition function, live and in recovery.

use pawl_definition::{Delivery, Step};

use crate::draft::Draft;
use crate::steps::{self, After, Next, Perform, StepContext, Wait, Waits};
use crate::{
    Activity, Claim, Context, Decision, Execution, Input, Lease, Refused, RowKind, Status, StepError, StepState,
    StepStatus, TimerPurpose, Waiting, Wake, control, variables, waiting,
};

/// How long a place in the line is kept before it is asked for again, in seconds: a quarter of the time that was
/// waited already, within these bounds. A place that becomes free wakes the oldest in line at once; this is the safety
/// net, and must not cost a write every few seconds behind an execution that takes days.
const LINE_LEAST_S: i64 = 15;
const LINE_MOST_S: i64 = 300;

/// Time beyond an activity's own time-out after which its holder counts as dead, in seconds: the answer has to be
/// committed too.
const LEASE_MARGIN_S: i64 = 15;

/// Decides what an input does to an execution. Pure: the same arguments give the same decision.
pub fn transition(cx: &Context<'_>, execution: &Execution, input: &Input<'_>) -> Result<Decision, Refused> {
    if let Input::Control(control, act) = input {
        return control::apply(cx, execution, control, act);
    }
    if execution.status.is_ended() {
        return Ok(Decision::Stay);
    }
    Ok(match input {
        Input::Performed { activity, attempt, performed } => {
            performed_activity(cx, execution, activity, *attempt, performed)
        }
        _ if cx.killed || execution.killed.is_some() => Decision::Stay,
        Input::Run if execution.requested.is_some() && !is_leased(cx, execution) => control::obey(cx, execution),
        Input::Run => run(cx, execution, None),
        Input::Found(found) => run(cx, execution, Some(found)),
        Input::Rejected(error) => rejected(cx, execution, error),
        Input::Event(event) => waiting::heard(cx, execution, event),
        Input::LookAgain => waiting::looks_again(cx, execution),
        Input::Control(..) => Decision::Stay,
    })
}

/// Whether somebody else is in the middle of an effect.
fn is_leased(cx: &Context<'_>, execution: &Execution) -> bool {
    execution.lease.as_ref().is_some_and(|lease| lease.until > cx.now && lease.owner != cx.invocation)
}

/// Goes on, if it is due.
fn run(cx: &Context<'_>, execution: &Execution, found: Option<&crate::Found>) -> Decision {
    if execution.status == Status::Paused || is_leased(cx, execution) {
        return Decision::Stay;
    }
    // A place in the line is asked for by any job, not only by the timer.
    let in_line = matches!(execution.wake, Wake::Timer { purpose: TimerPurpose::Line, .. });
    let own_lease = execution.lease.as_ref().is_some_and(|lease| lease.owner == cx.invocation);
    if !in_line && !own_lease && !execution.is_due(cx.now) {
        return Decision::Stay;
    }
    if execution.status == Status::Queued {
        return start(cx, execution);
    }
    let Some(id) = execution.cursor.as_deref() else {
        let draft = Draft::new(cx, execution, RowKind::Step);
        return draft.end(Status::Completed, None).commit();
    };
    let Some(step) = cx.plan.step(id) else { return waiting::moved(cx, execution, id) };
    match execution.wake {
        Wake::Timer { purpose: TimerPurpose::Delay, .. } | Wake::Signal { .. } if execution.entered => {
            waiting::due(cx, execution, step)
        }
        _ => enter(cx, execution, step, found),
    }
}

/// Begins: takes a place, sets the variables, and stands before the first step.
fn start(cx: &Context<'_>, execution: &Execution) -> Decision {
    let mut draft = Draft::new(cx, execution, RowKind::Started);
    if cx.plan.workflow.limits.concurrency.is_some() {
        if cx.no_place {
            // Another job has asked before: whoever wakes it too early must not add one more job to the line.
            if matches!(execution.wake, Wake::Timer { at, purpose: TimerPurpose::Line } if at > cx.now) {
                return Decision::Stay;
            }
            let waited = cx.now.duration_since(execution.created_at).as_secs();
            let at = cx.now + jiff::SignedDuration::from_secs((waited / 4).clamp(LINE_LEAST_S, LINE_MOST_S));
            return Decision::Postpone(Box::new(draft.postponed(Wake::Timer { at, purpose: TimerPurpose::Line })));
        }
        draft.execution.holds_place = true;
    }
    draft.execution.status = Status::Running;
    draft.execution.started_at = Some(cx.now);
    if let Err(error) = variables::evaluate(cx, &mut draft.execution) {
        return draft.end_failed(error).commit();
    }
    draft.row.output = serde_json::Value::Object(draft.execution.variables.clone());
    draft.execution.overrides.clear();
    match cx.plan.first() {
        Some(first) => draft.at(Some(first)).commit(),
        None => draft.end(Status::Completed, None).commit(),
    }
}

/// Enters a step, or tries it again.
fn enter(cx: &Context<'_>, execution: &Execution, step: &Step, found: Option<&crate::Found>) -> Decision {
    let interrupted = execution.lease.as_ref().is_some_and(|lease| lease.owner != cx.invocation);
    let mut draft = Draft::step(cx, execution, step);
    draft.enter(step);
    if let Some(error) = draft.over_limit(step) {
        return draft.end_failed(error).commit();
    }
    if step.skip {
        return draft.skip(step, step.take).commit();
    }
    let decide = steps::decide(&step.kind);
    if interrupted && step.delivery == Delivery::AtMostOnce && !decide.only_looks(&draft.state().kept) {
        let message = "the process ended in the middle of the call; it may or may not have had its effect";
        return draft.failed(step, StepError::new("outcome_unknown", message), false).commit();
    }
    let entered = draft.execution.clone();
    let state: StepState = draft.state().clone();
    let at = StepContext { cx, execution: &entered, step, state: &state };
    let next = match found {
        Some(found) => decide.found(&at, found),
        None => decide.enter(&at),
    };
    goes_on(draft, step, next)
}

/// Does what a step has decided.
pub(crate) fn goes_on(draft: Draft<'_>, step: &Step, next: Result<Next, StepError>) -> Decision {
    match next {
        Ok(Next::Done(done)) => draft.done(step, *done).commit(),
        Ok(Next::Read(read)) => Decision::Read(read),
        Ok(Next::Perform(perform)) => claim(draft, step, perform),
        Ok(Next::Wait(waits)) => begin_wait(draft, *waits).commit(),
        Err(error) => draft.failed(step, error, false).commit(),
    }
}

/// What the step at the cursor decided can never be committed.
fn rejected(cx: &Context<'_>, execution: &Execution, error: &StepError) -> Decision {
    let due = execution.status != Status::Paused && !is_leased(cx, execution) && execution.is_due(cx.now);
    let step = execution.cursor.as_deref().and_then(|id| cx.plan.step(id));
    let Some(step) = step.filter(|_| due) else { return Decision::Stay };
    let mut draft = Draft::step(cx, execution, step);
    draft.enter(step);
    draft.failed(step, error.clone(), false).commit()
}

/// Claims an effect before it is performed. A step that listens hears from here on: its effect may answer faster than
/// the claim's holder.
fn claim(mut draft: Draft<'_>, step: &Step, perform: Perform) -> Decision {
    let Perform { activity, kept } = perform;
    let cx = draft.cx;
    draft.state_mut().kept = kept;
    let at = StepContext { cx, execution: &draft.execution, step, state: draft.state() };
    if let Some(listening) = steps::decide(&step.kind).listens(&at).filter(|listening| !listening.topics.is_empty()) {
        let since = draft.execution.waiting.as_ref().map_or(cx.now, |waiting| waiting.since);
        draft.execution.waiting = Some(Waiting { since, topics: listening.topics });
    }
    let until = cx.now + activity.timeout() + jiff::SignedDuration::from_secs(LEASE_MARGIN_S);
    let attempt = draft.state().attempt;
    draft.execution.lease = Some(Lease { owner: cx.invocation.to_owned(), attempt, claimed_at: cx.now, until });
    draft.execution.status = Status::Running;
    draft.execution.wake = Wake::Job;
    let execution = draft.unnumbered();
    Decision::Perform(Box::new(Claim { execution, activity }))
}

fn begin_wait(mut draft: Draft<'_>, waits: Waits) -> Draft<'_> {
    let Waits { wait, due, input, note, kept } = waits;
    match wait {
        Wait::Until(at) => draft.execution.wake = Wake::Timer { at, purpose: TimerPurpose::Delay },
        Wait::Signal(until, listening) => {
            draft.execution.wake = Wake::Signal { until };
            draft.execution.waiting = Some(Waiting { since: draft.cx.now, topics: listening.topics });
            draft.checks = listening.checks;
        }
    }
    draft.execution.lease = None;
    draft.execution.status = Status::Waiting;
    draft.set_status(StepStatus::Waiting);
    draft.state_mut().kept = kept;
    draft.reset_visits();
    draft.row.input = input;
    draft.row.note = note;
    draft.row.due = due;
    draft
}

/// The activity that this invocation claimed has ended.
fn performed_activity(
    cx: &Context<'_>,
    execution: &Execution,
    activity: &Activity,
    attempt: u32,
    performed: &crate::Performed,
) -> Decision {
    let ours = execution.lease.as_ref().is_some_and(|lease| lease.owner == cx.invocation && lease.attempt == attempt);
    let step = execution.cursor.as_deref().and_then(|id| cx.plan.step(id).or_else(|| cx.former?.step(id)));
    let (true, Some(step)) = (ours, step) else { return Decision::Stay };
    // A look at what the step waits for: while it finds nothing, nothing has happened.
    let looked = execution.steps.get(&step.id).is_some_and(|state| state.status == StepStatus::Waiting);
    if looked && waiting::is_replaced(execution, &Wake::Signal { until: None }, step) {
        return waiting::replaced(cx, execution, step);
    }
    let mut draft = Draft::step(cx, execution, step);
    draft.spend(performed.usage);
    draft.row.input = activity.input();
    draft.row.trace = performed.trace.clone();
    let at = StepContext { cx, execution, step, state: draft.state() };
    let outcome = match &performed.error {
        Some(error) => Err(error.clone()),
        None => steps::decide(&step.kind).performed(&at, activity, performed),
    };
    match outcome {
        Ok(After::Done(done)) => draft.done(step, *done).paused_as(execution).commit(),
        Ok(After::Wait(waits)) if looked && execution.pause.is_none() => {
            let mut waiting = begin_wait(draft, *waits);
            waiting.execution.revision = execution.revision;
            Decision::Postpone(Box::new(waiting.unnumbered()))
        }
        Ok(After::Wait(waits)) => begin_wait(draft, *waits).paused_as(execution).commit(),
        Err(error) => {
            draft.row.output = performed.output.clone();
            draft.failed(step, error, true).paused_as(execution).commit()
        }
    }
}
