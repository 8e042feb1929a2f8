//! Every file under `events/sweeper` makes it sweep; what comes of it is one snapshot.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use pawl_definition::Source;
use pawl_engine::{Cause, Event, EventType, ids};
use pawl_function_sweeper::handle;
use pawl_lambda::Invocation;
use pawl_runtime::ports::QueueName;
use pawl_runtime::{EventMessage, ExecutorOptions, Job};
use pawl_testkit::payloads;
use pawl_testkit::scenario::World;
use serde::Serialize;
use serde_json::{Map, Value, json};

const GREET: &str = "
workflow: greet
owner: owner@example.com
active: true
steps: [{id: hello, type: note, text: hello}]
";

/// What came of a file.
#[derive(Serialize)]
struct Outcome {
    answer: Value,
    jobs: usize,
    indicators: BTreeMap<String, Vec<&'static str>>,
    refusals: Vec<String>,
}

fn event(world: &World, id: &str) -> Event {
    Event {
        id: id.to_owned(),
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
    }
}

/// Two executions whose jobs never came, one of which was given up, and an event that was.
async fn handled(payload: Value) -> Outcome {
    let world = World::new("2026-11-21T08:50:00Z".parse().expect("a time"), ExecutorOptions::default());
    world.save_workflow(&Source::parse("greet.yaml", GREET).expect("it is YAML")).expect("it has no mistakes");
    for id in ["evt_lost", "evt_dead"] {
        let event = event(&world, id);
        world.system.evaluator.start("greet", &event).await.expect("memory is writable");
    }
    let job = Job { execution_id: ids::execution_id("evt_dead", "greet"), seq: 0, again: false, news: None };
    world.store.give_up(QueueName::Jobs, &json!(job).to_string(), 3);
    let unread = EventMessage::Event(Box::new(event(&world, "evt_never")));
    world.store.give_up(QueueName::Events, &json!(unread).to_string(), 3);
    let before = world.store.messages(QueueName::Jobs).len();
    world.clock.advance(SignedDuration::from_mins(10));

    let deadline = world.now() + SignedDuration::from_secs(55);
    let invocation = Invocation { request_id: "request".to_owned(), trace_id: None, deadline };
    let answer = handle(&world.system, payload, &invocation).await.expect("memory is writable");
    let indicators = |execution: pawl_engine::Execution| (execution.event_id.clone(), execution.indicators());
    Outcome {
        answer,
        jobs: world.store.messages(QueueName::Jobs).len() - before,
        indicators: world.executions().into_iter().map(indicators).collect(),
        refusals: world.refusals("greet").iter().map(|row| format!("{}: {}", row.event_id, row.code)).collect(),
    }
}

#[tokio::test]
async fn every_event_makes_it_sweep() {
    let mut outcomes = BTreeMap::new();
    for (case, payload) in payloads("sweeper") {
        outcomes.insert(case, handled(payload).await);
    }
    insta::assert_yaml_snapshot!(outcomes);
}
