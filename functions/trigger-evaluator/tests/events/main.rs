//! Every file under `events/trigger-evaluator` is handled over memory, on a world of its own; what comes of it is one
//! snapshot.

mod broken;

use std::collections::BTreeMap;

use pawl_definition::Source;
use pawl_engine::{Record, Subject};
use pawl_function_trigger_evaluator::TriggerEvaluator;
use pawl_lambda::Invocation;
use pawl_runtime::ports::{BlobKey, BlobOwner, Durability, Expect, Item, QueueName, Table, Transaction, Write};
use pawl_runtime::{Core, ExecutorOptions, items};
use pawl_testkit::payloads;
use pawl_testkit::scenario::World;
use serde::Serialize;
use serde_json::{Value, json};

const GREET: &str = "
workflow: greet
owner: owner@example.com
active: true
steps: [{id: hello, type: note, text: hello}]
";

const TICKET: &str = "
object: ticket
fields:
  status: {type: option, options: [new, open]}
  title: {type: text}
";

const TRIAGE: &str = "
workflow: triage
owner: owner@example.com
active: true
object: ticket
triggers:
  - {id: created, type: record_created}
  - {id: opened, type: field_updated, fields: [status]}
steps: [{id: hello, type: note, text: hello}]
";

/// A world with the workflows that listen, and the ticket of the files.
pub(crate) async fn world() -> World {
    let world = World::new("2026-11-21T08:57:00Z".parse().expect("a time"), ExecutorOptions::default());
    let parse = |text| Source::parse("file.yaml", text).expect("it is YAML");
    world.save_object(&parse(TICKET)).expect("it has no mistakes");
    for workflow in [GREET, TRIAGE] {
        world.save_workflow(&parse(workflow)).expect("it has no mistakes");
    }
    let created =
        payloads("trigger-evaluator")["record-created"]["Records"][0]["dynamodb"]["NewImage"]["b"]["S"].clone();
    let record: Record = serde_json::from_str(created.as_str().expect("a body is a text")).expect("it is a record");
    let change = pawl_engine::RecordWrite { before: None, after: record };
    let writes = items::record::writes(&change, None);
    let put = world.system.ports.tables.transact(Transaction { writes, durability: Durability::Ordered });
    put.await.expect("memory is writable");
    // What memory tells of it by itself is taken away: here the stream is the file.
    at_rest(&world).await;
    world.clock.advance_to("2026-11-21T09:00:00Z".parse().expect("a time"));
    world
}

async fn at_rest(world: &World) {
    let source = world.store.source();
    for message in source.receive(QueueName::Events, 10, jiff::SignedDuration::from_secs(60)).await.expect("memory") {
        source.delete(QueueName::Events, &message.receipt).await.expect("memory is writable");
    }
}

pub(crate) fn evaluator(core: &Core, world: &World) -> TriggerEvaluator {
    TriggerEvaluator::new(core.clone(), world.store.source())
}

pub(crate) fn invocation(world: &World) -> Invocation {
    let deadline = world.now() + jiff::SignedDuration::from_mins(1);
    Invocation { request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(), trace_id: None, deadline }
}

/// What came of a file.
#[derive(Serialize)]
struct Outcome {
    answer: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    began: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sent: Vec<String>,
}

async fn handle(payload: Value) -> Outcome {
    let world = world().await;
    let result = evaluator(&world.system, &world).handle(payload, invocation(&world)).await;
    let answer = result.unwrap_or_else(|failure| json!({"error": failure.code, "message": failure.message}));
    let began = world.executions().into_iter().map(|execution| {
        let record = execution.record.as_ref().map(Subject::to_string).unwrap_or_default();
        format!("{} by {} {record}", execution.workflow, execution.event_id).trim_end().to_owned()
    });
    let events = world.store.messages(QueueName::Events);
    let sent = events.iter().map(|message| {
        let wait = message.visible_at.duration_since(message.sent_at);
        format!("after {wait:#}: {}", message.body)
    });
    Outcome { answer, began: began.collect(), sent: sent.collect() }
}

#[tokio::test]
async fn every_event_is_handled() {
    let mut outcomes = BTreeMap::new();
    for (case, payload) in payloads("trigger-evaluator") {
        outcomes.insert(case, handle(payload).await);
    }
    insta::assert_yaml_snapshot!(outcomes);
}

/// What is left of the execution of the file goes: its event, and its blobs.
#[tokio::test]
async fn what_belonged_to_an_expired_head_is_removed() {
    let world = world().await;
    let owner = BlobOwner::execution("exe_expired");
    let blob = BlobKey::new(&owner, &"0".repeat(64)).expect("it is a hash");
    world.store.blobs().put(&blob, "{}".into()).await.expect("memory is writable");
    let (key, body) = (items::event::key("exe_expired"), "{}".to_owned());
    let event = Item { key, version: 1, indexes: Vec::new(), expires_at: None, body };
    let writes = vec![Write::Put { table: items::event::TABLE, item: event, expect: Expect::Absent }];
    let put = world.system.ports.tables.transact(Transaction { writes, durability: Durability::Ordered });
    put.await.expect("memory is writable");

    let payload = payloads("trigger-evaluator")["execution-expired"].clone();
    evaluator(&world.system, &world).handle(payload, invocation(&world)).await.expect("the shape is known");
    assert_eq!((world.store.items(Table::Executions), world.store.blob_keys()), (Vec::new(), Vec::new()));
}
