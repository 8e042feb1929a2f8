//! The rules of the storage ports that every backend applies alike.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::copies::copies_of;

use super::{Expect, Item, Key, Message, Query, QueueError, Table, TableError, Timer, TimerError, Transaction, Write};

/// Most writes in one transaction; the bound of `DynamoDB`.
pub const MAX_WRITES: usize = 100;
/// Most keys in one `get_many`; the bound of `DynamoDB`.
pub const MAX_KEYS: usize = 100;
/// Largest body of an item in bytes: below `DynamoDB`'s 400 KB with room for keys and indexes.
pub const MAX_ITEM_BODY: usize = 380 * 1024;
/// Most levels of arrays and objects in a body: as many as the parser takes that reads it.
pub const MAX_BODY_DEPTH: usize = 127;
/// Largest body of a message in bytes: below the 256 KiB of SQS with room for attributes.
pub const MAX_MESSAGE_BODY: usize = 240 * 1024;
/// Largest sum of the bodies of one transaction in bytes: below the 4 MB of `DynamoDB` with room for keys and indexes.
pub const MAX_TRANSACTION_BODY: usize = 3 * 1024 * 1024;
/// Largest part of a key in bytes.
pub const MAX_KEY_PART: usize = 1024;
/// Largest sort key of an index entry in bytes, together with the item's primary key and a byte between each: that is
/// the sort key on `DynamoDB`, since ties are ordered by primary key.
pub const MAX_INDEX_SORT: usize = 1024;
/// Longest delay of a message; the bound of SQS.
pub const MAX_DELAY: SignedDuration = SignedDuration::from_secs(900);
/// Most items in one page.
pub const MAX_PAGE: usize = 1_000;

impl Item {
    /// Whether reads and expectations still see the item.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

impl Expect {
    /// Whether it holds of an item with this version, or of none.
    pub fn holds(self, version: Option<u64>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => version.is_none(),
            Self::Present => version.is_some(),
            Self::Version(expected) => version == Some(expected),
        }
    }
}

impl Write {
    /// The item that it is about.
    pub fn address(&self) -> (Table, &Key) {
        match self {
            Self::Put { table, item, .. } => (*table, &item.key),
            Self::Delete { table, key, .. } | Self::Check { table, key, .. } | Self::Add { table, key, .. } => {
                (*table, key)
            }
        }
    }
}

impl Transaction {
    /// Applies the rules of the port that need no stored state. A transaction without writes is valid: a durable
    /// one waits for all that came before.
    pub fn validate(&self) -> Result<(), TableError> {
        let copies = |write: &Write| match write {
            Write::Put { item: Item { key, .. }, .. } | Write::Delete { key, .. } => usize::from(copies_of(key)),
            Write::Check { .. } | Write::Add { .. } => 1,
        };
        let count: usize = self.writes.iter().map(copies).sum();
        if count > MAX_WRITES {
            return invalid(format!("expected at most {MAX_WRITES} writes, found {count}"));
        }
        let mut seen = BTreeSet::new();
        let mut body = 0;
        for write in &self.writes {
            let (table, key) = write.address();
            validate_key(key)?;
            if !seen.insert((table, key)) {
                return invalid(format!("the key {key:?} of {table:?} is named twice in one transaction"));
            }
            if let Write::Put { item, .. } = write {
                validate_item(item)?;
                if !is_readable(&item.body) {
                    return Err(TableError::TooDeep(item.key.clone()));
                }
                body += item.body.len() * copies(write);
            }
        }
        if body > MAX_TRANSACTION_BODY {
            return invalid(format!("expected bodies of at most {MAX_TRANSACTION_BODY} bytes together, found {body}"));
        }
        Ok(())
    }
}

fn validate_item(item: &Item) -> Result<(), TableError> {
    if item.body.len() > MAX_ITEM_BODY {
        return invalid(format!("expected a body of at most {MAX_ITEM_BODY} bytes, found {}", item.body.len()));
    }
    let mut indexes = BTreeSet::new();
    for entry in &item.indexes {
        validate_part(&entry.partition)?;
        validate_part(&entry.sort)?;
        let sort = entry.sort.len() + item.key.partition.len() + item.key.sort.len() + 2;
        if sort > MAX_INDEX_SORT {
            return invalid(format!(
                "expected the sort key of an index entry to have at most {MAX_INDEX_SORT} bytes with the item's key, \
                 found {sort}"
            ));
        }
        if !indexes.insert(entry.index) {
            return invalid(format!("the item {:?} has two entries in the index {:?}", item.key, entry.index));
        }
    }
    Ok(())
}

/// Whether a text of JSON is no deeper than the parser takes. What is stored and cannot be read again is lost, so this is
/// looked at where it is written.
pub fn is_readable(json: &str) -> bool {
    let opens = |byte: &u8| matches!(byte, b'[' | b'{');
    // Nearly all texts have fewer brackets than levels are allowed, and are not looked at closer.
    json.bytes().filter(opens).count() <= MAX_BODY_DEPTH || depth(json) <= MAX_BODY_DEPTH
}

