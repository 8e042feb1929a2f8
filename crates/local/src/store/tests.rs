//! What becomes of the store when the disk fails under it.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;
use pawl_runtime::ports::{
    Consistency, Durability, Expect, Item, Key, Message, Queue, QueueName, QueueSource, Table, TableError, Tables,
    Transaction, Write,
};
use pawl_testkit::VirtualClock;
use tempfile::TempDir;

use super::{BacklogLimits, Condition, Store};

/// A store on a disk that syncs only while it is told to.
struct Disk {
    store: Store,
    fails: Arc<AtomicBool>,
    folder: TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = TempDir::new().expect("a directory can be made");
        let fails = Arc::new(AtomicBool::new(false));
        let asked = fails.clone();
        let sync = move |file: &File| {
            if asked.load(Ordering::SeqCst) { Err(std::io::Error::other("no")) } else { file.sync_data() }
        };
        let clock = Arc::new(VirtualClock::default());
        let store = Store::open_synced(folder.path(), clock, BacklogLimits::default(), Arc::new(sync));
        Self { store: store.expect("the directory opens"), fails, folder }
    }

    fn set_fails(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    async fn put(&self, name: &str, durability: Durability) -> Result<(), TableError> {
        let item =
            Item { key: Key::new("p", name), version: 1, indexes: Vec::new(), expires_at: None, body: "{}".to_owned() };
        let writes = vec![Write::Put { table: Table::Executions, item, expect: Expect::Absent }];
        self.store.transact(Transaction { writes, durability }).await
    }

    async fn has(&self, name: &str) -> Result<bool, TableError> {
        let found = Tables::get(&self.store, Table::Executions, &Key::new("p", name), Consistency::Strong).await;
        found.map(|item| item.is_some())
    }

    /// Lets a sync fail, and waits until the store says so.
    async fn fail(&self) {
        self.set_fails(true);
        assert!(matches!(self.put("lost", Durability::Durable).await, Err(TableError::Unknown(_))));
        let mut condition = self.store.condition();
        condition.wait_for(|condition| matches!(condition, Condition::Waiting(_))).await.expect("the store is there");
    }

    async fn mend(&self) {
        self.set_fails(false);
        let mut condition = self.store.condition();
        condition.wait_for(|condition| *condition == Condition::Ready).await.expect("the store is there");
    }
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_promised_and_the_store_goes_on_by_itself() {
    let disk = Disk::new();
    disk.put("before", Durability::Durable).await.expect("the disk is well");
    disk.fail().await;
    assert!(matches!(disk.put("refused", Durability::Durable).await, Err(TableError::Unavailable(_))));
    assert!(matches!(disk.has("before").await, Err(TableError::Unavailable(_))), "nothing is read that may be lost");
    let Condition::Waiting(why) = disk.store.condition().borrow().clone() else { panic!("it waits") };
    assert!(why.contains("could not be synced") || why.contains("cannot be used"), "{why}");

    disk.mend().await;
    assert_eq!(disk.has("before").await, Ok(true));
    assert_eq!(disk.put("after", Durability::Durable).await, Ok(()));
    assert_eq!(disk.has("refused").await, Ok(false));
    let left = disk.store.inner.shared.file.clone();
    disk.store.close();
    let connection = rusqlite::Connection::open(left).expect("the file opens");
    let kept: i64 = connection
        .query_row("SELECT count(*) FROM executions WHERE sk IN ('before', 'after')", [], |row| row.get(0))
        .expect("a count is a number");
    assert_eq!(kept, 2);
    drop(disk.folder);
}

#[tokio::test]
async fn what_was_begun_before_a_failure_writes_nothing_after_it() {
    let disk = Disk::new();
    let late = disk.store.in_session(true, async {
        assert_eq!(disk.has("a").await, Ok(false));
        disk.fail().await;
        disk.mend().await;
        // Versions count from where the disk is: what was read before may have been lost, and written otherwise since.
        disk.put("a", Durability::Ordered).await
    });
    assert!(matches!(late.await, Err(TableError::Unavailable(_))));
    assert_eq!(disk.put("a", Durability::Ordered).await, Ok(()));
    assert_eq!(disk.store.session(), 2);
}

#[tokio::test]
async fn messages_that_were_received_come_again_after_a_failure_and_old_receipts_end_nothing() {
    let disk = Disk::new();
    let message = Message { body: "job".to_owned(), delay: SignedDuration::ZERO, group: "w".to_owned() };
    disk.store.send(QueueName::Jobs, vec![message]).await.expect("sending succeeds");
    disk.put("before", Durability::Durable).await.expect("the disk is well");
    let visibility = SignedDuration::from_mins(10);
    let first = disk.store.receive(QueueName::Jobs, 1, visibility).await.expect("receiving succeeds");
    disk.fail().await;
    disk.mend().await;
    let again = disk.store.receive(QueueName::Jobs, 1, visibility).await.expect("receiving succeeds");
    assert_eq!(again[0].body, "job");
    disk.store.delete(QueueName::Jobs, &first[0].receipt).await.expect("an unknown receipt is no error");
    disk.store.delete(QueueName::Jobs, &again[0].receipt).await.expect("deleting succeeds");
    disk.store.settle().await;
    assert_eq!(disk.store.inner.shared.hub.backlog.admit(), Ok(()));
}

#[tokio::test]
async fn a_thread_of_the_store_that_panics_is_begun_again() {
    let folder = TempDir::new().expect("a directory can be made");
    let panics = Arc::new(AtomicBool::new(false));
    let asked = panics.clone();
    let sync = move |file: &File| {
        assert!(!asked.swap(false, Ordering::SeqCst), "a broken invariant");
        file.sync_data()
    };
    let clock = Arc::new(VirtualClock::default());
    let store = Store::open_synced(folder.path(), clock, BacklogLimits::default(), Arc::new(sync));
    let store = store.expect("the directory opens");
    let durable = || Transaction { writes: Vec::new(), durability: Durability::Durable };
    panics.store(true, Ordering::SeqCst);
    assert!(matches!(store.transact(durable()).await, Err(TableError::Unknown(_))));
    let mut condition = store.condition();
    condition.wait_for(|condition| *condition == Condition::Ready).await.expect("the store is there");
    while store.session() == 1 || *condition.borrow_and_update() != Condition::Ready {
        condition.changed().await.expect("the store is there");
    }
    assert_eq!(store.transact(durable()).await, Ok(()));
}

#[tokio::test]
async fn a_store_whose_disk_never_comes_back_can_be_closed() {
    let disk = Disk::new();
    disk.fail().await;
    disk.store.close();
    assert!(matches!(&*disk.store.condition().borrow(), Condition::Ended(_)));
}
