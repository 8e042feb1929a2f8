//! What the embedded store promises beyond the ports: durability, order, one process, bounded memory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_local::{BacklogLimits, Condition, OpenError, Store};
use pawl_runtime::ports::{
    BlobKey, BlobOwner, Clock, Consistency, Durability, Expect, Item, Key, Message, Queue, QueueError, QueueName,
    QueueSource, Table, TableError, Tables, Timer, Timers, Transaction, Write,
};
use pawl_testkit::VirtualClock;
use tempfile::TempDir;

const VISIBILITY: SignedDuration = SignedDuration::from_secs(30);

fn directory() -> TempDir {
    TempDir::new().expect("a directory can be made")
}

fn open(directory: &Path, clock: &VirtualClock) -> Store {
    Store::open(directory, Arc::new(clock.clone())).expect("the directory opens")
}

/// A directory as a crash would leave it at this moment: the files as they are, while the store still has them open.
fn crashed(directory: &Path) -> TempDir {
    let copy = self::directory();
    for name in ["pawl.db", "pawl.db-wal"] {
        std::fs::copy(directory.join(name), copy.path().join(name)).expect("the file can be copied");
    }
    copy
}

fn log_length(directory: &Path) -> u64 {
    std::fs::metadata(directory.join("pawl.db-wal")).expect("the log is there").len()
}

async fn put(store: &Store, name: &str, durability: Durability) {
    let body = format!("{{\"text\":\"{}\"}}", name.repeat(200));
    let item = Item { key: Key::new("p", name), version: 1, indexes: Vec::new(), expires_at: None, body };
    let writes = vec![Write::Put { table: Table::Executions, item, expect: Expect::Absent }];
    store.transact(Transaction { writes, durability }).await.expect("the put commits");
}

async fn has(store: &Store, name: &str) -> bool {
    let found = Tables::get(store, Table::Executions, &Key::new("p", name), Consistency::Strong).await;
    found.expect("the read succeeds").is_some()
}

fn message(body: &str) -> Message {
    Message { body: body.to_owned(), delay: SignedDuration::ZERO, group: "group".to_owned() }
}

async fn send(store: &Store, message: Message) {
    store.send(QueueName::Jobs, vec![message]).await.expect("sending succeeds");
}

/// The bodies that can be received now, and the receipts.
async fn receive(store: &Store) -> Vec<(String, String)> {
    store.settle().await;
    let received = store.receive(QueueName::Jobs, 100, VISIBILITY).now_or_never();
    let received = received.map(|received| received.expect("receiving succeeds")).unwrap_or_default();
    received.into_iter().map(|received| (received.body, received.receipt)).collect()
}

async fn bodies(store: &Store) -> BTreeSet<String> {
    receive(store).await.into_iter().map(|(body, _)| body).collect()
}

#[tokio::test]
async fn a_crash_keeps_what_was_durable_and_all_that_came_before() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    put(&store, "ordered", Durability::Ordered).await;
    send(&store, message("job")).await;
    let due = clock.now() + SignedDuration::from_secs(60);
    let timer = Timer { name: "wake".to_owned(), due, queue: QueueName::Jobs, message: message("wake") };
    Timers::set(&store, timer).await.expect("setting succeeds");
    put(&store, "durable", Durability::Durable).await;

    let left = crashed(directory.path());
    let reopened = open(left.path(), &clock);
    assert!(has(&reopened, "ordered").await && has(&reopened, "durable").await);
    assert_eq!(bodies(&reopened).await, BTreeSet::from(["job".to_owned()]));
    clock.advance(SignedDuration::from_secs(61));
    assert_eq!(bodies(&reopened).await, BTreeSet::from(["wake".to_owned()]));
}

#[tokio::test]
async fn a_log_that_breaks_off_after_the_last_sync_loses_only_what_came_later() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    put(&store, "durable", Durability::Durable).await;
    let synced = log_length(directory.path());
    for number in 0..20 {
        put(&store, &format!("later-{number}"), Durability::Ordered).await;
        store.settle().await;
    }
    let written = log_length(directory.path());
    assert!(synced < written, "later commits are in the log");

    for length in (synced..written).step_by(1_777) {
        let left = crashed(directory.path());
        let log = std::fs::OpenOptions::new().write(true).open(left.path().join("pawl.db-wal")).expect("the log opens");
        log.set_len(length).expect("the log can be cut");
        let reopened = open(left.path(), &clock);
        assert!(has(&reopened, "durable").await, "durable with {length} bytes of the log");
        let mut survivors = Vec::new();
        for number in 0..20 {
            survivors.push(has(&reopened, &format!("later-{number}")).await);
        }
        assert!(survivors.is_sorted_by(|earlier, later| earlier >= later), "order is kept: {survivors:?}");
    }
}

