//! The trigger `workflow_ended`: which ends start a workflow, on which record, and what they cost if nobody listens.

use pawl_engine::{Control, Execution, Status, ids};
use pawl_runtime::ports::QueueName;
use pawl_testkit::scenario::{Scenario, World, completed, manual, nothing_began, scenario, waiting};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, with};

/// A workflow `name` that listens for ends.
fn listener(name: &str, object: &str, keys: &str) -> String {
    format!(
        "workflow: {name}\nowner: owner@example.com\nactive: true\n{object}\n\
         triggers: [{{type: workflow_ended{keys}}}]\nsteps:\n  \
         - {{id: told, type: set_variables, values: {{told: '{{{{ trigger.execution }}}}', kind: '{{{{ trigger.type }}}}'}}}}\n"
    )
}

/// The workflow `w`, whose execution ends as it says.
fn ending(stop: &str) -> String {
    with("output: {total: '7 * 6'}", &format!("  - {{id: end, type: stop, as: {stop}, reason: because}}"))
}

fn of(world: &World, workflow: &str) -> Vec<Execution> {
    world.executions().into_iter().filter(|one| one.workflow == workflow).collect()
}

fn ran(world: &World, workflow: &str) -> usize {
    of(world, workflow).len()
}

/// A story of `w` and its listeners, at rest after a start of `w`.
fn after_end(w: &str, listeners: &[String]) -> Scenario {
    let story = listeners.iter().fold(scenario().workflow(w), |story, one| story.workflow(one));
    story.event(manual("w")).run_until_idle()
}

#[test]
fn an_end_starts_who_listens_and_tells_what_it_came_to() {
    let story = after_end(&ending("completed"), &[listener("l", "", ", workflow: w, status: completed")]);
    let w = of(story.world(), "w").pop().expect("it began");
    let story = story.expect(completed().of("l").variable("kind", "workflow_ended").variable(
        "told",
        json!({
            "id": w.id, "workflow": "w", "status": "completed", "reason": "because", "error": null, "output": {"total": 42},
            "record": null, "started_at": w.started_at, "ended_at": w.ended_at,
        }),
    ));
    assert_eq!(of(story.world(), "l")[0].id, ids::execution_id(&ids::end_event_id(&w.id), "l"));
    assert_eq!(of(story.world(), "l")[0].cause.chain.iter().map(|link| &*link.workflow).collect::<Vec<_>>(), ["w"]);
    assert_eq!(story.world().replayed(), [""; 0], "what tells of its end stands in no row");
}

#[test]
fn workflow_and_status_say_which_ends_count() {
    for (keys, stop, starts) in [
        ("", "completed", 1),
        (", workflow: other", "completed", 0),
        (", workflow: [other, w]", "completed", 1),
        (", status: failed", "completed", 0),
        (", status: failed", "failed", 1),
        (", status: [failed, canceled]", "canceled", 1),
        (", workflow: w, filter: 'trigger.execution.output.total > 50'", "completed", 0),
        (", workflow: w, filter: 'trigger.execution.output.total < 50'", "completed", 1),
        (", enabled: false", "completed", 0),
    ] {
        let story = after_end(&ending(stop), &[listener("l", "", keys)]);
        assert_eq!(ran(story.world(), "l"), starts, "{keys} after {stop}");
    }
}

#[test]
fn a_failure_brings_its_code() {
    let fails = with("", "  - {id: bad, type: set_variables, values: {x: '{{ 1 / 0 }}'}, on_failure: {then: fail}}");
    let story = after_end(&fails, &[listener("l", "", ", status: failed")]);
    let told = of(story.world(), "l")[0].variables["told"].clone();
    assert_eq!(told["status"], "failed");
    assert!(told["error"]["code"].is_string() && told["error"]["message"].is_string(), "{told}");
}

#[test]
fn a_workflow_with_an_object_starts_on_the_record_of_the_end() {
    let on = |w: &str, l: &str| {
        let story = scenario().object(CUSTOMER).object(TICKET).workflow(w).workflow(&listener("l", l, ", workflow: w"));
        let story =
            story.record("customer", "c1", json!({"name": "Ada"})).record("ticket", "t1", json!({"title": "A"}));
        let start = if w.contains("object:") { manual("w").on("ticket", "t1") } else { manual("w") };
        let story = story.event(start).run_until_idle();
        of(story.world(), "l").into_iter().map(|one| one.record.map(|record| record.to_string())).collect::<Vec<_>>()
    };
    let note = "  - {id: n, type: note, text: x}";
    assert_eq!(on(&on_tickets(note), "object: ticket"), [Some("ticket/t1".to_owned())]);
    assert_eq!(on(&on_tickets(note), "object: customer"), [] as [Option<String>; 0], "of another object");
    assert_eq!(on(&with("", note), "object: ticket"), [] as [Option<String>; 0], "of no record");
    assert_eq!(on(&on_tickets(note), ""), [None], "a global one starts without a record");
}

#[test]
fn an_end_starts_nothing_of_its_own_workflow_and_a_ring_is_bounded() {
    let story = after_end(&listener("w", "", ""), &[]);
    assert_eq!(ran(story.world(), "w"), 1);
    let ring = [listener("a", "", ", workflow: [w, b]"), listener("b", "", ", workflow: a")];
    let story = after_end(&ending("completed"), &ring);
    let world = story.world();
    let refused: Vec<_> = ["a", "b"].iter().flat_map(|id| world.refusals(id)).map(|refusal| refusal.code).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(["depth_limit", "self_limit"].contains(&&*refused[0]), "{refused:?}");
}

