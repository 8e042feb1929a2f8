//! `call_llm`.

use pawl_definition::step::{CallLlm, OutputField, OutputShape};
use pawl_definition::{FieldType, JsonSchema, Template, expression::redact};
use serde_json::{Map, Value, json};

use super::{After, Decide, Done, Next, StepContext};
use crate::{Activity, Allowance, ModelCall, Performed, StepError};

/// Longest time of one call, in seconds, if the step does not say.
const CALL_S: i64 = 60;

impl Decide for CallLlm {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        let left = left(at)?;
        let text = |template: &Template, key: &str| {
            template.resolve_text(&at.scope()).map_err(|error| StepError::from(error).at(key))
        };
        Ok(Next::perform(Activity::CallLlm(ModelCall {
            model: text(&self.model, "model")?,
            system: self.system.as_ref().map(|system| text(system, "system")).transpose()?,
            prompt: text(&self.prompt, "prompt")?,
            schema: self.output.as_ref().map(schema),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            timeout: at.timeout(CALL_S),
            left,
        })))
    }

    fn performed(&self, _at: &StepContext<'_>, activity: &Activity, performed: &Performed) -> Result<After, StepError> {
        let output = performed.output.clone();
        let note = self.min_confidence.and_then(|least| doubt(&output, least));
        let branch = note.is_some().then(|| "low_confidence".to_owned());
        Ok(After::done(Done { input: activity.input(), output, branch, note, ..Done::default() }))
    }
}

/// Why an answer is not sure enough. One that does not say how sure it is, is not.
fn doubt(output: &Value, least: f64) -> Option<String> {
    match output.get("confidence").and_then(Value::as_f64) {
        Some(found) if found >= least => None,
        Some(found) => Some(format!("confidence {found} is below {least}")),
        None => Some(format!("the answer says no confidence; at least {least} is asked for")),
    }
}

/// What is left of the budget; nothing left is an error.
fn left(at: &StepContext<'_>) -> Result<Allowance, StepError> {
    use pawl_definition::BudgetPer;
    let Some(budget) = &at.cx.plan.workflow.limits.budget else { return Ok(Allowance::default()) };
    let spent = match budget.per {
        BudgetPer::Execution => at.execution.usage,
        BudgetPer::Day => at.cx.spent_today,
    };
    if (Allowance { tokens: budget.tokens, usd: budget.usd }).is_spent_by(spent) {
        let found = format!("{} tokens and ${:.4} are spent", spent.tokens, spent.usd);
        return Err(StepError::new("over_budget", format!("the budget of model calls is used up: {found}")));
    }
    let tokens = budget.tokens.map(|most| most.saturating_sub(spent.tokens));
    Ok(Allowance { tokens, usd: budget.usd.map(|most| most - spent.usd) })
}

/// The JSON Schema of an answer.
fn schema(output: &OutputShape) -> Value {
    let fields = match output {
        OutputShape::Schema(schema) => return schema.clone(),
        OutputShape::Fields(fields) => fields,
    };
    let properties: Map<_, _> = fields.iter().map(|(name, field)| (name.clone(), field_schema(field))).collect();
    let required: Vec<_> = fields.iter().filter(|(_, field)| !field.optional).map(|(name, _)| name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn field_schema(field: &OutputField) -> Value {
    let mut schema = match field.kind {
        FieldType::Number => json!({"type": "number"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Object => json!({"type": "object"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::Datetime => json!({"type": "string", "format": "date-time"}),
        _ => json!({"type": "string"}),
    };
    if !field.options.is_empty() {
        schema["enum"] = json!(field.options);
    }
    if field.many {
        schema = json!({"type": "array", "items": schema});
    }
    if let Some(description) = &field.description {
        schema["description"] = json!(description);
    }
    schema
}

/// What became of a model's raw answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It is usable.
    Value(Value),
    /// It is not, for these reasons; they are fed back.
    Invalid(Vec<String>),
}

/// Reads a model's answer: plain text if no schema was given, else JSON, also fenced or embedded in prose, that
/// the schema accepts.
pub fn parse_reply(text: &str, schema: Option<&Value>) -> Reply {
    let Some(schema) = schema else { return Reply::Value(json!({"text": text})) };
    let Some(value) = embedded_json(text) else { return Reply::Invalid(vec!["the answer holds no JSON".to_owned()]) };
    let schema = match JsonSchema::new(schema) {
        Ok(schema) => schema,
        Err(mistake) => return Reply::Invalid(vec![format!("the schema of the step is not valid: {mistake}")]),
    };
    let reasons: Vec<_> = schema.mismatches(&value).iter().map(ToString::to_string).collect();
    if reasons.is_empty() { Reply::Value(value) } else { Reply::Invalid(reasons) }
}

/// The first JSON object or list in a text.
fn embedded_json(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text.trim()) {
        return Some(value);
    }
    text.match_indices(['{', '['])
        .find_map(|(start, _)| serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>().next()?.ok())
}

/// What is said to a model whose answer was not usable.
pub fn repair_prompt(reasons: &[String]) -> String {
    format!("Your answer was not usable:\n- {}\nAnswer again with only the corrected JSON.", reasons.join("\n- "))
}

impl ModelCall {
    /// Its input for history, secrets redacted.
    pub fn input(&self) -> Value {
        redact(&json!({"model": self.model, "system": self.system, "prompt": self.prompt, "schema": self.schema}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_found_in_fences_and_in_prose() {
        let schema = json!({"type": "object", "required": ["a"]});
        for text in ["{\"a\": 1}", "```json\n{\"a\": 1}\n```", "Sure! Here it is: {\"a\": 1} — anything else?"] {
            assert_eq!(parse_reply(text, Some(&schema)), Reply::Value(json!({"a": 1})), "{text}");
        }
    }

    #[test]
    fn an_unusable_answer_gives_reasons() {
        let schema = json!({"type": "object", "required": ["a"]});
        assert_eq!(parse_reply("no", Some(&schema)), Reply::Invalid(vec!["the answer holds no JSON".into()]));
        let Reply::Invalid(reasons) = parse_reply("{}", Some(&schema)) else {
            panic!("an object without `a` is accepted")
        };
        assert_eq!(reasons, [": missing properties 'a'"]);
    }
}
