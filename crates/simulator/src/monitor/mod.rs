//! Watches every commit, and checks what must hold of each.
//!
//! - [`activities`]: activities about records are made once and end once.
//! - [`ends`]: what the ends of executions are to start.
//! - [`controls`]: no control of a step is carried out twice.
//! - [`dates`]: entries of dates follow from their records.
//! - [`protocol`]: one commit a transition, history without gaps and twins, one reason to wake, obedience.
//! - [`limits`]: what an author's limits promise.
//! - [`loops`]: what loops promise.
//! - [`forks`]: what executions that begin again take over.
//! - [`erasure`]: what is forgotten loses its values and nothing else; what expires is gone.
//! - [`people`]: rounds of members are fair.
//! - [`published`]: an event that a step published tells what led to it.
//! - [`signals`]: no signal is taken twice.
//! - [`stepping`]: an execution that stops before each step carries out none that nobody let it.
//! - [`tree`]: what holds for an execution with all its parts.

mod actions;
mod activities;
mod controls;
mod dates;
mod ends;
mod erasure;
mod forks;
mod limits;
mod loops;
mod people;
mod protocol;
mod published;
mod schedules;
mod signals;
mod stepping;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use pawl_definition::StepKind;
use pawl_definition::{Delivery, Workflow};
use pawl_engine::{Address, Execution, Hold, Lease, Row, RowKind, StepStatus, Subject};
use pawl_runtime::items;
use pawl_runtime::ports::{Item, Table, Transaction, Write};

use super::hub::Who;

pub(super) use controls::carry_out;

/// What a commit breaks: the invariant and why.
pub(super) type Broken = (u8, String);

/// An effect that a task has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) address: Address,
    pub(super) lease: Lease,
    pub(super) step: String,
    pub(super) visit: u32,
    pub(super) at_most_once: bool,
}

/// What one task has read and claimed.
#[derive(Debug, Clone, Default)]
struct AtWork {
    /// Whether the last look at a workflow's world showed a kill.
    seen: BTreeMap<String, bool>,
    /// Heads of executions as it read them last.
    heads: BTreeMap<String, Execution>,
    claims: BTreeMap<String, Claimed>,
}

/// All that was committed, as the checks need it.
#[derive(Debug, Clone, Default)]
pub(super) struct Monitor {
    pub(super) heads: BTreeMap<String, Execution>,
    pub(super) rows: BTreeMap<String, Vec<Row>>,
    pub(super) refusals: BTreeSet<(String, String)>,
    /// The executions of which events are a part that were collected, by event and workflow.
    pub(super) debounced: BTreeMap<(String, String), String>,
    pub(super) workflows: BTreeMap<String, items::workflow::Head>,
    pub(super) installation_killed: bool,
    /// The breaker has suspended triggers at some time.
    pub(super) breaker_opened: bool,
    /// Effects whose result is in history, by (execution, address, visit).
    pub(super) recorded: BTreeSet<(String, Address, u32)>,
    /// Notices that were not handed on yet.
    pub(super) unsent: BTreeSet<String>,
    /// Operations that are not over.
    pub(super) operations: BTreeSet<String>,
    /// Records that were forgotten, and when.
    pub(super) forgotten: BTreeMap<Subject, Timestamp>,
    /// Executions that were there, and have expired.
    pub(super) expired: BTreeSet<String>,
    /// Signals that were accepted, and who has taken them.
    pub(super) signals: signals::Signals,
    /// Tracked actions, and what they did not do.
    pub(super) actions: actions::Actions,
    /// Controls that steps and tracked actions made.
    pub(super) controls: controls::Controls,
    /// Schedules as they are stored.
    pub(super) schedules: schedules::Schedules,
    /// Dates of records.
    pub(super) dates: dates::Dates,
    /// Activities about records.
    pub(super) activities: activities::Activities,
    /// What the ends of executions are to start.
    pub(super) ends: ends::Ends,
    /// Whom steps chose.
    people: people::People,
    /// Forks that have begun.
    pub(super) forks: u64,
    /// Executions with all their parts.
    trees: tree::Trees,
    /// When a transition or an edit was last committed.
    pub(super) last_change: Timestamp,
    /// There is one process, and it began at this time.
    pub(super) alone_since: Option<Timestamp>,
    /// When heads were last written.
    pub(super) written_at: BTreeMap<String, Timestamp>,
    /// When records that are not in the archive came, by being made or taken out of it.
    pub(super) records_since: BTreeMap<Subject, Timestamp>,
    /// When executions were to begin, by workflow.
    planned: BTreeMap<String, Vec<Timestamp>>,
    revisions: BTreeMap<(String, u64), Arc<Workflow>>,
    tasks: BTreeMap<u64, AtWork>,
}

