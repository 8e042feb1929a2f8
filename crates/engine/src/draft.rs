//! A transition in the making: the head after, its row, and what commits with them.

use jiff::Timestamp;
use pawl_definition::step::FAILED;
use pawl_definition::{Step, Take};

use crate::steps::{self, NextCall, StepResult, handler};
use crate::{
    Activity, Address, Commit, Context, Decision, Effect, Execution, NoticeText, Pause, PauseReason, Performed,
    ReturnTo, Row, RowKind, Status, StepCode, StepError, StepState, StepStatus, Subject, Usage, Wake, failure, shares,
    slots, truncate, variables,
};

/// A transition in the making.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'a> {
    pub(crate) cx: &'a Context<'a>,
    pub(crate) execution: Execution,
    pub(crate) row: Row,
    /// What the step does inside Pawl.
    pub(crate) effects: Vec<Effect>,
    pub(crate) checks: Vec<(Subject, u64)>,
    /// What people are told of how the step or the execution failed: what is said last stands.
    pub(crate) notice: Option<NoticeText>,
    pub(crate) usage: Usage,
}

impl<'a> Draft<'a> {
    /// Begins the next transition of an execution.
    pub(crate) fn new(cx: &'a Context<'a>, before: &Execution, kind: RowKind) -> Self {
        let mut execution = before.clone();
        execution.seq += 1;
        execution.version += 1;
        execution.updated_at = cx.now;
        execution.revision = cx.plan.revision;
        execution.stalled = false;
        execution.deaths = 0;
        let row = Row::of(&execution, kind, cx.now);
        Self { cx, execution, row, effects: Vec::new(), checks: Vec::new(), notice: None, usage: Usage::default() }
    }

    /// Begins a transition of the step at the cursor.
    pub(crate) fn step(cx: &'a Context<'a>, before: &Execution, step: &Step) -> Self {
        let mut draft = Self::new(cx, before, RowKind::Step);
        draft.row.step = Some(step.id.clone());
        if !before.frames.is_empty() {
            let own = Address::of(&step.id);
            draft.row.address = Some(before.address(&own)).filter(|address| *address != own);
        }
        draft.row.step_type = Some(step.kind.tag().to_owned());
        draft
    }

    /// The visit of the step at the cursor.
    pub(crate) fn state(&self) -> &StepState {
        let id = self.execution.cursor.as_deref().expect("a draft of a step has a cursor");
        self.execution.steps.get(id).expect("the step at the cursor was entered")
    }

    pub(crate) fn state_mut(&mut self) -> &mut StepState {
        let id = self.execution.cursor.as_deref().expect("a draft of a step has a cursor");
        self.execution.steps.get_mut(id).expect("the step at the cursor was entered")
    }

    /// Enters the step: a new visit, or another attempt of the present one.
    pub(crate) fn enter(&mut self, step: &Step) {
        let again = self.execution.entered.is_some();
        let claimed = self.execution.leases.is_held_by(self.cx.invocation);
        let interrupted = !self.execution.leases.is_empty() && !claimed;
        let now = self.cx.now;
        let Execution { steps, visits, .. } = &mut self.execution;
        let state = steps.entry(step.id.clone());
        let state = state.or_insert_with(|| StepState::new(visits.remove(&step.id).unwrap_or_default(), now));
        // A call of it has ended, and the next one follows: that is no other attempt.
        let follows_a_call = again && state.status == StepStatus::Running && !claimed && !interrupted;
        if again && !follows_a_call {
            // Whose claim was written although its answer was lost has not performed anything yet.
            state.attempt += u32::from(!claimed);
            state.interrupted += u32::from(interrupted);
            state.attempt_started_at = Some(now);
        } else if !again {
            state.visit += 1;
            state.fresh_visits += 1;
            state.attempt = 1;
            state.interrupted = 0;
            state.started_at = now;
            state.attempt_started_at = None;
            state.checkpoint = serde_json::Value::Null;
        }
        state.status = StepStatus::Running;
        self.execution.has_stepped();
        self.execution.entered = Some(step.kind.tag().to_owned());
        self.execution.leases.clear();
        self.execution.status = Status::Running;
        self.execution.wake = Wake::Job;
    }

