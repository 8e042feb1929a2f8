//! Keys and shapes of every stored item, one file an item. They are the same on every backend.
//!
//! | access pattern | table | key or index |
//! | --- | --- | --- |
//! | a workflow's head; all of them | workflows | `workflow#<id>` / `head`; First: `workflows` by id |
//! | a revision; all of a workflow | workflows | `workflow#<id>` / `revision#<n>` |
//! | workflows that listen on a topic, by what they ask; the dimensions that are in use | workflows | `listen#<topic>` / `<dimension>\|<values>\|<workflow>`, `!dimensions` |
//! | an object; all of them | workflows | `objects` / `<id>` |
//! | the objects as they were, to decide again what was decided on them | workflows | `object-revisions` / `<id>#<revision of the objects>` |
//! | groups, calendars, people and other definitions; all of them | workflows | `definitions` / `<kind>/<id>` |
//! | the same as they were, to decide again what was decided on them | workflows | `definition-revisions` / `<kind>/<id>#<revision of the objects>` |
//! | the installation's controls | workflows | `installation` / `controls` |
//! | who used the kill switch or redrove, newest first | workflows | `audit` / `<time>#<what>` |
//! | an execution's head, with the newest rows of its history | executions | `execution#<id>` / `head` |
//! | executions of a workflow, of a record, of a state, newest first | executions | First `workflow#<id>`, Second `record#<object>/<id>`, Third `status#<status>` or `moving`, by time |
//! | executions whose reason to wake is overdue | executions | Third `moving`, with those that wait for two minutes at most; others that wait: Fourth `due`, by time |
//! | the older rows of its history | executions | `execution#<id>` / `rows#<seq of the last>` |
//! | the event that started it | executions | `execution#<id>` / `event` |
//! | the forks of an execution | executions | `execution#<id>` / `fork#<fork>` |
//! | steps that listen on a topic, or to changes of one field of a record | executions | `waiter#<topic>` / `<execution>`, `~<field>\|<execution>` |
//! | steps that wait for a signal, the oldest first | executions | `waiter#signal/<name>/<key>` / `~<since>,<from>\|<execution>` |
//! | signals that nobody has received, first in first out; how many there may be | executions | `signals#signal/<name>/<key>` / `<number>`, `line` |
//! | a start that was refused, in the place of the head; all of a workflow, newest first | executions | `execution#<id>` / `head`; First `refusals#<workflow>` by time |
//! | re-entry, cooldown, spacing, slots | executions | `guard#<workflow>` / `<kind>#<record>`; blocks of a limit after the first: `guard#<workflow>#<block>` |
//! | the slots of a key that are taken, and by whom | executions | `slots#<workflow>#<digest of the key>` / `<number>` |
//! | events that are collected for one start, and their window; windows that close, by time | executions | `debounce#<workflow>#<digest of the key>` / `window`, `<id>#<number>`; First `windows` by time |
//! | a schedule with its next firing; schedules that are due, by time | executions | `schedule#<workflow>#<trigger>` / `schedule`; First `schedules` by time |
//! | when a trigger fires for a record, or for an activity; those that are due, by time | executions | `dates#<object>/<id>`, `dates#activity#<id>` / `<workflow>#<trigger>`; First `dates` by time |
//! | when an open activity is due; those that are due, by time | executions | `due#<activity>` / `due`; First `dates` by time |
//! | the member whom a step chose last in its round | executions | `position#<workflow>#<step>` / `position` |
//! | executions that wait for a slot, oldest first; of a key | executions | `line#<workflow>`, `line#<workflow>#<digest of the key>` / `<time>#<execution>` |
//! | what models cost in a day | executions | `usage#<workflow>` / `<date>#tokens`, `…#microusd`; the same of `usage#<workflow>#<block>` |
//! | what models cost the parts of an execution | executions | `execution#<id>` / `budget#tokens`, `budget#microusd` |
//! | an operation; those that are not over; all of them, newest first | executions | `operation#<id>` / `operation`; First `operations#running`, Second `operations`, by time |
//! | what an action did not do, and why, by the id of the execution or record; records that were given to it | executions | `operation#<id>` / `result#<id>`, `records#<number>` |
//! | where a loop of the sweeper goes on | executions | `sweep` / `<loop>` |
//! | notices; those not handed on yet | executions | `notices` by time; First `notices#unsent` |
//! | a record; records of an object, newest first | records | `record#<object>` / `<id>`; First `object#<object>` by time |
//! | an activity about records; all of them, newest first | records | `activity#<id>` / `activity`; First `activities` by time |
//! | activities of a record, of an assignee: the open ones by the time at which they are due, then the others | idempotency | `activities#<object>/<id>`, `assigned#<member>` / `open#<time>#<id>`, `over#<time>#<id>` |
//! | a record by the value of a field | idempotency | `value#<object>#<field>` / `<value>#<id>`, unique: `unique#<object>#<field>` / `<value>` |
//! | the changes of a record, newest first | idempotency | `changes#<object>/<id>` / `<version>` |
//! | a signal by its id; what became of it | idempotency | `signal` / `<id>`, `<id>#taken` |
//! | a delivery that was answered | idempotency | `delivery#<workflow>/<trigger>` / `<key>` |
//!
//! Items that each transition reads are copied: their modules declare it as `COPIED` (see [`crate::copies`]). `DynamoDB` keeps
//! such an item in 16, `copy#01#<partition>` to `copy#15#<partition>` beside the first.
//!
//! Partitions to which each execution may write are spread: their modules declare it as `SPREAD` (see [`crate::spread`]).
//! `DynamoDB` keeps such a partition in 16, `<partition>|00` to `<partition>|15`.

