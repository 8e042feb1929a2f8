//! Groups, calendars and other definitions, as people save and delete them.

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use pawl_definition::{Around, DefinitionKind, Definitions, Problem, Source, check_definition};
use serde_json::Value;

use crate::items::definition::{self, Saved};
use crate::items::installation;
use crate::ports::{Clock, Consistency, Durability, Expect, Item, Pages, Query, SortRange, Tables, Transaction, Write};
use crate::{Catalog, Error, Listed, Objects, Workflows, readers};

/// How often a change that lost a race on what others save is tried again.
const RACES: usize = 16;

/// Saves and deletes definitions, and shows them.
pub struct DefinitionStore {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) workflows: Arc<Workflows>,
}

/// A definition that was saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedDefinition {
    /// Its id.
    pub id: String,
    /// It, as it is now.
    pub saved: Saved,
    /// It was the same; nothing was written.
    pub unchanged: bool,
    /// The mistakes that active workflows and other definitions have since.
    pub warnings: Vec<Problem>,
}

/// Why a definition was not saved or deleted.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// It has mistakes.
    #[error("{} problems were found", .0.len())]
    Invalid(Vec<Problem>),
    /// It was saved by others since it was read; the present revision stands here.
    #[error("the definition was read at another revision than {0}, the present one")]
    Stale(u64),
    /// There is none of this name.
    #[error("there is no {} {:?}", .0.word(), .1)]
    NotFound(DefinitionKind, String),
    /// Workflows or other definitions need it: the mistakes that they would have without it.
    #[error("the {} {:?} is in use", .0.word(), .1)]
    InUse(DefinitionKind, String, Vec<Problem>),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// A change of one definition.
struct Change<'a> {
    kind: DefinitionKind,
    id: &'a str,
    /// As written; null deletes it.
    source: &'a Value,
    by: &'a str,
}

impl DefinitionStore {
    /// A definition; `None` if there is none.
    #[boxed]
    pub async fn read(&self, kind: DefinitionKind, id: &str) -> Result<Option<Saved>, Error> {
        let item = self.tables.get(definition::TABLE, &definition::key(kind, id), Consistency::Strong).await?;
        let saved = item.as_ref().map(definition::parse).transpose()?;
        Ok(saved.filter(|saved| !saved.source.is_null()))
    }

    /// All definitions of a kind by id.
    #[boxed]
    pub async fn list(&self, kind: DefinitionKind) -> Result<Listed<(String, Saved)>, Error> {
        let range = SortRange::Prefix(format!("{}/", kind.word()));
        let query = Query::of(definition::TABLE, definition::ALL).range(range);
        let items = Pages::of(&*self.tables, query).all().await?;
        let with_id = |item: &Item| {
            let id = definition::named(&item.key).map_or_else(|| item.key.sort.clone(), |(_, id, _)| id.to_owned());
            definition::parse(item).map(|saved| (id, saved))
        };
        let (items, unreadable) = self.catalog.unreadable().read(&items, with_id);
        let items = items.into_iter().filter(|(_, saved)| !saved.source.is_null()).collect();
        Ok(Listed { items, next: None, unreadable })
    }

    /// Saves a definition as a new revision, which decisions use at once. `read_at` is the revision that the writer had read,
    /// 0 if none.
    #[boxed]
    pub async fn save(
        &self,
        kind: DefinitionKind,
        source: &Source,
        (read_at, by): (Option<u64>, &str),
    ) -> Result<SavedDefinition, DefinitionError> {
        let source = &source.for_definition();
        let objects = self.workflows.objects().await?;
        let (id, problems) = check_definition(kind, source, around(&objects));
        let Some(id) = id else {
            // A mistake may be none once all objects can be read.
            objects.require_all().map_err(Error::from)?;
            return Err(DefinitionError::Invalid(problems));
        };
        let mut after = objects.definitions.clone();
        let known = after.insert(kind, &id, &source.value);
        known.map_err(|error| DefinitionError::Invalid(vec![unlike(source, &error)]))?;
        let change = Change { kind, id: &id, source: &source.value, by };
        for _ in 0..RACES {
            let before = self.stored(kind, &id).await?;
            check_read_at(read_at, before.as_ref())?;
            if let Some(saved) = before.as_ref().and_then(|item| definition::parse(item).ok())
                && saved.source == source.value
            {
                return Ok(SavedDefinition { id, saved, unchanged: true, warnings: problems });
            }
            let Some(saved) = self.write(&change, before.as_ref()).await? else { continue };
            let mut warnings = problems;
            warnings.extend(self.new_mistakes(&objects, &after, (&source.name, false)).await?);
            return Ok(SavedDefinition { id, saved, unchanged: false, warnings });
        }
        Err(Error::Contended(id).into())
    }

