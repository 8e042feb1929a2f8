//! `wait_for_signal` and `send_signal`: who receives a signal, in which order, and how long it is kept.

mod held;
mod sent;

use jiff::SignedDuration;
use pawl_engine::{Execution, Status};
use pawl_runtime::{KEPT_MOST, SignalState};
use pawl_testkit::scenario::{Scenario, World, completed, manual, refused, scenario, signal, waiting};
use serde_json::{Value, json};

use crate::support::{with, workflow};

/// The workflow `w` that waits for the signal `paid` of the key 7, with more keys of its step.
pub(crate) fn waits(keys: &str) -> String {
    workflow(&format!(
        "  - id: wait\n    type: wait_for_signal\n    signal: paid\n    key: 7\n{keys}
    received: [{{id: glad, type: note, text: glad}}]
    timed_out: [{{id: sad, type: note, text: sad}}]
  - {{id: end, type: note, text: end}}"
    ))
}

pub(crate) fn story(keys: &str) -> Scenario {
    scenario().workflow(&waits(keys)).event(manual("w"))
}

/// The executions of `w`, the oldest first.
pub(crate) fn each(world: &World) -> Vec<Execution> {
    let mut all = world.executions();
    all.retain(|execution| execution.workflow == "w");
    all.sort_by_key(|execution| (execution.created_at, execution.id.clone()));
    all
}

/// What each execution has received, the oldest first; null of one that waits.
pub(crate) fn received(world: &World) -> Vec<Value> {
    each(world).iter().map(|execution| execution.steps["wait"].output.clone()).collect()
}

pub(crate) const RECEIVED: [&str; 3] = ["wait:received", "glad", "end"];

#[test]
fn a_signal_ends_the_wait_and_its_payload_is_the_output() {
    let story = story("").run_for("1d").expect(waiting().path([]));
    let sent = story.world().send_signal(&signal("paid", "7").payload(json!({"amount": 12})));
    let execution = each(story.world()).remove(0);
    assert_eq!(sent.expect("it is accepted").state, SignalState::Received { execution: execution.id });
    let story = story.settle().expect(completed().path(RECEIVED));
    assert_eq!(received(story.world()), [json!({"amount": 12})]);
}

#[test]
fn a_signal_of_another_key_or_name_is_not_meant() {
    story("")
        .settle()
        .event(signal("paid", "8"))
        .event(signal("refunded", "7"))
        .run_for("1h")
        .expect(waiting())
        .event(signal("paid", "7"))
        .run_until_idle()
        .expect(completed().path(RECEIVED));
}

#[test]
fn it_times_out() {
    let story = story("    timeout: 3d").settle();
    let due = each(story.world())[0].due_at().expect("it times out");
    assert_eq!(due.to_string(), "2026-01-04T00:00:00Z");
    story.run_until_idle().expect(completed().path(["wait:timed_out", "sad", "end"]));
}

#[test]
fn what_comes_after_the_time_out_is_kept_for_the_next() {
    let story = story("    timeout: 1d").run_for("2d").expect(completed().path(["wait:timed_out", "sad", "end"]));
    let sent = story.world().send_signal(&signal("paid", "7")).expect("it is accepted");
    assert_eq!(sent.state, SignalState::Kept);
}

#[test]
fn the_oldest_waiter_gets_it() {
    let mut story = scenario().workflow(&waits(""));
    for _ in 0..3 {
        story = story.event(manual("w")).run_for("1m");
    }
    let story = story.event(signal("paid", "7").payload(json!(1))).settle();
    assert_eq!(received(story.world()), [json!(1), Value::Null, Value::Null]);
    let story = story
        .event(signal("paid", "7").payload(json!(2)))
        .event(signal("paid", "7").payload(json!(3)))
        .run_until_idle();
    assert_eq!(received(story.world()), [json!(1), json!(2), json!(3)]);
}

#[test]
fn signals_that_nobody_waits_for_are_received_first_in_first_out() {
    let mut story = scenario().workflow(&waits("    earlier: true"));
    for n in 1..=3 {
        story = story.event(signal("paid", "7").payload(json!(n)));
    }
    for _ in 0..3 {
        story = story.event(manual("w")).run_for("1m");
    }
    assert_eq!(received(story.world()), [json!(1), json!(2), json!(3)]);
}

#[test]
fn one_that_was_sent_before_the_execution_began_is_taken_only_with_earlier() {
    let before = || scenario().event(signal("paid", "7").before(SignedDuration::from_secs(1)));
    before().workflow(&waits("    earlier: true")).event(manual("w")).settle().expect(completed().path(RECEIVED));
    let story = before().workflow(&waits("")).event(manual("w")).run_for("1h").expect(waiting());
    // It is still there for one that takes it.
    let taker = waits("    earlier: true").replace("workflow: w", "workflow: taker");
    story.workflow(&taker).event(manual("taker")).settle().expect(completed().of("taker").path(RECEIVED));
}

