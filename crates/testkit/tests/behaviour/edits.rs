//! Edits under executions in flight: section 1 of the language.

use pawl_definition::Source;
use pawl_engine::Control;
use pawl_runtime::SaveError;
use pawl_testkit::scenario::{Scenario, answer, completed, dies, manual, scenario, updated, waiting, webhook};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, with, workflow};

const WAITING: &str = "
  - {id: first, type: note, text: one}
  - {id: wait, type: delay, for: 10d}
  - {id: then, type: note, text: two}
  - {id: end, type: note, text: three}";

/// A story that waits in its second step.
fn in_flight(keys: &str) -> Scenario {
    scenario().workflow(&with(keys, WAITING)).event(manual("w")).run_for("1d").expect(waiting().path(["first"]))
}

/// The workflow without one of its steps.
fn without(keys: &str, steps: &[&str]) -> String {
    let kept = WAITING.lines().filter(|line| !steps.iter().any(|step| line.contains(&format!("id: {step},"))));
    with(keys, &kept.collect::<Vec<_>>().join("\n"))
}

#[test]
fn an_edit_reaches_what_is_in_flight() {
    let edited = WAITING.replace("- {id: end, type: note, text: three}", "- {id: new, type: note, text: new}");
    in_flight("")
        .workflow(&workflow(&edited))
        .run_until_idle()
        .expect(completed().path(["first", "wait", "then", "new"]));
}

#[test]
fn a_pinned_workflow_keeps_the_revision_that_an_execution_began_with() {
    let edited = WAITING.replace("- {id: end, type: note, text: three}", "- {id: new, type: note, text: new}");
    let story = in_flight("edits: pinned").workflow(&with("edits: pinned", &edited));
    let story = story.event(manual("w")).run_until_idle();
    let paths: Vec<_> = story.world().executions().iter().map(|one| story.world().trace(&one.id).path()).collect();
    assert_eq!(paths, [["first", "wait", "then", "end"], ["first", "wait", "then", "new"]]);
}

#[test]
fn a_step_deleted_under_a_waiting_execution_moves_it_to_the_former_successor() {
    let story = in_flight("").workflow(&without("", &["wait"])).run_until_idle();
    let story = story.expect(completed().path(["first", "wait:moved", "then", "end"]));
    let trace = story.last();
    let moved = trace.rows.iter().find(|row| row.kind == pawl_engine::RowKind::Moved).expect("history says so");
    assert_eq!(moved.note.as_deref(), Some("the step was deleted; goes on at its former successor then"));
}

#[test]
fn if_the_successor_is_gone_too_it_moves_on_to_the_next_that_is_there() {
    let story = in_flight("").workflow(&without("", &["wait", "then"])).run_until_idle();
    story.expect(completed().path(["first", "wait:moved", "end"]));
}

#[test]
fn if_nothing_is_left_it_completes() {
    let story = in_flight("").workflow(&without("", &["wait", "then", "end"])).run_until_idle();
    story.expect(completed().path(["first", "wait:moved"]));
}

#[test]
fn a_step_deleted_from_a_branch_rejoins_after_it() {
    let nested = "
  - id: check
    type: condition
    if: 'true'
    yes:
      - {id: wait, type: delay, for: 10d}
  - {id: end, type: note, text: end}";
    let edited =
        nested.replace("      - {id: wait, type: delay, for: 10d}", "      - {id: other, type: note, text: other}");
    let story = scenario().workflow(&workflow(nested)).event(manual("w")).run_for("1d").expect(waiting());
    story.workflow(&workflow(&edited)).run_until_idle().expect(completed().path(["check:yes", "wait:moved", "end"]));
}

#[test]
fn two_edits_in_a_row_still_find_the_former_successor() {
    let story =
        in_flight("").workflow(&without("", &["wait"])).workflow(&without("", &["wait", "first"])).run_until_idle();
    story.expect(completed().path(["first", "wait:moved", "then", "end"]));
}

#[test]
fn a_deleted_step_is_not_waited_for() {
    let story = in_flight("").workflow(&without("", &["wait"])).run_until_idle();
    assert_eq!(story.last().rows.iter().filter(|row| row.step.as_deref() == Some("wait")).count(), 2);
}

#[test]
fn a_step_deleted_while_its_call_is_under_way_commits_and_goes_on_at_its_former_successor() {
    let calling = "
  - {id: call, type: http_request, url: 'https://x.example'}
  - {id: end, type: note, text: end}";
    let edited = workflow("  - {id: end, type: note, text: end}");
    let story = scenario().workflow(&workflow(calling));
    let world = story.world().clone();
    let story = story.http(move |_| {
        let (world, edited) = (world.clone(), edited.clone());
        answer(200).meanwhile(move || {
            let source = Source::parse("workflow.yaml", &edited).expect("the edit is YAML");
            world.save_workflow(&source).expect("the edit is right");
        })
    });
    story.event(manual("w")).run_until_idle().expect(completed().path(["call", "end"]));
}

