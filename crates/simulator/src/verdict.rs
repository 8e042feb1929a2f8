//! What must hold of a world that does not move any more.

mod actions;
mod activities;
mod changes;
mod dates;
mod debounced;
mod ends;
mod forks;
mod mail;
mod posts;
mod schedules;
mod signals;

use std::collections::{BTreeMap, BTreeSet};

use pawl_engine::steps::{awaited_children, children_of_row, controls_of_row};
use pawl_engine::{Execution, Hold, Row, Status, Subject, Wake, ids};
use pawl_runtime::items;
use pawl_runtime::items::guard::Guard;
use pawl_runtime::ports::{Clock, Item, Key, Table};
use serde_json::Value;

use super::erased;
use super::hub::Hub;
use super::monitor::{Broken, Monitor, same_slots};
use super::replayed;
use super::script::{POSTED, SIGNAL};
use super::task::Accepted;

/// As many blocks as any limit has.
const BLOCKS_MOST: u8 = 32;

/// Checks everything, and stops the run at the first invariant that does not hold.
pub(super) fn check(hub: &Hub, accepted: &[Accepted]) {
    hub.lock().monitor.expire(hub.now());
    let items = hub.store.items(Table::Executions);
    let mut broken = Vec::new();
    let ids = hub.lock().monitor.whole();
    {
        let state = hub.lock();
        histories(&state.monitor, &items, &mut broken);
        events(&state.monitor, accepted, &mut broken);
        waiters(&state.monitor, &items, &mut broken);
        slots(&state.monitor, &items, &mut broken);
        slots_of_keys(&state.monitor, &items, &mut broken);
        free_slots(&state.monitor, &mut broken);
        line(&state.monitor, &items, &mut broken);
        for operation in &state.monitor.operations {
            broken.push((3, format!("operation {operation} is not over and nothing carries it on")));
        }
        for head in state.monitor.heads.values().filter(|head| head.has_news()) {
            broken.push((3, format!("{}: has ended, and not all are told; {:?} are not", head.id, head.to_tell)));
        }
        family(&state.monitor, &mut broken);
        controls(&state.monitor, &mut broken);
        actions::check(hub, &state.monitor, &mut broken);
        forks::check(&state.monitor, &items, &mut broken);
        erased::check(hub, &state, &mut broken);
        changes::check(hub, &mut broken);
        debounced::check(hub, &state.monitor, &items, &mut broken);
        ends::check(&state.monitor, &mut broken);
        activities::check(&state.monitor, hub.now(), &mut broken);
        dates::check(&state.monitor, hub.now(), &mut broken);
        posts::check(&state, (&items, accepted), &mut broken);
        mail::check(hub, &state, (&items, accepted), &mut broken);
        schedules::check(&state.monitor, hub.now(), &mut broken);
        signals::check(hub, &state.monitor, (&items, accepted), &mut broken);
        for head in state.monitor.open() {
            if let Some(why) = stuck(hub, &state.monitor, head) {
                broken.push((3, format!("{}: {why}", head.id)));
            }
        }
    }
    replayed::check(hub, &ids, &mut broken);
    for (number, text) in broken {
        hub.violate(number, text);
    }
}

/// Each history begins at 0 and has neither gaps nor twins.
fn histories(monitor: &Monitor, items: &[Item], broken: &mut Vec<Broken>) {
    for head in monitor.heads.values() {
        let stored = stored_rows(items, &head.id);
        let seqs: Vec<_> = stored.iter().map(|row| row.seq).collect();
        if seqs != (0..=head.seq).collect::<Vec<_>>() {
            broken.push((1, format!("{}: expected rows up to {}, found {seqs:?}", head.id, head.seq)));
        }
        if monitor.rows.get(&head.id) != Some(&stored) {
            broken.push((1, format!("{}: its rows are not those that were committed", head.id)));
        }
    }
}

/// The rows of an execution: those that moved out of its head, and those in it.
fn stored_rows(items: &[Item], execution: &str) -> Vec<Row> {
    let partition = items::history::partition(execution);
    let own = || items.iter().filter(|item| item.key.partition == partition);
    let moved = own().filter(|item| item.key.sort.starts_with(items::history::PREFIX));
    let mut rows: Vec<Row> =
        moved.flat_map(|item| items::history::parse(item).expect("rows have their shape")).collect();
    let head = own().find(|item| item.key == items::execution::key(execution));
    let head = head.and_then(|item| items::execution::parse_whole(item).expect("a head has its shape"));
    rows.extend(head.into_iter().flat_map(|(_, rows)| rows));
    rows
}

