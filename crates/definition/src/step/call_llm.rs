//! `call_llm`: asks a language model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AsksModel, Branch, Shape, TypeFacts};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::types::Type;
use crate::validate::Facts;
use crate::validate::words::found;
use crate::{Check, Field, FieldType, Step, Template, code};

/// One field of a structured answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputField {
    /// Type.
    #[serde(rename = "type", default = "OutputField::default_kind")]
    pub kind: FieldType,
    /// Allowed values.
    #[serde(default)]
    pub options: Vec<String>,
    /// What it means, told to the model.
    #[serde(default)]
    pub description: Option<String>,
    /// A list of values.
    #[serde(default)]
    pub many: bool,
    /// May be left out.
    #[serde(default)]
    pub optional: bool,
}

impl OutputField {
    fn type_of(&self) -> Type {
        let field = Field { options: self.options.clone(), many: self.many, ..Field::of(self.kind) };
        Type::of_field(&field)
    }

    fn default_kind() -> FieldType {
        FieldType::Text
    }
}

/// The shape of a structured answer: `fields` or `schema`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerShape {
    /// Named fields.
    pub fields: BTreeMap<String, OutputField>,
    /// A JSON Schema.
    pub schema: Option<Value>,
    /// The order in which the model is asked for the fields; absent: as they are written in the file.
    pub order: Vec<String>,
}

impl AnswerShape {
    /// The fields in the order in which the model is asked for them; those that `order` does not name come last.
    pub fn fields_in_order(&self) -> Vec<(&str, &OutputField)> {
        let place = |name: &str| self.order.iter().position(|ordered| ordered == name).unwrap_or(self.order.len());
        let mut fields: Vec<_> = self.fields.iter().map(|(name, field)| (name.as_str(), field)).collect();
        fields.sort_by_key(|(name, _)| place(name));
        fields
    }
}

/// The step `call_llm`. Output: the structured answer, or `{text}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallLlm {
    /// `<provider>/<model>`; a provider alone stands for its default model.
    pub model: Template,
    /// System prompt.
    #[serde(default)]
    pub system: Option<Template>,
    /// Prompt.
    pub prompt: Template,
    /// Shape of the answer: `fields` or `schema`.
    #[serde(default)]
    pub output: Option<AnswerShape>,
    /// Sampling temperature, 0–2.
    #[serde(default)]
    #[schemars(range(min = 0, max = 2))]
    pub temperature: Option<f64>,
    /// Bound of the answer in tokens.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u32>,
    /// An answer whose `confidence` (0 to 1) is lower takes the path `low_confidence`.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub min_confidence: Option<f64>,
    /// Steps if the answer is not sure enough.
    #[serde(default)]
    pub low_confidence: Vec<Step>,
}

impl Shape for CallLlm {
    fn words(&self, _: &Step) -> String {
        let answer = match &self.output {
            Some(shape) if !shape.order.is_empty() => format!(", for {}", listed(shape.order.iter().cloned(), "and")),
            Some(_) | None => String::new(),
        };
        format!("asks the model {}{answer}: {}", self.model.words(), self.prompt.words())
    }

    fn heading(&self, _: &Branch<'_>) -> String {
        "if the answer is not sure enough".to_owned()
    }

    fn reaches(&self) -> Vec<String> {
        vec![format!("the model {}", self.model.words())]
    }

    fn facts() -> TypeFacts {
        TypeFacts {
            common_keys: &["timeout", "delivery"],
            outside: Some("model"),
            ordered_output: true,
            ..TypeFacts::PLAIN
        }
    }

