//! A race is lost, and what the winner left cannot be read whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_definition::Source;
use pawl_runtime::ports::{
    BlobError, BlobKey, BlobOwner, Blobs, Consistency, Item, Key, Page, Query, QueueName, Table, TableError, Tables,
    Transaction, Write,
};
use pawl_runtime::{ExecutorOptions, Job, Ports, System, items};
use pawl_testkit::scenario::{World, answer};
use serde_json::json;

use crate::outages::{at_once, start};

const STEPS: &str = "
  - {id: large, type: http_request, url: 'https://x.example', save_as: answer}
  - id: call
    type: http_request
    url: 'https://x.example'
    on_failure: {retry: {attempts: 1, first: 10m, max: 1h, jitter: false}}";

/// Its next claim loses a race, and the read of a blob after that fails.
struct Stumbling {
    ports: Ports,
    stumbles: AtomicU8,
}

const READY: u8 = 0;
const LOST: u8 = 1;
const OVER: u8 = 2;

impl Stumbling {
    fn step(&self, from: u8, to: u8) -> bool {
        self.stumbles.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

fn is_claim(write: &Write) -> bool {
    let Write::Put { item, .. } = write else { return false };
    matches!(items::execution::parse(item), Ok(Some(head)) if !head.leases.is_empty())
}

#[async_trait]
impl Tables for Stumbling {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.ports.tables.get(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.ports.tables.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        self.ports.tables.query(query).await
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        if transaction.writes.iter().any(is_claim) && self.step(READY, LOST) {
            return Err(TableError::Conflict(Vec::new()));
        }
        self.ports.tables.transact(transaction).await
    }
}

#[async_trait]
impl Blobs for Stumbling {
    async fn put(&self, key: &BlobKey, bytes: bytes::Bytes) -> Result<(), BlobError> {
        self.ports.blobs.put(key, bytes).await
    }

    async fn get(&self, key: &BlobKey) -> Result<bytes::Bytes, BlobError> {
        if self.step(LOST, OVER) {
            return Err(BlobError::Unavailable("an outage".to_owned()));
        }
        self.ports.blobs.get(key).await
    }

    async fn remove(&self, owner: &BlobOwner) -> Result<bool, BlobError> {
        self.ports.blobs.remove(owner).await
    }
}

/// Bug, found by seed 9419 of the simulator: an executor that lost a race and could not bring back a large value of the head
/// that it then read wrote the head with the reference in the value's place. The value was lost.
#[test]
fn a_head_whose_large_values_cannot_be_brought_back_is_not_written() {
    let world = World::new("2026-11-21T09:00:00Z".parse().expect("a time"), ExecutorOptions::default());
    let source = Source::parse("w.yaml", &crate::support::workflow(STEPS)).expect("it is YAML");
    world.save_workflow(&source).expect("it has no mistakes");
    let text = "x".repeat(40_000);
    let body = json!({ "text": text });
    let mut answers = [answer(200).body(body), answer(503), answer(200)].into_iter();
    world.http.script(move |_| answers.next());
    start(&world, "evt_1");
    world.run(Some(world.now() + SignedDuration::from_mins(9))).expect("nothing fails yet");
    world.clock.advance(SignedDuration::from_mins(2));

    let head = world.executions().remove(0);
    let stumbling = Arc::new(Stumbling { ports: world.system.ports.clone(), stumbles: AtomicU8::new(READY) });
    let ports = Ports { tables: stumbling.clone(), blobs: stumbling.clone(), ..world.system.ports.clone() };
    let system = System::new(ports, world.system.outside.clone(), ExecutorOptions::default());
    let job = Job { execution_id: head.id.clone(), seq: head.seq, again: true, news: None };
    assert!(at_once(system.executor.handle(&job, QueueName::Jobs, None)).is_err(), "the blob cannot be read");
    assert_eq!(stumbling.stumbles.load(Ordering::SeqCst), OVER, "it lost the race, and could not read what it lost to");

    world.run(Some(world.now() + SignedDuration::from_hours(1))).expect("all works again");
    let head = at_once(world.system.history.execution(&head.id)).expect("it is readable").expect("it is there");
    assert_eq!(head.status.to_string(), "completed");
    assert_eq!(head.steps["large"].output["body"]["text"], text);
}
