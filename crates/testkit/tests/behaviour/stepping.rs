//! Starts with `debug`: an execution stops before each step, shows what the step would do, and is stepped by a person.

mod preview;

use pawl_engine::{Act, Control, Execution, PauseReason, RowKind, Status};
use pawl_testkit::scenario::{Scenario, World, answer, canceled, completed, manual, paused, scenario, waiting};

use crate::outages::at_once;
use crate::support::{with, workflow};

const STEPS: &str = "
  - {id: set, type: set_variables, values: {n: 1}}
  - {id: wait, type: delay, for: 1d}
  - {id: call, type: http_request, method: POST, url: 'https://x.example', body: {n: '{{ vars.n }}'}}";

/// The workflow `w` with these steps, started with `debug`.
fn debugged(steps: &str) -> Scenario {
    scenario().workflow(&workflow(steps)).http(|_| answer(200)).event(manual("w").debug()).run_until_idle()
}

fn step(story: Scenario) -> Scenario {
    story.control(Control::Step).run_until_idle()
}

/// The step that an execution stopped before because its start asked for it.
fn stopped_before(execution: &Execution) -> Option<&str> {
    let is_debug = execution.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Debug);
    execution.stands_before().filter(|_| is_debug)
}

#[track_caller]
fn stops_before(story: Scenario, step: &str) -> Scenario {
    let last = story.world().executions().pop().expect("it began");
    assert_eq!(stopped_before(&last), Some(step), "{}", story.world().trace(&last.id));
    story
}

fn refusal(story: &Scenario, control: &Control) -> String {
    let id = story.last().execution.id;
    story.world().control(&id, control).expect_err("it does not fit the state").to_string()
}

#[test]
fn it_stops_before_each_step_and_carries_out_one_at_a_time() {
    let story = stops_before(debugged(STEPS), "set").expect(paused().path([]));
    let story = stops_before(step(story), "wait").expect(paused().path(["set"]).variable("n", 1));
    let story = story.control(Control::Step).run_for("1h").expect(waiting());
    let story = stops_before(story.run_until_idle(), "call").expect(paused().path(["set", "wait"]));
    assert!(story.world().http.calls().is_empty(), "it was not let");
    let story = step(story).expect(completed().path(["set", "wait", "call"]));
    assert_eq!(story.world().http.calls().len(), 1);
    assert!(story.world().notices().is_empty(), "a person who steps needs no notice");
    let rows = story.last().rows;
    let stops: Vec<_> = rows.iter().filter(|row| row.kind == RowKind::Debug).map(|row| row.note.clone()).collect();
    let stop = |step: &str| Some(format!("stops before step {step}, as its start asked"));
    assert_eq!(stops, [stop("set"), stop("wait"), stop("call")]);
    let asked = rows.iter().filter(|row| row.note.as_deref() == Some("step"));
    assert_eq!(asked.map(|row| row.actor.as_deref()).collect::<Vec<_>>(), [Some("operator@example.com"); 3]);
}

#[test]
fn a_start_without_it_stops_nowhere() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(200)).event(manual("w")).run_until_idle();
    let story = story.expect(completed());
    assert!(story.last().rows.iter().all(|row| row.kind != RowKind::Debug));
}

#[test]
fn a_step_is_skipped_and_it_stops_before_the_next() {
    let story = debugged(STEPS).control(Control::Skip { take: None }).run_until_idle();
    let story = stops_before(story, "wait").expect(paused().path(["set:skipped"]));
    assert!(!story.last().execution.variables.contains_key("n"));
}

#[test]
fn a_skipped_condition_is_told_which_path_to_take() {
    let steps = "
  - id: big
    type: condition
    if: 'true'
    yes: [{id: yes, type: note, text: y}]
    no: [{id: no, type: note, text: n}]";
    let story = stops_before(debugged(steps), "big");
    assert_eq!(refusal(&story, &Control::Skip { take: None }), "cannot skip an execution that is paused");
    let no = Control::Skip { take: Some(pawl_definition::Take::No) };
    stops_before(story.control(no).run_until_idle(), "no");
}

#[test]
fn it_runs_on_when_it_is_told_so() {
    for control in [Control::Run, Control::Resume] {
        let story = step(debugged(STEPS)).control(control).run_until_idle();
        let story = story.expect(completed().path(["set", "wait", "call"]));
        assert_eq!(story.last().execution.debug, None);
    }
}

#[test]
fn one_that_waits_or_failed_runs_on_too() {
    let story = step(debugged(STEPS)).control(Control::Step).run_for("1h").expect(waiting());
    let story = story.control(Control::Run).run_for("1h").expect(waiting());
    story.run_until_idle().expect(completed());

    let call = "  - {id: call, type: http_request, url: 'https://x.example', on_failure: {then: pause}}
  - {id: end, type: note, text: end}";
    let mut calls = 0;
    let story = scenario().workflow(&workflow(call)).http(move |_| {
        calls += 1;
        answer(if calls == 1 { 400 } else { 200 })
    });
    let story = step(story.event(manual("w").debug()).run_until_idle()).expect(paused().path(["call:failed"]));
    assert_eq!(story.last().execution.pause.as_ref().map(|pause| pause.reason), Some(PauseReason::Failure));
    assert_eq!(refusal(&story, &Control::Step), "cannot step an execution that is paused");
    let story = story.control(Control::Retry).run_until_idle();
    // Who retries it has seen it: it does not stop before the same step again.
    let story = stops_before(story, "end").expect(paused().path(["call:failed", "call"]));
    story.control(Control::Run).run_until_idle().expect(completed());
}