    /// The limit that entering the step breaks.
    pub(crate) fn over_limit(&self, step: &Step) -> Option<StepError> {
        let limits = &self.cx.plan.workflow.limits;
        if self.state().fresh_visits > limits.visits {
            let message = format!("step {:?} was visited {} times without a real wait", step.id, limits.visits);
            return Some(StepError::new(StepCode::VisitLimit, message));
        }
        shares::over_limit(self.cx, &self.execution, step)
    }

    /// A real wait, also for a person: visits are counted anew.
    pub(crate) fn reset_visits(&mut self) {
        self.execution.steps.values_mut().for_each(|state| state.fresh_visits = 0);
    }

    /// Sets the state of the step at the cursor, in the head and in the row.
    pub(crate) fn set_status(&mut self, status: StepStatus) {
        let state = self.state_mut();
        state.status = status;
        let (visit, attempt) = (state.visit, state.attempt);
        let (started_at, attempt_started_at) = (state.started_at, state.attempt_started_at);
        self.row.status = Some(status);
        self.row.visit = Some(visit);
        self.row.attempt = Some(attempt);
        self.row.started_at = Some(started_at);
        self.row.attempt_started_at = attempt_started_at;
    }

    /// Notes in the row an effect that was made, and what it cost.
    pub(crate) fn performed(&mut self, activity: &Activity, performed: &Performed) {
        self.spend(performed.usage);
        self.row.input = activity.input();
        self.row.trace = performed.trace.clone();
    }

    /// Adds what models cost.
    fn spend(&mut self, usage: Usage) {
        self.usage = usage;
        self.row.usage = usage;
        self.execution.usage = self.execution.usage.plus(usage);
    }

    /// Stands before a step, ready to run.
    pub(crate) fn at(mut self, step: Option<&str>) -> Self {
        self.forget_checkpoint();
        self.execution.cursor = step.map(str::to_owned);
        self.leave_frames();
        self.execution.entered = None;
        self.execution.leases.clear();
        self.execution.waiting = None;
        self.execution.wake = Wake::Job;
        self
    }

    /// The visit of the step at the cursor is over: what was kept of it is gone.
    /// Executions that run parts of it lose whom they run for, and are told.
    pub(crate) fn forget_checkpoint(&mut self) {
        self.leave_parts();
        let Execution { cursor, steps, .. } = &mut self.execution;
        if let Some(state) = cursor.as_ref().and_then(|id| steps.get_mut(id)) {
            state.checkpoint = serde_json::Value::Null;
        }
    }

    /// The step is done: its result is kept, and the execution stands before the next one or ends. What it is about
    /// may have ended badly; then its failure policy says what follows.
    pub(crate) fn done(mut self, step: &Step, mut done: StepResult) -> Self {
        self.leave_frame(step);
        self.state_mut().kept = std::mem::take(&mut done.keeps);
        if let Some(error) = done.error.take() {
            return self.over(step, done, error);
        }
        let saved = match self.saved(step, &done) {
            Ok(saved) => saved,
            Err(error) => return self.not_saved(step, done, error),
        };
        let is_slice = self.execution.is_slice_of(&step.id);
        // The loop counts where all of it ends.
        self.execution.steps_done += u32::from(!is_slice);
        self.set_status(done.status);
        let state = self.state_mut();
        state.output = done.output.clone();
        state.error = None;
        self.set_variables(std::mem::take(&mut done.variables));
        self.set_variables(saved);
        if !done.input.is_null() {
            self.row.input = done.input;
        }
        self.row.output = done.output;
        self.row.branch.clone_from(&done.branch);
        self.row.note = done.note;
        self.effects = done.effects;
        if let Some(target) = done.go_to {
            if !self.cx.plan.follows_failures(&target) {
                self.execution.returns_to = None;
            }
            return self.running_at(Some(&target));
        }
        if done.ends_region {
            return self.completed(done.end.and_then(|(_, reason)| reason));
        }
        let next = self.after(step, done.branch.as_deref().and_then(|name| step.branch(name)));
        let is_pause = matches!(done.end, Some((Status::Paused, _)));
        // A part that is stopped ends what it is a part of.
        self.execution.stops = done.end.is_some() && !is_pause && self.execution.region.is_some();
        match done.end {
            Some((Status::Paused, reason)) => self.before(next.as_deref()).paused(PauseReason::Workflow, reason),
            Some((Status::Failed, reason)) => {
                // The step says itself who is told.
                let mut draft = self.end_failed(StepError::stopped_as_failed(reason));
                draft.notice = None;
                draft
            }
            Some((Status::Completed, reason)) => self.stops_as_completed(reason),
            Some((status, reason)) => self.end(status, reason),
            None => self.to(next.as_deref()),
        }
    }

