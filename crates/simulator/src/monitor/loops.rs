//! Loops: no more items run at once than the author says, and each is carried out once.

use pawl_engine::{Execution, Row, StepStatus};
use serde_json::Value;

use super::{Broken, Monitor};

pub(super) fn check(
    monitor: &Monitor,
    before: Option<&Execution>,
    after: &Execution,
    rows: &[Row],
    broken: &mut Vec<Broken>,
) {
    if before.is_none() {
        at_once(monitor, after, broken);
    }
    for row in rows {
        all_once(monitor, after, row, broken);
    }
}

/// An execution begins that carries out items: with it run no more than may run at once.
fn at_once(monitor: &Monitor, slice: &Execution, broken: &mut Vec<Broken>) {
    let (Some(region), Some(parent)) = (&slice.region, &slice.parent) else { return };
    // Those that run when a limit is lowered run on.
    let most =
        monitor.definitions(&slice.workflow).filter_map(|workflow| concurrency(workflow.step(&region.step)?)).max();
    let Some(most) = most.filter(|_| region.is_slice()) else { return };
    let is_beside = |other: &&Execution| {
        let same_visit = other
            .parent
            .as_ref()
            .is_some_and(|of| (&of.by.execution, of.by.visit) == (&parent.by.execution, parent.by.visit));
        same_visit && other.region.as_ref().is_some_and(|other| other.step == region.step) && other.id != slice.id
    };
    let running = monitor.open().filter(is_beside).count() + 1;
    if running > most {
        broken.push((7, format!("{running} items of {} run at once, the limit is {most}", region.step)));
    }
}

fn concurrency(step: &pawl_definition::Step) -> Option<usize> {
    usize::try_from(step.kind.shape().items_at_once()?).ok()
}

/// A loop is over: its result has each of its items.
fn all_once(monitor: &Monitor, execution: &Execution, row: &Row, broken: &mut Vec<Broken>) {
    let definition = monitor.definition(&execution.workflow, row.revision);
    let step = row
        .step
        .as_deref()
        .and_then(|id| definition.step(id))
        .filter(|step| Some(step.kind.tag()) == row.step_type.as_deref());
    let is_loop = step.is_some_and(|step| step.kind.shape().items_at_once().is_some());
    let is_over = matches!(row.status, Some(StepStatus::Completed | StepStatus::Partial));
    let is_slice =
        execution.region.as_ref().is_some_and(|region| Some(&region.step) == row.step.as_ref() && region.is_slice());
    let items = row.output.get("items").and_then(Value::as_array);
    let Some(items) = items.filter(|_| is_over && !is_slice && is_loop) else {
        return;
    };
    let found: Vec<_> =
        items.iter().map(|item| item["index"].as_u64().and_then(|at| usize::try_from(at).ok())).collect();
    let has_each_once = found.iter().enumerate().all(|(at, index)| *index == Some(at));
    let count =
        row.output["completed"].as_u64().unwrap_or_default() + row.output["failed"].as_u64().unwrap_or_default();
    if !has_each_once || usize::try_from(count) != Ok(items.len()) {
        let step = row.step.as_deref().unwrap_or_default();
        broken.push((2, format!("the loop {step} has the results of {found:?}, and counts {count} of them")));
    }
}
