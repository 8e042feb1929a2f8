//! `schedule`.

use pawl_definition::trigger::Schedule;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match};
use crate::event::EventType;
use crate::{Event, Plan};

impl Match for Schedule {
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
        let addressed =
            event.workflow.as_ref() == Some(&plan.workflow.id) && event.trigger.as_ref() == Some(&trigger.id);
        event.kind == EventType::Schedule && addressed
    }

    fn interests(&self, _: &Trigger, _: &Workflow) -> Vec<Interest> {
        Vec::new()
    }
}