#[test]
fn a_repeated_step_is_one_step() {
    let story = debugged(STEPS).control(Control::Step).control(Control::Step).run_until_idle();
    let story = stops_before(story, "wait");
    let story = story.control(Control::Run).control(Control::Run).run_until_idle();
    story.expect(completed());
}

#[test]
fn controls_that_do_not_fit_are_refused() {
    let story = scenario().workflow(&workflow(STEPS)).event(manual("w")).run_for("1h").expect(waiting());
    assert_eq!(refusal(&story, &Control::Step), "cannot step an execution that is waiting");
    assert_eq!(refusal(&story, &Control::Run), "cannot run an execution that is waiting");
    let story = story.control(Control::Pause);
    assert_eq!(refusal(&story, &Control::Step), "cannot step an execution that is paused");
    let story = debugged(STEPS).control(Control::Cancel).expect(canceled());
    assert_eq!(refusal(&story, &Control::Step), "cannot step an execution that is canceled");
    assert_eq!(refusal(&debugged(STEPS), &Control::Retry), "cannot retry an execution that is paused");
}

#[test]
fn a_kill_holds_the_step_until_it_is_lifted() {
    let story = debugged(STEPS).control(Control::Kill).control(Control::Step).run_until_idle();
    assert!(story.last().rows.iter().all(|row| row.kind != RowKind::Step), "it is killed");
    stops_before(story.control(Control::Lift).run_until_idle(), "wait").expect(paused().path(["set"]));
}

#[test]
fn the_step_that_an_edit_puts_there_is_stopped_before() {
    // The step was let go on, and an edit took it away before it began.
    let story = debugged(STEPS).control(Control::Step);
    let story = story.workflow(&workflow(&STEPS.replace("id: set,", "id: other,"))).run_until_idle();
    stops_before(story, "wait");
}

#[test]
fn one_that_stands_before_a_step_holds_no_slot() {
    let one = with("limits: {concurrency: {at_most: 1, hold: running}}", "  - {id: say, type: note, text: hello}");
    let story = scenario().workflow(&one).event(manual("w").debug()).run_until_idle();
    let first = story.last().execution.id;
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    story.world().control(&first, &Control::Step).expect("it stands before a step");
    let story = story.run_until_idle();
    assert_eq!(story.world().execution(&first).status, Status::Completed);
}

#[test]
fn the_steps_of_each_item_are_stopped_before_and_the_loop_once() {
    let each = "  - {id: each, type: for_each, items: [1, 2], do: [{id: say, type: note, text: '{{ item }}'}]}";
    let mut story = debugged(each);
    let mut stops = Vec::new();
    while let Some(step) = stopped_before(&story.last().execution).map(str::to_owned) {
        stops.push(step);
        story = self::step(story);
    }
    assert_eq!(stops, ["each", "say", "say"]);
    story.expect(completed().path(["say", "say", "each"]));
}

/// Each is stepped until none stands before a step; the steps in the order of their names, with the part that each belongs to.
fn step_all(world: &World, settle: impl Fn()) -> Vec<String> {
    let mut stops = Vec::new();
    loop {
        let all = world.executions();
        let Some(one) = all.iter().find(|one| stopped_before(one).is_some()) else {
            stops.sort();
            return stops;
        };
        let part = one.region.as_ref().map_or_else(String::new, |region| format!("{region}:"));
        stops.push(format!("{part}{}", stopped_before(one).unwrap_or_default()));
        world.control(&one.id, &Control::Step).expect("it stands before a step");
        settle();
    }
}

#[test]
fn lanes_and_slices_stop_as_the_whole_does() {
    let lanes =
        "  - {id: fork, type: branch, lanes: {a: [{id: x, type: note, text: x}], b: [{id: y, type: note, text: y}]}}
  - {id: after, type: note, text: after}";
    let story = debugged(lanes);
    let stops = step_all(story.world(), || drop(story.world().settle()));
    assert_eq!(stops, ["after", "fork", "fork.a:x", "fork.b:y"]);

    let beside = "  - {id: each, type: for_each, items: [1, 2], concurrency: 2, do: [{id: say, type: note, text: '{{ item }}'}]}";
    let story = debugged(beside);
    let stops = step_all(story.world(), || drop(story.world().settle()));
    assert_eq!(stops, ["each", "each[0]:say", "each[1]:say"]);
}

/// What a step of another execution does, or an action on many, has an id.
#[test]
fn only_who_means_this_execution_takes_it_on() {
    let story = debugged(STEPS);
    let id = story.last().execution.id;
    let act = Act { id: Some("ctl_1".to_owned()), ..story.world().act() };
    for control in [Control::Resume, Control::Skip { take: None }] {
        let done = at_once(story.world().system.transitions.control(&id, &control, &act));
        assert!(matches!(done, Err(pawl_runtime::ControlError::Refused(_))), "{done:?}");
    }
    stops_before(story, "set");
}

#[test]
fn a_burst_of_starts_stops_if_one_of_them_asks() {
    let burst = with("limits: {debounce: {for: 30s}}", "  - {id: say, type: note, text: hello}");
    let story = scenario().workflow(&burst).event(manual("w").debug()).event(manual("w")).run_until_idle();
    assert_eq!(story.world().executions().len(), 1);
    stops_before(story, "say");
}

#[test]
fn a_fork_stops_only_if_it_is_asked_to() {
    let story = debugged(STEPS);
    let original = story.last().execution.id;
    story.world().fork(&original, None, serde_json::Map::new()).expect("it can be begun anew");
    story.run_until_idle().expect(completed());
}
