//! `publish_event`, `send_message` and `invoke_function`: what is asked of services of the cloud, and what follows.

use pawl_runtime::ports::{CloudCall, CloudError, CloudRequest, MessageTarget};
use pawl_testkit::scenario::{
    CloudReply, Scenario, answer, cloud_dies, cloud_gives, cloud_refuses, completed, failed, function_fails, manual,
    paused, refused, scenario,
};
use serde_json::{Value, json};

use crate::support::{with, workflow};

const FIFO: &str = "arn:aws:sqs:eu-central-1:123456789012:orders.fifo";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:orders";
const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:orders";

/// A workflow of one step, whose service answers so.
fn story(step: &str, script: impl FnMut(&CloudCall) -> CloudReply + Send + 'static) -> Scenario {
    let steps = format!("  - {{id: call, save_as: got, {step}}}");
    scenario().workflow(&workflow(&steps)).cloud(script).event(manual("w")).run_until_idle()
}

fn code(story: &Scenario) -> String {
    let error = story.last().rows.into_iter().find_map(|row| row.error);
    error.map(|error| error.code.as_str().to_owned()).unwrap_or_default()
}

#[test]
fn a_message_has_its_text_group_delay_and_one_id_for_all_attempts() {
    let mut refusals = 2;
    let step = format!("type: send_message, queue: '{FIFO}', group: '{{{{ 7 }}}}', body: {{n: '{{{{ 1 + 1 }}}}'}}");
    let story = story(&step, move |_| {
        if refusals > 0 {
            refusals -= 1;
            return cloud_refuses(CloudError::Throttled("later".to_owned()));
        }
        cloud_gives(json!({"message_id": "m-1"}))
    });
    let story = story.expect(completed().variable("got", json!({"message_id": "m-1"})));
    let calls = story.world().cloud.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.id == calls[0].id && call.id.starts_with("msg_")), "{calls:?}");
    let to = MessageTarget::Queue(FIFO.to_owned());
    let request =
        CloudRequest::SendMessage { to, body: r#"{"n":2}"#.to_owned(), group: Some("7".to_owned()), delay_s: None };
    assert_eq!(calls[0].request, request);
}

#[test]
fn a_text_is_sent_as_it_is_and_a_queue_holds_it_back() {
    let step = format!("type: send_message, queue: '{QUEUE}', body: 'n={{{{ 1 + 1 }}}}', delay: 90s");
    let story = story(&step, |call| cloud_gives(json!({"message_id": call.id}))).expect(completed());
    let to = MessageTarget::Queue(QUEUE.to_owned());
    let request = CloudRequest::SendMessage { to, body: "n=2".to_owned(), group: None, delay_s: Some(90) };
    assert_eq!(story.world().cloud.calls()[0].request, request);
}

#[test]
fn each_visit_has_an_id_of_its_own() {
    let steps = format!(
        "  - id: all\n    type: for_each\n    items: [1, 2]\n    do: [{{id: tell, type: send_message, topic: '{TOPIC}', body: x}}]"
    );
    let story = scenario().workflow(&workflow(&steps)).event(manual("w")).run_until_idle().expect(completed());
    let calls = story.world().cloud.calls();
    assert_ne!(calls[0].id, calls[1].id);
}

#[test]
fn a_function_gives_the_output() {
    let step = "type: invoke_function, function: price-of, input: {sku: MUG}, timeout: 2m";
    let story = story(step, |_| cloud_gives(json!({"price": 5})).after_s(100))
        .expect(completed().variable("got", json!({"price": 5})));
    let request =
        CloudRequest::InvokeFunction { function: "price-of".to_owned(), input: json!({"sku": "MUG"}), wait: true };
    assert_eq!(story.world().cloud.calls()[0].request, request);
}

#[test]
fn a_function_that_fails_fails_the_step_once_and_its_answer_is_seen() {
    let steps = "  - {id: call, type: invoke_function, function: price-of, on_failure: {then: [{id: why, type: set_variables, values: {why: '{{ steps.call.output.errorType }}'}}]}}";
    let story = scenario().workflow(&workflow(steps)).cloud(|_| function_fails("ValueError", "no price"));
    let story = story.event(manual("w")).run_until_idle().expect(completed().variable("why", json!("ValueError")));
    assert_eq!((code(&story).as_str(), story.world().cloud.calls().len()), ("function_failed", 1));
}

