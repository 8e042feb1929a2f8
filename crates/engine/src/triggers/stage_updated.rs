//! `stage_updated`: matches as `field_updated` of the field that holds the stage.

use pawl_definition::trigger::StageUpdated;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match};
use crate::{Event, Plan};

impl Match for StageUpdated {
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
        self.field().matches(trigger, plan, event)
    }

    fn interests(&self, trigger: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        self.field().interests(trigger, workflow)
    }
}
