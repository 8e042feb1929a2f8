//! `goal`: waits for a condition on the record or for an event.

use pawl_testkit::scenario::{Scenario, completed, manual, paused, scenario, updated, waiting};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with};

const RESOLVED: &str = "
  - id: wait
    type: goal
    until: record.status == \"resolved\"
    timeout: 3d
    met: [{id: glad, type: note, text: glad}]
    unmet: [{id: sad, type: note, text: sad}]
  - {id: end, type: note, text: end}";

/// The story of a new ticket `t1` on which `w` was started.
fn story(workflow: &str) -> Scenario {
    scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(workflow)
        .record("customer", "c1", json!({"name": "Ada", "plan": "free"}))
        .record("ticket", "t1", json!({"status": "new", "customer": "c1"}))
        .event(manual("w").on("ticket", "t1"))
}

fn resolve() -> pawl_testkit::scenario::Happening {
    updated("ticket", "t1", json!({"status": "resolved"}))
}

#[test]
fn a_goal_that_holds_on_entry_is_met_at_once() {
    story(&on_tickets(RESOLVED)).event(resolve()).settle().expect(completed().path(["wait:met", "glad", "end"]));
}

#[test]
fn a_change_of_the_record_meets_it() {
    story(&on_tickets(RESOLVED))
        .run_for("1d")
        .expect(waiting().path([]))
        .event(updated("ticket", "t1", json!({"status": "open"})))
        .run_for("1d")
        .expect(waiting().path([]))
        .event(resolve())
        .settle()
        .expect(completed().path(["wait:met", "glad", "end"]));
}

#[test]
fn it_times_out() {
    let story = story(&on_tickets(RESOLVED)).run_until_idle().expect(completed().path(["wait:unmet", "sad", "end"]));
    assert_eq!(story.world().now().to_string(), "2026-01-04T00:00:00Z");
}

#[test]
fn what_comes_after_the_time_out_does_not_count() {
    story(&on_tickets(RESOLVED)).run_for("3d").event(resolve()).run_until_idle().expect(completed().path([
        "wait:unmet",
        "sad",
        "end",
    ]));
}

#[test]
fn without_a_time_out_it_waits_for_ever() {
    let forever = RESOLVED.replace("timeout: 3d", "timeout: never");
    story(&on_tickets(&forever))
        .run_until_idle()
        .run_for("1000d")
        .expect(waiting())
        .event(resolve())
        .settle()
        .expect(completed());
}

#[test]
fn the_change_of_a_related_record_that_it_reads_meets_it() {
    let paid = RESOLVED.replace("record.status == \"resolved\"", "record.customer.plan == \"paid\"");
    story(&on_tickets(&paid))
        .run_for("1d")
        .expect(waiting())
        .event(updated("customer", "c1", json!({"plan": "paid"})))
        .settle()
        .expect(completed().path(["wait:met", "glad", "end"]));
}

#[test]
fn a_time_out_in_the_past_is_taken_as_the_author_says() {
    for (word, expected) in [
        ("met", completed().path(["wait:met", "glad", "end"])),
        ("unmet", completed().path(["wait:unmet", "sad", "end"])),
        ("wait", waiting().path([])),
    ] {
        let past = RESOLVED.replace("timeout: 3d", &format!("timeout: '2025-12-31T00:00:00Z'\n    if_past: {word}"));
        story(&on_tickets(&past)).run_until_idle().expect(expected);
    }
}

#[test]
fn a_time_out_may_be_a_date_of_the_record() {
    let due = RESOLVED.replace("timeout: 3d", "timeout: '{{ record.due }}'");
    let story = scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&on_tickets(&due))
        .record("ticket", "t1", json!({"due": "2026-02-01T12:00:00Z"}))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
        .expect(completed().path(["wait:unmet", "sad", "end"]));
    assert_eq!(story.world().now().to_string(), "2026-02-01T12:00:00Z");
}

const ON_EVENT: &str = "
  - {id: first, type: delay, for: 1d}
  - id: wait
    type: goal
    on: [{id: raised, type: field_updated, field: priority}]
    timeout: 10d";

#[test]
fn an_event_from_before_the_goal_does_not_count() {
    story(&on_tickets(ON_EVENT))
        .run_for("12h")
        .event(updated("ticket", "t1", json!({"priority": 5})))
        .run_until_idle()
        .expect(completed().path(["first", "wait:unmet"]));
}

#[test]
fn an_event_after_entry_meets_it_and_others_do_not() {
    story(&on_tickets(ON_EVENT))
        .run_for("2d")
        .event(updated("ticket", "t1", json!({"title": "other"})))
        .settle()
        .expect(waiting().path(["first"]))
        .event(updated("ticket", "t1", json!({"priority": 5})))
        .settle()
        .expect(completed().path(["first", "wait:met"]));
}

#[test]
fn an_event_of_another_record_does_not_meet_it() {
    story(&on_tickets(ON_EVENT))
        .record("ticket", "t2", json!({}))
        .run_for("2d")
        .event(updated("ticket", "t2", json!({"priority": 5})))
        .settle()
        .expect(waiting());
}

#[test]
fn a_wrong_type_in_the_condition_fails_the_step() {
    let wrong = RESOLVED.replace("record.status == \"resolved\"", "dyn(record.title) > 3");
    story(&on_tickets(&wrong))
        .event(updated("ticket", "t1", json!({"title": "text"})))
        .run_until_idle()
        .expect(paused().path(["wait:failed"]));
}

#[test]
fn a_paused_goal_looks_again_when_it_is_resumed() {
    use pawl_engine::Control;
    story(&on_tickets(RESOLVED))
        .run_for("1d")
        .control(Control::Pause)
        .event(resolve())
        .run_for("1h")
        .expect(paused())
        .control(Control::Resume)
        .settle()
        .expect(completed().path(["wait:met", "glad", "end"]));
}

#[test]
fn several_executions_wait_on_one_record() {
    let story =
        story(&on_tickets(RESOLVED)).event(manual("w").on("ticket", "t1")).run_for("1d").event(resolve()).settle();
    let states: Vec<_> = story.world().executions().iter().map(|execution| execution.status.as_str()).collect();
    assert_eq!(states, ["completed", "completed"]);
}

#[test]
fn a_goal_met_by_the_executions_own_write_goes_on() {
    let own =
        on_tickets_with("", &format!("  - {{id: set, type: set_fields, fields: {{status: resolved}}}}{RESOLVED}"));
    story(&own).run_until_idle().expect(completed().path(["set", "wait:met", "glad", "end"]));
}

#[test]
fn an_event_that_comes_while_it_is_paused_counts() {
    use pawl_engine::Control;
    story(&on_tickets(ON_EVENT))
        .run_for("2d")
        .control(Control::Pause)
        .event(updated("ticket", "t1", json!({"priority": 5})))
        .run_for("30d")
        .expect(paused().path(["first", "wait:met"]))
        .control(Control::Resume)
        .settle()
        .expect(completed().path(["first", "wait:met"]));
}

#[test]
fn a_killed_goal_looks_again_when_the_kill_is_lifted() {
    use pawl_engine::Control;
    story(&on_tickets(RESOLVED))
        .run_for("1d")
        .control(Control::Kill)
        .event(resolve())
        .run_for("1h")
        .expect(waiting().path([]))
        .control(Control::Lift)
        .settle()
        .expect(completed().path(["wait:met", "glad", "end"]));
}
