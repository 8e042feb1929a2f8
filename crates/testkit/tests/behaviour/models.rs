//! `call_llm`, and what models may cost. Sections 7 and 10 of the language.

use std::sync::{Arc, Mutex};

use pawl_engine::{Address, StepStatus};
use pawl_runtime::ports::{ModelAnswer, ModelError, ModelErrorKind, Price, TokenCounts};
use pawl_testkit::scenario::{
    ModelReply, Scenario, canceled, completed, manual, paused, said, says, says_json, scenario,
};
use serde_json::json;

use crate::support::with;

const ASK: &str = "
  - id: ask
    type: call_llm
    model: test/model
    prompt: 'How urgent is {{ vars.n }}?'
    output: {fields: {urgency: {options: [low, high]}, confidence: {type: number, optional: true}}}
    min_confidence: 0.7
    low_confidence: [{id: person, type: note, text: a person looks}]
    save_as: answer
  - {id: end, type: note, text: end}";

/// The story of a workflow whose model gives these replies in order.
fn story(keys: &str, replies: Vec<ModelReply>) -> Scenario {
    let keys = format!("variables: [{{name: n, type: number, default: 7}}]\n{keys}");
    let mut replies = replies.into_iter();
    let unasked = || Err(ModelError::new(ModelErrorKind::Refused, "nobody expected this question"));
    scenario().workflow(&with(&keys, ASK)).model(move |_| replies.next().unwrap_or_else(unasked)).event(manual("w"))
}

fn asked(story: &Scenario) -> usize {
    story.world().models.requests().len()
}

#[test]
fn a_structured_answer_becomes_the_output() {
    let story = story("", vec![says_json(&json!({"urgency": "high", "confidence": 0.9}))]).run_until_idle();
    let story = story.expect(completed().path(["ask", "end"]).variable("answer", json!({"urgency": "high"})));
    let request = story.world().models.requests().remove(0);
    let (asked, form) = request.prompt.split_once("\n\n").expect("the form stands below the prompt");
    assert_eq!(asked, "How urgent is 7?");
    assert!(form.contains("\"low\" or \"high\""), "options reach the model: {form}");
    assert_eq!(request.schema.expect("the answer has a shape")["required"], json!(["urgency", "confidence"]));
    assert_eq!(story.last().execution.usage.tokens, 120);
}

#[test]
fn an_answer_in_a_fence_is_read() {
    let reply = says("Here you are:\n```json\n{\"urgency\": \"low\", \"confidence\": 0.9}\n```");
    story("", vec![reply]).run_until_idle().expect(completed().variable("answer", json!({"urgency": "low"})));
}

#[test]
fn an_answer_that_does_not_fit_is_repaired_with_the_reasons() {
    let story = story(
        "",
        vec![
            says("very"),
            says_json(&json!({"urgency": "very"})),
            says_json(&json!({"urgency": "low", "confidence": 0.9})),
        ],
    );
    let story = story.run_until_idle().expect(completed());
    let requests = story.world().models.requests();
    assert!(requests[1].prompt.contains("holds no JSON"), "{}", requests[1].prompt);
    let last = &requests[2].prompt;
    assert!(last.starts_with(&requests[0].prompt), "it is asked afresh: {last}");
    assert!(last.contains("urgency: expected one of") && !last.contains("holds no JSON"), "{last}");
    assert_eq!(story.last().execution.usage.tokens, 360, "repairs cost too");
}

#[test]
fn after_two_repairs_the_step_fails_and_keeps_the_raw_answer() {
    let story = story("", vec![says("a"), says("b"), says("c")]).run_until_idle().expect(paused().path(["ask:failed"]));
    assert_eq!(asked(&story), 3);
    let rows = story.last().rows;
    let row = rows.iter().find(|row| row.error.is_some()).expect("the step failed");
    assert_eq!(row.error.as_ref().map(|error| error.code.as_str()), Some("model_answer_invalid"));
    assert_eq!(row.output, json!({"raw": "c"}));
}

