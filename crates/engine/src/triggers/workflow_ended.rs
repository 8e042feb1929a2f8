//! `workflow_ended`.

use pawl_definition::trigger::{EndStatus, WorkflowEnded};
use pawl_definition::{Trigger, Workflow};
use serde_json::Value;

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan, ids};

impl Match for WorkflowEnded {
    /// A workflow with an object is started on the record of the execution that ended, so that must be one of its object.
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        if event.kind != EventType::WorkflowEnded {
            return false;
        }
        let told = |key: &str| event.data.get("execution")?.get(key)?.as_str();
        let (workflow, status) = (told("workflow"), told("status"));
        let fits_workflow = self.workflows().is_empty() || self.workflows().iter().any(|id| Some(&**id) == workflow);
        let fits_status = self.statuses().is_empty() || self.statuses().iter().any(|one| Some(one.word()) == status);
        let is_own = workflow == Some(&plan.workflow.id);
        let fits_record = plan.workflow.object.is_none() || is_own_object(plan, event);
        fits_workflow && fits_status && fits_record && !is_own
    }

    fn interests(&self, _: &Trigger, _: &Workflow) -> Vec<Interest> {
        let named = self.workflows().iter().map(|id| ids::end_topic(Some(id)));
        let topics = if self.workflow.is_none() { vec![ids::end_topic(None)] } else { named.collect() };
        let statuses: Vec<Value> = self.statuses().iter().copied().map(EndStatus::word).map(Value::from).collect();
        let interest = |topic| {
            let any = Interest::of(topic, EventType::WorkflowEnded).about_record();
            if statuses.is_empty() { any } else { any.with(&["execution", "status"], statuses.clone()) }
        };
        topics.into_iter().map(interest).collect()
    }
}
