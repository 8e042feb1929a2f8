//! What a model's answer is worth. Doubtful is not success: an answer that was cut off, withheld or left out fails the
//! step, and one that does not fit is asked for again.

use pawl_definition::{JsonSchema, SchemaBudget, SchemaTooCostly};
use serde_json::{Value, json};

use super::fit::{self, Misfit};
use super::{confidence, json as found, thinking};
use crate::{ModelCall, StepCode, StepError};

/// What came of one call of a model, as its provider tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelSaid<'a> {
    /// The text, as it came.
    pub text: &'a str,
    /// In which words the model declined to answer.
    pub refusal: Option<&'a str>,
    /// Why it ended; some servers do not say.
    pub finish_reason: Option<&'a str>,
}

impl<'a> ModelSaid<'a> {
    /// Out of the trace of a call: `{text, refusal, finish_reason}`.
    pub fn of(answer: &'a Value) -> Self {
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        Self { text: text("text").unwrap_or_default(), refusal: text("refusal"), finish_reason: text("finish_reason") }
    }
}

/// What a model's answer is worth.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelReply {
    /// It is usable, and this is the step's output.
    Value(Value),
    /// It does not fit, for these reasons; it may be asked for again.
    Invalid(Vec<String>),
    /// It is none, and asking again is not for this step to decide.
    Unusable(StepError),
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelVerdict {
    /// It had said all.
    Whole,
    /// It came to a bound of its length.
    CutOff,
    /// It, or a filter, withheld the answer.
    Withheld,
    /// Something else: the answer may lack anything.
    Unfinished,
}

/// Reasons of a whole answer, as servers name them.
const WHOLE: &[&str] = &["", "stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed"];

/// Reasons of an answer that came to a bound.
const CUT_OFF: &[&str] = &[
    "length",
    "limit",
    "max_length",
    "max_output_tokens",
    "max_tokens",
    "model_context_window_exceeded",
    "model_length",
    "token_limit",
];

/// Reasons of an answer that was withheld.
const WITHHELD: &[&str] = &[
    "blocklist",
    "content_filter",
    "content_filtered",
    "error_toxic",
    "guardrail_intervened",
    "prohibited_content",
    "recitation",
    "refusal",
    "safety",
    "spii",
];

impl ModelVerdict {
    /// Reads the reason that a server gives; none counts as whole.
    pub fn of(finish_reason: Option<&str>) -> Self {
        let reason = finish_reason.unwrap_or_default().trim().to_ascii_lowercase();
        let is = |known: &[&str]| known.contains(&reason.as_str());
        let verdicts = [(WHOLE, Self::Whole), (CUT_OFF, Self::CutOff), (WITHHELD, Self::Withheld)];
        verdicts.into_iter().find(|(known, _)| is(known)).map_or(Self::Unfinished, |(_, verdict)| verdict)
    }
}

impl ModelCall {
    /// Reads a model's answer: without thinking; plain text if no shape is asked for, else the last JSON in it that fits,
    /// its fields brought to their types.
    pub fn read(&self, said: ModelSaid<'_>) -> ModelReply {
        if let Some(error) = self.objection(said) {
            return ModelReply::Unusable(error);
        }
        if self.shape.is_none() {
            let text = thinking::cut_out(said.text, false);
            let text = if text.len() == said.text.len() { text } else { text.trim().to_owned() };
            return match text.trim() {
                "" => ModelReply::Unusable(empty()),
                _ => ModelReply::Value(json!({"text": text})),
            };
        }
        if let Some(value) = found::whole(said.text) {
            return self.last_that_fits(vec![value]);
        }
        let text = thinking::cut_out(said.text, true);
        if text.trim().is_empty() {
            return ModelReply::Unusable(empty());
        }
        let values = found::whole(&text).map_or_else(|| found::embedded(&text), |value| vec![value]);
        if values.is_empty() {
            return ModelReply::Invalid(vec![found::why_none(&text)]);
        }
        self.last_that_fits(values)
    }

    /// Why an answer is none, wherever its text may lead.
    fn objection(&self, said: ModelSaid<'_>) -> Option<StepError> {
        let reason = said.finish_reason.unwrap_or_default();
        if let Some(words) = said.refusal.filter(|words| !words.trim().is_empty()) {
            return Some(StepError::new(StepCode::ModelRefused, format!("the model declined to answer: {words}")));
        }
        match ModelVerdict::of(said.finish_reason) {
            ModelVerdict::CutOff => Some(self.cut_off(reason)),
            ModelVerdict::Withheld => {
                let message = format!("the model or a content filter withheld the answer (finish_reason `{reason}`)");
                Some(StepError::new(StepCode::ModelRefused, message))
            }
            ModelVerdict::Unfinished => {
                let message = format!("expected an answer that ends with `stop`, found finish_reason `{reason}`");
                Some(StepError::new(StepCode::ModelAnswerUnfinished, message))
            }
            ModelVerdict::Whole => said.text.trim().is_empty().then(empty),
        }
    }