#[test]
fn history_keeps_the_raw_answers_with_tokens_cost_and_latency() {
    let text = "```json\n{\"urgency\": \"low\", \"confidence\": 0.9}\n```";
    let costly = ModelAnswer {
        model: Some("model-2026-11".to_owned()),
        tokens: TokenCounts { input: Some(10), output: Some(5) },
        price: Some(Price { input: 20_000.0, output: 10_000.0 }),
        ..said(text)
    };
    let story = story("", vec![says("very"), Ok(costly)]).run_until_idle().expect(completed());
    let rows = story.last().rows;
    let [unfit, fit] = rows.iter().filter(|row| row.step.as_deref() == Some("ask")).collect::<Vec<_>>()[..] else {
        panic!("each call is a row: {rows:#?}");
    };
    let answer =
        json!({"text": "very", "finish_reason": "stop", "input_tokens": 100, "output_tokens": 20, "latency_ms": 0});
    assert_eq!(unfit.trace, json!({"model": "test/model", "max_tokens": null, "answer": answer}));
    let answer = json!({"text": text, "finish_reason": "stop", "model": "model-2026-11", "input_tokens": 10,
        "output_tokens": 5, "usd": 0.25, "latency_ms": 0});
    assert_eq!(fit.trace, json!({"model": "test/model", "max_tokens": null, "answer": answer}));
    assert_eq!((unfit.usage.tokens, fit.usage.tokens, fit.usage.usd), (120, 15, 0.25));
    assert_eq!(fit.input["prompt"], "How urgent is 7?");
}

#[test]
fn an_answer_is_not_repaired_beyond_the_budget() {
    let story = story("limits: {budget: {tokens: 200}}", vec![says("a"), says("b"), says("c")]).run_until_idle();
    let story = story.expect(paused().path(["ask:failed"]));
    assert_eq!(asked(&story), 2);
    assert_eq!(story.last().state(), "paused, has_failures, over_budget");
}

#[test]
fn an_answer_is_not_repaired_once_it_is_killed_paused_or_canceled() {
    use pawl_engine::Control;
    for control in [Control::Kill, Control::Pause, Control::Cancel] {
        let keys = "variables: [{name: n, type: number, default: 7}]";
        let story = scenario().workflow(&with(keys, ASK));
        let (world, mut answers) = (story.world().clone(), 0);
        let act = control.clone();
        let story = story.model(move |_| {
            answers += 1;
            if answers > 1 {
                return says_json(&json!({"urgency": "low", "confidence": 0.9}));
            }
            let id = world.executions().pop().expect("the caller began").id;
            world.control(&id, &act).expect("it runs");
            says("no JSON at all")
        });
        let story = story.event(manual("w")).run_for("1h");
        assert_eq!(asked(&story), 1, "{}", control.word());
        let story = match control {
            Control::Kill => story.control(Control::Lift).run_until_idle(),
            Control::Pause => story.control(Control::Resume).run_until_idle(),
            _ => story,
        };
        let ends = if control == Control::Cancel { canceled() } else { completed().path(["ask", "end"]) };
        story.expect(ends);
    }
}