    /// A call of the step has ended, and it makes another one in the same visit.
    pub(crate) fn goes_on(mut self, next: NextCall) -> Self {
        self.set_status(StepStatus::Running);
        let state = self.state_mut();
        state.checkpoint = next.checkpoint;
        state.error = None;
        self.row.output = next.output;
        self.row.note = next.note;
        self.execution.leases.clear();
        self.execution.status = Status::Running;
        self.execution.wake = Wake::Job;
        self
    }

    /// The variable that takes the output, as it has it.
    fn saved(&self, step: &Step, done: &StepResult) -> Result<Option<(String, serde_json::Value)>, StepError> {
        let typed = |name: &String| Ok((name.clone(), variables::typed(self.cx.plan, name, done.output.clone())?));
        let is_slice = self.execution.is_slice_of(&step.id);
        let target = step.save_as.as_ref().filter(|_| !done.is_kept_back && !is_slice);
        target.map(typed).transpose().map_err(|error: StepError| error.at("save_as"))
    }

    /// The output does not fit the variable that is to take it: the step fails, and writes nothing.
    fn not_saved(mut self, step: &Step, done: StepResult, error: StepError) -> Self {
        if !done.input.is_null() {
            self.row.input = done.input;
        }
        self.row.output = done.output;
        self.failed(step, error, true)
    }

    /// What the step is about has ended badly: trying it again in this visit finds the same.
    fn over(mut self, step: &Step, done: StepResult, error: StepError) -> Self {
        if !done.input.is_null() {
            self.row.input = done.input;
        }
        self.row.output = done.output;
        failure::give_up(self, step, error)
    }

    /// The step that follows: the first of some steps, or the successor, or where a default failure policy returns to.
    fn after(&mut self, step: &Step, branch: Option<&[Step]>) -> Option<String> {
        if self.execution.is_slice_of(&step.id) {
            return None;
        }
        // A step that an edit deleted while its activity ran stands only in the former revision.
        let here = self.cx.plan.step(&step.id).is_some();
        let plan = if here { self.cx.plan } else { self.cx.former.unwrap_or(self.cx.plan) };
        let first = branch.and_then(<[Step]>::first).map(|step| step.id.clone());
        let next = first.or_else(|| plan.successor(&step.id).map(str::to_owned));
        if next.is_none() && plan.follows_failures(&step.id) {
            return self.execution.returns_to.take().and_then(|to| to.step);
        }
        next
    }

    /// Stands before a step, or before the end of what it is in: the loop whose item ends there, or all.
    fn before(self, next: Option<&str>) -> Self {
        let ends_item = next.is_none() && !self.execution.frames.is_empty();
        if ends_item { self.item_ended(None) } else { self.running_at(next) }
    }

    /// Goes on at a step, or completes if there is none.
    pub(crate) fn to(self, next: Option<&str>) -> Self {
        match next {
            Some(next) => self.running_at(Some(next)),
            None => self.completed(None),
        }
    }

