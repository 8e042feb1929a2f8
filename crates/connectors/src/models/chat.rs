//! The chat completions protocol: what is sent, and what is made of an answer.

use pawl_runtime::ports::{ModelAnswer, ModelError, ModelRequest};
use serde::Deserialize;
use serde_json::{Value, json};

use super::provider::{Provider, StructuredOutput};
use super::strict;

/// The body of a request for a completion by `model`, the provider's own name of it.
pub(super) fn request(provider: &Provider, model: &str, request: &ModelRequest) -> Value {
    let mut body = json!({ "model": model, "messages": messages(provider, request) });
    if let Some(temperature) = request.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(max_tokens) = request.max_tokens {
        body[provider.max_tokens_field()] = json!(max_tokens);
    }
    if let Some(schema) = &request.schema {
        match provider.structured_output {
            StructuredOutput::JsonSchema => {
                let wanted = json!({ "name": "answer", "schema": schema, "strict": strict::holds(schema) });
                body["response_format"] = json!({ "type": "json_schema", "json_schema": wanted });
            }
            StructuredOutput::JsonObject => body["response_format"] = json!({ "type": "json_object" }),
            StructuredOutput::Prompt => {}
        }
    }
    body
}

fn messages(provider: &Provider, request: &ModelRequest) -> Vec<Value> {
    let demand = match &request.schema {
        Some(schema) if provider.structured_output != StructuredOutput::JsonSchema => {
            Some(format!("Answer with nothing but JSON that fits this JSON Schema: {schema}"))
        }
        _ => None,
    };
    let system: Vec<String> = request.system.iter().cloned().chain(demand).collect();
    let system = (!system.is_empty()).then(|| json!({ "role": "system", "content": system.join("\n\n") }));
    let turns = request.messages.iter().enumerate().map(|(index, content)| {
        let role = if index % 2 == 0 { "user" } else { "assistant" };
        json!({ "role": role, "content": content })
    });
    system.into_iter().chain(turns).collect()
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Content>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

#[derive(Deserialize, Default)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// Reads the body of a successful answer. What is no completion counts as the provider's failure; a model that
/// declines to answer is final.
pub(super) fn answer(provider: &Provider, name: &str, body: &[u8]) -> Result<ModelAnswer, ModelError> {
    let broken = |what: &str| ModelError::Server(format!("provider `{name}` answered 200 {what}"));
    let completion: Completion = serde_json::from_slice(body).map_err(|_| broken("with no chat completion"))?;
    let choice = completion.choices.into_iter().next().ok_or_else(|| broken("without a choice"))?;
    if let Some(refusal) = choice.message.refusal.filter(|refusal| !refusal.is_empty()) {
        return Err(ModelError::Refused(format!("the model declined to answer: {}", shortened(&refusal))));
    }
    let text = match choice.message.content {
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) => parts.into_iter().filter_map(|part| part.text).collect(),
        None => String::new(),
    };
    if text.is_empty() && choice.finish_reason.as_deref() == Some("content_filter") {
        return Err(ModelError::Refused(format!("the content filter of provider `{name}` withheld the answer")));
    }
    let Usage { prompt_tokens, completion_tokens } = completion.usage.unwrap_or_default();
    Ok(ModelAnswer {
        text,
        input_tokens: prompt_tokens,
        output_tokens: completion_tokens,
        usd: provider.price.map(|price| price.of(prompt_tokens, completion_tokens)),
    })
}

/// The beginning of a text of unknown length, on one line.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn provider(url: &str) -> Provider {
        Provider::new(url).expect("the test's url is one")
    }

    fn asked() -> ModelRequest {
        ModelRequest {
            model: "default/small".to_owned(),
            system: Some("Be brief.".to_owned()),
            messages: vec!["Triage.".to_owned()],
            schema: None,
            temperature: None,
            max_tokens: Some(100),
            timeout: SignedDuration::from_secs(30),
        }
    }

    #[test]
    fn only_what_is_given_is_sent() {
        let sent = request(
            &provider("https://a.example/v1"),
            "small",
            &ModelRequest { max_tokens: None, system: None, ..asked() },
        );
        insta::assert_snapshot!(sent, @r#"{"messages":[{"content":"Triage.","role":"user"}],"model":"small"}"#);
    }

    #[test]
    fn a_repair_alternates_roles() {
        let messages = vec!["Triage.".to_owned(), "{".to_owned(), "That is no JSON.".to_owned()];
        let sent = request(&provider("https://a.example/v1"), "small", &ModelRequest { messages, ..asked() });
        let roles: Vec<_> = sent["messages"].as_array().expect("a list").iter().map(|m| m["role"].clone()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
    }

    #[test]
    fn max_tokens_has_another_name_at_openai() {
        assert_eq!(request(&provider("https://a.example/v1"), "m", &asked())["max_tokens"], 100);
        assert_eq!(request(&provider("https://api.openai.com/v1"), "m", &asked())["max_completion_tokens"], 100);
    }

    #[test]
    fn providers_without_schemas_get_them_in_the_prompt() {
        let schema = Some(json!({"type": "object"}));
        let object = Provider { structured_output: StructuredOutput::JsonObject, ..provider("https://a.example/v1") };
        let sent = request(&object, "small", &ModelRequest { schema: schema.clone(), ..asked() });
        assert_eq!(sent["response_format"], json!({"type": "json_object"}));
        let system = sent["messages"][0]["content"].as_str().expect("a text").to_owned();
        assert_eq!(
            system,
            "Be brief.\n\nAnswer with nothing but JSON that fits this JSON Schema: {\"type\":\"object\"}"
        );

        let prompt = Provider { structured_output: StructuredOutput::Prompt, ..object };
        let sent = request(&prompt, "small", &ModelRequest { schema, system: None, ..asked() });
        assert_eq!(sent["response_format"], Value::Null);
        assert_eq!(sent["messages"][0]["role"], "system");
    }

    #[test]
    fn answers_of_every_shape_are_read() {
        let read = |body: Value| answer(&provider("https://a.example/v1"), "a", body.to_string().as_bytes());
        let text = |body| read(body).map(|answer| answer.text);
        assert_eq!(text(json!({"choices": [{"message": {"content": "yes"}}]})), Ok("yes".to_owned()));
        let parts = json!([{"type": "text", "text": "y"}, {"type": "image"}, {"text": "es"}]);
        assert_eq!(text(json!({"choices": [{"message": {"content": parts}}]})), Ok("yes".to_owned()));
        let cut = json!({"choices": [{"message": {"content": null}, "finish_reason": "length"}]});
        assert_eq!(text(cut), Ok(String::new()));
        for (body, expected) in [
            (json!({"choices": []}), ModelError::Server("provider `a` answered 200 without a choice".to_owned())),
            (json!("hello"), ModelError::Server("provider `a` answered 200 with no chat completion".to_owned())),
            (
                json!({"choices": [{"message": {"refusal": "I cannot."}}]}),
                ModelError::Refused("the model declined to answer: I cannot.".to_owned()),
            ),
            (
                json!({"choices": [{"message": {}, "finish_reason": "content_filter"}]}),
                ModelError::Refused("the content filter of provider `a` withheld the answer".to_owned()),
            ),
        ] {
            assert_eq!(text(body), Err(expected));
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("a\n b"), "a b");
        assert_eq!(shortened(&"é".repeat(400)).chars().count(), 301);
    }
}
