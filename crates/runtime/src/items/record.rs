//! A record, and the rows by which it is found by the values of its fields.

use pawl_definition::{Object, value};
use pawl_engine::{Record, RecordWrite, Subject};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable};
use crate::ports::{Expect, Index, IndexEntry, Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Records;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::WithRecord, Erasure::WithRecord);

/// The table of the rows by value.
pub const VALUES: Table = Table::Keys;

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
    if key.len() <= VALUE_MOST {
        return Some(key.replace('\u{2}', "\u{2}2").replace(END, "\u{2}1"));
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
