//! Effects outside: claimed before, committed after, and what a crash in between leaves.

use pawl_engine::Control;
use pawl_runtime::Job;
use pawl_runtime::ports::{ModelError, ModelErrorKind, QueueName};
use pawl_testkit::scenario::{
    Reply, Scenario, World, answer, canceled, completed, dies, manual, network_error, paused, says, scenario, timeout,
    waiting,
};
use serde_json::json;

use crate::support::workflow;

const PAY: &str = "
  - {id: pay, type: http_request, method: POST, url: 'https://pay.example'}
  - {id: end, type: note, text: end}";

fn at_most_once() -> String {
    workflow(&PAY.replace("method: POST", "delivery: at_most_once, method: POST"))
}

fn replies(story: Scenario, replies: Vec<Reply>) -> Scenario {
    let mut replies = replies.into_iter();
    story.http(move |_| replies.next().unwrap_or_else(|| answer(200)))
}

/// The story of a workflow whose first call happens with something else meanwhile.
fn meanwhile(workflow: &str, act: impl FnOnce(&World, &str) + Send + 'static) -> Scenario {
    let story = scenario().workflow(workflow);
    let world = story.world().clone();
    let mut act = Some(act);
    story
        .http(move |_| {
            let (world, act) = (world.clone(), act.take());
            answer(200).meanwhile(move || {
                let id = world.executions().pop().expect("the caller began").id;
                if let Some(act) = act {
                    act(&world, &id);
                }
            })
        })
        .event(manual("w"))
}

