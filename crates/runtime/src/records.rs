//! Records as people and systems read and write them through the API.

mod history;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::{OWNER, Object};
use pawl_engine::{Found, Record, RecordQuery, RecordWrite, StepError, Subject, fields, people};
use serde_json::{Map, Value};

use crate::items::record_change::{self, ChangedBy};
use crate::ports::{Clock, Durability, Index, Query, Random, TableError, Tables, Transaction};
use crate::{Catalog, Error, Finder, Listed, Objects, items};

pub(crate) use history::forget_some;

/// How often a write that lost a race is tried again if the writer did not say which version it had read.
const RACES: usize = 8;

/// Reads and writes records.
pub struct Records {
    catalog: Arc<Catalog>,
    tables: Arc<dyn Tables>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    finder: Finder,
}

/// Why a record was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no such object.
    #[error("there is no object {0:?}")]
    UnknownObject(String),
    /// There is no such record.
    #[error("there is no record {0}")]
    NotFound(Subject),
    /// No record has this value in the unique field.
    #[error("no record of {object:?} has this value in {field:?}")]
    NoValue {
        /// Record type.
        object: String,
        /// The field.
        field: String,
    },
    /// Its values were forgotten, and it takes no others.
    #[error("the record {0} was forgotten at {1}; its id takes no values any more")]
    Forgotten(Subject, Timestamp),
    /// The fields do not fit the object.
    #[error(transparent)]
    Invalid(#[from] StepError),
    /// A unique value is taken, or the id.
    #[error("a record with this id or a unique value of it is there already")]
    Duplicate,
    /// It was written by others since it was read.
    #[error("the record was read at another version than {0}, the present one")]
    Stale(u64),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<TableError> for RecordError {
    fn from(error: TableError) -> Self {
        Self::Failed(error.into())
    }
}

/// An object, and the count of changes of what is listened on as it was beside it.
struct Schema {
    object: Object,
    objects: Arc<Objects>,
    listening: u64,
}

impl Schema {
    /// Demands that a new owner is a member.
    fn check_owner(&self, before: Option<&Record>, after: &Map<String, Value>) -> Result<(), RecordError> {
        if before.and_then(|before| before.fields.get(OWNER)) == after.get(OWNER) {
            return Ok(());
        }
        self.objects.require_definitions().map_err(Error::from)?;
        Ok(people::check_owner(&self.objects.definitions, before.map(|before| &before.fields), after)?)
    }
}

impl Records {
    /// Over these ports.
    pub fn new(catalog: Arc<Catalog>, tables: Arc<dyn Tables>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let finder = Finder::new(tables.clone(), catalog.shared_unreadable());
        Self { catalog, tables, clock, random, finder }
    }

    /// The object of a record type.
    #[boxed]
    pub async fn object(&self, object: &str) -> Result<Object, RecordError> {
        Ok(self.schema(object).await?.object)
    }

    async fn schema(&self, object: &str) -> Result<Schema, RecordError> {
        let installation = self.catalog.read_installation().await?;
        let objects = self.catalog.objects(installation.objects_revision).await?;
        objects.require(object).map_err(Error::from)?;
        let object = objects.get(object).cloned().ok_or_else(|| RecordError::UnknownObject(object.to_owned()))?;
        Ok(Schema { object, objects, listening: installation.listening })
    }

    /// Reads one.
    #[boxed]
    pub async fn get(&self, subject: &Subject) -> Result<Record, RecordError> {
        let Found { records, .. } = self.finder.one(&subject.object, &subject.id).await?;
        let record = records.into_iter().next().ok_or_else(|| RecordError::NotFound(subject.clone()))?;
        match record.forgotten {
            Some(at) => Err(RecordError::Forgotten(subject.clone(), at)),
            None => Ok(record),
        }
    }

    /// Reads the one that has this value in a unique field, in the archive too; the value is brought to the type of the field.
    #[boxed]
    pub async fn by_unique(&self, object: &str, field: &str, value: Value) -> Result<Record, RecordError> {
        let object = self.object(object).await?;
        let value = fields::unique_value(&object, field, value, &TimeZone::UTC)?;
        let found = self.finder.unique(&object.id, field, &value).await?;
        found.ok_or_else(|| RecordError::NoValue { object: object.id, field: field.to_owned() })
    }

    /// Finds those that a query names.
    #[boxed]
    pub async fn find(&self, query: &RecordQuery) -> Result<Vec<Record>, RecordError> {
        let object = self.object(&query.object).await?;
        let Found { records, refused, .. } = self.finder.find(query, Some(&object)).await?;
        refused.map_or(Ok(records), |error| Err(RecordError::Invalid(error)))
    }

    /// All of an object that are not archived, newest first.
    #[boxed]
    pub async fn list(&self, object: &str, limit: usize, after: Option<String>) -> Result<Listed<Record>, RecordError> {
        self.object(object).await?;
        let query = Query::of_index(items::record::TABLE, Index::Gsi1, items::record::of_object(object));
        let page = self.tables.query(&query.newest_first().limit(limit).after(after)).await?;
        let (mut items, unreadable) = self.catalog.unreadable().read(&page.items, items::record::parse);
        items.retain(|record| !record.is_archived());
        Ok(Listed { items, next: page.next, unreadable })
    }

    /// Creates one, under the given id or a fresh one; `actor` is whom its history names.
    #[boxed]
    pub async fn create(
        &self,
        object: &str,
        id: Option<String>,
        given: Map<String, Value>,
        actor: &str,
    ) -> Result<Record, RecordError> {
        let schema = self.schema(object).await?;
        id.as_deref().map_or(Ok(()), fields::check_id)?;
        let now = self.clock.now();
        let record = Record {
            object: object.to_owned(),
            id: id.unwrap_or_else(|| format!("rec_{:032x}", self.random.bits())),
            version: 1,
            fields: fields::new_fields(&schema.object, given, &TimeZone::UTC)?,
            created_at: now,
            updated_at: now,
            archived_at: None,
            forgotten: None,
            cause: None,
        };
        schema.check_owner(None, &record.fields)?;
        let write = RecordWrite { before: None, after: record.clone() };
        match self.write(&write, &schema, actor).await {
            Err(RecordError::Failed(error)) if error.is_conflict() => match self.get(&record.subject()).await {
                Err(error @ RecordError::Forgotten(..)) => Err(error),
                _ => Err(RecordError::Duplicate),
            },
            result => result.map(|()| record),
        }
    }

    /// Changes fields; null empties one. Writing what is there already changes nothing. With `read_at`, a record of
    /// another version is left as it is.
    #[boxed]
    pub async fn update(
        &self,
        subject: &Subject,
        given: &Map<String, Value>,
        read_at: Option<u64>,
        actor: &str,
    ) -> Result<Record, RecordError> {
        let schema = self.schema(&subject.object).await?;
        for _ in 0..RACES {
            let before = self.get(subject).await?;
            if read_at.is_some_and(|read_at| read_at != before.version) {
                return Err(RecordError::Stale(before.version));
            }
            let mut after = before.next(self.clock.now(), None);
            for (name, value) in given {
                let value = fields::coerce_field(&schema.object, name, value.clone(), &TimeZone::UTC)?;
                fields::put(&mut after.fields, name, value);
            }
            if after.fields == before.fields {
                return Ok(before);
            }
            fields::check(&schema.object, &after.fields)?;
            schema.check_owner(Some(&before), &after.fields)?;
            let write = RecordWrite { before: Some(before), after: after.clone() };
            match self.write(&write, &schema, actor).await {
                Err(RecordError::Failed(error)) if error.is_conflict() => {
                    if self.get(subject).await?.version + 1 == after.version {
                        // The record is as it was read: a unique value of another one was in the way.
                        return Err(RecordError::Duplicate);
                    }
                }
                result => return result.map(|()| after),
            }
        }
        Err(Error::Contended(subject.to_string()).into())
    }

    /// Puts one into the archive, or takes it out. One that is as it is asked to be stays as it is.
    #[boxed]
    pub async fn archive(&self, subject: &Subject, is_archived: bool, actor: &str) -> Result<Record, RecordError> {
        let schema = self.schema(&subject.object).await?;
        for _ in 0..RACES {
            let before = self.get(subject).await?;
            if before.is_archived() == is_archived {
                return Ok(before);
            }
            let now = self.clock.now();
            let after = Record { archived_at: is_archived.then_some(now), ..before.next(now, None) };
            let write = RecordWrite { before: Some(before), after: after.clone() };
            match self.write(&write, &schema, actor).await {
                Err(RecordError::Failed(error)) if error.is_conflict() => {}
                result => return result.map(|()| after),
            }
        }
        Err(Error::Contended(subject.to_string()).into())
    }

    async fn write(&self, write: &RecordWrite, schema: &Schema, actor: &str) -> Result<(), RecordError> {
        let mut writes = items::record::writes(write, Some(&schema.object));
        writes.push(record_change::write(write, ChangedBy::actor(actor)));
        let transaction = Transaction { writes, durability: Durability::Durable };
        if self.catalog.are_unheard(schema.listening, &[write]).await? {
            return Ok(self.tables.transact_unheard(transaction).await?);
        }
        Ok(self.tables.transact(transaction).await?)
    }
}