#[tokio::test]
async fn closing_keeps_everything_and_opening_makes_unfinished_messages_ready_again() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    put(&store, "ordered", Durability::Ordered).await;
    for body in ["deleted", "received"] {
        send(&store, message(body)).await;
    }
    send(&store, Message { delay: SignedDuration::from_secs(60), ..message("delayed") }).await;
    for (body, receipt) in receive(&store).await {
        if body == "deleted" {
            store.delete(QueueName::Jobs, &receipt).await.expect("deleting succeeds");
        }
    }
    send(&store, message("waiting")).await;
    drop(store);
    assert!(!directory.path().join("pawl.db-wal").exists(), "a closed store leaves no log");

    let store = open(directory.path(), &clock);
    assert!(has(&store, "ordered").await);
    assert_eq!(bodies(&store).await, BTreeSet::from(["received".to_owned(), "waiting".to_owned()]));
    clock.advance(SignedDuration::from_secs(61));
    assert!(bodies(&store).await.contains("delayed"));
}

#[tokio::test]
async fn a_directory_belongs_to_one_store() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let second = Store::open(directory.path(), Arc::new(clock.clone()));
    assert!(matches!(second, Err(OpenError::InUse(_))), "the directory is taken");

    store.close();
    open(directory.path(), &clock);
}

#[tokio::test]
async fn a_directory_of_a_newer_version_is_refused() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let connection = rusqlite::Connection::open(directory.path().join("pawl.db")).expect("the file opens");
    connection.pragma_update(None, "user_version", 99).expect("the version can be set");
    drop(connection);
    let outcome = Store::open(directory.path(), Arc::new(clock)).err().map(|error| error.to_string());
    insta::assert_snapshot!(
        outcome.unwrap_or_default(),
        @"the data directory has layout 99, expected at most 1: it was written by a newer version"
    );
}

#[tokio::test]
async fn a_closed_store_refuses_calls_and_ends_waiting() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.receive(QueueName::Events, 1, VISIBILITY).await }
    });
    tokio::task::yield_now().await;
    store.close();

    let closed = || "the store is closed".to_owned();
    assert_eq!(waiting.await.expect("the task ends"), Err(QueueError::Unavailable(closed())));
    let empty = Transaction { writes: Vec::new(), durability: Durability::Durable };
    assert_eq!(store.transact(empty).await, Err(TableError::Unavailable(closed())));
    for consistency in [Consistency::Strong, Consistency::Eventual] {
        let outcome = Tables::get(&store, Table::Records, &Key::new("p", "s"), consistency).await;
        assert_eq!(outcome, Err(TableError::Unavailable(closed())));
    }
}

#[tokio::test]
async fn more_messages_than_fit_in_memory_all_arrive_once() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let total = 23_000;
    for start in (0..total).step_by(1_000) {
        let messages = (start..start + 1_000).map(|number| message(&number.to_string())).collect();
        store.send(QueueName::Jobs, messages).await.expect("sending succeeds");
    }
    let mut seen = BTreeSet::new();
    while seen.len() < total {
        for received in store.receive(QueueName::Jobs, 1_000, VISIBILITY).await.expect("receiving succeeds") {
            assert!(seen.insert(received.body), "none arrives twice");
            store.delete(QueueName::Jobs, &received.receipt).await.expect("deleting succeeds");
        }
    }
    assert_eq!(receive(&store).await, []);
}

#[tokio::test]
async fn thousands_of_timers_due_together_all_fire() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let due = clock.now() + SignedDuration::from_hours(1);
    for number in 0..5_000 {
        let (name, message) = (format!("timer-{number}"), message(&number.to_string()));
        Timers::set(&store, Timer { name, due, queue: QueueName::Jobs, message }).await.expect("setting succeeds");
    }
    assert_eq!(receive(&store).await, []);
    clock.advance(SignedDuration::from_hours(1));
    store.settle().await;
    let received = store.receive(QueueName::Jobs, 10_000, VISIBILITY).await.expect("receiving succeeds");
    assert_eq!(received.len(), 5_000);
}

#[tokio::test]
async fn only_durable_commits_wait_for_the_disk() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let before = store.fsyncs();
    for number in 0..50 {
        put(&store, &format!("ordered-{number}"), Durability::Ordered).await;
    }
    // One is made without anybody waiting, if all this took longer than a second.
    let ordered = store.fsyncs() - before;
    assert!(ordered <= 1, "50 ordered commits made {ordered} syncs");
    put(&store, "durable", Durability::Durable).await;
    assert!(store.fsyncs() > before + ordered, "a durable commit made no sync");
}

