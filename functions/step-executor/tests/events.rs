//! Every file under `events/step-executor` is handled over memory, on a world of its own; what comes of it is one
//! snapshot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_definition::Source;
use pawl_engine::{Cause, Event, EventType, ids};
use pawl_function_step_executor::StepExecutor;
use pawl_lambda::Invocation;
use pawl_runtime::ports::{Message, Queue, QueueError, QueueName, QueueSource, Received};
use pawl_runtime::{ExecutorOptions, Job, OutsidePorts, Ports, System};
use pawl_testkit::payloads;
use pawl_testkit::scenario::{World, answer};
use serde::Serialize;
use serde_json::{Map, Value, json};

const NOW: &str = "2026-11-21T09:00:00Z";

const HIGH: &str = "arn:aws:sqs:eu-central-1:123456789012:pawl-jobs-high";

/// The events of the executions that the files are about.
const EVENTS: [&str; 2] = ["evt_019a9f1e2a8000000000000000000001", "evt_019a9f1e2a8000000000000000000002"];

const GREET: &str = "
workflow: greet
owner: owner@example.com
active: true
steps:
  - {id: hello, type: note, text: hello}
  - {id: call, type: http_request, url: 'https://x.example'}
";

/// A world with an execution of each event, whose jobs were taken off their queue.
fn world() -> World {
    let world = World::new(NOW.parse().expect("a time"), ExecutorOptions::default());
    let source = Source::parse("greet.yaml", GREET).expect("it is YAML");
    world.save_workflow(&source).expect("it has no mistakes");
    world
}

async fn begin(world: &World, event: &str) -> Job {
    let event = Event {
        id: event.to_owned(),
        kind: EventType::Manual,
        workflow: Some("greet".to_owned()),
        trigger: Some("manual".to_owned()),
        subject: None,
        occurred_at: world.now(),
        data: Map::new(),
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    };
    world.system.evaluator.start("greet", &event).await.expect("memory is writable");
    Job { execution_id: ids::execution_id(&event.id, "greet"), seq: 0, again: false, news: None }
}

fn executor(world: &World) -> StepExecutor {
    StepExecutor::new(world.system.clone(), world.store.source(), [(HIGH.to_owned(), QueueName::JobsHigh)].into())
}

fn invocation(world: &World) -> Invocation {
    let deadline = world.now() + SignedDuration::from_mins(5);
    Invocation { request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(), trace_id: None, deadline }
}

/// What came of a file.
#[derive(Serialize)]
struct Outcome {
    answer: Value,
    executions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sent: Vec<String>,
}

async fn handle(payload: Value) -> Outcome {
    let world = world();
    world.http.script(|_| Some(answer(200)));
    for event in EVENTS {
        begin(&world, event).await;
    }
    let before = world.store.messages(QueueName::Jobs).len();
    let answer = executor(&world).handle(payload, invocation(&world)).await.expect("the shape is known");
    let queues = [QueueName::Jobs, QueueName::JobsHigh];
    let messages = queues.map(|queue| (queue, world.store.messages(queue)));
    let sent = messages.iter().flat_map(|(queue, messages)| {
        let skipped = if *queue == QueueName::Jobs { before } else { 0 };
        messages.iter().skip(skipped).map(move |message| {
            let wait = message.visible_at.duration_since(message.sent_at);
            format!("{queue:?} after {wait:#}: {}", message.body)
        })
    });
    let states = world.executions().into_iter().map(|execution| {
        let path = world.trace(&execution.id).path().join(" ");
        (execution.id, format!("{}: {path}", execution.status))
    });
    Outcome { answer: json!(answer), sent: sent.collect(), executions: states.collect() }
}

#[tokio::test]
async fn every_event_is_handled() {
    let mut outcomes = BTreeMap::new();
    for (case, payload) in payloads("step-executor") {
        outcomes.insert(case, handle(payload).await);
    }
    insta::assert_yaml_snapshot!(outcomes);
}

#[tokio::test]
async fn another_payload_is_an_error_with_a_code() {
    let world = world();
    let failure = executor(&world).handle(json!({"detail-type": "Scheduled Event"}), invocation(&world)).await;
    let failure = failure.expect_err("it is no batch of messages");
    assert_eq!(lambda_runtime::Diagnostic::from(failure).error_type, "unexpected_payload");
}

fn message(id: &str, body: &str) -> Value {
    json!({"messageId": id, "receiptHandle": id, "body": body, "eventSource": "aws:sqs"})
}

/// A panic is one job's: the others of its batch are carried on and deleted.
#[tokio::test]
async fn a_panic_fails_one_job_and_no_other() {
    let world = world();
    let mut calls = 0;
    world.http.script(move |_| {
        calls += 1;
        assert!(calls != 2, "the second call finds a broken invariant");
        Some(answer(200))
    });
    let mut records = Vec::new();
    for (at, event) in ["evt_a", "evt_b", "evt_c"].iter().enumerate() {
        let job = begin(&world, event).await;
        records.push(message(&format!("m-{at}"), &json!(job).to_string()));
    }
    records.push(message("m-3", "not JSON"));
    let answer = executor(&world).handle(json!({"Records": records}), invocation(&world)).await;
    let failed = json!(answer.expect("the shape is known"));
    assert_eq!(failed, json!({"batchItemFailures": [{"itemIdentifier": "m-1"}, {"itemIdentifier": "m-3"}]}));
    let states: Vec<_> = world.executions().iter().map(|execution| execution.status.to_string()).collect();
    assert_eq!(states.iter().filter(|state| *state == "completed").count(), 2, "{states:?}");
}

