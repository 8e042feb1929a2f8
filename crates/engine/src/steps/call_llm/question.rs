//! What a model is asked: the author's prompt, and the form of the answer.
//!
//! The form stands in the prompt although a provider may take a schema too: servers that turn a schema into a grammar never
//! show the model its options and descriptions.

use pawl_definition::step::{AnswerShape, OutputField};
use pawl_definition::{FieldType, OrderedSchema, PROPERTY_ORDER};
use serde_json::{Map, Value, json};

use crate::ModelCall;

/// Most reasons that a repair names.
const REASONS: usize = 5;

/// Most characters of one reason.
const REASON: usize = 200;

/// One question to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelQuestion {
    /// System prompt.
    pub system: Option<String>,
    /// User prompt, the form of the answer included.
    pub prompt: String,
}

impl ModelCall {
    /// The question, asked afresh with what was wrong with the answer before: a model that is shown its own bad answer says
    /// it again.
    pub fn question(&self) -> ModelQuestion {
        let mut prompt = self.prompt.clone();
        if let Some(form) = self.shape.as_ref().map(|shape| form(shape, self.says_confidence)) {
            prompt.push_str("\n\n");
            prompt.push_str(&form);
        }
        if !self.wrong.is_empty() {
            let reasons: Vec<_> = self.wrong.iter().map(|reason| format!("\n- {reason}")).collect();
            prompt.push_str("\n\nAn answer in another form could not be used:");
            prompt.push_str(&reasons.concat());
        }
        ModelQuestion { system: self.system.clone(), prompt }
    }

    /// The JSON Schema of the answer, its order in [`PROPERTY_ORDER`].
    pub fn schema(&self) -> Option<Value> {
        let shape = self.shape.as_ref()?;
        Some(shape.schema.clone().unwrap_or_else(|| schema(shape)))
    }
}

/// The form of an answer. It is no JSON itself, so that a model that repeats it has not answered.
fn form(shape: &AnswerShape, says_confidence: bool) -> String {
    if let Some(schema) = &shape.schema {
        let schema = serde_json::to_string(&OrderedSchema(schema)).expect("a schema is JSON");
        return format!("Answer with nothing but one JSON value that fits this JSON Schema:\n{schema}");
    }
    let fields: Vec<_> = shape
        .fields_in_order()
        .into_iter()
        .map(|(name, field)| {
            let is_compared = says_confidence && name == "confidence";
            let kind = if is_compared { "number from 0 to 1".to_owned() } else { kind(field) };
            format!("{}: <{kind}{}>", Value::from(name), meaning(field))
        })
        .collect();
    format!("Answer with nothing but one JSON object of this form, its keys in this order:\n{{{}}}", fields.join(", "))
}

fn kind(field: &OutputField) -> String {
    let one = match field.kind {
        _ if !field.options.is_empty() => {
            let options: Vec<_> = field.options.iter().map(|option| Value::from(option.as_str()).to_string()).collect();
            options.join(" or ")
        }
        FieldType::Number => "number".to_owned(),
        FieldType::Boolean => "true or false".to_owned(),
        FieldType::Date => "date as \"YYYY-MM-DD\"".to_owned(),
        FieldType::Datetime => "date and time as \"YYYY-MM-DDTHH:MM:SSZ\"".to_owned(),
        FieldType::Uuid => "UUID in quotes".to_owned(),
        FieldType::Phone => "telephone number in quotes".to_owned(),
        FieldType::Email => "e-mail address in quotes".to_owned(),
        FieldType::Object | FieldType::File => "object".to_owned(),
        FieldType::Money => "object {\"amount\": number, \"currency\": \"three letters\"}".to_owned(),
        FieldType::Url => "address in quotes, beginning with https:// or http://".to_owned(),
        FieldType::Text | FieldType::Option | FieldType::Member => "text in quotes".to_owned(),
    };
    let one = if field.many { format!("list, each: {one}") } else { one };
    if field.optional { format!("{one}, or null") } else { one }
}

fn meaning(field: &OutputField) -> String {
    let words = field.description.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() { words } else { format!(": {words}") }
}

/// The reasons that a repair names, each as it names it.
pub(super) fn named(reasons: &[String]) -> Vec<String> {
    reasons.iter().take(REASONS).map(|reason| cut(reason).to_owned()).collect()
}

fn cut(reason: &str) -> &str {
    reason.char_indices().nth(REASON).map_or(reason, |(end, _)| &reason[..end])
}

fn schema(shape: &AnswerShape) -> Value {
    let names: Vec<_> = shape.fields_in_order().into_iter().map(|(name, _)| name).collect();
    let properties: Map<_, _> = shape.fields.iter().map(|(name, field)| (name.clone(), field_schema(field))).collect();
    json!({
        "type": "object",
        "properties": properties,
        // All of them: what is not required may be null. Strict providers take nothing else.
        "required": names,
        "additionalProperties": false,
        PROPERTY_ORDER: names,
    })
}

