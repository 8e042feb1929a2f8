//! Records by their values: equal values are one unique value, and are found by any of their spellings.

use jiff::tz::TimeZone;
use pawl_definition::Object;
use pawl_engine::{Record, RecordWrite, fields};
use pawl_runtime::items;
use pawl_runtime::ports::{Consistency, Query, SortRange, TableError};
use serde_json::{Value, json};

use super::super::Backend;
use super::super::shorthand::{commit, committed};

/// Items with a unique field of each type that has a rule of its own, and an indexed one.
fn object() -> Object {
    let object = json!({"object": "item", "fields": {
        "number": {"type": "number", "unique": true},
        "email": {"type": "email", "unique": true},
        "text": {"type": "text", "unique": true},
        "size": {"type": "number", "indexed": true},
    }});
    serde_json::from_value(object).expect("it is an object")
}

/// A record as the API makes it.
fn record(backend: &dyn Backend, id: &str, given: &Value) -> Record {
    let given = given.as_object().cloned().unwrap_or_default();
    Record {
        object: "item".to_owned(),
        id: id.to_owned(),
        version: 1,
        fields: fields::new_fields(&object(), given, &TimeZone::UTC).expect("the fields fit"),
        created_at: backend.now(),
        updated_at: backend.now(),
        archived_at: None,
        forgotten: None,
        cause: None,
    }
}

async fn create(backend: &dyn Backend, id: &str, given: Value) -> Result<(), TableError> {
    let change = RecordWrite { before: None, after: record(backend, id, &given) };
    commit(backend, items::record::writes(&change, Some(&object()))).await
}

async fn refused(backend: &dyn Backend, id: &str, given: Value) {
    let outcome = create(backend, id, given.clone()).await;
    assert!(matches!(outcome, Err(TableError::Conflict(_))), "expected that {given} is taken, found {outcome:?}");
}

/// The ids of the records with a value in the indexed field.
async fn of_size(backend: &dyn Backend, size: Value) -> Vec<String> {
    let key = items::record::value_key(&size).expect("it is not blank");
    let query = Query {
        table: items::record::VALUES,
        index: None,
        partition: items::record::value_partition("item", "size"),
        range: SortRange::Prefix(items::record::value_prefix(&key)),
        newest_first: false,
        limit: 10,
        after: None,
        consistency: Consistency::Strong,
    };
    let page = backend.tables().query(&query).await.expect("the query succeeds");
    page.items.iter().filter_map(|row| items::record::row_target(row).ok()).collect()
}

/// Fault 07: 1001 and 1001.0 were two unique values. Neighbours beyond what doubles tell apart are two.
pub async fn equal_numbers_are_one_unique_value(backend: &dyn Backend) {
    let made = |id, number: Value| create(backend, id, json!({"number": number}));
    assert_eq!(made("a", json!(1001)).await, Ok(()));
    for spelling in [json!(1001.0), json!("1001"), json!(" 1001.0 "), json!("1.001e3")] {
        refused(backend, "b", json!({"number": spelling})).await;
    }
    assert_eq!(made("c", json!(1001.5)).await, Ok(()));
    assert_eq!(made("d", json!(9_007_199_254_740_992_u64)).await, Ok(()));
    assert_eq!(made("e", json!(9_007_199_254_740_993_u64)).await, Ok(()));
    assert_eq!(made("f", json!(u64::MAX)).await, Ok(()));
    assert_eq!(made("g", json!(u64::MAX - 1)).await, Ok(()));
    refused(backend, "h", json!({"number": 9_007_199_254_740_992.0})).await;
    assert_eq!(made("i", json!(0)).await, Ok(()));
    refused(backend, "j", json!({"number": -0.0})).await;
}

/// Fault 15: addresses that differ by case were two.
pub async fn an_address_in_other_letters_is_the_same_unique_value(backend: &dyn Backend) {
    assert_eq!(create(backend, "a", json!({"email": "Eve@Example.com"})).await, Ok(()));
    refused(backend, "b", json!({"email": " eve@EXAMPLE.com"})).await;
    assert_eq!(create(backend, "c", json!({"text": "Eve"})).await, Ok(()));
    assert_eq!(create(backend, "d", json!({"text": "eve"})).await, Ok(()), "texts are compared as they are");
}

/// What is blank takes no unique value away from others; what is long does.
pub async fn blank_values_claim_nothing_and_long_ones_do(backend: &dyn Backend) {
    for (id, blank) in [("a", Value::Null), ("b", json!("")), ("c", json!(""))] {
        let given = json!({"number": blank, "email": blank, "text": blank});
        assert_eq!(create(backend, id, given.clone()).await, Ok(()), "{given}");
    }
    let long = |last: &str| json!({"text": "x".repeat(2_000) + last});
    assert_eq!(create(backend, "d", long("a")).await, Ok(()));
    assert_eq!(create(backend, "e", long("b")).await, Ok(()));
    refused(backend, "f", long("a")).await;
}

/// A record is found by any spelling of its number and by no other number, and stays found when it is written anew in
/// another spelling.
pub async fn equal_numbers_are_found_by_one_key(backend: &dyn Backend) {
    for (id, size) in [("a", json!(1)), ("b", json!(1.0)), ("c", json!(10)), ("d", json!(1.5)), ("e", json!(u64::MAX))]
    {
        assert_eq!(create(backend, id, json!({"size": size})).await, Ok(()));
    }
    assert_eq!(of_size(backend, json!(1)).await, ["a", "b"]);
    assert_eq!(of_size(backend, json!(1.0)).await, ["a", "b"]);
    assert_eq!(of_size(backend, json!(u64::MAX)).await, ["e"]);
    assert_eq!(of_size(backend, json!(u64::MAX - 1)).await, Vec::<String>::new());

    let before = record(backend, "a", &json!({"size": 1}));
    let mut after = Record { version: 2, ..before.clone() };
    after.fields.insert("size".to_owned(), json!(1.0));
    let change = RecordWrite { before: Some(before), after };
    committed(backend, items::record::writes(&change, Some(&object()))).await;
    assert_eq!(of_size(backend, json!(1)).await, ["a", "b"]);
}
