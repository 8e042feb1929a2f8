//! `limits.concurrency`: who waits for a slot, in which order they get it, and what that costs.

mod keys;
mod running;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::{Control, Execution, Status};
use pawl_runtime::items::line;
use pawl_runtime::ports::{
    Consistency, Durability, Expect, Item, Key, Page, Ports, Query, QueueName, Table, TableError, Tables, Transaction,
    Write,
};
use pawl_runtime::{ExecutorOptions, Job, System, items};
use pawl_testkit::scenario::{Scenario, World, manual, scenario};

use crate::support::with;

const STEPS: &str = "  - {id: wait, type: delay, for: 10m}";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

/// One execution that runs for ten minutes, and so many that wait in line, each a second younger than the one before.
fn one_runs_and(waiting: usize) -> Scenario {
    let mut story = scenario().workflow(&with("limits: {concurrency: 1}", STEPS)).event(manual("w"));
    for _ in 0..waiting {
        story = story.run_for("1s").event(manual("w"));
    }
    story.settle()
}

/// The ids in the line of `w`, in its order.
fn in_line(world: &World) -> Vec<String> {
    let entries =
        world.store.items(line::TABLE).into_iter().filter(|item| item.key.partition == line::partition("w", None));
    entries.map(|item| line::parse(&item).to_owned()).collect()
}

fn by_start(world: &World) -> Vec<String> {
    let mut started: Vec<Execution> = world.executions().into_iter().filter(|one| one.started_at.is_some()).collect();
    started.sort_by_key(|one| one.started_at);
    started.into_iter().map(|one| one.id).collect()
}

#[test]
fn who_came_first_starts_first() {
    let story = one_runs_and(5);
    let made: Vec<_> = story.world().executions().into_iter().map(|one| one.id).collect();
    assert_eq!(in_line(story.world()), made[1..]);
    let story = story.run_until_idle();
    assert_eq!(by_start(story.world()), made);
    assert_eq!(in_line(story.world()), Vec::<String>::new());
}

/// Bug: who came in the moment in which a slot was given back took it from those who waited.
#[test]
fn who_comes_while_others_wait_goes_behind_them() {
    let story = one_runs_and(2);
    let made: Vec<_> = story.world().executions().into_iter().map(|one| one.id).collect();
    let world = story.world();
    let job = |execution: &Execution| serde_json::to_string(&Job::of(execution)).expect("a job is JSON");
    world.clock.advance(SignedDuration::from_mins(10));
    let end = job(&world.execution(&made[0]));
    at_once(world.system.handle(QueueName::Jobs, &end, None)).expect("it ends");
    assert_eq!(world.execution(&made[0]).status, Status::Completed);
    // The oldest is woken, and another one comes before it has looked.
    let story = story.event(manual("w"));
    let world = story.world();
    let event = world.store.messages(QueueName::Events).pop().expect("it was sent").body;
    at_once(world.system.handle(QueueName::Events, &event, None)).expect("it begins");
    let new = world.executions().pop().expect("it was made");
    at_once(world.system.handle(QueueName::Jobs, &job(&new), None)).expect("it looks");
    assert_eq!(world.execution(&new.id).status, Status::Queued);
    assert_eq!(in_line(world), [made[1].clone(), made[2].clone(), new.id.clone()]);
    let story = story.run_until_idle();
    assert_eq!(by_start(story.world()), [made, vec![new.id]].concat());
}

#[test]
fn who_is_held_or_ends_leaves_the_line() {
    let story = one_runs_and(3);
    let world = story.world();
    let waiting = in_line(world);
    world.control(&waiting[0], &Control::Cancel).expect("it is queued");
    world.control(&waiting[1], &Control::Kill).expect("it is queued");
    world.control(&waiting[2], &Control::Pause).expect("it is queued");
    assert_eq!(in_line(world), Vec::<String>::new());
    world.control(&waiting[1], &Control::Lift).expect("it is killed");
    world.control(&waiting[2], &Control::Resume).expect("it is paused");
    let story = story.settle();
    assert_eq!(in_line(story.world()), waiting[1..]);
    let story = story.run_until_idle();
    let ended: Vec<_> = story.world().executions().iter().map(|one| one.status).collect();
    assert_eq!(ended, [Status::Completed, Status::Canceled, Status::Completed, Status::Completed]);
}

