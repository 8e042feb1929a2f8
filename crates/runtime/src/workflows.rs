//! Workflows as people save and switch them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use pawl_definition::{Around, Edits, Object, Problem, Source, Workflow};
use pawl_engine::{Act, Plan, triggers};
use serde_json::Value;

use crate::items::audit;
use crate::items::operation::{Kind, Operation, State};
use crate::items::workflow::{self, Head, Revision};
use crate::ports::{Clock, Consistency, Durability, Expect, Index, Query, SortRange, Tables, Transaction, Write};
use crate::{Catalog, Error, Listed, Objects, Operations, Schedules, items, listeners, readers};

/// Saves and switches workflows and objects.
pub struct Workflows {
    catalog: Arc<Catalog>,
    tables: Arc<dyn Tables>,
    clock: Arc<dyn Clock>,
    operations: Arc<Operations>,
    schedules: Arc<Schedules>,
}

/// What a save did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The head after.
    pub head: Head,
    /// The text was the same as the present revision; nothing was written.
    pub unchanged: bool,
    /// The operation that lets waiting executions look at the edit; none if the edit touches no wait.
    pub operation: Option<String>,
}

/// A workflow that was killed, or whose kill was lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switched {
    /// The head after.
    pub head: Head,
    /// The operation that wakes what is due after a lift.
    pub operation: Option<String>,
}

/// An object that was saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedObject {
    /// It, as it is now.
    pub object: Object,
    /// The mistakes that active workflows have since: they read a field that it lost, or that has another type.
    pub warnings: Vec<Problem>,
}

/// Why a workflow or object was not saved or switched.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// It has mistakes.
    #[error("{} problems were found", .0.len())]
    Invalid(Vec<Problem>),
    /// It was saved by others since it was read; the present revision stands here.
    #[error("the workflow was read at another revision than {0}, the present one")]
    Stale(u64),
    /// There is none of this name.
    #[error("there is no workflow {0:?}")]
    NotFound(String),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<crate::ports::TableError> for SaveError {
    fn from(error: crate::ports::TableError) -> Self {
        Self::Failed(error.into())
    }
}

impl Workflows {
    /// Over these ports.
    pub fn new(
        catalog: Arc<Catalog>,
        tables: Arc<dyn Tables>,
        clock: Arc<dyn Clock>,
        (operations, schedules): (Arc<Operations>, Arc<Schedules>),
    ) -> Self {
        Self { catalog, tables, clock, operations, schedules }
    }

    /// Forgets what it keeps in memory, after storage may have lost what was read from it.
    pub fn forget(&self) {
        self.catalog.forget();
    }

    /// All objects.
    #[boxed]
    pub async fn objects(&self) -> Result<Arc<Objects>, Error> {
        let installation = self.catalog.read_installation().await?;
        self.catalog.objects(installation.objects_revision).await
    }

    /// Saves an object, and tells which active workflows that leaves with mistakes.
    #[boxed]
    pub async fn save_object(&self, source: &Source) -> Result<SavedObject, SaveError> {
        let (object, problems) = pawl_definition::check_object(source);
        let Some(object) = object else { return Err(SaveError::Invalid(problems)) };
        let key = items::object::key(&object.id);
        let before = self.tables.get(items::object::TABLE, &key, Consistency::Strong).await?;
        // One that cannot be read is written over.
        if before.as_ref().and_then(|item| items::object::parse(item).ok()).as_ref() == Some(&object) {
            return Ok(SavedObject { object, warnings: Vec::new() });
        }
        // A new object takes nothing away.
        let objects = if before.is_some() { Some(self.objects().await?) } else { None };
        let version = before.map_or(0, |item| item.version);
        let mut installation = self.catalog.read_installation().await?;
        let stored =
            self.tables.get(items::installation::TABLE, &items::installation::key(), Consistency::Strong).await?;
        let stored_version = stored.as_ref().map_or(0, |item| item.version);
        installation.objects_revision += 1;
        let writes = vec![
            Write::Put {
                table: items::object::TABLE,
                item: items::object::item(&object, version + 1),
                expect: version_of(version),
            },
            Write::Put {
                table: items::object::TABLE,
                item: items::object::revision_item(&object, installation.objects_revision),
                expect: Expect::Absent,
            },
            Write::Put {
                table: items::installation::TABLE,
                item: items::installation::item(&installation, stored_version + 1),
                expect: version_of(stored_version),
            },
        ];
        self.tables.transact(Transaction { writes, durability: Durability::Durable }).await?;
        let Some(before) = objects else { return Ok(SavedObject { object, warnings: Vec::new() }) };
        let mut after: BTreeMap<String, Object> = (**before).clone();
        after.insert(object.id.clone(), object.clone());
        let around = Around::new(&after).with(&before.definitions);
        let warnings = readers::new_mistakes(self, ((&*before).into(), around), (&source.name, false)).await?;
        Ok(SavedObject { object, warnings })
    }

