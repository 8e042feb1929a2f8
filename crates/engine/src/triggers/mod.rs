//! Which triggers an event meets. One file for each type, and one line in the registry below.

mod field_updated;
mod manual;
mod record_created;
mod webhook;

use std::collections::BTreeSet;
use std::rc::Rc;

use pawl_definition::{Trigger, TriggerKind, Workflow};

use crate::context::StepScope;
use crate::{Context, Event, Execution, Plan, StepError};

/// What each trigger type says of an event.
trait Match {
    /// Whether an event matches it; its filter is evaluated apart.
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool;

    /// What it listens on; none if it is only ever addressed.
    fn topic(&self, trigger: &Trigger, workflow: &Workflow) -> Option<String>;
}

fn matcher(kind: &TriggerKind) -> &dyn Match {
    match kind {
        TriggerKind::Manual(trigger) => trigger,
        TriggerKind::Webhook(trigger) => trigger,
        TriggerKind::RecordCreated(trigger) => trigger,
        TriggerKind::FieldUpdated(trigger) => trigger,
    }
}

/// Whether an event matches a trigger; its filter is evaluated apart.
pub fn matches(trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
    trigger.enabled && matcher(&trigger.kind).matches(trigger, plan, event)
}

/// Whether the event of a context passes a trigger's filter, against the record as it is now. The execution is the
/// one that waits for the event, or the one that it would start.
pub fn passes(trigger: &Trigger, cx: &Context<'_>, execution: &Execution) -> Result<bool, StepError> {
    let Some(filter) = &trigger.filter else { return Ok(true) };
    let scope = StepScope { cx, execution, secrets: false, meter: Rc::default() };
    filter.test(&scope).map_err(|error| StepError::from(error).at(&format!("triggers.{}.filter", trigger.id)))
}

/// What a workflow listens on.
pub fn topics(workflow: &Workflow) -> BTreeSet<String> {
    let enabled = workflow.triggers.iter().filter(|trigger| trigger.enabled);
    enabled.filter_map(|trigger| matcher(&trigger.kind).topic(trigger, workflow)).collect()
}

fn object_topic(workflow: &Workflow) -> Option<String> {
    workflow.object.as_ref().map(|object| format!("object/{object}"))
}

fn is_own_object(plan: &Plan, event: &Event) -> bool {
    let subject = event.subject.as_ref().map(|subject| &subject.object);
    subject.is_some() && subject == plan.workflow.object.as_ref()
}