#[tokio::test]
async fn commits_that_wait_together_share_a_sync() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let before = store.fsyncs();
    let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    futures::future::join_all(names.iter().map(|name| put(&store, name, Durability::Durable))).await;
    let fsyncs = store.fsyncs() - before;
    assert!(fsyncs < 100, "200 commits made {fsyncs} syncs");
}

#[tokio::test]
async fn a_long_log_is_copied_into_the_database_while_writes_go_on() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(200 * 1024));
    for version in 1..=600 {
        let key = Key::new("p", (version % 10).to_string());
        let item = Item { key, version, indexes: Vec::new(), expires_at: None, body: body.clone() };
        let writes = vec![Write::Put { table: Table::Executions, item, expect: Expect::Any }];
        let transaction = Transaction { writes, durability: Durability::Ordered };
        store.transact(transaction).await.expect("the put commits");
        store.settle().await;
    }
    put(&store, "last", Durability::Durable).await;
    let written = 600 * 200 * 1024;
    assert!(log_length(directory.path()) < written, "the log starts again before it holds all that was written");
    let left = crashed(directory.path());
    assert!(has(&open(left.path(), &clock), "last").await);
}

#[tokio::test]
async fn a_lock_of_another_program_is_waited_out_and_told() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    put(&store, "before", Durability::Durable).await;
    store.settle().await;
    let other = rusqlite::Connection::open(directory.path().join("pawl.db")).expect("the file opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");

    let patient = tokio::spawn({
        let store = store.clone();
        async move { store.clone().in_session(true, put(&store, "patient", Durability::Durable)).await }
    });
    let empty = Transaction { writes: Vec::new(), durability: Durability::Ordered };
    assert!(matches!(store.transact(empty).await, Err(TableError::Unavailable(why)) if why.contains("holds a lock")));
    assert!(matches!(&*store.condition().borrow(), Condition::Waiting(why) if why.contains("holds a lock")));
    assert!(has(&store, "before").await, "reads go on");

    other.execute_batch("ROLLBACK").expect("the lock can be given up");
    patient.await.expect("what waits is done");
    assert_eq!(*store.condition().borrow(), Condition::Ready);
    assert!(has(&store, "patient").await);
    assert_eq!(store.session(), 1, "nothing was lost");
}

#[tokio::test]
async fn a_damaged_database_ends_the_store() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    for number in 0..200 {
        put(&store, &format!("item-{number}"), Durability::Ordered).await;
    }
    store.close();
    let file = directory.path().join("pawl.db");
    let length = std::fs::metadata(&file).expect("the file is there").len();
    let mut text = std::fs::read(&file).expect("the file is readable");
    let from = usize::try_from(length / 4).expect("it is small");
    text[from..].fill(0xa5);
    std::fs::write(&file, text).expect("the file is writable");
    match Store::open(directory.path(), Arc::new(clock.clone())) {
        Err(error) => assert!(error.to_string().contains("malformed"), "{error}"),
        Ok(store) => {
            for number in 0..200 {
                let key = Key::new("p", format!("item-{number}"));
                drop(Tables::get(&store, Table::Executions, &key, Consistency::Strong).await);
            }
            let mut condition = store.condition();
            let ended = condition.wait_for(|condition| matches!(condition, Condition::Ended(_))).await;
            assert!(matches!(ended.as_deref(), Ok(Condition::Ended(why)) if why.contains("damaged")));
        }
    }
}

#[tokio::test]
async fn the_backlog_of_one_workflow_delays_no_other() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let of = |group: &str, number: usize| Message { group: group.to_owned(), ..message(&format!("{group}-{number}")) };
    for start in (0..20_000).step_by(1_000) {
        let messages = (start..start + 1_000).map(|number| of("flood", number)).collect();
        store.send(QueueName::Events, messages).await.expect("sending succeeds");
    }
    store.send(QueueName::Events, vec![of("other", 1)]).await.expect("sending succeeds");
    store.settle().await;
    let received = store.receive(QueueName::Events, 2, VISIBILITY).await.expect("receiving succeeds");
    assert!(received.iter().any(|received| received.body == "other-1"), "{received:?}");
}

