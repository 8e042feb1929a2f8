//! Calls that break a rule of the port.

use pawl_runtime::ports::rules::{MAX_INDEX_SORT, MAX_ITEM_BODY, MAX_KEYS, MAX_PAGE, MAX_TRANSACTION_BODY, MAX_WRITES};
use pawl_runtime::ports::{Consistency, Expect, Index, Item, Key, Query, Table, TableError, Write};

use super::super::Backend;
use super::super::shorthand::{
    TABLE, check, commit, committed, delete_if, indexed, item, put, read, sorts, whole, whole_index,
};

async fn invalid(backend: &dyn Backend, writes: Vec<Write>) {
    let outcome = commit(backend, writes).await;
    assert!(matches!(outcome, Err(TableError::Invalid(_))), "expected an invalid call, found {outcome:?}");
}

/// The bound of a transaction is exact.
pub async fn a_hundred_writes_commit_and_more_are_invalid(backend: &dyn Backend) {
    let writes = |count: usize| (0..count).map(|number| put(&item("p", &format!("{number:03}")))).collect();
    invalid(backend, writes(MAX_WRITES + 1)).await;
    assert_eq!(read(backend, &Key::new("p", "000")).await, None);

    committed(backend, writes(MAX_WRITES)).await;
    assert_eq!(sorts(backend, whole("p")).await.len(), MAX_WRITES);
}

/// A transaction names each item once, whatever the members do.
pub async fn a_key_named_twice_is_invalid(backend: &dyn Backend) {
    let twice = item("p", "s");
    invalid(backend, vec![put(&twice), put(&twice)]).await;
    invalid(backend, vec![check(&twice.key, Expect::Any), delete_if(&twice.key, Expect::Any)]).await;
    assert_eq!(read(backend, &twice.key).await, None);

    let elsewhere = Write::Put { table: Table::Workflows, item: twice.clone(), expect: Expect::Any };
    committed(backend, vec![put(&twice), elsewhere]).await;
}

/// A body of exactly the limit is kept, one byte more is refused.
pub async fn a_body_over_the_limit_is_invalid(backend: &dyn Backend) {
    let sized = |bytes: usize| Item { body: format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8)), ..item("p", "s") };
    invalid(backend, vec![put(&sized(MAX_ITEM_BODY + 1))]).await;
    assert_eq!(read(backend, &Key::new("p", "s")).await, None);

    let largest = sized(MAX_ITEM_BODY);
    committed(backend, vec![put(&largest)]).await;
    assert_eq!(read(backend, &largest.key).await, Some(largest));
}

/// So is a transaction whose bodies are too large together.
pub async fn bodies_over_the_limit_together_are_invalid(backend: &dyn Backend) {
    let part = MAX_TRANSACTION_BODY / 10;
    let writes = |last: usize| -> Vec<Write> {
        let sized = |number: usize, bytes: usize| {
            let body = format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
            put(&Item { body, ..item("p", &number.to_string()) })
        };
        (0..9).map(|number| sized(number, part)).chain([sized(9, last)]).collect()
    };
    let rest = MAX_TRANSACTION_BODY - 9 * part;
    invalid(backend, writes(rest + 1)).await;
    assert_eq!(read(backend, &Key::new("p", "0")).await, None);
    committed(backend, writes(rest)).await;
}

/// The sort key of an index entry shares its room with the primary key.
pub async fn an_index_entry_over_the_limit_is_invalid(backend: &dyn Backend) {
    let sized = |bytes: usize| indexed(item("p", "s"), Index::Gsi1, "open", &"x".repeat(bytes - "\0p\0s".len()));
    invalid(backend, vec![put(&sized(MAX_INDEX_SORT + 1))]).await;
    let longest = sized(MAX_INDEX_SORT);
    committed(backend, vec![put(&longest)]).await;
    backend.settle().await;
    assert_eq!(sorts(backend, whole_index(Index::Gsi1, "open")).await, ["s"]);
}

/// Both parts of a key are needed.
pub async fn an_empty_key_is_invalid(backend: &dyn Backend) {
    invalid(backend, vec![put(&item("", "s"))]).await;
    invalid(backend, vec![put(&item("p", ""))]).await;
    let outcome = backend.tables().get(TABLE, &Key::new("p", ""), Consistency::Strong).await;
    assert!(matches!(outcome, Err(TableError::Invalid(_))), "expected an invalid call, found {outcome:?}");
}

/// A page has 1 to 1,000 items, and one read at most 100 keys.
pub async fn reads_and_pages_have_bounds(backend: &dyn Backend) {
    for limit in [0, MAX_PAGE + 1] {
        let outcome = backend.tables().query(&Query { limit, ..whole("p") }).await;
        assert!(matches!(outcome, Err(TableError::Invalid(_))), "expected an invalid call, found {outcome:?}");
    }
    assert_eq!(sorts(backend, Query { limit: MAX_PAGE, ..whole("p") }).await, Vec::<String>::new());

    let keys: Vec<(Table, Key)> = (0..=MAX_KEYS).map(|number| (TABLE, Key::new("p", number.to_string()))).collect();
    let outcome = backend.tables().get_many(&keys).await;
    assert!(matches!(outcome, Err(TableError::Invalid(_))), "expected an invalid call, found {outcome:?}");
    assert_eq!(backend.tables().get_many(&keys[1..]).await, Ok(vec![None; MAX_KEYS]));
}
