//! What must hold of tracked actions at rest: each touches a target at most once, and none is forgotten.
//!
//! That no control of an action is carried out twice on an execution, the monitor sees when the second one is committed, and
//! a second start on a record would be a second execution at the same key.

use jiff::SignedDuration;
use pawl_engine::{Execution, Status, ids};
use pawl_runtime::items::operation::{Operation, State};
use pawl_runtime::ports::Table;
use pawl_runtime::{Action, Controls, Starts, Task, Verb, items};

use crate::hub::Hub;
use crate::monitor::{Broken, Monitor};

/// By so much the clocks of processes differ at most: what lies closer together is in no order.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(10);

/// Checks those that are over.
pub(super) fn check(hub: &Hub, monitor: &Monitor, broken: &mut Vec<Broken>) {
    for operation in monitor.actions.all().filter(|operation| operation.state == State::Completed) {
        let Some(action) = &operation.action else { continue };
        counts(monitor, operation, action, broken);
        match &action.task {
            Task::Control(controls) => controlled(monitor, operation, controls, broken),
            Task::Start(starts) => started(hub, monitor, (operation, starts), broken),
        }
    }
}

/// Its counts are of what was done.
fn counts(monitor: &Monitor, operation: &Operation, action: &Action, broken: &mut Vec<Broken>) {
    let counts = action.counts;
    let came = counts.done + counts.refused + counts.failed + counts.unchanged;
    if came != counts.selected || !action.batch.is_empty() {
        broken.push((2, format!("action {}: selected {}, and came to {came}", operation.id, counts.selected)));
    }
    let is_control = matches!(action.task, Task::Control(_));
    let (done, perhaps) = monitor.controls.count(&ids::action_control_id(&operation.id));
    // One that was controlled, and could not be read when the answer was lost, is told as failed.
    if is_control && (done > counts.done + counts.failed || perhaps < counts.done) {
        broken.push((4, format!("action {}: says that it touched {}, and touched {done}", operation.id, counts.done)));
    }
}

/// An execution that has not changed since the action began, and that it concerns, was touched or is told of.
fn controlled(monitor: &Monitor, operation: &Operation, controls: &Controls, broken: &mut Vec<Broken>) {
    let control = ids::action_control_id(&operation.id);
    let stood_still = |head: &&Execution| {
        let written_at = monitor.written_at.get(&head.id).copied().unwrap_or(head.updated_at);
        head.updated_at.max(written_at) + CLOCKS_DIFFER < operation.begun_at
    };
    // What it asks for is so already: it counts that as unchanged.
    let is_so = |head: &&Execution| match controls.verb {
        Verb::Resume => head.status != Status::Paused && !head.status.is_ended(),
        Verb::Cancel => head.status == Status::Canceled,
        Verb::Retry | Verb::Skip { .. } | Verb::Redrive => false,
    };
    let all = monitor.heads.values().filter(stood_still).filter(|head| !is_so(head));
    for head in all.filter(|head| controls.concerns(head)) {
        let is_touched = monitor.controls.is_done(&head.id, &control);
        if !is_touched && !monitor.actions.is_told(&operation.id, &head.id) {
            broken.push((2, format!("action {} has forgotten {}", operation.id, head.id)));
        }
    }
}

/// On each record that was there when the action began an execution began, or the start was refused visibly.
fn started(hub: &Hub, monitor: &Monitor, (operation, starts): (&Operation, &Starts), broken: &mut Vec<Broken>) {
    let partition = items::record::partition(&starts.object);
    let stored = hub.store.items(Table::Records).into_iter().filter(|item| item.key.partition == partition);
    for record in stored.filter_map(|item| items::record::parse(&item).ok()) {
        // Its maker may have taken the time long before it wrote, and no clock goes like another.
        let since = monitor.records_since.get(&record.subject()).copied().unwrap_or(record.created_at);
        let is_new = record.created_at.max(since) + CLOCKS_DIFFER >= operation.begun_at;
        if is_new || record.is_archived() || record.forgotten.is_some() {
            continue;
        }
        let event = ids::action_event_id(&operation.id, &starts.object, &record.id);
        let outcome = (event.clone(), starts.workflow.clone());
        let began = monitor.has_begun(&ids::execution_id(&event, &starts.workflow));
        let is_known = monitor.refusals.contains(&outcome) || monitor.debounced.contains_key(&outcome);
        if !began && !is_known && !monitor.actions.is_told(&operation.id, &record.id) {
            broken.push((2, format!("action {} has forgotten the record {}", operation.id, record.id)));
        }
    }
}
