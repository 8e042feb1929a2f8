//! Reading what was written.

use jiff::SignedDuration;
use pawl_runtime::ports::{Consistency, Durability, Expect, Index, Item, Key, Table, Transaction, Write};

use super::super::Backend;
use super::super::shorthand::{committed, indexed, item, put, read};

/// Every field of an item comes back, from a strong and from an eventual read.
pub async fn a_put_is_read_back_whole(backend: &dyn Backend) {
    let mut written = indexed(item("p", "s"), Index::Gsi1, "open", "2026");
    written = indexed(written, Index::Gsi3, "ä", "…");
    let body = "{\"text\":\"größer \\u0000 \\\"quoted\\\"\"}".to_owned();
    let expires_at = Some(backend.now() + SignedDuration::from_hours(1));
    written = Item { version: 7, expires_at, body, ..written };
    committed(backend, vec![put(&written)]).await;

    assert_eq!(read(backend, &written.key).await.as_ref(), Some(&written));
    backend.settle().await;
    let eventual = backend.tables().get(Table::Executions, &written.key, Consistency::Eventual).await;
    assert_eq!(eventual, Ok(Some(written)));
}

/// One key stands for different items in different tables.
pub async fn tables_are_separate(backend: &dyn Backend) {
    let tables = [Table::Workflows, Table::Executions, Table::Keys];
    let bodies = ["{\"of\":\"workflows\"}", "{\"of\":\"executions\"}", "{\"of\":\"idempotency\"}"];
    let writes = tables.iter().zip(bodies).map(|(table, body)| {
        let item = Item { body: body.to_owned(), ..item("p", "s") };
        Write::Put { table: *table, item, expect: Expect::Absent }
    });
    committed(backend, writes.collect()).await;

    for (table, body) in tables.into_iter().zip(bodies) {
        let found = backend.tables().get(table, &Key::new("p", "s"), Consistency::Strong).await;
        assert_eq!(found.map(|item| item.map(|item| item.body)), Ok(Some(body.to_owned())));
    }
}

/// `get_many` answers in the order asked, with gaps for what is not there.
pub async fn several_are_read_in_the_order_asked(backend: &dyn Backend) {
    let (first, second) = (item("p", "1"), item("q", "2"));
    committed(backend, vec![put(&first), put(&second)]).await;

    let keys = [
        (Table::Executions, second.key.clone()),
        (Table::Executions, Key::new("p", "missing")),
        (Table::Workflows, first.key.clone()),
        (Table::Executions, first.key.clone()),
    ];
    let found = backend.tables().get_many(&keys).await;
    assert_eq!(found, Ok(vec![Some(second), None, None, Some(first)]));
    assert_eq!(backend.tables().get_many(&[]).await, Ok(vec![]));
}

/// However long a commit waits, consistent reads see it once it returned.
pub async fn a_durable_and_an_ordered_commit_are_seen_by_strong_reads(backend: &dyn Backend) {
    for (sort, durability) in [("ordered", Durability::Ordered), ("durable", Durability::Durable)] {
        let written = item("p", sort);
        let transaction = Transaction { writes: vec![put(&written)], durability };
        backend.tables().transact(transaction).await.expect("the commit succeeds");
        assert_eq!(read(backend, &written.key).await, Some(written));
    }
}

/// Nothing to write is nothing to refuse.
pub async fn a_transaction_without_writes_commits(backend: &dyn Backend) {
    for durability in [Durability::Ordered, Durability::Durable] {
        let outcome = backend.tables().transact(Transaction { writes: Vec::new(), durability }).await;
        assert_eq!(outcome, Ok(()));
    }
}