/// What of a transaction the checks look at.
#[derive(Default)]
struct Seen {
    heads: Vec<Execution>,
    rows: BTreeMap<String, Vec<Row>>,
    /// Executions that records say they were changed by.
    causes: BTreeSet<String>,
}

impl Monitor {
    /// Looks at a transaction that has just committed.
    pub(super) fn observe(&mut self, who: Who, now: Timestamp, transaction: &Transaction) -> Vec<Broken> {
        self.expire(now);
        if let Some(broken) = self.scrub(transaction) {
            return broken;
        }
        let mut seen = Seen::default();
        self.trees.look(transaction);
        for write in &transaction.writes {
            if let Write::Put { table, item, .. } = write {
                self.record(*table, item, now);
                // A limit that was raised is found by those in line when they ask again.
                if *table == Table::Workflows {
                    self.last_change = now;
                }
                if signals::is_signal(*table, item) {
                    self.signals.look(item);
                }
                self.look(*table, item, &mut seen);
            }
        }
        let mut broken = Vec::new();
        self.look_at_firings(now, transaction, &mut broken);
        self.activities.look(transaction, &seen.heads, &mut broken);
        published::look(transaction, &seen.heads, &mut broken);
        let is_new_fork = |head: &&Execution| head.fork.is_some() && !self.heads.contains_key(&head.id);
        if let Some(fork) = seen.heads.iter().find(is_new_fork).filter(|_| seen.heads.len() > 1) {
            broken.push((4, format!("{}: the head of another execution is written with a fork", fork.id)));
        }
        published::explain(transaction, &seen.heads, &seen.causes, &mut broken);
        for (id, mut rows) in std::mem::take(&mut seen.rows) {
            rows.sort_by_key(|row| row.seq);
            // A head carries rows that were committed before.
            let known = self.rows.get(&id).map_or(&[][..], Vec::as_slice);
            let old = rows.partition_point(|row| known.last().is_some_and(|last| row.seq <= last.seq));
            let new = rows.split_off(old);
            if !known.ends_with(&rows) {
                broken.push((1, format!("rows of {id} are written again, and differ from those that were committed")));
            }
            match seen.heads.iter().position(|head| head.id == id) {
                Some(at) => {
                    let head = seen.heads.remove(at);
                    broken.extend(self.head(who, now, &head, &new));
                }
                None => broken.push((1, format!("a history row of {id} is written without its head"))),
            }
        }
        for head in &seen.heads {
            broken.extend(self.head(who, now, head, &[]));
        }
        broken
    }

    /// A record is written: it is there since then, unless it is in the archive.
    fn record(&mut self, table: Table, item: &Item, now: Timestamp) {
        if table != Table::Records {
            return;
        }
        let Ok(record) = items::record::parse(item) else { return };
        if record.is_archived() {
            self.records_since.remove(&record.subject());
        } else {
            self.records_since.entry(record.subject()).or_insert(now);
        }
        self.dates.record(&record);
    }

