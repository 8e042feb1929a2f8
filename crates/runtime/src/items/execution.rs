//! An execution's head, with the newest rows of its history, and the event that started it if that is small.
//!
//! A commit that touches nothing else is then a single write, which costs half of one in a transaction; rows move to
//! items of their own as they become many (`history.rs`), and a larger event has one from the beginning (`event.rs`).

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Event, Execution, Row, Status, Subject, TimerPurpose, Wake};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::{Erasure, Kept, NEITHER, Retention, Unreadable, body, misshapen, read, sortable, unreadable};
use crate::offload::may_refer;
use crate::ports::{HEAD, Index, IndexEntry, Item, Key, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold: variables, outputs, and in the newest rows what they were decided
/// on.
pub const KEPT: Kept = Kept::new(Retention::WithExecution, Erasure::WithExecution);

/// The partition of executions that wait, by when they are due, in the fourth index.
pub const DUE: &str = "due";

/// Its key.
pub fn key(id: &str) -> Key {
    Key::new(format!("execution#{id}"), HEAD)
}

/// The id of the execution whose head has this key; `None` if it is no head's.
pub fn id(head: &Key) -> Option<&str> {
    head.partition.strip_prefix("execution#").filter(|_| head.sort == HEAD)
}

/// The partition of a workflow's executions, in the first index.
pub fn of_workflow(workflow: &str) -> String {
    format!("workflow#{workflow}")
}

/// The partition of a record's executions, in the second index.
pub fn of_record(record: &Subject) -> String {
    format!("record#{record}")
}

/// The partition of the executions in a state, in the third index; those that move stand apart.
pub fn of_status(status: Status) -> String {
    format!("status#{status}")
}

/// The partition of the executions that are on the move, in the third index: due at once, soon, or at work. One that runs
/// through stays there from its beginning to its end, and costs that index nothing between.
pub const MOVING: &str = "moving";

/// The longest delay, and the longest wait for a retry, that stays among those that move: entries by state and due time cost
/// more than the sweeper, which reads who moves once a minute.
pub const SHORT_WAIT: SignedDuration = SignedDuration::from_mins(2);

/// The partitions that are spread: each execution enters and leaves them. That of a record is not: it has few.
pub const SPREAD: &[Spread] = &[
    Spread::entries(Index::Gsi1, "workflow"),
    Spread::entries(Index::Gsi3, MOVING),
    Spread::entries(Index::Gsi3, "status"),
    Spread::entries(Index::Gsi4, DUE),
];

/// Most bytes of an event that stands in the head, which each write of the head pays for anew.
pub const EVENT_MOST: usize = 1024;

/// What stands at the key of a head: the execution that an event started, or why it started none. `E` is the event as its
/// reader needs it.
#[derive(Deserialize)]
struct Stored<E> {
    #[serde(default)]
    execution: Option<Execution>,
    #[serde(default)]
    rows: Vec<Row>,
    #[serde(default)]
    refusal: Option<IgnoredAny>,
    event: Option<E>,
}

/// All that stands in a head.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    /// The execution.
    pub(crate) execution: Execution,
    /// The newest rows of its history, oldest first.
    pub(crate) rows: Vec<Row>,
    /// The event; none if it has an item of its own.
    pub(crate) event: Option<HeadEvent>,
}

/// An event as it stands in a head. A head can be read although its event cannot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeadEvent(Value);

impl HeadEvent {
    /// As text.
    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }

    /// Reads it.
    ///
    /// # Errors
    /// It does not have the shape of an event.
    pub(crate) fn read(&self, head: &Item) -> Result<Event, Unreadable> {
        Event::deserialize(&self.0).map_err(|error| unreadable(head, misshapen(&error)))
    }
}

/// As stored, with the newest rows of its history and without its event.
pub fn item(execution: &Execution, rows: &[Row]) -> Item {
    item_with_body(execution, body_of(&body(execution), &rows_body(rows), None))
}

/// A head with other contents and the event that stood in it.
///
/// # Errors
/// The item cannot be read.
pub fn changed(item: &Item, execution: &Execution, rows: &[Row]) -> Result<Item, Unreadable> {
    let event = parse_head(item)?.and_then(|head| head.event).map(|event| event.text());
    Ok(item_with_body(execution, body_of(&body(execution), &rows_body(rows), event.as_deref())))
}

/// A head with an event in it, however large that is.
pub(crate) fn item_with_event(execution: &Execution, rows: &[Row], event: &Event) -> Item {
    item_with_body(execution, body_of(&body(execution), &rows_body(rows), Some(&body(event))))
}

/// Rows as they stand in a head.
pub(crate) fn rows_body(rows: &[Row]) -> String {
    if rows.is_empty() { String::new() } else { body(&rows) }
}

