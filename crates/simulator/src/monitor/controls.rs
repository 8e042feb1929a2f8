//! Controls that steps make: which were carried out. None is carried out twice, and no execution controls itself.

use std::collections::{BTreeMap, BTreeSet};

use pawl_engine::{Execution, Given, Observed, Row, RowKind};
use pawl_runtime::items;
use pawl_runtime::ports::Write;

use super::Broken;

/// The controls of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Controls {
    /// The row that carries it out, by execution and id of the control.
    done: BTreeMap<(String, String), u64>,
    /// The executions with a control of which a row keeps a reference only, since what was read for it is large.
    unknown: BTreeSet<String>,
}

impl Controls {
    /// Rows are committed.
    pub(super) fn rows(&mut self, execution: &Execution, rows: &[Row], broken: &mut Vec<Broken>) {
        for row in rows {
            if row.kind == RowKind::Control && row.observed.get("$pawl_blob").is_some() {
                self.unknown.insert(execution.id.clone());
            }
            let Some(id) = control_of(row) else { continue };
            let own = format!("({})", execution.id);
            if row.actor.as_deref().is_some_and(|actor| actor.ends_with(&own)) {
                broken.push((4, format!("controls itself in row {}", row.seq)));
            }
            if let Some(seq) = self.done.insert((execution.id.clone(), id.clone()), row.seq) {
                broken.push((4, format!("is controlled by {id} in row {}, and was in row {seq}", row.seq)));
            }
        }
    }

    /// How many executions a control was carried out on, at least and at most.
    pub(crate) fn count(&self, id: &str) -> (u64, u64) {
        let done: BTreeSet<_> =
            self.done.keys().filter(|(_, done)| done == id).map(|(execution, _)| execution).collect();
        let perhaps = self.unknown.iter().filter(|execution| !done.contains(execution)).count();
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        (number(done.len()), number(done.len() + perhaps))
    }

    /// Whether a control was carried out, or may have been.
    pub(crate) fn is_done(&self, execution: &str, id: &str) -> bool {
        self.unknown.contains(execution) || self.done.contains_key(&(execution.to_owned(), id.to_owned()))
    }
}

/// The id of the control that a row carries out, if a step made it.
fn control_of(row: &Row) -> Option<String> {
    let observed = Observed::list(&row.observed).ok()?;
    let Given::Control(asked) = &observed.last()?.given else { return None };
    asked.id.clone().filter(|_| row.kind == RowKind::Control)
}

/// Whether writes carry out the control of a step.
pub(crate) fn carry_out(writes: &[Write]) -> bool {
    writes.iter().any(|write| {
        let Write::Put { item, .. } = write else { return false };
        let head = items::execution::parse_whole(item).ok().flatten();
        head.and_then(|(head, rows)| rows.last().filter(|row| row.seq == head.seq).and_then(control_of)).is_some()
    })
}
