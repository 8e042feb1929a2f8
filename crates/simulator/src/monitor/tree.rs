//! Trees of executions: what all parts of one carry out together, counted by their rows, and what models cost them.

use std::collections::BTreeMap;

use pawl_engine::{Execution, Row, RowKind, StepStatus, root_of};
use pawl_runtime::items::tree_usage;
use pawl_runtime::ports::{Key, Transaction, Write};

use super::{Broken, Monitor};

/// The trees of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Trees {
    /// Steps that rows say were carried out, by the root.
    steps: BTreeMap<String, u32>,
    /// Counters of what models cost that the present transaction adds to.
    counted: Vec<Key>,
}

impl Trees {
    /// A transaction is looked at.
    pub(super) fn look(&mut self, transaction: &Transaction) {
        let added = transaction.writes.iter().filter_map(|write| match write {
            Write::Add { key, .. } => Some(key.clone()),
            _ => None,
        });
        self.counted = added.collect();
    }
}

/// The root of the tree that an execution belongs to, as far as it is known.
fn root<'m>(monitor: &'m Monitor, execution: &'m Execution) -> Option<&'m Execution> {
    if execution.region.is_some() { root_of(execution, &monitor.heads) } else { Some(execution) }
}

/// The steps of a tree hold at its root, by its own count and by what its rows say; a part that a model has cost something adds it
/// to the counter of its tree.
pub(super) fn check(monitor: &mut Monitor, after: &Execution, rows: &[Row], broken: &mut Vec<Broken>) {
    let Some(root) = root(monitor, after) else { return };
    let (id, is_open) = (root.id.clone(), !root.status.is_ended());
    let most = monitor.definitions(&root.workflow).map(|definition| definition.limits.tree_steps).max();
    let most = most.expect("an execution has a workflow");
    // A loop is one step, however many executions carry out its items.
    let slice = after.region.as_ref().filter(|region| region.is_slice()).map(|region| &region.step);
    let is_own = |row: &&Row| row.step.as_ref().is_none_or(|step| Some(step) != slice);
    let done = rows.iter().filter(is_own).filter(|row| is_carried_out(row)).count();
    let steps = monitor.trees.steps.entry(id.clone()).or_default();
    *steps += u32::try_from(done).expect("a commit has few rows");
    if *steps > most {
        broken.push((7, format!("{steps} steps of the tree of {id} were carried out, the limit is {most}")));
    }
    let open: u32 = after.parts.open.values().map(|part| part.steps).sum();
    if after.region.is_none() && after.steps_done + open > most {
        let found = format!("{} steps and {open} of parts that are open", after.steps_done);
        broken.push((7, format!("counts {found} in its tree, the limit is {most}")));
    }
    let limits = &monitor.definition(&after.workflow, after.revision).limits;
    let has_cost = rows.iter().any(|row| !row.usage.is_zero());
    let is_counted = tree_usage::keys(&id).iter().all(|key| monitor.trees.counted.contains(key));
    if after.region.is_some() && is_open && has_cost && limits.budget.is_some() && !is_counted {
        broken.push((7, format!("a model has cost it something that is not counted in the tree of {id}")));
    }
}

/// Whether a row says that a step was carried out. One that failed may count too: the sum is what there was at least.
fn is_carried_out(row: &Row) -> bool {
    let done = [StepStatus::Completed, StepStatus::Partial, StepStatus::TimedOut];
    row.kind == RowKind::Step && row.status.is_some_and(|status| done.contains(&status))
}
