//! `record_archived`.

use pawl_definition::trigger::RecordArchived;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan};

impl Match for RecordArchived {
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        event.kind == EventType::RecordArchived && is_own_object(plan, event)
    }

    fn interests(&self, _: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        Interest::of_object(workflow, EventType::RecordArchived).into_iter().collect()
    }
}
