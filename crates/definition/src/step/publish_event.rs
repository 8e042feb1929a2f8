//! `publish_event`: puts an event on the event bus.

use serde::Deserialize;

use super::{Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::found;
use crate::value::is_blank_text;
use crate::{Check, Template, code};

/// Longest source and detail type, in bytes.
pub const EVENT_NAME_MOST: usize = 256;

/// What the source of an event must not begin with: AWS and Pawl tell of themselves so.
const TAKEN: [&str; 2] = ["aws.", "pawl."];

/// Whether a text can be the source of an event that a workflow publishes.
pub fn is_event_source(text: &str) -> bool {
    is_event_name(text) && !TAKEN.iter().any(|taken| text.starts_with(taken))
}

/// Whether a text can be the detail type of an event.
pub fn is_event_name(text: &str) -> bool {
    !is_blank_text(text) && text.len() <= EVENT_NAME_MOST
}

/// The step `publish_event`. Output: `{event_id}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishEvent {
    /// Who tells of it, such as `shop.orders`.
    pub source: Template,
    /// What happened, such as `Order Placed`.
    pub detail_type: Template,
    /// What is to be said of it, a mapping; `{}` if absent or null.
    #[serde(default)]
    pub detail: Option<Template>,
}

impl Shape for PublishEvent {
    fn words(&self, _: &Step) -> String {
        format!("publishes the event {} of {}", self.detail_type.words(), self.source.words())
    }

    fn reaches(&self) -> Vec<String> {
        vec!["the event bus".to_owned()]
    }

    fn facts() -> TypeFacts {
        TypeFacts { common_keys: &["timeout", "delivery"], outside: Some("event"), ..TypeFacts::PLAIN }
    }

    fn acts_outside(&self) -> bool {
        true
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::object([("event_id", Type::text())])
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        check_name(cx, ("source", " that does not begin with `aws.` or `pawl.`"), &self.source, is_event_source);
        check_name(cx, ("detail_type", ""), &self.detail_type, is_event_name);
        let detail = self.detail.as_ref().and_then(Template::literal);
        if let Some(detail) = detail.filter(|detail| !detail.is_object() && !detail.is_null()) {
            cx.error(code::WRONG_TYPE, &cx.key("detail"), format!("expected a mapping, found {}", found(detail)));
        }
        if let Some(detail) = self.detail.as_ref().filter(|detail| detail.literal().is_none()) {
            let kinds = cx.type_of(detail).kinds.present();
            if !kinds.meets(Kinds::OBJECT) {
                cx.error(code::WRONG_TYPE, &cx.key("detail"), format!("expected a mapping, found {kinds}"));
            }
        }
    }
}

fn check_name(cx: &mut Check<'_, '_>, (key, but): (&str, &str), name: &Template, fits: fn(&str) -> bool) {
    if let Some(name) = name.literal().filter(|name| !name.as_str().is_some_and(fits)) {
        let message = format!("expected a text of 1 to {EVENT_NAME_MOST} bytes{but}, found {}", found(name));
        cx.error(code::INVALID_VALUE, &cx.key(key), message);
    }
}
