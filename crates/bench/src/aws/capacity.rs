//! What `DynamoDB` counts for a request, computed from the sizes of items: the emulator counts otherwise.
//!
//! From the developer guide, "`DynamoDB` read and write operations", "Item sizes and formats" and "Global secondary
//! indexes":
//! - A write costs a unit for each kilobyte or part of it, of the larger of the item before and after. In a transaction
//!   twice that; a condition check as much as a write of the item that it looks at.
//! - A read costs a unit for each 4 KB or part of it if it is strong, half of that if not; each item of a batch by
//!   itself, items of a query together; what is not there as much as the smallest item.
//! - An index costs as the change of what it holds: an entry that appears or goes is one write, one that moves is two,
//!   one that stays is none. Transactions do not double it: measured on the real service by the conformance suite of
//!   `dynoxide`, pull request 188.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::partitions::{Partition, Partitions, key_of};

/// Attributes of an item.
pub(super) type Item = Map<String, Value>;

/// Units of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Units {
    /// Write request units.
    pub(super) writes: f64,
    /// Read request units.
    pub(super) reads: f64,
}

impl std::ops::AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.writes += other.writes;
        self.reads += other.reads;
    }
}

/// Most indexes of a table; see ARCHITECTURE.md for how they are named.
const INDEXES: std::ops::RangeInclusive<u8> = 1..=4;

/// Tables as they are after all requests so far.
#[derive(Debug, Default)]
pub(super) struct Tables {
    items: BTreeMap<(String, String), Item>,
    written: BTreeMap<String, Written>,
    partitions: Partitions,
}

/// What was written of one kind of item.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    /// How often.
    pub(super) times: f64,
    /// Bytes, in all.
    pub(super) bytes: f64,
    /// Units of the table.
    pub(super) table: f64,
    /// Units of its indexes.
    pub(super) indexes: f64,
}

impl Tables {
    /// Counts a request that was answered with 200, and keeps what it wrote.
    pub(super) fn count(&mut self, operation: &str, request: &Value, answer: &Value) -> Units {
        match operation {
            "PutItem" => self.put(request, 1.0),
            "DeleteItem" => self.delete(request, 1.0),
            "UpdateItem" => self.update(request, 1.0),
            "TransactWriteItems" => self.transact(request),
            "GetItem" => {
                let units = reads(blocks(answer["Item"].as_object().map_or(0, size)), is_strong(request));
                self.partitions.add(table(request), None, key_of(keys(request), None), units);
                units
            }
            "BatchGetItem" => self.batch(request, answer),
            "Query" => {
                let items = answer["Items"].as_array().into_iter().flatten().filter_map(Value::as_object);
                let units = reads(blocks(items.map(size).sum()), is_strong(request));
                let index = request["IndexName"].as_str().and_then(|name| name.strip_prefix("index")?.parse().ok());
                let partition = request["ExpressionAttributeValues"][":partition"]["S"].as_str().unwrap_or_default();
                self.partitions.add(table(request), index, partition, units);
                units
            }
            _ => Units::default(),
        }
    }

