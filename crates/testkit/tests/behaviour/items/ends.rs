//! How items end, and what a stop, a control and an edit do in the middle of a loop.

use pawl_engine::{Control, StepStatus};
use pawl_testkit::scenario::{canceled, completed, failed, manual, scenario};
use serde_json::json;

use super::{done, loops, output, whole};

const BAD: &str = "{id: bad, type: set_variables, values: {x: '{{ 6 / item }}'}}";

#[test]
fn the_others_go_on_if_the_author_says_so() {
    let keys = "items: [1, 0, 3], item_failed: continue, output: 'vars.x'";
    let story = scenario().workflow(&loops(keys, BAD)).event(manual("w")).settle();
    let story = story.expect(completed().path(["bad", "bad:failed", "bad", "each", "after"]));
    let each = &whole(&story).steps["each"];
    assert_eq!(each.status, StepStatus::Partial);
    let items = output(&story)["items"].clone();
    assert_eq!(items[0], done(0, json!(6)));
    assert_eq!((&items[1]["status"], &items[1]["error"]["code"]), (&json!("failed"), &json!("expression_value")));
    assert_eq!(items[2], done(2, json!(2)));
    assert_eq!(story.world().notices().len(), 0, "the author lets items fail");
}

#[test]
fn a_step_of_an_item_has_its_own_failure_policy() {
    let steps = "{id: bad, type: set_variables, values: {x: '{{ 6 / item }}'}, on_failure: {then: continue}}, {id: n, type: note, text: x}";
    let story = scenario().workflow(&loops("items: [0, 1]", steps)).event(manual("w")).settle();
    story.expect(completed().path(["bad:failed", "n", "bad", "n", "each", "after"]));
}

#[test]
fn a_stop_ends_all_and_one_of_an_item_ends_the_item() {
    let steps = |word: &str| {
        format!(
            "{{id: c, type: condition, if: 'item == 2', yes: [{{id: end, type: stop, as: {word}, reason: two}}]}}, {{id: n, type: note, text: x}}"
        )
    };
    let story = |word: &str| scenario().workflow(&loops("items: [1, 2, 3]", &steps(word))).event(manual("w")).settle();
    story("item").expect(completed().path(["c:no", "n", "c:yes", "end", "c:no", "n", "each", "after"]));
    story("canceled").expect(canceled().path(["c:no", "n", "c:yes", "end"]));
    story("failed").expect(failed("stopped_as_failed"));
}

#[test]
fn a_jump_in_an_item_is_bounded_by_item() {
    let steps = "{id: up, type: set_variables, values: {n: '{{ (has(vars.n) ? vars.n : 0) + 1 }}'}}, {id: c, type: condition, if: 'vars.n < 60', yes: [{id: back, type: go_to, step: up}]}";
    let story = scenario().workflow(&loops("items: [1, 2, 3], output: 'vars.n'", steps)).event(manual("w")).settle();
    let story = story.expect(completed());
    assert_eq!(output(&story)["items"][2], done(2, json!(60)));
}

#[test]
fn a_cancel_and_a_pause_in_the_middle_of_an_item() {
    let story = || {
        let nap = "{id: nap, type: delay, for: 1h}";
        scenario().workflow(&loops("items: [1, 2]", nap)).event(manual("w")).run_for("90m")
    };
    let held = story();
    let id = whole(&held).id;
    held.world().control(&id, &Control::Pause).expect("it waits");
    let held = held.run_for("1d");
    held.world().control(&id, &Control::Resume).expect("it is paused");
    held.run_until_idle().expect(completed().path(["nap", "nap", "each", "after"]));
    let ended = story();
    ended.world().control(&whole(&ended).id, &Control::Cancel).expect("it waits");
    ended.settle().expect(canceled());
}

#[test]
fn an_edit_in_the_middle_of_an_item() {
    let nap = "{id: nap, type: delay, for: 1h}";
    let begun = || scenario().workflow(&loops("items: [1, 2]", nap)).event(manual("w")).run_for("30m");
    let more = format!("{nap}, {{id: more, type: note, text: x}}");
    let story = begun().workflow(&loops("items: [1, 2]", &more)).run_until_idle();
    story.expect(completed().path(["nap", "more", "nap", "more", "each", "after"]));
    let without_step = begun().workflow(&loops("items: [1, 2]", "{id: other, type: note, text: x}")).run_until_idle();
    without_step.expect(completed().path(["nap:moved", "other", "each", "after"]));
    let without_loop = begun().workflow(&crate::support::workflow("  - {id: after, type: note, text: after}"));
    without_loop.run_until_idle().expect(completed().path(["nap:moved", "after"]));
}

#[test]
fn an_item_fails_whose_output_cannot_be_computed() {
    let keys = "items: [1, 0, 3], item_failed: continue, output: '6 / item'";
    let story = scenario().workflow(&loops(keys, "{id: n, type: note, text: x}")).event(manual("w")).settle();
    let story = story.expect(completed().path(["n", "n", "n", "each", "after"]));
    let items = output(&story)["items"].clone();
    assert_eq!((&items[0], &items[2]), (&done(0, json!(6)), &done(2, json!(2))));
    assert_eq!((&items[1]["status"], &items[1]["error"]["code"]), (&json!("failed"), &json!("expression_value")));
}

#[test]
fn an_item_that_failed_before_an_edit_stays_failed_after_a_retry() {
    let keys = |failed: &str| format!("items: [0, 1, 2], item_failed: {failed}, output: '6 / item'");
    let nap = "{id: nap, type: delay, for: 1h}";
    let story = scenario().workflow(&loops(&keys("continue"), nap)).event(manual("w")).run_for("90m");
    let broken = format!("{nap}, {{id: bad, type: set_variables, values: {{x: '{{{{ 1 / (item - 1) }}}}'}}}}");
    let story = story.workflow(&loops(&keys("stop"), &broken)).run_for("1h");
    let paused = whole(&story);
    assert_eq!(paused.steps["each"].error.as_ref().expect("the item 1 failed").code, "item_failed");
    assert_eq!(output(&story)["failed"], json!(2), "one before the edit, and the one that ended the loop");
    story.world().control(&paused.id, &Control::Retry).expect("its step failed");
    let story = story.workflow(&loops(&keys("continue"), nap)).run_until_idle().expect(completed());
    let output = output(&story);
    assert_eq!((&output["completed"], &output["failed"]), (&json!(2), &json!(1)), "{output}");
    assert_eq!(whole(&story).steps["each"].status, StepStatus::Partial);
}
