//! The records that a step changes: its own, those that a relationship leads to, or those that an expression gives. Each of
//! them is changed, and one that cannot be changed does not stop the others.

use std::collections::BTreeMap;

use pawl_definition::{ARCHIVED_AT, Object, Template, led_to, value};
use serde_json::{Map, Value, json};

use super::create_record::caused_by;
use super::{StepContext, StepDecision, StepResult};
use crate::{Found, Read, Record, RecordWrite, StepCode, StepError, StepStatus, Subject, coerce, fields, people};

/// Most records that a step changes in one transaction.
const TARGETS_MOST: usize = 25;

/// Most items that these changes write together: a transaction takes a hundred, and the execution needs some of its own.
const WRITES_MOST: usize = 80;

/// A step that changes records.
pub(super) trait ChangesRecords {
    /// The records that it changes; `None` is the record of the execution.
    fn target(&self) -> Option<&Template>;

    /// The object of a target that is an id.
    fn target_object(&self) -> Option<&str>;

    /// Changes a record. Its version and times are set afterwards.
    fn change(&self, at: &StepContext<'_>, object: &Object, record: &mut Record) -> Result<(), StepError>;
}

/// A record to change, or why there is none.
type Target<'a> = Result<&'a Record, (Subject, StepError)>;

/// Whether a step has one target, so that its failure is that of the step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    One,
    Each,
}

/// The records that a step has to read first, because an expression gives them.
pub(super) fn reads(step: &dyn ChangesRecords, at: &StepContext<'_>) -> Result<Option<Vec<Subject>>, StepError> {
    let is_given = step.target().is_some_and(|target| relationship(target).is_none());
    if is_given { Ok(Some(named(step, at)?.1)) } else { Ok(None) }
}

/// The relationship that a target names, or a chain of them.
fn relationship(target: &Template) -> Option<&str> {
    target.literal().and_then(Value::as_str)?.strip_prefix("record.")
}

/// The object of the records that a step changes; `None` if there are none.
pub(super) fn object_of(step: &dyn ChangesRecords, at: &StepContext<'_>) -> Result<Option<String>, StepError> {
    if let Some(subjects) = reads(step, at)? {
        return Ok(subjects.into_iter().next().map(|subject| subject.object));
    }
    let Some(own) = at.cx.record else { return Ok(None) };
    let Some(name) = step.target().and_then(relationship) else { return Ok(Some(own.object.clone())) };
    let object = at.cx.objects.get(&own.object);
    Ok(object.and_then(|object| led_to(object, at.cx.objects, name)).map(|found| found.object.clone()))
}

pub(super) fn enter(step: &dyn ChangesRecords, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
    let Some(target) = step.target() else {
        let missing =
            || no_record("there is no record to change: it was deleted, or the workflow is global".to_owned());
        return settle(step, at, Count::One, vec![Ok(at.cx.record.ok_or_else(missing)?)]);
    };
    if let Some(name) = relationship(target) {
        return related(step, at, name);
    }
    Ok(StepDecision::Read(Read::Records(named(step, at)?.1)))
}

pub(super) fn found(step: &dyn ChangesRecords, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
    let (count, subjects) = named(step, at)?;
    let by_subject: BTreeMap<_, _> = found.records.iter().map(|record| (record.subject(), record)).collect();
    let target = |subject: Subject| {
        let missing = no_record(format!("`target`: there is no record {subject}"));
        by_subject.get(&subject).copied().ok_or((subject, missing))
    };
    settle(step, at, count, subjects.into_iter().map(target).collect())
}

/// The records that a step names, whether they are there or not.
pub(super) fn subjects(step: &dyn ChangesRecords, at: &StepContext<'_>) -> Result<Vec<Subject>, StepError> {
    let Some(target) = step.target() else {
        let missing = || no_record("there is no record: the workflow is global".to_owned());
        return Ok(vec![at.execution.record.clone().ok_or_else(missing)?]);
    };
    match relationship(target) {
        Some(name) => Ok(at.cx.related.get(name).into_iter().flatten().map(Record::subject).collect()),
        None => Ok(named(step, at)?.1),
    }
}

/// The records behind a chain of relationships of the record.
fn related(step: &dyn ChangesRecords, at: &StepContext<'_>, name: &str) -> Result<StepDecision, StepError> {
    let object = at.cx.record.and_then(|record| at.cx.objects.get(&record.object));
    let is_list = object.and_then(|object| led_to(object, at.cx.objects, name)).is_some_and(|found| found.many);
    let records = at.cx.related.get(name).map(Vec::as_slice).unwrap_or_default();
    if is_list {
        return settle(step, at, Count::Each, records.iter().map(Ok).collect());
    }
    let empty = || no_record(format!("`target`: record.{name} is empty"));
    settle(step, at, Count::One, vec![Ok(records.last().ok_or_else(empty)?)])
}

/// The records that a target's value names, each once.
fn named(step: &dyn ChangesRecords, at: &StepContext<'_>) -> Result<(Count, Vec<Subject>), StepError> {
    let target = step.target().expect("a step without a target has read nothing");
    let value = target.resolve(&at.scope()).map_err(|error| StepError::from(error).at("target"))?;
    let Value::Array(values) = &value else { return Ok((Count::One, vec![subject(step, &value)?])) };
    let mut subjects: Vec<Subject> = Vec::new();
    for value in values {
        let subject = subject(step, value)?;
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    bounded(subjects.len(), TARGETS_MOST, "records")?;
    Ok((Count::Each, subjects))
}

/// The record that a value names.
fn subject(step: &dyn ChangesRecords, value: &Value) -> Result<Subject, StepError> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let object = step.target_object().map(str::to_owned).or_else(|| text("object"));
    let id = value.as_str().map(str::to_owned).or_else(|| text("id"));
    let expected = || {
        let found = coerce::short(value);
        StepError::new(
            StepCode::WrongType,
            format!("`target`: expected a record with its object, or an id beside `object`, found {found}"),
        )
    };
    Ok(Subject { object: object.ok_or_else(expected)?, id: id.ok_or_else(expected)? })
}

