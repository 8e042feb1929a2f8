//! `event`.

use pawl_definition::trigger::BusEvent;
use pawl_definition::{Trigger, Workflow};
use serde_json::Value;

use super::{Interest, Match};
use crate::event::EventType;
use crate::{Event, Plan, ids};

impl Match for BusEvent {
    /// An event that was filled by one trigger of a workflow matches this trigger only.
    fn matches(&self, trigger: &Trigger, _: &Plan, event: &Event) -> bool {
        let is_filled_for = event.trigger.as_ref().is_none_or(|id| *id == trigger.id);
        event.kind == EventType::Event
            && is_filled_for
            && event.data.get("event").is_some_and(|envelope| self.pattern.matches(envelope))
    }

    fn interests(&self, _: &Trigger, _: &Workflow) -> Vec<Interest> {
        let topics = match self.pattern.texts("source") {
            Some(sources) => sources.into_iter().map(|source| ids::bus_topic(Some(source))).collect(),
            None => vec![ids::bus_topic(None)],
        };
        let kinds: Option<Vec<Value>> =
            self.pattern.texts("detail-type").map(|texts| texts.into_iter().map(Value::from).collect());
        let interest = |topic: String| {
            let any = Interest::of(topic, EventType::Event);
            kinds.as_ref().map_or(any.clone(), |kinds| any.with(&["event", "detail-type"], kinds.clone()))
        };
        topics.into_iter().map(interest).collect()
    }
}
