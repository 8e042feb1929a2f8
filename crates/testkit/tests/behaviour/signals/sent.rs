//! How signals are sent: once for a key of idempotency, by a step, by the bus.

use pawl_runtime::{PAYLOAD_MOST, SignalState};
use pawl_testkit::scenario::{bus_says, completed, failed, manual, scenario, signal, waiting};
use serde_json::{Value, json};

use super::{RECEIVED, each, received, story, waits};

#[test]
fn a_repeat_under_the_same_idempotency_key_sends_nothing() {
    let story = scenario().workflow(&waits("")).event(manual("w")).run_for("1m").event(manual("w")).run_for("1m");
    let once = signal("paid", "7").payload(json!(1)).idempotency_key("payment 1");
    let first = story.world().send_signal(&once).expect("it is accepted");
    let again = story.world().send_signal(&once).expect("it is accepted");
    assert_eq!((first.is_repeat, again.is_repeat), (false, true));
    assert_eq!((&first.id, &first.state), (&again.id, &again.state), "a repeat is told what became of the signal");
    assert_eq!(received(story.world()), [json!(1), Value::Null]);
    let other = story.world().send_signal(&once.payload(json!(2))).expect_err("it is another signal");
    assert_eq!(other.code, "idempotency_key_reused");
}

#[test]
fn a_payload_beyond_the_bound_is_refused() {
    let long = "x".repeat(PAYLOAD_MOST);
    let told = scenario().world().send_signal(&signal("paid", "7").payload(json!(long))).expect_err("it is too large");
    assert_eq!(told.code, "signal_too_large");
}

/// A workflow that sends the signal `paid` of the key 7.
fn sender(keys: &str) -> String {
    let step = format!("  - {{id: tell, type: send_signal, signal: paid, key: 7{keys}}}");
    format!("workflow: sender\nowner: owner@example.com\nactive: true\non_failure: {{then: fail}}\nsteps:\n{step}")
}

#[test]
fn a_step_sends_a_signal_to_another_execution() {
    let story = story("").settle();
    let waiter = each(story.world())[0].id.clone();
    let story = story
        .workflow(&sender(", payload: {n: '{{ 1 + 1 }}'}"))
        .event(manual("sender"))
        .settle()
        .expect(completed().of("sender").path(["tell"]))
        .expect(completed().of("w").path(RECEIVED));
    assert_eq!(received(story.world()), [json!({"n": 2})]);
    let sender = story.world().executions().into_iter().find(|head| head.workflow == "sender").expect("it began");
    let output = &sender.steps["tell"].output;
    assert_eq!((&output["status"], &output["execution_id"]), (&json!("received"), &json!(waiter)));
}

#[test]
fn a_signal_of_a_step_is_kept_if_nobody_waits() {
    let story = scenario().workflow(&sender("")).event(manual("sender")).settle().expect(completed().of("sender"));
    let output = &story.world().executions()[0].steps["tell"].output;
    assert_eq!((&output["status"], &output["execution_id"]), (&json!("kept"), &Value::Null));
    story.workflow(&waits("    earlier: true")).event(manual("w")).settle().expect(completed().of("w").path(RECEIVED));
}

#[test]
fn a_step_whose_signal_is_refused_fails() {
    story("    schema: {type: number}")
        .settle()
        .workflow(&sender(", payload: text"))
        .event(manual("sender"))
        .settle()
        .expect(failed("signal_refused").of("sender"))
        .expect(waiting().of("w"));
}

fn of_bus(id: &str, payload: &Value) -> Value {
    let detail = json!({"signal": "paid", "key": "7", "payload": payload});
    json!({"id": id, "source": "pawl.signal", "detail-type": "Payment", "time": "2026-01-01T00:01:00Z", "detail": detail})
}

#[test]
fn the_bus_sends_a_signal_once_however_often_it_is_delivered() {
    let story = scenario().workflow(&waits("")).event(manual("w")).run_for("1m").event(manual("w")).run_for("1m");
    let said = of_bus("e-1", &json!(1));
    let story = story.event(bus_says(said.clone())).event(bus_says(said)).settle();
    assert_eq!(received(story.world()), [json!(1), Value::Null]);
    let sent = story.world().send_signal(&signal("paid", "7")).expect("it is accepted");
    assert!(matches!(sent.state, SignalState::Received { .. }), "nothing of the repeat is kept before it");
}

#[test]
fn numbers_are_not_given_again_after_a_line_has_expired() {
    let story = scenario();
    let numbers = |story: &pawl_testkit::scenario::Scenario| -> Vec<String> {
        let items = story.world().store.items(pawl_runtime::ports::Table::Executions);
        let entries = items.into_iter().map(|item| item.key).filter(|key| key.partition.starts_with("signals#"));
        entries.map(|key| key.sort).filter(|sort| sort != "line").collect()
    };
    let story = story.event(signal("paid", "7"));
    let first = numbers(&story);
    let story = story.run_for("73h").event(signal("paid", "7"));
    let second = numbers(&story);
    assert!(first.len() == 1 && second.iter().all(|number| *number > first[0]), "{first:?} {second:?}");
}
