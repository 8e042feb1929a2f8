//! Which step follows: conditions, switches, jumps, ends, and the limits that bound them.

use pawl_engine::Control;
use pawl_testkit::scenario::{Expected, canceled, completed, failed, manual, paused, scenario};
use serde_json::json;

use crate::support::{with, workflow};

#[track_caller]
fn check(workflow: &str, values: serde_json::Value, expected: Expected) {
    scenario().workflow(workflow).event(manual("w").values(values)).run_until_idle().expect(expected);
}

const CONDITION: &str = "
  - id: rich
    type: condition
    if: vars.money > 100
    yes: [{id: buy, type: note, text: buys}]
    no: [{id: save, type: note, text: saves}]
  - {id: home, type: note, text: goes home}";

#[test]
fn the_branches_of_a_condition_rejoin() {
    let workflow = with("variables: [{name: money, type: number}]", CONDITION);
    check(&workflow, json!({"money": 200}), completed().path(["rich:yes", "buy", "home"]));
    check(&workflow, json!({"money": 20}), completed().path(["rich:no", "save", "home"]));
}

#[test]
fn a_condition_that_meets_a_wrong_type_fails_and_is_never_silently_no() {
    let condition = CONDITION.replace("vars.money", "dyn(vars.money)");
    let workflow = with("variables: [{name: money, type: text}]", &condition);
    check(&workflow, json!({"money": "a lot"}), paused().path(["rich:failed"]));
}

#[test]
fn a_switch_takes_the_case_or_the_default() {
    let steps = "
  - id: size
    type: switch
    on: vars.n
    cases:
      small: [{id: s, type: note, text: s}]
      '7': [{id: seven, type: note, text: seven}]
    default: [{id: other, type: note, text: other}]
  - {id: end, type: note, text: end}";
    let text = with("variables: [{name: n, type: text}]", steps);
    check(&text, json!({"n": "small"}), completed().path(["size:small", "s", "end"]));
    check(&text, json!({"n": "large"}), completed().path(["size:default", "other", "end"]));
    let number = with("variables: [{name: n, type: number}]", steps);
    check(&number, json!({"n": 7}), completed().path(["size:7", "seven", "end"]));
    check(&number, json!({"n": 7.0}), completed().path(["size:7", "seven", "end"]));
}

#[test]
fn an_empty_branch_goes_on_after_the_step() {
    let steps = "
  - {id: a, type: condition, if: 'true'}
  - {id: b, type: switch, on: '1', cases: {}, default: []}
  - {id: end, type: note, text: end}";
    check(&workflow(steps), json!({}), completed().path(["a:yes", "b:default", "end"]));
}

#[test]
fn a_skipped_step_is_passed_over_and_a_skipped_condition_takes_the_path_that_is_said() {
    let steps = "
  - {id: call, type: http_request, url: 'https://example.com', skip: true}
  - id: check
    type: condition
    if: 'true'
    skip: true
    take: no
    no: [{id: n, type: note, text: n}]
  - {id: end, type: note, text: end}";
    check(&workflow(steps), json!({}), completed().path(["call:skipped", "check:no", "n", "end"]).calls([]));
}

const LOOP: &str = "
  - {id: count, type: set_variables, values: {n: '{{ vars.n + 1 }}'}}
  - id: enough
    type: condition
    if: vars.n >= 20
    yes: [{id: end, type: stop}]
  - {id: again, type: go_to, step: count}";

#[test]
fn a_loop_ends_when_its_condition_says_so() {
    let workflow = with("variables: [{name: n, type: number, default: 0}]", LOOP);
    check(&workflow, json!({}), completed().variable("n", 20));
}

#[test]
fn a_step_that_is_visited_too_often_fails_the_execution() {
    let workflow = with("limits: {visits: 10}\nvariables: [{name: n, type: number, default: 0}]", LOOP);
    check(&workflow, json!({}), failed("visit_limit").variable("n", 10));
}

