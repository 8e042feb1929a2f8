//! Values into the fields of a record, by its object.

use jiff::tz::TimeZone;
use pawl_definition::{Field, FieldType, OWNER, Object, STAGE, TAGS, VariableType, value};
use serde_json::{Map, Value};

use crate::{StepCode, StepError, coerce};

/// Brings a value to what a field of an object takes: a typed field, a relationship (ids), the stage, the owner or the tags.
/// Dates and times
/// without an offset are meant in the time zone.
pub fn coerce_field(object: &Object, name: &str, value: Value, timezone: &TimeZone) -> Result<Value, StepError> {
    if let Some(field) = object.fields.get(name) {
        return coerce::field(value, field, timezone).map_err(|error| error.at(name));
    }
    if let Some(relationship) = object.relationships.get(name) {
        let ids = coerce::variable(value, VariableType::Record, relationship.many, timezone)
            .map_err(|error| error.at(name))?;
        return Ok(if coerce::is_blank(&ids) { Value::Null } else { ids });
    }
    if name == TAGS {
        return tags(value, timezone);
    }
    if name == OWNER {
        return coerce::field(value, &Field::of(FieldType::Member), timezone).map_err(|error| error.at(name));
    }
    if name == STAGE && !object.stages.is_empty() {
        let known = value.as_str().is_some_and(|stage| object.stages.iter().any(|known| known == stage));
        let error = || {
            StepError::new(
                StepCode::WrongType,
                format!("`stage`: expected one of {:?}, found {}", object.stages, coerce::short(&value)),
            )
        };
        return if known { Ok(value.clone()) } else { Err(error()) };
    }
    Err(StepError::new(StepCode::UnknownField, format!("object {:?} has no field {name:?}", object.id)).at(name))
}

/// Tags as they are kept: without the white space around them, each once, in the order in which they were added.
fn tags(value: Value, timezone: &TimeZone) -> Result<Value, StepError> {
    let field = Field { many: true, ..Field::of(FieldType::Text) };
    let given = coerce::field(value, &field, timezone).map_err(|error| error.at(TAGS))?;
    let mut tags: Vec<Value> = Vec::new();
    for tag in given.as_array().into_iter().flatten() {
        let tag = Value::from(value::text_of(tag).trim());
        if !coerce::is_blank(&tag) && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(if tags.is_empty() { Value::Null } else { Value::Array(tags) })
}

/// The fields of a new record: the given values, then defaults and the first stage; required ones must be there.
pub fn new_fields(
    object: &Object,
    given: Map<String, Value>,
    timezone: &TimeZone,
) -> Result<Map<String, Value>, StepError> {
    let mut fields = Map::new();
    for (name, value) in given {
        // Of a stage that is not given, the first is meant.
        if name == STAGE && coerce::is_blank(&value) {
            continue;
        }
        let value = coerce_field(object, &name, value, timezone)?;
        put(&mut fields, &name, value);
    }
    for (name, field) in &object.fields {
        if let (false, Some(default)) = (fields.contains_key(name), &field.default) {
            put(&mut fields, name, coerce_field(object, name, default.clone(), timezone)?);
        }
    }
    if let (false, Some(first)) = (fields.contains_key(STAGE), object.stages.first()) {
        fields.insert(STAGE.to_owned(), first.clone().into());
    }
    check(object, &fields)?;
    Ok(fields)
}

/// Gives a field a value that has its type; null empties it. A value that equals the present one changes nothing.
pub fn put(fields: &mut Map<String, Value>, name: &str, value: Value) {
    if value::unchanged(fields.get(name), Some(&value)) {
        return;
    }
    if value.is_null() {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value);
    }
}

/// Brings the operand of a test to what the field is compared with: to its type, so that `"5"` finds the number 5 and a
/// time finds the same time; for `in` a list of such values, for `contains` a part of a text or an element of a list.
pub fn operand(
    object: &Object,
    name: &str,
    operator: &str,
    operand: Value,
    timezone: &TimeZone,
) -> Result<Value, StepError> {
    let wrong = |expected: &str, found: &Value| {
        let message = format!("expected {expected} for {operator}, found {}", coerce::short(found));
        StepError::new(StepCode::WrongType, message).at(name)
    };
    let field = object.field(name);
    let is_list = field.as_ref().is_some_and(|field| field.many)
        || object.relationships.get(name).is_some_and(|relationship| relationship.many);
    let whole = |value: Value| match &field {
        Some(field) => coerce::field(value, field, timezone).map_err(|error| error.at(name)),
        None => coerce_field(object, name, value, timezone),
    };
    match (operator, operand) {
        ("blank", truth @ Value::Bool(_)) => Ok(truth),
        ("blank", other) => Err(wrong("true or false", &other)),
        ("in", Value::Array(values)) => values.into_iter().map(whole).collect::<Result<_, _>>().map(Value::Array),
        ("in", other) => Err(wrong("a list", &other)),
        ("equals" | "not", value) => whole(value),
        (_, Value::Null) => Err(wrong("a value", &Value::Null)),
        ("contains", value) if is_list => element(object, name, value, timezone),
        ("contains", text @ Value::String(_)) => Ok(text),
        ("contains", other) => Err(wrong("a text", &other)),
        (_, value) if is_list => Err(wrong("a field with an order", &value)),
        (_, value) => {
            let found = whole(value.clone())?;
            if found.is_null() { Err(wrong("a value", &value)) } else { Ok(found) }
        }
    }
}

