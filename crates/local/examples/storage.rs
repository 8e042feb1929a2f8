//! How fast the embedded store is: `cargo run --release -p pawl-local --example storage`.
//!
//! One line per measurement. The machine's disk decides `durable`; nothing else waits for it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use pawl_connectors::SystemClock;
use pawl_local::Store;
use pawl_runtime::ports::{
    Consistency, Durability, Expect, Index, IndexEntry, Item, Key, Message, Queue, QueueName, QueueSource, Table,
    Tables, Timer, Timers, Transaction, Write,
};

const VISIBILITY: SignedDuration = SignedDuration::from_secs(60);

#[tokio::main(worker_threads = 2)]
async fn main() {
    let directory = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("pawl-bench"), Into::into);
    drop(std::fs::remove_dir_all(&directory));
    let store = open(&directory);
    if std::env::args().any(|argument| argument == "executions") {
        executions(&store, 32, 400).await;
        executions(&store, 1, 2_000).await;
        return;
    }
    history(&store, 64, 1_500).await;
    puts("ordered puts", &store, Durability::Ordered, 64, 1_500).await;
    puts("durable puts", &store, Durability::Durable, 64, 300).await;
    puts("durable puts, one at a time", &store, Durability::Durable, 1, 1_000).await;
    puts("ordered puts, one at a time", &store, Durability::Ordered, 1, 10_000).await;
    reads(&store).await;
    executions(&store, 32, 200).await;
    executions(&store, 1, 500).await;
    timers(&store).await;
    drop(store);

    let start = Instant::now();
    let store = open(&directory);
    report("reopen", 1, start.elapsed(), 0);
    drop(store);
    drop(std::fs::remove_dir_all(&directory));
}

fn open(directory: &Path) -> Store {
    Store::open(directory, Arc::new(SystemClock)).expect("the directory opens")
}

fn report(name: &str, count: u32, took: Duration, fsyncs: u64) {
    let each = took / count;
    let rate = f64::from(count) / took.as_secs_f64();
    println!("{name:>32}: {rate:>9.0}/s {each:>12.2?} each, {fsyncs:>6} fsyncs, cpu {:?}", cpu());
}

/// The processor time of this process so far, in hundredths of a second.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

fn key(task: u32, number: u32) -> Key {
    let scattered = (u64::from(task) << 32 | u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Key::new(format!("execution#{scattered:016x}"), "head")
}

/// A head as executions have it: found by workflow, by state and by when it is due. Keys and two of the entries are
/// scattered, which is the worst case: each touches pages of its own.
fn item(key: Key, version: u64) -> Item {
    let now = Timestamp::now().to_string();
    let entry = |index, partition: &str, sort: &str| IndexEntry {
        index,
        partition: partition.to_owned(),
        sort: sort.to_owned(),
    };
    let indexes = vec![
        entry(Index::Gsi1, "workflow#triage", &key.partition[..9]),
        entry(Index::Gsi3, "status#running", &key.partition[..9]),
        entry(Index::Gsi4, "due", &now),
    ];
    Item { version, indexes, expires_at: None, body: format!("{{\"text\":\"{}\"}}", "x".repeat(800)), key }
}

fn put(item: Item, expect: Expect) -> Write {
    Write::Put { table: Table::Executions, item, expect }
}

async fn puts(name: &str, store: &Store, durability: Durability, tasks: u32, each: u32) {
    let (start, fsyncs) = (Instant::now(), store.fsyncs());
    join_all((0..tasks).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..each {
                let writes = vec![put(item(key(task, number), 1), Expect::Any)];
                store.transact(Transaction { writes, durability }).await.expect("the put commits");
            }
        })
    }))
    .await;
    report(name, tasks * each, start.elapsed(), store.fsyncs() - fsyncs);
}

/// Rows in no index, as history has them, each task with a partition of its own.
async fn history(store: &Store, tasks: u32, each: u32) {
    let (start, fsyncs) = (Instant::now(), store.fsyncs());
    join_all((0..tasks).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..each {
                let key = Key::new(key(2_000 + task, 0).partition, format!("row#{number:08}"));
                let row = Item { indexes: Vec::new(), ..item(key, 1) };
                let transaction =
                    Transaction { writes: vec![put(row, Expect::Absent)], durability: Durability::Ordered };
                store.transact(transaction).await.expect("the put commits");
            }
        })
    }))
    .await;
    report("ordered puts without index", tasks * each, start.elapsed(), store.fsyncs() - fsyncs);
}

