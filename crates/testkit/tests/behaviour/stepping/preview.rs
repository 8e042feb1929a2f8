//! What a step would do, before it does anything.

use pawl_engine::{Control, StepStatus};
use pawl_testkit::scenario::{Scenario, answer, completed, manual, scenario, updated};
use serde_json::{Value, json};

use super::{debugged, step};
use crate::support::{CUSTOMER, TICKET, on_tickets, workflow};

/// What the step that the last execution stands before would do.
#[track_caller]
fn would(story: &Scenario) -> pawl_runtime::Ahead {
    let id = story.last().execution.id;
    story.world().ahead(&id).unwrap_or_else(|| panic!("it stands before no step\n{}", story.world().trace(&id)))
}

fn shown(story: &Scenario) -> (String, Option<StepStatus>, Value) {
    let ahead = would(story);
    (ahead.step, ahead.would.status, ahead.would.input)
}

#[test]
fn a_call_is_shown_with_its_input_and_not_made() {
    let steps = "
  - {id: set, type: set_variables, values: {n: 7}}
  - {id: call, type: http_request, method: POST, url: 'https://x.example/{{ vars.n }}', headers: {x-token: '{{ secret(\"token\") }}'}}";
    let story = scenario().workflow(&workflow(steps)).secret("token", "t0ken").http(|_| answer(200));
    let story = step(story.event(manual("w").debug()).run_until_idle());
    let before = story.last();
    let (id, status, input) = shown(&story);
    assert_eq!((id.as_str(), status), ("call", Some(StepStatus::Running)));
    assert_eq!(input["url"], "https://x.example/7");
    assert!(!input.to_string().contains("t0ken"), "{input}");
    assert_eq!((story.last(), story.world().http.calls().len()), (before, 0), "nothing came of the look");
    let story = step(story).expect(completed());
    let rows = story.last().rows;
    let called = rows.iter().find(|row| row.step.as_deref() == Some("call") && !row.input.is_null());
    assert_eq!(called.expect("it was called").input, input, "history shows the same");
}

/// The priority that the step would set.
fn raised(story: &Scenario) -> Value {
    would(story).would.output["changes"]["priority"]["to"].clone()
}

#[test]
fn what_was_changed_meanwhile_is_seen() {
    let story = scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&on_tickets("  - {id: raise, type: set_fields, fields: {priority: '{{ record.priority + 1 }}'}}"));
    let story = story.record("ticket", "t1", json!({"title": "Printer", "priority": 1}));
    let story = story.event(manual("w").on("ticket", "t1").debug()).run_until_idle();
    assert_eq!(raised(&story), json!(2));
    let story = story.event(updated("ticket", "t1", json!({"priority": 5}))).settle();
    assert_eq!(raised(&story), json!(6));
    let story = step(story).expect(completed());
    assert_eq!(story.world().records("ticket")[0].fields["priority"], json!(6));
}

#[test]
fn the_path_of_a_condition_and_the_time_of_a_wait_are_shown() {
    let story = debugged("  - {id: big, type: condition, if: '1 > 2'}\n  - {id: wait, type: delay, for: 2h}");
    assert_eq!(would(&story).would.branch.as_deref(), Some("no"));
    let story = step(story);
    let ahead = would(&story).would;
    let due = story.world().now() + jiff::SignedDuration::from_hours(2);
    assert_eq!((ahead.status, ahead.due), (Some(StepStatus::Waiting), Some(due)));
}

#[test]
fn a_failure_is_shown_before_it_happens() {
    let story = debugged("  - {id: share, type: set_variables, values: {n: '{{ 1 / int(trigger.values.nothing) }}'}}");
    let error = would(&story).would.error.expect("it cannot be evaluated");
    let story = step(story);
    let failed = story.last().rows.iter().find_map(|row| row.error.clone());
    assert_eq!(failed, Some(error));
}

#[test]
fn what_a_step_reads_first_is_read() {
    let find = "  - {id: find, type: find_records, object: ticket, where: {title: Printer}}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&workflow(find));
    let story = story.record("ticket", "t1", json!({"title": "Printer"})).event(manual("w").debug()).run_until_idle();
    let ahead = would(&story).would;
    assert_eq!(ahead.output[0]["id"], "t1", "{ahead:?}");
}

#[test]
fn only_what_stands_before_a_step_shows_one() {
    let story = step(debugged("  - {id: wait, type: delay, for: 2h}"));
    let id = story.last().execution.id;
    assert_eq!(story.world().ahead(&id), None, "it has ended");
    // One that a person paused before a step shows it as well.
    let steps = "  - {id: wait, type: delay, for: 2h}\n  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&workflow(steps)).event(manual("w")).run_for("1h").control(Control::Pause);
    assert_eq!(story.world().ahead(&story.last().execution.id), None, "it stands inside a step");
}