/// Repairs had no rows: a process that died in the second one asked, and paid, from the first again.
#[test]
fn each_call_is_claimed_and_committed_under_its_address() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let story = scenario().workflow(&with("variables: [{name: n, type: number, default: 7}]", ASK));
    let (world, seen) = (story.world().clone(), told.clone());
    let story = story.model(move |_| {
        let head = world.executions().pop().expect("the caller began");
        let mut seen = seen.lock().expect("nobody panicked");
        seen.push(head.leases.iter().map(|(address, _)| address.to_string()).collect::<Vec<_>>());
        match seen.len() {
            1 => says("no JSON at all"),
            2 => Err(ModelError::new(ModelErrorKind::Network, "gone")),
            3 => says_json(&json!({"urgency": "none of them"})),
            _ => says_json(&json!({"urgency": "low", "confidence": 0.9})),
        }
    });
    let story = story.event(manual("w")).run_until_idle().expect(completed().path(["ask", "end"]));
    assert_eq!(*told.lock().expect("nobody panicked"), [["ask"], ["ask.2"], ["ask.2"], ["ask.3"]]);
    let rows = story.last().rows;
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| row.step.as_deref() == Some("ask"))
        .map(|row| (row.address.as_ref().map(Address::as_str), row.status, row.attempt))
        .collect();
    let (runs, again) = (Some(StepStatus::Running), Some(StepStatus::Retrying));
    assert_eq!(
        rows,
        [
            (None, runs, Some(1)),
            (Some("ask.2"), again, Some(1)),
            (Some("ask.2"), runs, Some(2)),
            (Some("ask.3"), Some(StepStatus::Completed), Some(2)),
        ],
        "a repair is no attempt, and an attempt after a failure goes on where it failed"
    );
}

/// An attempt that gave up after its repairs is tried again from the question alone.
#[test]
fn a_retry_after_repairs_that_did_not_help_asks_afresh() {
    const PATIENT: &str = "
  - id: ask
    type: call_llm
    model: test/model
    prompt: How urgent?
    output: {fields: {urgency: {options: [low, high]}}}
    on_failure: {retry: {attempts: 1, on: [any]}}";
    let answers = vec![says("a"), says("b"), says("c"), says_json(&json!({"urgency": "low"}))];
    let mut answers = answers.into_iter();
    let story = scenario().workflow(&with("", PATIENT)).model(move |_| answers.next().expect("it is asked four times"));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let requests = story.world().models.requests();
    assert!(requests[2].prompt.contains("could not be used") && !requests[3].prompt.contains("could not be used"));
}

#[test]
fn an_unsure_answer_takes_its_path() {
    let unsure = says_json(&json!({"urgency": "low", "confidence": 0.5}));
    story("", vec![unsure]).run_until_idle().expect(completed().path(["ask:low_confidence", "person", "end"]));
    let sure = says_json(&json!({"urgency": "low", "confidence": 0.7}));
    story("", vec![sure]).run_until_idle().expect(completed().path(["ask", "end"]));
    let silent = says_json(&json!({"urgency": "low"}));
    story("", vec![silent]).run_until_idle().expect(completed().path(["ask:low_confidence", "person", "end"]));
}

#[test]
fn a_provider_that_fails_is_asked_again() {
    let failures = [
        ModelError::new(ModelErrorKind::Throttled, "later"),
        ModelError::new(ModelErrorKind::Server, "oops"),
        ModelError::new(ModelErrorKind::Network, "gone"),
    ];
    for failure in failures {
        let story =
            story("", vec![Err(failure), says_json(&json!({"urgency": "low", "confidence": 0.9}))]).run_until_idle();
        assert_eq!(asked(&story.expect(completed())), 2);
    }
}

#[test]
fn a_model_that_is_not_configured_is_not_asked_again() {
    let story = scenario().workflow(&with("variables: [{name: n, type: number, default: 7}]", ASK)).event(manual("w"));
    let story = story.run_until_idle().expect(paused().path(["ask:failed"]));
    assert_eq!(asked(&story), 1);
    let rows = story.last().rows;
    let error = rows.iter().find_map(|row| row.error.as_ref()).expect("the step failed");
    assert_eq!(error.code, "model_not_configured");
}

const TWICE: &str = "
  - {id: a, type: call_llm, model: test/model, prompt: one}
  - {id: b, type: call_llm, model: test/model, prompt: two}";

fn spending(budget: &str) -> Scenario {
    scenario().workflow(&with(&format!("limits: {{budget: {budget}}}"), TWICE)).model(|_| says("x"))
}