/// Every event that was acknowledged started its workflow, or was refused visibly. One for a goal's own webhook is
/// heard by whoever waits.
fn events(monitor: &Monitor, accepted: &[Accepted], broken: &mut Vec<Broken>) {
    let names_a_workflow = |accepted: &&Accepted| ![SIGNAL, POSTED].contains(&accepted.trigger.as_str());
    let starts = |accepted: &&Accepted| !accepted.trigger.starts_with("ring-") && names_a_workflow(accepted);
    for Accepted { event, workflow, .. } in accepted.iter().filter(starts) {
        let execution = ids::execution_id(event, workflow);
        let started = monitor.has_begun(&execution);
        let refused = monitor.refusals.contains(&(event.clone(), workflow.clone()));
        // A late delivery of what started an execution that has expired is refused.
        if started == refused && !(refused && monitor.expired.contains(&execution)) {
            let found = if started { "both" } else { "neither" };
            broken
                .push((2, format!("event {event} for {workflow}: expected an execution or a refusal, found {found}")));
        }
    }
}

/// What a step says it has done to others was done to them.
fn controls(monitor: &Monitor, broken: &mut Vec<Broken>) {
    for (by, rows) in &monitor.rows {
        for (execution, id) in rows.iter().flat_map(|row| controls_of_row(by, row)) {
            if !monitor.controls.is_done(&execution, &id) {
                broken.push((8, format!("{by}: says that it has controlled {execution}, which was not by {id}")));
            }
        }
    }
}

/// Who was waited for by one that was canceled is canceled too; who waits has a child that has not ended.
fn family(monitor: &Monitor, broken: &mut Vec<Broken>) {
    for head in monitor.open() {
        let is_stopped = |head: &Execution| head.killed.is_some() || head.stalled || monitor.is_killed(&head.workflow);
        match Hold::of(head, &monitor.heads) {
            // It joins when its parent goes on.
            Hold::Held(_) => continue,
            Hold::Canceled(by) if !is_stopped(head) => {
                let text = format!("{}: is {} although {by}, which waited for it, was canceled", head.id, head.status);
                broken.push((5, text));
            }
            Hold::Canceled(_) | Hold::Free => {}
        }
        let children = awaited_children(head);
        let has_ended = |id: &String| monitor.heads.get(id).is_none_or(|child| child.status.is_ended());
        if head.status == Status::Waiting && !is_stopped(head) && !children.is_empty() && children.iter().all(has_ended)
        {
            broken.push((3, format!("{}: waits although its children {children:?} have ended", head.id)));
        }
    }
    for head in monitor.heads.values() {
        let Some(parent) = &head.parent else { continue };
        if !monitor.has_begun(&parent.by.execution) {
            broken.push((4, format!("{}: its parent {} is not there", head.id, parent.by.execution)));
        }
    }
    for (id, rows) in &monitor.rows {
        let certain = rows.iter().flat_map(children_of_row).filter(|child| !child.is_doubtful);
        for child in certain.filter(|child| !monitor.has_begun(&child.execution)) {
            broken.push((4, format!("{id}: knows the child {}, which is not there", child.execution)));
        }
    }
}

/// Goals listen on what their heads say, and nobody else does.
fn waiters(monitor: &Monitor, items: &[Item], broken: &mut Vec<Broken>) {
    let expected: BTreeSet<Key> = monitor
        .heads
        .values()
        .flat_map(|head| {
            head.waiting.iter().flat_map(|waiting| &waiting.topics).map(|topic| items::waiter::key(topic, &head.id))
        })
        .collect();
    let found: BTreeSet<Key> =
        items.iter().map(|item| item.key.clone()).filter(|key| key.partition.starts_with("waiter#")).collect();
    if let Some(key) = expected.symmetric_difference(&found).next() {
        broken.push((
            3,
            format!("{}: listens on {} in its head or in the table, but not in both", key.sort, key.partition),
        ));
    }
}

/// The line holds those who wait for a place, and nobody else.
fn line(monitor: &Monitor, items: &[Item], broken: &mut Vec<Broken>) {
    let heads = monitor.heads.values().filter(|head| items::line::is_in(head));
    let expected: BTreeSet<Key> = heads.map(items::line::key).collect();
    let found: BTreeSet<Key> =
        items.iter().map(|item| item.key.clone()).filter(|key| key.partition.starts_with("line#")).collect();
    if let Some(key) = expected.symmetric_difference(&found).next() {
        broken.push((3, format!("{} {}: waits by its head or by the line, but not by both", key.partition, key.sort)));
    }
}

/// Slots are counted right, each in the block that it was taken from.
fn slots(monitor: &Monitor, items: &[Item], broken: &mut Vec<Broken>) {
    let counted = |key: &Key| {
        let counter = items.iter().find(|item| item.key == *key).map(items::usage::counter);
        counter.map_or(0, |count| count.expect("a counter has its shape"))
    };
    for workflow in monitor.workflows.keys() {
        for block in 0..=BLOCKS_MOST {
            let counted = counted(&items::guard::key(workflow, Guard::ConcurrencySlots(block)));
            let holds = |head: &&Execution| {
                head.workflow == *workflow && head.holds_slot == Some(block.into()) && head.slot_key.is_none()
            };
            let held = monitor.open().filter(holds).count();
            if usize::try_from(counted) != Ok(held) {
                broken.push((7, format!("{workflow}: {held} slots of block {block} are held, {counted} are counted")));
            }
        }
    }
}