    fn cut_off(&self, reason: &str) -> StepError {
        let bound = match self.max_tokens {
            Some(most) => format!("raise `max_tokens` of the step, which is {most}, or ask for less"),
            None => "set `max_tokens` of the step above the provider's own bound, or ask for less".to_owned(),
        };
        StepError::new(StepCode::ModelAnswerCut, format!("the answer was cut off (finish_reason `{reason}`): {bound}"))
    }

    /// The last of some values that fits; if none does, what is wrong with the last one, an object rather than a list.
    fn last_that_fits(&self, values: Vec<Value>) -> ModelReply {
        let schema = match self.author_schema() {
            Ok(schema) => schema,
            Err(mistake) => {
                return ModelReply::Invalid(vec![format!("the schema of the step is not valid: {mistake}")]);
            }
        };
        // One budget for all values in the text, so that an answer of many costs no more than one of one.
        let mut budget = SchemaBudget::default();
        let (mut wrong, mut of_object) = (None, false);
        for value in values.into_iter().rev() {
            let is_object = value.is_object();
            match self.fit(value, schema.as_ref(), &mut budget) {
                Ok(value) => return ModelReply::Value(value),
                Err(Misfit::Costly(error)) => return ModelReply::Unusable(costly(error)),
                Err(Misfit::Reasons(why)) if wrong.is_none() || (is_object && !of_object) => {
                    wrong = Some(why);
                    of_object = is_object;
                }
                Err(Misfit::Reasons(_)) => {}
            }
        }
        ModelReply::Invalid(wrong.unwrap_or_default())
    }

    fn author_schema(&self) -> Result<Option<JsonSchema>, pawl_definition::Mismatch> {
        self.shape.as_ref().and_then(|shape| shape.schema.as_ref()).map(JsonSchema::new).transpose()
    }

    fn fit(&self, value: Value, schema: Option<&JsonSchema>, budget: &mut SchemaBudget) -> Result<Value, Misfit> {
        let Some(shape) = &self.shape else { return Ok(value) };
        let value = match (schema, &shape.schema) {
            (Some(schema), Some(written)) => fit::schema(value, schema, written, budget)?,
            _ => fit::fields(value, shape, &self.timezone, budget)?,
        };
        match confidence::nonsense(&value).filter(|_| self.says_confidence) {
            Some(why) => Err(Misfit::Reasons(vec![why])),
            None => Ok(value),
        }
    }
}

fn costly(error: SchemaTooCostly) -> StepError {
    StepError::new(StepCode::ModelAnswerCostly, error.to_string())
}

