//! `tag_changed`: a change of the field that holds the tags.

use pawl_definition::trigger::{TagChange, TagChanged};
use pawl_definition::{TAGS, Trigger, Workflow, value};
use serde_json::Value;

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan};

impl Match for TagChanged {
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        let Some(change) = event.data.get("changes").and_then(|changes| changes.get(TAGS)) else { return false };
        let side = |key: &str| change.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let (from, to) = (side("from"), side("to"));
        let came = |more: &[Value], fewer: &[Value]| {
            let fits = |tag: &Value| self.tag.as_ref().is_none_or(|expected| tag.as_str() == Some(expected));
            more.iter().any(|tag| fits(tag) && !value::contains(fewer, tag))
        };
        let counts = match self.change {
            Some(TagChange::Added) => came(to, from),
            Some(TagChange::Removed) => came(from, to),
            None => came(to, from) || came(from, to),
        };
        counts && event.kind == EventType::FieldUpdated && is_own_object(plan, event)
    }

    fn interests(&self, trigger: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        Self::field().interests(trigger, workflow)
    }
}
