//! Sparse indexes.

use pawl_runtime::ports::{Expect, Index, Item, Query, SortRange};

use super::super::Backend;
use super::super::shorthand::{committed, delete_if, indexed, item, put, sorts, whole, whole_index};

/// An item is in the indexes in which it has an entry and nowhere else, and comes back whole.
pub async fn an_index_holds_only_items_with_an_entry(backend: &dyn Backend) {
    let second = indexed(item("p", "1"), Index::Gsi2, "open", "b");
    let both = indexed(indexed(item("p", "2"), Index::Gsi2, "open", "a"), Index::Gsi4, "open", "z");
    committed(backend, vec![put(&second), put(&both), put(&item("p", "3"))]).await;
    backend.settle().await;

    assert_eq!(sorts(backend, whole_index(Index::Gsi2, "open")).await, ["2", "1"]);
    assert_eq!(sorts(backend, whole_index(Index::Gsi4, "open")).await, ["2"]);
    assert_eq!(sorts(backend, whole_index(Index::Gsi1, "open")).await, Vec::<String>::new());
    assert_eq!(sorts(backend, whole_index(Index::Gsi2, "p")).await, Vec::<String>::new());
    assert_eq!(sorts(backend, whole("p")).await, ["1", "2", "3"]);
    let page = backend.tables().query(&whole_index(Index::Gsi4, "open")).await.expect("the query succeeds");
    assert_eq!(page.items, [both]);
}

/// Each put says anew where the item stands; a deleted item stands nowhere.
pub async fn index_entries_are_added_moved_and_removed(backend: &dyn Backend) {
    let plain = item("p", "s");
    let opened = indexed(plain.clone(), Index::Gsi1, "open", "1");
    let closed = Item { body: "{\"closed\":true}".to_owned(), ..indexed(plain.clone(), Index::Gsi1, "closed", "1") };
    let moved = indexed(plain.clone(), Index::Gsi1, "closed", "2");
    let steps = [(&plain, 0, 0), (&opened, 1, 0), (&closed, 0, 1), (&moved, 0, 1), (&opened, 1, 0), (&plain, 0, 0)];
    for (item, open, closed) in steps {
        committed(backend, vec![put(item)]).await;
        assert_eq!(standing(backend).await, (open, closed));
    }

    committed(backend, vec![put(&opened)]).await;
    committed(backend, vec![delete_if(&opened.key, Expect::Any)]).await;
    assert_eq!(standing(backend).await, (0, 0));
}

async fn standing(backend: &dyn Backend) -> (usize, usize) {
    backend.settle().await;
    let open = sorts(backend, whole_index(Index::Gsi1, "open")).await.len();
    (open, sorts(backend, whole_index(Index::Gsi1, "closed")).await.len())
}

/// Items of one sort key in an index are ordered by partition key, then sort key, and reversed as a whole.
pub async fn index_ties_are_ordered_by_primary_key(backend: &dyn Backend) {
    let entry = |partition: &str, sort: &str, at: &str| put(&indexed(item(partition, sort), Index::Gsi3, "all", at));
    committed(backend, vec![entry("q", "1", "x"), entry("p", "3", "x"), entry("p", "2", "x"), entry("z", "0", "a")])
        .await;
    backend.settle().await;

    let query = whole_index(Index::Gsi3, "all");
    assert_eq!(sorts(backend, query.clone()).await, ["0", "2", "3", "1"]);
    assert_eq!(sorts(backend, Query { newest_first: true, ..query }).await, ["1", "3", "2", "0"]);
}

/// Ranges of an index query are over the sort key of the index.
pub async fn index_ranges_select_by_the_index_sort_key(backend: &dyn Backend) {
    let entries = [("1", "2026-01"), ("2", "2026-02"), ("3", "2027-01"), ("4", "2025-12")];
    let writes = entries.iter().map(|(sort, at)| put(&indexed(item("p", sort), Index::Gsi1, "all", at)));
    committed(backend, writes.collect()).await;
    backend.settle().await;

    let query = whole_index(Index::Gsi1, "all");
    let prefix = Query { range: SortRange::Prefix("2026".to_owned()), ..query.clone() };
    assert_eq!(sorts(backend, prefix).await, ["1", "2"]);
    let between = SortRange::Between("2025-12".to_owned(), "2026-01".to_owned());
    assert_eq!(sorts(backend, Query { range: between, newest_first: true, ..query }).await, ["1", "4"]);
}

/// Cursors of an index step over equal sort keys without losing or repeating one.
pub async fn pages_of_an_index_follow_each_other_over_ties(backend: &dyn Backend) {
    let names: Vec<String> = (10..40).map(|number| number.to_string()).collect();
    let place = |name: &str| if name < "25" { "a" } else { "b" };
    let writes = names.iter().map(|name| put(&indexed(item(name, name), Index::Gsi2, "all", place(name))));
    committed(backend, writes.collect()).await;
    backend.settle().await;

    let query = Query { limit: 4, ..whole_index(Index::Gsi2, "all") };
    assert_eq!(sorts(backend, query.clone()).await, names);
    let newest: Vec<String> = names.into_iter().rev().collect();
    assert_eq!(sorts(backend, Query { newest_first: true, ..query }).await, newest);
}
