//! What follows the head of an execution that has expired: its event, its older rows and its blobs.
//!
//! The head has the time to live, written by the transition that ends the execution; nothing else of it does. So an end
//! costs no write more, and a head never goes before the storage says so. The storage tells of the head that it has
//! removed, and tells again until this has succeeded.

use futures::future::try_join_all;

use crate::ports::{
    BlobOwner, Blobs, Consistency, Durability, Expect, Item, Key, Pages, Query, Tables, Transaction, Write,
};
use crate::{Error, items, offload};

/// Items that are removed beside each other.
const AT_ONCE: usize = 25;

/// Removes what belonged to an execution whose head is gone. Doing it again changes nothing.
pub(crate) async fn follow(tables: &dyn Tables, blobs: &dyn Blobs, head: &Key) -> Result<(), Error> {
    let Some(id) = items::execution::id(head) else { return Ok(()) };
    let table = items::execution::TABLE;
    // A refusal may have come into its place, or the storage tells late.
    if tables.get(table, head, Consistency::Strong).await?.is_some() {
        return Ok(());
    }
    let mut pages = Pages::of(tables, Query::of(table, &head.partition).limit(AT_ONCE));
    while let Some(page) = pages.next().await? {
        if let Some(event) = page.iter().find(|item| item.key == items::event::key(id)) {
            remove_of_event(blobs, event).await?;
        }
        // What stands in the place of the head by now is a refusal, which has come meanwhile.
        let left = page.into_iter().filter(|item| item.key != *head);
        try_join_all(left.map(|item| remove(tables, item))).await?;
    }
    remove_of(blobs, &BlobOwner::execution(id)).await?;
    tracing::debug!(execution_id = id, "execution {id} has expired and is removed");
    Ok(())
}

/// What was offloaded of the event on its way, which nobody reads any more: an event that old starts nothing. It is removed
/// before the item, which names it.
async fn remove_of_event(blobs: &dyn Blobs, item: &Item) -> Result<(), Error> {
    match items::event::parse(item) {
        Ok(event) if offload::may_refer(&item.body) => remove_of(blobs, &BlobOwner::event(&event.id)).await,
        _ => Ok(()),
    }
}

async fn remove_of(blobs: &dyn Blobs, owner: &BlobOwner) -> Result<(), Error> {
    while blobs.remove(owner).await? {}
    Ok(())
}

/// Each by itself: a write costs half of one in a transaction with others.
async fn remove(tables: &dyn Tables, item: Item) -> Result<(), Error> {
    let delete = Write::Delete { table: items::execution::TABLE, key: item.key, expect: Expect::Any };
    Ok(tables.transact(Transaction { writes: vec![delete], durability: Durability::Ordered }).await?)
}
