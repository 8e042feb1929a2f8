//! `create_record`: makes a record, or takes the one that already has the unique value, as the step says.

use pawl_definition::step::{CreateRecord, LinkTo, OnArchived, OnDuplicate, SetFields};
use pawl_definition::{OWNER, Object, Who, value};
use serde_json::{Map, Value, json};

use super::set_fields::changed;
use super::targets::ChangesRecords;
use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::context::plain_view;
use crate::people::{self, Choice, PeopleRead};
use crate::{Cause, Effect, Found, Link, Read, Record, RecordWrite, StepCode, StepError, coerce, fields, ids};

impl StepHandler for CreateRecord {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let object = object_of(self, at)?;
        let fields = fields_of(self, at, object)?;
        let values: Map<_, _> = unique_values(object, &fields).collect();
        let duplicates = (!values.is_empty()).then(|| Read::Duplicates { object: object.id.clone(), values });
        match (people_read(self, at, object)?, duplicates) {
            (Some(read), beside) => Ok(StepDecision::Read(Read::People { read, beside: beside.map(Box::new) })),
            (None, Some(duplicates)) => Ok(StepDecision::Read(duplicates)),
            (None, None) => create(self, at, fields, owner(self, at, &Found::default())?),
        }
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        let object = object_of(self, at)?;
        let mut fields = fields_of(self, at, object)?;
        let Some(duplicate) = found.records.first() else { return create(self, at, fields, owner(self, at, found)?) };
        match answer_to(self, duplicate) {
            Answer::Error => Err(duplicate_error(object, duplicate)),
            Answer::Suffix => {
                suffix(object, &mut fields, found)?;
                create(self, at, fields, owner(self, at, found)?)
            }
            Answer::Take { comes_back, takes_values } => {
                let mut after = duplicate.next(at.cx.now, Some(caused_by(at)));
                if comes_back {
                    after.archived_at = None;
                }
                let mut moves = None;
                if takes_values {
                    let owner = owner(self, at, found)?;
                    write_over(self, at, (object, owner.as_ref()), &mut after)?;
                    people::check_owner(at.cx.definitions, Some(&duplicate.fields), &after.fields)?;
                    moves = owner.and_then(|owner| owner.moves);
                }
                let mut decision = taken(self, at, duplicate, (after, fields))?;
                if let StepDecision::Done(done) = &mut decision {
                    done.effects.extend(moves.map(Effect::from));
                }
                Ok(decision)
            }
        }
    }
}

/// What is done about a record that already has a unique value.
enum Answer {
    Error,
    Suffix,
    /// It becomes the output.
    Take {
        comes_back: bool,
        takes_values: bool,
    },
}

fn answer_to(step: &CreateRecord, duplicate: &Record) -> Answer {
    if duplicate.forgotten.is_some() {
        return Answer::Error;
    }
    match (step.on_archived.filter(|_| duplicate.is_archived()), step.on_duplicate) {
        (Some(OnArchived::Error), _) | (None, OnDuplicate::Error) => Answer::Error,
        (Some(OnArchived::Suffix), _) | (None, OnDuplicate::Suffix) => Answer::Suffix,
        (Some(OnArchived::Unarchive), _) | (None, OnDuplicate::Unarchive) => {
            Answer::Take { comes_back: true, takes_values: false }
        }
        (Some(OnArchived::Overwrite), _) => Answer::Take { comes_back: true, takes_values: true },
        (None, OnDuplicate::Update) => Answer::Take { comes_back: false, takes_values: true },
        (None, OnDuplicate::Use) => Answer::Take { comes_back: false, takes_values: false },
    }
}

fn object_of<'a>(step: &CreateRecord, at: &StepContext<'a>) -> Result<&'a Object, StepError> {
    let missing = || StepError::new(StepCode::UnknownObject, format!("`object`: there is no object {:?}", step.object));
    at.cx.objects.get(&step.object).ok_or_else(missing)
}

/// What must be read before its owner is chosen.
fn people_read(step: &CreateRecord, at: &StepContext<'_>, object: &Object) -> Result<Option<PeopleRead>, StepError> {
    match &step.owner {
        Some(owner) => people::read(owner, at, Some(object.id.clone())).map_err(|error| error.at(OWNER)),
        None => Ok(None),
    }
}

/// Chooses its owner; none if the step says none, or gives a blank value.
fn owner(step: &CreateRecord, at: &StepContext<'_>, found: &Found) -> Result<Option<Choice>, StepError> {
    let Some(owner) = &step.owner else { return Ok(None) };
    if let Who::Value(value) = owner
        && coerce::is_blank(&value.resolve(&at.scope())?)
    {
        return Ok(None);
    }
    people::choose(owner, at, found.people.as_ref()).map(Some).map_err(|error| error.at(OWNER))
}

