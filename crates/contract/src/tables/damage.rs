//! Bodies that cannot be read: none is written, and one that is damaged is a fault of its item alone.

use pawl_runtime::ports::rules::MAX_BODY_DEPTH;
use pawl_runtime::ports::{Consistency, Expect, Index, Item, Query, TableError};

use super::super::Backend;
use super::super::shorthand::{TABLE, commit, committed, indexed, item, pages, put, put_if, read, whole, whole_index};

/// An item whose body is long enough to be packed where bodies are.
fn long(sort: &str) -> Item {
    let item = indexed(item("p", sort), Index::Gsi1, "listed", sort);
    let lines: Vec<_> = (0..400).map(|number| format!("line {number} of {sort}")).collect();
    Item { body: serde_json::json!({"lines": lines}).to_string(), ..item }
}

/// The version and the body of each item, by sort key; no body if it is no JSON.
async fn seen(backend: &dyn Backend, query: Query) -> Vec<(String, u64, Option<String>)> {
    let items = pages(backend, query).await.into_iter().flat_map(|page| page.items);
    let is_json = |body: &String| serde_json::from_str::<serde_json::Value>(body).is_ok();
    items.map(|item| (item.key.sort, item.version, Some(item.body).filter(is_json))).collect()
}

/// A query, a page of an index and a batch show the others, and the damaged item with its key and version, so that it
/// can be told of and written over.
pub async fn a_damaged_body_is_a_fault_of_its_item_alone(backend: &dyn Backend) {
    let items = ["1", "2", "3"].map(long);
    committed(backend, items.iter().map(put).collect()).await;
    backend.settle().await;
    backend.damage(TABLE, &items[1].key).await;
    backend.settle().await;

    let body = |at: usize| (at != 1).then(|| items[at].body.clone());
    let expected: Vec<_> = (0..3).map(|at| (items[at].key.sort.clone(), 1, body(at))).collect();
    let eventual = Query { consistency: Consistency::Eventual, ..whole("p") };
    assert_eq!(seen(backend, eventual).await, expected);
    assert_eq!(seen(backend, Query { limit: 1, ..whole_index(Index::Gsi1, "listed") }).await, expected);
    let keys: Vec<_> = items.iter().map(|item| (TABLE, item.key.clone())).collect();
    let found = backend.tables().get_many(&keys).await.expect("the batch succeeds");
    assert_eq!(found.iter().flatten().count(), 3);

    let mended = Item { version: 2, ..items[1].clone() };
    committed(backend, vec![put_if(&mended, Expect::Version(1))]).await;
    assert_eq!(read(backend, &mended.key).await, Some(mended));
}

/// JSON as deep as parsers take is written and read; one level more could never be read again, and is not written.
pub async fn a_body_that_no_reader_could_parse_is_too_deep(backend: &dyn Backend) {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let of = |levels: usize| Item { body: format!(r#"{{"[{{":{}}}"#, nested(levels)), ..item("p", "deep") };
    committed(backend, vec![put(&of(MAX_BODY_DEPTH))]).await;
    let stored = read(backend, &of(1).key).await.expect("it was written");
    assert!(serde_json::from_str::<serde_json::Value>(&stored.body).is_ok(), "it can be read again");
    for levels in [MAX_BODY_DEPTH + 1, 10_000] {
        let outcome = commit(backend, vec![put(&of(levels))]).await;
        assert_eq!(outcome, Err(TableError::TooDeep(stored.key.clone())), "{levels} levels");
    }
    assert_eq!(read(backend, &stored.key).await, Some(stored));
}
