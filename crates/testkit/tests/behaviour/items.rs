//! `for_each`: steps that are carried out for each item of a list.

mod beside;
mod ends;

use pawl_engine::{Execution, StepStatus};
use pawl_testkit::scenario::{Scenario, answer, completed, manual, paused, scenario, waiting};
use serde_json::{Value, json};

use crate::support::workflow;

/// The workflow `w`: a loop `each` with these keys and steps, and a step after it.
fn loops(keys: &str, steps: &str) -> String {
    workflow(&format!(
        "  - {{id: each, type: for_each, {keys}, do: [{steps}]}}\n  - {{id: after, type: note, text: after}}"
    ))
}

fn whole(story: &Scenario) -> Execution {
    let mut all = story.world().executions();
    assert_eq!(all.len(), 1, "a loop needs no other execution");
    all.remove(0)
}

fn output(story: &Scenario) -> Value {
    whole(story).steps["each"].output.clone()
}

fn done(index: u32, output: impl Into<Value>) -> Value {
    let output = output.into();
    json!({"index": index, "status": "completed", "output": output, "error": null})
}

const DOUBLE: &str = "{id: double, type: set_variables, values: {d: '{{ item * 2 }}'}}";

#[test]
fn each_item_is_carried_out_in_order_and_keeps_what_output_says() {
    let story = scenario()
        .workflow(&loops("items: [1, 2, 3], output: 'vars.d + index'", DOUBLE))
        .event(manual("w"))
        .settle()
        .expect(completed().path(["double", "double", "double", "each", "after"]));
    let items = json!([done(0, json!(2)), done(1, json!(5)), done(2, json!(8))]);
    assert_eq!(output(&story), json!({"completed": 3, "failed": 0, "items": items}));
    assert_eq!(whole(&story).steps_done, 5);
}

#[test]
fn variables_and_results_of_an_item_end_with_it() {
    let steps = "{id: seen, type: set_variables, values: {n: '{{ vars.n + item }}', had: '{{ has(steps.last) }}'}}, {id: last, type: note, text: x}";
    let file = workflow(&format!(
        "  - {{id: first, type: set_variables, values: {{n: 10}}}}\n  - {{id: each, type: for_each, items: [1, 2], output: '[vars.n, vars.had]', do: [{steps}]}}"
    ));
    let story = scenario().workflow(&file).event(manual("w")).settle().expect(completed().variable("n", 10));
    let items = json!([done(0, json!([11, false])), done(1, json!([12, false]))]);
    assert_eq!(output(&story)["items"], items);
    assert_eq!(whole(&story).steps.keys().collect::<Vec<_>>(), ["each", "first"]);
}

#[test]
fn an_item_waits_while_the_others_have_not_begun() {
    let steps = "{id: nap, type: delay, for: 1h}";
    let story = scenario()
        .workflow(&loops("items: ['a', 'b', 'c']", steps))
        .event(manual("w"))
        .run_for("90m")
        .expect(waiting().path(["nap"]));
    let at = whole(&story);
    assert_eq!((at.cursor.as_deref(), at.frames[0].item.index), (Some("nap"), 1));
    story.run_until_idle().expect(completed().path(["nap", "nap", "nap", "each", "after"]));
}

#[test]
fn calls_of_items_have_keys_of_their_own() {
    let call = "{id: tell, type: http_request, method: POST, url: 'https://a.example/{{ item }}'}";
    let story = scenario()
        .workflow(&loops("items: [1, 2]", call))
        .http(|_| answer(200))
        .event(manual("w"))
        .run_until_idle()
        .expect(completed());
    let keys: Vec<_> = story.world().http.calls().iter().map(|call| call.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1], "the second call is not a repeat of the first");
}

#[test]
fn loops_in_loops_and_over_the_items_of_a_value() {
    let inner = "{id: inner, type: for_each, items: '{{ item }}', output: 'item', do: [{id: n, type: note, text: x}]}";
    let keys = "items: [[1, 2], [], [3]], output: 'steps.inner.output.items.map(i, i.output)'";
    let story = scenario().workflow(&loops(keys, inner)).event(manual("w")).settle().expect(completed());
    let items = output(&story)["items"].clone();
    let kept: Vec<_> = items.as_array().expect("a list").iter().map(|item| item["output"].clone()).collect();
    assert_eq!(kept, [json!([1, 2]), json!([]), json!([3])]);
}