/// Who cannot be read at the front of the line holds up nobody.
#[test]
fn one_that_cannot_be_read_is_passed_over() {
    let story = one_runs_and(2);
    let waiting = in_line(story.world());
    story.world().store.damage(Table::Executions, &items::execution::key(&waiting[0]), "no JSON");
    let world = story.world();
    world.clock.advance(SignedDuration::from_mins(10));
    let first = by_start_of_readable(world);
    at_once(world.system.handle(QueueName::Jobs, &first, None)).expect("it ends");
    let woken = world.store.messages(QueueName::Jobs).pop().expect("one is woken").body;
    assert_eq!(Job::parse(&woken).expect("it is a job").execution_id, waiting[1]);
}

/// The process died between the end of an execution and its wake-up message.
#[test]
fn those_in_line_look_again_although_a_wake_up_is_lost() {
    let story = one_runs_and(2);
    let world = story.world();
    let made: Vec<_> = world.executions().into_iter().map(|one| one.id).collect();
    world.clock.advance(SignedDuration::from_mins(10));
    let end = by_start_of_readable(world);
    let before = world.store.checkpoint();
    at_once(world.system.handle(QueueName::Jobs, &end, None)).expect("it ends");
    // What it committed stays, and what it sent is lost.
    let sent = world.store.messages(QueueName::Jobs).len();
    let heads: Vec<_> = world.store.items(Table::Executions);
    world.store.restore(&before);
    assert_eq!(world.store.messages(QueueName::Jobs).len() + 1, sent);
    let stored = world.store.items(Table::Executions);
    let changed = heads.into_iter().filter(|item| !stored.contains(item)).map(|item| Write::Put {
        table: Table::Executions,
        item,
        expect: Expect::Any,
    });
    let writes = changed.collect();
    at_once(world.store.tables().transact(Transaction { writes, durability: Durability::Ordered })).expect("it is");
    let story = story.run_until_idle();
    assert_eq!(by_start(story.world()), made);
}

/// The job of the execution that runs.
fn by_start_of_readable(world: &World) -> String {
    let heads = world.store.items(Table::Executions).into_iter().filter(|item| item.key.sort == "head");
    let mut read = heads.filter_map(|item| items::execution::parse(&item).ok().flatten());
    let running = read.find(|one| one.status == Status::Waiting).expect("one runs");
    serde_json::to_string(&Job::of(&running)).expect("a job is JSON")
}

/// What the end of an execution reads does not depend on how many wait.
#[test]
fn an_end_reads_as_much_however_long_the_line_is() {
    let read = |waiting| {
        let story = one_runs_and(waiting);
        let world = story.world();
        world.clock.advance(SignedDuration::from_mins(10));
        let counted = Counted { tables: world.store.tables(), items: Arc::default() };
        let items = counted.items.clone();
        let ports = Ports { tables: Arc::new(counted), ..world.system.ports.clone() };
        let system = System::new(ports, world.system.outside.clone(), ExecutorOptions::default());
        let end = by_start_of_readable(world);
        at_once(system.handle(QueueName::Jobs, &end, None)).expect("it ends");
        items.load(Ordering::SeqCst)
    };
    let (nobody, one, many) = (read(0), read(1), read(60));
    // Its entry and its head; of many, the entries of two more.
    assert_eq!((one - nobody, many - nobody), (2, 4));
}

/// Counts the items that are read.
struct Counted {
    tables: Arc<dyn Tables>,
    items: Arc<AtomicUsize>,
}

#[async_trait]
impl Tables for Counted {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.items.fetch_add(1, Ordering::SeqCst);
        self.tables.get(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.items.fetch_add(keys.len(), Ordering::SeqCst);
        self.tables.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        let page = self.tables.query(query).await?;
        self.items.fetch_add(page.items.len(), Ordering::SeqCst);
        Ok(page)
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        self.tables.transact(transaction).await
    }
}
