//! Items that are carried out beside each other.

use pawl_engine::{Control, Execution, Status};
use pawl_testkit::scenario::{Scenario, World, canceled, completed, failed, manual, paused, scenario, waiting};
use serde_json::{Value, json};

use super::{done, loops};
use crate::support::{with, workflow};

/// One hour.
const NAP: &str = "{id: nap, type: delay, for: 1h}";

fn whole(world: &World) -> Execution {
    world.executions().into_iter().find(|execution| execution.region.is_none()).expect("there is the whole")
}

fn slices(world: &World) -> Vec<Execution> {
    world.executions().into_iter().filter(|execution| execution.region.is_some()).collect()
}

fn open(world: &World) -> usize {
    slices(world).iter().filter(|slice| !slice.status.is_ended()).count()
}

fn output(story: &Scenario) -> Value {
    whole(story.world()).steps["each"].output.clone()
}

fn parts(world: &World) -> Vec<String> {
    let name = |slice: &Execution| slice.region.as_ref().expect("a slice is a part").to_string();
    slices(world).iter().map(name).collect()
}

#[test]
fn as_many_items_run_at_once_as_the_author_says() {
    let story = scenario()
        .workflow(&loops("items: [1, 2, 3, 4, 5], concurrency: 2, output: 'item * 10'", NAP))
        .event(manual("w"))
        .run_for("30m")
        .expect(waiting());
    assert_eq!(parts(story.world()), ["each[0]", "each[1]"]);
    let row = story.world().trace(&whole(story.world()).id).rows.pop().expect("it waits");
    assert_eq!(row.note.as_deref(), Some("0 of 5 items are over; it waits for 0, 1"));
    let mut story = story;
    for (hour, parts_begun) in [(1, 4), (2, 5)] {
        story = story.run_for("1h");
        assert_eq!((open(story.world()), parts(story.world()).len()), (if hour == 1 { 2 } else { 1 }, parts_begun));
    }
    let story = story.run_until_idle().expect(completed().path(["each", "after"]));
    let items: Vec<_> = (0..5).map(|n| done(n, json!((n + 1) * 10))).collect();
    assert_eq!(output(&story), json!({"completed": 5, "failed": 0, "items": items}));
    assert_eq!(whole(story.world()).steps_done, 7, "the steps of items count in the whole");
}

#[test]
fn an_item_does_not_wait_for_the_slowest_of_a_group() {
    let nap = "{id: nap, type: delay, for: '{{ duration(string(item) + \"m\") }}'}";
    let keys = "items: [300, 1, 1, 1, 1], concurrency: 2, output: 'now'";
    let story = scenario().workflow(&loops(keys, nap)).event(manual("w")).run_for("10m").expect(waiting());
    assert_eq!((open(story.world()), parts(story.world()).len()), (1, 5));
    story.run_until_idle().expect(completed());
}

#[test]
fn quick_items_share_an_execution_and_results_stand_in_order() {
    let file = with(
        "limits: {steps: 20000}",
        "  - {id: each, type: for_each, concurrency: 3, items: '{{ trigger.values.list }}', output: 'item.n + vars.d', do: [{id: d, type: set_variables, values: {d: '{{ index }}'}}]}\n  - {id: after, type: note, text: after}",
    );
    let list: Vec<_> = (0..600).map(|n| json!({"n": n, "text": "some text of an item"})).collect();
    let story = scenario().workflow(&file).event(manual("w").values(json!({"list": list}))).settle();
    let story = story.expect(completed().path(["each", "after"]));
    let items: Vec<_> = (0..600).map(|n| done(n, json!(2 * n))).collect();
    assert_eq!(output(&story), json!({"completed": 600, "failed": 0, "items": items}));
    assert_eq!(parts(story.world()).len(), 12, "50 items in each");
    let first = story.world().lane(&whole(story.world()).id, "each[0]").expect("a part has the first item");
    assert_eq!(first.region.expect("it is a part").to_string(), "each[0-49]");
    let rows = story.world().trace(&first.id).rows;
    assert_eq!(rows[3].address.as_ref().map(ToString::to_string).as_deref(), Some("each[0].d"));
}

#[test]
fn an_item_sees_the_variables_and_results_of_the_whole_and_changes_neither() {
    let steps = "{id: seen, type: set_variables, values: {n: '{{ vars.n + item + steps.first.output.n }}'}}";
    let file = workflow(&format!(
        "  - {{id: first, type: set_variables, values: {{n: 10}}}}\n  - {{id: each, type: for_each, concurrency: 2, items: [1, 2, 3], output: 'vars.n', do: [{steps}]}}"
    ));
    let story = scenario().workflow(&file).event(manual("w")).settle().expect(completed().variable("n", 10));
    let items: Vec<_> = (0..3).map(|n| done(n, json!(21 + n))).collect();
    assert_eq!(output(&story)["items"], json!(items));
}