#[test]
fn refusals_are_told_by_codes_and_only_passing_ones_are_retried() {
    let step = "type: invoke_function, function: price-of";
    for (error, expected, calls) in [
        (CloudError::NotConfigured("x".to_owned()), "cloud_not_configured", 1),
        (CloudError::NotFound("x".to_owned()), "cloud_not_found", 1),
        (CloudError::Denied("x".to_owned()), "cloud_denied", 1),
        (CloudError::Invalid("x".to_owned()), "cloud_invalid", 1),
        (CloudError::Throttled("x".to_owned()), "cloud_throttled", 4),
        (CloudError::Network("x".to_owned()), "cloud_network", 4),
        (CloudError::Server("x".to_owned()), "cloud_server", 4),
    ] {
        let story = story(step, move |_| cloud_refuses(error.clone())).expect(paused().path(["call:failed"]));
        assert_eq!((code(&story).as_str(), story.world().cloud.calls().len()), (expected, calls));
    }
}

#[test]
fn what_is_no_call_is_not_made() {
    let fifo = format!("type: send_message, queue: '{{{{ \"{FIFO}\" }}}}', body: x");
    for (step, expected) in [
        (fifo.as_str(), "cloud_invalid"),
        ("type: send_message, queue: '{{ \"orders\" }}', body: x", "cloud_invalid"),
        ("type: invoke_function, function: '{{ \"a b\" }}'", "cloud_invalid"),
        ("type: publish_event, source: '{{ \"pawl.signal\" }}', detail_type: x", "wrong_type"),
        ("type: publish_event, source: s, detail_type: x, detail: '{{ parse_json(\"[1]\") }}'", "wrong_type"),
    ] {
        let story = story(step, |_| cloud_gives(json!({}))).expect(paused().path(["call:failed"]));
        assert_eq!((code(&story).as_str(), story.world().cloud.calls().len()), (expected, 0), "{step}");
    }
}

#[test]
fn after_a_crash_a_call_is_made_again_unless_it_is_to_be_made_once() {
    let dies_once = || {
        let mut died = false;
        move |_: &CloudCall| {
            if died {
                return cloud_gives(json!({"request_id": "r"}));
            }
            died = true;
            cloud_dies()
        }
    };
    let again = story("type: invoke_function, function: f, wait: false", dies_once()).expect(completed());
    assert_eq!(again.world().cloud.calls().len(), 2);
    let once = story("type: invoke_function, function: f, wait: false, delivery: at_most_once", dies_once());
    let once = once.expect(paused().path(["call:failed"]));
    assert_eq!((code(&once).as_str(), once.world().cloud.calls().len()), ("outcome_unknown", 1));
}

/// A workflow that hears what another one publishes.
const HEARS: &str = "
workflow: hears
owner: ada@example.com
active: true
triggers: [{id: told, type: event, pattern: {source: [shop.orders], detail-type: [Order Placed]}, values: {n: trigger.event.detail.n}}]
variables: [{name: n, type: number}]
steps: [{id: end, type: note, text: '{{ vars.n }}'}]";

const PUBLISHES: &str =
    "  - {id: tell, type: publish_event, source: shop.orders, detail_type: Order Placed, detail: {n: 7}}";

fn publishes() -> Scenario {
    scenario().workflow(HEARS).workflow(&workflow(PUBLISHES))
}

#[test]
fn without_a_bus_an_event_starts_the_workflows_that_listen() {
    let story = publishes().event(manual("w")).run_until_idle();
    let story =
        story.expect(completed().of("hears").variable("n", json!(7))).expect(completed().of("w").path(["tell"]));
    let executions = story.world().executions();
    let (teller, hearer) = (&executions[0], &executions[1]);
    assert_eq!(hearer.cause.chain.len(), 1, "the cause reaches what it started");
    assert_eq!(hearer.cause.chain[0].execution, teller.id);
}