#[test]
fn a_real_wait_counts_visits_anew() {
    let waits = LOOP.replacen("- {id: count", "- {id: wait, type: delay, for: 1m}\n  - {id: count", 1);
    let waits = waits.replace("step: count", "step: wait");
    let workflow = with("limits: {visits: 10}\nvariables: [{name: n, type: number, default: 0}]", &waits);
    check(&workflow, json!({}), completed().variable("n", 20));
}

#[test]
fn an_execution_carries_out_so_many_steps_and_no_more() {
    let workflow = with("limits: {steps: 25}\nvariables: [{name: n, type: number, default: 0}]", LOOP);
    check(&workflow, json!({}), failed("step_limit"));
}

#[test]
fn a_stop_ends_as_it_says_and_gives_its_reason() {
    for (word, expected) in
        [("completed", completed()), ("canceled", canceled()), ("failed", failed("stopped_as_failed"))]
    {
        let steps = format!(
            "  - {{id: end, type: stop, as: {word}, reason: '{{{{ 1 + 1 }}}} reasons'}}\n  - {{id: never, type: note, text: x}}"
        );
        let story = scenario().workflow(&workflow(&steps)).event(manual("w")).run_until_idle();
        let story = story.expect(expected.path(["end"]));
        assert_eq!(story.last().execution.reason.as_deref(), Some("2 reasons"));
    }
}

#[test]
fn a_workflow_that_stops_as_paused_goes_on_when_it_is_resumed() {
    scenario()
        .workflow(&workflow(
            "  - {id: hold, type: stop, as: paused, reason: look first}\n  - {id: end, type: note, text: end}",
        ))
        .event(manual("w"))
        .run_until_idle()
        .expect(paused().path(["hold"]))
        .control(Control::Resume)
        .run_until_idle()
        .expect(completed().path(["hold", "end"]));
}

#[test]
fn the_last_step_may_be_a_stop_as_paused() {
    scenario()
        .workflow(&workflow("  - {id: hold, type: stop, as: paused}"))
        .event(manual("w"))
        .run_until_idle()
        .expect(paused())
        .control(Control::Resume)
        .run_until_idle()
        .expect(completed().path(["hold"]));
}

#[test]
fn steps_run_the_same_one_in_each_invocation_or_many() {
    let workflow = with("variables: [{name: n, type: number, default: 0}]", LOOP);
    let path = |max_steps_per_invocation| {
        scenario()
            .max_steps_per_invocation(max_steps_per_invocation)
            .workflow(&workflow)
            .event(manual("w"))
            .run_until_idle()
            .last()
            .path()
    };
    assert_eq!(path(0), path(50));
}

#[test]
fn steps_that_are_held_leave_the_same_history_as_those_that_are_not() {
    let workflow = with("variables: [{name: n, type: number, default: 0}]", LOOP);
    let history = |hold| {
        let last = scenario().hold(hold).workflow(&workflow).event(manual("w")).run_until_idle().last();
        (last.rows.iter().map(|row| (row.seq, row.step.clone(), row.output.clone())).collect::<Vec<_>>(), last.path())
    };
    let alone = history(0);
    assert_eq!(history(2), alone);
    assert_eq!(history(20), alone);
}

#[test]
fn what_is_longer_than_a_line_is_cut_and_the_execution_goes_on() {
    let text = "0123456789abcdef".repeat(64 * 1024);
    let steps = "
  - {id: say, type: note, text: '{{ vars.text }}'}
  - {id: hold, type: stop, as: paused, reason: '{{ vars.text }}'}
  - {id: end, type: stop, as: failed, reason: '{{ vars.text }}'}";
    let story = scenario().workflow(&with("variables: [{name: text, type: text}]", steps));
    let story =
        story.event(manual("w").values(json!({"text": text}))).run_until_idle().expect(paused().path(["say", "hold"]));
    let last = story.control(Control::Resume).run_until_idle().expect(failed("stopped_as_failed")).last();
    let note = last.rows.iter().find_map(|row| row.note.clone()).expect("the note is a row");
    assert!(note.starts_with("0123456789abcdef") && note.ends_with("… (cut from 1048576 bytes)"), "{}", note.len());
}
