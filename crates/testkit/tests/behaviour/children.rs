//! `start_workflow` and the result of a workflow: executions that start others, and may wait for them.

mod cascade;
mod lost;

use pawl_engine::{Control, Execution, Status};
use pawl_testkit::scenario::{Scenario, World, completed, failed, manual, paused, refused, scenario, waiting};
use serde_json::{Value, json};

use crate::support::{TICKET, on_tickets, workflow};

/// A workflow that others start: it doubles `n`, perhaps after more steps.
pub(crate) fn child(id: &str, steps: &str) -> String {
    format!(
        "workflow: {id}\nowner: owner@example.com\nactive: true\nvariables: [{{name: n, type: number, default: 1}}]\n\
         output: {{twice: vars.n * 2}}\nsteps:\n{steps}\n  - {{id: end, type: note, text: end}}"
    )
}

/// The workflow `w` that starts `child` with these keys.
pub(crate) fn parent(keys: &str) -> String {
    workflow(&format!("  - {{id: go, type: start_workflow, {keys}}}\n  - {{id: after, type: note, text: after}}"))
}

/// The executions of a workflow, in the order in which they were made.
pub(crate) fn of(world: &World, workflow: &str) -> Vec<Execution> {
    world.executions().into_iter().filter(|execution| execution.workflow == workflow).collect()
}

pub(crate) fn one(world: &World, workflow: &str) -> Execution {
    let mut all = of(world, workflow);
    assert_eq!(all.len(), 1, "one execution of {workflow}");
    all.remove(0)
}

/// The output of the step `go` of the workflow `w`.
pub(crate) fn output(story: &Scenario) -> Value {
    one(story.world(), "w").steps["go"].output.clone()
}

const NAP: &str = "  - {id: nap, type: delay, for: 2h}";
const FAILS: &str = "  - {id: bad, type: stop, as: failed, reason: no luck}";

#[test]
fn without_wait_it_is_started_and_the_next_step_follows() {
    let story = scenario()
        .workflow(&child("child", NAP))
        .workflow(&parent("workflow: child, values: {n: '{{ 20 + 1 }}'}"))
        .event(manual("w"))
        .settle()
        .expect(completed().of("w").path(["go", "after"]))
        .expect(waiting().of("child"));
    let started = one(story.world(), "child");
    let expected =
        json!([{"workflow": "child", "execution_id": started.id, "status": "started", "output": null, "error": null}]);
    assert_eq!(output(&story), expected);
    let own = one(story.world(), "w");
    assert_eq!(started.cause.chain.last().expect("it has a cause").execution, own.id);
    assert_eq!(started.parent.expect("it has a parent").by.execution, own.id);
    story.run_until_idle().expect(completed().of("child").output("twice", 42));
}

#[test]
fn with_wait_the_parent_gets_the_result() {
    let story = scenario()
        .workflow(&child("child", NAP))
        .workflow(&parent("workflow: child, values: {n: 21}, wait: true, save_as: got"))
        .event(manual("w"))
        .run_for("1h")
        .expect(waiting().of("w"))
        .run_until_idle()
        .expect(completed().of("w").path(["go", "after"]));
    let got = &one(story.world(), "w").variables["got"];
    assert_eq!((&got[0]["status"], &got[0]["output"]), (&json!("completed"), &json!({"twice": 42})));
    let waits = story.world().trace(&one(story.world(), "w").id);
    let of_step: Vec<_> = waits.rows.iter().filter(|row| row.step.as_deref() == Some("go")).collect();
    assert_eq!(of_step.len(), 2, "it waits, and goes on: looks are no history");
}

#[test]
fn a_child_that_ends_before_its_parent_waits_is_not_missed() {
    scenario()
        .workflow(&child("child", ""))
        .workflow(&parent("workflows: [{workflow: child}, {workflow: child, values: {n: 5}}], wait: true"))
        .event(manual("w"))
        .settle()
        .expect(completed().of("w").path(["go", "after"]));
}

