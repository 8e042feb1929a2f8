//! `tag_changed`: a record gets or loses a tag.

use serde::Deserialize;

use super::FieldUpdated;
use crate::describe::JsonSchema;
use crate::object::TAGS;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, code};

/// What happens to a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TagChange {
    /// The record gets it.
    Added,
    /// The record loses it.
    Removed,
}

/// The trigger `tag_changed`. Tags with which a record is created are no change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagChanged {
    /// The tag; any if absent.
    #[serde(default)]
    pub tag: Option<String>,
    /// What happens to it; either if absent.
    #[serde(default)]
    pub change: Option<TagChange>,
}

impl TagChanged {
    /// The changes of the field that it listens to; its tests of values are its own.
    pub fn field() -> FieldUpdated {
        FieldUpdated::one(TAGS)
    }
}

impl super::Listen for TagChanged {
    fn words(&self) -> String {
        let change = match self.change {
            Some(TagChange::Added) => "gets",
            Some(TagChange::Removed) => "loses",
            None => "gets or loses",
        };
        let tag = self.tag.as_ref().map_or_else(|| "a tag".to_owned(), |tag| format!("the tag {tag:?}"));
        format!("a record {change} {tag}")
    }

    fn event(&self, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        super::changes(facts)
    }

    fn event_types(&self, _: &'static str) -> Vec<&'static str> {
        vec!["field_updated"]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.needs_record();
        if self.tag.as_ref().is_some_and(|tag| tag.trim().is_empty()) {
            cx.error(code::BLANK_VALUE, &cx.key("tag"), "expected a tag, found an empty text");
        } else if let Some(tag) = self.tag.as_ref().filter(|tag| tag.trim() != tag.as_str()) {
            let message =
                format!("this trigger never fires: tags are kept without white space around them, found {tag:?}");
            cx.error(code::INVALID_VALUE, &cx.key("tag"), message);
        }
    }
}
