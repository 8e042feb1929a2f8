//! Reads: they are repeated.

use pawl_runtime::ports::{Consistency, Key, Query, SortRange, TableError, Tables};
use serde_json::json;

use super::{ATTEMPTS, Fault, Faulty, TABLE, Uses, item, throttles};

#[tokio::test]
async fn a_read_is_repeated_whatever_went_wrong() {
    let faulty = Faulty::start(Uses::Tables).await;
    faulty.stands(&item("s", 1)).await;
    let tables = faulty.tables();
    let faults = || {
        let faults = [Fault::LoseAnswer, Fault::WithholdRequest, Fault::code(500, "InternalServerError")];
        faults.into_iter().chain(throttles("ThrottlingException", 1))
    };
    faulty.proxy.next(faults());
    assert_eq!(tables.get(TABLE, &item("s", 1).key, Consistency::Strong).await, Ok(Some(item("s", 1))));
    faulty.proxy.next(faults());
    let several = [(TABLE, item("s", 1).key), (TABLE, Key::new("p", "t"))];
    assert_eq!(tables.get_many(&several).await, Ok(vec![Some(item("s", 1)), None]));
    faulty.proxy.next(faults());
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
