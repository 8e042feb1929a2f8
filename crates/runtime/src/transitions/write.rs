//! Writes what was decided, and sees to what follows it.

use pawl_engine::{Commit, Execution, Row};

use super::{Run, Transitions};
use crate::commit::Committer;
use crate::ports::Durability;
use crate::snapshot::Snapshot;
use crate::{Error, Metrics, effects};

impl Transitions {
    fn committer<'a>(&'a self, run: &'a Run, durability: Durability) -> Committer<'a> {
        Committer { tables: &*self.tables, blobs: &*self.blobs, buffer: &run.buffer, durability }
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

    /// Logs and counts transitions that are written.
    fn tell(&self, rows: &[Row], execution: &Execution) {
        for row in rows {
            log(row, execution);
            self.metrics.transition(row);
        }
    }

    /// Writes a transition and sees to what follows it; returns the rows that stand in the head then.
    pub(crate) async fn commit(
        &self,
        run: &Run,
        commit: &Commit,
        snapshot: &Snapshot,
        durability: Durability,
    ) -> Result<Vec<Row>, Error> {
        let (before, after) = (&run.execution, &commit.execution);
        let kept = self.committer(run, durability).commit(before, commit, snapshot).await?;
        self.tell(run.buffer.rows(), after);
        self.tell(std::slice::from_ref(&commit.row), after);
        // Every transition but the mark itself takes it away.
        if after.stalled {
            Metrics::count(&self.metrics.executions_stalled);
        }
        self.dispatcher.cancel_timer(before, after).await?;
        effects::committed(commit, &snapshot.objects, &self.notices).await;
        if before.started_at.is_none() {
            self.slots.after_start(before, after, snapshot.slots).await?;
        }
        if after.status.is_ended() {
            self.completions.announce(&after.id);
            self.slots.after_end(before, after, snapshot.slots).await?;
        }
        self.breaker.after_failure(before, after).await?;
        Ok(kept)
    }
}

/// One line for each transition, with the field names that are the same everywhere.
fn log(row: &Row, execution: &Execution) {
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
            "{:?} {step}", row.kind
        );
    }
}
