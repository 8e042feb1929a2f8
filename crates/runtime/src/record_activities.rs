//! Activities about records, as people and systems read, make and log them.

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::tz::TimeZone;
use pawl_definition::{Activity, Calendar};
use pawl_engine::{ActivityStatus, ActivityWrite, RecordActivity, StepError, Subject, fields, people, record_activity};
use serde_json::{Map, Value};

use crate::ports::rules::MAX_KEYS;
use crate::ports::{
    Clock, Consistency, Durability, Index, Item, Query, Random, SortRange, TableError, Tables, Transaction,
};
use crate::{Catalog, Error, Listed, Objects, items};

/// How often a write that lost a race is tried again.
const RACES: usize = 8;

/// Pages that one listing reads to find activities that its filter lets through.
const PAGES: usize = 10;

/// Reads and writes activities.
pub struct RecordActivities {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// Why an activity was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum ActivityError {
    /// There is no such type.
    #[error("there is no type of activities {0:?}")]
    UnknownType(String),
    /// There is no such activity.
    #[error("there is no activity {0:?}")]
    NotFound(String),
    /// There is no such record.
    #[error("there is no record {0}")]
    NoRecord(Subject),
    /// The values do not fit its type.
    #[error(transparent)]
    Invalid(#[from] StepError),
    /// It has ended otherwise.
    #[error("the activity is {}", .0.word())]
    Ended(ActivityStatus),
    /// An activity with this id is there already.
    #[error("an activity with this id is there already")]
    Duplicate,
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<TableError> for ActivityError {
    fn from(error: TableError) -> Self {
        Self::Failed(error.into())
    }
}

/// What is asked for of a new activity.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewRecordActivity {
    /// Its id; a fresh one if absent.
    pub id: Option<String>,
    /// Its type.
    pub activity: String,
    /// A date, a date and time, or a length of time from now; never if null.
    pub due: Value,
    /// The member who has to do it, or did it.
    pub assignee: Option<String>,
    /// What people read of it.
    pub note: Option<String>,
    /// Values by field.
    pub fields: Map<String, Value>,
    /// The records that it is about.
    pub records: Vec<Subject>,
    /// It is done already.
    pub logged: bool,
}

/// Which activities are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Of this record.
    pub record: Option<Subject>,
    /// Of this member.
    pub assignee: Option<String>,
    /// Of this type.
    pub activity: Option<String>,
    /// In this state.
    pub status: Option<ActivityStatus>,
}

impl ActivityFilter {
    fn lets(&self, activity: &RecordActivity) -> bool {
        self.record.as_ref().is_none_or(|record| activity.records.contains(record))
            && self.assignee.as_ref().is_none_or(|assignee| activity.assignee.as_ref() == Some(assignee))
            && self.activity.as_ref().is_none_or(|word| activity.activity == *word)
            && self.status.is_none_or(|status| activity.status == status)
    }

    /// The partition that holds what it lets through: rows of a record or an assignee, else all activities.
    fn query(&self) -> (Query, bool) {
        let rows = |partition| {
            let range = match self.status {
                Some(ActivityStatus::Open) => items::activity::open(),
                Some(_) => items::activity::over(),
                None => SortRange::All,
            };
            (Query::of(items::activity::ROWS, partition).range(range), true)
        };
        match (&self.record, &self.assignee) {
            (Some(record), _) => rows(items::activity::of_record(record)),
            (None, Some(assignee)) => rows(items::activity::of_assignee(assignee)),
            (None, None) => {
                let all = Query::of_index(items::activity::TABLE, Index::Gsi1, items::activity::ALL);
                (all.newest_first(), false)
            }
        }
    }
}

impl RecordActivities {
    /// Reads one.
    #[boxed]
    pub async fn get(&self, id: &str) -> Result<RecordActivity, ActivityError> {
        let not_found = || ActivityError::NotFound(id.to_owned());
        if !fields::is_key(id) {
            return Err(not_found());
        }
        let key = items::activity::key(id);
        let item = self.tables.get(items::activity::TABLE, &key, Consistency::Strong).await?;
        Ok(items::activity::parse(&item.ok_or_else(not_found)?).map_err(Error::from)?)
    }

