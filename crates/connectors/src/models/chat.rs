//! The chat completions protocol: what is sent, and what is made of an answer.

use pawl_runtime::json::{self, Bounds, ErrorKind};
use pawl_runtime::ports::{ModelAnswer, ModelError, ModelErrorKind, ModelRequest, OrderedSchema, TokenCounts};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::provider::{Provider, StructuredOutput};
use super::{Called, strict, words};

/// The body of a request. Its parts are serialized in the order written here: a schema's order is its author's.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat<'a> {
    JsonSchema { json_schema: NamedSchema<'a> },
    JsonObject,
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: OrderedSchema<'a>,
}

/// The body of a request for a completion by `model`, the provider's own name of it.
pub(super) fn request(provider: &Provider, model: &str, request: &ModelRequest) -> String {
    let system = request.system.as_deref().map(|content| Message { role: "system", content });
    let prompt = Message { role: "user", content: &request.prompt };
    let renamed = provider.renames_max_tokens();
    let body = Body {
        model,
        messages: system.into_iter().chain([prompt]).collect(),
        temperature: request.temperature,
        max_tokens: request.max_tokens.filter(|_| !renamed),
        max_completion_tokens: request.max_tokens.filter(|_| renamed),
        response_format: request.schema.as_ref().and_then(|schema| response_format(provider, schema)),
    };
    serde_json::to_string(&body).expect("texts, numbers and a schema are JSON")
}

fn response_format<'a>(provider: &Provider, schema: &'a Value) -> Option<ResponseFormat<'a>> {
    match provider.structured_output {
        StructuredOutput::JsonSchema => {
            let json_schema =
                NamedSchema { name: "answer", strict: strict::holds(schema), schema: OrderedSchema(schema) };
            Some(ResponseFormat::JsonSchema { json_schema })
        }
        StructuredOutput::JsonObject => Some(ResponseFormat::JsonObject),
        StructuredOutput::Prompt => None,
    }
}

/// Reads the body of a successful answer; what is no completion counts as the provider's failure. Of a completion only
/// its first choice must be there: all else is read as far as it is what it should be.
pub(super) fn answer(called: &Called<'_>, body: &[u8]) -> Result<ModelAnswer, ModelError> {
    let name = called.name;
    let broken = |what: &str| ModelError::new(ModelErrorKind::Server, format!("provider `{name}` answered 200 {what}"));
    let text = std::str::from_utf8(body).map_err(|_| broken("with bytes that are no UTF-8"))?;
    let completion =
        completion(text.trim_start_matches('\u{feff}')).ok_or_else(|| broken("with no chat completion"))?;
    let choices = completion["choices"].as_array().ok_or_else(|| broken("with no chat completion"))?;
    let choice = choices.first().ok_or_else(|| broken("without a choice"))?;
    let message = choice.get("message").filter(|message| message.is_object());
    let message = message.ok_or_else(|| broken("with a choice that has no message"))?;
    let word = |value: &Value| {
        let text = value.as_str().filter(|text| !text.trim().is_empty())?;
        Some(words::one_line(&called.redactor.text(text)))
    };
    Ok(ModelAnswer {
        text: called.redactor.text(&content(&message["content"])),
        refusal: word(&message["refusal"]),
        finish_reason: word(&choice["finish_reason"]),
        model: word(&completion["model"]),
        thinking_bytes: ["reasoning_content", "reasoning"]
            .iter()
            .find_map(|key| message[*key].as_str())
            .map_or(0, str::len),
        tokens: TokenCounts::read(&completion["usage"]),
        price: called.provider.price,
    })
}

/// Reads a completion within the bounds of all that comes from outside. A number that none can hold breaks it only where
/// the answer itself stands: elsewhere, as in `usage`, it is a number that is not known.
fn completion(text: &str) -> Option<Value> {
    #[derive(Deserialize)]
    struct Lenient {
        choices: Value,
        #[serde(default)]
        model: Value,
    }
    match json::parse(text.as_bytes(), &Bounds::OUTSIDE) {
        Ok(completion) => Some(completion),
        Err(error) if matches!(error.kind, ErrorKind::NumberOutOfRange(_) | ErrorKind::Malformed(_)) => {
            let Lenient { choices, model } = serde_json::from_str(text).ok()?;
            Some(serde_json::json!({"choices": choices, "model": model}))
        }
        Err(_) => None,
    }
}

