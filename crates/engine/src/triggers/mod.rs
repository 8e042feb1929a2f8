//! Which triggers an event meets. One file for each type, and one line in the registry below.

mod activity_logged;
mod activity_overdue;
mod date;
mod email;
mod event;
mod field_updated;
mod index;
mod interaction;
mod interest;
mod manual;
mod owner_changed;
mod record_archived;
mod record_created;
mod schedule;
mod stage_updated;
mod tag_changed;
mod webhook;
mod workflow_ended;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pawl_definition::{Object, Trigger, TriggerKind, Workflow};

use crate::context::StepScope;
use crate::{Context, Event, Execution, Plan, StepError, steps};

pub(crate) use interest::awaited;

pub use index::{Answer, RecordSight, answer, may_hear};
pub use interest::{Interest, widened};

/// What each trigger type says of an event.
trait Match {
    /// Whether an event matches it; its filter is evaluated apart.
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool;

    /// The ways in which an event can meet it, as far as they can be told without evaluating it: no event
    /// matches that none of them takes. None if it is only ever addressed by the workflow's id.
    fn interests(&self, trigger: &Trigger, workflow: &Workflow) -> Vec<Interest>;

    /// Whether its filter holds for the events that it listens to, and not for another one that follows later.
    fn is_filtered_early(&self) -> bool {
        true
    }

    /// Whether an event, which does not match it, changes when it fires.
    fn moves(&self, _plan: &Plan, _event: &Event) -> bool {
        false
    }
}

fn matcher(kind: &TriggerKind) -> &dyn Match {
    match kind {
        TriggerKind::Manual(trigger) => trigger,
        TriggerKind::Webhook(trigger) => trigger,
        TriggerKind::RecordCreated(trigger) => trigger,
        TriggerKind::FieldUpdated(trigger) => trigger,
        TriggerKind::StageUpdated(trigger) => trigger,
        TriggerKind::TagChanged(trigger) => trigger,
        TriggerKind::OwnerChanged(trigger) => trigger,
        TriggerKind::RecordArchived(trigger) => trigger,
        TriggerKind::Schedule(trigger) => trigger,
        TriggerKind::BusEvent(trigger) => trigger,
        TriggerKind::WorkflowEnded(trigger) => trigger,
        TriggerKind::Date(trigger) => trigger,
        TriggerKind::ActivityLogged(trigger) => trigger,
        TriggerKind::ActivityOverdue(trigger) => trigger,
        TriggerKind::Interaction(trigger) => trigger,
        TriggerKind::Email(trigger) => trigger,
    }
}

/// Whether an event matches a trigger; its filter is evaluated apart.
pub fn matches(trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
    trigger.enabled && matcher(&trigger.kind).matches(trigger, plan, event)
}

/// Whether an event changes when a trigger fires for its record.
pub fn moves(trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
    trigger.enabled && matcher(&trigger.kind).moves(plan, event)
}

/// Whether the event of a context passes a trigger's filter, against the record as it is now. The execution is the
/// one that waits for the event, or the one that it would start.
pub fn passes(trigger: &Trigger, cx: &Context<'_>, execution: &Execution) -> Result<bool, StepError> {
    let Some(filter) = &trigger.filter else { return Ok(true) };
    let scope = StepScope { cx, execution, secrets: false, meter: Rc::default(), answer: None };
    filter.test(&scope).map_err(|error| StepError::from(error).at(&format!("triggers.{}.filter", trigger.id)))
}

/// The ways in which an event can meet a trigger, its filter taken in; none if it is not enabled.
pub(crate) fn interests(trigger: &Trigger, workflow: &Workflow) -> Vec<Interest> {
    if !trigger.enabled {
        return Vec::new();
    }
    let matcher = matcher(&trigger.kind);
    let filter = trigger.filter.iter().filter(|_| matcher.is_filtered_early());
    let own = matcher.interests(trigger, workflow).into_iter();
    own.map(|interest| filter.clone().fold(interest, Interest::filtered)).collect()
}

/// The terms under which a workflow is listed, so that events which are addressed to nobody find it.
pub fn terms(workflow: &Workflow) -> BTreeSet<String> {
    let interests = workflow.triggers.iter().flat_map(|trigger| interests(trigger, workflow));
    interests.filter(|interest| !interest.is_addressed()).flat_map(|interest| interest.terms()).collect()
}

/// The terms under which a workflow is listed because its steps wait for changes of records. They say who may take notice
/// of a change, beside those whom it starts.
pub fn awaited_terms(workflow: &Workflow, objects: &BTreeMap<String, Object>) -> BTreeSet<String> {
    let all = workflow.all_steps();
    all.into_iter().flat_map(|step| steps::handler(&step.kind).awaits(workflow, objects)).collect()
}

/// Whether a term is one of those.
pub fn is_awaited(term: &str) -> bool {
    let dimension = term.split('|').nth(1).unwrap_or_default();
    dimension.split(interest::PROBE_SEPARATOR).next() == Some(interest::WAITS)
}

fn is_own_object(plan: &Plan, event: &Event) -> bool {
    let subject = event.subject.as_ref().map(|subject| &subject.object);
    subject.is_some() && subject == plan.workflow.object.as_ref()
}

/// Whether an event about an activity is for a workflow: one with an object starts on the activity's record of that object, a
/// global one without a record.
fn fits_record(plan: &Plan, event: &Event) -> bool {
    match plan.workflow.object {
        Some(_) => is_own_object(plan, event),
        None => event.subject.is_none(),
    }
}