/// It has no record, although what it hears of has one.
#[test]
fn a_global_workflow_that_starts_what_it_hears_of_is_bounded_by_its_own_chain() {
    let again = "workflow: g\nowner: owner@example.com\nactive: true\nlimits: {self: 1}\n\
         triggers: [{type: workflow_ended, workflow: w}]\nsteps:\n  \
         - {id: again, type: start_workflow, workflow: w, on: '{{ trigger.execution.record }}'}";
    let story = scenario().object(TICKET).workflow(&on_tickets("  - {id: n, type: note, text: x}")).workflow(again);
    let story = story.record("ticket", "t1", json!({"title": "A"})).event(manual("w").on("ticket", "t1"));
    let story = story.run_until_idle();
    assert_eq!((ran(story.world(), "w"), ran(story.world(), "g")), (2, 1));
    let refused: Vec<_> = story.world().refusals("g").into_iter().map(|refusal| refusal.code).collect();
    assert_eq!(refused, ["self_limit"]);
}

#[test]
fn lanes_and_items_do_not_count_and_children_do() {
    let parts = with(
        "",
        "  - {id: both, type: branch, lanes: {a: [{id: na, type: note, text: x}], b: [{id: nb, type: note, text: y}]}}\n  \
         - {id: each, type: for_each, items: [1, 2, 3], concurrency: 2, do: [{id: ni, type: note, text: z}]}\n  \
         - {id: child, type: start_workflow, workflow: c, wait: true}",
    );
    let child = "workflow: c\nowner: o@example.com\nactive: true\nsteps: [{id: n, type: note, text: c}]";
    let story = after_end(&parts, &[child.to_owned(), listener("l", "", "")]);
    let mut told: Vec<_> =
        of(story.world(), "l").iter().map(|one| one.variables["told"]["workflow"].to_string()).collect();
    told.sort();
    assert_eq!(told, [r#""c""#, r#""w""#]);
}

#[test]
fn an_end_that_nobody_listens_for_is_written_once_and_sends_nothing() {
    let cost = |listeners: &[String]| {
        let story = after_end(&ending("completed"), listeners);
        let world = story.world();
        let head = of(world, "w").pop().expect("it began");
        assert!(!head.announces_end && world.store.messages(QueueName::Events).is_empty());
        head.version
    };
    let alone = cost(&[]);
    assert_eq!(cost(&[listener("l", "", ", workflow: other")]), alone);
    assert_eq!(cost(&[listener("l", "", ", workflow: w").replace("active: true", "active: false")]), alone);
    assert_eq!(cost(&[listener("l", "", ", workflow: w")]), alone + 1, "a head says that its end is told");
}

#[test]
fn a_cancel_by_a_person_is_an_end_too() {
    let waits = with("", "  - {id: wait, type: delay, for: 1d}");
    let story = scenario().workflow(&waits).workflow(&listener("l", "", ", status: canceled"));
    let story = story.event(manual("w")).run_for("1m");
    let id = of(story.world(), "w")[0].id.clone();
    story.world().control(&id, &Control::Cancel).expect("it is canceled");
    let story = story.run_until_idle();
    assert_eq!(of(story.world(), "l").iter().map(|one| one.status).collect::<Vec<_>>(), [Status::Completed]);
}

#[test]
fn a_listener_hears_what_ends_after_its_activation() {
    let story = scenario().workflow(&ending("completed")).event(manual("w")).run_until_idle();
    let story = story.workflow(&listener("l", "", ", workflow: w")).run_until_idle();
    assert_eq!(ran(story.world(), "l"), 0);
    let story = story.event(manual("w")).run_until_idle();
    assert_eq!(ran(story.world(), "l"), 1);
}

#[test]
fn a_goal_waits_for_an_end_on_its_record() {
    let goal = "workflow: g\nowner: o@example.com\nactive: true\nobject: ticket\nsteps:\n  \
                - {id: wait, type: goal, on: [{type: workflow_ended, workflow: w}], timeout: never}\n";
    let w = on_tickets("  - {id: n, type: note, text: x}");
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&w).workflow(goal);
    let story = story.record("ticket", "t1", json!({})).record("ticket", "t2", json!({}));
    let story = story.event(manual("g").on("ticket", "t1")).run_until_idle();
    let story = story.event(manual("w").on("ticket", "t2")).run_until_idle().expect(waiting().of("g"));
    let story = story.event(manual("w").on("ticket", "t1")).run_until_idle().expect(completed().of("g"));
    assert_eq!(story.world().replayed(), [""; 0]);
}

#[test]
fn a_goal_of_a_workflow_without_a_record_waits_for_any_end() {
    let goal = "workflow: g\nowner: o@example.com\nsteps:\n  \
                - {id: wait, type: goal, on: [{type: workflow_ended, status: failed}], timeout: never}\n";
    let story = scenario().workflow(&ending("failed")).workflow(goal);
    let story = story.event(manual("g")).run_until_idle().expect(waiting().of("g"));
    story.event(manual("w")).run_until_idle().expect(completed().of("g"));
}

#[test]
fn nobody_begins_before_something_ends() {
    let waits = with("", "  - {id: wait, type: delay, for: 1d}");
    let story = scenario().workflow(&waits).workflow(&listener("l", "", "")).event(manual("w")).run_for("1h");
    story.expect(nothing_began().of("l"));
}