    /// The partitions from which each member of a request takes something: each written or read item, in order. What it moves
    /// in indexes is among what it writes.
    pub(super) fn touched(&self, operation: &str, request: &Value) -> Vec<Vec<Partition>> {
        let base = |item: &Item| Partition::of(table(request), None, key_of(item, None));
        match operation {
            "PutItem" | "DeleteItem" | "UpdateItem" => vec![self.written_by(request)],
            "TransactWriteItems" => {
                let members = request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object);
                members.map(|member| member.values().flat_map(|write| self.written_by(write)).collect()).collect()
            }
            "GetItem" => vec![vec![base(keys(request))]],
            "Query" => {
                let index = request["IndexName"].as_str().and_then(|name| name.strip_prefix("index")?.parse().ok());
                let partition = request["ExpressionAttributeValues"][":partition"]["S"].as_str().unwrap_or_default();
                vec![vec![Partition::of(table(request), index, partition)]]
            }
            _ => Vec::new(),
        }
    }

    fn written_by(&self, write: &Value) -> Vec<Partition> {
        let after = write["Item"].as_object();
        let item = after.unwrap_or_else(|| keys(write));
        let own = Partition::of(table(write), None, key_of(item, None));
        let stays = write.get("Item").is_none() && write.get("UpdateExpression").is_some();
        let before = self.items.get(&key(write, item)).filter(|_| !stays);
        let moved = moves(before, after.filter(|_| !stays));
        let moved = moved.into_iter().map(|moved| Partition::of(table(write), Some(moved.index), &moved.partition));
        std::iter::once(own).chain(moved).collect()
    }

    /// What each partition took since this was asked last.
    pub(super) fn partitions(&mut self) -> Partitions {
        std::mem::take(&mut self.partitions)
    }

    fn batch(&mut self, request: &Value, answer: &Value) -> Units {
        let mut units = Units::default();
        for (table, asked) in request["RequestItems"].as_object().into_iter().flatten() {
            let found = answer["Responses"][table].as_array().map_or(&[][..], Vec::as_slice);
            let found: Vec<&Item> = found.iter().filter_map(Value::as_object).collect();
            for key in asked["Keys"].as_array().into_iter().flatten().filter_map(Value::as_object) {
                let item = found.iter().find(|item| key.iter().all(|(name, part)| item.get(name) == Some(part)));
                // What is not there is read as well.
                let each = reads(blocks(item.map_or(0, |item| size(item))), is_strong(asked));
                self.partitions.add(table, None, key_of(key, None), each);
                units += each;
            }
        }
        units
    }

    /// What was written since this was asked last, by kind of item.
    pub(super) fn written(&mut self) -> BTreeMap<String, Written> {
        std::mem::take(&mut self.written)
    }

    /// Notes a write, with what it moves in indexes.
    fn wrote(&mut self, write: &Value, item: &Item, (bytes, times): (usize, f64), moves: Vec<Moved>) -> Units {
        let units = writes(bytes, times);
        self.partitions.add(table(write), None, key_of(item, None), units);
        let mut indexes = 0.0;
        for Moved { index, partition, units } in moves {
            self.partitions.add(table(write), Some(index), &partition, Units { writes: units, reads: 0.0 });
            indexes += units;
        }
        let written = self.written.entry(kind(item)).or_default();
        written.times += 1.0;
        written.bytes += count(bytes);
        written.table += units.writes;
        written.indexes += indexes;
        Units { writes: units.writes + indexes, ..units }
    }

    fn transact(&mut self, request: &Value) -> Units {
        let mut units = Units::default();
        for member in request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object) {
            for (kind, write) in member {
                let item = write["Item"].as_object().unwrap_or_else(|| keys(write));
                self.partitions.transacted(table(write), item);
                units += match kind.as_str() {
                    "Put" => self.put(write, 2.0),
                    "Delete" => self.delete(write, 2.0),
                    "Update" => self.update(write, 2.0),
                    _ => {
                        let bytes = self.present(write).map_or(0, size);
                        self.wrote(write, keys(write), (bytes, 2.0), Vec::new())
                    }
                };
            }
        }
        units
    }

    fn put(&mut self, write: &Value, times: f64) -> Units {
        let after = write["Item"].as_object().cloned().unwrap_or_default();
        let before = self.items.insert(key(write, &after), after.clone());
        let bytes = size(&after).max(before.as_ref().map_or(0, size));
        self.wrote(write, &after, (bytes, times), moves(before.as_ref(), Some(&after)))
    }

    fn delete(&mut self, write: &Value, times: f64) -> Units {
        let before = self.items.remove(&key(write, keys(write)));
        let bytes = before.as_ref().map_or(0, size);
        self.wrote(write, keys(write), (bytes, times), moves(before.as_ref(), None))
    }

    /// An update of counters: the item grows by no more than the values of its expression.
    fn update(&mut self, write: &Value, times: f64) -> Units {
        let added = write["ExpressionAttributeValues"].as_object().map_or(0, size);
        let before = self.present(write).map_or_else(|| size(keys(write)), size);
        let item = keys(write).clone();
        self.items.entry(key(write, keys(write))).or_insert(item);
        self.wrote(write, keys(write), (before + added, times), Vec::new())
    }

    fn present(&self, write: &Value) -> Option<&Item> {
        self.items.get(&key(write, keys(write)))
    }
}

