//! A definition of the installation that is neither a workflow nor an object: a group, a calendar, people. As it is now, and
//! in its revisions, of which what decisions may read is kept.

use jiff::Timestamp;
use pawl_definition::DefinitionKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Workflows;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::Nothing);

/// The same of the present members of an installation, with their names and addresses. No revision has these.
pub const KEPT_PEOPLE: Kept = Kept::new(Retention::Forever, Erasure::WithMember);

/// Whether the present members of an installation stand at a key.
pub fn is_of_people(key: &Key) -> bool {
    key.partition == ALL && named(key).is_some_and(|(kind, ..)| kind == DefinitionKind::People)
}

/// The partition of all definitions: one, so that a strong query reads them together.
pub const ALL: &str = "definitions";

/// The partition of the revisions of all definitions.
pub const REVISIONS: &str = "definition-revisions";

/// A definition as it was saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// Its revision, from 1; a deletion is one.
    pub revision: u64,
    /// Who saved it.
    pub saved_by: String,
    /// When.
    pub saved_at: Timestamp,
    /// As written, as JSON; null once it was deleted.
    pub source: Value,
}

/// Its key.
pub fn key(kind: DefinitionKind, id: &str) -> Key {
    Key::new(ALL, format!("{}/{id}", kind.word()))
}

/// As stored.
pub fn item(kind: DefinitionKind, id: &str, saved: &Saved) -> Item {
    let version = saved.revision;
    Item { key: key(kind, id), version, indexes: Vec::new(), expires_at: None, body: body(saved) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Saved, Unreadable> {
    read(item)
}

/// The key of a definition as it was saved with a revision of the objects and definitions.
pub fn revision_key(kind: DefinitionKind, id: &str, revision: u64) -> Key {
    Key::new(REVISIONS, format!("{}/{id}#{revision:010}", kind.word()))
}

/// A revision as stored; it never changes.
pub fn revision_item(kind: DefinitionKind, id: &str, saved: &Saved, revision: u64) -> Item {
    let key = revision_key(kind, id, revision);
    Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: body(saved) }
}

/// What stands under a key: its kind and id, and of a revision the one of the objects and definitions with which it was saved.
/// `None` of a kind that this version does not have.
pub fn named(key: &Key) -> Option<(DefinitionKind, &str, Option<u64>)> {
    let (word, rest) = key.sort.split_once('/')?;
    let (id, revision) = match rest.rsplit_once('#') {
        Some((id, revision)) => (id, Some(revision.parse().ok()?)),
        None => (rest, None),
    };
    Some((DefinitionKind::of(word)?, id, revision))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::items::arbitrary::{few, object_id, storable, text, time, value};
    use crate::items::kept_of;

    fn kind() -> impl Strategy<Value = DefinitionKind> {
        select(DefinitionKind::ALL.to_vec())
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_definition_is_read_as_it_was_stored(
            kind in kind(), id in object_id(), revision in 1_u64..9_999_999_999, saved_by in text(), saved_at in time(),
            source in value(),
        ) {
            let saved = Saved { revision, saved_by, saved_at, source };
            for item in [item(kind, &id, &saved), revision_item(kind, &id, &saved, revision)] {
                prop_assert_eq!(storable(&item), Ok(()));
                prop_assert_eq!(kept_of(TABLE, &item), Some(if is_of_people(&item.key) { KEPT_PEOPLE } else { KEPT }));
                prop_assert_eq!(parse(&item), Ok(saved.clone()));
            }
        }

        #[test]
        fn revisions_of_a_definition_stand_in_order(
            kind in kind(), id in object_id(), one in 0_u64..10_000_000_000, other in 0_u64..10_000_000_000,
        ) {
            let (present, former) = (key(kind, &id), revision_key(kind, &id, one));
            prop_assert_eq!(named(&present), Some((kind, id.as_str(), None)));
            prop_assert_eq!(named(&former), Some((kind, id.as_str(), Some(one))));
            prop_assert_eq!(revision_key(kind, &id, one).cmp(&revision_key(kind, &id, other)), one.cmp(&other));
        }
    }
}