/// A text, or the texts of its parts; what is thought stands in parts of another type.
fn content(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let is_text =
                |part: &&Value| part["type"].as_str().is_none_or(|kind| matches!(kind, "text" | "output_text"));
            parts.iter().filter(is_text).filter_map(|part| part["text"].as_str()).collect()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;

    fn provider(url: &str) -> Provider {
        Provider::new(url).expect("the test's url is one")
    }

    fn asked() -> ModelRequest {
        ModelRequest {
            model: "default/small".to_owned(),
            system: Some("Be brief.".to_owned()),
            prompt: "Triage.".to_owned(),
            schema: None,
            temperature: None,
            max_tokens: Some(100),
            timeout: SignedDuration::from_secs(30),
        }
    }

    fn sent(provider: &Provider, request: &ModelRequest) -> Value {
        serde_json::from_str(&super::request(provider, "small", request)).expect("a request is JSON")
    }

    #[test]
    fn only_what_is_given_is_sent() {
        let sent = request(
            &provider("https://a.example/v1"),
            "small",
            &ModelRequest { max_tokens: None, system: None, ..asked() },
        );
        insta::assert_snapshot!(sent, @r#"{"model":"small","messages":[{"role":"user","content":"Triage."}]}"#);
    }

    #[test]
    fn max_tokens_has_another_name_at_openai() {
        assert_eq!(sent(&provider("https://a.example/v1"), &asked())["max_tokens"], 100);
        assert_eq!(sent(&provider("https://api.openai.com/v1"), &asked())["max_completion_tokens"], 100);
    }

    #[test]
    fn a_schema_is_sent_in_the_order_of_its_author() {
        let schema = json!({
            "type": "object",
            "properties": {"category": {"type": "string"}, "reason": {"type": "string"}},
            "required": ["category", "reason"],
            "additionalProperties": false,
            "propertyOrdering": ["reason", "category"],
        });
        let request = ModelRequest { schema: Some(schema), ..asked() };
        let text = super::request(&provider("https://a.example/v1"), "small", &request);
        let format = text.split_once("\"response_format\":").expect("it is asked for").1;
        assert_eq!(
            format,
            r#"{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":{"additionalProperties":false,"properties":{"reason":{"type":"string"},"category":{"type":"string"}},"required":["reason","category"],"type":"object"}}}}"#
        );
    }

    #[test]
    fn providers_without_schemas_are_not_sent_one() {
        let schema = Some(json!({"type": "object"}));
        let object = Provider { structured_output: StructuredOutput::JsonObject, ..provider("https://a.example/v1") };
        let request = ModelRequest { schema, ..asked() };
        assert_eq!(sent(&object, &request)["response_format"], json!({"type": "json_object"}));
        let prompt = Provider { structured_output: StructuredOutput::Prompt, ..object };
        assert_eq!(sent(&prompt, &request)["response_format"], Value::Null);
    }

    fn read_bytes(body: &[u8]) -> Result<ModelAnswer, ModelError> {
        let provider = provider("https://a.example/v1");
        let redactor = pawl_runtime::Redactor::default();
        answer(&Called { name: "a", provider: &provider, redactor: &redactor, model: "small" }, body)
    }

    fn read(body: &Value) -> Result<ModelAnswer, ModelError> {
        read_bytes(body.to_string().as_bytes())
    }

    #[test]
    fn answers_of_every_shape_are_read() {
        let text = |message: Value| {
            read(&json!({"choices": [{ "message": message }]})).map(|answer| answer.text).map_err(|error| error.message)
        };
        assert_eq!(text(json!({"content": "yes"})), Ok("yes".to_owned()));
        let parts = json!([{"type": "text", "text": "y"}, {"type": "thinking", "text": "hm"}, {"text": "es"}]);
        assert_eq!(text(json!({ "content": parts })), Ok("yes".to_owned()));
        for nothing in [json!({"content": null}), json!({}), json!({"content": 7})] {
            assert_eq!(text(nothing), Ok(String::new()));
        }
        assert_eq!(text(json!("yes")), Err("provider `a` answered 200 with a choice that has no message".to_owned()));
        for (body, expected) in [
            (json!({"choices": []}), "provider `a` answered 200 without a choice"),
            (json!("hello"), "provider `a` answered 200 with no chat completion"),
            (json!({"choices": null}), "provider `a` answered 200 with no chat completion"),
        ] {
            assert_eq!(read(&body).map_err(|error| error.message), Err(expected.to_owned()));
        }
        let bytes = b"{\"choices\": [{\"message\": {\"content\": \"\xff\"}}]}";
        let undecodable = read_bytes(bytes).map_err(|error| error.message);
        assert_eq!(undecodable, Err("provider `a` answered 200 with bytes that are no UTF-8".to_owned()));
    }

    #[test]
    fn an_answer_says_why_it_ended_who_gave_it_and_what_it_took() {
        let answer = read(&json!({
            "model": "small-2026",
            "choices": [{
                "message": {"content": "", "refusal": "I\ncannot.", "reasoning_content": "hmm"},
                "finish_reason": "length",
            }],
            "usage": {"prompt_tokens": 3.0, "completion_tokens": null},
        }));
        let answer = answer.expect("it is a completion");
        assert_eq!(answer.refusal.as_deref(), Some("I cannot."));
        assert_eq!(answer.finish_reason.as_deref(), Some("length"));
        assert_eq!(answer.model.as_deref(), Some("small-2026"));
        assert_eq!((answer.tokens.input, answer.tokens.output, answer.thinking_bytes), (Some(3), None, 3));
        for number in ["18446744073709551616", "1e999"] {
            let body =
                format!(r#"{{"choices":[{{"message":{{"content":"x"}}}}],"usage":{{"prompt_tokens":{number}}}}}"#);
            assert_eq!(read_bytes(body.as_bytes()).expect("usage breaks no completion").text, "x");
        }
        for usage in [json!(null), json!(7), json!({"prompt_tokens": u64::MAX})] {
            let body = json!({"choices": [{"message": {"content": "x"}}], "usage": usage});
            assert_eq!(read(&body).expect("usage breaks no completion").tokens, TokenCounts::default());
        }
    }
}
