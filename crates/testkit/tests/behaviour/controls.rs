//! What people do to executions, and the kill switch at three levels. Sections 7 and 11 of the language.

use futures::FutureExt;
use pawl_engine::{Act, Control};
use pawl_runtime::items::audit::Deed;
use pawl_testkit::scenario::{
    Scenario, answer, canceled, completed, manual, nothing_began, paused, queued, scenario, updated, waiting,
};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with, with, workflow};

const STEPS: &str = "
  - {id: wait, type: delay, for: 1d}
  - {id: call, type: http_request, url: 'https://x.example'}
  - {id: end, type: note, text: end}";

fn story() -> Scenario {
    scenario().workflow(&workflow(STEPS)).http(|_| answer(200)).event(manual("w")).run_for("1h").expect(waiting())
}

fn refusal(story: &Scenario, control: &Control) -> String {
    let id = story.last().execution.id;
    story.world().control(&id, control).expect_err("it does not fit the state").to_string()
}

#[test]
fn a_repeated_control_changes_nothing() {
    for (control, twice) in [
        (Control::Pause, Control::Pause),
        (Control::Cancel, Control::Cancel),
        (Control::Kill, Control::Kill),
        (Control::Lift, Control::Lift),
        (Control::Resume, Control::Resume),
    ] {
        let story = story().control(control);
        let before = story.last();
        assert_eq!(story.control(twice).last(), before);
    }
}

#[test]
fn a_control_that_does_not_fit_is_refused_with_the_state() {
    let story = story().control(Control::Cancel);
    for control in [Control::Pause, Control::Resume, Control::Retry, Control::Skip { take: None }, Control::Kill] {
        assert_eq!(refusal(&story, &control), format!("cannot {} an execution that is canceled", control.word()));
    }
    let running = self::story();
    assert_eq!(refusal(&running, &Control::Retry), "cannot retry an execution that is waiting");
}

#[test]
fn a_failed_step_is_retried_or_skipped_not_resumed() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(400)).event(manual("w")).run_until_idle();
    let story = story.expect(paused().path(["wait", "call:failed"]));
    assert_eq!(refusal(&story, &Control::Resume), "cannot resume an execution that is paused");
}

#[test]
fn who_acted_and_why_stands_in_history() {
    let story = story();
    let id = story.last().execution.id;
    let act = Act {
        actor: "ada@example.com".to_owned(),
        reason: Some("holiday".to_owned()),
        at: story.world().now(),
        id: None,
    };
    let done = story.world().system.transitions.control(&id, &Control::Pause, &act).now_or_never();
    done.expect("memory answers at once").expect("it waits");
    let row = story.last().rows.pop().expect("the pause is a row");
    assert_eq!((row.actor.as_deref(), row.note.as_deref()), (Some("ada@example.com"), Some("pause: holiday")));
}

#[test]
fn a_queued_execution_is_paused_and_resumed() {
    let story = scenario().workflow(&with("limits: {starts: {per: 1h, at_most: 1}}", STEPS)).http(|_| answer(200));
    let story = story.event(manual("w")).event(manual("w")).settle();
    let second = story.world().executions().into_iter().find(|one| one.status == pawl_engine::Status::Queued);
    let second = second.expect("one is spaced out").id;
    let world = story.world();
    world.control(&second, &Control::Pause).expect("it is queued");
    let story = story.run_for("3d");
    assert!(story.world().execution(&second).started_at.is_none());
    story.world().control(&second, &Control::Resume).expect("it is paused");
    let story = story.run_until_idle();
    assert!(story.world().executions().iter().all(|one| one.status == pawl_engine::Status::Completed));
}

#[test]
fn a_killed_execution_stands_still_until_the_kill_is_lifted() {
    let story = story().control(Control::Kill).run_for("10d").expect(waiting().path([]).calls([]));
    assert_eq!(story.last().state(), "waiting, killed");
    story.control(Control::Lift).run_until_idle().expect(completed().path(["wait", "call", "end"]));
}

fn act(story: &Scenario) -> Act {
    story.world().act()
}

fn kill_workflow(story: Scenario, killed: bool) -> Scenario {
    let done = story.world().system.workflows.set_killed("w", killed, &act(&story)).now_or_never();
    done.expect("memory answers at once").expect("the workflow is there");
    story
}

fn kill_all(story: Scenario, killed: bool) -> Scenario {
    let done = story.world().system.installations.set_killed(killed, &act(&story)).now_or_never();
    done.expect("memory answers at once").expect("memory is writable");
    story
}

#[test]
fn a_killed_workflow_stands_still_until_the_kill_is_lifted() {
    let story = kill_workflow(story(), true).run_for("10d").expect(waiting().path([]).calls([]));
    kill_workflow(story, false).run_until_idle().expect(completed().path(["wait", "call", "end"]));
}

#[test]
fn a_killed_installation_stands_still_until_the_kill_is_lifted() {
    let story = kill_all(story(), true).run_for("10d").expect(waiting().path([]).calls([]));
    kill_all(story, false).run_until_idle().expect(completed().path(["wait", "call", "end"]));
}

