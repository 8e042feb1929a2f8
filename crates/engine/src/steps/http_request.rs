//! `http_request`: decides the request and reads what the answer means for the step. The call itself is an activity.

mod pages;

use std::collections::BTreeMap;

use pawl_definition::expression::{UrlError, form_encoded, percent_encoded, redact};
use pawl_definition::step::{FORM, HttpRequest};
use serde_json::{Map, Value, json};

use self::pages::Pages;
use super::{After, Perform, StepContext, StepDecision, StepHandler, StepResult};
use crate::context::StepScope;
use crate::{Activity, BodyKind, HttpBody, HttpCall, Performed, Signing, StepCode, StepError, ids};

/// Most bytes of a query, and of a form.
const MOST: usize = 1024 * 1024;

/// Longest time for the whole answer, in seconds, if the step does not say.
const ANSWER_S: i64 = 30;

impl StepHandler for HttpRequest {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let scope = at.scope_with_secrets();
        let mut headers = BTreeMap::new();
        for (name, template) in &self.headers {
            let value = template.resolve_text(&scope).map_err(|error| StepError::from(error).at(name))?;
            // Blanks around a value are no part of it, nor is the line break that ends a block of YAML.
            headers.insert(name.to_lowercase(), value.trim_matches([' ', '\t', '\r', '\n']).to_owned());
        }
        let body = body(self, &scope, &mut headers)?;
        let method = self.method.to_uppercase();
        let key = ids::idempotency_key(&at.execution.id, &at.step.id, at.state.visit);
        let sign = self.sign.clone().map(|sign| Box::new(Signing { sign, id: key.clone() }));
        if method != "GET" && method != "HEAD" {
            headers.entry("idempotency-key".to_owned()).or_insert(key);
        }
        let (url, query) = (url(self, &scope)?, query(self, &scope)?);
        let timeout = at.timeout(ANSWER_S);
        let pages = if self.follow.is_some() { Pages::of(at.state) } else { Pages::default() };
        let (part, links) = (pages.part(), pages.links);
        let call = HttpCall { method, url, query, headers, body, links, sign, timeout };
        let checkpoint = at.state.checkpoint.clone();
        Ok(StepDecision::Perform(Perform { activity: Activity::HttpRequest(call), checkpoint, part }))
    }

    fn performed(&self, at: &StepContext<'_>, activity: &Activity, performed: &Performed) -> Result<After, StepError> {
        match (&self.follow, activity) {
            (Some(follow), Activity::HttpRequest(_)) => Pages::of(at.state).page(follow, at, (activity, performed)),
            _ => Ok(After::done(StepResult {
                input: activity.input(),
                output: performed.output.clone(),
                ..StepResult::default()
            })),
        }
    }
}

fn url(step: &HttpRequest, scope: &StepScope<'_>) -> Result<String, StepError> {
    step.url.resolve_url(scope).map_err(|error| match error {
        UrlError::Expression(error) => StepError::from(error).at("url"),
        UrlError::Misplaced(message) => StepError::new(StepCode::HttpInvalid, message).at("url"),
    })
}

fn query(step: &HttpRequest, scope: &StepScope<'_>) -> Result<String, StepError> {
    let mut pairs = Vec::new();
    for (name, template) in &step.query {
        let value = template.resolve(scope).map_err(|error| StepError::from(error).at(name))?;
        // Lists and objects inside are sent as JSON.
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let values = match value {
            Value::Null => Vec::new(),
            Value::Array(values) => values.into_iter().map(text).collect(),
            one => vec![text(one)],
        };
        for text in values {
            let value = if template.is_urlencoded() { text } else { percent_encoded(&text) };
            pairs.push(format!("{}={value}", percent_encoded(name)));
        }
    }
    within(pairs.join("&"), "query")
}

fn within(text: String, key: &str) -> Result<String, StepError> {
    if text.len() <= MOST {
        return Ok(text);
    }
    let message = format!("expected at most {MOST} bytes once it is encoded, found {}", text.len());
    Err(StepError::new(StepCode::HttpInvalid, message).at(key))
}

fn body(
    step: &HttpRequest,
    scope: &StepScope<'_>,
    headers: &mut BTreeMap<String, String>,
) -> Result<Option<HttpBody>, StepError> {
    if let Some(fields) = &step.form {
        let mut pairs = Vec::new();
        for (name, template) in fields {
            let value = template.resolve(scope).map_err(|error| StepError::from(error).at(name))?;
            let encode = |text: String| if template.is_urlencoded() { text } else { form_encoded(&text) };
            pairs.extend(simple(&value, name)?.into_iter().map(|text| (name.as_str(), encode(text))));
        }
        headers.entry("content-type".to_owned()).or_insert_with(|| FORM.to_owned());
        return Ok(Some(form(&pairs)?));
    }
    let Some(template) = &step.body else { return Ok(None) };
    let value = template.resolve(scope).map_err(|error| StepError::from(error).at("body"))?;
    let body = match value {
        Value::Null => return Ok(None),
        Value::String(text) => HttpBody { text, kind: BodyKind::Text },
        Value::Object(fields) if is_form(headers) => {
            let mut pairs = Vec::new();
            for (name, value) in &fields {
                let texts = simple(value, name)?.into_iter().map(|text| (name.as_str(), form_encoded(&text)));
                pairs.extend(texts);
            }
            form(&pairs)?
        }
        other => HttpBody { text: other.to_string(), kind: BodyKind::Json },
    };
    let kind = match body.kind {
        BodyKind::Text => "text/plain; charset=utf-8",
        BodyKind::Json => "application/json",
        BodyKind::Form => FORM,
    };
    headers.entry("content-type".to_owned()).or_insert_with(|| kind.to_owned());
    Ok(Some(body))
}

fn is_form(headers: &BTreeMap<String, String>) -> bool {
    let kind = headers.get("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(FORM)
}

/// A form of fields whose values are encoded already.
fn form(pairs: &[(&str, String)]) -> Result<HttpBody, StepError> {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={value}", form_encoded(name))).collect();
    Ok(HttpBody { text: within(pairs.join("&"), "form")?, kind: BodyKind::Form })
}

/// The texts of a field of a form. A list repeats the field; null omits it.
fn simple(value: &Value, name: &str) -> Result<Vec<String>, StepError> {
    let one = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => {
            let message = "expected a text, number, true or false, or a list of these; json(…) writes others as text";
            Err(StepError::new(StepCode::WrongType, message).at(name))
        }
    };
    match value {
        Value::Array(values) => values.iter().filter_map(|value| one(value).transpose()).collect(),
        value => Ok(one(value)?.into_iter().collect()),
    }
}

impl HttpCall {
    /// A URL with the query of this call behind its own, and without a fragment, which is not sent.
    pub fn with_query(&self, url: &str) -> String {
        let url = url.split('#').next().unwrap_or_default();
        let between = match url.find('?') {
            _ if self.query.is_empty() => "",
            None => "?",
            Some(at) if at + 1 == url.len() || url.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{url}{between}{}", self.query)
    }

    /// Its input for history, secrets redacted.
    pub fn input(&self) -> Value {
        let mut input = Map::new();
        input.insert("method".into(), json!(self.method));
        let url = self.links.last().cloned().unwrap_or_else(|| self.with_query(&self.url));
        input.insert("url".into(), json!(url));
        input.insert("headers".into(), json!(self.headers));
        if let Some(HttpBody { text, .. }) = &self.body {
            input.insert("body".into(), serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
        }
        redact(&Value::Object(input))
    }
}
