//! What each step type decides. One file for each type, and one line in the registry below.

mod about_records;
mod archive_record;
mod assign_owner;
mod branch;
mod call_llm;
mod cancel_activities;
mod change_tags;
mod condition;
mod control_workflow;
mod create_activity;
mod create_record;
mod delay;
mod find_records;
mod for_each;
mod go_to;
mod goal;
mod http_request;
mod invoke_function;
mod link_records;
mod log_activity;
mod note;
mod publish_event;
mod run_state_machine;
mod send_message;
mod send_signal;
mod set_fields;
mod set_stage;
mod set_variables;
mod start_workflow;
mod stop;
mod switch;
mod targets;
mod unarchive_record;
mod wait_for_signal;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use pawl_definition::{Calendar, ExpressionError, Object, Step, StepKind, Workflow};
use serde_json::{Map, Value};

pub use call_llm::{ModelQuestion, ModelReply, ModelSaid, ModelVerdict};
pub use control_workflow::controls_of_row;
pub use start_workflow::Listed;

use crate::context::StepScope;
use crate::{
    Activity, Context, Effect, Event, Execution, Found, NextItem, Performed, Read, RegionStarts, Row, Status,
    StepError, StepState, StepStatus, Subject,
};

/// A step about to be decided.
#[derive(Debug, Clone, Copy)]
pub struct StepContext<'a> {
    /// What the decision may look at.
    pub cx: &'a Context<'a>,
    /// The execution, its step already entered.
    pub execution: &'a Execution,
    /// The step.
    pub step: &'a Step,
    /// This visit.
    pub state: &'a StepState,
}

impl<'a> StepContext<'a> {
    /// What expressions see.
    pub fn scope(&self) -> StepScope<'a> {
        StepScope { cx: self.cx, execution: self.execution, secrets: false, meter: Rc::default(), answer: None }
    }

    /// What expressions see where secrets may stand.
    pub fn scope_with_secrets(&self) -> StepScope<'a> {
        StepScope { secrets: true, ..self.scope() }
    }

    /// The business days by which the step counts: those of its own calendar, else of the workflow.
    pub fn calendar(&self) -> Result<Cow<'a, Calendar>, ExpressionError> {
        let Some(own) = self.step.kind.shape().calendar() else { return self.cx.calendar().map(Cow::Borrowed) };
        own.resolve(self.cx.definitions).ok_or_else(|| {
            let message = format!("the calendar {:?} is not there", own.named().unwrap_or_default());
            ExpressionError::Value { message }
        })
    }

    /// The longest time of one attempt.
    pub fn timeout(&self, default_s: i64) -> SignedDuration {
        let written = self.step.timeout_duration().map(|duration| duration.approximate());
        written.unwrap_or_else(|| SignedDuration::from_secs(default_s)).max(SignedDuration::from_millis(1))
    }
}

/// What a step has done.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResult {
    /// Its state.
    pub status: StepStatus,
    /// Input as resolved.
    pub input: Value,
    /// Output.
    pub output: Value,
    /// Branch to take.
    pub branch: Option<String>,
    /// Step to go to.
    pub go_to: Option<String>,
    /// Variables to set.
    pub variables: Map<String, Value>,
    /// What commits with it.
    pub effects: Vec<Effect>,
    /// State that the execution takes, with the reason.
    pub end: Option<(Status, Option<String>)>,
    /// The part of the workflow that the execution runs is over.
    pub ends_region: bool,
    /// What is kept of a visit that failed, for the next one.
    pub keeps: Value,
    /// In words.
    pub note: Option<String>,
    /// What the step started has failed. The step fails, and this visit is not retried.
    pub error: Option<StepError>,
    /// The output is doubtful: `save_as` ignores it, and the variable keeps its value.
    pub is_kept_back: bool,
}

impl Default for StepResult {
    fn default() -> Self {
        Self {
            status: StepStatus::Completed,
            input: Value::Null,
            output: Value::Null,
            branch: None,
            go_to: None,
            variables: Map::new(),
            effects: Vec::new(),
            end: None,
            ends_region: false,
            keeps: Value::Null,
            note: None,
            error: None,
            is_kept_back: false,
        }
    }
}

/// The executions that an execution waits for: its head names those that it has started, and those that a call in progress may
/// have started. It follows from the head alone.
pub fn awaited_children(execution: &Execution) -> Vec<String> {
    let mut awaited = start_workflow::awaited(execution);
    awaited.extend(branch::awaited(execution));
    awaited.extend(for_each::slices::awaited(execution));
    awaited
}