#[test]
fn who_used_the_kill_switch_and_why_is_kept() {
    let story = kill_all(kill_workflow(kill_workflow(story(), true), true), true);
    let story = kill_workflow(kill_all(story, false), false);
    let entries = story.world().system.history.audit(10, None).now_or_never().expect("memory answers at once");
    let entries = entries.expect("it is readable").items;
    let mut told: Vec<_> = entries.iter().map(|one| (one.deed, one.workflow.as_deref(), &*one.act.actor)).collect();
    told.sort_by_key(|(deed, workflow, _)| (format!("{deed:?}"), *workflow));
    let by = "operator@example.com";
    let expected =
        [(Deed::Kill, None, by), (Deed::Kill, Some("w"), by), (Deed::Lift, None, by), (Deed::Lift, Some("w"), by)];
    assert_eq!(told, expected);
}

#[test]
fn what_is_started_under_a_kill_begins_when_it_is_lifted() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(200));
    let story = kill_workflow(story, true).event(manual("w")).run_for("10d").expect(queued());
    kill_workflow(story, false).run_until_idle().expect(completed());
}

#[test]
fn a_kill_of_the_workflow_holds_a_retry_back() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(503)).event(manual("w")).run_for("24h");
    assert_eq!(story.world().http.calls().len(), 1);
    let story = kill_workflow(story, true).run_for("10d");
    assert_eq!(story.world().http.calls().len(), 1);
    let story = kill_workflow(story, false).http(|_| answer(200)).run_until_idle().expect(completed());
    assert_eq!(story.world().http.calls().len(), 2);
}

#[test]
fn cancel_ends_what_is_killed() {
    let story = kill_workflow(story(), true).control(Control::Cancel).expect(canceled());
    kill_workflow(story, false).run_until_idle().expect(canceled().path(["wait:canceled"]));
}

fn goal(keys: &str) -> Scenario {
    let steps = "  - {id: wait, type: goal, until: 'record.status == \"resolved\"', timeout: 9d}";
    let workflow = on_tickets_with(keys, steps);
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&workflow).record("ticket", "t1", json!({}));
    story.event(manual("w").on("ticket", "t1")).run_for("1h")
}

#[test]
fn a_goal_whose_record_changed_under_a_kill_is_met_when_the_kill_is_lifted() {
    let resolve = || updated("ticket", "t1", json!({"status": "resolved"}));
    let story = kill_workflow(goal(""), true).event(resolve()).run_for("1h").expect(waiting());
    kill_workflow(story, false).settle().expect(completed().path(["wait:met"]));
    let story = kill_all(goal(""), true).event(resolve()).run_for("1h").expect(waiting());
    kill_all(story, false).settle().expect(completed().path(["wait:met"]));
}

#[test]
fn a_canceled_goal_hears_nothing_more() {
    let story = goal("").control(Control::Cancel).event(updated("ticket", "t1", json!({"status": "resolved"})));
    story.run_until_idle().expect(canceled().path(["wait:canceled"]));
}

#[test]
fn nothing_is_started_by_a_control_alone() {
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(STEPS));
    kill_all(kill_all(story, true), false).run_until_idle().expect(nothing_began());
}

/// A story whose call failed for good; the next one succeeds.
fn failed_once() -> Scenario {
    let mut statuses = vec![200, 400].into_iter();
    let story = scenario().workflow(&workflow(STEPS)).http(move |_| answer(statuses.next_back().unwrap_or(200)));
    story.event(manual("w")).run_until_idle().expect(paused().path(["wait", "call:failed"]))
}

#[test]
fn a_repeated_decision_on_a_failure_changes_nothing_also_when_it_has_ended() {
    for control in [Control::Retry, Control::Skip { take: None }] {
        let story = failed_once().control(control.clone());
        let before = story.last();
        let story = story.control(control.clone());
        assert_eq!(story.last(), before, "{}", control.word());
        let story = story.run_until_idle().expect(completed());
        let before = story.last();
        assert_eq!(story.control(control).last(), before);
    }
    let story = failed_once().control(Control::Retry).run_until_idle();
    assert_eq!(refusal(&story, &Control::Skip { take: None }), "cannot skip an execution that is completed");
}

#[test]
fn a_repeated_resume_changes_nothing_when_it_has_ended() {
    let story = story().control(Control::Pause).control(Control::Resume).run_until_idle().expect(completed());
    let before = story.last();
    assert_eq!(story.control(Control::Resume).last(), before);
}

#[test]
fn a_step_that_fails_again_is_retried_again() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(400)).event(manual("w")).run_until_idle();
    let story = story.control(Control::Retry).run_until_idle().control(Control::Retry).run_until_idle();
    assert_eq!(story.expect(paused()).world().http.calls().len(), 3);
}

#[test]
fn a_person_may_retry_as_often_as_it_takes() {
    let mut story = scenario()
        .workflow(&with("limits: {visits: 3}", STEPS))
        .http(|_| answer(400))
        .event(manual("w"))
        .run_until_idle();
    for _ in 0..5 {
        story = story.control(Control::Retry).run_until_idle().expect(paused());
    }
}

#[test]
fn a_goal_that_timed_out_while_it_was_paused_is_unmet_when_it_is_resumed() {
    let story = goal("").control(Control::Pause).run_for("20d").expect(paused()).control(Control::Resume).settle();
    story.expect(completed().path(["wait:unmet"]));
}
