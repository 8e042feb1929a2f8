//! `webhook`.

use pawl_definition::trigger::Webhook;
use pawl_definition::{Trigger, Workflow};

use super::{Interest, Match};
use crate::event::EventType;
use crate::{Event, Plan, ids};

impl Match for Webhook {
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
        let addressed =
            event.workflow.as_ref() == Some(&plan.workflow.id) && event.trigger.as_ref() == Some(&trigger.id);
        event.kind == EventType::Webhook && addressed
    }

    fn interests(&self, trigger: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        vec![Interest::of(ids::webhook_topic(&workflow.id, &trigger.id), EventType::Webhook)]
    }
}
