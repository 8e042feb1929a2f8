//! Queries of a partition of the primary key.

use pawl_runtime::ports::{Consistency, Query, SortRange, TableError};

use super::super::Backend;
use super::super::shorthand::{committed, item, pages, put, sorts, whole};

async fn fill(backend: &dyn Backend, sorts: &[&str]) {
    let writes = sorts.iter().map(|sort| put(&item("p", sort))).collect();
    committed(backend, writes).await;
    committed(backend, vec![put(&item("p2", "stranger")), put(&item("o", "stranger"))]).await;
    backend.settle().await;
}

/// Order is that of UTF-8 bytes: no locale, no numbers, no case folding.
pub async fn sort_keys_are_ordered_by_bytes(backend: &dyn Backend) {
    fill(backend, &["b", "a", "B", "10", "9", "é", "z", "~", "\u{10FFFF}", "\u{FFFD}", "a b"]).await;
    let expected = ["10", "9", "B", "a", "a b", "b", "z", "~", "é", "\u{FFFD}", "\u{10FFFF}"];
    assert_eq!(sorts(backend, whole("p")).await, expected);
    let eventual = Query { consistency: Consistency::Eventual, ..whole("p") };
    assert_eq!(sorts(backend, eventual).await, expected);
    assert_eq!(sorts(backend, whole("nobody")).await, Vec::<String>::new());
}

/// `newest_first` turns the order round, with and without a range.
pub async fn newest_first_is_the_reverse(backend: &dyn Backend) {
    fill(backend, &["1", "2", "3", "4"]).await;
    let newest = Query { newest_first: true, ..whole("p") };
    assert_eq!(sorts(backend, newest.clone()).await, ["4", "3", "2", "1"]);
    let ranged = Query { range: SortRange::Between("2".to_owned(), "3".to_owned()), ..newest.clone() };
    assert_eq!(sorts(backend, ranged).await, ["3", "2"]);
    let first = Query { limit: 1, ..newest };
    let page = backend.tables().query(&first).await.expect("the query succeeds");
    assert_eq!(page.items.into_iter().map(|item| item.key.sort).collect::<Vec<_>>(), ["4"]);
}

/// Prefixes are plain text: no patterns, no case folding, also at the end of the alphabet.
pub async fn a_prefix_selects_exactly_what_begins_so(backend: &dyn Backend) {
    fill(backend, &["h#1", "h#2", "h", "h%", "h$", "H#1", "i#1", "h#\u{10FFFF}", "\u{10FFFF}x"]).await;
    let prefixed = |prefix: &str| Query { range: SortRange::Prefix(prefix.to_owned()), ..whole("p") };
    assert_eq!(sorts(backend, prefixed("h#")).await, ["h#1", "h#2", "h#\u{10FFFF}"]);
    assert_eq!(sorts(backend, prefixed("h%")).await, ["h%"]);
    assert_eq!(sorts(backend, prefixed("h#\u{10FFFF}")).await, ["h#\u{10FFFF}"]);
    assert_eq!(sorts(backend, prefixed("\u{10FFFF}")).await, ["\u{10FFFF}x"]);
    assert_eq!(sorts(backend, prefixed("j")).await, Vec::<String>::new());
    assert_eq!(sorts(backend, prefixed("")).await.len(), 9);
}

/// Both ends of a range belong to it, whether items stand there or not.
pub async fn between_includes_both_ends(backend: &dyn Backend) {
    fill(backend, &["1", "2", "3", "4", "5"]).await;
    let between =
        |first: &str, last: &str| Query { range: SortRange::Between(first.to_owned(), last.to_owned()), ..whole("p") };
    assert_eq!(sorts(backend, between("2", "4")).await, ["2", "3", "4"]);
    assert_eq!(sorts(backend, between("15", "45")).await, ["2", "3", "4"]);
    assert_eq!(sorts(backend, between("3", "3")).await, ["3"]);
    assert_eq!(sorts(backend, between("6", "7")).await, Vec::<String>::new());
}

/// Following cursors visits each item once, in both directions, also when a range bounds it.
pub async fn pages_follow_each_other_without_gap_or_repeat(backend: &dyn Backend) {
    let names: Vec<String> = (10..33).map(|number| number.to_string()).collect();
    fill(backend, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;

    for (newest_first, consistency) in [(false, Consistency::Strong), (true, Consistency::Eventual)] {
        let mut expected = names.clone();
        if newest_first {
            expected.reverse();
        }
        let query = Query { limit: 5, newest_first, consistency, ..whole("p") };
        assert!(pages(backend, query.clone()).await.len() >= 5);
        assert_eq!(sorts(backend, query.clone()).await, expected);

        let ranged = Query { range: SortRange::Prefix("2".to_owned()), limit: 3, ..query };
        let twenties: Vec<String> = expected.into_iter().filter(|name| name.starts_with('2')).collect();
        assert_eq!(sorts(backend, ranged).await, twenties);
    }
}

/// A cursor is opaque, and one that no page returned is refused.
pub async fn a_foreign_cursor_is_invalid(backend: &dyn Backend) {
    let query = Query { after: Some("never returned".to_owned()), ..whole("p") };
    let outcome = backend.tables().query(&query).await;
    assert!(matches!(outcome, Err(TableError::Invalid(_))), "expected an invalid call, found {outcome:?}");
}
