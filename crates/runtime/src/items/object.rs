//! An object: the schema of a record type, as it is now and in its revisions.

use pawl_definition::Object;

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Workflows;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::Nothing);

/// The partition of all objects: one, so that a strong query reads them together.
pub const ALL: &str = "objects";

/// The partition of the revisions of all objects.
pub const REVISIONS: &str = "object-revisions";

/// Its key.
pub fn key(id: &str) -> Key {
    Key::new(ALL, id)
}

/// As stored.
pub fn item(object: &Object, version: u64) -> Item {
    Item { key: key(&object.id), version, indexes: Vec::new(), expires_at: None, body: body(object) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Object, Unreadable> {
    read(item)
}

/// The key of an object as it was saved with a revision of the objects.
pub fn revision_key(id: &str, revision: u64) -> Key {
    Key::new(REVISIONS, format!("{id}#{revision:010}"))
}

/// A revision as stored; it never changes.
pub fn revision_item(object: &Object, revision: u64) -> Item {
    let key = revision_key(&object.id, revision);
    Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: body(object) }
}

/// The revision of the objects with which the object under a key was saved.
pub fn revision_of(key: &Key) -> Option<u64> {
    key.sort.rsplit_once('#')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use pawl_definition::{Contact, Field, FieldType, Relationship};
    use proptest::collection::{btree_map, vec};
    use proptest::option::of;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::items::arbitrary::{few, field_name, object_id, storable, text, value};
    use crate::items::kept_of;

    fn field() -> impl Strategy<Value = Field> {
        let kinds = [
            FieldType::Text,
            FieldType::Number,
            FieldType::Boolean,
            FieldType::Date,
            FieldType::Datetime,
            FieldType::Uuid,
            FieldType::Phone,
            FieldType::Email,
            FieldType::Option,
            FieldType::Member,
            FieldType::Object,
            FieldType::Url,
            FieldType::Money,
            FieldType::File,
        ];
        // A file that says `default: null` says nothing.
        let default = of(value().prop_filter("null is no default", |value| !value.is_null()));
        (select(kinds.to_vec()), of(text()), vec(text(), 0..3), any::<[bool; 4]>(), default).prop_map(
            |(kind, name, options, [many, required, unique, indexed], default)| Field {
                kind,
                name,
                options,
                many,
                required,
                unique,
                indexed,
                default,
            },
        )
    }

    fn object() -> impl Strategy<Value = Object> {
        let relationship = (object_id(), any::<bool>()).prop_map(|(object, many)| Relationship { object, many });
        let relationships = btree_map(field_name(), relationship, 0..3);
        let contact = (of(field_name()), of(field_name())).prop_map(|(email, phone)| Contact { email, phone });
        let people = (of(text()), of(field_name()), of(contact));
        (object_id(), people, btree_map(field_name(), field(), 0..4), vec(text(), 0..3), relationships).prop_map(
            |(id, (name, title, contact), fields, stages, relationships)| Object {
                id,
                name,
                fields,
                stages,
                relationships,
                title,
                contact,
            },
        )
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn an_object_is_read_as_it_was_stored(object in object(), version in 1_u64..9_999_999_999) {
            for item in [item(&object, version), revision_item(&object, version)] {
                prop_assert_eq!(storable(&item), Ok(()));
                prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
                prop_assert_eq!(parse(&item), Ok(object.clone()));
            }
        }

        #[test]
        fn revisions_of_an_object_stand_in_order(
            id in object_id(), one in 0_u64..10_000_000_000, other in 0_u64..10_000_000_000,
        ) {
            prop_assert_eq!(revision_of(&revision_key(&id, one)), Some(one));
            prop_assert_eq!(revision_key(&id, one).cmp(&revision_key(&id, other)), one.cmp(&other));
        }
    }
}