    fn asks_model(&self) -> Option<AsksModel<'_>> {
        let doubtful = self.min_confidence.map(|_| self.low_confidence.as_slice());
        Some(AsksModel { declares_output: self.output.is_some(), doubtful })
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        vec![Branch::new("low_confidence", "low_confidence", &self.low_confidence)]
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        match &self.output {
            None => Type::object([("text", Type::text())]),
            Some(AnswerShape { schema: Some(schema), .. }) => Type::of_schema(schema),
            Some(AnswerShape { fields, .. }) => {
                Type::object(fields.iter().map(|(name, field)| (name.as_str(), field.type_of())))
            }
        }
    }

    fn failed_output(&self, _: &Facts<'_>) -> Type {
        Type::object([("raw", Type::text().or_null())])
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        let literal = self.model.literal();
        if let Some(model) = literal.filter(|model| !model.as_str().is_some_and(is_model_name)) {
            let message = format!("expected <provider>/<model>, found {}", found(model));
            cx.error(code::INVALID_VALUE, &cx.key("model"), message);
        }
        // A field with a mistake of its shape is not among those that are known.
        let is_read = !cx.has_problem("output");
        match &self.output {
            Some(AnswerShape { schema: Some(schema), fields, .. }) if fields.is_empty() => check_schema(schema, cx),
            Some(shape) => check_fields(shape, cx),
            None => {}
        }
        self.check_confidence(is_read, cx);
    }
}

impl CallLlm {
    fn check_confidence(&self, is_read: bool, cx: &mut Check<'_, '_>) {
        let least = cx.written("min_confidence");
        if cx.written("low_confidence") && !least {
            let message = "these steps are never taken without `min_confidence`";
            cx.warning(code::SUSPICIOUS, &cx.key("low_confidence"), message);
        }
        let answered = match &self.output {
            Some(AnswerShape { schema: Some(schema), .. }) => schema.pointer("/properties/confidence").is_some(),
            Some(AnswerShape { fields, .. }) => {
                fields.get("confidence").is_some_and(|field| field.kind == FieldType::Number && !field.many)
            }
            None => cx.written("output"),
        };
        if least && !answered && is_read {
            let message = "expected a number `confidence` among the fields of `output`, found none to compare";
            cx.error(code::MISSING_KEY, &cx.key("min_confidence"), message);
        }
    }
}

/// `<provider>/<model>`; a provider alone stands for its default model.
fn is_model_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('/') && !name.contains(char::is_whitespace)
}

fn check_fields(shape: &AnswerShape, cx: &mut Check<'_, '_>) {
    let path = cx.key("output");
    if shape.schema.is_some() {
        cx.error(code::EXACTLY_ONE, &path, "expected exactly one of the keys fields or schema, found both");
    }
    let fields = path.key("fields");
    if shape.fields.is_empty() && !cx.has_problem("output") {
        cx.error(code::INVALID_VALUE, &fields, "expected at least one field, found none");
    }
    for (name, field) in &shape.fields {
        if field.kind == FieldType::File {
            let message = "expected a type that a model can answer with, found file";
            cx.error(code::INVALID_VALUE, &fields.key(name).key("type"), message);
        }
        if field.kind == FieldType::Option && field.options.is_empty() {
            let message = "expected `options` for a field of type option, found none";
            cx.error(code::MISSING_KEY, &fields.key(name), message);
        }
        let again = |at: &usize| field.options[..*at].contains(&field.options[*at]);
        if let Some(at) = (0..field.options.len()).find(again) {
            let message = format!("expected each option once, found {:?} again", field.options[at]);
            cx.error(code::DUPLICATE_ID, &fields.key(name).key("options").index(at), message);
        }
    }
    if cx.has_problem("output") {
        // A field with a mistake is not among those that are known.
        return;
    }
    for (index, name) in shape.order.iter().enumerate().filter(|(_, name)| !shape.fields.contains_key(*name)) {
        let message = format!("expected the name of one of the fields, found {name:?}");
        cx.error(code::INVALID_VALUE, &path.key("order").index(index), message);
    }
}

fn check_schema(schema: &Value, cx: &mut Check<'_, '_>) {
    if let Err(mistake) = crate::JsonSchema::new(schema) {
        let crate::Mismatch { place, message, .. } = mistake;
        let message = format!("expected a JSON Schema, found a mistake at {place:?}: {message}");
        cx.error(code::INVALID_VALUE, &cx.key("output").key("schema"), message);
    }
}
