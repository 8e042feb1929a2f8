//! `http_request`.

use std::collections::BTreeMap;
use std::fmt::Write;

use pawl_definition::Template;
use pawl_definition::expression::{placeholders, redact};
use pawl_definition::step::HttpRequest;
use serde_json::{Map, Value, json};

use super::{Decide, Next, StepContext};
use crate::context::StepScope;
use crate::{Activity, HttpCall, StepError, ids};

/// Longest time for the whole answer, in seconds, if the step does not say.
const ANSWER_S: i64 = 30;

impl Decide for HttpRequest {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        let scope = at.scope_with_secrets();
        let mut headers = BTreeMap::new();
        for (name, template) in &self.headers {
            headers.insert(name.to_lowercase(), text(template, &scope, name)?);
        }
        let body = body(self, &scope, &mut headers)?;
        let method = self.method.to_uppercase();
        if method != "GET" && method != "HEAD" {
            let key = ids::idempotency_key(&at.execution.id, &at.step.id, at.state.visit);
            headers.entry("idempotency-key".to_owned()).or_insert(key);
        }
        let url = url(self, &scope)?;
        let timeout = at.timeout(ANSWER_S);
        Ok(Next::perform(Activity::HttpRequest(HttpCall { method, url, headers, body, timeout })))
    }
}

fn url(step: &HttpRequest, scope: &StepScope<'_>) -> Result<String, StepError> {
    let mut url = text(&step.url, scope, "url")?;
    for (name, template) in &step.query {
        let value = template.resolve(scope).map_err(|error| StepError::from(error).at(name))?;
        let values = match value {
            Value::Null => continue,
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&encode(name));
            url.push('=');
            url.push_str(&encode(&text));
        }
    }
    Ok(url)
}

fn body(
    step: &HttpRequest,
    scope: &StepScope<'_>,
    headers: &mut BTreeMap<String, String>,
) -> Result<Option<String>, StepError> {
    let Some(template) = &step.body else { return Ok(None) };
    let value = template.resolve(scope).map_err(|error| StepError::from(error).at("body"))?;
    let (text, kind) = match value {
        Value::Null => return Ok(None),
        Value::String(text) => (text, "text/plain; charset=utf-8"),
        other => (other.to_string(), "application/json"),
    };
    headers.entry("content-type".to_owned()).or_insert_with(|| kind.to_owned());
    Ok(Some(text))
}

fn text(template: &Template, scope: &StepScope<'_>, key: &str) -> Result<String, StepError> {
    template.resolve_text(scope).map_err(|error| StepError::from(error).at(key))
}

/// Percent-encodes all but unreserved characters (RFC 3986, section 2.3); placeholders of secrets stay as they are.
fn encode(text: &str) -> String {
    let mut out = String::new();
    let mut end = 0;
    for (range, _) in placeholders(text) {
        encode_plain(&text[end..range.start], &mut out);
        out.push_str(&text[range.clone()]);
        end = range.end;
    }
    encode_plain(&text[end..], &mut out);
    out
}

fn encode_plain(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

impl HttpCall {
    /// Its input for history, secrets redacted.
    pub fn input(&self) -> Value {
        let body = self.body.as_ref().map(|body| serde_json::from_str(body).unwrap_or_else(|_| json!(body)));
        let mut input = Map::new();
        input.insert("method".into(), json!(self.method));
        input.insert("url".into(), json!(self.url));
        input.insert("headers".into(), json!(self.headers));
        if let Some(body) = body {
            input.insert("body".into(), body);
        }
        redact(&Value::Object(input))
    }
}