#[test]
fn an_empty_list_is_done_at_once() {
    for items in ["[]", "'{{ [1].filter(i, i > 1) }}'"] {
        let story = scenario().workflow(&loops(&format!("items: {items}"), DOUBLE)).event(manual("w")).settle();
        let story = story.expect(completed().path(["each", "after"]));
        assert_eq!(output(&story), json!({"completed": 0, "failed": 0, "items": []}));
    }
}

#[test]
fn a_long_list_does_not_stand_in_the_head() {
    let file = workflow(
        "  - {id: each, type: for_each, items: '{{ trigger.values.list }}', output: 'item.n', do: [{id: n, type: note, text: x}]}",
    );
    let list: Vec<_> = (0..1_200).map(|n| json!({"n": n, "text": "some text of an item"})).collect();
    let story = scenario().workflow(&file).event(manual("w").values(json!({"list": list}))).settle();
    let story = story.expect(completed());
    let output = output(&story);
    assert_eq!((&output["completed"], output["items"].as_array().map(Vec::len)), (&json!(1_200), Some(1_200)));
    let in_order = output["items"].as_array().expect("a list").iter().enumerate();
    assert!(in_order.into_iter().all(|(at, item)| item["output"] == json!(at) && item["index"] == json!(at)));
}

#[test]
fn results_that_become_too_many_with_the_last_item_are_all_there() {
    let text = "x".repeat(1_100);
    for items in 1..6 {
        let list: Vec<_> = (0..items).collect();
        let keys = format!("items: {list:?}, output: \"[index, '{text}']\"");
        let story = scenario().workflow(&loops(&keys, "{id: n, type: note, text: x}")).event(manual("w")).settle();
        let output = output(&story.expect(completed()));
        let kept = output["items"].as_array().expect("a list").iter().map(|item| item["output"][0].clone());
        assert_eq!(kept.collect::<Vec<_>>(), list.iter().map(|index| json!(index)).collect::<Vec<_>>());
    }
}

#[test]
fn lanes_see_the_item_around_them() {
    let fork =
        "{id: fork, type: branch, lanes: {a: [{id: sa, type: set_variables, values: {x: '{{ item + index }}'}}]}}";
    let file = loops("items: [5, 6], output: 'vars.x'", fork);
    let story = scenario().workflow(&file).event(manual("w")).settle().expect(completed());
    let mut all = story.world().executions();
    all.retain(|execution| execution.region.is_none());
    let items = all[0].steps["each"].output["items"].clone();
    assert_eq!([&items[0]["output"], &items[1]["output"]], [&json!(5), &json!(7)]);
}

#[test]
fn rows_tell_the_item() {
    let story = scenario().workflow(&loops("items: [1, 2], output: 'vars.d'", DOUBLE)).event(manual("w")).settle();
    let rows = story.world().trace(&whole(&story).id).rows;
    let addresses: Vec<_> = rows.iter().filter_map(|row| Some(row.address.as_ref()?.to_string())).collect();
    assert_eq!(addresses, ["each[0].double", "each[1].double"]);
    let begins: Vec<_> = rows.iter().filter(|row| row.step.as_deref() == Some("each")).collect();
    assert_eq!(begins[1].input, json!({"index": 1, "item": 2}));
    assert_eq!(begins[1].output, done(0, json!(2)));
}

#[test]
fn a_failed_item_fails_the_loop_and_a_retry_goes_on_with_it() {
    let steps = "{id: bad, type: set_variables, values: {x: '{{ 10 / (item - 2 + vars.k) }}'}}";
    let file = workflow(&format!(
        "  - {{id: k, type: set_variables, values: {{k: 0}}}}\n  - {{id: each, type: for_each, items: [1, 2, 3], output: 'vars.x', do: [{steps}]}}"
    ));
    let story = scenario().workflow(&file).event(manual("w")).settle().expect(paused());
    let failed = whole(&story);
    let error = failed.steps["each"].error.clone().expect("an item failed");
    assert_eq!(error.code, "item_failed");
    assert!(error.message.starts_with("item 1 failed: "), "{}", error.message);
    assert_eq!(failed.steps["each"].output["items"], json!([done(0, json!(-10))]));
    let mended = file.replace("item - 2 + vars.k", "item - 2 + 1");
    let story = story.workflow(&mended);
    story.world().control(&failed.id, &pawl_engine::Control::Retry).expect("its step failed");
    let story = story.settle().expect(completed());
    assert_eq!(whole(&story).steps["each"].status, StepStatus::Completed);
    let items = output(&story)["items"].clone();
    assert_eq!(
        items,
        json!([done(0, json!(-10)), done(1, json!(10)), done(2, json!(5))]),
        "the first is not begun again"
    );
}
