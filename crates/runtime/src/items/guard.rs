//! What guards the starts of a workflow: re-entry, cooldown, spacing, places, and the breaker's window.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::Subject;
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::StartWindow;
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long those of re-entry and of places are kept, and what of a person they may hold. The storage removes none; that
/// of the open execution is deleted when the execution ends.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::RecordId);

/// The same of cooldown and spacing, counted from the end of the span that they guard.
pub const KEPT_SPAN: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 7)), Erasure::RecordId);

/// The same of the breaker's window, counted from its end.
pub const KEPT_WINDOW: Kept = Kept::new(Retention::For(SignedDuration::from_secs(60)), Erasure::RecordId);

/// What is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard<'a> {
    /// The one open execution of a record.
    Active(&'a Subject),
    /// The one execution of a record, ever.
    Once(&'a Subject),
    /// The last start on a record.
    Cooldown(&'a Subject),
    /// The starts on a record within the last minute.
    Window(&'a Subject),
    /// The starts of the last span, and those planned.
    Spacing,
    /// How many executions run.
    ConcurrencySlots,
}

/// The state of a guard. Each uses its own fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// The execution that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// Last start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The starts of the last span, planned ones too.
    #[serde(default, skip_serializing_if = "StartWindow::is_empty")]
    pub recent: StartWindow,
}

/// Its key.
pub fn key(workflow: &str, guard: Guard<'_>) -> Key {
    let sort = match guard {
        Guard::Active(record) => format!("active#{record}"),
        Guard::Once(record) => format!("once#{record}"),
        Guard::Cooldown(record) => format!("cooldown#{record}"),
        Guard::Window(record) => format!("window#{record}"),
        Guard::Spacing => "spacing".to_owned(),
        Guard::ConcurrencySlots => "slots".to_owned(),
    };
    Key::new(format!("guard#{workflow}"), sort)
}

/// As stored.
pub fn item(key: Key, version: u64, state: &State, expires_at: Option<Timestamp>) -> Item {
    Item { key, version, indexes: Vec::new(), expires_at, body: body(state) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<State, Unreadable> {
    read(item)
}
