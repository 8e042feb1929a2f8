//! `email`.

use pawl_definition::trigger::Email;
use pawl_definition::{Trigger, Workflow};
use serde_json::Value;

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan, ids};

impl Match for Email {
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        let text = |key| event.email(key).and_then(Value::as_str);
        let templates = self.templates();
        event.kind == EventType::Email
            && is_own_object(plan, event)
            && self.events().iter().any(|kind| Some(kind.word()) == text("event"))
            && (templates.is_empty() || text("template").is_some_and(|own| templates.iter().any(|one| one == own)))
            && self.takes_link(text("link"))
    }

    fn interests(&self, _: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        let Some(object) = &workflow.object else { return Vec::new() };
        let mut interest = Interest::of(ids::email_topic(object), EventType::Email).about_record();
        if self.event.is_some() {
            let events = self.events().iter().map(|kind| kind.word().into()).collect();
            interest = interest.with(&["email", "event"], events);
        }
        if !self.templates().is_empty() {
            let templates = self.templates().iter().map(|template| template.as_str().into()).collect();
            interest = interest.with(&["email", "template"], templates);
        }
        vec![interest]
    }
}