/// The item 2 fails once it has napped as the others.
const BAD: &str = "{id: nap, type: delay, for: '{{ item == 2 ? duration(\"10m\") : duration(\"1h\") }}'}, {id: bad, type: set_variables, values: {x: '{{ 6 / (item - 2) }}'}}";

#[test]
fn a_failed_item_ends_the_others_and_a_retry_carries_out_what_is_not_finished() {
    let keys = "items: [0, 1, 2, 3, 4], concurrency: 3, output: 'item'";
    let story = scenario().workflow(&loops(keys, BAD)).event(manual("w")).run_for("20m").expect(paused());
    let failed = whole(story.world());
    let error = failed.steps["each"].error.clone().expect("an item failed");
    assert_eq!(error.code, "item_failed");
    assert_eq!(error.message, "item 2 failed: `x`: bad value: division by zero; 0 of 5 items completed before it");
    let states: Vec<_> = slices(story.world()).iter().map(|slice| slice.status).collect();
    assert_eq!(states, [Status::Canceled, Status::Canceled, Status::Completed]);
    story.world().control(&failed.id, &Control::Retry).expect("its step failed");
    let story = story.workflow(&loops(keys, &BAD.replace("item - 2", "item + 2"))).run_until_idle();
    let story = story.expect(completed().path(["each:failed", "each", "after"]));
    let items: Vec<_> = (0..5).map(|n| done(n, json!(n))).collect();
    assert_eq!(output(&story), json!({"completed": 5, "failed": 0, "items": items}));
}

#[test]
fn what_is_finished_is_not_done_again() {
    let call =
        "{id: tell, type: http_request, url: 'https://a.example/{{ item }}', on_failure: {retry: {attempts: 0}}}";
    let keys =
        "items: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19], concurrency: 2, output: 'item'";
    let fails = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_failing = fails.clone();
    let story = scenario()
        .workflow(&loops(keys, call))
        .http(move |call| {
            let fails = is_failing.load(std::sync::atomic::Ordering::SeqCst) && call.url.as_str().ends_with("/7");
            pawl_testkit::scenario::answer(if fails { 500 } else { 200 })
        })
        .event(manual("w"))
        .settle()
        .expect(paused());
    fails.store(false, std::sync::atomic::Ordering::SeqCst);
    story.world().control(&whole(story.world()).id, &Control::Retry).expect("its step failed");
    let story = story.settle().expect(completed());
    let items: Vec<_> = (0..20).map(|n| done(n, json!(n))).collect();
    assert_eq!(output(&story)["items"], json!(items));
    let mut called: Vec<_> = story.world().http.calls().iter().map(|call| call.url.clone()).collect();
    called.sort();
    called.dedup();
    assert_eq!((called.len(), story.world().http.calls().len()), (20, 21), "only the failed one was called again");
}

#[test]
fn the_others_go_on_if_the_author_says_so() {
    let keys = "items: [0, 1, 2, 3, 4], concurrency: 2, item_failed: continue, output: 'item'";
    let story = scenario().workflow(&loops(keys, BAD)).event(manual("w")).run_until_idle().expect(completed());
    let output = output(&story);
    assert_eq!((&output["completed"], &output["failed"]), (&json!(4), &json!(1)));
    assert_eq!((&output["items"][2]["status"], &output["items"][2]["index"]), (&json!("failed"), &json!(2)));
    assert_eq!(output["items"][4], done(4, json!(4)));
}

#[test]
fn an_item_that_a_person_cancels_has_failed() {
    let keys = |failed: &str| format!("items: [0, 1, 2], concurrency: 2, item_failed: {failed}");
    let cancels = |failed: &str| {
        let story = scenario().workflow(&loops(&keys(failed), NAP)).event(manual("w")).run_for("5m");
        story.world().control(&slices(story.world())[1].id, &Control::Cancel).expect("it is open");
        story.run_until_idle()
    };
    let story = cancels("continue").expect(completed());
    let output = output(&story);
    assert_eq!((&output["completed"], &output["items"][1]["status"]), (&json!(2), &json!("failed")));
    assert_eq!(output["items"][1]["error"]["code"], json!("item_failed"));
    cancels("stop").expect(paused());
}

#[test]
fn a_cancel_a_pause_and_a_kill_of_the_whole_reach_items() {
    let story =
        || scenario().workflow(&loops("items: [1, 2, 3], concurrency: 2", NAP)).event(manual("w")).run_for("5m");
    let ended = story();
    ended.world().control(&whole(ended.world()).id, &Control::Cancel).expect("it waits");
    let ended = ended.settle().expect(canceled());
    assert!(slices(ended.world()).iter().all(|slice| slice.status == Status::Canceled));
    for (hold, free) in [(Control::Pause, Control::Resume), (Control::Kill, Control::Lift)] {
        let held = story();
        let id = whole(held.world()).id;
        held.world().control(&id, &hold).expect("it waits");
        let held = held.run_for("1d");
        assert_eq!((open(held.world()), parts(held.world()).len()), (2, 2), "{hold:?} holds items");
        held.world().control(&id, &free).expect("it is held");
        held.run_until_idle().expect(completed().path(["each", "after"]));
    }
}

