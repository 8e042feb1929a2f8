//! Short words in which the checks are written.

use futures::FutureExt;
use futures::future::{Either, select};
use jiff::SignedDuration;
use pawl_runtime::ports::{
    Consistency, Durability, Expect, Index, IndexEntry, Item, Key, Message, Page, Query, QueueName, Received, Table,
    TableError, Transaction, Write,
};

use super::Backend;

/// The table that most checks use; it yields no stream messages.
pub(super) const TABLE: Table = Table::Executions;

/// Whole milliseconds.
pub(super) fn ms(count: i64) -> SignedDuration {
    SignedDuration::from_millis(count)
}

/// A span of a check, as long as the backend needs it.
pub(super) fn span(backend: &dyn Backend, milliseconds: i64) -> SignedDuration {
    ms(milliseconds) * backend.stretch()
}

/// A visibility that does not end within a check unless it waits for it.
pub(super) fn visibility(backend: &dyn Backend) -> SignedDuration {
    span(backend, 12_000)
}

/// Lets a span of a check pass.
pub(super) async fn pass(backend: &dyn Backend, milliseconds: i64) {
    backend.pass(span(backend, milliseconds)).await;
}

/// An item of version 1 with a body that names its key.
pub(super) fn item(partition: &str, sort: &str) -> Item {
    let body = format!("{{\"at\":\"{partition}/{sort}\"}}");
    Item { key: Key::new(partition, sort), version: 1, indexes: Vec::new(), expires_at: None, body }
}

/// The same item with an entry in an index.
pub(super) fn indexed(mut item: Item, index: Index, partition: &str, sort: &str) -> Item {
    item.indexes.push(IndexEntry { index, partition: partition.to_owned(), sort: sort.to_owned() });
    item
}

/// Puts whatever stands there.
pub(super) fn put(item: &Item) -> Write {
    put_if(item, Expect::Any)
}

/// Puts if an expectation holds.
pub(super) fn put_if(item: &Item, expect: Expect) -> Write {
    Write::Put { table: TABLE, item: item.clone(), expect }
}

/// Deletes if an expectation holds.
pub(super) fn delete_if(key: &Key, expect: Expect) -> Write {
    Write::Delete { table: TABLE, key: key.clone(), expect }
}

/// Requires an expectation.
pub(super) fn check(key: &Key, expect: Expect) -> Write {
    Write::Check { table: TABLE, key: key.clone(), expect }
}

/// Commits in order.
pub(super) async fn commit(backend: &dyn Backend, writes: Vec<Write>) -> Result<(), TableError> {
    backend.tables().transact(Transaction { writes, durability: Durability::Ordered }).await
}

/// Commits what must succeed.
pub(super) async fn committed(backend: &dyn Backend, writes: Vec<Write>) {
    commit(backend, writes).await.expect("the commit succeeds");
}

/// Commits what must conflict in exactly one member, and answers the item that stood there.
pub(super) async fn refused(backend: &dyn Backend, writes: Vec<Write>) -> Option<Item> {
    match commit(backend, writes).await {
        Err(TableError::Conflict(conflicts)) => {
            assert_eq!(conflicts.len(), 1, "one member conflicts: {conflicts:?}");
            conflicts.into_iter().next().and_then(|conflicted| conflicted.current)
        }
        other => panic!("expected a conflict, found {other:?}"),
    }
}

/// Reads strongly.
pub(super) async fn read(backend: &dyn Backend, key: &Key) -> Option<Item> {
    backend.tables().get(TABLE, key, Consistency::Strong).await.expect("the read succeeds")
}

/// A strong query of a whole partition.
pub(super) fn whole(partition: &str) -> Query {
    Query::of(TABLE, partition).limit(100)
}

/// A query of a whole partition of an index.
pub(super) fn whole_index(index: Index, partition: &str) -> Query {
    Query::of_index(TABLE, index, partition).limit(100)
}

/// The pages of a query until there are no more.
pub(super) async fn pages(backend: &dyn Backend, mut query: Query) -> Vec<Page> {
    let mut pages = Vec::new();
    loop {
        assert!(pages.len() < 100, "the pages of a small partition end");
        let page = backend.tables().query(&query).await.expect("the query succeeds");
        assert!(page.items.len() <= query.limit, "a page keeps to its limit");
        query.after.clone_from(&page.next);
        pages.push(page);
        if query.after.is_none() {
            return pages;
        }
    }
}

/// The sort keys that a query finds on all its pages.
pub(super) async fn sorts(backend: &dyn Backend, query: Query) -> Vec<String> {
    let items = pages(backend, query).await.into_iter().flat_map(|page| page.items);
    items.map(|item| item.key.sort).collect()
}

/// A message without delay.
pub(super) fn message(body: &str) -> Message {
    Message { body: body.to_owned(), delay: SignedDuration::ZERO, group: "group".to_owned() }
}

/// Receives what can be received now, which may be nothing.
pub(super) async fn receive(backend: &dyn Backend, queue: QueueName, max: usize) -> Vec<Received> {
    receive_for(backend, queue, max, visibility(backend)).await
}

/// Receives what can be received now with a visibility of one's own.
pub(super) async fn receive_for(
    backend: &dyn Backend,
    queue: QueueName,
    max: usize,
    visibility: SignedDuration,
) -> Vec<Received> {
    backend.settle().await;
    let receiving = backend.source().receive(queue, max, visibility);
    let received = match select(receiving, backend.settle()).await {
        Either::Left((received, _)) => Some(received),
        Either::Right(((), receiving)) => receiving.now_or_never(),
    };
    received.map(|received| received.expect("receiving succeeds")).unwrap_or_default()
}

/// Receives and deletes all that can be received now, and answers the bodies in order of arrival.
pub(super) async fn drain(backend: &dyn Backend, queue: QueueName) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let received = receive(backend, queue, 10).await;
        if received.is_empty() {
            return bodies;
        }
        for message in received {
            backend.source().delete(queue, &message.receipt).await.expect("deleting succeeds");
            bodies.push(message.body);
        }
    }
}