#[test]
fn after_a_crash_in_the_middle_it_is_tried_again_with_the_same_key() {
    let story = replies(scenario().workflow(&workflow(PAY)), vec![dies()]).event(manual("w")).run_until_idle();
    let story = story.expect(completed().path(["pay", "end"]));
    let keys: Vec<_> = story.world().http.calls().iter().map(|call| call.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn an_at_most_once_call_is_not_tried_again_after_a_crash() {
    let story = replies(scenario().workflow(&at_most_once()), vec![dies()]).event(manual("w")).run_until_idle();
    let story = story.expect(paused().path(["pay:failed"]).failed_steps(["pay"]));
    assert_eq!(story.world().http.calls().len(), 1);
    let rows = story.last().rows;
    let error = rows.iter().find_map(|row| row.error.as_ref()).expect("the step failed");
    assert_eq!(error.code, "outcome_unknown");
    assert_eq!(story.world().notices().len(), 1, "the owner is told");
}

#[test]
fn an_operator_may_still_retry_an_at_most_once_call() {
    let story = replies(scenario().workflow(&at_most_once()), vec![dies()]).event(manual("w")).run_until_idle();
    let story = story.control(Control::Retry).run_until_idle().expect(completed());
    let keys: Vec<_> = story.world().http.calls().iter().map(|call| call.headers["idempotency-key"].clone()).collect();
    assert_ne!(keys[0], keys[1], "a person decided that it is another call");
}

#[test]
fn an_at_most_once_call_whose_answer_is_lost_is_not_retried() {
    for reply in [timeout(), network_error(), answer(500)] {
        let story = replies(scenario().workflow(&at_most_once()), vec![reply]).event(manual("w")).run_until_idle();
        assert_eq!(story.expect(paused()).world().http.calls().len(), 1);
    }
}

#[test]
fn an_at_most_once_call_that_was_turned_away_is_retried() {
    let story = replies(scenario().workflow(&at_most_once()), vec![answer(429)]).event(manual("w")).run_until_idle();
    assert_eq!(story.expect(completed()).world().http.calls().len(), 2);
}

#[test]
fn a_second_delivery_of_the_job_finds_the_lease_and_backs_off() {
    let story = meanwhile(&workflow(PAY), |world, id| {
        let execution = world.execution(id);
        let job = Job::of(&execution).message("w", jiff::SignedDuration::ZERO);
        let sent = world.system.ports.queue.send(QueueName::Jobs, vec![job]);
        futures::FutureExt::now_or_never(sent).expect("memory answers at once").expect("a queue in memory takes it");
        world.settle().expect("the repeat is handled");
    });
    let story = story.run_until_idle().expect(completed().path(["pay", "end"]));
    assert_eq!(story.world().http.calls().len(), 1);
}

#[test]
fn a_pause_during_the_call_takes_effect_after_its_result_is_committed() {
    let story = meanwhile(&workflow(PAY), |world, id| {
        world.control(id, &Control::Pause).expect("it runs");
    });
    story.run_until_idle().expect(paused().path(["pay"])).control(Control::Resume).run_until_idle().expect(completed());
}

#[test]
fn a_result_that_comes_after_its_lease_does_not_end_what_was_paused_meanwhile() {
    let alone = "\n  - {id: pay, type: http_request, method: POST, url: 'https://pay.example'}";
    let story = meanwhile(&workflow(alone), |world, id| {
        world.control(id, &Control::Pause).expect("it runs");
        world.clock.advance(jiff::SignedDuration::from_mins(10));
        world.settle().expect("the pause takes effect once the lease is over");
        assert_eq!(world.execution(id).status, pawl_engine::Status::Paused);
    });
    let story = story.run_until_idle().expect(paused().path(["pay"]));
    let story = story.control(Control::Resume).run_until_idle().expect(completed().path(["pay"]));
    assert_eq!(story.world().http.calls().len(), 1);
}

#[test]
fn a_failure_that_comes_after_its_lease_does_not_end_what_was_paused_meanwhile() {
    for then in ["continue", "fail"] {
        let policy = format!("on_failure: {{retry: {{attempts: 0}}, then: {then}}}");
        let alone =
            format!("\n  - {{id: pay, type: http_request, method: POST, url: 'https://pay.example', {policy}}}");
        let story = scenario().workflow(&workflow(&alone));
        let world = story.world().clone();
        let story = story.http(move |_| {
            let world = world.clone();
            network_error().meanwhile(move || {
                let id = world.executions().pop().expect("the caller began").id;
                world.control(&id, &Control::Pause).expect("it runs");
                world.clock.advance(jiff::SignedDuration::from_mins(10));
                world.settle().expect("the pause takes effect once the lease is over");
            })
        });
        story.event(manual("w")).run_until_idle().expect(paused());
    }
}

#[test]
fn a_failure_that_is_to_be_retried_stays_in_the_pause_that_came_meanwhile() {
    let alone = "\n  - {id: pay, type: http_request, method: POST, url: 'https://pay.example'}";
    let story = scenario().workflow(&workflow(alone));
    let world = story.world().clone();
    let mut is_first = true;
    let story = story.http(move |_| {
        if !std::mem::take(&mut is_first) {
            return answer(200);
        }
        let world = world.clone();
        answer(503).meanwhile(move || {
            let id = world.executions().pop().expect("the caller began").id;
            world.control(&id, &Control::Pause).expect("it runs");
            world.clock.advance(jiff::SignedDuration::from_mins(10));
            world.settle().expect("the pause takes effect once the lease is over");
        })
    });
    let story = story.event(manual("w")).run_until_idle().expect(paused());
    let story = story.control(Control::Resume).run_until_idle().expect(completed().path(["pay"]));
    assert_eq!(story.world().http.calls().len(), 2);
}

#[test]
fn a_pause_that_waits_is_taken_back_by_a_resume() {
    let story = meanwhile(&workflow(PAY), |world, id| {
        world.control(id, &Control::Pause).expect("it runs");
        world.control(id, &Control::Resume).expect("it is to be paused");
    });
    story.run_until_idle().expect(completed().path(["pay", "end"]));
}

#[test]
fn a_cancel_during_the_call_takes_effect_after_its_result_is_committed() {
    let story = meanwhile(&workflow(PAY), |world, id| {
        world.control(id, &Control::Cancel).expect("it runs");
    });
    story.run_until_idle().expect(canceled().path(["pay"]));
}

#[test]
fn a_cancel_during_a_call_that_dies_ends_it_when_the_lease_is_over() {
    let story = scenario().workflow(&workflow(PAY));
    let world = story.world().clone();
    let story = story.http(move |_| {
        let world = world.clone();
        dies().meanwhile(move || {
            let id = world.executions().pop().expect("the caller began").id;
            world.control(&id, &Control::Cancel).expect("it runs");
        })
    });
    let story = story.event(manual("w")).run_until_idle().expect(canceled());
    assert_eq!(story.world().http.calls().len(), 1);
}

#[test]
fn a_kill_during_the_call_lets_its_result_be_committed_and_nothing_more() {
    let story = meanwhile(&workflow(PAY), |world, id| {
        world.control(id, &Control::Kill).expect("it runs");
    });
    let story = story.run_until_idle().run_for("30d");
    assert_eq!(story.last().path(), ["pay"]);
    story.control(Control::Lift).run_until_idle().expect(completed().path(["pay", "end"]));
}

const SECRETIVE: &str = "
  - id: call
    type: http_request
    method: POST
    url: 'https://x.example/{{ secret(\"path\") }}'
    query: {key: '{{ secret(\"path\") }}'}
    headers: {authorization: 'Bearer {{ secret(\"token\") }}'}
    body: {password: '{{ secret(\"token\") }}'}
    on_failure: {then: continue, retry: {attempts: 0}}
    save_as: answer
  - {id: note, type: note, text: '{{ json(coalesce(vars.answer, null)) }} {{ json(steps.call.error) }}'}";

fn secretive(reply: Reply) -> Scenario {
    let story = scenario().workflow(&workflow(SECRETIVE)).secret("token", "s3cr3t-token").secret("path", "s3cr3t-path");
    replies(story, vec![reply]).event(manual("w")).run_until_idle()
}

#[track_caller]
fn keeps_secrets(story: &Scenario) {
    let world = story.world();
    for table in pawl_testkit::scenario::TABLES {
        for item in world.store.items(table) {
            assert!(
                !item.body.contains("s3cr3t"),
                "{}/{} holds a secret: {}",
                item.key.partition,
                item.key.sort,
                item.body
            );
        }
    }
    assert!(world.notices().iter().all(|notice| !format!("{notice:?}").contains("s3cr3t")));
}

#[test]
fn secrets_reach_the_service_and_stand_nowhere_else() {
    let story = secretive(answer(200).body("ok")).expect(completed());
    let call = story.world().http.calls().remove(0);
    assert_eq!(call.url, "https://x.example/s3cr3t-path?key=s3cr3t-path");
    assert_eq!(call.headers["authorization"], "Bearer s3cr3t-token");
    assert_eq!(call.body.as_deref(), Some(r#"{"password":"s3cr3t-token"}"#));
    keeps_secrets(&story);
    let input = story.last().rows.iter().find(|row| row.step.as_deref() == Some("call")).map(|row| row.input.clone());
    assert_eq!(input.expect("the call has an input")["headers"]["authorization"], "Bearer [secret:token]");
}

#[test]
fn a_service_that_sends_secrets_back_does_not_put_them_into_history() {
    let body = json!({"you_sent": {"Bearer s3cr3t-token": ["https://x.example/s3cr3t-path"]}});
    let story = secretive(answer(200).body(body).header("x-echo", "s3cr3t-token")).expect(completed());
    keeps_secrets(&story);
    let answer = &story.last().execution.variables["answer"];
    assert_eq!(answer["body"]["you_sent"]["Bearer [secret:token]"][0], "https://x.example/[secret:path]");
}

#[test]
fn an_error_that_names_a_secret_is_scrubbed() {
    use pawl_runtime::ports::HttpError;
    let error = HttpError::Network("cannot connect to https://x.example/s3cr3t-path".to_owned());
    keeps_secrets(&secretive(Reply::error(error)).expect(completed().failed_steps(["call"])));
}

const ECHOED_LATER: &str = "
  - id: send
    type: http_request
    method: POST
    url: 'https://x.example/{{ secret(\"path\") }}'
    body: {password: '{{ secret(\"token\") }}'}
  - {id: read, type: http_request, url: 'https://x.example/back', save_as: answer, on_failure: {then: continue, retry: {attempts: 0}}}
  - {id: ask, type: call_llm, model: test/model, prompt: '{{ json(vars.answer) }}', on_failure: {then: continue, retry: {attempts: 0}}}
  - id: other
    type: condition
    if: 1 > 2
    yes: [{id: unused, type: http_request, url: 'https://x.example/{{ secret(\"never-set\") }}'}]
  - {id: note, type: note, text: '{{ json(coalesce(vars.answer, null)) }} {{ json(steps.read.error) }}'}";

fn echoed_later(echo: Reply, model: Result<&'static str, &'static str>) -> Scenario {
    let story = scenario().workflow(&workflow(ECHOED_LATER)).secret("token", "s3cr3t-token");
    let story = story.secret("path", "s3cr3t-path").model(move |_| match model {
        Ok(text) => says(text),
        Err(message) => Err(ModelError::new(ModelErrorKind::Refused, message)),
    });
    replies(story, vec![answer(200), echo]).event(manual("w")).run_until_idle().expect(completed())
}

/// Bug: only the secrets of the present call were taken out of an answer. A step that used none kept the echo of another.
#[test]
fn what_one_step_sent_and_a_later_answer_repeats_is_in_no_history() {
    use pawl_runtime::ports::HttpError;
    let body = json!({"last": {"password": "s3cr3t-token"}, "at": "https://x.example/s3cr3t-path"});
    let story = echoed_later(answer(200).body(body).header("x-echo", "s3cr3t-token"), Ok("it is s3cr3t-token"));
    keeps_secrets(&story);
    let execution = story.last().execution;
    assert_eq!(execution.variables["answer"]["body"]["last"]["password"], "[secret:token]");
    assert_eq!(execution.variables["answer"]["body"]["at"], "https://x.example/[secret:path]");
    assert_eq!(execution.steps["ask"].output["text"], "it is [secret:token]");
    let rows = story.last().rows;
    let asked = rows.iter().find(|row| row.step.as_deref() == Some("ask")).expect("the model was asked");
    assert_eq!(asked.trace["answer"]["text"], "it is [secret:token]");

    let error = HttpError::Network("cannot connect to https://x.example/s3cr3t-path".to_owned());
    let story = echoed_later(Reply::error(error), Err("no such key: s3cr3t-token"));
    keeps_secrets(&story);
    let told = |step: &str| story.last().execution.steps[step].error.clone().expect("it failed").message;
    assert_eq!(told("read"), "cannot connect to https://x.example/[secret:path]");
    assert_eq!(told("ask"), "no such key: [secret:token]");
}

#[test]
fn a_secret_that_is_not_there_fails_the_step_before_the_call() {
    let story = scenario().workflow(&workflow(SECRETIVE)).event(manual("w")).run_until_idle();
    story.expect(completed().path(["call:failed", "note"]).calls([]));
}

#[test]
fn text_from_outside_cannot_name_a_secret() {
    let steps = "
  - {id: read, type: http_request, url: 'https://evil.example', save_as: got}
  - {id: call, type: http_request, method: POST, url: 'https://x.example', body: '{{ vars.got.body }}'}";
    let placeholder = pawl_definition::expression::secret_placeholder("token");
    let story = scenario().workflow(&workflow(steps)).secret("token", "s3cr3t-token");
    let story =
        replies(story, vec![answer(200).body(placeholder)]).event(manual("w")).run_until_idle().expect(completed());
    let sent = story.world().http.calls().remove(1).body.unwrap_or_default();
    assert!(!sent.contains("s3cr3t"), "{sent}");
}

#[test]
fn a_retry_keeps_waiting_while_it_is_paused() {
    let story = replies(scenario().workflow(&workflow(PAY)), vec![answer(503).header("retry-after", "600")]);
    let story = story.event(manual("w")).run_for("1m").control(Control::Pause).run_for("1h").expect(paused());
    assert_eq!(story.world().http.calls().len(), 1);
    story.control(Control::Resume).run_until_idle().expect(completed());
}

#[test]
fn an_unsent_notice_is_handed_on_by_the_sweeper_only_once() {
    let story = replies(scenario().workflow(&workflow(PAY)), vec![answer(400)]).event(manual("w")).run_until_idle();
    let story = story.run_for("1h");
    let swept =
        futures::FutureExt::now_or_never(story.world().system.sweeper.sweep(None)).expect("memory answers at once");
    assert_eq!(swept, Ok(0), "nothing is overdue");
    assert_eq!(story.world().notices().len(), 1);
}

#[test]
fn a_long_delay_needs_no_message_of_the_queue() {
    let steps = "  - {id: wait, type: delay, for: 40d}";
    let story = scenario().workflow(&workflow(steps)).event(manual("w")).run_for("1d").expect(waiting());
    assert_eq!(story.world().store.messages(QueueName::Jobs).len(), 0);
    assert_eq!(story.world().store.pending_timers().len(), 1);
}

/// Bug: all timers of an execution had one name. Scheduler deletes a schedule some time after it has fired, and so could
/// delete the next one, set under the same name meanwhile.
#[test]
fn each_time_that_an_execution_waits_for_has_a_timer_of_its_own() {
    let steps = "
  - {id: first, type: delay, for: 2h}
  - {id: second, type: delay, for: 2h}";
    let story = scenario().workflow(&workflow(steps)).event(manual("w")).run_for("1h");
    let first = story.world().store.pending_timers().remove(0).name;
    let story = story.run_for("2h");
    let second = story.world().store.pending_timers().remove(0).name;
    assert!(first != second && second.starts_with(&story.last().execution.id), "{first}, {second}");
    let canceled = story.control(pawl_engine::Control::Cancel);
    assert!(canceled.world().store.pending_timers().is_empty(), "what is canceled leaves no timer");
}
