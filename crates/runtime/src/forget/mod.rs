//! Forgets a record: takes a person's values out of it, and out of the executions that read it.
//!
//! It goes in stages, each a page at a time. A call ends after a few seconds and says where it stands; the caller calls
//! again from there. Each piece may be repeated, so a call that was cut off is repeated, or all begins anew.
//!
//! - [`Stage::Look`]: no execution on the record may be open. Then one transaction leaves a tombstone in the record's place
//!   and the entry in the audit, and no event starts anything on it any more.
//! - [`Stage::Changes`]: its history.
//! - [`Stage::Own`]: the executions on the record, by their index.
//! - [`Stage::Others`]: executions on other records, which show it in their rows. No index has them, so those of workflows
//!   that can reach the record are looked through.

pub(crate) mod family;
mod scrub;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_definition::HOPS_MOST;
use pawl_engine::{Act, Control, Execution, Plan, Record, RecordWrite, Row, Subject, forget};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::items::audit;
use crate::ports::{Blobs, Clock, Consistency, Durability, Tables, Transaction};
use crate::{
    Catalog, ControlError, Dates, Error, Filter, History, ListScope, Listed, Objects, RecordActivities, Transitions,
    Workflows, items,
};
use scrub::{Scrubbed, scrub};

/// Executions that are looked at before the time is.
const PAGE: usize = 10;

/// Pages of one call.
const PAGES: usize = 50;

/// Time of one call: far below that of a function.
const CALL: SignedDuration = SignedDuration::from_secs(10);

/// Rows that are read at once.
const ROWS: usize = 100;

/// How often a write that lost a race is tried again.
const RACES: usize = 8;

/// Forgets records.
pub struct Forgetting {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) history: Arc<History>,
    pub(crate) workflows: Arc<Workflows>,
    pub(crate) transitions: Arc<Transitions>,
    pub(crate) dates: Arc<Dates>,
    pub(crate) activities: Arc<RecordActivities>,
}

/// What is to be forgotten, and by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Forget {
    /// The record.
    pub record: Subject,
    /// Open executions on it are canceled first.
    pub cancel: bool,
    /// Executions of all workflows are looked through, and not only of those that can reach the record by their present
    /// revision.
    pub everywhere: bool,
    /// Who asks, and why.
    pub act: Act,
}

/// Where it stands; the cursors are those of listings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Looks for open executions on the record.
    Look(Option<String>),
    /// The history of the record.
    Changes,
    /// Executions on the record.
    Own(Option<String>),
    /// Executions on other records.
    Others {
        /// Before this workflow.
        workflow: Option<String>,
        /// Among its executions.
        execution: Option<String>,
    },
}

/// What one call did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Where to go on; none if all is done.
    pub next: Option<Stage>,
    /// Executions whose values it took away, or found without.
    pub executions: usize,
    /// Executions on the record whose cancellation waits for the step in progress.
    pub canceling: Vec<String>,
    /// Open executions that keep the values that they read, until it is asked again after their end.
    pub open: BTreeSet<String>,
    /// Items that cannot be read, and may hold values: an operator restores them, and asks again.
    pub unreadable: BTreeSet<String>,
}

impl Forgotten {
    fn unread<T>(&mut self, page: &Listed<T>) {
        self.unreadable.extend(page.unreadable.iter().map(|unreadable| unreadable.key.clone()));
    }
}

/// Why a record is not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// There is no such record.
    #[error("there is no record {0}")]
    NotFound(Subject),
    /// Executions on it are open.
    #[error("executions on the record are open: {}", .0.join(", "))]
    Open(Vec<String>),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<crate::ports::TableError> for ForgetError {
    fn from(error: crate::ports::TableError) -> Self {
        Self::Failed(error.into())
    }
}

impl Forgetting {
    /// Goes on from a stage, or begins, for some seconds.
    #[boxed]
    pub async fn forget(&self, order: &Forget, stage: Option<Stage>) -> Result<Forgotten, ForgetError> {
        let until = self.clock.now() + CALL;
        let mut done = Forgotten { next: Some(stage.unwrap_or(Stage::Look(None))), ..Forgotten::default() };
        for _ in 0..PAGES {
            let Some(stage) = done.next.take() else { break };
            done.next = self.advance(order, stage, &mut done).await?;
            if self.clock.now() >= until || !done.canceling.is_empty() {
                break;
            }
        }
        Ok(done)
    }

    async fn advance(&self, order: &Forget, stage: Stage, done: &mut Forgotten) -> Result<Option<Stage>, ForgetError> {
        let record = self.record(&order.record).await?;
        match (stage, record.forgotten) {
            (Stage::Look(after), None) => self.look(order, record, after, done).await.map(Some),
            // It was begun before.
            (Stage::Look(_), Some(_)) => Ok(Some(Stage::Changes)),
            (Stage::Changes, Some(_)) => {
                let has_more = crate::records::forget_some(&*self.tables, &order.record).await?;
                Ok(Some(if has_more { Stage::Changes } else { Stage::Own(None) }))
            }
            (Stage::Own(after), Some(at)) => {
                // No entry and no activity comes after the tombstone.
                if after.is_none() {
                    self.dates.forget(&order.record).await?;
                    self.activities.forget(&order.record).await?;
                }
                self.own(order, at, after, done).await.map(Some)
            }
            (Stage::Others { workflow, execution }, Some(at)) => {
                self.others(order, at, (workflow, execution), done).await
            }
            // A cursor of a record that was restored since.
            (_, None) => Ok(Some(Stage::Look(None))),
        }
    }

