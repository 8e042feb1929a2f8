//! What must be gone: the values of people who are forgotten, and all of executions that have expired.

use futures::FutureExt;
use pawl_engine::Execution;
use pawl_runtime::items;
use pawl_runtime::ports::{BlobKey, BlobOwner, Item, Table};
use pawl_testkit::scenario::TABLES;

use super::hub::{Hub, State};
use super::monitor::Broken;
use super::script::mail;

/// Looks for what should not be there.
pub(super) fn check(hub: &Hub, state: &State, broken: &mut Vec<Broken>) {
    people(hub, state, broken);
    executions(hub, state, broken);
}

/// No value of a person stands anywhere but in what expires by itself.
fn people(hub: &Hub, state: &State, broken: &mut Vec<Broken>) {
    for record in &state.seen_to {
        let value = mail(&record.id);
        for item in TABLES.iter().flat_map(|table| hub.store.items(*table)).filter(|item| !expires_by_itself(item)) {
            if format!("{item:?}").contains(&value) {
                let at = format!("{}/{}", item.key.partition, item.key.sort);
                broken.push((12, format!("{at}: has a value of {record}, which was forgotten")));
            }
        }
        for key in hub.store.blob_keys().into_iter().filter(|key| has_owner(state, key)) {
            let content = hub.store.blobs().get(&key).now_or_never().expect("memory answers at once");
            if content.is_ok_and(|content| String::from_utf8_lossy(&content).contains(&value)) {
                broken.push((12, format!("the blob {key} has a value of {record}, which was forgotten")));
            }
        }
    }
}

/// Whether a blob belongs to an execution or to the event of one. The others are of events that started nothing, which the
/// service deletes by their age, or were stored for a start that was cut off, and refused when it was tried again.
fn has_owner(state: &State, key: &BlobKey) -> bool {
    let is_of =
        |head: &Execution| key.is_of(&BlobOwner::execution(&head.id)) || key.is_of(&BlobOwner::event(&head.event_id));
    state.monitor.heads.values().any(is_of)
}

/// Notices, deliveries and refusals do. An execution that has ended and the history of a record do too, but are to lose their
/// values before.
fn expires_by_itself(item: &Item) -> bool {
    let is_history = item.key.partition.starts_with("changes#");
    item.expires_at.is_some() && !is_history && (items::execution::id(&item.key).is_none() || is_refusal(item))
}

fn is_refusal(item: &Item) -> bool {
    items::execution::id(&item.key).is_some() && matches!(items::refusal::parse(item), Ok(Some(_)))
}

/// Nothing of an execution is left, but why a late event did not start it again.
fn executions(hub: &Hub, state: &State, broken: &mut Vec<Broken>) {
    if state.monitor.expired.is_empty() {
        return;
    }
    let items = hub.store.items(Table::Executions);
    let blobs = hub.store.blob_keys();
    for id in &state.monitor.expired {
        let partition = items::execution::key(id).partition;
        if let Some(item) = items.iter().find(|item| item.key.partition == partition && !is_refusal(item)) {
            broken.push((12, format!("{id}: has expired, and {} is left of it", item.key.sort)));
        }
        // A refusal that came into its place may have the event.
        if items.iter().any(|item| item.key == items::execution::key(id)) {
            continue;
        }
        let owner = BlobOwner::execution(id);
        if let Some(key) = blobs.iter().find(|key| key.is_of(&owner)) {
            broken.push((12, format!("{id}: has expired, and the blob {key} is left of it")));
        }
    }
}