#[test]
fn some_that_failed_leave_it_partial_and_all_fail_it() {
    let story = |workflows: &str| {
        scenario()
            .workflow(&child("child", ""))
            .workflow(&child("bad", FAILS))
            .workflow(&parent(&format!("workflows: [{workflows}], wait: true")))
            .event(manual("w"))
            .settle()
    };
    let mixed = story("{workflow: child}, {workflow: bad}").expect(completed().of("w"));
    let state = &one(mixed.world(), "w").steps["go"];
    assert_eq!(state.status, pawl_engine::StepStatus::Partial);
    assert_eq!(state.output[1]["error"], json!({"code": "stopped_as_failed", "message": "no luck"}));
    let all = story("{workflow: bad}, {workflow: bad}").expect(paused().of("w"));
    let error = one(all.world(), "w").steps["go"].error.clone().expect("it failed");
    assert_eq!(error.code, "child_failed");
    assert!(error.message.starts_with("none of 2 executions completed; "), "{}", error.message);
}

#[test]
fn a_retry_of_the_step_starts_others() {
    let story = scenario()
        .workflow(&child("child", FAILS))
        .workflow(&parent("workflow: child, wait: true"))
        .event(manual("w"))
        .settle()
        .expect(paused().of("w"));
    let parent = one(story.world(), "w").id;
    story.world().control(&parent, &Control::Retry).expect("its step failed");
    let story = story.settle().expect(paused().of("w"));
    assert_eq!(of(story.world(), "child").len(), 2);
}

#[test]
fn a_time_out_leaves_the_child_running() {
    let story = scenario()
        .workflow(&child("child", NAP))
        .workflow(&parent("workflow: child, wait: true, timeout: 30m, on_failure: {then: continue}"))
        .event(manual("w"))
        .run_for("31m")
        .expect(completed().of("w").failed_steps(["go"]))
        .expect(waiting().of("child"));
    let state = &one(story.world(), "w").steps["go"];
    assert_eq!(state.error.as_ref().expect("it failed").code, "child_timeout");
    story.run_until_idle().expect(completed().of("child"));
}

#[test]
fn it_runs_on_this_record_on_others_and_on_none() {
    let on = |keys: &str| {
        let parent = on_tickets(&format!("  - {{id: go, type: start_workflow, workflow: child, {keys}}}"));
        scenario()
            .object(crate::support::CUSTOMER)
            .object(TICKET)
            .record("ticket", "t1", json!({"title": "one"}))
            .record("ticket", "t2", json!({"title": "two"}))
            .workflow(&child("child", "").replace("active: true", "active: true\nobject: ticket"))
            .workflow(&parent)
            .event(manual("w").on("ticket", "t1"))
            .settle()
            .expect(completed().of("w"))
    };
    let records = |story: &Scenario| -> Vec<_> {
        of(story.world(), "child").into_iter().map(|one| one.record.expect("it has one").id).collect()
    };
    assert_eq!(records(&on("on: record")), ["t1"]);
    assert_eq!(records(&on("resume_paused: false")), ["t1"]);
    let mut both = records(&on("on: \"{{ ['t2', record] }}\""));
    both.sort();
    assert_eq!(both, ["t1", "t2"]);
    assert_eq!(records(&on("on: \"{{ [] }}\"")), [""; 0]);
    let missing = on("on: \"{{ 't9' }}\"");
    assert_eq!(output(&missing)[0]["error"]["code"], "no_record");
    assert_eq!(output(&on("on: none"))[0]["error"]["code"], "record_not_expected");
}

#[test]
fn a_refused_start_says_so() {
    let refused_with = |child: &str, keys: &str| {
        let story = scenario().workflow(child).workflow(&parent(keys)).event(manual("w")).settle();
        (output(&story)[0]["status"].clone(), output(&story)[0]["error"]["code"].clone(), story)
    };
    let (status, code, story) = refused_with(&child("child", ""), "workflow: nobody");
    assert_eq!((status, code), (json!("refused"), json!("unknown_workflow")));
    story.expect(completed().of("w"));
    let inactive = child("child", "").replace("active: true", "active: false");
    let (status, code, story) = refused_with(&inactive, "workflow: child");
    assert_eq!((status, code), (json!("refused"), json!("inactive")));
    story.expect(completed().of("w")).expect(refused("inactive").of("child"));
}

