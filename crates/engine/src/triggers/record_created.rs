//! `record_created`.

use pawl_definition::trigger::{Appearance, RecordCreated};
use pawl_definition::{Trigger, Workflow};
use serde_json::Value;

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan};

impl Match for RecordCreated {
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        let unarchived = event.data.get("unarchived") == Some(&Value::Bool(true));
        let appearance = if unarchived { Appearance::Unarchived } else { Appearance::Created };
        event.kind == EventType::RecordCreated && self.include.contains(&appearance) && is_own_object(plan, event)
    }

    fn interests(&self, _: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        Interest::of_object(workflow, EventType::RecordCreated).into_iter().collect()
    }
}
