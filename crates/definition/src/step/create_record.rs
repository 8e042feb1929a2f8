//! `create_record`: makes a record.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Shape;
use super::set_fields::{self, FieldChange};
use crate::describe::JsonSchema;
use crate::source::TextPlaces;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Object, code};

/// What to do if a unique field already has the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// The record that is there becomes the output.
    Use,
    /// A number is added to the value, ` (2)`.
    Suffix,
    /// The step fails.
    #[default]
    Error,
    /// The record that is there comes back from the archive and becomes the output.
    Unarchive,
}

/// The step `create_record`. Output: the record.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRecord {
    /// Record type.
    pub object: String,
    /// Values by field: a value, or a change as in `set_fields`, of a field that is blank.
    #[serde(default, deserialize_with = "set_fields::fields")]
    #[schemars(with = "BTreeMap<String, set_fields::Written>")]
    pub fields: BTreeMap<String, FieldChange>,
    /// Relationship of the new record that is to point to this record.
    #[serde(default)]
    pub link_back: Option<String>,
    /// What to do if a unique field already has the value.
    #[serde(default)]
    pub on_duplicate: OnDuplicate,
}

impl Shape for CreateRecord {
    fn wants_text(keys: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
        matches!(place, ["fields", name, ..] if file.object(keys.get("object")).is_some_and(|object| object.takes_text(name)))
    }

    fn object(&self) -> Option<&str> {
        Some(&self.object)
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        facts.objects.get(&self.object).map_or_else(Type::any, Type::of_record)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if self.link_back.is_some() && cx.facts.object_id.is_none() {
            let message =
                "expected a workflow with an `object`, found a global one: there is no record to link back to";
            cx.error(code::NO_RECORD, &cx.key("link_back"), message);
        }
        let Some(object) = cx.object(&self.object, &cx.key("object")) else { return };
        for (name, change) in &self.fields {
            let path = cx.key("fields").key(name);
            change.check(&path, cx);
            change.check_against(object, name, &path, cx);
        }
        check_required(object, cx);
        if let Some(name) = &self.link_back {
            cx.relationship(object, name, &cx.key("link_back"));
        }
    }
}

fn check_required(object: &Object, cx: &mut Check<'_, '_>) {
    let required = object.fields.iter().filter(|(_, field)| field.required && field.default.is_none());
    for (name, _) in required.filter(|(name, _)| !cx.written_at(&["fields", name])).collect::<Vec<_>>() {
        let message = format!("missing field {name:?}: object {:?} requires it", object.id);
        let path = if cx.written("fields") { cx.key("fields") } else { cx.path.clone() };
        cx.error(code::MISSING_KEY, &path, message);
    }
}
