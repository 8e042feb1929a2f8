//! Partitions that are [spread](pawl_runtime::spread): to callers each is one partition, however a store keeps it.

use std::collections::BTreeSet;

use pawl_runtime::items::execution::{DUE, MOVING, of_status};
use pawl_runtime::ports::{Expect, Index, Item, Key, Query, SortRange, Table, Write};
use pawl_runtime::spread::{SHARDS, shard_of, shards_of};

use super::super::Backend;
use super::super::shorthand::{
    TABLE, check, commit, committed, delete_if, indexed, item, pages, put, put_if, read, sorts, whole, whole_index,
};

/// Many items, so that each shard has some; each in the partition of those that move, by a time of its own.
fn many() -> Vec<Item> {
    let entry = |number: usize| {
        let name = format!("{number:03}");
        // A step of 37 of 97 visits every place once, in another order than that of the keys.
        indexed(item(&name, "head"), Index::Gsi3, MOVING, &format!("t{:03}", number * 37 % 97))
    };
    let items: Vec<_> = (0..97).map(entry).collect();
    let shards: BTreeSet<_> = items.iter().map(|item| shard_of(&item.key, SHARDS)).collect();
    assert_eq!((shards_of(Some(Index::Gsi3), MOVING), shards.len()), (SHARDS, usize::from(SHARDS)));
    items
}

async fn fill(backend: &dyn Backend, items: &[Item]) {
    committed(backend, items.iter().map(put).collect()).await;
    // These stand beside it and are none of it.
    let stranger = indexed(item("stranger", "head"), Index::Gsi3, &of_status(pawl_engine::Status::Running), "t000");
    let other = indexed(item("other", "head"), Index::Gsi4, DUE, "t000");
    committed(backend, vec![put(&stranger), put(&other)]).await;
    backend.settle().await;
}

/// The places of items in the index, in order.
fn places(items: &[Item]) -> Vec<String> {
    let mut places: Vec<_> = items.iter().map(|item| item.indexes[0].sort.clone()).collect();
    places.sort();
    places
}

/// The places that a query finds on all its pages.
async fn found(backend: &dyn Backend, query: Query) -> Vec<String> {
    let items: Vec<_> = pages(backend, query).await.into_iter().flat_map(|page| page.items).collect();
    items.into_iter().map(|item| item.indexes[0].sort.clone()).collect()
}

/// All shards come in one order, each item whole and once, in pages of any size and in both directions. A page is full as
/// long as there is more.
pub async fn a_spread_partition_is_read_in_one_order(backend: &dyn Backend) {
    let items = many();
    fill(backend, &items).await;
    for newest_first in [false, true] {
        let mut expected = places(&items);
        if newest_first {
            expected.reverse();
        }
        for limit in [7, 40, 100] {
            let query = Query { limit, newest_first, ..whole_index(Index::Gsi3, MOVING) };
            assert_eq!(found(backend, query.clone()).await, expected, "in pages of {limit}");
            let full = pages(backend, query).await;
            let (_, before) = full.split_last().expect("there is a page");
            assert!(
                before.iter().all(|page| page.items.len() == limit),
                "a page of {limit} is full while there is more"
            );
        }
    }
    let first = backend.tables().query(&whole_index(Index::Gsi3, MOVING).limit(1)).await.expect("the query succeeds");
    let least = items.iter().min_by_key(|item| item.indexes[0].sort.clone());
    assert_eq!(first.items.first(), least, "an item comes back whole");
}

/// A cursor goes on exactly where its page ended: what comes before that place meanwhile is not seen, what comes after it
/// is, and what a page showed is not shown again.
pub async fn a_cursor_of_a_spread_partition_goes_on_where_the_page_ended(backend: &dyn Backend) {
    let items = many();
    fill(backend, &items).await;
    let query = Query { limit: 20, ..whole_index(Index::Gsi3, MOVING) };
    let page = backend.tables().query(&query).await.expect("the query succeeds");
    let last = page.items.last().expect("the page is full").clone();
    assert_eq!(last.indexes[0].sort, "t019");

    let at = |name: &str, sort: &str| indexed(item(name, "head"), Index::Gsi3, MOVING, sort);
    // The item at which the page ended may be gone by then.
    committed(
        backend,
        vec![put(&at("before", "t0185")), put(&at("after", "t0195")), delete_if(&last.key, Expect::Any)],
    )
    .await;
    backend.settle().await;
    let rest = found(backend, Query { after: page.next, ..query }).await;
    let expected: Vec<_> = ["t0195".to_owned()].into_iter().chain(places(&items).split_off(20)).collect();
    assert_eq!(rest, expected);
}

