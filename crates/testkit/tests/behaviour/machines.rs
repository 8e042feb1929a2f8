//! `run_state_machine`: starts a state machine of Step Functions once, and may wait for its end or its callback.

use pawl_engine::Control;
use pawl_runtime::ports::StateMachineError;
use pawl_testkit::scenario::{
    Happening, MachineReply, Scenario, bus_says, canceled, completed, failed, machine_fails, machine_refused,
    machine_succeeds, manual, paused, scenario, waiting,
};
use serde_json::{Value, json};

use crate::support::workflow;

const ARN: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:Settle";

/// A workflow that settles by a state machine, with more keys of that step.
fn settles(keys: &str) -> String {
    workflow(&format!(
        "
  - id: settle
    type: run_state_machine
    state_machine: {ARN}
    input: {{order: 'A-{{{{ 16 + 1 }}}}'}}
    save_as: settled
    {keys}
  - {{id: end, type: note, text: end}}"
    ))
}

/// One that waits, for at most a day.
fn waits(keys: &str) -> String {
    settles(&format!("wait: true\n    timeout: 1d\n    {keys}"))
}

/// The story of a workflow whose machine does this.
fn story(workflow: &str, reply: impl FnMut() -> MachineReply + Send + 'static) -> Scenario {
    let mut reply = reply;
    scenario().workflow(workflow).state_machine(move |_| reply()).event(manual("w"))
}

fn receipt() -> Value {
    json!({"receipt": "R-17"})
}

/// What the settled machine leaves.
fn succeeded() -> Value {
    json!({"status": "SUCCEEDED", "output": receipt()})
}

fn starts(story: &Scenario) -> usize {
    story.world().state_machines.starts().len()
}

fn looks(story: &Scenario) -> usize {
    story.world().state_machines.looks()
}

/// Seconds since the story began.
fn seconds(story: &Scenario) -> i64 {
    story.world().now().as_second() - 1_767_225_600
}

/// The token that the only machine got.
fn token(story: &Scenario) -> String {
    let start = story.world().state_machines.starts().pop().expect("a machine was started");
    start.input["pawl"]["token"].as_str().expect("it got a token").to_owned()
}

fn calls_back(token: &str, what: Value) -> Happening {
    let mut detail = what;
    detail["token"] = json!(token);
    bus_says(json!({
        "id": "b-1", "source": "pawl.callback", "detail-type": "Callback", "time": "2026-01-01T00:00:00Z", "detail": detail,
    }))
}

#[test]
fn without_wait_it_is_started_and_the_next_step_follows() {
    let story = story(&settles(""), || machine_succeeds(receipt()).after("2h")).settle();
    let story = story.expect(completed().path(["settle", "end"]).state_machines([json!({"order": "A-17"})]));
    let execution = &story.world().executions()[0];
    let name = format!("{}-settle-1", execution.id);
    assert_eq!(story.world().state_machines.starts()[0].name, name);
    let arn = format!("arn:aws:states:eu-central-1:123456789012:execution:Settle:{name}");
    assert_eq!(execution.variables["settled"], json!({"execution_arn": arn, "started_at": "2026-01-01T00:00:00Z"}));
    assert_eq!(looks(&story), 0);
}

#[test]
fn without_an_input_it_gets_an_empty_one() {
    for input in ["", "    input: null\n"] {
        let text = workflow(&format!("\n  - id: a\n    type: run_state_machine\n    state_machine: {ARN}\n{input}"));
        story(&text, || machine_succeeds(1))
            .settle()
            .expect(completed())
            .expect(completed().state_machines([json!({})]));
    }
}

#[test]
fn the_event_of_its_end_ends_the_wait() {
    let story = story(&waits(""), || machine_succeeds(receipt()).after("2h"));
    let story =
        story.run_for("1h").expect(waiting().path([])).run_for("1h").expect(completed().path(["settle", "end"]));
    let story = story.expect(completed().variable("settled", succeeded()));
    assert_eq!(starts(&story), 1);
    let statuses: Vec<_> = story.last().rows.iter().filter_map(|row| row.status).collect();
    assert_eq!(statuses.len(), 3, "waits, ends, and the next step: looks in between are no history");
    assert!(looks(&story) > 3);
}