    fn look_at_firings(&mut self, now: Timestamp, transaction: &Transaction, broken: &mut Vec<Broken>) {
        for write in &transaction.writes {
            match write {
                Write::Put { item, .. } if items::schedule::names(&item.key.partition).is_some() => {
                    self.schedule(now, item, broken);
                }
                Write::Put { item, .. } if item.key.partition.starts_with("dates#") => self.date(item, broken),
                Write::Delete { key, .. } => {
                    self.schedules.gone(&key.partition);
                    self.dates.gone(key);
                }
                _ => {}
            }
        }
    }

    fn look(&mut self, table: Table, item: &Item, seen: &mut Seen) {
        let (partition, sort) = (item.key.partition.as_str(), item.key.sort.as_str());
        match (table, partition.split_once('#').map_or(partition, |(kind, _)| kind), sort) {
            (Table::Executions, "execution", "head") => self.outcome(item, seen),
            (Table::Executions, "execution", sort) if sort.starts_with(items::history::PREFIX) => {
                let id = partition.trim_start_matches("execution#").to_owned();
                seen.rows.entry(id).or_default().extend(items::history::parse(item).expect("rows have their shape"));
            }
            (Table::Records, "record", _) => {
                let record = items::record::parse(item).expect("a record has its shape");
                self.forgotten.extend(record.forgotten.map(|at| (record.subject(), at)));
                let cause = record.cause.and_then(|cause| cause.chain.last().cloned());
                seen.causes.extend(
                    cause.filter(|_| record.version > 1 || record.id.starts_with("rec_")).map(|link| link.execution),
                );
            }
            (Table::Executions, "notices", _) if item.indexes.is_empty() => {
                self.unsent.remove(sort);
            }
            (Table::Executions, "notices", _) => {
                self.unsent.insert(sort.to_owned());
            }
            (Table::Executions, "operation", "operation") => {
                let operation = items::operation::parse(item).expect("an operation has its shape");
                self.actions.look(&operation);
                match operation.state {
                    items::operation::State::Running => self.operations.insert(operation.id),
                    _ => self.operations.remove(&operation.id),
                };
            }
            (Table::Executions, "operation", other) if other.starts_with(items::operation_result::PREFIX) => {
                self.actions.result(item);
            }
            (Table::Workflows, "workflow", "head") => {
                let head = items::workflow::parse_head(item).expect("a workflow's head has its shape");
                self.breaker_opened |= head.suspended.is_some();
                self.workflows.insert(head.id.clone(), head);
            }
            (Table::Workflows, "workflow", _) => self.revision(item),
            (Table::Workflows, "installation", _) => {
                let installation = items::installation::parse(item).expect("the controls have their shape");
                self.installation_killed = installation.killed.is_some();
            }
            _ => {}
        }
    }

    /// What an event came to: an execution, or a refusal, which goes when the event starts something after all.
    fn outcome(&mut self, item: &Item, seen: &mut Seen) {
        if let Some((head, rows)) = items::execution::parse_whole(item).expect("a head has its shape") {
            self.refusals.remove(&(head.event_id.clone(), head.workflow.clone()));
            seen.rows.entry(head.id.clone()).or_default().extend(rows);
            seen.heads.push(head);
        } else if let Some(refusal) = items::refusal::parse(item).expect("a refusal has its shape") {
            if let Some(collected) = refusal.collected {
                self.debounced.insert((refusal.event_id.clone(), refusal.workflow.clone()), collected.execution);
            }
            self.refusals.insert((refusal.event_id, refusal.workflow));
        }
    }

    fn revision(&mut self, item: &Item) {
        let revision = items::workflow::parse_revision(item).expect("a revision has its shape");
        let workflow: Workflow = serde_json::from_value(revision.source).expect("only checked workflows are saved");
        self.revisions.insert((workflow.id.clone(), revision.revision), Arc::new(workflow));
    }

    /// One revision of a workflow.
    pub(super) fn definition(&self, workflow: &str, revision: u64) -> Arc<Workflow> {
        self.revisions.get(&(workflow.to_owned(), revision)).expect("an execution uses a saved revision").clone()
    }