/// What kind of item it is: its keys without what differs from one to the next.
fn kind(item: &Item) -> String {
    let word = |name: &str| item.get(name).and_then(|key| key["S"].as_str()).unwrap_or_default().split('#').next();
    match (word("pk").unwrap_or_default(), word("sk").unwrap_or_default()) {
        ("execution" | "guard", sort) => format!("{} {sort}", word("pk").unwrap_or_default()),
        (partition, _) => partition.to_owned(),
    }
}

fn keys(write: &Value) -> &Item {
    write["Key"].as_object().expect("a write names an item or its key")
}

fn table(request: &Value) -> &str {
    request["TableName"].as_str().unwrap_or_default()
}

fn key(write: &Value, item: &Item) -> (String, String) {
    let part = |name: &str| item.get(name).map(|value| value["S"].to_string()).unwrap_or_default();
    (table(write).to_owned(), format!("{}{}", part("pk"), part("sk")))
}

fn is_strong(request: &Value) -> bool {
    request["ConsistentRead"] == true
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn writes(bytes: usize, times: f64) -> Units {
    Units { writes: count(bytes.div_ceil(1024).max(1)) * times, reads: 0.0 }
}

fn blocks(bytes: usize) -> usize {
    bytes.div_ceil(4096).max(1)
}

fn reads(blocks: usize, is_strong: bool) -> Units {
    Units { writes: 0.0, reads: count(blocks) * if is_strong { 1.0 } else { 0.5 } }
}

/// What a change of an item takes of a partition of an index.
struct Moved {
    index: u8,
    partition: String,
    units: f64,
}

/// What a change does to the indexes: what is there no longer, and what is new.
fn moves(before: Option<&Item>, after: Option<&Item>) -> Vec<Moved> {
    let mut moves = Vec::new();
    for index in INDEXES {
        let (before, after) = (entry(before, index), entry(after, index));
        if before == after {
            continue;
        }
        moves.extend(before.into_iter().chain(after).map(|entry| Moved {
            index,
            partition: key_of(&entry, Some(index)).to_owned(),
            units: count(size(&entry).div_ceil(1024).max(1)),
        }));
    }
    moves
}

/// What an index holds of an item: the keys of both.
fn entry(item: Option<&Item>, index: u8) -> Option<Item> {
    let item = item?;
    let (partition, sort) = (format!("i{index}p"), format!("i{index}s"));
    item.get(&partition)?;
    let names = ["pk", "sk", &partition, &sort];
    Some(names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect())
}

/// The size of an item: names and values of its attributes, texts in UTF-8.
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 0 };
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        // Two digits a byte, and one more.
        ("N", Value::String(digits)) => digits.trim_matches('0').len().div_ceil(2) + 1,
        ("B", Value::String(base64)) => base64.len() / 4 * 3,
        // Three bytes, and one more for each member.
        ("L", Value::Array(members)) => 3 + members.iter().map(|member| 1 + value_size(member)).sum::<usize>(),
        ("M", Value::Object(members)) => {
            3 + members.iter().map(|(name, member)| 1 + name.len() + value_size(member)).sum::<usize>()
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(sk: &str, bytes: usize, index: Option<&str>) -> Value {
        let mut item = json!({"pk": {"S": "p"}, "sk": {"S": sk}, "b": {"S": "x".repeat(bytes)}});
        if let Some(sort) = index {
            item["i1p"] = json!({"S": "all"});
            item["i1s"] = json!({"S": sort});
        }
        json!({"TableName": "t", "Item": item})
    }

    fn written(tables: &mut Tables, write: &Value) -> f64 {
        tables.count("TransactWriteItems", &json!({"TransactItems": [write]}), &Value::Null).writes
    }

    #[test]
    fn a_write_costs_the_larger_of_before_and_after_and_twice_in_a_transaction() {
        let mut tables = Tables::default();
        assert!((tables.count("PutItem", &put("a", 3000, None), &Value::Null).writes - 3.0).abs() < f64::EPSILON);
        assert!((written(&mut tables, &json!({"Put": put("a", 100, None)})) - 6.0).abs() < f64::EPSILON);
        assert!((written(&mut tables, &json!({"Put": put("a", 100, None)})) - 2.0).abs() < f64::EPSILON);
        let key = json!({"TableName": "t", "Key": {"pk": {"S": "p"}, "sk": {"S": "a"}}});
        assert!((written(&mut tables, &json!({"ConditionCheck": key})) - 2.0).abs() < f64::EPSILON);
        assert!((written(&mut tables, &json!({"Delete": key})) - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn an_index_costs_what_changes_in_it_and_is_not_doubled() {
        let mut tables = Tables::default();
        let mut index = |sort| written(&mut tables, &json!({"Put": put("a", 100, sort)})) - 2.0;
        assert!((index(Some("1")) - 1.0).abs() < f64::EPSILON, "it appears");
        assert!(index(Some("1")).abs() < f64::EPSILON, "it stays");
        assert!((index(Some("2")) - 2.0).abs() < f64::EPSILON, "it moves");
        assert!((index(None) - 1.0).abs() < f64::EPSILON, "it goes");
    }

    #[test]
    fn reads_are_counted_by_four_kilobytes_and_by_how_they_read() {
        let mut tables = Tables::default();
        let item = put("a", 5000, None)["Item"].clone();
        let key = json!({"pk": {"S": "p"}, "sk": {"S": "a"}});
        let strong = json!({"TableName": "t", "Key": key, "ConsistentRead": true});
        let read = tables.count("GetItem", &strong, &json!({"Item": item})).reads;
        assert!((read - 2.0).abs() < f64::EPSILON);
        let keys = json!([key, {"pk": {"S": "q"}, "sk": {"S": "a"}}]);
        let asked = json!({"RequestItems": {"t": {"Keys": keys, "ConsistentRead": true}}});
        let read = tables.count("BatchGetItem", &asked, &json!({"Responses": {"t": [item]}})).reads;
        assert!((read - 3.0).abs() < f64::EPSILON, "what is missing is read as well");
        let read = tables.count("Query", &json!({}), &json!({"Items": [item, item]})).reads;
        assert!((read - 1.5).abs() < f64::EPSILON, "a query rounds once");
    }

    #[test]
    fn a_write_takes_of_its_partition_and_of_those_that_it_moves_in() {
        let mut tables = Tables::default();
        written(&mut tables, &json!({"Put": put("a", 100, Some("1"))}));
        let mut moved = put("a", 100, Some("1"));
        moved["Item"]["i1p"]["S"] = json!("other");
        let check = json!({"TableName": "t", "Key": {"pk": {"S": "q"}, "sk": {"S": "a"}}});
        let request = json!({"TransactItems": [{"Put": moved}, {"ConditionCheck": check}]});
        let touched = tables.touched("TransactWriteItems", &request);
        let names = touched.iter().map(|member| member.iter().map(|partition| partition.key.as_str()).collect());
        assert_eq!(names.collect::<Vec<Vec<_>>>(), [vec!["p", "all", "other"], vec!["q"]]);
        assert_eq!(tables.partitions().units.len(), 2, "nothing is counted by asking");
    }

    #[test]
    fn each_partition_has_what_was_written_and_read_in_it() {
        let mut tables = Tables::default();
        written(&mut tables, &json!({"Put": put("a", 100, Some("1"))}));
        let mut moved = put("a", 3000, Some("1"));
        moved["Item"]["i1p"]["S"] = json!("other");
        tables.count("PutItem", &moved, &Value::Null);
        let query = json!({
            "TableName": "t", "IndexName": "index1", "ExpressionAttributeValues": {":partition": {"S": "all"}},
        });
        tables.count("Query", &query, &json!({"Items": []}));
        let found = tables.partitions().units;
        let of = |index, key: &str| {
            let partition = found.iter().find(|(partition, _)| partition.index == index && partition.key == key);
            partition.map(|(_, units)| (units.writes, units.reads))
        };
        assert_eq!(of(None, "p"), Some((5.0, 0.0)), "2 in a transaction, then 3");
        assert_eq!(of(Some(1), "all"), Some((2.0, 0.5)), "it appears and goes, and is queried");
        assert_eq!(of(Some(1), "other"), Some((1.0, 0.0)));
        assert_eq!(tables.partitions(), Partitions::default(), "it is counted once");
    }
}
