//! Every file under `events/webhook-ingress` goes through the router, in the order of their names, and is answered.
//!
//! The workflows are those that the files call, each with a trigger for each of its paths. `support-triage` finds or
//! makes a record for each issue, and `sync-contact` one for each contact, so that deliveries meet records too.

use std::collections::BTreeMap;

use axum::Router;
use axum::response::Response;
use futures::FutureExt;
use http_body_util::BodyExt;
use pawl_api::{ApiOptions, Authorizer};
use pawl_definition::Source;
use pawl_runtime::ExecutorOptions;
use pawl_testkit::scenario::World;
use serde::Serialize;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{event, hooks};

/// An answer as the snapshot shows it.
#[derive(Serialize)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

/// The record of a trigger, where it has one, and the object of its workflow.
fn record_of(path: &str) -> Option<Value> {
    let number = |expression: &str| json!({"match": {"number": expression}, "create": true});
    match path {
        "/hooks/support-triage/github" => Some(number("string(trigger.body.issue.id)")),
        "/hooks/sync-contact/crm" => Some(number("trigger.headers['content-length']")),
        _ => None,
    }
}

/// The workflow sources by id.
fn workflows() -> BTreeMap<String, Value> {
    let mut workflows: BTreeMap<String, Value> = BTreeMap::new();
    for (path, verify) in hooks::written() {
        let mut parts = path.split('/').skip(2);
        let (workflow, id) = (parts.next().expect("a path names a workflow"), parts.next().expect("and a trigger"));
        let mut trigger = json!({"id": id, "type": "webhook", "methods": ["GET", "POST"], "verify": verify});
        let source = workflows.entry(workflow.to_owned()).or_insert_with(|| {
            let steps = json!([{"id": "take", "type": "note", "text": "taken"}]);
            json!({"workflow": workflow, "owner": "ops@example.com", "active": true, "triggers": [], "steps": steps})
        });
        if let Some(record) = record_of(path) {
            trigger["record"] = record;
            source["object"] = "case".into();
        }
        source["triggers"].as_array_mut().expect("triggers are a list").push(trigger);
    }
    workflows
}

fn world() -> World {
    let arrival = event::read("basic").now();
    let world = World::new(arrival, ExecutorOptions::default());
    for (name, value) in hooks::secrets() {
        world.store.set_secret(&name, &value);
    }
    let case = json!({"object": "case", "fields": {"number": {"type": "text", "unique": true}}});
    world.save_object(&Source::from_value("case.object.yaml", case)).expect("the object has no mistakes");
    for (id, source) in workflows() {
        let saved = world.save_workflow(&Source::from_value(&id, source));
        assert_eq!(saved, Ok(()), "{id}");
    }
    world
}

fn send(router: &Router, name: &str) -> Answer {
    let event = event::read(name);
    let request = event.received().request(&event);
    // All that it stands on answers at once.
    let response: Response =
        router.clone().oneshot(request).now_or_never().expect("memory answers at once").expect("a router never fails");
    let (parts, body) = response.into_parts();
    let body = body.collect().now_or_never().expect("an answer is there at once").expect("and whole").to_bytes();
    let text = String::from_utf8(body.into()).expect("answers are UTF-8");
    let header = |value: &http::HeaderValue| value.to_str().expect("headers of answers are visible ASCII").to_owned();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), header(value))).collect(),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

#[test]
fn every_event_is_answered() {
    let world = world();
    let router = pawl_api::router(
        world.system.clone(),
        ApiOptions { authorizer: Authorizer::Upstream, loopback_only: true, ..ApiOptions::default() },
    );
    let mut answers = BTreeMap::new();
    let names: Vec<String> = event::all().into_keys().collect();
    for name in &names {
        answers.insert(name.as_str(), send(&router, name));
    }
    insta::assert_yaml_snapshot!("answered", answers);

    world.settle().expect("what was accepted comes to rest");
    let accepted = answers.values().filter(|answer| answer.status == 202);
    let is_new = |answer: &&Answer| !answer.headers.contains_key("idempotent-replayed");
    assert_eq!(world.executions().len(), accepted.filter(is_new).count(), "one execution for each, but for repeats");
}