/// The executions whose heads an execution looks at when it goes on: those that it waits for, and parts that are still open.
pub fn children_looked_at(execution: &Execution) -> Vec<String> {
    let mut ids = awaited_children(execution);
    ids.extend(execution.parts.open.keys().cloned());
    ids
}

/// The executions that run parts of the step at the cursor, each with the most steps that it may carry out. It follows from the
/// head alone.
pub(crate) fn parts(execution: &Execution) -> BTreeMap<String, u32> {
    let mut parts = branch::parts(execution);
    parts.extend(for_each::slices::parts(execution));
    parts
}

/// Whether an execution still waits for the ends of its parts, but wants nothing of them any more: they are canceled.
pub(crate) fn lets_go(execution: &Execution) -> bool {
    for_each::slices::lets_go(execution)
}

/// What an execution that carries out items of a loop has come to so far; `None` of any other.
pub(crate) fn report(execution: &Execution) -> Option<Value> {
    for_each::slices::report(execution)
}

/// The input of a call that starts executions of parts, for history.
pub(crate) fn input_of(starts: &RegionStarts) -> Value {
    let are_slices = starts.starts.iter().any(|(_, start)| start.region.is_slice());
    if are_slices { for_each::slices::input(starts) } else { branch::input(starts) }
}

/// The executions of which a row says that they were started. A call that failed may have started some of its parts.
pub fn children_of_row(row: &Row) -> Vec<Listed> {
    let mut listed = start_workflow::listed(row);
    let parts = branch::listed(row).into_iter().chain(for_each::slices::listed(row));
    let is_doubtful = row.error.is_some();
    listed.extend(parts.map(|(execution, region)| Listed { execution, region: Some(region), is_doubtful }));
    listed
}

/// How a step waits, and what it leaves of that for people and for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    /// What ends the wait.
    pub wait: Wait,
    /// When the wait ends at the latest, as far as it is known.
    pub due: Option<Timestamp>,
    /// Input for history.
    pub input: Value,
    /// In words.
    pub note: Option<String>,
    /// What it keeps of its visit.
    pub checkpoint: Value,
    /// What is known of it so far, for history.
    pub output: Value,
    /// What commits with it.
    pub effects: Vec<Effect>,
    /// Executions that are told of it.
    pub tells: Vec<String>,
    /// Something has come of it, although it waited before and waits on.
    pub is_news: bool,
}

impl Waits {
    /// Waits until a time.
    fn until(at: Timestamp, input: Value) -> Self {
        Self { due: Some(at), ..Self::for_end(Wait::Until(at), input) }
    }

    /// Waits for a signal, or until a time.
    fn signal(until: Option<Timestamp>, listening: Listening, input: Value) -> Self {
        Self { due: until, ..Self::for_end(Wait::Signal(until, listening), input) }
    }

    fn for_end(wait: Wait, input: Value) -> Self {
        let (checkpoint, output) = (Value::Null, Value::Null);
        let (effects, tells) = (Vec::new(), Vec::new());
        Self { wait, due: None, input, note: None, checkpoint, output, effects, tells, is_news: false }
    }
}

/// What ends the wait of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Wait {
    /// Until a time.
    Until(Timestamp),
    /// Until a signal, or a time.
    Signal(Option<Timestamp>, Listening),
}

/// What a step listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// Records and webhooks, as topics.
    pub topics: BTreeSet<String>,
    /// Records whose present version it was decided on.
    pub checks: Vec<(Subject, u64)>,
}

/// What a step decides.
#[derive(Debug, Clone, PartialEq)]
pub enum StepDecision {
    /// It is done.
    Done(Box<StepResult>),
    /// It reads something first.
    Read(Read),
    /// It does something outside.
    Perform(Perform),
    /// It waits.
    Wait(Box<Waits>),
    /// Its steps follow, for an item.
    Item(Box<NextItem>),
}

impl StepDecision {
    fn done(done: StepResult) -> Self {
        Self::Done(Box::new(done))
    }

    /// Does something outside, and keeps nothing of it.
    fn perform(activity: Activity) -> Self {
        Self::Perform(Perform { activity, checkpoint: Value::Null, part: None })
    }
}

/// What a step does outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Perform {
    /// The effect.
    pub activity: Activity,
    /// What the step keeps of its visit, from before the effect on.
    pub checkpoint: Value,
    /// Which part of the step it is, for its address; none of a step's only or first call.
    pub part: Option<String>,
}

/// What follows an effect that was performed.
#[derive(Debug, Clone, PartialEq)]
pub enum After {
    /// The step is done.
    Done(Box<StepResult>),
    /// It waits.
    Wait(Box<Waits>),
    /// It makes another call in the same visit. What came of this one is committed first; then the step is entered again
    /// as if for the first time, and decides the call from what it keeps.
    Perform(Box<NextCall>),
}

