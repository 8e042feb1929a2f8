//! Items as `DynamoDB` keeps them. The names of attributes are stored, do not rename.
//!
//! | attribute | type | meaning |
//! | --- | --- | --- |
//! | `pk`, `sk` | S | primary key |
//! | `v` | N | version |
//! | `b` | S | body |
//! | `z` | B | in place of `b`: the body packed, where that spares a kilobyte or more that would be paid; see `packing` |
//! | `n` | N | in place of `b`: the body is `{"count":n}`, so that the service can add |
//! | `em` | N | exact expiry, microseconds since 1970 |
//! | `e` | N | expiry in whole seconds, rounded up: the table's time-to-live attribute |
//! | `h` | N | of a record: 0 if nobody seemed to listen to the change, else 1. The stream's mappings tell changes apart by it |
//! | `i1p`, `i1s` … `i4p`, `i4s` | S | entries of the indexes `index1` … `index4` |
//! | `c1p`, `c1s` … `c4p`, `c4s` | S | the same in a [copy](super::copies), which no index holds |
//!
//! `pk` and the partitions of indexes have the shard appended where they are [spread](super::shards).
//!
//! The sort attribute of an index is the entry's sort key, U+0000, `pk`, U+0000, `sk`: entries of one sort key are
//! ordered by primary key, and no two are equal.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use pawl_runtime::ports::rules::{counter_body, unreadable_body};
use pawl_runtime::ports::{Index, IndexEntry, Item, Key, Table, TableError};

use super::{copies, packing, shards};

pub(crate) const PARTITION: &str = "pk";
pub(crate) const SORT: &str = "sk";
pub(crate) const COUNT: &str = "n";
const VERSION: &str = "v";
pub(crate) const BODY: &str = "b";
const PACKED: &str = "z";
const EXPIRES_MICROS: &str = "em";
const EXPIRES_SECONDS: &str = "e";

const HEARD: &str = "h";

/// Whether somebody may listen to a change of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Somebody may.
    Perhaps,
    /// Nobody seemed to when the change was decided.
    Unlikely,
}

/// Attributes of an item, as the SDK has them.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// The names by which an index goes.
pub(crate) struct IndexNames {
    pub(crate) index: &'static str,
    pub(crate) partition: &'static str,
    pub(crate) sort: &'static str,
    /// Under which a [copy](super::copies) keeps its entry: the index does not see it.
    pub(crate) copied_partition: &'static str,
    pub(crate) copied_sort: &'static str,
}

impl IndexNames {
    const fn of(index: &'static str, [partition, sort, copied_partition, copied_sort]: [&'static str; 4]) -> Self {
        Self { index, partition, sort, copied_partition, copied_sort }
    }
}

pub(crate) const INDEXES: [(Index, IndexNames); 4] = [
    (Index::Gsi1, IndexNames::of("index1", ["i1p", "i1s", "c1p", "c1s"])),
    (Index::Gsi2, IndexNames::of("index2", ["i2p", "i2s", "c2p", "c2s"])),
    (Index::Gsi3, IndexNames::of("index3", ["i3p", "i3s", "c3p", "c3s"])),
    (Index::Gsi4, IndexNames::of("index4", ["i4p", "i4s", "c4p", "c4s"])),
];

pub(crate) fn names(index: Index) -> &'static IndexNames {
    match index {
        Index::Gsi1 => &INDEXES[0].1,
        Index::Gsi2 => &INDEXES[1].1,
        Index::Gsi3 => &INDEXES[2].1,
        Index::Gsi4 => &INDEXES[3].1,
    }
}

/// Bytes by which the writing of an item is paid.
const UNIT: usize = 1024;

