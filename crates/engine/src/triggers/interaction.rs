//! `interaction`.

use pawl_definition::trigger::Interaction;
use pawl_definition::{Trigger, Workflow};
use serde_json::Value;

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan, ids};

impl Match for Interaction {
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        let told = |key: &str| event.data.get("interaction")?.get(key)?.as_str();
        event.kind == EventType::Interaction
            && is_own_object(plan, event)
            && told("kind").is_some_and(|kind| self.takes(kind, told("url")))
    }

    fn interests(&self, _: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        let Some(object) = &workflow.object else { return Vec::new() };
        let any = Interest::of(ids::interaction_topic(object), EventType::Interaction).about_record();
        let kinds: Vec<Value> = self.kinds().iter().cloned().map(Value::from).collect();
        vec![if kinds.is_empty() { any } else { any.with(&["interaction", "kind"], kinds) }]
    }
}
