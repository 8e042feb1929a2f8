//! `branch`: lanes that run beside each other, and their join.

mod ends;
mod lost;

use pawl_engine::{Execution, StepStatus};
use pawl_testkit::scenario::{Scenario, World, completed, manual, paused, scenario, waiting};
use serde_json::{Value, json};

use crate::support::{with, workflow};

/// Two hours.
const NAP: &str = "{id: nap, type: delay, for: 2h}";

/// The workflow `w`: a branch `fork` with these lanes and keys, and a step after it.
fn forks(keys: &str, lanes: &[(&str, &str)]) -> String {
    let lanes: Vec<_> = lanes.iter().map(|(name, steps)| format!("      {name}: [{steps}]")).collect();
    let lanes = lanes.join("\n");
    workflow(&format!(
        "  - id: fork\n    type: branch\n{keys}    lanes:\n{lanes}\n  - {{id: after, type: note, text: after}}"
    ))
}

/// The execution that has lanes.
fn whole(world: &World) -> Execution {
    let mut all = world.executions();
    all.retain(|execution| execution.region.is_none() && execution.workflow == "w");
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn lane(world: &World, name: &str) -> Execution {
    world.lane(&whole(world).id, &format!("fork.{name}")).expect("the lane was started")
}

fn output(story: &Scenario) -> Value {
    whole(story.world()).steps["fork"].output.clone()
}

fn sets(name: &str, value: &str) -> String {
    format!("{{id: set-{name}-{value}, type: set_variables, values: {{{name}: {value}}}}}")
}

#[test]
fn lanes_run_beside_each_other_and_the_join_waits_for_all() {
    let late = format!("{NAP}, {}", sets("b", "2"));
    let story = scenario()
        .workflow(&forks("", &[("slow", &late), ("fast", &sets("a", "1"))]))
        .event(manual("w"))
        .run_for("1h")
        .expect(waiting());
    let waits = story.world().trace(&whole(story.world()).id).rows.pop().expect("it waits");
    assert_eq!(waits.note.as_deref(), Some("waits for 2 of 2 lanes"));
    assert_eq!(lane(story.world(), "fast").status.as_str(), "completed", "it did not wait for the other");
    let story = story.run_until_idle().expect(completed().path(["fork", "after"]).variable("a", 1).variable("b", 2));
    let joined = whole(story.world());
    assert_eq!(joined.steps["fork"].status, StepStatus::Completed);
    assert_eq!(output(&story)["slow"], json!({"status": "completed", "output": {"b": 2}, "error": null}));
    assert_eq!(joined.steps_done, 5, "the steps of lanes count in the whole");
}

#[test]
fn a_lane_begins_with_variables_results_and_event_of_the_whole() {
    let reads = "{id: tell, type: set_variables, values: {got: '{{ [vars.n, steps.first.output.n, trigger.id, trigger.values.n] }}'}}";
    let steps = format!(
        "  - {{id: first, type: set_variables, values: {{n: 7}}}}\n  - id: fork\n    type: branch\n    lanes: {{a: [{reads}]}}"
    );
    let story = scenario().workflow(&workflow(&steps)).event(manual("w").values(json!({"n": 3}))).settle();
    let story = story.expect(completed());
    let done = whole(story.world());
    assert_eq!(done.variables["got"], json!([7, 7, done.event_id, 3]));
    assert_eq!(lane(story.world(), "a").steps.keys().collect::<Vec<_>>(), ["first", "tell"]);
}

#[test]
fn variables_that_several_lanes_set_are_merged() {
    let steps = |last: &str| {
        format!(
            "  - {{id: first, type: set_variables, values: {{all: ['x'], one: 0}}}}\n  - id: fork\n    type: branch\n    \
             merge: {{all: append, one: last}}\n    lanes:\n      a:\n        - {{id: wa, type: delay, for: {last}}}\n        \
             - {{id: sa, type: set_variables, values: {{all: '{{{{ vars.all + [\"a\"] }}}}', one: 1}}}}\n      b:\n        \
             - {{id: wb, type: delay, for: 10m}}\n        - {{id: sb, type: set_variables, values: {{all: ['b'], one: 2}}}}"
        )
    };
    for (last, one) in [("1m", 2), ("1h", 1)] {
        let story = scenario().workflow(&workflow(&steps(last))).event(manual("w")).run_until_idle();
        story.expect(completed().variable("all", json!(["x", "a", "b"])).variable("one", one));
    }
}

#[test]
fn with_any_the_first_goes_on_and_the_others_are_canceled() {
    let slow = format!("{NAP}, {}", sets("who", "slow"));
    let story = scenario()
        .workflow(&forks("    join: any\n", &[("slow", &slow), ("fast", &sets("who", "fast"))]))
        .event(manual("w"))
        .settle()
        .expect(completed().variable("who", "fast").path(["fork", "after"]));
    assert_eq!(lane(story.world(), "slow").status.as_str(), "canceled");
    assert_eq!(output(&story)["slow"]["status"], "canceled");
    assert_eq!(whole(story.world()).to_tell, [""; 0]);
}

#[test]
fn lanes_in_lanes() {
    let inner = "{id: inner, type: branch, lanes: {x: [{id: nx, type: delay, for: 1h}], y: [{id: sy, type: set_variables, values: {deep: 1}}]}}";
    scenario()
        .workflow(&forks("", &[("a", inner), ("b", "{id: nb, type: note, text: b}")]))
        .event(manual("w"))
        .run_until_idle()
        .expect(completed().variable("deep", 1).path(["fork", "after"]));
}

#[test]
fn a_lane_without_steps_completes_at_once() {
    let story = scenario().workflow(&forks("", &[("a", "")])).event(manual("w")).settle();
    story.expect(completed().path(["fork", "after"]));
}

#[test]
fn lanes_take_no_slot_and_pass_no_guard() {
    let lanes = "  - id: fork\n    type: branch\n    lanes: {a: [{id: na, type: delay, for: 1h}], b: [{id: nb, type: delay, for: 1h}]}";
    let limits = "limits: {concurrency: 1, cooldown: 1d, reentry: one_active_per_record}";
    let story = scenario().workflow(&with(limits, lanes)).event(manual("w")).run_for("5m");
    for name in ["a", "b"] {
        assert_eq!(lane(story.world(), name).status.as_str(), "waiting", "{name} does not wait for a slot");
    }
    story.run_until_idle().expect(completed());
}

#[test]
fn a_paused_lane_waits_alone() {
    let stops = "{id: hold, type: stop, as: paused, reason: look}, {id: done, type: note, text: done}";
    let story = scenario()
        .workflow(&forks("", &[("a", stops), ("b", "{id: nb, type: note, text: b}")]))
        .event(manual("w"))
        .settle()
        .expect(waiting());
    let held = lane(story.world(), "a");
    assert_eq!(held.status.as_str(), "paused");
    story.world().control(&held.id, &pawl_engine::Control::Resume).expect("it is paused");
    story.settle().expect(completed().path(["fork", "after"]));
}

#[test]
fn a_failed_lane_fails_the_branch_which_a_person_retries() {
    let story = scenario()
        .workflow(&forks("", &[("a", "{id: bad, type: stop, as: lane}"), ("b", BAD)]))
        .event(manual("w"))
        .settle()
        .expect(paused());
    let failed = whole(story.world());
    assert_eq!(failed.steps["fork"].error.as_ref().expect("a lane failed").code, "lane_failed");
    let first = lane(story.world(), "b").id;
    story.world().control(&failed.id, &pawl_engine::Control::Retry).expect("its step failed");
    let story = story.settle().expect(paused());
    assert_ne!(lane(story.world(), "b").id, first, "a retry is another visit, with lanes of its own");
}

/// A step that fails.
const BAD: &str = "{id: broken, type: set_variables, values: {x: '{{ 1 / 0 }}'}}";
