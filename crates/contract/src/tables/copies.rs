//! Items that are stored in [copies](pawl_runtime::copies): to callers each is one item, however a store keeps it.

use pawl_runtime::copies::{COPIES, copies_of};
use pawl_runtime::items::workflow::{ALL, head_key};
use pawl_runtime::ports::rules::MAX_WRITES;
use pawl_runtime::ports::{
    Consistency, Durability, Expect, Index, IndexEntry, Item, Key, Query, Table, TableError, Transaction, Write,
};

use super::super::Backend;

/// Reads of one item, so many that each copy is read.
const READS: usize = 120;

fn head(version: u64) -> Item {
    let key = head_key("triage");
    assert_eq!(copies_of(&key), COPIES);
    let entry = IndexEntry { index: Index::Gsi1, partition: ALL.to_owned(), sort: "triage".to_owned() };
    Item { key, version, indexes: vec![entry], expires_at: None, body: format!("{{\"version\":{version}}}") }
}

fn put(item: Item, expect: Expect) -> Write {
    Write::Put { table: Table::Workflows, item, expect }
}

async fn commit(backend: &dyn Backend, writes: Vec<Write>) -> Result<(), TableError> {
    backend.tables().transact(Transaction { writes, durability: Durability::Durable }).await
}

/// What strong reads see, each of which must see the same.
async fn seen(backend: &dyn Backend) -> Option<Item> {
    let key = head_key("triage");
    let mut seen = backend.tables().get(Table::Workflows, &key, Consistency::Strong).await.expect("the read succeeds");
    for number in 0..READS {
        let now = if number % 2 == 0 {
            backend.tables().get(Table::Workflows, &key, Consistency::Strong).await.expect("the read succeeds")
        } else {
            let keys = [(Table::Workflows, Key::new("none", "none")), (Table::Workflows, key.clone())];
            backend.tables().get_many(&keys).await.expect("the read succeeds").remove(1)
        };
        assert_eq!(now, seen, "each read sees the same");
        seen = now;
    }
    seen
}

/// Each strong read sees what was committed before it: a put, a later one, and a delete.
pub async fn every_read_of_a_copied_item_sees_the_last_commit(backend: &dyn Backend) {
    assert_eq!(seen(backend).await, None);
    commit(backend, vec![put(head(1), Expect::Absent)]).await.expect("it is new");
    assert_eq!(seen(backend).await, Some(head(1)));
    commit(backend, vec![put(head(2), Expect::Version(1))]).await.expect("it is as it was");
    assert_eq!(seen(backend).await, Some(head(2)));
    let delete = Write::Delete { table: Table::Workflows, key: head_key("triage"), expect: Expect::Version(2) };
    commit(backend, vec![delete]).await.expect("it is as it was");
    assert_eq!(seen(backend).await, None);
}

/// It conflicts as one item does, with what stands there, and then changes nothing.
pub async fn a_copied_item_conflicts_once(backend: &dyn Backend) {
    commit(backend, vec![put(head(1), Expect::Absent)]).await.expect("it is new");
    let other = Item { key: Key::new("workflow#triage", "revision#1"), indexes: Vec::new(), ..head(1) };
    let writes = vec![put(other.clone(), Expect::Absent), put(head(9), Expect::Version(8))];
    let Err(TableError::Conflict(conflicts)) = commit(backend, writes).await else { panic!("expected a conflict") };
    let found: Vec<_> = conflicts.into_iter().map(|conflict| (conflict.index, conflict.current)).collect();
    assert_eq!(found, [(1, Some(head(1)))]);
    assert_eq!(seen(backend).await, Some(head(1)));

    let check =
        |version| Write::Check { table: Table::Workflows, key: head_key("triage"), expect: Expect::Version(version) };
    assert!(commit(backend, vec![check(2), put(other.clone(), Expect::Absent)]).await.is_err());
    commit(backend, vec![check(1), put(other, Expect::Absent)]).await.expect("it is as it was");
}

/// It stands once in its partition and in its indexes.
pub async fn a_copied_item_is_listed_once(backend: &dyn Backend) {
    commit(backend, vec![put(head(1), Expect::Absent)]).await.expect("it is new");
    backend.settle().await;
    for query in [Query::of(Table::Workflows, "workflow#triage"), Query::of_index(Table::Workflows, Index::Gsi1, ALL)] {
        let page = backend.tables().query(&query).await.expect("the query succeeds");
        assert_eq!(page.items, [head(1)]);
    }
}

/// Its copies are writes of a transaction, so that no backend takes what another one cannot.
pub async fn the_copies_of_an_item_count_as_writes(backend: &dyn Backend) {
    let copied = |number: usize| {
        let item = Item { key: head_key(&format!("w{number}")), indexes: Vec::new(), ..head(1) };
        put(item, Expect::Any)
    };
    let plain = |number: usize| {
        put(Item { key: Key::new("plain", number.to_string()), indexes: Vec::new(), ..head(1) }, Expect::Any)
    };
    let whole = MAX_WRITES / usize::from(COPIES);
    let rest = MAX_WRITES % usize::from(COPIES);
    let writes = |rest: usize| (0..whole).map(copied).chain((0..rest).map(plain)).collect();
    let outcome = commit(backend, writes(rest + 1)).await;
    assert!(matches!(outcome, Err(TableError::Invalid(_))), "expected an invalid call, found {outcome:?}");
    commit(backend, writes(rest)).await.expect("it is no more than a transaction takes");
}
