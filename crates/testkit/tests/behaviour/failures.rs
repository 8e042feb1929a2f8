//! Failure policies: section 6 of the language.

use pawl_definition::Take;
use pawl_engine::Control;
use pawl_runtime::ports::Clock;
use pawl_testkit::scenario::{
    ExpectedCall, Reply, Scenario, answer, canceled, completed, failed, manual, network_error, paused, refused_address,
    scenario, timeout, waiting,
};

use crate::support::{with, workflow};

/// A call with this policy, then a note.
fn call(policy: &str) -> String {
    workflow(&format!(
        "  - {{id: call, type: http_request, method: POST, url: 'https://x.example', on_failure: {policy}}}\n  - {{id: end, type: note, text: end}}"
    ))
}

/// The story of a workflow whose service gives these replies in order, then 200.
fn story(workflow: &str, replies: Vec<Reply>) -> Scenario {
    let mut replies = replies.into_iter();
    scenario().workflow(workflow).http(move |_| replies.next().unwrap_or_else(|| answer(200))).event(manual("w"))
}

fn calls(story: &Scenario) -> usize {
    story.world().http.calls().len()
}

#[test]
fn by_default_infrastructure_errors_are_retried_three_times() {
    let replies = vec![network_error(), timeout(), answer(503)];
    let story = story(&call("{}"), replies).run_until_idle().expect(completed().path(["call", "end"]).failed_steps([]));
    assert_eq!(calls(&story), 4);
    assert!(story.world().notices().is_empty());
}

#[test]
fn after_the_retries_it_pauses_and_tells_the_owner() {
    let replies = (0..9).map(|_| answer(500)).collect();
    let story =
        story(&call("{}"), replies).run_until_idle().expect(paused().path(["call:failed"]).failed_steps(["call"]));
    assert_eq!(calls(&story), 4);
    let notices = story.world().notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].to, "owner@example.com");
    assert_eq!(notices[0].subject, "w: step call failed");
    assert!(notices[0].text.contains("docs/errors/http_status.md"), "{}", notices[0].text);
}

#[test]
fn every_attempt_sends_the_same_idempotency_key() {
    let story = story(&call("{}"), vec![answer(503), answer(503)]).run_until_idle();
    let keys: Vec<_> = story.world().http.calls().iter().map(|call| call.headers["idempotency-key"].clone()).collect();
    let id = story.last().execution.id;
    assert_eq!(keys, vec![format!("{id}:call:1"); 3]);
}

#[test]
fn other_client_errors_are_final() {
    for status in [400, 401, 403, 404, 409, 422] {
        let story = story(&call("{}"), vec![answer(status)]).run_until_idle().expect(paused());
        assert_eq!(calls(&story), 1, "{status}");
    }
}

#[test]
fn statuses_that_ask_to_come_back_are_retried() {
    for status in [408, 425, 429, 500, 502, 503] {
        story(&call("{}"), vec![answer(status)]).run_until_idle().expect(completed());
    }
}

#[test]
fn an_address_that_must_not_be_called_is_final() {
    let story = story(&call("{}"), vec![refused_address()]).run_until_idle().expect(paused());
    assert_eq!(calls(&story), 1);
}

#[test]
fn retry_after_is_obeyed() {
    let story =
        story(&call("{}"), vec![answer(429).header("Retry-After", "120")]).run_for("119s").expect(waiting_for_retry());
    assert_eq!(calls(&story), 1);
    let story = story.run_for("2s").expect(completed());
    assert_eq!(calls(&story), 2);
}

#[test]
fn retry_after_may_be_a_date() {
    let later = answer(503).header("Retry-After", "Thu, 01 Jan 2026 00:10:00 GMT");
    let story = story(&call("{}"), vec![later]).run_for("9m 59s").expect(waiting_for_retry());
    assert_eq!(calls(&story), 1);
    assert_eq!(calls(&story.run_for("2s").expect(completed())), 2);
}

fn waiting_for_retry() -> pawl_testkit::scenario::Expected {
    pawl_testkit::scenario::running().path([])
}

#[test]
fn waits_grow_up_to_the_most() {
    let policy = "{retry: {attempts: 5, first: 10s, factor: 3, max: 1m, jitter: false}}";
    let times = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let story = scenario().workflow(&call(policy));
    let (clock, seen) = (story.world().clock.clone(), times.clone());
    let story = story.http(move |_| {
        seen.lock().expect("no holder panics").push(clock.now().as_second());
        answer(503)
    });
    let _ = story.event(manual("w")).run_until_idle().expect(paused());
    let times = times.lock().expect("no holder panics").clone();
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [10, 30, 60, 60, 60]);
}