    /// Deletes a definition that nobody needs. What it was stays readable for a replay.
    #[boxed]
    pub async fn delete(
        &self,
        kind: DefinitionKind,
        id: &str,
        (read_at, by): (Option<u64>, &str),
    ) -> Result<Saved, DefinitionError> {
        let change = Change { kind, id, source: &Value::Null, by };
        for _ in 0..RACES {
            let before = self.stored(kind, id).await?;
            if !before.as_ref().is_some_and(is_there) {
                return Err(DefinitionError::NotFound(kind, id.to_owned()));
            }
            check_read_at(read_at, before.as_ref())?;
            let objects = self.workflows.objects().await?;
            let mut after = objects.definitions.clone();
            after.remove(kind, id);
            let mistakes = self.new_mistakes(&objects, &after, (id, true)).await?;
            if !mistakes.is_empty() {
                return Err(DefinitionError::InUse(kind, id.to_owned(), mistakes));
            }
            if let Some(deleted) = self.write(&change, before.as_ref()).await? {
                return Ok(deleted);
            }
        }
        Err(Error::Contended(id.to_owned()).into())
    }

    async fn stored(&self, kind: DefinitionKind, id: &str) -> Result<Option<Item>, Error> {
        Ok(self.tables.get(definition::TABLE, &definition::key(kind, id), Consistency::Strong).await?)
    }

    async fn new_mistakes(
        &self,
        objects: &Objects,
        after: &Definitions,
        (file, inactive_too): (&str, bool),
    ) -> Result<Vec<Problem>, Error> {
        let after = Around::new(objects).with(after);
        readers::new_mistakes(&self.workflows, (around(objects), after), (file, inactive_too)).await
    }

    /// Writes a change with the count of the installation's definitions, so that caches know; `None` if it lost a race.
    async fn write(&self, change: &Change<'_>, before: Option<&Item>) -> Result<Option<Saved>, DefinitionError> {
        let Change { kind, id, source, by } = *change;
        let revision = before.map_or(0, |item| item.version) + 1;
        let saved_at = self.clock.now();
        let saved = Saved { revision, saved_by: by.to_owned(), saved_at, source: source.clone() };
        let kept = Saved { source: kind.decided_on(source), ..saved.clone() };
        let stored = self.tables.get(installation::TABLE, &installation::key(), Consistency::Strong).await;
        let stored = stored.map_err(Error::from)?;
        let mut controls = Catalog::installation(stored.as_ref())?;
        controls.objects_revision += 1;
        let version = stored.as_ref().map_or(0, |item| item.version);
        let writes = vec![
            Write::Put {
                table: definition::TABLE,
                item: definition::item(kind, id, &saved),
                expect: expected(revision - 1),
            },
            Write::Put {
                table: definition::TABLE,
                item: definition::revision_item(kind, id, &kept, controls.objects_revision),
                expect: Expect::Absent,
            },
            Write::Put {
                table: installation::TABLE,
                item: installation::item(&controls, version + 1),
                expect: expected(version),
            },
        ];
        match self.tables.transact(Transaction { writes, durability: Durability::Durable }).await {
            Ok(()) => Ok(Some(saved)),
            Err(error) if Error::from(error.clone()).is_conflict() => Ok(None),
            Err(error) => Err(Error::from(error).into()),
        }
    }
}

fn expected(version: u64) -> Expect {
    if version == 0 { Expect::Absent } else { Expect::Version(version) }
}

/// What stands around a definition.
fn around(objects: &Objects) -> Around<'_> {
    objects.into()
}

/// Whether a definition is there: one that cannot be read is, and one that was deleted is not.
fn is_there(item: &Item) -> bool {
    !definition::parse(item).is_ok_and(|saved| saved.source.is_null())
}

/// Refuses a change of what others changed since it was read. A definition that was deleted is at no revision.
fn check_read_at(read_at: Option<u64>, before: Option<&Item>) -> Result<(), DefinitionError> {
    let present = before.filter(|item| is_there(item)).map_or(0, |item| item.version);
    if read_at.is_some_and(|read_at| read_at != present) { Err(DefinitionError::Stale(present)) } else { Ok(()) }
}

/// A file that was checked is one; what the check misses is a problem, not a panic.
fn unlike(source: &Source, error: &serde_json::Error) -> Problem {
    Problem {
        file: source.name.clone(),
        code: pawl_definition::code::INVALID_VALUE.to_owned(),
        path: String::new(),
        line: None,
        column: None,
        message: error.to_string(),
        suggestion: None,
        severity: pawl_definition::Level::Error,
    }
}
