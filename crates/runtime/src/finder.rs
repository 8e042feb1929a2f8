//! Finds records: by the rows of an indexed field where one is tested for equality, else by reading the object.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_recursion::async_recursion as boxed;
use pawl_definition::{ARCHIVED_AT, FieldType, OWNER, Object, json, value};
use pawl_engine::{
    Found, GroupTest, PeopleFound, PeopleRead, Read, Record, RecordQuery, ResolvedTest, StepCode, StepError, Subject,
    fields,
};
use serde_json::{Map, Value};

use crate::items::{self, Unreadable};
use crate::ports::rules::MAX_KEYS;
use crate::ports::{Consistency, Item, Pages, Query, SortRange, Table, Tables};
use crate::{Error, UnreadableItems};

/// Records after which a query looks at no more: of an object that is read without an index, or with one value in it.
const LOOK_MOST: usize = 10_000;

/// Bytes after which a query looks at no more.
const LOOK_BYTES: usize = 32 * 1024 * 1024;

/// Records of one page.
const PAGE: usize = 500;

/// Most rows of one unique value and those with a number after it.
const SCAN_MOST: usize = 10_000;

/// Finds records.
pub struct Finder {
    tables: Arc<dyn Tables>,
    unreadable: Arc<UnreadableItems>,
    is_strict: bool,
}

impl Finder {
    /// Over these tables.
    pub fn new(tables: Arc<dyn Tables>, unreadable: Arc<UnreadableItems>) -> Self {
        Self { tables, unreadable, is_strict: false }
    }

    /// Makes a search that comes to a record which cannot be read fail, instead of passing over it: for a caller who
    /// makes the record that is not found.
    #[must_use]
    pub fn strict(self) -> Self {
        Self { is_strict: true, ..self }
    }

    fn pass_over(&self, unreadable: Unreadable) -> Result<Vec<Record>, Error> {
        if self.is_strict {
            return Err(unreadable.into());
        }
        self.unreadable.pass_over(&unreadable);
        Ok(Vec::new())
    }

    /// Answers what a step asks for before it decides.
    #[boxed]
    pub(crate) async fn answer(&self, read: &Read, objects: &BTreeMap<String, Object>) -> Result<Found, Error> {
        match read {
            Read::People { read, beside } => {
                let mut found = match beside {
                    Some(beside) => self.answer(beside, objects).await?,
                    None => Found::default(),
                };
                match self.people(read).await? {
                    Ok(people) => found.people = Some(people),
                    Err(error) => found.refused = Some(error),
                }
                Ok(found)
            }
            Read::FindRecords(query) => self.find(query, objects.get(&query.object)).await,
            Read::Duplicates { object, values } => self.duplicates(object, values).await,
            Read::Records(subjects) => self.by_id(subjects).await,
            Read::Lookup(_) => unreachable!("what is looked up is read before a decision is answered"),
            Read::OpenActivities { records, activities } => self.open_activities(records, activities.as_deref()).await,
            Read::Values { .. } => unreachable!("the executor reads stored values itself"),
        }
    }

    /// One record.
    #[boxed]
    pub async fn one(&self, object: &str, id: &str) -> Result<Found, Error> {
        // No record has such an id, and storage takes no such key.
        if !fields::is_key(id) {
            return Ok(Found::default());
        }
        let key = items::record::key(&Subject { object: object.to_owned(), id: id.to_owned() });
        let item = self.tables.get(items::record::TABLE, &key, Consistency::Strong).await?;
        let records = item.iter().map(items::record::parse).collect::<Result<_, _>>()?;
        Ok(Found { records, ..Found::default() })
    }

    /// The record that has this value in a unique field, in the archive too; none has a blank one.
    #[boxed]
    pub async fn unique(&self, object: &str, field: &str, value: &Value) -> Result<Option<Record>, Error> {
        let Some(key) = items::record::value_key(value) else { return Ok(None) };
        let found = self.by_unique(object, field, &key).await?.unwrap_or_default();
        // Between the two reads the record may have got another value.
        let has = |record: &Record| record.fields.get(field).is_some_and(|found| value::equal(found, value));
        Ok(found.into_iter().find(has))
    }