/// The fields of the new record without the owner of `owner`.
fn fields_of(step: &CreateRecord, at: &StepContext<'_>, object: &Object) -> Result<Map<String, Value>, StepError> {
    let scope = at.scope();
    let mut given = Map::new();
    for (name, change) in step.changes() {
        let typed = |value: Value| fields::coerce_field(object, name, value, &at.cx.plan.timezone);
        if let Some(value) = changed(&change, &Value::Null, &scope, &typed).map_err(|error| error.at(name))? {
            given.insert(name.to_owned(), value);
        }
    }
    if let (Some(relationship), Some(record)) = (&step.link_back, &at.execution.record) {
        given.insert(relationship.clone(), record.id.clone().into());
    }
    let fields = fields::new_fields(object, given, &at.cx.plan.timezone)?;
    people::check_owner(at.cx.definitions, None, &fields)?;
    Ok(fields)
}

/// Writes the values into a record that is there, as `set_fields` does.
fn write_over(
    step: &CreateRecord,
    at: &StepContext<'_>,
    (object, owner): (&Object, Option<&Choice>),
    record: &mut Record,
) -> Result<(), StepError> {
    if let Some(owner) = owner {
        fields::put(&mut record.fields, OWNER, owner.member.clone().into());
    }
    let changes = step.changes().map(|(name, change)| (name.to_owned(), change)).collect();
    SetFields { target: None, object: None, fields: changes }.change(at, object, record)?;
    if let (Some(relationship), Some(own)) = (&step.link_back, &at.execution.record) {
        let own = fields::coerce_field(object, relationship, own.id.clone().into(), &at.cx.plan.timezone)?;
        fields::put(&mut record.fields, relationship, own);
    }
    fields::check(object, &record.fields)
}

/// The record of the execution with its link to a record; `None` if the link is there already, or none is asked for.
fn linked(step: &CreateRecord, at: &StepContext<'_>, to: &str) -> Result<Option<Record>, StepError> {
    let Some(LinkTo { relationship: name, if_blank, .. }) = &step.link else { return Ok(None) };
    let missing = || StepError::new(StepCode::NoRecord, "`link`: there is no record to link with: it was deleted");
    let own = at.cx.record.ok_or_else(missing)?;
    let object = at.cx.objects.get(&own.object);
    let relationship = object.and_then(|object| object.relationships.get(name));
    let unknown =
        || StepError::new(StepCode::UnknownField, format!("object {:?} has no relationship {name:?}", own.object));
    let before = own.fields.get(name).cloned().unwrap_or(Value::Null);
    let after = match (relationship.ok_or_else(unknown)?.many, before) {
        (false, before) if *if_blank && !coerce::is_blank(&before) => before,
        (false, _) => to.into(),
        (true, Value::Array(ids)) if ids.contains(&to.into()) => Value::Array(ids),
        (true, Value::Array(ids)) => ids.into_iter().chain([to.into()]).collect(),
        (true, _) => json!([to]),
    };
    let mut record = own.next(at.cx.now, Some(caused_by(at)));
    fields::put(&mut record.fields, name, after);
    if let Some(object) = object {
        fields::check(object, &record.fields)?;
    }
    Ok((record.fields != own.fields).then_some(record))
}

/// Takes a record that is there, as it is or changed.
fn taken(
    step: &CreateRecord,
    at: &StepContext<'_>,
    duplicate: &Record,
    (mut after, fields): (Record, Map<String, Value>),
) -> Result<StepDecision, StepError> {
    let mut effects = Vec::new();
    match linked(step, at, &duplicate.id)? {
        Some(own) if own.subject() == duplicate.subject() => {
            let name = step.link.as_ref().map(|link| link.relationship.as_str()).unwrap_or_default();
            fields::put(&mut after.fields, name, own.fields.get(name).cloned().unwrap_or(Value::Null));
        }
        Some(own) => effects.push(RecordWrite { before: at.cx.record.cloned(), after: own }.into()),
        None => {}
    }
    let came_back = duplicate.archived_at != after.archived_at;
    let note = match (came_back, after.fields != duplicate.fields) {
        (false, false) => format!("used {}, which was there", duplicate.id),
        (true, false) => format!("brought {} back from the archive", duplicate.id),
        (false, true) => format!("changed {}, which was there", duplicate.id),
        (true, true) => format!("brought {} back from the archive, and changed it", duplicate.id),
    };
    let is_changed = came_back || after.fields != duplicate.fields;
    let record = if is_changed { &after } else { duplicate };
    let (input, output) = (Value::Object(fields), view(at, record));
    if is_changed {
        effects.insert(0, RecordWrite { before: Some(duplicate.clone()), after }.into());
    }
    Ok(StepDecision::done(StepResult { input, output, effects, note: Some(note), ..StepResult::default() }))
}

fn create(
    step: &CreateRecord,
    at: &StepContext<'_>,
    mut fields: Map<String, Value>,
    owner: Option<Choice>,
) -> Result<StepDecision, StepError> {
    let (owner, moves) = owner.map(|choice| (choice.member, choice.moves)).unzip();
    if let Some(owner) = owner {
        fields.insert(OWNER.to_owned(), owner.into());
    }
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
    let own = linked(step, at, &after.id)?;
    let mut effects = vec![RecordWrite { before: None, after }.into()];
    effects.extend(own.map(|own| RecordWrite { before: at.cx.record.cloned(), after: own }.into()));
    effects.extend(moves.flatten().map(Effect::from));
    Ok(StepDecision::done(StepResult { input, output, effects, ..StepResult::default() }))
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
