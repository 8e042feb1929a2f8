//! What events from outside are filled with: values by name, and the record that they are about.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::describe::JsonSchema;
use crate::{Check, Expression, code};

/// What a trigger fills its events with.
#[derive(Debug, Clone, Copy)]
pub struct Fills<'a> {
    /// How the record is found or created.
    pub record: Option<&'a RecordMatch>,
    /// Values by name.
    pub values: &'a BTreeMap<String, Expression>,
}

/// How the record of an event is found or created.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordMatch {
    /// One field and the CEL that gives its value.
    pub r#match: BTreeMap<String, Expression>,
    /// Creates the record if none matches; `match` and `values` of the same names fill its fields.
    #[serde(default)]
    pub create: bool,
}

/// The names below `values`. The keys may have mistakes.
pub(super) fn named_values(keys: &Map<String, Value>) -> Vec<&str> {
    let values = keys.get("values").and_then(Value::as_object);
    values.into_iter().flat_map(Map::keys).map(String::as_str).collect()
}

/// Checks that events find a record where the workflow needs one; `whose` says what they are.
pub(super) fn check(record: Option<&RecordMatch>, whose: &str, cx: &mut Check<'_, '_>) {
    match (record, cx.facts.object_id) {
        (Some(_), None) => {
            let message = format!("expected a workflow with an `object`, found a global one: {whose} have no record");
            cx.error(code::NO_RECORD, &cx.key("record"), message);
        }
        (Some(record), Some(_)) => record.check(cx),
        (None, Some(object)) if !cx.written("record") && !cx.waits => {
            let message = format!("this workflow runs against {object:?}, but without `record` {whose} find none");
            cx.warning(code::SUSPICIOUS, &cx.path.clone(), message);
        }
        (None, _) => {}
    }
}

impl RecordMatch {
    fn check(&self, cx: &mut Check<'_, '_>) {
        let path = cx.key("record").key("match");
        if self.r#match.len() != 1 && !cx.has_problem("record") {
            let found = self.r#match.keys().map(String::as_str).collect::<Vec<_>>().join(" and ");
            let found = if found.is_empty() { "none".to_owned() } else { found };
            cx.error(code::EXACTLY_ONE, &path, format!("expected exactly one field to match by, found {found}"));
        }
        let Some(object) = cx.facts.object() else { return };
        for name in self.r#match.keys() {
            let place = path.key(name);
            let known = cx.field_name(object, name, &place);
            let indexed = name == "id" || object.fields.get(name).is_some_and(|field| field.unique || field.indexed);
            if known && !indexed {
                let message = format!("{name:?} is not indexed: every delivery reads all records of {:?}", object.id);
                cx.warning(code::SUSPICIOUS, &place, message)
                    .suggest("add `unique: true` or `indexed: true` to the field".to_owned());
            }
        }
    }
}
