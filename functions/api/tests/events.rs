//! Every file under `events/api` is answered over memory, on a world of its own; the answers are one snapshot.

use std::collections::BTreeMap;

use axum::body::to_bytes;
use pawl_definition::Source;
use pawl_function_api::{Api, Gateway};
use pawl_runtime::ExecutorOptions;
use pawl_runtime::ports::QueueName;
use pawl_testkit::payloads;
use pawl_testkit::scenario::World;
use serde::Serialize;
use serde_json::Value;

const GREET: &str = "
workflow: greet
owner: owner@example.com
active: true
steps: [{id: hello, type: note, text: hello}]
";

/// What a request is answered.
#[derive(Serialize)]
struct Answer {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<Value>,
    body: Value,
}

async fn answer(gateway: Gateway, payload: &Value) -> Answer {
    let world = World::new("2026-11-21T09:00:00Z".parse().expect("a time"), ExecutorOptions::default());
    world.save_workflow(&Source::parse("greet.yaml", GREET).expect("it is YAML")).expect("it has no mistakes");
    let request = lambda_http::request::from_str(&payload.to_string()).expect("it is a request");
    let response = Api::new(world.system.core.clone(), gateway).handle(request).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("an answer is whole");
    let text = String::from_utf8(body.to_vec()).expect("answers are texts");
    let heading = || text.lines().next().unwrap_or_default().into();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| heading());
    let event = world.store.messages(QueueName::Events).into_iter().next();
    let event: Option<Value> = event.map(|message| serde_json::from_str(&message.body).expect("an event is JSON"));
    Answer { status, actor: event.map(|event| event["event"]["data"]["actor"].clone()), body }
}

#[tokio::test]
async fn every_event_is_answered() {
    let mut answers = BTreeMap::new();
    for (case, payload) in payloads("api") {
        let gateway = if case.starts_with("jwt-") { Gateway::Jwt } else { Gateway::Iam };
        answers.insert(case, answer(gateway, &payload).await);
    }
    insta::assert_yaml_snapshot!(answers);
}

/// A setting that does not fit the gateway opens nothing.
#[tokio::test]
async fn who_was_named_by_another_kind_of_authorizer_is_nobody() {
    let all = payloads("api");
    for (gateway, case) in [(Gateway::Jwt, "iam-list"), (Gateway::Iam, "jwt-role")] {
        assert_eq!(answer(gateway, &all[case]).await.status, 401, "{case}");
    }
}

#[tokio::test]
async fn the_role_of_a_token_is_the_one_it_names_or_the_highest_of_groups_and_scopes() {
    let mut payload = payloads("api")["jwt-no-role"].clone();
    payload["rawPath"] = "/v1/installation/kill".into();
    payload["requestContext"]["http"]["method"] = "POST".into();
    let with = |claims: &[(&str, &str)]| {
        let mut payload = payload.clone();
        for (claim, value) in claims {
            payload["requestContext"]["authorizer"]["jwt"]["claims"][*claim] = (*value).into();
        }
        payload
    };
    let found = async |claims: &[(&str, &str)]| {
        let answer = answer(Gateway::Jwt, &with(claims)).await;
        let detail = answer.body["detail"].as_str().expect("a refusal says why").to_owned();
        detail.split_once("found ").expect("it says which role was found").1.to_owned()
    };
    assert_eq!(found(&[("pawl_role", "operator")]).await, "operator");
    assert_eq!(found(&[("pawl_role", "root")]).await, "none");
    assert_eq!(found(&[("pawl_role", "viewer"), ("cognito:groups", "[pawl-editor]")]).await, "viewer");
    assert_eq!(found(&[("cognito:groups", "[pawl-viewer pawl-editor]")]).await, "editor");
    assert_eq!(found(&[("cognito:groups", "[admin pawl-root]")]).await, "none");
    assert_eq!(found(&[("scope", "openid pawl/viewer"), ("cognito:groups", "[pawl-operator]")]).await, "operator");
    assert_eq!(found(&[("scope", "pawl.admin")]).await, "none");
}