#[test]
fn only_the_classes_that_are_named_are_retried() {
    let policy = "{retry: {attempts: 3, on: [throttled]}}";
    let story_of = |reply| story(&call(policy), vec![reply]).run_until_idle();
    assert_eq!(calls(&story_of(answer(429)).expect(completed())), 2);
    assert_eq!(calls(&story_of(answer(503)).expect(paused())), 1);
    assert_eq!(calls(&story_of(network_error()).expect(paused())), 1);
}

#[test]
fn any_retries_everything() {
    let story = story(&call("{retry: {attempts: 2, on: [any]}}"), vec![answer(404), answer(404)]).run_until_idle();
    assert_eq!(calls(&story.expect(completed())), 3);
}

#[test]
fn continue_goes_on_and_the_failure_stays_visible() {
    let story = story(&call("{then: continue}"), vec![answer(400)]).run_until_idle();
    let story = story.expect(completed().path(["call:failed", "end"]).failed_steps(["call"]));
    assert_eq!(story.last().state(), "completed, has_failures");
    assert_eq!(story.world().notices().len(), 1);
}

#[test]
fn fail_ends_the_execution() {
    let story = story(&call("{then: fail, notify: ops@example.com}"), vec![answer(400)]).run_until_idle();
    let story = story.expect(failed("http_status").path(["call:failed"]).failed_steps(["call"]));
    let notices = story.world().notices();
    assert_eq!((notices.len(), notices[0].to.as_str()), (1, "ops@example.com"));
}

#[test]
fn notify_none_tells_nobody() {
    let story = story(&call("{then: continue, notify: none}"), vec![answer(400)]).run_until_idle().expect(completed());
    assert!(story.world().notices().is_empty());
}

#[test]
fn steps_of_a_policy_run_and_know_what_failed() {
    let policy = "{then: [{id: why, type: set_variables, values: {code: '{{ steps.call.error.code }}', status: '{{ steps.call.status }}'}}]}";
    let text = call(policy);
    let expected =
        completed().path(["call:failed", "why", "end"]).variable("code", "http_status").variable("status", "failed");
    story(&text, vec![answer(400)]).run_until_idle().expect(expected);
}

#[test]
fn the_workflows_policy_stands_where_a_step_has_none() {
    let steps = "
  - {id: a, type: http_request, url: 'https://x.example'}
  - {id: b, type: http_request, url: 'https://x.example', on_failure: {then: fail}}";
    let text = with("on_failure: {then: continue, retry: {attempts: 0}}", steps);
    let story = story(&text, vec![answer(503), answer(503)]).run_until_idle();
    assert_eq!(calls(&story.expect(failed("http_status").path(["a:failed", "b:failed"]))), 2);
}

#[test]
fn an_operator_retries_a_failed_step() {
    let replies = (0..4).map(|_| answer(503)).collect();
    let story = story(&call("{}"), replies).run_until_idle().expect(paused()).control(Control::Retry).run_until_idle();
    let story = story.expect(completed().path(["call:failed", "call", "end"]).failed_steps([]));
    assert_eq!(calls(&story), 5);
}

#[test]
fn an_operator_skips_a_failed_step() {
    let story =
        story(&call("{}"), vec![answer(400)]).run_until_idle().control(Control::Skip { take: None }).run_until_idle();
    story.expect(completed().path(["call:failed", "call:skipped", "end"]));
}

#[test]
fn an_operator_skips_a_condition_and_chooses_its_branch() {
    let steps = "
  - id: check
    type: condition
    if: dyn(vars.n)
    no: [{id: n, type: note, text: n}]
  - {id: end, type: note, text: end}";
    let text = with("variables: [{name: n, type: number, default: 1}]", steps);
    let story = scenario().workflow(&text).event(manual("w")).run_until_idle().expect(paused().path(["check:failed"]));
    let id = story.last().execution.id;
    let refusal = story.world().control(&id, &Control::Skip { take: None }).expect_err("the branch is not said");
    assert_eq!(refusal.to_string(), "cannot skip an execution that is paused");
    let story = story.control(Control::Skip { take: Some(Take::No) }).run_until_idle();
    story.expect(completed().path(["check:failed", "check:no", "n", "end"]));
}

#[test]
fn an_operator_cancels_a_failed_execution() {
    let story = story(&call("{}"), vec![answer(400)]).run_until_idle().control(Control::Cancel);
    story.expect(canceled().path(["call:failed"]));
}

#[test]
fn a_failure_does_not_roll_back_what_came_before() {
    let steps = "
  - {id: set, type: set_variables, values: {a: 1}}
  - {id: call, type: http_request, url: 'https://x.example'}";
    let story = story(&workflow(steps), vec![answer(400)]).run_until_idle();
    story.expect(paused().path(["set", "call:failed"]).variable("a", 1));
}