    /// All revisions of a workflow.
    pub(super) fn definitions(&self, workflow: &str) -> impl Iterator<Item = &Workflow> {
        let revisions = (workflow.to_owned(), 0)..=(workflow.to_owned(), u64::MAX);
        self.revisions.range(revisions).map(|(_, revision)| &**revision)
    }

    fn head(&mut self, who: Who, now: Timestamp, after: &Execution, rows: &[Row]) -> Vec<Broken> {
        let before = self.heads.get(&after.id).cloned();
        let task = self.tasks.entry(who.task).or_default();
        let is_own = |claim: &Claimed| before.as_ref()?.leases.at(&claim.address).map(|lease| *lease == claim.lease);
        let own = task.claims.get(&after.id).and_then(is_own).unwrap_or(false);
        let killed = task.seen.remove(&after.workflow);
        let alone_since = self.alone_since;
        let relatives = std::mem::take(&mut task.heads);
        let commit = protocol::Commit {
            before: before.as_ref(),
            after,
            rows,
            own,
            killed,
            relatives: &relatives,
            now,
            alone_since,
        };
        if !rows.is_empty() {
            self.last_change = now;
        }
        let mut why = Vec::new();
        protocol::check(&commit, &mut why);
        limits::check(self, &commit, &mut why);
        loops::check(self, before.as_ref(), after, rows, &mut why);
        self.signals.rows(after, rows, &mut why);
        self.people.rows(after, rows, &mut why);
        self.activities.told(rows, &mut why);
        self.controls.rows(after, rows, &mut why);
        tree::check(self, after, rows, &mut why);
        forks::check(self, after, rows, &mut why);
        stepping::check(self, before.as_ref(), after, rows, &mut why);
        if before.is_none() {
            self.forks += u64::from(after.fork.is_some());
            only_child(self, after, &mut why);
        }
        self.ends(now, before.as_ref(), after, &mut why);
        self.tasks.entry(who.task).or_default().heads = relatives;
        self.keep(who, after, rows);
        self.written_at.insert(after.id.clone(), now);
        why.into_iter().map(|(number, text)| (number, format!("{}: {text}", after.id))).collect()
    }

    fn keep(&mut self, who: Who, after: &Execution, rows: &[Row]) {
        for row in rows {
            // A row of a step that runs on is one of a call that has ended.
            let ended = matches!(row.status, Some(StepStatus::Completed | StepStatus::Failed | StepStatus::Running));
            let outside = row.step_type.as_deref().is_some_and(|tag| StepKind::facts_of(tag).outside.is_some());
            if let (true, true, Some(step), Some(visit)) = (ended, outside, &row.step, row.visit) {
                let address = row.address.clone().unwrap_or_else(|| Address::of(step));
                self.recorded.insert((after.id.clone(), address, visit));
            }
        }
        self.rows.entry(after.id.clone()).or_default().extend_from_slice(rows);
        let before = self.heads.get(&after.id);
        // One that is written with an earlier end is that of a process that died: another execution's step may control it.
        let is_same = |before: &Lease, lease: &Lease| {
            before.owner == lease.owner && before.attempt == lease.attempt && lease.until <= before.until
        };
        let is_new = |(address, lease): &(&Address, &Lease)| {
            let before = before.filter(|before| visit(before) == visit(after));
            before.and_then(|before| before.leases.at(address)).is_none_or(|before| !is_same(before, lease))
        };
        let claim = after.leases.iter().find(is_new).and_then(|(address, lease)| self.claim(after, address, lease));
        let task = self.tasks.entry(who.task).or_default();
        if let Some(claim) = claim {
            task.claims.insert(after.id.clone(), claim);
        }
        if self.heads.insert(after.id.clone(), after.clone()).is_none() && passes_guards(after) {
            self.planned.entry(after.workflow.clone()).or_default().push(limits::planned(after));
        }
    }