#[test]
fn a_budget_of_an_execution_is_not_passed() {
    let story = spending("{tokens: 100}").event(manual("w")).run_until_idle().expect(paused().path(["a", "b:failed"]));
    assert_eq!(asked(&story), 1);
    let trace = story.last();
    assert_eq!(trace.state(), "paused, has_failures, over_budget");
    assert_eq!(
        trace.rows.iter().find_map(|row| row.error.as_ref()).map(|error| error.code.as_str()),
        Some("over_budget")
    );
    spending("{tokens: 200}").event(manual("w")).run_until_idle().expect(completed());
}

#[test]
fn a_budget_of_a_day_is_shared_by_all_executions_and_anew_the_next_day() {
    let story = spending("{tokens: 300, per: day}").event(manual("w")).run_until_idle().expect(completed());
    let story = story.event(manual("w")).run_until_idle().expect(paused().path(["a", "b:failed"]));
    let story = story.run_for("1d").event(manual("w")).run_until_idle().expect(completed().path(["a", "b"]));
    assert_eq!(asked(&story), 5);
}

#[test]
fn a_budget_in_dollars_counts_what_the_provider_says() {
    let costly = || Ok(ModelAnswer { price: Some(Price { input: 5_000.0, output: 0.0 }), ..said("x") });
    let story = scenario().workflow(&with("limits: {budget: {usd: 0.4}}", TWICE)).model(move |_| costly());
    story.event(manual("w")).run_until_idle().expect(paused().path(["a", "b:failed"]));
}

/// Fault 29: answers without `usage` never reached a budget.
#[test]
fn what_a_provider_does_not_count_is_estimated_and_marked() {
    let uncounted = || Ok(ModelAnswer { tokens: TokenCounts::default(), ..said(&"word ".repeat(400)) });
    let story = scenario().workflow(&with("limits: {budget: {tokens: 500}}", TWICE)).model(move |_| uncounted());
    let story = story.event(manual("w")).run_until_idle().expect(paused().path(["a", "b:failed"]));
    let usage = story.last().execution.usage;
    assert_eq!((usage.tokens, usage.estimated), (501, true), "a token for each four bytes of `one` and of the answer");
    let rows = story.last().rows;
    let row = rows.iter().find(|row| row.step.as_deref() == Some("a")).expect("the call is a row");
    assert_eq!(row.trace["answer"]["estimated"], json!(true));
}

/// Fault 05: an answer that was cut off was completed, or asked for again with the same bound.
#[test]
fn an_answer_that_was_cut_off_is_not_asked_for_again() {
    let cut = |text: &str| Ok(ModelAnswer { finish_reason: Some("length".to_owned()), ..said(text) });
    let story = story("", vec![cut("{\"urgency\": \"lo")]).run_until_idle().expect(paused().path(["ask:failed"]));
    assert_eq!(asked(&story), 1);
    let last = story.last();
    let row = last.rows.iter().find(|row| row.error.is_some()).expect("the step failed");
    let error = row.error.as_ref().expect("it is the row of the failure");
    assert_eq!(error.code, "model_answer_cut");
    assert!(error.message.contains("max_tokens"), "{error}");
    assert_eq!(last.execution.usage.tokens, 120, "it was paid for");
}

#[test]
fn an_answer_that_a_server_broke_off_is_asked_for_again_as_a_failure_of_the_server() {
    let broken = Ok(ModelAnswer { finish_reason: Some("abort".to_owned()), ..said("{}") });
    let whole = says_json(&json!({"urgency": "low", "confidence": 0.9}));
    assert_eq!(asked(&story("", vec![broken, whole]).run_until_idle().expect(completed())), 2);
}

/// An answer below `min_confidence` was stored by `save_as` all the same.
#[test]
fn an_unsure_answer_is_not_saved() {
    let keys =
        "variables: [{name: n, type: number, default: 7}, {name: answer, type: object, default: {urgency: none}}]";
    let unsure = says_json(&json!({"urgency": "low", "confidence": 0.5}));
    let mut replies = vec![unsure].into_iter();
    let story = scenario().workflow(&with(keys, ASK)).model(move |_| replies.next().expect("it is asked once"));
    let story = story.event(manual("w")).run_until_idle();
    let story = story.expect(completed().path(["ask:low_confidence", "person", "end"]));
    let last = story.last();
    assert_eq!(last.execution.variables["answer"], json!({"urgency": "none"}));
    assert_eq!(last.execution.steps["ask"].output["urgency"], "low", "steps can read it all the same");
}

