//! What the newest executions of a workflow came to, by trigger, step and branch.
//!
//! Nothing counts these while executions run: a counter for each step would be a write for each step, of an item that many
//! executions share. So they are counted from the rows of the newest executions when somebody asks, within bounds of time and
//! work, and the answer says how many executions it covers, and since when.

use std::collections::BTreeMap;

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, Row, RowKind, StepStatus};

use crate::items::refusal::Refusal;
use crate::ports::{Consistency, Index, Query};
use crate::{Error, History, items};

/// Executions that one read asks for.
const PAGE: usize = 100;

/// Rows that one read asks for.
const ROWS_PAGE: usize = 500;

/// Rows that are counted at most.
const ROWS_MOST: usize = 50_000;

/// Refusals that are counted at most.
const REFUSALS_MOST: usize = 2_000;

/// A count that took so long ends with what it has.
const LONGEST: SignedDuration = SignedDuration::from_secs(2);

/// What the newest executions of a workflow came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Executions that were counted, without parts of others.
    pub executions: u64,
    /// Lanes and items of loops among what was counted, which are executions of their own.
    pub parts: u64,
    /// Creation of the oldest of them.
    pub since: Option<Timestamp>,
    /// There are older ones, or rows of the oldest, that were not counted.
    pub has_older: bool,
    /// Creation of the oldest refusal that was counted, if older ones since `since` were not.
    pub refusals_since: Option<Timestamp>,
    /// By trigger; starts by hand and by steps have the word of their event.
    pub triggers: BTreeMap<String, TriggerCounts>,
    /// By step.
    pub steps: BTreeMap<String, StepCounts>,
    /// Items that cannot be read.
    pub unreadable: u64,
}

/// What a trigger did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TriggerCounts {
    /// Executions that it started.
    pub started: u64,
    /// Starts that were refused and deliveries that were rejected, by code.
    pub refused: BTreeMap<String, u64>,
}

/// What visits of a step came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepCounts {
    /// Its type, as of the newest execution.
    pub step_type: Option<String>,
    /// Visits that are over, by the state in which they ended.
    pub visits: BTreeMap<&'static str, u64>,
    /// Attempts that were followed by another one.
    pub retried: u64,
    /// Visits that took a branch, by branch.
    pub branches: BTreeMap<String, u64>,
}

impl Counters {
    /// Counts an execution that is read.
    fn add(&mut self, execution: &Execution) {
        if execution.region.is_some() {
            self.parts += 1;
        } else {
            self.executions += 1;
        }
        self.since = Some(execution.created_at);
    }

    fn add_row(&mut self, row: &Row) {
        if row.kind == RowKind::Created {
            if let Some(trigger) = &row.trigger {
                self.triggers.entry(trigger.clone()).or_default().started += 1;
            }
            return;
        }
        let (Some(step), Some(status)) = (&row.step, row.status) else { return };
        if status != StepStatus::Retrying && !status.has_ended() {
            return;
        }
        let counts = self.steps.entry(step.clone()).or_default();
        if counts.step_type.is_none() {
            counts.step_type.clone_from(&row.step_type);
        }
        if status == StepStatus::Retrying {
            counts.retried += 1;
            return;
        }
        *counts.visits.entry(status.as_str()).or_default() += 1;
        if let Some(branch) = &row.branch {
            *counts.branches.entry(branch.clone()).or_default() += 1;
        }
    }

    fn add_refusal(&mut self, refusal: &Refusal) {
        // What was collected with others is a part of a start.
        if refusal.collected.is_none() {
            let trigger = refusal.trigger.clone().unwrap_or_default();
            let counts = self.triggers.entry(trigger).or_default();
            *counts.refused.entry(refusal.code.clone()).or_default() += refusal.count;
        }
    }
}

/// The bounds of one count.
struct Budget<'a> {
    now: &'a (dyn Fn() -> Timestamp + Sync),
    until: Timestamp,
    rows: usize,
}

impl Budget<'_> {
    fn is_used_up(&self) -> bool {
        self.rows == 0 || (self.now)() >= self.until
    }
}