pub mod activity;
pub mod audit;
pub mod date;
pub mod debounce;
pub mod definition;
pub mod delivery;
pub mod due_activity;
pub mod event;
pub mod execution;
pub mod fork;
pub mod guard;
pub mod history;
pub mod installation;
pub mod line;
pub mod listener;
pub mod notice;
pub mod object;
pub mod operation;
pub mod operation_records;
pub mod operation_result;
pub mod position;
pub mod record;
pub mod record_change;
pub mod refusal;
pub mod schedule;
pub mod signal;
pub mod signal_line;
pub mod slot;
pub mod sweep;
pub mod tree_usage;
pub mod usage;
pub mod waiter;
pub mod workflow;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::ports::rules::unreadable_body;
use crate::ports::{Item, Key, Table};

/// How long the items of a module are kept, and what of a person's data they hold. Each module declares it as `KEPT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// How long.
    pub retention: Retention,
    /// What of a person's data they may hold.
    pub erasure: Erasure,
}

/// How long an item is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// For ever.
    Forever,
    /// As long as the execution that it belongs to.
    WithExecution,
    /// As long as the record that it belongs to.
    WithRecord,
    /// As long as the workflow that it belongs to.
    WithWorkflow,
    /// Until what it stands for is over; it is deleted then.
    UntilDone,
    /// So long after what it tells of: the storage removes it by itself.
    For(SignedDuration),
}

/// What of a person's data an item may hold, and with what it has to go when a record is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// No data of a record.
    Nothing,
    /// The id of a record, and none of its values.
    RecordId,
    /// Values of a record; it goes with the record.
    WithRecord,
    /// Values of a record; they go with the execution that it belongs to.
    WithExecution,
    /// Values of a record or of a request, in text; they go when the item expires.
    WhenExpired,
    /// Names and addresses of members; they go when the file of people is saved without them.
    WithMember,
}

impl Kept {
    /// Declares both.
    pub const fn new(retention: Retention, erasure: Erasure) -> Self {
        Self { retention, erasure }
    }

    /// When an item about this time expires; `None` if the storage does not remove it by itself.
    pub fn expires_at(&self, at: Timestamp) -> Option<Timestamp> {
        match self.retention {
            Retention::For(span) => Some(at.saturating_add(span).unwrap_or(Timestamp::MAX)),
            _ => None,
        }
    }
}