/// Ranges are over the whole partition, also with cursors; ties are ordered by primary key, also between shards.
pub async fn ranges_and_ties_of_a_spread_partition_go_over_all_shards(backend: &dyn Backend) {
    let items = many();
    fill(backend, &items).await;
    let query = Query { limit: 4, ..whole_index(Index::Gsi3, MOVING) };
    let prefix = Query { range: SortRange::Prefix("t04".to_owned()), ..query.clone() };
    assert_eq!(found(backend, prefix).await, (40..50).map(|number| format!("t{number:03}")).collect::<Vec<_>>());
    let between = SortRange::Between("t088".to_owned(), "t093".to_owned());
    let newest = Query { range: between, newest_first: true, ..query.clone() };
    assert_eq!(found(backend, newest).await, ["t093", "t092", "t091", "t090", "t089", "t088"]);
    let nothing = Query { range: SortRange::Prefix("u".to_owned()), ..query };
    assert_eq!(found(backend, nothing).await, Vec::<String>::new());

    let names: Vec<String> = (10..50).map(|number| number.to_string()).collect();
    let tied = names.iter().map(|name| put(&indexed(item(name, name), Index::Gsi4, DUE, "same")));
    committed(backend, tied.collect()).await;
    backend.settle().await;
    let same = Query { limit: 6, range: SortRange::Prefix("same".to_owned()), ..whole_index(Index::Gsi4, DUE) };
    assert_eq!(sorts(backend, same).await, names);
}

/// An entry that moves within a spread partition, to another one, to one that is not spread, and away.
pub async fn an_item_moves_between_spread_partitions(backend: &dyn Backend) {
    let plain = item("p", "s");
    let waiting = of_status(pawl_engine::Status::Waiting);
    let entry = |partition: &str, sort: &str| indexed(plain.clone(), Index::Gsi3, partition, sort);
    let steps = [
        (entry(MOVING, "1"), [1, 0, 0]),
        (entry(MOVING, "2"), [1, 0, 0]),
        (entry(&waiting, "2"), [0, 1, 0]),
        (entry("open", "2"), [0, 0, 1]),
        (entry(MOVING, "2"), [1, 0, 0]),
        (plain.clone(), [0, 0, 0]),
    ];
    for (item, expected) in steps {
        committed(backend, vec![put(&item)]).await;
        backend.settle().await;
        let mut standing = [0; 3];
        for (count, partition) in standing.iter_mut().zip([MOVING, &waiting, "open"]) {
            *count = sorts(backend, whole_index(Index::Gsi3, partition)).await.len();
        }
        assert_eq!(standing, expected, "{:?}", item.indexes);
        assert_eq!(read(backend, &item.key).await, Some(item));
    }
}

/// Items whose own partition is spread: by key as ever, and queried as one partition, strongly.
pub async fn a_spread_partition_of_keys_is_one(backend: &dyn Backend) {
    let at = |number: usize| item("guard#w", &format!("active#{:03}", number * 37 % 97));
    let items: Vec<_> = (0..97).map(at).collect();
    assert_eq!(shards_of(None, "guard#w"), SHARDS);
    committed(backend, items.iter().map(|item| put_if(item, Expect::Absent)).collect()).await;
    committed(backend, vec![put(&item("guard#v", "active#050"))]).await;

    let mut expected: Vec<_> = items.iter().map(|item| item.key.sort.clone()).collect();
    expected.sort();
    for limit in [9, 100] {
        assert_eq!(sorts(backend, Query { limit, ..whole("guard#w") }).await, expected);
    }
    let tens =
        Query { range: SortRange::Prefix("active#04".to_owned()), newest_first: true, limit: 3, ..whole("guard#w") };
    assert_eq!(sorts(backend, tens).await, (40..50).rev().map(|n| format!("active#{n:03}")).collect::<Vec<_>>());

    let first = &items[0];
    assert_eq!(read(backend, &first.key).await.as_ref(), Some(first));
    assert!(commit(backend, vec![put_if(first, Expect::Absent)]).await.is_err(), "it stands there");
    let add = Write::Add { table: TABLE, key: Key::new("guard#w", "slots"), amount: 2, at_most: Some(3) };
    committed(backend, vec![check(&first.key, Expect::Version(1)), add, delete_if(&items[1].key, Expect::Present)])
        .await;
    let several: Vec<(Table, Key)> = items[..2].iter().map(|item| (TABLE, item.key.clone())).collect();
    assert_eq!(backend.tables().get_many(&several).await, Ok(vec![Some(first.clone()), None]));
    assert_eq!(sorts(backend, whole("guard#w")).await.len(), 97, "one is gone, and one is new");
}