/// What a call leaves for the next one, and for people.
#[derive(Debug, Clone, PartialEq)]
pub struct NextCall {
    /// What the step keeps of its visit.
    pub checkpoint: Value,
    /// Output of the call, for history.
    pub output: Value,
    /// In words.
    pub note: Option<String>,
}

impl After {
    fn done(done: StepResult) -> Self {
        Self::Done(Box::new(done))
    }
}

/// What an event does to a step that listens.
#[derive(Debug, Clone, PartialEq)]
pub enum OnEvent {
    /// Nothing: it waits on.
    Nothing,
    /// It is done.
    Done(Box<StepResult>),
    /// It keeps this of its visit, and goes on as soon as the execution can: at once if it waits, else after the call
    /// that is out, or when whoever holds it lets it go on.
    Due(Value),
    /// It waits on, and what came is taken away.
    Refused(Box<Refusal>),
}

/// What a step refuses that came for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// In words.
    pub note: String,
    /// What commits with it.
    pub effects: Vec<Effect>,
}

/// What every step type decides.
pub trait StepHandler {
    /// It is entered, or tried again.
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError>;

    /// A read that it asked for is there.
    fn found(&self, at: &StepContext<'_>, _found: &Found) -> Result<StepDecision, StepError> {
        self.enter(at)
    }

    /// Its activity succeeded.
    fn performed(&self, _at: &StepContext<'_>, activity: &Activity, performed: &Performed) -> Result<After, StepError> {
        Ok(After::done(StepResult {
            input: activity.input(),
            output: performed.output.clone(),
            ..StepResult::default()
        }))
    }

    /// The time came that it waited for.
    fn due(&self, _at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        Ok(StepDecision::done(StepResult::default()))
    }

    /// An event came on a topic that it listens on.
    fn event(&self, _at: &StepContext<'_>, _event: &Event) -> Result<OnEvent, StepError> {
        Ok(OnEvent::Nothing)
    }

    /// It may have missed an event while it was held; `None`: it waits on.
    fn again(&self, _at: &StepContext<'_>) -> Result<Option<StepResult>, StepError> {
        Ok(None)
    }

    /// Whether it looks anew for what it waits for once a kill or a pause is over.
    fn looks_when_freed(&self) -> bool {
        false
    }

    /// Whether what it does next outside only looks: then an at-most-once step does it again after a crash.
    fn only_looks(&self, _checkpoint: &Value) -> bool {
        false
    }

    /// The terms of what it may wait for, of any visit of it: see [`crate::triggers::awaited_terms`].
    fn awaits(&self, _workflow: &Workflow, _objects: &BTreeMap<String, Object>) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// What it listens on by now; `None` if it listens to no events.
    fn listens(&self, _at: &StepContext<'_>) -> Option<Listening> {
        None
    }

    /// The branch that stands for yes (`true`) or no when the step is skipped.
    fn skipped_branch(&self, _yes: bool) -> Option<&'static str> {
        None
    }
}

/// The decisions of a step's type.
pub fn handler(kind: &StepKind) -> &dyn StepHandler {
    match kind {
        StepKind::Condition(step) => step,
        StepKind::Switch(step) => step,
        StepKind::Branch(step) => step,
        StepKind::ForEach(step) => step,
        StepKind::SetVariables(step) => step,
        StepKind::SetFields(step) => step,
        StepKind::SetStage(step) => step,
        StepKind::ChangeTags(step) => step,
        StepKind::AssignOwner(step) => step,
        StepKind::ArchiveRecord(step) => step,
        StepKind::UnarchiveRecord(step) => step,
        StepKind::LinkRecords(step) => step,
        StepKind::CreateRecord(step) => step,
        StepKind::FindRecords(step) => step,
        StepKind::CreateActivity(step) => step,
        StepKind::LogActivity(step) => step,
        StepKind::CancelActivities(step) => step,
        StepKind::HttpRequest(step) => step,
        StepKind::Delay(step) => step,
        StepKind::Goal(step) => step,
        StepKind::GoTo(step) => step,
        StepKind::Stop(step) => step,
        StepKind::Note(step) => step,
        StepKind::CallLlm(step) => step,
        StepKind::RunStateMachine(step) => step,
        StepKind::InvokeFunction(step) => step,
        StepKind::PublishEvent(step) => step,
        StepKind::SendMessage(step) => step,
        StepKind::StartWorkflow(step) => step,
        StepKind::ControlWorkflow(step) => step,
        StepKind::WaitForSignal(step) => step,
        StepKind::SendSignal(step) => step,
    }
}
