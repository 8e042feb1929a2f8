//! `link_records`: changes the ids that a relationship holds.

use pawl_definition::step::{FieldChange, LinkRecords};
use pawl_definition::{Object, Template, value};
use serde_json::Value;

use super::set_fields::changed;
use super::targets::{self, ChangesRecords};
use super::{StepContext, StepDecision, StepHandler};
use crate::{Found, Record, StepCode, StepError, fields};

impl StepHandler for LinkRecords {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        targets::enter(self, at)
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        targets::found(self, at, found)
    }
}

impl ChangesRecords for LinkRecords {
    fn target(&self) -> Option<&Template> {
        self.target.as_ref()
    }

    fn target_object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn change(&self, at: &StepContext<'_>, object: &Object, record: &mut Record) -> Result<(), StepError> {
        let name = &self.relationship;
        let missing = || {
            let message = format!("object {:?} has no relationship {name:?}", object.id);
            StepError::new(StepCode::UnknownField, message)
        };
        let relationship = object.relationships.get(name).ok_or_else(missing)?;
        let before = record.fields.get(name).cloned().unwrap_or(Value::Null);
        let typed = |value: Value| fields::coerce_field(object, name, value, &at.cx.plan.timezone);
        let after = if relationship.many {
            let change = FieldChange { add: self.add.clone(), remove: self.remove.clone(), ..FieldChange::default() };
            changed(&change, &before, &at.scope(), &typed).map_err(|error| error.at(name))?.unwrap_or(before)
        } else {
            to_one(self, at, before, &typed)?
        };
        fields::put(&mut record.fields, name, typed(after)?);
        Ok(())
    }
}

/// What a relationship to one record leads to afterwards.
fn to_one(
    step: &LinkRecords,
    at: &StepContext<'_>,
    before: Value,
    typed: &dyn Fn(Value) -> Result<Value, StepError>,
) -> Result<Value, StepError> {
    let part = |key: &str, template: &Option<Template>| match template {
        Some(template) => {
            let value = template.resolve(&at.scope()).map_err(|error| StepError::from(error).at(key))?;
            typed(value)
        }
        None => Ok(Value::Null),
    };
    let (add, remove) = (part("add", &step.add)?, part("remove", &step.remove)?);
    if !add.is_null() {
        return Ok(add);
    }
    Ok(if value::equal(&before, &remove) { Value::Null } else { before })
}