/// Those who hold a slot of a key have it as an item, and nobody else.
fn slots_of_keys(monitor: &Monitor, items: &[Item], broken: &mut Vec<Broken>) {
    let held = monitor.open().filter_map(|head| {
        let key = items::slot::key(&head.workflow, head.slot_key.as_deref()?, head.holds_slot?);
        Some((key, head.id.clone()))
    });
    let held: BTreeMap<Key, String> = held.collect();
    let stored = items.iter().filter(|item| item.key.partition.starts_with("slots#"));
    let stored: BTreeMap<Key, String> =
        stored.map(|item| (item.key.clone(), items::slot::holder(item).expect("a slot has its shape"))).collect();
    for key in held.keys().chain(stored.keys()).filter(|key| held.get(key) != stored.get(key)) {
        let (held, stored) = (held.get(key), stored.get(key));
        broken.push((7, format!("{} {}: held by {held:?}, taken by {stored:?}", key.partition, key.sort)));
    }
}

/// Nobody waits for a slot while one is free: those in line have asked several times since anything happened. Those who are held
/// take none.
fn free_slots(monitor: &Monitor, broken: &mut Vec<Broken>) {
    for (id, workflow) in monitor.workflows.iter().filter(|(id, _)| !monitor.is_killed(id)) {
        let Some(limit) = &monitor.definition(id, workflow.revision).limits.concurrency else { continue };
        let is_ours = |head: &&Execution| head.workflow == *id && items::line::is_in(head) && !monitor.is_held(head);
        for waits in monitor.open().filter(is_ours) {
            // One that has begun with a pinned revision keeps to its limit.
            let own = &monitor.definition(id, waits.revision).limits.concurrency;
            let is_own = waits.keeps_revision || (workflow.pinned && waits.started_at.is_some());
            let most = own.as_ref().filter(|_| is_own).unwrap_or(limit).at_most;
            let holds = |head: &&Execution| head.holds_slot.is_some() && same_slots(head, waits);
            let held = monitor.open().filter(holds).count();
            if u32::try_from(held).is_ok_and(|held| held < most) {
                broken.push((3, format!("{}: waits for a slot, and {held} of {most} are held", waits.id)));
            }
        }
    }
}

/// Why an execution that does not move any more should.
fn stuck(hub: &Hub, monitor: &Monitor, head: &Execution) -> Option<String> {
    // What is stalled waits for a redrive.
    if head.killed.is_some() || head.stalled || head.status == Status::Paused || head.is_in_line() {
        return None;
    }
    if Hold::of(head, &monitor.heads) != Hold::Free {
        return None;
    }
    if head.wake != (Wake::Signal { until: None }) {
        return Some(format!("is {} since {} and should have woken by {:?}", head.status, head.updated_at, head.wake));
    }
    let workflow = &monitor.workflows[&head.workflow];
    let revision = if workflow.pinned || head.keeps_revision { head.revision } else { workflow.revision };
    let definition = monitor.definition(&head.workflow, revision);
    let cursor = head.cursor.as_deref()?;
    let Some(step) = definition.step(cursor) else {
        return Some(format!("waits for a signal at {cursor}, which was deleted"));
    };
    let until = step.kind.shape().awaits().until?.source();
    holds(hub, head, until).then(|| format!("waits at {cursor} although {until} holds at {}", hub.clock.now()))
}

/// Whether a condition of the form `record.<path> == "<text>"` holds.
fn holds(hub: &Hub, head: &Execution, until: &str) -> bool {
    let Some((path, text)) = until.strip_prefix("record.").and_then(|rest| rest.split_once(" == ")) else {
        return false;
    };
    let Some(mut subject) = head.record.clone() else { return false };
    let (chain, field) = path.rsplit_once('.').unwrap_or(("", path));
    for relationship in chain.split('.').filter(|name| !name.is_empty()) {
        let Some(id) = field_of(hub, &subject, relationship) else { return false };
        // Each relationship leads to a company.
        subject = Subject { object: "company".to_owned(), id };
    }
    field_of(hub, &subject, field).is_some_and(|value| format!("{value:?}") == text)
}

fn field_of(hub: &Hub, subject: &Subject, field: &str) -> Option<String> {
    let key = items::record::key(subject);
    let item = hub.store.items(Table::Records).into_iter().find(|item| item.key == key)?;
    let record = items::record::parse(&item).expect("a record has its shape");
    record.fields.get(field).and_then(Value::as_str).map(str::to_owned)
}