    async fn record(&self, subject: &Subject) -> Result<Record, ForgetError> {
        if !pawl_engine::fields::is_key(&subject.id) {
            return Err(ForgetError::NotFound(subject.clone()));
        }
        let key = items::record::key(subject);
        let item = self.tables.get(items::record::TABLE, &key, Consistency::Strong).await?;
        let item = item.ok_or_else(|| ForgetError::NotFound(subject.clone()))?;
        Ok(items::record::parse(&item).map_err(Error::from)?)
    }

    async fn on_record(&self, order: &Forget, after: Option<String>) -> Result<Listed<Execution>, ForgetError> {
        let scope = ListScope::Record(order.record.clone());
        Ok(self.history.executions(&scope, &Filter::default(), PAGE, after).await?)
    }

    /// Looks at a page of executions on the record. After the last one, the record is closed.
    async fn look(
        &self,
        order: &Forget,
        record: Record,
        after: Option<String>,
        done: &mut Forgotten,
    ) -> Result<Stage, ForgetError> {
        let page = self.on_record(order, after.clone()).await?;
        let is_open = |execution: &&Execution| !execution.status.is_ended();
        let open: Vec<_> = page.items.iter().filter(is_open).map(|execution| execution.id.clone()).collect();
        if !open.is_empty() && !order.cancel {
            return Err(ForgetError::Open(open));
        }
        for id in open {
            if !self.is_canceled(&id, &order.act).await? {
                done.canceling.push(id);
            }
        }
        if !done.canceling.is_empty() {
            return Ok(Stage::Look(after));
        }
        if page.next.is_some() {
            return Ok(Stage::Look(page.next));
        }
        self.close(order, record).await?;
        Ok(Stage::Changes)
    }

    /// Cancels an execution; whether it has ended.
    async fn is_canceled(&self, id: &str, act: &Act) -> Result<bool, ForgetError> {
        match self.transitions.control(id, &Control::Cancel, act).await {
            Ok(execution) => Ok(execution.status.is_ended()),
            // It has ended meanwhile, or is gone.
            Err(ControlError::Refused(_) | ControlError::NotFound(_)) => Ok(true),
            Err(ControlError::Failed(error)) => Err(error.into()),
        }
    }