async fn reads(store: &Store) {
    for (name, consistency) in [("strong reads", Consistency::Strong), ("eventual reads", Consistency::Eventual)] {
        let start = Instant::now();
        join_all((0..32).map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..1_000 {
                    let found = Tables::get(&store, Table::Executions, &key(task, number), consistency).await;
                    assert!(found.expect("the read succeeds").is_some());
                }
            })
        }))
        .await;
        report(name, 32 * 1_000, start.elapsed(), 0);
    }
}

/// What an execution of five steps asks of storage: an event, a job, a claim, steps, an end.
async fn executions(store: &Store, tasks: u32, each: u32) {
    let (start, fsyncs) = (Instant::now(), store.fsyncs());
    join_all((0..tasks).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..each {
                execution(&store, key(1_000 + task, number)).await;
            }
        })
    }))
    .await;
    report(&format!("executions, {tasks} at a time"), tasks * each, start.elapsed(), store.fsyncs() - fsyncs);
}

async fn execution(store: &Store, head: Key) {
    let claim = Item { body: "{}".to_owned(), indexes: Vec::new(), ..item(Key::new(&head.partition, "delivery"), 1) };
    let claim = Write::Put { table: Table::Keys, item: claim, expect: Expect::Any };
    send(store, QueueName::Events).await;
    store.transact(Transaction { writes: vec![claim], durability: Durability::Durable }).await.expect("commits");
    let event = receive(store, QueueName::Events).await;
    step(store, &head, 1, Durability::Ordered).await;
    send(store, QueueName::Jobs).await;
    store.delete(QueueName::Events, &event).await.expect("deletes");
    let job = receive(store, QueueName::Jobs).await;
    for version in 2..=7 {
        let found = Tables::get(store, Table::Executions, &head, Consistency::Strong).await;
        assert!(found.expect("the read succeeds").is_some());
        let durability = if matches!(version, 4 | 7) { Durability::Durable } else { Durability::Ordered };
        step(store, &head, version, durability).await;
    }
    store.delete(QueueName::Jobs, &job).await.expect("deletes");
}

async fn step(store: &Store, head: &Key, version: u64, durability: Durability) {
    let expect = if version == 1 { Expect::Any } else { Expect::Version(version - 1) };
    let row = Item { indexes: Vec::new(), ..item(Key::new(&head.partition, format!("h#{version:08}")), 1) };
    let writes = vec![put(item(head.clone(), version), expect), put(row, Expect::Any)];
    store.transact(Transaction { writes, durability }).await.expect("the step commits");
}

fn message() -> Message {
    let body = "{\"execution_id\":\"exe_0123456789abcdef\",\"seq\":12}".to_owned();
    Message { body, delay: SignedDuration::ZERO, group: "workflow".to_owned() }
}

async fn send(store: &Store, queue: QueueName) {
    store.send(queue, vec![message()]).await.expect("sends");
}

async fn receive(store: &Store, queue: QueueName) -> String {
    let received = store.receive(queue, 1, VISIBILITY).await.expect("receives");
    received.into_iter().next().expect("one is there").receipt
}

async fn timers(store: &Store) {
    let far = Timestamp::now() + SignedDuration::from_hours(1);
    let start = Instant::now();
    for number in 0..95_000 {
        set(store, number, far).await;
    }
    store.settle().await;
    report("timers set", 95_000, start.elapsed(), 0);

    let due = Timestamp::now() + SignedDuration::from_secs(2);
    for number in 95_000..100_000 {
        set(store, number, due).await;
    }
    let mut left = 5_000;
    while left > 0 {
        let received = store.receive(QueueName::JobsHigh, 10, VISIBILITY).await.expect("receives");
        left -= received.len();
        for message in received {
            store.delete(QueueName::JobsHigh, &message.receipt).await.expect("deletes");
        }
    }
    let late = Timestamp::now().duration_since(due).unsigned_abs();
    report("timers due at once", 5_000, late, 0);
}

async fn set(store: &Store, number: u32, due: Timestamp) {
    let name = format!("{:08x}-wake", number.wrapping_mul(0x9E37_79B9));
    let timer = Timer { name, due, queue: QueueName::JobsHigh, message: message() };
    Timers::set(store, timer).await.expect("sets");
}
