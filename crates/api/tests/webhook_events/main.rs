//! Every file under `events/webhook-ingress` is received: verified, answered if it is a handshake, decoded and given its
//! delivery id. What comes out is one snapshot; a file without a rule, or a rule without a file, fails.
//! [`answers`] sends them all through the router, which is a second one.

mod answers;
mod event;
mod hooks;

use std::collections::{BTreeMap, BTreeSet};

use pawl_api::webhook::{Visible, decode, delivery_id, handshake, verify, visible};
use pawl_definition::trigger::Verify;
use serde::Serialize;
use serde_json::Value;

use event::Event;

/// What became of one file.
#[derive(Serialize)]
struct Outcome {
    hook: String,
    verified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<String>,
}

fn receive(event: &Event, rule: &Verify) -> Outcome {
    let secrets = hooks::secrets();
    let received = event.received();
    let delivery = received.delivery();
    let verified = verify(rule, &secrets, &delivery, event.now());
    let hook = format!("{} {}", received.method, event.path);
    let shown = match &verified {
        Ok(()) => "ok".to_owned(),
        Err(rejection) => told(rejection.status(), rejection.code(), rejection),
    };
    let mut outcome = Outcome { hook, verified: shown, handshake: None, content: None, delivery_id: None };
    match handshake(rule, &secrets, &delivery, &verified) {
        Ok(None) => {}
        Ok(Some(answer)) => {
            outcome.handshake = Some(format!("{} {}: {}", answer.status, answer.content_type, answer.body));
            return outcome;
        }
        Err(rejection) => {
            outcome.handshake = Some(told(rejection.status(), rejection.code(), &rejection));
            return outcome;
        }
    }
    if verified.is_err() {
        return outcome;
    }
    match decode(delivery.headers, delivery.body) {
        Ok(body) => {
            outcome.delivery_id = delivery_id(rule, &delivery, &body);
            outcome.content = Some(summary(&body));
        }
        Err(error) => outcome.content = Some(told(error.status(), error.code(), &error)),
    }
    outcome
}

fn told(status: u16, code: &str, text: &dyn std::fmt::Display) -> String {
    format!("{status} {code}: {text}")
}

/// A short value as it is; of a long one, the keys or the length.
fn summary(body: &Value) -> String {
    let whole = body.to_string();
    match body {
        _ if whole.len() <= 240 => whole,
        Value::Object(fields) => {
            let name =
                |(key, value): (&String, &Value)| if value.is_object() { format!("{key}{{}}") } else { key.clone() };
            fields.iter().map(name).collect::<Vec<_>>().join(" ")
        }
        _ => format!("{} bytes", whole.len()),
    }
}

#[test]
fn every_event_is_received() {
    let hooks = hooks::rules();
    let events = event::all();
    let used: BTreeSet<&str> = events.values().map(|event| event.path.as_str()).collect();
    let known: BTreeSet<&str> = hooks.keys().copied().collect();
    assert_eq!(used, known, "hooks of the files under events/webhook-ingress, and those with a rule");
    let outcomes: BTreeMap<&str, Outcome> =
        events.iter().map(|(name, event)| (name.as_str(), receive(event, &hooks[event.path.as_str()]))).collect();
    insta::assert_yaml_snapshot!("received", outcomes);
}

#[test]
fn a_repeat_has_the_id_of_the_first_and_others_have_their_own() {
    let hooks = hooks::rules();
    let id = |name: &str| {
        let event = event::read(name);
        receive(&event, &hooks[event.path.as_str()]).delivery_id
    };
    assert_eq!(id("github-issues-opened"), id("github-issues-opened-redelivery"));
    assert_eq!(id("slack-event"), id("slack-event-retry"));
    assert_ne!(id("github-issues-opened"), id("github-issues-reopened"));
}

#[test]
fn numbers_and_texts_arrive_as_they_were_sent() {
    let body = |name: &str| {
        let received = event::read(name).received();
        decode(&received.headers, &received.body).expect("the file holds a body that can be read")
    };
    assert_eq!(body("shopify-order")["id"], 620_982_911_946_154_508_u64);
    assert_eq!(body("github-form-payload")["payload"], body("github-issues-opened"));
    assert_eq!(body("csv").as_str().and_then(|text| text.lines().next()), Some("name,email,seats"));
}

#[test]
fn no_credential_of_a_file_is_visible() {
    let hooks = hooks::rules();
    for (name, event) in event::all() {
        let received = event.received();
        let Visible { headers, query } = visible(&hooks[event.path.as_str()], &received.delivery());
        for shown in headers.values().chain(query.values()) {
            let leaks = hooks::secrets().values().any(|secret| shown.contains(secret));
            assert!(!leaks && !shown.starts_with("Basic "), "{name}: {shown}");
        }
    }
}
