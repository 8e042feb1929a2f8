//! What guards the starts of a workflow: re-entry, cooldown, spacing, places, and the breaker's window.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::Subject;
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::StartWindow;
use crate::ports::{Item, Key, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long those of re-entry and of places are kept, and what of a person they may hold. The storage removes none; that
/// of the open execution is deleted when the execution ends.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::RecordId);

/// The same of cooldown and spacing, counted from the end of the span that they guard.
pub const KEPT_SPAN: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 7)), Erasure::RecordId);

/// The same of the breaker's window, counted from its end.
pub const KEPT_WINDOW: Kept = Kept::new(Retention::For(SignedDuration::from_secs(60)), Erasure::RecordId);

/// The partitions that are spread: each start on a record is a write, and nobody queries them.
pub const SPREAD: &[Spread] = &[Spread::keys("guard")];

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
    /// The starts of the last span, and those planned, of one block of the limit.
    Spacing(u8),
    /// How many executions run, of one block of the limit.
    ConcurrencySlots(u8),
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

/// Its key. Blocks after the first have partitions of their own: the load of one is bounded by its share of the limit.
pub fn key(workflow: &str, guard: Guard<'_>) -> Key {
    let partition = match guard {
        Guard::Spacing(block) | Guard::ConcurrencySlots(block) if block > 0 => format!("guard#{workflow}#{block}"),
        _ => format!("guard#{workflow}"),
    };
    let sort = match guard {
        Guard::Active(record) => format!("active#{record}"),
        Guard::Once(record) => format!("once#{record}"),
        Guard::Cooldown(record) => format!("cooldown#{record}"),
        Guard::Window(record) => format!("window#{record}"),
        Guard::Spacing(_) => "spacing".to_owned(),
        Guard::ConcurrencySlots(_) => "slots".to_owned(),
    };
    Key::new(partition, sort)
}

/// As stored.
pub fn item(key: Key, version: u64, state: &State, expires_at: Option<Timestamp>) -> Item {
    Item { key, version, indexes: Vec::new(), expires_at, body: body(state) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<State, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, few, storable, subject, time, workflow_id};
    use crate::items::kept_of;
    use crate::items::usage::counter;
    use crate::ports::rules::{add_to_counter, counter_body};

    fn state() -> impl Strategy<Value = State> {
        (of(derived_id("exe")), of(time()), vec(time(), 0..4)).prop_map(|(execution, at, starts)| {
            let mut recent = StartWindow::default();
            for start in starts {
                recent.add(start, SignedDuration::from_secs(60));
            }
            State { execution, at, recent }
        })
    }

    fn guards(record: &Subject) -> [Guard<'_>; 8] {
        [
            Guard::Active(record),
            Guard::Once(record),
            Guard::Cooldown(record),
            Guard::Window(record),
            Guard::Spacing(0),
            Guard::Spacing(1),
            Guard::ConcurrencySlots(0),
            Guard::ConcurrencySlots(31),
        ]
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_guard_is_read_as_it_was_stored(
            state in state(), workflow in workflow_id(), record in subject(), version in 1_u64.., until in of(time()),
        ) {
            for guard in guards(&record) {
                let item = item(key(&workflow, guard), version, &state, until);
                let kept = match guard {
                    Guard::Active(_) | Guard::Once(_) | Guard::ConcurrencySlots(_) => KEPT,
                    Guard::Cooldown(_) | Guard::Spacing(_) => KEPT_SPAN,
                    Guard::Window(_) => KEPT_WINDOW,
                };
                prop_assert_eq!(storable(&item), Ok(()));
                prop_assert_eq!(kept_of(TABLE, &item), Some(kept));
                prop_assert_eq!(parse(&item), Ok(state.clone()));
            }
        }

        #[test]
        fn another_guard_has_another_key(
            one in (workflow_id(), subject()), other in (workflow_id(), subject()),
        ) {
            let keys = |(workflow, record): &(String, Subject)| guards(record).map(|guard| key(workflow, guard));
            let different: BTreeSet<_> = keys(&one).into_iter().chain(keys(&other)).collect();
            let of_no_record = if one.0 == other.0 { 4 } else { 0 };
            prop_assert_eq!(different.len(), if one == other { 8 } else { 16 - of_no_record });
        }

        #[test]
        fn slots_are_counted_as_they_are_taken_and_given_back(taken in vec(any::<bool>(), 0..12), most in 1_i64..4) {
            let mut body: Option<String> = None;
            let mut held = 0;
            for takes in taken {
                let (amount, at_most) = if takes { (1, Some(most)) } else { (-1, None) };
                if let Some(count) = add_to_counter(body.as_deref(), amount, at_most).expect("it is a counter") {
                    body = Some(counter_body(count));
                }
                held = if takes { most.min(held + 1) } else { 0.max(held - 1) };
                let slots = key("w", Guard::ConcurrencySlots(0));
                let item = body.iter().map(|body| Item {
                    key: slots.clone(), version: 1, indexes: Vec::new(), expires_at: None, body: body.clone(),
                });
                prop_assert_eq!(item.map(|item| counter(&item)).next_back(), Some(Ok(held.unsigned_abs())));
            }
        }
    }
}