/// Bug: a condition that an edit put in the place of a call took the call's answer for its own, and completed without
/// being evaluated.
#[test]
fn a_result_that_comes_back_after_an_edit_is_not_given_to_a_step_of_another_type() {
    let calling = "  - {id: look, type: http_request, url: 'https://x.example'}";
    let judging = "
  - id: look
    type: condition
    if: 1 + 1 == 3
    yes: [{id: right, type: note, text: right}]
    no: [{id: wrong, type: note, text: wrong}]";
    for (answer, fails) in [(answer(200), false), (answer(404), true)] {
        let story = scenario().workflow(&workflow(calling));
        let (world, edited, mut answer) = (story.world().clone(), workflow(judging), Some(answer));
        let story = story.http(move |_| {
            let (world, edited) = (world.clone(), edited.clone());
            answer.take().expect("it is called once").meanwhile(move || {
                let source = Source::parse("workflow.yaml", &edited).expect("the edit is YAML");
                world.save_workflow(&source).expect("the edit is right");
            })
        });
        let story = story.event(manual("w")).run_until_idle();
        let story = story.expect(completed().path(["look:moved", "look:no", "wrong"]));
        let trace = story.last();
        let moved = trace.rows.iter().find(|row| row.kind == pawl_engine::RowKind::Moved).expect("history says so");
        let note = "an edit changed the step's type to condition: the step starts again; this row has the result of the http_request";
        assert_eq!(moved.note.as_deref(), Some(note));
        assert_eq!(moved.step_type.as_deref(), Some("http_request"));
        assert_eq!(moved.input["url"], "https://x.example");
        assert_eq!(moved.error.is_some(), fails, "what came of the call is kept");
        assert_eq!(moved.output["status"], if fails { 404 } else { 200 });
    }
}

/// Bug: after a crash in a call, or between two attempts, a step of another type went on with the visit of the former.
#[test]
fn a_retry_or_a_repeat_after_a_crash_begins_a_step_of_another_type_anew() {
    let calling = "  - {id: call, type: http_request, url: 'https://x.example'}";
    let noting = workflow("  - {id: call, type: note, text: instead}");
    for (reply, note) in [
        (answer(503), "an edit changed the step's type to note: the step starts again"),
        (
            dies(),
            "an edit changed the step's type to note: the step starts again; the result of the http_request is unknown, because its process died",
        ),
    ] {
        let mut reply = Some(reply);
        let story = scenario().workflow(&workflow(calling));
        let story = story.http(move |_| reply.take().expect("it is called once")).event(manual("w")).settle();
        let story = story.workflow(&noting).run_until_idle().expect(completed());
        let trace = story.last();
        let moved = trace.rows.iter().find(|row| row.kind == pawl_engine::RowKind::Moved).expect("history says so");
        assert_eq!(moved.note.as_deref(), Some(note));
        let last = trace.rows.last().expect("there are rows");
        assert_eq!((last.step_type.as_deref(), last.attempt), (Some("note"), Some(1)), "a visit of its own");
    }
}

#[test]
fn a_delay_that_is_changed_keeps_the_due_time_it_began_with() {
    let story = in_flight("").workflow(&workflow(&WAITING.replace("for: 10d", "for: 1h"))).run_until_idle();
    assert_eq!(story.expect(completed()).world().now().to_string(), "2026-01-11T00:00:00Z");
}

fn save(story: &Scenario, text: &str, read_at: Option<u64>) -> Result<(u64, bool), SaveError> {
    let source = Source::parse("workflow.yaml", text).expect("the text is YAML");
    let saved = story.world().system.workflows.save(&source, read_at, "someone@example.com");
    let saved = futures::FutureExt::now_or_never(saved).expect("memory answers at once")?;
    Ok((saved.head.revision, saved.unchanged))
}

#[test]
fn a_stale_save_changes_nothing() {
    let story = scenario().workflow(&workflow(WAITING));
    assert_eq!(save(&story, &without("", &["end"]), Some(1)).expect("revision 1 is the present one"), (2, false));
    let stale = save(&story, &without("", &["then"]), Some(1));
    assert!(matches!(stale, Err(SaveError::Stale(2))), "{stale:?}");
    story.event(manual("w")).run_until_idle().expect(completed().path(["first", "wait", "then"]));
}

#[test]
fn saving_the_same_again_is_no_new_revision() {
    let story = scenario().workflow(&workflow(WAITING));
    assert_eq!(save(&story, &workflow(WAITING), None).expect("it is right"), (1, true));
}

/// A ticket of a customer who pays nothing, and another customer who pays.
fn goal(steps: &str) -> Scenario {
    scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&on_tickets(steps))
        .record("customer", "c1", json!({"name": "Ada", "plan": "free"}))
        .record("customer", "c2", json!({"name": "Bob", "plan": "free"}))
        .record("ticket", "t1", json!({"customer": "c1"}))
        .event(manual("w").on("ticket", "t1"))
        .run_for("1h")
        .expect(waiting())
}

const PAID: &str = "  - {id: wait, type: goal, until: 'record.customer.plan == \"paid\"', timeout: never}";
const RESOLVED: &str = "  - {id: wait, type: goal, until: 'record.status == \"resolved\"', timeout: never}";

