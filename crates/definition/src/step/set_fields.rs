//! `set_fields`: changes fields of a record, many at once.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::targets::{Targets, target_words};
use super::{Carried, Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::object::OWNER;
use crate::path::Path;
use crate::source::TextPlaces;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Field, FieldType, Object, Template, code};

/// One change of a field.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
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
    /// A blank value changes nothing.
    pub unless_blank: bool,
    /// Maps the value: by its text to another value; `"*"` stands for any other.
    pub map: BTreeMap<String, Value>,
}

/// A field's change as written: a plain value, or an object of the keys of [`FieldChange`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written(pub(super) FieldChange);

const KEYS: &[&str] = &["set", "clear", "add", "remove", "if_blank", "unless_blank", "map"];

#[cfg(feature = "describe")]
impl JsonSchema for Written {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldChangeOrValue".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (change, value) = (generator.subschema_for::<FieldChange>(), generator.subschema_for::<Template>());
        schemars::json_schema!({ "anyOf": [change, value] })
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = Value::deserialize(deserializer)?;
        let is_change = value
            .as_object()
            .is_some_and(|keys| !keys.is_empty() && keys.keys().all(|key| KEYS.contains(&key.as_str())));
        if is_change {
            return serde_json::from_value(value).map(Self).map_err(D::Error::custom);
        }
        let set = Template::parse(&value).map_err(D::Error::custom)?;
        Ok(Self(FieldChange { set: Some(set), ..FieldChange::default() }))
    }
}

pub(super) fn fields<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, FieldChange>, D::Error> {
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
    #[schemars(with = "BTreeMap<String, Written>")]
    pub fields: BTreeMap<String, FieldChange>,
}

impl Shape for SetFields {
    fn words(&self, _: &Step) -> String {
        format!("changes {}: {}", target_words(self.target.as_ref()), changes_words(&self.fields))
    }

    fn facts() -> TypeFacts {
        TypeFacts { reads_record: true, ..TypeFacts::PLAIN }
    }

    fn wants_text(keys: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
        let ["fields", name, ..] = place else { return false };
        Targets::object_of(keys, file).is_some_and(|object| object.takes_text(name))
    }

    fn carries(&self, meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        let takes = |change: &FieldChange| [&change.set, &change.add].into_iter().flatten().any(meant);
        let changes = self.fields.iter().filter(|(_, change)| self.target.is_none() && takes(change));
        Carried { fields: changes.map(|(name, _)| name.as_str()).collect(), ..Carried::default() }
    }

    fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn changes_own_record(&self) -> bool {
        self.target.is_none()
    }

    fn reads_definitions(&self) -> bool {
        self.fields.contains_key(OWNER)
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        self.targets().output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if self.fields.is_empty() && !cx.has_problem("fields") {
            cx.error(code::INVALID_VALUE, &cx.key("fields"), "expected at least one field, found none");
        }
        let object = self.targets().check(cx);
        for (name, change) in &self.fields {
            let path = cx.key("fields").key(name);
            change.check(&path, cx);
            if let Some(object) = object {
                change.check_against(object, name, &path, cx);
            }
        }
    }
}

impl SetFields {
    /// The change of one field.
    pub(super) fn one(field: &str, change: FieldChange, target: Option<Template>, object: Option<String>) -> Self {
        Self { target, object, fields: BTreeMap::from([(field.to_owned(), change)]) }
    }

    /// The records whose fields change.
    pub(super) fn targets(&self) -> Targets<'_> {
        Targets { target: self.target.as_ref(), object: self.object.as_deref() }
    }
}

impl FieldChange {
    pub(super) fn check(&self, path: &Path, cx: &mut Check<'_, '_>) {
        let kinds = [
            ("set", self.set.is_some()),
            ("clear", self.clear),
            ("add", self.add.is_some()),
            ("remove", self.remove.is_some()),
        ];
        let found: Vec<_> = kinds.iter().filter(|(_, written)| *written).map(|(key, _)| *key).collect();
        if found.len() != 1 && found != ["add", "remove"] {
            let found = if found.is_empty() { "none".to_owned() } else { found.join(" and ") };
            let message = format!(
                "expected exactly one of set, clear, add or remove (or add and remove of a list), found {found}"
            );
            cx.error(code::EXACTLY_ONE, path, message);
        } else if self.unless_blank && self.clear {
            let message = "`unless_blank` has no effect here: expected a value that may be blank, found `clear`";
            cx.error(code::NOT_ALLOWED, &path.key("unless_blank"), message);
        }
    }

    pub(super) fn check_against(&self, object: &Object, name: &str, path: &Path, cx: &mut Check<'_, '_>) {
        let literal = self.set.as_ref().and_then(Template::literal).filter(|_| self.map.is_empty());
        cx.field_value(object, name, literal, path);
        if let Some(set) = self.set.as_ref().filter(|_| self.map.is_empty()) {
            cx.field_takes_of(object, name, set, path);
        }
        let Some(field) = object.field(name) else { return };
        for (key, value) in &self.map {
            cx.value_of(&field, value, &path.key("map").key(key));
        }
        let adds = field.many || field.kind == FieldType::Number;
        let key = if self.add.is_some() { "add" } else { "remove" };
        if (self.add.is_some() || self.remove.is_some()) && !adds {
            let message =
                format!("expected a number or a list for `{key}`, found the field {name:?}, which is neither");
            cx.error(code::NOT_ALLOWED, &path.key(key), message);
        } else if self.add.is_some() && self.remove.is_some() && !field.many {
            let message = format!("expected either `add` or `remove`, found both: the field {name:?} is no list");
            cx.error(code::NOT_ALLOWED, path, message);
        }
        self.check_parts(&field, path, cx);
    }

    /// What is added and removed must be of the field's type, one or a list of them.
    fn check_parts(&self, field: &Field, path: &Path, cx: &mut Check<'_, '_>) {
        for (key, part) in [("add", &self.add), ("remove", &self.remove)] {
            let Some(part) = part.as_ref().filter(|_| self.map.is_empty()) else { continue };
            match part.literal() {
                Some(value) => cx.value_of(field, value, &path.key(key)),
                None => cx.field_takes(field, part, &path.key(key)),
            }
        }
    }
}

/// Changes of fields, in words.
pub(super) fn changes_words(fields: &BTreeMap<String, FieldChange>) -> String {
    listed(fields.iter().map(|(name, change)| format!("{name} {}", change.words())), "and")
}

impl FieldChange {
    fn words(&self) -> String {
        let parts = [("becomes", &self.set), ("loses", &self.remove), ("gains", &self.add)];
        let parts = parts.iter().filter_map(|(word, value)| Some(format!("{word} {}", value.as_ref()?.words())));
        let cleared = self.clear.then(|| "is cleared".to_owned());
        let mut words = listed(parts.chain(cleared), "and");
        if !self.map.is_empty() {
            words.push_str(", translated");
        }
        if self.if_blank {
            words.push_str(" if it is blank");
        }
        if self.unless_blank {
            words.push_str(" if that is not blank");
        }
        words
    }
}
