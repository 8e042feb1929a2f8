//! `webhook`.

use pawl_definition::trigger::Webhook;
use pawl_definition::{Trigger, Workflow};

use super::Match;
use crate::event::EventType;
use crate::{Event, Plan};

impl Match for Webhook {
    fn matches(&self, trigger: &Trigger, plan: &Plan, event: &Event) -> bool {
        let addressed =
            event.workflow.as_ref() == Some(&plan.workflow.id) && event.trigger.as_ref() == Some(&trigger.id);
        event.kind == EventType::Webhook && addressed
    }

    fn topic(&self, trigger: &Trigger, workflow: &Workflow) -> Option<String> {
        Some(format!("hook/{}/{}", workflow.id, trigger.id))
    }
}
