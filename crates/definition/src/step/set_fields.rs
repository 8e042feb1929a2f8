//! `set_fields`: changes fields of a record, many at once.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Shape;
use crate::Template;

/// One change of a field.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldChange {
    /// The value.
    pub set: Option<Template>,
    /// Empties the field.
    pub clear: bool,
    /// Adds to a number, or a value (or each of a list) to a list that lacks it.
    pub add: Option<Template>,
    /// Takes from a number, or a value (or each of a list) from a list.
    pub remove: Option<Template>,
    /// Only if the field is blank.
    pub if_blank: bool,
    /// Maps the value: by its text to another value; `"*"` stands for any other.
    pub map: BTreeMap<String, Value>,
}

/// A field's change as written: a plain value, or an object of the keys of [`FieldChange`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written(pub(super) FieldChange);

const KEYS: &[&str] = &["set", "clear", "add", "remove", "if_blank", "map"];

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = Value::deserialize(deserializer)?;
        let is_change = value.as_object().is_some_and(|keys| !keys.is_empty() && keys.keys().all(|key| KEYS.contains(&key.as_str())));
        if is_change {
            return serde_json::from_value(value).map(Self).map_err(D::Error::custom);
        }
        let set = Template::parse(&value).map_err(D::Error::custom)?;
        Ok(Self(FieldChange { set: Some(set), ..FieldChange::default() }))
    }
}

pub(super) fn fields<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, FieldChange>, D::Error> {
    let written = BTreeMap::<String, Written>::deserialize(deserializer)?;
    Ok(written.into_iter().map(|(name, Written(change))| (name, change)).collect())
}

/// The step `set_fields`. Many fields change in one write.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFields {
    /// The record: absent for this record, the name of a relationship (`record.company`), or a template that gives
    /// a record (`{{ vars.ticket }}`: its id, or an object with `id` and `object`).
    #[serde(default)]
    pub target: Option<Template>,
    /// The object of the target, if `target` gives a bare id.
    #[serde(default)]
    pub object: Option<String>,
    /// Changes by field: a value, or `{set|clear|add|remove, if_blank, map}`.
    #[serde(deserialize_with = "fields")]
    #[schemars(with = "BTreeMap<String, Template>")]
    pub fields: BTreeMap<String, FieldChange>,
}

impl Shape for SetFields {}
