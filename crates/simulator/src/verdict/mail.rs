//! What must hold of messages at rest: what became of each that was acknowledged came to an execution or a refusal of every workflow
//! that listened, on every ticket with the address, and started it there once.

use std::collections::{BTreeMap, BTreeSet};

use pawl_engine::{Event, Record, ids};
use pawl_runtime::items;
use pawl_runtime::ports::{Item, Table};

use super::posts::{SINCE, listeners};
use crate::hub::{Hub, State};
use crate::monitor::{Broken, Monitor};
use crate::posting::stored_event;
use crate::task::Accepted;

/// Checks them.
pub(super) fn check(hub: &Hub, state: &State, (items, accepted): (&[Item], &[Accepted]), broken: &mut Vec<Broken>) {
    starts(&state.monitor, items, broken);
    let records = hub.store.items(Table::Records);
    let tickets: Vec<Record> = records
        .iter()
        .filter(|item| item.key.partition == items::record::partition("ticket"))
        .filter_map(|item| items::record::parse(item).ok())
        .collect();
    let acknowledged: BTreeSet<_> = accepted.iter().map(|accepted| &accepted.event).collect();
    for (since, told) in acknowledged.iter().filter_map(|id| state.posts.get(*id)) {
        let Some(address) = told.mail_address() else { continue };
        let has_address = |ticket: &&Record| {
            ticket.fields.get("mail").is_some_and(|mail| mail == address)
                && since.duration_since(ticket.created_at) >= SINCE
        };
        for event in tickets.iter().filter(has_address).map(|ticket| told.about(&ticket.subject())) {
            let lost = |workflow: &&String| !has_come(&state.monitor, workflow, &event);
            let told = |workflow: &String| {
                (
                    2,
                    format!(
                        "the message event {} was acknowledged, and {workflow}, which listens, was not told",
                        event.id
                    ),
                )
            };
            broken.extend(listeners(&state.monitor, *since, &event).into_iter().filter(lost).map(told));
        }
    }
}

/// Whether an event came to an execution, a refusal, or a window of events.
fn has_come(monitor: &Monitor, workflow: &str, event: &Event) -> bool {
    let key = (event.id.clone(), workflow.to_owned());
    monitor.has_begun(&ids::execution_id(&event.id, workflow))
        || monitor.refusals.contains(&key)
        || monitor.debounced.contains_key(&key)
}

/// What was told of a message under one id started a workflow on a record once.
fn starts(monitor: &Monitor, items: &[Item], broken: &mut Vec<Broken>) {
    let mut started: BTreeMap<(String, String, String), BTreeSet<&String>> = BTreeMap::new();
    for item in items {
        let Some(event) = stored_event(item).filter(|event| event.fork.is_none()) else { continue };
        let head = item.key.partition.strip_prefix("execution#").and_then(|id| monitor.heads.get(id));
        // A lane or slice has the event of its whole.
        let head = head.filter(|head| head.parent.is_none());
        let message = event.data.get("email").and_then(|email| email["message_id"].as_str());
        if let (Some(head), Some(record), Some(message)) = (head, &event.subject, message) {
            let key = (head.workflow.clone(), record.to_string(), message.to_owned());
            started.entry(key).or_default().insert(&head.id);
        }
    }
    for ((workflow, record, message), executions) in started.iter().filter(|(_, executions)| executions.len() > 1) {
        let text =
            format!("what was told of {message:?} has started {workflow} on {record} several times: {executions:?}");
        broken.push((2, text));
    }
}