/// The attributes of an item.
pub(crate) fn write(item: &Item) -> Attributes {
    let mut attributes = key(&item.key);
    let mut set = |name: &str, value| attributes.insert(name.to_owned(), value);
    set(VERSION, number(item.version));
    match canonical_count(&item.body) {
        Some(count) => set(COUNT, number(count)),
        None => set(BODY, text(&item.body)),
    };
    if let Some(at) = item.expires_at {
        let micros = micros(at);
        set(EXPIRES_MICROS, number(micros));
        set(EXPIRES_SECONDS, number(seconds(micros)));
    }
    for entry in &item.indexes {
        let names = names(entry.index);
        set(names.partition, text(&shards::stored(Some(entry.index), &entry.partition, &item.key)));
        set(names.sort, text(&index_sort(&entry.sort, &item.key)));
    }
    pack(&mut attributes, &item.body);
    attributes
}

/// The attributes of an item with what its table's stream needs to know: of a record, whether it may be heard.
pub(crate) fn write_to(table: Table, item: &Item, heard: Heard) -> Attributes {
    let mut attributes = write(item);
    if table == Table::Records {
        attributes.insert(HEARD.to_owned(), number(u8::from(heard == Heard::Perhaps)));
    }
    attributes
}

/// Packs the body if the item is paid by fewer units then. Small ones stay as everybody can read them.
fn pack(attributes: &mut Attributes, body: &str) {
    let bytes: usize = attributes.iter().map(|(name, value)| name.len() + size(value)).sum();
    if bytes <= UNIT || !attributes.contains_key(BODY) {
        return;
    }
    let Some(packed) = packing::pack(body) else { return };
    if (bytes - body.len() + packed.len()).div_ceil(UNIT) < bytes.div_ceil(UNIT) {
        attributes.remove(BODY);
        attributes.insert(PACKED.to_owned(), AttributeValue::B(Blob::new(packed)));
    }
}

/// Bytes of a value, as the service counts them: a number takes one for each two digits, and one more.
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        _ => 0,
    }
}

/// The attributes of a primary key.
pub(crate) fn key(key: &Key) -> Attributes {
    let partition = shards::stored(None, &key.partition, key);
    [(PARTITION.to_owned(), text(&partition)), (SORT.to_owned(), text(&key.sort))].into()
}

/// An attribute's value.
pub(crate) enum Value {
    Text(String),
    Number(String),
    Bytes(Vec<u8>),
}

/// Takes attributes by name: items come from the service's answers and from its streams.
pub(crate) trait Source {
    fn take(&mut self, name: &str) -> Option<Value>;
}

impl Source for Attributes {
    fn take(&mut self, name: &str) -> Option<Value> {
        match self.remove(name)? {
            AttributeValue::S(text) => Some(Value::Text(text)),
            AttributeValue::N(number) => Some(Value::Number(number)),
            AttributeValue::B(bytes) => Some(Value::Bytes(bytes.into_inner())),
            _ => None,
        }
    }
}

/// Reads an item.
pub(crate) fn read(mut source: impl Source) -> Result<Item, TableError> {
    let key = read_key(&mut source)?;
    let version = integer(&mut source, VERSION)?.ok_or_else(|| unreadable(&key, VERSION))?;
    let body = match (integer(&mut source, COUNT)?, source.take(PACKED)) {
        (Some(count), _) => counter_body(count),
        // A body that cannot be read is a fault of one item: those beside it in a query or batch are none the worse.
        (None, Some(Value::Bytes(packed))) => packing::unpack(&packed).unwrap_or_else(unreadable_body),
        (None, Some(_)) => unreadable_body(),
        (None, None) => string(&mut source, BODY).unwrap_or_else(unreadable_body),
    };
    let expires_at = match integer(&mut source, EXPIRES_MICROS)? {
        Some(micros) => Some(Timestamp::from_microsecond(micros).map_err(|_| unreadable(&key, EXPIRES_MICROS))?),
        None => None,
    };
    let mut indexes = Vec::new();
    for (index, names) in &INDEXES {
        let mut either = |own, copied| string(&mut source, own).or_else(|| string(&mut source, copied));
        let Some(partition) = either(names.partition, names.copied_partition) else { continue };
        let stored = either(names.sort, names.copied_sort).ok_or_else(|| unreadable(&key, names.sort))?;
        let sort = stored.strip_suffix(&index_sort("", &key)).ok_or_else(|| unreadable(&key, names.sort))?;
        let partition = shards::logical(Some(*index), partition);
        indexes.push(IndexEntry { index: *index, partition, sort: sort.to_owned() });
    }
    Ok(Item { key, version, indexes, expires_at, body })
}