/// What the module of an item declares; `None` of an item that no module makes. What stands in the place of a head is an
/// execution or a refusal: its body says which.
pub fn kept_of(table: Table, item: &Item) -> Option<Kept> {
    let Key { partition, sort } = &item.key;
    let kind = partition.split_once('#').map_or(partition.as_str(), |(kind, _)| kind);
    let kept = match (table, kind) {
        (audit::TABLE, audit::PARTITION) => audit::KEPT,
        (definition::TABLE, definition::ALL) if definition::is_of_people(&item.key) => definition::KEPT_PEOPLE,
        (definition::TABLE, definition::ALL | definition::REVISIONS) => definition::KEPT,
        (installation::TABLE, "installation") => installation::KEPT,
        (listener::TABLE, "listen") => listener::KEPT,
        (object::TABLE, object::ALL | object::REVISIONS) => object::KEPT,
        (workflow::TABLE, "workflow") => workflow::KEPT,
        (execution::TABLE, "execution") => match sort.as_str() {
            "head" if matches!(refusal::parse(item), Ok(Some(_))) => refusal::KEPT,
            "head" => execution::KEPT,
            "event" => event::KEPT,
            tree_usage::TOKENS | tree_usage::MICROUSD => tree_usage::KEPT,
            rows if rows.starts_with(history::PREFIX) => history::KEPT,
            link if link.starts_with(fork::PREFIX) => fork::KEPT,
            _ => return None,
        },
        (guard::TABLE, "guard") => match sort.split_once('#').map_or(sort.as_str(), |(guard, _)| guard) {
            "active" | "once" | "slots" => guard::KEPT,
            "cooldown" | "spacing" => guard::KEPT_SPAN,
            "window" => guard::KEPT_WINDOW,
            _ => return None,
        },
        (line::TABLE, "line") => line::KEPT,
        (slot::TABLE, "slots") => slot::KEPT,
        (debounce::TABLE, "debounce") => debounce::KEPT,
        (schedule::TABLE, "schedule") => schedule::KEPT,
        (date::TABLE, "dates") => date::KEPT,
        (due_activity::TABLE, "due") => due_activity::KEPT,
        (position::TABLE, "position") => position::KEPT,
        (notice::TABLE, notice::PARTITION) => notice::KEPT,
        (operation::TABLE, "operation") => match sort.split_once('#').map_or(sort.as_str(), |(what, _)| what) {
            "operation" => operation::KEPT,
            "records" => operation_records::KEPT,
            "result" => operation_result::KEPT,
            _ => return None,
        },
        (sweep::TABLE, sweep::PARTITION) => sweep::KEPT,
        (usage::TABLE, "usage") => usage::KEPT,
        (waiter::TABLE, "waiter") => waiter::KEPT,
        (activity::TABLE, "activity") | (activity::ROWS, "activities" | "assigned") => activity::KEPT,
        (record::TABLE, "record") | (record::VALUES, "value" | "unique") => record::KEPT,
        (record_change::TABLE, "changes") => record_change::KEPT,
        (delivery::TABLE, "delivery") => delivery::KEPT,
        (signal::TABLE, "signal") => signal::KEPT,
        (signal_line::TABLE, "signals") => signal_line::KEPT,
        _ => return None,
    };
    Some(kept)
}

/// An item whose body does not have the shape that its key promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stored item {key} is not readable: {reason}")]
pub struct Unreadable {
    /// Its key.
    pub key: String,
    /// Why; holds nothing of its body.
    pub reason: String,
}

/// A time as text that sorts as the time does: UTC with six digits of a second. It is one of the years 0 to 9999, which are
/// all that clocks show.
pub fn sortable(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A body as stored.
pub(crate) fn body<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own shapes are JSON: string keys, finite numbers")
}