/// Its time is that of the visit, so that a repeat after months is refused as too old, and starts nothing a second time.
#[test]
fn an_event_has_the_time_at_which_the_visit_began() {
    let at = HEARS.replace("trigger.event.detail.n", "trigger.occurred_at").replace("type: number", "type: datetime");
    let story = scenario().workflow(&at).workflow(&workflow(PUBLISHES)).event(manual("w"));
    let mut refusals = 2;
    story.world().cloud.script(move |_| {
        refusals -= 1;
        (refusals >= 0).then(|| cloud_refuses(CloudError::Throttled("later".to_owned())))
    });
    let story = story.run_until_idle();
    let calls = story.world().cloud.calls();
    assert_eq!(calls.len(), 3);
    assert!(story.world().now() > calls[0].began_at, "the attempts are apart");
    let began = json!(calls[0].began_at.to_string());
    let _ = story.expect(completed().of("hears").variable("n", began));
}

/// An event that is taken in again, after a crash between its acceptance and the commit, starts nothing twice.
#[test]
fn an_event_that_is_published_again_starts_nothing_twice() {
    let steps = "  - {id: tell, type: publish_event, source: shop.orders, detail_type: Order Placed, detail: {n: 7}}";
    let story = scenario().workflow(HEARS).workflow(&workflow(steps)).event(manual("w")).run_until_idle();
    let id = story.world().cloud.calls()[0].id.clone();
    let envelope = json!({"version": "0", "id": id, "source": "shop.orders", "detail-type": "Order Placed", "time": story.world().now().to_string(), "detail": {"n": 7}});
    let event = pawl_runtime::bus::outside(&envelope).expect("the event has no mistakes").expect("it is from outside");
    let identity = pawl_runtime::Identity::of(Some(&id));
    let accepted = futures::FutureExt::now_or_never(story.world().system.ingest.accept_undecided(event, &identity));
    let accepted = accepted.expect("ports in memory answer at once").expect("it is taken in");
    assert!(accepted.repeat.is_some(), "it is known");
    let story = story.run_until_idle();
    assert_eq!(story.world().executions().len(), 2);
}

/// A workflow that publishes what it hears itself does not run for ever.
#[test]
fn a_workflow_that_hears_its_own_events_is_stopped() {
    let keys = "triggers: [{id: told, type: event, pattern: {source: [shop.orders]}}]";
    let story = scenario().workflow(&with(keys, PUBLISHES)).event(manual("w")).run_until_idle();
    let story = story.expect(refused("self_limit"));
    let began = story.world().executions().len();
    assert!((1..=20).contains(&began), "{began} executions began");
}

#[test]
fn with_a_bus_the_event_goes_there() {
    let steps = workflow(PUBLISHES);
    let story = scenario().workflow(HEARS).workflow(&steps).cloud(|_| cloud_gives(json!({"event_id": "e-1"})));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    assert_eq!(story.world().executions().len(), 1, "what the bus tells comes from the bus");
    let detail = json!({"n": 7}).as_object().cloned().unwrap_or_default();
    let (source, detail_type) = ("shop.orders".to_owned(), "Order Placed".to_owned());
    assert_eq!(story.world().cloud.calls()[0].request, CloudRequest::PublishEvent { source, detail_type, detail });
}

#[test]
fn an_answer_holds_no_secret() {
    let steps = "  - {id: key, type: http_request, url: 'https://x.example', headers: {k: '{{ secret(\"key\") }}'}}
  - {id: call, type: invoke_function, function: f, save_as: got}";
    let story = scenario().workflow(&workflow(steps)).secret("key", "s3cret-value").http(|_| answer(200));
    let story = story.cloud(|_| cloud_gives(json!({"said": "it is s3cret-value"}))).event(manual("w")).run_until_idle();
    story.expect(completed().variable("got", json!({"said": "it is [secret:key]"})));
}

#[test]
fn a_value_that_is_too_large_is_not_sent() {
    let step = format!("type: send_message, queue: '{QUEUE}', body: '{{{{ vars.long }}}}'");
    let steps = format!("  - {{id: call, {step}, on_failure: {{then: fail}}}}");
    let keys = format!("variables: [{{name: long, type: text, default: {}}}]", "x".repeat(270_000));
    let story = scenario().workflow(&with(&keys, &steps)).event(manual("w")).run_until_idle();
    story.expect(failed("cloud_invalid"));
    let large = story_with_answer(json!("x".repeat(10)));
    large.expect(completed());
}

fn story_with_answer(output: Value) -> Scenario {
    story("type: invoke_function, function: f", move |_| cloud_gives(output.clone()))
}
