//! An execution with its history, as a path and as a table.

use std::fmt::{self, Display};

use jiff::SignedDuration;
use pawl_engine::{Execution, Row, RowKind, StepStatus};

/// An execution with its history.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The execution.
    pub execution: Execution,
    /// Its rows, oldest first.
    pub rows: Vec<Row>,
}

impl Trace {
    /// The path it took: each step that ended, in order, as `id`, `id:branch`, `id:failed`, `id:skipped` or, if an
    /// edit deleted it, `id:moved`. Waits and retries are not ends.
    pub fn path(&self) -> Vec<String> {
        self.path_with_rows().into_iter().map(|(step, _)| step).collect()
    }

    /// The path with the row of each step.
    pub(super) fn path_with_rows(&self) -> Vec<(String, &Row)> {
        self.rows.iter().filter_map(|row| Some((stop(row)?, row))).collect()
    }

    /// Its state and the indicators beside it: `completed`, `completed, has_failures`.
    pub fn state(&self) -> String {
        let indicators = self.execution.indicators();
        let words = std::iter::once(self.execution.status.as_str()).chain(indicators);
        words.collect::<Vec<_>>().join(", ")
    }
}

/// One stop of the path.
fn stop(row: &Row) -> Option<String> {
    let step = row.step.as_deref()?;
    if row.kind == RowKind::Moved {
        return Some(format!("{step}:moved"));
    }
    let suffix = match (row.kind, row.status?) {
        (RowKind::Control, StepStatus::Skipped) => Some(row.branch.as_deref().unwrap_or("skipped")),
        (RowKind::Control, StepStatus::Canceled) => Some("canceled"),
        // A goal that was met while somebody held it.
        (RowKind::Control, StepStatus::Completed) => row.branch.as_deref(),
        (RowKind::Control, _) | (_, StepStatus::Running | StepStatus::Waiting | StepStatus::Retrying) => return None,
        (_, StepStatus::Failed) => Some("failed"),
        (_, StepStatus::Canceled) => Some("canceled"),
        (_, StepStatus::Skipped) => Some(row.branch.as_deref().unwrap_or("skipped")),
        (_, StepStatus::Completed | StepStatus::Partial | StepStatus::TimedOut) => row.branch.as_deref(),
    };
    Some(suffix.map_or_else(|| step.to_owned(), |suffix| format!("{step}:{suffix}")))
}

impl Display for Trace {
    /// The history as a table: number, time since the beginning, step, state, and what is to be said of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} is {}", self.execution.id, self.execution.workflow, self.state())?;
        for row in &self.rows {
            let since = row.at.duration_since(self.execution.created_at);
            let (step, status) = (row.step.as_deref().unwrap_or("-"), word(row));
            writeln!(f, "{:>4}  {:>12}  {step:<24}  {status:<20}  {}", row.seq, elapsed(since), remark(row))?;
        }
        Ok(())
    }
}

/// A time since the beginning: `+0s`, `+2d 3h`.
pub(crate) fn elapsed(since: SignedDuration) -> String {
    let seconds = since.as_secs();
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown: Vec<_> = parts.iter().filter(|(count, _)| *count > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    let millis = since.subsec_millis();
    match (shown.is_empty(), millis) {
        (true, 0) => "+0s".to_owned(),
        (true, millis) => format!("+{millis}ms"),
        _ => format!("+{}", shown.join(" ")),
    }
}

fn word(row: &Row) -> String {
    let word = |text: Option<String>| text.unwrap_or_default();
    let status = row.status.map(|status| serde_json::to_value(status).expect("a status is a word"));
    let status = status.and_then(|status| status.as_str().map(str::to_owned));
    match row.kind {
        RowKind::Created => "created".to_owned(),
        RowKind::Started => "started".to_owned(),
        RowKind::Moved => "moved".to_owned(),
        RowKind::Slot => "has a slot".to_owned(),
        RowKind::Step => match &row.branch {
            Some(branch) => format!("{}: {branch}", word(status)),
            None => word(status),
        },
        RowKind::Control | RowKind::Limit | RowKind::Debug => word(status),
    }
}

/// What is to be said of a row: its failure, or its note.
pub(super) fn remark(row: &Row) -> String {
    match (&row.error, &row.note) {
        (Some(error), _) => format!("{}: {}", error.code, error.message),
        (None, Some(note)) => note.clone(),
        (None, None) => String::new(),
    }
}