    /// What a choice among members depends on.
    async fn people(&self, read: &PeopleRead) -> Result<Result<PeopleFound, StepError>, Error> {
        match read {
            PeopleRead::Position { workflow, step } => {
                let key = items::position::key(workflow, step);
                let item = self.tables.get(items::position::TABLE, &key, Consistency::Strong).await?;
                let seen = item.as_ref().map(items::position::parse).transpose()?.unwrap_or_default();
                Ok(Ok(PeopleFound::Position(seen)))
            }
            PeopleRead::Loads { object, members } => self.loads(object, members).await,
        }
    }

    /// How many records of an object each member owns, archived ones left aside.
    async fn loads(&self, object: &str, members: &[String]) -> Result<Result<PeopleFound, StepError>, Error> {
        let owner = |record: &Record| record.fields.get(OWNER).and_then(Value::as_str).map(str::to_owned);
        let counts =
            |record: &Record| !record.is_archived() && owner(record).is_some_and(|owner| members.contains(&owner));
        let partition = items::record::partition(object);
        let Some(found) = self.read((items::record::TABLE, partition, SortRange::All), object, counts).await? else {
            let message = format!(
                "expected an object with less than {LOOK_MOST} records for `least_loaded`, found more of {object:?}: \
                 choose by `round_robin`"
            );
            return Ok(Err(StepError::new(StepCode::TooManyRecords, message)));
        };
        let mut loads: BTreeMap<String, u64> = members.iter().map(|member| (member.clone(), 0)).collect();
        for owner in found.iter().filter_map(owner) {
            *loads.entry(owner).or_default() += 1;
        }
        Ok(Ok(PeopleFound::Loads(loads)))
    }

    /// The open activities of records.
    async fn open_activities(&self, records: &[Subject], activities: Option<&[String]>) -> Result<Found, Error> {
        let is_meant = |word: &String| activities.is_none_or(|all| all.contains(word));
        let mut found = Found::default();
        for record in records.iter().filter(|record| fields::is_key(&record.id)) {
            let query =
                Query::of(items::activity::ROWS, items::activity::of_record(record)).range(items::activity::open());
            for row in Pages::of(&*self.tables, query).all().await? {
                let key = items::activity::key(&items::activity::row_target(&row)?);
                let item = self.tables.get(items::activity::TABLE, &key, Consistency::Strong).await?;
                let activity = item.as_ref().map(items::activity::parse).transpose()?;
                found.activities.extend(activity.filter(|activity| is_meant(&activity.activity)));
            }
        }
        Ok(found)
    }

    /// The records that have these ids, as far as they are there.
    async fn by_id(&self, subjects: &[Subject]) -> Result<Found, Error> {
        let named = subjects.iter().filter(|subject| fields::is_key(&subject.id));
        let keys: Vec<_> = named.map(|subject| (items::record::TABLE, items::record::key(subject))).collect();
        let mut found = Found::default();
        for keys in keys.chunks(MAX_KEYS) {
            for item in self.tables.get_many(keys).await?.iter().flatten() {
                found.records.push(items::record::parse(item)?);
            }
        }
        Ok(found)
    }

    /// The records that have one of the unique values. One that cannot be read is not free: the step waits for it.
    #[boxed]
    pub async fn duplicates(&self, object: &str, values: &Map<String, Value>) -> Result<Found, Error> {
        let mut records: Vec<Record> = Vec::new();
        let claims: Vec<_> =
            values.iter().filter_map(|(field, value)| Some((field, items::record::value_key(value)?))).collect();
        // Most values are free, which reads by key tell; only of one that is taken are those with a number looked for.
        if !self.is_any_taken(object, &claims).await? {
            return Ok(Found::default());
        }
        for (field, value) in claims {
            let partition = items::record::unique_key(object, field, &value).partition;
            for item in self.all(items::record::VALUES, partition, SortRange::Prefix(value)).await? {
                let id = items::record::row_target(&item)?;
                records.extend(self.one(object, &id).await?.records);
            }
        }
        records.retain({
            let mut seen = std::collections::BTreeSet::new();
            move |record| seen.insert(record.id.clone())
        });
        // Whoever has the very value stands first; those after have the value with a number.
        let has =
            |record: &Record, field, value| record.fields.get(field).is_some_and(|found| value::equal(found, value));
        let exact = |record: &Record| values.iter().any(|(field, value)| has(record, field, value));
        records.sort_by_key(|record| !exact(record));
        if !records.first().is_some_and(exact) {
            records.clear();
        }
        Ok(Found { records, ..Found::default() })
    }

