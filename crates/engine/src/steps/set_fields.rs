//! `set_fields`: changes fields of a record.

use pawl_definition::step::{FieldChange, SetFields};
use pawl_definition::{Object, Template, value};
use serde_json::{Number, Value};

use super::targets::{self, ChangesRecords};
use super::{StepContext, StepDecision, StepHandler};
use crate::context::StepScope;
use crate::{Found, Record, StepCode, StepError, coerce, fields};

impl StepHandler for SetFields {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        targets::enter(self, at)
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        targets::found(self, at, found)
    }
}

impl ChangesRecords for SetFields {
    fn target(&self) -> Option<&Template> {
        self.target.as_ref()
    }

    fn target_object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn change(&self, at: &StepContext<'_>, object: &Object, record: &mut Record) -> Result<(), StepError> {
        let scope = at.scope();
        for (name, change) in &self.fields {
            let before = record.fields.get(name).cloned().unwrap_or(Value::Null);
            if change.if_blank && !coerce::is_blank(&before) {
                continue;
            }
            // What is added or taken away has the type of the field too: it is compared with what is there.
            let typed = |value: Value| fields::coerce_field(object, name, value, &at.cx.plan.timezone);
            if let Some(value) = changed(change, &before, &scope, &typed).map_err(|error| error.at(name))? {
                fields::put(&mut record.fields, name, typed(value)?);
            }
        }
        Ok(())
    }
}

/// The value that a field takes; `None` if it stays as it is, since the value that it would take is blank.
pub(super) fn changed(
    change: &FieldChange,
    before: &Value,
    scope: &StepScope<'_>,
    typed: &dyn Fn(Value) -> Result<Value, StepError>,
) -> Result<Option<Value>, StepError> {
    if change.clear {
        return Ok(Some(Value::Null));
    }
    if let Some(template) = &change.set {
        let value = mapped(change, template.resolve(scope)?);
        return Ok((!change.unless_blank || !coerce::is_blank(&value)).then_some(value));
    }
    let part = |template: &Template| typed(mapped(change, template.resolve(scope)?));
    match (&change.add, &change.remove) {
        (Some(add), None) => added(before, part(add)?).map(Some),
        (None, Some(remove)) => removed(before, part(remove)?).map(Some),
        // Of a list: what is both removed and added is there afterwards, at its end.
        (Some(add), Some(remove)) => added(&removed(before, part(remove)?)?, part(add)?).map(Some),
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