#[test]
fn one_that_was_sent_after_the_execution_began_and_before_it_waits_is_received() {
    let steps = "  - {id: nap, type: delay, for: 1h}\n  - {id: wait, type: wait_for_signal, signal: paid, key: 7}";
    scenario()
        .workflow(&workflow(steps))
        .event(manual("w"))
        .run_for("10m")
        .event(signal("paid", "7"))
        .run_for("1h")
        .expect(completed().path(["nap", "wait:received"]));
}

#[test]
fn a_signal_is_kept_for_72_hours() {
    let kept = |span: &str| {
        let story = scenario().workflow(&waits("    earlier: true")).event(signal("paid", "7")).run_for(span);
        each(story.event(manual("w")).run_for("1m").world())[0].status
    };
    assert_eq!((kept("71h"), kept("73h")), (Status::Completed, Status::Waiting));
}

#[test]
fn a_thousand_of_a_key_are_kept_and_then_no_more() {
    let story = scenario().workflow(&waits("    earlier: true"));
    let world = story.world();
    for _ in 0..KEPT_MOST {
        world.send_signal(&signal("paid", "7")).expect("there is room");
    }
    let refused = world.send_signal(&signal("paid", "7")).expect_err("there is no room");
    assert_eq!(refused.code, "too_many_signals");
    world.send_signal(&signal("paid", "8")).expect("another key has room of its own");
    let story = story.event(manual("w")).settle().expect(completed());
    story.world().send_signal(&signal("paid", "7")).expect("one was received: there is room again");
    story.world().send_signal(&signal("paid", "7")).expect_err("for one");
}

#[test]
fn signals_that_went_after_72_hours_leave_room() {
    let story = scenario();
    for _ in 0..KEPT_MOST {
        story.world().send_signal(&signal("paid", "7")).expect("there is room");
    }
    let story = story.run_for("73h");
    story.world().send_signal(&signal("paid", "7")).expect("they are gone");
}

const SCHEMA: &str = "    schema: {type: object, required: [amount], properties: {amount: {type: number}}}";

#[test]
fn one_that_does_not_fit_the_schema_is_refused_visibly_and_the_waiter_stays() {
    let story = story(SCHEMA).run_for("1h");
    let wrong = signal("paid", "7").payload(json!({"amount": "much"}));
    let told = story.world().send_signal(&wrong).expect_err("it does not fit");
    assert_eq!(told.code, "signal_refused");
    assert!(told.message.contains("/amount"), "{told}");
    let story = story.settle().expect(refused("signal_refused")).expect(waiting());
    let trace = story.world().trace(&each(story.world())[0].id);
    let note = trace.rows.last().and_then(|row| row.note.clone()).unwrap_or_default();
    assert!(note.contains("is refused") && note.contains("/amount"), "{note}");
    story.event(signal("paid", "7").payload(json!({"amount": 12}))).settle().expect(completed().path(RECEIVED));
}

#[test]
fn of_those_that_are_kept_the_first_that_fits_is_received() {
    let story = scenario()
        .workflow(&waits(&format!("    earlier: true\n{SCHEMA}")))
        .event(signal("paid", "7").payload(json!("wrong")))
        .event(signal("paid", "7").payload(json!({"amount": 1})))
        .event(signal("paid", "7").payload(json!({"amount": 2})))
        .event(manual("w"))
        .settle()
        .expect(completed().path(RECEIVED));
    assert_eq!(received(story.world()), [json!({"amount": 1})]);
}

#[test]
fn the_key_may_come_from_a_variable_and_is_a_text() {
    let keys = "variables: [{name: order, type: text, default: R-7}]";
    let steps = "  - {id: wait, type: wait_for_signal, signal: paid, key: '{{ vars.order }}', save_as: got}";
    scenario()
        .workflow(&with(keys, steps))
        .event(manual("w"))
        .settle()
        .event(signal("paid", "R-7").payload(json!("thanks")))
        .settle()
        .expect(completed().path(["wait:received"]).variable("got", "thanks"));
}

#[test]
fn a_blank_key_fails_the_step() {
    let keys = "variables: [{name: order, type: text}]\non_failure: {then: fail}";
    let steps = "  - {id: wait, type: wait_for_signal, signal: paid, key: '{{ vars.order }}'}";
    let failed = pawl_testkit::scenario::failed("wrong_type");
    scenario().workflow(&with(keys, steps)).event(manual("w")).settle().expect(failed);
}
