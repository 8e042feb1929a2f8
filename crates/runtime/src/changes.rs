//! Changes of records and activities as events.

use pawl_definition::{ARCHIVED_AT, value};
use pawl_engine::{ActivityStatus, Event, EventType, Record, ids};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::items;
use crate::ports::{Item, RecordChange};

/// The events of a change of a record or an activity. There are none if no field of the record really changed, if it was deleted,
/// or if the change does not log the activity.
pub(crate) fn events(change: &RecordChange) -> Result<Vec<Event>, Error> {
    if change.new.iter().chain(&change.old).any(|item| items::activity::is_one(&item.key)) {
        return of_activity(change);
    }
    let parse = |item: &Option<Item>| item.as_ref().map(items::record::parse).transpose();
    let Some(new) = parse(&change.new)? else { return Ok(Vec::new()) };
    // Nobody but an operator writes over a record that cannot be read: it is restored, and nothing happened to it.
    let Ok(old) = parse(&change.old) else { return Ok(Vec::new()) };
    Ok(of_records(old.as_ref(), &new).into_iter().collect())
}

/// The events of the change that logs an activity. A later change, which forgets a record, has none.
fn of_activity(change: &RecordChange) -> Result<Vec<Event>, Error> {
    let parse = |item: &Option<Item>| item.as_ref().map(items::activity::parse).transpose();
    let Some(new) = parse(&change.new)? else { return Ok(Vec::new()) };
    let Ok(old) = parse(&change.old) else { return Ok(Vec::new()) };
    let was_open = old.is_none_or(|old| old.status == ActivityStatus::Open);
    Ok(if was_open { pawl_engine::logged(&new) } else { Vec::new() })
}

/// The event that a record makes in the place of another one. A record that comes back from the archive tells all its
/// fields, as a new one does.
pub(crate) fn of_records(old: Option<&Record>, new: &Record) -> Option<Event> {
    // What is forgotten is told to nobody: the values before would be in the event.
    if new.forgotten.is_some() {
        return None;
    }
    let was_there = old.is_some_and(|old| !old.is_archived());
    let comes_back = old.is_some() && !was_there && !new.is_archived();
    let mut changes = changed_fields(old.filter(|_| !comes_back), new);
    if let Some(old) = old.filter(|old| old.is_archived() != new.is_archived()) {
        changes.insert(ARCHIVED_AT.to_owned(), json!({"from": old.archived_at, "to": new.archived_at}));
    }
    let (kind, word) = match (old, new.is_archived()) {
        (None, true) => return None,
        (None, false) => (EventType::RecordCreated, None),
        (Some(_), false) if comes_back => (EventType::RecordCreated, Some("unarchived")),
        (Some(_), true) if was_there => (EventType::RecordArchived, None),
        (Some(_), _) if changes.is_empty() => return None,
        (Some(_), is_archived) => (EventType::FieldUpdated, is_archived.then_some("archived")),
    };
    let mut data = Map::new();
    data.insert("changes".to_owned(), Value::Object(changes));
    if let Some(word) = word {
        data.insert(word.to_owned(), true.into());
    }
    Some(Event {
        id: ids::change_event_id(&new.object, &new.id, new.version),
        kind,
        workflow: None,
        trigger: None,
        subject: Some(new.subject()),
        occurred_at: new.updated_at,
        data,
        creation: None,
        cause: new.cause.clone().unwrap_or_default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    })
}

fn changed_fields(old: Option<&Record>, new: &Record) -> Map<String, Value> {
    let empty = Map::new();
    let before = old.map_or(&empty, |old| &old.fields);
    let names: std::collections::BTreeSet<_> = before.keys().chain(new.fields.keys()).collect();
    let changed = names.into_iter().filter(|name| !value::unchanged(before.get(*name), new.fields.get(*name)));
    changed.map(|name| (name.clone(), json!({"from": before.get(name), "to": new.fields.get(name)}))).collect()
}
