//! `field_updated`: a field of a record really changes.

use serde::Deserialize;
use serde_json::Value;

use super::Listen;
use crate::describe::JsonSchema;
use crate::expression::{listed, value_words};
use crate::object::ARCHIVED_AT;
use crate::path::Path;
use crate::source::TextPlaces;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Field, Object, code};

/// A test of a value before or after a change.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueTest {
    /// Anything.
    Any,
    /// Null, empty or white space.
    Blank,
    /// Not blank.
    NotBlank,
    /// Exactly this value.
    Equals(Value),
    /// One of these values.
    In(Vec<Value>),
    /// This value was added to a list.
    Added(Value),
    /// This value was removed from a list.
    Removed(Value),
    /// Between two values, both included.
    Between(Value, Value),
}

/// The trigger `field_updated`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldUpdated {
    /// The field.
    #[serde(default)]
    pub field: Option<String>,
    /// Or several; a change of any of them counts.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Test of the value before.
    #[serde(default)]
    pub from: Option<ValueTest>,
    /// Test of the value after.
    #[serde(default)]
    pub to: Option<ValueTest>,
    /// A value set when the record is created counts as a change from nothing; with `to: blank`, a blank one does.
    #[serde(default)]
    pub on_create: bool,
}

impl FieldUpdated {
    /// Any change of one field.
    pub(super) fn one(field: &str) -> Self {
        Self { field: Some(field.to_owned()), fields: Vec::new(), from: None, to: None, on_create: false }
    }

    /// The fields that it listens to.
    pub fn listens_to(&self) -> impl Iterator<Item = &str> {
        self.field.iter().chain(&self.fields).map(String::as_str)
    }
}

impl Listen for FieldUpdated {
    fn words(&self) -> String {
        let fields = listed(self.listens_to().map(str::to_owned), "or");
        format!("{fields} changes{}", change_words(self.from.as_ref(), self.to.as_ref()))
    }

    fn wants_text(keys: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
        let field = keys.get("field").and_then(Value::as_str);
        let takes_text = || field.zip(file.own_object()).is_some_and(|(field, object)| object.takes_text(field));
        matches!(place, ["from" | "to", ..]) && takes_text()
    }

    fn event(&self, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        super::changes(facts)
    }

    fn event_types(&self, tag: &'static str) -> Vec<&'static str> {
        if self.on_create { vec![tag, "record_created"] } else { vec![tag] }
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.exactly_one(&["field", "fields"]);
        if cx.keys.get("fields").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            let message = "this trigger never fires: expected at least one field, found an empty list";
            cx.error(code::INVALID_VALUE, &cx.key("fields"), message);
        }
        let Some(object) = cx.facts.object() else { return cx.needs_record() };
        if let Some(name) = &self.field {
            cx.field_name(object, name, &cx.key("field"));
        }
        for (at, name) in self.fields.iter().enumerate() {
            cx.field_name(object, name, &cx.key("fields").index(at));
        }
        if let Some(name) = self.listens_to().find(|name| Object::BUILT_IN.contains(name)) {
            let hint = if name == ARCHIVED_AT { "; write a trigger `record_archived`" } else { "" };
            let key = if self.field.is_some() { "field" } else { "fields" };
            let message = format!("this trigger never fires: {name:?} is no field that is changed{hint}");
            cx.error(code::INVALID_VALUE, &cx.key(key), message);
        }
        self.check_values(cx);
    }
}

impl FieldUpdated {
    /// Checks what it compares values with.
    pub(super) fn check_values(&self, cx: &mut Check<'_, '_>) {
        cx.needs_record();
        let Some(object) = cx.facts.object() else { return };
        let mut fields = self.listens_to().filter_map(|name| object.field(name));
        let first = fields.next();
        let alike = fields
            .all(|field| first.as_ref().is_some_and(|first| first.kind == field.kind && first.many == field.many));
        for (key, test) in [("from", &self.from), ("to", &self.to)] {
            if let (Some(field), Some(test)) = (first.as_ref().filter(|_| alike), test) {
                test.check(field, &cx.key(key), cx);
            }
        }
        if let (Some(ValueTest::Equals(from)), Some(ValueTest::Equals(to))) = (&self.from, &self.to)
            && from == to
        {
            let message = "this trigger never fires: a change is from one value to another, found the same twice";
            cx.error(code::INVALID_VALUE, &cx.key("to"), message);
        }
    }
}

impl ValueTest {
    /// Checks that the values compared with are values that the field can have.
    fn check(&self, field: &Field, path: &Path, cx: &mut Check<'_, '_>) {
        let one = Field { many: false, ..field.clone() };
        match self {
            Self::Any | Self::Blank | Self::NotBlank => {}
            Self::Equals(value) => cx.value_of(field, value, &path.key("equals")),
            Self::Added(_) | Self::Removed(_) if !field.many => {
                let message = "this trigger never fires: expected a field that is a list, found one that is not";
                cx.error(code::NOT_ALLOWED, path, message);
            }
            Self::Added(value) => cx.value_of(&one, value, &path.key("added")),
            Self::Removed(value) => cx.value_of(&one, value, &path.key("removed")),
            Self::In(values) if values.is_empty() => {
                let message = "this trigger never fires: expected at least one value, found an empty list";
                cx.error(code::INVALID_VALUE, &path.key("in"), message);
            }
            Self::In(values) => {
                values.iter().enumerate().for_each(|(at, value)| cx.value_of(&one, value, &path.key("in").index(at)));
            }
            Self::Between(least, most) => {
                cx.value_of(&one, least, &path.key("between").index(0));
                cx.value_of(&one, most, &path.key("between").index(1));
                let reversed = match (least, most) {
                    (Value::String(least), Value::String(most)) => least > most,
                    _ => least.as_f64().zip(most.as_f64()).is_some_and(|(least, most)| least > most),
                };
                if reversed {
                    let message = "this trigger never fires: expected the least value first, found it last";
                    cx.error(code::INVALID_VALUE, &path.key("between"), message);
                }
            }
        }
    }
}

/// Tests of a value before and after its change, in words.
pub(super) fn change_words(from: Option<&ValueTest>, to: Option<&ValueTest>) -> String {
    let parts = [("from", from), ("to", to)];
    let parts = parts.iter().filter_map(|(word, test)| Some(format!(" {word} {}", (*test)?.words())));
    parts.collect()
}

impl ValueTest {
    fn words(&self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Blank => "nothing".to_owned(),
            Self::NotBlank => "something".to_owned(),
            Self::Equals(value) => value_words(value),
            Self::In(values) => listed(values.iter().map(value_words), "or"),
            Self::Added(value) => format!("one with {}", value_words(value)),
            Self::Removed(value) => format!("one without {}", value_words(value)),
            Self::Between(least, most) => format!("between {} and {}", value_words(least), value_words(most)),
        }
    }
}