    /// Comes to the end of the workflow. The result and the outcome that a workflow declares are computed by a transition of
    /// its own, which reads what they need.
    pub(crate) fn completed(mut self, reason: Option<String>) -> Self {
        if !self.execution.frames.is_empty() {
            return self.item_ended(None);
        }
        if self.execution.region.is_some() {
            let last = self.execution.cursor.as_ref().and_then(|id| self.execution.steps.get(id));
            let is_done = last.is_some_and(|state| state.status == StepStatus::Completed);
            // A slice that ends in the middle of its items has come to less.
            let cut_off = |_: &serde_json::Value| !is_done || !self.stands_at_slice();
            let output = last.map(|state| state.output.clone()).unwrap_or_default();
            self.execution.output = steps::report(&self.execution).filter(cut_off).unwrap_or(output);
            return self.end(Status::Completed, reason);
        }
        if self.cx.plan.workflow.output.is_empty() && self.cx.plan.workflow.outcome.is_none() {
            return self.end(Status::Completed, reason);
        }
        let mut draft = self.running_at(None);
        draft.execution.returns_to = None;
        draft.execution.pause = None;
        if reason.is_some() {
            draft.execution.reason = reason;
        }
        draft
    }

    fn stands_at_slice(&self) -> bool {
        self.execution.cursor.as_ref().is_some_and(|cursor| self.execution.is_slice_of(cursor))
    }

    /// These are to be told of what it comes to.
    pub(crate) fn tell(&mut self, whom: Vec<String>) {
        for id in whom {
            if !self.execution.to_tell.contains(&id) {
                self.execution.to_tell.push(id);
            }
        }
    }

    pub(crate) fn running_at(mut self, next: Option<&str>) -> Self {
        self.execution.status = Status::Running;
        self.at(next)
    }

    /// Goes on after a step that is not carried out. A skipped condition or goal takes the path that was said.
    pub(crate) fn skip(mut self, step: &Step, take: Option<Take>) -> Self {
        self.set_status(StepStatus::Skipped);
        let branch = take.and_then(|take| handler(&step.kind).skipped_branch(take == Take::Yes));
        self.row.branch = branch.map(str::to_owned);
        let next = self.after(step, branch.and_then(|name| step.branch(name)));
        self.to(next.as_deref())
    }

    /// The step failed: it is retried, or its failure policy says what follows. `after_effect` tells whether the
    /// failure came from an activity.
    pub(crate) fn failed(self, step: &Step, error: StepError, after_effect: bool) -> Self {
        failure::apply(self, step, error, after_effect)
    }

    /// Goes on after a step that failed for good, as if it were done.
    pub(crate) fn past_failure(mut self, step: &Step) -> Self {
        self.execution.steps_done += 1;
        let next = self.after(step, None);
        self.to(next.as_deref())
    }

    /// Runs the steps that follow a failure, by the step's own policy or the workflow's.
    pub(crate) fn failure_steps(mut self, step: &Step) -> Self {
        self.execution.steps_done += 1;
        self.row.branch = Some(FAILED.to_owned());
        let next = if let Some(own) = step.failure_steps() {
            self.after(step, Some(own))
        } else {
            let back = self.after(step, None);
            let first = self.cx.plan.workflow.failure_steps().first();
            self.execution.returns_to = first.map(|_| ReturnTo { step: back.clone() });
            first.map(|step| step.id.clone()).or(back)
        };
        self.to(next.as_deref())
    }

    /// Holds the execution; what it waited for is kept.
    pub(crate) fn paused(mut self, reason: PauseReason, note: Option<String>) -> Self {
        slots::give_back(&mut self.execution);
        let wake = std::mem::replace(&mut self.execution.wake, Wake::Person);
        let status = std::mem::replace(&mut self.execution.status, Status::Paused);
        let (since, actor) = (self.cx.now, self.row.actor.clone());
        self.execution.pause = Some(Pause { reason, note, since, actor, status, wake });
        self
    }

    /// Goes back into a pause that was there before, with what it interrupts now.
    fn paused_again(mut self, before: &Pause) -> Self {
        self = self.paused(before.reason, before.note.clone());
        if let Some(pause) = &mut self.execution.pause {
            pause.since = before.since;
            pause.actor.clone_from(&before.actor);
        }
        self
    }

