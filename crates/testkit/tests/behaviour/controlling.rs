//! `control_workflow`: executions that pause, resume and cancel others.

mod again;

use pawl_engine::{Control, Execution, PauseReason, Status};
use pawl_testkit::scenario::{Scenario, World, completed, failed, manual, paused, scenario, waiting};
use serde_json::{Value, json};

use crate::support::{TICKET, on_tickets, workflow};

/// A workflow on tickets that waits for an hour.
pub(crate) fn on_ticket(id: &str) -> String {
    format!("object: ticket\n{}", global(id))
}

/// The same without a record.
pub(crate) fn global(id: &str) -> String {
    format!(
        "workflow: {id}\nowner: owner@example.com\nactive: true\nsteps:\n  - {{id: nap, type: delay, for: 1h}}\n  \
         - {{id: end, type: note, text: end}}"
    )
}

/// The step `act` with these keys.
pub(crate) fn acts(keys: &str) -> String {
    format!("  - {{id: act, type: control_workflow, {keys}}}\n  - {{id: after, type: note, text: after}}")
}

/// Tickets `t1` to `t3`, and an execution of `nap` on each of the first two.
fn napping() -> Scenario {
    let story = scenario().object(TICKET).workflow(&on_ticket("nap"));
    let story = ["t1", "t2", "t3"].into_iter().fold(story, |story, id| story.record("ticket", id, json!({})));
    story.event(manual("nap").on("ticket", "t1")).event(manual("nap").on("ticket", "t2")).run_for("1m")
}

/// The execution of a workflow on a ticket.
pub(crate) fn on(world: &World, workflow: &str, ticket: &str) -> Execution {
    let is_on = |one: &Execution| one.record.as_ref().is_some_and(|record| record.id == ticket);
    world.executions().into_iter().find(|one| one.workflow == workflow && is_on(one)).expect("it began")
}

/// The executions of a workflow, in the order in which they were made.
pub(crate) fn of(world: &World, workflow: &str) -> Vec<Execution> {
    world.executions().into_iter().filter(|one| one.workflow == workflow).collect()
}

/// What the step `act` of the last execution of `w` says: workflow, execution and status.
pub(crate) fn said(world: &World) -> Vec<(String, String)> {
    let output = of(world, "w").pop().expect("it began").steps["act"].output.clone();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    output.as_array().expect("a list").iter().map(|one| (text(one, "execution_id"), text(one, "status"))).collect()
}

fn done(executions: &[&Execution], status: &str) -> Vec<(String, String)> {
    executions.iter().map(|one| (one.id.clone(), status.to_owned())).collect()
}

#[test]
fn it_pauses_those_on_the_same_record_and_no_others() {
    let story = napping()
        .workflow(&on_tickets(&acts("workflows: [nap], do: pause, reason: 'because of {{ record.id }}'")))
        .event(manual("w").on("ticket", "t1"))
        .settle()
        .expect(completed().of("w").path(["act", "after"]));
    let world = story.world();
    let (first, second) = (on(world, "nap", "t1"), on(world, "nap", "t2"));
    assert_eq!((first.status, second.status), (Status::Paused, Status::Waiting));
    assert_eq!(said(world), done(&[&first], "paused"));
    let actor = format!("workflow w ({})", of(world, "w")[0].id);
    let pause = first.pause.expect("it is paused");
    assert_eq!((pause.reason, pause.actor.as_deref()), (PauseReason::Workflow, Some(&*actor)));
    let row = world.trace(&first.id).rows.pop().expect("the pause is a row");
    assert_eq!((row.actor, row.note.as_deref()), (Some(actor), Some("pause: because of t1")));
    let story = story.run_until_idle();
    let states = ["t1", "t2"].map(|ticket| on(story.world(), "nap", ticket).status);
    assert_eq!(states, [Status::Paused, Status::Completed]);
}

#[test]
fn it_cancels_those_that_wait_and_those_in_line() {
    let lines = on_ticket("nap").replace("active: true", "active: true\nlimits: {concurrency: 1}");
    let story =
        napping().workflow(&lines).event(manual("nap").on("ticket", "t1")).event(manual("nap").on("ticket", "t1"));
    let story = story
        .run_for("1m")
        .workflow(&on_tickets(&acts("workflows: [nap], do: cancel, reason: no need")))
        .event(manual("w").on("ticket", "t1"))
        .settle()
        .expect(completed().of("w"));
    let on_it: Vec<_> = of(story.world(), "nap")
        .into_iter()
        .filter(|one| one.record.as_ref().is_some_and(|on| on.id == "t1"))
        .collect();
    assert_eq!(on_it.len(), 3);
    assert!(on_it.iter().all(|one| one.status == Status::Canceled && one.reason.as_deref() == Some("no need")));
    assert_eq!(said(story.world()).len(), 3);
}

