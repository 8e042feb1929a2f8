//! Executions that stop before each step: none carries out a step that nobody let it.

use pawl_engine::{Execution, Row, RowKind};

use super::{Broken, Monitor};

/// What a commit of an execution breaks that stops before each step.
pub(super) fn check(
    monitor: &Monitor,
    before: Option<&Execution>,
    after: &Execution,
    rows: &[Row],
    broken: &mut Vec<Broken>,
) {
    if before.is_none_or(|before| before.debug.is_none()) {
        return;
    }
    let known = monitor.rows.get(&after.id).map_or(&[][..], Vec::as_slice);
    for (at, row) in rows.iter().enumerate() {
        if asks(row, &["run", "resume"]) {
            return;
        }
        let earlier = || known.iter().chain(&rows[..at]);
        let is_visit = row.kind == RowKind::Step && row.visit.is_some();
        let is_new = !earlier().any(|other| other.step == row.step && other.visit == row.visit);
        // A slice begins inside of its loop.
        let is_slice =
            after.region.as_ref().is_some_and(|region| region.is_slice() && Some(&region.step) == row.step.as_ref());
        let is_let = earlier()
            .rev()
            .take_while(|other| other.kind != RowKind::Step)
            .any(|other| other.step == row.step && asks(other, &["step", "retry"]));
        if is_visit && is_new && !is_slice && !is_let {
            broken.push((5, format!("carries out {:?} in row {}, and nobody let it", row.step, row.seq)));
        }
    }
}

/// Whether a row is of one of these controls.
fn asks(row: &Row, words: &[&str]) -> bool {
    let word = row.note.as_deref().unwrap_or_default().split(':').next().unwrap_or_default();
    row.kind == RowKind::Control && words.contains(&word)
}