    /// Lists those that a filter lets through: of a record or an assignee the open ones first, by the time at which they are
    /// due, then the others in the order in which they ended; else the newest first. A page may have fewer although more follow.
    #[boxed]
    pub async fn list(
        &self,
        filter: &ActivityFilter,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<RecordActivity>, ActivityError> {
        let mut listed = Listed { items: Vec::new(), next: after, unreadable: Vec::new() };
        let (query, are_rows) = filter.query();
        for _ in 0..PAGES {
            let query = query.clone().limit(limit - listed.items.len()).after(listed.next.take());
            let page = self.tables.query(&query).await?;
            let found = if are_rows { self.behind(&page.items).await? } else { page.items };
            let (found, unreadable) = self.catalog.unreadable().read(&found, items::activity::parse);
            listed.items.extend(found.into_iter().filter(|activity| filter.lets(activity)));
            listed.unreadable.extend(unreadable);
            listed.next = page.next;
            if listed.next.is_none() || listed.items.len() >= limit {
                break;
            }
        }
        Ok(listed)
    }

    /// The activities behind rows. One that has gone meanwhile is left out.
    async fn behind(&self, rows: &[Item]) -> Result<Vec<Item>, Error> {
        let mut found = Vec::new();
        for rows in rows.chunks(MAX_KEYS) {
            let ids = rows.iter().map(items::activity::row_target).collect::<Result<Vec<_>, _>>()?;
            let keys: Vec<_> = ids.iter().map(|id| (items::activity::TABLE, items::activity::key(id))).collect();
            found.extend(self.tables.get_many(&keys).await?.into_iter().flatten());
        }
        Ok(found)
    }

    /// Makes one.
    #[boxed]
    pub async fn create(&self, new: NewRecordActivity, by: &str) -> Result<RecordActivity, ActivityError> {
        let objects = self.objects().await?;
        let activity = type_of(&objects, &new.activity)?;
        new.id.as_deref().map_or(Ok(()), fields::check_id)?;
        record_activity::check_records(activity, &new.records)?;
        let now = self.clock.now();
        let standard = || Ok(std::borrow::Cow::Borrowed(Calendar::standard()));
        let due = record_activity::due(&new.due, (now, &TimeZone::UTC), standard)?;
        let assignee = new.assignee.as_deref().and_then(people::member_id);
        if let Some(assignee) = &assignee {
            people::check_assignee(&objects.definitions, assignee)?;
        }
        let values = record_activity::new_fields(activity, new.fields, &TimeZone::UTC)?;
        let after = RecordActivity {
            id: new.id.unwrap_or_else(|| format!("act_{:032x}", self.random.bits())),
            activity: activity.id.clone(),
            version: 1,
            status: if new.logged { ActivityStatus::Logged } else { ActivityStatus::Open },
            due,
            assignee,
            ended_at: new.logged.then_some(now),
            ended_by: new.logged.then(|| by.to_owned()),
            note: new.note.filter(|note| !note.trim().is_empty()),
            fields: values,
            records: new.records,
            created_at: now,
            created_by: Some(by.to_owned()),
            execution: None,
            cause: None,
        };
        after.check()?;
        for _ in 0..RACES {
            let about = self.about(&after.records).await?;
            let write = ActivityWrite { before: None, after: after.clone(), about };
            match self.write(&write).await {
                Err(ActivityError::Failed(error)) if error.is_conflict() => {
                    if self.get(&after.id).await.is_ok() {
                        return Err(ActivityError::Duplicate);
                    }
                }
                result => return result.map(|()| after),
            }
        }
        Err(Error::Contended(after.id).into())
    }

    /// Logs or cancels one. One that has ended so stays as it is; what is given of its values is written with its end.
    #[boxed]
    pub async fn end(
        &self,
        id: &str,
        status: ActivityStatus,
        (note, given): (Option<String>, Map<String, Value>),
        by: &str,
    ) -> Result<RecordActivity, ActivityError> {
        for _ in 0..RACES {
            let before = self.get(id).await?;
            let mut after = before.end(status, (self.clock.now(), Some(by))).map_err(ActivityError::Ended)?;
            if after == before {
                return Ok(before);
            }
            if let Some(note) = &note {
                after.note = Some(note.clone()).filter(|note| !note.trim().is_empty());
            }
            if !given.is_empty() {
                let objects = self.objects().await?;
                let activity = type_of(&objects, &before.activity)?;
                after.fields = record_activity::with_fields(activity, after.fields, given.clone(), &TimeZone::UTC)?;
                record_activity::check_required(activity, &after.fields)?;
            }
            after.check()?;
            let write = ActivityWrite { before: Some(before), after: after.clone(), about: Vec::new() };
            match self.write(&write).await {
                Err(ActivityError::Failed(error)) if error.is_conflict() => {}
                result => return result.map(|()| after),
            }
        }
        Err(Error::Contended(id.to_owned()).into())
    }

    /// Moves the time at which an open activity is due: a date, a date and time, or a length of time from now; never if null.
    #[boxed]
    pub async fn reschedule(&self, id: &str, due: &Value) -> Result<RecordActivity, ActivityError> {
        let standard = || Ok(std::borrow::Cow::Borrowed(Calendar::standard()));
        let due = record_activity::due(due, (self.clock.now(), &TimeZone::UTC), standard)?;
        for _ in 0..RACES {
            let before = self.get(id).await?;
            let after = before.reschedule(due).map_err(ActivityError::Ended)?;
            if after == before {
                return Ok(before);
            }
            let write = ActivityWrite { before: Some(before), after: after.clone(), about: Vec::new() };
            match self.write(&write).await {
                Err(ActivityError::Failed(error)) if error.is_conflict() => {}
                result => return result.map(|()| after),
            }
        }
        Err(Error::Contended(id.to_owned()).into())
    }

    /// Takes a record that is forgotten out of the activities about it, with their values. None comes after that.
    #[boxed]
    pub(crate) async fn forget(&self, record: &Subject) -> Result<(), Error> {
        let filter = ActivityFilter { record: Some(record.clone()), ..ActivityFilter::default() };
        for _ in 0..RACES {
            let mut after = None;
            let mut is_raced = false;
            loop {
                let (query, _) = filter.query();
                let page = self.tables.query(&query.limit(MAX_KEYS).after(after)).await?;
                for item in self.behind(&page.items).await? {
                    let activity = items::activity::parse(&item)?;
                    let writes = items::activity::forget(&activity, record);
                    match self.tables.transact(Transaction { writes, durability: Durability::Durable }).await {
                        Err(error) if Error::from(error.clone()).is_conflict() => is_raced = true,
                        result => result?,
                    }
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            if !is_raced {
                return Ok(());
            }
        }
        Err(Error::Contended(record.to_string()))
    }

    /// The records that an activity is about, with their versions.
    async fn about(&self, records: &[Subject]) -> Result<Vec<(Subject, u64)>, ActivityError> {
        let mut about = Vec::new();
        for record in records {
            let missing = || ActivityError::NoRecord(record.clone());
            if !fields::is_key(&record.id) {
                return Err(missing());
            }
            let key = items::record::key(record);
            let item = self.tables.get(items::record::TABLE, &key, Consistency::Strong).await?;
            let read = items::record::parse(&item.ok_or_else(missing)?).map_err(Error::from)?;
            if read.forgotten.is_some() {
                return Err(missing());
            }
            about.push((record.clone(), read.version));
        }
        Ok(about)
    }

    async fn objects(&self) -> Result<Arc<Objects>, ActivityError> {
        let installation = self.catalog.read_installation().await?;
        let objects = self.catalog.objects(installation.objects_revision).await?;
        objects.require_definitions().map_err(Error::from)?;
        Ok(objects)
    }

    async fn write(&self, write: &ActivityWrite) -> Result<(), ActivityError> {
        let writes = items::activity::writes(write);
        Ok(self.tables.transact(Transaction { writes, durability: Durability::Durable }).await?)
    }
}

fn type_of<'o>(objects: &'o Objects, id: &str) -> Result<&'o Activity, ActivityError> {
    objects.definitions.activity_types.get(id).ok_or_else(|| ActivityError::UnknownType(id.to_owned()))
}