#[test]
fn it_resumes_what_a_person_has_paused_and_says_what_it_cannot_resume() {
    let story = napping();
    let world = story.world();
    for ticket in ["t1", "t2"] {
        world.control(&on(world, "nap", ticket).id, &Control::Pause).expect("it naps");
    }
    let bad = "workflow: bad\nowner: owner@example.com\nobject: ticket\nsteps:\n  - {id: off, type: set_fields, fields: {priority: '{{ vars.no }}'}}\n";
    let bad = bad.replace("{{ vars.no }}", "{{ dyn([1])[7] }}");
    let story = story.workflow(&bad).event(manual("bad").on("ticket", "t1")).settle().expect(paused().of("bad"));
    let story = story
        .workflow(&on_tickets(&acts("workflows: [nap, bad], do: resume")))
        .event(manual("w").on("ticket", "t1"))
        .settle()
        .expect(completed().of("w"));
    let world = story.world();
    let (first, second, broken) = (on(world, "nap", "t1"), on(world, "nap", "t2"), on(world, "bad", "t1"));
    assert_eq!((first.status, second.status, broken.status), (Status::Waiting, Status::Paused, Status::Paused));
    assert_eq!(said(world), [(first.id, "resumed".to_owned()), (broken.id, "refused".to_owned())]);
    let refused = &of(world, "w")[0].steps["act"].output[1]["error"];
    assert_eq!(refused["code"], "not_controlled");
    assert_eq!(
        refused["message"],
        "cannot resume an execution that is paused: a step failed: retry or skip it, or cancel"
    );
}

#[test]
fn the_records_are_given_by_a_record_an_id_or_a_list() {
    let by_id = acts("workflows: [nap], do: pause, on: \"{{ ['t2', 't3', 'nobody'] }}\"");
    let story = napping().workflow(&workflow(&by_id)).event(manual("w")).settle().expect(completed().of("w"));
    let second = on(story.world(), "nap", "t2");
    assert_eq!(said(story.world()), done(&[&second], "paused"));
    let none = acts("workflows: [nap], do: cancel, on: '{{ dyn(null) }}'");
    let story = story.workflow(&workflow(&none)).event(manual("w")).settle();
    assert_eq!(said(story.world()), []);
    let found = format!(
        "  - {{id: all, type: find_records, object: ticket}}\n{}",
        acts("workflows: [nap], do: resume, on: '{{ steps.all.output }}'")
    );
    let story = story.workflow(&workflow(&found)).event(manual("w")).settle();
    assert_eq!(said(story.world()), done(&[&second], "resumed"));
}

#[test]
fn on_none_are_those_that_run_on_no_record() {
    let story = napping().workflow(&global("alone")).event(manual("alone")).event(manual("alone")).run_for("1m");
    let keys = "workflows: [alone, nap], do: cancel, on: none";
    let story = story.workflow(&on_tickets(&acts(keys))).event(manual("w").on("ticket", "t1")).settle();
    let world = story.world();
    assert!(of(world, "alone").iter().all(|one| one.status == Status::Canceled));
    assert!(of(world, "nap").iter().all(|one| one.status == Status::Waiting));
    assert_eq!(said(world).len(), 2);
    // A global workflow means those by itself.
    let story = story.event(manual("alone")).run_for("1m");
    let story = story.workflow(&workflow(&acts("workflows: [alone], do: pause"))).event(manual("w")).settle();
    assert_eq!(said(story.world()), done(&[&of(story.world(), "alone")[2]], "paused"));
}

#[test]
fn every_state_of_those_without_a_record_is_found() {
    let limits = global("alone")
        .replace("active: true", "active: true\nlimits: {concurrency: 1, starts: {per: 1h, at_most: 3}}");
    let mut story = scenario().workflow(&limits);
    for _ in 0..5 {
        story = story.event(manual("alone"));
    }
    let story = story.run_for("1m");
    let all: Vec<_> = of(story.world(), "alone");
    story.world().control(&all[2].id, &Control::Pause).expect("it is in line");
    let states: Vec<_> = of(story.world(), "alone").iter().map(|one| one.status).collect();
    let (waiting, queued) = (Status::Waiting, Status::Queued);
    assert_eq!(states, [waiting, queued, Status::Paused, queued, queued]);
    let story = story.workflow(&workflow(&acts("workflows: [alone], do: cancel"))).event(manual("w")).settle();
    assert!(of(story.world(), "alone").iter().all(|one| one.status == Status::Canceled));
    assert_eq!(said(story.world()).len(), 5);
}

