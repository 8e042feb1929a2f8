//! `set_fields`: changes fields of a record.

use pawl_definition::step::{FieldChange, SetFields};
use pawl_definition::{Object, Template, value};
use serde_json::{Map, Number, Value, json};

use super::create_record::caused_by;
use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::context::StepScope;
use crate::{Found, Read, Record, RecordWrite, StepCode, StepError, coerce, fields};

impl StepHandler for SetFields {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let Some(target) = &self.target else {
            let missing = || {
                StepError::new(
                    StepCode::NoRecord,
                    "there is no record to change: it was deleted, or the workflow is global",
                )
            };
            return change(self, at, at.cx.record.ok_or_else(missing)?);
        };
        if let Some(record) = target.literal().and_then(Value::as_str).and_then(|path| related(at, path)) {
            return change(self, at, record?);
        }
        let value = target.resolve(&at.scope()).map_err(|error| StepError::from(error).at("target"))?;
        let (object, id) = named(self, &value)?;
        Ok(StepDecision::Read(Read::Record { object, id }))
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        let missing = || StepError::new(StepCode::NoRecord, "`target`: the record does not exist");
        change(self, at, found.records.first().ok_or_else(missing)?)
    }
}

/// The related record that a path such as `record.company` names; `None` for any other path.
fn related<'a>(at: &StepContext<'a>, path: &str) -> Option<Result<&'a Record, StepError>> {
    let name = path.strip_prefix("record.")?;
    let found = at.cx.related.get(name).map(Vec::as_slice);
    Some(match found {
        Some([record]) => Ok(record),
        Some([]) | None => Err(StepError::new(StepCode::NoRecord, format!("`target`: {path} is empty"))),
        Some(many) => {
            Err(StepError::new(StepCode::NoRecord, format!("`target`: expected one record, {path} has {}", many.len())))
        }
    })
}

/// The object and id that a target's value names.
fn named(step: &SetFields, value: &Value) -> Result<(String, String), StepError> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let object = step.object.clone().or_else(|| text("object"));
    let id = value.as_str().map(str::to_owned).or_else(|| text("id"));
    let expected = || {
        let found = coerce::short(value);
        StepError::new(
            StepCode::WrongType,
            format!("`target`: expected a record with its object, or an id beside `object`, found {found}"),
        )
    };
    Ok((object.ok_or_else(expected)?, id.ok_or_else(expected)?))
}

fn change(step: &SetFields, at: &StepContext<'_>, record: &Record) -> Result<StepDecision, StepError> {
    let missing = || StepError::new(StepCode::UnknownObject, format!("there is no object {:?}", record.object));
    let object = at.cx.objects.get(&record.object).ok_or_else(missing)?;
    let mut after = record.clone();
    let scope = at.scope();
    for (name, change) in &step.fields {
        let before = record.fields.get(name).cloned().unwrap_or(Value::Null);
        if change.if_blank && !coerce::is_blank(&before) {
            continue;
        }
        // What is added or taken away has the type of the field too: it is compared with what is there.
        let typed = |value: Value| fields::coerce_field(object, name, value, &at.cx.plan.timezone);
        let value = typed(changed(change, &before, &scope, &typed).map_err(|error| error.at(name))?)?;
        fields::put(&mut after.fields, name, value);
    }
    fields::check(object, &after.fields)?;
    Ok(StepDecision::done(done(step, at, record, after, object)))
}

fn done(step: &SetFields, at: &StepContext<'_>, record: &Record, mut after: Record, object: &Object) -> StepResult {
    let is_new = |name: &&String| !value::unchanged(record.fields.get(*name), after.fields.get(*name));
    let changes: Map<_, _> = step
        .fields
        .keys()
        .filter(is_new)
        .map(|name| (name.clone(), json!({"from": record.fields.get(name), "to": after.fields.get(name)})))
        .collect();
    let input = json!({"object": object.id, "record": record.id});
    if changes.is_empty() {
        return StepResult {
            input,
            output: json!({"changes": {}}),
            note: Some("nothing changed".to_owned()),
            ..StepResult::default()
        };
    }
    after.version += 1;
    after.updated_at = at.cx.now;
    after.cause = Some(caused_by(at));
    let effects = vec![RecordWrite { before: Some(record.clone()), after }.into()];
    StepResult { input, output: json!({"changes": changes}), effects, ..StepResult::default() }
}

/// The value that a field takes.
pub(super) fn changed(
    change: &FieldChange,
    before: &Value,
    scope: &StepScope<'_>,
    typed: &dyn Fn(Value) -> Result<Value, StepError>,
) -> Result<Value, StepError> {
    if change.clear {
        return Ok(Value::Null);
    }
    if let Some(template) = &change.set {
        return Ok(mapped(change, template.resolve(scope)?));
    }
    let part = |template: &Template| typed(mapped(change, template.resolve(scope)?));
    match (&change.add, &change.remove) {
        (Some(add), None) => added(before, part(add)?),
        (None, Some(remove)) => removed(before, part(remove)?),
        // Of a list: what is both removed and added is there afterwards, at its end.
        (Some(add), Some(remove)) => added(&removed(before, part(remove)?)?, part(add)?),
        (None, None) => Err(StepError::new(StepCode::InvalidChange, "expected set, clear, add or remove")),
    }
}

fn mapped(change: &FieldChange, value: Value) -> Value {
    if change.map.is_empty() {
        return value;
    }
    let named = value::named(change.map.keys(), &value).and_then(|key| change.map.get(key));
    named.or_else(|| change.map.get("*")).cloned().unwrap_or(value)
}

fn added(before: &Value, value: Value) -> Result<Value, StepError> {
    match (before, value) {
        (Value::Null, value @ (Value::Number(_) | Value::Null)) => Ok(value),
        (Value::Number(number), Value::Number(value)) => {
            value::add(number, &value).map(Value::Number).ok_or_else(|| too_large("add to", before, &value.into()))
        }
        (Value::Null, value) => Ok(Value::Array(listed(value))),
        (Value::Array(before), value) => {
            let mut list = before.clone();
            for value in listed(value) {
                if !value::contains(&list, &value) {
                    list.push(value);
                }
            }
            Ok(Value::Array(list))
        }
        (before, value) => Err(cannot("add to", before, &value)),
    }
}

fn removed(before: &Value, value: Value) -> Result<Value, StepError> {
    let nothing = Number::from(0);
    match (before, value) {
        (Value::Number(_) | Value::Null, Value::Number(value)) => {
            let number = before.as_number().unwrap_or(&nothing);
            let result = value::subtract(number, &value).map(Value::Number);
            result.ok_or_else(|| too_large("remove from", before, &value.into()))
        }
        (Value::Null, _) => Ok(Value::Null),
        (Value::Array(before), value) => {
            let gone = listed(value);
            Ok(Value::Array(before.iter().filter(|value| !value::contains(&gone, value)).cloned().collect()))
        }
        (before, value) => Err(cannot("remove from", before, &value)),
    }
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values,
        one => vec![one],
    }
}

fn cannot(what: &str, before: &Value, value: &Value) -> StepError {
    StepError::new(
        StepCode::WrongType,
        format!("cannot {what} {} the value {}", coerce::short(before), coerce::short(value)),
    )
}

fn too_large(what: &str, before: &Value, value: &Value) -> StepError {
    let mut error = cannot(what, before, value);
    error.message.push_str(": the result needs more than 64 bits");
    error
}