#[test]
fn a_goal_whose_condition_is_changed_is_looked_at_again_and_hears_what_it_reads_now() {
    let story = goal(RESOLVED).workflow(&on_tickets(PAID)).run_for("1h").expect(waiting());
    let story = story.event(updated("ticket", "t1", json!({"status": "resolved"}))).run_for("1h").expect(waiting());
    story.event(updated("customer", "c1", json!({"plan": "paid"}))).settle().expect(completed().path(["wait:met"]));
    let story =
        goal(RESOLVED).event(updated("customer", "c1", json!({"plan": "paid"}))).run_for("1h").expect(waiting());
    story.workflow(&on_tickets(PAID)).settle().expect(completed().path(["wait:met"]));
}

#[test]
fn a_goal_that_is_given_another_event_hears_it() {
    let on = "  - {id: wait, type: goal, on: [{id: call, type: webhook}], timeout: never}";
    let story = goal(RESOLVED).workflow(&on_tickets(on)).run_for("1h").expect(waiting());
    story.event(webhook("w", "call").body(json!({}))).settle().expect(completed().path(["wait:met"]));
}

#[test]
fn a_goal_follows_its_record_to_another_related_one() {
    let story = goal(PAID).event(updated("ticket", "t1", json!({"customer": "c2"}))).run_for("1h").expect(waiting());
    let story = story.event(updated("customer", "c1", json!({"plan": "paid"}))).run_for("1h").expect(waiting());
    story.event(updated("customer", "c2", json!({"plan": "paid"}))).settle().expect(completed().path(["wait:met"]));
}

#[test]
fn a_goal_that_is_edited_while_it_is_paused_looks_again_when_it_is_resumed() {
    let story = goal(RESOLVED).control(Control::Pause).workflow(&on_tickets(PAID)).run_for("1h");
    let story = story.control(Control::Resume).run_for("1h").expect(waiting());
    story.event(updated("customer", "c1", json!({"plan": "paid"}))).settle().expect(completed().path(["wait:met"]));
}

#[test]
fn a_time_out_that_is_changed_holds_for_those_who_begin_to_wait_after() {
    let timed = |span: &str| on_tickets(&RESOLVED.replace("never", span));
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&timed("2d")).record("ticket", "t1", json!({}));
    let story = story.event(manual("w").on("ticket", "t1")).run_for("1h").workflow(&timed("9d")).run_until_idle();
    assert_eq!(story.expect(completed().path(["wait:unmet"])).world().now().to_string(), "2026-01-03T00:00:00Z");
}

#[test]
fn a_wait_that_is_replaced_by_a_step_of_another_type_begins_anew_at_once() {
    let call = "  - {id: wait, type: http_request, url: 'https://x.example'}";
    let story = goal(RESOLVED).workflow(&on_tickets(call)).http(|_| answer(200)).settle();
    story.expect(completed().path(["wait:moved", "wait"]));
    let delay = "  - {id: wait, type: delay, for: 5d}";
    let story = goal(delay).http(|_| answer(200)).workflow(&on_tickets(call)).settle();
    assert_eq!(story.expect(completed().path(["wait:moved", "wait"])).world().http.calls().len(), 1);
    let story = goal(RESOLVED).workflow(&on_tickets(delay)).run_for("1h").expect(waiting().path(["wait:moved"]));
    story.run_until_idle().expect(completed().path(["wait:moved", "wait"]));
    let story = goal(delay).control(Control::Pause).workflow(&on_tickets(RESOLVED)).control(Control::Resume);
    story.run_for("30d").expect(waiting());
}

#[test]
fn a_step_deleted_under_a_wait_without_end_moves_the_execution_at_once() {
    let story = goal(RESOLVED).workflow(&on_tickets("  - {id: other, type: note, text: other}")).settle();
    story.expect(completed().path(["wait:moved"]));
}

#[test]
fn what_is_no_longer_pinned_follows_the_edit() {
    let pinned = |steps: &str| crate::support::on_tickets_with("edits: pinned", steps);
    let story =
        scenario().object(CUSTOMER).object(TICKET).workflow(&pinned(RESOLVED)).record("ticket", "t1", json!({}));
    let story = story.event(manual("w").on("ticket", "t1")).run_for("1h").expect(waiting());
    let edited = "  - {id: other, type: note, text: other}";
    let story = story.workflow(&pinned(edited)).run_for("1h").expect(waiting());
    story.workflow(&on_tickets(edited)).settle().expect(completed().path(["wait:moved"]));
}

#[test]
fn a_failed_step_that_was_deleted_is_left_behind_by_whoever_decides() {
    let calling = "  - {id: call, type: http_request, url: 'https://x.example'}\n  - {id: end, type: note, text: end}";
    for control in [Control::Retry, Control::Skip { take: None }] {
        let story = scenario().workflow(&workflow(calling)).http(|_| answer(400)).event(manual("w")).run_until_idle();
        let story = story.workflow(&workflow("  - {id: end, type: note, text: end}")).control(control).run_until_idle();
        let story = story.expect(completed().path(["call:failed", "call:moved", "end"]));
        assert_eq!(story.world().http.calls().len(), 1);
    }
}
