//! What must hold of posted events at rest: each that was acknowledged came to an execution or a refusal of every workflow that
//! listened for it, and what was posted or published under one id started a workflow once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Event, Plan, ids, triggers};
use pawl_runtime::items;
use pawl_runtime::ports::Item;

use crate::hub::State;
use crate::monitor::{Broken, Monitor};
use crate::posting::{posted_id, stored_event};
use crate::script::POSTED;
use crate::task::Accepted;

/// How long a workflow must have listened before an event was first posted: clocks differ.
pub(super) const SINCE: SignedDuration = SignedDuration::from_mins(2);

/// Checks them.
pub(super) fn check(state: &State, (items, accepted): (&[Item], &[Accepted]), broken: &mut Vec<Broken>) {
    starts(&state.monitor, items, broken);
    let acknowledged: BTreeSet<_> = accepted.iter().filter(|accepted| accepted.trigger == POSTED).collect();
    for Accepted { event: id, .. } in acknowledged {
        let Some((since, event)) = state.posts.get(id) else {
            broken.push((2, format!("the event {id} was acknowledged, and nobody posted it")));
            continue;
        };
        for workflow in listeners(&state.monitor, *since, event) {
            let has_begun = state.monitor.has_begun(&ids::execution_id(id, workflow));
            let key = (id.clone(), workflow.clone());
            if !has_begun && !state.monitor.refusals.contains(&key) && !state.monitor.debounced.contains_key(&key) {
                broken
                    .push((2, format!("the event {id} was acknowledged, and {workflow}, which listens, was not told")));
            }
        }
    }
}

/// Workflows that have listened for an event since before it was first posted, and do still.
pub(super) fn listeners<'a>(monitor: &'a Monitor, since: Timestamp, event: &Event) -> Vec<&'a String> {
    let is_settled = |at: Timestamp| since.duration_since(at) >= SINCE;
    let listens = |head: &&items::workflow::Head| {
        if !head.active || !is_settled(head.saved_at) || !head.active_since.is_none_or(is_settled) {
            return false;
        }
        let Some(definition) = monitor.definitions(&head.id).last() else { return false };
        let plan = Plan::new(Arc::new(definition.clone()), head.revision);
        plan.workflow.triggers.iter().any(|trigger| triggers::matches(trigger, &plan, event))
    };
    monitor.workflows.values().filter(listens).map(|head| &head.id).collect()
}

/// What was posted under one id started a workflow once.
fn starts(monitor: &Monitor, items: &[Item], broken: &mut Vec<Broken>) {
    let mut started: BTreeMap<(String, String), BTreeSet<&String>> = BTreeMap::new();
    for item in items {
        let Some(event) = stored_event(item) else { continue };
        let head = item.key.partition.strip_prefix("execution#").and_then(|id| monitor.heads.get(id));
        // A lane or slice has the event of its whole.
        let head = head.filter(|head| head.parent.is_none());
        if let (None, Some(head), Some(id)) = (&event.fork, head, posted_id(&event)) {
            started.entry((head.workflow.clone(), id.to_owned())).or_default().insert(&head.id);
        }
    }
    for ((workflow, id), executions) in started.iter().filter(|(_, executions)| executions.len() > 1) {
        broken.push((2, format!("what was posted as {id:?} has started {workflow} several times: {executions:?}")));
    }
}
