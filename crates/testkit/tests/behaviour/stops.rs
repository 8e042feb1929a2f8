//! `stop`: how an execution ends by it, and who is told.

use std::sync::atomic::Ordering;

use pawl_testkit::scenario::{Scenario, canceled, completed, failed, manual, paused, scenario};
use serde_json::{Value, json};

use crate::support::{with, workflow};

/// The workflow `w` stops with these keys.
fn stops(keys: &str) -> Scenario {
    let steps = format!("  - {{id: halt, type: stop, {keys}}}\n  - {{id: after, type: note, text: after}}");
    scenario().workflow(&workflow(&steps)).event(manual("w")).settle()
}

/// Whom it told, how grave, and what.
fn told(story: &Scenario) -> Vec<(String, String, String)> {
    let notices = story.world().notices().into_iter();
    notices.map(|notice| (notice.to, notice.severity, format!("{}. {}", notice.subject, notice.text))).collect()
}

/// One notice; `EXE` stands for the id of the execution.
fn one(story: &Scenario, (to, severity, text): (&str, &str, &str)) -> Vec<(String, String, String)> {
    vec![(to.to_owned(), severity.to_owned(), text.replace("EXE", &story.last().execution.id))]
}

fn output(story: &Scenario) -> Value {
    story.last().execution.steps["halt"].output.clone()
}

#[test]
fn by_default_the_owner_is_told_of_a_failure_and_nobody_of_another_end() {
    let story = stops("as: failed, reason: no luck").expect(failed("stopped_as_failed"));
    let text = "w: an execution failed. Execution EXE failed: no luck (stopped_as_failed).";
    assert_eq!(told(&story), one(&story, ("owner@example.com", "error", text)));
    assert_eq!(output(&story), json!({"as": "failed", "notify": "owner@example.com", "severity": "error"}));
    for (word, expected) in [("completed", completed()), ("canceled", canceled()), ("paused", paused())] {
        let story = stops(&format!("as: {word}, reason: done")).expect(expected);
        assert_eq!(told(&story), []);
        assert_eq!(output(&story), json!({"as": word, "notify": null, "severity": null}));
    }
}

#[test]
fn none_silences_a_failure() {
    let story = stops("as: failed, reason: as expected, notify: none").expect(failed("stopped_as_failed"));
    assert_eq!(told(&story), []);
}

#[test]
fn an_address_is_told_as_gravely_as_the_step_says() {
    let story = stops("as: failed, notify: ops@example.com, severity: critical").expect(failed("stopped_as_failed"));
    let text = "w: an execution failed. Execution EXE failed: the workflow stopped as failed (stopped_as_failed).";
    assert_eq!(told(&story), one(&story, ("ops@example.com", "critical", text)));
    let metrics = &story.world().system.metrics;
    let counts = [&metrics.notices_sent, &metrics.notices_critical].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(counts, [1, 1]);
}

#[test]
fn other_ends_are_told_if_the_step_says_so() {
    for (word, severity, text) in [
        ("completed", "info", "w: an execution completed. Execution EXE completed at the step halt: all is well."),
        (
            "canceled",
            "warning",
            "w: an execution is canceled. Execution EXE is canceled at the step halt: all is well.",
        ),
        ("paused", "warning", "w: an execution is paused. Execution EXE is paused at the step halt: all is well."),
    ] {
        let story = stops(&format!("as: {word}, reason: all is well, notify: owner"));
        assert_eq!(told(&story), one(&story, ("owner@example.com", severity, text)));
    }
}

#[test]
fn it_is_told_once_although_the_result_is_computed_by_a_transition_of_its_own() {
    let steps = "  - {id: halt, type: stop, notify: owner, severity: error}";
    let story = scenario().workflow(&with("output: {n: '1'}", steps)).event(manual("w")).settle();
    let story = story.expect(completed().output("n", 1));
    assert_eq!(told(&story).len(), 1);
}