#[test]
fn an_execution_does_not_control_itself_but_the_others_of_its_workflow() {
    let keys = "workflows: [w], do: cancel, reason: a newer one is there";
    let own = on_tickets(&format!("{}\n  - {{id: nap, type: delay, for: 1h}}", acts(keys)));
    let story = scenario().object(TICKET).record("ticket", "t1", json!({})).workflow(&own);
    let story =
        story.event(manual("w").on("ticket", "t1")).run_for("1m").event(manual("w").on("ticket", "t1")).run_for("1m");
    let states: Vec<_> = of(story.world(), "w").iter().map(|one| one.status).collect();
    assert_eq!(states, [Status::Canceled, Status::Waiting]);
    assert_eq!(said(story.world()), done(&[&of(story.world(), "w")[0]], "canceled"));
}

#[test]
fn a_child_that_cancels_who_waits_for_it_is_canceled_with_it() {
    let child = format!(
        "workflow: child\nowner: owner@example.com\nactive: true\nobject: ticket\nsteps:\n{}",
        acts("workflows: [w], do: cancel")
    );
    let parent = on_tickets("  - {id: go, type: start_workflow, workflow: child, wait: true}");
    let story = scenario().object(TICKET).record("ticket", "t1", json!({})).workflow(&child).workflow(&parent);
    let story = story.event(manual("w").on("ticket", "t1")).settle();
    let (parent, child) = (on(story.world(), "w", "t1"), on(story.world(), "child", "t1"));
    assert_eq!((parent.status, child.status), (Status::Canceled, Status::Canceled));
}

#[test]
fn a_workflow_that_is_not_there_is_refused_and_the_others_are_controlled() {
    let story = napping();
    let story =
        story.workflow(&on_tickets(&acts("workflows: [gone, nap], do: pause"))).event(manual("w").on("ticket", "t1"));
    let story = story.settle().expect(completed().of("w"));
    let world = story.world();
    assert_eq!(said(world), [("-".to_owned(), "refused".to_owned()), (on(world, "nap", "t1").id, "paused".to_owned())]);
    assert_eq!(of(world, "w")[0].steps["act"].output[0]["error"]["code"], "unknown_workflow");
}

#[test]
fn many_are_controlled_by_several_calls() {
    let mut story = scenario().workflow(&global("alone"));
    for _ in 0..120 {
        story = story.event(manual("alone"));
    }
    let story =
        story.run_for("1m").workflow(&workflow(&acts("workflows: [alone], do: pause"))).event(manual("w")).settle();
    let story = story.expect(completed().of("w").path(["act", "after"]));
    assert!(of(story.world(), "alone").iter().all(|one| one.status == Status::Paused));
    assert_eq!(said(story.world()).len(), 120);
    let id = of(story.world(), "w")[0].id.clone();
    let calls: Vec<_> =
        story.world().trace(&id).rows.into_iter().filter(|row| row.step.as_deref() == Some("act")).collect();
    assert!((2..=6).contains(&calls.len()), "{} calls", calls.len());
    let addresses: Vec<_> = calls.iter().map(|row| row.address.as_ref().map(ToString::to_string)).collect();
    assert_eq!(&addresses[..2], [None, Some("act.2".to_owned())]);
}

#[test]
fn more_pairs_of_workflow_and_record_than_the_bound_are_refused() {
    let ids: Vec<_> = (0..101).map(|n| format!("'t{n}'")).collect();
    let keys = format!("workflows: [nap], do: pause, on: \"{{{{ [{}] }}}}\"", ids.join(", "));
    let steps = acts(&keys);
    let yaml = workflow(&steps).replace("active: true", "active: true\non_failure: {then: fail}");
    napping().workflow(&yaml).event(manual("w")).settle().expect(failed("too_many_controls").of("w"));
}

#[test]
fn what_was_made_after_the_step_began_is_not_meant() {
    let again = format!(
        "{}\n  - {{id: more, type: start_workflow, workflow: alone, on: none}}\n  - {{id: nap, type: delay, for: 10m}}",
        acts("workflows: [alone], do: cancel")
    );
    let story = scenario().workflow(&global("alone")).workflow(&workflow(&again)).event(manual("w")).run_for("1m");
    assert_eq!(said(story.world()), []);
    story.expect(waiting().of("alone"));
}