/// Confidence 85 passed `min_confidence: 0.7`.
#[test]
fn a_confidence_that_is_no_share_is_asked_for_again_and_never_passes() {
    let wrong = || says_json(&json!({"urgency": "low", "confidence": 85}));
    let story = story("", vec![wrong(), wrong(), wrong()]).run_until_idle().expect(paused().path(["ask:failed"]));
    assert!(story.world().models.requests()[1].prompt.contains("a number from 0 to 1, found 85"));
}

/// Dates, e-mails and telephone numbers of an answer were not checked, and the next step paused.
#[test]
fn fields_of_an_answer_are_brought_to_their_types_inside_the_step() {
    const TYPED: &str = "
  - id: ask
    type: call_llm
    model: test/model
    prompt: Read the order.
    output:
      fields: {price: {type: number}, due: {type: date}, kind: {type: option, options: [bug, question]}, from: {type: email, optional: true}}
    save_as: order";
    let answer = "[{\"price\": \"59.90\", \"due\": \"2026-11-21T10:00:00Z\", \"kind\": \"Bug\", \"from\": null}]";
    let wrong = "{\"price\": 1, \"due\": \"soon\", \"kind\": \"bug\", \"from\": \"nobody\"}";
    let mut replies = vec![says(wrong), says(answer)].into_iter();
    let story = scenario().workflow(&with("", TYPED)).model(move |_| replies.next().expect("it is asked twice"));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let order = json!({"price": 59.9, "due": "2026-11-21", "kind": "bug", "from": null});
    assert_eq!(story.last().execution.variables["order"], order);
    let repair = &story.world().models.requests()[1].prompt;
    assert!(repair.contains("- due: expected a date") && repair.contains("- from: expected an e-mail"), "{repair}");
}

/// `reason` before `category` could not be asked for.
#[test]
fn fields_are_asked_for_in_the_order_in_which_they_are_written() {
    const ORDERED: &str = "
  - id: ask
    type: call_llm
    model: test/model
    prompt: Sort it.
    output: {fields: {reason: {}, category: {options: [a, b]}}}";
    let story = scenario().workflow(&with("", ORDERED)).model(|_| says("{\"reason\": \"x\", \"category\": \"a\"}"));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let request = story.world().models.requests().remove(0);
    let (reason, category) = (request.prompt.find("\"reason\""), request.prompt.find("\"category\""));
    assert!(reason.is_some() && reason < category, "{}", request.prompt);
    assert_eq!(request.schema.expect("it has a shape")["propertyOrdering"], json!(["reason", "category"]));
}

/// Fault 30: the next call came after the policy's time.
#[test]
fn a_provider_that_says_when_to_come_back_is_asked_then() {
    for header in ["20", "Thu, 01 Jan 2026 00:00:20 GMT"] {
        let throttled =
            ModelError { retry_after: Some(header.to_owned()), ..ModelError::new(ModelErrorKind::Throttled, "later") };
        let story = story("", vec![Err(throttled), says_json(&json!({"urgency": "low", "confidence": 0.9}))]);
        let story = story.run_for("19s");
        assert_eq!(asked(&story), 1, "{header}");
        assert_eq!(asked(&story.run_for("2s").expect(completed())), 2, "{header}");
    }
}

#[test]
fn a_busy_provider_uses_up_no_attempt() {
    let busy = || Err(ModelError::new(ModelErrorKind::Busy, "others are at it"));
    let mut replies: Vec<_> = (0..9).map(|_| busy()).collect();
    replies.push(says_json(&json!({"urgency": "low", "confidence": 0.9})));
    assert_eq!(asked(&story("", replies).run_until_idle().expect(completed())), 10);
}
