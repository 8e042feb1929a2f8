//! A record, and the rows by which it is found by the values of its fields.

use pawl_definition::{Object, value};
use pawl_engine::{Record, RecordWrite, Subject};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable};
use crate::ports::{Expect, Index, IndexEntry, Item, Key, Table, Write};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Records;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::WithRecord, Erasure::WithRecord);

/// The table of the rows by value.
pub const VALUES: Table = Table::Keys;

/// The partitions that are spread: most executions write a record. The rows of an indexed field are not, since steps query
/// them.
pub const SPREAD: &[Spread] = &[Spread::keys("record"), Spread::keys("unique"), Spread::entries(Index::Gsi1, "object")];

/// Longest key of a value that stands in a key as it is, in bytes; of a longer one a digest does.
const VALUE_MOST: usize = 512;

/// The partition of an object's records, by id.
pub fn partition(object: &str) -> String {
    format!("record#{object}")
}

/// Its key.
pub fn key(subject: &Subject) -> Key {
    Key::new(partition(&subject.object), &subject.id)
}

/// The partition of an object's records, in the first index.
pub fn of_object(object: &str) -> String {
    format!("object#{object}")
}

/// As stored.
pub fn item(record: &Record) -> Item {
    let sort = sortable(record.created_at);
    let indexes = vec![IndexEntry { index: Index::Gsi1, partition: of_object(&record.object), sort }];
    Item { key: key(&record.subject()), version: record.version, indexes, expires_at: None, body: body(record) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Record, Unreadable> {
    read(item)
}

/// A value as it stands in a key, the same for equal values and for no others; `None` if it is blank. Of a long one it
/// is a digest: `l` stands for no type.
pub fn value_key(value: &Value) -> Option<String> {
    let key = value::index_key(value)?;
    let escaped = key.replace('\u{2}', "\u{2}2").replace(END, "\u{2}1");
    if escaped.len() <= VALUE_MOST {
        return Some(escaped);
    }
    let digest = Sha256::digest(key.as_bytes());
    Some(digest.iter().fold("l".to_owned(), |key, byte| format!("{key}{byte:02x}")))
}

/// The key of the row that claims a unique value.
pub fn unique_key(object: &str, field: &str, value: &str) -> Key {
    Key::new(format!("unique#{object}#{field}"), value)
}

/// What a row that claims a unique value says: object, field and value; `None` for any other item.
pub fn claimed(row: &Item) -> Option<(&str, &str, &str)> {
    let (object, field) = row.key.partition.strip_prefix("unique#")?.split_once('#')?;
    Some((object, field, &row.key.sort))
}

/// The partition of the rows of an indexed field.
pub fn value_partition(object: &str, field: &str) -> String {
    format!("value#{object}#{field}")
}

/// Ends a value in a sort key, and stands in none: what follows is the record's id.
const END: char = '\u{1}';

/// The sort key of a row of an indexed field begins so.
pub fn value_prefix(value: &str) -> String {
    format!("{value}{END}")
}

#[derive(Deserialize)]
struct Row {
    record: String,
}

/// The record id that a row by value leads to.
pub fn row_target(item: &Item) -> Result<String, Unreadable> {
    Ok(read::<Row>(item)?.record)
}

fn row(key: Key, record: &str) -> Item {
    Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: json!({"record": record}).to_string() }
}

/// The writes of one change of a record: itself, and its rows by value as far as values changed.
pub fn writes(change: &RecordWrite, object: Option<&Object>) -> Vec<Write> {
    let after = &change.after;
    let expect = change.before.as_ref().map_or(Expect::Absent, |before| Expect::Version(before.version));
    let mut writes = vec![Write::Put { table: TABLE, item: item(after), expect }];
    for (name, field) in object.map(|object| &object.fields).into_iter().flatten() {
        if !field.unique && !field.indexed {
            continue;
        }
        let before = change.before.as_ref().and_then(|before| before.fields.get(name)).and_then(value_key);
        let now = after.fields.get(name).and_then(value_key);
        if before == now {
            continue;
        }
        let key = |value: &String| {
            if field.unique {
                return unique_key(&after.object, name, value);
            }
            Key::new(value_partition(&after.object, name), format!("{}{}", value_prefix(value), after.id))
        };
        let expect = if field.unique { Expect::Absent } else { Expect::Any };
        writes.extend(before.iter().map(|value| Write::Delete { table: VALUES, key: key(value), expect: Expect::Any }));
        writes.extend(now.iter().map(|value| Write::Put { table: VALUES, item: row(key(value), &after.id), expect }));
    }
    writes
}

/// The writes by which a record becomes a tombstone: its rows by value go, and none come for what stands in the place of
/// its values.
pub fn forget(change: &RecordWrite, object: Option<&Object>) -> Vec<Write> {
    let nothing = Record { fields: Map::new(), ..change.after.clone() };
    let tombstone = item(&change.after);
    let mut writes = writes(&RecordWrite { before: change.before.clone(), after: nothing }, object);
    if let Some(Write::Put { item, .. }) = writes.first_mut() {
        *item = tombstone;
    }
    writes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pawl_definition::{Field, FieldType};
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, field_name, record, storable, subject, value};
    use crate::items::kept_of;
    use crate::ports::{Durability, Transaction};

    #[test]
    fn equal_values_have_one_key_and_others_have_their_own() {
        let key = |value: Value| value_key(&value).expect("it is not blank");
        assert_eq!(key(json!(1001)), key(json!(1001.0)));
        assert_ne!(key(json!(1)), key(json!("1")));
        assert_ne!(key(json!(7_615_917_337_495_251_231_u64)), key(json!(7_615_917_337_495_251_232_u64)));
        assert_ne!(key(json!("a\u{1}b")), key(json!("a\u{2}1b")));
        assert!(!key(json!("a\u{1}b")).contains(END));
    }

    #[test]
    fn a_long_value_has_a_key_too() {
        let long = |last: &str| value_key(&json!("x".repeat(2_000) + last)).expect("it is not blank");
        assert_eq!(long("a"), long("a"));
        assert_ne!(long("a"), long("b"));
        assert!(long("a").len() <= VALUE_MOST);
    }

    #[test]
    fn a_value_of_separators_has_a_key_that_leaves_room_for_an_id() {
        let value = |last: &str| value_key(&json!("\u{1}".repeat(500) + last)).expect("it is not blank");
        assert!(value("a").len() <= VALUE_MOST);
        assert_ne!(value("a"), value("b"));
    }

    /// What may be the value of a field: any JSON, also of the length at which a key takes a digest.
    fn field_value() -> impl Strategy<Value = Value> {
        let long =
            ("[\u{1}\u{2}a]", VALUE_MOST - 4..VALUE_MOST + 4).prop_map(|(sign, times)| json!(sign.repeat(times)));
        prop_oneof![3 => value(), 1 => long]
    }

    /// A field that is looked up: unique, or else indexed.
    fn looked_up() -> impl Strategy<Value = Field> {
        any::<bool>().prop_map(|unique| Field { unique, indexed: !unique, ..Field::of(FieldType::Text) })
    }

    /// The object of a record, with these fields.
    fn object(of: &Record, fields: BTreeMap<String, Field>) -> Object {
        Object {
            id: of.object.clone(),
            name: None,
            fields,
            stages: Vec::new(),
            relationships: BTreeMap::new(),
            title: None,
            contact: None,
        }
    }

    /// The rows by value as they stand after a change.
    fn applied(mut rows: BTreeMap<Key, Item>, writes: Vec<Write>) -> BTreeMap<Key, Item> {
        for write in writes {
            match write {
                Write::Put { table: VALUES, item, .. } => drop(rows.insert(item.key.clone(), item)),
                Write::Delete { table: VALUES, key, .. } => drop(rows.remove(&key)),
                _ => {}
            }
        }
        rows
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_record_is_read_as_it_was_stored(record in record()) {
            let item = item(&record);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(record));
        }

        #[test]
        fn another_record_has_another_key(one in subject(), other in subject()) {
            prop_assert_eq!(key(&one) == key(&other), one == other);
        }

        #[test]
        fn two_values_have_one_key_if_they_are_equal(one in field_value(), other in field_value()) {
            let keys = (value_key(&one), value_key(&other));
            prop_assert!(keys.0.iter().all(|key| key.len() <= VALUE_MOST && !key.contains(END)));
            prop_assert_eq!(keys.0 == keys.1, value::index_key(&one) == value::index_key(&other));
        }

        #[test]
        fn a_forgotten_record_is_found_by_no_value(
            made in record(), fields in btree_map(field_name(), looked_up(), 1..4), values in vec(field_value(), 4),
        ) {
            let object = object(&made, fields);
            let before = Record { fields: object.fields.keys().cloned().zip(values).collect(), ..made };
            let mut after = Record { version: before.version.saturating_add(1), ..before.clone() };
            after.forget(before.created_at);
            let rows = applied(BTreeMap::new(), writes(&RecordWrite { before: None, after: before.clone() }, Some(&object)));
            let writes = forget(&RecordWrite { before: Some(before), after: after.clone() }, Some(&object));
            let transaction = Transaction { writes: writes.clone(), durability: Durability::Ordered };
            prop_assert_eq!(transaction.validate(), Ok(()));
            let tombstone = writes.iter().find_map(|write| match write {
                Write::Put { table: TABLE, item, .. } => Some(parse(item)),
                _ => None,
            });
            prop_assert_eq!(tombstone, Some(Ok(after)));
            prop_assert_eq!(applied(rows, writes), BTreeMap::new());
        }

        #[test]
        fn a_record_is_found_by_its_values_and_by_no_former_ones(
            made in record(), fields in btree_map(field_name(), looked_up(), 1..4), values in vec(field_value(), 8),
        ) {
            let object = object(&made, fields);
            let mut values = values.into_iter();
            let mut next = || object.fields.keys().cloned().zip(values.by_ref()).collect();
            let before = Record { fields: next(), ..made.clone() };
            let after = Record { fields: next(), version: made.version.saturating_add(1), ..made };
            let creation = RecordWrite { before: None, after: before.clone() };
            let change = RecordWrite { before: Some(before), after: after.clone() };
            let mut rows = BTreeMap::new();
            for write in [creation, change] {
                let writes = writes(&write, Some(&object));
                let transaction = Transaction { writes: writes.clone(), durability: Durability::Ordered };
                prop_assert_eq!(transaction.validate(), Ok(()));
                rows = applied(rows, writes);
                prop_assert!(rows.values().all(|row| kept_of(VALUES, row) == Some(KEPT)));
            }
            for (name, field) in &object.fields {
                let Some(value) = after.fields.get(name).and_then(value_key) else { continue };
                let (partition, begins) = if field.unique {
                    (unique_key(&object.id, name, &value).partition, value.clone())
                } else {
                    (value_partition(&object.id, name), value_prefix(&value))
                };
                let is_met = |key: &Key| key.partition == partition && key.sort.starts_with(&begins);
                let found = rows.keys().find(|key| is_met(key)).cloned();
                let row = found.and_then(|key| rows.remove(&key)).expect("it is found by its value");
                prop_assert_eq!(row_target(&row), Ok(after.id.clone()));
                prop_assert_eq!(claimed(&row), field.unique.then_some((&*object.id, &**name, &*value)));
            }
            prop_assert!(rows.is_empty(), "it is found by former values: {:?}", rows);
        }
    }
}