#[test]
fn a_chain_of_starts_is_bounded() {
    let story = scenario()
        .workflow(&parent("workflow: w, wait: true").replace("owner:", "limits: {self: 3}\nowner:"))
        .event(manual("w"))
        .settle();
    let all = of(story.world(), "w");
    assert_eq!(all.len(), 3);
    let deepest = all.iter().max_by_key(|one| one.cause.chain.len()).expect("there are three");
    assert_eq!(deepest.steps["go"].error.as_ref().expect("its start is refused").code, "child_failed");
}

#[test]
fn many_are_started_call_after_call() {
    let items: Vec<_> = (0..60).map(|n| n.to_string()).collect();
    let story = scenario()
        .object(crate::support::CUSTOMER)
        .object(TICKET)
        .workflow(&child("child", "").replace("active: true", "active: true\nobject: ticket"))
        .workflow(&parent(&format!("workflow: child, wait: true, on: \"{{{{ [{}] }}}}\"", quoted(&items))));
    let story = items.iter().fold(story, |story, id| story.record("ticket", id, json!({"title": id})));
    let story = story.event(manual("w")).settle().expect(completed().of("w").path(["go", "after"]));
    assert_eq!(of(story.world(), "child").len(), 60);
    let own = one(story.world(), "w");
    let calls = story.world().trace(&own.id).rows.into_iter().filter(|row| row.step.as_deref() == Some("go"));
    let addresses: Vec<_> = calls.map(|row| row.address.map(|address| address.to_string())).collect();
    assert_eq!(addresses, [None, Some("go.2".to_owned()), Some("go.3".to_owned()), None]);
    let too_many = vec!["1"; 101].join(", ");
    let story = story.workflow(&parent(&format!("workflow: child, on: \"{{{{ [{too_many}].map(n, 't') }}}}\"")));
    let story = story.event(manual("w")).settle().expect(paused().of("w"));
    assert_eq!(of(story.world(), "w")[1].steps["go"].error.as_ref().expect("it failed").code, "too_many_starts");
}

fn quoted(ids: &[String]) -> String {
    ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_paused_execution_is_resumed_in_place_of_a_start() {
    let holds = child("child", "  - {id: hold, type: stop, as: paused}");
    let story = scenario()
        .workflow(&holds)
        .workflow(&parent("workflow: child, resume_paused: true"))
        .event(manual("child"))
        .settle()
        .expect(paused().of("child"))
        .event(manual("w"))
        .settle()
        .expect(completed().of("child"))
        .expect(completed().of("w"));
    assert_eq!(output(&story)[0]["status"], "resumed");
    // Nobody is paused any more.
    let story = story.event(manual("w")).settle();
    assert_eq!(of(story.world(), "child").len(), 2);
    assert_eq!(of(story.world(), "w")[1].steps["go"].output[0]["status"], "started");
}

#[test]
fn a_child_takes_a_slot_of_its_own_workflow() {
    let limited = child("child", NAP).replace("active: true", "active: true\nlimits: {concurrency: 1}");
    let story = scenario()
        .workflow(&limited)
        .workflow(&parent("workflows: [{workflow: child}, {workflow: child}], wait: true"))
        .event(manual("w"))
        .run_for("1h");
    let mut states: Vec<_> = of(story.world(), "child").into_iter().map(|one| one.status).collect();
    states.sort();
    assert_eq!(states, [Status::Queued, Status::Waiting]);
    story.run_until_idle().expect(completed().of("w"));
}

#[test]
fn a_result_that_cannot_be_computed_fails_the_execution() {
    let wrong = child("child", "").replace("vars.n * 2", "1 / (vars.n - 1)");
    let story = scenario().workflow(&wrong).event(manual("child")).settle().expect(failed("expression_value"));
    let message = story.last().execution.error.expect("it failed").message;
    assert!(message.starts_with("`output.twice`: "), "{message}");
}
