//! `call_llm`: asks a language model.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Branch, Shape};
use crate::{FieldType, Step, Template};

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
    fn default_kind() -> FieldType {
        FieldType::Text
    }
}

/// The shape of a structured answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum OutputShape {
    /// Named fields.
    Fields(BTreeMap<String, OutputField>),
    /// A JSON Schema.
    Schema(Value),
}

/// The step `call_llm`. Output: the structured answer, or `{text}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallLlm {
    /// `<provider>/<model>`.
    pub model: Template,
    /// System prompt.
    #[serde(default)]
    pub system: Option<Template>,
    /// Prompt.
    pub prompt: Template,
    /// Shape of the answer: `fields` or `schema`.
    #[serde(default)]
    pub output: Option<OutputShape>,
    /// Sampling temperature.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Bound of the answer in tokens.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// An answer whose `confidence` (0 to 1) is lower takes the path `low_confidence`.
    #[serde(default)]
    pub min_confidence: Option<f64>,
    /// Steps if the answer is not sure enough.
    #[serde(default)]
    pub low_confidence: Vec<Step>,
}

impl Shape for CallLlm {
    fn branches(&self) -> Vec<Branch<'_>> {
        vec![Branch { name: "low_confidence", path: "low_confidence", steps: &self.low_confidence }]
    }

    fn reaches_outside(&self) -> bool {
        true
    }
}