#[tokio::test]
async fn what_waited_on_disk_for_room_is_there_after_a_restart() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let total = 12_000;
    for start in (0..total).step_by(1_000) {
        let messages = (start..start + 1_000).map(|number| message(&number.to_string())).collect();
        store.send(QueueName::Jobs, messages).await.expect("sending succeeds");
    }
    drop(store);
    let store = open(directory.path(), &clock);
    let mut seen = BTreeSet::new();
    while seen.len() < total {
        for received in store.receive(QueueName::Jobs, 1_000, VISIBILITY).await.expect("receiving succeeds") {
            assert!(seen.insert(received.body), "none arrives twice");
            store.delete(QueueName::Jobs, &received.receipt).await.expect("deleting succeeds");
        }
    }
}

#[tokio::test]
async fn one_workflow_leaves_places_of_the_workers_to_others() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    let source = store.shared_source(8);
    let of = |group: &str| Message { group: group.to_owned(), ..message(group) };
    store.send(QueueName::Jobs, (0..20).map(|_| of("hanging")).collect()).await.expect("sending succeeds");
    store.settle().await;
    let held = source.receive(QueueName::Jobs, 8, VISIBILITY).await.expect("receiving succeeds");
    assert_eq!(held.len(), 4, "half of the places");
    assert!(source.receive(QueueName::Jobs, 4, VISIBILITY).now_or_never().is_none());
    store.send(QueueName::Jobs, vec![of("other")]).await.expect("sending succeeds");
    let next = source.receive(QueueName::Jobs, 4, VISIBILITY).await.expect("receiving succeeds");
    assert_eq!(next.iter().map(|received| received.body.as_str()).collect::<Vec<_>>(), ["other"]);
}

#[tokio::test]
async fn a_backlog_has_a_bound_by_messages_that_are_due_and_not_handled() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let limits = BacklogLimits { messages: 10, bytes: 1_000_000 };
    let store = Store::open_with(directory.path(), Arc::new(clock.clone()), limits).expect("the directory opens");
    let later = Message { delay: SignedDuration::from_secs(60), ..message("later") };
    store.send(QueueName::Jobs, vec![later; 20]).await.expect("sending succeeds");
    store.settle().await;
    assert_eq!(store.room(), Ok(()), "what waits for its time is no backlog");
    store.send(QueueName::Jobs, vec![message("now"); 10]).await.expect("what is under way is sent all the same");
    store.settle().await;
    assert!(matches!(store.room(), Err(QueueError::Full(_))));
    for (_, receipt) in receive(&store).await {
        store.delete(QueueName::Jobs, &receipt).await.expect("deleting succeeds");
    }
    assert_eq!(store.room(), Ok(()));
}

#[tokio::test]
async fn data_is_for_its_owner_alone_whatever_the_umask_is() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, clock) = (directory(), VirtualClock::default());
    let data = directory.path().join("data");
    let store = open(&data, &clock);
    put(&store, "a", Durability::Durable).await;
    let key = BlobKey::new(&BlobOwner::execution("exe_1"), &"ab".repeat(32)).expect("it is a hash");
    store.blobs().put(&key, bytes::Bytes::from_static(b"x")).await.expect("the blob is written");
    let mode = |path: &str| std::fs::metadata(data.join(path)).expect("it is there").permissions().mode() & 0o777;
    for folder in ["", "blobs", "blobs/execution", "blobs/execution/exe_1"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    for file in ["pawl.db", "pawl.db-wal", "pawl.db-shm", &format!("blobs/{key}")] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_new_data_folder_is_kept_out_of_repositories_and_another_one_is_left_as_it_is() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let new = directory.path().join("data");
    drop(open(&new, &clock));
    let ignored = |folder: &std::path::Path| std::fs::read_to_string(folder.join(".gitignore")).ok();
    assert_eq!(ignored(&new).as_deref(), Some("*\n"));
    std::fs::write(new.join(".gitignore"), "").expect("the folder is writable");
    drop(open(&new, &clock));
    assert_eq!(ignored(&new).as_deref(), Some(""), "it is written once");
    drop(open(directory.path(), &clock));
    assert_eq!(ignored(directory.path()), None, "it was there before");
}

#[tokio::test]
async fn no_file_can_be_deleted_to_let_a_second_store_in() {
    let (directory, clock) = (directory(), VirtualClock::default());
    let store = open(directory.path(), &clock);
    for name in ["lock", "pawl.db-shm"] {
        drop(std::fs::remove_file(directory.path().join(name)));
    }
    let second = Store::open(directory.path(), Arc::new(clock.clone()));
    assert!(matches!(second, Err(OpenError::InUse(_))), "the directory is taken");
    drop(store);
}
