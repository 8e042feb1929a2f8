//! The record that an event is about: found by the value of a field, or planned.

use pawl_definition::{ARCHIVED_AT, Definitions, Expression, Object, value};
use pawl_engine::{Creation, Plan, Record, RecordQuery, ResolvedTest, Subject, coerce, fields, ids, people};
use serde_json::{Map, Value};

use super::scope::IntakeScope;
use super::{IntakeError, Unfit, failed};
use crate::{Catalog, Error, Finder, RecordError};

/// The record that an event is about: the one of the workflow's object with a value in a field.
pub(super) struct Target<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) finder: &'a Finder,
    pub(super) plan: &'a Plan,
    pub(super) definitions: &'a Definitions,
    pub(super) field: &'a str,
    /// If it is to be made: the values that fill its fields.
    pub(super) create: Option<&'a Map<String, Value>>,
}

type Found = (Option<Subject>, Option<Creation>);

impl Target<'_> {
    pub(super) async fn find(&self, expression: &Expression, scope: &IntakeScope<'_>) -> Result<Found, IntakeError> {
        let Some(object) = &self.plan.workflow.object else { return Ok((None, None)) };
        let installation = self.catalog.read_installation().await?;
        let objects = self.catalog.objects(installation.objects_revision).await?;
        let unknown = || Unfit::new("no_object", format!("there is no object {object:?}"));
        objects.require(object).map_err(Error::from)?;
        let object = objects.get(object).ok_or_else(unknown)?;
        let value = self.value(object, expression, scope).map_err(|unfit| unfit.at(self.path()))?;
        let (archived, mut records) = self.matching(object, &value).await?;
        match (records.pop(), records.pop(), self.create) {
            (Some(record), None, _) => Ok((Some(record.subject()), None)),
            (None, _, Some(values)) => {
                let (subject, creation) = self.creation(object, &value, values)?;
                self.refuse_archived(archived, &subject).await?;
                Ok((Some(subject), Some(creation)))
            }
            (None, _, None) => Err(Unfit::new("no_record", self.no_record(object)).at(self.path()).into()),
            (Some(_), Some(_), _) => {
                let detail = format!("expected one record of {:?} with this {}, found several", object.id, self.field);
                Err(Unfit::new("ambiguous_record", detail).at(self.path()).into())
            }
        }
    }

    fn path(&self) -> String {
        format!("record.match.{}", self.field)
    }

    fn no_record(&self, object: &Object) -> String {
        format!("expected a record of {:?} with this {}, found none", object.id, self.field)
    }

    /// The value by which it is found, as the field takes it.
    fn value(&self, object: &Object, expression: &Expression, scope: &IntakeScope<'_>) -> Result<Value, Unfit> {
        let value = expression.evaluate(scope).map_err(|error| failed(&error))?;
        if coerce::is_blank(&value) {
            let detail = format!("expected a value by which a record of {:?} is found, found a blank one", object.id);
            return Err(Unfit::new("blank_match", detail));
        }
        if self.field == "id" {
            return Ok(value);
        }
        let typed = fields::coerce_field(object, self.field, value, &self.plan.timezone);
        typed.map_err(|error| Unfit::new("value_failed", error.message))
    }

    /// The records that have the value: those in the archive, and the others. Of a forgotten one the evaluator tells that it was
    /// forgotten.
    async fn matching(&self, object: &Object, value: &Value) -> Result<(Vec<Record>, Vec<Record>), IntakeError> {
        let found = if self.field == "id" {
            self.finder.one(&object.id, &value::text_of(value)).await?
        } else {
            let test = |field: &str, operator, value| ResolvedTest { field: field.to_owned(), operator, value };
            let query = RecordQuery {
                any: [true, false].map(|blank| vec![test(ARCHIVED_AT, "blank", Value::Bool(blank))]).into(),
                ..RecordQuery::new(&object.id, vec![test(self.field, "equals", value.clone())], usize::MAX)
            };
            self.finder.find(&query, Some(object)).await?
        };
        if let Some(error) = found.refused {
            return Err(Unfit::new("bad_filter", error.message).at(self.path()).into());
        }
        Ok(found.records.into_iter().partition(is_in_archive))
    }

    /// No record is made beside one in the archive that has the value, or the id that the new one would have.
    async fn refuse_archived(&self, mut archived: Vec<Record>, subject: &Subject) -> Result<(), IntakeError> {
        // By its id it was looked for already.
        if archived.is_empty() && self.field != "id" {
            archived = self.finder.one(&subject.object, &subject.id).await?.records;
        }
        let Some(record) = archived.into_iter().find(is_in_archive) else { return Ok(()) };
        let detail = format!("the record {} has this {}, and is in the archive", record.subject(), self.field);
        Err(Unfit::new("record_archived", detail).at(self.path()).into())
    }

    /// The record to be made, checked now: the evaluator could not tell the sender of a delivery any more.
    fn creation(
        &self,
        object: &Object,
        value: &Value,
        values: &Map<String, Value>,
    ) -> Result<(Subject, Creation), RecordError> {
        let names = object.names();
        let own = values.iter().filter(|(name, _)| names.contains(&name.as_str()) && !is_built_in(name));
        let mut given: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        let id = if self.field == "id" {
            let id = value::text_of(value);
            fields::check_id(&id).map_err(RecordError::from)?;
            id
        } else {
            given.insert(self.field.to_owned(), value.clone());
            ids::matched_record_id(&object.id, self.field, &value::text_of(value))
        };
        let fields = fields::new_fields(object, given, &self.plan.timezone).map_err(RecordError::from)?;
        people::check_owner(self.definitions, None, &fields).map_err(RecordError::from)?;
        Ok((Subject { object: object.id.clone(), id }, Creation { fields }))
    }
}

fn is_in_archive(record: &Record) -> bool {
    record.is_archived() && record.forgotten.is_none()
}

fn is_built_in(name: &str) -> bool {
    Object::BUILT_IN.contains(&name)
}
