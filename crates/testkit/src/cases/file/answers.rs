//! What outside services and models answer in a case.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cases::describe::JsonSchema;

/// How an outside service answers a call.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct HttpScript {
    /// Which calls it answers; absent: all.
    #[serde(default)]
    pub(in crate::cases) when: CallTest,
    /// Its answer.
    #[serde(default)]
    pub(in crate::cases) answer: Option<HttpAnswer>,
    /// Or why none comes.
    #[serde(default)]
    pub(in crate::cases) fail: Option<HttpFailure>,
    /// How many calls it answers; absent: any number.
    #[serde(default)]
    pub(in crate::cases) times: Option<u32>,
    /// How long it takes, `5s`.
    #[serde(default)]
    pub(in crate::cases) takes: Option<String>,
}

/// Which calls an answer is for. All that is said must fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct CallTest {
    /// Method.
    #[serde(default)]
    pub(in crate::cases) method: Option<String>,
    /// URL as it is sent; without a query it is for every query; `*` stands for any text.
    #[serde(default)]
    pub(in crate::cases) url: Option<String>,
    /// Body, or a part of it; of a form, an object of its fields.
    #[serde(default)]
    pub(in crate::cases) body: Option<Value>,
}

/// An answer of an outside service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct HttpAnswer {
    /// HTTP status.
    #[serde(default = "HttpAnswer::default_status")]
    #[schemars(range(min = 100, max = 599))]
    pub(in crate::cases) status: u16,
    /// Headers; a list repeats one.
    #[serde(default)]
    pub(in crate::cases) headers: BTreeMap<String, Texts>,
    /// Body.
    #[serde(default)]
    pub(in crate::cases) body: Option<Value>,
}

/// A text, or a list of texts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::cases) enum Texts {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Texts {
    pub(in crate::cases) fn each(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts.as_slice(),
        };
        texts.iter().map(String::as_str)
    }
}

impl HttpAnswer {
    fn default_status() -> u16 {
        200
    }
}

/// Why no answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::cases) enum HttpFailure {
    /// No answer in time.
    Timeout,
    /// The service cannot be reached.
    Network,
    /// The address must not be called.
    Refused,
}

/// What a model answers to one call: exactly one of `answer`, `text`, `fail`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct ModelScript {
    /// A structured answer.
    #[serde(default)]
    pub(in crate::cases) answer: Option<Map<String, Value>>,
    /// Or a text, read as live: with thinking, fences and all.
    #[serde(default)]
    pub(in crate::cases) text: Option<String>,
    /// Why the answer ended: `stop` if absent; `length` for one that is cut off.
    #[serde(default)]
    pub(in crate::cases) finish_reason: Option<String>,
    /// What the provider says it took, `{prompt_tokens, completion_tokens}`; null: it does not say. Absent: 100 and 20.
    #[serde(default, deserialize_with = "said")]
    #[schemars(with = "Value")]
    pub(in crate::cases) usage: Option<Value>,
    /// Or why none comes.
    #[serde(default)]
    pub(in crate::cases) fail: Option<ModelFailure>,
}

/// A value that is there, null too.
fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Why a model does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::cases) enum ModelFailure {
    /// No answer in time.
    Timeout,
    /// The provider cannot be reached.
    Network,
    /// The provider asks to come back later.
    Throttled,
    /// The provider failed.
    Server,
    /// The provider refused the request.
    Refused,
}
