//! Reads: they are repeated.

use pawl_runtime::ports::{Consistency, Index, IndexEntry, Item, Key, Page, Query, SortRange, TableError, Tables};
use serde_json::json;

use super::{ATTEMPTS, Fault, Faulty, TABLE, Uses, item, throttles};

#[tokio::test]
async fn a_read_is_repeated_whatever_went_wrong() {
    let faulty = Faulty::start(Uses::Tables).await;
    faulty.stands(&item("s", 1)).await;
    let tables = faulty.tables();
    let trouble = || {
        let lost = [Fault::LoseAnswer, Fault::WithholdRequest, Fault::code(500, "InternalServerError")];
        lost.into_iter().chain(throttles("ThrottlingException", 1))
    };
    faulty.proxy.next(trouble());
    assert_eq!(tables.get(TABLE, &item("s", 1).key, Consistency::Strong).await, Ok(Some(item("s", 1))));
    faulty.proxy.next(trouble());
    let several = [(TABLE, item("s", 1).key), (TABLE, Key::new("p", "t"))];
    assert_eq!(tables.get_many(&several).await, Ok(vec![Some(item("s", 1)), None]));
    faulty.proxy.next(trouble());
    let query = Query {
        table: TABLE,
        index: None,
        partition: "p".to_owned(),
        range: SortRange::All,
        newest_first: false,
        limit: 10,
        after: None,
        consistency: Consistency::Strong,
    };
    assert_eq!(tables.query(&query).await.map(|page| page.items), Ok(vec![item("s", 1)]));
}

#[tokio::test]
async fn a_read_that_fails_for_good_says_why() {
    let faulty = Faulty::start(Uses::Tables).await;
    let tables = faulty.tables();
    faulty.proxy.next(throttles("ThrottlingException", ATTEMPTS));
    assert_eq!(tables.get(TABLE, &item("s", 1).key, Consistency::Strong).await, Err(TableError::Throttled));
    faulty.proxy.next(vec![Fault::LoseAnswer; ATTEMPTS]);
    let lost = tables.get(TABLE, &item("s", 1).key, Consistency::Strong).await;
    assert!(matches!(lost, Err(TableError::Unavailable(_))), "expected no service, found {lost:?}");
}

/// An answer that leaves keys out, as the service gives when it is short of capacity.
fn nothing_of(faulty: &Faulty, sorts: &[&str]) -> Fault {
    let name = &faulty.resources.tables.0[&TABLE];
    let keys: Vec<_> = sorts.iter().map(|sort| json!({"pk": {"S": "p"}, "sk": {"S": sort}})).collect();
    let left = json!({ name: {"Keys": keys, "ConsistentRead": true} });
    Fault::Answer(200, json!({"Responses": {}, "UnprocessedKeys": left}).to_string())
}

#[tokio::test]
async fn what_was_left_out_is_asked_for_again() {
    let faulty = Faulty::start(Uses::Tables).await;
    faulty.stands(&item("s", 1)).await;
    let tables = faulty.tables();
    let keys = [(TABLE, item("s", 1).key)];
    faulty.proxy.next([nothing_of(&faulty, &["s"]), nothing_of(&faulty, &["s"])]);
    assert_eq!(tables.get_many(&keys).await, Ok(vec![Some(item("s", 1))]));
    faulty.proxy.next(vec![nothing_of(&faulty, &["s"]); ATTEMPTS]);
    assert_eq!(tables.get_many(&keys).await, Err(TableError::Throttled));
}

/// The rows of an index as it was, or will be.
fn rows(sorts_and_places: &[(&str, &str)]) -> Fault {
    let row = |(sort, place): &(&str, &str)| {
        let stored = format!("{place}\0p\0{sort}");
        json!({"pk": {"S": "p"}, "sk": {"S": sort}, "i1p": {"S": "open"}, "i1s": {"S": stored}})
    };
    let rows: Vec<_> = sorts_and_places.iter().map(row).collect();
    Fault::Answer(200, json!({"Items": rows, "Count": rows.len(), "ScannedCount": rows.len()}).to_string())
}

/// An index lags: what it shows may have moved to another partition, out of the range, or be gone; and while an entry
/// moves, it may be there twice.
#[tokio::test]
async fn what_has_moved_on_is_not_shown() {
    let faulty = Faulty::start(Uses::Tables).await;
    let standing = |sort: &str, partition: &str, place: &str| {
        let entry = IndexEntry { index: Index::Gsi1, partition: partition.to_owned(), sort: place.to_owned() };
        Item { indexes: vec![entry], ..item(sort, 1) }
    };
    let here = standing("here", "open", "3");
    for item in [&here, &standing("closed", "closed", "1"), &standing("later", "open", "9"), &item("nowhere", 1)] {
        faulty.stands(item).await;
    }
    let query = Query {
        table: TABLE,
        index: Some(Index::Gsi1),
        partition: "open".to_owned(),
        range: SortRange::Between("1".to_owned(), "5".to_owned()),
        newest_first: false,
        limit: 10,
        after: None,
        consistency: Consistency::Eventual,
    };
    let lagging = [("closed", "1"), ("gone", "1"), ("here", "2"), ("later", "2"), ("nowhere", "2"), ("here", "3")];
    faulty.proxy.next([rows(&lagging)]);
    assert_eq!(faulty.tables().query(&query).await, Ok(Page { items: vec![here], next: None }));
}