#[test]
fn a_machine_that_was_faster_than_the_wait_is_not_waited_for() {
    let story = story(&waits(""), || machine_succeeds(receipt()).without_event()).settle();
    let story = story.expect(completed().variable("settled", succeeded()));
    assert_eq!((starts(&story), looks(&story), seconds(&story)), (1, 1, 0));
}

#[test]
fn a_lost_event_is_made_up_for_by_a_look() {
    for (takes, found_by) in [("20s", 30), ("10m", 15 * 60), ("20h", 20 * 3_600 + 900)] {
        let story =
            story(&waits(""), move || machine_succeeds(receipt()).after(takes).without_event()).run_until_idle();
        let story = story.expect(completed().variable("settled", succeeded()));
        assert!(seconds(&story) <= found_by, "{takes}: found after {} s", seconds(&story));
        assert!(looks(&story) < 110, "{takes}: {} looks", looks(&story));
    }
}

#[test]
fn looks_are_no_attempts() {
    let story =
        story(&waits(""), || machine_succeeds(receipt()).after("3h").without_event()).run_for("2h").expect(waiting());
    let state = &story.last().execution.steps["settle"];
    assert_eq!((state.visit, state.attempt), (1, 1));
    assert!(looks(&story) > 10);
}

#[test]
fn a_machine_that_fails_fails_the_step_which_is_not_tried_again() {
    let failing = waits("on_failure: {retry: {attempts: 3, on: [any]}, then: fail}");
    for after in ["0s", "1h"] {
        let story = story(&failing, move || machine_fails("Payment.Declined", "no funds").after(after));
        let story = story.run_until_idle().expect(failed("state_machine_failed").path(["settle:failed"]));
        assert_eq!(starts(&story), 1);
        let execution = story.last().execution;
        let message = execution.error.expect("it failed").message;
        assert!(message.ends_with("ended as FAILED: Payment.Declined: no funds"), "{message}");
        let output = &execution.steps["settle"].output;
        assert_eq!((&output["status"], &output["error"]), (&json!("FAILED"), &json!("Payment.Declined")));
    }
}

#[test]
fn a_long_cause_is_cut() {
    let cause = "ä".repeat(20_000);
    let story = story(&waits(""), move || machine_fails("E", &cause).after("1m")).run_until_idle().expect(paused());
    let rows = story.last().rows;
    let error = rows.iter().find_map(|row| row.error.as_ref()).expect("the step failed");
    assert!(error.message.len() < 2_000, "{}", error.message.len());
}

#[test]
fn a_wait_that_takes_too_long_fails_the_step_and_starts_no_second_machine() {
    let text = settles("wait: true\n    timeout: 90m\n    on_failure: {retry: {attempts: 5}, then: fail}");
    let story = story(&text, || machine_succeeds(receipt()).after("5h"));
    let story = story.run_for("89m").expect(waiting()).run_for("1m").expect(failed("state_machine_timeout"));
    assert_eq!((starts(&story), seconds(&story)), (1, 90 * 60));
    // What comes later finds nobody.
    story.run_until_idle().expect(failed("state_machine_timeout").path(["settle:failed"]));
}

#[test]
fn an_end_that_nobody_told_is_found_when_the_time_is_over() {
    let story =
        story(&settles("wait: true\n    timeout: 1h"), || machine_succeeds(receipt()).after("59m").without_event());
    let story = story.run_until_idle().expect(completed().variable("settled", succeeded()));
    assert!(seconds(&story) <= 3_600);
}

#[test]
fn a_time_out_may_be_a_moment_and_one_that_is_past_starts_nothing() {
    let at = |moment: &str| settles(&format!("wait: true\n    timeout: '{moment}'\n    on_failure: {{then: fail}}"));
    let late = story(&at("2026-01-01T01:00:00Z"), || machine_succeeds(1).after("5h")).run_for("1h");
    late.expect(failed("state_machine_timeout"));
    let past =
        story(&at("2025-12-31T00:00:00Z"), || machine_succeeds(1)).settle().expect(failed("state_machine_timeout"));
    assert_eq!(starts(&past), 0);
}

#[test]
fn without_a_time_out_it_is_waited_for_as_long_as_it_takes() {
    let story = story(&settles("wait: true\n    timeout: never"), || machine_succeeds(receipt()).after("100d"));
    story.run_until_idle().expect(completed().variable("settled", succeeded()));
}