    /// Stays held although its step ended: the next one waits for the person who holds it.
    pub(crate) fn held_on(mut self, before: &Execution, pause: &Pause) -> Self {
        self.execution.ended_at = None;
        self.execution.expires_at = None;
        let parent = self.execution.parent.as_ref().map(|parent| &parent.by.execution);
        self.execution.to_tell.retain(|told| Some(told) != parent);
        self.execution.holds_slot = before.holds_slot;
        self.execution.slot_while_running = before.slot_while_running;
        self.execution.holds_record = before.holds_record;
        self.execution.requested.clone_from(&before.requested);
        self.execution.status = Status::Running;
        self.execution.wake = Wake::Job;
        self.paused_again(pause)
    }

    /// Goes back into the pause that came while a slow holder was at its effect; its result is kept.
    pub(crate) fn paused_as(self, before: &Execution) -> Self {
        match (&before.pause, self.execution.status) {
            (None, _) | (_, Status::Paused | Status::Canceled | Status::Failed) => self,
            (Some(pause), Status::Completed) => self.held_on(before, pause),
            (Some(pause), _) => self.paused_again(pause),
        }
    }

    /// Ends the execution.
    pub(crate) fn end(mut self, status: Status, reason: Option<String>) -> Self {
        if let Some(report) = steps::report(&self.execution).filter(|_| status != Status::Completed) {
            self.execution.output = report;
        }
        self = self.at(None);
        self.execution.returns_to = None;
        self.execution.status = status;
        self.execution.wake = Wake::Never;
        self.execution.ended_at = Some(self.cx.now);
        let retention = self.cx.plan.workflow.retention.map(|retention| retention.approximate());
        self.execution.expires_at =
            retention.map(|retention| self.cx.now.saturating_add(retention).unwrap_or(Timestamp::MAX));
        self.execution.pause = None;
        self.execution.requested = None;
        self.execution.holds_slot = None;
        self.execution.slot_while_running = false;
        self.execution.holds_record = false;
        let parent = self.execution.parent.as_ref().filter(|parent| parent.waits);
        let parent: Vec<_> = parent.map(|parent| parent.by.execution.clone()).into_iter().collect();
        self.tell(parent);
        if reason.is_some() {
            self.execution.reason = reason;
        }
        self
    }

    /// Ends the execution as failed, and tells the owner.
    pub(crate) fn end_failed(mut self, error: StepError) -> Self {
        if self.row.step.is_some() && self.execution.cursor.is_some() && self.row.status.is_none() {
            self.set_status(StepStatus::Failed);
        }
        self.row.error = Some(error.clone());
        // Of a part of an execution the whole tells.
        let told = || failure::ended_notice(&self.cx.plan.workflow, &self.execution.id, &error);
        self.notice = self.execution.region.is_none().then(told);
        let mut draft = self.end(Status::Failed, Some(error.message.clone()));
        draft.execution.error = Some(error);
        draft
    }

    /// The decision to commit it.
    pub(crate) fn commit(mut self) -> Decision {
        self.count_open_parts();
        self.row.execution = self.execution.status;
        // Something came of it: only a claim goes on counting.
        self.execution.deaths = 0;
        let notice = self.notice.map(Effect::Notify);
        let mut commit = Commit {
            execution: self.execution,
            row: self.row,
            effects: self.effects.into_iter().chain(notice).collect(),
            checks: self.checks,
            usage: self.usage,
        };
        truncate::all(&mut commit);
        Decision::Commit(Box::new(commit))
    }

    /// The head alone, its transitions not counted on.
    pub(crate) fn unnumbered(mut self) -> Execution {
        self.execution.seq -= 1;
        self.execution
    }

    /// The head alone, waiting for something else.
    pub(crate) fn postponed(mut self, wake: Wake) -> Execution {
        self.execution.wake = wake;
        self.unnumbered()
    }
}
