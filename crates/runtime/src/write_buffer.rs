//! The newest rows and the event that stand in a head beside its execution, and transitions that are decided and not written
//! yet: they ride with the next one that must be.
//!
//! Only steps that touch nothing but their execution's head are held: a condition, a variable, the end of a wait. Nobody
//! outside can have seen anything of them, so a crash that loses them loses nothing: they are decided again. What they cost
//! is then not a transaction each, but a row each. The result of an outside effect rides as well, but the executor writes it
//! by itself if what follows cannot be written.

use pawl_engine::{Commit, Execution, Row, Wake};

/// What one invocation holds of its execution.
#[derive(Debug, Default)]
pub(crate) struct WriteBuffer {
    most: usize,
    kept: Vec<Row>,
    event: Option<String>,
    base: Option<u64>,
    rows: Vec<Row>,
}

impl WriteBuffer {
    /// Holds up to so many transitions, 0 holds none, beside the rows and the event that stand in the head.
    pub(crate) fn up_to(most: usize, kept: Vec<Row>, event: Option<String>) -> Self {
        Self { most, kept, event, ..Self::default() }
    }

    /// Holds a transition if it may wait; `false` if it must be written now. The result of an effect outside rides as well,
    /// and is decided again if its race is lost.
    pub(crate) fn take(&mut self, before: &Execution, commit: &Commit, is_result: bool) -> bool {
        let takes = self.rows.len() < self.most && may_wait(before, commit, is_result);
        if takes {
            self.base.get_or_insert(before.version);
            self.rows.push(commit.row.clone());
        }
        takes
    }

    /// The version of the head that stands in storage, given the execution as it was decided on.
    pub(crate) fn version(&self, before: &Execution) -> u64 {
        self.base.unwrap_or(before.version)
    }

    /// The rows that stand in the stored head, as they are stored, oldest first.
    pub(crate) fn kept(&self) -> &[Row] {
        &self.kept
    }

    /// The event as it stands in the head, if it does.
    pub(crate) fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }

    /// The rows that were not written yet, oldest first.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// They are written; these stand in the head now.
    pub(crate) fn written(&mut self, kept: Vec<Row>) {
        self.kept = kept;
        self.base = None;
        self.rows.clear();
    }

    /// A race was lost: they never were, and these stand in the head. From now on each is written by itself, so that it is
    /// clear which one a conflict is about.
    pub(crate) fn lost(&mut self, kept: Vec<Row>) {
        *self = Self { kept, event: self.event.take(), ..Self::default() };
    }
}

/// Whether a transition changes nothing but the head, and more follows at once.
fn may_wait(before: &Execution, commit: &Commit, is_result: bool) -> bool {
    let after = &commit.execution;
    let plain = commit.effects.is_empty() && commit.checks.is_empty();
    let is_free = |execution: &Execution| execution.leases.is_empty() && execution.waiting.is_none();
    let runs = |execution: &Execution| execution.wake == Wake::Job && is_free(execution);
    // A wait for a time that is over tells nobody either.
    let ran_or_waited = is_free(before) && matches!(before.wake, Wake::Job | Wake::Timer { .. });
    let same_guards = before.holds_slot == after.holds_slot && before.holds_record == after.holds_record;
    plain
        && !after.stalled
        && !after.has_news()
        && commit.usage.is_zero()
        && commit.row.error.is_none()
        && same_guards
        && (is_result && before.waiting.is_none() || ran_or_waited)
        && runs(after)
}
