//! The installation's controls.

use pawl_engine::Act;
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::copies::Copied;
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Workflows;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::Nothing);

/// They are copied: each transition reads them.
pub const COPIED: Copied = Copied { kind: "installation", sort: "controls" };

/// The controls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Installation {
    /// Present while everything is killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed: Option<Act>,
    /// Counts saves of objects and of other definitions, so that caches know theirs are old.
    #[serde(default)]
    pub objects_revision: u64,
    /// Counts changes of what is listened on, for the same reason.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub listening: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Its key.
pub fn key() -> Key {
    Key::new("installation", "controls")
}

/// As stored.
pub fn item(installation: &Installation, version: u64) -> Item {
    Item { key: key(), version, indexes: Vec::new(), expires_at: None, body: body(installation) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Installation, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{act, few, storable};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn controls_are_read_as_they_were_stored(
            killed in of(act()), objects_revision in any::<u64>(), listening in any::<u64>(), version in 1_u64..,
        ) {
            let controls = Installation { killed, objects_revision, listening };
            let item = item(&controls, version);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(controls));
        }
    }
}
