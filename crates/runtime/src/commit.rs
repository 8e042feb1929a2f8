//! Turns a decision of the engine into one transaction.

use pawl_engine::{Commit, Execution, Row, Subject};

use crate::concurrency_slots::{Slots, block_of};
use crate::items;
use crate::items::guard::Guard;
use crate::ports::{Blobs, Durability, Expect, Tables, Transaction, Write};
use crate::snapshot::Snapshot;
use crate::write_buffer::WriteBuffer;
use crate::{Error, effects, offload};

/// Most bytes of rows that stand in a head. Each write of the head pays for them anew, packed to a quarter or less where
/// kilobytes are paid; to move them out costs a transaction.
const ROWS_MOST: usize = 4 * 1024;

/// The ports of a commit.
pub(crate) struct Committer<'a> {
    pub(crate) tables: &'a dyn Tables,
    pub(crate) blobs: &'a dyn Blobs,
    /// The rows in the head, and transitions that ride along.
    pub(crate) buffer: &'a WriteBuffer,
    /// How long a commit waits.
    pub(crate) durability: Durability,
    /// Nobody seems to listen to its changes of records.
    pub(crate) unheard: bool,
}

impl Committer<'_> {
    /// Commits a transition: head, row, effects, waiters and guards, together or not at all. Returns the rows that stand in
    /// the head now.
    pub(crate) async fn commit(
        &self,
        before: &Execution,
        commit: &Commit,
        snapshot: &Snapshot,
    ) -> Result<Vec<Row>, Error> {
        let after = &commit.execution;
        effects::prepare(commit, &snapshot.objects, self.blobs).await?;
        let (mut writes, kept) = self.head(before, after, Some(&commit.row)).await?;
        writes.extend(effects::writes(commit, &snapshot.objects));
        writes.extend(checks(commit));
        writes.extend(waiters(before, after));
        writes.extend(items::line::write(before, after));
        writes.extend(guards(before, after, snapshot));
        if !commit.usage.is_zero() && snapshot.plan.workflow.limits.budget.is_some() {
            writes.extend(items::usage::writes(after, commit.row.at, commit.usage));
            let root = snapshot.root.as_deref();
            writes.extend(root.into_iter().flat_map(|root| items::tree_usage::writes(root, commit.usage)));
        }
        let transaction = Transaction { writes, durability: self.durability };
        if self.unheard {
            self.tables.transact_unheard(transaction).await?;
        } else {
            self.tables.transact(transaction).await?;
        }
        Ok(kept)
    }

    /// Commits a head without a transition of its own, with what it listens on and its entry in the line: a claim, a place in
    /// the line, a wait that goes on, or what is held. Returns the rows that stand in the head now.
    pub(crate) async fn head_only(&self, before: &Execution, after: &Execution) -> Result<Vec<Row>, Error> {
        let (mut writes, kept) = self.head(before, after, None).await?;
        writes.extend(waiters(before, after));
        writes.extend(items::line::write(before, after));
        self.tables.transact(Transaction { writes, durability: self.durability }).await?;
        Ok(kept)
    }

    /// The head with the rows that are new. They stay in it while they are few, and then move out together.
    async fn head(
        &self,
        before: &Execution,
        after: &Execution,
        row: Option<&Row>,
    ) -> Result<(Vec<Write>, Vec<Row>), Error> {
        let mut rows = self.buffer.kept().to_vec();
        for row in self.buffer.rows().iter().chain(row) {
            rows.push(offload::row(self.blobs, &after.id, row.clone()).await?);
        }
        let execution = offload::execution_body(self.blobs, after).await?;
        let mut moved = Vec::new();
        let mut rows_body = items::execution::rows_body(&rows);
        if rows_body.len() > ROWS_MOST {
            moved = items::history::writes(&after.id, &rows);
            rows.clear();
            rows_body.clear();
        }
        let body = items::execution::body_of(&execution, &rows_body, self.buffer.event());
        let item = items::execution::item_with_body(after, body);
        let expect = Expect::Version(self.buffer.version(before));
        let head = Write::Put { table: items::execution::TABLE, item, expect };
        Ok((std::iter::once(head).chain(moved).collect(), rows))
    }
}

/// Records that the decision only read must still be as they were read, unless it writes them anyway.
fn checks(commit: &Commit) -> impl Iterator<Item = Write> {
    let is_read_only = |subject: &Subject| effects::changes(commit).all(|written| written.after.subject() != *subject);
    commit.checks.iter().filter(move |(subject, _)| is_read_only(subject)).map(|(subject, version)| Write::Check {
        table: items::record::TABLE,
        key: items::record::key(subject),
        expect: Expect::Version(*version),
    })
}

/// Steps that begin or end to listen.
fn waiters(before: &Execution, after: &Execution) -> Vec<Write> {
    let topics =
        |execution: &Execution| execution.waiting.as_ref().map(|waiting| waiting.topics.clone()).unwrap_or_default();
    let (old, new) = (topics(before), topics(after));
    let table = items::waiter::TABLE;
    let gone = old.difference(&new).map(|topic| Write::Delete {
        table,
        key: items::waiter::key(topic, &after.id),
        expect: Expect::Any,
    });
    let come = new.difference(&old).map(|topic| Write::Put {
        table,
        item: items::waiter::item(topic, &after.id),
        expect: Expect::Any,
    });
    gone.chain(come).collect()
}

/// Places and records that are taken or given back.
fn guards(before: &Execution, after: &Execution, snapshot: &Snapshot) -> Vec<Write> {
    let mut writes = Vec::new();
    let table = items::guard::TABLE;
    writes.extend(items::slot::writes(before, after));
    if before.holds_slot != after.holds_slot && after.slot_key.is_none() {
        let key = |slot| items::guard::key(&after.workflow, Guard::ConcurrencySlots(block_of(slot)));
        // A slot is given back to the block that it was taken from, whatever the limit has become.
        writes.extend(before.holds_slot.map(|slot| Write::Add { table, key: key(slot), amount: -1, at_most: None }));
        writes.extend(after.holds_slot.map(|slot| {
            let at_most = match snapshot.slots {
                Some(Slots::Counted(blocks)) => Some(blocks.share(block_of(slot)).into()),
                Some(Slots::Numbered(_)) | None => None,
            };
            Write::Add { table, key: key(slot), amount: 1, at_most }
        }));
    }
    if let (true, false, Some(record)) = (before.holds_record, after.holds_record, &after.record) {
        let key = items::guard::key(&after.workflow, Guard::Active(record));
        writes.push(Write::Delete { table, key, expect: Expect::Any });
    }
    writes
}