    /// Whether one of the unique values has a record.
    async fn is_any_taken(&self, object: &str, claims: &[(&String, String)]) -> Result<bool, Error> {
        let key = |(field, value): &(&String, String)| {
            (items::record::VALUES, items::record::unique_key(object, field, value))
        };
        let keys: Vec<_> = claims.iter().map(key).collect();
        for keys in keys.chunks(MAX_KEYS) {
            if self.tables.get_many(keys).await?.iter().any(Option::is_some) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The records that a query names, in its order; archived ones only if it tests `archived_at`. Of an object that is read
    /// without an index only those that match are kept, and it is read as far as the bounds only.
    #[boxed]
    pub async fn find(&self, query: &RecordQuery, object: Option<&Object>) -> Result<Found, Error> {
        let is_time = |field: &str| is_time(object, field);
        let asks_for_archive =
            query.tests.iter().chain(query.any.iter().flatten()).any(|test| test.field == ARCHIVED_AT);
        let failed = Mutex::new(None);
        let belongs = |group: &GroupTest, record: &Record| {
            let holds = group.holds(record, object);
            holds.unwrap_or_else(|error| {
                failed.lock().expect("no holder panics").get_or_insert(error);
                false
            })
        };
        let fits = |record: &Record| {
            let is_there = if asks_for_archive { record.forgotten.is_none() } else { !record.is_archived() };
            let all = |tests: &[ResolvedTest]| tests.iter().all(|test| holds(test, record, is_time(&test.field)));
            is_there
                && all(&query.tests)
                && (query.any.is_empty() || query.any.iter().any(|tests| all(tests)))
                && query.group.as_ref().is_none_or(|group| belongs(group, record))
        };
        let found = match by_row(query, object) {
            Some((field, true, value)) => self.by_unique(&query.object, field, &value).await?,
            Some((field, false, value)) => {
                let partition = items::record::value_partition(&query.object, field);
                let range = SortRange::Prefix(items::record::value_prefix(&value));
                self.read((items::record::VALUES, partition, range), &query.object, fits).await?
            }
            None => {
                let partition = items::record::partition(&query.object);
                self.read((items::record::TABLE, partition, SortRange::All), &query.object, fits).await?
            }
        };
        let Some(mut records) = found else {
            return Ok(Found { refused: Some(too_many(query)), ..Found::default() });
        };
        records.retain(fits);
        if let Some(error) = failed.into_inner().expect("no holder panics") {
            return Ok(Found { refused: Some(error), ..Found::default() });
        }
        if query.count {
            return Ok(Found { values: vec![records.len().into()], ..Found::default() });
        }
        // Those that the field does not tell apart come newest first too, whatever the order was in which they were read.
        let newest = |a: &Record, b: &Record| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id));
        match &query.order {
            Some((field, descending)) => {
                let by = if is_time(field) { value::compare_times } else { value::compare };
                records
                    .sort_by(|a, b| ordered(&of(a, field), &of(b, field), by, *descending).then_with(|| newest(a, b)));
            }
            None => records.sort_by(newest),
        }
        records.truncate(query.limit);
        Ok(Found { records, ..Found::default() })
    }

    async fn by_unique(&self, object: &str, field: &str, value: &str) -> Result<Option<Vec<Record>>, Error> {
        let key = items::record::unique_key(object, field, value);
        let row = self.tables.get(items::record::VALUES, &key, Consistency::Strong).await?;
        match row {
            Some(row) => Ok(Some(self.follow(object, &row).await?)),
            None => Ok(Some(Vec::new())),
        }
    }

    /// The records of a partition, or those that its rows lead to, which fit; `None` if there is too much to look at.
    async fn read(
        &self,
        (table, partition, range): (Table, String, SortRange),
        object: &str,
        fits: impl Fn(&Record) -> bool,
    ) -> Result<Option<Vec<Record>>, Error> {
        let (mut kept, mut looked, mut bytes) = (Vec::new(), 0, 0);
        let mut pages = Pages::of(&*self.tables, Query::of(table, partition).range(range).limit(PAGE));
        while let Some(page) = pages.next().await? {
            for item in &page {
                let records = if table == items::record::TABLE {
                    items::record::parse(item).map_or_else(|error| self.pass_over(error), |record| Ok(vec![record]))?
                } else {
                    self.follow(object, item).await?
                };
                looked += 1;
                bytes += records.iter().flat_map(|record| record.fields.values()).map(json::bytes).sum::<usize>();
                kept.extend(records.into_iter().filter(&fits));
            }
            if pages.has_more() && (looked >= LOOK_MOST || bytes >= LOOK_BYTES) {
                return Ok(None);
            }
        }
        Ok(Some(kept))
    }

