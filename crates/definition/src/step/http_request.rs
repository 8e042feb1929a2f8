//! `http_request`: calls an HTTP service.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Shape;
use crate::Template;

/// The step `http_request`. Output: `{status, headers, body}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// Method.
    #[serde(default = "HttpRequest::default_method")]
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
}
