//! `manual`.

use pawl_definition::trigger::Manual;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match};
use crate::event::EventType;
use crate::{Event, Plan};

impl Match for Manual {
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        event.kind == EventType::Manual && event.workflow.as_ref() == Some(&plan.workflow.id)
    }

    fn interests(&self, _: &Trigger, _: &Workflow) -> Vec<Interest> {
        Vec::new()
    }
}