/// What failed comes again after a wait that grows, and not only when its visibility is over.
#[tokio::test]
async fn what_failed_is_given_back_with_a_growing_wait() {
    let world = world();
    let job = json!(Job { seq: 7, ..begin(&world, "evt_a").await }).to_string();
    let shut = Arc::new(Shut::default());
    let ports = Ports { queue: shut.clone(), ..world.system.ports.clone() };
    let system = System::new(ports, OutsidePorts::default(), ExecutorOptions::default());
    let executor = StepExecutor::new(system, shut.clone(), BTreeMap::new());
    for (attempt, body) in [("1", job.as_str()), ("4", &job), ("40", &job), ("2", "not JSON")] {
        let mut message = message("m", body);
        message["attributes"] = json!({"ApproximateReceiveCount": attempt});
        let answer = executor.handle(json!({"Records": [message]}), invocation(&world)).await;
        assert_eq!(answer.expect("the shape is known").batch_item_failures.len(), 1);
    }
    assert_eq!(*shut.given_back.lock().expect("no holder panics"), [2, 16, 60, 0]);
}

/// Bug: an outage of six minutes used up the ten deliveries of everything in flight.
#[tokio::test]
async fn what_failed_since_aws_failed_is_put_off_and_uses_up_no_delivery() {
    let world = world();
    let job = json!(Job { seq: 7, ..begin(&world, "evt_a").await }).to_string();
    let ports = Ports { queue: Arc::new(Shut::default()), ..world.system.ports.clone() };
    let system = System::new(ports, OutsidePorts::default(), ExecutorOptions::default());
    let store = Arc::new(world.store.clone());
    let executor = StepExecutor::new(system.clone(), store.clone(), BTreeMap::new());
    for begun in store.receive(QueueName::Jobs, 10, SignedDuration::from_secs(60)).await.expect("it is readable") {
        store.delete(QueueName::Jobs, &begun.receipt).await.expect("memory is writable");
    }
    let message = Message { body: job, delay: SignedDuration::ZERO, group: "greet".to_owned() };
    store.send(QueueName::Jobs, vec![message]).await.expect("memory is writable");
    let mut waits = Vec::new();
    for _ in 0..12 {
        let received = store.receive(QueueName::Jobs, 10, SignedDuration::from_secs(60)).await.expect("it is readable");
        let [received] = &received[..] else { panic!("one message is there: {received:?}") };
        let mut message = self::message("m", &received.body);
        message["receiptHandle"] = json!(received.receipt);
        message["attributes"] = json!({"ApproximateReceiveCount": received.attempt.to_string()});
        message["messageAttributes"] =
            json!({"put_off": {"dataType": "Number", "stringValue": received.put_off.to_string()}});
        let answer = executor.handle(json!({"Records": [message]}), invocation(&world)).await;
        assert_eq!(json!(answer.expect("the shape is known")), json!({"batchItemFailures": []}));
        let before = world.now();
        world.clock.advance_to(world.store.next_due().expect("it waits"));
        waits.push(world.now().duration_since(before).as_secs());
        assert_eq!(received.attempt, 1);
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    assert_eq!(system.metrics.snapshot()["messages_put_off"], 12);
}

/// Whoever fails for the last time says why; the queue then gives the message up.
#[tokio::test]
async fn the_last_failure_is_marked_with_its_cause() {
    let world = world();
    for (attempt, refusals) in [("9", 0), ("10", 1)] {
        let mut message = message("m", "not JSON");
        message["attributes"] = json!({"ApproximateReceiveCount": attempt});
        let answer = executor(&world).handle(json!({"Records": [message]}), invocation(&world)).await;
        assert_eq!(answer.expect("the shape is known").batch_item_failures.len(), 1);
        assert_eq!(world.refusals("unknown").len(), refusals, "after delivery {attempt}");
    }
    let refusal = world.refusals("unknown").remove(0);
    assert_eq!(refusal.code, "dead_letter");
    assert!(refusal.message.contains("not readable"), "{}", refusal.message);
}

/// A queue that takes nothing, and keeps for how many seconds messages are given back.
#[derive(Default)]
struct Shut {
    given_back: Mutex<Vec<i64>>,
}

#[async_trait]
impl Queue for Shut {
    async fn send(&self, _: QueueName, _: Vec<Message>) -> Result<(), QueueError> {
        Err(QueueError::Unavailable("out of reach".to_owned()))
    }
}

#[async_trait]
impl QueueSource for Shut {
    async fn receive(&self, _: QueueName, _: usize, _: SignedDuration) -> Result<Vec<Received>, QueueError> {
        Ok(Vec::new())
    }

    async fn delete(&self, _: QueueName, _: &str) -> Result<(), QueueError> {
        Ok(())
    }

    async fn give_back(&self, _: QueueName, _: &str, delay: SignedDuration) -> Result<(), QueueError> {
        self.given_back.lock().expect("no holder panics").push(delay.as_secs());
        Ok(())
    }

    async fn put_off(&self, _: QueueName, _: &Received, _: SignedDuration) -> Result<(), QueueError> {
        Err(QueueError::Unavailable("out of reach".to_owned()))
    }
}
