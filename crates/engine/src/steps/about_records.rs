//! What `create_activity` and `log_activity` share: they make an activity about records.

use jiff::Timestamp;
use pawl_definition::step::{NewActivity, relationship};
use pawl_definition::{Activity, Template, Who, value};
use serde_json::{Map, Value, json};

use super::create_record::caused_by;
use super::{StepContext, StepDecision, StepResult};
use crate::people::{self, Choice};
use crate::{
    ActivityStatus, ActivityWrite, Effect, Found, Read, Record, RecordActivity, StepCode, StepError, Subject, coerce,
    ids, record_activity,
};

/// Reads the records and what the choice of the assignee depends on, or decides at once.
pub(super) fn enter(
    of: NewActivity<'_>,
    at: &StepContext<'_>,
    made: impl FnOnce(&Found) -> Result<StepDecision, StepError>,
) -> Result<StepDecision, StepError> {
    let records = records(of, at, type_of(of, at)?)?;
    let object = records.first().map(|record| record.object.clone());
    let others: Vec<_> = records.into_iter().filter(|record| at.execution.record.as_ref() != Some(record)).collect();
    let others = (!others.is_empty()).then_some(Read::Records(others));
    let people = match of.assignee {
        Some(assignee) => people::read(assignee, at, object).map_err(|error| error.at("assignee"))?,
        None => None,
    };
    match (people, others) {
        (Some(read), beside) => Ok(StepDecision::Read(Read::People { read, beside: beside.map(Box::new) })),
        (None, Some(others)) => Ok(StepDecision::Read(others)),
        (None, None) => made(&Found::default()),
    }
}

fn type_of<'a>(of: NewActivity<'_>, at: &StepContext<'a>) -> Result<&'a Activity, StepError> {
    let unknown = || {
        let message = format!("there is no type of activities {:?}", of.activity);
        StepError::new(StepCode::UnknownDefinition, message).at("activity")
    };
    at.cx.definitions.activity_types.get(of.activity).ok_or_else(unknown)
}

/// Makes the activity, open with the time at which it is due, or logged.
pub(super) fn made(
    of: NewActivity<'_>,
    at: &StepContext<'_>,
    found: &Found,
    (status, due): (ActivityStatus, Option<Timestamp>),
) -> Result<StepDecision, StepError> {
    let activity = type_of(of, at)?;
    let records = records(of, at, activity)?;
    record_activity::check_records(activity, &records)?;
    let about = records.iter().map(|record| read(record, at, found)).collect::<Result<_, _>>()?;
    let choice = assignee(of.assignee, at, found)?;
    let (assignee, moves) = choice.map(|choice| (choice.member, choice.moves)).unzip();
    let is_open = status == ActivityStatus::Open;
    let after = RecordActivity {
        id: ids::made_activity_id(&at.execution.id, &at.step.id, at.state.visit),
        activity: activity.id.clone(),
        version: 1,
        status,
        due,
        assignee,
        ended_at: (!is_open).then_some(at.cx.now),
        ended_by: None,
        note: note(of, at)?,
        fields: fields(of, at, activity)?,
        records,
        created_at: at.cx.now,
        created_by: None,
        execution: Some(at.execution.id.clone()),
        cause: Some(caused_by(at)),
    };
    after.check()?;
    let input =
        json!({"activity": after.activity, "due": after.due, "assignee": after.assignee, "fields": after.fields});
    let output = after.view();
    let mut effects = vec![Effect::from(ActivityWrite { before: None, after, about })];
    effects.extend(moves.flatten().map(Effect::from));
    Ok(StepDecision::done(StepResult { input, output, effects, ..StepResult::default() }))
}

/// A record as it was read, which must be there.
fn read(subject: &Subject, at: &StepContext<'_>, found: &Found) -> Result<(Subject, u64), StepError> {
    let missing = |why: &str| {
        StepError::new(StepCode::NoRecord, format!("the record {subject} {why}"))
            .at(&format!("records.{}", subject.object))
    };
    let own = at.cx.record.filter(|_| at.execution.record.as_ref() == Some(subject));
    let is_it = |record: &&Record| record.object == subject.object && record.id == subject.id;
    let record = own.or_else(|| found.records.iter().find(is_it)).ok_or_else(|| missing("is not there"))?;
    if record.forgotten.is_some() {
        return Err(missing("was forgotten"));
    }
    Ok((subject.clone(), record.version))
}

/// The records that it is about: that of the execution, if its type is about such records, and those that the step gives.
fn records(of: NewActivity<'_>, at: &StepContext<'_>, activity: &Activity) -> Result<Vec<Subject>, StepError> {
    let own = at.execution.record.iter();
    let own = own.filter(|own| activity.is_about(&own.object) && !of.records.contains_key(&own.object));
    let mut records: Vec<_> = own.cloned().collect();
    for (object, record) in of.records {
        let place = format!("records.{object}");
        let id = record_id(object, record, at).map_err(|error| error.at(&place))?;
        records.extend(id.map(|id| Subject { object: object.clone(), id }));
    }
    Ok(records)
}

/// The id of a record that is given; `None` if it is blank.
fn record_id(object: &str, record: &Template, at: &StepContext<'_>) -> Result<Option<String>, StepError> {
    if let Some(chain) = relationship(record) {
        return Ok(at.cx.related.get(chain).and_then(|records| records.last()).map(|record| record.id.clone()));
    }
    let given = record.resolve(&at.scope())?;
    if coerce::is_blank(&given) {
        return Ok(None);
    }
    let wrong = || {
        let message = format!("expected a record of {object:?} or its id, found {}", coerce::short(&given));
        StepError::new(StepCode::WrongType, message)
    };
    let id = match &given {
        Value::Object(keys) if keys.get("object").is_none_or(|found| found == object) => keys.get("id"),
        Value::Object(_) => None,
        id => Some(id),
    };
    id.and_then(Value::as_str).map(|id| Some(id.trim().to_owned())).ok_or_else(wrong)
}

/// Chooses who does it; nobody if the step says none, or gives a blank value.
fn assignee(who: Option<&Who>, at: &StepContext<'_>, found: &Found) -> Result<Option<Choice>, StepError> {
    let Some(who) = who else { return Ok(None) };
    if let Who::Value(value) = who
        && coerce::is_blank(&value.resolve(&at.scope())?)
    {
        return Ok(None);
    }
    people::choose(who, at, found.people.as_ref()).map(Some).map_err(|error| error.at("assignee"))
}

fn note(of: NewActivity<'_>, at: &StepContext<'_>) -> Result<Option<String>, StepError> {
    let Some(note) = of.note else { return Ok(None) };
    let given = note.resolve(&at.scope()).map_err(|error| StepError::from(error).at("note"))?;
    Ok((!coerce::is_blank(&given)).then(|| value::text_of(&given)))
}

fn fields(of: NewActivity<'_>, at: &StepContext<'_>, activity: &Activity) -> Result<Map<String, Value>, StepError> {
    let scope = at.scope();
    let mut given = Map::new();
    for (name, template) in of.fields {
        let resolved = template.resolve(&scope);
        given.insert(name.clone(), resolved.map_err(|error| StepError::from(error).at(&format!("fields.{name}")))?);
    }
    record_activity::new_fields(activity, given, &at.cx.plan.timezone)
}