#[test]
fn a_start_that_fails_is_tried_again_under_the_same_name() {
    let errors = [
        StateMachineError::Throttled("later".to_owned()),
        StateMachineError::Network("gone".to_owned()),
        StateMachineError::Server("broken".to_owned()),
    ];
    for error in errors {
        let mut replies = vec![machine_succeeds(receipt()), machine_refused(error)];
        let story = story(&settles(""), move || replies.pop().unwrap_or_else(|| machine_succeeds(0)));
        story.run_until_idle().expect(completed().path(["settle", "end"]));
    }
}

#[test]
fn a_start_that_cannot_succeed_is_not_tried_again() {
    let errors = [
        (StateMachineError::NotConfigured("off".to_owned()), "state_machines_not_configured"),
        (StateMachineError::NotFound("none".to_owned()), "state_machine_not_found"),
        (StateMachineError::Denied("no".to_owned()), "state_machine_denied"),
        (StateMachineError::Invalid("bad".to_owned()), "state_machine_invalid"),
    ];
    for (error, code) in errors {
        let text = settles("on_failure: {then: fail}");
        story(&text, move || machine_refused(error.clone())).settle().expect(failed(code));
    }
}

#[test]
fn after_a_crash_in_the_middle_the_same_machine_is_waited_for() {
    let story = story(&waits(""), || machine_succeeds(receipt()).after("2h").dies()).run_until_idle();
    let story = story.expect(completed().variable("settled", succeeded()));
    assert_eq!(starts(&story), 1);
}

#[test]
fn at_most_once_is_not_started_again_after_a_crash() {
    let text = waits("delivery: at_most_once\n    on_failure: {then: fail}");
    let story = story(&text, || machine_succeeds(receipt()).after("2h").dies()).run_until_idle();
    story.expect(failed("outcome_unknown"));
}

#[test]
fn a_crash_in_the_middle_of_a_look_says_nothing_about_the_machine() {
    for delivery in ["at_most_once", "at_least_once"] {
        let text = waits(&format!("delivery: {delivery}"));
        let story = story(&text, || {
            let network = StateMachineError::Network("gone".to_owned());
            machine_succeeds(receipt()).after("10m").without_event().look_fails(network).look_dies()
        });
        let story = story.run_until_idle().expect(completed().variable("settled", succeeded()));
        assert_eq!(starts(&story), 1, "{delivery}");
    }
}

#[test]
fn a_look_that_fails_for_now_is_made_again_and_one_that_fails_for_good_fails_the_step() {
    let passing = story(&waits(""), || {
        let gone = || StateMachineError::Network("gone".to_owned());
        let busy = StateMachineError::Throttled("busy".to_owned());
        machine_succeeds(receipt()).after("50s").without_event().look_fails(gone()).look_fails(busy).look_fails(gone())
    });
    passing.run_until_idle().expect(completed().variable("settled", succeeded()));
    let text = waits("on_failure: {then: fail}");
    let denied = || StateMachineError::Denied("no".to_owned());
    let lasting = story(&text, move || machine_succeeds(1).after("2h").look_fails(denied()).look_fails(denied()));
    lasting.run_until_idle().expect(failed("state_machine_denied"));
}

#[test]
fn an_event_without_the_output_leads_to_a_look() {
    let story =
        story(&waits(""), || machine_succeeds(receipt()).after("1h").without_event()).run_for("61m").expect(waiting());
    let arn = story.last().execution.steps["settle"].checkpoint["started"]["execution_arn"].clone();
    let before = looks(&story);
    let story = story.event(bus_says(json!({
        "id": "b-1", "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
        "time": "2026-01-01T01:00:00Z",
        "detail": {"executionArn": arn, "status": "SUCCEEDED", "output": null, "outputDetails": {"included": false}},
    })));
    let story = story.settle().expect(completed().variable("settled", succeeded()));
    assert_eq!(looks(&story), before + 1);
}

#[test]
fn events_of_other_executions_and_machines_that_run_change_nothing() {
    let story = story(&waits(""), || machine_succeeds(receipt()).after("2h")).settle();
    let own = story.last().execution.steps["settle"].checkpoint["started"]["execution_arn"].clone();
    let says = |arn: &Value, status: &str| {
        bus_says(json!({
            "id": "b", "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
            "time": "2026-01-01T00:00:00Z", "detail": {"executionArn": arn, "status": status},
        }))
    };
    let story = story.event(says(&json!(format!("{ARN}:other")), "SUCCEEDED")).event(says(&own, "RUNNING")).settle();
    story.expect(waiting());
}

