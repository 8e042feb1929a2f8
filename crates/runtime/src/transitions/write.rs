//! Writes what was decided, and sees to what follows it.

use std::fmt::Write;

use pawl_engine::steps::awaited_children;
use pawl_engine::{Commit, Execution, Row, Status};

use super::{Run, Transitions};
use crate::commit::Committer;
use crate::message::News;
use crate::ports::Durability;
use crate::snapshot::Snapshot;
use crate::{Error, Metrics, effects};

impl Transitions {
    fn committer<'a>(&'a self, run: &'a Run, durability: Durability) -> Committer<'a> {
        Committer { tables: &*self.tables, blobs: &*self.blobs, buffer: &run.buffer, durability, unheard: false }
    }

    /// Writes a head without a transition of its own, with the rows that are held; returns those that stand in it then.
    pub(crate) async fn head_only(
        &self,
        run: &Run,
        after: &Execution,
        durability: Durability,
    ) -> Result<Vec<Row>, Error> {
        let kept = self.committer(run, durability).head_only(&run.execution, after).await?;
        self.tell(run.buffer.rows(), after);
        Ok(kept)
    }

    /// Logs and counts transitions that are written together. Those that took no time, conditions and variables, share the
    /// line of the one that they were written with.
    fn tell<'a>(&self, rows: impl IntoIterator<Item = &'a Row>, execution: &Execution) {
        let rows: Vec<_> = rows.into_iter().inspect(|row| self.metrics.transition(execution, row)).collect();
        for line in rows.split_inclusive(|row| has_own_line(row)) {
            log(line, execution);
        }
    }

    /// Writes a transition and sees to what follows it; returns the rows that stand in the head then.
    pub(crate) async fn commit(
        &self,
        run: &Run,
        commit: &mut Commit,
        snapshot: &Snapshot,
        durability: Durability,
    ) -> Result<Vec<Row>, Error> {
        commit.execution.announces_end = self.is_end_heard(&commit.execution, snapshot).await?;
        let commit = &*commit;
        let (before, after) = (&run.execution, &commit.execution);
        let changes: Vec<_> = effects::changes(commit).collect();
        let unheard = self.catalog.are_unheard(snapshot.listening.unwrap_or_default(), &changes).await?;
        let committer = Committer { unheard, ..self.committer(run, durability) };
        let kept = committer.commit(before, commit, snapshot).await?;
        self.tell(run.buffer.rows().iter().chain([&commit.row]), after);
        // Every transition but the mark itself takes it away.
        if after.stalled {
            Metrics::count(&self.metrics.executions_stalled);
        }
        self.dispatcher.cancel_timer(before, after).await?;
        effects::committed(commit, &snapshot.objects, &self.notices).await;
        if after.status.is_ended() {
            after.outcome.into_iter().for_each(|outcome| self.metrics.outcome(outcome));
            self.completions.announce(&after.id);
        }
        self.slots.after(before, after, snapshot.slots).await?;
        self.tell_children(before, after).await?;
        self.breaker.after_failure(before, after).await?;
        Ok(kept)
    }
}

impl Transitions {
    /// Whether an execution ends, and somebody listens for that. The head says so in the transaction of the end, and the
    /// process that wrote it sends the event; if that process dies, the sweeper finds the head.
    async fn is_end_heard(&self, after: &Execution, snapshot: &Snapshot) -> Result<bool, Error> {
        match snapshot.listening {
            _ if !after.tells_its_end() => Ok(false),
            Some(listening) => self.catalog.is_end_heard(listening, &after.workflow).await,
            // The installation could not be read: the evaluator finds out who listens.
            None => Ok(true),
        }
    }

    /// Tells the children of an execution that goes on after a pause or a kill: they were held as long. One that is not told
    /// is found by the sweeper.
    async fn tell_children(&self, before: &Execution, after: &Execution) -> Result<(), Error> {
        let is_held = |execution: &Execution| execution.status == Status::Paused || execution.killed.is_some();
        if !is_held(before) || is_held(after) || after.status != Status::Waiting {
            return Ok(());
        }
        self.dispatcher.send_news(&awaited_children(after), News::ParentChanged).await
    }
}

/// Whether it ends a line of the log: it failed, or it took time, which people look for.
fn has_own_line(row: &Row) -> bool {
    row.error.is_some() || row.attempt_began().is_some_and(|began| began < row.at)
}

/// One line for transitions that were written together, with the field names that are the same everywhere: the message has
/// all of them, and the fields are those of the last.
fn log(rows: &[&Row], execution: &Execution) {
    let Some(row) = rows.last() else { return };
    let step = row.step.as_deref().unwrap_or("-");
    let step_type = row.step_type.as_deref();
    let duration_ms = row.started_at.and_then(|since| u64::try_from(row.at.duration_since(since).as_millis()).ok());
    if let Some(error) = &row.error {
        tracing::warn!(
            execution_id = %execution.id, workflow = %execution.workflow, step, seq = row.seq, attempt = row.attempt,
            step_type, duration_ms, event_id = %execution.event_id, code = %error.code,
            "step {step} failed: {}", error.code
        );
    } else if execution.stalled {
        tracing::error!(
            execution_id = %execution.id, workflow = %execution.workflow, step, seq = row.seq, attempt = row.attempt,
            event_id = %execution.event_id, "execution {} is stalled: {}", execution.id, row.note.as_deref().unwrap_or("its job was given up")
        );
    } else {
        tracing::debug!(
            execution_id = %execution.id, workflow = %execution.workflow, step, seq = row.seq, attempt = row.attempt,
            step_type, duration_ms, event_id = %execution.event_id, status = %row.execution,
            "{}", in_words(rows)
        );
    }
}

/// Transitions in the order in which they were decided: `Started, Step total, Step large:yes`.
fn in_words(rows: &[&Row]) -> String {
    let mut words = String::new();
    for row in rows {
        if !words.is_empty() {
            words.push_str(", ");
        }
        // Writing to a string cannot fail.
        let _ = write!(words, "{:?}", row.kind);
        if let Some(step) = &row.step {
            let _ = write!(words, " {step}");
        }
        if let Some(branch) = &row.branch {
            let _ = write!(words, ":{branch}");
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use pawl_engine::RowKind;
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::items::arbitrary::row;

    fn rows() -> [Row; 3] {
        let mut runner = TestRunner::deterministic();
        let any = row().new_tree(&mut runner).expect("a row").current();
        let at = any.at;
        let pure = |kind, step: Option<&str>, branch: Option<&str>| Row {
            kind,
            step: step.map(str::to_owned),
            branch: branch.map(str::to_owned),
            started_at: step.map(|_| at),
            attempt_started_at: None,
            error: None,
            ..any.clone()
        };
        [
            pure(RowKind::Started, None, None),
            pure(RowKind::Step, Some("total"), None),
            pure(RowKind::Step, Some("large"), Some("yes")),
        ]
    }

    #[test]
    fn what_took_no_time_shares_a_line() {
        let rows = rows();
        assert_eq!(in_words(&rows.iter().collect::<Vec<_>>()), "Started, Step total, Step large:yes");
        assert!(rows.iter().all(|row| !has_own_line(row)));
        let slow = Row { started_at: Some(rows[0].at - jiff::SignedDuration::from_millis(1)), ..rows[1].clone() };
        assert!(has_own_line(&slow), "its duration is looked for");
    }
}