/// Reads a body.
pub(crate) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, Unreadable> {
    serde_json::from_str(&item.body).map_err(|error| {
        let is_damaged = item.body == unreadable_body();
        unreadable(item, if is_damaged { "its body cannot be read from storage".to_owned() } else { misshapen(&error) })
    })
}

/// An item cannot be read, for a reason that holds nothing of its body.
pub(crate) fn unreadable(item: &Item, reason: impl Into<String>) -> Unreadable {
    Unreadable { key: format!("{}/{}", item.key.partition, item.key.sort), reason: reason.into() }
}

/// Why what stands at the key of a head is nothing that may stand there.
pub(crate) const NEITHER: &str = "neither an execution nor a refusal";

/// What is wrong with JSON that was stored or sent, and where, without a word of it: what serde says of a wrong value may
/// quote it, and what becomes of this is logged.
pub(crate) fn misshapen(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Eof => "it ends too early",
        Category::Syntax => "not JSON",
        Category::Data => "not of the expected shape",
        Category::Io => "it cannot be read",
    };
    match error.line() {
        // It was text no longer when it was found to be wrong.
        0 => what.to_owned(),
        line => format!("{what} at line {line}, column {}", error.column()),
    }
}

#[cfg(test)]
pub(crate) mod arbitrary;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::arbitrary::{few, time};
    use super::*;

    #[test]
    fn an_item_expires_when_its_declaration_says() {
        let at = Timestamp::UNIX_EPOCH;
        let day = Kept::new(Retention::For(SignedDuration::from_hours(24)), Erasure::Nothing);
        assert_eq!(day.expires_at(at), Some(at + SignedDuration::from_hours(24)));
        assert_eq!(day.expires_at(Timestamp::MAX), Some(Timestamp::MAX));
        assert_eq!(Kept::new(Retention::UntilDone, Erasure::Nothing).expires_at(at), None);
    }

    #[test]
    fn what_no_module_makes_is_declared_by_none() {
        let at = |partition: &str, sort: &str| {
            let key = Key::new(partition, sort);
            Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: "{}".to_owned() }
        };
        assert_eq!(kept_of(Table::Executions, &at("execution#x", "head")), Some(execution::KEPT));
        assert_eq!(kept_of(Table::Executions, &at("execution#x", "notes")), None);
        assert_eq!(kept_of(Table::Executions, &at("guard#w", "other")), None);
        assert_eq!(kept_of(Table::Executions, &at("records#x", "head")), None);
        assert_eq!(kept_of(Table::Records, &at("execution#x", "head")), None, "it stands in another table");
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let (key, body) = (object::key("ticket"), r#"{"fields": "hunter2"}"#.to_owned());
        let item = Item { key, version: 1, indexes: Vec::new(), expires_at: None, body };
        let told = object::parse(&item).expect_err("fields are a map").to_string();
        assert_eq!(told, "stored item objects/ticket is not readable: not of the expected shape at line 1, column 20");
    }

    #[test]
    fn what_is_wrong_is_told_by_kind_and_place() {
        let told = |body: &str| misshapen(&serde_json::from_str::<Vec<bool>>(body).expect_err("it is wrong"));
        assert_eq!(told("[true,\n maybe]"), "not JSON at line 2, column 2");
        assert_eq!(told("[true, \"maybe\"]"), "not of the expected shape at line 1, column 14");
        assert_eq!(told("[true,"), "it ends too early at line 1, column 6");
        let parsed = serde_json::from_value::<Vec<bool>>(Value::from("maybe")).expect_err("it is wrong");
        assert_eq!(misshapen(&parsed), "not of the expected shape");
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn times_sort_as_texts_and_are_kept_to_the_microsecond(one in time(), other in time()) {
            let micros = |at: Timestamp| at.as_nanosecond().div_euclid(1_000);
            prop_assert_eq!(sortable(one).cmp(&sortable(other)), micros(one).cmp(&micros(other)));
            prop_assert_eq!(sortable(one).parse().ok().map(micros), Some(micros(one)));
        }
    }
}
