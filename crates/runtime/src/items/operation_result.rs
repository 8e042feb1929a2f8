//! A target that an action did not touch as it should: one that was refused, or that failed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, operation, read};
use crate::operations::{Reason, Verdict};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, from the beginning of the action on, and what of a person it may hold: the id of a record, and an
/// error that names a value.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 90)), Erasure::WhenExpired);

/// What its sort key begins with.
pub const PREFIX: &str = "result#";

/// A target, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationResult {
    /// Id of the execution, or of the record.
    pub target: String,
    /// Refused or failed.
    pub verdict: Verdict,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
}

/// Its key: a target stands in the list once.
pub fn key(operation: &str, target: &str) -> Key {
    Key::new(operation::partition(operation), format!("{PREFIX}{target}"))
}

/// As stored; `begun_at` is when the action began.
pub fn item(operation: &str, begun_at: Timestamp, result: &OperationResult) -> Item {
    let key = key(operation, &result.target);
    Item { key, version: 1, indexes: Vec::new(), expires_at: KEPT.expires_at(begun_at), body: body(result) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<OperationResult, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::items::arbitrary::{few, record_id, storable, text, time};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_result_is_read_as_it_was_stored(target in record_id(), at in time(), message in text()) {
            let result = OperationResult {
                target,
                verdict: Verdict::Refused,
                reason: Reason { code: "reentry".to_owned(), message },
            };
            let item = item("retry.1", at, &result);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(result));
        }

        #[test]
        fn results_stand_beside_their_operation(id in select(vec!["retry.1", "start.2"])) {
            prop_assert_eq!(key(id, "exe_1").partition, operation::key(id).partition);
        }
    }
}
