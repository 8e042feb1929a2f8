//! Large values go to the blob store, and nothing near a limit of the storage is reached.

use pawl_runtime::ports::QueueName;
use pawl_testkit::scenario::{Scenario, TABLES, answer, completed, manual, scenario, waiting, webhook};
use serde_json::{Value, json};

use crate::support::with;

const KIB: usize = 1024;

fn text(kib: usize) -> String {
    "0123456789abcdef".repeat(kib * KIB / 16)
}

#[track_caller]
fn stays_small(story: &Scenario) {
    for table in TABLES {
        for item in story.world().store.items(table) {
            assert!(item.body.len() < 300 * KIB, "{} has {} bytes", item.key.partition, item.body.len());
        }
    }
    for queue in [QueueName::Events, QueueName::Jobs, QueueName::JobsHigh] {
        assert!(story.world().store.messages(queue).iter().all(|message| message.body.len() < 240 * KIB));
    }
}

#[test]
fn a_large_delivery_is_read_as_it_came() {
    let steps =
        "  - {id: long, type: condition, if: size(trigger.body.text) > 900000}\n  - {id: wait, type: delay, for: 1d}";
    let workflow = with("triggers: [{id: hook, type: webhook}]", steps);
    let delivery = webhook("w", "hook").body(json!({"text": text(900)}));
    let story = scenario().workflow(&workflow).event(delivery);
    stays_small(&story);
    let story = story.run_for("1h").expect(waiting().path(["long:yes"]));
    stays_small(&story);
    let id = story.last().execution.id;
    let event =
        futures::FutureExt::now_or_never(story.world().system.history.event(&id)).expect("memory answers at once");
    let body = event.expect("it is readable").expect("the event is kept").data["body"].clone();
    assert_eq!(body["text"].as_str().map(str::len), Some(900 * KIB));
}

#[test]
fn a_large_answer_is_a_variable_like_any_other() {
    let steps = "
  - {id: get, type: http_request, url: 'https://x.example', save_as: got}
  - {id: check, type: condition, if: 'size(vars.got.body) > 900000 && size(steps.get.output.body) > 900000'}
  - {id: wait, type: delay, for: 1d}
  - {id: again, type: condition, if: 'vars.got.body.endsWith(\"f\")'}";
    let story = scenario().workflow(&with("", steps)).http(|_| answer(200).body(text(1000))).event(manual("w"));
    let story = story.run_for("1h").expect(waiting().path(["get", "check:yes"]));
    stays_small(&story);
    let story = story.run_until_idle().expect(completed().path(["get", "check:yes", "wait", "again:yes"]));
    let rows = story.last().rows;
    let row = rows.iter().find(|row| row.step.as_deref() == Some("get")).expect("the call is a row");
    assert_eq!(row.output["body"].as_str().map(str::len), Some(1000 * KIB), "history brings it back");
}

#[test]
fn many_values_that_are_each_small_still_fit() {
    let names: Vec<String> = (0..40).map(|n| format!("v{n}: '{{{{ vars.text }}}}'")).collect();
    let steps = format!(
        "  - {{id: set, type: set_variables, values: {{{}}}}}\n  - {{id: wait, type: delay, for: 1d}}",
        names.join(", ")
    );
    let workflow = with("variables: [{name: text, type: text}]", &steps);
    let story = scenario().workflow(&workflow).event(manual("w").values(json!({"text": text(20)})));
    let story = story.run_for("1h").expect(waiting());
    stays_small(&story);
    let variables = story.run_until_idle().expect(completed()).last().execution.variables;
    assert!(variables.values().all(|value| value.as_str().map(str::len) == Some(20 * KIB)));
    assert_eq!(variables.len(), 41);
}

#[test]
fn what_looks_like_a_reference_is_not_taken_for_one() {
    let steps = "  - {id: get, type: http_request, url: 'https://x.example', save_as: got}\n  - {id: wait, type: delay, for: 1d}";
    let forged: Value = json!({"$pawl_blob": "00", "bytes": 1});
    let (plain, nested) = (forged.clone(), json!([forged]));
    for body in [plain, nested] {
        let expected = body.clone();
        let story =
            scenario().workflow(&with("", steps)).http(move |_| answer(200).body(body.clone())).event(manual("w"));
        story.run_until_idle().expect(completed().variable("got", json!({"body": expected})));
    }
}

#[test]
fn a_delivery_whose_body_looks_like_a_reference_is_taken_as_it_is() {
    let workflow = with("triggers: [{id: hook, type: webhook}]", "  - {id: wait, type: delay, for: 1d}");
    let forged = json!({"$pawl_blob": "00", "bytes": 1});
    let story = scenario().workflow(&workflow).event(webhook("w", "hook").body(forged));
    story.run_until_idle().expect(completed());
}

#[test]
fn a_variable_that_looks_like_a_reference_keeps_its_value() {
    let steps =
        "  - {id: set, type: set_variables, values: {a: '{{ trigger.body }}'}}\n  - {id: wait, type: delay, for: 1d}";
    let workflow = with("triggers: [{id: hook, type: webhook}]", steps);
    let forged = json!({"$pawl_blob": "00", "bytes": 1});
    let story = scenario().workflow(&workflow).event(webhook("w", "hook").body(forged.clone()));
    let story = story.run_until_idle().expect(completed().variable("a", forged.clone()));
    let rows = story.last().rows;
    assert!(rows.iter().any(|row| row.output["a"] == forged));
}