fn no_record(message: String) -> StepError {
    StepError::new(StepCode::NoRecord, message)
}

fn bounded(found: usize, most: usize, what: &str) -> Result<(), StepError> {
    if found <= most {
        return Ok(());
    }
    let message = format!(
        "`target`: expected at most {most} {what} to write in one step, found {found}: change them in a `for_each`"
    );
    Err(StepError::new(StepCode::TooManyTargets, message))
}

/// What came of one record.
struct Changed<'a> {
    before: &'a Record,
    after: Record,
    changes: Map<String, Value>,
}

fn settle(
    step: &dyn ChangesRecords,
    at: &StepContext<'_>,
    count: Count,
    targets: Vec<Target<'_>>,
) -> Result<StepDecision, StepError> {
    if count == Count::One {
        let changed = targets.into_iter().next().expect("there is one").map_err(|(_, error)| error);
        return Ok(StepDecision::done(one(change(step, at, changed?)?)));
    }
    bounded(targets.len(), TARGETS_MOST, "records")?;
    let outcomes: Vec<_> = targets
        .into_iter()
        .map(|target| {
            let record = target?;
            change(step, at, record).map_err(|error| (record.subject(), error))
        })
        .collect();
    let writes = outcomes.iter().flatten().map(|changed| written_items(at, changed)).sum();
    bounded(writes, WRITES_MOST, "items")?;
    each(outcomes).map(StepDecision::done)
}

/// The items that a change writes: the record, the entry of its history, and the rows of its indexed fields.
fn written_items(at: &StepContext<'_>, changed: &Changed<'_>) -> usize {
    let object = at.cx.objects.get(&changed.before.object);
    let is_indexed = |name: &&String| {
        let field = object.and_then(|object| object.fields.get(*name));
        field.is_some_and(|field| field.unique || field.indexed)
    };
    if changed.changes.is_empty() { 0 } else { 2 + 2 * changed.changes.keys().filter(is_indexed).count() }
}

fn change<'a>(step: &dyn ChangesRecords, at: &StepContext<'_>, record: &'a Record) -> Result<Changed<'a>, StepError> {
    if let Some(forgotten) = record.forgotten {
        return Err(no_record(format!("the record {} was forgotten at {forgotten}", record.subject())));
    }
    let missing = || StepError::new(StepCode::UnknownObject, format!("there is no object {:?}", record.object));
    let object = at.cx.objects.get(&record.object).ok_or_else(missing)?;
    let mut after = record.next(at.cx.now, Some(caused_by(at)));
    step.change(at, object, &mut after)?;
    fields::check(object, &after.fields)?;
    people::check_owner(at.cx.definitions, Some(&record.fields), &after.fields)?;
    let changes = changes(record, &after);
    Ok(Changed { before: record, after, changes })
}

/// What differs, by name.
fn changes(before: &Record, after: &Record) -> Map<String, Value> {
    let names = before.fields.keys().chain(after.fields.keys());
    let differs = |name: &&String| !value::unchanged(before.fields.get(*name), after.fields.get(*name));
    let mut changes: Map<_, _> = names
        .filter(differs)
        .map(|name| (name.clone(), json!({"from": before.fields.get(name), "to": after.fields.get(name)})))
        .collect();
    if before.archived_at != after.archived_at {
        changes.insert(ARCHIVED_AT.to_owned(), json!({"from": before.archived_at, "to": after.archived_at}));
    }
    changes
}

fn one(changed: Changed<'_>) -> StepResult {
    let input = json!({"object": changed.before.object, "record": changed.before.id});
    let output = json!({"changes": changed.changes});
    if changed.changes.is_empty() {
        return StepResult { input, output, note: Some("nothing changed".to_owned()), ..StepResult::default() };
    }
    let write = RecordWrite { before: Some(changed.before.clone()), after: changed.after };
    StepResult { input, output, effects: vec![write.into()], ..StepResult::default() }
}

/// What came of each record; the step fails if nothing could be done to any of them.
fn each(outcomes: Vec<Result<Changed<'_>, (Subject, StepError)>>) -> Result<StepResult, StepError> {
    let (count, mut failed, mut written) = (outcomes.len(), 0, 0);
    let (mut records, mut subjects, mut effects, mut first) = (Vec::new(), Vec::new(), Vec::new(), None);
    for outcome in outcomes {
        match outcome {
            Ok(Changed { before, after, changes }) => {
                subjects.push(json!({"object": before.object, "id": before.id}));
                records.push(json!({"object": before.object, "id": before.id, "changes": changes}));
                if !changes.is_empty() {
                    written += 1;
                    effects.push(RecordWrite { before: Some(before.clone()), after }.into());
                }
            }
            Err((Subject { object, id }, error)) => {
                failed += 1;
                subjects.push(json!({"object": object, "id": id}));
                let told = json!({"code": error.code, "message": error.message});
                records.push(json!({"object": object, "id": id, "error": told}));
                first.get_or_insert(error);
            }
        }
    }
    let input = json!({"records": subjects});
    if let Some(mut error) = first.filter(|_| failed == count) {
        error.message = format!("none of {count} records could be changed; the first: {}", error.message);
        return Err(error);
    }
    let status = if failed > 0 { StepStatus::Partial } else { StepStatus::Completed };
    let note = Some(format!("{written} of {count} records changed, {failed} failed"));
    Ok(StepResult { status, input, output: json!({"records": records}), effects, note, ..StepResult::default() })
}
