//! `create_record`: makes a record, or takes the one that already has the unique value, as the step says.

use pawl_definition::step::{CreateRecord, OnDuplicate};
use pawl_definition::{Object, value};
use serde_json::{Map, Value, json};

use super::set_fields::changed;
use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::context::plain_view;
use crate::{Cause, Found, Link, Read, Record, RecordWrite, StepCode, StepError, coerce, fields, ids};

impl StepHandler for CreateRecord {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let object = object_of(self, at)?;
        let fields = fields_of(self, at, object)?;
        let values: Map<_, _> = unique_values(object, &fields).collect();
        if values.is_empty() {
            return Ok(create(self, at, fields));
        }
        Ok(StepDecision::Read(Read::Duplicates { object: object.id.clone(), values }))
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        let object = object_of(self, at)?;
        let mut fields = fields_of(self, at, object)?;
        let Some(duplicate) = found.records.first() else { return Ok(create(self, at, fields)) };
        match self.on_duplicate {
            OnDuplicate::Error => Err(duplicate_error(object, duplicate)),
            OnDuplicate::Use => Ok(StepDecision::done(used(at, duplicate, fields))),
            OnDuplicate::Unarchive => Ok(unarchive(at, duplicate, fields)),
            OnDuplicate::Suffix => {
                suffix(object, &mut fields, found)?;
                Ok(create(self, at, fields))
            }
        }
    }
}

fn object_of<'a>(step: &CreateRecord, at: &StepContext<'a>) -> Result<&'a Object, StepError> {
    let missing = || StepError::new(StepCode::UnknownObject, format!("`object`: there is no object {:?}", step.object));
    at.cx.objects.get(&step.object).ok_or_else(missing)
}

fn fields_of(step: &CreateRecord, at: &StepContext<'_>, object: &Object) -> Result<Map<String, Value>, StepError> {
    let scope = at.scope();
    let mut given = Map::new();
    for (name, change) in &step.fields {
        let typed = |value: Value| fields::coerce_field(object, name, value, &at.cx.plan.timezone);
        let value = changed(change, &Value::Null, &scope, &typed).map_err(|error| error.at(name))?;
        given.insert(name.clone(), value);
    }
    if let (Some(relationship), Some(record)) = (&step.link_back, &at.execution.record) {
        given.insert(relationship.clone(), record.id.clone().into());
    }
    fields::new_fields(object, given, &at.cx.plan.timezone)
}

fn create(step: &CreateRecord, at: &StepContext<'_>, fields: Map<String, Value>) -> StepDecision {
    let id = ids::created_record_id(&at.execution.id, &at.step.id, at.state.visit);
    let after = Record {
        object: step.object.clone(),
        id,
        version: 1,
        fields,
        created_at: at.cx.now,
        updated_at: at.cx.now,
        archived_at: None,
        forgotten: None,
        cause: Some(caused_by(at)),
    };
    let input = Value::Object(after.fields.clone());
    let output = view(at, &after);
    StepDecision::done(StepResult {
        input,
        output,
        effects: vec![RecordWrite { before: None, after }.into()],
        ..StepResult::default()
    })
}

fn view(at: &StepContext<'_>, record: &Record) -> Value {
    Value::Object(plain_view(record, at.cx.objects))
}

/// The chain of causes of what a step writes.
pub(super) fn caused_by(at: &StepContext<'_>) -> Cause {
    let execution = at.execution;
    let record = execution.record.clone();
    execution.cause.then(Link { workflow: execution.workflow.clone(), execution: execution.id.clone(), record })
}

fn unique_values(object: &Object, fields: &Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    let unique = object.fields.iter().filter(|(_, field)| field.unique);
    let values = unique.filter_map(|(name, _)| Some((name.clone(), fields.get(name)?.clone())));
    values.filter(|(_, value)| !coerce::is_blank(value))
}

fn duplicate_error(object: &Object, duplicate: &Record) -> StepError {
    StepError::new(
        StepCode::DuplicateRecord,
        format!("{} {} already has a unique value that was asked for", object.id, duplicate.id),
    )
}

fn used(at: &StepContext<'_>, duplicate: &Record, fields: Map<String, Value>) -> StepResult {
    let note = Some(format!("used {}, which was there", duplicate.id));
    StepResult { input: Value::Object(fields), output: view(at, duplicate), note, ..StepResult::default() }
}

fn unarchive(at: &StepContext<'_>, duplicate: &Record, fields: Map<String, Value>) -> StepDecision {
    if !duplicate.is_archived() {
        return StepDecision::done(used(at, duplicate, fields));
    }
    let mut after = duplicate.next(at.cx.now, Some(caused_by(at)));
    after.archived_at = None;
    let note = Some(format!("brought {} back from the archive", after.id));
    let write = RecordWrite { before: Some(duplicate.clone()), after: after.clone() };
    StepDecision::done(StepResult {
        input: Value::Object(fields),
        output: view(at, &after),
        effects: vec![write.into()],
        note,
        ..StepResult::default()
    })
}

/// Numbers a text that is taken: `name`, `name (2)`, `name (3)`… The reader returns every record that has the
/// value or the value with a number.
fn suffix(object: &Object, fields: &mut Map<String, Value>, found: &Found) -> Result<(), StepError> {
    let unique: Vec<_> = unique_values(object, fields).collect();
    for (name, value) in unique {
        let has = |record: &Record, candidate: &Value| {
            record.fields.get(&name).is_some_and(|value| value::equal(value, candidate))
        };
        let taken = |candidate: &Value| found.records.iter().any(|record| has(record, candidate));
        if !taken(&value) {
            continue;
        }
        let text = value.as_str().ok_or_else(|| {
            StepError::new(
                StepCode::DuplicateRecord,
                format!("{name:?}: only a text can be given a number, found {}", coerce::short(&value)),
            )
        })?;
        let free = (2..10_000).map(|n| json!(format!("{text} ({n})"))).find(|candidate| !taken(candidate));
        let free = free.ok_or_else(|| {
            StepError::new(StepCode::DuplicateRecord, format!("{name:?}: 9,999 records already have this value"))
        })?;
        fields.insert(name, free);
    }
    Ok(())
}
