//! An answer brought to the shape that is asked for, as the fields of a record are.

use jiff::tz::TimeZone;
use pawl_definition::step::{AnswerShape, OutputField};
use pawl_definition::{Field, FieldType, JsonSchema, Mismatch, MismatchKind, SchemaBudget, SchemaTooCostly};
use serde_json::{Map, Value};

use crate::coerce::{self, short};

/// What it costs to hold a word against one option, in units of [`SchemaBudget`].
const OPTION: usize = 4;

/// Why an answer is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It does not fit, for these reasons.
    Reasons(Vec<String>),
    /// To say whether it fits takes more than a whole answer may.
    Costly(SchemaTooCostly),
}

impl From<SchemaTooCostly> for Misfit {
    fn from(error: SchemaTooCostly) -> Self {
        Self::Costly(error)
    }
}

/// Brings an answer to its fields: each to its type, a word to the option that it is meant for, null to what is not
/// required. A list of one object is that object. Returns what does not fit, field by field.
pub(super) fn fields(
    value: Value,
    shape: &AnswerShape,
    timezone: &TimeZone,
    budget: &mut SchemaBudget,
) -> Result<Value, Misfit> {
    let mut given = match only(value) {
        Value::Object(given) => given,
        other => return Err(Misfit::Reasons(vec![format!("expected an object, found {}", short(&other))])),
    };
    let (mut fitting, mut wrong) = (Map::new(), Vec::new());
    for (name, field) in shape.fields_in_order() {
        // Each item is held against each option.
        let items = given.get(name).and_then(Value::as_array).map_or(1, Vec::len);
        budget.spend_each(items.saturating_mul(1 + OPTION * field.options.len()))?;
        match self::field(given.remove(name).unwrap_or_default(), field, timezone) {
            Ok(value) => drop(fitting.insert(name.to_owned(), value)),
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    if let Some(name) = given.keys().next() {
        wrong.push(format!("expected no other keys, found {}", short(&name.as_str().into())));
    }
    if wrong.is_empty() { Ok(Value::Object(fitting)) } else { Err(Misfit::Reasons(wrong)) }
}

fn field(value: Value, field: &OutputField, timezone: &TimeZone) -> Result<Value, String> {
    let kind = if field.options.is_empty() { field.kind } else { FieldType::Option };
    let blank =
        value.is_null() || (kind != FieldType::Text && value.as_str().is_some_and(|text| text.trim().is_empty()));
    if blank && field.optional {
        return Ok(Value::Null);
    }
    if value.is_null() {
        return Err("expected a value, found none".to_owned());
    }
    let value = match value {
        Value::Array(items) if field.many => {
            items.into_iter().filter(|item| !item.is_null()).map(|item| option(item, &field.options)).collect()
        }
        value => option(value, &field.options),
    };
    let is_object = |value: &Value| value.is_object() && kind == FieldType::Text;
    if is_object(&value) || value.as_array().is_some_and(|items| items.iter().any(is_object)) {
        return Err(format!("expected text, found {}", short(&value)));
    }
    let typed = Field { options: field.options.clone(), many: field.many, ..Field::of(kind) };
    coerce::answer(value, &typed, timezone).map_err(|error| error.message)
}

/// The option that a word is meant for: the same one, or the only one that differs in nothing but case and white space.
fn option(value: Value, options: &[String]) -> Value {
    let word = match &value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return value,
    };
    if options.is_empty() {
        return value;
    }
    if options.contains(&word) {
        return word.into();
    }
    let mut alike = options.iter().filter(|option| option.trim().to_lowercase() == word.to_lowercase());
    match (alike.next(), alike.next()) {
        (Some(option), None) => option.as_str().into(),
        _ => value,
    }
}

/// The only item of a list; else the value itself.
fn only(value: Value) -> Value {
    match value {
        Value::Array(mut items) if items.len() == 1 => items.remove(0),
        value => value,
    }
}

/// Holds an answer against an author's schema. What it refuses for its type alone is brought to it: numbers and truths
/// that came as text, a word that differs in case, null where a key may be absent, a list of one.
pub(super) fn schema(
    value: Value,
    schema: &JsonSchema,
    written: &Value,
    budget: &mut SchemaBudget,
) -> Result<Value, Misfit> {
    let wrong = schema.mismatches(&value, budget)?;
    if wrong.is_empty() {
        return Ok(value);
    }
    let mut mended = value.clone();
    for mismatch in &wrong {
        mend(&mut mended, mismatch, written);
    }
    for value in [mended, only(value)] {
        if schema.accepts(&value, budget)? {
            return Ok(value);
        }
    }
    Err(Misfit::Reasons(wrong.iter().map(ToString::to_string).collect()))
}

fn mend(value: &mut Value, mismatch: &Mismatch, written: &Value) {
    let Some(schema) = written.pointer(&mismatch.schema) else { return };
    let Some(part) = value.pointer_mut(&mismatch.place) else { return };
    match (&mismatch.kind, &*part) {
        (MismatchKind::WrongType, Value::Null) => {
            let Some((parent, key)) = mismatch.place.rsplit_once('/') else { return };
            let key = key.replace("~1", "/").replace("~0", "~");
            if let Some(Value::Object(keys)) = value.pointer_mut(parent) {
                keys.remove(&key);
            }
        }
        (MismatchKind::WrongType, Value::String(_)) => {
            let types =
                [("number", FieldType::Number), ("integer", FieldType::Number), ("boolean", FieldType::Boolean)];
            let Some((_, kind)) = types.into_iter().find(|(name, _)| schema["type"] == *name) else { return };
            if let Ok(typed) = coerce::answer(part.clone(), &Field::of(kind), &TimeZone::UTC) {
                *part = typed;
            }
        }
        (MismatchKind::UnknownWord, _) => {
            let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            *part = option(part.take(), &words.map(str::to_owned).collect::<Vec<_>>());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reasons(fitting: Result<Value, Misfit>) -> Result<Value, Vec<String>> {
        fitting.map_err(|misfit| match misfit {
            Misfit::Reasons(reasons) => reasons,
            Misfit::Costly(error) => panic!("expected that it costs little: {error}"),
        })
    }

    fn fits(fields: &Value, answer: Value) -> Result<Value, Vec<String>> {
        let shape = serde_json::from_value(json!({ "fields": fields })).expect("the test's fields are");
        let berlin = TimeZone::get("Europe/Berlin").expect("it is a time zone");
        reasons(super::fields(answer, &shape, &berlin, &mut SchemaBudget::default()))
    }

    fn typed(field: &Value, answer: &Value) -> Result<Value, String> {
        let fitting = fits(&json!({ "a": field }), json!({ "a": answer }));
        fitting.map(|value| value["a"].clone()).map_err(|why| why.join("; "))
    }

    #[test]
    fn values_are_brought_to_the_types_of_their_fields() {
        for (field, answer, expected) in [
            (json!({"type": "number"}), json!("59.90"), json!(59.9)),
            (json!({"type": "boolean"}), json!("yes"), json!(true)),
            (json!({"type": "date"}), json!("2026-11-21T23:30:00Z"), json!("2026-11-22")),
            (json!({"type": "datetime"}), json!("2026-11-21T09:00"), json!("2026-11-21T08:00:00Z")),
            (json!({"type": "phone"}), json!("+49 (30) 1234567"), json!("+49301234567")),
            (json!({"type": "email"}), json!(" ada@example.com "), json!("ada@example.com")),
            (json!({"type": "option", "options": ["bug", "question"]}), json!("Bug"), json!("bug")),
            (json!({"options": ["1", "2"]}), json!(1), json!("1")),
            (json!({"many": true, "options": ["a", "b"]}), json!(["A", null]), json!(["a"])),
            (json!({"many": true}), json!("x"), json!(["x"])),
            (json!({"type": "number", "optional": true}), json!(null), json!(null)),
            (json!({"type": "date", "optional": true}), json!(""), json!(null)),
            (json!({}), json!(""), json!("")),
        ] {
            assert_eq!(typed(&field, &answer), Ok(expected), "{field} {answer}");
        }
    }

    #[test]
    fn what_cannot_be_brought_to_its_type_is_told() {
        for (field, answer, expected) in [
            (json!({"type": "number"}), json!("about 60"), "a: expected a number, found \"about 60\""),
            (json!({"type": "date"}), json!("tomorrow"), "a: expected a date such as 2026-11-21, found \"tomorrow\""),
            (json!({"type": "email"}), json!("Ada"), "a: expected an e-mail address, found \"Ada\""),
            (json!({"type": "phone"}), json!("unknown"), "a: expected a telephone number, found \"unknown\""),
            (json!({"type": "uuid"}), json!("123"), "a: expected a UUID, found \"123\""),
            (json!({"options": ["A", "a"]}), json!(" á"), "a: expected one of [\"A\", \"a\"], found \" á\""),
            (json!({}), json!({"id": "x"}), "a: expected text, found {\"id\":\"x\"}"),
            (json!({"type": "number"}), json!(null), "a: expected a value, found none"),
            (json!({"type": "number"}), json!(""), "a: expected a number, found \"\""),
        ] {
            assert_eq!(typed(&field, &answer), Err(expected.to_owned()), "{field} {answer}");
        }
    }

    #[test]
    fn an_answer_is_one_object_with_these_keys() {
        let fields = json!({"a": {}, "b": {"optional": true}});
        assert_eq!(fits(&fields, json!([{"a": "x"}])), Ok(json!({"a": "x", "b": null})));
        assert_eq!(fits(&fields, json!([])), Err(vec!["expected an object, found []".to_owned()]));
        let more = vec!["expected no other keys, found \"c\"".to_owned()];
        assert_eq!(fits(&fields, json!({"a": "x", "c": 1})), Err(more));
    }

    #[test]
    fn an_authors_schema_is_mended_for_in_the_same_way() {
        let written = json!({
            "type": "object",
            "properties": {"price": {"type": "number"}, "kind": {"enum": ["bug", "question"]}, "a/b": {"type": "string"}},
            "required": ["price"],
        });
        let checked = JsonSchema::new(&written).expect("a schema");
        let schema =
            |value, checked, written| reasons(super::schema(value, checked, written, &mut SchemaBudget::default()));
        let given = json!({"price": "59.90", "kind": "Bug", "a/b": null});
        assert_eq!(schema(given, &checked, &written), Ok(json!({"price": 59.9, "kind": "bug"})));
        assert_eq!(schema(json!([{"price": 1}]), &checked, &written), Ok(json!({"price": 1})));
        assert!(schema(json!({"price": null}), &checked, &written).is_err());
        assert!(schema(json!({"price": "cheap"}), &checked, &written).is_err());
    }
}
