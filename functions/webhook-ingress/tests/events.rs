//! The files under `events/webhook-ingress` reach the router as they were sent. What the router answers to each of them
//! is a matter of `crates/api`, and told there.

use axum::body::to_bytes;
use lambda_http::Request;
use pawl_api::webhooks;
use pawl_definition::Source;
use pawl_function_webhook_ingress::handle;
use pawl_runtime::ExecutorOptions;
use pawl_runtime::ports::QueueName;
use pawl_testkit::payloads;
use pawl_testkit::scenario::World;
use serde_json::{Value, json};

const TRIAGE: &str = "
workflow: support-triage
owner: owner@example.com
active: true
triggers:
  - {id: github, type: webhook, verify: {github: {secret: github}}}
steps: [{id: hello, type: note, text: hello}]
";

fn world() -> World {
    let world = World::new("2026-11-21T09:00:00Z".parse().expect("a time"), ExecutorOptions::default());
    world.store.set_secret("github", "fake-github-secret");
    world.save_workflow(&Source::parse("triage.yaml", TRIAGE).expect("it is YAML")).expect("it has no mistakes");
    world
}

fn request(payload: &Value) -> Request {
    lambda_http::request::from_str(&payload.to_string()).expect("it is a request")
}

async fn answer(world: &World, payload: &Value) -> (u16, Value) {
    let response = handle(&webhooks(world.system.core.clone(), world.store.secrets()), request(payload)).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("an answer is whole");
    (status, serde_json::from_slice(&body).expect("an answer is JSON"))
}

#[test]
fn every_event_reaches_the_router_as_it_was_sent() {
    for (case, payload) in payloads("webhook-ingress") {
        let request = request(&payload);
        assert_eq!(request.method().as_str(), payload["requestContext"]["http"]["method"], "{case}");
        assert_eq!(request.uri().path(), payload["rawPath"], "{case}");
        assert_eq!(request.uri().query().unwrap_or_default(), payload["rawQueryString"], "{case}");
        let headers = payload["headers"].as_object().expect("headers are an object");
        for (name, value) in headers {
            assert_eq!(json!(request.headers()[name].to_str().expect("it is ASCII")), *value, "{case}: {name}");
        }
        let length = headers.get("content-length").map_or("0", |length| length.as_str().expect("it is a text"));
        assert_eq!(request.body().len().to_string(), length, "{case}");
    }
}

#[tokio::test]
async fn a_signed_delivery_is_accepted_once() {
    let world = world();
    let all = payloads("webhook-ingress");
    let (status, first) = answer(&world, &all["github-issues-opened"]).await;
    assert_eq!(status, 202);
    let (status, again) = answer(&world, &all["github-issues-opened-redelivery"]).await;
    assert_eq!((status, &again["event_id"]), (202, &first["event_id"]));
    assert_eq!(world.store.messages(QueueName::Events).len(), 1);
    assert_eq!(answer(&world, &all["github-bad-signature"]).await.0, 401);
}

#[tokio::test]
async fn nothing_of_the_management_api_is_here() {
    let world = world();
    let mut payload = payloads("webhook-ingress")["get-query"].clone();
    for (path, status) in [("/v1/health", 200), ("/v1/executions", 404), ("/v1/installation/kill", 404), ("/", 404)] {
        payload["rawPath"] = path.into();
        assert_eq!(answer(&world, &payload).await.0, status, "{path}");
    }
}