    fn claim(&self, head: &Execution, address: &Address, lease: &Lease) -> Option<Claimed> {
        let (step, visit) = visit(head)?;
        let step = step.to_owned();
        let definition = self.definition(&head.workflow, head.revision);
        let at_most_once = definition.step(&step).is_some_and(|step| step.delivery == Delivery::AtMostOnce);
        Some(Claimed { address: address.clone(), lease: lease.clone(), step, visit, at_most_once })
    }

    /// A task has read the world of a workflow.
    pub(super) fn looked(&mut self, who: Who, workflow: &str, killed: bool) {
        self.tasks.entry(who.task).or_default().seen.insert(workflow.to_owned(), killed);
    }

    /// A task has read the heads of those who wait for an execution, together with its world.
    pub(super) fn read(&mut self, who: Who, heads: impl Iterator<Item = Execution>) {
        let known = &mut self.tasks.entry(who.task).or_default().heads;
        known.extend(heads.map(|head| (head.id.clone(), head)));
    }

    /// The effect that a task is about to perform: the only one that it has claimed and that is not committed.
    pub(super) fn claimed(&self, who: Who) -> Option<(String, Claimed)> {
        let claims = &self.tasks.get(&who.task)?.claims;
        claims.iter().next_back().map(|(id, claim)| (id.clone(), claim.clone()))
    }

    /// A task ended or died.
    pub(super) fn forget_task(&mut self, task: u64) {
        self.tasks.remove(&task);
    }

    /// All tasks died.
    pub(super) fn forget_tasks(&mut self) {
        self.tasks.clear();
    }

    /// Whether somebody holds all executions of a workflow.
    pub(super) fn is_killed(&self, workflow: &str) -> bool {
        self.installation_killed || self.workflows.get(workflow).is_some_and(|head| head.killed.is_some())
    }

    /// Whether an execution goes on by nobody but a person: it is killed or stalled, or one that waits for it is held.
    pub(super) fn is_held(&self, head: &Execution) -> bool {
        let by_parent = matches!(Hold::of(head, &self.heads), Hold::Held(_));
        head.killed.is_some() || head.stalled || self.is_killed(&head.workflow) || by_parent
    }

    /// Whether an execution has begun, and may have expired since.
    pub(super) fn has_begun(&self, id: &str) -> bool {
        self.heads.contains_key(id) || self.expired.contains(id)
    }

    /// Executions that have not ended, in the order of their ids.
    pub(super) fn open(&self) -> impl Iterator<Item = &Execution> {
        self.heads.values().filter(|head| !head.status.is_ended())
    }
}

/// The step at which an execution stands, and the number of its visit.
fn visit(head: &Execution) -> Option<(&str, u32)> {
    let step = head.cursor.as_deref()?;
    Some((step, head.steps.get(step)?.visit))
}

/// Of one visit of a step only one child has a number.
fn only_child(monitor: &Monitor, child: &Execution, broken: &mut Vec<Broken>) {
    let Some(parent) = &child.parent else { return };
    let is_twin = |other: &&Execution| {
        other.parent.as_ref().is_some_and(|of| (&of.by, of.index) == (&parent.by, parent.index)) && other.id != child.id
    };
    if let Some(twin) = monitor.heads.values().find(is_twin) {
        broken.push((4, format!("is the same child of {} as {}", parent.by.execution, twin.id)));
    }
}

/// Whether guards of starts let an execution pass, and count it: a part of an execution and a fork pass none.
pub(super) fn passes_guards(head: &Execution) -> bool {
    head.region.is_none() && head.fork.is_none()
}

/// Whether two executions count for each other at `limits.concurrency`.
pub(super) fn same_slots(one: &Execution, other: &Execution) -> bool {
    one.workflow == other.workflow && one.slot_key == other.slot_key
}

/// Whether a row is the act of a person or system.
pub(super) fn is_control(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.kind == RowKind::Control)
}