/// Levels of a text of JSON. Brackets in its texts are none.
fn depth(json: &str) -> usize {
    let (mut level, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                level += 1;
                deepest = deepest.max(level);
            }
            b']' | b'}' if !in_text => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Checks the bounds of a key.
pub fn validate_key(key: &Key) -> Result<(), TableError> {
    validate_part(&key.partition)?;
    validate_part(&key.sort)
}

fn validate_part(part: &str) -> Result<(), TableError> {
    if part.is_empty() || part.len() > MAX_KEY_PART {
        return invalid(format!("expected a part of a key to have 1 to {MAX_KEY_PART} bytes, found {}", part.len()));
    }
    Ok(())
}

/// Checks how many keys one `get_many` names, and each of them.
pub fn validate_keys(keys: &[(Table, Key)]) -> Result<(), TableError> {
    if keys.len() > MAX_KEYS {
        return invalid(format!("expected at most {MAX_KEYS} keys, found {}", keys.len()));
    }
    keys.iter().try_for_each(|(_, key)| validate_key(key))
}

impl Query {
    /// Applies the rules of the port that need no stored state.
    pub fn validate(&self) -> Result<(), TableError> {
        if self.limit == 0 || self.limit > MAX_PAGE {
            return invalid(format!("expected a limit of 1 to {MAX_PAGE}, found {}", self.limit));
        }
        validate_part(&self.partition)
    }
}

/// Adds to a counter, given the body `{"count": n}` of the item that stands there, if any. Answers the new count,
/// or nothing if it would exceed `at_most`.
pub fn add_to_counter(body: Option<&str>, amount: i64, at_most: Option<i64>) -> Result<Option<i64>, TableError> {
    let count = body.map_or(Ok(0), read_counter)?;
    let sum = count.saturating_add(amount).max(0);
    Ok(at_most.is_none_or(|bound| sum <= bound).then_some(sum))
}

/// In the place of a body that a store cannot read, because it is damaged or another version packed it: it is no JSON,
/// so that each reader finds the item unreadable, and only that item.
pub fn unreadable_body() -> String {
    String::new()
}

/// The body of a counter item. Stored, do not rename.
pub fn counter_body(count: i64) -> String {
    format!("{{\"count\":{count}}}")
}

/// Reads the count of a counter item's body.
pub fn read_counter(body: &str) -> Result<i64, TableError> {
    let parsed: Option<serde_json::Value> = serde_json::from_str(body).ok();
    parsed
        .as_ref()
        .and_then(|value| value.get("count"))
        .and_then(serde_json::Value::as_i64)
        .ok_or_else(|| TableError::Invalid("expected a counter with the body {\"count\": n}".to_owned()))
}

impl Message {
    /// Applies the rules of the port.
    pub fn validate(&self) -> Result<(), QueueError> {
        validate_delay(self.delay)?;
        if self.body.len() > MAX_MESSAGE_BODY {
            let found = self.body.len();
            return Err(QueueError::Invalid(format!(
                "expected a body of at most {MAX_MESSAGE_BODY} bytes, found {found}"
            )));
        }
        Ok(())
    }
}

/// Checks the bounds of a delay.
pub fn validate_delay(delay: SignedDuration) -> Result<(), QueueError> {
    if delay.is_negative() || delay > MAX_DELAY {
        let bound = MAX_DELAY.as_secs();
        return Err(QueueError::Invalid(format!("expected a delay of 0 to {bound} s, found {delay:#}")));
    }
    Ok(())
}

impl Timer {
    /// Applies the rules of the port. The message's own delay is ignored, so it may be anything.
    pub fn validate(&self) -> Result<(), TimerError> {
        validate_timer_name(&self.name)?;
        if self.message.body.len() > MAX_MESSAGE_BODY {
            let found = self.message.body.len();
            return Err(TimerError::Invalid(format!(
                "expected a body of at most {MAX_MESSAGE_BODY} bytes, found {found}"
            )));
        }
        Ok(())
    }
}

/// Checks a timer's name: `[a-zA-Z0-9._-]{1,64}`, the names that `EventBridge` Scheduler takes.
pub fn validate_timer_name(name: &str) -> Result<(), TimerError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        return Err(TimerError::Invalid(format!(
            "expected a timer's name to be 1 to 64 of a-z, A-Z, 0-9, '.', '_', '-', found {name:?}"
        )));
    }
    Ok(())
}

fn invalid<T>(message: String) -> Result<T, TableError> {
    Err(TableError::Invalid(message))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_text_is_readable_if_and_only_if_the_parser_takes_its_depth() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let in_object = |levels: usize| format!(r#"{{"a":"x","b":{}}}"#, nested(levels - 1));
        for levels in [1, 2, MAX_BODY_DEPTH - 1, MAX_BODY_DEPTH, MAX_BODY_DEPTH + 1, MAX_BODY_DEPTH + 2, 5_000] {
            for text in [nested(levels), in_object(levels), format!("[{},{}]", nested(levels - 1), nested(1))] {
                assert_eq!(is_readable(&text), serde_json::from_str::<Value>(&text).is_ok(), "{levels} levels");
            }
        }
    }

    #[test]
    fn brackets_in_texts_are_no_levels() {
        for text in ["[".repeat(500), "\\\"[{".repeat(200), "\\\\".repeat(200) + &"{".repeat(200)] {
            let json = serde_json::json!({"text": text, (text.clone()): [1]}).to_string();
            assert!(is_readable(&json), "{json}");
        }
        assert!(is_readable(&format!("[{}]", vec!["[]"; 500].join(","))), "many lists beside each other");
    }
}
