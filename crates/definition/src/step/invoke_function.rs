//! `invoke_function`: invokes a Lambda function.

use serde::Deserialize;

use super::{Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;
use crate::validate::words::found;
use crate::{Check, Template, code};

/// The step `invoke_function`. Output: what the function gives; without `wait`: `{request_id}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvokeFunction {
    /// The function: its name or ARN, also with a version or an alias behind it.
    pub function: Template,
    /// What it gets; `{}` if absent or null.
    #[serde(default)]
    pub input: Option<Template>,
    /// Waits for what it gives; else the step is done once the function is to run.
    #[serde(default = "InvokeFunction::default_wait")]
    pub wait: bool,
}

impl InvokeFunction {
    fn default_wait() -> bool {
        true
    }
}

/// Whether a text names a function: `name`, `name:alias`, `account:function:name`, or an ARN.
pub fn is_function(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$'))
    };
    let parts: Vec<_> = text.split(':').collect();
    let is_whole = matches!(
        parts.as_slice(),
        ["arn", _, "lambda", _, _, "function", _]
            | ["arn", _, "lambda", _, _, "function", _, _]
            | [_, "function", _]
            | [_, "function", _, _]
            | [_]
            | [_, _]
    );
    text.len() <= 256 && is_whole && parts.into_iter().all(is_part)
}

impl Shape for InvokeFunction {
    fn words(&self, _: &Step) -> String {
        let wait = if self.wait { "" } else { ", and does not wait for it" };
        format!("invokes the function {}{wait}", self.function.words())
    }

    fn reaches(&self) -> Vec<String> {
        vec![format!("the function {}", self.function.words())]
    }

    fn facts() -> TypeFacts {
        TypeFacts { common_keys: &["timeout", "delivery"], outside: Some("function"), ..TypeFacts::PLAIN }
    }

    fn acts_outside(&self) -> bool {
        true
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        if self.wait { Type::any() } else { Type::object([("request_id", Type::text())]) }
    }

    fn failed_output(&self, _: &Facts<'_>) -> Type {
        Type::any()
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if let Some(name) = self.function.literal().filter(|name| !name.as_str().is_some_and(is_function)) {
            let message = format!("expected the name or the ARN of a function, found {}", found(name));
            cx.error(code::INVALID_VALUE, &cx.key("function"), message);
        }
    }
}
