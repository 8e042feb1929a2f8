//! What happens when a step fails: section 6 of the language.

use serde::{Deserialize, Serialize};

use crate::describe::JsonSchema;
use crate::{Duration, Step};

/// The class of a failure, which decides whether a retry makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// No answer in time.
    Timeout,
    /// The other side could not be reached.
    Network,
    /// The other side asked to come back later.
    Throttled,
    /// The other side failed.
    Server,
    /// Any failure.
    Any,
}

/// When and how often a failed step is tried again.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Tries after the first, 0–20.
    #[serde(default = "Retry::default_attempts")]
    #[schemars(range(max = 20))]
    pub attempts: u32,
    /// Wait before the first retry.
    #[serde(default = "Retry::default_first")]
    pub first: Duration,
    /// Each wait is this many times the one before.
    #[serde(default = "Retry::default_factor")]
    #[schemars(range(min = 1, max = 100))]
    pub factor: f64,
    /// Longest wait.
    #[serde(default = "Retry::default_max")]
    pub max: Duration,
    /// Waits a random part of the time, so that failures do not return together.
    #[serde(default = "Retry::default_jitter")]
    pub jitter: bool,
    /// Which failures are tried again.
    #[serde(default = "Retry::default_on")]
    pub on: Vec<FailureClass>,
}

impl Retry {
    fn default_attempts() -> u32 {
        3
    }
    fn default_first() -> Duration {
        Duration::parse("1s").expect("a constant duration parses")
    }
    fn default_factor() -> f64 {
        2.0
    }
    fn default_max() -> Duration {
        Duration::parse("5m").expect("a constant duration parses")
    }
    fn default_jitter() -> bool {
        true
    }
    fn default_on() -> Vec<FailureClass> {
        vec![FailureClass::Timeout, FailureClass::Network, FailureClass::Throttled, FailureClass::Server]
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: Self::default_attempts(),
            first: Self::default_first(),
            factor: Self::default_factor(),
            max: Self::default_max(),
            jitter: Self::default_jitter(),
            on: Self::default_on(),
        }
    }
}

/// What follows when retries are used up.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Then {
    /// The execution pauses with reason `failure`.
    #[default]
    Pause,
    /// It goes on with the next step.
    Continue,
    /// The execution fails.
    Fail,
    /// These steps run, then it goes on.
    Steps(Vec<Step>),
}

impl<'de> Deserialize<'de> for Then {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(word) => match word.as_str() {
                "pause" => Ok(Self::Pause),
                "continue" => Ok(Self::Continue),
                "fail" => Ok(Self::Fail),
                other => {
                    Err(D::Error::custom(format!("expected pause, continue, fail or a list of steps, found {other:?}")))
                }
            },
            steps @ serde_json::Value::Array(_) => {
                serde_json::from_value(steps).map(Self::Steps).map_err(D::Error::custom)
            }
            other => Err(D::Error::custom(format!("expected pause, continue, fail or a list of steps, found {other}"))),
        }
    }
}

#[cfg(feature = "describe")]
impl JsonSchema for Then {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Then".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let steps = generator.subschema_for::<Vec<Step>>();
        schemars::json_schema!({ "anyOf": [{ "enum": ["pause", "continue", "fail"] }, steps] })
    }
}

/// Who is told: of a failure, or that an execution stopped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(from = "String")]
#[schemars(with = "String")]
pub enum Notify {
    /// The owner of the workflow.
    #[default]
    Owner,
    /// Nobody.
    None,
    /// This address.
    Address(String),
}

impl From<String> for Notify {
    fn from(word: String) -> Self {
        match word.as_str() {
            "owner" => Self::Owner,
            "none" => Self::None,
            _ => Self::Address(word),
        }
    }
}

/// How grave it is what people are told, for the notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information.
    Info,
    /// Someone should look.
    Warning,
    /// Someone must look.
    #[default]
    Error,
    /// Someone must look at once.
    Critical,
}

impl Severity {
    /// Its stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// A failure policy.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Retries; absent: three for steps with effects outside, none for others.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// What follows when retries are used up; absent: as the workflow says, else pause.
    #[serde(default)]
    pub then: Option<Then>,
    /// Who is told; absent: as the workflow says, else the owner.
    #[serde(default)]
    pub notify: Option<Notify>,
    /// How grave.
    #[serde(default)]
    pub severity: Option<Severity>,
}

impl Failure {
    /// The steps that follow a failure, if it says steps.
    pub fn steps(&self) -> Option<&[Step]> {
        match &self.then {
            Some(Then::Steps(steps)) => Some(steps),
            _ => None,
        }
    }
}
