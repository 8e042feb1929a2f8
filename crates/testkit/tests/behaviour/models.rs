//! `call_llm`, and what models may cost. Sections 7 and 10 of the language.

use pawl_runtime::ports::ModelError;
use pawl_testkit::scenario::{ModelReply, Scenario, canceled, completed, manual, paused, says, says_json, scenario};
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
    let unasked = || Err(ModelError::Refused("nobody expected this question".to_owned()));
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
    assert_eq!(request.messages, ["How urgent is 7?"]);
    assert_eq!(request.schema.expect("the answer has a shape")["required"], json!(["urgency"]));
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
    let last = story.world().models.requests().remove(2);
    assert_eq!(last.messages.len(), 5, "prompt, answer, reasons, answer, reasons");
    assert!(last.messages[2].contains("holds no JSON"), "{}", last.messages[2]);
    assert!(last.messages[4].contains("urgency"), "{}", last.messages[4]);
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
    let costly = pawl_runtime::ports::ModelAnswer {
        text: "```json\n{\"urgency\": \"low\", \"confidence\": 0.9}\n```".to_owned(),
        input_tokens: 10,
        output_tokens: 5,
        usd: Some(0.25),
    };
    let story = story("", vec![says("very"), Ok(costly)]).run_until_idle().expect(completed());
    let rows = story.last().rows;
    let row = rows.iter().find(|row| row.step.as_deref() == Some("ask")).expect("the call is a row");
    let answer = |text: &str| json!({"text": text, "latency_ms": 0});
    assert_eq!(
        row.trace,
        json!({"answers": [answer("very"), answer("```json\n{\"urgency\": \"low\", \"confidence\": 0.9}\n```")]})
    );
    assert_eq!((row.usage.tokens, row.usage.usd), (135, 0.25));
    assert_eq!(row.input["prompt"], "How urgent is 7?");
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
        ModelError::Throttled("later".to_owned()),
        ModelError::Server("oops".to_owned()),
        ModelError::Network("gone".to_owned()),
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
    use pawl_runtime::ports::ModelAnswer;
    let costly = || Ok(ModelAnswer { text: "x".to_owned(), input_tokens: 1, output_tokens: 1, usd: Some(0.5) });
    let story = scenario().workflow(&with("limits: {budget: {usd: 0.4}}", TWICE)).model(move |_| costly());
    story.event(manual("w")).run_until_idle().expect(paused().path(["a", "b:failed"]));
}
