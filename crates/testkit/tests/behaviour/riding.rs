//! What came of an outside call is written with what follows at once, and by itself if that cannot be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use pawl_definition::Source;
use pawl_engine::Status;
use pawl_runtime::items::{execution, record};
use pawl_runtime::ports::{Consistency, Item, Key, Page, Query, Table, TableError, Tables, Transaction, Write};
use pawl_runtime::{ExecutorOptions, Ports, System};
use pawl_testkit::scenario::{World, answer};
use serde_json::{Map, json};

use crate::outages::start;
use crate::support::{CUSTOMER, TICKET, workflow};

const CALLS: &str = "
  - {id: first, type: http_request, url: 'https://x.example/1', save_as: one}
  - {id: second, type: http_request, url: 'https://x.example/2'}
  - {id: note, type: set_variables, values: {ok: '{{ vars.one.status }}'}}
  - {id: end, type: note, text: end}";

const FINDS: &str = "
  - {id: first, type: http_request, url: 'https://x.example/1'}
  - {id: find, type: find_records, object: ticket, where: {title: a}}
  - {id: end, type: note, text: end}";

/// Tables that count the writes of heads, and of which searches fail some times.
struct Watched {
    ports: Ports,
    heads: AtomicUsize,
    searches_fail: AtomicUsize,
}

#[async_trait]
impl Tables for Watched {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.ports.tables.get(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.ports.tables.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        let fails = |left: usize| left.checked_sub(1);
        let is_search = matches!(query.table, record::TABLE | record::VALUES);
        if is_search && self.searches_fail.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fails).is_ok() {
            return Err(TableError::Unavailable("the search fails".to_owned()));
        }
        self.ports.tables.query(query).await
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        let is_head = |write: &Write| matches!(write, Write::Put { item, .. } if execution::id(&item.key).is_some());
        let heads = transaction.writes.iter().filter(|write| is_head(write)).count();
        self.ports.tables.transact(transaction).await?;
        self.heads.fetch_add(heads, Ordering::Relaxed);
        Ok(())
    }
}

/// A world that holds transitions, as installations do, with its tables watched.
fn world(steps: &str, searches_fail: usize) -> (World, Arc<Watched>) {
    let options = ExecutorOptions { hold: ExecutorOptions::HOLD, ..ExecutorOptions::default() };
    let mut world = World::new("2026-11-21T09:00:00Z".parse().expect("a time"), options);
    let parse = |text: &str| Source::parse("file.yaml", text).expect("it is YAML");
    for object in [CUSTOMER, TICKET] {
        world.save_object(&parse(object)).expect("it has no mistakes");
    }
    world.save_workflow(&parse(&workflow(steps))).expect("it has no mistakes");
    world.put_record("ticket", "t1", Map::from_iter([("title".to_owned(), json!("a"))])).expect("a ticket");
    world.http.script(|_| Some(answer(200)));
    let watched = Arc::new(Watched {
        ports: world.system.ports.clone(),
        heads: AtomicUsize::new(0),
        searches_fail: AtomicUsize::new(searches_fail),
    });
    let mut ports = world.system.ports.clone();
    ports.tables = watched.clone();
    world.system = System::new(ports, world.system.outside.clone(), options);
    (world, watched)
}

#[test]
fn each_call_costs_one_write_of_the_head() {
    let (world, watched) = world(CALLS, 0);
    start(&world, "evt_1");
    world.run(None).expect("all is handled");
    let execution = world.executions().pop().expect("it began");
    assert_eq!(execution.status, Status::Completed);
    // It is made; the first claim; the first result with the second claim; the second result with all that follows.
    assert_eq!(watched.heads.load(Ordering::Relaxed), 4);
    assert_eq!(world.trace(&execution.id).path(), ["first", "second", "note", "end"]);
    assert_eq!(world.replayed(), Vec::<String>::new(), "its rows suffice to decide again");
}

#[test]
fn what_came_of_a_call_is_written_although_what_follows_cannot_be_decided() {
    let (world, watched) = world(FINDS, 3);
    start(&world, "evt_1");
    world.settle().expect("what fails is put off");
    let execution = world.executions().pop().expect("it began");
    assert_eq!(world.trace(&execution.id).path(), ["first"], "it is written, and the search is tried later");
    assert!(execution.leases.is_empty());
    world.run(None).expect("all is handled");
    let execution = world.executions().pop().expect("it is there");
    assert_eq!((execution.status, watched.searches_fail.load(Ordering::Relaxed)), (Status::Completed, 0));
    assert_eq!(world.http.calls().len(), 1, "the call is made once");
}
