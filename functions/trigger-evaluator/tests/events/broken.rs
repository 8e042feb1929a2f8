//! A stream is read in order: what cannot be evaluated must not hold up what follows.

use std::sync::Arc;

use async_trait::async_trait;
use pawl_runtime::ports::{
    Consistency, Item, Key, Message, Page, Query, Queue, QueueError, QueueName, Table, TableError, Tables, Transaction,
};
use pawl_runtime::{ExecutorOptions, Ports, System};
use pawl_testkit::payloads;
use serde_json::json;

use crate::{evaluator, invocation, world};

/// Storage that fails or panics where listeners are read.
struct Broken {
    panics: bool,
}

#[async_trait]
impl Tables for Broken {
    async fn get(&self, _: Table, _: &Key, _: Consistency) -> Result<Option<Item>, TableError> {
        Err(TableError::Throttled)
    }

    async fn get_many(&self, _: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        Err(TableError::Throttled)
    }

    async fn query(&self, _: &Query) -> Result<Page, TableError> {
        assert!(!self.panics, "an invariant is broken");
        Err(TableError::Throttled)
    }

    async fn transact(&self, _: Transaction) -> Result<(), TableError> {
        Err(TableError::Throttled)
    }
}

/// A queue that takes nothing.
struct Shut;

#[async_trait]
impl Queue for Shut {
    async fn send(&self, _: QueueName, _: Vec<Message>) -> Result<(), QueueError> {
        Err(QueueError::Unavailable("out of reach".to_owned()))
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_evaluated_goes_to_the_event_queue_and_is_evaluated_later() {
    for panics in [false, true] {
        let world = world().await;
        let ports = Ports { tables: Arc::new(Broken { panics }), ..world.system.ports.clone() };
        let broken = System::new(ports, ExecutorOptions::default());
        let payload = payloads("trigger-evaluator")["record-updated"].clone();
        let answer = evaluator(&broken, &world).handle(payload, invocation(&world)).await;
        assert_eq!(answer, Ok(json!({"batchItemFailures": []})));

        let message = world.store.messages(QueueName::Events).remove(0);
        world.system.handle(QueueName::Events, &message.body, None).await.expect("storage is back");
        assert_eq!(world.executions().len(), 1);
    }
}

#[tokio::test]
async fn a_change_that_not_even_the_queue_takes_is_reported_and_those_before_it_are_done() {
    let world = world().await;
    let ports =
        Ports { tables: Arc::new(Broken { panics: false }), queue: Arc::new(Shut), ..world.system.ports.clone() };
    let broken = System::new(ports, ExecutorOptions::default());
    let all = payloads("trigger-evaluator");
    let record = |case: &str| all[case]["Records"][0].clone();
    let payload = json!({"Records": [record("record-expired"), record("record-updated"), record("record-created")]});
    let answer = evaluator(&broken, &world).handle(payload, invocation(&world)).await;
    let failed = json!({"batchItemFailures": [{"itemIdentifier": "4421584600000000017450439092"}]});
    assert_eq!(answer, Ok(failed));
}
