//! Deliveries that were rejected are counted, by several processes too, and in doubt the count says so.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use jiff::SignedDuration;
use pawl_runtime::items::refusal::Refusal;
use pawl_runtime::ports::{Consistency, Item, Key, Page, Query, Table, TableError, Tables, Transaction};
use pawl_runtime::{ExecutorOptions, Ingest, Metrics, Ports};
use pawl_testkit::scenario::World;

fn world() -> World {
    World::new("2026-11-21T09:00:00Z".parse().expect("a constant time is one"), ExecutorOptions::default())
}

fn process(ports: &Ports) -> Ingest {
    Ingest::new(ports, Arc::new(Metrics::default()))
}

fn reject(process: &Ingest, code: &str) -> bool {
    process.reject("w", "in", code, "why").now_or_never().expect("memory answers at once").is_ok()
}

fn rows(world: &World) -> Vec<Refusal> {
    world.refusals("w")
}

#[test]
fn processes_count_into_one_row() {
    let world = world();
    let (one, other) = (process(&world.system.ports), process(&world.system.ports));
    for at in 0..25 {
        world.clock.advance(SignedDuration::from_millis(1));
        assert!(reject(if at % 3 == 0 { &one } else { &other }, "signature_mismatch"));
    }
    let [row] = rows(&world).try_into().expect("one row");
    assert_eq!((row.count, row.at_least), (25, false));
    assert_eq!(row.first_at() + SignedDuration::from_millis(24), row.at);
}

#[test]
fn each_code_and_each_hour_has_a_row_of_its_own() {
    let world = world();
    let one = process(&world.system.ports);
    for code in ["signature_mismatch", "signature_missing"] {
        assert!(reject(&one, code) && reject(&one, code));
    }
    world.clock.advance(SignedDuration::from_hours(1));
    assert!(reject(&one, "signature_missing"));
    let counts: Vec<_> = rows(&world).iter().map(|row| (row.code.clone(), row.count)).collect();
    assert_eq!(counts.len(), 3);
    assert_eq!(counts[2], ("signature_missing".to_owned(), 1));
}

/// Tables whose next write fails in a way that is said.
struct Failing {
    tables: Arc<dyn Tables>,
    next: std::sync::Mutex<Option<TableError>>,
}

#[async_trait]
impl Tables for Failing {
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
        let failure = self.next.lock().expect("no holder panics").take();
        match failure {
            Some(error) => Err(error),
            None => self.tables.transact(transaction).await,
        }
    }
}

fn after_a_failure(error: TableError) -> Refusal {
    let world = world();
    let tables: Arc<dyn Tables> = world.store.tables();
    let failing = Arc::new(Failing { tables, next: std::sync::Mutex::new(Some(error)) });
    let one = process(&Ports { tables: failing, ..world.system.ports.clone() });
    assert!(!reject(&one, "signature_mismatch"), "the write failed");
    assert!(reject(&one, "signature_mismatch"));
    let [row] = rows(&world).try_into().expect("one row");
    row
}

#[test]
fn what_storage_refused_is_written_with_the_next() {
    let row = after_a_failure(TableError::Throttled);
    assert_eq!((row.count, row.at_least), (2, false));
}

#[test]
fn a_write_whose_outcome_is_unknown_makes_the_count_a_lower_bound() {
    let row = after_a_failure(TableError::Unknown("the answer was lost".to_owned()));
    assert_eq!((row.count, row.at_least), (1, true));
}
