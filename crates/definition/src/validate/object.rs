//! An object file: names, options, defaults and stages.

use serde_json::Value;

use super::report::Report;
use super::{literal, words};
use crate::path::Path;
use crate::problem::code;
use crate::{Field, FieldType, Object};

/// Checks what the shape of an object cannot say.
pub(super) fn check(report: &mut Report<'_>, file: &Value) {
    fields(report, file);
    for (name, _) in entries(file, "relationships") {
        self::name(report, name, &Path::root().key("relationships").key(name));
    }
    for (name, _) in entries(file, "relationships").filter(|(name, _)| file["fields"].get(name.as_str()).is_some()) {
        let message = format!("expected each name once, found {name:?} among fields and relationships");
        report.error_at_key(code::DUPLICATE_ID, &Path::root().key("relationships").key(name), message);
    }
    stages(report, file);
    for_people(report, file);
}

/// The mappings below a key, by name.
fn entries<'a>(file: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    file.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// Checks `fields`: their names, options and defaults.
pub(crate) fn fields(report: &mut Report<'_>, file: &Value) {
    for (name, written) in entries(file, "fields") {
        let path = Path::root().key("fields").key(name);
        self::name(report, name, &path);
        if let Ok(read) = serde_json::from_value::<Field>(written.clone()) {
            field(report, &read, &path);
        }
    }
}

/// What people see as the name of a record, and how it is written to, are fields of it.
fn for_people(report: &mut Report<'_>, file: &Value) {
    let one = |kinds: &'static [&'static str]| {
        move |field: &Value| {
            let kind = field.get("type").and_then(Value::as_str).unwrap_or_default();
            field.get("many") != Some(&Value::Bool(true)) && (kinds.is_empty() || kinds.contains(&kind))
        }
    };
    let wanted: [(&[&str], &[&str], &str); 3] = [
        (&["title"], &[], "a field with one value"),
        (&["contact", "email"], &["email"], "a field of the type email"),
        (&["contact", "phone"], &["phone"], "a field of the type phone"),
    ];
    for (keys, kinds, expected) in wanted {
        let written = keys.iter().try_fold(file, |value, key| value.get(key)).and_then(Value::as_str);
        let Some(name) = written else { continue };
        let fields = file.get("fields").and_then(Value::as_object);
        let path = keys.iter().fold(Path::root(), |path, key| path.key(key));
        match fields.and_then(|fields| fields.get(name)) {
            Some(field) if one(kinds)(field) => {}
            Some(_) => {
                report.error(
                    code::INVALID_VALUE,
                    &path,
                    format!("expected {expected}, found {name:?}, which is another"),
                );
            }
            None => {
                let known = || fields.into_iter().flatten().map(|(name, _)| name.as_str());
                let message = format!("expected {expected}, found {name:?}, which this object does not have");
                report.error(code::UNKNOWN_FIELD, &path, message).suggest(words::did_you_mean(name, known()));
            }
        }
    }
}

fn name(report: &mut Report<'_>, name: &str, path: &Path) {
    if Object::is_taken(name) {
        let message = format!("expected a name of your own, found {name:?}, which every record has");
        report.error_at_key(code::NOT_ALLOWED, path, message);
    } else if !literal::is_variable_name(name) {
        let message = format!("expected a name of the form [a-z_][a-z0-9_]*, found {name:?}");
        report.error_at_key(code::INVALID_ID, path, message);
    }
}

fn field(report: &mut Report<'_>, field: &Field, path: &Path) {
    if field.kind == FieldType::Option && field.options.is_empty() {
        report.error(code::MISSING_KEY, path, "expected `options` for a field of type option, found none");
    }
    if field.kind != FieldType::Option && !field.options.is_empty() {
        let message = "`options` belong to a field of type option";
        report.error_at_key(code::NOT_ALLOWED, &path.key("options"), message);
    }
    for (at, option) in field.options.iter().enumerate().filter(|(at, option)| field.options[..*at].contains(option)) {
        let message = format!("expected each option once, found {option:?} again");
        report.error(code::DUPLICATE_ID, &path.key("options").index(at), message);
    }
    let Some(default) = &field.default else { return };
    let values = match default {
        Value::Array(values) if field.many => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    if let Some(wrong) = values.iter().find(|value| !literal::takes(field.kind, &field.options, value)) {
        let expected = literal::expected(field.kind, &field.options);
        let message = format!("expected {expected}, found {}", words::found(wrong));
        report.error(code::INVALID_VALUE, &path.key("default"), message);
    }
}

fn stages(report: &mut Report<'_>, file: &Value) {
    let stages: Vec<_> = file.get("stages").and_then(Value::as_array).into_iter().flatten().collect();
    for (at, stage) in stages.iter().enumerate() {
        let path = Path::root().key("stages").index(at);
        if stage.as_str().is_some_and(|stage| stage.trim().is_empty()) {
            report.error(code::BLANK_VALUE, &path, "expected the name of a stage, found an empty text");
        } else if stages[..at].contains(stage) {
            report.error(
                code::DUPLICATE_ID,
                &path,
                format!("expected each stage once, found {} again", words::found(stage)),
            );
        }
    }
}