const CALLBACK: &str = "callback: true";

#[test]
fn a_callback_with_the_token_ends_the_wait_before_the_machine_ends() {
    let story = story(&waits(CALLBACK), || {
        machine_succeeds(1).after("5h").calls_back("1h", json!({"output": {"approved": true}}))
    });
    let story = story.run_for("59m").expect(waiting()).run_for("1m");
    let output = json!({"status": "CALLED_BACK", "output": {"approved": true}});
    let story = story.expect(completed().variable("settled", output).path(["settle", "end"]));
    // The end of the machine is no news any more.
    story.run_until_idle().expect(completed().path(["settle", "end"]));
}

#[test]
fn a_callback_with_an_error_fails_the_step() {
    let story = story(&waits("callback: true\n    on_failure: {then: fail}"), || {
        machine_succeeds(1).after("5h").calls_back("1h", json!({"error": "Rejected", "cause": "too expensive"}))
    });
    let story = story.run_for("1h").expect(failed("state_machine_failed"));
    let message = story.last().execution.error.expect("it failed").message;
    assert!(message.ends_with("called back with a failure: Rejected: too expensive"), "{message}");
}

#[test]
fn wrong_tokens_change_nothing_and_the_right_one_is_good_once() {
    let text = waits(CALLBACK).replace("{id: end, type: note, text: end}", "{id: again, type: go_to, step: settle}");
    let story = story(&text, || machine_succeeds(receipt()).after("5h")).settle();
    let first = token(&story);
    let story = story.event(calls_back("pawl_guessed", json!({"output": 1}))).settle().expect(waiting().path([]));
    let story = story.event(calls_back(&first, json!({"output": 1}))).settle();
    let story = story.expect(waiting().path(["settle", "again"]));
    assert_ne!(token(&story), first, "a visit has its own token");
    story.event(calls_back(&first, json!({"output": 2}))).settle().expect(waiting().path(["settle", "again"]));
}

#[test]
fn the_token_stands_in_no_history_and_in_no_event() {
    let story = story(&waits(CALLBACK), || machine_succeeds(1).after("5h").calls_back("1h", json!({"output": "yes"})));
    let story = story.settle().expect(waiting());
    let token = token(&story);
    let rows = serde_json::to_string(&story.last().rows).expect("rows are JSON");
    assert!(rows.contains("[token]") && !rows.contains(&token), "{rows}");
    let waiters: Vec<_> = story.last().execution.waiting.expect("it waits").topics.into_iter().collect();
    assert!(waiters.iter().all(|topic| !topic.contains(&token)), "{waiters:?}");
    let story = story.run_until_idle().expect(completed());
    let stored = story.world().store.items(pawl_runtime::ports::Table::Executions);
    assert!(stored.iter().all(|item| !item.body.contains(&token) && !item.key.partition.contains(&token)));
}

#[test]
fn a_callback_that_comes_while_the_call_is_out_is_kept() {
    let story = story(&waits(CALLBACK), || {
        machine_succeeds(1).after("5h").without_event().dies().calls_back("0s", json!({"output": "fast"}))
    });
    let story = story.settle();
    assert!(!story.last().execution.leases.is_empty(), "nobody knows yet what became of the call");
    let story = story.run_until_idle();
    let story = story.expect(completed().variable("settled", json!({"status": "CALLED_BACK", "output": "fast"})));
    assert_eq!(starts(&story), 1);
    assert!(seconds(&story) < 3_600);
}

#[test]
fn without_callback_the_machine_gets_no_token() {
    let story = story(&waits(""), || machine_succeeds(receipt())).settle();
    story.expect(completed().state_machines([json!({"order": "A-17", "pawl": null})]));
}

#[test]
fn a_token_needs_an_input_that_takes_it() {
    let text =
        waits("callback: true\n    on_failure: {then: fail}").replace("{order: 'A-{{ 16 + 1 }}'}", "'{{ [1] }}'");
    let story = story(&text, || machine_succeeds(1)).settle().expect(failed("wrong_type"));
    assert_eq!(starts(&story), 0);
}