    /// The record that a row by value leads to.
    async fn follow(&self, object: &str, row: &Item) -> Result<Vec<Record>, Error> {
        let id = match items::record::row_target(row) {
            Ok(id) => id,
            Err(unreadable) => return self.pass_over(unreadable),
        };
        match self.one(object, &id).await {
            Err(Error::Unreadable(unreadable)) => self.pass_over(unreadable),
            found => Ok(found?.records),
        }
    }

    async fn all(&self, table: Table, partition: String, range: SortRange) -> Result<Vec<Item>, Error> {
        let mut found = Vec::new();
        let mut pages = Pages::of(&*self.tables, Query::of(table, partition).range(range));
        while let Some(page) = pages.next().await? {
            found.extend(page);
            if found.len() >= SCAN_MOST {
                break;
            }
        }
        Ok(found)
    }
}

fn too_many(query: &RecordQuery) -> StepError {
    let message = format!(
        "expected an indexed field among the tests, found none that leads to less than {LOOK_MOST} records of {:?}: \
         give a field `indexed: true`, and test it for equality",
        query.object
    );
    StepError::new(StepCode::TooManyRecords, message)
}

/// The equality test that rows answer, if there is one.
fn by_row<'a>(query: &'a RecordQuery, object: Option<&Object>) -> Option<(&'a str, bool, String)> {
    query.tests.iter().filter(|test| test.operator == "equals").find_map(|test| {
        let field = object?.fields.get(&test.field).filter(|field| field.unique || field.indexed)?;
        Some((test.field.as_str(), field.unique, items::record::value_key(&test.value)?))
    })
}

fn of(record: &Record, field: &str) -> Value {
    match field {
        "id" => record.id.clone().into(),
        "created_at" => record.created_at.to_string().into(),
        "updated_at" => record.updated_at.to_string().into(),
        ARCHIVED_AT => record.archived_at.map_or(Value::Null, |at| at.to_string().into()),
        _ => record.fields.get(field).cloned().unwrap_or(Value::Null),
    }
}

/// Whether a field holds points in time.
fn is_time(object: Option<&Object>, field: &str) -> bool {
    let built_in = || matches!(field, "created_at" | "updated_at" | ARCHIVED_AT);
    object.and_then(|object| object.field(field)).map_or_else(built_in, |field| field.kind == FieldType::Datetime)
}

/// The order of two values in a list that goes up or down. Blank ones are last in both.
fn ordered(a: &Value, b: &Value, by: fn(&Value, &Value) -> Ordering, descending: bool) -> Ordering {
    match (value::is_blank(a), value::is_blank(b)) {
        (false, false) if descending => by(b, a),
        _ => by(a, b),
    }
}

fn holds(test: &ResolvedTest, record: &Record, is_time: bool) -> bool {
    let value = of(record, &test.field);
    let order = if is_time { value::order_times } else { value::order };
    let ordered = |accept: fn(Ordering) -> bool| order(&value, &test.value).is_some_and(accept);
    match test.operator {
        "equals" => value::equal(&value, &test.value),
        "not" => !value::equal(&value, &test.value),
        "in" => test.value.as_array().is_some_and(|list| value::contains(list, &value)),
        "gt" => ordered(Ordering::is_gt),
        "gte" => ordered(Ordering::is_ge),
        "lt" => ordered(Ordering::is_lt),
        "lte" => ordered(Ordering::is_le),
        "contains" => contains(&value, &test.value),
        "blank" => Value::Bool(value::is_blank(&value)) == test.value,
        _ => false,
    }
}

/// A text in a text, whatever their case, or a value among those of a list.
fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::String(text), Value::String(part)) => text.to_lowercase().contains(&part.to_lowercase()),
        (Value::Array(list), part) => value::contains(list, part),
        _ => false,
    }
}