#[test]
fn a_retry_is_no_busy_wait_and_survives_long_waits() {
    let policy = "{retry: {attempts: 2, first: 2h, max: 1d, jitter: false}}";
    let story = story(&call(policy), vec![answer(503), answer(503)]).run_for("1h").expect(waiting_for_retry());
    assert_eq!(story.world().store.pending_timers().len(), 1, "a wait beyond the queue's most is a timer");
    story.run_until_idle().expect(completed());
}

#[test]
fn a_call_that_takes_too_long_is_a_time_out() {
    let steps = "  - {id: call, type: http_request, url: 'https://x.example', timeout: 5s, on_failure: {retry: {attempts: 0}, then: continue}}";
    let story = story(&workflow(steps), vec![answer(200).after_s(6)]).run_until_idle();
    let story = story.expect(completed().path(["call:failed"]).calls([ExpectedCall::of("GET", "https://x.example")]));
    let trace = story.last();
    let error = trace.rows.iter().find_map(|row| row.error.clone()).expect("the call failed");
    assert_eq!(error.code, "http_timeout");
}

#[test]
fn a_delay_is_never_retried_by_itself() {
    let steps = "  - {id: wait, type: delay, for: 1h}\n  - {id: end, type: note, text: end}";
    story(&workflow(steps), Vec::new()).run_for("10m").expect(waiting());
}

#[test]
fn a_step_that_failed_once_and_succeeded_in_a_later_visit_is_still_shown_as_failed() {
    let steps = "
  - {id: call, type: http_request, url: 'https://x.example', on_failure: {then: continue}}
  - {id: count, type: set_variables, values: {n: '{{ vars.n + 1 }}'}}
  - {id: more, type: condition, if: vars.n < 2, yes: [{id: again, type: go_to, step: call}]}";
    let workflow = with("variables: [{name: n, type: number, default: 0}]", steps);
    let story = story(&workflow, vec![answer(400)]).run_until_idle();
    let story = story.expect(completed().variable("n", 2).failed_steps(["call"]));
    assert_eq!(story.last().state(), "completed, has_failures");
}

#[test]
fn a_step_that_an_operator_retries_with_success_is_no_failure_any_more() {
    let story = story(&call("{}"), vec![answer(400)]).run_until_idle().control(Control::Retry).run_until_idle();
    assert_eq!(story.expect(completed().failed_steps([])).last().state(), "completed");
}

#[test]
fn a_notice_goes_to_whom_the_policy_says_as_grave_as_it_says() {
    let policy = "{then: continue, notify: ops@example.com, severity: warning}";
    let story = story(&call(policy), vec![answer(400)]).run_until_idle();
    let notices = story.world().notices();
    assert_eq!((notices[0].to.as_str(), notices[0].severity.as_str()), ("ops@example.com", "warning"));
    let steps = "  - {id: call, type: http_request, url: 'https://x.example', on_failure: {then: continue}}";
    let workflow = with("on_failure: {notify: ops@example.com, severity: info}", steps);
    let story = self::story(&workflow, vec![answer(400)]).run_until_idle();
    let notices = story.world().notices();
    assert_eq!((notices[0].to.as_str(), notices[0].severity.as_str()), ("ops@example.com", "info"));
}

#[test]
fn the_pause_names_the_step_and_why() {
    let story = story(&call("{}"), vec![answer(400)]).run_until_idle();
    let execution = story.expect(paused()).last().execution;
    let pause = execution.pause.expect("it is paused");
    assert_eq!(execution.cursor.as_deref(), Some("call"));
    assert_eq!(
        (pause.reason, pause.note.as_deref()),
        (pawl_engine::PauseReason::Failure, Some("the service answered 400"))
    );
}

#[test]
fn a_switch_or_goal_that_fails_may_be_passed_over_but_not_a_condition() {
    let after = |step: &str| {
        let steps = format!("{step}\n  - {{id: end, type: note, text: end}}");
        let workflow = with("on_failure: {then: continue}", &steps);
        story(&workflow, Vec::new()).run_until_idle()
    };
    after("  - {id: choose, type: switch, on: 'dyn(1) + \"x\"', cases: {a: [{id: a, type: note, text: a}]}}")
        .expect(completed().path(["choose:failed", "end"]).failed_steps(["choose"]));
    after("  - {id: wait, type: goal, until: 'dyn(1) + \"x\" == \"y\"', met: [{id: a, type: note, text: a}]}")
        .expect(completed().path(["wait:failed", "end"]).failed_steps(["wait"]));
    after("  - {id: check, type: condition, if: 'dyn(1) + \"x\" == \"y\"'}").expect(paused().path(["check:failed"]));
}

#[test]
fn a_wait_may_be_shorter_than_a_second() {
    let policy = "{retry: {attempts: 1, first: 200ms, jitter: false}}";
    let story = story(&call(policy), vec![answer(503)]).settle();
    let retry = story.last().rows.pop().expect("the retry is a row");
    assert_eq!(retry.due.expect("it is due").duration_since(retry.at), jiff::SignedDuration::from_millis(200));
}
