//! What is left of a run when attempts, times and names that chance gave are taken away.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pawl_engine::{Execution, Record, Row, RowKind, StepStatus};
use pawl_runtime::items;
use pawl_runtime::ports::Table;
use serde_json::{Value, json};

use super::counts::Counts;
use super::hub::Hub;

/// The outcome: executions by workflow and record with their paths, and records by object; names that depend on
/// what came first are left out, and how often each stands there counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    lines: BTreeMap<String, usize>,
}

impl Outcome {
    /// Of a world at rest.
    pub(super) fn of(hub: &Hub) -> Self {
        let mut lines = BTreeMap::new();
        let state = hub.lock();
        for head in state.monitor.heads.values() {
            let rows = state.monitor.rows.get(&head.id).map_or(&[][..], Vec::as_slice);
            *lines.entry(execution(head, rows)).or_default() += 1;
        }
        for item in hub.store.items(Table::Records) {
            let record = items::record::parse(&item).expect("a record has its shape");
            for line in describe(&record) {
                *lines.entry(line).or_default() += 1;
            }
        }
        Self { lines }
    }

    /// The lines in which another outcome differs.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let differs = |line: &&String| self.lines.get(*line) != other.lines.get(*line);
        let mut text = String::new();
        for line in
            self.lines.keys().chain(other.lines.keys().filter(|line| !self.lines.contains_key(*line))).filter(differs)
        {
            let count = |outcome: &Self| outcome.lines.get(line).copied().unwrap_or(0);
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  expected {} times, found {}: {line}", count(self), count(other));
        }
        (!text.is_empty()).then(|| format!("the run ends otherwise than the undisturbed one:{text}"))
    }
}

/// Logs have numbers in the order in which they were made, and one that is used was made by whoever came first.
fn describe(record: &Record) -> Vec<String> {
    let id = if record.id.starts_with("rec_") { "" } else { &record.id };
    let name = record.fields.get("name").and_then(Value::as_str).unwrap_or("");
    if record.object != "log" {
        return vec![format!("record {}/{id} {}", record.object, json!(record.fields))];
    }
    let maker = format!("log by {:?} for {:?}", record.fields.get("n"), record.fields.get("ticket"));
    if name.starts_with("suffix") { vec![format!("log {name}"), maker] } else { vec![format!("log {name}")] }
}

fn execution(head: &Execution, rows: &[Row]) -> String {
    let path: Vec<_> = rows.iter().filter_map(path).collect();
    let record = head.record.as_ref().map(ToString::to_string).unwrap_or_default();
    let variables = json!(head.variables);
    let failed: Vec<_> = head.failed_steps.iter().collect();
    format!("{} on {record:?} {} {} failed {failed:?} path {}", head.workflow, head.status, variables, path.join(" "))
}

/// A step of the path; waits and retries are how it went, not where.
fn path(row: &Row) -> Option<String> {
    let passing = matches!(row.status, Some(StepStatus::Waiting | StepStatus::Retrying));
    if row.kind != RowKind::Step || passing {
        return None;
    }
    let branch = row.branch.as_deref().map_or(String::new(), |branch| format!("/{branch}"));
    let error = row.error.as_ref().map_or(String::new(), |error| format!("!{}", error.code));
    Some(format!("{}{branch}{error}", row.step.as_deref().unwrap_or("end")))
}

/// Counts a row of which a large value stands among the blobs, or which was refused for its size.
fn count_oversized(counts: &mut Counts, row: &Row) {
    let Some(tag) = &row.step_type else { return };
    let refused = ["record_too_large", "value_too_large", "expression_too_costly", "http_too_large"];
    if [&row.input, &row.output].iter().any(|value| value.get("$pawl_blob").is_some()) {
        counts.add(&format!("oversized values in {tag}"));
    } else if row.error.as_ref().is_some_and(|error| refused.contains(&error.code.as_str())) {
        counts.add(&format!("oversized values refused in {tag}"));
    }
}

/// Counts a row.
pub(super) fn count(counts: &mut Counts, row: &Row) {
    counts.add("transitions");
    count_oversized(counts, row);
    if let (RowKind::Step, Some(tag)) = (row.kind, &row.step_type) {
        counts.add(&format!("step {tag}"));
    }
    match (row.kind, row.status, row.branch.as_deref()) {
        (_, Some(StepStatus::Retrying), _) => counts.add("retries"),
        (_, Some(StepStatus::TimedOut), _) => counts.add("goals timed out"),
        (_, Some(StepStatus::Completed), Some("met")) => counts.add("goals met"),
        (RowKind::Control, ..) => counts.add("controls"),
        (RowKind::Moved, ..) => counts.add("moved by edits"),
        (RowKind::Debug, ..) => counts.add("stops before a step"),
        (RowKind::Slot, ..) => counts.add("slots taken again"),
        _ => {}
    }
}