/// The body of a head, given its parts as JSON; no rows are an empty text.
pub(crate) fn body_of(execution: &str, rows: &str, event: Option<&str>) -> String {
    let rows = if rows.is_empty() { String::new() } else { format!(r#","rows":{rows}"#) };
    let event = event.map_or(String::new(), |event| format!(r#","event":{event}"#));
    format!(r#"{{"execution":{execution}{rows}{event}}}"#)
}

/// An event as it stands in a head. An event that is large has an item of its own, and so has one of which values were
/// offloaded: by that item the removal of an expired execution finds them.
pub(crate) fn small_event(event: &Event) -> Option<String> {
    Some(body(event)).filter(|text| text.len() <= EVENT_MOST && !may_refer(text))
}

/// As stored, with a body that was made before (large values offloaded).
pub(crate) fn item_with_body(execution: &Execution, body: String) -> Item {
    let at = sortable(execution.created_at);
    let entry = |index, partition, sort: &str| IndexEntry { index, partition, sort: sort.to_owned() };
    let moves = moves(execution);
    let state = if moves { MOVING.to_owned() } else { of_status(execution.status) };
    let mut indexes = vec![entry(Index::Gsi1, of_workflow(&execution.workflow), &at), entry(Index::Gsi3, state, &at)];
    if let Some(record) = &execution.record {
        indexes.push(entry(Index::Gsi2, of_record(record), &at));
    }
    if let Some(due) = execution.due_at().filter(|_| !moves) {
        indexes.push(entry(Index::Gsi4, DUE.to_owned(), &sortable(due)));
    }
    Item { key: key(&execution.id), version: execution.version, indexes, expires_at: execution.expires_at, body }
}

/// Whether it is due at once, at work, or waits for a time that is near; it has not ended.
fn moves(execution: &Execution) -> bool {
    let begins_or_runs = matches!(execution.status, Status::Queued | Status::Running);
    let is_at_work = execution.wake == Wake::Job || !execution.leases.is_empty() || execution.requested.is_some();
    begins_or_runs && is_at_work || waits_briefly(execution)
}

fn waits_briefly(execution: &Execution) -> bool {
    let is_open = matches!(execution.status, Status::Running | Status::Waiting);
    let is_near = |at: Timestamp| at.duration_since(execution.updated_at) <= SHORT_WAIT;
    // A line may be long, and those who stand in it ask again and again.
    let is_brief = |purpose, at| matches!(purpose, TimerPurpose::Delay | TimerPurpose::Retry) && is_near(at);
    is_open && matches!(execution.wake, Wake::Timer { at, purpose } if is_brief(purpose, at))
}

/// Reads it; `None` if the event was refused.
pub fn parse(item: &Item) -> Result<Option<Execution>, Unreadable> {
    Ok(stored::<IgnoredAny>(item)?.execution)
}

/// What is neither is no refusal either: an execution would begin anew in its place.
fn stored<E: DeserializeOwned>(item: &Item) -> Result<Stored<E>, Unreadable> {
    let stored: Stored<E> = read(item)?;
    let is_either = stored.execution.is_some() || stored.refusal.is_some();
    if is_either { Ok(stored) } else { Err(unreadable(item, NEITHER)) }
}

/// Reads it with the newest rows of its history, oldest first, as they are stored.
pub fn parse_whole(item: &Item) -> Result<Option<(Execution, Vec<Row>)>, Unreadable> {
    let Stored { execution, rows, .. } = stored::<IgnoredAny>(item)?;
    Ok(execution.map(|execution| (execution, rows)))
}

/// Reads the event in it; `None` if that has an item of its own.
pub fn event(item: &Item) -> Result<Option<Event>, Unreadable> {
    Ok(stored(item)?.event)
}

/// Reads all of it; `None` if the event was refused.
pub(crate) fn parse_head(item: &Item) -> Result<Option<Head>, Unreadable> {
    let Stored { execution, rows, event, .. } = stored(item)?;
    Ok(execution.map(|execution| Head { execution, rows, event: event.map(HeadEvent) }))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{event, execution, few, row, storable};
    use crate::items::kept_of;
    use crate::items::refusal;
    use crate::spread::{SHARDS, shards_of};

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_head_is_read_as_it_was_stored(execution in execution(), rows in vec(row(), 0..3)) {
            let item = item(&execution, &rows);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(id(&item.key), Some(&*execution.id));
            prop_assert_eq!(item.expires_at, execution.expires_at);
            prop_assert_eq!(parse(&item), Ok(Some(execution.clone())));
            prop_assert_eq!(refusal::parse(&item), Ok(None), "an execution is no refusal");
            prop_assert_eq!(super::event(&item), Ok(None));
            prop_assert_eq!(parse_whole(&item), Ok(Some((execution, rows))));
        }

        #[test]
        fn an_event_in_a_head_is_read_as_it_was_and_stays_when_the_head_changes(
            execution in execution(), event in event(), rows in vec(row(), 0..3),
        ) {
            let text = body(&event);
            let of = |rows: &[Row]| body_of(&body(&execution), &rows_body(rows), Some(&text));
            let item = item_with_body(&execution, of(&rows));
            let event_of = |item: &Item| {
                let head = parse_head(item).expect("it is readable").expect("it is a head");
                head.event.map(|event| event.read(item)).transpose()
            };
            prop_assert_eq!(event_of(&item), Ok(Some(event.clone())));
            prop_assert_eq!(parse_whole(&item), Ok(Some((execution.clone(), rows))));
            let changed = changed(&item, &execution, &[]).expect("it is readable");
            prop_assert_eq!(event_of(&changed), Ok(Some(event)));
            prop_assert_eq!(event_of(&super::item(&execution, &[])), Ok(None));
        }

        #[test]
        fn a_head_stands_where_its_state_is_looked_for(execution in execution()) {
            let indexes = item(&execution, &[]).indexes;
            let within = |index| indexes.iter().find(|entry| entry.index == index).map(|entry| entry.partition.clone());
            prop_assert_eq!(within(Index::Gsi1), Some(of_workflow(&execution.workflow)));
            prop_assert_eq!(within(Index::Gsi2), execution.record.as_ref().map(of_record));
            let moves = within(Index::Gsi3).as_deref() == Some(MOVING);
            prop_assert!(moves || within(Index::Gsi3) == Some(of_status(execution.status)));
            prop_assert_eq!(moves || within(Index::Gsi4).is_some(), moves || execution.due_at().is_some());
            for entry in indexes.iter().filter(|entry| entry.index != Index::Gsi2) {
                prop_assert_eq!(shards_of(Some(entry.index), &entry.partition), SHARDS, "each execution writes there");
            }
        }
    }
}
