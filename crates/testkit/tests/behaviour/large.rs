//! Large values go to the blob store, and nothing near a limit of the storage is reached.

use futures::FutureExt;
use pawl_runtime::items;
use pawl_runtime::offload::sha256;
use pawl_runtime::ports::{BlobError, BlobKey, BlobOwner, QueueName};
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
    let event = story.world().system.history.event(&id).now_or_never().expect("memory answers at once");
    let body = event.expect("it is readable").expect("the event is kept").data["body"].clone();
    assert_eq!(body["text"].as_str().map(str::len), Some(900 * KIB));
}

/// Two deliveries with large bodies, and the executions that they start, in order.
fn two_deliveries(bodies: [&Value; 2]) -> (Scenario, Vec<pawl_engine::Execution>) {
    let workflow = with("triggers: [{id: hook, type: webhook}]", "  - {id: wait, type: delay, for: 1d}");
    let story = scenario().workflow(&workflow).event(webhook("w", "hook").body(bodies[0].clone())).run_for("1m");
    let story = story.event(webhook("w", "hook").body(bodies[1].clone())).run_for("1m").expect(waiting());
    let executions = story.world().executions();
    assert_eq!(executions.len(), 2);
    (story, executions)
}

#[test]
fn what_two_executions_hold_alike_each_of_them_and_their_events_have_for_themselves() {
    let body = json!({"text": text(100)});
    let (story, executions) = two_deliveries([&body, &body]);
    let hash = sha256(body.to_string().as_bytes());
    for execution in executions {
        for owner in [BlobOwner::execution(&execution.id), BlobOwner::event(&execution.event_id)] {
            let key = BlobKey::new(&owner, &hash).expect("it is a hash");
            let blob = story.world().store.blobs().get(&key).now_or_never().expect("memory answers at once");
            assert!(blob.is_ok_and(|blob| blob == body.to_string()), "{key}");
        }
    }
}

#[test]
fn a_reference_leads_to_no_blob_of_another_execution() {
    let (story, executions) = two_deliveries([&json!({"text": text(100)}), &json!({"text": text(200)})]);
    let [first, second] = <[_; 2]>::try_from(executions).expect("two began");
    let stored = story.world().store.items(items::event::TABLE);
    let body = &stored.iter().find(|item| item.key == items::event::key(&first.id)).expect("it is stored").body;
    story.world().store.damage(items::event::TABLE, &items::event::key(&second.id), body);
    let event = |id: &str| story.world().system.history.event(id).now_or_never().expect("memory answers at once");
    assert!(event(&first.id).is_ok());
    let refused = event(&second.id).expect_err("the blob is the first's");
    let pawl_runtime::Error::Blob(BlobError::NotFound(key)) = refused else { panic!("{refused}") };
    assert!(key.starts_with(&format!("execution/{}/", second.id)), "{key}");
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
