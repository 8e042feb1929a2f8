//! `http_request`: calls an HTTP service.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Shape;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::found;
use crate::{Check, Template, code};

/// The step `http_request`. Output: `{status, headers, body}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// Method.
    #[serde(default = "HttpRequest::default_method")]
    #[schemars(extend("enum" = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]))]
    pub method: String,
    /// Absolute URL.
    pub url: Template,
    /// Query parameters.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Body: an object or list is sent as JSON, text as it is.
    #[serde(default)]
    pub body: Option<Template>,
}

impl HttpRequest {
    fn default_method() -> String {
        "GET".to_owned()
    }
}

impl Shape for HttpRequest {
    fn reaches_outside(&self) -> bool {
        true
    }

    fn common_keys() -> &'static [&'static str] {
        &["timeout", "delivery"]
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        let headers = Type::of(Kinds::OBJECT);
        Type::object([("status", Type::of(Kinds::NUMBER)), ("headers", headers), ("body", Type::any())])
    }

    fn failed_output(&self, facts: &Facts<'_>) -> Type {
        self.output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if let Some(url) = self.url.literal() {
            let absolute = url.as_str().is_some_and(|url| url.starts_with("https://") || url.starts_with("http://"));
            if !absolute {
                let message =
                    format!("expected an absolute URL such as \"https://example.com/path\", found {}", found(url));
                cx.error(code::INVALID_VALUE, &cx.key("url"), message);
            }
        }
        if self.body.is_some() && matches!(self.method.as_str(), "GET" | "HEAD") {
            let message = format!("{} requests carry no body", self.method);
            cx.warning(code::SUSPICIOUS, &cx.key("body"), message).suggest("did you mean `method: POST`?".to_owned());
        }
    }
}