/// Brings a value to that by which the one record that has it in a unique field is found; null if it is blank, which
/// finds none. The field is unique.
pub fn unique_value(object: &Object, name: &str, value: Value, timezone: &TimeZone) -> Result<Value, StepError> {
    if !object.fields.get(name).is_some_and(|field| field.unique) {
        return Err(StepError::new(StepCode::UnknownField, not_unique(object, name)));
    }
    coerce_field(object, name, value, timezone)
}

fn not_unique(object: &Object, name: &str) -> String {
    let names = object.unique_names();
    let expected = if names.is_empty() { "which has none".to_owned() } else { names.join(", ") };
    format!("expected a unique field of {:?} ({expected}), found {name:?}", object.id)
}

/// Brings one element of a list field to the type of its elements.
fn element(object: &Object, name: &str, value: Value, timezone: &TimeZone) -> Result<Value, StepError> {
    let one = match object.field(name) {
        Some(field) => coerce::field(value, &Field { many: false, ..field.into_owned() }, timezone),
        None => coerce::variable(value, VariableType::Record, false, timezone),
    };
    one.map_err(|error| error.at(name))
}

/// Longest id of a record, in bytes: it stands in the keys of all that is about the record.
const ID_MOST: usize = 256;

/// Beside letters and digits, what stands in a segment of a path as itself (RFC 3986, `pchar`). What is percent-encoded
/// there does not survive: API Gateway decodes a path before it hands it on, so `a%2Fb` arrives as two segments.
const ID_MARKS: &str = "-._~!$&'()*+,;=:@";

/// Whether a key may be made of an id.
pub fn is_key(id: &str) -> bool {
    (1..=ID_MOST).contains(&id.len())
}

/// Requires that a record may have the id that somebody gives it: a segment of a path that every gateway hands on as it is.
pub fn check_id(id: &str) -> Result<(), StepError> {
    if !is_key(id) {
        let message = format!("`id`: expected from 1 to {ID_MOST} bytes, found {}", id.len());
        return Err(StepError::new(StepCode::InvalidId, message));
    }
    if id == "." || id == ".." {
        return Err(StepError::new(StepCode::InvalidId, format!("`id`: expected a name, found {id:?}")));
    }
    match id.chars().find(|c| !c.is_ascii_alphanumeric() && !ID_MARKS.contains(*c)) {
        None => Ok(()),
        Some(c) => {
            let message = format!("`id`: expected letters of ASCII, digits and {ID_MARKS} only, found {c:?} in {id:?}");
            Err(StepError::new(StepCode::InvalidId, message))
        }
    }
}

/// Largest fields of a record as JSON, in bytes: a change, before and after, fits one message.
const RECORD_MOST: usize = 100 * 1024;

/// Requires that every required field has a value, and that the record is not too large.
pub fn check(object: &Object, fields: &Map<String, Value>) -> Result<(), StepError> {
    check_required(object, fields)?;
    let size = serde_json::to_string(fields).map_or(0, |text| text.len());
    if size > RECORD_MOST {
        let message =
            format!("expected a record of at most {RECORD_MOST} bytes, found {size}: large values belong in a file");
        return Err(StepError::new(StepCode::RecordTooLarge, message));
    }
    Ok(())
}

fn check_required(object: &Object, fields: &Map<String, Value>) -> Result<(), StepError> {
    let missing =
        object.fields.iter().find(|(name, field)| field.required && fields.get(*name).is_none_or(coerce::is_blank));
    match missing {
        Some((name, _)) => Err(StepError::new(
            StepCode::RequiredField,
            format!("object {:?} requires a value for {name:?}", object.id),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bug: a gateway decodes paths, so a record with such an id could be made and never be reached.
    #[test]
    fn an_id_is_a_segment_of_a_path_as_it_stands() {
        for id in ["o1", "rec_0f", "ada@example.com", "a.b", "...", "2026-11-21T09:00:00Z", ID_MARKS] {
            assert_eq!(check_id(id), Ok(()), "{id}");
        }
        for id in ["a/b", "a?b", "a#b", "100%", "%2f", "a b", "größe", "a\\b", "a\nb", "..", ".", "", &"x".repeat(257)]
        {
            assert_eq!(check_id(id).map_err(|error| error.code), Err(StepCode::InvalidId), "{id:?}");
        }
        let message = check_id("a/b").expect_err("it is two segments").message;
        assert_eq!(message, "`id`: expected letters of ASCII, digits and -._~!$&'()*+,;=:@ only, found '/' in \"a/b\"");
    }
}