    /// Leaves a tombstone in the place of the record, without the rows by which it was found.
    async fn close(&self, order: &Forget, mut record: Record) -> Result<(), ForgetError> {
        for _ in 0..RACES {
            let mut after = record.clone();
            after.version += 1;
            after.forget(self.clock.now());
            let objects = self.objects().await?;
            objects.require(&after.object).map_err(Error::from)?;
            let object = objects.get(&after.object).cloned();
            let version = after.version;
            let change = RecordWrite { before: Some(record), after };
            let mut writes = items::record::forget(&change, object.as_ref());
            writes.push(audit::write_forget(&order.record, version, &order.act));
            let closed = self.tables.transact(Transaction { writes, durability: Durability::Durable }).await;
            match closed.map_err(Error::from) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_conflict() || error.is_unknown() => {}
                Err(error) => return Err(error.into()),
            }
            record = self.record(&order.record).await?;
            if record.forgotten.is_some() {
                return Ok(());
            }
        }
        Err(Error::Contended(order.record.to_string()).into())
    }

    async fn objects(&self) -> Result<Arc<Objects>, Error> {
        let installation = self.catalog.read_installation().await?;
        self.catalog.objects(installation.objects_revision).await
    }

    async fn own(
        &self,
        order: &Forget,
        at: Timestamp,
        after: Option<String>,
        done: &mut Forgotten,
    ) -> Result<Stage, ForgetError> {
        let page = self.on_record(order, after).await?;
        done.unread(&page);
        for execution in &page.items {
            self.scrub(&execution.id, at, done).await?;
        }
        Ok(match page.next {
            next @ Some(_) => Stage::Own(next),
            None => Stage::Others { workflow: None, execution: None },
        })
    }

    /// Scrubs an execution with those that have values of it: the parts of it, and the whole that it is a part of. A part keeps
    /// its values as long as the whole is open, which still takes what the part came to.
    async fn scrub(&self, id: &str, at: Timestamp, done: &mut Forgotten) -> Result<(), ForgetError> {
        let family = match family::of(&self.history, id).await {
            Ok(family) => family,
            Err(Error::Unreadable(unreadable)) => {
                done.unreadable.insert(unreadable.key);
                // Whether the whole of a part is open cannot be told.
                let head = self.history.execution(id).await.ok().flatten();
                let is_part = head.is_some_and(|head| head.region.is_some());
                return if is_part { Ok(()) } else { self.scrub_one(id, at, done).await };
            }
            Err(error) => return Err(error.into()),
        };
        for id in &family.members {
            if family.is_open(id) {
                // It may have ended meanwhile. But its parts were left as they are for it, and its whole may lack what it came to.
                done.open.insert(id.clone());
            } else if !family.needs(id) {
                self.scrub_one(id, at, done).await?;
            }
        }
        Ok(())
    }

    async fn scrub_one(&self, id: &str, at: Timestamp, done: &mut Forgotten) -> Result<(), ForgetError> {
        match scrub(&*self.tables, &*self.blobs, id, at).await {
            Ok(Scrubbed::Done) => done.executions += 1,
            Ok(Scrubbed::Open) => drop(done.open.insert(id.to_owned())),
            Ok(Scrubbed::Gone) => {}
            Err(Error::Unreadable(unreadable)) => drop(done.unreadable.insert(unreadable.key)),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Looks through a page of executions of one workflow.
    async fn others(
        &self,
        order: &Forget,
        at: Timestamp,
        (workflow, execution): (Option<String>, Option<String>),
        done: &mut Forgotten,
    ) -> Result<Option<Stage>, ForgetError> {
        let heads = self.workflows.list(1, workflow.clone()).await?;
        let mut next = None;
        if let Some(head) = heads.items.first() {
            let plan = self.catalog.plan(&head.id, head.revision).await?;
            if order.everywhere || can_reach(&plan, &*self.objects().await?, &order.record.object) {
                let scope = ListScope::Workflow(head.id.clone());
                let page = self.history.executions(&scope, &Filter::default(), PAGE, execution).await?;
                done.unread(&page);
                for other in &page.items {
                    let is_other = other.forgotten.is_none() && other.record.as_ref() != Some(&order.record);
                    if is_other && self.has_read(other, &order.record, done).await? {
                        self.scrub(&other.id, at, done).await?;
                    }
                }
                next = page.next;
            }
        }
        if next.is_some() {
            return Ok(Some(Stage::Others { workflow, execution: next }));
        }
        if heads.next.is_some() {
            return Ok(Some(Stage::Others { workflow: heads.next, execution: None }));
        }
        // One may have begun in the moment in which the record was closed.
        for late in self.on_record(order, None).await?.items.iter().filter(|late| late.forgotten.is_none()) {
            self.scrub(&late.id, at, done).await?;
        }
        Ok(None)
    }

    /// Whether the event or a row of an execution shows the record, or what a call in progress was decided on. Those that lost
    /// their values before the head show nothing: a call was cut off between them, and the execution had read it.
    async fn has_read(
        &self,
        execution: &Execution,
        record: &Subject,
        done: &mut Forgotten,
    ) -> Result<bool, ForgetError> {
        if forget::shows(&execution.since, record) {
            return Ok(true);
        }
        let event = match self.history.event(&execution.id).await {
            Err(Error::Unreadable(unreadable)) => {
                done.unreadable.insert(unreadable.key);
                return Ok(false);
            }
            event => event?,
        };
        if let Some(event) = event {
            let is_cut_off = !event.data.is_empty() && event.data.values().all(forget::is_forgotten);
            let took_over = event.fork.as_ref().is_some_and(|start| forget::shows(&start.read, record));
            if is_cut_off
                || took_over
                || event.subject.as_ref() == Some(record)
                || forget::shows(&json!(event.data), record)
            {
                return Ok(true);
            }
        }
        let mut after = None;
        loop {
            let page = self.history.rows(&execution.id, ROWS, after).await?;
            done.unread(&page);
            let shows = |row: &Row| {
                let parts = [&row.observed, &row.output, &row.input];
                forget::is_forgotten(&row.observed) || parts.into_iter().any(|part| forget::shows(part, record))
            };
            if page.items.iter().any(shows) {
                return Ok(true);
            }
            after = page.next;
            if after.is_none() {
                return Ok(false);
            }
        }
    }
}

/// Whether a workflow can read records of an object beside its own: by a relationship, by a step, or by what its triggers bring.
fn can_reach(plan: &Plan, objects: &Objects, object: &str) -> bool {
    let own = plan.workflow.object.as_deref();
    let related = own.is_some_and(|own| leads_to(objects, own, object, HOPS_MOST));
    let brings_results = plan.workflow.triggers.iter().any(|trigger| trigger.kind.facts().brings_results);
    brings_results
        || plan.looks_up.contains(object)
        || plan.looks_up.contains("")
        || related
        || plan.workflow.all_steps().into_iter().any(|step| step.kind.shape().reads_records_of(object))
}

/// Whether a chain of at most so many relationships leads from one object to another.
fn leads_to(objects: &Objects, from: &str, to: &str, hops: usize) -> bool {
    let next = objects.get(from).into_iter().flat_map(|object| object.relationships.values());
    hops > 0 && next.into_iter().any(|next| next.object == to || leads_to(objects, &next.object, to, hops - 1))
}
