//! `activity_logged`.

use pawl_definition::trigger::ActivityLogged;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan, ids};

impl Match for ActivityLogged {
    /// A workflow with an object starts on the activity's record of that object, a global one without a record.
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        if event.kind != EventType::ActivityLogged {
            return false;
        }
        let fits_record = match plan.workflow.object {
            Some(_) => is_own_object(plan, event),
            None => event.subject.is_none(),
        };
        event.activity_type() == Some(&self.activity) && fits_record
    }

    fn interests(&self, _: &Trigger, _: &Workflow) -> Vec<Interest> {
        vec![Interest::of(ids::activity_topic(&self.activity), EventType::ActivityLogged).about_record()]
    }
}
