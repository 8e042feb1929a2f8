//! `date`.

use pawl_definition::trigger::Date;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan};

impl Match for Date {
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
        let addressed =
            event.workflow.as_ref() == Some(&plan.workflow.id) && event.trigger.as_ref() == Some(&trigger.id);
        event.kind == EventType::Date && addressed && is_own_object(plan, event)
    }

    /// Changes of the date start nothing: they move the time at which it fires. Its filter counts only then.
    fn interests(&self, _: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        let of = |kind| Interest::of_object(workflow, kind);
        let with_date = [EventType::RecordCreated, EventType::FieldUpdated].into_iter().filter_map(of);
        let with_date = with_date.map(|interest| interest.has(&["changes", &self.field]));
        with_date.chain(of(EventType::RecordArchived)).collect()
    }

    fn is_filtered_early(&self) -> bool {
        false
    }

    fn moves(&self, plan: &Plan, event: &Event) -> bool {
        let of_date = || event.data.get("changes").is_some_and(|changes| changes.get(&self.field).is_some());
        is_own_object(plan, event)
            && match event.kind {
                EventType::RecordArchived => true,
                EventType::RecordCreated | EventType::FieldUpdated => of_date(),
                _ => false,
            }
    }
}