    /// Saves a workflow as a new revision, at once also for what is in flight. `read_at` is the revision that the
    /// writer had read; a save over another one changes nothing.
    #[boxed]
    pub async fn save(&self, source: &Source, read_at: Option<u64>, by: &str) -> Result<Saved, SaveError> {
        let objects = self.objects().await?;
        let source = &source.for_workflow(&objects);
        let (workflow, problems) = pawl_definition::check_workflow(source, &*objects);
        let Some(workflow) = workflow else {
            // A mistake may be none once all objects can be read.
            objects.require_all().map_err(Error::from)?;
            return Err(SaveError::Invalid(problems));
        };
        let mut terms = triggers::terms(&workflow);
        terms.extend(triggers::awaited_terms(&workflow, &objects));
        for _ in 0..RACES {
            let before = self.catalog.head(&workflow.id).await?;
            let present = before.as_ref().map_or(0, |head| head.revision);
            if read_at.is_some_and(|read_at| read_at != present) {
                return Err(SaveError::Stale(present));
            }
            if let Some(head) = self.is_saved((source, &terms), before.as_ref()).await? {
                return Ok(Saved { head, unchanged: true, operation: None });
            }
            let (head, mut writes) = self.revised((&workflow, source, &terms), before.as_ref(), by).await?;
            let operation = self.operations.of_edit(&head, &workflow).await?;
            writes.extend(operation.as_ref().map(Operation::begin));
            let of_dates = of_dates(&writes);
            let operation = operation.map(|operation| operation.id);
            let scheduled = scheduled(&writes);
            match self.tables.transact(Transaction { writes, durability: Durability::Durable }).await {
                Ok(()) => {
                    self.schedules.set_timers(&scheduled).await;
                    for operation in operation.iter().chain(&of_dates) {
                        self.operations.send_begun(operation).await;
                    }
                    return Ok(Saved { head, unchanged: false, operation });
                }
                Err(error) if Error::from(error.clone()).is_conflict() => {
                    let now = self.catalog.head(&workflow.id).await?.map_or(0, |head| head.revision);
                    if now != present {
                        return Err(SaveError::Stale(now));
                    }
                    // Others listed a workflow on the same topic, or switched this one.
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended(workflow.id).into())
    }

    /// The head, if the present revision has the same source and is listed as it should be.
    async fn is_saved(
        &self,
        (source, terms): (&Source, &BTreeSet<String>),
        before: Option<&Head>,
    ) -> Result<Option<Head>, SaveError> {
        let Some(head) = before else { return Ok(None) };
        let has = |all: &BTreeSet<String>, awaited| all.iter().any(|term| triggers::is_awaited(term) == awaited);
        let is_listed = |awaited| !has(terms, awaited) || has(&head.listed, awaited);
        let is_listed = is_listed(true) && (!head.active || is_listed(false));
        let revision = self.revision(&head.id, head.revision).await?;
        let is_same = revision.is_some_and(|revision| revision.source == source.value);
        Ok((is_listed && is_same).then(|| head.clone()))
    }

    /// The head after a save, and all that is written with it.
    async fn revised(
        &self,
        (workflow, source, terms): (&Workflow, &Source, &BTreeSet<String>),
        before: Option<&Head>,
        by: &str,
    ) -> Result<(Head, Vec<Write>), SaveError> {
        let mut head = self.head_after(workflow, before, source);
        let revision = Revision {
            revision: head.revision,
            saved_by: by.to_owned(),
            saved_at: head.saved_at,
            source: source.value.clone(),
        };
        let mut listed = listeners::list(&*self.tables, before, &mut head, terms.clone()).await?;
        let plan = Plan::new(Arc::new(workflow.clone()), head.revision);
        listed.extend(self.schedules.list(before, &mut head, &plan).await?);
        listed.extend(Operations::of_dates(before, &mut head, &plan).as_ref().map(Operation::begin));
        let revision = Write::Put {
            table: workflow::TABLE,
            item: workflow::revision_item(&workflow.id, &revision),
            expect: Expect::Absent,
        };
        let writes = [head_write(&head, before), revision].into_iter().chain(listed).collect();
        Ok((head, writes))
    }

    /// The head after a save: `active` is as the file says, or as it was if the file says nothing.
    fn head_after(&self, workflow: &Workflow, before: Option<&Head>, source: &Source) -> Head {
        let said = source.value.get("active").and_then(Value::as_bool);
        let active = said.unwrap_or_else(|| before.is_some_and(|head| head.active));
        let saved_at = self.clock.now();
        Head {
            id: workflow.id.clone(),
            name: workflow.display_name().to_owned(),
            owner: workflow.owner.clone(),
            revision: before.map_or(0, |head| head.revision) + 1,
            version: before.map_or(0, |head| head.version) + 1,
            active,
            active_since: match before.filter(|head| head.active) {
                Some(head) => head.active_since,
                None => active.then_some(saved_at),
            },
            pinned: workflow.edits == Edits::Pinned,
            killed: before.and_then(|head| head.killed.clone()),
            suspended: before.and_then(|head| head.suspended.clone()),
            listed: before.map(|head| head.listed.clone()).unwrap_or_default(),
            schedules: before.map(|head| head.schedules.clone()).unwrap_or_default(),
            dates: before.and_then(|head| head.dates.clone()),
            saved_at,
        }
    }

    /// The head of a workflow.
    #[boxed]
    pub async fn head(&self, id: &str) -> Result<Option<Head>, Error> {
        self.catalog.head(id).await
    }

    /// The head of a workflow with its present revision made ready, which is read once and kept.
    #[boxed]
    pub async fn in_force(&self, id: &str) -> Result<Option<(Head, Arc<Plan>)>, Error> {
        let Some(head) = self.catalog.head(id).await? else { return Ok(None) };
        let plan = self.catalog.plan(id, head.revision).await?;
        Ok(Some((head, plan)))
    }

    /// A revision of a workflow made ready, or the one in force; `None` if there is none.
    #[boxed]
    pub async fn plan(&self, id: &str, revision: Option<u64>) -> Result<Option<Arc<Plan>>, Error> {
        let Some(revision) = revision else { return Ok(self.in_force(id).await?.map(|(_, plan)| plan)) };
        match self.catalog.plan(id, revision).await {
            Ok(plan) => Ok(Some(plan)),
            Err(Error::NoWorkflow(..)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One revision.
    #[boxed]
    pub async fn revision(&self, id: &str, revision: u64) -> Result<Option<Revision>, Error> {
        let item = self.tables.get(workflow::TABLE, &workflow::revision_key(id, revision), Consistency::Strong).await?;
        Ok(item.as_ref().map(workflow::parse_revision).transpose()?)
    }

    /// The revisions of a workflow, newest first.
    #[boxed]
    pub async fn revisions(&self, id: &str, limit: usize, after: Option<String>) -> Result<Listed<Revision>, Error> {
        let partition = workflow::head_key(id).partition;
        let range = SortRange::Prefix(workflow::REVISION_PREFIX.to_owned());
        let query = Query::of(workflow::TABLE, partition).range(range);
        let page = self.tables.query(&query.newest_first().limit(limit).after(after)).await?;
        let (items, unreadable) = self.catalog.unreadable().read(&page.items, workflow::parse_revision);
        Ok(Listed { items, next: page.next, unreadable })
    }

    /// The workflows by id.
    #[boxed]
    pub async fn list(&self, limit: usize, after: Option<String>) -> Result<Listed<Head>, Error> {
        let query = Query::of_index(workflow::TABLE, Index::Gsi1, workflow::ALL);
        let page = self.tables.query(&query.limit(limit).after(after)).await?;
        let (items, unreadable) = self.catalog.unreadable().read(&page.items, workflow::parse_head);
        Ok(Listed { items, next: page.next, unreadable })
    }

    /// Switches its triggers on or off; on also closes the breaker. Nothing is back-filled.
    #[boxed]
    pub async fn set_active(&self, id: &str, active: bool) -> Result<Head, SaveError> {
        let now = self.clock.now();
        let switch = |head: &mut Head| {
            if active && (!head.active || head.suspended.is_some()) {
                head.active_since = Some(now);
                head.suspended = None;
            }
            head.active = active;
        };
        self.change(id, switch, |_| Vec::new()).await
    }

    /// Closes its breaker, and leaves it active or inactive as it is. What was refused meanwhile is not back-filled.
    #[boxed]
    pub async fn close_breaker(&self, id: &str) -> Result<Head, SaveError> {
        let now = self.clock.now();
        let close = |head: &mut Head| {
            if head.suspended.take().is_some() && head.active {
                head.active_since = Some(now);
            }
        };
        self.change(id, close, |_| Vec::new()).await
    }

    /// Kills a workflow, or lifts its kill and wakes what is due. Who did it and why is kept.
    #[boxed]
    pub async fn set_killed(&self, id: &str, killed: bool, act: &Act) -> Result<Switched, SaveError> {
        let switch = |head: &mut Head| {
            if head.killed.is_some() != killed {
                head.killed = killed.then(|| act.clone());
            }
        };
        let entry = audit::Entry::of_kill(killed, Some(id), act);
        let now = self.clock.now();
        let lift = |head: &Head| (!killed).then(|| Operation::of_lift(Some(id), head.version, now));
        let beside = |head: &Head| {
            let audit = audit::write(&entry, head.version);
            std::iter::once(audit).chain(lift(head).as_ref().map(Operation::begin)).collect()
        };
        let head = self.change(id, switch, beside).await?;
        let Some(lift) = lift(&head) else { return Ok(Switched { head, operation: None }) };
        match self.operations.read(&lift.id).await? {
            // It stands beside the change.
            Some(operation) if operation.state == State::Running => self.operations.send_begun(&lift.id).await,
            // The kill was lifted before: what is due is looked for once more.
            _ => self.operations.begin(&lift).await?,
        }
        Ok(Switched { head, operation: Some(lift.id) })
    }

    /// What is listed anew, or no longer, if triggers are switched on or off.
    async fn switched(&self, before: &Head, after: &mut Head) -> Result<Vec<Write>, SaveError> {
        if before.active == after.active {
            return Ok(Vec::new());
        }
        let plan = self.catalog.plan(&after.id, after.revision).await?;
        let terms = if after.active { triggers::terms(&plan.workflow) } else { BTreeSet::new() };
        let mut writes = listeners::list(&*self.tables, Some(before), after, terms).await?;
        writes.extend(self.schedules.list(Some(before), after, &plan).await?);
        writes.extend(Operations::of_dates(Some(before), after, &plan).as_ref().map(Operation::begin));
        Ok(writes)
    }

    /// Changes a head, and writes something beside it if it changed.
    async fn change(
        &self,
        id: &str,
        change: impl Fn(&mut Head) + Send,
        beside: impl Fn(&Head) -> Vec<Write> + Send,
    ) -> Result<Head, SaveError> {
        loop {
            let Some(before) = self.catalog.head(id).await? else { return Err(SaveError::NotFound(id.to_owned())) };
            let mut head = before.clone();
            change(&mut head);
            if head == before {
                return Ok(head);
            }
            head.version += 1;
            let listed = self.switched(&before, &mut head).await?;
            let (scheduled, of_dates) = (scheduled(&listed), of_dates(&listed));
            let writes = [head_write(&head, Some(&before))].into_iter().chain(beside(&head)).chain(listed).collect();
            match self.tables.transact(Transaction { writes, durability: Durability::Durable }).await {
                Ok(()) => {
                    self.schedules.set_timers(&scheduled).await;
                    if let Some(operation) = &of_dates {
                        self.operations.send_begun(operation).await;
                    }
                    return Ok(head);
                }
                Err(error) if Error::from(error.clone()).is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// How often a save that lost a race on what others list is tried again.
const RACES: usize = 16;

/// The writes of schedules among others.
fn scheduled(writes: &[Write]) -> Vec<Write> {
    let is_schedule = |write: &&Write| matches!(write, Write::Put { item, .. } if items::schedule::names(&item.key.partition).is_some());
    writes.iter().filter(is_schedule).cloned().collect()
}

/// The operation that lets entries of dates follow, among what is written.
fn of_dates(writes: &[Write]) -> Option<String> {
    writes.iter().find_map(|write| match write {
        Write::Put { table: items::operation::TABLE, item, .. } => items::operation::parse(item)
            .ok()
            .filter(|operation| operation.kind == Kind::Dates)
            .map(|operation| operation.id),
        _ => None,
    })
}

fn version_of(version: u64) -> Expect {
    if version == 0 { Expect::Absent } else { Expect::Version(version) }
}

fn head_write(head: &Head, before: Option<&Head>) -> Write {
    let expect = before.map_or(Expect::Absent, |before| Expect::Version(before.version));
    Write::Put { table: workflow::TABLE, item: workflow::head_item(head), expect }
}
