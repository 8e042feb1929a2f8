//! `activity_logged`.

use pawl_definition::trigger::ActivityLogged;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match, fits_record};
use crate::event::EventType;
use crate::{Event, Plan, ids};

impl Match for ActivityLogged {
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        let is_of_type = event.activity_type() == Some(&self.activity);
        event.kind == EventType::ActivityLogged && is_of_type && fits_record(plan, event)
    }

    fn interests(&self, _: &Trigger, _: &Workflow) -> Vec<Interest> {
        vec![Interest::of(ids::activity_topic(&self.activity), EventType::ActivityLogged).about_record()]
    }
}
