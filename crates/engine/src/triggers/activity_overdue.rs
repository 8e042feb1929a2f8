//! `activity_overdue`.

use pawl_definition::trigger::ActivityOverdue;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match, fits_record};
use crate::event::EventType;
use crate::{Event, Plan, ids};

impl Match for ActivityOverdue {
    /// A trigger that fires later takes the event of its own firing only.
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
        let is_told = match &event.workflow {
            None => !self.is_delayed(),
            Some(workflow) => *workflow == plan.workflow.id && event.trigger.as_ref() == Some(&trigger.id),
        };
        is_told && is_about(self, event) && fits_record(plan, event)
    }

    fn interests(&self, _: &Trigger, _: &Workflow) -> Vec<Interest> {
        vec![Interest::of(ids::overdue_topic(&self.activity), EventType::ActivityOverdue).about_record()]
    }

    /// The filter of a trigger that fires later counts then.
    fn is_filtered_early(&self) -> bool {
        !self.is_delayed()
    }

    fn moves(&self, plan: &Plan, event: &Event) -> bool {
        self.is_delayed() && event.workflow.is_none() && is_about(self, event) && fits_record(plan, event)
    }
}

fn is_about(trigger: &ActivityOverdue, event: &Event) -> bool {
    event.kind == EventType::ActivityOverdue && event.activity_type() == Some(&trigger.activity)
}
