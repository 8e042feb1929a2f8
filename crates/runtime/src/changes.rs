//! Changes of records as events.

use pawl_definition::value;
use pawl_engine::{Event, EventType, Record, ids};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::items;
use crate::ports::{Item, RecordChange};

/// The event that a change of a record is; `None` if no field really changed, or the record was deleted.
pub(crate) fn event(change: &RecordChange) -> Result<Option<Event>, Error> {
    let parse = |item: &Option<Item>| item.as_ref().map(items::record::parse).transpose();
    let Some(new) = parse(&change.new)? else { return Ok(None) };
    // Nobody but an operator writes over a record that cannot be read: it is restored, and nothing happened to it.
    let Ok(old) = parse(&change.old) else { return Ok(None) };
    Ok(of_records(old.as_ref(), &new))
}

/// The event that a record makes in the place of another one.
pub(crate) fn of_records(old: Option<&Record>, new: &Record) -> Option<Event> {
    let was_there = old.filter(|old| !old.archived);
    let is_there = !new.archived;
    let changes = changed_fields(was_there, new);
    let (kind, unarchived) = match (was_there, is_there) {
        (None, true) => (EventType::RecordCreated, old.is_some()),
        (Some(_), true) if !changes.is_empty() => (EventType::FieldUpdated, false),
        (Some(_), true) | (_, false) => return None,
    };
    let mut data = Map::new();
    data.insert("changes".to_owned(), Value::Object(changes));
    if unarchived {
        data.insert("unarchived".to_owned(), true.into());
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