fn empty() -> StepError {
    StepError::new(
        StepCode::ModelAnswerEmpty,
        "expected an answer, found none: the text is empty, or nothing but thinking",
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::call;
    use super::*;

    fn kind() -> Value {
        json!({"fields": {"kind": {"type": "option", "options": ["bug", "question"]}}})
    }

    fn said(text: &str) -> ModelSaid<'_> {
        ModelSaid { text, refusal: None, finish_reason: Some("stop") }
    }

    #[track_caller]
    fn reads(output: Value, text: &str, expected: Value) {
        assert_eq!(call(output).read(said(text)), ModelReply::Value(expected), "{text}");
    }

    #[track_caller]
    fn fails(output: Value, said: ModelSaid<'_>, code: &str) {
        let reply = call(output).read(said);
        assert!(matches!(&reply, ModelReply::Unusable(error) if error.code == code), "{said:?}: {reply:?}");
    }

    #[test]
    fn json_is_found_in_fences_and_in_prose() {
        for text in [
            "{\"kind\": \"bug\"}",
            "```json\n{\"kind\": \"bug\"}\n```",
            "Sure! Here it is: {\"kind\": \"bug\"} — anything else?",
            "See [1]: {\"kind\": \"bug\"}",
            "{\"kind\": \"bug\"} as [1] says",
            "[{\"kind\": \"Bug\"}]",
        ] {
            reads(kind(), text, json!({"kind": "bug"}));
        }
    }

    /// Fault 04: the first JSON in a text won, also in a `<think>` block.
    #[test]
    fn the_last_answer_outside_of_thinking_is_taken() {
        for text in [
            "<think>{\"kind\": \"question\"}? no</think>{\"kind\": \"bug\"}",
            "{\"kind\": \"bug\"}\n<think>or {\"kind\": \"question\"}</think>",
            "{\"kind\": \"bug\"} <think>or {\"kind\": \"question\"} perhaps",
            "perhaps {\"kind\": \"question\"}</think> {\"kind\": \"bug\"}",
            "First {\"kind\": \"question\"}, then {\"kind\": \"bug\"}, {\"kind\": \"none\"}",
        ] {
            reads(kind(), text, json!({"kind": "bug"}));
        }
        let checkpoint = json!({"text": "<think>a</think>"});
        reads(json!({"fields": {"text": {}}}), &checkpoint.to_string(), checkpoint);
        fails(kind(), said("<think>{\"kind\": \"question\"}"), "model_answer_empty");
    }

    #[test]
    fn a_text_is_given_without_thinking() {
        reads(Value::Null, "<think>hm</think>\n\nYes.", json!({"text": "Yes."}));
        reads(Value::Null, " Yes.\n", json!({"text": " Yes.\n"}));
    }

    /// Fault 05: `finish_reason: length` passed for a whole answer.
    #[test]
    fn an_answer_that_was_cut_off_withheld_or_empty_is_none() {
        let ends = |reason| ModelSaid { text: "{\"kind\": \"bug\"}", refusal: None, finish_reason: Some(reason) };
        for output in [Value::Null, kind()] {
            for reason in ["length", "MAX_TOKENS", "model_length"] {
                fails(output.clone(), ends(reason), "model_answer_cut");
            }
            for reason in ["content_filter", "SAFETY"] {
                fails(output.clone(), ends(reason), "model_refused");
            }
            for reason in ["tool_calls", "abort", "error", "never heard of"] {
                fails(output.clone(), ends(reason), "model_answer_unfinished");
            }
            for text in ["", " \n", "<think>a</think> "] {
                fails(output.clone(), said(text), "model_answer_empty");
            }
            fails(output, ModelSaid { refusal: Some("I cannot."), ..said("") }, "model_refused");
        }
    }

    #[test]
    fn a_cut_answer_names_the_bound() {
        let cut = ModelSaid { finish_reason: Some("length"), ..said("x") };
        let ModelReply::Unusable(error) = call(Value::Null).read(cut) else { panic!("a cut answer is none") };
        assert_eq!(
            error.message,
            "the answer was cut off (finish_reason `length`): raise `max_tokens` of the step, which is 16, or ask for less"
        );
    }

    #[test]
    fn an_answer_that_does_not_fit_gives_reasons() {
        let invalid = |text: &str, expected: &str| {
            assert_eq!(call(kind()).read(said(text)), ModelReply::Invalid(vec![expected.to_owned()]), "{text}");
        };
        invalid("no", "the answer holds no JSON");
        // Such an answer was said to hold no JSON, which told neither the model nor the author what to change.
        invalid(
            "```json\n{\"kind\": 18446744073709551616}\n```",
            "the answer is no JSON that is taken: the whole number 18446744073709551616, which needs more than 64 bits; send it \
             as a text at line 1, column 10",
        );
        invalid(
            "{\"kind\": \"bug\"",
            "the answer is no JSON that is taken: a fault (EOF while parsing an object) at line 1, column 14",
        );
        invalid("{}", "kind: expected a value, found none");
        invalid("{\"kind\": \"none\"} [1]", "kind: expected one of [\"bug\", \"question\"], found \"none\"");
    }

    /// Schema work was bounded for each value: an answer of a thousand values took a core for minutes.
    #[test]
    fn bug_an_answer_of_many_values_was_held_against_its_schema_without_end() {
        let schema = json!({"schema": {"items": {"pattern": "^(a?){500}$"}, "type": "array"}});
        let value = json!([1, "b".repeat(2_000)]).to_string();
        assert!(matches!(call(schema.clone()).read(said(&value)), ModelReply::Invalid(_)), "one is cheap");
        fails(schema, said(&format!("Here: {}", value.repeat(2_000))), "model_answer_costly");
        let options: Vec<_> = (0..2_000).map(|at| format!("option {at}")).collect();
        let kinds = json!({"fields": {"kinds": {"many": true, "options": options}}});
        let many = json!({"kinds": vec!["Option X"; 20_000]}).to_string();
        fails(kinds, said(&many), "model_answer_costly");
    }

    #[test]
    fn a_confidence_beyond_1_does_not_pass() {
        let output = json!({"fields": {"confidence": {"type": "number"}}});
        let call = ModelCall { says_confidence: true, ..call(output) };
        assert_eq!(call.read(said("{\"confidence\": \"0.85\"}")), ModelReply::Value(json!({"confidence": 0.85})));
        assert!(matches!(call.read(said("{\"confidence\": 85}")), ModelReply::Invalid(_)));
    }
}