#[test]
fn what_ends_while_it_is_held_counts_when_it_is_let_go_on() {
    let held = |reply: fn() -> MachineReply| {
        let story = story(&waits("on_failure: {then: fail}"), reply);
        story
            .run_for("1h")
            .control(Control::Pause)
            .run_for("2h")
            .expect(paused().path([]))
            .control(Control::Resume)
            .settle()
    };
    held(|| machine_succeeds(receipt()).after("2h")).expect(completed().variable("settled", succeeded()));
    held(|| machine_fails("E", "c").after("2h")).expect(failed("state_machine_failed"));
}

#[test]
fn what_ends_under_a_kill_is_found_by_the_next_look() {
    let story = story(&waits(""), || machine_succeeds(receipt()).after("2h"));
    let story = story.run_for("1h").control(Control::Kill).run_for("2h").expect(waiting().path([]));
    story.control(Control::Lift).run_for("15m").expect(completed().variable("settled", succeeded()));
}

#[test]
fn canceling_ends_the_wait_and_leaves_the_machine_alone() {
    let story = story(&waits(""), || machine_succeeds(receipt()).after("2h")).run_for("1h").control(Control::Cancel);
    let story = story.expect(canceled());
    let before = looks(&story);
    let story = story.run_until_idle().expect(canceled());
    assert_eq!(looks(&story), before, "nobody looks any more");
    let waiters = story.world().store.items(pawl_runtime::ports::Table::Executions);
    assert!(waiters.iter().all(|item| !item.key.partition.starts_with("waiter#")), "nobody listens any more");
}

#[test]
fn an_operator_who_retries_starts_another_machine_and_one_who_skips_none() {
    let mut ends = vec![machine_succeeds(receipt()).after("1h"), machine_fails("E", "c").after("1h")];
    let text = waits("");
    let retried = story(&text, move || ends.pop().unwrap_or_else(|| machine_succeeds(0))).run_until_idle();
    let retried = retried.expect(paused().path(["settle:failed"])).control(Control::Retry).run_until_idle();
    let names: Vec<_> = retried.world().state_machines.starts().into_iter().map(|start| start.name).collect();
    assert!(names.len() == 2 && names[0].ends_with("-settle-1") && names[1].ends_with("-settle-2"), "{names:?}");
    retried.expect(completed().variable("settled", succeeded()));
    let skipped = story(&text, || machine_fails("E", "c").after("1h")).run_until_idle().expect(paused());
    let skipped = skipped.control(Control::Skip { take: None }).settle().expect(completed());
    assert_eq!(starts(&skipped), 1);
}

#[test]
fn an_edit_that_puts_a_goal_in_its_place_or_the_reverse_begins_that_anew() {
    let goal =
        workflow("\n  - {id: settle, type: goal, until: 'false', timeout: 3h}\n  - {id: end, type: note, text: end}");
    let machine = || machine_succeeds(receipt()).after("2h");
    let to_goal = story(&waits(""), machine).run_for("1h").workflow(&goal).settle();
    to_goal.expect(waiting()).run_until_idle().expect(completed().path(["settle:moved", "settle:unmet", "end"]));
    let to_machine = story(&goal, machine).run_for("1h").workflow(&waits("")).settle().expect(waiting());
    assert_eq!(starts(&to_machine), 1);
    to_machine.run_until_idle().expect(completed().path(["settle:moved", "settle", "end"]));
}

#[test]
fn an_edit_that_takes_it_away_moves_the_execution_on() {
    let without = workflow("\n  - {id: end, type: note, text: end}");
    let story = story(&waits(""), || machine_succeeds(receipt()).after("2h")).run_for("1h").workflow(&without).settle();
    story.expect(completed().path(["settle:moved", "end"])).run_until_idle().expect(completed());
}

#[test]
fn an_edit_of_its_keys_leaves_a_wait_as_it_began() {
    let story = story(&waits(""), || machine_succeeds(receipt()).after("2h")).run_for("1h");
    let story = story.workflow(&settles("timeout: 5s")).run_until_idle();
    let story = story.expect(completed().variable("settled", succeeded()));
    assert_eq!(starts(&story), 1);
}

#[test]
fn a_large_output_is_handed_on_whole() {
    let text = "x".repeat(100_000);
    for held in [false, true] {
        let output = text.clone();
        let story = story(&waits(""), move || machine_succeeds(output.clone()).after("2h")).run_for("1h");
        let story = if held { story.control(Control::Pause).run_for("2h").control(Control::Resume) } else { story };
        story.run_until_idle().expect(completed().variable("settled", json!({"output": text})));
    }
}
