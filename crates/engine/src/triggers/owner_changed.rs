//! `owner_changed`: matches as `field_updated` of the field that holds the owner.

use pawl_definition::trigger::OwnerChanged;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match};
use crate::{Event, Plan};

impl Match for OwnerChanged {
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
        self.field().matches(trigger, plan, event)
    }

    fn interests(&self, trigger: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        self.field().interests(trigger, workflow)
    }
}