fn field_schema(field: &OutputField) -> Value {
    let (kind, format) = match field.kind {
        FieldType::Number => ("number", None),
        FieldType::Boolean => ("boolean", None),
        FieldType::Object | FieldType::File => ("object", None),
        FieldType::Date => ("string", Some("date")),
        FieldType::Datetime => ("string", Some("date-time")),
        FieldType::Uuid => ("string", Some("uuid")),
        FieldType::Email => ("string", Some("email")),
        _ => ("string", None),
    };
    let mut schema = json!({ "type": kind });
    if field.kind == FieldType::Money {
        schema = json!({
            "type": "object",
            "properties": {"amount": {"type": "number"}, "currency": {"type": "string"}},
            "required": ["amount", "currency"],
            "additionalProperties": false,
        });
    }
    if let Some(format) = format {
        schema["format"] = json!(format);
    }
    if !field.options.is_empty() {
        schema = json!({"type": "string", "enum": field.options});
    }
    if field.many {
        schema = json!({"type": "array", "items": schema});
    }
    if field.optional {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(Value::Array(options)) = schema.get_mut("enum") {
            options.push(Value::Null);
        }
    }
    if let Some(description) = &field.description {
        schema["description"] = json!(description);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::super::tests::call;
    use super::*;

    fn triage() -> ModelCall {
        let fields = json!({
            "reason": {"description": "why  it\nis so"},
            "kind": {"type": "option", "options": ["bug", "question"]},
            "due": {"type": "date", "optional": true},
            "tags": {"many": true},
            "confidence": {"type": "number"},
        });
        let order = json!(["reason", "kind", "due", "tags", "confidence"]);
        ModelCall { says_confidence: true, ..call(json!({"fields": fields, "order": order})) }
    }

    #[test]
    fn the_form_has_the_order_options_and_descriptions_of_the_author() {
        let form = "{\"reason\": <text in quotes: why it is so>, \"kind\": <\"bug\" or \"question\">, \
            \"due\": <date as \"YYYY-MM-DD\", or null>, \"tags\": <list, each: text in quotes>, \
            \"confidence\": <number from 0 to 1>}";
        let asked = "Answer with nothing but one JSON object of this form, its keys in this order:";
        assert_eq!(triage().question().prompt, format!("Triage.\n\n{asked}\n{form}"));
    }

    #[test]
    fn the_form_is_no_answer() {
        use super::super::{ModelReply, ModelSaid};
        let call = ModelCall { wrong: vec!["kind: expected a value, found none".to_owned()], ..triage() };
        let prompt = call.question().prompt;
        let said = ModelSaid { text: &prompt, refusal: None, finish_reason: None };
        assert!(matches!(call.read(said), ModelReply::Invalid(_)));
    }

    #[test]
    fn a_repair_asks_afresh_with_what_was_wrong() {
        let wrong = vec!["x".repeat(300), "b".into(), "c".into(), "d".into(), "e".into(), "f".into()];
        let prompt = ModelCall { wrong: named(&wrong), ..triage() }.question().prompt;
        let (_, told) = prompt.split_once("could not be used:\n").expect("it is told");
        let lines: Vec<_> = told.lines().map(str::len).collect();
        assert_eq!(lines, [202, 3, 3, 3, 3]);
        assert!(prompt.starts_with(&triage().question().prompt));
    }

    #[test]
    fn a_text_is_asked_for_as_the_author_asks() {
        assert_eq!(call(Value::Null).question().prompt, "Triage.");
        assert_eq!(call(Value::Null).schema(), None);
    }

    #[test]
    fn an_authors_schema_stands_in_the_prompt_in_its_order() {
        let schema = json!({"properties": {"a": {}, "b": {}}, "propertyOrdering": ["b", "a"]});
        let prompt = call(json!({ "schema": schema })).question().prompt;
        assert!(
            prompt.ends_with(
                r#"JSON Schema:
{"properties":{"b":{},"a":{}}}"#
            ),
            "{prompt}"
        );
    }

    #[test]
    fn what_is_not_required_may_be_null() {
        let schema = triage().schema().expect("it has a shape");
        assert_eq!(schema["required"], json!(["reason", "kind", "due", "tags", "confidence"]));
        assert_eq!(schema["properties"]["due"], json!({"type": ["string", "null"], "format": "date"}));
        let one = call(json!({"fields": {"a": {"options": ["x"], "optional": true}}})).schema();
        assert_eq!(one.expect("it has a shape")["properties"]["a"]["enum"], json!(["x", null]));
    }
}