/// Reads a primary key.
pub(crate) fn read_key(source: &mut impl Source) -> Result<Key, TableError> {
    let (Some(partition), Some(sort)) = (string(source, PARTITION), string(source, SORT)) else {
        return Err(TableError::Invalid("an item without a key of two texts is not Pawl's".to_owned()));
    };
    Ok(copies::original(Key { partition: shards::logical(None, partition), sort }))
}

/// The stored sort key of an index entry.
pub(crate) fn index_sort(sort: &str, key: &Key) -> String {
    format!("{sort}\0{}\0{}", key.partition, key.sort)
}

pub(crate) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) fn number(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A time that something must not precede, in microseconds, rounded up.
pub(crate) fn micros(at: Timestamp) -> i64 {
    let rounded_up = (at.as_nanosecond() + 999).div_euclid(1_000);
    i64::try_from(rounded_up).expect("every timestamp fits in 64 bits of microseconds")
}

/// Rounded up: the service must not delete what is still live.
fn seconds(micros: i64) -> i64 {
    micros.div_euclid(1_000_000) + i64::from(micros.rem_euclid(1_000_000) != 0)
}

/// The count of a body that is written exactly as counters are, so that it comes back as it was.
fn canonical_count(body: &str) -> Option<i64> {
    let digits = body.strip_prefix("{\"count\":")?.strip_suffix('}')?;
    let count = digits.parse().ok()?;
    (counter_body(count) == body).then_some(count)
}

fn string(source: &mut impl Source, name: &str) -> Option<String> {
    match source.take(name)? {
        Value::Text(text) => Some(text),
        Value::Number(_) | Value::Bytes(_) => None,
    }
}

fn integer<T: std::str::FromStr>(source: &mut impl Source, name: &str) -> Result<Option<T>, TableError> {
    match source.take(name) {
        None => Ok(None),
        Some(Value::Number(number)) => number.parse().map(Some).map_err(|_| not_ours(name)),
        Some(Value::Text(_) | Value::Bytes(_)) => Err(not_ours(name)),
    }
}

fn not_ours(name: &str) -> TableError {
    TableError::Invalid(format!("expected the stored attribute {name} to be a whole number"))
}

fn unreadable(key: &Key, name: &str) -> TableError {
    TableError::Invalid(format!("the stored item {}/{} has no readable {name}", key.partition, key.sort))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part() -> impl Strategy<Value = String> {
        let spread = "(moving|due|status#waiting|record#ticket|workflow#[a|]{1,3}|guard#w)";
        prop_oneof!["[a-z#/]{1,12}", "\\PC{1,8}", spread, Just("a\0b".to_owned())]
    }

    fn body() -> impl Strategy<Value = String> {
        let count = any::<i64>().prop_map(counter_body);
        let large = ("\\PC{1,40}", 1_usize..200).prop_map(|(part, times)| part.repeat(times));
        prop_oneof![count, Just("{\"count\": 1}".to_owned()), Just("{\"count\":01}".to_owned()), "\\PC{0,40}", large]
    }

    fn indexes() -> impl Strategy<Value = Vec<IndexEntry>> {
        let all = [Index::Gsi1, Index::Gsi2, Index::Gsi3, Index::Gsi4];
        proptest::collection::vec(proptest::option::of((part(), part())), 4).prop_map(move |entries| {
            let entries = all.into_iter().zip(entries);
            let entry = |(index, entry): (Index, Option<(String, String)>)| {
                entry.map(|(partition, sort)| IndexEntry { index, partition, sort })
            };
            entries.filter_map(entry).collect()
        })
    }

    proptest! {
        #[test]
        fn an_item_comes_back_as_it_was(
            partition in part(), sort in part(), version in any::<u64>(), body in body(), indexes in indexes(),
            expires in proptest::option::of(-62_135_596_800_000_000_i64..253_402_207_200_000_000),
        ) {
            let expires_at = expires.map(|micros| Timestamp::from_microsecond(micros).expect("in range"));
            let item = Item { key: Key::new(partition, sort), version, indexes, expires_at, body };
            prop_assert_eq!(read(write(&item)), Ok(item));
        }
    }

    #[test]
    fn only_what_costs_less_then_is_packed() {
        let stored = |body: String| {
            write(&Item { key: Key::new("p", "s"), version: 1, indexes: Vec::new(), expires_at: None, body })
        };
        let is_packed = |body: String| stored(body).contains_key(PACKED);
        assert!(!is_packed("a".repeat(1_000)), "it is paid by one unit as it is");
        assert!(is_packed("a".repeat(1_100)), "it would be paid by two");
        let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        let noise = std::iter::successors(Some(1), next).map(|state| char::from(b'0' + (state >> 58) as u8));
        assert!(!is_packed(noise.take(2_000).collect()), "no kilobyte is spared");
    }

    /// The stream's mappings read changes by it: see infra/template.yaml.
    #[test]
    fn a_record_says_whether_its_change_may_be_heard_and_nothing_else_does() {
        let item = Item {
            key: Key::new("record#ticket", "t1"),
            version: 1,
            indexes: Vec::new(),
            expires_at: None,
            body: "{}".to_owned(),
        };
        assert_eq!(write_to(Table::Records, &item, Heard::Perhaps)["h"], number(1));
        assert_eq!(write_to(Table::Records, &item, Heard::Unlikely)["h"], number(0));
        assert!(!write_to(Table::Keys, &item, Heard::Unlikely).contains_key("h"));
        assert_eq!(read(write_to(Table::Records, &item, Heard::Unlikely)), Ok(item), "it is no part of the item");
    }

    #[test]
    fn the_service_deletes_nothing_that_is_still_live() {
        for (micros, expected) in [(1_000_000, 1), (1_000_001, 2), (-1, 0), (-1_000_000, -1)] {
            assert_eq!(seconds(micros), expected);
        }
    }

    #[test]
    fn attributes_of_another_shape_are_refused() {
        let stored = write(&Item {
            key: Key::new("p", "s"),
            version: 1,
            indexes: vec![IndexEntry { index: Index::Gsi1, partition: "open".to_owned(), sort: "1".to_owned() }],
            expires_at: None,
            body: "{}".to_owned(),
        });
        for (name, other) in [("pk", number(1)), ("v", text("1")), ("i1s", text("1\0q\0s"))] {
            let mut broken = stored.clone();
            broken.insert(name.to_owned(), other);
            assert!(matches!(read(broken), Err(TableError::Invalid(_))), "{name} is not as it was written");
        }
    }

    /// Such an item failed the whole query or batch that it was found in.
    #[test]
    fn bug_a_body_that_could_not_be_unpacked_was_no_item() {
        let body = "a".repeat(3_000);
        let item = Item { key: Key::new("p", "s"), version: 7, indexes: Vec::new(), expires_at: None, body };
        let stored = write(&item);
        let packed = |bytes: &[u8]| (PACKED, AttributeValue::B(Blob::new(bytes)));
        for (name, other) in [packed(b""), packed(b"no zlib"), packed(&[0x78, 0xf9, 0, 0, 0, 1]), (PACKED, number(1))] {
            let mut broken = stored.clone();
            assert!(broken.insert(name.to_owned(), other).is_some(), "the body is packed");
            assert_eq!(read(broken), Ok(Item { body: unreadable_body(), ..item.clone() }));
        }
        for other in [None, Some(number(1))] {
            let mut broken = stored.clone();
            broken.remove(PACKED);
            broken.extend(other.map(|other| (BODY.to_owned(), other)));
            assert_eq!(read(broken), Ok(Item { body: unreadable_body(), ..item.clone() }));
        }
    }
}