#[test]
fn a_stop_in_an_item_ends_the_whole() {
    let steps = |word: &str| {
        format!(
            "{{id: c, type: condition, if: 'item == 2', yes: [{{id: end, type: stop, as: {word}, reason: two}}]}}, {NAP}"
        )
    };
    for concurrency in [1, 2] {
        let keys = format!("items: [2, 1, 3], concurrency: {concurrency}");
        let story = |word: &str| scenario().workflow(&loops(&keys, &steps(word))).event(manual("w")).settle();
        let ended = story("completed").expect(completed());
        assert_eq!(whole(ended.world()).reason.as_deref(), Some("two"));
        assert_eq!(whole(ended.world()).steps.get("after"), None, "nothing follows");
        assert_eq!(open(ended.world()), 0);
        story("canceled").expect(canceled());
        story("failed").expect(failed("stopped_as_failed"));
    }
}

#[test]
fn an_item_that_pauses_at_its_last_step_ends_when_it_is_resumed() {
    let steps = "{id: c, type: condition, if: 'item == 2', yes: [{id: hold, type: stop, as: paused, reason: look}]}";
    let story = scenario().workflow(&loops("items: [1, 2, 3], output: 'item'", steps)).event(manual("w")).settle();
    let story = story.expect(paused());
    story.world().control(&whole(story.world()).id, &Control::Resume).expect("it is paused");
    let story = story.settle().expect(completed().path(["c:no", "c:yes", "hold", "c:no", "each", "after"]));
    assert_eq!(output(&story)["items"][1], done(1, json!(2)));
}

#[test]
fn a_paused_item_waits_alone() {
    let steps = "{id: c, type: condition, if: 'item == 2', yes: [{id: hold, type: stop, as: paused, reason: look}]}";
    let story = scenario()
        .workflow(&loops("items: [1, 2, 3, 4, 5], concurrency: 2, output: 'item'", steps))
        .event(manual("w"))
        .settle()
        .expect(waiting());
    assert_eq!((open(story.world()), parts(story.world()).len()), (1, 5));
    let held = slices(story.world()).into_iter().find(|slice| slice.status == Status::Paused).expect("one is held");
    assert_eq!(held.region.expect("it is a slice").to_string(), "each[1]");
    story.world().control(&held.id, &Control::Resume).expect("it is paused");
    let story = story.settle().expect(completed());
    assert_eq!(output(&story)["completed"], json!(5));
}

#[test]
fn edits_while_items_run() {
    let begun = |keys: &str| scenario().workflow(&loops(keys, NAP)).event(manual("w")).run_for("30m");
    let keys = "items: [1, 2, 3, 4], concurrency: 2";
    let fewer = begun(keys).workflow(&loops("items: [1, 2, 3, 4], concurrency: 1", NAP)).run_for("1h");
    assert_eq!(open(fewer.world()), 1);
    fewer.run_until_idle().expect(completed().path(["each", "after"]));
    let more = begun(keys).workflow(&loops("items: [1, 2, 3, 4], concurrency: 9", NAP)).run_for("1h");
    assert_eq!(open(more.world()), 2, "the rest");
    more.run_until_idle().expect(completed().path(["each", "after"]));
    let gone = begun(keys).workflow(&workflow("  - {id: after, type: note, text: after}")).run_until_idle();
    let gone = gone.expect(completed().path(["each:moved", "after"]));
    assert!(slices(gone.world()).iter().all(|slice| slice.status.is_ended() && !slice.steps.contains_key("after")));
    let other = begun(keys).workflow(&workflow("  - {id: each, type: note, text: other}")).run_until_idle();
    let other = other.expect(completed());
    assert!(
        slices(other.world()).iter().all(|slice| slice.steps.get("each").is_none_or(|state| state.output.is_null()))
    );
}

#[test]
fn loops_in_items_that_run_beside_each_other() {
    let inner = "{id: inner, type: for_each, concurrency: 2, items: '{{ item }}', output: 'item', do: [{id: n, type: delay, for: 1m}]}";
    let keys = "items: [[1, 2, 3], [], [4]], concurrency: 2, output: 'steps.inner.output.items.map(i, i.output)'";
    let story = scenario().workflow(&loops(keys, inner)).event(manual("w")).run_until_idle().expect(completed());
    let items = output(&story)["items"].clone();
    let kept: Vec<_> = items.as_array().expect("a list").iter().map(|item| item["output"].clone()).collect();
    assert_eq!(kept, [json!([1, 2, 3]), json!([]), json!([4])]);
}
