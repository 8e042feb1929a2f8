//! Items with a time to live.

use pawl_runtime::ports::{Consistency, Expect, Index, Item, Table};

use super::super::Backend;
use super::super::shorthand::{
    TABLE, check, committed, delete_if, indexed, item, pages, pass, put, put_if, read, refused, span, whole,
    whole_index,
};

fn short_lived(backend: &dyn Backend, sort: &str) -> Item {
    let expires_at = Some(backend.now() + span(backend, 2_000));
    Item { expires_at, ..indexed(item("p", sort), Index::Gsi1, "all", sort) }
}

/// Once it expired, no read finds it; before, all do.
pub async fn an_expired_item_is_not_read(backend: &dyn Backend) {
    let (mortal, lasting) = (short_lived(backend, "1"), indexed(item("p", "2"), Index::Gsi1, "all", "2"));
    committed(backend, vec![put(&mortal), put(&lasting)]).await;
    assert_eq!(found_everywhere(backend, &mortal).await, [true; 5]);

    pass(backend, 3_000).await;
    assert_eq!(found_everywhere(backend, &mortal).await, [false; 5]);
    assert_eq!(found_everywhere(backend, &lasting).await, [true; 5]);
}

async fn found_everywhere(backend: &dyn Backend, item: &Item) -> [bool; 5] {
    backend.settle().await;
    let tables = backend.tables();
    let eventual = tables.get(TABLE, &item.key, Consistency::Eventual).await.expect("the read succeeds");
    let several = tables.get_many(&[(Table::Executions, item.key.clone())]).await.expect("the read succeeds");
    let mut queried = Vec::new();
    for query in [whole("p"), whole_index(Index::Gsi1, "all")] {
        queried.push(pages(backend, query).await.iter().any(|page| page.items.contains(item)));
    }
    [
        read(backend, &item.key).await.is_some(),
        eventual.is_some(),
        several == [Some(item.clone())],
        queried[0],
        queried[1],
    ]
}

/// Expectations treat an expired item as absent, and conflicts do not show it.
pub async fn an_expired_item_counts_as_absent(backend: &dyn Backend) {
    let expired = short_lived(backend, "1");
    committed(backend, vec![put(&expired)]).await;
    pass(backend, 3_000).await;

    assert_eq!(refused(backend, vec![check(&expired.key, Expect::Present)]).await, None);
    assert_eq!(refused(backend, vec![delete_if(&expired.key, Expect::Version(1))]).await, None);
    committed(backend, vec![check(&expired.key, Expect::Absent)]).await;

    let successor = Item { version: 1, ..item("p", "1") };
    committed(backend, vec![put_if(&successor, Expect::Absent)]).await;
    assert_eq!(read(backend, &successor.key).await, Some(successor));
}
