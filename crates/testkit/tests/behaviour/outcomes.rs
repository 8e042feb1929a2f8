//! `outcome` of a workflow: whether an execution that completes has reached what the workflow is for.

use std::sync::atomic::Ordering;

use pawl_engine::{Control, OutcomeStatus};
use pawl_testkit::scenario::{Scenario, canceled, completed, created, failed, manual, paused, scenario, updated};
use serde_json::json;

use crate::support::{TICKET, on_tickets_with, with};

/// The workflow `w` with this outcome, and these steps.
fn story(reached: &str, keys: &str, steps: &str) -> Scenario {
    let outcome = format!("outcome: {{name: n is large, reached: \"{reached}\", saves: 15m}}");
    let variables = "variables: [{name: n, type: number, default: 3}]";
    scenario().workflow(&with(&format!("{outcome}\n{variables}\n{keys}"), steps)).event(manual("w")).settle()
}

const NOTE: &str = "  - {id: end, type: note, text: end}";

/// What the last row of its history says.
fn last_note(story: &Scenario) -> Option<String> {
    story.last().rows.pop().expect("there are rows").note
}

#[test]
fn it_is_reached_or_not_when_the_execution_completes() {
    for (reached, outcome, note) in [("vars.n > 2", "reached", "reached"), ("vars.n > 3", "not_reached", "not reached")]
    {
        let story = story(reached, "", NOTE).expect(completed().path(["end"]).outcome(outcome));
        assert_eq!(last_note(&story), Some(format!("outcome \"n is large\": {note}")));
        let metrics = &story.world().system.metrics;
        let counts = [&metrics.outcomes_reached, &metrics.outcomes_not_reached, &metrics.outcomes_unknown];
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        assert_eq!(counts, if outcome == "reached" { [1, 0, 0] } else { [0, 1, 0] });
    }
}

#[test]
fn it_is_computed_together_with_the_result() {
    let story = story("vars.n > 2", "output: {n: vars.n}", NOTE);
    let story = story.expect(completed().output("n", 3).outcome("reached"));
    assert_eq!(story.last().rows.iter().filter(|row| row.step.is_none()).count(), 3, "created, started, completed");
}

#[test]
fn one_that_cannot_be_computed_is_unknown_and_the_execution_completes() {
    let story = story("vars.n > 2 && dyn('x') > 1", "output: {n: vars.n}", NOTE);
    let story = story.expect(completed().output("n", 3).outcome("unknown"));
    let note = last_note(&story).expect("it says why");
    assert!(note.starts_with("outcome \"n is large\": unknown: `outcome.reached`: "), "{note}");
    assert!(note.ends_with("(expression_type)"), "{note}");
}

#[test]
fn a_stop_as_completed_has_an_outcome_and_no_other_end() {
    let stops =
        |word: &str| story("vars.n > 2", "", &format!("  - {{id: halt, type: stop, as: {word}, reason: done}}"));
    let story = stops("completed").expect(completed().outcome("reached"));
    assert_eq!(story.last().execution.reason.as_deref(), Some("done"));
    for (word, expected) in [("canceled", canceled()), ("failed", failed("stopped_as_failed")), ("paused", paused())] {
        assert_eq!(stops(word).expect(expected).last().execution.outcome, None);
    }
    let story = stops("paused").control(Control::Resume).settle();
    story.expect(completed().outcome("reached"));
}

#[test]
fn without_an_outcome_there_is_none() {
    let story = scenario().workflow(&with("", NOTE)).event(manual("w")).settle().expect(completed());
    assert_eq!(story.last().execution.outcome, None);
}

#[test]
fn it_sees_the_record_as_it_is_at_the_end() {
    let outcome =
        "outcome: {name: it is resolved, reached: record.status == 'resolved' && record.customer.plan == 'paid'}";
    let triggers = "triggers: [{id: made, type: record_created}]";
    let workflow = on_tickets_with(&format!("{outcome}\n{triggers}"), "  - {id: nap, type: delay, for: 1h}");
    let story = scenario()
        .object(crate::support::CUSTOMER)
        .object(TICKET)
        .record("customer", "c1", json!({"plan": "paid"}))
        .workflow(&workflow)
        .event(created("ticket", "t1", json!({"customer": "c1"})))
        .run_for("1m")
        .event(updated("ticket", "t1", json!({"status": "resolved"})))
        .run_until_idle();
    let story = story.expect(completed().outcome("reached"));
    assert_eq!(story.last().execution.outcome, Some(OutcomeStatus::Reached));
    assert_eq!(story.world().replayed(), [""; 0], "its rows suffice to decide it again");
}

#[test]
fn an_edit_while_it_runs_brings_the_outcome() {
    let nap = "  - {id: nap, type: delay, for: 1h}";
    let story = scenario().workflow(&with("", nap)).event(manual("w")).run_for("1m");
    let story = story.workflow(&with("outcome: {name: done, reached: 'execution.failed_steps == []'}", nap));
    story.run_until_idle().expect(completed().outcome("reached"));
}
