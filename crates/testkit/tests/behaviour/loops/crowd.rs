//! Many executions at once, and processes that die or are slow at a chosen call.

use std::collections::BTreeSet;
use std::future::pending;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, Status, TimerPurpose, Wake};
use pawl_runtime::ports::{
    Consistency, Durability, Expect, Item, Key, Message, Page, Ports, Query, Queue, QueueError, QueueName, Table,
    TableError, Tables, Transaction, Write,
};
use pawl_runtime::{ExecutorOptions, LoopLimits, System, items};
use pawl_testkit::VirtualClock;
use pawl_testkit::scenario::World;

use super::at_once;

/// Puts copies of the first execution beside it, with its event and what it waits for, due at another time if one is given;
/// their ids.
pub(crate) fn clones(world: &World, numbers: Range<usize>, due: Option<Timestamp>) -> BTreeSet<String> {
    let one = world.store.items(Table::Executions);
    let head = one.iter().find(|item| item.key.sort == "head").expect("an execution was made");
    let (execution, rows) = items::execution::parse_whole(head).expect("it is readable").expect("it began");
    let mut ids = BTreeSet::new();
    for number in numbers {
        let wake = due.map_or_else(|| execution.wake.clone(), |at| Wake::Timer { at, purpose: TimerPurpose::Delay });
        let copy = Execution { id: format!("exe_{number:08}"), wake, ..execution.clone() };
        let mut written = vec![items::execution::changed(head, &copy, &rows).expect("it is readable")];
        let topics = copy.waiting.iter().flat_map(|waiting| &waiting.topics);
        written.extend(topics.map(|topic| items::waiter::item(topic, &copy.id)));
        let put = |item| Write::Put { table: Table::Executions, item, expect: Expect::Absent };
        let writes = written.into_iter().map(put).collect();
        let transaction = Transaction { writes, durability: Durability::Ordered };
        at_once(world.store.tables().transact(transaction)).expect("memory is writable");
        ids.insert(copy.id);
    }
    ids
}

/// The state of an execution.
pub(crate) fn status_of(world: &World, id: &str) -> Status {
    let key = items::execution::key(id);
    let item = at_once(world.store.tables().get(Table::Executions, &key, Consistency::Strong));
    let item = item.expect("memory is readable").expect("it is there");
    items::execution::parse(&item).expect("it is readable").expect("it began").status
}

/// A process over the same storage that dies at a write or a send, or whose queries take time.
pub(crate) struct Mortal {
    pub(crate) system: System,
    left: Arc<AtomicUsize>,
    lives: usize,
}

impl Mortal {
    /// It dies at the write or send after so many.
    pub(crate) fn that_dies_at_write(world: &World, loops: LoopLimits, calls: usize) -> Self {
        let left = Arc::new(AtomicUsize::new(calls));
        let tables = Frail { tables: world.store.tables(), left: Some(left.clone()), slow: None };
        let queue = FrailQueue { queue: world.store.queue(), left: Some(left.clone()) };
        Self::over(world, loops, (tables, queue), left)
    }

    /// It dies at the send of this number.
    pub(crate) fn that_dies_at_send(world: &World, loops: LoopLimits, number: usize) -> Self {
        let left = Arc::new(AtomicUsize::new(number - 1));
        let tables = Frail { tables: world.store.tables(), left: None, slow: None };
        let queue = FrailQueue { queue: world.store.queue(), left: Some(left.clone()) };
        Self::over(world, loops, (tables, queue), left)
    }

    /// Each query that finds something takes so long.
    pub(crate) fn slow(world: &World, loops: LoopLimits, takes: SignedDuration) -> Self {
        let slow = Some((world.clock.clone(), takes));
        let tables = Frail { tables: world.store.tables(), left: None, slow };
        let queue = FrailQueue { queue: world.store.queue(), left: None };
        Self::over(world, loops, (tables, queue), Arc::default())
    }

    fn over(world: &World, loops: LoopLimits, (tables, queue): (Frail, FrailQueue), left: Arc<AtomicUsize>) -> Self {
        let ports = Ports { tables: Arc::new(tables), queue: Arc::new(queue), ..world.system.ports.clone() };
        let options = ExecutorOptions { loops, ..ExecutorOptions::default() };
        let lives = left.load(Ordering::SeqCst);
        Self { system: System::new(ports, world.system.outside.clone(), options), left, lives }
    }

    /// A process beside whose next write something happens.
    pub(crate) fn that_acts_between(world: &World, act: impl FnOnce() + Send + 'static) -> System {
        let beside = Mutex::new(Some(Box::new(act) as Something));
        let tables = Beside { tables: world.store.tables(), beside };
        let ports = Ports { tables: Arc::new(tables), ..world.system.ports.clone() };
        System::new(ports, world.system.outside.clone(), ExecutorOptions::default())
    }

    /// Whether it has died.
    pub(crate) fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    /// Another process in its place, which dies as late.
    pub(crate) fn begins_anew(&self) {
        self.left.store(self.lives, Ordering::SeqCst);
    }
}

/// Never answers once the calls that are left have been made: the process that waits for it is dead.
async fn answers(left: Option<&Arc<AtomicUsize>>) {
    let Some(left) = left else { return };
    if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
        pending::<()>().await;
    }
}

struct Frail {
    tables: Arc<dyn Tables>,
    left: Option<Arc<AtomicUsize>>,
    slow: Option<(VirtualClock, SignedDuration)>,
}

#[async_trait]
impl Tables for Frail {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.tables.get(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.tables.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        let page = self.tables.query(query).await?;
        if let Some((clock, takes)) = self.slow.as_ref().filter(|_| page.items.len() > 1) {
            clock.advance(*takes);
        }
        Ok(page)
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        answers(self.left.as_ref()).await;
        self.tables.transact(transaction).await
    }
}

/// Something that happens once.
type Something = Box<dyn FnOnce() + Send>;

struct Beside {
    tables: Arc<dyn Tables>,
    beside: Mutex<Option<Something>>,
}

#[async_trait]
impl Tables for Beside {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.tables.get(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.tables.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        self.tables.query(query).await
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        let act = self.beside.lock().expect("nobody panics with it").take();
        if let Some(act) = act {
            act();
        }
        self.tables.transact(transaction).await
    }
}

struct FrailQueue {
    queue: Arc<dyn Queue>,
    left: Option<Arc<AtomicUsize>>,
}

#[async_trait]
impl Queue for FrailQueue {
    async fn send(&self, queue: QueueName, messages: Vec<Message>) -> Result<(), QueueError> {
        answers(self.left.as_ref()).await;
        self.queue.send(queue, messages).await
    }
}
