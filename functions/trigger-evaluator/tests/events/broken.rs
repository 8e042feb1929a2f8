//! A stream is read in order: what cannot be evaluated must not hold up what follows.

use std::sync::Arc;

use async_trait::async_trait;
use pawl_runtime::ports::{
    Consistency, Item, Key, Message, Page, Query, Queue, QueueError, QueueName, Table, TableError, Tables, Transaction,
};
use pawl_runtime::{Core, ExecutorOptions, Ports};
use pawl_testkit::payloads;
use serde_json::json;

use crate::{evaluator, invocation, world};

/// What becomes of it where listeners are read.
#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Fails,
    Panics,
    /// It never answers.
    Hangs,
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
        assert!(*self != Self::Panics, "an invariant is broken");
        if *self == Self::Hangs {
            std::future::pending::<()>().await;
        }
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

/// Bug: a change that takes long was cut off with its function, and held up its shard for twelve hours.
#[tokio::test(start_paused = true)]
async fn a_change_that_cannot_be_evaluated_goes_to_the_event_queue_and_is_evaluated_later() {
    for broken in [Broken::Fails, Broken::Panics, Broken::Hangs] {
        let world = world().await;
        let ports = Ports { tables: Arc::new(broken), ..world.system.ports.clone() };
        let broken = Core::new(ports, ExecutorOptions::default());
        let payload = payloads("trigger-evaluator")["record-updated"].clone();
        let answer = evaluator(&broken, &world).handle(payload, invocation(&world)).await;
        assert_eq!(answer, Ok(json!({"batchItemFailures": []})));

        let message = world.store.messages(QueueName::Events).remove(0);
        world.system.handle(QueueName::Events, &message.body, None).await.expect("storage is back");
        assert_eq!(world.executions().len(), 1);
    }
}

/// However many changes hang, the function ends before it is cut off, and none is lost.
#[tokio::test(start_paused = true)]
async fn a_batch_that_hangs_is_put_off_before_the_function_is_cut_off() {
    let world = world().await;
    let ports = Ports { tables: Arc::new(Broken::Hangs), ..world.system.ports.clone() };
    let broken = Core::new(ports, ExecutorOptions::default());
    let record = payloads("trigger-evaluator")["record-updated"]["Records"][0].clone();
    let payload = json!({"Records": vec![record; 100]});
    let began = tokio::time::Instant::now();
    let answer = evaluator(&broken, &world).handle(payload, invocation(&world)).await;
    assert_eq!(answer, Ok(json!({"batchItemFailures": []})));
    assert!(began.elapsed() < std::time::Duration::from_secs(50), "took {:?}", began.elapsed());
    assert_eq!(world.store.messages(QueueName::Events).len(), 100);
}

/// An event that takes too long is given back alone: the others of its batch are done.
#[tokio::test(start_paused = true)]
async fn an_event_that_hangs_fails_alone() {
    let world = world().await;
    let ports = Ports { tables: Arc::new(Broken::Hangs), ..world.system.ports.clone() };
    let broken = Core::new(ports, ExecutorOptions::default());
    let change = payloads("trigger-evaluator")["record-updated"]["Records"][0].clone();
    let put_off = json!({"Records": [change]});
    evaluator(&broken, &world).handle(put_off, invocation(&world)).await.expect("the shape is known");
    let body = world.store.messages(QueueName::Events).remove(0).body;
    let message =
        |id: &str, body: &str| json!({"messageId": id, "receiptHandle": id, "body": body, "eventSource": "aws:sqs"});
    let unheard = json!({"stream": {"old": null, "new": null}}).to_string();
    let payload = json!({"Records": [message("m-1", &body), message("m-2", &unheard)]});
    let answer = evaluator(&broken, &world).handle(payload, invocation(&world)).await;
    assert_eq!(answer, Ok(json!({"batchItemFailures": [{"itemIdentifier": "m-1"}]})));
}

#[tokio::test]
async fn the_removal_of_what_expired_goes_to_the_event_queue_if_it_fails() {
    let world = world().await;
    let ports = Ports { tables: Arc::new(Broken::Fails), ..world.system.ports.clone() };
    let broken = Core::new(ports, ExecutorOptions::default());
    let payload = payloads("trigger-evaluator")["execution-expired"].clone();
    let answer = evaluator(&broken, &world).handle(payload, invocation(&world)).await;
    assert_eq!(answer, Ok(json!({"batchItemFailures": []})));
    let bodies: Vec<_> = world.store.messages(QueueName::Events).into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, [r#"{"expired":{"partition":"execution#exe_expired","sort":"head"}}"#]);
    world.system.evaluator.handle(&bodies[0], None).await.expect("it is repeated where storage works");
}

#[tokio::test]
async fn a_change_that_not_even_the_queue_takes_is_reported_and_those_before_it_are_done() {
    let world = world().await;
    let ports = Ports { tables: Arc::new(Broken::Fails), queue: Arc::new(Shut), ..world.system.ports.clone() };
    let broken = Core::new(ports, ExecutorOptions::default());
    let all = payloads("trigger-evaluator");
    let record = |case: &str| all[case]["Records"][0].clone();
    let payload = json!({"Records": [record("record-expired"), record("record-updated"), record("record-created")]});
    let answer = evaluator(&broken, &world).handle(payload, invocation(&world)).await;
    let failed = json!({"batchItemFailures": [{"itemIdentifier": "4421584600000000017450439092"}]});
    assert_eq!(answer, Ok(failed));
}