impl History {
    /// Counts what the newest executions of a workflow came to: as many as are asked for, as time and work allow. Starts that
    /// were refused are counted since the oldest of them.
    #[boxed]
    pub async fn counters(
        &self,
        workflow: &str,
        most: usize,
        now: &(dyn Fn() -> Timestamp + Sync),
    ) -> Result<Counters, Error> {
        let until = now().saturating_add(LONGEST).unwrap_or(Timestamp::MAX);
        let mut budget = Budget { now, until, rows: ROWS_MOST };
        let mut counters = Counters::default();
        let query = Query::of_index(items::execution::TABLE, Index::Gsi1, items::execution::of_workflow(workflow));
        let mut query = query.newest_first();
        let (mut left, mut has_begun) = (most, false);
        loop {
            query.limit = left.min(PAGE);
            let page = self.tables.query(&query).await?;
            let (read, unread) = self.unreadable.read(&page.items, items::execution::parse_whole);
            counters.unreadable += u64::try_from(unread.len()).unwrap_or(u64::MAX);
            for (execution, rows) in read.into_iter().flatten() {
                // One at least is counted, so that the answer says something.
                if has_begun && budget.is_used_up() {
                    counters.has_older = true;
                    return self.with_refusals(workflow, counters, &budget).await;
                }
                has_begun = true;
                counters.add(&execution);
                if !self.count_rows(&execution, &rows, &mut counters, &mut budget).await? {
                    counters.has_older = true;
                    return self.with_refusals(workflow, counters, &budget).await;
                }
            }
            left = left.saturating_sub(page.items.len());
            query.after = page.next;
            if query.after.is_none() || left == 0 {
                counters.has_older = query.after.is_some();
                return self.with_refusals(workflow, counters, &budget).await;
            }
        }
    }

    /// Counts the rows of an execution: those that moved out of its head, then those in it. `false` if time or work did not
    /// suffice for all.
    async fn count_rows(
        &self,
        execution: &Execution,
        newest: &[Row],
        counters: &mut Counters,
        budget: &mut Budget<'_>,
    ) -> Result<bool, Error> {
        let mut from = 0;
        let first_in_head = newest.first().map_or(execution.seq + 1, |row| row.seq);
        let mut is_whole = true;
        while from < first_in_head {
            if budget.is_used_up() {
                is_whole = false;
                break;
            }
            let found = self.stored_rows(&execution.id, from, ROWS_PAGE, Consistency::Eventual).await?;
            counters.unreadable += u64::try_from(found.unreadable.len()).unwrap_or(u64::MAX);
            let rows: Vec<_> = found.rows.iter().filter(|row| row.seq < first_in_head).collect();
            for row in &rows {
                counters.add_row(row);
            }
            budget.rows = budget.rows.saturating_sub(rows.len());
            let last = rows.last().map(|row| row.seq).max(found.last_unreadable);
            match last {
                Some(last) if last >= from => from = last + 1,
                _ => break,
            }
        }
        for row in newest {
            counters.add_row(row);
        }
        budget.rows = budget.rows.saturating_sub(newest.len());
        Ok(is_whole)
    }

    /// The same with the starts that were refused since the oldest execution that was counted.
    async fn with_refusals(
        &self,
        workflow: &str,
        mut counters: Counters,
        budget: &Budget<'_>,
    ) -> Result<Counters, Error> {
        let since = counters.since.filter(|_| counters.has_older);
        let (mut after, mut count) = (None, 0);
        loop {
            let page = self.refusals(workflow, PAGE, after).await?;
            counters.unreadable += u64::try_from(page.unreadable.len()).unwrap_or(u64::MAX);
            let mut last = None;
            for refusal in &page.items {
                if since.is_some_and(|since| refusal.at < since) {
                    return Ok(counters);
                }
                counters.add_refusal(refusal);
                last = Some(refusal.at);
            }
            count += page.items.len();
            after = page.next;
            if after.is_none() {
                return Ok(counters);
            }
            if count >= REFUSALS_MOST || (budget.now)() >= budget.until {
                counters.refusals_since = last;
                return Ok(counters);
            }
        }
    }
}
